package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

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
		had := fieldsOf(ep, credentials)
		ep.UpdatedAt = now()
		if err := s.rotate(ctx, ep, credentials, overlap); err != nil {
			return nil, err
		}
		note, err := c.updated(ctx, had, ep, credentials)
		if err != nil {
			return nil, err
		}
		if err := s.store.UpdateEndpoint(s.auditChange(ctx, c, "endpoint.rotate-secret", ep, note, bellwire.JobID{}), ep, note); err != nil {
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
