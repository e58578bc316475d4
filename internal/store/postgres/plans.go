package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A connection keeps the plans of its statements, because planning takes longer than execution. But a plan that was made while a
// table was empty is bad when there are millions of rows. So plans are made anew when tables may have become much larger, and once
// a minute, because other nodes write too. PostgreSQL itself makes them anew when it has analyzed a table.
const (
	leastPlanAge = 2 * time.Second
	mostPlanAge  = time.Minute
	// plannedRows is how many more rows do no harm, whatever the tables had.
	plannedRows = 10_000
)

// growth counts the rows that this node has written since a partition began.
type growth struct {
	mu   sync.Mutex
	size tableSize
}

// tableSize is what growth has counted at a time.
type tableSize struct {
	at        time.Time
	partition time.Time // its beginning
	rows      int64
}

// add counts rows.
func (g *growth) add(rows int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.size.rows += int64(rows)
}

// now returns the present size. New partitions, which are of the given width, begin empty.
func (g *growth) now(at time.Time, width time.Duration) tableSize {
	g.mu.Lock()
	defer g.mu.Unlock()
	if partition := at.UTC().Truncate(width); partition.After(g.size.partition) {
		g.size = tableSize{partition: partition}
	}
	g.size.at = at
	return g.size
}

// outdates reports whether plans that were made earlier, at another size, may be bad now.
func (now tableSize) outdates(then tableSize) bool {
	switch age := now.at.Sub(then.at); {
	case age < leastPlanAge:
		return false
	case age > mostPlanAge:
		return true
	}
	return !now.partition.Equal(then.partition) || now.rows > 2*then.rows+plannedRows
}

const plannedAt = "planned at" // a key of a connection's custom data

const discardPlans = "DISCARD PLANS"

// hasOldPlans reports whether a connection's plans must be discarded, which it takes to be done then. Behind a pooler that is not known:
// its connections to the server have plans of other clients.
func (s *Store) hasOldPlans(conn *pgx.Conn) bool {
	data, now := conn.PgConn().CustomData(), s.growth.now(s.options.Now(), s.options.PartitionWidth)
	then, known := data[plannedAt].(tableSize)
	if known && !now.outdates(then) && !(s.pooled && now.at.Sub(then.at) > leastPlanAge) {
		return false
	}
	data[plannedAt] = now
	return known || s.pooled // a new connection has no plans
}

// withFreshPlans returns the statements that begin a transaction, after which plans are as good as new.
func (s *Store) withFreshPlans(ctx context.Context, conn *pgx.Conn, begin []string) ([]string, error) {
	if !s.hasOldPlans(conn) {
		return begin, nil
	}
	if len(begin) > 0 {
		return append(slices.Clone(begin), discardPlans), nil
	}
	_, err := conn.Exec(ctx, discardPlans, pgx.QueryExecModeSimpleProtocol)
	return nil, err
}
