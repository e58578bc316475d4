package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
)

// TestPlansOfGroups has many deliveries wait, and looks how a group's are found among them, with plans made for the
// group and with one for any group. No statistics are there, as in the first minutes of a new partition.
func TestPlansOfGroups(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, due_at, created_at, updated_at)
			SELECT gen_random_uuid(), gen_random_uuid(), 1, n % 100, 0, '', 0, 0, 0, 0, now(), now(), now() FROM generate_series(1, 20000) n`)
	}))
	ids, numbers, texts := make([][16]byte, 200), make([]int64, 200), make([]string, 200)
	statuses, manual, times := make([]int16, 200), make([]*int64, 200), make([]time.Time, 200)
	for i := range ids {
		ids[i] = bellwire.NewUUID(time.Now())
	}
	rows := attemptRows{
		ids: ids, deliveries: ids, numbers: make([]int32, 200), triggers: texts, outcomes: texts, texts: texts, startedAt: times,
		statuses: make([]*int32, 200), details: make([][]byte, 200), bodies: make([][]byte, 200),
	}
	for sql, args := range map[string][]any{
		sqlSucceed:       append(rows.arrays(), texts, times, statuses, []byte{}, int64(len(ids))),
		sqlMove:          {ids, statuses, texts, numbers, numbers, numbers, manual, times, times},
		sqlRelease:       {ids, numbers},
		sqlReleaseManual: {ids, numbers},
		sqlMark:          {ids, numbers},
		sqlMarkManual:    {ids, numbers},
		sqlEndOpen:       {ids, codec.Canceled, "", time.Now(), false},
		sqlStates:        {ids},
		sqlClaimed:       {ids},
		sqlClaimedEvents: {ids},
		sqlOutcomes:      {ids, ids, 100},
	} {
		t.Run(sql, func(t *testing.T) {
			for kind, plan := range map[string][]string{"for these": planFor(t, s, sql, args), "for any": planForAny(t, s, sql, len(args))} {
				scans := 0
				for _, step := range plan {
					if !strings.Contains(step, "Scan") || !strings.Contains(step, "deliveries") {
						continue
					}
					scans++
					if !strings.Contains(step, "_pkey") && !strings.Contains(step, "Bitmap Heap Scan") {
						t.Errorf("the plan %s of %s:\n%s", kind, sql, step)
					}
				}
				if scans == 0 {
					t.Errorf("the plan %s of %s reads nothing:\n%s", kind, sql, strings.Join(plan, "\n"))
				}
			}
		})
	}
}

// TestClaimsLockTheirOwn checks which rows the searches of a claim lock, under different plans of PostgreSQL: never free
// deliveries of other nodes. Otherwise nodes would wait for each other's locks until a deadlock is reported, at each claim.
func TestClaimsLockTheirOwn(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	const endpoints, each, claims = 16, 300, 3
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	var (
		places = []int32{0, 1, 2}
		ids    []string
		shards []int16
		epochs []int64
		limits = []int32{10, 10, 10}
	)
	for i := range endpoints {
		id := fmt.Sprintf("ep%d", i)
		check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: id, Tenant: "acme", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
		ids, shards = append(ids, id), append(shards, int16(bellwire.ShardOf(id)))
	}
	leases := renew(t, s, "a")
	for _, id := range ids {
		epochs = append(epochs, leases.Epoch(id))
	}
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, manual_epoch, due_at, created_at, updated_at)
			SELECT bellwire.new_uuid(now()), e.id, p.tenant, p.n, i % 2, '', 0, 0, i % 3, 0, CASE i % 7 WHEN 0 THEN 0 END, now(), now(), now()
			FROM bellwire.endpoints p, generate_series(1, $1) i, (SELECT gen_random_uuid() AS id) e`, each)
	}))
	searches := map[string][]any{
		sqlClaimManual: nil, sqlClaimPending: {time.Now(), make([]bool, claims), [][16]byte{}}, sqlClaimRetrying: nil, sqlClaimOrdered: {time.Now()},
	}
	for _, statistics := range []string{"", "ANALYZE bellwire.deliveries", "ANALYZE"} {
		check(t, s.write(t.Context(), func(tx *tx) error { return tx.exec(statistics) }))
		for _, settings := range []string{"", "SET LOCAL enable_hashjoin = off", "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off",
			"SET LOCAL enable_nestloop = off", "SET LOCAL enable_material = off; SET LOCAL enable_memoize = off"} {
			for sql, more := range searches {
				var own, others int
				check(t, s.write(t.Context(), func(tx *tx) error {
					err := errors.Join(
						tx.exec(settings, pgx.QueryExecModeSimpleProtocol),
						tx.exec(sql, append([]any{places, ids[:claims], shards[:claims], epochs[:claims], limits}, more...)...),
					)
					if err != nil {
						return err
					}
					return tx.row(`SELECT count(*) FILTER (WHERE p.id = ANY($1)), count(*) FILTER (WHERE p.id <> ALL($1))
						FROM bellwire.deliveries d JOIN bellwire.endpoints p ON p.n = d.endpoint
						WHERE d.xmax::text = pg_current_xact_id_if_assigned()::text`, ids[:claims]).Scan(&own, &others)
				}))
				if own != 10*claims || others != 0 {
					t.Errorf("%q, %q: %d deliveries of its own and %d of others were locked by\n%s", statistics, settings, own, others, sql)
				}
			}
		}
	}
}

// planFor returns the plan of a statement for its parameters.
func planFor(t *testing.T, s testStore, sql string, args []any) (steps []string) {
	t.Helper()
	check(t, s.write(t.Context(), func(tx *tx) (err error) {
		steps, err = pgx.CollectRows(tx.query("EXPLAIN "+sql, args...), pgx.RowTo[string])
		return err
	}))
	return steps
}

// planForAny returns the plan of a statement that was made without its parameters being known.
func planForAny(t *testing.T, s testStore, sql string, parameters int) (steps []string) {
	t.Helper()
	nulls := strings.TrimSuffix(strings.Repeat("NULL, ", parameters), ", ")
	check(t, s.write(t.Context(), func(tx *tx) (err error) {
		err = tx.exec("SET LOCAL plan_cache_mode = force_generic_plan; PREPARE explained AS "+sql, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		if steps, err = pgx.CollectRows(tx.query("EXPLAIN EXECUTE explained ("+nulls+")", pgx.QueryExecModeSimpleProtocol), pgx.RowTo[string]); err != nil {
			return err
		}
		return tx.exec("DEALLOCATE explained")
	}))
	return steps
}

// TestListsLookUpWhatTheyChose looks at the plans of lists of deliveries under settings that favor other joins, as outdated statistics
// do: each of the chosen deliveries is still looked up by its id.
func TestListsLookUpWhatTheyChose(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for name, sql := range map[string]string{"tenant": sqlDeliveriesOfTenant, "endpoint": sqlDeliveriesOfEndpoint, "job": sqlDeliveriesOfJob} {
		parameters := 4
		if strings.Contains(sql, "$5") {
			parameters++
		}
		var steps []string
		check(t, s.write(t.Context(), func(tx *tx) (err error) {
			err = tx.exec("SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; SET LOCAL enable_seqscan = on; "+
				"PREPARE listed AS "+sql, pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				return err
			}
			nulls := strings.TrimSuffix(strings.Repeat("NULL, ", parameters), ", ")
			if steps, err = pgx.CollectRows(tx.query("EXPLAIN EXECUTE listed ("+nulls+")", pgx.QueryExecModeSimpleProtocol), pgx.RowTo[string]); err != nil {
				return err
			}
			return tx.exec("DEALLOCATE listed")
		}))
		plan := strings.Join(steps, "\n")
		if !strings.Contains(plan, "Index Cond: (id = deliveries") {
			t.Errorf("%s: the deliveries are not looked up:\n%s", name, plan)
		}
	}
}

// TestListsOfLargeTenants lists deliveries of a tenant that has a hundred times as many events as the others have on average, which
// is what the planner expects, and reads and claims some: still only what belongs to each of them is read.
func TestListsOfLargeTenants(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for i := range 100 {
		check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: fmt.Sprint("tenant", i)}))
	}
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "tenant0", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	leases := renew(t, s, "a")
	const events = `INSERT INTO bellwire.events (id, tenant, type, created_at, test, deliveries, data)
		SELECT bellwire.new_uuid(now()), n, 'a', now(), false, 1, '' FROM bellwire.tenants, generate_series(1, $2) WHERE (id = 'tenant0') = $1`
	check(t, s.write(t.Context(), func(tx *tx) error {
		return errors.Join(
			tx.exec(events, true, 10_000), tx.exec(events, false, 1),
			tx.exec(`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, due_at, created_at, updated_at)
				SELECT e.id, e.id, p.tenant, p.n, 0, '', 0, 0, 0, 0, now(), now(), now() FROM bellwire.endpoints p JOIN bellwire.events e ON e.tenant = p.tenant`),
			tx.exec("ANALYZE"),
		)
	}))
	var ids string
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.row("SELECT quote_literal(array_agg(id)) FROM (SELECT id FROM bellwire.deliveries ORDER BY id DESC LIMIT 50) d").Scan(&ids)
	}))
	const (
		page        = 50
		first       = "'00000000-0000-0000-0000-000000000000'"
		last        = "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
		everyStatus = "'{-2,-1,0,1,2,3,4}'"
	)
	claim := fmt.Sprintf("'{0}', '{ep}', '{%d}', '{%d}', '{%d}'", bellwire.ShardOf("ep"), leases.Epoch("ep"), page)
	for name, c := range map[string]struct {
		sql, args string
		blocks    float64 // the most that may be read
	}{
		"of the tenant":                  {sqlDeliveriesOfTenant, "'tenant0', " + last + ", 50, " + everyStatus, 20 * page},
		"of the endpoint":                {sqlDeliveriesOfEndpoint, "'tenant0', " + last + ", 50, " + everyStatus + ", 'ep'", 20 * page},
		"of the tenant, the last page":   {sqlDeliveriesOfTenant, "'tenant0', " + first + ", 50, " + everyStatus, 4 * page},
		"of the endpoint, the last page": {sqlDeliveriesOfEndpoint, "'tenant0', " + first + ", 50, " + everyStatus + ", 'ep'", 4 * page},
		"by ids":                         {sqlClaimed, ids, 20 * page},
		"claimed":                        {sqlClaimPending, claim + ", now(), '{true}', '{}'", 20 * page},
	} {
		step := execute(t, s, c.sql, c.args)
		if rows := step.rows(); rows > 20*page {
			t.Errorf("%s: %v rows were read, want at most %v", name, rows, 20*page)
		}
		if step.Blocks > c.blocks {
			t.Errorf("%s: %v blocks were read, want at most %v", name, step.Blocks, c.blocks)
		}
	}
}

// TestDeletedEndpointsCostNothing lists deliveries, and looks for endpoints to be deleted, beside thousands of deleted ones
// that a tenant has made.
func TestDeletedEndpointsCostNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.write(t.Context(), func(tx *tx) error {
		const tenant = "(SELECT n FROM bellwire.tenants)"
		return errors.Join(
			tx.exec(`INSERT INTO bellwire.endpoints (id, tenant, shard, revision, created_at, updated_at, deleted_at, status, status_reason,
					ordering, dialect, url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
				SELECT 'ep' || n, `+tenant+`, 0, 1, now(), now(), now(), '', '', '', '', '', '', '[]', '{}', 0, 0, '', '{}', '{}'
				FROM generate_series(1, 5000) n`),
			tx.exec(`INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
				SELECT bellwire.new_uuid(now()), gen_random_uuid(), `+tenant+`, n, 2 + n % 3, '', 0, 0, 0, 0, now(), now() FROM bellwire.endpoints`),
		)
	}))
	const page = 50
	for name, c := range map[string]struct {
		sql  string
		args string
		most float64
	}{
		"all deliveries":       {sqlDeliveriesOfTenant, "'acme', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 50, '{-2,-1,0,1,2,3,4}'", 30 * page},
		"succeeded deliveries": {sqlDeliveriesOfTenant, "'acme', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 50, '{2}'", 20 * page},
		"no deliveries":        {sqlDeliveriesOfTenant, "'acme', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 50, '{1}'", 20 * page},
		"endpoints":            {sqlEndpointsOfTenant[""], "'acme', 1000000, '', '', 50, now()", 3 * page},
		"tombstones":           {sqlTombstones, "0, 0, 50", 20 * page},
	} {
		t.Run(name, func(t *testing.T) {
			if rows := rowsRead(t, s, c.sql, c.args); rows > c.most {
				t.Errorf("%s: %v rows were read, want at most %v", name, rows, c.most)
			}
		})
	}
}

// TestExplanationsReadAPage explains an event to a page of thousands of endpoints, each of which was changed often.
func TestExplanationsReadAPage(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.write(t.Context(), func(tx *tx) error {
		return errors.Join(
			tx.exec(`INSERT INTO bellwire.endpoint_histories (tenant, endpoint, first, last, bytes)
				SELECT n, 'ep' || i, 1, 100, 0 FROM bellwire.tenants, generate_series(1, 1000) i`),
			tx.exec(`INSERT INTO bellwire.endpoint_changes (history, number, clock, at, action, actor, before, after, standing)
				SELECT n, i, now() + i * interval '1 second', now(), 'updated', '{}', '{}', '{}', '{}' FROM bellwire.endpoint_histories, generate_series(1, 100) i`),
		)
	}))
	const page = 50
	for name, c := range map[string]struct{ sql, args string }{
		"endpoints": {sqlEndpointsAt, "'acme', 1000000, now() + interval '50 seconds', 50"},
		"a history": {sqlChanges, "500, 90, 50"},
	} {
		if rows := rowsRead(t, s, c.sql, c.args); rows > 20*page {
			t.Errorf("%s: %v rows were read, want at most %v", name, rows, 20*page)
		}
	}
}

// TestPurgeReadsAPage looks for old events, and for publishers' ids whose event is gone, among many of both.
func TestPurgeReadsAPage(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, s.write(t.Context(), func(tx *tx) error {
		return errors.Join(
			tx.exec(`INSERT INTO bellwire.events (id, tenant, type, created_at, test, deliveries, data)
				SELECT bellwire.new_uuid(now() - n * interval '1 minute'), n % 2, 'x', now(), false, 0, '1' FROM generate_series(1, 20000) n`),
			tx.exec(`INSERT INTO bellwire.idempotency_keys (tenant, key, event, digest, deliveries)
				SELECT tenant, 'k' || id, CASE WHEN random() < 0.5 THEN id ELSE bellwire.new_uuid(now()) END, '', 0 FROM bellwire.events`),
			tx.exec(`INSERT INTO bellwire.attempts (delivery, number, id, trigger, started_at, outcome, error, details)
				SELECT bellwire.new_uuid(now() - n * interval '1 day'), k, gen_random_uuid(), '', now(), '', '', '' FROM generate_series(1, 5000) n, generate_series(1, 4) k`),
			tx.exec("ANALYZE"),
		)
	}))
	const page = 100
	const zero = "'00000000-0000-0000-0000-000000000000', "
	const span = zero + "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
	all := span + fmt.Sprint(", ", page)
	for sql, args := range map[string]string{
		sqlOldKeys: all, sqlOwnOldKeys: all + ", '{1}'", sqlOldEvents: all, sqlOldEventsOf: "1, " + all, sqlNextTenant: "0, " + span,
		sqlOldAttempts: all,
	} {
		if rows := rowsRead(t, s, sql, args); rows > 20*page {
			t.Errorf("%v rows were read, want at most %v, by %s", rows, 20*page, sql)
		}
	}
}

// TestTombstonesAreFoundByIndex looks at how it is found whether a delivery names an endpoint: not by a look at all that are in
// the same state.
func TestTombstonesAreFoundByIndex(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	for sql, parameters := range map[string]int{sqlTombstones: 3, sqlDeleteTombstones: 1} {
		plan := strings.Join(planForAny(t, s, sql, parameters), "\n")
		if !strings.Contains(plan, "(endpoint = p.n)") && !strings.Contains(plan, "(endpoint = endpoints.n)") ||
			strings.Contains(plan, "Filter: (ordered") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("the plan of %s:\n%s", sql, plan)
		}
	}
}

// rowsRead returns how many rows the steps of a statement's plan looked at.
func rowsRead(t *testing.T, s testStore, sql, args string) float64 {
	t.Helper()
	return execute(t, s, sql, args).rows()
}

// execute carries a statement out as the store does, with a plan for any parameters, and returns the plan.
func execute(t *testing.T, s testStore, sql, args string) planStep {
	t.Helper()
	var encoded []byte
	check(t, s.write(t.Context(), func(tx *tx) error {
		if err := tx.exec("PREPARE explained AS "+sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if err := tx.row("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ("+args+")", pgx.QueryExecModeSimpleProtocol).Scan(&encoded); err != nil {
			return err
		}
		return tx.exec("DEALLOCATE explained")
	}))
	var explained []struct{ Plan planStep }
	check(t, json.Unmarshal(encoded, &explained))
	return explained[0].Plan
}

// planStep is a step of a plan that was carried out.
type planStep struct {
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Blocks   float64 `json:"Shared Hit Blocks"` // of its own steps too
	Plans    []planStep
}

func (p planStep) rows() float64 {
	total := (p.Rows + p.Filtered) * p.Loops
	for _, step := range p.Plans {
		total += step.rows()
	}
	return total
}
