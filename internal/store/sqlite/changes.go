package sqlite

import (
	"context"
	"encoding/json"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// history is the history of an endpoint while a change is added to it.
type history struct {
	n           int64 // 0: there is none yet
	first, last int64
	bytes       int64
	clock       int64              // of the last change
	standing    *bellwire.Standing // after the last change
}

const sqlHistory = `SELECT h.n, h.first, h.last, h.bytes, c.clock, c.standing FROM endpoint_histories h
	JOIN endpoint_changes c ON c.history = h.n AND c.number = h.last WHERE h.tenant = ? AND h.endpoint = ?`

// history reads the history of an endpoint.
func (w *writer) history(tenant int64, endpoint string) (h history, err error) {
	q := w.query(sqlHistory).int(tenant).text(endpoint)
	if found, err := q.one(); !found {
		return h, err
	}
	h = history{n: q.getInt(), first: q.getInt(), last: q.getInt(), bytes: q.getInt(), clock: q.getInt(), standing: new(bellwire.Standing)}
	err = json.Unmarshal([]byte(q.getText()), h.standing)
	return h, firstError(err, q.close())
}

// newChange is a change that has been encoded, so that storing it is refused for nothing.
type newChange struct {
	history
	*rules.EndpointChange
	tenant   int64
	endpoint string
	columns  codec.Change
	skip     bool              // it changes nothing
	after    bellwire.Standing // after it
}

// prepareChange reads what a change of an endpoint depends on.
func (w *writer) prepareChange(tenant int64, endpoint string, c *rules.EndpointChange) (*newChange, error) {
	h, err := w.history(tenant, endpoint)
	if err != nil {
		return nil, err
	}
	standing, store := c.Standing(h.standing)
	columns, err := codec.EncodeChange(&c.Change, &standing)
	return &newChange{history: h, EndpointChange: c, tenant: tenant, endpoint: endpoint, columns: columns, skip: !store, after: standing}, err
}

const (
	sqlAddHistory   = "INSERT INTO endpoint_histories (tenant, endpoint, first, last, bytes) VALUES (?, ?, 1, 0, 0) RETURNING n"
	sqlMoveHistory  = "UPDATE endpoint_histories SET first = ?, last = ?, bytes = ?, deleted_at = ? WHERE n = ?"
	sqlAddChange    = "INSERT INTO endpoint_changes (history, number, clock, at, action, actor, before, after, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlDropChange   = "DELETE FROM endpoint_changes WHERE history = ? AND number = ? RETURNING octet_length(actor) + octet_length(before) + octet_length(after) + octet_length(standing)"
	sqlOldHistories = "SELECT n FROM endpoint_histories WHERE tenant = ? AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, n DESC LIMIT -1 OFFSET +?"
)

// storeChange adds a change to the endpoint's history, deletes the oldest changes beyond the bounds, and keeps the operational
// events that tell of it. The change must have been made.
func (w *writer) storeChange(c *newChange) (err error) {
	if c.skip {
		return nil
	}
	if err := w.announce(rules.ChangeNews(c.endpoint, c.EndpointChange, c.history.standing, &c.after)...); err != nil {
		return err
	}
	h := &c.history
	if h.n == 0 {
		if h.n, _, err = w.query(sqlAddHistory).int(c.tenant).text(c.endpoint).scalar(); err != nil {
			return err
		}
		h.first = 1
	}
	h.last++
	h.bytes += int64(c.columns.Size())
	err = w.query(sqlAddChange).int(h.n).int(h.last).int(max(w.clock, h.clock)).time(c.At).text(string(c.Action)).
		text(c.columns.Actor).text(c.columns.Before).text(c.columns.After).text(c.columns.Standing).exec()
	for err == nil && rules.HistoryFull(h.first, h.last, h.bytes) {
		var dropped int64
		dropped, _, err = w.query(sqlDropChange).int(h.n).int(h.first).scalar()
		h.first++
		h.bytes -= dropped
	}
	if err != nil {
		return err
	}
	q := w.query(sqlMoveHistory).int(h.first).int(h.last).int(h.bytes)
	if c.Action != bellwire.ChangeDeleted {
		return q.null().int(h.n).exec()
	}
	if err := q.time(c.At).int(h.n).exec(); err != nil {
		return err
	}
	return w.dropHistories(c.tenant)
}

// dropHistories deletes the histories of the endpoints that were deleted first, beyond the bound.
func (w *writer) dropHistories(tenant int64) error {
	old, err := numbers(w.query(sqlOldHistories).int(tenant).int(bellwire.MaxDeletedHistories))
	if err != nil {
		return err
	}
	for _, n := range old {
		err := firstError(
			w.query("DELETE FROM endpoint_changes WHERE history = ?").int(n).exec(),
			w.query("DELETE FROM endpoint_histories WHERE n = ?").int(n).exec(),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// numbers returns the first column of all rows.
func numbers(q *query) (all []int64, err error) {
	for q.next() {
		all = append(all, q.getInt())
	}
	return all, q.err
}

const (
	sqlHistoryOf = "SELECT n FROM endpoint_histories WHERE tenant = " + theTenant + " AND endpoint = ?2"
	sqlChanges   = "SELECT number, at, action, actor, before, after FROM endpoint_changes WHERE history = ? AND number < ? ORDER BY number DESC LIMIT +?"
)

// scanChange reads a row of sqlChanges.
func scanChange(q *query) (*bellwire.Change, int64, error) {
	n := q.getInt()
	c := &bellwire.Change{At: q.getTime(), Action: bellwire.ChangeAction(q.getText())}
	return c, n, codec.DecodeChange(c, q.getBlob(), q.getBlob(), q.getBlob())
}

// EndpointHistory lists the changes of an endpoint, newest first.
func (s *Store) EndpointHistory(ctx context.Context, tenant, endpoint string, page bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	var list *bellwire.List[*bellwire.Change]
	err = s.list(ctx, snapshot(func(c *db) error {
		n, found, err := c.query(sqlHistoryOf).text(tenant).text(endpoint).scalar()
		if err != nil {
			return err
		}
		if !found {
			return bellwire.NotFound("endpoint", endpoint)
		}
		lister := newLister(page, scanChange, codec.RowKey, rules.SizeOfChange)
		list, err = lister.collect(c.query(sqlChanges).int(n).int(before).int(lister.fetch()))
		return err
	}))
	return list, err
}
