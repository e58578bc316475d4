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

const (
	sqlAddSession = `INSERT INTO bellwire.sessions (id, kind, tenant, key, key_check, role, capabilities, origins, theme, token, code,
		code_expires_at, created_at, expires_at, last_used_at, address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	// Those that another transaction deletes are left to it: many that sign in at once would wait for each other.
	sqlOldSessionsOfTenant = `DELETE FROM bellwire.sessions WHERE id IN (SELECT id FROM bellwire.sessions WHERE id IN
		(SELECT id FROM bellwire.sessions WHERE kind = $1 AND tenant = $2 ORDER BY id DESC OFFSET $3) FOR UPDATE SKIP LOCKED)`
	sqlOldSessionsOfKey = `DELETE FROM bellwire.sessions WHERE id IN (SELECT id FROM bellwire.sessions WHERE id IN
		(SELECT id FROM bellwire.sessions WHERE kind = $1 AND key = $2 ORDER BY id DESC OFFSET $3) FOR UPDATE SKIP LOCKED)`
	sqlDeleteSessionsOfKey = "DELETE FROM bellwire.sessions WHERE key = $1"
	// The locks keep the tenant and the key from being deleted before the session is there.
	sqlHoldExisting = "SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE"
	sqlHoldKey      = "SELECT true FROM bellwire.keys WHERE id = $1 FOR KEY SHARE"
)

// CreateSession adds a session, and deletes the oldest ones of its owner that are too many.
func (s *Store) CreateSession(ctx context.Context, session *bellwire.Session, most int) error {
	columns, err := codec.EncodeSession(session)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.holdSessionOwner(session)
		if err != nil {
			return err
		}
		tx.queueLast(sqlAddSession, [16]byte(session.ID), string(session.Kind), owner, [16]byte(session.Key), session.KeyCheck,
			string(session.Role), columns.Capabilities, columns.Origins, columns.Theme, orNoHash(session.Token), orNoHash(session.Code),
			orNull(session.CodeExpiresAt), session.CreatedAt, session.ExpiresAt, orNull(session.LastUsedAt), session.Address, session.UserAgent)
		if session.Kind == bellwire.SessionPortal {
			tx.queueLast(sqlOldSessionsOfTenant, string(session.Kind), owner, most)
			return nil
		}
		tx.queueLast(sqlOldSessionsOfKey, string(session.Kind), [16]byte(session.Key), most)
		return nil
	})
}

// holdSessionOwner returns the number of the session's tenant, 0 for the console, and keeps it and the key from being deleted before
// the session is there. The configured admin key, whose id is zero, has no row.
func (t *tx) holdSessionOwner(session *bellwire.Session) (owner int64, err error) {
	if session.Tenant != "" {
		err = orNotFound(t.row(sqlHoldExisting, session.Tenant).Scan(&owner), "tenant", session.Tenant)
	}
	if err != nil || session.Key.IsZero() {
		return owner, err
	}
	var there bool
	return owner, orNotFound(t.row(sqlHoldKey, [16]byte(session.Key)).Scan(&there), "key", session.Key.String())
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
	sqlSession = sqlSessionColumns + `FROM bellwire.sessions s LEFT JOIN bellwire.tenants t ON t.n = s.tenant AND t.deleted_at IS NULL
		WHERE s.id = $1 AND (s.tenant = 0 OR t.n IS NOT NULL)`
	sqlTenantSessions = sqlSessionColumns + `FROM bellwire.tenants t JOIN bellwire.sessions s ON s.kind = $1 AND s.tenant = t.n
		WHERE t.id = $2 AND t.deleted_at IS NULL AND s.id < $3 AND s.expires_at > $4 ORDER BY s.id DESC LIMIT $5`
	sqlConsoleSessions = `SELECT id, kind, '', key, key_check, role, capabilities, origins, theme, token, code,
		code_expires_at, created_at, expires_at, last_used_at, address, user_agent FROM bellwire.sessions
		WHERE kind = $1 AND tenant = 0 AND id < $2 AND expires_at > $3 ORDER BY id DESC LIMIT $4`
)

// scanSession reads a row of the statements above.
func scanSession(row pgx.Row) (*bellwire.Session, bellwire.SessionID, error) {
	var (
		s                bellwire.Session
		columns          codec.Session
		token, code      []byte
		codeExpires, use *time.Time
	)
	err := row.Scan((*[16]byte)(&s.ID), (*string)(&s.Kind), &s.Tenant, (*[16]byte)(&s.Key), &s.KeyCheck, (*string)(&s.Role),
		&columns.Capabilities, &columns.Origins, &columns.Theme, &token, &code, &codeExpires, &s.CreatedAt, &s.ExpiresAt, &use,
		&s.Address, &s.UserAgent)
	if err != nil {
		return nil, s.ID, err
	}
	copy(s.Token[:], token)
	copy(s.Code[:], code)
	s.CodeExpiresAt, s.LastUsedAt = orZero(codeExpires), orZero(use)
	return &s, s.ID, codec.DecodeSession(&s, columns)
}

// Session finds a session.
func (s *Store) Session(ctx context.Context, id bellwire.SessionID) (session *bellwire.Session, err error) {
	err = s.read(ctx, func(tx *tx) error {
		session, _, err = scanSession(tx.row(sqlSession, [16]byte(id)))
		return orNotFound(err, "session", id.String())
	})
	if err != nil {
		return nil, err
	}
	return session, nil
}

const (
	// Sessions are locked in their order, because other nodes store their uses at the same time.
	sqlUseSessions = `UPDATE bellwire.sessions s SET last_used_at = u.at
		FROM (SELECT s.id, u.at FROM unnest($1::uuid[], $2::timestamptz[]) u (id, at) JOIN bellwire.sessions s ON s.id = u.id
			WHERE s.last_used_at IS NULL OR s.last_used_at < u.at ORDER BY s.id FOR UPDATE OF s) u WHERE s.id = u.id`
	sqlExchange = "UPDATE bellwire.sessions SET token = $1, address = $2, user_agent = $3, last_used_at = $4 WHERE id = $5"
)

// ExchangeSession exchanges the code of a session for its token.
func (s *Store) ExchangeSession(ctx context.Context, x *bellwire.Exchange) (session *bellwire.Session, err error) {
	err = s.write(ctx, func(tx *tx) error {
		session, _, err = scanSession(tx.row(sqlSession+" FOR UPDATE OF s", [16]byte(x.Session)))
		if bellwire.CodeOf(orNotFound(err, "session", x.Session.String())) == bellwire.CodeNotFound {
			session, err = nil, nil
		}
		if err != nil {
			return err
		}
		if err := rules.ExchangeSession(session, x); err != nil {
			return err
		}
		tx.queueLast(sqlExchange, x.Token[:], x.Address, x.UserAgent, x.At, [16]byte(x.Session))
		return nil
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
	list := &lister[*bellwire.Session, bellwire.SessionID]{page, scanSession, idKey[bellwire.SessionID], rules.SizeOfSession}
	if f.Tenant == "" {
		return list.read(ctx, s, sqlConsoleSessions, string(f.Kind), before, f.Now, list.fetch())
	}
	return list.read(ctx, s, sqlTenantSessions, string(f.Kind), f.Tenant, before, f.Now, list.fetch())
}

// DeleteSession deletes a session of the tenant, or of the console.
func (s *Store) DeleteSession(ctx context.Context, kind bellwire.SessionKind, tenant string, id bellwire.SessionID) error {
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.holdOwner(tenant)
		if err != nil {
			return err
		}
		deleted, err := tx.change("DELETE FROM bellwire.sessions WHERE id = $1 AND kind = $2 AND tenant = $3", [16]byte(id), string(kind), owner)
		if err == nil && deleted == 0 {
			return bellwire.NotFound("session", id.String())
		}
		return err
	})
}

// StoreSessionUses stores when sessions were last used.
func (s *Store) StoreSessionUses(ctx context.Context, last map[bellwire.SessionID]time.Time) error {
	ids := slices.SortedFunc(maps.Keys(last), func(a, b bellwire.SessionID) int { return bytes.Compare(a[:], b[:]) })
	times := make([]time.Time, len(ids))
	for i, id := range ids {
		times[i] = last[id]
	}
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlUseSessions, uuids(ids), times) })
}
