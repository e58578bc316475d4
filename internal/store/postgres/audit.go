package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/store/columns"
)

// AppendAudit adds an entry.
func (s *Store) AppendAudit(ctx context.Context, e *bellwire.AuditEntry) error {
	return s.write(ctx, func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.audit (id, at, tenant, key, method, path, principal, justification, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			[16]byte(e.ID), e.At, e.Tenant, [16]byte(e.Key), e.Method, e.Path, e.Principal, e.Justification, e.ExpiresAt)
	})
}

const (
	sqlAudit         = "SELECT n, id, at, tenant, key, method, path, principal, justification, expires_at FROM bellwire.audit "
	sqlAuditAll      = sqlAudit + "WHERE n < $1 ORDER BY n DESC LIMIT $2"
	sqlAuditOfTenant = sqlAudit + "WHERE tenant = $1 AND n < $2 ORDER BY n DESC LIMIT $3"
)

// scanAudit reads a row of sqlAudit.
func scanAudit(row pgx.Rows) (*bellwire.AuditEntry, int64, error) {
	var (
		e bellwire.AuditEntry
		n int64
	)
	err := row.Scan(&n, (*[16]byte)(&e.ID), &e.At, &e.Tenant, (*[16]byte)(&e.Key), &e.Method, &e.Path, &e.Principal, &e.Justification, &e.ExpiresAt)
	return &e, n, err
}

// AuditEntries lists entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	before, err := columns.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.AuditEntry, int64]{page, scanAudit, columns.RowKey}
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
			err = bellwire.Errorf(bellwire.CodeConflict, "The key %s has used this nonce before.", key)
		}
		return err
	})
}
