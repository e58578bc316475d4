package seal

import (
	"context"
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const (
	resealBatch = 200 // secrets per batch
	maxNamed    = 10  // secrets named in an error
)

// Resealed is the result of Reseal.
type Resealed struct {
	Secrets  int // all secrets
	Resealed int // secrets that were sealed again
}

// Reseal seals all secrets in the database again that are not sealed with the primary key. It can be repeated at any time, also
// after an interruption and while nodes run: a secret that is changed concurrently is left as it is and checked again.
func (k *Keyring) Reseal(ctx context.Context, store bellwire.Secrets) (Resealed, error) {
	var sum Resealed
	if _, err := k.recognize(ctx, store); err != nil {
		return sum, err
	}
	if err := k.Admit(ctx, store); err != nil {
		return sum, err
	}
	for {
		var replaced, changed int
		total, err := k.eachStale(ctx, store, func(stale []*bellwire.SealedSecret) error {
			n, err := store.ReplaceSecrets(ctx, stale)
			replaced += n
			changed += len(stale) - n
			return err
		})
		sum.Secrets = total
		sum.Resealed += replaced
		if err != nil || changed == 0 {
			return sum, err
		}
	}
}

// Prune makes the database independent of all keys but the primary one, so that the others can be removed from the keyset. It
// refuses if a secret is sealed with another key, removes the check values of the others, and records that no node may seal with them.
// What a node has sealed with one of them at the last moment is sealed again.
func (k *Keyring) Prune(ctx context.Context, store bellwire.Secrets) error {
	stored, err := k.recognize(ctx, store)
	if err != nil {
		return err
	}
	stale := 0
	_, err = k.eachStale(ctx, store, func(batch []*bellwire.SealedSecret) error {
		stale += len(batch)
		return nil
	})
	if err != nil {
		return err
	}
	if stale > 0 {
		return hinted(bellwire.Errorf(bellwire.CodeConflict, "the number of secrets in the database that are sealed with an older key is %s; nothing was changed",
			bellwire.Number(stale)),
			`Start every node with the new primary key; then run "bellwire keyset reseal", and prune again.`)
	}
	alone, err := k.retire(stored)
	if err != nil {
		return err
	}
	switch err := store.ReplaceKeysetCheck(ctx, stored, alone); {
	case bellwire.CodeOf(err) == bellwire.CodeStale:
		return bellwire.Errorf(bellwire.CodeConflict, "a node was started, or another command changed the keyset's record in the database, "+
			"at the same moment; nothing was changed, so prune again")
	case err != nil:
		return err
	}
	_, err = k.Reseal(ctx, store)
	return err
}

// eachStale calls f with batches of the secrets that are not sealed with the primary key, each with its Anew. It returns the number
// of all secrets. Secrets that no key opens are skipped, and named in its error unless they are answers.
func (k *Keyring) eachStale(ctx context.Context, store bellwire.Secrets, f func([]*bellwire.SealedSecret) error) (total int, err error) {
	var (
		after  *bellwire.SealedSecret
		closed []string
	)
	for {
		batch, err := store.SealedSecrets(ctx, after, resealBatch)
		if err != nil {
			return total, err
		}
		if len(batch) == 0 {
			break
		}
		total += len(batch)
		after = batch[len(batch)-1]
		var stale []*bellwire.SealedSecret
		for _, secret := range batch {
			switch anew, err := k.sealAnew(secret); {
			case err != nil && secret.Kind() == bellwire.SecretOfAnswer: // it is lost already, and expires within a day
			case err != nil:
				closed = append(closed, secret.Owner())
			case anew != nil:
				secret.Resealed = anew
				stale = append(stale, secret)
			}
		}
		if len(stale) == 0 {
			continue
		}
		if err := f(stale); err != nil {
			return total, err
		}
	}
	if len(closed) > 0 {
		return total, unopened(closed)
	}
	return total, nil
}

func unopened(owners []string) error {
	named := owners[:min(len(owners), maxNamed)]
	return hinted(bellwire.Errorf(bellwire.CodeConflict, "no key of this keyset opens %s of the secrets: %s", bellwire.Number(len(owners)), strings.Join(named, ", ")),
		"Use the keyset that they were sealed with, or give these endpoints new secrets and delete these keys.")
}

// sealAnew returns the secret sealed with the primary key, nil if it is that already.
func (k *Keyring) sealAnew(s *bellwire.SealedSecret) ([]byte, error) {
	associated := associatedWith(s)
	if k.current(s.Sealed, associated) {
		return nil, nil
	}
	plaintext, err := k.Open(s.Sealed, associated)
	if err != nil {
		return nil, err
	}
	return k.Seal(plaintext, associated)
}

// associatedWith returns what a secret is bound to.
func associatedWith(s *bellwire.SealedSecret) []byte {
	switch s.Kind() {
	case bellwire.SecretOfAnswer:
		return answerTo(s.Tenant, s.Request)
	case bellwire.SecretOfEndpoint:
		return []byte(credentialsOf + s.Endpoint)
	case bellwire.SecretOfTenant:
		return authOf(s.Tenant, s.Dialect)
	}
	return fmt.Append(nil, keySecretOf, s.Key)
}

// current reports whether something is sealed with the primary key.
func (k *Keyring) current(sealed, associated []byte) bool {
	_, err := k.primary.Decrypt(sealed, associated)
	return err == nil
}
