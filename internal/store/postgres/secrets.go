package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
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
	sqlSealedEPs  = `SELECT id, sealed FROM bellwire.endpoints WHERE id > $1 AND sealed IS NOT NULL ORDER BY id LIMIT $2`
)

// SealedSecrets lists sealed secrets: of keys by their ids, then of endpoints by theirs.
func (s *Store) SealedSecrets(ctx context.Context, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	var list []*bellwire.SealedSecret
	err := s.snapshot(ctx, func(tx *tx) error {
		list = nil
		var from bellwire.SealedSecret
		if after != nil {
			from = *after
		}
		if from.Endpoint == "" {
			var err error
			list, err = pgx.CollectRows(tx.query(sqlSealedKeys, [16]byte(from.Key), limit), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
				secret := new(bellwire.SealedSecret)
				return secret, row.Scan((*[16]byte)(&secret.Key), &secret.Sealed)
			})
			if err != nil || len(list) == limit {
				return err
			}
		}
		ofEndpoints, err := pgx.CollectRows(tx.query(sqlSealedEPs, from.Endpoint, limit-len(list)), func(row pgx.CollectableRow) (*bellwire.SealedSecret, error) {
			secret := new(bellwire.SealedSecret)
			return secret, row.Scan(&secret.Endpoint, &secret.Sealed)
		})
		list = append(list, ofEndpoints...)
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
			sql, id := "UPDATE bellwire.endpoints SET sealed = $2 WHERE id = $1 AND sealed = $3", any(secret.Endpoint)
			if secret.Endpoint == "" {
				sql, id = "UPDATE bellwire.keys SET sealed = $2 WHERE id = $1 AND sealed = $3", [16]byte(secret.Key)
			}
			n, err := tx.change(sql, id, secret.Resealed, secret.Sealed)
			if err != nil {
				return err
			}
			replaced += n
		}
		return nil
	})
	return replaced, err
}
