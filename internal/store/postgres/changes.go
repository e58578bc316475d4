package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// history is the history of an endpoint while a change is added to it.
type history struct {
	n           int64 // 0: there is none yet
	first, last int64
	bytes       int64
	clock       time.Time          // of the last change
	standing    *bellwire.Standing // after the last change
}

const (
	sqlHistory = `SELECT h.n, h.first, h.last, h.bytes, c.clock, c.standing FROM bellwire.endpoint_histories h
		JOIN bellwire.endpoint_changes c ON c.history = h.n AND c.number = h.last WHERE h.tenant = $1 AND h.endpoint = $2`
	sqlAddHistory = "INSERT INTO bellwire.endpoint_histories (tenant, endpoint, first, last, bytes) VALUES ($1, $2, 1, 0, 0) RETURNING n"
	sqlAddChange  = `INSERT INTO bellwire.endpoint_changes (history, number, clock, at, action, actor, before, after, standing)
		VALUES ($1, $2, greatest($3, (SELECT last FROM bellwire.clocks WHERE tenant = $4)), $5, $6, $7, $8, $9, $10)`
	sqlDropChange = `DELETE FROM bellwire.endpoint_changes WHERE history = $1 AND number = $2
		RETURNING octet_length(actor) + octet_length(before) + octet_length(after) + octet_length(standing)`
	sqlMoveHistory   = "UPDATE bellwire.endpoint_histories SET first = $1, last = $2, bytes = $3, deleted_at = $4 WHERE n = $5"
	sqlDropHistories = `WITH old AS (
			DELETE FROM bellwire.endpoint_histories WHERE n IN (SELECT n FROM bellwire.endpoint_histories
				WHERE tenant = $1 AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, n DESC OFFSET $2)
			RETURNING n
		) DELETE FROM bellwire.endpoint_changes WHERE history IN (SELECT n FROM old)`
)

// history reads the history of an endpoint.
func (t *tx) history(tenant int64, endpoint string) (h history, err error) {
	var standing []byte
	err = t.row(sqlHistory, tenant, endpoint).Scan(&h.n, &h.first, &h.last, &h.bytes, &h.clock, &standing)
	if errors.Is(err, pgx.ErrNoRows) {
		return history{clock: time.Unix(0, 0)}, nil
	}
	if err != nil {
		return h, err
	}
	h.standing = new(bellwire.Standing)
	return h, json.Unmarshal(standing, h.standing)
}

// addChange adds a change to the history of an endpoint, deletes the oldest changes beyond the bounds, and keeps the operational
// events that tell of it. The change must have been made. The transaction must hold the tenant: then no event of it is stored
// before the end, and the tenant's clock stands still.
func (t *tx) addChange(tenant int64, endpoint string, c *rules.EndpointChange) error {
	h, err := t.history(tenant, endpoint)
	if err != nil {
		return err
	}
	standing, store := c.Standing(h.standing)
	if !store {
		return nil
	}
	if err := t.announce(rules.ChangeNews(endpoint, c, h.standing, &standing)...); err != nil {
		return err
	}
	columns, err := codec.EncodeChange(&c.Change, &standing)
	if err != nil {
		return err
	}
	if h.n == 0 {
		if err := t.row(sqlAddHistory, tenant, endpoint).Scan(&h.n); err != nil {
			return err
		}
		h.first = 1
	}
	h.last++
	h.bytes += int64(columns.Size())
	err = t.exec(sqlAddChange, h.n, h.last, h.clock, tenant, c.At, string(c.Action), columns.Actor, columns.Before, columns.After, columns.Standing)
	for err == nil && rules.HistoryFull(h.first, h.last, h.bytes) {
		var dropped int64
		err = t.row(sqlDropChange, h.n, h.first).Scan(&dropped)
		h.first++
		h.bytes -= dropped
	}
	if err != nil {
		return err
	}
	if c.Action != bellwire.ChangeDeleted {
		return t.exec(sqlMoveHistory, h.first, h.last, h.bytes, nil, h.n)
	}
	if err := t.exec(sqlMoveHistory, h.first, h.last, h.bytes, c.At, h.n); err != nil {
		return err
	}
	return t.exec(sqlDropHistories, tenant, bellwire.MaxDeletedHistories)
}

const (
	sqlHistoryOf = "SELECT n FROM bellwire.endpoint_histories WHERE tenant = " + theTenant + " AND endpoint = $2"
	sqlChanges   = `SELECT number, at, action, actor, before, after FROM bellwire.endpoint_changes
		WHERE history = $1 AND number < $2 ORDER BY number DESC LIMIT $3`
)

// scanChange reads a row of sqlChanges.
func scanChange(row pgx.Row) (*bellwire.Change, int64, error) {
	var (
		c                    bellwire.Change
		n                    int64
		actor, before, after []byte
	)
	if err := row.Scan(&n, &c.At, (*string)(&c.Action), &actor, &before, &after); err != nil {
		return nil, 0, err
	}
	return &c, n, codec.DecodeChange(&c, actor, before, after)
}

// EndpointHistory lists the changes of an endpoint, newest first.
func (s *Store) EndpointHistory(ctx context.Context, tenant, endpoint string, page bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	var list *bellwire.List[*bellwire.Change]
	err = s.snapshotOn(ctx, s.lists, func(tx *tx) error {
		var n int64
		if err := tx.row(sqlHistoryOf, tenant, endpoint).Scan(&n); err != nil {
			return orNotFound(err, "endpoint", endpoint)
		}
		lister := &lister[*bellwire.Change, int64]{page, scanChange, codec.RowKey, rules.SizeOfChange}
		list, err = lister.collect(tx, sqlChanges, n, before, lister.fetch())
		return err
	})
	return list, err
}
