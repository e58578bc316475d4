package service

import (
	"context"
	"hash/maphash"

	"github.com/bellwire/bellwire"
)

// turns has those who change the configuration of one tenant do so one after the other, on this node. So many at once do
// not refuse each other's changes until they give up, and what was counted still holds when it is written. Tenants that
// share a place wait for each other, which costs them a write to the store at most.
type turns struct {
	seed   maphash.Seed
	places [64]chan struct{} // full: somebody has the turn
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.places {
		t.places[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for a tenant's turn, and returns what ends it.
func (t *turns) take(ctx context.Context, tenant string) (end func(), err error) {
	place := t.places[maphash.String(t.seed, tenant)%uint64(len(t.places))]
	select {
	case place <- struct{}{}:
		return func() { <-place }, nil
	case <-ctx.Done():
		return nil, bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx),
			"The caller went away while others were changing the tenant; nothing has changed.")
	}
}
