package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// volume is a store with rows in several weeks.
type volume struct {
	*testing.T
	testStore
	start  time.Time // of the first week; now is in the last one
	weeks  int
	events int // of each week, with two deliveries and an attempt each
}

// The rows of a volume belong to this many tenants, who have this many endpoints each.
const (
	volumeTenants   = 100
	volumeEndpoints = 20
)

const week = 7 * day

// newVolume fills a database: each event has two deliveries and an attempt. In the last week one delivery in twenty is
// open, half of those retrying; in the weeks before it one in a thousand is.
func newVolume(t *testing.T, weeks, events int) *volume {
	v := &volume{T: t, weeks: weeks, events: events, start: time.Now().UTC().Truncate(week).Add(-time.Duration(weeks-1) * week)}
	v.testStore = openAt(t, server.NewDatabase(t, template), Options{NoSync: true, Timeout: time.Minute})
	v.run(`INSERT INTO bellwire.tenants (id, name, metadata, created_at, updated_at, revision)
		SELECT 't' || n, '', '{}', now(), now(), 1 FROM generate_series(1, $1) n`, volumeTenants)
	v.run(`INSERT INTO bellwire.endpoints (id, tenant, shard, revision, created_at, updated_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		SELECT 'e' || n, (n - 1) % $1 + 1, n % 256, 1, now(), now(), 'enabled', '', CASE WHEN n % 10 = 0 THEN 'fifo' ELSE 'none' END, 'standard',
			'', '', '[]', '{}', 0, 64, '', '{}', '{}' FROM generate_series(1, $1::int * $2::int) n`, volumeTenants, volumeEndpoints)
	for n := range weeks {
		v.fill(n)
	}
	for _, table := range []string{"tenants", "endpoints", "events", "deliveries", "attempts"} {
		v.ddl("ANALYZE bellwire." + table)
	}
	return v
}

func (v *volume) run(sql string, args ...any) {
	v.Helper()
	_, err := v.pool.Exec(v.Context(), sql, args...)
	check(v.T, err)
}

func (v *volume) ddl(sql string) { v.Helper(); v.run(sql, pgx.QueryExecModeSimpleProtocol) }

// fill makes a week's rows, and then the indexes, as that is quicker.
func (v *volume) fill(n int) {
	from := v.start.Add(time.Duration(n) * week)
	span := week
	if n == v.weeks-1 {
		span = time.Since(from)
	}
	open := 1000
	if n == v.weeks-1 {
		open = 20
	}
	suffix := "_" + from.Format("20060102_1504")
	v.attached(eventsTable, suffix, from, fmt.Sprintf(`INSERT INTO bellwire.events%[1]s (id, tenant, type, created_at, test, deliveries, data)
		SELECT %[2]s, n %% %[3]d + 1, 'type.' || n %% 7, now(), false, 2, '\x7b7d' FROM generate_series(1, %[4]d) n`,
		suffix, volumeID(from, span, v.events, 0), volumeTenants, v.events))
	v.attached(deliveriesTable, suffix, from, fmt.Sprintf(`INSERT INTO bellwire.deliveries%[1]s (id, event, tenant, endpoint, status, reason, attempts, retries, sequence,
			epoch, due_at, created_at, updated_at)
		SELECT d, e, n %% %[3]d + 1, endpoint, CASE WHEN n * 7919::bigint %% 100003 %% %[4]d = 0 THEN n / 3 %% 2 ELSE 2 + n %% 3 END, '', 1, 0, CASE WHEN endpoint %% 10 = 0 THEN n ELSE 0 END,
			0, CASE WHEN n * 7919::bigint %% 100003 %% %[4]d = 0 THEN now() - interval '1 minute' END, now(), now()
		FROM (SELECT n, %[2]s AS e, %[6]s AS d, n %% %[3]d + 1 + (n / %[3]d + k * 7) %% %[5]d * %[3]d AS endpoint
			FROM generate_series(1, %[7]d) n, generate_series(0, 1) k) f`,
		suffix, volumeID(from, span, v.events, 0), volumeTenants, open, volumeEndpoints, strings.Replace(volumeID(from, span, v.events, 1), "'0001'", "'000' || k", 1), v.events))
	v.attached(attemptsTable, suffix, from, fmt.Sprintf(`INSERT INTO bellwire.attempts%[1]s (delivery, number, id, trigger, started_at, outcome, error, status, details)
		SELECT %[2]s, 1, %[2]s, 'schedule', now(), 'ok', '', 200, '\x7b7d' FROM generate_series(1, %[3]d) n`,
		suffix, volumeID(from, span, v.events, 1), v.events))
}

// volumeID makes the id of the n-th event, or of one of its deliveries.
func volumeID(from time.Time, span time.Duration, events, delivery int) string {
	return fmt.Sprintf("(lpad(to_hex(%d + n::bigint * %d / %d), 12, '0') || '70008000' || lpad(to_hex(n), 8, '0') || '%04d')::uuid",
		from.UnixMilli(), span.Milliseconds(), events+1, delivery)
}

func (v *volume) attached(table partitionedTable, suffix string, from time.Time, insert string) {
	v.Helper()
	name := table.name + suffix
	first, end := bellwire.FirstID[bellwire.EventKind](from), bellwire.FirstID[bellwire.EventKind](from.Add(week))
	v.ddl("DROP TABLE IF EXISTS bellwire." + name)
	v.ddl(fmt.Sprintf("CREATE TABLE bellwire.%s (LIKE bellwire.%s INCLUDING DEFAULTS INCLUDING GENERATED) WITH (%s)", name, table.name, table.options))
	v.ddl(insert)
	v.ddl(fmt.Sprintf("ALTER TABLE bellwire.%s ATTACH PARTITION bellwire.%s FOR VALUES FROM ('%x') TO ('%x')", table.name, name, first[:], end[:]))
}

// traced has the statements noted that the store sends.
func (v *volume) traced() *trace {
	tr := new(trace)
	config := v.pool.Config()
	config.ConnConfig.Tracer = tr
	pool, err := pgxpool.NewWithConfig(v.Context(), config)
	check(v.T, err)
	v.pool.Close()
	v.pool.Pool, v.pool.lists, v.lists.lender = pool, nil, v.pool // lists have no connections of their own
	return tr
}

// trace records statements with their purpose.
type trace struct {
	mu         sync.Mutex
	statements []statement
}

type statement struct {
	sql  string
	args []any
}

var mayBeExplained = regexp.MustCompile(`(?i)^\s*(SELECT|WITH|INSERT|UPDATE|DELETE|\(SELECT)`)

func (tr *trace) note(sql string, args []any) {
	if mayBeExplained.MatchString(sql) && strings.Contains(sql, "bellwire.") {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.statements = append(tr.statements, statement{sql, args})
	}
}

// take returns the statements recorded since the last call.
func (tr *trace) take() []statement {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	taken := tr.statements
	tr.statements = nil
	return taken
}

func (tr *trace) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	tr.note(d.SQL, d.Args)
	return ctx
}
func (tr *trace) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (tr *trace) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (tr *trace) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	tr.note(d.SQL, d.Args)
}
func (tr *trace) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// work is the cost of one step of a plan.
type work struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Loops    float64 `json:"Actual Loops"`
	Hit      int     `json:"Shared Hit Blocks"`
	Read     int     `json:"Shared Read Blocks"`
	Plans    []*work
}

// each calls f for the steps that were taken.
func (w *work) each(f func(*work)) {
	if w.Loops > 0 {
		f(w)
	}
	for _, p := range w.Plans {
		p.each(f)
	}
}

var ofPartition = regexp.MustCompile(`_\d{8}_\d{4}$`)

// partitions returns in how many partitions, the default one left out, rows were looked for: of the table with the most.
func (w *work) partitions() int {
	seen := make(map[string]map[string]bool)
	w.each(func(n *work) {
		if table := ofPartition.ReplaceAllString(n.Relation, ""); table != n.Relation && strings.Contains(n.Type, "Scan") {
			if seen[table] == nil {
				seen[table] = make(map[string]bool)
			}
			seen[table][n.Relation] = true
		}
	})
	most := 0
	for _, names := range seen {
		most = max(most, len(names))
	}
	return most
}

// explain executes a statement with the plan that is made for any parameters, as the store's sessions do, and undoes it.
func (v *volume) explain(st statement) *work {
	v.Helper()
	conn, err := pgx.Connect(v.Context(), v.url)
	check(v.T, err)
	defer conn.Close(v.Context())
	check(v.T, v.setUp(v.Context(), conn))
	described, err := conn.Prepare(v.Context(), "", st.sql)
	check(v.T, err)
	var values []string
	for i, arg := range st.args {
		text, err := conn.TypeMap().Encode(described.ParamOIDs[i], pgx.TextFormatCode, arg, nil)
		check(v.T, err)
		if text == nil {
			values = append(values, "NULL")
			continue
		}
		values = append(values, "'"+strings.ReplaceAll(string(text), "'", "''")+"'")
	}
	execute := "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained"
	if len(values) > 0 {
		execute += " (" + strings.Join(values, ", ") + ")"
	}
	_, err = conn.Exec(v.Context(), "BEGIN; PREPARE explained AS "+st.sql, pgx.QueryExecModeSimpleProtocol)
	check(v.T, err)
	var plan []byte
	err = conn.QueryRow(v.Context(), execute, pgx.QueryExecModeSimpleProtocol).Scan(&plan)
	if isState(err, "23505") { // unique_violation: what was inserted is there, and nothing is looked for
		return new(work)
	}
	check(v.T, err)
	var explained []struct{ Plan *work }
	check(v.T, json.Unmarshal(plan, &explained))
	return explained[0].Plan
}

func deliveryIDs(deliveries []*bellwire.Delivery) (ids []bellwire.DeliveryID) {
	for _, d := range deliveries {
		ids = append(ids, d.ID)
	}
	return ids
}

// TestPlansOfVolume calls the store's verbs on half a million rows in six weeks, and holds in how many partitions and pages
// their statements look.
func TestPlansOfVolume(t *testing.T) {
	t.Parallel()
	const weeks = 6
	const every = weeks + partitionsAhead
	v := newVolume(t, weeks, 20_000)
	leases := renew(t, v.testStore, "node")
	tr := v.traced()
	events, err := v.Events(t.Context(), bellwire.EventFilter{Tenant: "t1"}, bellwire.Page{Limit: 50})
	check(t, err)
	newest := events.Items[0]
	deliveries, err := v.Deliveries(t.Context(), bellwire.DeliveryFilter{Tenant: "t1", Event: newest.ID}, bellwire.Page{Limit: 50})
	check(t, err)
	open, err := v.Deliveries(t.Context(), bellwire.DeliveryFilter{Tenant: "t1", Status: bellwire.DeliveryRetrying}, bellwire.Page{Limit: 20})
	check(t, err)
	now, page := time.Now(), bellwire.Page{Limit: 50}
	all, err := v.AllDeliveries(t.Context(), page)
	check(t, err)
	epoch := func(d *bellwire.Delivery) int64 { return leases.Epoch(d.Endpoint) }
	var claims []bellwire.Claim
	var results []*bellwire.Result
	for _, d := range open.Items {
		claims = append(claims, bellwire.Claim{Endpoint: d.Endpoint, Epoch: epoch(d), Limit: 20, ManualLimit: 100, MaxBytes: 1 << 20, Ordered: d.Sequence > 0})
		results = append(results, &bellwire.Result{
			Delivery: d.ID, Trigger: bellwire.TriggerSchedule, Epoch: epoch(d), EndedAt: now, Endpoint: d.Endpoint,
			Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
			Attempt:    &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](now), Trigger: bellwire.TriggerSchedule, StartedAt: now},
		})
	}
	claims = slices.CompactFunc(claims, func(a, b bellwire.Claim) bool { return a.Endpoint == b.Endpoint })
	list := func(f bellwire.DeliveryFilter) func() error {
		return func() error {
			_, err := v.Deliveries(t.Context(), f, page)
			return err
		}
	}
	listEvents := func(f bellwire.EventFilter) func() error {
		return func() error {
			_, err := v.Events(t.Context(), f, page)
			return err
		}
	}
	hour := v.start.Add(time.Hour)
	for _, c := range []struct {
		name       string
		partitions int // most of a table that a statement may look in
		pages      int // most that it may read
		call       func() error
	}{
		{"publish", 1, 900, func() error { // for each row the pages of its indexes
			a := new(bellwire.Append)
			for n := range 20 {
				id := bellwire.NewID[bellwire.EventKind](now)
				a.Events = append(a.Events, &bellwire.NewEvent{
					Event:      bellwire.Event{ID: id, Tenant: "t1", Type: "x", IdempotencyKey: fmt.Sprint(n), Data: []byte("1"), CreatedAt: now},
					Deliveries: []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(id, 0), Endpoint: open.Items[0].Endpoint}},
				})
			}
			_, err := v.AppendEvents(t.Context(), []*bellwire.Append{a})
			return err
		}},
		{"claim", every, 3000, func() error { _, err := v.ClaimDue(t.Context(), now, claims); return err }},
		{"record", 1, 2000, func() error { _, err := v.RecordResults(t.Context(), results); return err }},
		{"release", 1, 500, func() error {
			var taken []bellwire.ClaimToken
			for _, d := range open.Items {
				taken = append(taken, bellwire.ClaimToken{Delivery: d.ID, Epoch: epoch(d)})
			}
			return v.ReleaseDeliveries(t.Context(), taken)
		}},
		{"event", 1, 30, func() error { _, err := v.Event(t.Context(), "t1", newest.ID); return err }},
		{"delivery", 1, 30, func() error { _, err := v.Delivery(t.Context(), "t1", deliveries.Items[0].ID); return err }},
		{"attempts", 1, 20, func() error { _, err := v.Attempts(t.Context(), deliveries.Items[0].ID, 10); return err }},
		{"retry", 1, 60, func() error { _, err := v.RequestRetry(t.Context(), "t1", deliveries.Items[0].ID); return err }},
		{"cancel", 1, 60, func() error {
			_, err := v.CancelDelivery(t.Context(), "t1", open.Items[len(open.Items)-1].ID, "", now)
			if bellwire.CodeOf(err) == bellwire.CodeConflict { // it is one of those that were recorded
				err = nil
			}
			return err
		}},
		{"events", every, 300, listEvents(bellwire.EventFilter{Tenant: "t1"})},
		{"oldest events", every, 300, listEvents(bellwire.EventFilter{Tenant: "t1", OldestFirst: true})},
		{"events of a type", every, 300, listEvents(bellwire.EventFilter{Tenant: "t1", Type: "type.3"})},
		{"events of an hour", 1, 300, listEvents(bellwire.EventFilter{Tenant: "t1", Since: hour, Until: hour.Add(time.Hour)})},
		{"events of all tenants", every, 3000, func() error { _, err := v.AllEvents(t.Context(), bellwire.EventFilter{}, false, page); return err }},
		{"events of a type of all tenants", every, 3000, func() error {
			_, err := v.AllEvents(t.Context(), bellwire.EventFilter{Type: "none"}, false, page)
			return err
		}},
		{"deliveries", every, 1000, list(bellwire.DeliveryFilter{Tenant: "t1"})},
		{"deliveries that succeeded", every, 1000, list(bellwire.DeliveryFilter{Tenant: "t1", Status: bellwire.DeliverySucceeded})},
		{"pending deliveries", every, 1000, list(bellwire.DeliveryFilter{Tenant: "t1", Status: bellwire.DeliveryPending})},
		{"deliveries of an endpoint", every, 1500, list(bellwire.DeliveryFilter{Tenant: "t1", Endpoint: "e1"})},
		{"exhausted deliveries of an endpoint", every, 1000, list(bellwire.DeliveryFilter{Tenant: "t1", Endpoint: "e1", Status: bellwire.DeliveryExhausted})},
		{"deliveries of all tenants", every, 1500, func() error { _, err := v.AllDeliveries(t.Context(), page); return err }},
		{"holds", every, 2000, func() error { _, err := v.Holds(t.Context(), map[string]int64{"e1": 0, "e2": 5}); return err }},
		{"tenant of an event", 1, 30, func() error { _, err := v.TenantOf(t.Context(), bellwire.KindEvent, newest.ID); return err }},
		{"tenant of a delivery", 1, 30, func() error {
			_, err := v.TenantOf(t.Context(), bellwire.KindDelivery, deliveries.Items[0].ID)
			return err
		}},
		{"last attempts", 1, 1000, func() error { _, err := v.LastAttempts(t.Context(), deliveryIDs(all.Items)); return err }},
		{"deliveries of an event", 1, 60, list(bellwire.DeliveryFilter{Tenant: "t1", Event: newest.ID})},
		{"endpoints that are waited for", every, 20_000, func() error {
			_, err := v.Endpoints(t.Context(), bellwire.EndpointFilter{Waiting: true, Now: now}, page)
			return err
		}},
		// These step through the endpoints that have something open, all 2000 in the last week.
		{"due endpoints", every, 40_000, func() error { _, err := storetest.DueEndpoints(t.Context(), v, leases); return err }},
		{"purge", every, 500, func() error { _, err := v.Purge(t.Context(), now, v.start, 100); return err }},
		{"backlog", every, 40_000, func() error { _, err := v.Backlog(t.Context()); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr.take()
			if err := c.call(); err != nil {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			for _, st := range tr.take() {
				w := v.explain(st)
				if w.partitions() > c.partitions || w.Hit+w.Read > c.pages {
					t.Errorf("%s looks in %d partitions and %d pages, want at most %d and %d:\n%s",
						c.name, w.partitions(), w.Hit+w.Read, c.partitions, c.pages, st.sql)
				}
			}
		})
	}
}
