package engine

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// watcher acts on what other nodes do.
type watcher struct {
	store     Store
	scheduler *lanes.Scheduler
	directory Directory
	observer  bellwire.Observer
	told      func([]byte) // nil: nothing gets other nodes' messages

	missed        chan struct{} // notifications may have been missed
	leasesChanged chan struct{}
	unmatched     chan struct{} // nil: there is no outbox
	fanOut        chan struct{}
}

// run watches until ctx ends, or until the store says that there is nothing to watch.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.store.Watch(ctx, w.notified)
		if err == nil || ctx.Err() != nil {
			return
		}
		w.observer.StoreFailed("watch other nodes", err)
		sleep(ctx, storePause)
	}
}

func (w *watcher) notified(n bellwire.Notification) {
	if n.Told != nil && w.told != nil {
		w.told(n.Told)
	}
	if n.Tenant != "" {
		w.directory.ForgetTenant(n.Tenant)
	}
	if n.Configuration {
		w.directory.ForgetCatalogue()
	}
	if n.Leases || n.Missed {
		poke(w.leasesChanged)
	}
	if n.Missed {
		poke(w.missed)
	}
	if n.Unmatched || n.Missed {
		poke(w.unmatched)
	}
	if n.FanOut || n.Missed {
		poke(w.fanOut)
	}
	for _, endpoint := range n.Endpoints {
		if !n.Erased.IsZero() {
			w.scheduler.ForgetEvent(endpoint, n.Erased)
		}
		w.scheduler.Forget(endpoint, n.Canceled...)
		w.scheduler.Refresh(endpoint)
		if n.Search {
			w.scheduler.Search(endpoint)
		}
	}
}
