package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bellwire/bellwire/internal/api"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/dialect/declared"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/live"
	"github.com/bellwire/bellwire/internal/peer"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/suggest"
	"github.com/bellwire/bellwire/internal/telemetry"
	"github.com/bellwire/bellwire/internal/web"
	built "github.com/bellwire/bellwire/web"
)

// server is a running Bellwire.
type server struct {
	settings    *settings
	inForce     []service.Setting // the settings as they are listed
	startedAt   time.Time
	log         *slog.Logger
	store       bellwire.Store
	engine      *engine.Engine
	service     *service.Service
	live        *live.Hub
	metrics     *telemetry.Metrics
	observer    *telemetry.Observer
	spans       *telemetry.Spans  // nil: none are recorded
	check       *glance[struct{}] // whether the store reads and writes
	backlog     *glance[*bellwire.Backlog]
	examination *glance[service.Examination]
	http        *httpx.Server
	listener    net.Listener
	entrance    *entrance    // the handler of http
	served      chan error   // gets the end of http
	routed      http.Handler // what the entrance lets requests through to
	links       *peer.Links  // to other nodes; nil: there can be none
	peers       net.Listener // of other nodes; nil: none can connect
	adminKey    string       // created by this start; empty if there was one already
	draining    atomic.Bool
	drainedBy   time.Time                   // end of the drain timeout; zero before the drain
	files       []*declared.Dialect         // the dialects that files declare
	dialects    map[string]bellwire.Dialect // those that are enabled, by name
	directory   *directory.Directory
}

// openServer binds the address and opens the database.
func openServer(ctx context.Context, s *settings, g given, log *slog.Logger) (*server, error) {
	srv, err := bindServer(s, g, log)
	if err != nil {
		return nil, err
	}
	if err := srv.open(ctx, g); err != nil {
		return nil, errors.Join(err, srv.abandon(ctx))
	}
	return srv, nil
}

// bindServer binds the address, and begins to answer that the server is starting.
func bindServer(s *settings, g given, log *slog.Logger) (*server, error) {
	budget := thisBudget()
	if err := budget.check(); err != nil {
		return nil, err
	}
	files, err := s.fileDialects()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", notListening(s.Listen, err))
	}
	srv := &server{
		settings: s, inForce: g.settings, startedAt: time.Now(), log: log, files: files,
		listener: listener, entrance: newEntrance(log), served: make(chan error, 1),
	}
	srv.http = httpx.NewServer(s.Listen, budget.clients, httpx.Observe(log, srv.entrance))
	srv.http.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	go func() { srv.served <- srv.http.Serve(newReportingListener(listener, log)) }()
	return srv, nil
}

// open opens the database, and creates everything that needs it.
func (srv *server) open(ctx context.Context, g given) error {
	s := srv.settings
	store, err := s.openStore(ctx, srv.log, opening{
		kept: s.statisticsKept(), dialectFiles: declared.Digest(srv.files),
		mayMake: func(path string) error { return s.mayMakeDatabase(path, srv.log) }, migrating: srv.migrating,
	})
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	srv.store = store
	srv.check = newGlance(readyTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, store.Check(ctx) })
	srv.backlog = newBacklog(srv.countBacklog)
	srv.examination = newExamination(ctx, s.subject(g))
	return srv.assemble(ctx)
}

// migrating reports that the schema of a database with data is being changed, which can take long.
func (srv *server) migrating(from, to int) {
	srv.entrance.doing.Store(changingSchema)
	srv.log.Info("change of the schema started: the server answers requests when it has ended", "from", from, "to", to)
}

// abandon closes what a start that failed has opened.
func (srv *server) abandon(ctx context.Context) error {
	errs := []error{srv.http.Close()}
	<-srv.served // says only that it was closed
	if srv.peers != nil {
		errs = append(errs, srv.peers.Close())
	}
	srv.endSpans(ctx)
	if srv.store != nil {
		errs = append(errs, srv.closeStore())
	}
	return errors.Join(errs...)
}

// assemble creates everything that needs the store.
func (srv *server) assemble(ctx context.Context) (err error) {
	s := srv.settings
	keyring, err := s.openKeyring(ctx, srv.store, srv.log)
	if err != nil {
		return fmt.Errorf("%s: %w", s.keysetOption(), err)
	}
	if srv.dialects, err = srv.configureDialects(); err != nil {
		return err
	}
	if err := srv.observe(); err != nil {
		return err
	}
	dialectSettings, err := srv.dialectSettings()
	if err != nil {
		return err
	}
	srv.directory = directory.New(directory.Config{
		Store: srv.store, Keyring: keyring, Dialects: srv.dialects, Limits: s.limits(), Settings: dialectSettings, Logger: srv.log,
	})
	outbox, err := openOutbox(ctx, srv.store, int(s.MaxEventBytes))
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	srv.live = live.New(live.Config{Node: srv.node(), Tell: srv.tell(), Logger: srv.log})
	if err := srv.connectNodes(keyring.NodeSeeds()); err != nil {
		return err
	}
	guard := s.guard()
	s.warnOfAllowed(srv.log)
	budget := thisBudget()
	budget.log(srv.log)
	mailer := s.mailer()
	srv.engine = engine.New(engine.Config{
		MaxInFlight: budget.inFlight,
		MaxIdle:     budget.idle,
		Store:       srv.store,
		Outbox:      outbox,
		Directory:   srv.directory,
		Observer:    srv.live.Observer(srv.observer),
		Told:        srv.live.Told,
		Mailer:      mailer,
		Link:        srv.link(),
		RecordEvery: s.recordEvery(),
		Logger:      srv.log,
		Node:        srv.node(),
		UserAgent:   "Bellwire/" + thisBuild().Version,
		Guard:       guard,
	})
	srv.service, err = service.New(service.Config{
		Store: srv.store, Directory: srv.directory, Engine: srv.engine, Keyring: keyring, Dialects: srv.dialects, Guard: guard,
		AdminKey: s.AdminKey, MaxEventBytes: int(s.MaxEventBytes), AuditRetention: s.AuditRetention, Retention: s.Retention,
		StatisticsKept: s.statisticsKept(), Sandbox: s.Sandbox,
		Shared: s.DatabaseURL.postgres != "", Reads: s.reads(), Live: srv.live, Logger: srv.log,
		Mailer: mailer, AlertAddresses: s.AlertEmail,
		Backlog:  srv.backlog.look,
		Process:  service.Process{Node: srv.node(), Address: srv.url(), Version: thisBuild().Version, StartedAt: srv.startedAt},
		Settings: srv.inForce, Examine: srv.examination.look,
	})
	if err != nil {
		return err
	}
	if err := srv.service.Prepare(ctx); err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	if err := srv.store.SetAlertAddresses(ctx, s.AlertEmail); err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	srv.metrics.Gauge(srv.stats, srv.backlog.last)
	if srv.routed, err = srv.routes(); err != nil {
		return err
	}
	srv.http.RegisterOnShutdown(srv.live.Close)
	// Must be the last step that can fail: a key is shown once, and only by a start that succeeds.
	srv.adminKey, _, err = srv.service.BootstrapAdmin(ctx)
	return err
}

// observe creates the metrics and the observer of the engine.
func (srv *server) observe() error {
	build := thisBuild()
	srv.metrics = telemetry.NewMetrics(build.Version, build.Commit)
	for name := range srv.dialects {
		srv.metrics.ServeDialects(name)
	}
	srv.observer = telemetry.NewObserver(srv.metrics, srv.log)
	return srv.recordSpans()
}

// recordSpans begins to send spans to the collector, if there is one.
func (srv *server) recordSpans() (err error) {
	s := srv.settings
	if s.OTLPEndpoint == "" {
		return nil
	}
	srv.spans, err = telemetry.NewSpans(telemetry.SpansConfig{
		Endpoint: s.OTLPEndpoint, Ratio: s.TraceRatio, Version: thisBuild().Version, Node: srv.node(), Metrics: srv.metrics, Logger: srv.log,
	})
	if err != nil {
		return fmt.Errorf("--otlp-endpoint: %w", err)
	}
	srv.observer.Record(srv.spans)
	return nil
}

// endSpans sends the spans that are left.
func (srv *server) endSpans(ctx context.Context) {
	if srv.spans != nil {
		srv.spans.Close(ctx)
	}
}

// tell returns the function that sends messages to other nodes, nil if there are none.
func (srv *server) tell() func(context.Context, []byte) error {
	if srv.settings.DatabaseURL.postgres == "" {
		return nil
	}
	return srv.store.Tell
}

// openOutbox returns the store's outbox, which other programs publish in, or nil if it has none.
func openOutbox(ctx context.Context, store bellwire.Store, maxEventBytes int) (bellwire.Outbox, error) {
	outbox, ok := store.(bellwire.Outbox)
	if !ok {
		return nil, nil
	}
	return outbox, outbox.LimitEvents(ctx, maxEventBytes)
}

// configureDialects returns the enabled dialects by name.
func (srv *server) configureDialects() (map[string]bellwire.Dialect, error) {
	configured := make(map[string]bellwire.Dialect)
	for _, d := range enabledDialects(srv.settings.Dialects) {
		made, err := d.configure(srv.settings, strings.TrimRight(srv.url(), "/"))
		if err != nil {
			return nil, fmt.Errorf("dialect %s: %w", d.name, err)
		}
		configured[d.name] = made
	}
	for _, d := range srv.files {
		configured[d.Name()] = d.At(declared.ServerAt(srv.url()))
	}
	if len(srv.files) > 0 {
		srv.log.Info("dialects declared by files", "names", strings.Join(namesOf(srv.files), ", "), "digest", declared.Digest(srv.files))
	}
	return configured, nil
}

// dialectSettings returns the settings of dialects for all tenants. It refuses those of dialects that are not enabled.
func (srv *server) dialectSettings() (bellwire.SettingsByDialect, error) {
	set, err := settingsByDialect(srv.settings.DialectSettings)
	if err != nil {
		return nil, err
	}
	enabled := slices.Sorted(maps.Keys(srv.dialects))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if srv.dialects[name] == nil {
			return nil, cli.Option("dialect-setting", "%q is not a dialect that this server speaks%s", name, suggest.DidYouMean(name, enabled))
		}
	}
	return set, nil
}

// routes returns the handler of everything that the server answers.
func (srv *server) routes() (http.Handler, error) {
	pages, err := srv.pages()
	if err != nil {
		return nil, err
	}
	native := api.New(srv.service, api.Options{Logger: srv.log, Version: thisBuild().Version, PublicURL: srv.url()})
	native = srv.watched("api")(native)
	operations := &operations{ready: srv.ready, metrics: newScrapes(srv.metrics.Handler())}
	dispatcher := httpx.NewDispatcher(native)
	// The native API has its own places whatever dialects there are.
	dispatcher.Mount(native, nativePaths...)
	dispatcher.Mount(pages, web.Prefixes...)
	dispatcher.Mount(operations.handler(native), operationPaths...)
	for _, d := range dialects {
		if configured, ok := srv.dialects[d.name].(fronted); ok {
			front := srv.watched(d.name)(configured.Front(srv.service, srv.log))
			d.mount(dispatcher, front, srv.settings.Sandbox)
		}
	}
	return web.UnderPrefix(srv.url(), dispatcher, append(slices.Clone(nativePaths), web.Prefixes...)...), nil
}

// nativePaths are the first segments of the native API's paths.
var nativePaths = []string{"api", "docs", "openapi.json"}

// operationPaths are the first segments of the paths for those who run the server. The empty one is the root.
var operationPaths = []string{"", "healthz", "readyz", "metrics"}

// pages returns the handler of the console and the portal.
func (srv *server) pages() (http.Handler, error) {
	files, err := fs.Sub(built.Dist, "dist")
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{Files: files, PublicURL: srv.url(), Origins: srv.service.FrameOrigins, Logger: srv.log})
}

// watched returns a wrapper that counts and logs failed authentications of a front end.
func (srv *server) watched(name string) func(http.Handler) http.Handler {
	return func(front http.Handler) http.Handler {
		return httpx.WatchAuthentication(front, func(reason, from string) { srv.observer.AuthenticationFailed(name, reason, from) })
	}
}

func (srv *server) stats() telemetry.Stats {
	s := srv.engine.Stats()
	return telemetry.Stats{
		Waiting: s.Waiting, Lanes: s.Lanes, Queued: s.Queued, QueuedBytes: s.QueuedBytes, LeftInStore: s.LeftInStore,
		InFlight: s.InFlight, Unrecorded: s.Unrecorded, OpenBreakers: s.OpenBreakers,
		OwnedShards: s.OwnedShards, Nodes: s.Nodes, LeaseAge: s.LeaseAge, Damaged: srv.damaged(),
	}
}

// countBacklog counts what waits in the store. Nobody may be there to see that it fails, so that is counted and logged. A count that
// takes too long is no fault: its age shows it.
func (srv *server) countBacklog(ctx context.Context) (*bellwire.Backlog, error) {
	backlog, err := srv.store.Backlog(ctx)
	if err != nil && ctx.Err() == nil {
		srv.observer.StoreFailed("backlog", err)
	}
	return backlog, err
}

// damaged reports whether the database is known to be damaged. Only SQLite stores know.
func (srv *server) damaged() bool {
	store, ok := srv.store.(interface{ Damaged() bool })
	return ok && store.Damaged()
}

// ready reports whether the server can take work.
func (srv *server) ready(ctx context.Context) error {
	if srv.draining.Load() {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the server is shutting down")
	}
	if err := srv.engine.Ready(); err != nil {
		return err
	}
	_, err := srv.check.look(ctx)
	return err
}

// node returns the name of this node. A process with the name of one that was killed takes over its work at once.
func (srv *server) node() string {
	if srv.settings.Node != "" {
		return srv.settings.Node
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the address still makes the name unique
	}
	return host + "/" + srv.listener.Addr().String()
}

// notListening explains why an address cannot be listened on, if the cause is known.
func notListening(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is in use by another process; stop it, or choose another address", address)
	}
	return err
}

// url returns the URL at which clients reach the server: on this machine, if it listens on all addresses.
func (srv *server) url() string {
	if srv.settings.PublicURL != "" {
		return srv.settings.PublicURL
	}
	address := srv.listener.Addr().String()
	if host, port, err := net.SplitHostPort(address); err == nil && isUnspecified(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return "http://" + address
}

// start begins to deliver and to answer requests. It must be followed by run.
func (srv *server) start(ctx context.Context) error {
	// Deliveries in progress must be able to finish after ctx has ended.
	if err := srv.engine.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, srv.abandon(ctx))
	}
	srv.entrance.open(srv.routed)
	return nil
}

// run serves until ctx ends, then drains and closes everything.
func (srv *server) run(ctx context.Context) error {
	if srv.peers != nil {
		go func() { // ends when the engine closes the links
			if err := srv.links.Serve(srv.peers); err != nil {
				srv.log.Error("other nodes can connect no more", "error", err)
			}
		}()
	}
	purging, stopPurging := context.WithCancel(ctx)
	cleaner := &janitor{store: srv.store, uses: srv.service, retention: srv.settings.Retention, log: srv.log}
	var cleaning sync.WaitGroup
	cleaning.Go(func() { cleaner.run(purging) })
	cleaning.Go(func() { srv.live.Run(purging) })
	if s := srv.settings; s.DatabaseURL.postgres != "" {
		cleaning.Go(func() { srv.compareFiles(purging) })
	}
	srv.backlog.keepUp(backlogEvery)
	var cause error
	select {
	case <-ctx.Done():
		cause = srv.linger()
	case cause = <-srv.served:
	}
	stopPurging()
	cleaning.Wait()
	return errors.Join(cause, srv.drain(context.WithoutCancel(ctx)))
}

// linger keeps serving for the drain delay, with readiness failing. It returns early if serving fails.
func (srv *server) linger() error {
	srv.draining.Store(true)
	if srv.settings.DrainDelay == 0 {
		return nil
	}
	srv.log.Info("drain delay started: /readyz fails, connections are still accepted", "delay", srv.settings.DrainDelay.String())
	select {
	case <-time.After(srv.settings.DrainDelay):
		return nil
	case err := <-srv.served:
		return err
	}
}

// closeStore closes the store after the end of the questions to it that are in flight.
func (srv *server) closeStore() error {
	srv.check.settle()
	srv.backlog.settle()
	srv.examination.settle()
	return srv.store.Close()
}

// drain finishes requests and deliveries in progress, and closes the store. Deliveries that the drain timeout cuts off stay
// in the store and are sent again after the next start.
func (srv *server) drain(ctx context.Context) error {
	srv.draining.Store(true)
	srv.log.Info("draining", "timeout", srv.settings.DrainTimeout.String())
	srv.drainedBy = time.Now().Add(srv.settings.DrainTimeout)
	ctx, cancel := context.WithDeadline(ctx, srv.drainedBy)
	defer cancel()
	stopWarning := context.AfterFunc(ctx, func() {
		srv.log.Warn("drain timeout passed: deliveries in flight are cut off, and sent again after the next start")
	})
	defer stopWarning()
	var errs []error
	if err := srv.http.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("requests cut off: %w", err), srv.http.Close())
	}
	if err := srv.engine.Close(ctx); err != nil {
		errs = append(errs, fmt.Errorf("deliveries cut off, to be sent again after the next start: %w", err))
	}
	srv.endSpans(ctx)
	errs = append(errs, srv.closeStore())
	err := errors.Join(errs...)
	if err == nil {
		srv.log.Info("stopped")
	}
	return err
}
