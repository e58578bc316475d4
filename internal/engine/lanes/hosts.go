package lanes

import (
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// hosts bounds how many requests an hour each tenant may send to one host without an acknowledgement. Nobody has to prove
// ownership of a URL, so Bellwire could otherwise be used to attack another party's machine. Acknowledged requests are wanted,
// and are not counted. Any number of names can resolve to one address, so requests are counted by address too; more are allowed
// there, because many customers may share an address.
//
// Only hosts with recent failures are kept. The scheduler's lock guards hosts.
type hosts struct {
	known map[hostKey]*host
	swept time.Time
}

type hostKey struct {
	tenant string
	place  string // the host's name, or its address
}

// host counts a tenant's remaining requests to a host. The count goes below zero by the requests that were in flight when it
// reached zero.
type host struct {
	left     *rate.Limiter
	reported bool // whether count has reported the last request
}

// hostSweep is the interval between sweeps.
const hostSweep = time.Minute

func perHour(requests int) rate.Limit { return rate.Limit(float64(requests) / time.Hour.Seconds()) }

// charge counts a request that was not acknowledged, and reports whether it was the last one that was left; see count.
func (h *hosts) charge(l *lane, o *Outcome, now time.Time) (spent bool) {
	if o.Attempt == nil || o.Target == nil {
		return false
	}
	bound := boundOf(o.Target)
	if bound == 0 {
		return false
	}
	h.sweep(now)
	tenant := o.Target.Endpoint.Tenant
	l.hosts[0] = h.of(hostKey{tenant, HostName(o.Target)}, bound)
	if o.Address != "" {
		l.hosts[1] = h.of(hostKey{tenant, o.Address}, bound*limits.AddressShare)
	}
	for _, at := range l.hosts {
		if at.count(now) {
			spent = true
		}
	}
	return spent
}

// of returns the host of a key, with the given bound. It makes the host if nothing has failed there lately.
func (h *hosts) of(key hostKey, bound int) *host {
	at := h.known[key]
	if at == nil {
		if h.known == nil {
			h.known = make(map[hostKey]*host)
		}
		at = &host{left: rate.NewLimiter(perHour(bound), bound)}
		h.known[key] = at
	}
	at.bind(bound)
	return at
}

// bind changes the bound.
func (at *host) bind(bound int) {
	if at.left.Burst() != bound {
		at.left.SetBurst(bound)
		at.left.SetLimit(perHour(bound))
	}
}

// boundOf returns how many unacknowledged requests an hour an endpoint's host may get; 0: any number.
func boundOf(t *bellwire.Target) int {
	if t.URL == nil || t.Limits == nil {
		return 0
	}
	return t.Limits.TargetRequests
}

// attach gives a lane the host of its URL, if something has failed there lately.
func (h *hosts) attach(l *lane) {
	l.hosts = [2]*host{}
	bound := boundOf(l.target)
	if bound == 0 {
		return
	}
	if at := h.known[hostKey{l.target.Endpoint.Tenant, HostName(l.target)}]; at != nil {
		at.bind(bound)
		l.hosts[0] = at
	}
}

// sweep forgets the hosts whose whole bound is left, once in hostSweep.
func (h *hosts) sweep(now time.Time) {
	if now.Sub(h.swept) < hostSweep {
		return
	}
	h.swept = now
	for key, at := range h.known {
		if at.left.TokensAt(now) >= float64(at.left.Burst()) {
			delete(h.known, key)
		}
	}
}

// count takes one request, and reports whether that was the last one. It reports that once, until a tenth is left again.
func (at *host) count(now time.Time) (last bool) {
	if at == nil {
		return false
	}
	at.left.ReserveN(now, 1)
	switch left := at.left.TokensAt(now); {
	case left >= float64(at.left.Burst())/10:
		at.reported = false
	case left < 1 && !at.reported:
		at.reported = true
		return true
	}
	return false
}

// usedUpUntil returns when a request is left again, or zero if one is left now.
func (at *host) usedUpUntil(now time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return tokenAt(at.left, now)
}

// hostUsedUp reports whether nothing is left of the tenant's requests to the endpoint's host.
func (l *lane) hostUsedUp(now time.Time) bool {
	return !l.hosts[0].usedUpUntil(now).IsZero() || !l.hosts[1].usedUpUntil(now).IsZero()
}

// hostUsedUpUntil returns until when nothing may be sent because the tenant's requests to the endpoint's host are used up.
// That does not affect an endpoint that acknowledged the last request.
func (l *lane) hostUsedUpUntil(now time.Time) time.Time {
	if l.healthy {
		return time.Time{}
	}
	return later(l.hosts[0].usedUpUntil(now), l.hosts[1].usedUpUntil(now))
}

// HostName returns the name that requests to a target are counted by.
func HostName(t *bellwire.Target) string {
	return strings.TrimSuffix(strings.ToLower(t.URL.Hostname()), ".")
}
