package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlCountAudit = "UPDATE audit SET count = count + 1, last_at = max(last_at, ?) WHERE digest = ?"
	sqlAddToDay   = `INSERT INTO audit_days (day, tenant, entries) VALUES (?1, ?2, 1)
		ON CONFLICT DO UPDATE SET entries = entries + 1 WHERE ?3 = 0 OR entries < ?3`
	sqlAddAudit = `INSERT INTO audit (id, digest, at, last_at, tenant, key, method, path, principal, justification, expires_at, action, subject, refused, actor, before, after)
		VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)`
)

// AppendAudit adds an entry, or counts the request in the entry of its equals.
func (s *Store) AppendAudit(ctx context.Context, e *bellwire.AuditEntry, perDay int) error {
	digest := e.Digest()
	return s.write(ctx, func(w *writer) error {
		err := w.query(sqlCountAudit).time(e.At).blob(digest[:]).exec()
		if err != nil || w.conn.Changes() > 0 {
			return err
		}
		err = w.query(sqlAddToDay).int(e.Day()).text(rules.AuditCounter(e)).int(int64(perDay)).exec()
		if err != nil {
			return err
		}
		if w.conn.Changes() == 0 {
			return rules.AuditFull(e, perDay)
		}
		return w.addAudit(e, digest[:])
	})
}

// addAudit adds an entry. digest is nil for a change.
func (w *writer) addAudit(e *bellwire.AuditEntry, digest []byte) error {
	actor, before, after, err := codec.EncodeAudit(e)
	if err != nil {
		return err
	}
	return w.query(sqlAddAudit).blob(e.ID[:]).blob(digest).time(e.At).text(e.Tenant).blob(e.Key[:]).text(e.Method).
		text(e.Path).text(e.Principal).text(e.Justification).time(e.ExpiresAt).text(e.Action).text(e.Subject).text(string(e.Refused)).text(actor).text(before).text(after).exec()
}

// auditing returns run, which also adds its change to the audit log.
func auditing(change *bellwire.AuditedChange, run func(*writer) error) func(*writer) error {
	return func(w *writer) error {
		if err := run(w); err != nil {
			return err
		}
		e := change.Entry
		err := w.query(sqlAddToDay).int(e.Day()).text(rules.AuditCounter(e)).int(int64(change.PerDay)).exec()
		if err != nil || w.conn.Changes() == 0 {
			return err
		}
		return w.addAudit(e, nil)
	}
}

const (
	sqlAudit = `SELECT n, id, at, last_at, count, tenant, key, method, path, principal, justification, expires_at, action, subject, refused, actor, before, after
		FROM audit WHERE `
	sqlAuditPage = "at >= ? AND (at, n) < (?, ?) ORDER BY at DESC, n DESC LIMIT +?"
)

// scanAudit reads a row of sqlAudit.
func scanAudit(q *query) (*bellwire.AuditEntry, codec.AuditPosition, error) {
	n := q.getInt()
	e := new(bellwire.AuditEntry)
	q.getBytes(e.ID[:])
	e.At, e.LastAt, e.Count, e.Tenant = q.getTime(), q.getTime(), int(q.getInt()), q.getText()
	q.getBytes(e.Key[:])
	e.Method, e.Path, e.Principal, e.Justification = q.getText(), q.getText(), q.getText(), q.getText()
	e.ExpiresAt, e.Action, e.Subject, e.Refused = q.getTime(), q.getText(), q.getText(), bellwire.Code(q.getText())
	return e, codec.AuditPosition{At: e.At, N: n}, codec.DecodeAudit(e, q.getText(), q.getText(), q.getText())
}

// AuditEntries lists entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, f bellwire.AuditFilter, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	before, err := codec.CursorOfAudit(page.After, f.Until)
	if err != nil {
		return nil, err
	}
	where := ""
	if f.Tenant != "" {
		where += "tenant = ? AND "
	}
	if !f.Key.IsZero() {
		where += "key = ? AND "
	}
	since := f.Since
	if since.IsZero() {
		since = time.Unix(0, 0)
	}
	list := newLister(page, scanAudit, codec.AuditPosition.Key, rules.SizeOfAuditEntry)
	return list.read(ctx, s, func(c *db) *query {
		q := c.query(sqlAudit + where + sqlAuditPage)
		if f.Tenant != "" {
			q = q.text(f.Tenant)
		}
		if !f.Key.IsZero() {
			q = q.blob(f.Key[:])
		}
		return q.time(since).time(before.At).int(before.N).int(list.fetch())
	})
}

// UseNonce notes a nonce. CodeConflict if it was used before.
func (s *Store) UseNonce(ctx context.Context, key bellwire.KeyID, nonce string, until time.Time) error {
	return s.write(ctx, func(w *writer) error {
		err := w.query("INSERT INTO nonces (key, nonce, expires_at) VALUES (?, ?, ?)").
			blob(key[:]).text(nonce).time(until).exec()
		if isConflict(err) {
			return bellwire.Errorf(bellwire.CodeConflict, "the key %s has used this nonce before", key)
		}
		return err
	})
}
