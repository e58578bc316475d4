package engine

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// While the store is unavailable, the reservations of failed publishes are bounded and retain no data.
func TestReservationsOfFailedPublishesAreBounded(t *testing.T) {
	t.Parallel()
	e := New(Config{})
	leases := &bellwire.Leases{}
	for i := range leases.Epochs {
		leases.Epochs[i] = 1
	}
	e.scheduler.SetLeases(leases, time.Time{})
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1}}
	for range 10_000 {
		event := lanes.NewContent(&bellwire.Event{Data: make([]byte, 100)})
		found := e.scheduler.Reserve(time.Now(), []*bellwire.Target{target}, event, nil)
		if found[0].Epoch() == 0 {
			continue
		}
		e.scheduler.Abandon(found, []*lanes.Task{{Content: event, Trigger: bellwire.TriggerSchedule}})
	}
	n := 0
	for task, ok := e.recorder.releases.pop(); ok; task, ok = e.recorder.releases.pop() {
		if n++; task.Content != nil {
			t.Fatal("what waits to be given back keeps its data")
		}
	}
	if n == 0 || n > 4096 {
		t.Error("deliveries that wait to be given back:", n)
	}
}

// Tenants take turns in the batcher: one that floods does not come before the others with all that it has.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	b := newBatcher(batcherDeps{}, ordinaryBytes)
	submit := func(tenant string, events int) {
		if err := b.push(submissionOf(tenant, events)); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		submit("flood", limits.GroupEvents)
	}
	submit("quiet", 1)
	for range 2 {
		for _, s := range b.takeGroup(nil) {
			if s.events[0].Event.Tenant == "quiet" {
				return
			}
		}
	}
	t.Error("the quiet tenant's event is not in the first two groups")
}
