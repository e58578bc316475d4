package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// ClaimDue takes free deliveries into memory, for all claims together in two steps: what could be taken, and taking
// some of it.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	if err := s.releaseDoubts(ctx); err != nil {
		return nil, err
	}
	s.claiming.Lock()
	defer s.claiming.Unlock()
	var (
		results []bellwire.ClaimResult
		g       *claiming
	)
	err := s.write(ctx, func(tx *tx) error {
		g = &claiming{tx: tx, now: now}
		for i := range claims {
			g.claims = append(g.claims, &claim{Claim: &claims[i]})
		}
		if err := g.run(s.unsure); err != nil {
			return err
		}
		results = make([]bellwire.ClaimResult, len(claims))
		for i, c := range g.claims {
			results[i] = c.result
		}
		return nil
	})
	if err != nil {
		s.doubt(g.marked())
		return nil, err
	}
	s.unsure = nil
	return results, nil
}

// marked returns what was to be taken. Whether it is, nobody knows if the commit was not answered: then it must be
// given back before anything is claimed again, because no lane has it and its epoch would keep it from all others.
func (g *claiming) marked() []bellwire.ClaimToken {
	if g == nil {
		return nil
	}
	var taken []bellwire.ClaimToken
	for _, c := range g.claims {
		for _, id := range c.choice.Due {
			taken = append(taken, bellwire.ClaimToken{Delivery: id, Epoch: c.Epoch})
		}
		for _, id := range c.choice.Manual {
			taken = append(taken, bellwire.ClaimToken{Delivery: id, Epoch: c.Epoch, Manual: true})
		}
	}
	return taken
}

// doubt notes what may have been taken. While claims go on to fail it is the same again and again.
func (s *Store) doubt(marked []bellwire.ClaimToken) {
	noted := make(map[bellwire.ClaimToken]bool, len(s.unsure))
	for _, t := range s.unsure {
		noted[t] = true
	}
	for _, t := range marked {
		if !noted[t] {
			s.unsure = append(s.unsure, t)
		}
	}
}

// queueUnsure gives back what nobody knows to be taken. Should the claim that took it still be on its way, it has what
// it takes locked: it is waited for, and the statement after this one sees what it has done.
func queueUnsure(batch *pgx.Batch, unsure []bellwire.ClaimToken) {
	if len(unsure) == 0 {
		return
	}
	ids := make([][16]byte, len(unsure))
	for i, t := range unsure {
		ids[i] = t.Delivery
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	batch.Queue(sqlHoldUnsure, ids)
	queueRelease(batch, unsure)
}

// claiming carries out several claims.
type claiming struct {
	tx     *tx
	now    time.Time
	claims []*claim

	// What the claims are about, each at its claim's place.
	places    []int32
	endpoints []string
	shards    []int16
	epochs    []int64
}

// claim is one bellwire.Claim as it is carried out.
type claim struct {
	*bellwire.Claim
	endpoint int64 // 0: nothing can be claimed
	found    rules.Candidates
	choice   rules.Choice
	result   bellwire.ClaimResult
}

func (g *claiming) run(unsure []bellwire.ClaimToken) error {
	batch := new(pgx.Batch)
	queueUnsure(batch, unsure)
	g.queueClaims(batch)
	g.queueSearch(batch)
	if err := g.tx.send(batch); err != nil {
		return err
	}
	g.choose()
	batch = new(pgx.Batch)
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

const (
	sqlHoldUnsure = `SELECT FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE id = w.id FOR UPDATE) d`
	// The lock keeps others from taking the shards over while this one marks their deliveries.
	sqlHoldShards = "SELECT shard FROM bellwire.shards WHERE shard = ANY($1) ORDER BY shard FOR SHARE"
	// withClaims names the claims $1 to $4, place, endpoint, shard and epoch, whose endpoint is there and whose epoch is not
	// over: the others get nothing. It is found first, as a whole: PostgreSQL may otherwise look for, and lock, what other
	// endpoints have free before it looks at which endpoint a claim is for. Whether an endpoint is there is asked so that no
	// index of those that are is looked through.
	withClaims = `WITH c AS MATERIALIZED (
			SELECT c.place, c.epoch, p.n AS endpoint, p.tenant, p.ordering
			FROM unnest($1::int[], $2::text[], $3::smallint[], $4::bigint[]) AS c (place, endpoint, shard, epoch)
			JOIN bellwire.shards h ON h.shard = c.shard AND h.epoch = c.epoch
			JOIN bellwire.endpoints p ON p.id = c.endpoint AND coalesce(p.deleted_at, 'infinity') = 'infinity'
		) `
	// The last number is read before the deliveries are: were it the other way round, one given in between would
	// seem to have been claimed.
	sqlClaimed = withClaims + `SELECT c.place, c.endpoint, coalesce(s.last, 0) FROM c
		LEFT JOIN bellwire.sequences s ON s.endpoint = c.endpoint
		WHERE (SELECT t.deleted_at IS NULL FROM bellwire.tenants t WHERE t.n = c.tenant)`
)

// queueClaims finds the claims' endpoints.
func (g *claiming) queueClaims(batch *pgx.Batch) {
	g.places, g.endpoints = make([]int32, len(g.claims)), make([]string, len(g.claims))
	g.shards, g.epochs = make([]int16, len(g.claims)), make([]int64, len(g.claims))
	for i, c := range g.claims {
		g.places[i], g.endpoints[i], g.shards[i], g.epochs[i] = int32(i), c.Endpoint, int16(bellwire.ShardOf(c.Endpoint)), c.Epoch
	}
	batch.Queue(sqlHoldShards, g.shards)
	batch.Queue(sqlClaimed, g.places, g.endpoints, g.shards, g.epochs).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			var (
				at             int
				endpoint, last int64
			)
			err := row.Scan(&at, &endpoint, &last)
			g.claims[at].endpoint, g.claims[at].found.LastSequence = endpoint, last
			return err
		})
	})
}

// searchFor finds candidates for each of the claims, as many as $6 says at its
// place, as things stand at $5. Those that somebody else holds
// are waited for: to pass over the first in an order would be to break it.
func searchFor(condition, order string) string {
	return withClaims + `SELECT c.place, d.id, ` + dueAt + `, d.sequence, octet_length(e.data) FROM c
		CROSS JOIN LATERAL (
			SELECT id, tenant, event, status, due_at, sequence FROM bellwire.deliveries
			WHERE endpoint = c.endpoint AND ` + condition + ` ORDER BY ` + order + ` LIMIT ($6::int[])[c.place + 1] FOR UPDATE
		) d
		JOIN bellwire.events e ON e.tenant = d.tenant AND e.id = d.event`
}

var (
	sqlFreeManual   = searchFor("manual_epoch IS NOT NULL AND manual_epoch <> c.epoch", "id")
	sqlFreePending  = searchFor(isPending+" AND due_at IS NOT NULL AND epoch <> c.epoch", "id")
	sqlFreeRetrying = searchFor(isRetrying+" AND epoch <> c.epoch", "due_at, id")
	sqlFreeInOrder  = searchFor(isOrdered+" AND epoch <> c.epoch", "sequence")
)

// sqlUnnumber frees deliveries from an order that their endpoint no longer keeps, so that they are found by their due
// time. It does some at each claim; what is left is due at once.
const sqlUnnumber = withClaims + `UPDATE bellwire.deliveries SET sequence = 0 WHERE id IN (
		SELECT d.id FROM c
		CROSS JOIN LATERAL (SELECT id FROM bellwire.deliveries WHERE endpoint = c.endpoint AND ` + isOrdered + ` ORDER BY sequence LIMIT $5) d
		WHERE c.ordering <> $6
	)`

// queueSearch finds what could be claimed.
func (g *claiming) queueSearch(batch *pgx.Batch) {
	manual, byTime, inOrder := make([]int32, len(g.claims)), make([]int32, len(g.claims)), make([]int32, len(g.claims))
	ordered := false
	for i, c := range g.claims {
		m, t, o := rules.Wanted(c.Claim)
		manual[i], byTime[i], inOrder[i] = int32(m), int32(t), int32(o)
		ordered = ordered || c.Ordered
	}
	queue := func(sql string, wanted []int32, into func(*claim) *[]rules.Candidate) {
		batch.Queue(sql, g.places, g.endpoints, g.shards, g.epochs, g.now, wanted).Query(func(rows pgx.Rows) error { return g.scan(rows, into) })
	}
	batch.Queue(sqlUnnumber, g.places, g.endpoints, g.shards, g.epochs, rules.MaxUnnumbered, string(bellwire.OrderingFIFO))
	queue(sqlFreeManual, manual, func(c *claim) *[]rules.Candidate { return &c.found.Manual })
	queue(sqlFreePending, byTime, func(c *claim) *[]rules.Candidate { return &c.found.ByTime })
	queue(sqlFreeRetrying, byTime, func(c *claim) *[]rules.Candidate { return &c.found.ByTime })
	if ordered {
		queue(sqlFreeInOrder, inOrder, func(c *claim) *[]rules.Candidate { return &c.found.InOrder })
	}
}

func (g *claiming) scan(rows pgx.Rows, into func(*claim) *[]rules.Candidate) error {
	return every(rows, func(row pgx.Rows) error {
		var (
			at  int
			due *time.Time
			f   rules.Candidate
		)
		err := row.Scan(&at, (*[16]byte)(&f.ID), &due, &f.Sequence, &f.Bytes)
		f.Due = orZero(due)
		list := into(g.claims[at])
		*list = append(*list, f)
		return err
	})
}

// choose decides what is claimed, for one claim after the other.
func (g *claiming) choose() {
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
	sqlTake = `UPDATE bellwire.deliveries d SET epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	sqlTakeManual = `UPDATE bellwire.deliveries d SET manual_epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	// Each delivery and event is looked up by itself. As a plain join, PostgreSQL might read all of a tenant's deliveries for
	// each of its events, as long as it has no statistics of a partition.
	sqlTaken = "SELECT " + deliveryColumns + ` FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT * FROM bellwire.deliveries WHERE id = w.id LIMIT 1) d
		CROSS JOIN LATERAL (SELECT id, type FROM bellwire.events WHERE tenant = d.tenant AND id = d.event LIMIT 1) e
		JOIN bellwire.endpoints p ON p.n = d.endpoint JOIN bellwire.tenants t ON t.n = d.tenant AND t.deleted_at IS NULL`
	// sqlTakenEvents reads each event once, however many of its deliveries are taken.
	sqlTakenEvents = "SELECT " + eventColumns + ` FROM (
			SELECT DISTINCT d.tenant, d.event FROM unnest($1::uuid[]) AS w (id)
			CROSS JOIN LATERAL (SELECT tenant, event FROM bellwire.deliveries WHERE id = w.id LIMIT 1) d
		) d CROSS JOIN LATERAL (SELECT * FROM bellwire.events WHERE tenant = d.tenant AND id = d.event LIMIT 1) e
		JOIN bellwire.tenants t ON t.n = e.tenant`
)

// queueMarks makes what is taken theirs who asked.
func (g *claiming) queueMarks(batch *pgx.Batch) {
	for _, kind := range []struct {
		sql string
		of  func(*claim) []bellwire.DeliveryID
	}{
		{sqlTake, func(c *claim) []bellwire.DeliveryID { return c.choice.Due }},
		{sqlTakeManual, func(c *claim) []bellwire.DeliveryID { return c.choice.Manual }},
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

// queueRead reads what is taken, with its events. Deliveries of the same event share it.
func (g *claiming) queueRead(batch *pgx.Batch) map[bellwire.DeliveryID]bellwire.Claimed {
	var ids [][16]byte
	for _, c := range g.claims {
		ids = append(append(ids, uuids(c.choice.Due)...), uuids(c.choice.Manual)...)
	}
	if len(ids) == 0 {
		return nil
	}
	events := make(map[bellwire.EventID]*bellwire.Event)
	batch.Queue(sqlTakenEvents, ids).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			e, id, err := scanEvent(row)
			events[id] = e
			return err
		})
	})
	taken := make(map[bellwire.DeliveryID]bellwire.Claimed, len(ids))
	batch.Queue(sqlTaken, ids).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			d, id, err := scanDelivery(row)
			taken[id] = bellwire.Claimed{Delivery: *d, Event: events[d.Event]}
			return err
		})
	})
	return taken
}
