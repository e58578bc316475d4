package postgres

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// BenchmarkCountSelected counts what jobs are about among a million events. The first endpoint has a failed delivery of each, the
// second none, and the third one of every other event. Nothing is vacuumed, so that the counts read tables beside indexes.
func BenchmarkCountSelected(b *testing.B) {
	s, err := Open(b.Context(), server.NewDatabase(b, template), Options{NoSync: true, Timeout: 2 * time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateTenant(b.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: time.Now()}); err != nil {
		b.Fatal(err)
	}
	for _, id := range []string{"ep_failed", "ep_none", "ep_half"} {
		if err := s.CreateEndpoint(b.Context(), &bellwire.Endpoint{ID: id, Tenant: "acme", CreatedAt: time.Now()}, bellwire.ChangeNote{}); err != nil {
			b.Fatal(err)
		}
	}
	// The number of a delivery is in the last four of 32 digits.
	const id = "('0' || to_hex(1700000000000 + n) || '7000800000' || lpad(to_hex(n), 6, '0') || "
	for _, sql := range []string{
		`INSERT INTO bellwire.events (id, tenant, type, created_at, test, deliveries, data)
			SELECT ` + id + `'0000')::uuid, (SELECT n FROM bellwire.tenants), 'type' || (n % 7), now(), false, 1, '\x7b7d' FROM generate_series(1, 1000000) n`,
		`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
			SELECT ` + id + `'0000')::uuid, ` + id + `'0000')::uuid, (SELECT n FROM bellwire.tenants), (SELECT n FROM bellwire.endpoints WHERE id = 'ep_failed'),
				3, '', 9, 8, 0, 0, now(), now() FROM generate_series(1, 1000000) n`,
		`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
			SELECT ` + id + `'0001')::uuid, ` + id + `'0000')::uuid, (SELECT n FROM bellwire.tenants), (SELECT n FROM bellwire.endpoints WHERE id = 'ep_half'),
				2, '', 1, 0, 0, 0, now(), now() FROM generate_series(2, 1000000, 2) n`,
	} {
		if err := s.write(b.Context(), func(tx *tx) error { return tx.exec(sql) }); err != nil {
			b.Fatal(err)
		}
	}
	some := func(name string) bool { return name != "type0" }
	for _, c := range []struct {
		name, endpoint, status string
		types                  []string
		want                   int
	}{
		{"failed", "ep_failed", bellwire.SelectFailed, nil, 1_000_000},
		{"failed of some types", "ep_failed", bellwire.SelectFailed, []string{"type1", "type2", "type3"}, 428_572},
		{"missing at a new endpoint", "ep_none", bellwire.SelectMissing, nil, 857_143},
		{"missing at an endpoint that had other types", "ep_half", bellwire.SelectMissing, nil, 428_571},
	} {
		b.Run(c.name, func(b *testing.B) {
			j := &bellwire.Job{Tenant: "acme", Params: bellwire.JobParams{Types: c.types, Until: time.Now()}}
			j.Params.Choose(bellwire.JobReplay, c.status)
			for b.Loop() {
				n, err := s.CountSelected(b.Context(), j.SelectionOf(c.endpoint, some))
				if err != nil || n != c.want {
					b.Fatal(n, err)
				}
			}
		})
	}
}
