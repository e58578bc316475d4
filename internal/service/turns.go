package service

import (
	"context"
	"hash/maphash"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/share"
)

// waitingChanges is how many changes of one tenant may wait for their turn.
const waitingChanges = 1000

// turns has those who change the configuration of one tenant do so one after the other, on this node. So many at once do
// not refuse each other's changes until they give up, and what was counted still holds when it is written. Tenants that
// share a gate wait for each other in turns, which costs them a write of each of the others at most.
type turns struct {
	seed  maphash.Seed
	gates [64]*share.Gate
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.gates {
		t.gates[i] = share.NewGate(1, waitingChanges)
	}
	return t
}

// take waits for a tenant's turn, and returns what ends it.
func (t *turns) take(ctx context.Context, tenant string) (end func(), err error) {
	end, err = t.gate(tenant).Enter(ctx, tenant)
	if bellwire.CodeOf(err) == bellwire.CodeCanceled {
		return nil, bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx),
			"The caller went away while others were changing the tenant; nothing has changed.")
	}
	return end, err
}

func (t *turns) gate(tenant string) *share.Gate {
	return t.gates[maphash.String(t.seed, tenant)%uint64(len(t.gates))]
}
