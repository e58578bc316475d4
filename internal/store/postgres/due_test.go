package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestDueEndpointsComeInParts has something of each kind wait for more endpoints than one search of it finds, in two partitions, and some
// of them have more than a step reads.
func TestDueEndpointsComeInParts(t *testing.T) {
	t.Parallel()
	const endpoints = 2500
	s := newStore(t, Options{})
	leases := renew(t, s, "a")
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	old := time.Now().Add(-2 * s.options.PartitionWidth)
	for _, sql := range []string{
		`INSERT INTO bellwire.endpoints (id, tenant, shard, revision, created_at, updated_at, status, status_reason, ordering, dialect,
				url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
			SELECT 'e' || n, (SELECT n FROM bellwire.tenants WHERE id = 'acme'), n % 256, 1, now(), now(), 'enabled', '',
				CASE WHEN n % 5 = 2 THEN 'fifo' ELSE 'none' END, 'standard', '', '', '[]', '{}', 0, 64, '', '{}', '{}'
			FROM generate_series(1, $1::int * 5) n WHERE $2::timestamptz IS NOT NULL`,
		// The kind is the number of the endpoint: pending, to be retried, in order, by key, and to be retried by hand.
		`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, ordering_key, place, epoch,
				manual_epoch, due_at, created_at, updated_at)
			SELECT bellwire.new_uuid(CASE k WHEN 1 THEN $2::timestamptz ELSE now() END), gen_random_uuid(), p.tenant, p.n,
				CASE kind WHEN 1 THEN 1 WHEN 4 THEN 2 ELSE 0 END, '', 0, 0, CASE kind WHEN 2 THEN k ELSE 0 END,
				CASE kind WHEN 3 THEN k END, CASE kind WHEN 3 THEN k END, 0, CASE kind WHEN 4 THEN 0 END,
				CASE WHEN kind < 4 THEN $2::timestamptz + k * interval '1 minute' END, now(), now()
			FROM (SELECT *, substr(id, 2)::int % 5 AS kind FROM bellwire.endpoints) p, generate_series(1, 40) k
			WHERE k <= 2 OR p.n % ($1::int / 5) = 0`,
	} {
		_, err := s.pool.Exec(t.Context(), sql, endpoints, old)
		check(t, err)
	}
	parts, at, manual := 0, make(map[string]time.Time), make(map[string]bool)
	check(t, s.DueEndpoints(t.Context(), leases, func(part []bellwire.DueEndpoint) {
		parts++
		for _, d := range part {
			at[d.Endpoint] = bellwire.Earlier(at[d.Endpoint], d.At)
			manual[d.Endpoint] = manual[d.Endpoint] || d.Manual
		}
	}))
	if parts < 2 {
		t.Errorf("all were found in %d parts", parts)
	}
	if len(at) != 5*endpoints {
		t.Errorf("%d of %d endpoints were found", len(at), 5*endpoints)
	}
	first := old.Add(time.Minute).Truncate(time.Microsecond)
	for id, due := range at {
		byHand := strings.HasSuffix(id, "4") || strings.HasSuffix(id, "9")
		if manual[id] != byHand || due.IsZero() != byHand || !byHand && !strings.HasSuffix(id, "3") && !strings.HasSuffix(id, "8") && !due.Equal(first) {
			t.Fatalf("%s is due at %v, by hand: %v; the first delivery is due at %v", id, due, manual[id], first)
		}
	}
}
