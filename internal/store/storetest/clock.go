package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var clockTests = []test{
	{name: "Clock/OfABatch", run: func(w *world) {
		c := w.newClock()
		c.append(1000)
		c.check(1000)
	}},
	{name: "Clock/OfAGroup", run: func(w *world) {
		c, other := w.newClock(), w.newClock()
		w.append(together(c.event()), together(other.event(), other.event()), together(c.event(), c.event()), together(other.event()))
		c.check(3)
		other.check(3)
	}},
	{name: "Clock/KeepsTimesThatGrow", run: func(w *world) {
		c := w.newClock()
		for range 3 {
			at := w.tick(time.Second)
			c.append(1)
			w.equal("the time", c.events[len(c.events)-1].Event.CreatedAt, at)
		}
	}},
	{name: "Clock/IsSetBack", run: func(w *world) {
		c := w.newClock()
		for _, jump := range []time.Duration{0, -time.Microsecond, -time.Hour, -48 * time.Hour, time.Minute} {
			w.tick(jump)
			c.append(2)
		}
		last := c.check(10)
		w.now = last.Add(time.Second)
		c.append(1)
		w.equal("the time, once the clock has caught up", c.events[10].Event.CreatedAt, w.now)
	}},
	{name: "Clock/LeavesDeliveriesOnTime", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		w.publish(ep)
		now := w.tick(-time.Hour)
		e := w.publish(ep)
		d := w.load(t.ID, e.Deliveries[0].ID)
		w.equal("due", []time.Time{d.DueAt, d.CreatedAt}, []time.Time{now, now})
		if claimed := idsOf(w.claim(ep, 10).Due); !slices.Contains(claimed, d.ID) {
			w.Errorf("claimed were %v, without %s", claimed, d.ID)
		}
	}},
	{name: "Clock/OfManyPublishers", run: func(w *world) {
		c := w.newClock()
		var mu sync.Mutex
		w.together(16, func(ctx context.Context) error {
			for range 10 {
				mu.Lock()
				e := c.event()
				mu.Unlock()
				results, err := w.store.AppendEvents(ctx, []*bellwire.Append{together(e)})
				if err = errors.Join(err, firstRefusal(results)); err != nil {
					return err
				}
				e.Event.CreatedAt = results[0].Events[0].CreatedAt
			}
			return nil
		})
		slices.SortFunc(c.events, func(a, b *bellwire.NewEvent) int { return a.Event.CreatedAt.Compare(b.Event.CreatedAt) })
		c.check(160)
	}},
	{name: "Clock/OfARepeatedAppend", run: func(w *world) {
		c := w.newClock()
		a := together(c.event(), c.event())
		first := w.append(a)
		for _, e := range a.Events {
			e.Event.CreatedAt = w.now // as it was
		}
		w.equal("the second time", w.append(a), first)
		c.append(1)
		c.check(3)
	}},
	{name: "Clock/OfADuplicate", run: func(w *world) {
		c := w.newClock()
		w.append(together(w.keyed(c.event(), "k", 1)))
		w.append(together(w.keyed(w.event(c.tenant.ID), "k", 1)))
		c.append(1)
		c.check(2)
	}},
	{name: "Clock/AfterARestart", need: reopens, run: func(w *world) {
		c := w.newClock()
		c.append(3)
		w.tick(-time.Hour)
		w.reopen()
		c.append(3)
		c.check(6)
	}},
	{name: "Clock/AfterARestartWithoutEvents", need: reopens, run: func(w *world) {
		c := w.newClock()
		c.append(3)
		w.tick(time.Hour)
		w.equal("how many", w.purgeBefore(w.now, 100), 3)
		last := c.events[2].Event.CreatedAt
		w.tick(-3 * time.Hour)
		w.reopen()
		c.events = nil
		c.append(1)
		if at := c.events[0].Event.CreatedAt; !at.After(last) {
			w.Errorf("got the time %v after %v", at, last)
		}
	}},
}

// ownClock is a tenant with the events that were published to it, in their order.
type ownClock struct {
	w      *world
	tenant *bellwire.Tenant
	events []*bellwire.NewEvent
}

func (w *world) newClock() *ownClock { return &ownClock{w: w, tenant: w.tenant()} }

func (c *ownClock) event() *bellwire.NewEvent {
	e := c.w.event(c.tenant.ID)
	c.events = append(c.events, e)
	return e
}

// append stores n events of the same moment.
func (c *ownClock) append(n int) {
	c.w.Helper()
	var events []*bellwire.NewEvent
	for range n {
		events = append(events, c.event())
	}
	c.w.append(together(events...))
}

// check expects n stored events with growing times, and that reading returns the same times. It returns the last.
func (c *ownClock) check(n int) (last time.Time) {
	c.w.Helper()
	c.w.equal("how many", len(c.events), n)
	for _, e := range c.events {
		at := e.Event.CreatedAt
		if !at.After(last) || at.Sub(at.Truncate(time.Microsecond)) != 0 {
			c.w.Errorf("got the time %v after %v", at, last)
		}
		read, err := c.w.store.Event(c.w.ctx, c.tenant.ID, e.Event.ID)
		c.w.check(err)
		c.w.equal("the time that is stored", read.CreatedAt, at)
		last = at
	}
	return last
}
