package sqlite

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// bench is a store with fsync, some endpoints, and ways to make groups of work.
type bench struct {
	*testing.B
	store     *Store
	ids       bellwire.Sequence
	endpoints []string
	epoch     int64
	data      []byte
}

// newBench opens a store with the given number of tenants, each with one endpoint.
func newBench(b *testing.B, tenants int) *bench {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "bellwire.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	w := &bench{B: b, store: s, data: make([]byte, 500), epoch: s.leases.epoch.Load()}
	now := time.Now()
	for n := range tenants {
		tenant := fmt.Sprintf("tenant%d", n)
		w.check(s.CreateTenant(b.Context(), &bellwire.Tenant{ID: tenant, CreatedAt: now}))
		w.endpoints = append(w.endpoints, "ep_"+tenant)
		w.check(s.CreateEndpoint(b.Context(), &bellwire.Endpoint{ID: "ep_" + tenant, Tenant: tenant, CreatedAt: now}, bellwire.ChangeNote{}))
	}
	b.ReportAllocs()
	return w
}

func (w *bench) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// group makes n events with a delivery each, taken in the given epoch.
func (w *bench) group(n int, epoch int64) []*bellwire.Append {
	now := time.Now()
	appends := make([]*bellwire.Append, n)
	for i := range appends {
		endpoint := w.endpoints[i%len(w.endpoints)]
		id := bellwire.Next[bellwire.EventKind](&w.ids, now)
		appends[i] = &bellwire.Append{Events: []*bellwire.NewEvent{{
			Event: bellwire.Event{
				ID: id, Tenant: endpoint[3:], Type: "order.paid", Data: w.data, CreatedAt: now,
			},
			Deliveries: []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(id, 0), Endpoint: endpoint, Epoch: epoch}},
		}}}
	}
	return appends
}

func (w *bench) append(appends []*bellwire.Append) {
	results, err := w.store.AppendEvents(w.Context(), appends)
	w.check(err)
	for _, r := range results {
		if r.Err != nil {
			w.Fatal(r.Err)
		}
	}
}

// outcomes makes a success for each event of a group.
func (w *bench) outcomes(appends []*bellwire.Append) []*bellwire.Result {
	now := time.Now()
	results := make([]*bellwire.Result, len(appends))
	for i, a := range appends {
		d := a.Events[0].Deliveries[0]
		results[i] = &bellwire.Result{
			Delivery: d.ID, Trigger: bellwire.TriggerSchedule, Epoch: d.Epoch, EndedAt: now, Endpoint: d.Endpoint,
			Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
			Attempt: &bellwire.Attempt{
				ID: bellwire.Next[bellwire.AttemptKind](&w.ids, now), Delivery: d.ID, Trigger: bellwire.TriggerSchedule,
				StartedAt: now, Outcome: bellwire.OutcomeOK, Timings: bellwire.Timings{FirstByte: 123456, Total: 234567},
				Request: bellwire.AttemptRequest{URL: "https://example.com/webhooks", BodyBytes: 600, Headers: []bellwire.Header{
					{Name: "content-type", Value: "application/json"}, {Name: "webhook-id", Value: "evt_01a1ffda686b730caa92f022f49722cb"},
					{Name: "webhook-timestamp", Value: "1790000000"}, {Name: "webhook-signature", Value: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
				}},
				Response: &bellwire.AttemptResponse{Status: 204, Headers: []bellwire.Header{{Name: "Date", Value: "Mon, 02 Jan 2026 15:04:05 GMT"}}},
			},
		}
	}
	return results
}

var groupSizes = []int{1, 50, 500}

// BenchmarkAppend stores events with one delivery each. One operation is one event.
func BenchmarkAppend(b *testing.B) {
	for _, size := range groupSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newBench(b, 100)
			for n := 0; n < b.N; n += size {
				b.StopTimer()
				group := w.group(size, w.epoch)
				b.StartTimer()
				w.append(group)
			}
		})
	}
}

// BenchmarkCycle stores events and then the success of their deliveries. One operation is one event.
func BenchmarkCycle(b *testing.B) {
	for _, tenants := range []int{1, 100} {
		for _, size := range groupSizes {
			b.Run(fmt.Sprintf("tenants=%d/group=%d", tenants, size), func(b *testing.B) {
				w := newBench(b, tenants)
				var used time.Duration
				for n := 0; n < b.N; n += size {
					b.StopTimer()
					group := w.group(size, w.epoch)
					outcomes := w.outcomes(group)
					b.StartTimer()
					before := cpuTime()
					w.append(group)
					_, err := w.store.RecordResults(b.Context(), outcomes)
					w.check(err)
					used += cpuTime() - before
				}
				b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// cpuTime returns the processor time of the process. Unlike wall-clock time, it does not depend on other users of the
// machine.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkClaim takes free deliveries, 50 at a time of one endpoint. One operation is one delivery.
func BenchmarkClaim(b *testing.B) {
	const size = 50
	w := newBench(b, 100)
	for n := 0; n < b.N; n += 1000 {
		w.append(w.group(1000, 0))
	}
	claims := make([]bellwire.Claim, 1)
	b.ResetTimer()
	for n := 0; n < b.N; {
		claims[0] = bellwire.Claim{Endpoint: w.endpoints[n/size%len(w.endpoints)], Epoch: w.epoch, Limit: size, ManualLimit: 100, MaxBytes: 1 << 20}
		results, err := w.store.ClaimDue(b.Context(), time.Now(), claims)
		w.check(err)
		n += max(len(results[0].Due), 1)
	}
}

// BenchmarkDueEndpoints scans 100 endpoints with a backlog, a part of which is in memory. One operation is one scan.
func BenchmarkDueEndpoints(b *testing.B) {
	w := newBench(b, 100)
	for range 20 {
		w.append(w.group(1000, w.epoch))
		w.append(w.group(1000, 0))
	}
	leases, err := w.store.RenewLeases(b.Context(), "node")
	w.check(err)
	b.ResetTimer()
	for range b.N {
		due, err := storetest.DueEndpoints(b.Context(), w.store, leases)
		w.check(err)
		if len(due) != len(w.endpoints) {
			b.Fatalf("%d endpoints are due", len(due))
		}
	}
}

// BenchmarkFanOut stores the deliveries of batches of 1000 events to 1000 endpoints, in steps of 500.
func BenchmarkFanOut(b *testing.B) {
	w := newBench(b, 1)
	to := new(bellwire.Recipients)
	for n := range 1000 {
		ep := &bellwire.Endpoint{ID: fmt.Sprint("ep_", n), Tenant: "tenant0", CreatedAt: time.Now()}
		w.check(w.store.CreateEndpoint(b.Context(), ep, bellwire.ChangeNote{}))
		*to = append(*to, bellwire.Recipient{Endpoint: ep.ID})
	}
	leases, err := w.store.RenewLeases(b.Context(), "node")
	w.check(err)
	for b.Loop() {
		out, err := w.store.FanOut(b.Context(), leases, 500)
		w.check(err)
		if out.Deliveries > 0 {
			continue
		}
		b.StopTimer()
		batch := new(bellwire.Append)
		for _, a := range w.group(1000, 0) {
			a.Events[0].Deliveries, a.Events[0].Recipients = nil, to
			batch.Events = append(batch.Events, a.Events...)
		}
		w.append([]*bellwire.Append{batch})
		b.StartTimer()
	}
}
