package service

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// cancelChunk is the number of open deliveries that are canceled before the response when an endpoint is disabled or deleted. The
// engine cancels the others.
const cancelChunk = 1000

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
	if in.Accepted != nil {
		if err := in.Accepted(); err != nil {
			return nil, nil, err
		}
	}
	if err := s.checkRoom(ctx, ep, nil); err != nil {
		return nil, nil, err
	}
	note, err := c.created(ctx, ep, credentials)
	if err != nil {
		return nil, nil, err
	}
	if err := s.store.CreateEndpoint(s.auditChange(ctx, c, "endpoint.create", ep, note, bellwire.JobID{}), ep, note); err != nil {
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
		AutoDisableAfter: defaults.AutoDisableAfter,
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
		if err := s.reenable(ctx, c, ep, in); err != nil {
			return nil, err
		}
		if in.Replay != "" {
			if err := authorizeIn(c, Redeliver, tenant); err != nil {
				return nil, err
			}
		}
		disabling = in.Status != nil && *in.Status == bellwire.EndpointDisabled
		before, had := *ep, fieldsOf(ep, credentials)
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
		updated := &updatedEndpoint{endpoint: ep, credentials: credentials}
		if in.Replay == "" {
			return updated, s.store.UpdateEndpoint(s.auditChange(ctx, c, "endpoint.update", ep, note, bellwire.JobID{}), ep, note)
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

// reenable lets an input with Reenable enable an endpoint that Bellwire has disabled. It stays disabled if somebody else has
// disabled it, or has said another reason since.
func (s *Service) reenable(ctx context.Context, c Caller, ep *bellwire.Endpoint, in *EndpointInput) error {
	if !in.Reenable || ep.Status != bellwire.EndpointDisabled {
		return nil
	}
	ctx, end, err := s.beginRead(ctx, c, Change, ep.Tenant)
	if err != nil {
		return err
	}
	defer end()
	stop, err := s.stopOf(ctx, ep)
	if err != nil {
		return err
	}
	if stop.Actor.Kind == bellwire.ActorBellwire && stop.Actor.Reason == ep.StatusReason {
		in.Status = new(bellwire.EndpointEnabled)
	}
	return nil
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
	if err := s.store.DeleteEndpoint(s.auditChange(ctx, c, "endpoint.delete", ep, note, bellwire.JobID{}), ep.Tenant, ep.ID, now(), note); err != nil {
		return err
	}
	s.cancelOpen(ctx, ep, bellwire.ReasonEndpointDeleted, bellwire.CanceledDeleted)
	s.announce(ctx, c, "endpoint.delete", ep)
	return nil
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
