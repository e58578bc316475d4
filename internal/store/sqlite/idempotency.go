package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlRequest      = "SELECT digest, begun_at, expires_at, changed, status, answer FROM idempotent_requests WHERE tenant = ? AND key = ?"
	sqlRequestUsage = "SELECT count(*), coalesce(sum(bytes), 0), coalesce(min(expires_at), 0) FROM idempotent_requests WHERE tenant = ?"
	sqlBeginRequest = `INSERT INTO idempotent_requests (tenant, key, digest, try, begun_at, changed, status, answer, bytes, expires_at)
		VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, x'', 0, ?6) ON CONFLICT (tenant, key) DO UPDATE SET digest = ?3, try = ?4, begun_at = ?5,
		changed = 0, status = 0, answer = x'', bytes = 0, expires_at = ?6`
	sqlTriesRequest  = "SELECT 1 FROM idempotent_requests WHERE tenant = ? AND key = ? AND try = ?"
	sqlMarkRequest   = "UPDATE idempotent_requests SET changed = 1 WHERE tenant = ? AND key = ?"
	sqlEndRequest    = "UPDATE idempotent_requests SET status = ?1, answer = ?2, bytes = octet_length(?2) WHERE tenant = ?3 AND key = ?4 AND try = ?5"
	sqlForgetRequest = "DELETE FROM idempotent_requests WHERE tenant = ? AND key = ? AND try = ? AND changed = 0"
)

// BeginRequest begins a request, unless it is known.
func (s *Store) BeginRequest(ctx context.Context, r *bellwire.IdempotentRequest) (*bellwire.Answer, error) {
	var answer *bellwire.Answer
	err := s.write(ctx, func(w *writer) error {
		answer = nil
		owner, err := w.owner(r.Tenant)
		if err != nil {
			return err
		}
		known, err := w.request(owner, r.Key)
		if err != nil {
			return err
		}
		if known != nil {
			if answer, err = known.Repeat(r); err != nil || answer != nil {
				return err
			}
		} else if err := w.roomForRequest(owner, r); err != nil {
			return err
		}
		return w.query(sqlBeginRequest).int(owner).text(r.Key).blob(r.Digest[:]).blob(r.Try[:]).time(r.At).
			time(r.At.Add(bellwire.RequestWindow)).exec()
	})
	return answer, err
}

// request reads a request, nil if there is none.
func (w *writer) request(owner int64, key string) (*rules.StoredRequest, error) {
	q := w.query(sqlRequest).int(owner).text(key)
	if found, err := q.one(); !found {
		return nil, err
	}
	known := new(rules.StoredRequest)
	q.getBytes(known.Digest[:])
	known.BegunAt, known.ExpiresAt, known.Changed = q.getTime(), q.getTime(), q.getBool()
	known.Answer = bellwire.Answer{Status: int(q.getInt()), Sealed: q.getBlob()}
	return known, q.close()
}

func (w *writer) roomForRequest(owner int64, r *bellwire.IdempotentRequest) error {
	q := w.query(sqlRequestUsage).int(owner)
	if _, err := q.one(); err != nil {
		return err
	}
	has, size, expires := q.getInt(), q.getInt(), q.getTime()
	if err := q.close(); err != nil {
		return err
	}
	return rules.RequestsFull(r, has, size, expires)
}

// marking returns run for a request that has begun: it marks the request as changed too.
func marking(r *bellwire.IdempotentRequest, run func(*writer) error) func(*writer) error {
	return func(w *writer) error {
		owner, err := w.owner(r.Tenant)
		if err != nil {
			return err
		}
		_, current, err := w.query(sqlTriesRequest).int(owner).text(r.Key).blob(r.Try[:]).scalar()
		if err != nil {
			return err
		}
		if !current {
			return rules.Superseded(r)
		}
		if err := run(w); err != nil {
			return err
		}
		return w.query(sqlMarkRequest).int(owner).text(r.Key).exec()
	}
}

// EndRequest stores the answer of a request.
func (s *Store) EndRequest(ctx context.Context, r *bellwire.IdempotentRequest, a *bellwire.Answer) error {
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(r.Tenant)
		if err != nil {
			return err
		}
		return w.query(sqlEndRequest).int(int64(a.Status)).data(a.Sealed).int(owner).text(r.Key).blob(r.Try[:]).exec()
	})
}

// ForgetRequest deletes a request that has changed nothing.
func (s *Store) ForgetRequest(ctx context.Context, r *bellwire.IdempotentRequest) error {
	return s.write(ctx, func(w *writer) error {
		owner, err := w.owner(r.Tenant)
		if err != nil {
			return err
		}
		return w.query(sqlForgetRequest).int(owner).text(r.Key).blob(r.Try[:]).exec()
	})
}

const sqlPurgeRequests = "DELETE FROM idempotent_requests WHERE n IN (SELECT n FROM idempotent_requests WHERE expires_at <= ? LIMIT +?)"
