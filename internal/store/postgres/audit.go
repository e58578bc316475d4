package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlCountAudit = "UPDATE bellwire.audit SET count = count + 1, last_at = greatest(last_at, $1) WHERE digest = $2"
	sqlAddToDay   = `INSERT INTO bellwire.audit_days AS d (day, tenant, entries) VALUES ($1, $2, 1)
		ON CONFLICT (day, tenant) DO UPDATE SET entries = d.entries + 1 WHERE $3::bigint = 0 OR d.entries < $3`
	// Another node may have added an equal one meanwhile.
	sqlAddAudit = `INSERT INTO bellwire.audit AS a (id, digest, at, last_at, tenant, key, method, path, principal, justification, expires_at)
		VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (digest) WHERE digest IS NOT NULL DO UPDATE SET count = a.count + 1, last_at = greatest(a.last_at, excluded.last_at)`
)

// AppendAudit adds an entry, or counts the request in the entry of its equals.
func (s *Store) AppendAudit(ctx context.Context, e *bellwire.AuditEntry, perDay int) error {
	digest := e.Digest()
	return s.write(ctx, func(tx *tx) error {
		counted, err := tx.change(sqlCountAudit, e.At, digest[:])
		if err != nil || counted > 0 {
			return err
		}
		fits, err := tx.change(sqlAddToDay, e.Day(), e.Tenant, int64(perDay))
		if err != nil {
			return err
		}
		if fits == 0 {
			return rules.AuditFull(e, perDay)
		}
		return tx.exec(sqlAddAudit, [16]byte(e.ID), digest[:], e.At, e.Tenant, [16]byte(e.Key), e.Method, e.Path, e.Principal,
			e.Justification, e.ExpiresAt)
	})
}

const (
	sqlAudit         = "SELECT n, id, at, last_at, count, tenant, key, method, path, principal, justification, expires_at FROM bellwire.audit "
	sqlAuditAll      = sqlAudit + "WHERE n < $1 ORDER BY n DESC LIMIT $2"
	sqlAuditOfTenant = sqlAudit + "WHERE tenant = $1 AND n < $2 ORDER BY n DESC LIMIT $3"
)

// scanAudit reads a row of sqlAudit.
func scanAudit(row pgx.Row) (*bellwire.AuditEntry, int64, error) {
	var (
		e bellwire.AuditEntry
		n int64
	)
	err := row.Scan(&n, (*[16]byte)(&e.ID), &e.At, &e.LastAt, &e.Count, &e.Tenant, (*[16]byte)(&e.Key), &e.Method, &e.Path, &e.Principal, &e.Justification, &e.ExpiresAt)
	return &e, n, err
}

// AuditEntries lists entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.AuditEntry, int64]{page, scanAudit, codec.RowKey, rules.SizeOfAuditEntry}
	if tenant == "" {
		return list.read(ctx, s, sqlAuditAll, before, list.fetch())
	}
	return list.read(ctx, s, sqlAuditOfTenant, tenant, before, list.fetch())
}

// UseNonce notes a nonce. CodeConflict if it was used before.
func (s *Store) UseNonce(ctx context.Context, key bellwire.KeyID, nonce string, until time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		added, err := tx.change("INSERT INTO bellwire.nonces (key, nonce, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			[16]byte(key), nonce, until)
		if err == nil && added == 0 {
			err = bellwire.Errorf(bellwire.CodeConflict, "key %s has used this nonce before", key)
		}
		return err
	})
}
