package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// fanOutEvery is how often the fan-out looks for work without being woken if there are other nodes: notifications can be lost,
// and shards come and go.
const fanOutEvery = time.Second

// fanOut makes the store write the deliveries of large publications, which were promised with their events. It does so in short
// transactions, and leaves most of the time between them to others. The deliveries are stored free, and the claimer claims them.
type fanOut struct {
	store     Store
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	wake      chan struct{} // capacity 1
}

// run stores deliveries until ctx ends.
func (f *fanOut) run(ctx context.Context) {
	for ctx.Err() == nil {
		started := time.Now()
		stored, err := f.step(ctx)
		switch {
		case err != nil:
			reportStore(ctx, f.observer, "store the deliveries of a large publication", err)
			sleep(ctx, storePause)
		case stored == 0:
			f.idle(ctx)
		default:
			sleep(ctx, min((limits.FanOutPart-1)*time.Since(started), time.Second))
		}
	}
}

// step stores some deliveries, and returns how many.
func (f *fanOut) step(ctx context.Context) (stored int, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	out, err := f.store.FanOut(ctx, f.scheduler.Leases(), limits.FanOutStep)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	due := make([]bellwire.DueEndpoint, len(out.Endpoints))
	for i, endpoint := range out.Endpoints {
		due[i] = bellwire.DueEndpoint{Endpoint: endpoint, Tenant: out.Tenant, At: now}
	}
	f.scheduler.Due(due)
	return out.Deliveries, nil
}

// idle waits until there may be something to do.
func (f *fanOut) idle(ctx context.Context) {
	var look <-chan time.Time
	if f.scheduler.Leases().Term > 0 {
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
