package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// none stands for NULL in columns without negative numbers.
const none = -1

const sqlState = `SELECT status, reason, attempts, retries, epoch, ifnull(manual_epoch, -1), ifnull(due_at, -1), expires_at,
		restarted_at, not_before, endpoint, ifnull(ordering_key, 0), ifnull(place, 0) FROM deliveries WHERE id = ?`

// deliveryRow is the state of a delivery, and where it is in the order of its key.
type deliveryRow struct {
	bellwire.DeliveryState
	endpoint   int64
	key, place int64 // 0: it is in no such order
}

// state reads the state of a delivery, and reports whether it exists.
func (w *writer) state(id bellwire.DeliveryID) (st deliveryRow, found bool, err error) {
	q := w.query(sqlState).blob(id[:])
	if found, err = q.one(); !found {
		return st, false, err
	}
	codec.SetStatus(&st.DeliveryState, q.getInt())
	st.Reason, st.Attempts, st.Retries, st.Epoch = q.getText(), int(q.getInt()), int(q.getInt()), q.getInt()
	if epoch := q.getInt(); epoch != none {
		st.Manual = bellwire.ManualRetry{Requested: true, Epoch: epoch}
	}
	if due := q.getInt(); due != none {
		st.DueAt = time.UnixMicro(due).UTC()
	}
	st.ExpiresAt, st.RestartedAt, st.NotBefore = q.getTimeOrZero(), q.getTimeOrZero(), q.getTimeOrZero()
	st.endpoint, st.key, st.place = q.getInt(), q.getInt(), q.getInt()
	return st, true, q.close()
}

// setState writes a state.
func (w *writer) setState(id bellwire.DeliveryID, st *bellwire.DeliveryState, now time.Time) error {
	return w.query(`UPDATE deliveries SET status = ?, reason = ?, attempts = ?, retries = ?, epoch = ?, manual_epoch = ?,
			due_at = ?, updated_at = ? WHERE id = ?`).
		int(codec.StateNumber[int64](st)).text(st.Reason).int(int64(st.Attempts)).int(int64(st.Retries)).int(st.Epoch).intOrNull(manualEpoch(st)).
		timeOrNull(st.DueAt).time(now).blob(id[:]).exec()
}

func manualEpoch(st *bellwire.DeliveryState) int64 {
	if !st.Manual.Requested {
		return none
	}
	return st.Manual.Epoch
}

// sqlDelivery reads a delivery with the names of its endpoint and tenant.
const (
	sqlDelivery     = "SELECT " + deliveryColumns + fromDeliveries
	deliveryColumns = unnamedColumns + ", p.id, t.id"
	unnamedColumns  = `d.id, d.status, d.reason, d.attempts, d.retries, d.sequence, d.epoch, d.due_at, d.created_at,
		d.updated_at, d.job, d.restarted_at, d.replay, d.not_before, d.expires_at, ifnull(d.ordering_key, 0),
		d.manual_epoch IS NOT NULL, e.id, e.type, e.test`
	fromDeliveries = `
	FROM deliveries d JOIN events e ON e.n = d.event JOIN endpoints p ON p.n = d.endpoint JOIN tenants t ON t.n = d.tenant
	WHERE d.id = ? AND t.deleted_at IS NULL`
)

// delivery reads a delivery of any tenant; nil if it is not there.
func (c *db) delivery(id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	q := c.query(sqlDelivery).blob(id[:])
	if found, err := q.one(); !found {
		return nil, err
	}
	d := scanDelivery(q)
	return d, q.close()
}

// scanDelivery reads deliveryColumns.
func scanDelivery(q *query) *bellwire.Delivery {
	d := new(bellwire.Delivery)
	q.getBytes(d.ID[:])
	number := q.getInt()
	d.Status, d.Behind, d.Reason = codec.Status(number), number == codec.Behind, q.getText()
	d.Attempts, d.Retries, d.Sequence, d.Epoch = int(q.getInt()), int(q.getInt()), q.getInt(), q.getInt()
	d.DueAt, d.CreatedAt, d.UpdatedAt = q.getTimeOrZero(), q.getTime(), q.getTime()
	q.getBytes(d.Job[:]) // NULL leaves it zero
	d.RestartedAt, d.Replay, d.NotBefore, d.ExpiresAt = q.getTimeOrZero(), q.getBool(), q.getTimeOrZero(), q.getTimeOrZero()
	d.Key, d.Requested = q.getInt(), q.getBool()
	q.getBytes(d.Event[:])
	d.EventType, d.Test, d.Endpoint, d.Tenant = q.getText(), q.getBool(), q.getText(), q.getText()
	return d
}

// tenantDelivery reads a delivery of the tenant.
func (c *db) tenantDelivery(tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	d, err := c.delivery(id)
	if err != nil {
		return nil, err
	}
	if d == nil || d.Tenant != tenant {
		return nil, bellwire.NotFound("delivery", id.String())
	}
	return d, nil
}

// Delivery finds a delivery.
func (s *Store) Delivery(ctx context.Context, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.read(ctx, func(c *db) (err error) {
		d, err = c.tenantDelivery(tenant, id)
		return err
	})
	return d, err
}

// RequestRetry requests a manual retry, unless one is requested or claimed already.
func (s *Store) RequestRetry(ctx context.Context, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(w *writer) (err error) {
		if d, err = w.tenantDelivery(tenant, id); err != nil {
			return err
		}
		if err := w.refuseErased(d.Event); err != nil {
			return err
		}
		d.Requested = true
		return w.query("UPDATE deliveries SET manual_epoch = 0 WHERE id = ? AND manual_epoch IS NULL").blob(id[:]).exec()
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// CancelDelivery ends an open delivery.
func (s *Store) CancelDelivery(ctx context.Context, tenant string, id bellwire.DeliveryID, reason string, now time.Time) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(w *writer) (err error) {
		if d, err = w.tenantDelivery(tenant, id); err != nil {
			return err
		}
		if !d.Status.Open() {
			return bellwire.Errorf(bellwire.CodeConflict, "delivery %q is already %s and cannot be canceled", id, d.Status)
		}
		if err = w.endOpen(id, bellwire.DeliveryCanceled, reason, now); err != nil {
			return err
		}
		d, err = w.delivery(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// CancelOpen ends up to limit open deliveries of an endpoint that gets none, oldest first.
func (s *Store) CancelOpen(ctx context.Context, endpoint, reason string, now time.Time, limit int) (int, error) {
	var ended int
	err := s.write(ctx, func(w *writer) error {
		ended = 0
		deleted, err := w.mustGetNone(endpoint)
		if err != nil {
			return err
		}
		for _, sql := range sqlOpenOf {
			ids, err := w.openOf(endpoint, sql, deleted, limit-ended)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := w.endOpen(id, bellwire.DeliveryCanceled, reason, now); err != nil {
					return err
				}
			}
			ended += len(ids)
		}
		if deleted {
			err = w.query(sqlForgetManual).text(endpoint).int(int64(max(limit-ended, 0))).exec()
			ended += w.conn.Changes()
		}
		return err
	})
	return ended, err
}

// sqlForgetManual withdraws the manual retries of a deleted endpoint, to which nothing can be sent any more.
const sqlForgetManual = `UPDATE deliveries SET manual_epoch = NULL WHERE id IN (SELECT id FROM deliveries
	WHERE endpoint = (SELECT n FROM endpoints WHERE id = ?) AND manual_epoch IS NOT NULL ORDER BY id LIMIT +?)`

// ExhaustTooOld ends what is open and free and too old, oldest first of each kind.
func (s *Store) ExhaustTooOld(ctx context.Context, now time.Time, x bellwire.TooOld) (int, error) {
	var ended int
	if x.Epoch != s.leases.epoch.Load() {
		return 0, nil
	}
	err := s.write(ctx, func(w *writer) error {
		var news []*rules.News
		ended = 0
		for _, sql := range sqlTooOldOf {
			ids, err := w.tooOldOf(&x, sql, x.Limit-ended)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := w.endOpen(id, bellwire.DeliveryExhausted, x.Reason, now); err != nil {
					return err
				}
				news = append(news, rules.ExpiryNews(x.Endpoint, id, x.Reason, now))
			}
			ended += len(ids)
		}
		return w.announce(news...)
	})
	return ended, err
}

// isExpiring is true of deliveries that can expire.
const isExpiring = "expires_at IS NOT NULL AND status <= 1"

const (
	sqlHaveExpired = `SELECT id, endpoint, expires_at, max(created_at, ifnull(not_before, 0), ifnull(restarted_at, 0)) FROM deliveries
		WHERE ` + isExpiring + " AND expires_at <= ? ORDER BY expires_at, id LIMIT +?"
	sqlNextExpiry = "SELECT min(expires_at) FROM deliveries WHERE " + isExpiring
	sqlExpiredAt  = "SELECT p.id, p.dialect, t.id FROM endpoints p JOIN tenants t ON t.n = p.tenant WHERE p.n = ?"
)

// EndExpired ends deliveries whose events have expired.
func (s *Store) EndExpired(ctx context.Context, now time.Time, limit int) (*bellwire.EndedExpired, error) {
	ended := new(bellwire.EndedExpired)
	nothing := false
	err := s.read(ctx, func(c *db) (err error) {
		ended.Next, err = c.nextExpiry()
		nothing = ended.Next.IsZero() || ended.Next.After(now)
		return err
	})
	if err != nil || nothing {
		return ended, err
	}
	err = s.write(ctx, func(w *writer) (err error) {
		ended.Deliveries, err = w.endExpired(now, limit)
		if err == nil {
			ended.Next, err = w.nextExpiry()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	ended.More = len(ended.Deliveries) == limit
	return ended, nil
}

// nextExpiry returns when the next delivery expires, zero if none does.
func (c *db) nextExpiry() (next time.Time, err error) {
	q := c.query(sqlNextExpiry)
	if _, err := q.one(); err != nil {
		return next, err
	}
	next = q.getTimeOrZero()
	return next, q.close()
}

func (w *writer) endExpired(now time.Time, limit int) ([]bellwire.ExpiredDelivery, error) {
	type expired struct {
		id       bellwire.DeliveryID
		endpoint int64
		at       time.Time
		began    time.Time
	}
	var found []expired
	q := w.query(sqlHaveExpired).time(now).int(int64(limit))
	for q.next() {
		var e expired
		q.getBytes(e.id[:])
		e.endpoint, e.at, e.began = q.getInt(), q.getTime(), q.getTime()
		found = append(found, e)
	}
	if q.err != nil {
		return nil, q.err
	}
	ended := make([]bellwire.ExpiredDelivery, len(found))
	for i, e := range found {
		if err := w.endOpen(e.id, bellwire.DeliveryCanceled, bellwire.ReasonExpired(e.at), now); err != nil {
			return nil, err
		}
		ended[i].ID, ended[i].Began = e.id, e.began
		q := w.query(sqlExpiredAt).int(e.endpoint)
		if there, err := q.one(); err != nil {
			return nil, err
		} else if !there {
			continue
		}
		ended[i].Endpoint, ended[i].Dialect, ended[i].Tenant = q.getText(), q.getText(), q.getText()
		if err := q.close(); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// mustGetNone refuses an endpoint that is neither disabled nor deleted, and reports whether it is deleted.
func (w *writer) mustGetNone(endpoint string) (deleted bool, err error) {
	q := w.query("SELECT status, deleted_at IS NOT NULL FROM endpoints WHERE id = ?").text(endpoint)
	if found, err := q.one(); !found {
		return false, err
	}
	status, deleted := bellwire.EndpointStatus(q.getText()), q.getBool()
	if err := q.close(); err != nil {
		return false, err
	}
	if deleted || status == bellwire.EndpointDisabled {
		return deleted, nil
	}
	return false, bellwire.Errorf(bellwire.CodeStale, "endpoint %q is %s, so that its deliveries are not canceled; read it again", endpoint, status)
}

// sqlOpenOf select what is open of an endpoint, without its tests unless ?2. What is behind others comes first, so that it is not
// freed to be ended.
var sqlOpenOf = []string{
	openOf(isBehind, "id"), openOf(isPending+" AND (due_at IS NOT NULL OR ?2)", "id"), openOf(isNumbered, "id"), openOf(isDelayed, "id"), openOf(hasStatus+retryingNumber, "id"),
}

// sqlTooOldOf select what of it is on the schedule, free, and older than an id.
var sqlTooOldOf = []string{
	tooOldOf(isBehind, "id"),
	tooOldOf(isPending, "id"), tooOldOf(isNumbered, "id"), tooOldOf(isLater+" AND status = "+delayedNumber+" AND due_at < ?4", "due_at, id"),
	tooOldOf(hasStatus+retryingNumber, "id"),
}

func tooOldOf(condition, order string) string {
	return openOf(condition+` AND id < ?2 AND due_at IS NOT NULL AND epoch NOT IN (?3, -?3)
		AND max(created_at, ifnull(restarted_at, 0), ifnull(not_before, 0)) < ?4`, order)
}

func openOf(condition, order string) string {
	return "SELECT id FROM deliveries WHERE endpoint = (SELECT n FROM endpoints WHERE id = ?1) AND " + condition + " ORDER BY " + order + " LIMIT +?5"
}

func (w *writer) openOf(endpoint, sql string, tests bool, limit int) ([]bellwire.DeliveryID, error) {
	return ids(w.query(sql).text(endpoint).bool(tests).null().null().int(int64(max(limit, 0))))
}

func (w *writer) tooOldOf(x *bellwire.TooOld, sql string, limit int) ([]bellwire.DeliveryID, error) {
	before := bellwire.FirstID[bellwire.DeliveryKind](x.Before)
	return ids(w.query(sql).text(x.Endpoint).blob(before[:]).int(x.Epoch).time(x.Before).int(int64(max(limit, 0))))
}

// ids reads a column of them.
func ids(q *query) ([]bellwire.DeliveryID, error) {
	var ids []bellwire.DeliveryID
	for q.next() {
		var id bellwire.DeliveryID
		q.getBytes(id[:])
		ids = append(ids, id)
	}
	return ids, q.err
}

// endOpen ends an open delivery, and frees the next one of its key.
func (w *writer) endOpen(id bellwire.DeliveryID, status bellwire.DeliveryStatus, reason string, now time.Time) error {
	st, found, err := w.state(id)
	if err != nil || !found {
		return err
	}
	st.End(status, reason)
	w.opened--
	if err := w.setState(id, &st.DeliveryState, now); err != nil {
		return err
	}
	_, err = w.freeNext(st.endpoint, st.key, now)
	return err
}
