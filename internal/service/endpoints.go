package service

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/match"
)

// cancelChunk is the number of open deliveries that are canceled before the response when an endpoint is disabled or deleted. The
// engine cancels the others.
const cancelChunk = 1000

// Endpoint is an endpoint without its secrets: Sealed is nil, the secret fields of Auth are empty, and the values of Headers are
// redacted.
type Endpoint struct {
	bellwire.Endpoint
	Auth    bellwire.Auth
	Headers []bellwire.Header
	Health  *bellwire.EndpointHealth // nil in answers to changes
	Replay  *bellwire.Job            // started by the change; nil: none
}

// TestReceipt identifies the event and the delivery of a test.
type TestReceipt struct {
	Event    bellwire.EventID
	Delivery bellwire.DeliveryID
	Type     string
}

// CreateEndpoint creates an endpoint and returns it with its secret.
func (s *Service) CreateEndpoint(ctx context.Context, c Caller, tenant string, in EndpointInput) (*Endpoint, *EndpointSecret, error) {
	ep, credentials, err := s.createEndpoint(ctx, c, tenant, &in)
	if err != nil {
		return nil, nil, err
	}
	return showTo(c, ep, credentials), s.revealedTo(c, ep, credentials, ep.UpdatedAt), nil
}

func (s *Service) createEndpoint(ctx context.Context, c Caller, tenant string, in *EndpointInput) (*bellwire.Endpoint, *bellwire.Credentials, error) {
	if err := s.requireChange(ctx, c, tenant); err != nil {
		return nil, nil, err
	}
	unlock, err := s.locks.lock(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	ep, credentials, err := s.newEndpoint(ctx, c, tenant, in)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkRoom(ctx, ep, nil); err != nil {
		return nil, nil, err
	}
	note, err := c.created(ctx, ep, credentials)
	if err != nil {
		return nil, nil, err
	}
	if err := s.store.CreateEndpoint(s.audit(ctx, c, tenant, "endpoint.create", ep.ID, nil, nil), ep, note); err != nil {
		return nil, nil, err
	}
	s.announce(ctx, c, "endpoint.create", ep)
	return ep, credentials, nil
}

func (s *Service) newEndpoint(ctx context.Context, c Caller, tenant string, in *EndpointInput) (*bellwire.Endpoint, *bellwire.Credentials, error) {
	name := s.defaultDialect
	if in.Dialect != nil {
		name = *in.Dialect
	}
	dialect, err := s.dialect(name)
	if err != nil {
		return nil, nil, err
	}
	defaults, err := s.defaults(ctx, tenant, dialect, in)
	if err != nil {
		return nil, nil, err
	}
	at := now()
	ep := &bellwire.Endpoint{
		ID:               dialect.NewEndpointID(at),
		Tenant:           tenant,
		Dialect:          name,
		Retry:            defaults.Retry,
		MaxInFlight:      bellwire.DefaultMaxInFlight,
		Timeout:          defaults.Timeout,
		AutoDisableAfter: bellwire.DefaultAutoDisableAfter,
		OnError:          bellwire.OnErrorDeliver,
		Ordering:         bellwire.OrderingNone,
		Signing:          bellwire.SigningHMAC,
		Status:           bellwire.EndpointEnabled,
		CreatedAt:        at,
		UpdatedAt:        at,
	}
	auth, err := s.defaultAuth(ctx, tenant, name, in)
	if err != nil {
		return nil, nil, err
	}
	orDefault(&in.Auth, auth)
	credentials := new(bellwire.Credentials)
	if err := s.moved(c, dialect, ep, credentials, in); err != nil {
		return nil, nil, err
	}
	if err := s.apply(ctx, ep, credentials, in); err != nil {
		return nil, nil, err
	}
	if from := in.Origins; from != nil {
		ep.StatusReason = from.StatusReason
		if !from.UpdatedAt.IsZero() {
			ep.UpdatedAt = bellwire.StoredTime(from.UpdatedAt)
		}
	}
	return ep, credentials, nil
}

// Endpoint returns an endpoint.
func (s *Service) Endpoint(ctx context.Context, c Caller, tenant, id string) (*Endpoint, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownWithHealth(ctx, c, maxWaiting, []*bellwire.Endpoint{ep})
	if err != nil {
		return nil, err
	}
	return shown[0], nil
}

// EndpointQuery selects endpoints. Zero members select all.
type EndpointQuery struct {
	bellwire.EndpointFilter
	EventType string // that their patterns match
	Sort      string // empty: newest first; or SortWaiting
}

// Endpoints lists endpoints of f.Tenant. A page ends early, with a cursor, after many endpoints that f does not select.
func (s *Service) Endpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	ctx, end, err := s.beginRead(ctx, c, Read, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.readEndpoints(ctx, c, f, page)
}

// AllEndpoints lists endpoints of all tenants, or of f.Tenant unless that is empty.
func (s *Service) AllEndpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	if f.Tenant != "" {
		return s.Endpoints(ctx, c, f, page)
	}
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.readEndpoints(ctx, c, f, page)
}

// readEndpoints reads a page of endpoints with their health.
func (s *Service) readEndpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	if err := bellwire.Join(checkPage(&page), s.checkEndpointFilter(&f.EndpointFilter)); err != nil {
		return nil, err
	}
	switch f.Sort {
	case "":
	case SortWaiting:
		return s.readMostWaiting(ctx, c, &f, page)
	default:
		return nil, bellwire.Invalid("sort", "must be %q", SortWaiting)
	}
	f.Now = now()
	endpoints, err := s.findEndpoints(ctx, &f, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	shown, err := s.shownWithHealth(ctx, c, maxWaitingListed, endpoints.Items)
	if err != nil {
		return nil, err
	}
	return &bellwire.List[*Endpoint]{Items: shown, Next: endpoints.Next}, nil
}

// findEndpoints reads a page of the endpoints that f selects. The store does not know patterns, so that it reads on while less than
// half of a page was found.
func (s *Service) findEndpoints(ctx context.Context, f *EndpointQuery, page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
	if f.EventType == "" {
		return s.store.Endpoints(ctx, f.EndpointFilter, page)
	}
	found := new(bellwire.List[*bellwire.Endpoint])
	for searched, most := 0, page.Limit; searched < maxSearched && len(found.Items) <= most/2; {
		page.Limit = most - len(found.Items)
		list, err := s.store.Endpoints(ctx, f.EndpointFilter, page)
		if err != nil {
			return nil, err
		}
		searched += len(list.Items)
		for _, ep := range list.Items {
			if matches(ep.Events, f.EventType) {
				found.Items = append(found.Items, ep)
			}
		}
		if found.Next = list.Next; found.Next == "" {
			return found, nil
		}
		page.After = list.Next
	}
	return found, nil
}

// UpdateEndpoint changes an endpoint. Disabling it cancels its open deliveries.
func (s *Service) UpdateEndpoint(ctx context.Context, c Caller, tenant, id string, in EndpointInput) (*Endpoint, error) {
	updated, err := s.updateEndpoint(ctx, c, tenant, id, anyDialect, func(*bellwire.Endpoint, *bellwire.Credentials) (*EndpointInput, error) {
		return &in, nil
	})
	if err != nil {
		return nil, err
	}
	shown := showTo(c, updated.endpoint, updated.credentials)
	shown.Replay = updated.replay
	return shown, nil
}

// anyDialect stands for endpoints of all dialects.
const anyDialect = ""

// updatedEndpoint is an endpoint after a change.
type updatedEndpoint struct {
	endpoint    *bellwire.Endpoint
	credentials *bellwire.Credentials
	replay      *bellwire.Job // nil: none
}

// updateEndpoint changes an endpoint of a dialect by the input that decide returns. decide is called again if the change is stale.
func (s *Service) updateEndpoint(ctx context.Context, c Caller, tenant, id, dialect string,
	decide func(*bellwire.Endpoint, *bellwire.Credentials) (*EndpointInput, error),
) (*updatedEndpoint, error) {
	if err := s.requireChange(ctx, c, tenant); err != nil {
		return nil, err
	}
	var disabling bool
	updated, err := retryStale(ctx, s, tenant, "endpoint", func() (*updatedEndpoint, error) {
		ep, credentials, err := s.openEndpoint(ctx, tenant, id, dialect)
		if err != nil {
			return nil, err
		}
		if err := checkMatch(ctx, "endpoint", EndpointVersion(ep)); err != nil {
			return nil, err
		}
		in, err := decide(ep, credentials)
		if err != nil {
			return nil, err
		}
		if in.Replay != "" {
			if err := authorizeIn(c, Redeliver, tenant); err != nil {
				return nil, err
			}
		}
		disabling = in.Status != nil && *in.Status == bellwire.EndpointDisabled
		before, had := *ep, membersOf(ep, credentials)
		ep.UpdatedAt = now()
		if err := s.apply(ctx, ep, credentials, in); err != nil {
			return nil, err
		}
		if err := s.checkRoom(ctx, ep, &before); err != nil {
			return nil, err
		}
		note, err := c.updated(ctx, had, ep, credentials)
		if err != nil {
			return nil, err
		}
		ctx := s.audit(ctx, c, tenant, "endpoint.update", ep.ID, nil, nil)
		updated := &updatedEndpoint{endpoint: ep, credentials: credentials}
		if in.Replay == "" {
			return updated, s.store.UpdateEndpoint(ctx, ep, note)
		}
		updated.replay, err = s.updateAndReplay(ctx, c, &before, ep, note)
		return updated, err
	})
	if err != nil {
		return nil, err
	}
	if disabling {
		s.cancelOpen(ctx, updated.endpoint, bellwire.ReasonDisabledFor(updated.endpoint.StatusReason), bellwire.CanceledDisabled)
	}
	s.announce(ctx, c, "endpoint.update", updated.endpoint)
	if updated.replay != nil {
		s.engine.WakeJobs()
	}
	return updated, nil
}

// DeleteEndpoint deletes an endpoint, and cancels its open deliveries.
func (s *Service) DeleteEndpoint(ctx context.Context, c Caller, tenant, id string) error {
	if err := s.requireChange(ctx, c, tenant); err != nil {
		return err
	}
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return err
	}
	return s.deleteEndpoint(ctx, c, ep)
}

func (s *Service) deleteEndpoint(ctx context.Context, c Caller, ep *bellwire.Endpoint) error {
	note, err := s.deleted(ctx, c, ep)
	if err != nil {
		return err
	}
	if err := s.store.DeleteEndpoint(s.audit(ctx, c, ep.Tenant, "endpoint.delete", ep.ID, nil, nil), ep.Tenant, ep.ID, now(), note); err != nil {
		return err
	}
	s.cancelOpen(ctx, ep, bellwire.ReasonEndpointDeleted, bellwire.CanceledDeleted)
	s.announce(ctx, c, "endpoint.delete", ep)
	return nil
}

// EndpointSecret returns the secrets that deliveries are signed with.
func (s *Service) EndpointSecret(ctx context.Context, c Caller, tenant, id string) (*EndpointSecret, error) {
	ctx, end, err := s.beginRead(ctx, c, ReadSecrets, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, credentials, err := s.openEndpoint(ctx, tenant, id, anyDialect)
	if err != nil {
		return nil, err
	}
	if err := s.auditAction(ctx, c, tenant, bellwire.AuditReadSecret, id); err != nil {
		return nil, err
	}
	return s.revealed(ep, credentials, now()), nil
}

// RotateSecret creates a new secret. The previous one continues to sign until the overlap ends, which is the dialect's default if nil.
func (s *Service) RotateSecret(ctx context.Context, c Caller, tenant, id string, overlap *time.Duration) (*EndpointSecret, error) {
	if err := s.requireChange(ctx, c, tenant); err != nil {
		return nil, err
	}
	if overlap != nil && (*overlap < 0 || *overlap > MaxOverlap) {
		return nil, bellwire.Invalid("overlap", "must be between 0s and %s", bellwire.Duration(MaxOverlap))
	}
	var rotated *bellwire.Endpoint
	secret, err := retryStale(ctx, s, tenant, "endpoint", func() (*EndpointSecret, error) {
		ep, credentials, err := s.openEndpoint(ctx, tenant, id, anyDialect)
		if err != nil {
			return nil, err
		}
		had := membersOf(ep, credentials)
		ep.UpdatedAt = now()
		if err := s.rotate(ctx, ep, credentials, overlap); err != nil {
			return nil, err
		}
		note, err := c.updated(ctx, had, ep, credentials)
		if err != nil {
			return nil, err
		}
		if err := s.store.UpdateEndpoint(s.audit(ctx, c, tenant, "endpoint.rotate-secret", ep.ID, nil, nil), ep, note); err != nil {
			return nil, err
		}
		rotated = ep
		return s.revealedTo(c, ep, credentials, ep.UpdatedAt), nil
	})
	if err != nil {
		return nil, err
	}
	s.announce(ctx, c, "endpoint.rotate-secret", rotated)
	return secret, nil
}

// TestEndpoint delivers the example of an event type to one endpoint, in one attempt, whatever its status is. If the type is empty, it is the first one
// of the catalogue that the endpoint subscribes to.
func (s *Service) TestEndpoint(ctx context.Context, c Caller, tenant, id, eventType string) (TestReceipt, error) {
	return s.testEndpoint(ctx, c, tenant, id, eventType, bellwire.AuditTest)
}

// testEndpoint is TestEndpoint for an action of the audit log.
func (s *Service) testEndpoint(ctx context.Context, c Caller, tenant, id, eventType, action string) (TestReceipt, error) {
	end, err := s.beginSend(ctx, c, Test, tenant, limits.TestRate)
	if err != nil {
		return TestReceipt{}, err
	}
	defer end()
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return TestReceipt{}, err
	}
	if eventType == "" {
		if eventType, err = s.firstType(ctx, ep); err != nil {
			return TestReceipt{}, err
		}
	}
	t, err := s.usableType(ctx, "type", eventType, c.may(ReadCatalogue))
	if err != nil {
		return TestReceipt{}, err
	}
	data := []byte(t.Example)
	if len(data) == 0 {
		data = []byte("null")
	}
	if err := s.allowTest(ctx, tenant, len(data)); err != nil {
		return TestReceipt{}, err
	}
	if err := s.auditAction(ctx, c, tenant, action, id); err != nil {
		return TestReceipt{}, err
	}
	event, delivery, err := s.engine.Test(ctx, tenant, id, Draft{Type: eventType, Data: data, Version: t.Newest()})
	if err != nil {
		return TestReceipt{}, err
	}
	return TestReceipt{Event: event, Delivery: delivery, Type: eventType}, nil
}

func (s *Service) firstType(ctx context.Context, ep *bellwire.Endpoint) (string, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return "", err
	}
	wanted, err := match.Compile(ep.Events)
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "endpoint %q has a pattern that cannot be read", ep.ID)
	}
	names := catalogue.Names()
	i := slices.IndexFunc(names, func(name string) bool {
		t, _ := catalogue.Type(name)
		return !t.Archived && wanted.Match(name)
	})
	if i < 0 {
		return "", bellwire.Invalid("type", "is required, because no event type of the catalogue matches the endpoint's events")
	}
	return names[i], nil
}

// endpoint returns an endpoint of a tenant, unless it is deleted.
func (s *Service) endpoint(ctx context.Context, tenant, id string) (*bellwire.Endpoint, error) {
	ep, err := s.store.Endpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	if ep.Tenant != tenant || ep.Deleted {
		return nil, bellwire.NotFound("endpoint", id)
	}
	return ep, nil
}

// openEndpoint returns an endpoint of a tenant and a dialect, with its credentials.
func (s *Service) openEndpoint(ctx context.Context, tenant, id, dialect string) (*bellwire.Endpoint, *bellwire.Credentials, error) {
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	if dialect != anyDialect && ep.Dialect != dialect {
		return nil, nil, bellwire.NotFound("endpoint", id)
	}
	credentials, err := s.keyring.OpenCredentials(id, ep.Sealed)
	if err != nil {
		return nil, nil, err
	}
	return ep, credentials, nil
}

func (s *Service) dialect(name string) (bellwire.Dialect, error) {
	if d := s.dialects[name]; d != nil {
		return d, nil
	}
	return nil, bellwire.Invalid("dialect", "must be %s", bellwire.OneOf(slices.Sorted(maps.Keys(s.dialects))))
}

// announce invalidates what this node has cached of a changed endpoint, and logs the change.
func (s *Service) announce(ctx context.Context, c Caller, action string, ep *bellwire.Endpoint) {
	s.directory.ForgetEndpoint(ep.ID)
	s.directory.ForgetTenant(ep.Tenant)
	s.engine.Refresh(ep.ID)
	s.changed(ctx, c, action, slog.String("tenant", ep.Tenant), slog.String("endpoint", ep.ID), slog.String("status", string(ep.Status)))
}

// cancelOpen cancels the first open deliveries of a disabled or deleted endpoint. The engine cancels the rest.
func (s *Service) cancelOpen(ctx context.Context, ep *bellwire.Endpoint, reason string, cause bellwire.CancelCause) {
	s.directory.ForgetEndpoint(ep.ID)
	n, err := s.store.CancelOpen(ctx, ep.ID, reason, now(), cancelChunk)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "open deliveries not canceled yet",
			slog.String("endpoint", ep.ID), slog.Any("error", err))
		return
	}
	s.engine.Canceled(ep.Dialect, n, cause)
}

// shown returns an endpoint as the caller may see it. If its credentials cannot be opened, it is shown without them.
func (s *Service) shown(ctx context.Context, c Caller, ep *bellwire.Endpoint, h bellwire.EndpointHealth) *Endpoint {
	credentials, err := s.keyring.OpenCredentials(ep.ID, ep.Sealed)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelError, "credentials cannot be opened",
			slog.String("endpoint", ep.ID), slog.Any("error", err))
		credentials = &bellwire.Credentials{}
	}
	shown := show(ep, credentials)
	shown.Health = &h
	if !c.may(ReadSecrets) {
		var hidden []string
		shown.URL, hidden = bellwire.MaskURL(ep.URL)
		h.LastError = bellwire.HideIn(h.LastError, hidden)
	}
	return shown
}

// showTo is show for a caller of a change.
func showTo(c Caller, ep *bellwire.Endpoint, credentials *bellwire.Credentials) *Endpoint {
	shown := show(ep, credentials)
	if !c.may(ReadSecrets) {
		shown.URL, _ = bellwire.MaskURL(ep.URL)
	}
	return shown
}

func show(ep *bellwire.Endpoint, c *bellwire.Credentials) *Endpoint {
	shown := &Endpoint{
		Endpoint: *ep,
		Auth:     bellwire.Auth{Type: c.Auth.Type, Header: c.Auth.Header, Username: c.Auth.Username},
		Headers:  make([]bellwire.Header, len(c.Headers)),
	}
	shown.Sealed = nil
	for i, h := range c.Headers {
		shown.Headers[i] = bellwire.Header{Name: h.Name, Value: bellwire.Redacted}
	}
	return shown
}
