package engine

import (
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// hosts bounds how many requests an hour each tenant may send to one host without an acknowledgement. Nobody has to prove
// that a URL is their own, so Bellwire could otherwise be used to attack somebody else's machine. Acknowledged requests are
// wanted, and are not counted. Any number of names can lead to one address: so requests are counted by address too, where
// more are allowed, because many customers may share one.
//
// Only hosts with recent failures are kept. The scheduler's lock guards all of it.
type hosts struct {
	known map[hostKey]*host
	swept time.Time
}

type hostKey struct {
	tenant string
	place  string // the host's name, or its address
}

// host is what is left of a tenant's requests to a host. It goes below zero by what was under way when nothing was left.
type host struct {
	left     *rate.Limiter
	reported bool // that nothing is left
}

// hostSweep is the time between two sweeps.
const hostSweep = time.Minute

func perHour(requests int) rate.Limit { return rate.Limit(float64(requests) / time.Hour.Seconds()) }

// charge counts a request that was not acknowledged, and reports whether it was the last one that was left; see count.
func (h *hosts) charge(l *lane, r *result, now time.Time) (spent bool) {
	if r.Attempt == nil || r.target == nil {
		return false
	}
	bound := boundOf(r.target)
	if bound == 0 {
		return false
	}
	h.sweep(now)
	tenant := r.target.Endpoint.Tenant
	l.hosts[0] = h.of(hostKey{tenant, hostName(r.target)}, bound)
	if r.Address != "" {
		l.hosts[1] = h.of(hostKey{tenant, r.Address}, bound*limits.AddressShare)
	}
	for _, at := range l.hosts {
		if at.count(now) {
			spent = true
		}
	}
	return spent
}

// chargeHost counts a request that was not acknowledged. A delivery that waits in the store because its host's requests are
// used up gets the reason.
func (s *scheduler) chargeHost(l *lane, now time.Time, r *result) {
	r.overdrawn = s.hosts.charge(l, r, now)
	if r.transition.Status == bellwire.DeliveryRetrying && l.overdrawn(now) {
		r.transition.Reason = bellwire.ReasonTargetRequests
	}
}

// of returns the host of a key, with the given bound. It makes one where nothing has failed of late.
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

// bind changes how many requests there may be, where that is another number than before.
func (at *host) bind(bound int) {
	if at.left.Burst() != bound {
		at.left.SetBurst(bound)
		at.left.SetLimit(perHour(bound))
	}
}

// boundOf returns how many requests that are not acknowledged an endpoint's host may get in an hour, 0 if any number.
func boundOf(t *bellwire.Target) int {
	if t.URL == nil || t.Limits == nil {
		return 0
	}
	return t.Limits.TargetRequests
}

// attach gives a lane the host that its URL names, if something has failed there of late.
func (h *hosts) attach(l *lane) {
	l.hosts = [2]*host{}
	bound := boundOf(l.target)
	if bound == 0 {
		return
	}
	if at := h.known[hostKey{l.target.Endpoint.Tenant, hostName(l.target)}]; at != nil {
		at.bind(bound)
		l.hosts[0] = at
	}
}

// sweep forgets, once in hostSweep, the hosts whose whole bound is left.
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

// count takes one request, and reports whether that was the last one. It reports so once, until a tenth is left again.
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

// usedUpUntil returns when a request is left again, zero if one is left now.
func (at *host) usedUpUntil(now time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return tokenAt(at.left, now)
}

// overdrawn reports whether nothing is left of the tenant's requests to the endpoint's host.
func (l *lane) overdrawn(now time.Time) bool {
	return !l.hosts[0].usedUpUntil(now).IsZero() || !l.hosts[1].usedUpUntil(now).IsZero()
}

// hostUsedUpUntil returns until when nothing may be sent because the tenant's requests to the endpoint's host are used up.
// An endpoint that acknowledged the last request goes on.
func (l *lane) hostUsedUpUntil(now time.Time) time.Time {
	if l.answering {
		return time.Time{}
	}
	return later(l.hosts[0].usedUpUntil(now), l.hosts[1].usedUpUntil(now))
}

func hostName(t *bellwire.Target) string {
	return strings.TrimSuffix(strings.ToLower(t.URL.Hostname()), ".")
}
