package lanes

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
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

// A lane that may have many requests in flight holds more for each of them, up to a ceiling.
func TestCapacityGrowsWithRequestsInFlight(t *testing.T) {
	t.Parallel()
	for inFlight, want := range map[int]int{1: 64, 4: 256, 16: 1024, 32: 4096, 64: 16384, 200: laneCeiling} {
		l := &lane{window: window{size: float64(inFlight), max: inFlight}}
		if got := l.capacity(); got != want {
			t.Errorf("with %d requests in flight a lane holds %d deliveries, want %d", inFlight, got, want)
		}
		if l.proven = true; l.byteLimit() != laneBytes {
			t.Errorf("an endpoint that answers may have %d bytes, want %d", l.byteLimit(), laneBytes)
		}
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

// Memory that a publish releases wakes the claims that wait for it.
func TestReleasedMemoryWakesClaims(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	woken := 0
	m.s.config.WakeClaimer = func() { woken++ }
	m.s.shared.most[places] = 1
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1}}
	task := &Task{Content: NewContent(&bellwire.Event{Data: make([]byte, 10)}), Trigger: bellwire.TriggerSchedule}
	found := m.s.Reserve(time.Now(), []*bellwire.Target{target}, task.Content, nil)
	m.s.Due([]bellwire.DueEndpoint{{Endpoint: "b", At: time.Now()}})
	if turns := m.s.ReadyToClaim(time.Now(), 64); len(turns) > 0 {
		t.Fatal("claimed though memory is full")
	}
	woken = 0
	m.s.Cancel(found, []*Task{task})
	if woken == 0 {
		t.Error("memory is free again, and nobody told the claimer")
	}
}

// What another node reports to have ended may not have ended, so it is released.
func TestForgottenDeliveriesAreReleased(t *testing.T) {
	t.Parallel()
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{
		ID: "a", Status: bellwire.EndpointEnabled, Ordering: bellwire.OrderingFIFO, MaxInFlight: 8, Revision: 1,
	}}
	for name, forget := range map[string]func(*Scheduler, *Task){
		"canceled": func(s *Scheduler, task *Task) { s.Forget("a", task.Delivery.ID) },
		"erased":   func(s *Scheduler, task *Task) { s.ForgetEvent("a", task.Content.ID) },
	} {
		m := newSchedulerModel()
		var tasks []*Task
		for range 3 {
			content := m.event("", 10, 1)
			task := m.task(target, content, 1)
			task.Delivery.ID = bellwire.DeliveryOf(content.ID, 0)
			if tasks == nil {
				m.s.lane("a", "").nextSequence = task.Delivery.Sequence
			}
			m.s.Commit(time.Now(), m.s.Reserve(time.Now(), []*bellwire.Target{target}, content, nil), []*Task{task})
			tasks = append(tasks, task)
		}
		forget(m.s, tasks[1])
		if len(m.running) != 1 || len(m.given) != 2 {
			t.Errorf("%s: %d are in flight, and %d were released; want 1, and the other 2, because the store knows their order", name, len(m.running), len(m.given))
		}
	}
}

// A scan finds that a paused endpoint was enabled, which nobody has reported.
func TestScansFindEnabledEndpoints(t *testing.T) {
	t.Parallel()
	for name, paused := range map[string]*bellwire.Target{
		"endpoint": {Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointPaused, MaxInFlight: 8, Revision: 1}},
		"tenant": {
			Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1},
			Limits:   &bellwire.Limits{Paused: true},
		},
	} {
		m := newSchedulerModel()
		m.free["a"] = []*Task{m.task(paused, m.event("", 10, 1), 0)}
		due := []bellwire.DueEndpoint{{Endpoint: "a", At: time.Now().Add(-time.Second)}}
		m.s.Refresh("a")
		m.claim([]*bellwire.Target{paused})
		m.s.Due(due)
		m.claim([]*bellwire.Target{paused})
		if len(m.running) != 0 || len(m.free["a"]) != 1 {
			t.Fatalf("%s: %d requests while it is paused", name, len(m.running))
		}
		resumed := &bellwire.Target{
			Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 2}, Limits: &bellwire.Limits{},
		}
		m.s.Due(due)
		m.claim([]*bellwire.Target{resumed})
		if len(m.running) != 1 {
			t.Errorf("%s: %d requests after a scan, want 1", name, len(m.running))
		}
	}
}
