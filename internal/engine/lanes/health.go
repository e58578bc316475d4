package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// health is the lane's copy of its endpoint's health in the store. While the health is proven, only some acknowledgements are
// recorded there.
type health struct {
	proven   bool            // bellwire.Health.Proven, as of the last outcome in the store
	failures int             // failures that are not in the store yet
	seen     time.Time       // when an acknowledgement was last recorded in the store
	granted  *bellwire.Grant // the grant that is recorded in the store
}

// note returns what an outcome means for the health of the endpoint. The lane has been adjusted to the outcome.
func (l *lane) note(now time.Time, o *Outcome) bellwire.HealthNote {
	n := l.noteOutcome(now, o)
	g := l.granted()
	if g == nil || g == l.health.granted {
		return n
	}
	if o.Verdict == bellwire.Acknowledged {
		n.Kind = bellwire.HealthCounts // the store keeps nothing else of what is only seen
	}
	if n.Kind == bellwire.HealthCounts {
		n.Granted, l.health.granted = g, g
	}
	return n
}

func (l *lane) noteOutcome(now time.Time, o *Outcome) bellwire.HealthNote {
	h := &l.health
	switch {
	case o.Job.Manual() && !l.enabled():
		return bellwire.HealthNote{} // so that the health still says since when the endpoint has missed events
	case o.Verdict == bellwire.Acknowledged && h.proven && h.failures == 0:
		if now.Sub(h.seen) < bellwire.HealthSeenPeriod {
			return bellwire.HealthNote{}
		}
		h.seen = now
		return bellwire.HealthNote{Kind: bellwire.HealthSeen}
	case o.Verdict == bellwire.Acknowledged:
		h.seen = now
		return bellwire.HealthNote{Kind: bellwire.HealthCounts}
	case o.Verdict == bellwire.Impossible || o.Job.Manual():
		return bellwire.HealthNote{}
	}
	h.failures++
	until := l.restUntil
	if l.pauses() {
		until = bellwire.Later(until, l.breaker.probeAt)
	}
	return bellwire.HealthNote{Kind: bellwire.HealthCounts, BreakerOpen: l.breaker.open(), HeldFor: max(until.Sub(now), 0)}
}

// noted records that an outcome is in the store.
func (l *lane) noted(o *Outcome, record *bellwire.Recorded) {
	if o.Health.Kind != bellwire.HealthCounts {
		return
	}
	if o.Verdict != bellwire.Acknowledged {
		l.health.failures--
	}
	l.health.proven = record.Proven
}
