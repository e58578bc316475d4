// Package engine takes events from publishers to receivers. The batcher stores them in groups, the scheduler of package lanes queues
// their deliveries, the sender of package send makes attempts, the recorder stores the results, and the claimer claims what is due from
// the store. The engine names no dialect.
package engine

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/engine/send"
	"github.com/bellwire/bellwire/internal/limits"
)

// Directory is this node's cache of the configuration, with secrets opened.
type Directory interface {
	// Subscriptions returns a tenant's endpoints, and the revision of its configuration that they are of. CodeNotFound if the
	// tenant does not exist.
	Subscriptions(ctx context.Context, tenant string) (s bellwire.Subscriptions, revision int64, err error)
	// Schemas returns the schemas for a tenant's data, and the revision of the catalogue that they are of.
	Schemas(ctx context.Context, tenant string) (s bellwire.Schemas, revision int64, err error)
	// Target returns any endpoint, even a disabled or deleted one.
	Target(ctx context.Context, endpoint string) (*bellwire.Target, error)
	// Prefetch reads endpoints that Target will be asked for, together.
	Prefetch(ctx context.Context, endpoints []string) error
	// ForgetTenant and the methods below discard what is cached, so that it is read again. Those with a revision keep what is
	// of a later one.
	ForgetTenant(tenant string)
	ForgetTenantAt(tenant string, revision int64)
	ForgetEndpoint(endpoint string)
	ForgetCatalogue()
	ForgetCatalogueAt(revision int64)
}

// Store is the part of the store that the engine uses.
type Store interface {
	bellwire.Queue
	bellwire.Jobs
	bellwire.Operations
	bellwire.Alerts
	// Event and LastAttempts are History's.
	Event(ctx context.Context, tenant string, id bellwire.EventID) (*bellwire.Event, error)
	LastAttempts(ctx context.Context, ids []bellwire.DeliveryID) (map[bellwire.DeliveryID]bellwire.AttemptResult, error)
}

// Config configures an Engine. Store and Directory are required.
type Config struct {
	Store     Store
	Directory Directory
	Outbox    bellwire.Outbox   // events published inside the store's database; nil: there are none
	Observer  bellwire.Observer // nil: nothing is observed
	Mailer    Mailer            // sends alerts; nil: none are sent
	Link      Link              // carries deliveries between nodes; nil: none are forwarded
	Told      func([]byte)      // gets the messages that other nodes tell; nil: nothing does
	Logger    *slog.Logger      // nil: nothing is logged

	Node      string // name of this node in the store; empty: a random one
	UserAgent string // of deliveries; empty: "Bellwire"
	// Guard decides which addresses deliveries may reach. Nil means all public ones.
	Guard *destination.Guard
	// Dial replaces the guarded dialer, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is the base of the client's TLS configuration. Nil means the system's roots.
	TLS *tls.Config

	// Now is the wall clock; nil: time.Now. Tests make it jump.
	Now func() time.Time

	// Busy reports whether the processors are behind, so that fewer attempts start; nil: as the runtime measures it.
	Busy func() bool
	// Late reports whether goroutines have waited long for a processor since the call before, so that jobs do less for what is
	// published; nil: as the runtime measures it.
	Late func() bool

	// RecordEvery is how long results gather that are recorded in one transaction, unless something waits for them; 0: no longer
	// than the transaction before takes.
	RecordEvery time.Duration

	MaxInFlight int // requests in flight in all; 0: DefaultMaxInFlight
	MaxStarting int // of them, those that start at once; 0: limits.StartingPerProcessor for each processor
	MaxIdle     int // connections kept to endpoints in all; 0: DefaultMaxIdle
	MaxQueued   int // deliveries in memory in all; 0: limits.MaxQueued
	MaxBytes    int // of events and request bodies in memory in all; 0: limits.MaxMemory
}

// Defaults of a Config.
const (
	DefaultMaxInFlight = limits.MaxInFlight
	DefaultMaxIdle     = 2048
)

// Engine stores events and delivers them.
type Engine struct {
	scheduler  *lanes.Scheduler
	publisher  *publisher
	recorder   *recorder
	leases     *leaseKeeper
	scanner    *scanner
	deliverer  *deliverer
	jobs       *jobRunner
	forwarder  *forwarder
	dispatcher *dispatcher // nil: there is no outbox
	observer   bellwire.Observer

	logger  *slog.Logger
	sending stages
	storing stages // end after sending
}

// New returns an engine. Nothing happens before Start.
func New(c Config) *Engine {
	c = withDefaults(c)
	clk := clock(c.Now)
	rec := &recorder{
		store: c.Store, directory: c.Directory, observer: c.Observer, clock: clk, interval: c.RecordEvery, wake: make(chan struct{}, 1),
	}
	del := &deliverer{directory: c.Directory, recorder: rec, observer: c.Observer, clock: clk, tasks: make(chan *lanes.Task)}
	cl := &claimer{store: c.Store, directory: c.Directory, observer: c.Observer, clock: clk, wake: make(chan struct{}, 1)}
	sch := lanes.New(lanes.Config{
		MaxInFlight: c.MaxInFlight, MaxQueued: c.MaxQueued, MaxBytes: c.MaxBytes, MaxStarting: c.MaxStarting,
		Start: del.start, Release: rec.release, WakeClaimer: func() { poke(cl.wake) },
	})
	rec.scheduler, del.scheduler, cl.scheduler = sch, sch, sch
	del.sender = send.New(send.Config{
		Guard: c.Guard, Dial: c.Dial, TLS: c.TLS, UserAgent: c.UserAgent, IdlePerHost: bellwire.DefaultMaxInFlight, MaxIdle: c.MaxIdle,
		Owns: sch.Owns, Now: c.Now,
	})
	scan := &scanner{store: c.Store, scheduler: sch, observer: c.Observer, clock: clk, missed: make(chan struct{}, 1)}
	keep := &leaseKeeper{
		store: c.Store, scheduler: sch, scanner: scan, observer: c.Observer, node: c.Node, changed: make(chan struct{}, 1),
	}
	fwd := &forwarder{
		link: c.Link, store: c.Store, scheduler: sch, directory: c.Directory, observer: c.Observer, began: time.Now().Add(-time.Millisecond),
	}
	if c.Link != nil {
		c.Link.Handle(fwd.receive, fwd.clock)
	}
	exp := &expirer{store: c.Store, scheduler: sch, observer: c.Observer, clock: clk, wake: make(chan struct{}, 1)}
	fan := &fanOut{store: c.Store, scheduler: sch, observer: c.Observer, wake: make(chan struct{}, 1)}
	batch := batcherDeps{
		store: c.Store, scheduler: sch, observer: c.Observer, clock: clk, ids: new(bellwire.Sequence),
		deferred: func() { poke(fan.wake) }, expires: exp.published, forwarder: fwd, commits: new(commitTimer),
	}
	pub := &publisher{
		directory: c.Directory, scheduler: sch, observer: c.Observer, gate: new(gate),
		batcher: newBatcher(batch, ordinaryBytes), bulk: newBatcher(batch, bulkyBytes),
	}
	watch := &watcher{
		store: c.Store, scheduler: sch, directory: c.Directory, observer: c.Observer, told: c.Told,
		missed: scan.missed, leasesChanged: keep.changed, fanOut: fan.wake,
	}
	run := &jobRunner{
		store: c.Store, directory: c.Directory, scheduler: sch, observer: c.Observer, logger: c.Logger, clock: clk,
		pace: &jobPace{late: c.Late, published: pub.taken.Load, commits: batch.commits.sum}, wake: make(chan struct{}, 1),
	}
	tell := &announcer{
		store: c.Store, publisher: pub, scheduler: sch, observer: c.Observer, logger: c.Logger, held: make(map[string]time.Time),
	}
	mail := &alertSender{
		store: c.Store, mailer: c.Mailer, scheduler: sch, observer: c.Observer, logger: c.Logger, failed: make(map[string]mailFailure),
	}
	keep.forwarder = fwd
	e := &Engine{scheduler: sch, forwarder: fwd, publisher: pub, recorder: rec, leases: keep, scanner: scan, deliverer: del, jobs: run, observer: c.Observer, logger: c.Logger}
	if c.Outbox != nil {
		e.dispatcher = &dispatcher{
			outbox: c.Outbox, publisher: pub, scheduler: sch, directory: c.Directory, observer: c.Observer, logger: c.Logger, node: c.Node,
			wake: make(chan struct{}, 1), ended: make(chan struct{}, 1), busy: map[string]int{},
		}
		watch.unmatched = e.dispatcher.wake
	}
	e.plan(
		&stage{name: "claimer", run: cl.run},
		&stage{name: "fan-out", run: fan.run},
		&stage{name: "expirer", run: exp.run},
		&stage{name: "jobs", run: run.run},
		&stage{name: "announcer", run: tell.run},
		&stage{name: "alerts", run: mail.run},
		&stage{name: "compactor", run: (&compactor{c.Store, c.Observer}).run},
		&stage{name: "pacer", run: (&pacer{sch, c.Busy}).run},
		&stage{name: "timekeeper", run: (&timekeeper{sch}).run},
		&stage{name: "scanner", run: scan.run},
		&stage{name: "watcher", run: watch.run},
	)
	return e
}

// withDefaults fills in what a Config leaves out.
func withDefaults(c Config) Config {
	if c.Observer == nil {
		c.Observer = bellwire.NopObserver{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Busy == nil {
		c.Busy = processorsBehind()
	}
	if c.Late == nil {
		c.Late = processorsLate()
	}
	if c.Node == "" {
		c.Node = cryptorand.Text()
	}
	c.UserAgent = orDefault(c.UserAgent, "Bellwire")
	c.MaxInFlight = orDefault(c.MaxInFlight, DefaultMaxInFlight)
	c.MaxStarting = orDefault(c.MaxStarting, limits.StartingPerProcessor*runtime.GOMAXPROCS(0))
	c.MaxIdle = orDefault(c.MaxIdle, DefaultMaxIdle)
	c.MaxQueued = orDefault(c.MaxQueued, limits.MaxQueued)
	c.MaxBytes = orDefault(c.MaxBytes, limits.MaxMemory)
	return c
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// plan lists the stages of the engine's life.
func (e *Engine) plan(loops ...*stage) {
	e.storing = stages{
		{name: "leases", run: e.leases.run}, // kept until the last result is stored
		{name: "recorder", run: e.recorder.run, stop: e.recorder.close},
	}
	e.sending = stages{{
		name: "attempts", begin: e.deliverer.begin, stop: e.deliverer.stop, wait: e.deliverer.running.Wait,
	}}
	e.sending = append(e.sending, loops...)
	if e.dispatcher != nil {
		e.sending = append(e.sending, &stage{name: "dispatcher", run: e.dispatcher.run})
	}
	e.sending = append(e.sending,
		&stage{name: "forwarder", stop: e.forwarder.close},
		&stage{name: "batcher", run: e.publisher.batcher.run, stop: e.publisher.batcher.close},
		&stage{name: "bulk batcher", run: e.publisher.bulk.run, stop: e.publisher.bulk.close},
		&stage{name: "publishers", wait: e.publisher.gate.publishers.Wait},
	)
}

// Start acquires the node's shards and starts to deliver what is due. The engine runs until Close.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.leases.begin(ctx); err != nil {
		return err
	}
	if err := e.scanner.scan(ctx); err != nil {
		released, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		return errors.Join(err, e.leases.end(released)) // or else other nodes wait for the end of the term
	}
	e.storing.start()
	e.sending.start()
	e.publisher.gate.set(true)
	return nil
}

// Close stops taking events, waits for the attempts in flight until ctx ends, stores their results, and releases all other
// deliveries.
func (e *Engine) Close(ctx context.Context) error {
	if wasOpen := e.publisher.gate.set(false); !wasOpen {
		return nil
	}
	e.sending.end(ctx, e.logger)
	e.deliverer.sender.CloseIdleConnections()
	// If the store does not answer in time, what is left stays claimed in this epoch, and the next epoch frees it.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	e.storing.end(grace, e.logger)
	if grace.Err() != nil {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the store did not accept the last results; those deliveries are attempted again after the next start")
	}
	return e.leases.end(grace)
}

// notReady is how long the engine reports that it accepts no events after it could not store some. After that, a publication
// must show whether it can.
const notReady = 5 * time.Second

// Ready returns nil if the engine accepts events, else why not.
func (e *Engine) Ready() error {
	if !e.publisher.gate.isOpen() {
		return shuttingDown()
	}
	for _, b := range []*batcher{e.publisher.batcher, e.publisher.bulk} {
		if f := b.failure.Load(); f != nil && time.Since(f.at) < notReady {
			return f.err
		}
	}
	if term := e.leases.lapsed(); term > 0 {
		return bellwire.Errorf(bellwire.CodeUnavailable, "this node could not renew its leases for %s, and sends nothing; the log says why", term)
	}
	return nil
}

// Publish stores the events and their deliveries, all or none, and returns when they are durable. The deliveries are then made
// in the background.
func (e *Engine) Publish(ctx context.Context, p *Publication) ([]Receipt, error) {
	s := &submission{
		events: make([]bellwire.NewEvent, len(p.Events)), drafts: p.Events, targets: make([][]*bellwire.Target, len(p.Events)), done: make(chan struct{}, 1),
	}
	trace := e.publisher.observer.Span(p.Trace)
	for i := range p.Events {
		s.events[i] = newEvent(p.Tenant, &p.Events[i])
		s.events[i].Event.Trace = trace
		s.bytes += len(p.Events[i].Data)
	}
	if trace.Sampled() {
		s.span = &bellwire.Publishing{Trace: trace, Tenant: p.Tenant, Events: len(p.Events), Began: time.Now()}
		defer e.publisher.traced(p, s)
	}
	if err := e.publisher.publish(ctx, p.Tenant, s, p.Checks); err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(p.Events))
	for i, event := range s.result.Events {
		receipts[i] = Receipt{Event: event.ID, Deliveries: event.Deliveries, Duplicate: event.Duplicate}
	}
	return receipts, nil
}

// Test makes an event of the draft and delivers it to this endpoint alone, once, whatever the endpoint subscribes to, and even if
// it is paused or disabled.
func (e *Engine) Test(ctx context.Context, tenant, endpoint string, d Draft) (event bellwire.EventID, delivery bellwire.DeliveryID, err error) {
	target, err := e.publisher.directory.Target(ctx, endpoint)
	if err != nil {
		return event, delivery, err
	}
	// The revisions stay 0: other changes do not matter.
	s := &submission{
		events:  []bellwire.NewEvent{newEvent(tenant, &d)},
		targets: [][]*bellwire.Target{{target}},
		bytes:   len(d.Data),
		test:    true,
		done:    make(chan struct{}, 1),
	}
	s.events[0].Event.Test = true
	if err := e.publisher.submit(ctx, s); err != nil {
		return event, delivery, err
	}
	e.Refresh(endpoint)
	return s.events[0].Event.ID, s.events[0].Deliveries[0].ID, nil
}

// Refresh schedules the endpoint to be loaded and claimed for at once: its configuration has changed, or there is something to
// be done for it. It does not wait.
func (e *Engine) Refresh(endpoint string) { e.scheduler.Refresh(endpoint) }

// Forget drops a delivery that was canceled, unless its attempt is in flight. What waited for its end goes ahead.
func (e *Engine) Forget(endpoint string, id bellwire.DeliveryID) {
	e.scheduler.Forget(endpoint, id)
	e.scheduler.Wake(endpoint)
}

// Canceled counts deliveries to an endpoint that were canceled.
func (e *Engine) Canceled(dialect string, deliveries int, cause bellwire.CancelCause) {
	e.observer.Canceled(dialect, deliveries, cause)
}

// ForgetEvent reports that the data of an event was erased, and its deliveries to the endpoint canceled. What waited for their end
// goes ahead.
func (e *Engine) ForgetEvent(endpoint string, event bellwire.EventID) {
	e.scheduler.ForgetEvent(endpoint, event)
	e.scheduler.Wake(endpoint)
}

// Nodes returns how many live nodes there are, this one included, as it has last learned.
func (e *Engine) Nodes() int { return max(1, e.scheduler.Leases().Nodes) }

// LeaseAge returns how long ago this node renewed its leases; 0 if they do not end.
func (e *Engine) LeaseAge() time.Duration { return e.leases.age() }

// Reached is what came of connecting to the host of a URL.
type Reached = send.Reached

// Reach connects to the host of a URL as deliveries do, and sends nothing.
func (e *Engine) Reach(ctx context.Context, target *url.URL) (*Reached, error) {
	return e.deliverer.sender.Reach(ctx, target)
}

// WakeJobs reports that a job was created or changed.
func (e *Engine) WakeJobs() { poke(e.jobs.wake) }

// Blocked returns what keeps this node from making the endpoint's next attempt with the trigger, and until when. A zero time means
// that the time is not known. With bellwire.WaitOtherNode, this node does not own the endpoint.
func (e *Engine) Blocked(endpoint string, trigger bellwire.Trigger) (reason bellwire.WaitReason, until time.Time) {
	why, until := e.scheduler.Blocked(endpoint, trigger)
	return why.WaitReason(), until
}

// Stats describes an Engine.
type Stats struct {
	Waiting  int           // publications that wait to be stored
	Nodes    int           // that live, as far as this one can tell
	LeaseAge time.Duration // since the leases were renewed; 0 if they do not end
	lanes.Stats
}

// Stats returns the state of the engine.
func (e *Engine) Stats() Stats {
	return Stats{
		Waiting: e.publisher.waiting(), Nodes: e.Nodes(), LeaseAge: e.leases.age(), Stats: e.scheduler.Stats(),
	}
}
