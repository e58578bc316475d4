package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// partitioned is a table that is partitioned by an id, and so by time.
type partitioned struct {
	table string
	key   string // the id's column
	with  string // what partitions are made with
}

// Every delivery is updated: when it is recorded, and before that when it is claimed, unless it was taken at once. With
// pages half full there is room for that beside it: a claim, which changes no index, then needs no index entry, and the
// table becomes no larger than with full pages. All rows are there to stay for weeks, so that a share of them, as by
// default, is too many for one round of the autovacuum.
var (
	eventsTable     = partitioned{"events", "id", "autovacuum_analyze_scale_factor = 0.05"}
	deliveriesTable = partitioned{"deliveries", "id", "fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, " +
		"autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1, autovacuum_analyze_scale_factor = 0.05"}
	attemptsTable = partitioned{"attempts", "delivery", "autovacuum_analyze_scale_factor = 0.05"}
)

// partition is one of a table's partitions, but for the default one. It holds the ids from begin to before end.
type partition struct {
	partitioned
	name       string
	begin, end [16]byte
}

// kept is how the name ends of a partition that retention has left, with what is still to be delivered.
const kept = "_kept"

func (p *partition) isKept() bool { return strings.HasSuffix(p.name, kept) }

// bounds are the partition's, as SQL has them.
func (p *partition) bounds() string { return fmt.Sprintf("FROM ('%x') TO ('%x')", p.begin, p.end) }

// columns has a row for each column that values are given for.
const sqlColumns = `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`

const sqlPartitions = `SELECT c.relname::text, substring(bounds FROM 'FROM \(''([^'']+)''\)')::uuid, substring(bounds FROM 'TO \(''([^'']+)''\)')::uuid
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bounds
	WHERE i.inhparent = $1::regclass AND bounds <> 'DEFAULT' ORDER BY 2`

// partitions returns the partitions of a table, oldest first.
func (s *Store) partitions(ctx context.Context, table partitioned) ([]*partition, error) {
	var found []*partition
	err := s.read(ctx, func(tx *tx) (err error) {
		found, err = pgx.CollectRows(tx.query(sqlPartitions, "bellwire."+table.table), func(row pgx.CollectableRow) (*partition, error) {
			p := &partition{partitioned: table}
			return p, row.Scan(&p.name, &p.begin, &p.end)
		})
		return err
	})
	return found, err
}

// ahead is how many partitions there are for the time to come.
const ahead = 2

// makePartitions makes the partitions for now and for some time to come. Nothing is lost where one is missing: then
// its rows are in the default partition, from where they are taken when it is made.
func (s *Store) makePartitions(ctx context.Context, now time.Time) error {
	width := s.options.PartitionWidth
	start := now.UTC().Truncate(width)
	for _, table := range []partitioned{eventsTable, deliveriesTable, attemptsTable} {
		present, err := s.partitions(ctx, table)
		if err != nil {
			return err
		}
		for n := range ahead + 1 {
			from := start.Add(time.Duration(n) * width)
			p := &partition{
				partitioned: table, name: table.table + "_" + from.Format("20060102_1504"),
				begin: bellwire.FirstID[bellwire.EventKind](from), end: bellwire.FirstID[bellwire.EventKind](from.Add(width)),
			}
			if overlaps(present, p) {
				continue
			}
			if _, err := s.alter(ctx, s.options.Timeout, func(tx *tx) (bool, error) { return true, tx.makePartition(p) }); err != nil {
				return err
			}
		}
	}
	return nil
}

const sqlIsPartition = "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass($1) AND inhrelid = to_regclass($2))"

// has reports whether a partition that was found before still exists.
func (t *tx) has(p *partition) (there bool, err error) {
	err = t.row(sqlIsPartition, "bellwire."+p.table, "bellwire."+p.name).Scan(&there)
	return there, err
}

// overlaps tells whether one of the partitions holds ids of p's, as with one that was made with another width.
func overlaps(present []*partition, p *partition) bool {
	for _, other := range present {
		if bytes.Compare(other.begin[:], p.end[:]) < 0 && bytes.Compare(p.begin[:], other.end[:]) < 0 {
			return true
		}
	}
	return false
}

// lockTimeout is how long a change of partitions waits for those who read and write. Those who come meanwhile wait
// behind it, publishers too. When it is over the change is given up, and tried again a minute later.
const lockTimeout = 200 * time.Millisecond

// errBusy undoes a change of partitions that others were in the way of.
var errBusy = errors.New("others are in the way")

// lockPartitions must be held to make partitions and to give them up.
const lockPartitions = "partitions"

// alter runs f, which changes partitions, in a transaction of its own while no other node changes any, and reports what f did.
// It is false if others were in the way: then nothing has changed. What was read about partitions before may be out of date.
func (s *Store) alter(ctx context.Context, timeout time.Duration, f func(*tx) (bool, error)) (done bool, err error) {
	if s.closed.Load() {
		return false, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = once(ctx, s.pool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), func(tx *tx) error {
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
	// lock_not_available, deadlock_detected, duplicate_table, invalid_object_definition and check_violation: somebody
	// else makes the same, or writes what belongs into the partition that is being made.
	if isState(err, "55P03", "40P01", "42P07", "42P17", "23514") || errors.Is(err, errBusy) {
		return false, nil
	}
	return done && err == nil, err
}

// ddl runs statements that take no parameters.
func (t *tx) ddl(format string, args ...any) error {
	return t.exec(fmt.Sprintf(format, args...), pgx.QueryExecModeSimpleProtocol)
}

// maxAdopted is how many rows are moved from the default partition into one that is made, at most. It takes as many
// seconds as there are hundred thousands, and nobody can publish meanwhile.
const maxAdopted = 50_000

// makePartition makes a partition, with what the default partition holds of it. Should that be too much, it stays there,
// and what follows it of that partition goes there too.
func (t *tx) makePartition(p *partition) error {
	var waiting int
	err := t.row(fmt.Sprintf("SELECT count(*) FROM (SELECT FROM bellwire.%[1]s_default WHERE %[2]s >= $1 AND %[2]s < $2 LIMIT $3) f",
		p.table, p.key), p.begin, p.end, maxAdopted+1).Scan(&waiting)
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

// makeTable makes the partition's table. Nobody sees it before it is attached.
func (t *tx) makeTable(p *partition) error {
	return t.ddl("CREATE TABLE bellwire.%s (LIKE bellwire.%s INCLUDING ALL) WITH (%s)", p.name, p.table, p.with)
}

// attach makes the table a partition. The default partition is looked through for rows that belong there.
func (t *tx) attach(p *partition) error {
	return t.ddl("ALTER TABLE bellwire.%s ATTACH PARTITION bellwire.%s FOR VALUES %s", p.table, p.name, p.bounds())
}

// adopt moves rows from the default partition into the partition's table.
func (t *tx) adopt(p *partition) error {
	if err := t.ddl("LOCK TABLE ONLY bellwire.%[1]s, bellwire.%[1]s_default IN ACCESS EXCLUSIVE MODE", p.table); err != nil {
		return err
	}
	columns, err := t.columns(p.table)
	if err != nil {
		return err
	}
	return t.exec(fmt.Sprintf(`WITH moved AS (DELETE FROM bellwire.%[1]s_default WHERE %[2]s >= $1 AND %[2]s < $2 RETURNING *)
		INSERT INTO bellwire.%[3]s (%[4]s) SELECT %[4]s FROM moved`, p.table, p.key, p.name, columns), p.begin, p.end)
}

// columns returns the names of the columns that values are given for.
func (t *tx) columns(table string) (names string, err error) {
	err = t.row(sqlColumns, "bellwire."+table).Scan(&names)
	return names, err
}
