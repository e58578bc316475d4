package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
)

// partitionedTable is a table that is partitioned by an id, and so by time.
type partitionedTable struct {
	name    string
	key     string // the column of the id
	options string // storage parameters of its partitions
	// survivors returns the SQL condition that is true of the rows of a partition that outlive it.
	survivors func(*partition) string
}

// Every delivery is updated when it is recorded, and before that when it is claimed, unless it was claimed when it was
// stored. Half-full pages leave room for the new version beside the old one. Then a claim, which changes no indexed
// column, needs no index entry, and the table becomes no larger than with full pages. Rows stay for weeks, so a share of
// them, which is the default, is too many for one round of autovacuum.
var (
	eventsTable = partitionedTable{
		name: "events", key: "id", options: "autovacuum_analyze_scale_factor = 0.05", survivors: survivingEvents,
	}
	deliveriesTable = partitionedTable{
		name: "deliveries", key: "id", options: "fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, " +
			"autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1, autovacuum_analyze_scale_factor = 0.05",
		survivors: survivingDeliveries,
	}
	attemptsTable = partitionedTable{
		name: "attempts", key: "delivery", options: "autovacuum_analyze_scale_factor = 0.05", survivors: survivingAttempts,
	}
)

// survivingDeliveries is true of all deliveries of an event that has an outstanding one.
func survivingDeliveries(p *partition) string {
	return fmt.Sprintf(`id IN (SELECT d.id FROM (
			SELECT event FROM bellwire.%[1]s WHERE status = ANY ('{-2,-1,0,1}')
			UNION SELECT event FROM bellwire.%[1]s WHERE manual_epoch IS NOT NULL
		) outstanding JOIN bellwire.%[1]s d ON %[2]s)`, p.name, isOfEvent("d.id", "outstanding.event"))
}

// survivingAttempts is true of the attempts of deliveries that exist. They lie in partitions of the same time.
func survivingAttempts(p *partition) string {
	return "delivery IN (SELECT id FROM bellwire.deliveries WHERE " + p.holds("id") + ")"
}

// survivingEvents is true of the events of deliveries that exist or are deferred to FanOut. They lie in partitions of the
// same time.
func survivingEvents(p *partition) string {
	return "((tenant, id) IN (SELECT tenant, event FROM bellwire.deliveries WHERE " + p.holds("id") + ")" +
		" OR id IN (SELECT unnest(events) FROM bellwire.fanouts))"
}

// isOutstanding is true of a delivery that is still to be made, on schedule or because of a manual retry.
const isOutstanding = "(status <= 1 OR manual_epoch IS NOT NULL)"

// partition is one of a table's partitions other than the default one. It holds the ids from begin to before end.
type partition struct {
	table      partitionedTable
	name       string
	begin, end [16]byte
}

// remainderSuffix ends the name of a partition that holds the survivors of an expired one.
const remainderSuffix = "_kept"

func (p *partition) isOfDeliveries() bool { return p.table.name == deliveriesTable.name }

func (p *partition) isRemainder() bool { return strings.HasSuffix(p.name, remainderSuffix) }

// remainder returns the partition that takes the place of an expired one.
func (p *partition) remainder() *partition {
	r := *p
	r.name += remainderSuffix
	return &r
}

// bounds returns the bounds of the partition as SQL declares them.
func (p *partition) bounds() string { return fmt.Sprintf("FROM ('%x') TO ('%x')", p.begin, p.end) }

// holds returns the SQL condition that a column has an id of the partition.
func (p *partition) holds(column string) string {
	return fmt.Sprintf("%s >= '%x' AND %[1]s < '%[3]x'", column, p.begin, p.end)
}

// endsBy reports whether all ids of the partition are less than end.
func (p *partition) endsBy(end [16]byte) bool { return bytes.Compare(p.end[:], end[:]) <= 0 }

// partitionSet is some of the partitions of one table, oldest first.
type partitionSet []*partition

// overlaps reports whether one of the partitions holds ids of p. Partitions that were made with another width may.
func (set partitionSet) overlaps(p *partition) bool {
	for _, other := range set {
		if bytes.Compare(other.begin[:], p.end[:]) < 0 && bytes.Compare(p.begin[:], other.end[:]) < 0 {
			return true
		}
	}
	return false
}

// originals returns the partitions that have not expired.
func (set partitionSet) originals() partitionSet {
	return set.filter(func(p *partition) bool { return !p.isRemainder() })
}

// apartFrom returns the partitions that overlap none of others.
func (set partitionSet) apartFrom(others partitionSet) partitionSet {
	return set.filter(func(p *partition) bool { return !others.overlaps(p) })
}

// endingBy returns the partitions whose ids are all less than end.
func (set partitionSet) endingBy(end [16]byte) partitionSet {
	return set.filter(func(p *partition) bool { return p.endsBy(end) })
}

// spans divides the ids into ranges, from first to before next, each of which lies in one partition or outside of all.
func (set partitionSet) spans() (first, next [][16]byte) {
	first = append(first, [16]byte{})
	for _, p := range set {
		first = append(first, p.begin, p.end)
	}
	compare := func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(first, compare)
	first = slices.Compact(first)
	return first, append(slices.Clone(first[1:]), codec.LastID)
}

func (set partitionSet) filter(keep func(*partition) bool) partitionSet {
	kept := make(partitionSet, 0, len(set))
	for _, p := range set {
		if keep(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

const sqlPartitions = `SELECT c.relname::text, substring(bounds FROM 'FROM \(''([^'']+)''\)')::uuid, substring(bounds FROM 'TO \(''([^'']+)''\)')::uuid
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bounds
	WHERE i.inhparent = $1::regclass AND bounds <> 'DEFAULT' ORDER BY 2`

// partitions returns the partitions of a table.
func (s *Store) partitions(ctx context.Context, table partitionedTable) (set partitionSet, err error) {
	err = s.read(ctx, func(tx *tx) (err error) {
		set, err = tx.partitions(table)
		return err
	})
	return set, err
}

func (t *tx) partitions(table partitionedTable) (partitionSet, error) {
	return pgx.CollectRows(t.query(sqlPartitions, "bellwire."+table.name), func(row pgx.CollectableRow) (*partition, error) {
		p := &partition{table: table}
		return p, row.Scan(&p.name, &p.begin, &p.end)
	})
}

const sqlIsPartition = "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass($1) AND inhrelid = to_regclass($2))"

// exists reports whether a partition that was found before still exists.
func (t *tx) exists(p *partition) (there bool, err error) {
	err = t.row(sqlIsPartition, "bellwire."+p.table.name, "bellwire."+p.name).Scan(&there)
	return there, err
}

// lockTimeout is how long a change of partitions waits for readers and writers. Readers and writers that come meanwhile
// wait behind it, publishers too. After that the change is abandoned, and tried again a minute later.
const lockTimeout = 200 * time.Millisecond

// errBusy rolls back a change of partitions that other transactions were in the way of.
var errBusy = errors.New("other transactions use the partition")

// lockPartitions is the lock that every transaction must hold to change partitions.
const lockPartitions = "partitions"

// alter runs f, which changes partitions, in a transaction of its own while no other node changes any, and returns what f
// returned. It returns false if other transactions were in the way; nothing has changed then. What was read about
// partitions before may be out of date.
func (s *Store) alter(ctx context.Context, timeout time.Duration, f func(*tx) (bool, error)) (done bool, err error) {
	if s.closed.Load() {
		return false, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = s.runOnce(ctx, s.pool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), func(tx *tx) error {
		err := tx.ddl("SET LOCAL lock_timeout = %d; SET LOCAL statement_timeout = %d", lockTimeout.Milliseconds(), timeout.Milliseconds())
		if err != nil {
			return err
		}
		if err := tx.lock(lockPartitions); err != nil {
			return err
		}
		done, err = f(tx)
		return err
	})
	// lock_not_available, deadlock_detected, duplicate_table, invalid_object_definition and check_violation: another
	// node makes the same partition, or a row of it is being written.
	if isState(err, "55P03", "40P01", "42P07", "42P17", "23514") || errors.Is(err, errBusy) {
		return false, nil
	}
	return done && err == nil, err
}

// ddl runs statements that take no parameters.
func (t *tx) ddl(format string, args ...any) error {
	return t.exec(fmt.Sprintf(format, args...), pgx.QueryExecModeSimpleProtocol)
}

// partitionsAhead is how many partitions there are for the time to come.
const partitionsAhead = 2

// makePartitions makes the partitions for now and for some time to come. Nothing is lost where one is missing: its rows
// go to the default partition, and are moved when it is made.
func (s *Store) makePartitions(ctx context.Context, now time.Time) error {
	width := s.options.PartitionWidth
	start := now.UTC().Truncate(width)
	for _, table := range []partitionedTable{eventsTable, deliveriesTable, attemptsTable} {
		present, err := s.partitions(ctx, table)
		if err != nil {
			return err
		}
		for n := range partitionsAhead + 1 {
			from := start.Add(time.Duration(n) * width)
			p := &partition{
				table: table, name: table.name + "_" + from.Format("20060102_1504"),
				begin: bellwire.FirstID[bellwire.EventKind](from), end: bellwire.FirstID[bellwire.EventKind](from.Add(width)),
			}
			if present.overlaps(p) {
				continue
			}
			if _, err := s.alter(ctx, s.options.Timeout, func(tx *tx) (bool, error) { return true, tx.makePartition(p) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxAdopted is the most rows that are moved from the default partition into a new one. A hundred thousand take about a
// second, in which nothing can be published.
const maxAdopted = 50_000

// makePartition makes a partition, with the rows of it that the default partition holds. If these are too many, the
// partition is not made, and its rows continue to go to the default partition.
func (t *tx) makePartition(p *partition) error {
	var waiting int
	err := t.row(fmt.Sprintf("SELECT count(*) FROM (SELECT FROM bellwire.%s_default WHERE %s LIMIT $1) f", p.table.name, p.holds(p.table.key)),
		maxAdopted+1).Scan(&waiting)
	if err != nil || waiting > maxAdopted {
		return err
	}
	if err := t.makeTable(p); err != nil {
		return err
	}
	if waiting > 0 {
		if err := t.adopt(p); err != nil {
			return err
		}
	}
	return t.attach(p)
}

// makeTable makes the table of a partition, which no other transaction sees before it is attached.
func (t *tx) makeTable(p *partition) error {
	return t.ddl("CREATE TABLE bellwire.%s (LIKE bellwire.%s INCLUDING ALL) WITH (%s)", p.name, p.table.name, p.table.options)
}

// attach makes the table a partition. PostgreSQL searches the default partition for rows that belong into it.
func (t *tx) attach(p *partition) error {
	return t.ddl("ALTER TABLE bellwire.%s ATTACH PARTITION bellwire.%s FOR VALUES %s", p.table.name, p.name, p.bounds())
}

// adopt moves rows from the default partition into the table of a partition.
func (t *tx) adopt(p *partition) error {
	if err := t.ddl("LOCK TABLE ONLY bellwire.%[1]s, bellwire.%[1]s_default IN ACCESS EXCLUSIVE MODE", p.table.name); err != nil {
		return err
	}
	columns, err := t.columns(p.table)
	if err != nil {
		return err
	}
	return t.exec(fmt.Sprintf(`WITH moved AS (DELETE FROM bellwire.%[1]s_default WHERE %[2]s RETURNING *)
		INSERT INTO bellwire.%[3]s (%[4]s) SELECT %[4]s FROM moved`, p.table.name, p.holds(p.table.key), p.name, columns))
}

const sqlColumns = `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`

// columns returns the names of the columns that can be given values.
func (t *tx) columns(table partitionedTable) (names string, err error) {
	err = t.row(sqlColumns, "bellwire."+table.name).Scan(&names)
	return names, err
}
