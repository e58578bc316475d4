package sqlite

import (
	"context"
	"encoding/base64"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// KeysetCheck returns the sealed check value that was stored first. If there is none, it stores the given one.
func (s *Store) KeysetCheck(ctx context.Context, sealed []byte) ([]byte, error) {
	var stored []byte
	err := s.write(ctx, func(w *writer) error {
		if sealed != nil {
			q := w.query("INSERT INTO meta (name, value) VALUES ('witness', ?) ON CONFLICT DO NOTHING").blob(sealed)
			if err := q.exec(); err != nil {
				return err
			}
		}
		var err error
		stored, err = w.keysetCheck()
		return err
	})
	return stored, err
}

// keysetCheck returns the stored check value, nil if there is none.
func (c *db) keysetCheck() (stored []byte, err error) {
	q := c.query("SELECT value FROM meta WHERE name = 'witness'")
	for q.next() {
		stored = q.getBlob()
	}
	return stored, q.err
}

// ReplaceKeysetCheck replaces the check value. CodeStale: the stored value is no longer old.
func (s *Store) ReplaceKeysetCheck(ctx context.Context, old, sealed []byte) error {
	return s.write(ctx, func(w *writer) error {
		err := w.query("UPDATE meta SET value = ?2 WHERE name = 'witness' AND value = ?1").blob(old).blob(sealed).exec()
		if err == nil && w.conn.Changes() == 0 {
			return bellwire.Errorf(bellwire.CodeStale, "the check value of the keyset was changed concurrently")
		}
		return err
	})
}

const (
	// sqlSealedAuths reads all tenants.
	sqlSealedAuths = `SELECT t.id, j.key, json_extract(j.value, '$.sealed_auth') FROM tenants t, json_each(t.dialects) j
		WHERE t.deleted_at IS NULL AND (t.id, j.key) > (?, ?) AND json_extract(j.value, '$.sealed_auth') IS NOT NULL ORDER BY t.id, j.key LIMIT +?`
	sqlReplaceAuth = `UPDATE tenants SET dialects = json_set(dialects, '$."' || ?2 || '".sealed_auth', ?3)
		WHERE id = ?1 AND deleted_at IS NULL AND json_extract(dialects, '$."' || ?2 || '".sealed_auth') = ?4`
	sqlSealedAnswers = `SELECT r.n, coalesce(t.id, ''), r.key, r.answer FROM idempotent_requests r
		LEFT JOIN tenants t ON t.n = r.tenant AND t.deleted_at IS NULL
		WHERE r.n > ? AND r.status <> 0 AND (r.tenant = 0 OR t.n IS NOT NULL) ORDER BY r.n LIMIT +?`
	sqlReplaceAnswer = "UPDATE idempotent_requests SET answer = ?2, bytes = octet_length(?2) WHERE n = ?1 AND answer = ?3"
)

// sealedOf lists the sealed secrets of each kind after one.
var sealedOf = []func(c *db, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error){
	bellwire.SecretOfKey:      (*db).sealedKeys,
	bellwire.SecretOfEndpoint: (*db).sealedEndpoints,
	bellwire.SecretOfTenant:   (*db).sealedAuths,
	bellwire.SecretOfAnswer:   (*db).sealedAnswers,
}

func (c *db) sealedKeys(after *bellwire.SealedSecret, limit int) (list []*bellwire.SealedSecret, err error) {
	q := c.query("SELECT id, sealed FROM keys WHERE id > ? AND sealed IS NOT NULL ORDER BY id LIMIT +?").blob(after.Key[:]).int(int64(limit))
	for q.next() {
		secret := new(bellwire.SealedSecret)
		q.getBytes(secret.Key[:])
		secret.Sealed = q.getBlob()
		list = append(list, secret)
	}
	return list, q.err
}

func (c *db) sealedEndpoints(after *bellwire.SealedSecret, limit int) (list []*bellwire.SealedSecret, err error) {
	q := c.query("SELECT id, sealed FROM endpoints WHERE id > ? AND sealed IS NOT NULL ORDER BY id LIMIT +?").text(after.Endpoint).int(int64(limit))
	for q.next() {
		list = append(list, &bellwire.SealedSecret{Endpoint: q.getText(), Sealed: q.getBlob()})
	}
	return list, q.err
}

func (c *db) sealedAuths(after *bellwire.SealedSecret, limit int) (list []*bellwire.SealedSecret, err error) {
	q := c.query(sqlSealedAuths).text(after.Tenant).text(after.Dialect).int(int64(limit))
	for q.next() {
		secret := &bellwire.SealedSecret{Tenant: q.getText(), Dialect: q.getText()}
		if secret.Sealed, err = base64.StdEncoding.DecodeString(q.getText()); err != nil {
			return nil, firstError(q.close(), err)
		}
		list = append(list, secret)
	}
	return list, q.err
}

func (c *db) sealedAnswers(after *bellwire.SealedSecret, limit int) (list []*bellwire.SealedSecret, err error) {
	q := c.query(sqlSealedAnswers).int(after.Answer).int(int64(limit))
	for q.next() {
		list = append(list, &bellwire.SealedSecret{Answer: q.getInt(), Tenant: q.getText(), Request: q.getText(), Sealed: q.getBlob()})
	}
	return list, q.err
}

// SealedSecrets lists sealed secrets: one kind after the other, and each by what it belongs to.
func (s *Store) SealedSecrets(ctx context.Context, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	var list []*bellwire.SealedSecret
	err := s.read(ctx, snapshot(func(c *db) (err error) {
		list, err = rules.SealedSecrets(after, limit, func(kind bellwire.SecretKind, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
			return sealedOf[kind](c, after, limit)
		})
		return err
	}))
	return list, err
}

// ReplaceSecrets replaces those secrets that are still as they were.
func (s *Store) ReplaceSecrets(ctx context.Context, secrets []*bellwire.SealedSecret) (int, error) {
	replaced := 0
	err := s.write(ctx, func(w *writer) error {
		replaced = 0
		for _, secret := range secrets {
			if err := w.replaceSecret(secret).exec(); err != nil {
				return err
			}
			replaced += w.conn.Changes()
		}
		return nil
	})
	return replaced, err
}

func (w *writer) replaceSecret(secret *bellwire.SealedSecret) *query {
	switch secret.Kind() {
	case bellwire.SecretOfAnswer:
		return w.query(sqlReplaceAnswer).int(secret.Answer).blob(secret.Resealed).blob(secret.Sealed)
	case bellwire.SecretOfEndpoint:
		return w.query("UPDATE endpoints SET sealed = ?2 WHERE id = ?1 AND sealed = ?3").text(secret.Endpoint).blob(secret.Resealed).blob(secret.Sealed)
	case bellwire.SecretOfTenant:
		return w.query(sqlReplaceAuth).text(secret.Tenant).text(secret.Dialect).
			text(base64.StdEncoding.EncodeToString(secret.Resealed)).text(base64.StdEncoding.EncodeToString(secret.Sealed))
	}
	return w.query("UPDATE keys SET sealed = ?2 WHERE id = ?1 AND sealed = ?3").blob(secret.Key[:]).blob(secret.Resealed).blob(secret.Sealed)
}
