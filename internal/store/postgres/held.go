package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// An open transaction of a publisher can hold an id for long, and so the appends of all tenants that are stored together with one of
// this id. So the appends with held ids are found and refused, and the others are stored.
const (
	heldKeyWait  = 250 * time.Millisecond // for ids that are held, where none was held lately
	heldAgain    = 50 * time.Millisecond  // the same where one was
	heldTryWait  = 2 * time.Millisecond   // for each of them, to find out which are held
	heldTryFor   = 500 * time.Millisecond // for all of them
	heldFor      = time.Second            // how long an id that was held is taken to be
	maxHeldIDs   = 10_000
	sqlTryPoint  = "SAVEPOINT held"
	sqlTryUndo   = "ROLLBACK TO SAVEPOINT held"
	sqlTryHeldID = `INSERT INTO bellwire.idempotency_keys (tenant, key, event, digest, deliveries)
		SELECT n, $2, gen_random_uuid(), '', 0 FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL ON CONFLICT DO NOTHING`
)

// isHeld reports whether an id was held for longer than the transaction waits.
func isHeld(err error) bool { return isState(err, "55P03") } // lock_not_available

// errHeld is the answer to an append with a held id.
func errHeld() error {
	err := bellwire.Errorf(bellwire.CodeUnavailable, "the id of the event is in use by an open transaction; try again when that has ended")
	err.RetryAfter = heldFor
	return err
}

// publisherID is a publisher's id that an append is to store.
type publisherID struct{ tenant, id string }

func publisherIDs(a *bellwire.Append) (ids []publisherID) {
	for _, e := range a.Events {
		if e.Event.IdempotencyKey != "" && !e.Unmatched {
			ids = append(ids, publisherID{e.Event.Tenant, e.Event.IdempotencyKey})
		}
	}
	return ids
}

// heldIDs remembers ids that were held a moment ago, so that no other append waits for them.
type heldIDs struct {
	mu    sync.Mutex
	until map[publisherID]time.Time
}

func (h *heldIDs) add(id publisherID, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until == nil {
		h.until = make(map[publisherID]time.Time)
	}
	if len(h.until) < maxHeldIDs {
		h.until[id] = now.Add(heldFor)
	}
}

// now returns the ids that are taken to be held, and forgets the others.
func (h *heldIDs) now(now time.Time) map[publisherID]time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.until, func(_ publisherID, until time.Time) bool { return !now.Before(until) })
	return maps.Clone(h.until)
}

// appending is a call of AppendEvents.
type appending struct {
	appends []*bellwire.Append
	results []bellwire.AppendResult
	left    []int // the indexes of appends that are neither refused nor stored
}

func newAppending(appends []*bellwire.Append) *appending {
	a := &appending{appends: appends, results: make([]bellwire.AppendResult, len(appends))}
	for i := range appends {
		a.left = append(a.left, i)
	}
	return a
}

// refuse refuses the appends with such ids.
func (a *appending) refuse(held func(publisherID) bool) {
	a.left = slices.DeleteFunc(a.left, func(i int) bool {
		if !slices.ContainsFunc(publisherIDs(a.appends[i]), held) {
			return false
		}
		a.results[i].Err = errHeld()
		return true
	})
}

// unheld returns the appends that are left.
func (a *appending) unheld() (appends []*bellwire.Append) {
	for _, i := range a.left {
		appends = append(appends, a.appends[i])
	}
	return appends
}

// appendUnheld stores the appends whose ids nobody holds, and refuses the others.
func (s *Store) appendUnheld(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	a, wait := newAppending(appends), heldKeyWait
	if held := s.heldIDs.now(s.options.Now()); len(held) > 0 {
		a.refuse(func(id publisherID) bool { return !held[id].IsZero() })
		wait = heldAgain
	}
	err := s.appendLeft(ctx, a, wait)
	if isHeld(err) {
		held, failed := s.findHeld(ctx, a.unheld())
		if failed != nil {
			return nil, failed
		}
		a.refuse(func(id publisherID) bool { return held[id] })
		err = s.appendLeft(ctx, a, heldAgain)
	}
	if isHeld(err) { // since a moment ago
		a.refuse(func(publisherID) bool { return true })
		err = s.appendLeft(ctx, a, 0)
	}
	return a.results, err
}

func (s *Store) appendLeft(ctx context.Context, a *appending, wait time.Duration) error {
	if len(a.left) == 0 {
		return nil
	}
	results, err := s.appendGroup(ctx, a.unheld(), wait)
	if err != nil {
		return err
	}
	for k, i := range a.left {
		a.results[i] = results[k]
	}
	return nil
}

// triedID is an id of an append whose ids are tried.
type triedID struct {
	publisherID
	of *bellwire.Append
}

// findHeld tries the ids of the appends one by one, and remembers those that are held. It returns them and those for which it had no
// time.
func (s *Store) findHeld(ctx context.Context, appends []*bellwire.Append) (held map[publisherID]bool, err error) {
	err = s.write(ctx, func(tx *tx) error {
		held = make(map[publisherID]bool)
		left := triedIDs(appends)
		if err := tx.exec(sqlLockTimeout, strconv.FormatInt(heldTryWait.Milliseconds(), 10)); err != nil {
			return err
		}
		if err := tx.exec(sqlTryPoint, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		for until := s.options.Now().Add(heldTryFor); len(left) > 0 && s.options.Now().Before(until); {
			free, err := tx.tryIDs(left)
			if err != nil {
				return err
			}
			if left = left[free:]; len(left) == 0 {
				break
			}
			first := left[0]
			held[first.publisherID] = true
			s.heldIDs.add(first.publisherID, s.options.Now())
			left = slices.DeleteFunc(left, func(id triedID) bool { return id.of == first.of }) // which is refused
		}
		for _, id := range left {
			held[id.publisherID] = true
		}
		return errNothing
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	return held, err
}

func triedIDs(appends []*bellwire.Append) (tried []triedID) {
	for _, a := range appends {
		for _, id := range publisherIDs(a) {
			tried = append(tried, triedID{id, a})
		}
	}
	return tried
}

// tryIDs inserts ids, each of which it removes again, and returns how many it could insert before one that is held.
func (t *tx) tryIDs(ids []triedID) (free int, err error) {
	if err := t.exec(sqlTryUndo, pgx.QueryExecModeSimpleProtocol); err != nil {
		return 0, err
	}
	batch := new(pgx.Batch)
	for _, id := range ids {
		batch.Queue(sqlTryHeldID, id.tenant, id.id).Exec(func(pgconn.CommandTag) error {
			free++
			return nil
		})
		batch.Queue(sqlTryUndo)
	}
	err = t.send(batch)
	if isHeld(err) {
		err = nil
	}
	return free, err
}
