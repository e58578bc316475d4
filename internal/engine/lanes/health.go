package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// health is the lane's copy of its endpoint's health in the store. While the health is settled, only some acknowledgements are
// recorded there.
type health struct {
	settled  bool            // bellwire.Health.Settled, as of the last result in the store
	failures int             // failures that are not in the store yet
	seen     time.Time       // when an acknowledgement was last recorded in the store
	granted  *bellwire.Grant // the grant that is recorded in the store
}

// note returns what a result means for the health of the endpoint. The lane has been adjusted to the result.
func (l *lane) note(now time.Time, r *Result) bellwire.HealthNote {
	n := l.noteResult(now, r)
	g := l.granted()
	if g == nil || g == l.health.granted {
		return n
	}
	if r.Verdict == bellwire.Acknowledged {
		n.Kind = bellwire.HealthCounts // the store keeps nothing else of what is only seen
	}
	if n.Kind == bellwire.HealthCounts {
		n.Granted, l.health.granted = g, g
	}
	return n
}

func (l *lane) noteResult(now time.Time, r *Result) bellwire.HealthNote {
	h := &l.health
	switch {
	case l.ofFormerURL(r):
		return bellwire.HealthNote{}
	case r.Task.Manual() && !l.enabled():
		return bellwire.HealthNote{} // so that the health still says since when the endpoint has missed events
	case r.Verdict == bellwire.Acknowledged && h.settled && h.failures == 0:
		if now.Sub(h.seen) < bellwire.HealthSeenPeriod {
			return bellwire.HealthNote{}
		}
		h.seen = now
		return bellwire.HealthNote{Kind: bellwire.HealthSeen}
	case r.Verdict == bellwire.Acknowledged:
		h.seen = now
		return bellwire.HealthNote{Kind: bellwire.HealthCounts}
	case r.Verdict == bellwire.Impossible || r.Task.Manual():
		return bellwire.HealthNote{}
	}
	h.failures++
	until := l.restUntil
	if l.pauses() {
		until = bellwire.Later(until, l.breaker.probeAt)
	}
	return bellwire.HealthNote{Kind: bellwire.HealthCounts, BreakerOpen: l.breaker.open(), HeldFor: max(until.Sub(now), 0)}
}

// noted records that a result is in the store.
func (l *lane) noted(r *Result, record *bellwire.Recorded) {
	if r.Health.Kind != bellwire.HealthCounts {
		return
	}
	if r.Verdict != bellwire.Acknowledged {
		l.health.failures--
	}
	l.health.settled = record.Settled
}
