package engine

import "time"

// clock is the wall clock, which may jump at any time. It dates what is stored and what receivers see; all
// waiting goes by the monotonic clock, in readings of time.Now.
type clock func() time.Time

// now returns the time as the store keeps it.
func (c clock) now() time.Time { return stored(c()) }

// local returns when a time of the store's comes, on the monotonic clock and as the wall clock stands now. Zero
// stays zero.
func (c clock) local(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	left := at.Sub(c()) // read first, so that waiting ends no sooner than the wall clock says
	return time.Now().Add(left)
}
