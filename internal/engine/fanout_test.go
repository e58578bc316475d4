package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/testenv"
)

// fanned is a store whose FanOut a test can look at, and get in the way of.
type fanned struct {
	bellwire.Store
	fanOut func(ctx context.Context, step int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error)
	steps  atomic.Int64
}

func (f *fanned) FanOut(ctx context.Context, leases *bellwire.Leases, limit int) (*bellwire.FannedOut, error) {
	do := func() (*bellwire.FannedOut, error) { return f.Store.FanOut(ctx, leases, limit) }
	return f.fanOut(ctx, int(f.steps.Add(1)), do)
}

// withFanOut has each step of the world's fan-out go through f. The first is that at the start, which finds nothing.
func withFanOut(w *world, f func(ctx context.Context, step int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error)) *fanned {
	store := &fanned{fanOut: f}
	w.stop()
	w.wrap = func(s bellwire.Store) bellwire.Store {
		store.Store = s
		return store
	}
	w.start()
	return store
}

// endpoints makes so many endpoints of acme, each with a receiver that says yes.
func (w *world) endpoints(n int, change ...func(*bellwire.Endpoint)) (receivers []*receiver) {
	w.t.Helper()
	for i := range n {
		name := fmt.Sprintf("crowd%d-%d", len(w.hosts), i)
		w.endpoint(name, change...)
		receivers = append(receivers, w.receiver(name, answers(http.StatusOK)))
	}
	return receivers
}

// batch publishes n pings at once, and returns their ids.
func (w *world) batch(n int) (ids []bellwire.EventID) {
	w.t.Helper()
	receipts, err := w.engine.Publish(w.t.Context(), &engine.Publication{Tenant: "acme", Events: drafts(n)})
	must(w.t, err)
	for _, r := range receipts {
		ids = append(ids, r.Event)
	}
	return ids
}

func drafts(n int) []engine.Draft {
	events := make([]engine.Draft, n)
	for i := range events {
		events[i] = engine.Draft{Type: "ping", Data: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	return events
}

// expectAll waits until receivers have got events in the order of publication, or in any, each once.
func (w *world) expectAll(receivers []*receiver, events []bellwire.EventID, ordered bool) {
	w.t.Helper()
	want := texts(events)
	for _, r := range receivers {
		for range 600 {
			if len(r.got()) >= len(want) {
				break
			}
			w.pass(100 * time.Millisecond)
		}
		got := r.ids()
		if n := len(r.got()); n != len(want) {
			w.t.Fatalf("%s got %d requests, want %d", r.name, n, len(want))
		}
		if !ordered {
			slices.Sort(got)
			want = slices.Sorted(slices.Values(want))
		}
		if !slices.Equal(got, want) {
			w.t.Errorf("%s got other events, or in another order", r.name)
		}
	}
}

// TestLargePublication: a publication that is fanned out reaches each endpoint once, and keeps its place in the order among
// events that are published before, during and after its fan-out.
func TestLargePublication(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		ordered, plain := w.endpoints(2, fifo), w.endpoints(18)
		ids := w.publish(3)
		for range 2 {
			ids = append(ids, w.batch(70)...)
			ids = append(ids, w.publish(5)...)
		}
		w.expectAll(ordered, ids, true)
		w.expectAll(plain, ids, false)
		ids = append(ids, w.publish(2)...)
		w.expectAll(ordered, ids, true)
		backlog, err := w.store.Backlog(t.Context())
		must(t, err)
		if backlog.FanOut != 0 || backlog.Open > 64 {
			t.Errorf("in the end there are %+v", backlog)
		}
	})
}

// TestOthersAreStoredBetweenSteps: other publications are stored between two steps of a fan-out.
func TestOthersAreStoredBetweenSteps(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stored := 0
		withFanOut(w, func(ctx context.Context, _ int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error) {
			out, err := do()
			if err != nil || out.Deliveries == 0 {
				return out, err
			}
			backlog, err := w.store.Backlog(ctx)
			must(t, err)
			if backlog.FanOut == 0 {
				return out, nil
			}
			// The whole is not stored yet, and this one is answered.
			if _, err := w.engine.Publish(ctx, &engine.Publication{Tenant: "quiet", Events: drafts(1)}); err != nil {
				t.Error(err)
			}
			stored++
			return out, nil
		})
		must(t, w.store.CreateTenant(t.Context(), &bellwire.Tenant{ID: "quiet", CreatedAt: now(), UpdatedAt: now()}))
		receivers := w.endpoints(20)
		ids := w.batch(100)
		w.expectAll(receivers, ids, false)
		if want := 20*100/limits.FanOutStep - 1; stored != want {
			t.Errorf("%d events were stored between the steps, want %d", stored, want)
		}
	})
}

// TestFanOutLeavesTime: the pauses between the steps are as long as they have to be.
func TestFanOutLeavesTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const takes = 10 * time.Millisecond
		var ended time.Time
		withFanOut(w, func(ctx context.Context, step int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error) {
			if pause := time.Since(ended); !ended.IsZero() && pause < (limits.FanOutPart-1)*takes {
				t.Errorf("step %d began %v after the one before", step, pause)
			}
			time.Sleep(takes)
			out, err := do()
			if err == nil && out.Deliveries > 0 {
				ended = time.Now()
			}
			return out, err
		})
		receivers := w.endpoints(20)
		w.expectAll(receivers, w.batch(100), false)
	})
}

// TestFanOutGoesOn: a process that dies between two steps, or whose store fails, leaves nothing out and repeats nothing.
func TestFanOutGoesOn(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		failing := bellwire.Errorf(bellwire.CodeUnavailable, "the store is away")
		steps := withFanOut(w, func(_ context.Context, step int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error) {
			switch {
			case step == 3:
				_, err := do()
				must(t, err)
				return nil, failing // it was done
			case step > 5:
				return nil, failing
			}
			return do()
		})
		ordered, plain := w.endpoints(2, fifo), w.endpoints(18)
		ids := w.batch(200)
		w.pass(5 * time.Second)
		if n := steps.steps.Load(); n <= 5 {
			t.Fatalf("there were %d steps", n)
		}
		ids = append(ids, w.publish(3)...)
		w.crash()
		w.wrap = nil
		w.start()
		w.expectAll(plain, ids, false)
		w.expectAll(ordered, ids, true)
	})
}

// TestFanOutIsBounded: a publish is refused while too many deliveries of the tenant wait for fan-out, and the refusal
// states the right numbers.
func TestFanOutIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		acme, err := w.store.Tenant(t.Context(), "acme")
		must(t, err)
		acme.Limits = map[string]float64{"fan_out": 1600}
		must(t, w.store.UpdateTenant(t.Context(), acme))
		var open atomic.Bool
		withFanOut(w, func(_ context.Context, _ int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error) {
			if !open.Load() {
				return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the store is away")
			}
			return do()
		})
		receivers := w.endpoints(20)
		publish := func(n int) error {
			_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: drafts(n)})
			return err
		}
		if err := publish(81); bellwire.CodeOf(err) != bellwire.CodeTooLarge {
			t.Errorf("a batch that can never wait was answered %v", err)
		}
		ids := w.batch(60)
		err = publish(51)
		if e, ok := err.(*bellwire.Error); !ok || e.Code != bellwire.CodeRateLimited || e.RetryAfter == 0 {
			t.Errorf("a batch that cannot wait now was answered %v", err)
		}
		ids = append(ids, w.publish(2)...)
		ids = append(ids, w.batch(50)...) // which are not more than are stored at once
		open.Store(true)
		w.expectAll(receivers, ids, false)
		ids = append(ids, w.batch(80)...)
		w.expectAll(receivers, ids, false)
	})
}

// TestCancelDuringFanOut: a cancellation is done when it has ended the deliveries that were still being stored when it began, too.
func TestCancelDuringFanOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var open atomic.Bool
		withFanOut(w, func(_ context.Context, _ int, do func() (*bellwire.FannedOut, error)) (*bellwire.FannedOut, error) {
			if !open.Load() {
				return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the store is away")
			}
			return do()
		})
		receivers := w.endpoints(20, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.publish(1)
		w.batch(60)
		j := w.job(bellwire.JobCancel, "")
		w.pass(10 * time.Second)
		w.expectJob(j, bellwire.JobRunning, 20, 0)
		if got := w.jobNow(j).Waiting; got != "deliveries of a large publish are still being stored" {
			t.Errorf("the job waits for %q", got)
		}
		open.Store(true)
		w.pass(time.Minute)
		w.expectJob(j, bellwire.JobDone, 20+20*60, 0)
		for _, r := range receivers {
			if n := len(r.got()); n != 0 {
				t.Errorf("%s got %d requests", r.name, n)
			}
		}
	})
}
