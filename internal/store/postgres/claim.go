package postgres

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
)

// Bounds on what one claim does beside its limit.
const (
	maxManual     = 100 // retries by hand
	maxUnnumbered = 500 // deliveries whose number has lost its meaning
)

// ClaimDue takes free deliveries into memory, for all claims together in four steps: who they are for, what could be
// taken, taking some of it, and reading that.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	var (
		results []bellwire.ClaimResult
		g       *claiming
	)
	err := s.write(ctx, func(tx *tx) error {
		g = &claiming{tx: tx, now: now}
		if err := tx.release(s.unsure); err != nil {
			return err
		}
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
	if err != nil {
		s.unsure = append(s.unsure, g.marked()...)
		return nil, err
	}
	s.unsure = nil
	return results, nil
}

// marked returns what was to be taken. Whether it is, nobody knows if the commit was not answered: then it must be
// given back before anything is claimed again, because no lane has it and its epoch would keep it from all others.
func (g *claiming) marked() []bellwire.Taken {
	if g == nil {
		return nil
	}
	var taken []bellwire.Taken
	for _, c := range g.claims {
		for _, id := range c.taken {
			taken = append(taken, bellwire.Taken{Delivery: id, Epoch: c.Epoch})
		}
		for _, id := range c.byHand {
			taken = append(taken, bellwire.Taken{Delivery: id, Epoch: c.Epoch, Manual: true})
		}
	}
	return taken
}

// claiming carries out several claims.
type claiming struct {
	tx     *tx
	now    time.Time
	claims []*claim
}

// claim is one bellwire.Claim as it is carried out.
type claim struct {
	*bellwire.Claim
	endpoint int64 // 0: there is nothing to be claimed
	ordering bellwire.Ordering
	manual   []candidate
	byTime   []candidate
	inOrder  []candidate
	bytes    int

	taken   []bellwire.DeliveryID
	byHand  []bellwire.DeliveryID
	numbers int64 // the last one that was given
	result  bellwire.ClaimResult
}

// candidate is a free delivery.
type candidate struct {
	id       bellwire.DeliveryID
	due      time.Time
	sequence int64
	size     int // of its event's data
}

func (g *claiming) run() error {
	if err := g.resolve(); err != nil {
		return err
	}
	if err := g.search(); err != nil {
		return err
	}
	for _, c := range g.claims {
		if c.endpoint != 0 {
			c.choose(g.now)
		}
	}
	if err := g.mark(); err != nil {
		return err
	}
	return g.read()
}

const (
	// The lock keeps others from taking the shards over while this one marks their deliveries.
	sqlHoldShards = "SELECT shard, epoch FROM bellwire.shards WHERE shard = ANY($1) ORDER BY shard FOR SHARE"
	// The last number is read before the deliveries are: were it the other way round, one given in between would
	// seem to have been claimed.
	sqlClaimed = `SELECT p.id, p.n, p.ordering, coalesce(s.last, 0) FROM bellwire.endpoints p
		JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
		LEFT JOIN bellwire.sequences s ON s.endpoint = p.n
		WHERE p.id = ANY($1) AND p.deleted_at IS NULL`
)

// resolve finds the claims' endpoints. A claim in an epoch that is over gets nothing.
func (g *claiming) resolve() error {
	shards, endpoints := make([]int16, len(g.claims)), make([]string, len(g.claims))
	of := make(map[string]*claim)
	for i, c := range g.claims {
		shards[i], endpoints[i] = int16(bellwire.ShardOf(c.Endpoint)), c.Endpoint
		of[c.Endpoint] = c
	}
	epochs := make(map[int16]int64)
	batch := new(pgx.Batch)
	batch.Queue(sqlHoldShards, shards).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			var (
				shard int16
				epoch int64
			)
			err := row.Scan(&shard, &epoch)
			epochs[shard] = epoch
			return err
		})
	})
	batch.Queue(sqlClaimed, endpoints).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			var (
				id, ordering string
				n, last      int64
			)
			if err := row.Scan(&id, &n, &ordering, &last); err != nil {
				return err
			}
			if c := of[id]; c.Epoch == epochs[int16(bellwire.ShardOf(id))] {
				c.endpoint, c.ordering, c.numbers = n, bellwire.Ordering(ordering), last
			}
			return nil
		})
	})
	return g.tx.SendBatch(g.tx.ctx, batch).Close()
}

// searchFor finds candidates for each of the claims $1 to $4: place, endpoint, epoch and how many. Those that somebody
// else holds are waited for: to pass over the first in an order would be to break it.
func searchFor(condition, order string) string {
	return `SELECT c.place, d.id, ` + dueAt + `, d.sequence, octet_length(e.data)
		FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[]) AS c (place, endpoint, epoch, wanted)
		CROSS JOIN LATERAL (
			SELECT id, tenant, event, status, due_at, sequence FROM bellwire.deliveries
			WHERE endpoint = c.endpoint AND ` + condition + ` ORDER BY ` + order + ` LIMIT c.wanted FOR UPDATE
		) d
		JOIN bellwire.events e ON e.tenant = d.tenant AND e.id = d.event`
}

var (
	sqlFreeManual   = searchFor("manual_epoch IS NOT NULL AND manual_epoch <> c.epoch AND $5::timestamptz IS NOT NULL", "id")
	sqlFreePending  = searchFor(isPending+" AND due_at IS NOT NULL AND epoch <> c.epoch", "id")
	sqlFreeRetrying = searchFor(isRetrying+" AND epoch <> c.epoch", "due_at, id")
	sqlFreeInOrder  = searchFor(isOrdered+" AND epoch <> c.epoch", "sequence")
)

// sqlUnnumber frees deliveries from an order that their endpoint no longer keeps, so that they are found by their due
// time. It does some at each claim; what is left is due at once.
const sqlUnnumber = `UPDATE bellwire.deliveries SET sequence = 0 WHERE id IN (
		SELECT d.id FROM unnest($1::bigint[]) AS c (endpoint)
		CROSS JOIN LATERAL (SELECT id FROM bellwire.deliveries WHERE endpoint = c.endpoint AND ` + isOrdered + ` ORDER BY sequence LIMIT $2) d
	)`

// search finds what could be taken: for each claim as much as it wants, and one more.
func (g *claiming) search() error {
	var (
		places, wanted, manual []int32
		endpoints, epochs      []int64
		unordered              []int64
	)
	for i, c := range g.claims {
		if c.endpoint == 0 {
			continue
		}
		places, endpoints, epochs = append(places, int32(i)), append(endpoints, c.endpoint), append(epochs, c.Epoch)
		wanted, manual = append(wanted, int32(max(c.Limit, 0)+1)), append(manual, maxManual)
		if c.ordering != bellwire.OrderingFIFO {
			unordered = append(unordered, c.endpoint)
		}
	}
	if len(places) == 0 {
		return nil
	}
	batch := new(pgx.Batch)
	queue := func(sql string, wanted []int32, into func(*claim) *[]candidate) {
		batch.Queue(sql, places, endpoints, epochs, wanted, g.now).Query(func(rows pgx.Rows) error { return g.scan(rows, into) })
	}
	if len(unordered) > 0 {
		batch.Queue(sqlUnnumber, unordered, maxUnnumbered)
	}
	queue(sqlFreeManual, manual, func(c *claim) *[]candidate { return &c.manual })
	queue(sqlFreePending, wanted, func(c *claim) *[]candidate { return &c.byTime })
	queue(sqlFreeRetrying, wanted, func(c *claim) *[]candidate { return &c.byTime })
	if slices.ContainsFunc(g.claims, func(c *claim) bool { return c.Ordered }) {
		queue(sqlFreeInOrder, wanted, func(c *claim) *[]candidate { return &c.inOrder })
	}
	return g.tx.SendBatch(g.tx.ctx, batch).Close()
}

func (g *claiming) scan(rows pgx.Rows, into func(*claim) *[]candidate) error {
	return every(rows, func(row pgx.Rows) error {
		var (
			at  int
			due *time.Time
			f   candidate
		)
		err := row.Scan(&at, (*[16]byte)(&f.id), &due, &f.sequence, &f.size)
		f.due = orZero(due)
		list := into(g.claims[at])
		*list = append(*list, f)
		return err
	})
}

// choose decides what is taken.
func (c *claim) choose(now time.Time) {
	slices.SortFunc(c.manual, func(a, b candidate) int { return bytes.Compare(a.id[:], b.id[:]) })
	for _, f := range c.manual {
		if len(c.byHand) > 0 && c.bytes >= c.MaxBytes {
			break
		}
		c.bytes += f.size
		c.byHand = append(c.byHand, f.id)
	}
	slices.SortFunc(c.byTime, func(a, b candidate) int { return cmp.Or(a.due.Compare(b.due), bytes.Compare(a.id[:], b.id[:])) })
	c.take(c.byTime, now)
	if c.Ordered {
		slices.SortFunc(c.inOrder, func(a, b candidate) int { return cmp.Compare(a.sequence, b.sequence) })
		c.take(c.inOrder, now)
	}
	c.result.NextSequence = c.numbers + 1
}

// take takes what is due until the claim's limits are reached. The first that is left is what is next.
func (c *claim) take(free []candidate, now time.Time) {
	for _, f := range free {
		full := len(c.taken) >= c.Limit || len(c.taken) > 0 && c.bytes >= c.MaxBytes
		if full || f.due.After(now) {
			c.result.Next = earlier(c.result.Next, f.due)
			return
		}
		c.bytes += f.size
		c.taken = append(c.taken, f.id)
		c.numbers = max(c.numbers, f.sequence)
	}
}

const (
	sqlTake = `UPDATE bellwire.deliveries d SET epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	sqlTakeManual = `UPDATE bellwire.deliveries d SET manual_epoch = t.epoch FROM unnest($1::uuid[], $2::bigint[]) AS t (id, epoch)
		WHERE d.id = t.id`
	sqlTaken = "SELECT " + deliveryColumns + ", " + eventColumns + " FROM " + deliveryTables + " WHERE d.id = ANY($1)"
)

// mark makes what is taken theirs who asked.
func (g *claiming) mark() error {
	batch := new(pgx.Batch)
	for _, kind := range []struct {
		sql string
		of  func(*claim) []bellwire.DeliveryID
	}{
		{sqlTake, func(c *claim) []bellwire.DeliveryID { return c.taken }},
		{sqlTakeManual, func(c *claim) []bellwire.DeliveryID { return c.byHand }},
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
	if batch.Len() == 0 {
		return nil
	}
	return g.tx.SendBatch(g.tx.ctx, batch).Close()
}

// read reads what is taken, with its events.
func (g *claiming) read() error {
	var ids [][16]byte
	for _, c := range g.claims {
		ids = append(append(ids, uuids(c.taken)...), uuids(c.byHand)...)
	}
	if len(ids) == 0 {
		return nil
	}
	rows := make(map[bellwire.DeliveryID]bellwire.Claimed, len(ids))
	err := g.tx.each(func(row pgx.Rows) error {
		var (
			d deliveryRow
			e eventRow
		)
		err := row.Scan(append(d.into(), e.into()...)...)
		rows[d.delivery.ID] = bellwire.Claimed{Delivery: *d.done(), Event: e.done()}
		return err
	}, sqlTaken, ids)
	for _, c := range g.claims {
		for _, id := range c.byHand {
			c.result.Manual = append(c.result.Manual, rows[id])
		}
		for _, id := range c.taken {
			c.result.Due = append(c.result.Due, rows[id])
		}
	}
	return err
}
