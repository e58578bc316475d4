package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// retention is what this process has looked at of what is old.
type retention struct {
	sync.Mutex
	events, keys round
	tombstones   rules.TombstoneScan
	looked       map[string]time.Time // when, at each partition
	changed      time.Time            // when partitions were made and given up last
}

// round is how far rows have been looked at, in the order of their events. Those that had something to be delivered are
// passed over until the next round.
type round struct {
	done  [16]byte
	begun time.Time
}

func (r *round) begin(now time.Time) {
	if age := now.Sub(r.begun); age >= bellwire.RetentionReview || age < 0 {
		*r = round{begun: now}
	}
}

// What becomes of a partition when all of it is old:
//
//   - It is dropped if nothing in it is to be delivered any more.
//   - Otherwise what is to be delivered is copied, and the copy takes its place. So a paused or dead endpoint does not
//     have everybody's old events kept.
//   - It stays as it is if that is more than maxKept rows.
//
// Deliveries come first. Then go the attempts of deliveries that are gone, and then events without deliveries. Each is
// a transaction of its own, because no other order of locks suits all who write. Who looks in between sees an event without
// its deliveries.
const (
	maxKept = 200_000
	// keepTimeout bounds the copying. Who wants to claim, or to record, what is being copied waits for it.
	keepTimeout = 2 * time.Minute
	// busyPause is when a partition is tried again that others were in the way of.
	busyPause = 5 * time.Minute
)

// These choose the rows that a partition keeps. An event and its deliveries lie in partitions of the same time.
var (
	keptDeliveries = `id IN (SELECT d.id FROM (
			SELECT event FROM bellwire.%[1]s WHERE status = ANY ('{0,1}') UNION SELECT event FROM bellwire.%[1]s WHERE manual_epoch IS NOT NULL
		) w JOIN bellwire.%[1]s d ON ` + isOfEvent("d.id", "w.event") + ")"
	keptAttempts = "delivery IN (SELECT id FROM bellwire.deliveries WHERE id >= '%[2]x' AND id < '%[3]x')"
	keptEvents   = "((tenant, id) IN (SELECT tenant, event FROM bellwire.deliveries WHERE id >= '%[2]x' AND id < '%[3]x')" +
		" OR id IN (SELECT unnest(events) FROM bellwire.fanouts))"
)

// expirePartitions gives up partitions that are older than the given time, and returns how many.
func (s *Store) expirePartitions(ctx context.Context, now, before time.Time) (int, error) {
	if s.retention.looked == nil {
		s.retention.looked = make(map[string]time.Time)
	}
	deliveries, err := s.partitions(ctx, deliveriesTable)
	if err != nil {
		return 0, err
	}
	before, err = s.trustLess(ctx, now, before)
	if err != nil {
		return 0, err
	}
	end, err := s.untilFanouts(ctx, bellwire.FirstID[bellwire.EventKind](before))
	if err != nil {
		return 0, err
	}
	count, err := s.expireEach(ctx, now, end, deliveries, keptDeliveries)
	if err != nil {
		return count, err
	}
	if deliveries, err = s.partitions(ctx, deliveriesTable); err != nil {
		return count, err
	}
	whole := make([]*partition, 0, len(deliveries))
	for _, p := range deliveries {
		if !p.isKept() {
			whole = append(whole, p)
		}
	}
	for _, of := range []struct {
		table partitioned
		kept  string
	}{{attemptsTable, keptAttempts}, {eventsTable, keptEvents}} {
		found, err := s.partitions(ctx, of.table)
		if err != nil {
			return count, err
		}
		var alone []*partition
		for _, p := range found {
			if !overlaps(whole, p) {
				alone = append(alone, p)
			}
		}
		n, err := s.expireEach(ctx, now, end, alone, of.kept)
		count += n
		if err != nil {
			return count, err
		}
	}
	return count, nil
}

const sqlFirstFannedOut = "SELECT event FROM (SELECT unnest(events) AS event FROM bellwire.fanouts) f ORDER BY event LIMIT 1"

// untilFanouts puts the end back to the first event whose deliveries are left to FanOut: they go where those of its time are.
func (s *Store) untilFanouts(ctx context.Context, end bellwire.EventID) (bellwire.EventID, error) {
	var first [16]byte
	err := s.read(ctx, func(tx *tx) error {
		err := tx.row(sqlFirstFannedOut).Scan(&first)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		end = earlierID(end, first)
		return err
	})
	return end, err
}

// trustLess puts the time back as far as this node's clock is ahead of the database's, so that a node with a wrong clock
// does not drop everything.
func (s *Store) trustLess(ctx context.Context, now, before time.Time) (time.Time, error) {
	var there time.Time
	err := s.read(ctx, func(tx *tx) error { return tx.row("SELECT now()").Scan(&there) })
	if wrong := now.Sub(there); wrong > 0 {
		before = before.Add(-wrong)
	}
	return before, err
}

func (s *Store) expireEach(ctx context.Context, now time.Time, end [16]byte, partitions []*partition, keep string) (count int, err error) {
	for _, p := range partitions {
		if bytes.Compare(p.end[:], end[:]) > 0 || now.Sub(s.retention.looked[p.name]) < bellwire.RetentionReview {
			continue
		}
		looked := false
		gone, err := s.alter(ctx, keepTimeout, func(tx *tx) (gone bool, err error) {
			gone, err = tx.expirePartition(p, fmt.Sprintf(keep, p.name, p.begin, p.end))
			looked = err == nil
			return gone, err
		})
		if err != nil {
			return count, err
		}
		switch {
		case gone:
			delete(s.retention.looked, p.name)
			count++
		case looked:
			s.retention.looked[p.name] = now
		default:
			s.retention.looked[p.name] = now.Add(busyPause - bellwire.RetentionReview)
		}
	}
	return count, nil
}

// expirePartition gives up a partition, and reports whether it did: not if another node has done so since it was found.
func (t *tx) expirePartition(p *partition, keep string) (gone bool, err error) {
	if there, err := t.has(p); err != nil || !there {
		return false, err
	}
	rows, err := t.countKept(p, keep)
	switch {
	case err != nil, rows > maxKept, rows > 0 && p.isKept():
		return false, err
	case rows == 0:
		return t.drop(p, keep)
	}
	return t.replace(p, keep)
}

// lockTable keeps everybody else from the table, but not from rows that are held already.
func (t *tx) lockTable(p *partition) error {
	return t.ddl("LOCK TABLE ONLY bellwire.%s IN ACCESS EXCLUSIVE MODE", p.table)
}

// drop drops a partition in which there seems to be nothing to be kept.
func (t *tx) drop(p *partition, keep string) (gone bool, err error) {
	if err := t.lockTable(p); err != nil {
		return false, err
	}
	if rows, err := t.countKept(p, keep); err != nil || rows > 0 {
		return false, err
	}
	return true, t.ddl("DROP TABLE bellwire.%s", p.name)
}

// countKept counts what a partition keeps, up to one more than maxKept. Of one that was left by retention it only tells
// whether there is anything.
func (t *tx) countKept(p *partition, keep string) (rows int, err error) {
	limit := maxKept + 1
	if p.isKept() {
		limit = 1
	}
	if p.table == deliveriesTable.table { // what is to be delivered may be much more, and is looked at first
		rows, err = t.countWanted(p, limit)
		if err != nil || rows == 0 || rows == limit {
			return rows, err
		}
	}
	err = t.row(fmt.Sprintf("SELECT count(*) FROM (SELECT FROM bellwire.%s WHERE %s LIMIT $1) f", p.name, keep), limit).Scan(&rows)
	return rows, err
}

// countWanted counts, up to a limit, what is to be delivered of a partition.
func (t *tx) countWanted(p *partition, limit int) (rows int, err error) {
	err = t.row(fmt.Sprintf(`SELECT count(*) FROM (SELECT FROM bellwire.%[1]s WHERE status = ANY ('{0,1}')
		UNION ALL SELECT FROM bellwire.%[1]s WHERE manual_epoch IS NOT NULL LIMIT $1) f`, p.name), limit).Scan(&rows)
	return rows, err
}

// replace puts a copy of what is kept into the partition's place, and tells whether it did.
func (t *tx) replace(p *partition, keep string) (done bool, err error) {
	copied := *p
	copied.name += kept
	if err := t.copy(p, &copied, keep); err != nil {
		return false, err
	}
	// With this constraint the rows are not looked through once more while all others wait.
	err = t.ddl("ALTER TABLE bellwire.%s ADD CONSTRAINT bounds CHECK (%s IS NOT NULL AND %[2]s >= '%[3]x' AND %[2]s < '%[4]x')",
		copied.name, p.key, p.begin, p.end)
	if err != nil {
		return false, err
	}
	if err := t.lockTable(p); err != nil {
		return false, err
	}
	if complete, err := t.isComplete(p, &copied); err != nil || !complete {
		return false, errors.Join(err, errBusy)
	}
	if err := t.ddl("ALTER TABLE bellwire.%s DETACH PARTITION bellwire.%s", p.table, p.name); err != nil {
		return false, err
	}
	if err := t.attach(&copied); err != nil {
		return false, err
	}
	return true, t.ddl("ALTER TABLE bellwire.%s DROP CONSTRAINT bounds; DROP TABLE bellwire.%s", copied.name, p.name)
}

// copy copies what is kept, which does not change from then on. Deliveries are held row by row: a statement that updates
// any of them locks all partitions, and would wait for a lock on this one. Other tables are never updated, and only who
// writes to this partition waits for its lock.
func (t *tx) copy(p, to *partition, keep string) error {
	columns, err := t.columns(p.table)
	if err != nil {
		return err
	}
	if err := t.makeTable(to); err != nil {
		return err
	}
	hold := ""
	if p.table == deliveriesTable.table {
		hold = " FOR UPDATE"
	} else if err := t.ddl("LOCK TABLE bellwire.%s IN SHARE ROW EXCLUSIVE MODE", p.name); err != nil {
		return err
	}
	return t.ddl("INSERT INTO bellwire.%s (%s) SELECT %[2]s FROM bellwire.%[3]s WHERE %[4]s%[5]s", to.name, columns, p.name, keep, hold)
}

// isComplete tells whether nothing was asked for by hand while it was copied.
func (t *tx) isComplete(p, copied *partition) (bool, error) {
	if p.table != deliveriesTable.table {
		return true, nil
	}
	before, err := t.countWanted(p, 2*maxKept)
	if err != nil {
		return false, err
	}
	after, err := t.countWanted(copied, 2*maxKept)
	return before == after, err
}

// oldRow is a row that is old, with whether it is kept.
type oldRow struct {
	tenant int64
	key    string // a publisher's id, where the row is that
	event  [16]byte
	kept   bool
}

// A delivery can be in the default partition although its event is not.
var sqlOldEvents = "SELECT e.tenant, '', e.id, EXISTS (SELECT FROM bellwire.deliveries d WHERE " + isOfEvent("d.id", "e.id") + " AND " + isWanted + ") OR " + isFanningOut("e.tenant") + ` FROM (
		(SELECT tenant, id FROM bellwire.events_default WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3)
		UNION
		(SELECT tenant, event FROM bellwire.deliveries_default WHERE id > ` + lastOf("$1::uuid") + ` AND id < $2 ORDER BY id LIMIT $3)
		ORDER BY 2 LIMIT $3
	) e ORDER BY e.id`

// isFanningOut is true of tenants that have deliveries left to FanOut. Their events of the default partition are kept meanwhile.
func isFanningOut(tenant string) string {
	return "EXISTS (SELECT FROM bellwire.fanout_tenants f WHERE f.tenant = " + tenant + ")"
}

// isWanted is true of a delivery that is to be made, by the schedule or by hand.
const isWanted = "(status <= 1 OR manual_epoch IS NOT NULL)"

// oldEvents finds the next events of the default partition that are older than the given time and may go.
func (s *Store) oldEvents(ctx context.Context, now, before time.Time, limit int) ([]oldRow, error) {
	r := &s.retention.events
	r.begin(now)
	return s.nextOld(ctx, r, bellwire.FirstID[bellwire.EventKind](before), limit, sqlOldEvents)
}

// nextOld looks at old rows until it finds some of which one may go.
func (s *Store) nextOld(ctx context.Context, r *round, end [16]byte, limit int, sql string) ([]oldRow, error) {
	for {
		var found []oldRow
		err := s.read(ctx, func(tx *tx) (err error) {
			found, err = pgx.CollectRows(tx.query(sql, r.done, end, limit), rowToOld)
			return err
		})
		if err != nil || len(found) == 0 {
			return nil, err
		}
		for _, row := range found {
			if !row.kept {
				return found, nil
			}
		}
		r.done = found[len(found)-1].event
	}
}

func rowToOld(row pgx.CollectableRow) (old oldRow, err error) {
	err = row.Scan(&old.tenant, &old.key, &old.event, &old.kept)
	return old, err
}

const sqlOldKeys = `SELECT k.tenant, k.key, k.event, EXISTS (SELECT FROM bellwire.events e WHERE e.tenant = k.tenant AND e.id = k.event)
		OR EXISTS (SELECT FROM bellwire.unmatched u WHERE u.event = k.event)
	FROM bellwire.idempotency_keys k WHERE k.event > $1 AND k.event < $2 ORDER BY k.event LIMIT $3`

// oldKeys finds the next publishers' ids that are past their window and whose event may be gone. Those of events in
// partitions that nothing was taken from are left out: it may be all of them.
func (s *Store) oldKeys(ctx context.Context, now time.Time, limit int) ([]oldRow, error) {
	r := &s.retention.keys
	r.begin(now)
	present, err := s.partitions(ctx, eventsTable)
	if err != nil {
		return nil, err
	}
	window := bellwire.FirstID[bellwire.EventKind](now.Add(-bellwire.IdempotencyWindow))
	for _, p := range append(present, &partition{begin: codec.LastID, end: codec.LastID}) {
		if p.isKept() {
			continue
		}
		end := earlierID(p.begin, window)
		if bytes.Compare(r.done[:], end[:]) < 0 {
			if found, err := s.nextOld(ctx, r, end, limit, sqlOldKeys); err != nil || len(found) > 0 {
				return found, err
			}
		}
		if end == window {
			return nil, nil
		}
		r.done = laterID(r.done, p.end)
	}
	return nil, nil
}

const (
	sqlHoldDeliveries = "SELECT " + isWanted + " FROM bellwire.deliveries WHERE id BETWEEN $1 AND $2 ORDER BY id FOR UPDATE"
	sqlOldDeliveries  = "SELECT id FROM bellwire.deliveries WHERE id BETWEEN $1 AND $2 LIMIT $3"
	// Another node may have deleted it since it was found, and somebody have used it again.
	sqlPurgeKey = "DELETE FROM bellwire.idempotency_keys WHERE tenant = $1 AND key = $2 AND event = $3"
)

// expire deletes the rows that were found, in one step, and goes on to what follows those that are done with.
func (r *round) expire(found []oldRow, remove func(*purge, oldRow) (done bool, err error), step func(func(*purge) error) error) error {
	if len(found) == 0 {
		return nil
	}
	var to [16]byte
	err := step(func(p *purge) error {
		to = r.done
		for _, row := range found {
			if p.left <= 0 {
				return nil
			}
			if !row.kept {
				if done, err := remove(p, row); err != nil || !done {
					return err
				}
			}
			to = row.event
		}
		return nil
	})
	if err == nil {
		r.done = to
	}
	return err
}

// event deletes an event with its deliveries, unless something of it has been asked for since. It tells whether that is
// done with: not if no more rows may be deleted.
func (p *purge) event(e oldRow) (done bool, err error) {
	first, last := bellwire.DeliveriesOf(e.event)
	wanted, err := pgx.CollectRows(p.tx.query(sqlHoldDeliveries, [16]byte(first), [16]byte(last)), pgx.RowTo[bool])
	if err != nil {
		return false, err
	}
	if slices.Contains(wanted, true) {
		return true, nil
	}
	var waits bool
	if err := p.tx.row("SELECT "+isFanningOut("$1"), e.tenant).Scan(&waits); err != nil || waits {
		return true, err
	}
	if err := p.allDeliveries(sqlOldDeliveries, [16]byte(first), [16]byte(last)); err != nil || p.left <= 0 {
		return false, err
	}
	return true, p.delete(sqlPurgeEvents, e.tenant, [][16]byte{e.event})
}

// key deletes a publisher's id.
func (p *purge) key(k oldRow) (done bool, err error) {
	return true, p.delete(sqlPurgeKey, k.tenant, k.key, k.event)
}
