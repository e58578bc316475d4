package lanes

import "time"

// The circuit breaker opens after breakerFailures failures in a row that span at least breakerSpan. It then lets one attempt at
// a time through, after pauses that double from firstPause to longestPause. If retries have a fixed interval, it lets a few at a
// time through, without pauses.
const (
	breakerFailures = 10
	breakerSpan     = time.Minute
	firstPause      = 10 * time.Second
	longestPause    = 5 * time.Minute
)

// breaker is an endpoint's circuit breaker.
type breaker struct {
	failures int       // in a row
	since    time.Time // end of the first of them
	pause    time.Duration
	probeAt  time.Time // when the next attempt may start; zero: closed
	probing  bool      // whether the attempt in flight was started while open
}

func (b *breaker) open() bool { return !b.probeAt.IsZero() }

// failed records a failure and reports whether it opened the breaker.
func (b *breaker) failed(now time.Time) (opened bool) {
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	if b.open() {
		if !b.probing {
			return false // it was in flight when the breaker opened
		}
		b.probing = false
		b.pause = min(2*b.pause, longestPause)
		b.probeAt = now.Add(b.pause)
		return false
	}
	if b.failures < breakerFailures || now.Sub(b.since) < breakerSpan {
		return false
	}
	b.pause = firstPause
	b.probeAt = now.Add(b.pause)
	return true
}

// moved lets the next attempt of an open breaker start at once, and pauses begin anew, because another receiver may be behind the
// endpoint's new URL. The failure of an attempt that is in flight to the old one causes no pause.
func (b *breaker) moved() {
	if b.open() {
		b.probeAt, b.pause, b.probing = b.since, firstPause/2, false // the next failure doubles the pause
	}
}

// succeeded closes the breaker and reports whether it was open.
func (b *breaker) succeeded() (closed bool) {
	closed = b.open()
	*b = breaker{}
	return closed
}
