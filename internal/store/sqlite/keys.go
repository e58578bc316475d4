package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// CreateKey adds a key. CodeConflict if the id is taken.
func (s *Store) CreateKey(ctx context.Context, k *bellwire.Key) error {
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(k.Tenant)
		if err != nil {
			return err
		}
		err = w.query("INSERT INTO keys (id, tenant, name, role, scopes, hash, sealed, created_at, expires_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").
			blob(k.ID[:]).int(owner).text(k.Name).text(string(k.Role)).text(string(k.Scopes)).blob(k.Hash[:]).blob(k.Sealed).time(k.CreatedAt).timeOrNull(k.ExpiresAt).
			timeOrNull(k.LastUsedAt).exec()
		if isConflict(err) {
			return bellwire.Errorf(bellwire.CodeConflict, "key %q already exists", k.ID)
		}
		if err != nil {
			return err
		}
		return w.changeOwner(owner)
	})
}

// owner returns the number of the tenant that a key belongs to, 0 for the operator.
func (w *writer) owner(tenant string) (int64, error) {
	if tenant == "" {
		return 0, nil
	}
	ref, err := w.tenant(tenant)
	return ref.n, err
}

// changeOwner raises the revision of what owns a key.
func (w *writer) changeOwner(owner int64) error {
	if owner == 0 {
		return w.changeOperator()
	}
	_, err := w.changeTenant(owner)
	return err
}

const (
	sqlKeyColumns = "SELECT k.id, coalesce(t.id, ''), k.name, k.role, k.scopes, k.hash, k.sealed, k.created_at, k.expires_at, k.last_used_at "
	sqlKey        = sqlKeyColumns + `FROM keys k LEFT JOIN tenants t ON t.n = k.tenant AND t.deleted_at IS NULL
		WHERE k.id = ? AND (k.tenant = 0 OR t.n IS NOT NULL)`
	sqlKeyByHash = sqlKeyColumns + `FROM keys k LEFT JOIN tenants t ON t.n = k.tenant AND t.deleted_at IS NULL
		WHERE k.hash = ? AND (k.tenant = 0 OR t.n IS NOT NULL) ORDER BY k.id DESC LIMIT 1`
	sqlTenantKeys = sqlKeyColumns + `FROM tenants t JOIN keys k ON k.tenant = t.n
		WHERE t.id = ? AND t.deleted_at IS NULL AND k.id < ? ORDER BY k.id DESC LIMIT +?`
	sqlOperatorKeys = "SELECT id, '', name, role, scopes, hash, sealed, created_at, expires_at, last_used_at FROM keys WHERE tenant = 0 AND id < ? ORDER BY id DESC LIMIT +?"
)

// scanKey reads a row of the statements above.
func scanKey(q *query) (*bellwire.Key, bellwire.KeyID, error) {
	k := new(bellwire.Key)
	q.getBytes(k.ID[:])
	k.Tenant, k.Name, k.Role, k.Scopes = q.getText(), q.getText(), bellwire.Role(q.getText()), bellwire.Scopes(q.getText())
	q.getBytes(k.Hash[:])
	k.Sealed, k.CreatedAt, k.ExpiresAt, k.LastUsedAt = q.getBlob(), q.getTime(), q.getTimeOrZero(), q.getTimeOrZero()
	return k, k.ID, nil
}

// Key finds a key.
func (s *Store) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	return s.findKey(ctx, sqlKey, id[:], id.String())
}

// KeyByHash finds a key by the hash of its secret.
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (*bellwire.Key, error) {
	return s.findKey(ctx, sqlKeyByHash, hash[:], "of that hash")
}

func (s *Store) findKey(ctx context.Context, sql string, by []byte, name string) (key *bellwire.Key, err error) {
	err = s.read(ctx, func(c *db) error {
		q := c.query(sql).blob(by)
		if found, err := q.one(); err != nil {
			return err
		} else if !found {
			return bellwire.NotFound("key", name)
		}
		key, _, _ = scanKey(q)
		return q.close()
	})
	return key, err
}

// Keys lists the keys of a tenant or of the operator, newest first.
func (s *Store) Keys(ctx context.Context, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.Key], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanKey, func(id bellwire.KeyID) []byte { return id[:] }, rules.SizeOfKey)
	return list.read(ctx, s, func(c *db) *query {
		if tenant == "" {
			return c.query(sqlOperatorKeys).blob(before[:]).int(list.fetch())
		}
		return c.query(sqlTenantKeys).text(tenant).blob(before[:]).int(list.fetch())
	})
}

// DeleteKey deletes a key of the tenant, or of the operator.
func (s *Store) DeleteKey(ctx context.Context, tenant string, id bellwire.KeyID) error {
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(tenant)
		if err != nil {
			return err
		}
		if err := w.query("DELETE FROM keys WHERE id = ? AND tenant = ?").blob(id[:]).int(owner).exec(); err != nil {
			return err
		}
		if w.conn.Changes() == 0 {
			return bellwire.NotFound("key", id.String())
		}
		if err := w.query(sqlDeleteSessionsOfKey).blob(id[:]).exec(); err != nil {
			return err
		}
		return w.changeOwner(owner)
	})
}

const sqlUseKey = "UPDATE keys SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at < ?1)"

// StoreKeyUses stores when keys were last used.
func (s *Store) StoreKeyUses(ctx context.Context, last map[bellwire.KeyID]time.Time) error {
	return s.write(ctx, func(w *writer) error {
		for id, at := range last {
			if err := w.query(sqlUseKey).time(at).blob(id[:]).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}
