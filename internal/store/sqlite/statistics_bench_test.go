package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// BenchmarkStatistics reads 30 days of a tenant from the rows of ten million attempts: 10 tenants, one of which has
// 20 more endpoints. One operation is one answer.
func BenchmarkStatistics(b *testing.B) {
	w := newBench(b, 10)
	now := time.Now()
	w.fillStatistics(b, now)
	for _, c := range []struct {
		interval bellwire.Interval
		by       []bellwire.Dimension
	}{
		{bellwire.Day, nil}, {bellwire.Day, []bellwire.Dimension{bellwire.ByEndpoint}}, {bellwire.Day, bellwire.Dimensions},
		{bellwire.Hour, nil}, {bellwire.Hour, []bellwire.Dimension{bellwire.ByType}},
	} {
		b.Run(fmt.Sprint(c.interval, c.by), func(b *testing.B) {
			f := bellwire.StatisticsFilter{Tenant: "tenant7", Since: now.Add(-30 * 24 * time.Hour), Until: now, Interval: c.interval, By: c.by}
			for b.Loop() {
				rows, err := w.store.Statistics(b.Context(), f)
				if err != nil || len(rows) == 0 {
					b.Fatalf("%d rows: %v", len(rows), err)
				}
			}
		})
	}
}

// fillStatistics adds the deltas of ten million attempts over 30 days, and moves them.
func (w *bench) fillStatistics(b *testing.B, now time.Time) {
	var ids []string
	for n := range 20 {
		ep := &bellwire.Endpoint{ID: fmt.Sprint("ep_more", n), Tenant: "tenant7", Dialect: "standard", CreatedAt: now}
		w.check(w.store.CreateEndpoint(b.Context(), ep, bellwire.ChangeNote{}))
		ids = append(ids, ep.ID)
	}
	for hour := range 30 * 24 {
		at := now.Add(-time.Duration(hour) * time.Hour)
		err := w.store.write(b.Context(), func(wr *writer) error {
			for n := range 14_000 { // of all tenants: the other ones have one endpoint each
				endpoint := w.endpoints[n%len(w.endpoints)]
				if n%10 == 0 {
					endpoint = ids[n/10%len(ids)]
				}
				wr.delta.Attempt(&bellwire.Result{
					Endpoint: endpoint, EventType: fmt.Sprint("type", n%7), EndedAt: at, Trigger: bellwire.TriggerSchedule,
					Attempt: &bellwire.Attempt{Outcome: bellwire.OutcomeOK, Timings: bellwire.Timings{Total: time.Duration(1+n*7919%997) * time.Millisecond}},
				})
			}
			return nil
		})
		w.check(err)
	}
	for {
		moved, err := w.store.RollUp(b.Context(), 1000)
		w.check(err)
		if moved == 0 {
			return
		}
	}
}
