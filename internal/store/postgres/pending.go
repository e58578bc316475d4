package postgres

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// commitWindow is how long after it was sent a COMMIT that got no answer may still take effect: a server whose disk has
// stalled commits when the disk recovers, long after the client has hung up.
const commitWindow = 15 * time.Minute

// maxPendingAppends bounds the deliveries of appends that are remembered. It is enough for many appends, each of which
// waits for its answer for Options.Timeout.
const maxPendingAppends = 100_000

// pendingCommits records deliveries that were claimed in transactions whose COMMIT got no answer. If such a transaction is
// committed, its deliveries are in no node's memory, and their epoch keeps them from being claimed: they must be released.
type pendingCommits struct {
	mu sync.Mutex
	// Deliveries of claims, to be released before anything else is claimed.
	claims map[bellwire.ClaimToken]bool
	// Deliveries that were claimed as they were stored. The append may be repeated and answered, so they are released
	// only once the caller has abandoned them.
	appends map[bellwire.ClaimToken]*pendingAppend
}

type pendingAppend struct {
	until     time.Time // when it can no longer be committed
	abandoned bool      // the caller no longer has the delivery in memory
}

// addClaims adds deliveries of a claim that got no answer.
func (p *pendingCommits) addClaims(claimed []bellwire.ClaimToken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.claims == nil {
		p.claims = make(map[bellwire.ClaimToken]bool)
	}
	for _, t := range claimed {
		p.claims[t] = true
	}
}

// addAppends adds the deliveries of appends that got no answer.
func (p *pendingCommits) addAppends(appends []*bellwire.Append, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.appends == nil {
		p.appends = make(map[bellwire.ClaimToken]*pendingAppend)
	}
	for _, a := range appends {
		for _, t := range tokensOf(a) {
			if len(p.appends) < maxPendingAppends {
				p.appends[t] = &pendingAppend{until: now.Add(commitWindow)}
			}
		}
	}
}

// tokensOf returns the deliveries of an append that were claimed when they were stored.
func tokensOf(a *bellwire.Append) (claimed []bellwire.ClaimToken) {
	for _, e := range a.Events {
		for i := range e.Deliveries {
			if d := &e.Deliveries[i]; d.Epoch > 0 {
				claimed = append(claimed, bellwire.ClaimToken{Delivery: d.ID, Epoch: d.Epoch, Manual: d.Manual})
			}
		}
	}
	return claimed
}

// answered forgets the deliveries of appends that were repeated and answered.
func (p *pendingCommits) answered(appends []*bellwire.Append, results []bellwire.AppendResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.appends) == 0 {
		return
	}
	for i, r := range results {
		if r.Err == nil {
			p.forget(tokensOf(appends[i]))
		}
	}
}

// abandon records that the caller no longer has deliveries in memory.
func (p *pendingCommits) abandon(released []bellwire.ClaimToken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range released {
		if a := p.appends[t]; a != nil {
			a.abandoned = true
		}
	}
}

// toRelease returns what must be released if it is there, and forgets appends that can no longer be committed.
func (p *pendingCommits) toRelease(now time.Time) (claims, appends []bellwire.ClaimToken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t := range p.claims {
		claims = append(claims, t)
	}
	for t, a := range p.appends {
		switch {
		case now.After(a.until):
			delete(p.appends, t)
		case a.abandoned:
			appends = append(appends, t)
		}
	}
	return claims, appends
}

// resolved forgets deliveries whose transaction is known to have ended.
func (p *pendingCommits) resolved(tokens []bellwire.ClaimToken) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(tokens)
}

func (p *pendingCommits) forget(tokens []bellwire.ClaimToken) {
	for _, t := range tokens {
		delete(p.claims, t)
		delete(p.appends, t)
	}
}

func (p *pendingCommits) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.claims)+len(p.appends) == 0
}

// sqlLockDeliveries waits for a claim that is still in progress: it has locked what it claims. The next statement sees
// what it has done.
const sqlLockDeliveries = `SELECT FROM unnest($1::uuid[]) AS w (id)
	CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE id = w.id FOR UPDATE) d`

// releasePending releases what may have been claimed by transactions that got no answer. The caller must hold s.claimLock:
// a delivery could otherwise be claimed, in the same epoch, between the release and the answer to it.
func (s *Store) releasePending(ctx context.Context) error {
	claims, appends := s.pending.toRelease(time.Now())
	if len(claims)+len(appends) == 0 {
		return nil
	}
	var released []bellwire.ClaimToken
	err := s.write(ctx, func(tx *tx) error {
		released = nil
		batch := new(pgx.Batch)
		if len(claims) > 0 {
			batch.Queue(sqlLockDeliveries, sortedIDs(claims))
		}
		queueRelease(batch, slices.Concat(claims, appends), func(t bellwire.ClaimToken) { released = append(released, t) })
		return tx.sendLast(batch)
	})
	if err != nil {
		return err
	}
	s.pending.resolved(claims)
	s.pending.resolved(released)
	return nil
}

// releaseAnyPending is releasePending for callers that do not hold s.claimLock.
func (s *Store) releaseAnyPending(ctx context.Context) error {
	if s.pending.empty() {
		return nil
	}
	if !s.claimLock.TryLock() {
		return nil // the claim in progress has released them, or failed to; it may wait for locks longer than leases last
	}
	defer s.claimLock.Unlock()
	return s.releasePending(ctx)
}

func sortedIDs(claimed []bellwire.ClaimToken) [][16]byte {
	ids := make([][16]byte, len(claimed))
	for i, t := range claimed {
		ids[i] = t.Delivery
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

const (
	sqlRelease = `UPDATE bellwire.deliveries d SET epoch = 0 FROM unnest($1::uuid[], $2::bigint[]) AS r (id, epoch)
		WHERE d.id = r.id AND d.epoch IN (r.epoch, -r.epoch) RETURNING r.id, r.epoch`
	// In this form the condition is not looked up in the index of all manual retries.
	sqlReleaseManual = `UPDATE bellwire.deliveries d SET manual_epoch = 0 FROM unnest($1::uuid[], $2::bigint[]) AS r (id, epoch)
		WHERE d.id = r.id AND d.manual_epoch IS NOT DISTINCT FROM r.epoch RETURNING r.id, r.epoch`
)

// ReleaseDeliveries makes claimed deliveries free that were not attempted.
func (s *Store) ReleaseDeliveries(ctx context.Context, claimed []bellwire.ClaimToken) error {
	err := s.write(ctx, func(tx *tx) error {
		batch := new(pgx.Batch)
		queueRelease(batch, claimed, func(bellwire.ClaimToken) {})
		return tx.sendLast(batch)
	})
	if err == nil {
		s.pending.abandon(claimed)
	}
	return err
}

// queueRelease releases deliveries, and calls released for each that was claimed as its token says.
func queueRelease(batch *pgx.Batch, claimed []bellwire.ClaimToken, released func(bellwire.ClaimToken)) {
	for _, kind := range []struct {
		manual bool
		sql    string
	}{{false, sqlRelease}, {true, sqlReleaseManual}} {
		var (
			ids    [][16]byte
			epochs []int64
		)
		for _, t := range claimed {
			if t.Manual == kind.manual {
				ids, epochs = append(ids, t.Delivery), append(epochs, t.Epoch)
			}
		}
		if len(ids) == 0 {
			continue
		}
		batch.Queue(kind.sql, ids, epochs).Query(func(rows pgx.Rows) error {
			t := bellwire.ClaimToken{Manual: kind.manual}
			_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&t.Delivery), &t.Epoch}, func() error {
				released(t)
				return nil
			})
			return err
		})
	}
}
