package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Bounds of the intake; what tenants share is in package limits.
const (
	tenantTurn         = 32 // events that a tenant may have stored in its turn, while others wait for theirs
	appendTries        = 3  // of a group whose commit's outcome is unknown
	appendPause        = 100 * time.Millisecond
	overloadRetryAfter = time.Second
)

// submission is a publication on its way through the intake.
type submission struct {
	events  []bellwire.NewEvent
	targets [][]*bellwire.Target // for each event, who gets it
	append  bellwire.Append
	bytes   int
	test    bool // delivered by hand, not by the schedule

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

// maxWaiting returns how many deliveries of the tenant may wait to be stored.
func (s *submission) maxWaiting() int {
	for _, targets := range s.targets {
		if len(targets) > 0 && targets[0].Limits != nil && targets[0].Limits.FanOut > 0 {
			return targets[0].Limits.FanOut
		}
	}
	return int(limits.FanOut.Default)
}

// recipients returns who gets an event of a wide submission. Events with the same targets share the list.
func (s *submission) recipients(event int, lists map[**bellwire.Target]*bellwire.Recipients) *bellwire.Recipients {
	targets := s.targets[event]
	if len(targets) == 0 {
		return nil
	}
	list := lists[&targets[0]]
	if list == nil || len(*list) != len(targets) {
		list = new(bellwire.Recipients)
		for _, t := range targets {
			*list = append(*list, bellwire.Recipient{Endpoint: t.Endpoint.ID, Ordered: t.Endpoint.Ordering == bellwire.OrderingFIFO})
		}
		lists[&targets[0]] = list
	}
	return list
}

// intake groups concurrent publications: what queued while one group was being committed is the next one.
// Tenants take turns in it, so that one who floods delays the others by a group and not by all that it has sent. A turn
// is worth so many events, not publications: who publishes in batches gets no more than who does not.
type intake struct {
	engine *Engine
	ids    *bellwire.Sequence
	bytes  bound         // on the data that waits
	wake   chan struct{} // capacity 1

	failure atomic.Pointer[failure] // why the last group was not stored; nil: it was

	mu      sync.Mutex
	tenants map[string]*waiting
	turns   queue[*waiting] // those with something to store
	all     amount
	closed  bool

	// Reused from group to group.
	appends []*bellwire.Append
	places  []placement
	jobs    []*job
}

// bound is how much there may be, and how much of it is for tenants who have nothing.
type bound struct{ most, reserve int64 }

// The data that waits in the intake of ordinary publications, and in that of bulky ones.
var (
	ordinaryBytes = bound{limits.IntakeBytes, limits.IntakeBytesReserve}
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

// fits reports whether a tenant of whom so much waits may have one more waiting, beside all that waits. It always may have
// one if nothing waits.
func (in *intake) fits(a amount, s *submission) bool {
	if in.all.submissions == 0 {
		return true
	}
	return share.Fits(int64(a.submissions), 1, int64(limits.IntakePublishes-in.all.submissions), limits.IntakePublishesReserve) &&
		share.Fits(int64(a.bytes), int64(s.bytes), in.bytes.most-int64(in.all.bytes), in.bytes.reserve)
}

// waiting is what one tenant has in the intake.
type waiting struct {
	tenant string
	queue  queue[*submission]
	amount amount
	credit int // events that it may still have stored in this turn; a batch beyond it is taken from the turns to come
}

func newIntake(e *Engine, ids *bellwire.Sequence, bytes bound) *intake {
	return &intake{engine: e, ids: ids, bytes: bytes, wake: make(chan struct{}, 1), tenants: map[string]*waiting{}}
}

// submit hands a submission in and waits for its group's commit. What is bulky has an intake of its own, so that nobody
// else's small events wait until megabytes have been committed.
func (e *Engine) submit(ctx context.Context, s *submission) error {
	if s.bytes > limits.BulkFrom {
		return e.bulk.submit(ctx, s)
	}
	return e.intake.submit(ctx, s)
}

// submit hands a submission in and waits for its group's commit.
func (in *intake) submit(ctx context.Context, s *submission) error {
	if err := in.engine.enter(); err != nil {
		return err
	}
	defer in.engine.leave()
	if err := in.push(s); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.result.Err
	case <-ctx.Done():
		return bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx),
			"The publisher went away before the answer; whether the event was taken is open. Repeat it with the same id.")
	}
}

// push queues a submission, unless its tenant has its share of what may wait, or others have taken everything.
func (in *intake) push(s *submission) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	tenant := s.events[0].Event.Tenant
	w := in.tenants[tenant]
	switch {
	case w == nil && !in.fits(amount{}, s):
		return overloaded()
	case w == nil:
		w = &waiting{tenant: tenant, credit: tenantTurn}
	case !in.fits(w.amount, s):
		return tooFast()
	}
	in.all.add(s, 1)
	w.amount.add(s, 1)
	w.queue.push(s)
	if w.queue.len() == 1 {
		in.tenants[tenant] = w
		in.turns.push(w)
	}
	poke(in.wake)
	return nil
}

// pop takes the next submission, nil if there is none.
func (in *intake) pop() *submission {
	w := in.turn()
	if w == nil {
		return nil
	}
	s := w.queue.pop()
	in.all.add(s, -1)
	w.amount.add(s, -1)
	w.credit -= len(s.events)
	if w.queue.len() == 0 {
		in.turns.pop()
		delete(in.tenants, w.tenant)
	}
	return s
}

// turn returns the tenant whose turn it is, nil if none waits.
func (in *intake) turn() *waiting {
	for in.turns.len() > 1 && in.turns.first().credit <= 0 {
		w := in.turns.pop()
		w.credit += tenantTurn
		in.turns.push(w)
	}
	if in.turns.len() == 0 {
		return nil
	}
	return in.turns.first()
}

func overloaded() error {
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "More is being published than can be stored at the moment; nothing was taken. Try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// tooFast refuses who has too much waiting, while others may still have.
func tooFast() error {
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    "Too many of your publishes wait to be stored; nothing was taken. Send fewer at the same time, and try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// tooWide refuses a batch that has more deliveries than may ever wait.
func tooWide(deliveries, most int) error {
	return &bellwire.Error{
		Code: bellwire.CodeTooLarge, Field: "events",
		Message: fmt.Sprintf("The batch would make %d deliveries; at most %d may wait to be stored. Send it in parts.", deliveries, most),
	}
}

// run stores groups until the intake is closed and empty.
func (in *intake) run() {
	group := make([]*submission, 0, limits.GroupEvents)
	for {
		group = in.gather(group[:0])
		if len(group) > 0 {
			in.store(group)
			clear(group)
			continue
		}
		in.mu.Lock()
		closed := in.closed
		in.mu.Unlock()
		if closed {
			return
		}
		<-in.wake
	}
}

// close ends run once all that was submitted is stored.
func (in *intake) close() {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	poke(in.wake)
}

// length returns how many publications wait.
func (in *intake) length() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.all.submissions
}

// gather takes what has queued, within bounds.
func (in *intake) gather(group []*submission) []*submission {
	in.mu.Lock()
	defer in.mu.Unlock()
	events, deliveries, bytes, mostEvents, mostDeliveries := 0, 0, 0, limits.GroupEvents, limits.GroupDeliveries
	if in.turns.len() > 1 { // each of them waits for the group before its own
		mostEvents, mostDeliveries = limits.SharedGroupEvents, limits.SharedGroupDeliveries
	}
	for events < mostEvents && deliveries < mostDeliveries && bytes < limits.GroupBytes {
		s := in.pop()
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

// store commits a group, hands its deliveries to their lanes and answers its publishers.
func (in *intake) store(group []*submission) {
	started := time.Now()
	in.appends, in.places, in.jobs = in.appends[:0], in.places[:0], in.jobs[:0]
	created := in.engine.clock()
	for _, s := range group {
		in.prepare(s, started, created)
		created = created.Add(time.Duration(len(s.events)) * time.Microsecond)
	}
	in.commit(group, in.appends)
	in.handOver(group)
	events, deliveries := 0, 0
	for _, s := range group {
		if s.result.Err == nil {
			events += len(s.events)
			deliveries += s.deliveries()
		}
	}
	in.engine.observer.Appended(events, deliveries, time.Since(started))
	for _, s := range group {
		if slices.ContainsFunc(s.result.Events, func(e bellwire.AppendedEvent) bool { return e.Deferred }) {
			poke(in.engine.fanOut.wake)
		}
		s.done <- struct{}{}
	}
	clear(in.appends)
	clear(in.places)
	clear(in.jobs)
}

// prepare gives a submission's events their ids and the time by the wall clock, a microsecond after each other, and finds
// places for its deliveries. The store has the last word on the time: another node's clock may be ahead.
func (in *intake) prepare(s *submission, now, created time.Time) {
	s.append.Events = s.append.Events[:0]
	wide := s.wide()
	var lists map[**bellwire.Target]*bellwire.Recipients
	if wide {
		lists = make(map[**bellwire.Target]*bellwire.Recipients)
	}
	for i := range s.events {
		e := &s.events[i]
		if !e.Unmatched { // which has both since it was published
			at := created.Add(time.Duration(i) * time.Microsecond)
			e.Event.ID = bellwire.Next[bellwire.EventKind](in.ids, at)
			e.Event.CreatedAt = stored(at)
		}
		e.Event.Deliveries = len(s.targets[i])
		s.append.Events = append(s.append.Events, e)
		e.Deliveries, e.Recipients = e.Deliveries[:0], nil
		if wide {
			e.Recipients = s.recipients(i, lists)
			continue
		}
		e.Deliveries = in.deliveries(e.Deliveries, e, s, i)
		first := len(in.places)
		event := newContent(&e.Event)
		if len(s.events) > 1 {
			event.Event = new(e.Event) // a queued delivery must not keep its whole batch in memory
		}
		if s.test {
			in.places = append(in.places, make([]placement, len(s.targets[i]))...)
		} else {
			in.places = in.engine.scheduler.reserve(now, s.targets[i], event, in.places)
		}
		for k, p := range in.places[first:] {
			e.Deliveries[k].Epoch = p.epoch
			e.Deliveries[k].Manual = s.test
			in.jobs = append(in.jobs, newJob(event, &e.Deliveries[k]))
		}
	}
	in.appends = append(in.appends, &s.append)
}

// deliveries makes the rows for those who get an event.
func (in *intake) deliveries(rows []bellwire.NewDelivery, e *bellwire.NewEvent, s *submission, event int) []bellwire.NewDelivery {
	first := 0
	if e.Unmatched { // so that of two who match it each knows whose deliveries were stored
		first = rand.IntN(bellwire.MaxDeliveries - 2*len(s.targets[event]) + 1) // the last ones are FanOut's
	}
	for k, t := range s.targets[event] {
		rows = append(rows, bellwire.NewDelivery{
			ID:       bellwire.DeliveryOf(e.Event.ID, first+k),
			Endpoint: t.Endpoint.ID,
			Ordered:  t.Endpoint.Ordering == bellwire.OrderingFIFO && !s.test,
		})
	}
	return rows
}

// newJob makes what a lane needs of a delivery, nil if it is written free.
func newJob(e *content, d *bellwire.NewDelivery) *job {
	if d.Epoch == 0 {
		return nil
	}
	return &job{
		event:   e,
		trigger: bellwire.TriggerSchedule,
		delivery: bellwire.Delivery{
			ID: d.ID, Event: e.ID, EventType: e.Type, Tenant: e.Tenant, Endpoint: d.Endpoint,
			Status: bellwire.DeliveryPending, Epoch: d.Epoch, DueAt: e.CreatedAt, CreatedAt: e.CreatedAt,
		},
	}
}

// commit stores appends. Where the database refuses the whole, it is halved until the one at fault stands
// alone, so that nobody is answered for another's input.
func (in *intake) commit(group []*submission, appends []*bellwire.Append) {
	results, err := in.append(appends)
	if err == nil {
		for i, s := range group {
			s.result = results[i]
		}
		in.failure.Store(nil)
		return
	}
	in.engine.observer.StoreFailed("append events", err)
	if passing(err) {
		in.failure.Store(&failure{err, time.Now()})
	}
	if len(group) == 1 || bellwire.CodeOf(err) != bellwire.CodeInternal {
		for _, s := range group {
			s.result = bellwire.AppendResult{Err: err}
		}
		return
	}
	half := len(group) / 2
	in.commit(group[:half], appends[:half])
	in.commit(group[half:], appends[half:])
}

// append stores appends in one transaction, and repeats it with the same ids while nobody knows whether
// it was committed.
func (in *intake) append(appends []*bellwire.Append) (results []bellwire.AppendResult, err error) {
	for try := range appendTries {
		if try > 0 {
			sleep(in.engine.storeCtx, appendPause<<try)
		}
		ctx, cancel := context.WithTimeout(in.engine.storeCtx, storeTimeout)
		results, err = in.engine.store.AppendEvents(ctx, appends)
		cancel()
		if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			break
		}
	}
	if err != nil && in.engine.storeCtx.Err() != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err,
			"This node stopped before the store answered; whether the event was taken is open. Repeat it with the same id.")
	}
	return results, err
}

// handOver gives stored deliveries to their lanes, and takes back the places of what was not stored.
func (in *intake) handOver(group []*submission) {
	now := time.Now()
	at := 0
	for _, s := range group {
		for i := range s.events {
			n := len(s.events[i].Deliveries)
			places, jobs := in.places[at:at+n], in.jobs[at:at+n]
			at += n
			switch {
			case s.result.Err == nil && !s.result.Events[i].Duplicate && !s.result.Events[i].Deferred:
				settle(jobs, &s.result.Events[i])
				in.engine.scheduler.accept(now, places, jobs)
			case passing(s.result.Err):
				in.engine.scheduler.abandon(places, jobs)
			default:
				in.engine.scheduler.cancel(places, jobs)
			}
		}
	}
}

// settle completes an event's jobs with what the store has decided.
func settle(jobs []*job, e *bellwire.AppendedEvent) {
	for k, sequence := range e.Sequences {
		if jobs[k] != nil {
			jobs[k].delivery.Sequence = sequence
			jobs[k].event.CreatedAt = e.CreatedAt
		}
	}
}

// Digest identifies what is published: its type and data. A publisher's id stands for one of them.
func (d *Draft) Digest() [32]byte {
	h := sha256.New()
	h.Write([]byte(d.Type))
	h.Write([]byte{0})
	h.Write(d.Data)
	return [32]byte(h.Sum(nil))
}
