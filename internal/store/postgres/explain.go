package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	// sqlEndpointsAt lists histories with the first change, the standing now, and the one of the last change before $3. The
	// clocks of a history never go back. LIMIT keeps PostgreSQL from reading all changes of a history for one of them.
	sqlEndpointsAt = `SELECT h.n, h.endpoint, first.action, first.at, last.standing, before.standing
		FROM (SELECT * FROM bellwire.endpoint_histories WHERE tenant = ` + theTenant + ` AND n < $2 ORDER BY n DESC LIMIT $4) h
		CROSS JOIN LATERAL (SELECT action, at FROM bellwire.endpoint_changes WHERE history = h.n AND number = h.first LIMIT 1) first
		CROSS JOIN LATERAL (SELECT standing FROM bellwire.endpoint_changes WHERE history = h.n AND number = h.last LIMIT 1) last
		LEFT JOIN LATERAL (
			SELECT standing FROM bellwire.endpoint_changes WHERE history = h.n AND clock < $3 ORDER BY clock DESC, number DESC LIMIT 1
		) before ON true
		ORDER BY h.n DESC`
	sqlDeliveriesTo = "SELECT " + deliveryColumns + " FROM " + deliveryTables + ` WHERE d.id BETWEEN $2 AND $3 AND d.tenant = ` + theTenant + `
		AND d.endpoint = ANY(ARRAY(SELECT n FROM bellwire.endpoints WHERE id = ANY($4) AND tenant = ` + theTenant + "))"
	sqlCountDeliveries = "SELECT count(*) FROM bellwire.deliveries WHERE id BETWEEN $1 AND $2"
	// sqlOutcomes reads the first deliveries of each event.
	sqlOutcomes = `SELECT w.place, d.id, d.endpoint, d.status, d.created_at
		FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (first, last, place) CROSS JOIN LATERAL
			(SELECT id, endpoint, status, created_at FROM bellwire.deliveries WHERE id BETWEEN w.first AND w.last ORDER BY id LIMIT $3) d`
	sqlIsUnmatched = "SELECT EXISTS (SELECT FROM bellwire.unmatched WHERE event = $1)"
)

func scanEndpointAt(row pgx.Row) (*bellwire.EndpointAt, int64, error) {
	var (
		n         int64
		now, then []byte
	)
	at := &bellwire.EndpointAt{Now: new(bellwire.Standing)}
	if err := row.Scan(&n, &at.Endpoint, (*string)(&at.Begins.Action), &at.Begins.At, &now, &then); err != nil {
		return nil, 0, err
	}
	err := json.Unmarshal(now, at.Now)
	if then != nil {
		at.Then = new(bellwire.Standing)
		err = errors.Join(err, json.Unmarshal(then, at.Then))
	}
	return at, n, err
}

// Explain returns an event with the endpoints of its tenant.
func (s *Store) Explain(ctx context.Context, tenant string, id bellwire.EventID, page bellwire.Page) (*bellwire.Explained, error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	var explained *bellwire.Explained
	err = s.snapshotOn(ctx, s.lists, func(tx *tx) error {
		event, _, err := scanEvent(tx.row(sqlEventByID, tenant, [16]byte(id)))
		if err != nil {
			return orNotFound(err, "event", id.String())
		}
		explained = &bellwire.Explained{Event: event}
		lister := &lister[*bellwire.EndpointAt, int64]{page, scanEndpointAt, codec.RowKey, rules.SizeOfEndpointAt}
		endpoints, err := lister.collect(tx, sqlEndpointsAt, tenant, before, event.CreatedAt, lister.fetch())
		if err != nil {
			return err
		}
		explained.Endpoints = *endpoints
		return tx.explainDeliveries(tenant, explained)
	})
	if err != nil {
		return nil, err
	}
	return explained, nil
}

// EventOutcomes counts what became of events.
func (s *Store) EventOutcomes(ctx context.Context, ids []bellwire.EventID, limit int) (map[bellwire.EventID]*bellwire.EventOutcomes, error) {
	firsts, lasts := make([][16]byte, len(ids)), make([][16]byte, len(ids))
	for i, id := range ids {
		first, last := bellwire.DeliveriesOf(id)
		firsts[i], lasts[i] = first, last
	}
	var outcomes map[bellwire.EventID]*bellwire.EventOutcomes
	err := s.list(ctx, func(tx *tx) error {
		read, found := make([]int, len(ids)), make([]map[int64]*bellwire.Delivery, len(ids))
		var (
			place, endpoint int64
			status          int16
			row             bellwire.Delivery
		)
		into := []any{&place, (*[16]byte)(&row.ID), &endpoint, &status, &row.CreatedAt}
		_, err := pgx.ForEachRow(tx.query(sqlOutcomes, firsts, lasts, limit+1), into, func() error {
			i, d := place-1, row
			d.Status = codec.Status(status)
			if found[i] == nil {
				found[i] = make(map[int64]*bellwire.Delivery)
			}
			if other := found[i][endpoint]; other == nil || d.Supersedes(other) {
				found[i][endpoint] = &d
			}
			read[i]++
			return nil
		})
		outcomes = make(map[bellwire.EventID]*bellwire.EventOutcomes, len(ids))
		for i, id := range ids {
			if read[i] > 0 {
				outcomes[id] = bellwire.CountOutcomes(maps.Values(found[i]), read[i] > limit)
			}
		}
		return err
	})
	return outcomes, err
}

// explainDeliveries adds the deliveries of the event to its endpoints.
func (t *tx) explainDeliveries(tenant string, e *bellwire.Explained) error {
	places, names := make(map[string]*bellwire.EndpointAt), []string{}
	for _, at := range e.Endpoints.Items {
		places[at.Endpoint], names = at, append(names, at.Endpoint)
	}
	first, last := bellwire.DeliveriesOf(e.Event.ID)
	rows := t.query(sqlDeliveriesTo, tenant, [16]byte(first), [16]byte(last), names)
	defer rows.Close()
	for rows.Next() {
		d, _, err := scanDelivery(rows)
		if err != nil {
			return err
		}
		if at := places[d.Endpoint]; at.Delivery == nil || d.Supersedes(at.Delivery) {
			at.Delivery = d
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := t.explainBehind(e.Endpoints.Items); err != nil {
		return err
	}
	var stored int
	if err := t.row(sqlCountDeliveries, [16]byte(first), [16]byte(last)).Scan(&stored); err != nil {
		return err
	}
	e.FanningOut = stored < e.Event.Deliveries
	return t.row(sqlIsUnmatched, [16]byte(e.Event.ID)).Scan(&e.Unmatched)
}

// explainBehind adds the deliveries that others are behind.
func (t *tx) explainBehind(endpoints []*bellwire.EndpointAt) error {
	var keys keySet
	for _, at := range endpoints {
		if at.Delivery != nil && at.Delivery.Behind {
			keys.add(endpointKey{at.Endpoint, at.Delivery.Key})
		}
	}
	first, err := t.ahead(&keys)
	for _, at := range endpoints {
		if at.Delivery != nil && at.Delivery.Behind {
			at.Ahead = first[endpointKey{at.Endpoint, at.Delivery.Key}]
		}
	}
	return err
}
