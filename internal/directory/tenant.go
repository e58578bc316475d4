package directory

import (
	"cmp"
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
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/match"
)

// Bounds on the results of Match that a Tenant remembers. They grow with its number of endpoints, as the cost of a Match does.
const (
	leastMatchedNames = 64
	maxMatchedNames   = 1024
	matchedTargets    = 32 // per endpoint of the tenant, counting leastMatchedNames more
)

// Tenant is a tenant with its endpoints at one revision of its configuration.
type Tenant struct {
	ID       string
	Revision int64

	members []*member // without deleted ones
	byID    map[string]*member
	bytes   int
	limits  *bellwire.Limits

	filterBytes int

	directory *Directory
	programs  map[*filter.Program]bool // of the endpoints' filters; nil if there is none

	mu      sync.RWMutex
	matched map[string]subscribers
	total   int // number of targets in matched
}

// member is an endpoint of a tenant.
type member struct {
	target   *bellwire.Target
	patterns *match.Patterns // nil if the endpoint is disabled or deleted
	bytes    int             // of memory, estimated, without the filter
	filter   *compiledFilter // nil if it has none
}

// Len returns the number of the tenant's endpoints, including disabled ones.
func (t *Tenant) Len() int { return len(t.members) }

// Targets returns all of the tenant's endpoints, including disabled ones.
func (t *Tenant) Targets() []*bellwire.Target {
	targets := make([]*bellwire.Target, len(t.members))
	for i, m := range t.members {
		targets[i] = m.target
	}
	return targets
}

// subscribers are the endpoints that subscribe to an event type.
type subscribers struct {
	targets []*bellwire.Target
	filters []*compiledFilter // of the targets; nil if none has one
}

// Match returns the enabled and paused endpoints that subscribe to the event type, whatever their filters. The list is shared and
// must not be changed.
func (t *Tenant) Match(eventType string) []*bellwire.Target { return t.subscribers(eventType).targets }

func (t *Tenant) subscribers(eventType string) subscribers {
	t.mu.RLock()
	found, known := t.matched[eventType]
	t.mu.RUnlock()
	if known {
		return found
	}
	filtered := false
	for _, m := range t.members {
		if m.patterns != nil && m.patterns.Match(eventType) {
			found.targets = append(found.targets, m.target)
			found.filters = append(found.filters, m.filter)
			filtered = filtered || m.filter != nil
		}
	}
	found.targets = slices.Clip(found.targets)
	if !filtered {
		found.filters = nil
	}
	t.remember(eventType, found)
	return found
}

func (t *Tenant) remember(eventType string, found subscribers) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.matched[eventType]; known {
		return
	}
	n := len(t.members) + leastMatchedNames
	if len(t.matched) >= min(n, maxMatchedNames) || t.total+len(found.targets) > matchedTargets*n {
		clear(t.matched)
		t.total = 0
	}
	// The name may be a part of a large request body, which must not be kept alive.
	t.matched[strings.Clone(eventType)] = found
	t.total += len(found.targets)
}

// Estimates of memory.
const (
	tenantBytes = 1 << 10
	// EndpointBytes is for an endpoint with nothing in it, its target, and its share of Tenant.matched.
	EndpointBytes = 1500
	textBytes     = 16 // the header of a text
)

// newTenant applies changes to the last Tenant, and returns the new one and those of its endpoints that are new or changed. last is
// nil if the changes are complete.
func (d *Directory) newTenant(ctx context.Context, changes *bellwire.EndpointChanges, last *Tenant) (t *Tenant, changed []*member, err error) {
	t = &Tenant{
		ID: changes.Tenant.ID, Revision: changes.Tenant.Revision,
		byID: make(map[string]*member, changes.Total), bytes: tenantBytes, matched: make(map[string]subscribers), directory: d,
	}
	t.limits = d.LimitsOf(changes.Tenant)
	known := map[string]*member{}
	if last != nil && changes.Since > 0 {
		known = last.byID
		if sameLimits(t.limits, last.limits) {
			t.limits = last.limits
		}
	}
	now := make(map[string]*member, len(changes.Changed)) // nil for deleted ones
	for _, ep := range changes.Changed {
		if now[ep.ID] = nil; ep.Deleted {
			continue
		}
		m, err := d.newMember(ctx, ep, t.limits)
		if err != nil {
			return nil, nil, err
		}
		m.filter = d.compileFilter(ctx, ep)
		now[ep.ID] = m
		changed = append(changed, m)
		if known[ep.ID] == nil {
			t.add(m)
		}
	}
	if len(known) == 0 {
		return t, changed, nil
	}
	for _, m := range last.members { // endpoints keep their order
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
	if m.filter == nil || m.filter.program == nil || t.programs[m.filter.program] {
		return
	}
	if t.programs == nil {
		t.programs = make(map[*filter.Program]bool)
	}
	t.programs[m.filter.program] = true // endpoints with the same filter share it
	t.bytes += m.filter.program.Size()
	t.filterBytes += m.filter.program.Size()
}

// FilterBytes returns how much memory the compiled filters of the endpoints take, estimated, with one more unless it is nil.
func (t *Tenant) FilterBytes(more *filter.Program) int {
	if more == nil {
		return t.filterBytes
	}
	for p := range t.programs {
		if p.String() == more.String() {
			return t.filterBytes
		}
	}
	return t.filterBytes + more.Size()
}

// within returns the endpoint with the current limits of its tenant.
func (m *member) within(held *bellwire.Limits) *member {
	if m.target.Limits == held {
		return m
	}
	changed, target := *m, *m.target
	target.Limits, target.Settings = held, held.Settings.Of(target.Endpoint.Dialect)
	changed.target = &target
	return &changed
}

// newMember prepares an endpoint for matching and sending.
func (d *Directory) newMember(ctx context.Context, ep *bellwire.Endpoint, held *bellwire.Limits) (*member, error) {
	m := &member{target: d.newTarget(ctx, ep, held), bytes: EndpointBytes + 2*(len(ep.ID)+len(ep.URL)) + 2*len(ep.Sealed) + len(ep.Filter)}
	for _, pattern := range ep.Events {
		m.bytes += 2*textBytes + len(pattern)
	}
	for name := range ep.Versions {
		m.bytes += 2*textBytes + len(name)
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

// newTarget prepares an endpoint for sending. An endpoint that cannot be served gets a Renderer that returns the reason: its
// deliveries fail with it, or wait if the cause is this node, and the tenant's other endpoints are not affected.
func (d *Directory) newTarget(ctx context.Context, stored *bellwire.Endpoint, held *bellwire.Limits) *bellwire.Target {
	ep := *stored
	ep.Sealed = nil                       // opened below, and not needed afterwards
	ep.Description, ep.Metadata = "", nil // not needed for sending
	target := &bellwire.Target{Endpoint: &ep, URL: requestURL(ep.URL), Timeout: bellwire.DefaultTimeout, Limits: held, Settings: held.Settings.Of(ep.Dialect),
		Versions: d}
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

// requestURL returns a stored URL as it is requested, or nil if it cannot be parsed. It normalizes the host, because older versions
// stored it unchanged: the dialled name, the TLS server name and the Host header must be the same.
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

// unusable returns the error for an endpoint that cannot be served. Its code is CodeInvalid if the endpoint is the cause, and
// CodeUnavailable if this node is, such as a keyset that does not open the endpoint's secrets, or a dialect that is not enabled.
// Tenants see the message, so it does not contain causes inside the server.
func unusable(err error) *bellwire.Error {
	var known *bellwire.Error
	if errors.As(err, &known) && known.Code == bellwire.CodeInvalid {
		return &bellwire.Error{Code: bellwire.CodeInvalid, Message: known.Summary(), Err: err}
	}
	return &bellwire.Error{Code: bellwire.CodeUnavailable, Message: "the endpoint cannot be served on this server right now", Err: err}
}

// bind sets the renderer, the headers and the timeout of a target.
func (d *Directory) bind(target *bellwire.Target, stored *bellwire.Endpoint) error {
	dialect := d.dialects[stored.Dialect]
	if dialect == nil {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the dialect %q is not enabled on this server", stored.Dialect)
	}
	target.Timeout = cmp.Or(stored.Timeout, dialect.Defaults().Timeout, bellwire.DefaultTimeout)
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

// authHeaders returns the headers that authenticate Bellwire to an endpoint (RFC 7617 for basic, RFC 6750 for bearer).
func authHeaders(a bellwire.Auth) []bellwire.Header {
	value := a.Key
	switch a.Type {
	case bellwire.AuthAPIKey:
	case bellwire.AuthBasic:
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+a.Password))
	case bellwire.AuthBearer:
		value = "Bearer " + a.Token
	default:
		return nil
	}
	return []bellwire.Header{{Name: a.HeaderName(), Value: value}}
}

// refusal is the Renderer of an endpoint that cannot be served.
type refusal struct{ err *bellwire.Error }

func (r refusal) AppendBody(dst []byte, _ *bellwire.Message) ([]byte, error) { return dst, r.err }

func (refusal) SameBody() bool { return false }

func (refusal) SetHeaders(http.Header, *bellwire.Message, []byte) {}

func (refusal) Classify(int) bellwire.Verdict { return bellwire.Impossible }

func (refusal) HonorsRetryAfter() bool { return false }
