package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestEndpointsBehave: one is down, one is slow and gives up with its sender, and one fails for a third of the time.
func TestEndpointsBehave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ask := func(path string, patience time.Duration) (int, time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start, answer := time.Now(), httptest.NewRecorder()
			behave(answer, httptest.NewRequestWithContext(ctx, "POST", path, nil))
			return answer.Code, time.Since(start)
		}
		for path, want := range map[string]int{"/ok": http.StatusOK, "/down": http.StatusServiceUnavailable} {
			if got, took := ask(path, time.Minute); got != want || took > 0 {
				t.Errorf("%s: %d after %s", path, got, took)
			}
		}
		if got, took := ask("/slow", time.Minute); got != http.StatusOK || took != slowAnswer {
			t.Errorf("slow: %d after %s", got, took)
		}
		if _, took := ask("/slow", time.Second); took != time.Second {
			t.Errorf("slow, without patience: %s", took)
		}
		failed := 0
		for range 90 {
			if got, _ := ask("/flaky", time.Minute); got != http.StatusOK {
				failed++
			}
			time.Sleep(outage / 30)
		}
		if failed != 30 {
			t.Errorf("flaky failed %d of 90 times", failed)
		}
	})
}
