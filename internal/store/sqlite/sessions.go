package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlAddSession = `INSERT INTO sessions (id, kind, tenant, key, key_check, role, capabilities, origins, theme, token, code, code_expires_at,
		created_at, expires_at, last_used_at, address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlOldSessionsOfTenant = `DELETE FROM sessions WHERE id IN
		(SELECT id FROM sessions WHERE kind = ? AND tenant = ? ORDER BY id DESC LIMIT -1 OFFSET +?)`
	sqlOldSessionsOfKey = `DELETE FROM sessions WHERE id IN
		(SELECT id FROM sessions WHERE kind = ? AND key = ? ORDER BY id DESC LIMIT -1 OFFSET +?)`
	sqlDeleteSessionsOfKey = "DELETE FROM sessions WHERE key = ?"
)

// CreateSession adds a session, and deletes the oldest ones of its owner that are too many.
func (s *Store) CreateSession(ctx context.Context, session *bellwire.Session, most int) error {
	columns, err := codec.EncodeSession(session)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(session.Tenant)
		if err != nil {
			return err
		}
		if err := w.mustHaveKey(session.Key); err != nil {
			return err
		}
		err = w.query(sqlAddSession).blob(session.ID[:]).text(string(session.Kind)).int(owner).blob(session.Key[:]).blob(session.KeyCheck).
			text(string(session.Role)).int(columns.Capabilities).text(columns.Origins).text(columns.Theme).
			blob(orNoHash(session.Token)).blob(orNoHash(session.Code)).timeOrNull(session.CodeExpiresAt).
			time(session.CreatedAt).time(session.ExpiresAt).timeOrNull(session.LastUsedAt).text(session.Address).text(session.UserAgent).exec()
		if err != nil {
			return err
		}
		if session.Kind == bellwire.SessionPortal {
			return w.query(sqlOldSessionsOfTenant).text(string(session.Kind)).int(owner).int(int64(most)).exec()
		}
		return w.query(sqlOldSessionsOfKey).text(string(session.Kind)).blob(session.Key[:]).int(int64(most)).exec()
	})
}

// mustHaveKey returns an error if a key does not exist. The configured admin key, whose id is zero, always does.
func (w *writer) mustHaveKey(id bellwire.KeyID) error {
	if id.IsZero() {
		return nil
	}
	_, found, err := w.query("SELECT 1 FROM keys WHERE id = ?").blob(id[:]).scalar()
	if err == nil && !found {
		return bellwire.NotFound("key", id.String())
	}
	return err
}

// orNoHash returns the bytes of a hash, nil for none.
func orNoHash(hash [32]byte) []byte {
	if hash == [32]byte{} {
		return nil
	}
	return hash[:]
}

const (
	sqlSessionColumns = `SELECT s.id, s.kind, coalesce(t.id, ''), s.key, s.key_check, s.role, s.capabilities, s.origins, s.theme, s.token, s.code,
		s.code_expires_at, s.created_at, s.expires_at, s.last_used_at, s.address, s.user_agent `
	sqlSession = sqlSessionColumns + `FROM sessions s LEFT JOIN tenants t ON t.n = s.tenant AND t.deleted_at IS NULL
		WHERE s.id = ? AND (s.tenant = 0 OR t.n IS NOT NULL)`
	sqlTenantSessions = sqlSessionColumns + `FROM tenants t CROSS JOIN sessions s ON s.kind = ? AND s.tenant = t.n
		WHERE t.id = ? AND t.deleted_at IS NULL AND s.id < ? AND +s.expires_at > ? ORDER BY s.id DESC LIMIT +?`
	sqlConsoleSessions = `SELECT id, kind, '', key, key_check, role, capabilities, origins, theme, token, code,
		code_expires_at, created_at, expires_at, last_used_at, address, user_agent FROM sessions
		WHERE kind = ? AND tenant = 0 AND id < ? AND +expires_at > ? ORDER BY id DESC LIMIT +?`
)

// scanSession reads a row of the statements above.
func scanSession(q *query) (*bellwire.Session, bellwire.SessionID, error) {
	s := new(bellwire.Session)
	q.getBytes(s.ID[:])
	s.Kind, s.Tenant = bellwire.SessionKind(q.getText()), q.getText()
	q.getBytes(s.Key[:])
	s.KeyCheck, s.Role = q.getBlob(), bellwire.Role(q.getText())
	columns := codec.Session{Capabilities: q.getInt(), Origins: q.getText(), Theme: q.getText()}
	copy(s.Token[:], q.getBlob())
	copy(s.Code[:], q.getBlob())
	s.CodeExpiresAt, s.CreatedAt, s.ExpiresAt, s.LastUsedAt = q.getTimeOrZero(), q.getTime(), q.getTime(), q.getTimeOrZero()
	s.Address, s.UserAgent = q.getText(), q.getText()
	return s, s.ID, codec.DecodeSession(s, columns)
}

// session returns a session, nil if there is none.
func (c *db) session(id bellwire.SessionID) (*bellwire.Session, error) {
	q := c.query(sqlSession).blob(id[:])
	if found, err := q.one(); err != nil || !found {
		return nil, err
	}
	session, _, err := scanSession(q)
	return session, firstError(q.close(), err)
}

// Session finds a session.
func (s *Store) Session(ctx context.Context, id bellwire.SessionID) (session *bellwire.Session, err error) {
	err = s.read(ctx, func(c *db) error {
		session, err = c.session(id)
		if err == nil && session == nil {
			return bellwire.NotFound("session", id.String())
		}
		return err
	})
	return session, err
}

const (
	sqlExchange   = "UPDATE sessions SET token = ?, address = ?, user_agent = ?, last_used_at = ? WHERE id = ?"
	sqlUseSession = "UPDATE sessions SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at < ?1)"
)

// ExchangeSession exchanges the code of a session for its token.
func (s *Store) ExchangeSession(ctx context.Context, x *bellwire.Exchange) (session *bellwire.Session, err error) {
	err = s.write(ctx, func(w *writer) error {
		if session, err = w.session(x.Session); err != nil {
			return err
		}
		if err := rules.ExchangeSession(session, x); err != nil {
			return err
		}
		return w.query(sqlExchange).blob(x.Token[:]).text(x.Address).text(x.UserAgent).time(x.At).blob(x.Session[:]).exec()
	})
	if err != nil {
		return nil, err
	}
	return session, nil
}

// Sessions lists sessions, newest first.
func (s *Store) Sessions(ctx context.Context, f bellwire.SessionFilter, page bellwire.Page) (*bellwire.List[*bellwire.Session], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanSession, func(id bellwire.SessionID) []byte { return id[:] }, rules.SizeOfSession)
	return list.read(ctx, s, func(c *db) *query {
		if f.Tenant == "" {
			return c.query(sqlConsoleSessions).text(string(f.Kind)).blob(before[:]).time(f.Now).int(list.fetch())
		}
		return c.query(sqlTenantSessions).text(string(f.Kind)).text(f.Tenant).blob(before[:]).time(f.Now).int(list.fetch())
	})
}

// DeleteSession deletes a session of the tenant, or of the console.
func (s *Store) DeleteSession(ctx context.Context, kind bellwire.SessionKind, tenant string, id bellwire.SessionID) error {
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(tenant)
		if err != nil {
			return err
		}
		if err := w.query("DELETE FROM sessions WHERE id = ? AND kind = ? AND tenant = ?").blob(id[:]).text(string(kind)).int(owner).exec(); err != nil {
			return err
		}
		if w.conn.Changes() == 0 {
			return bellwire.NotFound("session", id.String())
		}
		return nil
	})
}

// StoreSessionUses stores when sessions were last used.
func (s *Store) StoreSessionUses(ctx context.Context, last map[bellwire.SessionID]time.Time) error {
	return s.write(ctx, func(w *writer) error {
		for id, at := range last {
			if err := w.query(sqlUseSession).time(at).blob(id[:]).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}
