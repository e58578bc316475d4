package sqlite

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// retention records how far old events have been examined. Events with open deliveries are skipped until the next round,
// so that a large backlog is not read again and again.
type retention struct {
	sync.Mutex
	own        rules.OwnRetentions
	ownFirst   bool // the next step looks at tenants with a retention of their own first
	done       bellwire.EventID
	begun      time.Time // this round
	tombstones rules.TombstoneScan
}

// oldEvent is an event that may go.
type oldEvent struct {
	id   bellwire.EventID
	kept bool // something of it is to be delivered
}

// isWanted is true of a delivery that is still to be made, by the schedule or as a manual retry.
const isWanted = "(status <= 1 OR manual_epoch IS NOT NULL)"

// isFanningOut is true of an event e of which deliveries may be deferred to FanOut.
const isFanningOut = "coalesce((SELECT event + events FROM fanouts WHERE tenant = e.tenant AND event <= e.n ORDER BY event DESC LIMIT 1) > e.n, false)"

const (
	sqlOldEvents = `SELECT id, deliveries, EXISTS (SELECT 1 FROM deliveries
			WHERE id >= substr(e.id, 1, 14) AND id < CAST(substr(e.id, 1, 14) || x'ffffff' AS BLOB) AND ` + isWanted + `)
			OR ` + isFanningOut + `
		FROM events e WHERE id > ? AND id < ? ORDER BY id LIMIT +?`
)

// nextEvents finds the next events that may go: by turns those that are older than the server keeps them, and those that are older
// than their tenant does, so that neither wait for the others to end. The scan is that of ownEvents; nil: they are the server's.
func (s *Store) nextEvents(ctx context.Context, now, before time.Time, limit int) ([]oldEvent, *rules.OwnScan, error) {
	ownFirst := s.retention.ownFirst
	s.retention.ownFirst = !ownFirst
	if ownFirst {
		if old, own, err := s.ownEvents(ctx, now, before, limit); err != nil || len(old) > 0 {
			return old, own, err
		}
	}
	old, err := s.oldEvents(ctx, now, before, limit)
	if err != nil || len(old) > 0 || ownFirst {
		return old, nil, err
	}
	return s.ownEvents(ctx, now, before, limit)
}

// oldEvents finds the next events from before the given time that may go. It passes over those that are kept, so that
// the writer is not kept busy with the search.
func (s *Store) oldEvents(ctx context.Context, now, before time.Time, limit int) ([]oldEvent, error) {
	if before.IsZero() || limit <= 0 {
		return nil, nil
	}
	r := &s.retention
	if age := now.Sub(r.begun); age >= bellwire.RetentionReview || age < 0 {
		r.done, r.begun = bellwire.EventID{}, now
	}
	end := bellwire.FirstID[bellwire.EventKind](before)
	for {
		found, err := s.eventsBetween(ctx, r.done, end, limit)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		for _, e := range found {
			if !e.kept {
				return found, nil
			}
		}
		r.done = found[len(found)-1].id
	}
}

func (s *Store) eventsBetween(ctx context.Context, after, end bellwire.EventID, limit int) ([]oldEvent, error) {
	return s.readOldEvents(ctx, func(c *db) *query {
		return c.query(sqlOldEvents).blob(after[:]).blob(end[:]).int(int64(limit))
	})
}

func (s *Store) readOldEvents(ctx context.Context, ask func(*db) *query) ([]oldEvent, error) {
	var found []oldEvent
	err := s.read(ctx, func(c *db) error {
		found = nil
		q := ask(c)
		for looked := int64(0); looked < rules.DeliveriesOfARead; {
			if !q.next() {
				return q.err
			}
			var e oldEvent
			q.getBytes(e.id[:])
			looked += q.getInt()
			e.kept = q.getBool()
			found = append(found, e)
		}
		return q.close()
	})
	return found, err
}

// sqlOwnRetentions reads all tenants.
const sqlOwnRetentions = `SELECT n, json_extract(limits, '$.event_retention') FROM tenants
	WHERE deleted_at IS NULL AND json_extract(limits, '$.event_retention') > 0`

var sqlOwnOldEvents = mergedTypes("?1", "coalesce(min(id), "+noEvent+")", "?2", "?3", "line.id", "?3", "ASC") + `SELECT e.id, e.deliveries, EXISTS (SELECT 1 FROM deliveries
			WHERE id >= substr(e.id, 1, 14) AND id < CAST(substr(e.id, 1, 14) || x'ffffff' AS BLOB) AND ` + isWanted + `)
			OR ` + isFanningOut + `
		FROM line CROSS JOIN events e ON e.id = line.id`

// ownEvents finds the next events that may go because their tenants keep them for less time than the server does. The scan tells how far
// the tenant's events have been examined; nil: there are none.
func (s *Store) ownEvents(ctx context.Context, now, before time.Time, limit int) ([]oldEvent, *rules.OwnScan, error) {
	own := &s.retention.own
	if own.Outdated(now) {
		var read []rules.OwnRetention
		err := s.read(ctx, func(c *db) error {
			read = nil
			q := c.query(sqlOwnRetentions)
			for q.next() {
				read = append(read, rules.OwnRetention{Tenant: q.getInt(), Seconds: q.getFloat()})
			}
			return q.err
		})
		if err != nil {
			return nil, nil, err
		}
		own.Read(now, read)
	}
	for {
		tenant, scan, end, found := own.Next(now, before)
		if !found || limit <= 0 {
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
		if slices.ContainsFunc(old, func(e oldEvent) bool { return !e.kept }) {
			return old, scan, nil
		}
		scan.Done = old[len(old)-1].id
	}
}

func (s *Store) oldEventsOf(ctx context.Context, tenant int64, after [16]byte, end bellwire.EventID, limit int) ([]oldEvent, error) {
	return s.readOldEvents(ctx, func(c *db) *query {
		return c.query(sqlOwnOldEvents).int(tenant).blob(after[:]).blob(end[:]).int(int64(limit))
	})
}

// expire deletes the old events that were found, unless something of them has been asked for since.
func (p *purge) expire() error {
	for _, e := range p.old {
		if p.left <= 0 {
			return nil
		}
		if !e.kept {
			gone, err := p.event(e)
			if err != nil || !gone {
				return err
			}
		}
		p.done = e.id
	}
	return nil
}

const (
	sqlOwnKey  = "SELECT tenant, idempotency_key FROM events WHERE id = ?"
	sqlDropKey = "DELETE FROM idempotency_keys WHERE tenant = ? AND key = ? AND event = ?"
	sqlKeepKey = "INSERT INTO expiring_keys (expires_at, tenant, key, event) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)

// event deletes an event with all its rows, unless a manual retry of one of its next deliveries has been requested since it was found.
// It reports whether that is complete: it is not if no more rows may be deleted.
func (p *purge) event(e oldEvent) (done bool, err error) {
	next, err := p.deliveriesOf(e.id, max(p.left, rules.DeliveriesOfADelete))
	if err != nil || slices.ContainsFunc(next, func(d doomed) bool { return d.wanted }) {
		return true, err
	}
	if err := p.deliveries(next); err != nil || p.left <= 0 {
		return false, err
	}
	if err := p.key(e); err != nil || p.left <= 0 {
		return false, err
	}
	return true, p.delete(p.w.query("DELETE FROM events WHERE id = ?").blob(e.id[:]))
}

// key deletes the publisher's id of an event, or has it deleted at the end of its time.
func (p *purge) key(e oldEvent) error {
	q := p.w.query(sqlOwnKey).blob(e.id[:])
	if found, err := q.one(); !found {
		return err
	}
	tenant, none, key := q.getInt(), q.isNull(), q.getText()
	if err := q.close(); err != nil || none {
		return err
	}
	expires := e.id.Time().Add(bellwire.IdempotencyWindow)
	if expires.After(p.now) {
		return p.w.query(sqlKeepKey).time(expires).int(tenant).text(key).blob(e.id[:]).exec()
	}
	return p.delete(p.w.query(sqlDropKey).int(tenant).text(key).blob(e.id[:]))
}

const (
	sqlExpiredKeys  = "SELECT expires_at, tenant, key, event FROM expiring_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT +?"
	sqlForgetExpiry = "DELETE FROM expiring_keys WHERE expires_at = ? AND tenant = ? AND key = ?"
)

// expiredKeys deletes publishers' ids that have outlived their event for long enough.
func (p *purge) expiredKeys() error {
	type expiring struct {
		at, tenant int64
		key        string
		event      bellwire.EventID
	}
	var keys []expiring
	q := p.w.query(sqlExpiredKeys).time(p.now).int(int64(p.left) / 2)
	for q.next() {
		k := expiring{at: q.getInt(), tenant: q.getInt(), key: q.getText()}
		q.getBytes(k.event[:])
		keys = append(keys, k)
	}
	if q.err != nil {
		return q.err
	}
	for _, k := range keys {
		if err := p.delete(p.w.query(sqlDropKey).int(k.tenant).text(k.key).blob(k.event[:])); err != nil {
			return err
		}
		if err := p.delete(p.w.query(sqlForgetExpiry).int(k.at).int(k.tenant).text(k.key)); err != nil {
			return err
		}
	}
	return nil
}
