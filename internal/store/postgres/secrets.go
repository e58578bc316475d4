package postgres

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// KeysetCheck returns the sealed check value that was stored first. If there is none, it stores the given one.
func (s *Store) KeysetCheck(ctx context.Context, sealed []byte) ([]byte, error) {
	var stored []byte
	err := s.write(ctx, func(tx *tx) error {
		stored = nil
		if sealed != nil {
			err := tx.exec("INSERT INTO bellwire.meta (name, value) VALUES ('witness', $1) ON CONFLICT DO NOTHING", sealed)
			if err != nil {
				return err
			}
		}
		err := tx.row("SELECT value FROM bellwire.meta WHERE name = 'witness'").Scan(&stored)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return stored, err
}

// ReplaceKeysetCheck replaces the check value. CodeStale: the stored value is no longer old.
func (s *Store) ReplaceKeysetCheck(ctx context.Context, old, sealed []byte) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.change("UPDATE bellwire.meta SET value = $2 WHERE name = 'witness' AND value = $1", old, sealed)
		if err == nil && n == 0 {
			return bellwire.Errorf(bellwire.CodeStale, "another process has replaced the check value of the keyset")
		}
		return err
	})
}

const (
	sqlSealedKeys = `SELECT id, sealed FROM bellwire.keys WHERE id > $1 AND sealed IS NOT NULL ORDER BY id LIMIT $2`
	// sqlSealedAuths reads all tenants.
	sqlSealedAuths = `SELECT t.id, j.key, j.value ->> 'sealed_auth' FROM bellwire.tenants t CROSS JOIN LATERAL
			jsonb_each(CASE WHEN jsonb_typeof(t.dialects::jsonb) = 'object' THEN t.dialects::jsonb ELSE '{}' END) j
		WHERE t.deleted_at IS NULL AND (t.id, j.key) > ($1, $2) AND j.value ->> 'sealed_auth' IS NOT NULL ORDER BY t.id, j.key LIMIT $3`
	sqlReplaceAuth = `UPDATE bellwire.tenants SET dialects = jsonb_set(dialects::jsonb, ARRAY[$2::text, 'sealed_auth'], to_jsonb($3::text))::text
		WHERE id = $1 AND deleted_at IS NULL AND dialects::jsonb -> $2::text ->> 'sealed_auth' = $4`
	sqlSealedEPs     = `SELECT id, sealed FROM bellwire.endpoints WHERE id > $1 AND sealed IS NOT NULL ORDER BY id LIMIT $2`
	sqlSealedAnswers = `SELECT r.n, coalesce(t.id, ''), r.key, r.answer FROM bellwire.idempotent_requests r
		LEFT JOIN bellwire.tenants t ON t.n = r.tenant AND t.deleted_at IS NULL
		WHERE r.n > $1 AND r.status <> 0 AND (r.tenant = 0 OR t.n IS NOT NULL) ORDER BY r.n LIMIT $2`
	sqlReplaceAnswer = `UPDATE bellwire.idempotent_requests SET answer = $2, bytes = octet_length($2::bytea) WHERE n = $1 AND answer = $3`
)

// sealedOf lists the sealed secrets of each kind after one.
var sealedOf = []func(t *tx, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error){
	bellwire.SecretOfKey:      (*tx).sealedKeys,
	bellwire.SecretOfEndpoint: (*tx).sealedEndpoints,
	bellwire.SecretOfTenant:   (*tx).sealedAuths,
	bellwire.SecretOfAnswer:   (*tx).sealedAnswers,
}

func (t *tx) sealedKeys(after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	return pgx.CollectRows(t.query(sqlSealedKeys, [16]byte(after.Key), limit), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
		secret := new(bellwire.SealedSecret)
		return secret, row.Scan((*[16]byte)(&secret.Key), &secret.Sealed)
	})
}

func (t *tx) sealedEndpoints(after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	return pgx.CollectRows(t.query(sqlSealedEPs, after.Endpoint, limit), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
		secret := new(bellwire.SealedSecret)
		return secret, row.Scan(&secret.Endpoint, &secret.Sealed)
	})
}

func (t *tx) sealedAuths(after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	return pgx.CollectRows(t.query(sqlSealedAuths, after.Tenant, after.Dialect, limit), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
		var text string
		secret := new(bellwire.SealedSecret)
		if err := row.Scan(&secret.Tenant, &secret.Dialect, &text); err != nil {
			return nil, err
		}
		var err error
		secret.Sealed, err = base64.StdEncoding.DecodeString(text)
		return secret, err
	})
}

func (t *tx) sealedAnswers(after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	return pgx.CollectRows(t.query(sqlSealedAnswers, after.Answer, limit), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
		secret := new(bellwire.SealedSecret)
		return secret, row.Scan(&secret.Answer, &secret.Tenant, &secret.Request, &secret.Sealed)
	})
}

// SealedSecrets lists sealed secrets: one kind after the other, and each by what it belongs to.
func (s *Store) SealedSecrets(ctx context.Context, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	var list []*bellwire.SealedSecret
	err := s.snapshot(ctx, func(tx *tx) (err error) {
		list, err = rules.SealedSecrets(after, limit, func(kind bellwire.SecretKind, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
			return sealedOf[kind](tx, after, limit)
		})
		return err
	})
	return list, err
}

// ReplaceSecrets replaces those secrets that are still as they were.
func (s *Store) ReplaceSecrets(ctx context.Context, secrets []*bellwire.SealedSecret) (int, error) {
	replaced := 0
	err := s.write(ctx, func(tx *tx) error {
		replaced = 0
		for _, secret := range secrets {
			n, err := tx.replaceSecret(secret)
			if err != nil {
				return err
			}
			replaced += n
		}
		return nil
	})
	return replaced, err
}

func (t *tx) replaceSecret(secret *bellwire.SealedSecret) (int, error) {
	switch secret.Kind() {
	case bellwire.SecretOfAnswer:
		return t.change(sqlReplaceAnswer, secret.Answer, secret.Resealed, secret.Sealed)
	case bellwire.SecretOfEndpoint:
		return t.change("UPDATE bellwire.endpoints SET sealed = $2 WHERE id = $1 AND sealed = $3", secret.Endpoint, secret.Resealed, secret.Sealed)
	case bellwire.SecretOfTenant:
		encode := base64.StdEncoding.EncodeToString
		return t.change(sqlReplaceAuth, secret.Tenant, secret.Dialect, encode(secret.Resealed), encode(secret.Sealed))
	}
	return t.change("UPDATE bellwire.keys SET sealed = $2 WHERE id = $1 AND sealed = $3", [16]byte(secret.Key), secret.Resealed, secret.Sealed)
}
