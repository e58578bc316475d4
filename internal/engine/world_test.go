package engine_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/sqlitetest"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// world is a real engine on a real store, in a synctest bubble: connections are pipes, and time passes
// as fast as everything has become quiet.
type world struct {
	t       *testing.T
	dir     string
	keyring *seal.Keyring
	store   bellwire.Store
	wrap    func(bellwire.Store) bellwire.Store                                  // puts something between the engine and the store
	around  func(engine.Directory) engine.Directory                              // the same for the directory
	dialer  func(ctx context.Context, network, address string) (net.Conn, error) // in place of dial; nil: that
	config  engine.Config
	limits  bellwire.Limits // of all tenants; the zero ones do not limit anything

	directory *directory.Directory
	engine    *engine.Engine

	ahead atomic.Int64 // how far the wall clock has jumped, in nanoseconds

	silent bool // changes are not announced, as if another node made them

	mu    sync.Mutex
	hosts map[string]*receiver
}

// databaseFile is the store's file in the world's directory.
const databaseFile = "test.db"

// inWorld runs a test with an engine that has a tenant "acme" and an event type "ping".
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	keyring, _, err := seal.OpenKeyring(filepath.Join(dir, "test.keyset"))
	must(t, err)
	sqlitetest.Create(t, filepath.Join(dir, databaseFile))
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, keyring: keyring, hosts: map[string]*receiver{}}
		w.config.Busy = func() bool { return false }
		w.config.Late = func() bool { return false }
		w.start()
		ctx := t.Context()
		must(t, w.store.CreateTenant(ctx, &bellwire.Tenant{ID: "acme", CreatedAt: now(), UpdatedAt: now()}))
		_, err := w.store.PutEventType(ctx, &bellwire.EventType{Name: "ping", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		test(t, w)
		w.stop()
		for _, r := range w.hosts {
			r.close()
		}
	})
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start opens the store and starts an engine on it, as a process does.
func (w *world) start() {
	w.t.Helper()
	store, err := sqlite.Open(w.t.Context(), filepath.Join(w.dir, databaseFile), sqlite.Options{NoSync: true, Now: w.wall})
	must(w.t, err)
	w.store = store
	between := bellwire.Store(store)
	if w.wrap != nil {
		between = w.wrap(store)
	}
	w.directory = directory.New(directory.Config{
		Store: store, Keyring: w.keyring,
		Dialects: map[string]bellwire.Dialect{"standard": standard.Dialect{}, "asking": asking{}}, Limits: &w.limits,
	})
	w.config.Store, w.config.Directory, w.config.Dial, w.config.Now = between, w.directory, w.dial, w.wall
	if w.dialer != nil {
		w.config.Dial = w.dialer
	}
	if w.around != nil {
		w.config.Directory = w.around(w.directory)
	}
	w.engine = engine.New(w.config)
	must(w.t, w.engine.Start(w.t.Context()))
}

// stop ends the engine and the store in good order.
func (w *world) stop() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(w.t, w.engine.Close(ctx))
	must(w.t, w.store.Close())
}

// crash ends the store under the engine, so that nothing more is written, and then the engine.
func (w *world) crash() {
	w.t.Helper()
	must(w.t, w.store.Close())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.engine.Close(ctx) // it has no store to finish with
}

// endpoint makes an endpoint of acme at http://<name>.test, subscribed to everything.
func (w *world) endpoint(name string, change ...func(*bellwire.Endpoint)) *bellwire.Endpoint {
	w.t.Helper()
	dialect := standard.Dialect{}
	ep := &bellwire.Endpoint{
		ID: dialect.NewEndpointID(now()), Tenant: "acme", URL: "http://" + name + ".test/hook", Dialect: "standard",
		Events: []string{"*"}, Retry: bellwire.StandardRetryPolicy(), MaxInFlight: bellwire.DefaultMaxInFlight,
		Ordering: bellwire.OrderingNone, Signing: bellwire.SigningHMAC, Status: bellwire.EndpointEnabled,
		CreatedAt: now(), UpdatedAt: now(),
	}
	ep.Retry.Jitter = 0
	for _, f := range change {
		f(ep)
	}
	secret, err := dialect.NewSecret(ep.Signing)
	must(w.t, err)
	ep.Sealed, err = w.keyring.SealCredentials(ep.ID, &bellwire.Credentials{Secrets: []bellwire.Secret{secret}})
	must(w.t, err)
	must(w.t, w.store.CreateEndpoint(w.t.Context(), ep, bellwire.ChangeNote{}))
	if !w.silent {
		w.directory.ForgetTenant(ep.Tenant)
	}
	return ep
}

// tenant makes another tenant, and returns what makes an endpoint one of it.
func (w *world) tenant(id string) func(*bellwire.Endpoint) {
	w.t.Helper()
	must(w.t, w.store.CreateTenant(w.t.Context(), &bellwire.Tenant{ID: id, CreatedAt: now(), UpdatedAt: now()}))
	return func(ep *bellwire.Endpoint) { ep.Tenant = id }
}

// publishTo publishes an event with so many bytes of data to a tenant.
func (w *world) publishTo(tenant string, bytes int) {
	w.t.Helper()
	_, err := w.engine.Publish(w.t.Context(), &engine.Publication{
		Tenant: tenant, Events: []engine.Draft{{Type: "ping", Data: fmt.Appendf(nil, "%q", strings.Repeat("x", bytes))}},
	})
	must(w.t, err)
}

// update changes an endpoint, as the service does.
func (w *world) update(id string, change func(*bellwire.Endpoint)) {
	w.t.Helper()
	ep, err := w.store.Endpoint(w.t.Context(), id)
	must(w.t, err)
	change(ep)
	must(w.t, w.store.UpdateEndpoint(w.t.Context(), ep, bellwire.ChangeNote{}))
	w.directory.ForgetTenant("acme")
	w.directory.ForgetEndpoint(id)
	w.engine.Refresh(id)
}

// publish publishes n pings and returns their ids.
func (w *world) publish(n int) []bellwire.EventID {
	w.t.Helper()
	var ids []bellwire.EventID
	for i := range n {
		receipts, err := w.engine.Publish(w.t.Context(), &engine.Publication{
			Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: fmt.Appendf(nil, `{"n":%d}`, i)}},
		})
		must(w.t, err)
		ids = append(ids, receipts[0].Event)
	}
	return ids
}

// deliveries lists an endpoint's deliveries, oldest first.
func (w *world) deliveries(endpoint string) []*bellwire.Delivery {
	w.t.Helper()
	list, err := w.store.Deliveries(w.t.Context(), bellwire.DeliveryFilter{Tenant: "acme", Endpoint: endpoint}, bellwire.Page{Limit: 10_000})
	must(w.t, err)
	slices.Reverse(list.Items)
	return list.Items
}

// statuses counts an endpoint's deliveries by status.
func (w *world) statuses(endpoint string) map[bellwire.DeliveryStatus]int {
	counts := map[bellwire.DeliveryStatus]int{}
	for _, d := range w.deliveries(endpoint) {
		counts[d.Status]++
	}
	return counts
}

// wall is the engine's and the store's wall clock. Time in the bubble itself is what passes in truth.
func (w *world) wall() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// jump sets the wall clock forward, or back.
func (w *world) jump(by time.Duration) { w.ahead.Add(int64(by)) }

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// receipt is one request that a receiver got.
type receipt struct {
	id   string // webhook-id
	body string
	at   time.Time
}

// receiver is a customer's server.
type receiver struct {
	*http.Server
	name  string
	conns chan net.Conn

	mu       sync.Mutex
	receipts []receipt
	answer   func(n int, w http.ResponseWriter, r *http.Request) // n counts from 1
	closed   bool
	inside   int
	most     int // requests at the same time
}

// answers makes a handler that gives the statuses one after the other, the last one for ever.
func answers(statuses ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(n, len(statuses))-1])
	}
}

// receiver serves http://<name>.test.
func (w *world) receiver(name string, answer func(int, http.ResponseWriter, *http.Request)) *receiver {
	r := &receiver{name: name, conns: make(chan net.Conn), answer: answer}
	r.Server = &http.Server{Handler: r}
	w.mu.Lock()
	w.hosts[name+".test:80"] = r
	w.mu.Unlock()
	go func() { _ = r.Serve(r) }() // ends with close
	return r
}

func (r *receiver) close() { _ = r.Server.Close() }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	r.receipts = append(r.receipts, receipt{req.Header.Get("Webhook-Id"), string(body), time.Now()})
	n, answer := len(r.receipts), r.answer
	r.inside++
	r.most = max(r.most, r.inside)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.inside--
		r.mu.Unlock()
	}()
	answer(n, w, req)
}

// now changes how the receiver answers.
func (r *receiver) now(answer func(int, http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) got() []receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.receipts)
}

// ids lists the message ids in the order of their first receipt.
func (r *receiver) ids() []string {
	var ids []string
	for _, g := range r.got() {
		if !slices.Contains(ids, g.id) {
			ids = append(ids, g.id)
		}
	}
	return ids
}

// Accept, Close and Addr make the receiver its server's listener.
func (r *receiver) Accept() (net.Conn, error) {
	c, ok := <-r.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (r *receiver) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.conns)
	}
	return nil
}

func (r *receiver) Addr() net.Addr { return &net.TCPAddr{} }

func (w *world) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	r := w.hosts[address]
	w.mu.Unlock()
	if r == nil {
		return nil, &net.DNSError{Err: "no such host", Name: strings.TrimSuffix(address, ":80"), IsNotFound: true}
	}
	ours, theirs := net.Pipe()
	select {
	case r.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func texts(ids []bellwire.EventID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
