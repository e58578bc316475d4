package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlAddRequest = `INSERT INTO bellwire.idempotent_requests (tenant, key, digest, try, begun_at, changed, status, answer, bytes, expires_at)
		VALUES ($1, $2, $3, $4, $5, false, 0, '', 0, $6) ON CONFLICT (tenant, key) DO NOTHING`
	sqlRequest = "SELECT " + requestColumns + " FROM bellwire.idempotent_requests WHERE tenant = $1 AND key = $2 FOR UPDATE"
	// sqlRepeated reads a request of a tenant, or of the operator if the tenant is empty.
	sqlRepeated = "SELECT " + requestColumns + ` FROM bellwire.idempotent_requests
		WHERE tenant = CASE WHEN $1 = '' THEN 0 ELSE ` + theTenant + ` END AND key = $2`
	requestColumns    = "digest, begun_at, expires_at, changed, status, answer"
	sqlRestartRequest = `UPDATE bellwire.idempotent_requests SET digest = $3, try = $4, begun_at = $5, changed = false, status = 0,
		answer = '', bytes = 0, expires_at = $6 WHERE tenant = $1 AND key = $2`
	sqlRequestUsage = `SELECT count(*), coalesce(sum(bytes), 0)::bigint, coalesce(min(expires_at), now()) FROM bellwire.idempotent_requests
		WHERE tenant = $1`
	sqlMarkRequest   = "UPDATE bellwire.idempotent_requests SET changed = true WHERE tenant = $1 AND key = $2 AND try = $3"
	sqlEndRequest    = "UPDATE bellwire.idempotent_requests SET status = $4, answer = $5, bytes = $6 WHERE tenant = $1 AND key = $2 AND try = $3"
	sqlForgetRequest = "DELETE FROM bellwire.idempotent_requests WHERE tenant = $1 AND key = $2 AND try = $3 AND NOT changed"
	sqlPurgeRequests = `DELETE FROM bellwire.idempotent_requests WHERE n IN
		(SELECT n FROM bellwire.idempotent_requests WHERE expires_at <= $1 LIMIT $2)`
)

// BeginRequest begins a request, unless it is known.
func (s *Store) BeginRequest(ctx context.Context, r *bellwire.IdempotentRequest) (*bellwire.Answer, error) {
	if answer, err := s.repeated(ctx, r); answer != nil || err != nil {
		return answer, err
	}
	var answer *bellwire.Answer
	err := s.write(ctx, func(tx *tx) error {
		answer = nil
		owner, err := tx.owner(r.Tenant)
		if err != nil {
			return err
		}
		values := []any{owner, r.Key, r.Digest[:], r.Try, r.At, r.At.Add(bellwire.RequestWindow)}
		added, err := tx.change(sqlAddRequest, values...)
		if err != nil {
			return err
		}
		if added > 0 {
			return tx.roomForRequest(owner, r)
		}
		known, err := tx.request(owner, r.Key)
		if err != nil {
			return err
		}
		if answer, err = known.Repeat(r); err != nil || answer != nil {
			return err
		}
		return tx.exec(sqlRestartRequest, values...)
	})
	return answer, err
}

// repeated returns the answer of a request that is known, or why it is refused, without a lock: a request that is repeated many times
// at once would otherwise hold many connections, which wait for each other.
func (s *Store) repeated(ctx context.Context, r *bellwire.IdempotentRequest) (*bellwire.Answer, error) {
	var known *rules.StoredRequest
	err := s.read(ctx, func(tx *tx) (err error) {
		known, err = scanRequest(tx.row(sqlRepeated, r.Tenant, r.Key))
		if errors.Is(err, pgx.ErrNoRows) {
			known, err = nil, nil
		}
		return err
	})
	if err != nil || known == nil {
		return nil, err
	}
	return known.Repeat(r)
}

// owner returns the number of the tenant, 0 for the operator.
func (t *tx) owner(tenant string) (n int64, err error) {
	if tenant == "" {
		return 0, nil
	}
	err = t.row("SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL", tenant).Scan(&n)
	return n, orNotFound(err, "tenant", tenant)
}

// request reads a request, and keeps other transactions from changing it.
func (t *tx) request(owner int64, key string) (*rules.StoredRequest, error) {
	known, err := scanRequest(t.row(sqlRequest, owner, key))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errRetry // it has been deleted since it was found
	}
	return known, err
}

// scanRequest reads requestColumns.
func scanRequest(row pgx.Row) (*rules.StoredRequest, error) {
	var (
		known  rules.StoredRequest
		digest []byte
	)
	err := row.Scan(&digest, &known.BegunAt, &known.ExpiresAt, &known.Changed, &known.Answer.Status, &known.Answer.Sealed)
	copy(known.Digest[:], digest)
	return &known, err
}

// roomForRequest refuses a request that has been added beyond the bounds.
func (t *tx) roomForRequest(owner int64, r *bellwire.IdempotentRequest) error {
	var (
		has, size int64
		expires   time.Time
	)
	if err := t.row(sqlRequestUsage, owner).Scan(&has, &size, &expires); err != nil {
		return err
	}
	return rules.RequestsFull(r, has-1, size, expires)
}

// mark marks a request that has begun as changed.
func (t *tx) mark(r *bellwire.IdempotentRequest) error {
	owner, err := t.owner(r.Tenant)
	if err != nil {
		return err
	}
	marked, err := t.change(sqlMarkRequest, owner, r.Key, r.Try)
	if err == nil && marked == 0 {
		err = rules.Superseded(r)
	}
	return err
}

// EndRequest stores the answer of a request.
func (s *Store) EndRequest(ctx context.Context, r *bellwire.IdempotentRequest, a *bellwire.Answer) error {
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.owner(r.Tenant)
		if err != nil {
			return err
		}
		return tx.exec(sqlEndRequest, owner, r.Key, r.Try, a.Status, a.Sealed, int64(len(a.Sealed)))
	})
}

// ForgetRequest deletes a request that has changed nothing.
func (s *Store) ForgetRequest(ctx context.Context, r *bellwire.IdempotentRequest) error {
	return s.write(ctx, func(tx *tx) error {
		owner, err := tx.owner(r.Tenant)
		if err != nil {
			return err
		}
		return tx.exec(sqlForgetRequest, owner, r.Key, r.Try)
	})
}
