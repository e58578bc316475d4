package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// A partition expires when all of it is old:
//
//   - It is dropped if no row survives.
//   - Otherwise the survivors are copied, and the copy takes its place, so that a paused or dead endpoint does not keep
//     the old events of all tenants.
//   - It stays as it is if there are too many survivors to be copied. Then, and as long as a copy stays, Purge deletes the events
//     that need not survive row by row.
//
// Deliveries expire first, then the attempts of deliveries that are gone, and then events without deliveries. Each
// partition takes a transaction of its own, because no order of locks suits all writers. A reader in between sees an event
// without its deliveries.
const (
	// expiryTimeout bounds the copying. Claims and outcomes of deliveries that are being copied wait for it.
	expiryTimeout = 2 * time.Minute
	// busyPause is the time until a partition is tried again that other transactions were in the way of.
	busyPause = 5 * time.Minute
)

// survivorBounds say how much is copied.
type survivorBounds struct {
	outstanding int // deliveries: their claims and outcomes wait until all are copied
	rows        int // deliveries, or attempts of these; the rest are ended deliveries of the same events, for which nothing waits
}

var defaultSurvivorBounds = survivorBounds{outstanding: 200_000, rows: 500_000}

// expirePartitions expires partitions that are older than the given time, and returns how many.
func (s *Store) expirePartitions(ctx context.Context, now, before time.Time) (int, error) {
	if s.retention.reviewed == nil {
		s.retention.reviewed = make(map[string]time.Time)
	}
	deliveries, err := s.partitions(ctx, deliveriesTable)
	if err != nil {
		return 0, err
	}
	end, err := s.beforeFanouts(ctx, bellwire.FirstID[bellwire.EventKind](before))
	if err != nil {
		return 0, err
	}
	count, err := s.expireSet(ctx, now, deliveries.endingBy(end))
	if err != nil {
		return count, err
	}
	if deliveries, err = s.partitions(ctx, deliveriesTable); err != nil {
		return count, err
	}
	for _, table := range []partitionedTable{attemptsTable, eventsTable} {
		set, err := s.partitions(ctx, table)
		if err != nil {
			return count, err
		}
		n, err := s.expireSet(ctx, now, set.apartFrom(deliveries.originals()).endingBy(end))
		count += n
		if err != nil {
			return count, err
		}
	}
	return count, nil
}

const sqlFirstFannedOut = "SELECT event FROM (SELECT unnest(events) AS event FROM bellwire.fanouts) f ORDER BY event LIMIT 1"

// beforeFanouts returns the first event whose deliveries are deferred to FanOut, if it comes before end: its deliveries will
// be stored in the partition of its time.
func (s *Store) beforeFanouts(ctx context.Context, end bellwire.EventID) (bellwire.EventID, error) {
	var first [16]byte
	err := s.read(ctx, func(tx *tx) error { return tx.row(sqlFirstFannedOut).Scan(&first) })
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return end, nil
	case err != nil:
		return end, err
	}
	return earlierID(end, first), nil
}

// expireSet expires partitions that were not reviewed for some time, and returns how many.
func (s *Store) expireSet(ctx context.Context, now time.Time, set partitionSet) (count int, err error) {
	reviewed := s.retention.reviewed
	for _, p := range set {
		if now.Sub(reviewed[p.name]) < bellwire.RetentionReview {
			continue
		}
		complete := false
		expired, err := s.alter(ctx, expiryTimeout, func(tx *tx) (expired bool, err error) {
			expired, err = tx.expire(p, s.retention.most)
			complete = err == nil || isTimeout(err) // which a copy would run into again
			return expired, err
		})
		if tooSlow := ctx.Err() == nil && isTimeout(err); err != nil && !tooSlow {
			return count, err
		}
		switch {
		case expired:
			delete(reviewed, p.name)
			count++
		case complete:
			reviewed[p.name] = now
			if p.isOfDeliveries() {
				s.retention.weeks.add(p)
			}
		default:
			reviewed[p.name] = now.Add(busyPause - bellwire.RetentionReview)
		}
	}
	return count, nil
}

// isTimeout reports whether a transaction took too long.
func isTimeout(err error) bool {
	return isState(err, "57014") || errors.Is(err, context.DeadlineExceeded)
}

// expire drops or replaces a partition, and reports whether it did: not if another node has done so since it was found.
func (t *tx) expire(p *partition, most survivorBounds) (expired bool, err error) {
	if there, err := t.exists(p); err != nil || !there {
		return false, err
	}
	switch left, err := t.survivors(p, most); {
	case err != nil, left == tooMany, left == some && p.isRemainder():
		return false, err
	case left == none:
		return t.drop(p, most)
	}
	return t.replace(p)
}

// lockParent keeps other transactions from the table of a partition, but not from rows that they have locked already.
func (t *tx) lockParent(p *partition) error {
	return t.ddl("LOCK TABLE ONLY bellwire.%s IN ACCESS EXCLUSIVE MODE", p.table.name)
}

// drop drops a partition in which no row seems to survive.
func (t *tx) drop(p *partition, most survivorBounds) (dropped bool, err error) {
	if err := t.lockParent(p); err != nil {
		return false, err
	}
	if left, err := t.survivors(p, most); err != nil || left != none {
		return false, err
	}
	return true, t.ddl("DROP TABLE bellwire.%s", p.name)
}

// survivors says how many rows outlive a partition.
type survivors int

const (
	none survivors = iota
	some
	tooMany // to be copied
)

// survivors counts the rows that outlive a partition. Of a remainder it only finds whether there are any.
func (t *tx) survivors(p *partition, most survivorBounds) (survivors, error) {
	if p.isRemainder() {
		most = survivorBounds{1, 1}
	}
	attempts := "0"
	if p.isOfDeliveries() { // outstanding ones are fast to count, and each of them survives
		rows, err := t.countOutstanding(p, most.outstanding+1)
		switch {
		case err != nil || rows == 0:
			return none, err
		case rows > most.outstanding:
			return tooMany, nil
		case p.isRemainder():
			return some, nil
		}
		attempts = "attempts"
	} else {
		most.rows *= 2 // there may be more by now
	}
	var rows int
	err := t.row(fmt.Sprintf("SELECT greatest(count(*), sum(f.attempts)) FROM (SELECT %s AS attempts FROM bellwire.%s WHERE %s LIMIT $1) f",
		attempts, p.name, p.table.survivors(p)), most.rows+1).Scan(&rows)
	switch {
	case err != nil || rows == 0:
		return none, err
	case rows > most.rows:
		return tooMany, nil
	}
	return some, nil
}

// countOutstanding counts, up to a limit, the outstanding deliveries of a partition.
func (t *tx) countOutstanding(p *partition, limit int) (rows int, err error) {
	err = t.row(fmt.Sprintf(`SELECT count(*) FROM (SELECT FROM bellwire.%[1]s WHERE status = ANY ('{-2,-1,0,1}')
		UNION ALL SELECT FROM bellwire.%[1]s WHERE manual_epoch IS NOT NULL LIMIT $1) f`, p.name), limit).Scan(&rows)
	return rows, err
}

// replace puts a copy of the survivors into the place of a partition, and reports whether it did.
func (t *tx) replace(p *partition) (replaced bool, err error) {
	remainder := p.remainder()
	if err := t.copySurvivors(p, remainder); err != nil {
		return false, err
	}
	// Because of this constraint, ATTACH PARTITION does not read the rows while all other transactions wait.
	err = t.ddl("ALTER TABLE bellwire.%s ADD CONSTRAINT bounds CHECK (%s IS NOT NULL AND %s)", remainder.name, p.table.key, p.holds(p.table.key))
	if err != nil {
		return false, err
	}
	if err := t.lockParent(p); err != nil {
		return false, err
	}
	if complete, err := t.isComplete(p, remainder); err != nil || !complete {
		return false, errors.Join(err, errBusy)
	}
	if err := t.ddl("ALTER TABLE bellwire.%s DETACH PARTITION bellwire.%s", p.table.name, p.name); err != nil {
		return false, err
	}
	if err := t.attach(remainder); err != nil {
		return false, err
	}
	return true, t.ddl("ALTER TABLE bellwire.%s DROP CONSTRAINT bounds; DROP TABLE bellwire.%s", remainder.name, p.name)
}

// copySurvivors copies the survivors, which do not change from then on. Deliveries are locked row by row: a statement that
// updates any delivery locks all partitions, and would wait for a lock on this one. Other tables are never updated, and
// only transactions that insert into this partition wait for its lock.
func (t *tx) copySurvivors(p, to *partition) error {
	columns, err := t.columns(p.table)
	if err != nil {
		return err
	}
	if err := t.makeTable(to); err != nil {
		return err
	}
	lock := ""
	if p.isOfDeliveries() { // the outstanding ones last, because others wait for these
		lock = " ORDER BY " + isOutstanding + " FOR UPDATE"
	} else if err := t.ddl("LOCK TABLE bellwire.%s IN SHARE ROW EXCLUSIVE MODE", p.name); err != nil {
		return err
	}
	return t.ddl("INSERT INTO bellwire.%s (%s) SELECT %[2]s FROM bellwire.%[3]s WHERE %[4]s%[5]s", to.name, columns, p.name, p.table.survivors(p), lock)
}

// isComplete reports whether no manual retry was requested while the survivors were copied.
func (t *tx) isComplete(p, remainder *partition) (bool, error) {
	if !p.isOfDeliveries() {
		return true, nil
	}
	const all = math.MaxInt32
	before, err := t.countOutstanding(p, all)
	if err != nil {
		return false, err
	}
	after, err := t.countOutstanding(remainder, all)
	return before == after, err
}
