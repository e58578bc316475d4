package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/store/columns"
)

// AppendAudit adds an entry.
func (s *Store) AppendAudit(ctx context.Context, e *bellwire.AuditEntry) error {
	return s.write(ctx, func(w *writer) error {
		return w.query(`INSERT INTO audit (id, at, tenant, key, method, path, principal, justification, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).
			blob(e.ID[:]).time(e.At).text(e.Tenant).blob(e.Key[:]).text(e.Method).text(e.Path).
			text(e.Principal).text(e.Justification).time(e.ExpiresAt).exec()
	})
}

const (
	sqlAudit         = "SELECT n, id, at, tenant, key, method, path, principal, justification, expires_at FROM audit "
	sqlAuditAll      = sqlAudit + "WHERE n < ? ORDER BY n DESC LIMIT +?"
	sqlAuditOfTenant = sqlAudit + "WHERE tenant = ? AND n < ? ORDER BY n DESC LIMIT +?"
)

// scanAudit reads a row of sqlAudit.
func scanAudit(q *query) (*bellwire.AuditEntry, int64, error) {
	n := q.getInt()
	e := new(bellwire.AuditEntry)
	q.getBytes(e.ID[:])
	e.At, e.Tenant = q.getTime(), q.getText()
	q.getBytes(e.Key[:])
	e.Method, e.Path, e.Principal, e.Justification = q.getText(), q.getText(), q.getText(), q.getText()
	e.ExpiresAt = q.getTime()
	return e, n, nil
}

// AuditEntries lists entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, tenant string, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	before, err := columns.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanAudit, columns.RowKey)
	return list.read(ctx, s, func(c *db) *query {
		if tenant == "" {
			return c.query(sqlAuditAll).int(before).int(list.fetch())
		}
		return c.query(sqlAuditOfTenant).text(tenant).int(before).int(list.fetch())
	})
}

// UseNonce notes a nonce. CodeConflict if it was used before.
func (s *Store) UseNonce(ctx context.Context, key bellwire.KeyID, nonce string, until time.Time) error {
	return s.write(ctx, func(w *writer) error {
		err := w.query("INSERT INTO nonces (key, nonce, expires_at) VALUES (?, ?, ?)").
			blob(key[:]).text(nonce).time(until).exec()
		if isConflict(err) {
			return bellwire.Errorf(bellwire.CodeConflict, "The key %s has used this nonce before.", key)
		}
		return err
	})
}
