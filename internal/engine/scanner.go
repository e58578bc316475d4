package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// scanner tells the scheduler what the store has that is due in the shards of this node.
type scanner struct {
	store     Store
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	clock     clock
	missed    chan struct{} // capacity 1: notifications may have been missed
}

// run scans at intervals, and after notifications may have been missed, until ctx ends.
func (s *scanner) run(ctx context.Context) {
	timer := time.NewTicker(lanes.ScanInterval)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.missed:
		case <-ctx.Done():
			return
		}
		s.tryScan(ctx)
	}
}

func (s *scanner) tryScan(ctx context.Context) {
	if err := s.scan(ctx); err != nil {
		reportStore(ctx, s.observer, "scan for due deliveries", err)
	}
}

func (s *scanner) scan(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lanes.ScanInterval)
	defer cancel()
	return s.store.DueEndpoints(ctx, s.scheduler.Leases(), func(due []bellwire.DueEndpoint) {
		for i := range due {
			due[i].At = s.clock.local(due[i].At)
		}
		s.scheduler.Due(due)
	})
}
