package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
)

// overdrawn records what the engine reports about hosts for which a tenant has no requests left.
type overdrawn struct {
	bellwire.NopObserver
	mu    sync.Mutex
	hosts []string
}

func (o *overdrawn) Overdrawn(ep *bellwire.Endpoint, host string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hosts = append(o.hosts, ep.Tenant+" "+host)
}

func (o *overdrawn) told() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.hosts, ", ")
}

// restart changes how the world is made.
func (w *world) restart(change func()) {
	w.t.Helper()
	w.stop()
	change()
	w.start()
}

// triedEvery has an endpoint's deliveries tried again at an interval, one at a time.
func triedEvery(interval time.Duration) func(*bellwire.Endpoint) {
	return func(ep *bellwire.Endpoint) {
		ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(interval), Count: bellwire.MaxRetries}
		ep.MaxInFlight = 1
	}
}

func within(got []receipt, from, to time.Time) (n int) {
	for _, g := range got {
		if !g.at.Before(from) && g.at.Before(to) {
			n++
		}
	}
	return n
}

// A host that acknowledges nothing gets no more of a tenant's requests in an hour than its limit says, from however many
// endpoints, and all of them once it acknowledges. An endpoint at the same host that is acknowledged is not concerned, nor are
// other hosts.
func TestUnacknowledgedRequests(t *testing.T) {
	const limit, endpoints, events = 60, 5, 20
	inWorld(t, func(t *testing.T, w *world) {
		seen := &overdrawn{}
		w.restart(func() { w.limits.TargetRequests, w.config.Observer = limit, seen })
		var failing sync.Map // paths
		victim := w.receiver("victim", func(_ int, rw http.ResponseWriter, r *http.Request) {
			if _, fails := failing.Load(r.URL.Path); fails {
				rw.WriteHeader(http.StatusInternalServerError)
			}
		})
		bystander := w.receiver("bystander", answers(200))
		w.endpoint("bystander")
		w.endpoint("victim", func(ep *bellwire.Endpoint) { ep.URL = "http://victim.test/good" })
		var bad []*bellwire.Endpoint
		for n := range endpoints {
			path := fmt.Sprintf("/%d", n)
			failing.Store(path, true)
			bad = append(bad, w.endpoint("victim", triedEvery(time.Second), func(ep *bellwire.Endpoint) { ep.URL = "http://VICTIM.test" + path }))
		}
		begun := time.Now()
		w.publish(events)
		w.pass(2 * time.Hour)
		if n := len(bystander.got()); n != events {
			t.Errorf("another host got %d requests of %d", n, events)
		}
		acknowledged := events
		for hour := range 2 {
			from := begun.Add(time.Duration(hour) * time.Hour)
			got := within(victim.got(), from, from.Add(time.Hour)) - acknowledged
			acknowledged = 0
			most := limit + endpoints // those under way when nothing was left
			if hour == 0 {
				most += limit // what it might have had before
			}
			if got > most || got < limit/2 {
				t.Errorf("in hour %d the host got %d requests that it did not acknowledge, want %d at most", hour, got, most)
			}
		}
		waiting := 0
		for _, ep := range bad {
			for _, d := range w.deliveries(ep.ID) {
				if !d.Status.Open() {
					t.Errorf("a delivery is %s", d.Status)
				}
				if d.Reason == bellwire.ReasonTargetRequests {
					waiting++
				}
			}
		}
		if waiting == 0 {
			t.Error("no delivery says what it waits for")
		}
		if got := seen.told(); got != "acme victim.test" {
			t.Errorf("told of %q", got)
		}
		failing.Clear()
		w.pass(15 * time.Minute)
		for _, ep := range bad {
			if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != events {
				t.Errorf("after the host was back: %v", got)
			}
		}
	})
}

// An hour's requests are used up by tests and manual retries as well, and these wait too.
func TestUnacknowledgedManualRequests(t *testing.T) {
	const limit = 30
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.limits.TargetRequests = limit })
		victim := w.receiver("victim", answers(500))
		ep := w.endpoint("victim", triedEvery(24*time.Hour))
		begun := time.Now()
		for range 3 * limit {
			_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
			must(t, err)
			w.pass(time.Second)
		}
		if n := within(victim.got(), begun, begun.Add(time.Hour)); n > limit+limit/10 {
			t.Errorf("%d tests were sent within a minute and a half, and %d requests are allowed an hour", n, limit)
		}
		w.pass(3 * time.Hour)
		if n := len(victim.got()); n != 3*limit {
			t.Errorf("%d of %d tests were made in the end", n, 3*limit)
		}
	})
}

// An acknowledgement lifts the limit for the URL that it came from, until the next request there is not acknowledged. Tests are no
// exception.
func TestRequestsAfterAnAcknowledgement(t *testing.T) {
	const limit = 30
	for name, host := range map[string]string{"the same URL": "own", "another URL": "victim"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.restart(func() { w.limits.TargetRequests = limit })
				receivers := map[string]*receiver{"own": w.receiver("own", answers(200, 500)), "victim": w.receiver("victim", answers(500))}
				ep := w.endpoint("own", triedEvery(24*time.Hour))
				test := func() {
					t.Helper()
					_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
					must(t, err)
					w.pass(time.Second)
				}
				test()
				w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.URL = "http://" + host + ".test/hook" })
				begun := time.Now()
				for range 3 * limit {
					test()
				}
				if n := within(receivers[host].got(), begun, begun.Add(time.Hour)); n > limit+limit/10 || n < limit {
					t.Errorf("%d tests were sent within a minute and a half, and %d requests are allowed an hour", n, limit)
				}
			})
		})
	}
}

// Any number of names lead to one address: that gets no more than its own share.
func TestUnacknowledgedRequestsToOneAddress(t *testing.T) {
	const limit, names = 20, 30
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.receiver("victim", answers(500))
		w.restart(func() {
			w.limits.TargetRequests = limit
			w.dialer = func(ctx context.Context, network, _ string) (net.Conn, error) {
				const address = "203.0.113.7:80"
				conn, err := w.dial(ctx, network, "victim.test:80")
				if trace := httptrace.ContextClientTrace(ctx); trace != nil {
					trace.ConnectDone(network, address, err)
				}
				return at{conn, address}, err
			}
		})
		for n := range names {
			w.endpoint(fmt.Sprintf("name%d", n), triedEvery(time.Second))
		}
		begun := time.Now()
		w.publish(20)
		w.pass(2 * time.Hour)
		const most = limit * limits.AddressFactor
		for hour := range 2 {
			from := begun.Add(time.Duration(hour) * time.Hour)
			got := within(victim.got(), from, from.Add(time.Hour))
			allowed := most + names
			if hour == 0 {
				allowed += most
			}
			if got > allowed || got < most/2 {
				t.Errorf("in hour %d the address got %d requests, want %d at most", hour, got, allowed)
			}
		}
	})
}

// at is a connection to an address.
type at struct {
	net.Conn
	address string
}

func (c at) RemoteAddr() net.Addr {
	address, err := net.ResolveTCPAddr("tcp", c.address)
	if err != nil {
		panic(err)
	}
	return address
}

// A policy that is older than the limit is held to it, and of its many attempts the first and the last ones alone are kept whole.
func TestOldPoliciesAreHeldToTheLimits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.limits.MinRetryDelay, w.limits.AttemptDetails = time.Second, 10 })
		r := w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = rw.Write(make([]byte, 8<<10))
		})
		ep := w.endpoint("a", triedEvery(time.Millisecond))
		w.publish(1)
		w.pass(time.Hour)
		got := r.got()
		if len(got) != 1+bellwire.MaxRetries {
			t.Fatalf("there were %d requests", len(got))
		}
		for i := range got[1:] {
			if wait := got[i+1].at.Sub(got[i].at); wait < time.Second {
				t.Errorf("attempt %d came %v after the one before", i+2, wait)
				break
			}
		}
		attempts, err := w.store.Attempts(t.Context(), w.deliveries(ep.ID)[0].ID, 1000)
		must(t, err)
		for i, a := range attempts {
			whole := i < 5 || i >= len(attempts)-5
			if a.Number != i+1 || a.Dropped == whole || (a.Request.URL != "") != whole || (len(a.Response.Body) > 0) != whole ||
				a.Response.Status != http.StatusBadRequest || a.Outcome != bellwire.OutcomeStatus {
				t.Errorf("attempt %d: %+v", i+1, a)
			}
		}
	})
}
