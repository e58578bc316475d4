package service

import (
	"context"
	"errors"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// beginRead checks that the caller has the permission in the tenant and that the tenant exists, and waits until the caller may
// read. The caller must read with the returned context, and call end when done.
func (s *Service) beginRead(ctx context.Context, c Caller, p Permission, tenant string) (reading context.Context, end func(), err error) {
	if err := authorizeIn(c, p, tenant); err != nil {
		return nil, nil, err
	}
	reading, end, err = s.acquireRead(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.store.Tenant(reading, tenant); err != nil {
		end()
		return nil, nil, err
	}
	return reading, end, nil
}

// acquireRead waits until a caller's tenant may read. All operators count as one tenant.
func (s *Service) acquireRead(ctx context.Context, c Caller) (reading context.Context, end func(), err error) {
	leave, err := s.readers.EnterWithin(ctx, c.Tenant, limits.ReadWait)
	if errors.Is(err, share.ErrLate) {
		err = &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "the request has waited too long behind others; send fewer at the same time, and try again shortly",
			RetryAfter: time.Second,
		}
	}
	if err != nil {
		return nil, nil, err
	}
	reading, cancel := context.WithTimeout(ctx, limits.ReadTimeout)
	return reading, func() { cancel(); leave() }, nil
}
