package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

func TestBreakerNeedsFailuresAndTime(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	var quick breaker
	for range 100 {
		if quick.failed(at) {
			t.Fatal("opened within an instant")
		}
	}
	var slow breaker
	for i := range breakerFailures {
		opened := slow.failed(at.Add(time.Duration(i) * breakerSpan))
		if opened != (i == breakerFailures-1) {
			t.Fatalf("after %d failures: opened %v", i+1, opened)
		}
	}
	if slow.failed(at); slow.pause != firstPause {
		t.Error("an attempt that was under way made the pause longer:", slow.pause)
	}
	for range 20 {
		slow.probing = true
		slow.failed(at)
	}
	if slow.pause != longestPause {
		t.Error("pause:", slow.pause)
	}
	if !slow.succeeded() || slow.open() || slow.succeeded() {
		t.Error("it did not close once")
	}
}

func TestWindowStaysInBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 200).Draw(t, "max")
		w := newWindow(limit)
		for range rapid.IntRange(0, 500).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "ok") {
				latency := time.Duration(rapid.IntRange(0, int(time.Minute)).Draw(t, "latency"))
				w.succeeded(latency, rapid.Bool().Draw(t, "full"))
			} else {
				w.failed()
			}
			if got := w.limit(); got < 1 || got > limit {
				t.Fatalf("limit %d of %d", got, limit)
			}
		}
	})
}

func TestWindowGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	w := newWindow(64)
	for range 100 {
		w.succeeded(10*time.Millisecond, true)
	}
	if w.limit() != 64 {
		t.Error("after 100 quick answers:", w.limit())
	}
	for range 30 {
		w.succeeded(5*time.Second, true)
	}
	if w.limit() > 8 {
		t.Error("after 30 slow answers:", w.limit())
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			q     queue[int]
			model []int
			next  int
		)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				q.push(next)
				model = append(model, next)
				next++
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				if got := q.pop(); got != model[0] {
					t.Fatalf("popped %d, not %d", got, model[0])
				}
				model = model[1:]
			},
			"remove": func(t *rapid.T) {
				n := rapid.IntRange(0, next).Draw(t, "n")
				_, ok := q.remove(func(v int) bool { return v == n })
				for i, v := range model {
					if v == n {
						model = append(model[:i:i], model[i+1:]...)
						if !ok {
							t.Fatalf("%d was not found", n)
						}
						break
					}
				}
			},
			"": func(t *rapid.T) {
				if q.len() != len(model) {
					t.Fatalf("length %d, not %d", q.len(), len(model))
				}
			},
		})
	})
}

// Memory that a publish gives back wakes the claims that wait for it.
func TestStarvedClaimsAreWoken(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	woken := 0
	m.s.wakeClaimer = func() { woken++ }
	m.s.most[places] = 1
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1}}
	j := &job{event: newContent(&bellwire.Event{Data: make([]byte, 10)}), trigger: bellwire.TriggerSchedule}
	found := m.s.reserve(time.Now(), []*bellwire.Target{target}, j.event, nil)
	m.s.found([]bellwire.DueEndpoint{{Endpoint: "b", At: time.Now()}})
	if lanes := m.s.claimable(time.Now(), 64); len(lanes) > 0 {
		t.Fatal("claimed though memory is full")
	}
	woken = 0
	m.s.cancel(found, []*job{j})
	if woken == 0 {
		t.Error("memory is free again, and nobody told the claimer")
	}
}

// While the store is down, what publishes give back is bounded and keeps no data.
func TestGivenBackIsBounded(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	leases := &bellwire.Leases{}
	for i := range leases.Epochs {
		leases.Epochs[i] = 1
	}
	e.scheduler.ownership.Store(&ownership{leases: leases})
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1}}
	for range 10_000 {
		event := newContent(&bellwire.Event{Data: make([]byte, 100)})
		found := e.scheduler.reserve(time.Now(), []*bellwire.Target{target}, event, nil)
		if found[0].epoch == 0 {
			continue
		}
		e.scheduler.abandon(found, []*job{{event: event, trigger: bellwire.TriggerSchedule}})
	}
	n := 0
	for j, ok := e.recorder.releases.pop(); ok; j, ok = e.recorder.releases.pop() {
		if n++; j.event != nil {
			t.Fatal("what waits to be given back keeps its data")
		}
	}
	if n == 0 || n > laneCeiling {
		t.Error("deliveries that wait to be given back:", n)
	}
}

// Tenants take turns in the intake: one who floods does not come before the others with all that it has.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	in := newIntake(New(Config{}), nil, ordinaryBytes)
	submit := func(tenant string, events int) {
		if err := in.push(submissionOf(tenant, events)); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		submit("flood", limits.GroupEvents)
	}
	submit("quiet", 1)
	for range 2 {
		for _, s := range in.gather(nil) {
			if s.events[0].Event.Tenant == "quiet" {
				return
			}
		}
	}
	t.Error("the quiet tenant's event is not in the first two groups")
}
