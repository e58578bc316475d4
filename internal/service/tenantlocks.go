package service

import (
	"context"
	"hash/maphash"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/share"
)

// waitingChanges is the number of changes that may wait for the lock of one tenant.
const waitingChanges = 1000

// tenantLocks serializes changes of one tenant's configuration on this node. Without it, many concurrent changes would make
// each other stale until they give up, and a count checked against a limit could be outdated when the change is stored.
// Tenants are spread over 64 locks; those that share one take turns, so that a tenant waits for at most one write of each of
// the others.
type tenantLocks struct {
	seed  maphash.Seed
	gates [64]*share.Gate
}

func newTenantLocks() *tenantLocks {
	l := &tenantLocks{seed: maphash.MakeSeed()}
	for i := range l.gates {
		l.gates[i] = share.NewGate(1, waitingChanges)
	}
	return l
}

// lock waits for the lock of a tenant, and returns the function that releases it.
func (l *tenantLocks) lock(ctx context.Context, tenant string) (unlock func(), err error) {
	unlock, err = l.gate(tenant).Enter(ctx, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeCanceled {
		return nil, bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx),
			"the caller disconnected while others were changing the tenant; nothing was changed")
	}
	return unlock, err
}

func (l *tenantLocks) gate(tenant string) *share.Gate {
	return l.gates[maphash.String(l.seed, tenant)%uint64(len(l.gates))]
}
