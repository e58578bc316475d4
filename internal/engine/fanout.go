package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// fanOutEvery is a look without being woken, where there are other nodes: notices can be lost, and shards come and go.
const fanOutEvery = time.Second

// fanOut has the store write the deliveries that it was left with: those of large publications, which were promised with
// their events. It does so in short transactions, and leaves most of the time between them to all others. What it has
// stored is free, and the claimer takes it.
type fanOut struct {
	engine *Engine
	wake   chan struct{} // capacity 1
}

// run goes on until ctx ends.
func (f *fanOut) run(ctx context.Context) {
	for ctx.Err() == nil {
		started := time.Now()
		stored, err := f.step(ctx)
		switch {
		case err != nil:
			f.engine.failed(ctx, "store the deliveries of a large publication", err)
			sleep(ctx, claimerPause)
		case stored == 0:
			f.rest(ctx)
		default:
			sleep(ctx, min((limits.FanOutShare-1)*time.Since(started), time.Second))
		}
	}
}

// step stores some deliveries, and returns how many.
func (f *fanOut) step(ctx context.Context) (stored int, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	s := f.engine.scheduler
	out, err := f.engine.store.FanOut(ctx, s.owned(), limits.FanOutStep)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	due := make([]bellwire.DueEndpoint, len(out.Endpoints))
	for i, endpoint := range out.Endpoints {
		due[i] = bellwire.DueEndpoint{Endpoint: endpoint, Tenant: out.Tenant, At: now}
	}
	s.found(due)
	return out.Deliveries, nil
}

// rest waits until there may be something to do.
func (f *fanOut) rest(ctx context.Context) {
	var look <-chan time.Time
	if f.engine.scheduler.owned().Term > 0 {
		timer := time.NewTimer(fanOutEvery)
		defer timer.Stop()
		look = timer.C
	}
	select {
	case <-look:
	case <-f.wake:
	case <-ctx.Done():
	}
}
