package engine

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// The figures of the announcer.
const (
	announceEvery = time.Second            // how often it looks without being woken, if there are other nodes
	announcePage  = 2000                   // events that it takes at a time
	announcePause = 250 * time.Millisecond // after it has published some, so that deliveries that end meanwhile share events
	announceBatch = 50                     // events of one tenant that are published together
	announcePart  = 4                      // it works for one part of the time in so many
	announceHold  = 5 * time.Second
)

// announcer publishes the operational events that transactions of all nodes have kept. The owner of the shard of
// OperationsTenant does so. An event has an idempotency key from the start, and is forgotten once it is published, so that the
// next process, or two nodes at the same time, publish it once.
type announcer struct {
	store     Store
	publisher *publisher
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	logger    *slog.Logger

	held map[string]time.Time // tenants that can take no event now, and until when they are passed over
}

// run publishes until ctx ends. It leaves most of the time to others, however many events wait.
func (a *announcer) run(ctx context.Context) {
	for ctx.Err() == nil {
		started := time.Now()
		published, err := a.step(ctx)
		switch {
		case err != nil:
			reportStore(ctx, a.observer, "publish operational events", err)
			sleep(ctx, storePause)
		case published == 0:
			a.idle(ctx)
		default:
			sleep(ctx, max(min((announcePart-1)*time.Since(started), time.Second), announcePause))
		}
	}
}

// idle waits until there may be something to publish.
func (a *announcer) idle(ctx context.Context) {
	var look <-chan time.Time
	if a.scheduler.Leases().Term > 0 || len(a.held) > 0 {
		timer := time.NewTimer(announceEvery)
		defer timer.Stop()
		look = timer.C
	}
	select {
	case <-look:
	case <-a.store.Announced():
	case <-ctx.Done():
	}
}

// step publishes some events, and returns how many.
func (a *announcer) step(ctx context.Context) (published int, err error) {
	if a.scheduler.Leases().Epoch(bellwire.OperationsTenant) == 0 {
		return 0, nil
	}
	taking, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	events, err := a.store.TakeOperational(taking, a.passedOver(time.Now()), announcePage)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	tenants := make(map[string][]*bellwire.OperationalEvent)
	var order []string
	for _, e := range events {
		if tenants[e.Tenant] == nil {
			order = append(order, e.Tenant)
		}
		tenants[e.Tenant] = append(tenants[e.Tenant], e)
	}
	for _, tenant := range order {
		n, err := a.publishAll(ctx, tenants[tenant])
		if published += n; err != nil {
			return published, err
		}
	}
	return published, nil
}

// passedOver returns the tenants that can take no event now.
func (a *announcer) passedOver(now time.Time) (tenants []string) {
	for tenant, until := range a.held {
		if now.Before(until) {
			tenants = append(tenants, tenant)
		} else {
			delete(a.held, tenant)
		}
	}
	return tenants
}

// publishAll publishes events of one tenant, and returns how many. If the tenant can take no more now, the others wait.
func (a *announcer) publishAll(ctx context.Context, events []*bellwire.OperationalEvent) (published int, err error) {
	for part := range slices.Chunk(events, announceBatch) {
		err := a.publish(ctx, part)
		if bellwire.CodeOf(err) == bellwire.CodeRateLimited {
			a.held[part[0].Tenant] = time.Now().Add(announceHold)
			return published, nil
		}
		if err != nil {
			return published, err
		}
		published += len(part)
	}
	return published, nil
}

// publish publishes events of one tenant together, and forgets them. If they are refused, each is published by itself; one that is
// refused then is dropped, because it would be for ever.
func (a *announcer) publish(ctx context.Context, events []*bellwire.OperationalEvent) error {
	tenant := events[0].Tenant
	s := &submission{targets: make([][]*bellwire.Target, len(events)), done: make(chan struct{}, 1)}
	for _, e := range events {
		s.events = append(s.events, newEvent(tenant, &Draft{Type: e.Type, Data: e.Data, IdempotencyKey: e.Key, OccurredAt: e.At}))
		s.bytes += len(e.Data)
	}
	switch err := a.publisher.publish(ctx, tenant, s, nil); bellwire.CodeOf(err) {
	case "", bellwire.CodeNotFound: // it is published, or the tenant was deleted
	case bellwire.CodeConflict, bellwire.CodeTooLarge, bellwire.CodeInvalid:
		if len(events) > 1 {
			for i := range events {
				if err := a.publish(ctx, events[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		}
		a.logger.ErrorContext(ctx, "operational event dropped: it cannot be published",
			"type", events[0].Type, "tenant", tenant, "data", string(events[0].Data), "error", err.Error())
	default:
		return err
	}
	return a.end(ctx, events)
}

// end forgets events that were published.
func (a *announcer) end(ctx context.Context, events []*bellwire.OperationalEvent) error {
	numbers := make([]int64, len(events))
	for i, e := range events {
		numbers[i] = e.Number
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return a.store.EndOperational(ctx, numbers)
}
