package sqlite

import (
	"context"

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
	err = s.write(ctx, func(w *writer) error {
		revision, err := w.eventTypeRevision(t.Name)
		if err != nil {
			return err
		}
		created = revision == 0
		return w.putEventType(t, older)
	})
	return created, err
}

// ReplaceEventType replaces an event type, if it is still at t.Revision.
func (s *Store) ReplaceEventType(ctx context.Context, t *bellwire.EventType) error {
	older, err := codec.EncodeOlder(t)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error {
		revision, err := w.eventTypeRevision(t.Name)
		if err != nil {
			return err
		}
		if revision != t.Revision {
			return rules.StaleVersion("event type", t.Name)
		}
		return w.putEventType(t, older)
	})
}

// eventTypeRevision returns the revision of an event type, 0 if it does not exist.
func (w *writer) eventTypeRevision(name string) (revision int64, err error) {
	revision, _, err = w.query("SELECT revision FROM event_types WHERE name = ?").text(name).scalar()
	return revision, err
}

func (w *writer) putEventType(t *bellwire.EventType, older string) error {
	return firstError(
		w.changeOperator(),
		w.query(`INSERT INTO event_types (name, grouping, description, schema, example, archived, created_at, updated_at, older, since, revision)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, CASE WHEN ?10 < 0 THEN `+sqlOperatorRevision+` ELSE ?10 END, `+sqlOperatorRevision+`)
			ON CONFLICT (name) DO UPDATE SET grouping = excluded.grouping, description = excluded.description,
				schema = excluded.schema, example = excluded.example, archived = excluded.archived,
				updated_at = excluded.updated_at, older = excluded.older, since = excluded.since, revision = excluded.revision`).
			text(t.Name).text(t.Group).text(t.Description).blob(t.Schema).blob(t.Example).bool(t.Archived).
			time(t.CreatedAt).time(t.UpdatedAt).text(older).int(t.Since).exec(),
	)
}

const sqlEventType = "SELECT n, name, grouping, description, schema, example, archived, created_at, updated_at, older, since, revision FROM event_types "

// scanEventType reads a row of sqlEventType.
func scanEventType(q *query) (*bellwire.EventType, int64, error) {
	n := q.getInt()
	t := &bellwire.EventType{
		Name: q.getText(), Group: q.getText(), Description: q.getText(),
		Schema: q.getBlob(), Example: q.getBlob(), Archived: q.getBool(),
		CreatedAt: q.getTime(), UpdatedAt: q.getTime(),
	}
	err := codec.DecodeOlder(t, q.getText())
	t.Since, t.Revision = q.getInt(), q.getInt()
	return t, n, err
}

// EventType finds an event type.
func (s *Store) EventType(ctx context.Context, name string) (*bellwire.EventType, error) {
	var found *bellwire.EventType
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlEventType + "WHERE name = ?").text(name)
		ok, err := q.one()
		if err != nil {
			return err
		}
		if !ok {
			return bellwire.NotFound("event type", name)
		}
		found, _, err = scanEventType(q)
		return firstError(err, q.close())
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
			t, _, err := scanEventType(q)
			if err != nil {
				return firstError(err, q.close())
			}
			changes.Changed = append(changes.Changed, t)
		}
		return q.err
	}))
	return changes, err
}
