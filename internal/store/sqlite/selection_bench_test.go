package sqlite

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// BenchmarkCountSelected counts what jobs are about among a million events. The first endpoint has a failed delivery of each, the
// second none, and the third one of every other event.
func BenchmarkCountSelected(b *testing.B) {
	w := newBench(b, 1)
	for _, id := range []string{"ep_none", "ep_half"} {
		w.check(w.store.CreateEndpoint(b.Context(), &bellwire.Endpoint{ID: id, Tenant: "tenant0", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	}
	w.check(w.store.write(b.Context(), func(w *writer) error {
		const rows = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000) "
		// The number of a delivery is in the last four of 32 digits.
		const id = "unhex(printf('%012x7000800000%06x%04x', 1700000000000 + n, n, "
		return firstError(
			w.exec(rows+`INSERT INTO events (id, tenant, type, created_at, test, deliveries, data)
				SELECT `+id+`0)), 1, 'type' || (n % 7), 1, 0, 1, x'7b7d' FROM c`),
			w.exec(rows+`INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
				SELECT `+id+`0)), n, 1, 1, 3, '', 9, 8, 0, 0, 1, 1 FROM c`),
			w.exec(rows+`INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
				SELECT `+id+`1)), n, 1, 3, 2, '', 1, 0, 0, 0, 1, 1 FROM c WHERE n % 2 = 0`),
		)
	}))
	some := func(name string) bool { return name != "type0" }
	for _, c := range []struct {
		name, endpoint, status string
		types                  []string
		matches                func(string) bool
		want                   int
	}{
		{"failed", w.endpoints[0], bellwire.SelectFailed, nil, some, 1_000_000},
		{"failed of some types", w.endpoints[0], bellwire.SelectFailed, []string{"type1", "type2", "type3"}, some, 428_572},
		{"missing at a new endpoint", "ep_none", bellwire.SelectMissing, nil, some, 857_143},
		{"missing at an endpoint that had other types", "ep_half", bellwire.SelectMissing, nil, some, 428_571},
	} {
		b.Run(c.name, func(b *testing.B) {
			j := &bellwire.Job{Tenant: "tenant0", Params: bellwire.JobParams{Types: c.types, Until: time.Now()}}
			j.Params.Choose(bellwire.JobReplay, c.status)
			for b.Loop() {
				n, err := w.store.CountSelected(b.Context(), j.SelectionOf(c.endpoint, c.matches))
				if err != nil || n != c.want {
					b.Fatal(n, err)
				}
			}
		})
	}
}
