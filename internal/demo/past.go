package demo

import (
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
)

// The past of the demonstration: a platform that grows, with days and nights, weekends, and endpoints that had their troubles. Most
// of it is in statistics only: they are all that is left of a past, once its events have been deleted. See recent for the rest.
const (
	// PastDays is how long ago the platform began.
	PastDays = 30
	finely   = 25 * time.Hour // before now, of which charts show each minute
)

// Counted is an attempt of the past, or an event if it has no endpoint.
type Counted struct {
	At           time.Time
	Tenant, Type string
	Endpoint     string
	Outcome      string // as in an attempt
	Took         time.Duration
}

// resident is an endpoint that has a past.
type resident struct {
	*client.Endpoint
	behaves string // as its path says
}

// past returns what happened in the days before now, in the order of time.
func past(now time.Time, random *rand.Rand, published []payload, residents []resident) iter.Seq[Counted] {
	perMinute := float64(time.Minute) / float64(livePace)
	tenants := tenants()
	return func(yield func(Counted) bool) {
		now := now.UTC().Truncate(time.Minute)
		for at := now.AddDate(0, 0, -PastDays).Truncate(time.Hour); at.Before(now); {
			step := time.Minute
			if now.Sub(at) > finely {
				step = time.Hour
			}
			expected := perMinute * step.Minutes() * activity(at, now)
			for range int(expected + math.Sqrt(expected)*random.NormFloat64() + random.Float64()) {
				p, tenant := published[random.IntN(len(published))], tenants[random.IntN(len(tenants))]
				if !yield(Counted{At: at, Tenant: tenant, Type: p.eventType}) {
					return
				}
				for _, r := range residents {
					if r.Tenant != tenant || !subscribes(r.Events, p.eventType) || isDisabled(r.behaves, at, now) {
						continue
					}
					outcome, took := attempt(r.behaves, at, now, random)
					if !yield(Counted{At: at, Tenant: tenant, Type: p.eventType, Endpoint: r.ID, Outcome: outcome, Took: took}) {
						return
					}
				}
			}
			at = at.Add(step)
		}
	}
}

// activity returns how much happened at a time, compared with now.
func activity(at, now time.Time) float64 {
	return weight(at, now) / weight(now, now)
}

// weight has days, whose busiest hour was not long ago wherever one looks at them, weekends, and growth.
func weight(at, now time.Time) float64 {
	ago := now.Sub(at).Hours()
	w := 0.65 + 0.35*math.Cos((ago-3)/24*2*math.Pi)
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		w *= 0.75
	}
	return w * (1 - 0.7*ago/(24*PastDays))
}

// attempt returns how an attempt at an endpoint ended.
func attempt(behaves string, at, now time.Time, random *rand.Rand) (outcome string, took time.Duration) {
	ago := now.Sub(at)
	took = time.Duration(0.5 * math.Exp(0.4*random.NormFloat64()) * float64(time.Millisecond)) // receivers on this machine
	switch {
	case behaves == "down" && ago < 50*time.Hour: // since the day before yesterday
		return "status", took / 4
	case behaves == repaired && ago < outageAgo:
		return "status", took / 4
	case behaves == "slow" && random.Float64() < 0.004:
		return "timeout", 15 * time.Second
	case behaves == "slow":
		return "ok", slowAnswer + took
	case behaves == "flaky" && (random.Float64() < 0.05 || ago > 9*time.Hour && ago < 10*time.Hour): // an outage this morning
		return "status", took / 2
	case ago > 11*24*time.Hour && ago < 11*24*time.Hour+3*time.Hour && random.Float64() < 0.3: // the network, eleven days ago
		return "timeout", 15 * time.Second
	case random.Float64() < 0.002:
		return "connect", took / 8
	}
	return "ok", took
}

// subscribes reports whether an endpoint's patterns match an event type.
func subscribes(patterns []string, eventType string) bool {
	for _, pattern := range patterns {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if pattern == eventType || wild && strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return false
}

// tenants returns the ids of all customers.
func tenants() []string {
	ids := []string{tenant}
	for _, n := range neighbors() {
		ids = append(ids, n.id)
	}
	return ids
}
