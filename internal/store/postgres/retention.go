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

// retention is the progress of this process in deleting old rows.
type retention struct {
	sync.Mutex
	own          rules.OwnRetentions
	events, keys scan
	ownKeys      scan // of tenants with a retention of their own; it does not begin again
	weeks        weekScan
	attempts     scan
	tombstones   rules.TombstoneScan
	reviewed     map[string]time.Time // when each partition was last found to have survivors
	changed      time.Time            // when partitions were last made and expired
	most         survivorBounds
	turn         int // counts the rounds
}

// scan is a scan of rows in the order of their events. A row that must be kept is not read again before the next scan.
type scan struct {
	done  [16]byte
	begun time.Time
}

// begin starts the next scan if the current one is old.
func (r *scan) begin(now time.Time) {
	if age := now.Sub(r.begun); age >= bellwire.RetentionReview || age < 0 {
		*r = scan{begun: now}
	}
}

// oldRow is an event, a publisher's id or a delivery's attempts, past their time.
type oldRow struct {
	tenant int64
	key    string   // the publisher's id; empty: an event without one, or of which it was not read
	event  [16]byte // or the delivery
	kept   bool     // it must stay
}

// sqlOldEvents also finds events outside of the default partition that have a delivery in it.
var sqlOldEvents = oldEvents(`SELECT u.tenant, coalesce(of.key, '') AS key, u.id, of.created_at, of.deliveries
	FROM (
		(SELECT tenant, id FROM bellwire.events_default WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3)
		UNION
		(SELECT tenant, event FROM bellwire.deliveries_default WHERE id > ` + lastOf("$1::uuid") + ` AND id < $2 ORDER BY id LIMIT $3)
		ORDER BY 2 LIMIT $3
	) u LEFT JOIN LATERAL (
		SELECT idempotency_key AS key, created_at, deliveries FROM bellwire.events WHERE tenant = u.tenant AND id = u.id LIMIT 1
	) of ON true`)

// oldEvents selects those of some events that come first, as many as have rules.DeliveriesOfARead deliveries, and whether something of
// each is to be delivered.
func oldEvents(some string) string {
	return fmt.Sprintf(`SELECT e.tenant, e.key, e.id,
		EXISTS (SELECT FROM bellwire.deliveries d WHERE %s AND %s) OR EXISTS (SELECT FROM bellwire.fanouts f WHERE f.tenant = e.tenant AND f.at <= e.created_at)
	FROM (SELECT s.*, sum(deliveries) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (%s) s) e
	WHERE e.before IS NULL OR e.before < %d ORDER BY e.id`, isOfEvent("d.id", "e.id"), isOutstanding, some, rules.DeliveriesOfARead)
}

// isFanningOut is true of tenants that have deliveries deferred to FanOut.
func isFanningOut(tenant string) string {
	return "EXISTS (SELECT FROM bellwire.fanout_tenants f WHERE f.tenant = " + tenant + ")"
}

// rowsOfARead is how many rows are looked at in one read, however few may still be deleted: most may have to stay.
const rowsOfARead = 300

// expireOld deletes events of the default partition that are older than the server keeps them.
func (r *round) expireOld() error {
	if r.before.IsZero() {
		return nil
	}
	scan := &r.retention.events
	scan.begin(r.now)
	old, err := r.nextOld(r.ctx, scan, bellwire.FirstID[bellwire.EventKind](r.before), rowsOfARead, sqlOldEvents)
	if err != nil {
		return err
	}
	return scan.expire(old, (*purge).event, r.step)
}

// nextOld reads old rows until it finds some of which one need not stay.
func (s *Store) nextOld(ctx context.Context, r *scan, end [16]byte, limit int, sql string) ([]oldRow, error) {
	for {
		var found []oldRow
		err := s.read(ctx, func(tx *tx) (err error) {
			found, err = pgx.CollectRows(tx.query(sql, r.done, end, limit), rowToOld)
			return err
		})
		if err != nil || len(found) == 0 {
			return nil, err
		}
		if isAnyOld(found) {
			return found, nil
		}
		r.done = found[len(found)-1].event
	}
}

func rowToOld(row pgx.CollectableRow) (old oldRow, err error) {
	err = row.Scan(&old.tenant, &old.key, &old.event, &old.kept)
	return old, err
}

// sqlOwnRetentions reads all tenants.
const sqlOwnRetentions = `SELECT n, (limits::jsonb ->> 'event_retention')::float8 FROM bellwire.tenants
	WHERE deleted_at IS NULL AND (limits::jsonb ->> 'event_retention')::float8 > 0`

var sqlOldEventsOf = oldEvents(`SELECT tenant, coalesce(idempotency_key, '') AS key, id, created_at, deliveries FROM bellwire.events
		WHERE tenant = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4`)

// ownEvents finds the next events that may go because their tenants keep them for less time than the server does, with their publishers'
// ids. The scan tells how far the tenant's events have been examined.
func (s *Store) ownEvents(ctx context.Context, now, before time.Time, limit int) ([]oldRow, *rules.OwnScan, error) {
	own := &s.retention.own
	if own.Outdated(now) {
		var read []rules.OwnRetention
		err := s.read(ctx, func(tx *tx) (err error) {
			read, err = pgx.CollectRows(tx.query(sqlOwnRetentions), pgx.RowToStructByPos[rules.OwnRetention])
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		own.Read(now, read)
	}
	for {
		tenant, scan, end, found := own.Next(now, before)
		if !found {
			return nil, nil, nil
		}
		old, err := s.oldEventsOf(ctx, tenant, scan.Done, end, limit)
		if err != nil {
			return nil, nil, err
		}
		if len(old) == 0 {
			own.Finish(now)
			continue
		}
		if isAnyOld(old) {
			return old, scan, nil
		}
		scan.Done = old[len(old)-1].event
	}
}

// oldEventsOf finds the next events of a tenant, whatever partition they lie in.
func (s *Store) oldEventsOf(ctx context.Context, tenant int64, after, end [16]byte, limit int) (old []oldRow, err error) {
	err = s.read(ctx, func(tx *tx) (err error) {
		old, err = pgx.CollectRows(tx.query(sqlOldEventsOf, tenant, after, end, limit), rowToOld)
		return err
	})
	return old, err
}

// expireOwn deletes events that are older than their tenant keeps them.
func (r *round) expireOwn() error {
	old, own, err := r.ownEvents(r.ctx, r.now, r.before, rowsOfARead)
	if err != nil || len(old) == 0 {
		return err
	}
	scan := &scan{done: own.Done}
	err = scan.expire(old, (*purge).event, r.step)
	own.Done = scan.done
	return err
}

// weekScan is a scan of the events of weeks that have expired but stay because of what is to be delivered: one week after the other,
// and one tenant after the other.
type weekScan struct {
	scan
	tenant int64
	queue  partitionSet // of deliveries
}

// add queues a week, unless it is queued already.
func (w *weekScan) add(week *partition) {
	if !w.queue.overlaps(week) {
		w.queue = append(w.queue, week)
	}
}

// weekReads is how many reads of a week there are in one step: all of its events may have to stay.
const weekReads = 50

// expireWeeks deletes events of weeks that stay, so that a paused or dead endpoint does not keep the old events of all tenants.
func (r *round) expireWeeks() error {
	scan := &r.retention.weeks
	for reads := 0; reads < weekReads && len(scan.queue) > 0 && r.left > 0 && !r.before.IsZero(); reads++ {
		found, err := r.oldEventsOf(r.ctx, scan.tenant, scan.done, scan.queue[0].end, rowsOfARead)
		switch {
		case err != nil:
		case isAnyOld(found):
			err = scan.expire(found, (*purge).event, r.step)
		case len(found) > 0:
			scan.done = found[len(found)-1].event
		default:
			err = r.nextTenant(scan)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const sqlNextTenant = "SELECT tenant FROM bellwire.events WHERE tenant > $1 AND id >= $2 AND id < $3 ORDER BY tenant, id LIMIT 1"

// nextTenant goes on with the next tenant that has events in the week, or with the next week.
func (r *round) nextTenant(scan *weekScan) error {
	week := scan.queue[0]
	err := r.read(r.ctx, func(tx *tx) error { return tx.row(sqlNextTenant, scan.tenant, week.begin, week.end).Scan(&scan.tenant) })
	if errors.Is(err, pgx.ErrNoRows) {
		*scan = weekScan{queue: scan.queue[1:]}
		return nil
	}
	scan.done = week.begin
	return err
}

// isAnyOld reports whether one of the rows need not stay.
func isAnyOld(rows []oldRow) bool {
	return slices.ContainsFunc(rows, func(row oldRow) bool { return !row.kept })
}

const sqlOldAttempts = `SELECT 0, '', a.delivery, d.there IS NOT NULL
	FROM (SELECT DISTINCT delivery FROM (
		SELECT delivery FROM bellwire.attempts_default WHERE delivery > $1 AND delivery < $2 ORDER BY delivery LIMIT $3
	) f) a LEFT JOIN LATERAL (SELECT true AS there FROM bellwire.deliveries WHERE id = a.delivery LIMIT 1) d ON true ORDER BY a.delivery`

// expireAttempts deletes what the default partition has of deliveries that went with their own partition.
func (r *round) expireAttempts() error {
	if r.before.IsZero() {
		return nil
	}
	scan := &r.retention.attempts
	scan.begin(r.now)
	old, err := r.nextOld(r.ctx, scan, bellwire.FirstID[bellwire.EventKind](r.before), rowsOfARead, sqlOldAttempts)
	if err != nil {
		return err
	}
	return scan.expire(old, (*purge).attempts, r.step)
}

const sqlOldKeys = `SELECT k.tenant, k.key, k.event, EXISTS (SELECT FROM bellwire.events e WHERE e.tenant = k.tenant AND e.id = k.event)
		OR EXISTS (SELECT FROM bellwire.unmatched u WHERE u.event = k.event)
	FROM bellwire.idempotency_keys k WHERE k.event > $1 AND k.event < $2 ORDER BY k.event LIMIT $3`

// oldKeys deletes publishers' ids that are past their window and whose event is gone. It skips those of events in partitions that have
// not expired, which may be nearly all.
func (r *round) oldKeys() error {
	scan := &r.retention.keys
	scan.begin(r.now)
	present, err := r.partitions(r.ctx, eventsTable)
	if err != nil {
		return err
	}
	window := endOfWindow(r.now)
	for _, p := range append(present.originals(), &partition{begin: codec.LastID, end: codec.LastID}) {
		end := earlierID(p.begin, window)
		if bytes.Compare(scan.done[:], end[:]) < 0 {
			found, err := r.nextOld(r.ctx, scan, end, rowsOfARead, sqlOldKeys)
			if err != nil {
				return err
			}
			if len(found) > 0 {
				return scan.expire(found, (*purge).key, r.step)
			}
		}
		if end == window {
			return nil
		}
		scan.done = laterID(scan.done, p.end)
	}
	return nil
}

// endOfWindow returns the first event whose publisher's id is still within its window.
func endOfWindow(now time.Time) [16]byte {
	return bellwire.FirstID[bellwire.EventKind](now.Add(-bellwire.IdempotencyWindow))
}

// These bound how many publishers' ids are looked through in one read, and in one step.
const (
	keysOfARead = 5000
	keyReads    = 20
)

// sqlOwnOldKeys ends with the last id that was looked through.
const sqlOwnOldKeys = `WITH passed AS MATERIALIZED (SELECT tenant, key, event FROM bellwire.idempotency_keys WHERE event > $1 AND event < $2 ORDER BY event LIMIT $3)
	SELECT k.tenant, k.key, k.event, false AS kept FROM passed k
		LEFT JOIN LATERAL (SELECT true AS there FROM bellwire.events WHERE tenant = k.tenant AND id = k.event LIMIT 1) e ON true
		WHERE k.tenant = ANY($4) AND e.there IS NULL AND NOT EXISTS (SELECT FROM bellwire.unmatched u WHERE u.event = k.event)
	UNION ALL (SELECT 0, '', event, true FROM passed ORDER BY event DESC LIMIT 1)
	ORDER BY event, kept`

// ownKeys deletes publishers' ids that are past their window, of events that were deleted because their tenant keeps them for less
// time: their partition, for which oldKeys waits, may stay for long or for ever. Each id is looked at once, when its window ends. The
// ids of events that are still there then are deleted with them.
func (r *round) ownKeys() error {
	tenants := r.retention.own.Tenants()
	if len(tenants) == 0 {
		return nil
	}
	scan := &r.retention.ownKeys
	for range keyReads {
		var found []oldRow
		err := r.read(r.ctx, func(tx *tx) (err error) {
			found, err = pgx.CollectRows(tx.query(sqlOwnOldKeys, scan.done, endOfWindow(r.now), keysOfARead, tenants), rowToOld)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		if len(found) > 1 {
			return scan.expire(found, (*purge).key, r.step)
		}
		scan.done = found[0].event
	}
	return nil
}

const (
	sqlHoldDeliveries = "SELECT id, " + isOutstanding + " FROM bellwire.deliveries WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3 FOR UPDATE"
	// Since it was found, another node may have deleted the id, and a publisher may have used it again.
	sqlPurgeKey = "DELETE FROM bellwire.idempotency_keys WHERE tenant = $1 AND key = $2 AND event = $3"
)

// expire deletes the rows that were found, in one transaction, and advances the scan past those that are finished.
func (r *scan) expire(found []oldRow, remove func(*purge, oldRow) (done bool, err error), step func(func(*purge) error) error) error {
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

// event deletes an event with its deliveries, and with its publisher's id if that was found and is past its window, unless a manual
// retry of one of the next deliveries has been requested since the event was found. It reports whether the event is finished: not if
// no more rows may be deleted.
func (p *purge) event(e oldRow) (done bool, err error) {
	for more := true; more; {
		most := max(p.left, rules.DeliveriesOfADelete)
		next, outstanding, err := p.hold(e.event, most)
		if err != nil || outstanding {
			return true, err
		}
		if err := p.deliveries(next); err != nil || p.left <= 0 {
			return false, err
		}
		more = len(next) == most
	}
	if window := endOfWindow(p.now); e.key != "" && bytes.Compare(e.event[:], window[:]) < 0 {
		if _, err := p.key(e); err != nil || p.left <= 0 {
			return false, err
		}
	}
	return true, p.delete(sqlPurgeEvents, e.tenant, [][16]byte{e.event})
}

// hold locks the next deliveries of an event, and reports whether one of them is outstanding.
func (p *purge) hold(event bellwire.EventID, most int) (ids [][16]byte, outstanding bool, err error) {
	first, last := bellwire.DeliveriesOf(event)
	var (
		id   [16]byte
		open bool
	)
	_, err = pgx.ForEachRow(p.tx.query(sqlHoldDeliveries, [16]byte(first), [16]byte(last), most), []any{&id, &open}, func() error {
		ids, outstanding = append(ids, id), outstanding || open
		return nil
	})
	return ids, outstanding, err
}

// attempts deletes the attempts of a delivery.
func (p *purge) attempts(of oldRow) (done bool, err error) {
	err = p.delete(sqlPurgeAttempts, [][16]byte{of.event}, p.left)
	return p.left > 0, err
}

// key deletes a publisher's id.
func (p *purge) key(k oldRow) (done bool, err error) {
	return true, p.delete(sqlPurgeKey, k.tenant, k.key, k.event)
}
