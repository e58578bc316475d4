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
		ON CONFLICT (day, tenant) DO UPDATE SET entries = d.entries + 1 WHERE d.entries < $3`
	// Another node may have added an equal one meanwhile.
	sqlAddAudit = intoAudit + ` VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (digest) WHERE digest IS NOT NULL DO UPDATE SET count = a.count + 1, last_at = greatest(a.last_at, excluded.last_at)`
	// sqlAddUnlessFull adds an entry unless the day is full.
	sqlAddUnlessFull = `WITH counted AS (
			INSERT INTO bellwire.audit_days AS d (day, tenant, entries) VALUES ($17, $18, 1)
			ON CONFLICT (day, tenant) DO UPDATE SET entries = d.entries + 1 WHERE d.entries < $19 RETURNING true
		) ` + intoAudit + ` SELECT $1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM counted`
	intoAudit = `INSERT INTO bellwire.audit AS a (id, digest, at, last_at, tenant, key, method, path, principal, justification, expires_at,
		action, subject, refused, actor, before, after)`
)

// AppendAudit adds an entry, or counts the request in the entry of its equals.
func (s *Store) AppendAudit(ctx context.Context, e *bellwire.AuditEntry, perDay int) error {
	digest := e.Digest()
	return s.write(ctx, func(tx *tx) error {
		counted, err := tx.change(sqlCountAudit, e.At, digest[:])
		if err != nil || counted > 0 {
			return err
		}
		if perDay > 0 {
			fits, err := tx.change(sqlAddToDay, e.Day(), rules.AuditCounter(e), int64(perDay))
			if err != nil {
				return err
			}
			if fits == 0 {
				return rules.AuditFull(e, perDay)
			}
		}
		row, err := auditRow(e, digest[:])
		if err != nil {
			return err
		}
		tx.queueLast(sqlAddAudit, row...)
		return nil
	})
}

// auditRow returns the values of an entry's columns. digest is nil for a change.
func auditRow(e *bellwire.AuditEntry, digest []byte) ([]any, error) {
	actor, before, after, err := codec.EncodeAudit(e)
	return []any{
		[16]byte(e.ID), digest, e.At, e.Tenant, [16]byte(e.Key), e.Method, e.Path, e.Principal,
		e.Justification, e.ExpiresAt, e.Action, e.Subject, string(e.Refused), actor, before, after,
	}, err
}

// auditing returns f, which also adds the change of the context to the audit log, if there is one. What has no bound is not counted:
// all nodes' changes of the operator's would wait for one row, each for the commit of the one before.
func auditing(ctx context.Context, f func(*tx) error) func(*tx) error {
	change := bellwire.AuditOf(ctx)
	if change == nil {
		return f
	}
	return func(tx *tx) error {
		if err := f(tx); err != nil {
			return err
		}
		e := change.Entry
		row, err := auditRow(e, nil)
		switch {
		case err != nil:
			return err
		case change.PerDay == 0:
			tx.queueLast(sqlAddAudit, row...)
		default:
			tx.queueLast(sqlAddUnlessFull, append(row, e.Day(), rules.AuditCounter(e), int64(change.PerDay))...)
		}
		return nil
	}
}

const sqlAudit = `SELECT n, id, at, last_at, count, tenant, key, method, path, principal, justification, expires_at,
	action, subject, refused, actor, before, after FROM bellwire.audit WHERE `

const (
	sqlAuditAll         = sqlAudit + "at >= $1 AND (at, n) < ($2, $3) ORDER BY at DESC, n DESC LIMIT $4"
	sqlAuditOfTenant    = sqlAudit + "tenant = $5 AND at >= $1 AND (at, n) < ($2, $3) ORDER BY at DESC, n DESC LIMIT $4"
	sqlAuditOfKey       = sqlAudit + "key = $5 AND at >= $1 AND (at, n) < ($2, $3) ORDER BY at DESC, n DESC LIMIT $4"
	sqlAuditOfTenantKey = sqlAudit + "tenant = $5 AND key = $6 AND at >= $1 AND (at, n) < ($2, $3) ORDER BY at DESC, n DESC LIMIT $4"
)

// scanAudit reads a row of sqlAudit.
func scanAudit(row pgx.Row) (*bellwire.AuditEntry, codec.AuditPosition, error) {
	var (
		e                    bellwire.AuditEntry
		n                    int64
		actor, before, after string
	)
	err := row.Scan(&n, (*[16]byte)(&e.ID), &e.At, &e.LastAt, &e.Count, &e.Tenant, (*[16]byte)(&e.Key), &e.Method, &e.Path, &e.Principal,
		&e.Justification, &e.ExpiresAt, &e.Action, &e.Subject, (*string)(&e.Refused), &actor, &before, &after)
	if err != nil {
		return nil, codec.AuditPosition{}, err
	}
	return &e, codec.AuditPosition{At: e.At, N: n}, codec.DecodeAudit(&e, actor, before, after)
}

// AuditEntries lists entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, f bellwire.AuditFilter, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	before, err := codec.CursorOfAudit(page.After, f.Until)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.AuditEntry, codec.AuditPosition]{page, scanAudit, codec.AuditPosition.Key, rules.SizeOfAuditEntry}
	args := []any{f.Since, before.At, before.N, list.fetch()}
	switch key := [16]byte(f.Key); {
	case f.Tenant != "" && !f.Key.IsZero():
		return list.read(ctx, s, sqlAuditOfTenantKey, append(args, f.Tenant, key)...)
	case f.Tenant != "":
		return list.read(ctx, s, sqlAuditOfTenant, append(args, f.Tenant)...)
	case !f.Key.IsZero():
		return list.read(ctx, s, sqlAuditOfKey, append(args, key)...)
	}
	return list.read(ctx, s, sqlAuditAll, args...)
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
