// Package engine is what moves events: the intake that stores them in groups, the lanes in which
// deliveries wait for their turn, the sender that makes attempts, the recorder that writes down what came
// of them, and the claimer that takes what is due from the store. It knows no dialect by name.
package engine

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/tls"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/engine/send"
	"github.com/bellwire/bellwire/internal/limits"
)

// Directory is the configuration as this node knows it, with secrets opened.
type Directory interface {
	// Subscriptions returns what says who gets a tenant's events of a type, and the tenant's revision that
	// it holds for. CodeNotFound if there is no such tenant.
	Subscriptions(ctx context.Context, tenant string) (match func(eventType string) []*bellwire.Target, revision int64, err error)
	// Schemas returns what refuses a tenant's data that does not fit the schema of its event type, with CodeInvalid, and
	// the operator's revision that it holds for.
	Schemas(ctx context.Context, tenant string) (fit func(eventType string, data []byte) error, revision int64, err error)
	// Target returns any endpoint, also a disabled or deleted one.
	Target(ctx context.Context, endpoint string) (*bellwire.Target, error)
	// ForgetTenant and the others have it looked up anew the next time. Those with a revision do so if what is known is of
	// no later one.
	ForgetTenant(tenant string)
	ForgetTenantAt(tenant string, revision int64)
	ForgetEndpoint(endpoint string)
	ForgetCatalogue()
	ForgetCatalogueAt(revision int64)
}

// Store is the part of the store that the engine drives.
type Store = bellwire.Queue

// Config says what an engine works with. Store and Directory are required.
type Config struct {
	Store     Store
	Directory Directory
	Inbox     bellwire.Outbox   // nil: nobody publishes inside the store's database
	Observer  bellwire.Observer // nil: nobody watches
	Logger    *slog.Logger      // nil: nothing is logged

	Node      string // this node's name in the store; empty: one is made up
	UserAgent string // of deliveries; empty: "Bellwire"
	// Guard decides which addresses deliveries may reach; nil: all that are public.
	Guard *destination.Guard
	// Dial replaces the guarded dialer, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is the base of the client's TLS configuration; nil: the system's roots.
	TLS *tls.Config

	// Now is the wall clock; nil: time.Now. Tests make it jump.
	Now func() time.Time

	// Busy reports whether the processors are behind, so that fewer attempts begin; nil: as the runtime says.
	Busy func() bool

	MaxInFlight int // requests in flight in all; 0: DefaultMaxInFlight
	MaxBegun    int // of them, those that begin at once; 0: limits.BegunPerProcessor for each processor
	MaxIdle     int // connections kept to endpoints in all; 0: DefaultMaxIdle
	MaxQueued   int // deliveries in memory in all; 0: limits.MaxQueued
	MaxBytes    int // of events and request bodies in memory in all; 0: limits.MaxMemory
}

// Defaults of a Config.
const (
	DefaultMaxInFlight = limits.MaxInFlight
	DefaultMaxIdle     = 2048
)

// Engine takes events and delivers them.
type Engine struct {
	store     Store
	directory Directory
	observer  bellwire.Observer
	logger    *slog.Logger
	node      string
	clock     clock

	intake    *intake
	bulk      *intake // of publications with much data
	scheduler *scheduler
	sender    *send.Sender
	recorder  *recorder
	claimer   *claimer
	matcher   *matcher // nil: there is no inbox
	fanOut    *fanOut
	pacer     *pacer

	leasesChanged chan struct{}             // capacity 1: by other nodes
	renewed       atomic.Pointer[time.Time] // when the leases were last renewed
	missed        chan struct{}             // capacity 1: notices may have been

	gate       sync.Mutex // guards closed
	closed     bool
	publishers sync.WaitGroup

	attempts   sync.WaitGroup
	attemptCtx context.Context
	abort      context.CancelFunc // ends attempts that a drain has no time for

	background   sync.WaitGroup // claimer, fan-out, pacer, timekeeper, watch, matcher
	stop         context.CancelFunc
	leasing      sync.WaitGroup // leases, which are kept until the last attempt is recorded
	stopLeasing  context.CancelFunc
	storing      sync.WaitGroup // intakes
	storeCtx     context.Context
	abortStoring context.CancelFunc // ends what the intake waits for
	recording    sync.WaitGroup     // recorder
	stopRecord   context.CancelFunc
}

// New makes an engine. Nothing happens before Start.
func New(c Config) *Engine {
	e := &Engine{
		store: c.Store, directory: c.Directory, observer: c.Observer, logger: c.Logger, node: c.Node,
		clock: c.Now, closed: true, leasesChanged: make(chan struct{}, 1), missed: make(chan struct{}, 1),
	}
	if e.observer == nil {
		e.observer = bellwire.NopObserver{}
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if e.clock == nil {
		e.clock = time.Now
	}
	if e.node == "" {
		e.node = cryptorand.Text()
	}
	e.recorder = newRecorder(e)
	e.claimer = &claimer{engine: e, wake: make(chan struct{}, 1)}
	ids := new(bellwire.Sequence)
	e.intake, e.bulk = newIntake(e, ids, ordinaryBytes), newIntake(e, ids, bulkyBytes)
	e.fanOut = &fanOut{engine: e, wake: make(chan struct{}, 1)}
	if c.Inbox != nil {
		e.matcher = newMatcher(e, c.Inbox)
	}
	e.scheduler = newScheduler(orDefault(c.MaxInFlight, DefaultMaxInFlight), orDefault(c.MaxQueued, limits.MaxQueued), orDefault(c.MaxBytes, limits.MaxMemory))
	e.scheduler.start = func(j *job) { e.attempts.Go(func() { e.work(j) }) }
	e.scheduler.release = e.recorder.release
	e.scheduler.wakeClaimer = func() { poke(e.claimer.wake) }
	e.scheduler.pace.most = orDefault(c.MaxBegun, limits.BegunPerProcessor*runtime.GOMAXPROCS(0))
	e.pacer = &pacer{scheduler: e.scheduler, busy: c.Busy}
	if e.pacer.busy == nil {
		e.pacer.busy = processorsBehind()
	}
	e.sender = send.New(send.Config{
		Guard: c.Guard, Dial: c.Dial, TLS: c.TLS, UserAgent: orDefault(c.UserAgent, "Bellwire"),
		IdlePerHost: bellwire.DefaultMaxInFlight, MaxIdle: orDefault(c.MaxIdle, DefaultMaxIdle),
		Owns: e.scheduler.mine, Now: e.clock,
	})
	return e
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Start takes the node's shards and begins to deliver what is due. The engine runs until Close.
func (e *Engine) Start(ctx context.Context) error {
	asked := time.Now()
	leases, err := e.store.RenewLeases(ctx, e.node)
	if err != nil {
		return err
	}
	e.own(leases, asked)
	if err := e.scan(ctx); err != nil {
		return err
	}
	var running, recordCtx, leaseCtx context.Context
	running, e.stop = context.WithCancel(context.Background())
	recordCtx, e.stopRecord = context.WithCancel(context.Background())
	leaseCtx, e.stopLeasing = context.WithCancel(context.Background())
	e.attemptCtx, e.abort = context.WithCancel(context.Background())
	e.storeCtx, e.abortStoring = context.WithCancel(context.Background())
	e.storing.Go(e.intake.run)
	e.storing.Go(e.bulk.run)
	e.recording.Go(func() { e.recorder.run(recordCtx) })
	e.background.Go(func() { e.claimer.run(running) })
	e.background.Go(func() { e.fanOut.run(running) })
	e.background.Go(func() { e.pacer.run(running) })
	e.background.Go(func() { e.keepTime(running) })
	e.background.Go(func() { e.watch(running) })
	if e.matcher != nil {
		e.background.Go(func() { e.matcher.run(running) })
	}
	if leases.Term > 0 {
		e.leasing.Go(func() { e.keepLeases(leaseCtx, leases.Term) })
	}
	e.gate.Lock()
	e.closed = false
	e.gate.Unlock()
	return nil
}

// Close stops taking events, waits for the attempts in flight until ctx ends, writes down what came of
// them, and gives everything else back to the store.
func (e *Engine) Close(ctx context.Context) error {
	e.gate.Lock()
	wasClosed := e.closed
	e.closed = true
	e.gate.Unlock()
	if wasClosed {
		return nil
	}
	stopStoring := context.AfterFunc(ctx, e.abortStoring)
	stopSending := context.AfterFunc(ctx, e.abort)
	e.publishers.Wait()
	e.intake.close()
	e.bulk.close()
	e.storing.Wait()
	e.stop()
	e.background.Wait()
	e.scheduler.drain()
	if e.scheduler.owned().Term > 0 {
		e.scheduler.surrender() // others need not wait for what is under way here
	}
	e.attempts.Wait()
	stopStoring()
	stopSending()
	e.abortStoring()
	e.abort()
	e.sender.CloseIdleConnections()
	return e.finishRecording(ctx)
}

// finishRecording writes down what is left. When the store does not answer in time, that stays taken in this
// epoch, and the next one frees it.
func (e *Engine) finishRecording(ctx context.Context) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	stopWaiting := context.AfterFunc(grace, e.stopRecord)
	e.recorder.close()
	e.recording.Wait()
	stopWaiting()
	e.stopRecord()
	e.stopLeasing()
	e.leasing.Wait()
	if grace.Err() != nil {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"The store did not take the last results; those deliveries are attempted again after the next start.")
	}
	err := e.store.ReleaseLeases(grace, e.node)
	if bellwire.CodeOf(err) == bellwire.CodeUnavailable && grace.Err() == nil {
		err = e.store.ReleaseLeases(grace, e.node) // a connection that was cut shows it when it is used
	}
	return err
}

// notReady is how long the engine says that it takes no events after it could not store some. Then somebody has to
// try again, to find out whether it can.
const notReady = 5 * time.Second

// Ready tells whether the engine takes events.
func (e *Engine) Ready() error {
	e.gate.Lock()
	closed := e.closed
	e.gate.Unlock()
	if closed {
		return shuttingDown()
	}
	for _, in := range []*intake{e.intake, e.bulk} {
		if f := in.failure.Load(); f != nil && time.Since(f.at) < notReady {
			return f.err
		}
	}
	if term := e.scheduler.owned().Term; term > 0 && time.Since(*e.renewed.Load()) > term {
		return bellwire.Errorf(bellwire.CodeUnavailable, "This node could not renew its leases for %v, and sends nothing. The log says why.", term)
	}
	return nil
}

func shuttingDown() error {
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "This node is shutting down; nothing was taken. Try again, on another node or shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// enter lets a publisher in, unless the engine is closing. Each enter has its leave.
func (e *Engine) enter() error {
	e.gate.Lock()
	defer e.gate.Unlock()
	if e.closed {
		return shuttingDown()
	}
	e.publishers.Add(1)
	return nil
}

func (e *Engine) leave() { e.publishers.Done() }

// Publish stores the events and their deliveries, all or none, and answers when they are on disk. The
// deliveries follow by themselves.
func (e *Engine) Publish(ctx context.Context, p *Publication) ([]Receipt, error) {
	s := &submission{
		events: make([]bellwire.NewEvent, len(p.Events)), targets: make([][]*bellwire.Target, len(p.Events)),
		append: bellwire.Append{OperatorRevision: p.OperatorRevision},
		done:   make(chan struct{}, 1),
	}
	for i := range p.Events {
		s.events[i] = newEvent(p.Tenant, &p.Events[i])
		s.bytes += len(p.Events[i].Data)
	}
	if err := e.submitMatched(ctx, p.Tenant, s); err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(p.Events))
	for i, event := range s.result.Events {
		receipts[i] = Receipt{Event: event.ID, Deliveries: event.Deliveries, Duplicate: event.Duplicate}
	}
	return receipts, nil
}

func newEvent(tenant string, d *Draft) bellwire.NewEvent {
	e := bellwire.NewEvent{Event: bellwire.Event{
		Tenant: tenant, Type: d.Type, Data: d.Data, IdempotencyKey: d.IdempotencyKey, OccurredAt: d.OccurredAt,
	}}
	if d.IdempotencyKey != "" {
		e.Digest = d.Digest()
	}
	return e
}

// submitMatched finds who gets the events and submits them. If the tenant's configuration has changed meanwhile, it is
// read and matched again, and what it says then holds: it was read after the events came, so that they may count as
// published at that moment. Who changes it all the time holds up nobody.
func (e *Engine) submitMatched(ctx context.Context, tenant string, s *submission) error {
	revision, err := e.match(ctx, tenant, s)
	if err != nil {
		return err
	}
	s.append.TenantRevision = revision
	if err = e.submit(ctx, s); bellwire.CodeOf(err) != bellwire.CodeStale {
		return err
	}
	e.directory.ForgetTenantAt(tenant, revision)
	again, err := e.match(ctx, tenant, s)
	if err != nil {
		return err
	}
	if again == revision {
		// It is not the tenant that has changed but the catalogue: the caller has to check again.
		return bellwire.Errorf(bellwire.CodeStale, "The catalogue has changed since the event was checked against it.")
	}
	s.append.TenantRevision = 0
	if err := e.submit(ctx, s); err != nil {
		return err
	}
	e.refreshChanged(ctx, s)
	return nil
}

// match finds who gets the events, and returns the revision of the configuration that says so.
func (e *Engine) match(ctx context.Context, tenant string, s *submission) (revision int64, err error) {
	match, revision, err := e.directory.Subscriptions(ctx, tenant)
	if err != nil {
		return 0, err
	}
	for i := range s.events {
		if e := &s.events[i].Event; e.Problem == "" {
			s.targets[i] = match(e.Type)
		}
	}
	s.append.MaxWaiting = s.maxWaiting()
	if n := s.deliveries(); n > s.append.MaxWaiting && !s.events[0].Unmatched { // which was taken already
		return 0, tooWide(n, s.append.MaxWaiting)
	}
	return revision, nil
}

// refreshChanged has those endpoints looked at again that were changed while events were stored for them: who changed one
// that had no lane then has told nobody.
func (e *Engine) refreshChanged(ctx context.Context, s *submission) {
	seen := make(map[*bellwire.Target]bool)
	for _, targets := range s.targets {
		for _, t := range targets {
			if seen[t] {
				continue
			}
			seen[t] = true
			if now, err := e.directory.Target(ctx, t.Endpoint.ID); err != nil || now != t {
				e.scheduler.refresh(t.Endpoint.ID)
			}
		}
	}
}

// Test makes an event of the draft and delivers it to this endpoint alone, once, whatever it subscribes to
// and whether or not it is paused.
func (e *Engine) Test(ctx context.Context, tenant, endpoint string, d Draft) (event bellwire.EventID, delivery bellwire.DeliveryID, err error) {
	target, err := e.directory.Target(ctx, endpoint)
	if err != nil {
		return event, delivery, err
	}
	// The revisions stay 0: it does not matter what else has changed meanwhile.
	s := &submission{
		events:  []bellwire.NewEvent{newEvent(tenant, &d)},
		targets: [][]*bellwire.Target{{target}},
		bytes:   len(d.Data),
		test:    true,
		done:    make(chan struct{}, 1),
	}
	s.events[0].Event.Test = true
	if err := e.submit(ctx, s); err != nil {
		return event, delivery, err
	}
	e.Refresh(endpoint)
	return s.events[0].Event.ID, s.events[0].Deliveries[0].ID, nil
}

// Refresh has the endpoint looked at again: its configuration has changed, or something is to be done for
// it at once. It does not wait.
func (e *Engine) Refresh(endpoint string) { e.scheduler.refresh(endpoint) }

// Forget drops a delivery that was canceled, unless its attempt is under way.
func (e *Engine) Forget(endpoint string, id bellwire.DeliveryID) { e.scheduler.forget(endpoint, id) }

// work makes attempts: the one it was started for, and then those that the scheduler has next, so that a
// goroutine with a grown stack serves many.
func (e *Engine) work(j *job) {
	for j != nil {
		target := e.scheduler.targetOf(j)
		request := send.Request{Target: target, Event: j.event.Event, Delivery: &j.delivery, Trigger: j.trigger, Body: j.event}
		sent := e.sender.Do(e.attemptCtx, &request)
		if sent.Verdict != bellwire.Acknowledged && (sent.NotSent || e.attemptCtx.Err() != nil) {
			e.scheduler.giveUp(j) // which says nothing about the endpoint
			return
		}
		if sent.Fault != "" {
			e.observer.NodeFailed(string(sent.Fault), sent.Cause)
			e.scheduler.setBack(time.Now(), j, sent.Fault.NodeWide())
			return
		}
		r := newResult(j, target, sent)
		if r.Attempt != nil {
			e.observer.Attempted(r.Attempt, target.Endpoint)
		}
		next, change, failures := e.scheduler.finish(time.Now(), r)
		if r.overdrawn {
			e.observer.Overdrawn(target.Endpoint, hostName(target))
		}
		if change != breakerSame {
			e.observer.Breaker(target.Endpoint, change == breakerOpened, failures)
		}
		e.recorder.record(r)
		j = next
	}
}

// keepTime wakes lanes when their time has come, and forgets those that are not needed.
func (e *Engine) keepTime(ctx context.Context) {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	sweep := time.Now().Add(sweepEvery)
	for {
		now := time.Now()
		if !now.Before(sweep) {
			e.scheduler.sweep(now)
			sweep = now.Add(sweepEvery)
		}
		next := sooner(sweep, e.scheduler.tick(now))
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-timer.C:
		case <-e.scheduler.wakeTimer:
		case <-ctx.Done():
			return
		}
	}
}

// Stats is a look at the engine's insides.
type Stats struct {
	Waiting      int // publications that wait to be stored
	Lanes        int
	Queued       int // deliveries in memory, waiting to be sent
	QueuedBytes  int // of events and request bodies, each counted once, and of results
	InFlight     int // requests under way
	Unrecorded   int // results that are not in the store yet
	LeftInStore  int // deliveries that found no place in memory, since the start, because their tenant had its share
	OpenBreakers int
	OwnedShards  int // for which this node sends
}

// Stats returns how the engine stands. Its cost grows with the number of lanes.
func (e *Engine) Stats() Stats {
	out := e.scheduler.stats()
	out.Waiting = e.intake.length() + e.bulk.length()
	return out
}
