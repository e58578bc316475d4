package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// casAttempts is how often a change is attempted when other nodes change the same thing. Of concurrent changes, one always
// succeeds.
const casAttempts = 10

// now returns the time in the precision of the store.
func now() time.Time { return bellwire.StoredTime(time.Now()) }

// retryStale runs a change, which reads, modifies and writes, under the lock of the tenant, and repeats it while its write is
// refused as stale.
func retryStale[T any](ctx context.Context, s *Service, tenant, kind string, change func() (T, error)) (none T, err error) {
	unlock, err := s.locks.lock(ctx, tenant)
	if err != nil {
		return none, err
	}
	defer unlock()
	for range casAttempts {
		v, err := change()
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return v, err
		}
	}
	return none, &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "the " + kind + " is being changed by too many requests at the same time; try again",
		RetryAfter: time.Second,
	}
}

// forget drops the cached configuration of a tenant, or the catalogue if tenant is empty.
func (s *Service) forget(tenant string) {
	if tenant == "" {
		s.directory.ForgetCatalogue()
		return
	}
	s.directory.ForgetTenant(tenant)
}
