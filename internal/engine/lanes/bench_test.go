package lanes

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// BenchmarkLaneHandOver measures the cost of a delivery in the scheduler: reserved, accepted, sent, finished, recorded.
func BenchmarkLaneHandOver(b *testing.B) {
	m := newSchedulerModel()
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "ep_1", MaxInFlight: 64, Status: bellwire.EndpointEnabled, Revision: 1}}
	targets := []*bellwire.Target{target}
	event := NewContent(&bellwire.Event{Data: make([]byte, 500)})
	records := []bellwire.Recorded{{Status: bellwire.DeliverySucceeded, Moved: true}}
	var places []Reservation
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		places = m.s.Reserve(now, targets, event, places[:0])
		task := &Task{Trigger: bellwire.TriggerSchedule, Content: event}
		m.s.Commit(now, places, []*Task{task})
		m.running = m.running[:0]
		r := &Result{Task: task, Verdict: bellwire.Acknowledged, Attempt: &bellwire.Attempt{}}
		m.s.Finish(now, r)
		m.s.Recorded(now, []*Result{r}, records)
	}
}
