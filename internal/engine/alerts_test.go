package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// fakeMailer is a Mailer that records what it sends.
type fakeMailer struct {
	begin time.Time
	mu    sync.Mutex
	fails bool
	hangs string // the address for which it never ends by itself
	took  func() // runs before Send returns
	tried int
	got   []string // each digest as its minute, its address and its number of alerts
}

func (m *fakeMailer) Send(ctx context.Context, address string, alerts []*bellwire.Alert) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tried++
	if address == m.hangs {
		m.mu.Unlock()
		<-ctx.Done()
		m.mu.Lock()
		return ctx.Err()
	}
	if m.fails {
		return errors.New("connection refused")
	}
	m.got = append(m.got, fmt.Sprintf("%d %s %d", int(time.Since(m.begin)/time.Minute), address, len(alerts)))
	if m.took != nil {
		m.took()
	}
	return nil
}

func (m *fakeMailer) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *fakeMailer) sent() (got []string, tried int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got), m.tried
}

// mails starts the engine again with a Mailer for addresses.
func (w *world) mails(addresses ...string) *fakeMailer {
	w.t.Helper()
	w.stop()
	m := &fakeMailer{begin: time.Now()}
	w.config.Mailer = m
	w.start()
	must(w.t, w.store.SetAlertAddresses(w.t.Context(), addresses))
	return m
}

// alert disables an endpoint, so that one alert is kept.
func (w *world) alert(ep *bellwire.Endpoint) {
	w.t.Helper()
	for _, status := range []bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointDisabled} {
		ep.Status, ep.UpdatedAt = status, now()
		after := fmt.Sprintf(`{"status":%q}`, status)
		must(w.t, w.store.UpdateEndpoint(w.t.Context(), ep, bellwire.ChangeNote{After: []byte(after)}))
	}
}

// An address gets its first digest about a minute after the first alert, and then one an hour. A restart neither forgets nor repeats.
func TestAlertDigests(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mailer := w.mails("a@example.com", "b@example.com")
		ep := w.endpoint("a", once)
		w.pass(time.Hour)
		got, _ := mailer.sent()
		expectTexts(t, "digests when nothing has happened", got)
		w.alert(ep)
		w.pass(50 * time.Second)
		w.alert(ep)
		got, _ = mailer.sent()
		expectTexts(t, "digests before a minute is over", got)
		w.pass(time.Minute)
		want := []string{"61 a@example.com 2", "61 b@example.com 2"}
		got, _ = mailer.sent()
		expectTexts(t, "the first digests", got, want...)
		w.alert(ep)
		w.pass(10 * time.Minute)
		w.stop()
		w.start()
		w.alert(ep)
		w.pass(48 * time.Minute)
		got, _ = mailer.sent()
		expectTexts(t, "the digests of the hour", got, want...)
		w.pass(5 * time.Hour)
		got, _ = mailer.sent()
		expectTexts(t, "all digests", got, append(want, "121 a@example.com 2", "121 b@example.com 2")...)
	})
}

// A mail server that fails is logged once and retried with growing pauses.
func TestFailingMailServer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
		mailer := w.mails("a@example.com")
		mailer.change(func() { mailer.fails = true })
		w.alert(w.endpoint("a", once))
		w.pass(40 * time.Minute)
		if _, tried := mailer.sent(); tried != 6 { // after about 1, 2, 4, 8, 16 and 32 minutes
			t.Errorf("tried %d times, want 6", tried)
		}
		if n := strings.Count(log.String(), "alert e-mail not sent"); n != 1 {
			t.Errorf("logged %d times, want once:\n%s", n, log.String())
		}
		mailer.change(func() { mailer.fails = false })
		w.pass(30 * time.Minute)
		got, _ := mailer.sent()
		expectTexts(t, "digests", got, "64 a@example.com 1")
		if n := strings.Count(log.String(), "alert e-mail sent after failures"); n != 1 {
			t.Errorf("the end was logged %d times, want once:\n%s", n, log.String())
		}
	})
}

// Nobody waits for a mail server that does not answer: deliveries go on, and so do digests to other addresses.
func TestSilentMailServer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mailer := w.mails("a@example.com", "b@example.com")
		mailer.change(func() { mailer.hangs = "a@example.com" })
		w.alert(w.endpoint("a", once))
		r := w.receiver("b", answers(200))
		w.endpoint("b")
		w.pass(80 * time.Second)
		if _, tried := mailer.sent(); tried != 1 {
			t.Fatalf("%d digests were tried, want the one that hangs", tried)
		}
		w.publish(3)
		w.pass(time.Second)
		if n := len(r.got()); n != 3 {
			t.Errorf("%d of 3 events were delivered while the mail server was silent", n)
		}
		w.pass(3 * time.Minute)
		got, _ := mailer.sent()
		expectTexts(t, "digests", got, "3 b@example.com 1")
	})
}

// failingAlerts is a store that cannot forget alerts for a while.
type failingAlerts struct {
	bellwire.Store
	until time.Time
}

func (s *failingAlerts) EndAlerts(ctx context.Context, address string, numbers []int64, at time.Time) error {
	if time.Now().Before(s.until) {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the disk is full")
	}
	return s.Store.EndAlerts(ctx, address, numbers, at)
}

// A digest is not repeated while the store cannot record that it was sent.
func TestDigestIsNotRepeated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		until := time.Now().Add(10 * time.Minute)
		w.wrap = func(s bellwire.Store) bellwire.Store { return &failingAlerts{s, until} }
		mailer := w.mails("a@example.com")
		w.alert(w.endpoint("a", once))
		w.pass(3 * time.Hour)
		got, _ := mailer.sent()
		expectTexts(t, "digests", got, "1 a@example.com 1")
	})
}

// A process that ends while the mail server takes a digest records it. One that crashes then sends it again after its restart.
func TestEndWhileDigestIsSent(t *testing.T) {
	for name, want := range map[string][]string{
		"Stop": {"1 a@example.com 1"}, "Crash": {"1 a@example.com 1", "1 a@example.com 1"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mailer := w.mails("a@example.com")
				taken, end := make(chan struct{}), make(chan struct{})
				mailer.took = sync.OnceFunc(func() {
					close(taken)
					<-end
				})
				w.alert(w.endpoint("a", once))
				<-taken
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					if name == "Stop" {
						w.stop()
					} else {
						w.crash()
					}
				}()
				w.pass(time.Millisecond)
				close(end)
				<-ended
				w.start()
				w.pass(3 * time.Hour)
				got, _ := mailer.sent()
				expectTexts(t, "digests", got, want...)
			})
		})
	}
}

// Of two nodes, the one that owns the shard of the operators' tenant sends digests. Another one that takes over goes on where it
// stopped.
func TestOneNodeSendsDigests(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.Node = "node" // of both, because this store knows one
		mailer := w.mails("a@example.com")
		first := leasing(w)
		second := &leased{Store: w.store, lost: allShards()}
		other := &fakeMailer{begin: mailer.begin}
		config := w.config
		config.Store, config.Mailer = second, other
		node := engine.New(config)
		must(t, node.Start(t.Context()))
		ep := w.endpoint("a", once)
		w.alert(ep)
		w.pass(10 * time.Minute)
		w.alert(ep)
		first.change(func() { first.lost = allShards() })
		second.change(func() { second.lost = nil })
		w.pass(55 * time.Minute)
		got, _ := mailer.sent()
		expectTexts(t, "digests of the first node", got, "1 a@example.com 1")
		got, _ = other.sent()
		expectTexts(t, "digests of the second node", got, "61 a@example.com 1")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		must(t, node.Close(ctx))
	})
}

func allShards() (all []int) {
	for shard := range bellwire.Shards {
		all = append(all, shard)
	}
	return all
}

// Thousands of deliveries that are exhausted cost an address as little as one: a single alert, that their endpoint fails.
func TestDigestOfManyDeliveries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(500))
		w.endpoint("a", once)
		m := w.mails("ops@example.com")
		for range 3 {
			w.batch(300)
		}
		w.pass(time.Minute / 2)
		kept, err := w.store.Alerts(t.Context(), "ops@example.com")
		must(t, err)
		if len(kept) != 1 {
			t.Errorf("%d alerts are kept, want one", len(kept))
		}
		w.pass(3 * time.Hour)
		if got, tried := m.sent(); len(got) != 1 || tried != 1 || !strings.HasSuffix(got[0], " ops@example.com 1") {
			t.Errorf("%q were sent in %d attempts, want one with one alert", got, tried)
		}
	})
}
