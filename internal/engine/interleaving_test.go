package engine_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// A FIFO lane is idle and asks the store; meanwhile an event is published and fails, and the claim ends before
// that failure is recorded. The next event must not overtake.
func TestFIFOWhileAClaimIsUnderWay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		ep := w.endpoint("a", fifo) // nobody answers there yet
		w.engine.Refresh(ep.ID)
		w.pass(time.Second) // the lane has caught up
		claim, record := make(chan struct{}), make(chan struct{})
		f.claim = func() { <-claim }
		f.record = func(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
			<-record
			return f.Store.RecordResults(ctx, results)
		}
		w.engine.Refresh(ep.ID)
		w.pass(10 * time.Millisecond)
		ids := w.publish(1)
		w.pass(10 * time.Millisecond)
		close(claim)
		w.pass(10 * time.Millisecond)
		r := w.receiver("a", answers(200))
		ids = append(ids, w.publish(1)...)
		w.pass(10 * time.Millisecond)
		close(record)
		w.pass(time.Hour)
		if diff := cmp.Diff(texts(ids), r.ids()); diff != "" {
			t.Error("order of first receipt (-want +got):", diff)
		}
	})
}

// An endpoint becomes FIFO while a claim that does not know it is on its way: the numbers that are given from
// then on stay.
func TestFIFOBeginsDuringAClaim(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		ep := w.endpoint("a") // nobody answers there yet
		claim := make(chan struct{})
		f.claim = func() { <-claim }
		w.engine.Refresh(ep.ID)
		w.pass(time.Millisecond)
		w.update(ep.ID, fifo)
		ids := w.publish(3)
		close(claim)
		w.pass(time.Second)
		r := w.receiver("a", answers(200))
		w.pass(time.Hour)
		if diff := cmp.Diff(texts(ids), r.ids()); diff != "" {
			t.Error("order of first receipt (-want +got):", diff)
		}
		for i, d := range w.deliveries(ep.ID) {
			if d.Sequence != int64(i+1) {
				t.Errorf("delivery %d has the number %d", i+1, d.Sequence)
			}
		}
	})
}

// A change of one endpoint counts, though it came while another one of the same round was being served.
func TestChangesDuringARoundAreSeen(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		r := w.receiver("a", answers(200))
		w.receiver("b", answers(500))
		a := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.RateLimit = 1 })
		b := w.endpoint("b")
		w.publish(20)
		w.pass(time.Second)
		disabled := make(chan struct{})
		f.cancel = func(id string) {
			if id == b.ID {
				f.cancel = nil
				w.update(a.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
				close(disabled)
			}
		}
		w.engine.Refresh(a.ID)
		w.update(b.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		<-disabled
		w.pass(100 * time.Millisecond)
		before := len(r.got())
		w.pass(time.Minute)
		if after := len(r.got()); after != before {
			t.Errorf("a disabled endpoint got %d more requests; its deliveries: %v", after-before, w.statuses(a.ID))
		}
	})
}

// An endpoint that is enabled again just before the claimer cancels its open deliveries loses nothing.
func TestEnabledAgainBeforeItIsCanceled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		w.receiver("a", answers(200))
		ep := w.endpoint("a")
		f.cancel = func(string) {
			f.cancel = nil
			w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status, ep.MaxInFlight = bellwire.EndpointEnabled, 1 })
			w.publish(50)
		}
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		w.pass(time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 50 {
			t.Error("of 50 published while it was enabled:", got)
		}
	})
}

// 410 from where the endpoint was before is a failure of that attempt, and no more.
func TestGoneFromTheOldURL(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		w.receiver("old", func(_ int, rw http.ResponseWriter, _ *http.Request) { <-release; rw.WriteHeader(410) })
		w.receiver("new", answers(200))
		ep := w.endpoint("old")
		w.publish(1)
		w.pass(time.Second)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.URL = "http://new.test/hook" })
		close(release)
		w.pass(time.Hour)
		got, err := w.store.Endpoint(t.Context(), ep.ID)
		must(t, err)
		if d := w.deliveries(ep.ID)[0]; got.Status != bellwire.EndpointEnabled || d.Status != bellwire.DeliverySucceeded {
			t.Errorf("endpoint %s, delivery %s: %s", got.Status, d.Status, d.Reason)
		}
	})
}

func TestGoneAnswersATest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(410))
		ep := w.endpoint("a")
		_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
		must(t, err)
		w.pass(time.Second)
		got, err := w.store.Endpoint(t.Context(), ep.ID)
		must(t, err)
		if got.Status != bellwire.EndpointDisabled || got.StatusReason != bellwire.ReasonEndpointGone {
			t.Errorf("%s: %q", got.Status, got.StatusReason)
		}
	})
}

func TestRateLimitTakenAway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.RateLimit = 0.001 })
		w.publish(5)
		w.pass(time.Second)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.RateLimit = 0 })
		w.pass(time.Second)
		if got := len(r.got()); got != 5 {
			t.Error("a second after the limit was taken away:", got, "of 5")
		}
	})
}

func TestManualSuccessIsNotSentAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.RateLimit = 0.01 })
		w.publish(3)
		w.pass(time.Second)
		_, err := w.store.RequestRetry(t.Context(), "acme", w.deliveries(ep.ID)[2].ID)
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.pass(time.Hour)
		if got := len(r.got()); got != 3 {
			t.Error("requests for 3 events:", got)
		}
	})
}

func TestOneRequestAtATimeInAll(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.stop()
		w.config.MaxInFlight = 1
		w.start()
		w.receiver("a", answers(500, 200))
		ep := w.endpoint("a")
		w.publish(3)
		w.pass(time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 {
			t.Error(got)
		}
	})
}

// Endpoints that hang do not fill the memory that others need.
func TestHangingEndpointsAndMemory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 20 {
			name := "hang" + string(rune('a'+i))
			w.receiver(name, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			w.endpoint(name)
		}
		big := []byte(`"` + strings.Repeat("x", 256<<10) + `"`)
		for range 20 {
			_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: big}}})
			must(t, err)
		}
		w.pass(time.Second)
		must(t, w.store.CreateTenant(t.Context(), &bellwire.Tenant{ID: "other", CreatedAt: now(), UpdatedAt: now()}))
		r := w.receiver("good", answers(200))
		w.endpoint("good", func(ep *bellwire.Endpoint) { ep.Tenant = "other" })
		_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "other", Events: []engine.Draft{{Type: "ping", Data: []byte(`1`)}}})
		must(t, err)
		w.pass(time.Second)
		if len(r.got()) != 1 {
			t.Errorf("a healthy endpoint of another tenant still waits: %+v", w.engine.Stats())
		}
	})
}

// One queued delivery of a batch does not keep the rest of it in memory.
func TestBatchesAreNotKept(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("hang", func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		w.endpoint("hang", func(ep *bellwire.Endpoint) { ep.Events = []string{"ping"} })
		_, err := w.store.PutEventType(t.Context(), &bellwire.EventType{Name: "bulk", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		var freed atomic.Int32
		for range 5 {
			drafts := []engine.Draft{{Type: "ping", Data: []byte("1")}}
			for range 10 {
				data := make([]byte, 64<<10)
				runtime.AddCleanup(&data[0], func(int) { freed.Add(1) }, 0)
				drafts = append(drafts, engine.Draft{Type: "bulk", Data: data})
			}
			_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: drafts})
			must(t, err)
		}
		w.pass(time.Second)
		// Cleanups run some time after a collection. What was stored last may still be on the batcher's stack.
		for collections := 0; freed.Load() < 40; collections++ {
			if collections == 1000 {
				t.Fatalf("of 50 events that nobody waits for, %d were let go; %+v", freed.Load(), w.engine.Stats())
			}
			runtime.GC()
		}
	})
}

// Close ends when it is told to, whatever the store does.
func TestCloseHeedsItsContext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		f.append = func(ctx context.Context, _ []*bellwire.Append) ([]bellwire.AppendResult, error) {
			<-ctx.Done() // a store that hangs
			return nil, unavailable()
		}
		for range 3 {
			go func() {
				_, _ = w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}})
			}()
			w.pass(time.Second)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		started := time.Now()
		_ = w.engine.Close(ctx) // there is nothing to finish
		if took := time.Since(started); took > 10*time.Second {
			t.Errorf("Close with 5 s took %s", took)
		}
	})
}

// unloadable is a directory that fails for one endpoint.
type unloadable struct {
	engine.Directory
	endpoint *atomic.Value // its id
}

func (u unloadable) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	if endpoint == u.endpoint.Load() {
		return nil, unavailable()
	}
	return u.Directory.Target(ctx, endpoint)
}

// An endpoint that cannot be loaded does not delay the retries of others in the same round, and is loaded again later.
func TestLoadErrorDelaysNoOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var broken atomic.Value
		w.stop()
		w.around = func(d engine.Directory) engine.Directory { return unloadable{d, &broken} }
		w.start()
		good, bad := w.receiver("good", answers(500, 200)), w.receiver("bad", answers(500, 200))
		w.endpoint("good")
		ep := w.endpoint("bad")
		w.publish(1)
		w.pass(time.Second)
		broken.Store(ep.ID)
		w.pass(time.Minute)
		if len(good.got()) != 2 || len(bad.got()) != 1 {
			t.Errorf("attempts: %d of the one that can be loaded, %d of the other", len(good.got()), len(bad.got()))
		}
		broken.Store("")
		w.pass(10 * time.Second)
		if len(bad.got()) != 2 {
			t.Error("attempts of the other, when it can be loaded again:", len(bad.got()))
		}
	})
}

// TestDeliversTheTimeThatIsStored sets the clock back between two events: the receiver gets the stored time of the second
// event, which is a moment after the first, and gets it at once.
func TestDeliversTheTimeThatIsStored(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		w.endpoint("a")
		w.publish(1)
		w.pass(time.Second)
		w.jump(-time.Hour)
		w.publish(1)
		w.pass(time.Millisecond)
		got := r.got()
		if len(got) != 2 {
			t.Fatalf("got %d messages", len(got))
		}
		var last time.Time
		for _, g := range got {
			id, err := bellwire.ParseID[bellwire.EventKind](g.id)
			must(t, err)
			e, err := w.store.Event(t.Context(), "acme", id)
			must(t, err)
			if stamp := `"timestamp":"` + e.CreatedAt.Format(time.RFC3339Nano) + `"`; !strings.Contains(g.body, stamp) {
				t.Errorf("got %s, want %s", g.body, stamp)
			}
			if !e.CreatedAt.After(last) {
				t.Errorf("the event of %v came after the one of %v", e.CreatedAt, last)
			}
			last = e.CreatedAt
		}
	})
}

// onlyPrefetched is a directory that counts how often endpoints are prefetched, and which ones Target had to read alone.
type onlyPrefetched struct {
	engine.Directory
	mu         sync.Mutex
	prefetched map[string]bool
	alone      int
}

func (o *onlyPrefetched) Prefetch(ctx context.Context, endpoints []string) error {
	o.mu.Lock()
	for _, id := range endpoints {
		o.prefetched[id] = true
	}
	o.mu.Unlock()
	return o.Directory.Prefetch(ctx, endpoints)
}

func (o *onlyPrefetched) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	o.mu.Lock()
	if !o.prefetched[endpoint] {
		o.alone++
	}
	o.mu.Unlock()
	return o.Directory.Target(ctx, endpoint)
}

// Endpoints whose deliveries are claimed by a node that has none of them in its cache are read together.
func TestClaimedEndpointsAreReadTogether(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		receivers := w.endpoints(100)
		for _, r := range receivers {
			r.now(answers(500, 200))
		}
		w.publish(1)
		w.pass(time.Second)
		w.stop()
		d := &onlyPrefetched{prefetched: make(map[string]bool)}
		w.around = func(inner engine.Directory) engine.Directory { d.Directory = inner; return d }
		w.start()
		w.pass(time.Minute)
		for _, r := range receivers {
			if n := len(r.got()); n != 2 {
				t.Fatalf("%s got %d requests, want 2", r.name, n)
			}
		}
		if d.alone > 0 || len(d.prefetched) != len(receivers) {
			t.Errorf("%d endpoints were prefetched, and %d reads were of one alone", len(d.prefetched), d.alone)
		}
	})
}
