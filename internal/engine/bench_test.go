package engine

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/send"
)

// BenchmarkLaneHandOver is what a delivery costs in the scheduler: reserved, accepted, sent, finished, recorded.
func BenchmarkLaneHandOver(b *testing.B) {
	m := newSchedulerModel()
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "ep_1", MaxInFlight: 64, Status: bellwire.EndpointEnabled, Revision: 1}}
	targets := []*bellwire.Target{target}
	event := newContent(&bellwire.Event{Data: make([]byte, 500)})
	records := []bellwire.Recorded{{Status: bellwire.DeliverySucceeded, Moved: true}}
	var places []placement
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		places = m.s.reserve(now, targets, event, places[:0])
		j := &job{trigger: bellwire.TriggerSchedule, event: event}
		m.s.accept(now, places, []*job{j})
		m.running = m.running[:0]
		r := &result{job: j, Result: send.Result{Verdict: bellwire.Acknowledged, Attempt: &bellwire.Attempt{}}, transition: bellwire.Transition{Status: bellwire.DeliverySucceeded}}
		m.s.finish(now, r)
		m.s.recorded(now, []*result{r}, records)
	}
}
