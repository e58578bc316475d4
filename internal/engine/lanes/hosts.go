package lanes

import (
	"strings"
	"time"

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

// hostKey is what a tenant's requests are counted by. An IP address can be both the name in a URL and the address that a request
// goes to; these are counted separately, because they have different bounds.
type hostKey struct {
	tenant string
	kind   hostKind
	value  string
}

type hostKind int

const (
	byName    hostKind = iota // the host in the URL
	byAddress                 // the network that the name resolved to
)

// host counts the requests of a tenant to a host that were not acknowledged. The count drops by bound an hour, down to zero. It
// can exceed bound by the requests that were in flight when it reached it. The address of a changed URL is not known before an attempt,
// so each change may send one request more; changes have a limit of their own.
type host struct {
	bound    int
	used     float64 // as of usedAt
	usedAt   time.Time
	reported bool // whether count has reported the last request
}

// hostSweep is the interval between sweeps.
const hostSweep = time.Minute

// charge counts a request that was not acknowledged, and reports whether it was the last one that was left; see count.
func (h *hosts) charge(l *lane, r *Result, now time.Time) (spent bool) {
	if r.Attempt == nil || r.Target == nil {
		return false
	}
	bound := boundOf(r.Target)
	if bound == 0 {
		return false
	}
	h.sweep(now)
	tenant := r.Target.Endpoint.Tenant
	name := HostName(r.Target)
	charged := [2]*host{h.of(hostKey{tenant, byName, name}, bound, now)}
	if r.Address != "" {
		charged[1] = h.of(hostKey{tenant, byAddress, r.Address}, bound*limits.AddressFactor, now)
	}
	current := l.target != nil && HostName(l.target) == name // else the URL has changed since
	for i, at := range charged {
		if at.count(now) {
			spent = true
		}
		if current && at != nil {
			l.hosts[i] = at
		}
	}
	return spent
}

// of returns the host of a key, with the given bound. It makes the host if nothing has failed there lately.
func (h *hosts) of(key hostKey, bound int, now time.Time) *host {
	at := h.known[key]
	if at == nil {
		if h.known == nil {
			h.known = make(map[hostKey]*host)
		}
		at = &host{bound: bound, usedAt: now}
		h.known[key] = at
	}
	at.bind(bound, now)
	return at
}

// bind changes the bound. A higher one gives room at once; with a lower one, no more than all of it counts as used.
func (at *host) bind(bound int, now time.Time) {
	if at.bound == bound {
		return
	}
	at.drain(now)
	if bound < at.bound {
		at.used = min(at.used, float64(bound))
	}
	at.bound = bound
}

// drain brings the count up to date.
func (at *host) drain(now time.Time) {
	if passed := now.Sub(at.usedAt); passed > 0 {
		at.used = max(at.used-passed.Hours()*float64(at.bound), 0)
		at.usedAt = now
	}
}

// left returns how many requests are left.
func (at *host) left(now time.Time) float64 {
	at.drain(now)
	return float64(at.bound) - at.used
}

// boundOf returns how many unacknowledged requests an hour an endpoint's host may get; 0: any number.
func boundOf(t *bellwire.Target) int {
	if t.URL == nil || t.Limits == nil {
		return 0
	}
	return t.Limits.TargetRequests
}

// attach gives a lane the host of its URL, if something has failed there lately.
func (h *hosts) attach(l *lane, now time.Time) {
	l.hosts = [2]*host{}
	bound := boundOf(l.target)
	if bound == 0 {
		return
	}
	if at := h.known[hostKey{l.target.Endpoint.Tenant, byName, HostName(l.target)}]; at != nil {
		at.bind(bound, now)
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
		if at.left(now) >= float64(at.bound) {
			delete(h.known, key)
		}
	}
}

// count takes one request, and reports whether that was the last one. It reports that once, until a tenth is left again.
func (at *host) count(now time.Time) (last bool) {
	if at == nil {
		return false
	}
	at.drain(now)
	at.used++
	switch left := at.left(now); {
	case left >= float64(at.bound)/10:
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
	missing := 1 - at.left(now)
	if missing <= 0 {
		return time.Time{}
	}
	return now.Add(max(time.Duration(missing/float64(at.bound)*float64(time.Hour)), time.Microsecond))
}

// hostUsedUp reports whether nothing is left of the tenant's requests to the endpoint's host.
func (l *lane) hostUsedUp(now time.Time) bool {
	return !l.hosts[0].usedUpUntil(now).IsZero() || !l.hosts[1].usedUpUntil(now).IsZero()
}

// hostUsedUpUntil returns until when nothing may be sent because the tenant's requests to the endpoint's host are used up.
// That does not affect an endpoint whose URL acknowledged the last request.
func (l *lane) hostUsedUpUntil(now time.Time) time.Time {
	if l.acknowledged {
		return time.Time{}
	}
	return bellwire.Later(l.hosts[0].usedUpUntil(now), l.hosts[1].usedUpUntil(now))
}

// HostName returns the name that requests to a target are counted by.
func HostName(t *bellwire.Target) string {
	return strings.TrimSuffix(strings.ToLower(t.URL.Hostname()), ".")
}
