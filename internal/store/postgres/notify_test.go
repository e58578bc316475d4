package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// outbox records the messages of a notifier. While it is shut, sending waits.
type outbox struct {
	mu   sync.Mutex
	sent []message
	shut chan struct{} // nil: it is open
	err  error
}

func (o *outbox) send(ctx context.Context, m message) error {
	o.mu.Lock()
	shut := o.shut
	o.mu.Unlock()
	if shut != nil {
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.sent = append(o.sent, m)
	}
	return o.err
}

func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *outbox) want(t *testing.T, want ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	got := make([]string, len(o.sent))
	for i, m := range o.sent {
		got[i] = fmt.Sprintf("%s %t %t", strings.Join(m.Endpoints, ","), m.FanOut, m.Missed)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the messages are %q, want %q", got, want)
	}
}

func TestNotifier(t *testing.T) {
	t.Parallel()
	start := func(o *outbox) *notifier { return startNotifier(o.send, slog.New(slog.DiscardHandler)) }
	many := make([]string, maxPendingEndpoints+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	t.Run("Coalesces", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := &outbox{shut: make(chan struct{})}
			n := start(o)
			n.add([]string{"a"}, false)
			synctest.Wait() // until it is being sent
			n.add([]string{"c", "b"}, false)
			n.add([]string{"b"}, true)
			n.add(nil, false)
			close(o.shut)
			synctest.Wait()
			o.want(t, "a false false", "b,c true false")
			n.close()
			o.want(t, "a false false", "b,c true false")
		})
	})
	t.Run("IsBounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := &outbox{shut: make(chan struct{})}
			n := start(o)
			n.add([]string{"a"}, false)
			synctest.Wait()
			n.add(many, true)
			n.add([]string{"b"}, false)
			if len(n.endpoints) > maxPendingEndpoints {
				t.Errorf("%d endpoints are kept", len(n.endpoints))
			}
			close(o.shut)
			synctest.Wait()
			n.add([]string{"c"}, false)
			n.close()
			o.want(t, "a false false", " true true", "c false false")
		})
	})
	t.Run("Repeats", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := &outbox{err: errors.New("away")}
			n := start(o)
			n.add([]string{"a"}, true)
			time.Sleep(3*notifyPause + time.Millisecond)
			n.add([]string{"b"}, false)
			o.want(t)
			o.fail(nil)
			time.Sleep(notifyPause)
			synctest.Wait()
			o.want(t, "a,b true false")
			n.close()
		})
	})
	t.Run("Flushes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := &outbox{err: errors.New("away")}
			n := start(o)
			n.add([]string{"a"}, false)
			synctest.Wait()
			o.fail(nil)
			n.close()
			o.want(t, "a false false")
		})
	})
	t.Run("EndsThoughItCannotSend", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := &outbox{shut: make(chan struct{})}
			n := start(o)
			n.add([]string{"a"}, false)
			n.close()
			o.want(t)
		})
	})
}

// watch runs Watch until the test ends, and returns once it listens.
func watch(t *testing.T, s testStore) *listener {
	t.Helper()
	l := new(listener)
	listens := l.heard(missed)
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { _ = s.Watch(ctx, l.tell) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	waitFor(t, listens)
	return l
}

func namesEndpoint(id string) func(bellwire.Notification) bool {
	return func(n bellwire.Notification) bool { return slices.Contains(n.Endpoints, id) }
}

// hold has a store's notifier wait until it is let go. It must have nothing to send yet.
func hold(s testStore) (letGo func()) {
	held, send := make(chan struct{}), s.notifier.send
	s.notifier.send = func(ctx context.Context, m message) error {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
		return send(ctx, m)
	}
	return func() { close(held) }
}

// TestFrequentTransactionsDoNotNotify stores events, fans out and asks for a retry while the notifier is held. The other
// node hears of it as soon as that is let go, and not before.
func TestFrequentTransactionsDoNotNotify(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(string) string{"direct": func(url string) string { return url }, "pooled": pooler.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := newStore(t, Options{})
			there := openAt(t, through(here.url), here.options)
			e, wide := publication(t, there, name), publication(t, there, name+"_wide")
			wide.Deliveries, wide.Recipients = nil, &bellwire.Recipients{{Endpoint: "ep_" + name + "_wide"}}
			l := watch(t, here)
			letGo := hold(there)
			hears := map[string]func() bool{
				"an append": l.heard(namesEndpoint("ep_" + name)), "fan-out": l.heard(namesEndpoint("ep_" + name + "_wide")),
				"something deferred to FanOut": l.heard(func(n bellwire.Notification) bool { return n.FanOut }),
			}
			publish(t, there, e)
			publish(t, there, wide)
			all := new(bellwire.Leases)
			for shard := range all.Epochs {
				all.Epochs[shard] = 1
			}
			out, err := there.FanOut(t.Context(), all, 10)
			check(t, err)
			if out.Deliveries != 1 {
				t.Fatalf("%d deliveries were fanned out", out.Deliveries)
			}
			_, err = there.RequestRetry(t.Context(), name, e.Deliveries[0].ID)
			check(t, err)
			marked := l.heard(ofTenant("marker of " + name))
			check(t, there.tell(t.Context(), message{Tenant: "marker of " + name}))
			waitFor(t, marked) // it was sent after all commits above
			for what, heard := range hears {
				if heard() {
					t.Errorf("%s has notified in its transaction", what)
				}
			}
			letGo()
			for _, heard := range hears {
				waitFor(t, heard)
			}
		})
	}
}

// TestNotificationsOutliveAnOutage cuts a node off from the database after it has stored an event.
func TestNotificationsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	admin := server.NewDatabase(t, "")
	owner, ownerURL := makeRole(t, admin, "")
	role, roleURL := makeRole(t, admin, "IN ROLE "+owner)
	check(t, server.Exec(t.Context(), "GRANT CREATE ON DATABASE "+databaseOf(t, admin)+" TO "+owner))
	here, there := openAt(t, ownerURL, Options{NoSync: true}), openAt(t, roleURL, Options{NoSync: true})
	e := publication(t, there, "acme")
	l := watch(t, here)
	heard := l.heard(namesEndpoint("ep_acme"))
	letGo := hold(there)
	failed, send := make(chan struct{}), there.notifier.send
	var once sync.Once
	there.notifier.send = func(ctx context.Context, m message) error {
		err := send(ctx, m)
		if err != nil {
			once.Do(func() { close(failed) })
		}
		return err
	}
	publish(t, there, e)
	check(t, server.Exec(t.Context(), "ALTER ROLE "+role+" NOLOGIN"))
	check(t, server.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+role+"'"))
	letGo()
	<-failed
	if heard() {
		t.Fatal("the notification came through")
	}
	check(t, server.Exec(t.Context(), "ALTER ROLE "+role+" LOGIN"))
	waitFor(t, heard)
}

// TestNodesScanAfterOneDies kills a node, and then replaces the process of one: their last notifications may be lost, so
// every node, whether it gets shards or not, learns that it may have missed something.
func TestNodesScanAfterOneDies(t *testing.T) {
	t.Parallel()
	const term = 200 * time.Millisecond
	first := newStore(t, Options{LeaseTerm: term})
	second, dying := openAt(t, first.url, first.options), openAt(t, first.url, first.options)
	renew(t, first, "first")
	renew(t, second, "second")
	watches := []*listener{watch(t, first), watch(t, second)}
	both := func() func() bool {
		a, b := watches[0].heard(missed), watches[1].heard(missed)
		return func() bool { return a() && b() }
	}
	scans := both()
	joins := watches[0].heard(func(n bellwire.Notification) bool { return n.Leases })
	renew(t, dying, "dying")
	waitFor(t, joins)
	if scans() {
		t.Error("a node that joins makes others scan")
	}
	waitFor(t, func() bool { // the dying one renews no more
		renew(t, first, "first")
		renew(t, second, "second")
		return scans()
	})
	scans = both()
	renew(t, openAt(t, first.url, first.options), "second")
	waitFor(t, scans)
}
