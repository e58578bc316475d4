package share_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/share"
)

func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := share.NewRates()
		for i := range 5 {
			if _, ok := r.Allow("a", 2, 5, 1); !ok {
				t.Fatalf("the bucket has 5 tokens, and refused number %d", i+1)
			}
		}
		after, ok := r.Allow("a", 2, 5, 1)
		if ok || after != 500*time.Millisecond {
			t.Errorf("an empty bucket of 2 a second: %v, %v", after, ok)
		}
		if _, ok := r.Allow("b", 2, 5, 5); !ok {
			t.Error("another owner has a bucket of its own")
		}
		time.Sleep(after)
		if _, ok := r.Allow("a", 2, 5, 1); !ok {
			t.Errorf("after %v there is a token", after)
		}
		time.Sleep(time.Hour)
		if _, ok := r.Allow("a", 2, 5, 6); !ok {
			t.Error("what is more than a bucket passes when it is full")
		}
		if after, ok := r.Allow("a", 2, 5, 1); ok || after != time.Second {
			t.Errorf("it left a debt of one token: %v, %v", after, ok)
		}
		if after, ok := r.Allow("a", 4, 5, 1); ok || after != 500*time.Millisecond {
			t.Errorf("at another rate: %v, %v", after, ok)
		}
	})
}

func TestRatesTakeMoreThanThereIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := share.NewRates()
		r.Take("a", 2, 5, 12)
		if after, ok := r.Allow("a", 2, 5, 1); ok || after != 4*time.Second {
			t.Errorf("with a debt of 7 tokens, at 2 a second: %v, %v", after, ok)
		}
		if _, ok := r.Allow("b", 2, 5, 5); !ok {
			t.Error("another owner has a bucket of its own")
		}
		time.Sleep(4 * time.Second)
		if _, ok := r.Allow("a", 2, 5, 1); !ok {
			t.Error("after 4s there is a token")
		}
	})
}

// However many owners there are, full buckets are dropped, and those of others stay as they are.
func TestRatesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := share.NewRates()
		for i := range 150_000 {
			r.Allow(fmt.Sprint(i), 1000, 1, 1)
			if i%50_000 == 49_999 {
				time.Sleep(time.Second)
			}
		}
		if _, ok := r.Allow("slow", 0.001, 1, 1); !ok {
			t.Fatal("a new bucket is full")
		}
		time.Sleep(2 * time.Minute)
		r.Allow("other", 1, 1, 1)
		if after, ok := r.Allow("slow", 0.001, 1, 1); ok || after != 880*time.Second {
			t.Errorf("a bucket that is not full was forgotten: %v, %v", after, ok)
		}
	})
}
