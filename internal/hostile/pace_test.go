package hostile

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Missed times are not made up for: after a stall the rate is the same as before.
func TestRepeatDoesNotCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		var at []time.Duration
		began := time.Now()
		repeat(ctx, 1, 1, func(i int) {
			at = append(at, time.Since(began))
			if i == 2 {
				time.Sleep(5 * time.Second)
			}
		})
		want := []time.Duration{0, 1, 2, 7, 8, 9}
		if len(at) != len(want) {
			t.Fatalf("done at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Second {
				t.Errorf("done at %v, want %v (s)", at, want)
			}
		}
	})
}

func TestTimesStops(t *testing.T) {
	t.Parallel()
	done := 0
	times(1, 10, func(i int) bool { done++; return i < 4 })
	if done != 5 {
		t.Errorf("%d were done, want 5", done)
	}
}
