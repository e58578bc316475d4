package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	deliveryColumns = `d.id, d.status, d.reason, d.attempts, d.retries, d.sequence, d.epoch, d.due_at, d.created_at,
		d.updated_at, d.job, d.restarted_at, d.replay, d.not_before, d.expires_at, coalesce(d.ordering_key, 0),
		d.manual_epoch IS NOT NULL, e.id, e.type, e.test, p.id, t.id`
	deliveryTables = "bellwire.deliveries d " + deliveryJoins
	// Each delivery's event, endpoint and tenant are looked up: OFFSET 0 keeps the planner from other joins. It expects that
	// tenants have as many events as the average one, and then reading all of them for each delivery can look cheap.
	deliveryJoins = `CROSS JOIN LATERAL (SELECT id, type, test FROM bellwire.events WHERE tenant = d.tenant AND id = d.event OFFSET 0) e
		CROSS JOIN LATERAL (SELECT id FROM bellwire.endpoints WHERE n = d.endpoint OFFSET 0) p
		CROSS JOIN LATERAL (SELECT id FROM bellwire.tenants WHERE n = d.tenant AND deleted_at IS NULL OFFSET 0) t`
	sqlDelivery = "SELECT " + deliveryColumns + " FROM " + deliveryTables + " WHERE d.id = $1 AND t.id = $2"
)

// deliveryRow is where a row's deliveryColumns go.
type deliveryRow struct {
	delivery           bellwire.Delivery
	status             int16
	dueAt              *time.Time
	job                *[16]byte
	restart            *time.Time
	notBefore, expires *time.Time
}

func (r *deliveryRow) into() []any {
	d := &r.delivery
	return []any{(*[16]byte)(&d.ID), &r.status, &d.Reason, &d.Attempts, &d.Retries, &d.Sequence, &d.Epoch, &r.dueAt, &d.CreatedAt,
		&d.UpdatedAt, &r.job, &r.restart, &d.Replay, &r.notBefore, &r.expires, &d.Key, &d.Requested, (*[16]byte)(&d.Event), &d.EventType, &d.Test, &d.Endpoint, &d.Tenant}
}

func (r *deliveryRow) done() *bellwire.Delivery {
	r.delivery.Status, r.delivery.DueAt, r.delivery.RestartedAt = codec.Status(r.status), orZero(r.dueAt), orZero(r.restart)
	r.delivery.Behind = r.status == codec.Behind
	r.delivery.NotBefore, r.delivery.ExpiresAt = orZero(r.notBefore), orZero(r.expires)
	if r.job != nil {
		r.delivery.Job = *r.job
	}
	return &r.delivery
}

func scanDelivery(row pgx.Row) (*bellwire.Delivery, bellwire.DeliveryID, error) {
	r := new(deliveryRow)
	err := row.Scan(r.into()...)
	return r.done(), r.delivery.ID, err
}

// delivery reads a delivery of the tenant.
func (t *tx) delivery(tenant string, id bellwire.DeliveryID) (d *bellwire.Delivery, err error) {
	d, _, err = scanDelivery(t.row(sqlDelivery, [16]byte(id), tenant))
	if err != nil {
		return nil, orNotFound(err, "delivery", id.String())
	}
	return d, nil
}

// Delivery finds a delivery.
func (s *Store) Delivery(ctx context.Context, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.read(ctx, func(tx *tx) (err error) {
		d, err = tx.delivery(tenant, id)
		return err
	})
	return d, err
}

const sqlRequestRetry = "UPDATE bellwire.deliveries SET manual_epoch = 0 WHERE id = $1 AND manual_epoch IS NULL"

// RequestRetry requests an attempt at once. A manual retry that is in memory already counts as the requested one.
func (s *Store) RequestRetry(ctx context.Context, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(tx *tx) (err error) {
		if d, err = tx.delivery(tenant, id); err != nil {
			return err
		}
		if err := tx.refuseErased(tenant, d.Event); err != nil {
			return err
		}
		d.Requested = true
		return tx.exec(sqlRequestRetry, [16]byte(id))
	})
	if d != nil && s.owned.Load().Epoch(d.Endpoint) == 0 { // also if the outcome of the commit is not known
		s.notifier.add([]string{d.Endpoint}, false)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// sqlEndOpen ends open deliveries as DeliveryState.End does.
const sqlEndOpen = `UPDATE bellwire.deliveries d SET status = $2, reason = $3, epoch = 0, due_at = NULL, updated_at = $4,
		manual_epoch = CASE WHEN $5 THEN d.manual_epoch END
	FROM unnest($1::uuid[]) AS w (id) WHERE d.id = w.id AND d.status::int <= 1`

// endOpen ends those of the deliveries that are open, and returns how many those are.
func (t *tx) endOpen(ids [][16]byte, status bellwire.DeliveryStatus, reason string, now time.Time) (int, error) {
	number, _ := codec.StatusNumber[int16](status)
	return t.change(sqlEndOpen, ids, number, reason, now, bellwire.EndKeepsManual(status))
}

// CancelDelivery ends an open delivery.
func (s *Store) CancelDelivery(ctx context.Context, tenant string, id bellwire.DeliveryID, reason string, now time.Time) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(tx *tx) (err error) {
		if d, err = tx.delivery(tenant, id); err != nil {
			return err
		}
		var keys keySet
		keys.add(endpointKey{d.Endpoint, d.Key})
		if !keys.empty() {
			if err := tx.holdCounters(d.Endpoint); err != nil {
				return err
			}
		}
		ended, err := tx.endOpen([][16]byte{id}, bellwire.DeliveryCanceled, reason, now)
		if err != nil {
			return err
		}
		if err := tx.freeNext(&keys, now); err != nil {
			return err
		}
		if d, err = tx.delivery(tenant, id); err != nil {
			return err
		}
		if ended == 0 {
			return bellwire.Errorf(bellwire.CodeConflict, "delivery %q is already %s and cannot be canceled", id, d.Status)
		}
		return s.notifyCanceled(tx, d.Endpoint, []bellwire.DeliveryID{id})
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

const (
	// sqlOpenOf selects some of an endpoint's open deliveries of a kind, oldest first, without its tests unless $5.
	sqlOpenOf = `SELECT id, coalesce(ordering_key, 0) FROM bellwire.deliveries WHERE endpoint = $1 AND status = $2 AND ordered = $3
			AND (due_at IS NOT NULL OR $5) ORDER BY id LIMIT $4 FOR UPDATE`
	// sqlTooOldOf selects some that are on the schedule, free, and older than an id.
	sqlTooOldOf = `SELECT id, coalesce(ordering_key, 0) FROM bellwire.deliveries WHERE endpoint = $1 AND status = $2 AND ordered = $3 AND id < $5
			AND due_at IS NOT NULL AND epoch NOT IN ($6::bigint, -$6::bigint) AND greatest(created_at, restarted_at, not_before) < $7 ORDER BY id LIMIT $4 FOR UPDATE`
	// sqlHoldEndpoint finds an endpoint whose shard is owned in an epoch, and keeps other nodes from taking it over.
	sqlHoldEndpoint = `SELECT p.n FROM bellwire.shards h, bellwire.endpoints p WHERE h.shard = $1 AND h.epoch = $2 AND p.id = $3 FOR SHARE OF h`
	sqlStatus       = "SELECT n, status, deleted_at IS NOT NULL FROM bellwire.endpoints WHERE id = $1 FOR SHARE"
)

// openKinds are the kinds of open deliveries, each of which has an index. What is behind others comes first, so that it is not freed
// to be ended.
var openKinds = []struct {
	status  int16
	ordered bool
}{
	{codec.Behind, false}, {codec.Pending, false}, {codec.Pending, true}, {codec.Delayed, false}, {codec.Retrying, false}, {codec.Retrying, true},
}

// collectOpen reads ids with the numbers of ordering keys, which it adds to the endpoint's keys.
func collectOpen(rows pgx.Rows, endpoint string, keys *keySet) (ids [][16]byte, err error) {
	var (
		id  [16]byte
		key int64
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &key}, func() error {
		ids = append(ids, id)
		keys.add(endpointKey{endpoint, key})
		return nil
	})
	return ids, err
}

// CancelOpen cancels up to limit open deliveries of an endpoint that is disabled or deleted.
func (s *Store) CancelOpen(ctx context.Context, endpoint, reason string, now time.Time, limit int) (int, error) {
	var ended int
	err := s.write(ctx, func(tx *tx) error {
		ended = 0
		n, deleted, err := tx.mustGetNone(endpoint)
		if err != nil || n == 0 {
			return err
		}
		if err := tx.holdCounters(endpoint); err != nil {
			return err
		}
		var keys keySet
		for _, kind := range openKinds {
			ids, err := collectOpen(tx.query(sqlOpenOf, n, kind.status, kind.ordered, limit-ended, deleted), endpoint, &keys)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				continue
			}
			if _, err := tx.endOpen(ids, bellwire.DeliveryCanceled, reason, now); err != nil {
				return err
			}
			ended += len(ids)
		}
		if err := tx.freeNext(&keys, now); err != nil {
			return err
		}
		if deleted {
			forgotten, err := tx.change(sqlForgetManual, n, limit-ended)
			ended += forgotten
			return err
		}
		return nil
	})
	return ended, err
}

// sqlForgetManual withdraws manual retries of a deleted endpoint, to which nothing can be sent.
const sqlForgetManual = `UPDATE bellwire.deliveries SET manual_epoch = NULL WHERE id = ANY (ARRAY (SELECT id FROM bellwire.deliveries
	WHERE endpoint = $1 AND manual_epoch IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE))`

// ExhaustTooOld ends open and free deliveries that are too old.
func (s *Store) ExhaustTooOld(ctx context.Context, now time.Time, x bellwire.TooOld) (int, error) {
	var ended int
	before := [16]byte(bellwire.FirstID[bellwire.DeliveryKind](x.Before))
	err := s.write(ctx, func(tx *tx) error {
		var news []*rules.News
		ended = 0
		var n int64
		err := tx.row(sqlHoldEndpoint, bellwire.ShardOf(x.Endpoint), x.Epoch, x.Endpoint).Scan(&n)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.holdCounters(x.Endpoint); err != nil {
			return err
		}
		var keys keySet
		for _, kind := range openKinds {
			rows := tx.query(sqlTooOldOf, n, kind.status, kind.ordered, x.Limit-ended, before, x.Epoch, x.Before)
			ids, err := collectOpen(rows, x.Endpoint, &keys)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				continue
			}
			if _, err := tx.endOpen(ids, bellwire.DeliveryExhausted, x.Reason, now); err != nil {
				return err
			}
			for _, id := range ids {
				news = append(news, rules.ExpiryNews(x.Endpoint, id, x.Reason, now))
			}
			ended += len(ids)
		}
		if err := tx.freeNext(&keys, now); err != nil {
			return err
		}
		return tx.announce(news...)
	})
	return ended, err
}

// isExpiring is true of deliveries that can expire.
const isExpiring = "expires_at IS NOT NULL AND status <= 1"

const (
	sqlHaveExpired = `SELECT d.id, t.id, p.id, p.dialect, greatest(d.created_at, d.not_before, d.restarted_at),
			d.expires_at, coalesce(d.ordering_key, 0)
		FROM bellwire.deliveries d JOIN bellwire.endpoints p ON p.n = d.endpoint JOIN bellwire.tenants t ON t.n = p.tenant
		WHERE d.expires_at IS NOT NULL AND d.status <= 1 AND d.expires_at <= $1 ORDER BY d.expires_at, d.id LIMIT $2`
	// sqlHoldExpired passes over what another transaction is changing: it is found again.
	sqlHoldExpired = sqlHaveExpired + " FOR UPDATE OF d SKIP LOCKED"
	sqlEndExpired  = `UPDATE bellwire.deliveries d SET status = $3, reason = w.reason, epoch = 0, due_at = NULL, updated_at = $4, manual_epoch = NULL
		FROM unnest($1::uuid[], $2::text[]) AS w (id, reason) WHERE d.id = w.id AND d.status::int <= 1`
	sqlNextExpiry = "SELECT min(expires_at) FROM bellwire.deliveries WHERE " + isExpiring
)

// EndExpired ends deliveries whose events have expired.
func (s *Store) EndExpired(ctx context.Context, now time.Time, limit int) (*bellwire.EndedExpired, error) {
	var next *time.Time
	err := s.read(ctx, func(tx *tx) error { return tx.row(sqlNextExpiry).Scan(&next) })
	if err != nil {
		return nil, err
	}
	if next == nil || next.After(now) {
		return &bellwire.EndedExpired{Next: orZero(next)}, nil
	}
	ended := new(bellwire.EndedExpired)
	err = s.write(ctx, func(tx *tx) error {
		*ended = bellwire.EndedExpired{}
		if err := tx.endExpired(now, limit, ended); err != nil {
			return err
		}
		return tx.row(sqlNextExpiry).Scan(&next)
	})
	endpoints := make(map[string]bool)
	for _, d := range ended.Deliveries {
		endpoints[d.Endpoint] = true
	}
	s.notifier.add(others(namesIn(endpoints), s.owned.Load()), false) // also if the outcome of the commit is not known
	if err != nil {
		return nil, err
	}
	ended.Next = orZero(next)
	return ended, nil
}

// endExpired locks the counters of endpoints that are ordered by key before deliveries. A delivery of such an endpoint that it did
// not see before it locked them is left for the next call.
func (t *tx) endExpired(now time.Time, limit int, ended *bellwire.EndedExpired) error {
	var (
		d       bellwire.ExpiredDelivery
		at      time.Time
		key     int64
		ids     [][16]byte
		reasons []string
		keys    keySet
	)
	into := []any{(*[16]byte)(&d.ID), &d.Tenant, &d.Endpoint, &d.Dialect, &d.Began, &at, &key}
	held := make(map[string]bool)
	_, err := pgx.ForEachRow(t.query(sqlHaveExpired, now, limit), into, func() error {
		if key != 0 {
			held[d.Endpoint] = true
		}
		return nil
	})
	if err == nil && len(held) > 0 {
		err = t.holdCounters(namesIn(held)...)
	}
	if err != nil {
		return err
	}
	found := 0
	_, err = pgx.ForEachRow(t.query(sqlHoldExpired, now, limit), into, func() error {
		if found++; key != 0 && !held[d.Endpoint] {
			return nil
		}
		ended.Deliveries = append(ended.Deliveries, d)
		ids, reasons = append(ids, d.ID), append(reasons, bellwire.ReasonExpired(at))
		keys.add(endpointKey{d.Endpoint, key})
		return nil
	})
	ended.More = found == limit
	if err != nil || len(ids) == 0 {
		return err
	}
	status, _ := codec.StatusNumber[int16](bellwire.DeliveryCanceled)
	if err := t.exec(sqlEndExpired, ids, reasons, status, now); err != nil {
		return err
	}
	return t.freeNext(&keys, now)
}

// mustGetNone refuses an endpoint that is neither disabled nor deleted, and returns the number of one that is, and whether it
// is deleted; 0: it is not there.
func (t *tx) mustGetNone(endpoint string) (n int64, deleted bool, err error) {
	var status string
	err = t.row(sqlStatus, endpoint).Scan(&n, &status, &deleted)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if deleted || bellwire.EndpointStatus(status) == bellwire.EndpointDisabled {
		return n, deleted, nil
	}
	return 0, false, bellwire.Errorf(bellwire.CodeStale, "endpoint %q is %s, so that its deliveries are not canceled; read it again", endpoint, status)
}
