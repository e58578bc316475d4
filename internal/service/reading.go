package service

import (
	"context"
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
	reading, end, err = s.acquireReadOf(ctx, c, tenant)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.store.Tenant(reading, tenant); err != nil {
		end()
		return nil, nil, err
	}
	return reading, end, nil
}

// acquireRead waits until a caller may read what is not of one tenant.
func (s *Service) acquireRead(ctx context.Context, c Caller) (reading context.Context, end func(), err error) {
	return s.acquireReadOf(ctx, c, "")
}

// acquireReadOf waits until a caller may read what is a tenant's; empty: of no tenant. All operators take the turns of one tenant, and
// among them, the tenants whose data they read take turns.
func (s *Service) acquireReadOf(ctx context.Context, c Caller, tenant string) (reading context.Context, end func(), err error) {
	if c.Tenant != "" {
		tenant = ""
	}
	place, err := s.readers.EnterQueueWithin(ctx, c.Tenant, tenant, limits.ReadWait)
	if err != nil {
		return nil, nil, err
	}
	reading, cancel := context.WithTimeout(ctx, limits.ReadTimeout)
	began := time.Now()
	return reading, func() { cancel(); place.LeaveAfter(restAfter(time.Since(began))) }, nil
}

// fitted returns a page that ends early if the caller has no room for a large response. It must be called when the caller may read:
// others of its responses may have been sent while it waited.
func fitted(ctx context.Context, page bellwire.Page) bellwire.Page {
	if !share.HasRoom(ctx) {
		page.Bytes = limits.ShortPage
	}
	return page
}

// restAfter returns how long the place of a read that took the given time rests. After a long one, its page is encoded meanwhile, and
// others have the processors.
func restAfter(took time.Duration) time.Duration {
	if took < limits.LongRead {
		return 0
	}
	return min((limits.LongReadPart-1)*took, limits.LongReadRest)
}
