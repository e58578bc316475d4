package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
)

// partitioned are the tables that are partitioned by an id, with what their partitions are made with. Deliveries are
// updated when they are taken, which costs no index entry where a page has room.
var partitioned = []struct{ table, with string }{
	{"events", ""},
	{"deliveries", " WITH (fillfactor = 85)"},
	{"attempts", ""},
}

// ahead is how many partitions there are for the time to come.
const ahead = 2

// makePartitions makes the partitions for now and for some time to come. Nothing is lost where one is missing: then
// its rows are in the default partition.
func (s *Store) makePartitions(ctx context.Context, now time.Time) error {
	width := s.options.PartitionWidth
	start := now.UTC().Truncate(width)
	return s.write(ctx, func(tx *tx) error {
		if err := tx.exec("SELECT pg_advisory_xact_lock($1)", int64(lockPartitions)); err != nil {
			return err
		}
		for n := range ahead + 1 {
			from := start.Add(time.Duration(n) * width)
			for _, p := range partitioned {
				if err := tx.makePartition(p.table, p.with, from, from.Add(width)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// makePartition makes a partition, unless it is there, or its time overlaps one's that was made with another width, or
// the default partition holds rows of that time: then those that follow go there too.
func (t *tx) makePartition(table, with string, from, to time.Time) error {
	name := fmt.Sprintf("bellwire.%s_%s", table, from.Format("20060102_1504"))
	var exists bool
	if err := t.row("SELECT to_regclass($1) IS NOT NULL", name).Scan(&exists); err != nil || exists {
		return err
	}
	first, end := bellwire.FirstID[bellwire.EventKind](from), bellwire.FirstID[bellwire.EventKind](to)
	sql := fmt.Sprintf("CREATE TABLE %s PARTITION OF bellwire.%s FOR VALUES FROM ('%x') TO ('%x')%s", name, table, first[:], end[:], with)
	nested, err := t.Begin(t.ctx)
	if err != nil {
		return err
	}
	if _, err := nested.Exec(t.ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		if err := nested.Rollback(t.ctx); err != nil {
			return err
		}
		if isState(err, "42P17", "23514") { // invalid_object_definition: it overlaps; check_violation
			return nil
		}
		return err
	}
	return nested.Commit(t.ctx)
}
