package postgres

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// listener keeps what Watch tells.
type listener struct {
	mu      sync.Mutex
	notices []bellwire.Notification
}

func (l *listener) tell(n bellwire.Notification) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices = append(l.notices, n)
}

// heard returns a condition: that something fitting was told since.
func (l *listener) heard(fits func(bellwire.Notification) bool) func() bool {
	l.mu.Lock()
	before := len(l.notices)
	l.mu.Unlock()
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, n := range l.notices[before:] {
			if fits(n) {
				return true
			}
		}
		return false
	}
}

// ever returns a condition: that something fitting was told.
func (l *listener) ever(fits func(bellwire.Notification) bool) func() bool {
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.ContainsFunc(l.notices, fits)
	}
}

func ofTenant(id string) func(bellwire.Notification) bool {
	return func(n bellwire.Notification) bool { return n.Tenant == id }
}

func missed(n bellwire.Notification) bool { return n.Missed }

// sqlSilently changes a tenant as another node does whose notification is lost.
const sqlSilently = "UPDATE bellwire.tenants SET revision = nextval('bellwire.revisions') WHERE id = $1"

// TestWatchFindsChangesWithoutNotification has changes arrive without a notification, one of them committed long after its revision
// was given.
func TestWatchFindsChangesWithoutNotification(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{PollEvery: 10 * time.Millisecond})
	there := openAt(t, here.url, here.options)
	for _, id := range []string{"acme", "late"} {
		check(t, there.CreateTenant(t.Context(), &bellwire.Tenant{ID: id, CreatedAt: time.Now()}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := new(listener)
	var watch sync.WaitGroup
	listens := l.heard(missed)
	watch.Go(func() { _ = here.Watch(ctx, l.tell) })
	defer watch.Wait()
	defer cancel()
	waitFor(t, listens)
	publication(t, there, "other")
	waitFor(t, l.heard(ofTenant("other"))) // it polls

	late, err := there.pool.Begin(t.Context())
	check(t, err)
	_, err = late.Exec(t.Context(), sqlSilently, "late")
	check(t, err)
	finds := l.heard(ofTenant("acme"))
	check(t, there.write(t.Context(), func(tx *tx) error { return tx.exec(sqlSilently, "acme") }))
	waitFor(t, finds)
	finds = l.heard(ofTenant("late"))
	check(t, late.Commit(t.Context()))
	waitFor(t, finds)
	configuration := l.heard(func(n bellwire.Notification) bool { return n.Configuration })
	check(t, there.write(t.Context(), func(tx *tx) error { return tx.exec("SELECT nextval('bellwire.revisions')") }))
	waitFor(t, configuration)
}

// TestWatchPassesOnWhatChangedBefore changes a tenant between the opening of the store, when its node begins to read configurations,
// and the first poll.
func TestWatchPassesOnWhatChangedBefore(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	publication(t, openAt(t, here.url, here.options), "acme")
	l := watch(t, here)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(l.notices[:slices.IndexFunc(l.notices, missed)], ofTenant("acme")) {
		t.Error("it looks for what it missed before it hears of the change")
	}
}

// TestWatchPassesOnWhatWasOpen opens the store while a change has its revision and is not committed. Watch then takes long to
// connect.
func TestWatchPassesOnWhatWasOpen(t *testing.T) {
	t.Parallel()
	there := newStore(t, Options{})
	publication(t, there, "acme")
	open, err := there.pool.Begin(t.Context())
	check(t, err)
	_, err = open.Exec(t.Context(), sqlSilently, "acme")
	check(t, err)
	here := openAt(t, there.url, there.options)
	check(t, open.Commit(t.Context()))
	here.watched.changed = time.Now().Add(-time.Hour)
	waitFor(t, watch(t, here).ever(ofTenant("acme")))
}

// TestWatchPassesOnManyChanges changes more tenants than are read at a time.
func TestWatchPassesOnManyChanges(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.tenants (id, name, metadata, created_at, updated_at, revision)
			SELECT 'tenant' || n, '', '{}', now(), now(), nextval('bellwire.revisions') FROM generate_series(1, $1::int) n`, 2*maxChanges+1)
	}))
	waitFor(t, watch(t, s).ever(ofTenant(fmt.Sprint("tenant", 2*maxChanges+1))))
}

// TestWatchWithoutDirectConnection has the direct URL lead to nobody, and to another database.
func TestWatchWithoutDirectConnection(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, nobody.Close())
	for name, url := range map[string]string{"nobody": "postgres://" + nobody.Addr().String() + "/a", "another": newStore(t, Options{}).url} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := newStore(t, Options{DirectURL: url})
			there := openAt(t, here.url, Options{NoSync: true})
			for _, id := range []string{"acme", "umbrella"} {
				publication(t, there, id)
				l := new(listener)
				if err := here.Watch(t.Context(), l.tell); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
					t.Fatalf("watching ended with: %v", err)
				}
				if !l.ever(ofTenant(id))() {
					t.Errorf("it does not hear that %q changed", id)
				}
			}
		})
	}
}

// TestWatchEndsWithItsConnection lets the connection that listens die without a sign.
func TestWatchEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, template)
	config, err := pgx.ParseConfig(url)
	check(t, err)
	between := newRelay(t, net.JoinHostPort(config.Host, fmt.Sprint(config.Port)))
	s := openAt(t, url, Options{
		NoSync: true, LeaseTerm: time.Minute, Timeout: 3 * time.Second, PollEvery: 10 * time.Millisecond,
		DirectURL: strings.Replace(url, between.target, between.address(), 1),
	})
	l := new(listener)
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(t.Context(), l.tell) }()
	waitFor(t, l.ever(missed))
	between.silence()
	waitFor(t, func() bool { return len(ended) == 1 })
	refused(t, <-ended, bellwire.CodeUnavailable, "did not answer in time")
	refused(t, s.Watch(t.Context(), l.tell), bellwire.CodeUnavailable, "did not answer in time") // while it connects
}

// relay passes on what a client and a server say, until it is silenced.
type relay struct {
	net.Listener
	target string
	silent atomic.Bool
	ends   sync.WaitGroup
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	r := &relay{Listener: listener, target: target}
	r.ends.Go(r.serve)
	t.Cleanup(r.close)
	return r
}

func (r *relay) address() string { return r.Addr().String() }

func (r *relay) silence() { r.silent.Store(true) }

func (r *relay) close() {
	_ = r.Close()
	r.ends.Wait()
}

func (r *relay) serve() {
	for {
		client, err := r.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		r.ends.Go(func() { r.pass(server, client) })
		r.ends.Go(func() { r.pass(client, server) })
	}
}

// pass copies until one side ends, and then ends the other.
func (r *relay) pass(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if r.silent.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestWatchReportsLimits has other nodes look at the endpoints of a tenant whose limits or status have changed, and at none
// otherwise.
func TestWatchReportsLimits(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	publication(t, there, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	l := new(listener)
	var watch sync.WaitGroup
	listens := l.heard(missed)
	watch.Go(func() { _ = here.Watch(ctx, l.tell) })
	defer watch.Wait()
	defer cancel()
	waitFor(t, listens)
	change := func(how func(*bellwire.Tenant)) func() bool {
		t.Helper()
		tenant, err := there.Tenant(t.Context(), "acme")
		check(t, err)
		how(tenant)
		finds := l.heard(ofTenant("acme"))
		touched := l.heard(func(n bellwire.Notification) bool { return len(n.Endpoints) > 0 })
		check(t, there.UpdateTenant(t.Context(), tenant))
		waitFor(t, finds)
		return touched
	}
	if change(func(t *bellwire.Tenant) { t.Name = "new" })() {
		t.Error("a new name has endpoints looked at")
	}
	waitFor(t, change(func(t *bellwire.Tenant) { t.Limits = map[string]float64{"target_requests": 5} }))
	waitFor(t, change(func(t *bellwire.Tenant) { t.Paused = true }))
	if change(func(t *bellwire.Tenant) { t.StatusReason = "it does not pay" })() {
		t.Error("a new reason has endpoints looked at")
	}
	waitFor(t, change(func(t *bellwire.Tenant) { t.Paused = false }))
	if change(func(t *bellwire.Tenant) { t.Name = "newer" })() {
		t.Error("a new name has endpoints looked at, because there are limits")
	}
}

// TestWatchIsCut cuts the connection that listens, and makes a change before it is restored.
func TestWatchIsCut(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	publication(t, there, "acme")
	l := new(listener)
	listens := l.heard(missed)
	ended := make(chan error, 1)
	go func() { ended <- here.Watch(t.Context(), l.tell) }()
	waitFor(t, listens)
	check(t, there.write(t.Context(), func(tx *tx) error {
		return tx.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	}))
	refused(t, <-ended, bellwire.CodeUnavailable, "")
	changed, listens := l.heard(ofTenant("acme")), l.heard(missed)
	tenant, err := there.Tenant(t.Context(), "acme")
	check(t, err)
	check(t, there.UpdateTenant(t.Context(), tenant))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- here.Watch(ctx, l.tell) }()
	waitFor(t, listens)
	waitFor(t, changed)
	cancel()
	<-ended
}

// A direct URL that leads elsewhere would have this node hear of nothing, and say nothing.
func TestDirectURLOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	other := newStore(t, Options{})
	s := newStore(t, Options{DirectURL: other.url})
	err := s.Watch(t.Context(), func(bellwire.Notification) {})
	if bellwire.CodeOf(err) != bellwire.CodeUnavailable || !strings.Contains(err.Error(), "another database") {
		t.Errorf("watching another database ended with: %v", err)
	}
}

// The direct URL may spell the server's name in another way, whatever times look like there.
func TestDirectURLInAnotherSpelling(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, template)
	check(t, server.Exec(t.Context(), "ALTER DATABASE "+databaseOf(t, url)+" SET DateStyle = 'German'"))
	s := openAt(t, url, Options{NoSync: true, DirectURL: strings.Replace(url, "127.0.0.1", "localhost", 1)})
	if Shown(s.options.DirectURL) == s.location {
		t.Fatal("both URLs are spelled alike")
	}
	l := new(listener)
	heard := l.heard(missed)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, l.tell) }()
	waitFor(t, func() bool {
		select {
		case err := <-ended:
			t.Fatalf("it does not listen: %v", err)
		default:
		}
		return heard()
	})
	cancel()
	<-ended
}
