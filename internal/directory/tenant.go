package directory

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/match"
)

// Bounds on what a Tenant remembers: lists of targets, and targets in all of them.
const (
	maxMatchedNames   = 1024
	maxMatchedTargets = 1 << 17
)

// Tenant is a tenant with its endpoints at one revision.
type Tenant struct {
	ID       string
	Revision int64

	limits  *bellwire.Limits
	targets []*bellwire.Target // those that are not deleted
	set     *match.Set         // over targets
	match   func(eventType string) []*bellwire.Target

	mu      sync.RWMutex
	matched map[string][]*bellwire.Target
	total   int // targets in all lists of matched
}

// Targets returns all of the tenant's endpoints, disabled ones too. The list is shared: it must not be changed.
func (t *Tenant) Targets() []*bellwire.Target { return t.targets }

// Match returns the enabled and paused endpoints that subscribe to the event type. The list is shared: it
// must not be changed.
func (t *Tenant) Match(eventType string) []*bellwire.Target {
	t.mu.RLock()
	targets, known := t.matched[eventType]
	t.mu.RUnlock()
	if known {
		return targets
	}
	for _, i := range t.set.Match(eventType) {
		targets = append(targets, t.targets[i])
	}
	t.remember(eventType, targets)
	return targets
}

func (t *Tenant) remember(eventType string, targets []*bellwire.Target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.matched[eventType]; known {
		return
	}
	if len(t.matched) >= maxMatchedNames || t.total+len(targets) > maxMatchedTargets {
		clear(t.matched)
		t.total = 0
	}
	// The name may be a part of a large request body, which must not be kept alive.
	t.matched[strings.Clone(eventType)] = targets
	t.total += len(targets)
}

func (d *Directory) newTenant(ctx context.Context, row *bellwire.Tenant, endpoints []*bellwire.Endpoint) (*Tenant, error) {
	t := &Tenant{
		ID:       row.ID,
		Revision: row.Revision,
		limits:   d.LimitsOf(row),
		targets:  make([]*bellwire.Target, len(endpoints)),
		matched:  map[string][]*bellwire.Target{},
	}
	patterns := make([][]string, len(endpoints))
	for i, ep := range endpoints {
		t.targets[i] = d.newTarget(ctx, ep, t.limits)
		if ep.Status != bellwire.EndpointDisabled {
			patterns[i] = ep.Events
		}
	}
	set, err := match.Compile(patterns)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "An endpoint of tenant %q has a pattern that cannot be read.", row.ID)
	}
	t.set = set
	t.match = t.Match // made once, because the engine asks for it at each publish
	return t, nil
}

// newTarget makes an endpoint ready for sending. One that cannot be served gets a Renderer that says why, so that its
// deliveries end explained, or wait if that is this node's fault, and its tenant's other endpoints go on.
func (d *Directory) newTarget(ctx context.Context, stored *bellwire.Endpoint, held *bellwire.Limits) *bellwire.Target {
	ep := *stored
	ep.Sealed = nil // opened below, and of no use to anyone after
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
	return &bellwire.Error{Code: bellwire.CodeUnavailable, Message: "The endpoint cannot be served on this server now.", Err: err}
}

func (d *Directory) bind(target *bellwire.Target, stored *bellwire.Endpoint) error {
	dialect := d.dialects[stored.Dialect]
	if dialect == nil {
		return bellwire.Errorf(bellwire.CodeUnavailable, "The dialect %q is not enabled on this server.", stored.Dialect)
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
