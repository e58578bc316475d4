package engine_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// faulty is a store between which and the engine things go wrong.
type faulty struct {
	bellwire.Store
	append func(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error)
	record func(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error)
	claim  func() // before the store is asked
	cancel func(endpoint string)
}

func (f *faulty) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	if f.claim != nil {
		f.claim()
	}
	return f.Store.ClaimDue(ctx, now, claims)
}

func (f *faulty) CancelOpen(ctx context.Context, endpoint, reason string, now time.Time, limit int) (int, error) {
	if f.cancel != nil {
		f.cancel(endpoint)
	}
	return f.Store.CancelOpen(ctx, endpoint, reason, now, limit)
}

func (f *faulty) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	if f.append != nil {
		return f.append(ctx, appends)
	}
	return f.Store.AppendEvents(ctx, appends)
}

func (f *faulty) RecordResults(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	if f.record != nil {
		return f.record(ctx, results)
	}
	return f.Store.RecordResults(ctx, results)
}

// withFaults restarts the world with a faulty store.
func (w *world) withFaults() *faulty {
	f := &faulty{}
	w.stop()
	w.wrap = func(s bellwire.Store) bellwire.Store {
		f.Store = s
		return f
	}
	w.start()
	return f
}

// complaints are the operations that the engine said the store failed at.
type complaints struct {
	bellwire.NopObserver
	mu   sync.Mutex
	list []string
}

func (c *complaints) StoreFailed(operation string, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, operation)
}

// A claim that is interrupted because the engine closes does not count as a failure of the store.
func TestNothingFailsBecauseTheEngineEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		w.endpoint("a")
		seen := &complaints{}
		w.config.Observer = seen
		f := w.withFaults()
		f.claim = func() { time.Sleep(time.Second) } // longer than what is left to the claimer
		w.publish(1)
		w.pass(5*time.Second + 500*time.Millisecond)
		w.stop()
		if len(r.got()) == 0 || len(seen.list) > 0 {
			t.Errorf("after %d requests the store is said to have failed at %q", len(r.got()), seen.list)
		}
		f.claim = nil
		w.start()
	})
}

func unavailable() error {
	return bellwire.Errorf(bellwire.CodeUnavailable, "the connection broke off")
}

// A row that the database refuses is answered to its publisher alone.
func TestOnePublishersFaultIsAnsweredToThatOneAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		w.endpoint("a")
		f := w.withFaults()
		f.append = func(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
			time.Sleep(time.Millisecond) // so that groups form
			for _, a := range appends {
				if bytes.Contains(a.Events[0].Event.Data, []byte("poison")) {
					return nil, bellwire.Errorf(bellwire.CodeInternal, "a constraint failed")
				}
			}
			return f.Store.AppendEvents(ctx, appends)
		}
		var (
			all     sync.WaitGroup
			refused atomic.Int32
		)
		for i := range 200 {
			all.Go(func() {
				data := []byte(`"fine"`)
				if i%50 == 7 {
					data = []byte(`"poison"`)
				}
				_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: data}}})
				if poison := i%50 == 7; poison != (err != nil) {
					t.Errorf("publish %d: %v", i, err)
				}
				if err != nil {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		w.pass(time.Second)
		if got := len(r.ids()); got != 196 || refused.Load() != 4 {
			t.Error("received:", got, "refused:", refused.Load())
		}
	})
}

// A commit with an unknown outcome is repeated with the same ids: nothing is stored twice.
func TestUnknownOutcomeIsRepeated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a")
		f := w.withFaults()
		lost := 0
		f.append = func(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
			results, err := f.Store.AppendEvents(ctx, appends)
			if lost++; lost%2 == 1 {
				return nil, unavailable()
			}
			return results, err
		}
		w.publish(5)
		w.pass(time.Hour)
		if got := len(r.got()); got != 5 || len(w.deliveries(ep.ID)) != 5 {
			t.Error("requests:", got, "deliveries:", len(w.deliveries(ep.ID)))
		}
	})
}

// While the store does not answer, the publisher learns that the outcome is unknown. An event that was stored after all is
// delivered.
func TestPublishOfUnknownOutcome(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a")
		f := w.withFaults()
		f.append = func(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
			_, _ = f.Store.AppendEvents(ctx, appends)
			return nil, unavailable()
		}
		_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}})
		if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Error(err)
		}
		w.pass(time.Minute)
		if got := len(r.got()); got != 1 || w.statuses(ep.ID)[bellwire.DeliverySucceeded] != 1 {
			t.Error("requests:", got, w.statuses(ep.ID))
		}
	})
}

// While results cannot be recorded nothing is sent twice, and they are recorded when the store is back.
func TestRecorderWaitsForTheStore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a")
		f := w.withFaults()
		back := time.Now().Add(10 * time.Minute)
		f.record = func(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
			if time.Now().Before(back) {
				return nil, unavailable()
			}
			return f.Store.RecordResults(ctx, results)
		}
		w.publish(20)
		w.pass(9 * time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryPending] != 20 {
			t.Error("before:", got)
		}
		w.pass(2 * time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 20 || len(r.got()) != 20 {
			t.Error("after:", got, len(r.got()))
		}
	})
}

// A result that the database refuses does not delay the results of others.
func TestOneBadResultDoesNotHoldUpOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(200))
		ep := w.endpoint("a")
		f := w.withFaults()
		var bad bellwire.DeliveryID
		f.record = func(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
			if bad.IsZero() {
				bad = results[0].Delivery
			}
			for _, r := range results {
				if r.Delivery == bad {
					return nil, bellwire.Errorf(bellwire.CodeInternal, "a constraint failed")
				}
			}
			return f.Store.RecordResults(ctx, results)
		}
		w.publish(50)
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 49 {
			t.Error(got)
		}
	})
}

// An endpoint that another node has just made counts for the next publish, although the cache does not have it.
func TestStaleConfigurationIsMatchedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.receiver("a", answers(200)), w.receiver("b", answers(200))
		w.endpoint("a")
		w.publish(1)
		w.silent = true
		w.endpoint("b")
		w.publish(1)
		w.pass(time.Second)
		if len(a.got()) != 2 || len(b.got()) != 1 {
			t.Error(len(a.got()), len(b.got()))
		}
	})
}

// While publishes cannot be stored, the engine is not ready. After a while it lets one publish try again.
func TestReadyReportsWhetherEventsCanBeStored(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.withFaults()
		must(t, w.engine.Ready())
		f.append = func(context.Context, []*bellwire.Append) ([]bellwire.AppendResult, error) {
			return nil, bellwire.Errorf(bellwire.CodeNoSpace, "the disk is full")
		}
		_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}})
		if bellwire.CodeOf(err) != bellwire.CodeNoSpace || bellwire.CodeOf(w.engine.Ready()) != bellwire.CodeNoSpace {
			t.Error(err, w.engine.Ready())
		}
		w.pass(time.Minute)
		must(t, w.engine.Ready())
		_, err = w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}})
		if err == nil || w.engine.Ready() == nil {
			t.Error(err, w.engine.Ready())
		}
		f.append = nil
		w.publish(1)
		must(t, w.engine.Ready())
	})
}
