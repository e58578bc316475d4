package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Bounds of a batcher. What tenants share is in package limits.
const (
	tenantQuantum      = limits.GatherEvents // events of a tenant that are stored in one turn, while others wait for theirs
	appendTries        = 3                   // of a group whose commit's outcome is unknown
	appendPause        = 100 * time.Millisecond
	overloadRetryAfter = time.Second

	contendedFor = time.Second // how long after a change of tenant the batcher counts as contended
)

// submission is a publication on its way to the store.
type submission struct {
	events  []bellwire.NewEvent
	drafts  []Draft              // of the events, whose versions the Checker sets; nil: it sets none
	targets [][]*bellwire.Target // the recipients of each event
	append  bellwire.Append
	bytes   int
	test    bool                 // a test: one attempt, outside the schedule
	span    *bellwire.Publishing // to be recorded; nil: it is not

	result bellwire.AppendResult
	done   chan struct{} // capacity 1
}

func (s *submission) deliveries() int {
	n := 0
	for _, t := range s.targets {
		n += len(t)
	}
	return n
}

// wide reports whether the deliveries are too many to be stored with their events.
func (s *submission) wide() bool { return s.deliveries() > limits.FanOutFrom }

// maxDeferred returns how many deliveries of the tenant may wait to be stored.
func (s *submission) maxDeferred() int {
	for _, targets := range s.targets {
		if len(targets) > 0 && targets[0].Limits != nil && targets[0].Limits.FanOut > 0 {
			return targets[0].Limits.FanOut
		}
	}
	return int(limits.FanOut.Default)
}

// recipientsKey is what events have in common that have the same list of recipients.
type recipientsKey struct {
	targets        **bellwire.Target // the first element
	delayed, keyed bool
}

// ordered reports whether an endpoint's delivery of an event is in the endpoint's order.
func ordered(t *bellwire.Target, e *bellwire.Event) bool {
	return (t.Endpoint.Ordering == bellwire.OrderingFIFO || keyed(t, e)) && !e.Delayed()
}

// keyed reports whether the order of an endpoint's delivery of an event, if it is in one, is that of the event's ordering key.
func keyed(t *bellwire.Target, e *bellwire.Event) bool {
	return t.Endpoint.Ordering == bellwire.OrderingKey && e.OrderingKey != ""
}

// recipients returns the recipients of an event of a wide submission.
func (s *submission) recipients(event int, lists map[recipientsKey]*bellwire.Recipients) *bellwire.Recipients {
	targets, e := s.targets[event], &s.events[event].Event
	if len(targets) == 0 {
		return nil
	}
	key := recipientsKey{&targets[0], e.Delayed(), e.OrderingKey != ""}
	list := lists[key]
	if list == nil || len(*list) != len(targets) {
		list = new(bellwire.Recipients)
		for _, t := range targets {
			*list = append(*list, bellwire.Recipient{Endpoint: t.Endpoint.ID, Ordered: ordered(t, e)})
		}
		lists[key] = list
	}
	return list
}

// batcher commits concurrent publications in groups: the publications that arrive during one commit form the next group.
// Tenants take turns, so a tenant that floods delays the others by one group and not by all that it has sent. The quantum of a
// turn is a number of events, not of publications, so tenants that publish in batches get no more than others.
type batcher struct {
	batcherDeps
	bytes bound         // on the data that waits to be stored
	wake  chan struct{} // capacity 1

	failure atomic.Pointer[failure] // why the last group was not stored; nil: it was

	mu        sync.Mutex
	tenants   map[string]*waiting
	turns     fifo.Queue[*waiting] // tenants with something to store
	gathering []*waiting           // tenants with waiting submissions whose turn is delayed, so that more events gather
	last      string               // the tenant that was stored last
	contended time.Time            // when the batcher last went from one tenant to another
	all       amount
	closed    bool

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
	storing   *storingTimes
}

// bound is the most that may wait, and how much of it is kept for tenants that have nothing waiting.
type bound struct{ most, reserve int64 }

// The bounds on the data that waits in the batcher of ordinary publications, and in that of bulky ones.
var (
	ordinaryBytes = bound{limits.BatcherBytes, limits.BatcherBytesReserve}
	bulkyBytes    = bound{limits.BulkBytes, limits.BulkBytesReserve}
)

// failure is why and when a group was not stored.
type failure struct {
	err error
	at  time.Time
}

// amount is how much waits to be stored.
type amount struct {
	submissions int
	bytes       int
}

func (a *amount) add(s *submission, sign int) {
	a.submissions += sign
	a.bytes += sign * s.bytes
}

// fits reports whether s may wait too, for a tenant that has the amount a waiting. If nothing waits, anything fits.
func (b *batcher) fits(a amount, s *submission) bool {
	if b.all.submissions == 0 {
		return true
	}
	return share.Fits(int64(a.submissions), 1, int64(limits.BatcherPublications-b.all.submissions), limits.BatcherPublicationsReserve) &&
		share.Fits(int64(a.bytes), int64(s.bytes), b.bytes.most-int64(b.all.bytes), b.bytes.reserve)
}

// waiting is what one tenant has in a batcher.
type waiting struct {
	tenant      string
	queue       fifo.Queue[*submission]
	amount      amount
	events      int       // in queue
	credit      int       // events that may still be stored in this turn; a larger batch uses up later turns
	gatherUntil time.Time // the end of its wait for more events, after its last group
}

// gathers reports whether the tenant lets more of its events gather. Those of a quantum are enough.
func (w *waiting) gathers(now time.Time) bool {
	return w.events < tenantQuantum && now.Before(w.gatherUntil)
}

func newBatcher(deps batcherDeps, bytes bound) *batcher {
	return &batcher{batcherDeps: deps, bytes: bytes, wake: make(chan struct{}, 1), tenants: map[string]*waiting{}}
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

// push queues a submission. It refuses the submission if its tenant has used up its share of the queue, or if all tenants
// together have filled the queue.
func (b *batcher) push(s *submission) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	tenant := s.events[0].Event.Tenant
	w := b.tenants[tenant]
	switch {
	case w == nil && !b.fits(amount{}, s):
		return overloaded()
	case w == nil:
		w = &waiting{tenant: tenant, credit: tenantQuantum}
	case !b.fits(w.amount, s):
		return tooFast()
	}
	b.all.add(s, 1)
	w.amount.add(s, 1)
	w.events += len(s.events)
	w.queue.Push(s)
	if w.queue.Len() == 1 {
		b.tenants[tenant] = w
		b.turns.Push(w)
	}
	if !w.gathers(time.Now()) {
		poke(b.wake)
	}
	return nil
}

// pop takes the next submission, or returns nil if there is none.
func (b *batcher) pop(now time.Time) *submission {
	w := b.turn(now)
	if w == nil {
		return nil
	}
	if b.last != w.tenant {
		if b.last != "" {
			b.contended = now
		}
		b.last = w.tenant
	}
	s := w.queue.Pop()
	b.all.add(s, -1)
	w.amount.add(s, -1)
	w.events -= len(s.events)
	w.credit -= len(s.events)
	if w.queue.Len() == 0 {
		b.turns.Pop()
		delete(b.tenants, w.tenant)
	}
	return s
}

// turn returns the tenant whose turn it is, or nil if none waits.
func (b *batcher) turn(now time.Time) *waiting {
	for b.turns.Len() > 0 {
		w := b.turns.First()
		switch {
		case w.gathers(now) && !b.closed:
			b.gathering = append(b.gathering, b.turns.Pop())
		case b.turns.Len() == 1:
			w.credit = tenantQuantum // nobody waits for it, so it uses up no later turns
			return w
		case w.credit <= 0:
			w.credit += tenantQuantum
			b.turns.Push(b.turns.Pop())
		default:
			return w
		}
	}
	return nil
}

// delayTurns delays the next turn of each tenant of the group that has more submissions waiting, if other tenants publish too. Each
// transaction costs as much as several events, and several nodes that store a tenant's events wait for each other. So a tenant that publishes faster
// than its events are stored one by one leaves processors and locks to others, and more the longer storing takes.
func (b *batcher) delayTurns(group []*submission, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.contended) > contendedFor {
		return
	}
	until := now.Add(min(took, limits.GatherMost))
	for _, s := range group {
		if w := b.tenants[s.events[0].Event.Tenant]; w != nil {
			w.gatherUntil = until
		}
	}
}

// endGathering lets the tenants take turns whose wait for more events has ended, and returns how long the next one still waits;
// 0: none does.
func (b *batcher) endGathering(now time.Time) (next time.Duration) {
	b.gathering = slices.DeleteFunc(b.gathering, func(w *waiting) bool {
		if w.gathers(now) && !b.closed {
			if left := w.gatherUntil.Sub(now); next == 0 || left < next {
				next = left
			}
			return false
		}
		b.turns.Push(w)
		return true
	})
	return next
}

func overloaded() error {
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "more is being published than this node can store; nothing was stored",
		Hint:       "Try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// tooFast refuses a tenant that has too much waiting, while others have not.
func tooFast() error {
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    "too many of your events wait to be stored; nothing was stored",
		Hint:       "Send fewer at the same time, and try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// tooWide refuses a batch with more deliveries than may ever wait.
func tooWide(deliveries, most int) error {
	return &bellwire.Error{
		Code: bellwire.CodeTooLarge, Field: "events",
		Message: fmt.Sprintf("would make %d deliveries, and at most %d may wait to be stored; send the batch in parts", deliveries, most),
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

// wait waits for something to store. It returns false if the batcher is closed.
func (b *batcher) wait() bool {
	b.mu.Lock()
	closed, left := b.closed, b.endGathering(time.Now())
	ready := b.turns.Len() > 0
	b.mu.Unlock()
	switch {
	case closed || ready:
		return ready
	case left == 0:
		<-b.wake
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-b.wake:
	case <-timer.C:
	}
	return true
}

// close ends run once everything that was submitted is stored.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	poke(b.wake)
}

// length returns how many publications wait.
func (b *batcher) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.submissions
}

// takeGroup takes what has been queued, within bounds.
func (b *batcher) takeGroup(group []*submission) []*submission {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.endGathering(now)
	events, deliveries, bytes, mostEvents, mostDeliveries := 0, 0, 0, limits.GroupEvents, limits.GroupDeliveries
	if b.turns.Len() > 1 { // each tenant waits for the groups before its own
		mostEvents, mostDeliveries = limits.SharedGroupEvents, limits.SharedGroupDeliveries
	}
	for events < mostEvents && deliveries < mostDeliveries && bytes < limits.GroupBytes {
		s := b.pop(now)
		if s == nil {
			break
		}
		group = append(group, s)
		events += len(s.events)
		if !s.wide() {
			deliveries += s.deliveries()
		}
		bytes += s.bytes
	}
	return group
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
	b.storing.add(took)
	b.delayTurns(group, took) // before the publishers go on
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

// newTask returns the task of a delivery, or nil if the delivery is stored free.
func newTask(e *lanes.Content, d *bellwire.NewDelivery) *lanes.Task {
	if d.Epoch == 0 {
		return nil
	}
	task := &lanes.Task{
		Content: e,
		Trigger: bellwire.TriggerSchedule,
		Delivery: bellwire.Delivery{
			ID: d.ID, Event: e.ID, EventType: e.Type, Tenant: e.Tenant, Endpoint: d.Endpoint,
			Status: bellwire.DeliveryPending, Epoch: d.Epoch, DueAt: e.CreatedAt, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
		},
	}
	if d.Keyed {
		task.Delivery.Key = bellwire.HashOrderingKey(e.OrderingKey)
	}
	return task
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
