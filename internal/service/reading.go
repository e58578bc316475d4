package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// beginRead refuses who may not read in a tenant, and tenants that are not there. In between it waits for the caller's turn,
// so that the look-up is a part of it. The caller reads with the context that it returns, and calls end when that is done.
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

// acquireRead waits for the turn of a caller's tenant to read. All operators are one tenant here.
func (s *Service) acquireRead(ctx context.Context, c Caller) (reading context.Context, end func(), err error) {
	waiting, stop := context.WithTimeout(ctx, limits.ReadWait)
	defer stop()
	leave, err := s.readers.Enter(waiting, c.Tenant)
	if bellwire.CodeOf(err) == bellwire.CodeCanceled && ctx.Err() == nil {
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
