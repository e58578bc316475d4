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
	leave, err := enter(ctx, s.readers, c.Tenant, limits.ReadWait)
	if err != nil {
		return nil, nil, err
	}
	reading, cancel := context.WithTimeout(ctx, limits.ReadTimeout)
	began := time.Now()
	return reading, func() { cancel(); leaveAfter(time.Since(began), leave) }, nil
}

// fitted returns a page that ends early if the caller has no room for a large response. It must be called when the caller may read:
// others of its responses may have been sent while it waited.
func fitted(ctx context.Context, page bellwire.Page) bellwire.Page {
	if !share.HasRoom(ctx) {
		page.Bytes = limits.ShortPage
	}
	return page
}

// leaveAfter leaves the place of a read that took the given time. A long one keeps its place for a while, in which its page is
// encoded and others have the processors.
func leaveAfter(took time.Duration, leave func()) {
	if took < limits.LongRead {
		leave()
		return
	}
	time.AfterFunc(min((limits.LongReadShare-1)*took, limits.LongReadRest), leave)
}

// enter waits for a tenant's turn at a gate. Its error has CodeRateLimited if the tenant has too many waiting, or if the turn does
// not come in time.
func enter(ctx context.Context, gate *share.Gate, tenant string, patience time.Duration) (leave func(), err error) {
	leave, err = gate.EnterWithin(ctx, tenant, patience)
	if errors.Is(err, share.ErrLate) {
		return nil, &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "the request has waited too long behind others; send fewer at the same time, and try again shortly",
			RetryAfter: time.Second,
		}
	}
	return leave, err
}
