package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// Times of the dispatcher.
const (
	dispatchEvery = time.Second            // between polls if nothing wakes the dispatcher: notifications can be lost
	postponeFor   = time.Minute            // how long an event waits that could not be dispatched
	pollDecision  = time.Second            // how often the dispatcher decides whether publishers need to wake it
	pollFor       = 3 * pollDecision       // how long publishers need not wake it after such a decision
	pollEvery     = 10 * time.Millisecond  // between polls meanwhile
	pollFrom      = 50                     // events a second from which it polls without being woken
	fewWaiting    = 100                    // a poll that returns fewer events should be quick
	pollPart      = 4                      // polls may take up to this fraction of the time: a quarter
	dispatchSlice = 250 * time.Millisecond // how long the events of one tenant are checked at a time
	roundPatience = 50 * time.Millisecond  // how long a poll waits for tenants that are being dispatched
)

// Bounds on what is being dispatched.
const (
	maxDispatching      = 64       // tenants
	maxDispatchingBytes = 32 << 20 // of data
)

// dispatcher takes the events that were published inside the database out of the outbox, and has them matched and stored as all
// others are. One node dispatches a tenant's events at a time. If two nodes do, as when one was stopped for a while, the store
// accepts each event once; and because each node takes the first events that wait, also in the right order. Tenants are
// dispatched beside each other, so one that takes long does not hold up others.
type dispatcher struct {
	outbox    bellwire.Outbox
	publisher *publisher
	scheduler *lanes.Scheduler
	directory Directory
	observer  bellwire.Observer
	logger    *slog.Logger
	node      string
	wake      chan struct{} // capacity 1

	dispatching sync.WaitGroup
	ended       chan struct{} // capacity 1: the events of a tenant are done

	mu    sync.Mutex
	busy  map[string]int // bytes of the events of tenants that are being dispatched
	bytes int            // of all of them
	count int            // events dispatched since the last decision

	decided   time.Time     // time of the last decision
	pollUntil time.Time     // end of polling without being woken
	pollTook  time.Duration // duration of the last poll, if it returned few events
}

// run dispatches until ctx ends.
func (d *dispatcher) run(ctx context.Context) {
	defer d.dispatching.Wait()
	for ctx.Err() == nil {
		found, err := d.round(ctx)
		d.decide(ctx)
		switch {
		case err != nil:
			d.failed(ctx, err)
			sleep(ctx, storePause)
		case found == 0:
			d.idle(ctx)
		}
	}
}

// idle waits until there may be something to dispatch.
func (d *dispatcher) idle(ctx context.Context) {
	pause := dispatchEvery
	if time.Now().Before(d.pollUntil) {
		pause = pollEvery
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.wake:
	case <-d.ended:
	case <-ctx.Done():
	}
}

// decide lets publishers know, while many events are dispatched, that the dispatcher polls without being woken.
func (d *dispatcher) decide(ctx context.Context) {
	now := time.Now()
	passed := now.Sub(d.decided)
	if passed < pollDecision {
		return
	}
	d.mu.Lock()
	many := float64(d.count) >= pollFrom*passed.Seconds()
	d.decided, d.count = now, 0
	d.mu.Unlock()
	if !many {
		return
	}
	// Transactions that are open now may commit after pollFor without waking the dispatcher, so it polls twice as long. It
	// does so even if AnnouncePolling fails, because the announcement may have been stored.
	d.pollUntil = now.Add(2 * pollFor)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := d.outbox.AnnouncePolling(ctx, d.node, pollFor); err != nil {
		d.observer.StoreFailed("announce polling", err)
	}
}

// round starts to dispatch the events that wait, and returns their number. It waits a moment for them, so that the next poll
// includes the tenants whose events were dispatched quickly.
func (d *dispatcher) round(ctx context.Context) (found int, err error) {
	busy, full := d.current()
	if full {
		return 0, nil
	}
	waiting, err := d.poll(ctx, busy)
	if err != nil {
		return 0, err
	}
	var tenants sync.WaitGroup
	for tenant, groups := range byTenant(waiting) {
		d.begin(tenant, groups)
		tenants.Add(1)
		d.dispatching.Go(func() {
			defer tenants.Done()
			d.dispatchAll(ctx, tenant, groups)
		})
	}
	d.await(ctx, &tenants)
	return len(waiting), nil
}

// await waits until the tenants of a round are done, but no longer than roundPatience.
func (d *dispatcher) await(ctx context.Context, tenants *sync.WaitGroup) {
	ctx, cancel := context.WithTimeout(ctx, roundPatience)
	d.dispatching.Go(func() {
		tenants.Wait()
		cancel()
	})
	<-ctx.Done()
}

// current returns the tenants that are being dispatched, and reports whether there may be no more.
func (d *dispatcher) current() (tenants []string, full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.busy)), len(d.busy) >= maxDispatching || d.bytes >= maxDispatchingBytes
}

func (d *dispatcher) begin(tenant string, groups [][]bellwire.Unmatched) {
	bytes := 0
	for _, group := range groups {
		for i := range group {
			bytes += len(group[i].Event.Data)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy[tenant] = bytes
	d.bytes += bytes
}

func (d *dispatcher) end(tenant string, dispatched int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes -= d.busy[tenant]
	delete(d.busy, tenant)
	d.count += dispatched
	poke(d.ended)
}

// dispatchAll dispatches the events of a tenant. If that fails, the tenant waits for a moment.
func (d *dispatcher) dispatchAll(ctx context.Context, tenant string, groups [][]bellwire.Unmatched) {
	var (
		all        sync.WaitGroup
		dispatched atomic.Int64
		failed     atomic.Bool
	)
	for _, group := range groups {
		all.Go(func() { // together, so that the batcher stores them together
			n, err := d.dispatch(ctx, group)
			dispatched.Add(int64(n))
			if err != nil {
				d.failed(ctx, err)
				failed.Store(true)
			}
		})
	}
	all.Wait()
	if failed.Load() {
		sleep(ctx, appendPause)
	}
	d.end(tenant, int(dispatched.Load()))
}

// poll reads the events that wait. While a long transaction keeps the database from cleaning up, that is expensive, so poll then
// pauses longer between reads.
func (d *dispatcher) poll(ctx context.Context, busy []string) ([]bellwire.Unmatched, error) {
	if d.pollTook > pollEvery {
		sleep(ctx, min((pollPart-1)*d.pollTook, dispatchEvery))
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	started := time.Now()
	waiting, err := d.outbox.Unmatched(ctx, d.scheduler.Leases(), busy)
	d.pollTook = 0
	if len(waiting) < fewWaiting { // more of them justify a long poll
		d.pollTook = time.Since(started)
	}
	return waiting, err
}

func (d *dispatcher) failed(ctx context.Context, err error) {
	if bellwire.CodeOf(err) != bellwire.CodeRateLimited { // which means that the tenant has enough waiting already
		reportStore(ctx, d.observer, "match events", err)
	}
}

// byTenant groups each tenant's events. An event that was postponed stands alone.
func byTenant(waiting []bellwire.Unmatched) map[string][][]bellwire.Unmatched {
	tenants := make(map[string][][]bellwire.Unmatched)
	start := 0
	for i := range waiting {
		tenant := waiting[i].Event.Tenant
		if i+1 < len(waiting) && !waiting[i+1].Again && waiting[i+1].Event.Tenant == tenant {
			continue
		}
		tenants[tenant] = append(tenants[tenant], waiting[start:i+1])
		start = i + 1
	}
	return tenants
}

// dispatch matches and stores the first of some events of a tenant, as many as it has time for, and returns how many. If that
// fails with an internal error, the event at fault is postponed.
func (d *dispatcher) dispatch(ctx context.Context, waiting []bellwire.Unmatched) (dispatched int, err error) {
	started := time.Now()
	dispatched, err = d.publish(ctx, waiting)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return len(waiting), nil // the tenant was deleted, and the store forgets what waits
	case bellwire.CodeOf(err) != bellwire.CodeInternal:
		return dispatched, err
	case len(waiting) == 1:
		return 1, d.postpone(ctx, waiting[0].Event, err)
	}
	for i := range waiting {
		if i > 0 && time.Since(started) > dispatchSlice {
			return i, nil
		}
		if _, err := d.dispatch(ctx, waiting[i:i+1]); err != nil {
			return i, err // those behind it keep their place
		}
	}
	return len(waiting), nil
}

// postpone defers an event that cannot be dispatched now.
func (d *dispatcher) postpone(ctx context.Context, e *bellwire.Event, reason error) error {
	d.observer.StoreFailed("match an event", reason)
	d.logger.ErrorContext(ctx, "event cannot be matched; it is tried again later",
		"event", e.ID.String(), "tenant", e.Tenant, "type", e.Type, "error", reason.Error())
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return d.outbox.PostponeUnmatched(ctx, e.ID, "could not be matched yet: "+messageOf(reason), postponeFor)
}

// publish stores the first of some events of one tenant with their deliveries, and returns how many.
func (d *dispatcher) publish(ctx context.Context, waiting []bellwire.Unmatched) (dispatched int, err error) {
	s := &submission{done: make(chan struct{}, 1)}
	err = d.publisher.publish(ctx, waiting[0].Event.Tenant, s, filler{d.directory, waiting, s})
	return len(s.events), err
}

// filler fills a submission with events that were published inside the database.
type filler struct {
	directory Directory
	waiting   []bellwire.Unmatched
	to        *submission
}

// Check checks events for at most dispatchSlice, at least one, and puts them into the submission.
func (f filler) Check(ctx context.Context, _ bool) (catalogue int64, err error) {
	s, waiting := f.to, f.waiting
	s.events, s.bytes = nil, 0
	schemas, catalogue, err := f.directory.Schemas(ctx, waiting[0].Event.Tenant)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	for i := range waiting {
		if i > 0 && time.Since(started) > dispatchSlice {
			break
		}
		e := bellwire.NewEvent{Event: *waiting[i].Event, Unmatched: true}
		if e.Event.Problem, err = misfit(ctx, schemas, &e.Event); err != nil {
			return 0, err
		}
		s.events = append(s.events, e)
		s.bytes += len(e.Event.Data)
	}
	s.targets = make([][]*bellwire.Target, len(s.events))
	return catalogue, nil
}

// misfit returns why an event's data does not fit the schema of its type, or "" if it does. The data was committed unchecked, so
// a check that panics must not end the process.
func misfit(ctx context.Context, schemas bellwire.Schemas, e *bellwire.Event) (problem string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = bellwire.Wrap(bellwire.CodeInternal, fmt.Errorf("%v", p), "the data could not be checked against the schema of event type %q", e.Type)
		}
	}()
	if bellwire.IsOperational(e.Type) {
		return "event types that begin with " + bellwire.OperationalPrefix + " are reserved for Bellwire's operational events", nil
	}
	refusal := schemas.Check(ctx, e)
	if bellwire.CodeOf(refusal) != bellwire.CodeInvalid {
		return "", refusal
	}
	return messageOf(refusal), nil
}

// messageOf returns the text of an error that tenants may read, with the field that it is about.
func messageOf(err error) string {
	var known *bellwire.Error
	if !errors.As(err, &known) {
		return "an internal error occurred"
	}
	return known.Summary()
}
