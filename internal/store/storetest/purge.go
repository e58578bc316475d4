package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var purgeTests = []test{
	{name: "Purge/RemovesDeletedTenants", run: purgeTenants},
	{name: "Purge/TellsWhetherATenantIsGone", run: func(w *world) {
		t := w.tenant()
		w.publish(w.endpoint(t))
		deleted := func(limit int) *bellwire.DeletedTenant {
			w.Helper()
			d, err := w.store.DeletedTenant(w.ctx, t.ID, limit)
			w.check(err)
			return d
		}
		w.equal("a tenant that is there", deleted(10), (*bellwire.DeletedTenant)(nil))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.equal("one that was deleted", deleted(10), &bellwire.DeletedTenant{DeletedAt: w.now, Events: 1})
		w.tick(time.Minute)
		w.check(w.store.CreateTenant(w.ctx, &bellwire.Tenant{ID: t.ID, CreatedAt: w.now, UpdatedAt: w.now}))
		w.append(together(w.event(t.ID), w.event(t.ID)))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.equal("the last of two", deleted(10), &bellwire.DeletedTenant{DeletedAt: w.now, Events: 3})
		w.equal("events up to a limit", deleted(2).Events, 2)
		w.purge(100)
		w.equal("one that is gone", deleted(10), (*bellwire.DeletedTenant)(nil))
	}},
	{name: "Purge/KeepsTombstonesThatAreNamed", run: func(w *world) {
		t := w.tenant()
		named, unnamed := w.endpoint(t), w.endpoint(t)
		w.publish(named)
		for _, ep := range []*bellwire.Endpoint{named, unnamed} {
			w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}))
		}
		w.equal("how many", w.purge(100), 1)
		_, err := w.store.Endpoint(w.ctx, named.ID)
		w.check(err)
		_, err = w.store.Endpoint(w.ctx, unnamed.ID)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Purge/KeepsWhatIsNeeded", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		w.check(w.store.CreateKey(w.ctx, w.newKey(t.ID)))
		e := w.keyed(w.event(t.ID, ep), "k", 1)
		w.append(together(e))
		w.tick(10 * bellwire.IdempotencyWindow)
		w.equal("how many", w.purge(100), 0)
		again := w.keyed(w.event(t.ID, ep), "k", 1)
		w.equal("the publisher's id lives as long as its event", w.append(together(again))[0].ID, e.Event.ID)
	}},
}

// purge removes until nothing is left, at most limit rows at a time. Events are kept for ever.
func (w *world) purge(limit int) (total int) {
	w.Helper()
	return w.purgeBefore(time.Time{}, limit)
}

// purgeBefore removes events from before the given time too.
func (w *world) purgeBefore(before time.Time, limit int) (total int) {
	w.Helper()
	for {
		n, err := w.store.Purge(w.ctx, w.now, before, limit)
		w.check(err)
		if n > limit {
			w.Fatalf("%d rows were removed, at most %d were wanted", n, limit)
		}
		if n == 0 {
			return total
		}
		total += n
	}
}

func purgeTenants(w *world) {
	old, other := w.tenant(), w.tenant()
	ep, kept := w.endpoint(old), w.endpoint(other)
	w.check(w.store.CreateKey(w.ctx, w.newKey(old.ID)))
	keeps := w.publish(kept)
	var deliveries []bellwire.DeliveryID
	for n := range 30 {
		e := w.keyed(w.event(old.ID, ep), w.name("k"), 1)
		e.Deliveries[0].Epoch = int64(n%2) * w.leases.Epoch(ep.ID)
		w.append(together(e))
		deliveries = append(deliveries, e.Deliveries[0].ID)
	}
	for _, c := range w.claim(ep, 5).Due {
		w.record(w.result(c.Delivery, retryIn(0)))
	}
	w.check(w.store.DeleteTenant(w.ctx, old.ID, w.now))
	again := &bellwire.Tenant{ID: old.ID, CreatedAt: w.now, UpdatedAt: w.now}
	w.check(w.store.CreateTenant(w.ctx, again))
	fresh := w.endpoint(again)
	e := w.publish(fresh)

	if n := w.purge(7); n < 30*3+5+3 {
		w.Errorf("%d rows were removed", n)
	}
	w.equal("what is open", w.backlog().Open, 2)
	for _, id := range deliveries {
		w.equal("attempts", len(w.attempts(id)), 0)
	}
	for _, want := range []*bellwire.NewEvent{keeps, e} {
		_, err := w.store.Event(w.ctx, want.Event.Tenant, want.Event.ID)
		w.check(err)
		w.load(want.Event.Tenant, want.Deliveries[0].ID)
	}
	w.equal("of the new tenant", w.take(fresh).ID, e.Deliveries[0].ID)
	reused := w.newEndpoint(again.ID)
	reused.ID = ep.ID
	w.check(w.store.CreateEndpoint(w.ctx, reused, bellwire.ChangeNote{}))
	w.publish(reused)
	w.take(reused)
}

var concurrencyTests = []test{
	{name: "Concurrency/NumbersAreDense", run: numbersAreDense},
	{name: "Concurrency/NothingIsClaimedTwice", run: claimedOnce},
	{name: "Concurrency/OneOfManyWinsAKey", run: func(w *world) {
		t := w.tenant()
		first := make(chan bellwire.EventID, 32)
		w.together(32, func(ctx context.Context) error {
			e := w.keyed(w.event(t.ID), "k", 1)
			results, err := w.store.AppendEvents(ctx, []*bellwire.Append{together(e)})
			if err != nil || results[0].Err != nil {
				return errors.Join(err, results[0].Err)
			}
			first <- results[0].Events[0].ID
			return nil
		})
		winner := <-first
		for len(first) > 0 {
			w.equal("the event", <-first, winner)
		}
	}},
	{name: "Concurrency/WhoGaveUpIsToldTheTruth", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		e := w.event(ep.Tenant, ep)
		_, err := w.store.AppendEvents(ctx, []*bellwire.Append{together(e)})
		w.refused(err, bellwire.CodeUnavailable)
		_, err = w.store.Event(w.ctx, ep.Tenant, e.Event.ID)
		w.refused(err, bellwire.CodeNotFound)
		_, err = w.store.Event(ctx, ep.Tenant, e.Event.ID)
		w.refused(err, bellwire.CodeUnavailable)
	}},
}

// together runs f n times at once.
func (w *world) together(n int, f func(context.Context) error) {
	w.Helper()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
	)
	for range n {
		group.Go(func() {
			if err := f(w.ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				w.Error(err)
			}
		})
	}
	group.Wait()
}

func numbersAreDense(w *world) {
	const publishers, each = 8, 25
	ep := w.endpoint(w.tenant(), fifo)
	var mu sync.Mutex
	seen := make(map[int64]bool)
	w.together(publishers, func(ctx context.Context) error {
		for range each {
			mu.Lock()
			e := w.event(ep.Tenant, ep)
			mu.Unlock()
			results, err := w.store.AppendEvents(ctx, []*bellwire.Append{together(e)})
			if err != nil || results[0].Err != nil {
				return errors.Join(err, results[0].Err)
			}
			mu.Lock()
			seen[results[0].Events[0].Sequences[0]] = true
			mu.Unlock()
		}
		return nil
	})
	for n := range int64(publishers * each) {
		if !seen[n+1] {
			w.Errorf("nobody got the number %d", n+1)
		}
	}
	w.equal("the next number", w.claim(ep, 0).NextSequence, int64(publishers*each+1))
}

func claimedOnce(w *world) {
	const deliveries = 200
	ep := w.endpoint(w.tenant())
	for range deliveries {
		w.publish(ep)
	}
	var mu sync.Mutex
	seen := make(map[bellwire.DeliveryID]int)
	w.together(8, func(ctx context.Context) error {
		for {
			results, err := w.store.ClaimDue(ctx, w.now.Add(time.Second), []bellwire.Claim{{
				Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 7, ManualLimit: 100, MaxBytes: 1 << 20,
			}})
			if err != nil {
				return err
			}
			mu.Lock()
			for _, c := range results[0].Due {
				seen[c.Delivery.ID]++
			}
			mu.Unlock()
			if len(results[0].Due) == 0 {
				return nil
			}
		}
	})
	w.equal("how many were claimed", len(seen), deliveries)
	for id, n := range seen {
		if n != 1 {
			w.Errorf("%s was claimed %d times", id, n)
		}
	}
}
