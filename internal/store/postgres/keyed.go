package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The open deliveries in the order of a key are found by an index, by their place. The first of a key is not behind; all others
// are. A transaction that adds one, or ends one, first locks the counter of the endpoint, and looks at the others in a later
// statement: so it sees what all transactions before it have done to the order.
const (
	sqlHoldCounters = `SELECT FROM bellwire.sequences s JOIN bellwire.endpoints p ON p.n = s.endpoint WHERE p.id = ANY($1)
		ORDER BY s.endpoint FOR UPDATE OF s`
	firstOfKey = `CROSS JOIN LATERAL (SELECT id, status FROM bellwire.deliveries
			WHERE endpoint = p.n AND ordering_key = w.key AND status <= 1 ORDER BY place LIMIT 1) first`
	// sqlOpenKeys returns those keys of which endpoints have open deliveries.
	sqlOpenKeys = "SELECT w.endpoint, w.key FROM unnest($1::text[], $2::bigint[]) AS w (endpoint, key) JOIN bellwire.endpoints p ON p.id = w.endpoint " + firstOfKey
	// sqlFirstOfKeys returns the first open delivery of each key.
	sqlFirstOfKeys = "SELECT w.endpoint, w.key, first.id FROM unnest($1::text[], $2::bigint[]) AS w (endpoint, key) JOIN bellwire.endpoints p ON p.id = w.endpoint " + firstOfKey
	// sqlFreeNext frees the first delivery of each key if it was behind one that has ended.
	sqlFreeNext = `UPDATE bellwire.deliveries d SET status = 0, updated_at = greatest($3, d.created_at + interval '1 microsecond') FROM (
			SELECT w.endpoint, w.key, first.id FROM unnest($1::text[], $2::bigint[]) AS w (endpoint, key)
			JOIN bellwire.endpoints p ON p.id = w.endpoint ` + firstOfKey + ` WHERE first.status = -2
		) n WHERE d.id = n.id AND d.status::int = -2 RETURNING n.endpoint, n.key`
	// sqlFreeFirst frees the first delivery of each endpoint that is left in the order of a key: those before it in its key may have
	// left the order.
	sqlFreeFirst = `UPDATE bellwire.deliveries d SET status = 0, updated_at = greatest($2, d.created_at + interval '1 microsecond') FROM (
			SELECT first.id FROM unnest($1::bigint[]) AS w (endpoint) CROSS JOIN LATERAL (
				SELECT id, status FROM bellwire.deliveries WHERE endpoint = w.endpoint AND ordering_key IS NOT NULL AND status <= 1
				ORDER BY ordering_key, place LIMIT 1
			) first WHERE first.status = -2
		) n WHERE d.id = n.id AND d.status::int = -2`
)

// endpointKey is an ordering key at an endpoint.
type endpointKey struct {
	endpoint string // its id
	key      int64
}

// keySet is a set of keys, in the form in which statements take them.
type keySet struct {
	seen      map[endpointKey]bool
	endpoints []string
	keys      []int64
}

// add adds a key, unless it is 0.
func (s *keySet) add(k endpointKey) {
	if k.key == 0 || s.seen[k] {
		return
	}
	if s.seen == nil {
		s.seen = make(map[endpointKey]bool)
	}
	s.seen[k] = true
	s.endpoints, s.keys = append(s.endpoints, k.endpoint), append(s.keys, k.key)
}

func (s *keySet) empty() bool { return len(s.keys) == 0 }

// queueHold locks the counters of the endpoints.
func (s *keySet) queueHold(batch *pgx.Batch) {
	if !s.empty() {
		batch.Queue(sqlHoldCounters, s.endpoints)
	}
}

// queueFreeNext frees the next deliveries of the keys, and calls freed for each.
func (s *keySet) queueFreeNext(batch *pgx.Batch, now time.Time, freed func(endpointKey)) {
	if s.empty() {
		return
	}
	batch.Queue(sqlFreeNext, s.endpoints, s.keys, now).Query(func(rows pgx.Rows) error { return forEachKey(rows, freed) })
}

func forEachKey(rows pgx.Rows, f func(endpointKey)) error {
	var k endpointKey
	_, err := pgx.ForEachRow(rows, []any{&k.endpoint, &k.key}, func() error {
		f(k)
		return nil
	})
	return err
}

// holdCounters locks the counters of endpoints.
func (t *tx) holdCounters(endpoints ...string) error { return t.exec(sqlHoldCounters, endpoints) }

// freeNext frees the next deliveries of keys of which some have ended. The transaction must hold their endpoints' counters.
func (t *tx) freeNext(keys *keySet, now time.Time) error {
	if keys.empty() {
		return nil
	}
	return t.exec(sqlFreeNext, keys.endpoints, keys.keys, now)
}

// openKeys are the keys of which there are open deliveries, as far as a transaction has looked.
type openKeys map[endpointKey]bool

// openKeys reads which of the keys have open deliveries. The transaction must hold their endpoints' counters.
func (t *tx) openKeys(keys *keySet) (openKeys, error) {
	open := make(openKeys)
	if keys.empty() {
		return open, nil
	}
	return open, forEachKey(t.query(sqlOpenKeys, keys.endpoints, keys.keys), open.found)
}

func (o openKeys) found(k endpointKey) { o[k] = true }

// behind adds an open delivery of a key, 0 for none, and reports whether it is behind another.
func (o openKeys) behind(k endpointKey) bool {
	if k.key == 0 {
		return false
	}
	behind := o[k]
	o[k] = true
	return behind
}

// ahead returns the first open delivery of each of the keys.
func (t *tx) ahead(keys *keySet) (map[endpointKey]bellwire.DeliveryID, error) {
	first := make(map[endpointKey]bellwire.DeliveryID)
	if keys.empty() {
		return first, nil
	}
	var (
		k  endpointKey
		id [16]byte
	)
	_, err := pgx.ForEachRow(t.query(sqlFirstOfKeys, keys.endpoints, keys.keys), []any{&k.endpoint, &k.key, &id}, func() error {
		first[k] = id
		return nil
	})
	return first, err
}

// FirstOfKeys returns the deliveries that others are behind.
func (s *Store) FirstOfKeys(ctx context.Context, behind []*bellwire.Delivery) (map[bellwire.DeliveryID]bellwire.DeliveryID, error) {
	first := make(map[bellwire.DeliveryID]bellwire.DeliveryID, len(behind))
	var keys keySet
	for _, d := range behind {
		keys.add(endpointKey{d.Endpoint, d.Key})
	}
	err := s.list(ctx, func(tx *tx) error {
		ahead, err := tx.ahead(&keys)
		for _, d := range behind {
			if id := ahead[endpointKey{d.Endpoint, d.Key}]; !id.IsZero() && id != d.ID {
				first[d.ID] = id
			}
		}
		return err
	})
	return first, err
}
