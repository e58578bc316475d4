package postgres

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// BenchmarkCycle stores groups of events with one delivery each, and then the success of those. One operation is one
// event. The server does not sync, so that this is about work and round trips.
func BenchmarkCycle(b *testing.B) {
	for _, size := range []int{1, 50, 500} {
		b.Run(strconv.Itoa(size), func(b *testing.B) { benchCycle(b, size) })
	}
}

func benchCycle(b *testing.B, size int) {
	s, err := Open(b.Context(), server.NewDatabase(b, template), Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	leases, err := s.RenewLeases(b.Context(), "node")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	const tenants = 100
	for n := range tenants {
		tenant := fmt.Sprintf("tenant%d", n)
		if err := s.CreateTenant(b.Context(), &bellwire.Tenant{ID: tenant, CreatedAt: now}); err != nil {
			b.Fatal(err)
		}
		if err := s.CreateEndpoint(b.Context(), &bellwire.Endpoint{ID: "ep_" + tenant, Tenant: tenant, CreatedAt: now}, bellwire.ChangeNote{}); err != nil {
			b.Fatal(err)
		}
	}
	ids, data := new(bellwire.Sequence), make([]byte, 500)
	b.ResetTimer()
	for n := 0; n < b.N; n += size {
		appends, results := make([]*bellwire.Append, size), make([]*bellwire.Result, size)
		for i := range appends {
			appends[i], results[i] = cycle(ids, fmt.Sprintf("tenant%d", (n+i)%tenants), leases, data)
		}
		if _, err := s.AppendEvents(b.Context(), appends); err != nil {
			b.Fatal(err)
		}
		if recorded, err := s.RecordResults(b.Context(), results); err != nil || !recorded[0].Moved {
			b.Fatal(err)
		}
	}
}

// cycle makes an event with a delivery, and its success.
func cycle(ids *bellwire.Sequence, tenant string, leases *bellwire.Leases, data []byte) (*bellwire.Append, *bellwire.Result) {
	now, endpoint := time.Now(), "ep_"+tenant
	id := bellwire.Next[bellwire.EventKind](ids, now)
	d := bellwire.NewDelivery{ID: bellwire.DeliveryOf(id, 0), Endpoint: endpoint, Epoch: leases.Epoch(endpoint)}
	e := &bellwire.NewEvent{
		Event: bellwire.Event{
			ID: id, Tenant: tenant, Type: "order.paid", Data: data, CreatedAt: now,
		},
		Deliveries: []bellwire.NewDelivery{d},
	}
	return &bellwire.Append{Events: []*bellwire.NewEvent{e}}, &bellwire.Result{
		Delivery: d.ID, Trigger: bellwire.TriggerSchedule, Epoch: d.Epoch, EndedAt: now, Endpoint: endpoint,
		Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
		Attempt: &bellwire.Attempt{
			ID: bellwire.Next[bellwire.AttemptKind](ids, now), Delivery: d.ID, Trigger: bellwire.TriggerSchedule, StartedAt: now,
			Outcome: bellwire.OutcomeOK, Request: bellwire.AttemptRequest{URL: "https://example.com/webhooks", BodyBytes: 600},
			Response: &bellwire.AttemptResponse{Status: 204},
		},
	}
}
