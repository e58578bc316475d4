package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// How often a group whose commit's outcome is unknown is stored again.
const (
	appendTries = 3
	appendPause = 100 * time.Millisecond // doubled each time
)

// batcher commits concurrent publications in groups: the publications that arrive during one commit form the next group.
type batcher struct {
	batcherDeps
	*batchQueue

	failure atomic.Pointer[failure] // why the last group was not stored; nil: it was

	// Reused from group to group.
	appends      []*bellwire.Append
	reservations []lanes.Reservation
	tasks        []*lanes.Task
	routes       []route
}

// batcherDeps is what batchers are given.
type batcherDeps struct {
	store     Store
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	clock     clock
	ids       *bellwire.Sequence
	deferred  func() // wakes the fan-out
	expires   func(at time.Time)
	forwarder *forwarder
	commits   *commitTimer
}

// failure is why and when a group was not stored.
type failure struct {
	err error
	at  time.Time
}

func newBatcher(deps batcherDeps, bytes bound) *batcher {
	return &batcher{batcherDeps: deps, batchQueue: newBatchQueue(bytes)}
}

// submit queues a submission and waits for its group's commit.
func (b *batcher) submit(ctx context.Context, s *submission) error {
	if err := b.push(s); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.result.Err
	case <-ctx.Done():
		return bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx),
			"the publisher disconnected before the answer, and the event may or may not be stored; repeat it with the same id")
	}
}

// run stores groups until the batcher is closed and empty. When ctx ends it stops waiting for the store.
func (b *batcher) run(ctx context.Context) {
	group := make([]*submission, 0, limits.GroupEvents)
	for {
		group = b.takeGroup(group[:0])
		if len(group) > 0 {
			b.storeGroup(ctx, group)
			clear(group)
			continue
		}
		if !b.wait() {
			return
		}
	}
}

// storeGroup commits a group, hands its deliveries to their lanes and answers its publishers.
func (b *batcher) storeGroup(ctx context.Context, group []*submission) {
	started := time.Now()
	b.appends, b.reservations, b.tasks, b.routes = b.appends[:0], b.reservations[:0], b.tasks[:0], b.routes[:0]
	created := b.clock()
	for _, s := range group {
		b.prepare(s, started, created)
		created = created.Add(time.Duration(len(s.events)) * time.Microsecond)
	}
	b.commit(ctx, group, b.appends)
	b.settle(group)
	events, deliveries := 0, 0
	for _, s := range group {
		if s.result.Err == nil {
			events += len(s.events)
			deliveries += s.deliveries()
		}
	}
	took := time.Since(started)
	b.observer.Appended(events, deliveries, took)
	b.commits.add(took)
	b.delayNext(group, took) // before the publishers go on
	for _, s := range group {
		if slices.ContainsFunc(s.result.Events, func(e bellwire.AppendedEvent) bool { return e.Deferred }) {
			b.deferred()
		}
		s.done <- struct{}{}
	}
	clear(b.appends)
	clear(b.reservations)
	clear(b.tasks)
	clear(b.routes)
}

// prepare gives a submission's events their ids and times by the wall clock, a microsecond apart, and reserves places for its
// deliveries. The store decides the time in the end: another node's clock may be ahead.
func (b *batcher) prepare(s *submission, now, created time.Time) {
	s.append.Events = s.append.Events[:0]
	wide := s.wide()
	var lists map[recipientsKey]*bellwire.Recipients
	if wide {
		lists = make(map[recipientsKey]*bellwire.Recipients)
	}
	for i := range s.events {
		e := &s.events[i]
		if !e.Unmatched { // an unmatched event got both when it was published
			at := created.Add(time.Duration(i) * time.Microsecond)
			e.Event.ID = bellwire.Next[bellwire.EventKind](b.ids, at)
			e.Event.CreatedAt = bellwire.StoredTime(at)
		}
		e.Event.Deliveries = len(s.targets[i])
		s.append.Events = append(s.append.Events, e)
		e.Deliveries, e.Recipients = e.Deliveries[:0], nil
		if wide {
			e.Recipients = s.recipients(i, lists)
			continue
		}
		e.Deliveries = b.deliveries(e.Deliveries, e, s, i)
		first := len(b.reservations)
		content := lanes.NewContent(&e.Event)
		if len(s.events) > 1 {
			content.Event = new(e.Event) // a queued delivery must not keep its whole batch in memory
		}
		if s.test || e.Event.Delayed() {
			b.reservations = append(b.reservations, make([]lanes.Reservation, len(s.targets[i]))...)
		} else {
			b.reservations = b.scheduler.Reserve(now, s.targets[i], content, b.reservations)
		}
		for k, r := range b.reservations[first:] {
			e.Deliveries[k].Epoch = r.Epoch()
			e.Deliveries[k].Manual = s.test
			b.tasks = append(b.tasks, newTask(content, &e.Deliveries[k]))
		}
		if s.test || e.Event.Delayed() {
			b.routes = append(b.routes, make([]route, len(s.targets[i]))...)
		} else {
			b.routes = b.forwarder.plan(e, s.targets[i], b.routes)
		}
	}
	b.appends = append(b.appends, &s.append)
}

// deliveries appends the rows for the recipients of an event.
func (b *batcher) deliveries(rows []bellwire.NewDelivery, e *bellwire.NewEvent, s *submission, event int) []bellwire.NewDelivery {
	first := 0
	if e.Unmatched { // two nodes may match it; random numbers show each of them whose deliveries were stored
		first = rand.IntN(bellwire.MaxDeliveries - 2*len(s.targets[event]) + 1) // the last numbers are for the fan-out
	}
	for k, t := range s.targets[event] {
		inOrder := !s.test && ordered(t, &e.Event)
		rows = append(rows, bellwire.NewDelivery{
			ID:       bellwire.DeliveryOf(e.Event.ID, first+k),
			Endpoint: t.Endpoint.ID,
			Ordered:  inOrder,
			Keyed:    inOrder && keyed(t, &e.Event),
		})
	}
	return rows
}

// commit stores appends. If the database refuses the group, commit halves it until the append at fault stands alone, so that no
// publisher gets an error for another's input.
func (b *batcher) commit(ctx context.Context, group []*submission, appends []*bellwire.Append) {
	results, err := b.append(ctx, appends)
	if err == nil {
		for i, s := range group {
			s.result = results[i]
		}
		b.failure.Store(nil)
		return
	}
	b.observer.StoreFailed("append events", err)
	if isTransient(err) {
		b.failure.Store(&failure{err, time.Now()})
	}
	if len(group) == 1 || bellwire.CodeOf(err) != bellwire.CodeInternal {
		for _, s := range group {
			s.result = bellwire.AppendResult{Err: err}
		}
		return
	}
	half := len(group) / 2
	b.commit(ctx, group[:half], appends[:half])
	b.commit(ctx, group[half:], appends[half:])
}

// append stores appends in one transaction. It repeats that, with the same ids, while the outcome of the commit is unknown.
func (b *batcher) append(ctx context.Context, appends []*bellwire.Append) (results []bellwire.AppendResult, err error) {
	for try := range appendTries {
		if try > 0 {
			sleep(ctx, appendPause<<try)
		}
		once, cancel := context.WithTimeout(ctx, storeTimeout)
		results, err = b.store.AppendEvents(once, appends)
		cancel()
		if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			break
		}
	}
	if err != nil && ctx.Err() != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err,
			"this node stopped before the store answered, and the event may or may not be stored; repeat it with the same id")
	}
	return results, err
}

// settle hands stored deliveries to their lanes, and gives back the places of those that were not stored.
func (b *batcher) settle(group []*submission) {
	now := time.Now()
	at := 0
	for _, s := range group {
		for i := range s.events {
			n := len(s.events[i].Deliveries)
			reserved, tasks, routes := b.reservations[at:at+n], b.tasks[at:at+n], b.routes[at:at+n]
			at += n
			switch {
			case s.result.Err == nil && !s.result.Events[i].Duplicate && !s.result.Events[i].Deferred:
				complete(tasks, &s.result.Events[i])
				b.leaveBehind(reserved, tasks, s.result.Events[i].Behind)
				b.scheduler.Commit(now, reserved, tasks)
				b.schedule(&s.events[i].Event, s.targets[i])
				b.forwarder.send(&s.events[i], &s.result.Events[i], s.targets[i], routes)
			case s.result.Err == nil && s.result.Events[i].Deferred:
				b.scheduler.Cancel(reserved, tasks)
				b.forwarder.giveBack(s.events[i].Event.Tenant, routes)
				b.schedule(&s.events[i].Event, nil)
			case isTransient(s.result.Err):
				b.scheduler.Abandon(reserved, tasks)
				b.forwarder.unknown(&s.events[i], routes)
			default:
				b.scheduler.Cancel(reserved, tasks)
				b.forwarder.giveBack(s.events[i].Event.Tenant, routes)
			}
		}
	}
	b.forwarder.flush()
}

// leaveBehind gives back the places of deliveries that are behind others of their key. They are claimed when those have ended.
func (b *batcher) leaveBehind(reserved []lanes.Reservation, tasks []*lanes.Task, behind []bool) {
	for k := range behind {
		if behind[k] {
			b.scheduler.Cancel(reserved[k:k+1], tasks[k:k+1])
			reserved[k], tasks[k] = lanes.Reservation{}, nil
		}
	}
}

// schedule tells who waits for it when a stored event is due, and when it expires.
func (b *batcher) schedule(e *bellwire.Event, targets []*bellwire.Target) {
	if !e.ExpiresAt.IsZero() {
		b.expires(e.ExpiresAt)
	}
	if !e.Delayed() {
		return
	}
	due := make([]bellwire.DueEndpoint, len(targets))
	for i, t := range targets {
		due[i] = bellwire.DueEndpoint{Endpoint: t.Endpoint.ID, Tenant: t.Endpoint.Tenant, At: b.clock.local(e.DeliverAt)}
	}
	b.scheduler.Due(due)
}

// complete fills in what the store has decided about an event's tasks.
func complete(tasks []*lanes.Task, e *bellwire.AppendedEvent) {
	for k, sequence := range e.Sequences {
		if tasks[k] != nil {
			tasks[k].Delivery.Sequence = sequence
			tasks[k].Content.CreatedAt = e.CreatedAt
		}
	}
}
