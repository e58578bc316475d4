package bellwire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// PermissionLasts is how long a permission counts. Then the endpoint is asked again, so that it can withdraw it or change the rate.
const PermissionLasts = 24 * time.Hour

// maxAllowedRate bounds the rate of a permission, in requests a minute: a million a second, like rate_limit.
const maxAllowedRate = 60_000_000

// Permitted is a Renderer to an endpoint that must allow deliveries before the first one.
type Permitted interface {
	Renderer
	// Permission returns the endpoint's permission, nil if none is needed.
	Permission() *Permission
}

// Permission is an endpoint's consent to deliveries from an origin, which it gives in its answer to an OPTIONS request
// (CloudEvents, "HTTP 1.1 Web Hooks for Event Delivery", 4). It is safe for concurrent use.
type Permission struct {
	origin string
	grant  atomic.Pointer[Grant]
	asking atomic.Bool // one attempt renews the grant, and others go on with it
}

// Grant is what an endpoint has allowed.
type Grant struct {
	At   time.Time // of the answer
	Rate int       // requests a minute; 0: any number
}

// NewPermission returns a permission that has not been granted yet. The origin is the DNS name of the sender.
func NewPermission(origin string) *Permission { return &Permission{origin: origin} }

// Origin returns the DNS name of the sender.
func (p *Permission) Origin() string { return p.origin }

// Grant returns what the endpoint has allowed, nil if it has not allowed deliveries.
func (p *Permission) Grant() *Grant { return p.grant.Load() }

// MustAsk reports whether the caller must ask the endpoint now, and call Asked afterwards.
func (p *Permission) MustAsk(now time.Time) bool {
	g := p.grant.Load()
	return g == nil || now.Sub(g.At) >= PermissionLasts && p.asking.CompareAndSwap(false, true)
}

// Asked ends what MustAsk has begun.
func (p *Permission) Asked() { p.asking.Store(false) }

// Answer takes the endpoint's answer, whatever its status is. It returns why the endpoint does not allow deliveries, empty if it does.
func (p *Permission) Answer(answer http.Header, now time.Time) (refusal string) {
	g := &Grant{At: now}
	switch rate, ok := allowedRate(answer.Values("WebHook-Allowed-Rate")); {
	case !p.allows(answer.Values("WebHook-Allowed-Origin")):
		refusal = fmt.Sprintf("has no header WebHook-Allowed-Origin with %s or *", p.origin)
	case !ok:
		refusal = "has a header WebHook-Allowed-Rate that is neither * nor a number of requests a minute"
	default:
		g.Rate = rate
		p.grant.Store(g)
		return ""
	}
	p.grant.Store(nil)
	return refusal
}

func (p *Permission) allows(origins []string) bool {
	for _, origin := range origins {
		if origin == "*" || strings.EqualFold(origin, p.origin) {
			return true
		}
	}
	return false
}

// allowedRate returns the lowest of some rates, 0 if there is none that limits anything.
func allowedRate(values []string) (lowest int, ok bool) {
	for _, value := range values {
		if value == "*" {
			continue
		}
		rate, err := strconv.ParseUint(value, 10, 64)
		if err != nil || rate == 0 {
			return 0, false
		}
		if bounded := int(min(rate, maxAllowedRate)); lowest == 0 || bounded < lowest {
			lowest = bounded
		}
	}
	return lowest, true
}

// PermissionOf returns the permission of an endpoint, nil if none is needed.
func PermissionOf(t *Target) *Permission {
	if renderer, asks := t.Renderer.(Permitted); asks {
		return renderer.Permission()
	}
	return nil
}
