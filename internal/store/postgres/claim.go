package postgres

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// ClaimDue claims free deliveries, for all claims together, in two steps: it finds what could be claimed, and claims some of
// it.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	s.claimLock.Lock()
	defer s.claimLock.Unlock()
	if err := s.releasePending(ctx); err != nil {
		return nil, err
	}
	var (
		results []bellwire.ClaimResult
		g       *claimRun
	)
	err := s.write(ctx, func(tx *tx) error {
		g = &claimRun{tx: tx, now: now}
		for i := range claims {
			g.claims = append(g.claims, &claim{Claim: &claims[i]})
		}
		if err := g.run(); err != nil {
			return err
		}
		results = make([]bellwire.ClaimResult, len(claims))
		for i, c := range g.claims {
			results[i] = c.result
		}
		return nil
	})
	switch {
	case err == nil:
		s.pending.resolved(g.chosen())
		return results, nil
	case g != nil:
		s.pending.addClaims(g.chosen())
	}
	return nil, err
}

// chosen returns what the claims have chosen.
func (g *claimRun) chosen() (chosen []bellwire.ClaimToken) {
	for _, c := range g.claims {
		for _, id := range c.choice.Due {
			chosen = append(chosen, bellwire.ClaimToken{Delivery: id, Epoch: c.Epoch})
		}
		for _, id := range c.choice.Manual {
			chosen = append(chosen, bellwire.ClaimToken{Delivery: id, Epoch: c.Epoch, Manual: true})
		}
	}
	return chosen
}

// claimRun is the execution of several claims.
type claimRun struct {
	tx     *tx
	now    time.Time
	claims []*claim

	// Columns of the claims.
	places    []int32
	endpoints []string
	shards    []int16
	epochs    []int64
}

// claim is the execution of one bellwire.Claim.
type claim struct {
	*bellwire.Claim
	endpoint int64 // 0: nothing can be claimed
	found    rules.Candidates
	choice   rules.Choice
	result   bellwire.ClaimResult
}

func (g *claimRun) run() error {
	batch := new(pgx.Batch)
	g.queueClaims(batch)
	g.queueSearch(batch)
	if err := g.tx.send(batch); err != nil {
		return err
	}
	g.choose()
	batch = new(pgx.Batch)
	g.queueFreeFirst(batch)
	g.queueMarks(batch)
	rows := g.queueRead(batch)
	if err := g.tx.sendLast(batch); err != nil {
		return err
	}
	for _, c := range g.claims {
		for _, id := range c.choice.Manual {
			c.result.Manual = append(c.result.Manual, rows[id])
		}
		for _, id := range c.choice.Due {
			c.result.Due = append(c.result.Due, rows[id])
		}
	}
	return nil
}

// All of these queries begin with the claims whose endpoint exists and whose epoch has not ended; the others get nothing.
// They are materialized because PostgreSQL may otherwise search and lock the free deliveries of other endpoints before
// it looks at which endpoint a claim is for. The condition on deleted_at is written so that it does not use an index.
//
// A search waits for deliveries that others have locked: to skip the first one would be to break the order.
var (
	//go:embed queries/claim_endpoints.sql
	sqlClaimEndpoints string
	//go:embed queries/claim_manual.sql
	sqlClaimManual string
	//go:embed queries/claim_pending.sql
	sqlClaimPending string
	//go:embed queries/claim_retrying.sql
	sqlClaimRetrying string
	//go:embed queries/claim_ordered.sql
	sqlClaimOrdered string
	//go:embed queries/claim_unnumber.sql
	sqlUnnumber string
)

// sqlLockShards keeps other nodes from taking the shards over while this one claims their deliveries.
const sqlLockShards = "SELECT shard FROM bellwire.shards WHERE shard = ANY($1) ORDER BY shard FOR SHARE"

// sqlHoldUnkeyed locks the counters of those endpoints from whose keys' order sqlUnnumber takes deliveries. If an endpoint is ordered by
// key again meanwhile, an append waits for that and sees which have left the order, or this waits for the append. It is a statement
// before sqlUnnumber, which so sees what was committed during the wait.
const sqlHoldUnkeyed = `SELECT FROM bellwire.sequences s JOIN bellwire.endpoints p ON p.n = s.endpoint
	CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE endpoint = p.n AND ordering_key IS NOT NULL AND status <= 1 LIMIT 1) d
	WHERE p.id = ANY($1) AND p.ordering <> 'key' ORDER BY s.endpoint FOR UPDATE OF s`

// queueClaims finds the claims' endpoints.
func (g *claimRun) queueClaims(batch *pgx.Batch) {
	g.places, g.endpoints = make([]int32, len(g.claims)), make([]string, len(g.claims))
	g.shards, g.epochs = make([]int16, len(g.claims)), make([]int64, len(g.claims))
	for i, c := range g.claims {
		g.places[i], g.endpoints[i], g.shards[i], g.epochs[i] = int32(i), c.Endpoint, int16(bellwire.ShardOf(c.Endpoint)), c.Epoch
	}
	batch.Queue(sqlLockShards, g.shards)
	batch.Queue(sqlClaimEndpoints, g.places, g.endpoints, g.shards, g.epochs).Query(func(rows pgx.Rows) error {
		var (
			at             int
			endpoint, last int64
		)
		_, err := pgx.ForEachRow(rows, []any{&at, &endpoint, &last}, func() error {
			g.claims[at].endpoint, g.claims[at].found.LastSequence = endpoint, last
			return nil
		})
		return err
	})
}

// queueSearch finds what could be claimed.
func (g *claimRun) queueSearch(batch *pgx.Batch) {
	manual, byTime, inOrder := make([]int32, len(g.claims)), make([]int32, len(g.claims)), make([]int32, len(g.claims))
	ordered, search, held := false, make([]bool, len(g.claims)), make([][16]byte, 0)
	for i, c := range g.claims {
		m, t, o := rules.Wanted(c.Claim)
		manual[i], byTime[i], inOrder[i] = int32(m), int32(t), int32(o)
		ordered, search[i] = ordered || c.Ordered, c.Search || c.Ordered
		held = append(held, uuids(c.Held)...)
	}
	find := func(sql string, into func(*claim) *[]rules.Candidate, wanted []int32, more ...any) {
		args := append([]any{g.places, g.endpoints, g.shards, g.epochs, wanted}, more...)
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) error { return g.scan(rows, into) })
	}
	byDue := func(c *claim) *[]rules.Candidate { return &c.found.ByTime }
	batch.Queue(sqlHoldUnkeyed, g.endpoints)
	batch.Queue(sqlUnnumber, g.places, g.endpoints, g.shards, g.epochs, rules.MaxUnnumbered, g.now).Query(g.scanUnnumbered)
	find(sqlClaimManual, func(c *claim) *[]rules.Candidate { return &c.found.Manual }, manual)
	find(sqlClaimPending, byDue, byTime, g.now, search, held)
	find(sqlClaimRetrying, byDue, byTime)
	if ordered {
		find(sqlClaimOrdered, func(c *claim) *[]rules.Candidate { return &c.found.InOrder }, inOrder, g.now)
	}
}

// scanUnnumbered finds the claims whose endpoints may have more deliveries in an order that they no longer keep.
func (g *claimRun) scanUnnumbered(rows pgx.Rows) error {
	var endpoint int64
	taken := make(map[int64]int)
	_, err := pgx.ForEachRow(rows, []any{&endpoint}, func() error {
		taken[endpoint]++
		return nil
	})
	for _, c := range g.claims {
		c.found.More = taken[c.endpoint] >= rules.MaxUnnumbered
	}
	return err
}

// queueFreeFirst frees the first of the deliveries that are left in the order of a key which their endpoint no longer keeps.
func (g *claimRun) queueFreeFirst(batch *pgx.Batch) {
	var endpoints []int64
	for _, c := range g.claims {
		if c.found.More {
			endpoints = append(endpoints, c.endpoint)
		}
	}
	if len(endpoints) > 0 {
		batch.Queue(sqlFreeFirst, endpoints, g.now)
	}
}

func (g *claimRun) scan(rows pgx.Rows, into func(*claim) *[]rules.Candidate) error {
	var (
		at  int
		due *time.Time
		c   rules.Candidate
	)
	_, err := pgx.ForEachRow(rows, []any{&at, (*[16]byte)(&c.ID), &due, &c.Sequence, &c.Bytes}, func() error {
		c.Due = orZero(due)
		list := into(g.claims[at])
		*list = append(*list, c)
		return nil
	})
	return err
}

// choose decides what is claimed, for one claim after the other.
func (g *claimRun) choose() {
	chooser := rules.NewChooser(g.now)
	for _, c := range g.claims {
		if c.result.Skipped = chooser.Full(); c.result.Skipped || c.endpoint == 0 {
			continue
		}
		c.choice = chooser.Choose(c.Claim, &c.found)
		c.result.Next, c.result.NextSequence = c.choice.Next, c.choice.NextSequence
	}
}

const (
	sqlMark = `UPDATE bellwire.deliveries d SET epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	sqlMarkManual = `UPDATE bellwire.deliveries d SET manual_epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	// Each delivery is looked up separately. In a plain join, PostgreSQL might read all deliveries of a tenant for each of its
	// events, as long as it has no statistics of a partition.
	sqlClaimed = "SELECT " + deliveryColumns + ` FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT * FROM bellwire.deliveries WHERE id = w.id LIMIT 1) d ` + deliveryJoins
	// sqlClaimedEvents reads each event once, however many of its deliveries are claimed.
	sqlClaimedEvents = "SELECT " + eventColumns + ` FROM (
			SELECT DISTINCT d.tenant, d.event FROM unnest($1::uuid[]) AS w (id)
			CROSS JOIN LATERAL (SELECT tenant, event FROM bellwire.deliveries WHERE id = w.id LIMIT 1) d
		) d CROSS JOIN LATERAL (SELECT * FROM bellwire.events WHERE tenant = d.tenant AND id = d.event LIMIT 1) e
		JOIN bellwire.tenants t ON t.n = e.tenant`
)

// queueMarks gives the chosen deliveries the epoch of their claim.
func (g *claimRun) queueMarks(batch *pgx.Batch) {
	for _, kind := range []struct {
		sql string
		of  func(*claim) []bellwire.DeliveryID
	}{
		{sqlMark, func(c *claim) []bellwire.DeliveryID { return c.choice.Due }},
		{sqlMarkManual, func(c *claim) []bellwire.DeliveryID { return c.choice.Manual }},
	} {
		var (
			ids    [][16]byte
			epochs []int64
		)
		for _, c := range g.claims {
			for _, id := range kind.of(c) {
				ids, epochs = append(ids, id), append(epochs, c.Epoch)
			}
		}
		if len(ids) > 0 {
			batch.Queue(kind.sql, ids, epochs)
		}
	}
}

// queueRead reads the chosen deliveries, with their events. Deliveries of the same event share it.
func (g *claimRun) queueRead(batch *pgx.Batch) map[bellwire.DeliveryID]bellwire.Claimed {
	var ids [][16]byte
	for _, c := range g.claims {
		ids = append(append(ids, uuids(c.choice.Due)...), uuids(c.choice.Manual)...)
	}
	if len(ids) == 0 {
		return nil
	}
	events := make(map[bellwire.EventID]*bellwire.Event)
	batch.Queue(sqlClaimedEvents, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			e, id, err := scanEvent(rows)
			if err != nil {
				return err
			}
			events[id] = e
		}
		return rows.Err()
	})
	claimed := make(map[bellwire.DeliveryID]bellwire.Claimed, len(ids))
	batch.Queue(sqlClaimed, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			d, id, err := scanDelivery(rows)
			if err != nil {
				return err
			}
			claimed[id] = bellwire.Claimed{Delivery: *d, Event: events[d.Event]}
		}
		return rows.Err()
	})
	return claimed
}
