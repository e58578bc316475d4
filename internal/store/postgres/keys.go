package postgres

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// CreateKey adds a key. CodeConflict if the id is taken.
func (s *Store) CreateKey(ctx context.Context, k *bellwire.Key) error {
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.holdOwner(k.Tenant)
		if err != nil {
			return err
		}
		added, err := tx.change(`INSERT INTO bellwire.keys (id, tenant, name, role, hash, sealed, created_at, expires_at, last_used_at, scopes)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			[16]byte(k.ID), owner, k.Name, string(k.Role), k.Hash[:], k.Sealed, k.CreatedAt, orNull(k.ExpiresAt), orNull(k.LastUsedAt), string(k.Scopes))
		if err != nil {
			return err
		}
		if added == 0 {
			return bellwire.Errorf(bellwire.CodeConflict, "key %q already exists", k.ID)
		}
		return s.changeOwner(tx, owner, k.Tenant)
	})
}

// holdOwner returns the number of the tenant that a key belongs to, 0 for the operator.
func (t *tx) holdOwner(tenant string) (int64, error) {
	if tenant == "" {
		return 0, nil
	}
	ref, err := t.holdTenant(tenant)
	return ref.n, err
}

// changeOwner raises the revision of what owns a key.
func (s *Store) changeOwner(tx *tx, owner int64, tenant string) error {
	if owner == 0 {
		return s.changeOperator(tx)
	}
	if _, err := tx.changeTenant(owner); err != nil {
		return err
	}
	return s.notify(tx, message{Tenant: tenant})
}

const (
	sqlKeyColumns = "SELECT k.id, coalesce(t.id, ''), k.name, k.role, k.scopes, k.hash, k.sealed, k.created_at, k.expires_at, k.last_used_at "
	sqlKey        = sqlKeyColumns + `FROM bellwire.keys k LEFT JOIN bellwire.tenants t ON t.n = k.tenant AND t.deleted_at IS NULL
		WHERE k.id = $1 AND (k.tenant = 0 OR t.n IS NOT NULL)`
	sqlKeyByHash = sqlKeyColumns + `FROM bellwire.keys k LEFT JOIN bellwire.tenants t ON t.n = k.tenant AND t.deleted_at IS NULL
		WHERE k.hash = $1 AND (k.tenant = 0 OR t.n IS NOT NULL) ORDER BY k.id DESC LIMIT 1`
	sqlTenantKeys = sqlKeyColumns + `FROM bellwire.tenants t JOIN bellwire.keys k ON k.tenant = t.n
		WHERE t.id = $1 AND t.deleted_at IS NULL AND k.id < $2 ORDER BY k.id DESC LIMIT $3`
	sqlOperatorKeys = `SELECT id, '', name, role, scopes, hash, sealed, created_at, expires_at, last_used_at FROM bellwire.keys
		WHERE tenant = 0 AND id < $1 ORDER BY id DESC LIMIT $2`
)

// scanKey reads a row of the statements above.
func scanKey(row pgx.Row) (*bellwire.Key, bellwire.KeyID, error) {
	var (
		k             bellwire.Key
		hash          []byte
		expires, used *time.Time
	)
	err := row.Scan((*[16]byte)(&k.ID), &k.Tenant, &k.Name, (*string)(&k.Role), (*string)(&k.Scopes), &hash, &k.Sealed, &k.CreatedAt, &expires, &used)
	copy(k.Hash[:], hash)
	k.ExpiresAt, k.LastUsedAt = orZero(expires), orZero(used)
	return &k, k.ID, err
}

// Key finds a key.
func (s *Store) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	return s.findKey(ctx, sqlKey, [16]byte(id), id.String())
}

// KeyByHash finds a key by the hash of its secret.
func (s *Store) KeyByHash(ctx context.Context, hash [32]byte) (*bellwire.Key, error) {
	return s.findKey(ctx, sqlKeyByHash, hash[:], "of that hash")
}

func (s *Store) findKey(ctx context.Context, sql string, by any, name string) (*bellwire.Key, error) {
	var key *bellwire.Key
	err := s.read(ctx, func(tx *tx) (err error) {
		key, _, err = scanKey(tx.row(sql, by))
		return orNotFound(err, "key", name)
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Keys lists the keys of a tenant or of the operator, newest first.
func (s *Store) Keys(ctx context.Context, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.Key], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.Key, bellwire.KeyID]{page, scanKey, idKey[bellwire.KeyID], rules.SizeOfKey}
	if tenant == "" {
		return list.read(ctx, s, sqlOperatorKeys, before, list.fetch())
	}
	return list.read(ctx, s, sqlTenantKeys, tenant, before, list.fetch())
}

// DeleteKey deletes a key of the tenant, or of the operator.
func (s *Store) DeleteKey(ctx context.Context, tenant string, id bellwire.KeyID) error {
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.holdOwner(tenant)
		if err != nil {
			return err
		}
		deleted, err := tx.change("DELETE FROM bellwire.keys WHERE id = $1 AND tenant = $2", [16]byte(id), owner)
		if err != nil {
			return err
		}
		if deleted == 0 {
			return bellwire.NotFound("key", id.String())
		}
		if err := tx.exec(sqlDeleteSessionsOfKey, [16]byte(id)); err != nil {
			return err
		}
		return s.changeOwner(tx, owner, tenant)
	})
}

// Keys are locked in their order, because other nodes store their uses at the same time.
const sqlUseKeys = `UPDATE bellwire.keys k SET last_used_at = u.at
	FROM (SELECT k.id, u.at FROM unnest($1::uuid[], $2::timestamptz[]) u (id, at) JOIN bellwire.keys k ON k.id = u.id
		WHERE k.last_used_at IS NULL OR k.last_used_at < u.at ORDER BY k.id FOR UPDATE OF k) u WHERE k.id = u.id`

// StoreKeyUses stores when keys were last used.
func (s *Store) StoreKeyUses(ctx context.Context, last map[bellwire.KeyID]time.Time) error {
	ids := slices.SortedFunc(maps.Keys(last), func(a, b bellwire.KeyID) int { return bytes.Compare(a[:], b[:]) })
	times := make([]time.Time, len(ids))
	for i, id := range ids {
		times[i] = last[id]
	}
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlUseKeys, uuids(ids), times) })
}
