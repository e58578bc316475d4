package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// PutEventType adds or replaces an event type.
func (s *Store) PutEventType(ctx context.Context, t *bellwire.EventType) (created bool, err error) {
	err = s.write(ctx, func(w *writer) error {
		_, found, err := w.query("SELECT 1 FROM event_types WHERE name = ?").text(t.Name).scalar()
		if err != nil {
			return err
		}
		created = !found
		if err := w.changeOperator(); err != nil {
			return err
		}
		return w.query(`INSERT INTO event_types (name, grouping, description, schema, example, archived, created_at, updated_at, revision)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ` + sqlOperatorRevision + `)
			ON CONFLICT (name) DO UPDATE SET grouping = excluded.grouping, description = excluded.description,
				schema = excluded.schema, example = excluded.example, archived = excluded.archived,
				updated_at = excluded.updated_at, revision = excluded.revision`).
			text(t.Name).text(t.Group).text(t.Description).blob(t.Schema).blob(t.Example).bool(t.Archived).
			time(t.CreatedAt).time(t.UpdatedAt).exec()
	})
	return created, err
}

// ReplaceEventType replaces an event type, if it was last updated at the given time.
func (s *Store) ReplaceEventType(ctx context.Context, t *bellwire.EventType, updatedAt time.Time) error {
	return s.write(ctx, func(w *writer) error {
		_, found, err := w.query("SELECT 1 FROM event_types WHERE name = ? AND updated_at = ?").text(t.Name).time(updatedAt).scalar()
		if err != nil {
			return err
		}
		if !found {
			return rules.StaleVersion("event type", t.Name)
		}
		return firstError(
			w.changeOperator(),
			w.query(`UPDATE event_types SET grouping = ?, description = ?, schema = ?, example = ?, archived = ?, updated_at = ?,
				revision = `+sqlOperatorRevision+` WHERE name = ?`).
				text(t.Group).text(t.Description).blob(t.Schema).blob(t.Example).bool(t.Archived).time(t.UpdatedAt).text(t.Name).exec(),
		)
	})
}

const sqlEventType = "SELECT n, name, grouping, description, schema, example, archived, created_at, updated_at FROM event_types "

// scanEventType reads a row of sqlEventType.
func scanEventType(q *query) (*bellwire.EventType, int64, error) {
	n := q.getInt()
	return &bellwire.EventType{
		Name: q.getText(), Group: q.getText(), Description: q.getText(),
		Schema: q.getBlob(), Example: q.getBlob(), Archived: q.getBool(),
		CreatedAt: q.getTime(), UpdatedAt: q.getTime(),
	}, n, nil
}

// EventType finds an event type.
func (s *Store) EventType(ctx context.Context, name string) (*bellwire.EventType, error) {
	var found *bellwire.EventType
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlEventType + "WHERE name = ?").text(name)
		if ok, err := q.one(); err != nil {
			return err
		} else if !ok {
			return bellwire.NotFound("event type", name)
		}
		found, _, _ = scanEventType(q)
		return q.close()
	})
	return found, err
}

// EventTypes lists the event types, newest first.
func (s *Store) EventTypes(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanEventType, codec.RowKey, rules.SizeOfEventType)
	return list.read(ctx, s, func(c *db) *query {
		return c.query(sqlEventType + "WHERE n < ? ORDER BY n DESC LIMIT +?").int(before).int(list.fetch())
	})
}

// DeleteEventType deletes an event type.
func (s *Store) DeleteEventType(ctx context.Context, name string) error {
	return s.write(ctx, func(w *writer) error {
		if err := w.query("DELETE FROM event_types WHERE name = ?").text(name).exec(); err != nil {
			return err
		}
		if w.conn.Changes() == 0 {
			return bellwire.NotFound("event type", name)
		}
		if err := w.changeOperator(); err != nil {
			return err
		}
		return w.query("UPDATE meta SET value = " + sqlOperatorRevision + " WHERE name = 'event_types_deleted'").exec()
	})
}

const (
	sqlOperatorRevision  = "(SELECT value FROM meta WHERE name = 'operator_revision')"
	sqlCatalogueRevision = "SELECT value, (SELECT value FROM meta WHERE name = 'event_types_deleted') FROM meta WHERE name = 'operator_revision'"
	sqlCatalogue         = sqlEventType + "ORDER BY n DESC"
	sqlCatalogueSince    = sqlEventType + "WHERE revision > ? ORDER BY revision DESC"
)

// CatalogueSince returns the changes of event types since a revision. If one was deleted since then, it returns all.
func (s *Store) CatalogueSince(ctx context.Context, revision int64) (*bellwire.CatalogueChanges, error) {
	var changes *bellwire.CatalogueChanges
	err := s.read(ctx, snapshot(func(c *db) error {
		q := c.query(sqlCatalogueRevision)
		if _, err := q.one(); err != nil {
			return err
		}
		changes = &bellwire.CatalogueChanges{Revision: q.getInt(), Since: revision}
		deleted := q.getInt()
		if err := q.close(); err != nil {
			return err
		}
		if revision < deleted {
			changes.Since = 0
			q = c.query(sqlCatalogue)
		} else {
			q = c.query(sqlCatalogueSince).int(revision)
		}
		for q.next() {
			t, _, _ := scanEventType(q)
			changes.Changed = append(changes.Changed, t)
		}
		return q.err
	}))
	return changes, err
}
