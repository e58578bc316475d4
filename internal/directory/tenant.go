package directory

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/match"
)

// Bounds on what a Tenant remembers: names, and targets in the lists of all of them. They grow with the tenant, as what they
// spare does.
const (
	leastMatchedNames = 64
	maxMatchedNames   = 1024
	matchedTargets    = 32 // for each of the tenant's, and for leastMatchedNames more
)

// Tenant is a tenant with its endpoints at one revision.
type Tenant struct {
	ID       string
	Revision int64

	members []*member // those that are not deleted
	byID    map[string]*member
	bytes   int
	limits  *bellwire.Limits

	mu      sync.RWMutex
	matched map[string][]*bellwire.Target
	total   int // targets in all lists of matched
}

// member is an endpoint of a tenant.
type member struct {
	target   *bellwire.Target
	patterns *match.Patterns // nil: it is disabled or deleted
	bytes    int             // of memory, about
}

// Len returns how many endpoints the tenant has, disabled ones too.
func (t *Tenant) Len() int { return len(t.members) }

// Targets returns all of the tenant's endpoints, disabled ones too.
func (t *Tenant) Targets() []*bellwire.Target {
	targets := make([]*bellwire.Target, len(t.members))
	for i, m := range t.members {
		targets[i] = m.target
	}
	return targets
}

// Match returns the enabled and paused endpoints that subscribe to the event type. The list is shared: it
// must not be changed.
func (t *Tenant) Match(eventType string) []*bellwire.Target {
	t.mu.RLock()
	targets, known := t.matched[eventType]
	t.mu.RUnlock()
	if known {
		return targets
	}
	for _, m := range t.members {
		if m.patterns != nil && m.patterns.Match(eventType) {
			targets = append(targets, m.target)
		}
	}
	targets = slices.Clip(targets)
	t.remember(eventType, targets)
	return targets
}

func (t *Tenant) remember(eventType string, targets []*bellwire.Target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.matched[eventType]; known {
		return
	}
	n := len(t.members) + leastMatchedNames
	if len(t.matched) >= min(n, maxMatchedNames) || t.total+len(targets) > matchedTargets*n {
		clear(t.matched)
		t.total = 0
	}
	// The name may be a part of a large request body, which must not be kept alive.
	t.matched[strings.Clone(eventType)] = targets
	t.total += len(targets)
}

// What is estimated of memory.
const (
	tenantBytes = 1 << 10
	memberBytes = 1500 // an endpoint, its target, and its part of what its tenant remembers
	textBytes   = 16   // a text, beside what is in it
)

// newTenant returns the tenant as the changes say, and those of its endpoints that are new or have changed. All others are
// as they were in the last one, which is nil if the changes are all.
func (d *Directory) newTenant(ctx context.Context, changes *bellwire.EndpointChanges, last *Tenant) (t *Tenant, changed []*member, err error) {
	t = &Tenant{
		ID: changes.Tenant.ID, Revision: changes.Tenant.Revision,
		byID: make(map[string]*member, changes.Total), bytes: tenantBytes, matched: make(map[string][]*bellwire.Target),
	}
	t.limits = d.LimitsOf(changes.Tenant)
	known := map[string]*member{}
	if last != nil && changes.Since > 0 {
		known = last.byID
		if *t.limits == *last.limits {
			t.limits = last.limits
		}
	}
	now := make(map[string]*member, len(changes.Changed)) // nil: it was deleted
	for _, ep := range changes.Changed {
		if now[ep.ID] = nil; ep.Deleted {
			continue
		}
		m, err := d.newMember(ctx, ep, t.limits)
		if err != nil {
			return nil, nil, err
		}
		now[ep.ID] = m
		changed = append(changed, m)
		if known[ep.ID] == nil {
			t.add(m)
		}
	}
	if len(known) == 0 {
		return t, changed, nil
	}
	for _, m := range last.members { // each keeps its place
		if change, found := now[m.target.Endpoint.ID]; found {
			m = change
		}
		if m != nil {
			t.add(m.within(t.limits))
		}
	}
	return t, changed, nil
}

func (t *Tenant) add(m *member) {
	t.members = append(t.members, m)
	t.byID[m.target.Endpoint.ID] = m
	t.bytes += m.bytes
}

// within returns the endpoint with its tenant's limits, which may have changed since.
func (m *member) within(held *bellwire.Limits) *member {
	if m.target.Limits == held {
		return m
	}
	changed, target := *m, *m.target
	target.Limits = held
	changed.target = &target
	return &changed
}

// newMember makes an endpoint ready for matching and sending.
func (d *Directory) newMember(ctx context.Context, ep *bellwire.Endpoint, held *bellwire.Limits) (*member, error) {
	m := &member{target: d.newTarget(ctx, ep, held), bytes: memberBytes + 2*(len(ep.ID)+len(ep.URL)) + 2*len(ep.Sealed)}
	for _, pattern := range ep.Events {
		m.bytes += 2*textBytes + len(pattern)
	}
	for name, value := range ep.Extra {
		m.bytes += 2*textBytes + len(name) + len(value)
	}
	for _, header := range m.target.Headers {
		m.bytes += 2*textBytes + len(header.Name) + len(header.Value)
	}
	if ep.Status == bellwire.EndpointDisabled || ep.Deleted {
		return m, nil
	}
	patterns, err := match.Compile(ep.Events)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "endpoint %q has a pattern that cannot be read", ep.ID)
	}
	m.patterns = patterns
	return m, nil
}

// newTarget makes an endpoint ready for sending. One that cannot be served gets a Renderer that says why, so that its
// deliveries end explained, or wait if that is this node's fault, and its tenant's other endpoints go on.
func (d *Directory) newTarget(ctx context.Context, stored *bellwire.Endpoint, held *bellwire.Limits) *bellwire.Target {
	ep := *stored
	ep.Sealed = nil                       // opened below, and of no use to anyone after
	ep.Description, ep.Metadata = "", nil // which only people read
	target := &bellwire.Target{Endpoint: &ep, URL: requestURL(ep.URL), Timeout: bellwire.DefaultTimeout, Limits: held}
	if ep.Deleted {
		target.Renderer = refusal{bellwire.Errorf(bellwire.CodeNotFound, bellwire.ReasonEndpointDeleted)}
		return target
	}
	if err := d.bind(target, stored); err != nil {
		d.logger.LogAttrs(ctx, slog.LevelError, "endpoint cannot be served",
			slog.String("endpoint", ep.ID), slog.String("tenant", ep.Tenant), slog.Any("error", err))
		target.Renderer = refusal{unusable(err)}
	}
	return target
}

// requestURL returns a stored URL as it is requested, nil if that is impossible. One that was stored before hosts were
// normalized counts as if it were: what is dialled, the server name of TLS and the Host header are one.
func requestURL(stored string) *url.URL {
	if normalized, err := destination.NormalizeURL(stored); err == nil {
		stored = normalized
	}
	u, err := url.Parse(stored)
	if err != nil {
		return nil
	}
	u.Host = strings.TrimSuffix(u.Host, ":")
	return u
}

// unusable returns what is said of an endpoint that cannot be served. Its code is CodeInvalid if that is the endpoint's
// fault, and CodeUnavailable if it is this node's, such as a keyset that does not open the endpoint's secrets, or a dialect
// that is not enabled. Tenants read what the endpoint lacks, and nothing of causes inside this server.
func unusable(err error) *bellwire.Error {
	var known *bellwire.Error
	if errors.As(err, &known) && known.Code == bellwire.CodeInvalid {
		return &bellwire.Error{Code: bellwire.CodeInvalid, Message: known.Message, Err: err}
	}
	return &bellwire.Error{Code: bellwire.CodeUnavailable, Message: "the endpoint cannot be served on this server right now", Err: err}
}

func (d *Directory) bind(target *bellwire.Target, stored *bellwire.Endpoint) error {
	dialect := d.dialects[stored.Dialect]
	if dialect == nil {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the dialect %q is not enabled on this server", stored.Dialect)
	}
	if timeout := dialect.Defaults().Timeout; timeout > 0 {
		target.Timeout = timeout
	}
	credentials, err := d.keyring.OpenCredentials(stored.ID, stored.Sealed)
	if err != nil {
		return err
	}
	renderer, err := dialect.Bind(target.Endpoint, credentials)
	if err != nil {
		return err
	}
	target.Renderer = renderer
	target.Headers = append(authHeaders(credentials.Auth), credentials.Headers...)
	target.Headers = append(target.Headers, dialect.Headers(credentials)...)
	return nil
}

// authHeaders are the headers by which Bellwire proves itself to an endpoint: RFC 7617 for basic, RFC 6750
// for bearer.
func authHeaders(a bellwire.Auth) []bellwire.Header {
	switch a.Type {
	case bellwire.AuthAPIKey:
		return []bellwire.Header{{Name: a.Header, Value: a.Key}}
	case bellwire.AuthBasic:
		pair := base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + a.Password))
		return []bellwire.Header{{Name: "Authorization", Value: "Basic " + pair}}
	case bellwire.AuthBearer:
		return []bellwire.Header{{Name: "Authorization", Value: "Bearer " + a.Token}}
	}
	return nil
}

// refusal is the Renderer of an endpoint that nothing can be sent to.
type refusal struct{ err *bellwire.Error }

func (r refusal) AppendBody(dst []byte, _ *bellwire.Message) ([]byte, error) { return dst, r.err }

func (refusal) SameBody() bool { return false }

func (refusal) SetHeaders(http.Header, *bellwire.Message, []byte) {}

func (refusal) Classify(int) bellwire.Verdict { return bellwire.Impossible }

func (refusal) RetryAfter() bool { return false }
