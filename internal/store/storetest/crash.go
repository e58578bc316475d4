package storetest

import (
	"errors"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var crashTests = []test{
	{name: "Crash/LosesNothingAnswered", need: crashes, run: crashLosesNothing},
	{name: "Crash/WhileWriting", need: crashes, run: crashWhileWriting},
	{name: "Full/RefusesAndGoesOn", need: fills, run: full},
}

// crashLosesNothing kills the store after each write, and compares what a new one reads.
func crashLosesNothing(w *world) {
	ep := w.endpoint(w.tenant(), fifo)
	for n := range 12 {
		e := w.publish(ep)
		survivor := w.survivor()
		survivor.load(ep.Tenant, e.Deliveries[0].ID)
		taken := w.claim(ep, 1).Due[0].Delivery
		w.record(w.result(taken, success))
		survivor = w.survivor()
		survivor.equal("the status", survivor.load(ep.Tenant, taken.ID).Status, bellwire.DeliverySucceeded)
		survivor.equal("attempts", len(survivor.attempts(taken.ID)), 1)
		survivor.equal("the next number", survivor.claim(ep, 0).NextSequence, int64(n+2))
		survivor.check(survivor.store.Close())
	}
}

// survivor is the world after a crash.
func (w *world) survivor() *world {
	w.Helper()
	other := *w
	other.store = w.hooks.Crash(w.t, w.store)
	other.lease()
	return &other
}

// crashWhileWriting dies again and again while others publish. What was answered before must be there, whole.
func crashWhileWriting(w *world) {
	const rounds, each = 8, 40
	t := w.tenant()
	ep := w.endpoint(t)
	work := make(chan *bellwire.NewEvent, each)
	var (
		mu         sync.Mutex
		answered   []*bellwire.NewEvent
		publishers sync.WaitGroup
	)
	for range 4 {
		publishers.Go(func() {
			for e := range work {
				results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(e)})
				if err = errors.Join(err, firstRefusal(results)); err != nil {
					w.Error(err)
				}
				mu.Lock()
				answered = append(answered, e)
				mu.Unlock()
			}
		})
	}
	for range rounds {
		for range each {
			work <- w.event(t.ID, ep)
		}
		mu.Lock()
		before := answered[:len(answered):len(answered)]
		mu.Unlock()
		survivor := w.survivor() // while the publishers go on
		for _, e := range before {
			read, err := survivor.store.Event(w.ctx, t.ID, e.Event.ID)
			survivor.check(err)
			survivor.equal("its deliveries", read.Deliveries, 1)
			survivor.load(t.ID, e.Deliveries[0].ID)
		}
		survivor.check(survivor.store.Check(w.ctx))
		survivor.check(survivor.store.Close())
	}
	close(work)
	publishers.Wait()
}

func firstRefusal(results []bellwire.AppendResult) error {
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// full publishes until the disk is full, and expects everything to work again once there is space.
func full(w *world) {
	t := w.tenant()
	ep := w.endpoint(t)
	kept := w.publish(ep)
	open := w.backlog().Open
	empty := w.hooks.Fill(w.t, w.store)

	big := w.keyed(w.event(t.ID, ep), "k", 1)
	big.Event.Data = make([]byte, 1<<20)
	for range 3 {
		_, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.event(t.ID, ep)), together(big)})
		w.refused(err, bellwire.CodeNoSpace)
	}
	_, err := w.store.Event(w.ctx, t.ID, big.Event.ID)
	w.refused(err, bellwire.CodeNotFound)
	w.load(t.ID, kept.Deliveries[0].ID)
	w.equal("what is open", w.backlog().Open, open)

	empty()
	w.append(together(big))
	w.check(w.store.Check(w.ctx))
	w.equal("what is open", w.backlog().Open, open+1)
	w.equal("what is due", len(w.claim(ep, 10).Due), 2)
}
