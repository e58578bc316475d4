package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// clock is the wall clock, which may jump at any time. It dates what is stored and what receivers see. All waiting uses the
// monotonic clock, in readings of time.Now.
type clock func() time.Time

// now returns the time in the precision of the store.
func (c clock) now() time.Time { return bellwire.StoredTime(c()) }

// local converts a time of the store to the monotonic clock, as the wall clock stands now. Zero stays zero.
func (c clock) local(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	left := at.Sub(c()) // read first, so that waiting does not end before the wall clock's time
	return time.Now().Add(left)
}

// sleep waits, and reports whether ctx let it wait to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// poke signals a channel of capacity 1 without waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
