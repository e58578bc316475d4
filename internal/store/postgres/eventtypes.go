package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// PutEventType adds or replaces an event type.
func (s *Store) PutEventType(ctx context.Context, t *bellwire.EventType) (created bool, err error) {
	older, err := codec.EncodeOlder(t)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(tx *tx) error {
		if err := s.changeOperator(tx); err != nil { // first, so that one at a time does this
			return err
		}
		if created, err = tx.addEventType(t, older); created || err != nil {
			return err
		}
		_, err := tx.replaceEventType(t, older, anyRevision)
		return err
	})
	return created, err
}

// ReplaceEventType replaces an event type, if it is still at t.Revision.
func (s *Store) ReplaceEventType(ctx context.Context, t *bellwire.EventType) error {
	older, err := codec.EncodeOlder(t)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) (err error) {
		if err := s.changeOperator(tx); err != nil {
			return err
		}
		var done bool
		if t.Revision == 0 {
			done, err = tx.addEventType(t, older)
		} else {
			done, err = tx.replaceEventType(t, older, t.Revision)
		}
		if err == nil && !done {
			err = rules.StaleVersion("event type", t.Name)
		}
		return err
	})
}

// newSince is the since of an event type's newest version.
const newSince = "CASE WHEN $8 < 0 THEN (" + sqlOperatorRevision + ") ELSE $8 END"

// addEventType adds an event type, unless there is one with the name.
func (t *tx) addEventType(e *bellwire.EventType, older string) (added bool, err error) {
	n, err := t.change(`INSERT INTO bellwire.event_types (name, grouping, description, schema, example, archived, updated_at, since, older, created_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, `+newSince+`, $9, $10, (`+sqlOperatorRevision+`)) ON CONFLICT (name) DO NOTHING`,
		e.Name, e.Group, e.Description, []byte(e.Schema), []byte(e.Example), e.Archived, e.UpdatedAt, e.Since, older, e.CreatedAt)
	return n > 0, err
}

const anyRevision = -1

// replaceEventType replaces an event type, if it is at the revision.
func (t *tx) replaceEventType(e *bellwire.EventType, older string, revision int64) (replaced bool, err error) {
	n, err := t.change(`UPDATE bellwire.event_types SET grouping = $2, description = $3, schema = $4, example = $5, archived = $6, updated_at = $7,
			since = `+newSince+`, older = $9, revision = (`+sqlOperatorRevision+`) WHERE name = $1 AND ($10 < 0 OR revision = $10)`,
		e.Name, e.Group, e.Description, []byte(e.Schema), []byte(e.Example), e.Archived, e.UpdatedAt, e.Since, older, revision)
	return n > 0, err
}

const (
	eventTypeColumns   = "n, name, grouping, description, schema, example, archived, created_at, updated_at, older, since, revision"
	sqlEventType       = "SELECT " + eventTypeColumns + " FROM bellwire.event_types "
	sqlEventTypeByName = sqlEventType + "WHERE name = $1"
	// The sizes are known before anything is read, as of events.
	sqlEventTypes = "SELECT " + eventTypeColumns + ` FROM (
			SELECT f.*, sum(coalesce(octet_length(schema), 0) + coalesce(octet_length(example), 0) + octet_length(older))
				OVER (ORDER BY n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS carried
			FROM (SELECT * FROM bellwire.event_types WHERE n < $1 ORDER BY n DESC LIMIT $2) f
		) t WHERE carried IS NULL OR carried < $3 ORDER BY n DESC`
	sqlCatalogueRevision = "SELECT number, (SELECT number FROM bellwire.meta WHERE name = 'event_types_deleted') FROM bellwire.meta WHERE name = 'operator_revision'"
	sqlCatalogue         = sqlEventType + "ORDER BY n DESC"
	sqlCatalogueSince    = sqlEventType + "WHERE revision > $1 ORDER BY revision DESC"
)

// scanEventType reads a row of sqlEventType.
func scanEventType(row pgx.Row) (*bellwire.EventType, int64, error) {
	var (
		t bellwire.EventType
		n int64

		older string
	)
	err := row.Scan(&n, &t.Name, &t.Group, &t.Description, (*[]byte)(&t.Schema), (*[]byte)(&t.Example), &t.Archived, &t.CreatedAt, &t.UpdatedAt,
		&older, &t.Since, &t.Revision)
	if err != nil {
		return nil, 0, err
	}
	return &t, n, codec.DecodeOlder(&t, older)
}

// EventType finds an event type.
func (s *Store) EventType(ctx context.Context, name string) (*bellwire.EventType, error) {
	var t *bellwire.EventType
	err := s.read(ctx, func(tx *tx) (err error) {
		t, _, err = scanEventType(tx.row(sqlEventTypeByName, name))
		return orNotFound(err, "event type", name)
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// EventTypes lists the event types, newest first.
func (s *Store) EventTypes(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.EventType, int64]{page, scanEventType, codec.RowKey, rules.SizeOfEventType}
	return list.read(ctx, s, sqlEventTypes, before, list.fetch(), int64(page.MostBytes()))
}

// DeleteEventType deletes an event type.
func (s *Store) DeleteEventType(ctx context.Context, name string) error {
	return s.write(ctx, func(tx *tx) error {
		if err := s.changeOperator(tx); err != nil {
			return err
		}
		deleted, err := tx.change("DELETE FROM bellwire.event_types WHERE name = $1", name)
		switch {
		case err != nil:
			return err
		case deleted == 0:
			return bellwire.NotFound("event type", name)
		}
		return tx.exec("UPDATE bellwire.meta SET number = (" + sqlOperatorRevision + ") WHERE name = 'event_types_deleted'")
	})
}

// CatalogueSince returns the changes of event types since a revision. If one was deleted since then, it returns all.
func (s *Store) CatalogueSince(ctx context.Context, revision int64) (*bellwire.CatalogueChanges, error) {
	var changes *bellwire.CatalogueChanges
	err := s.snapshotOn(ctx, s.lookups, func(tx *tx) (err error) {
		changes = &bellwire.CatalogueChanges{Since: revision}
		var deleted int64
		if err := tx.row(sqlCatalogueRevision).Scan(&changes.Revision, &deleted); err != nil {
			return err
		}
		var rows pgx.Rows
		if revision < deleted {
			changes.Since = 0
			rows = tx.query(sqlCatalogue)
		} else {
			rows = tx.query(sqlCatalogueSince, revision)
		}
		changes.Changed, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*bellwire.EventType, error) {
			t, _, err := scanEventType(row)
			return t, err
		})
		return err
	})
	return changes, err
}
