package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/seal"
)

// secrets are those of a database.
type secrets struct {
	check  []byte
	sealed []*bellwire.SealedSecret
	// during is called before secrets are replaced, and can make a concurrent change.
	during func()
	// replacing is called before the check value is replaced.
	replacing func()
}

func (s *secrets) KeysetCheck(_ context.Context, sealed []byte) ([]byte, error) {
	if s.check == nil {
		s.check = sealed
	}
	return s.check, nil
}

func (s *secrets) ReplaceKeysetCheck(_ context.Context, old, sealed []byte) error {
	if s.replacing != nil {
		s.replacing()
		s.replacing = nil
	}
	if !bytes.Equal(s.check, old) {
		return bellwire.Errorf(bellwire.CodeStale, "the keyset has changed")
	}
	s.check = sealed
	return nil
}

func (s *secrets) SealedSecrets(_ context.Context, after *bellwire.SealedSecret, limit int) ([]*bellwire.SealedSecret, error) {
	start := 0
	for i, secret := range s.sealed {
		if after != nil && secret.Owner() == after.Owner() {
			start = i + 1
		}
	}
	var list []*bellwire.SealedSecret
	for _, secret := range s.sealed[start:min(start+limit, len(s.sealed))] {
		listed := *secret
		list = append(list, &listed)
	}
	return list, nil
}

func (s *secrets) ReplaceSecrets(_ context.Context, anew []*bellwire.SealedSecret) (int, error) {
	if s.during != nil {
		s.during()
		s.during = nil
	}
	replaced := 0
	for _, new := range anew {
		for _, secret := range s.sealed {
			if secret.Owner() == new.Owner() && bytes.Equal(secret.Sealed, new.Sealed) {
				secret.Sealed = new.Resealed
				replaced++
			}
		}
	}
	return replaced, nil
}

// newKeyset makes a keyset file and reads it.
func newKeyset(t *testing.T) *seal.Keyset {
	t.Helper()
	_, path := open(t)
	keyset, err := seal.ReadKeyset(path)
	must(t, err)
	return keyset
}

func keyring(t *testing.T, s *seal.Keyset) *seal.Keyring {
	t.Helper()
	k, err := s.Keyring()
	must(t, err)
	return k
}

// fill seals n secrets of endpoints, and one of each other kind.
func (s *secrets) fill(t *testing.T, k *seal.Keyring, n int) {
	t.Helper()
	id := bellwire.KeyID{15: 1}
	sealed, err := k.SealKeySecret(id, "hunter2")
	must(t, err)
	s.sealed = append(s.sealed, &bellwire.SealedSecret{Key: id, Sealed: sealed})
	for i := range n {
		endpoint := fmt.Sprintf("ep_%d", i)
		sealed, err := k.SealCredentials(endpoint, credentials)
		must(t, err)
		s.sealed = append(s.sealed, &bellwire.SealedSecret{Endpoint: endpoint, Sealed: sealed})
	}
	sealed, err = k.SealAuth("acme", "lemon", &bellwire.Auth{Type: bellwire.AuthBearer, Token: "hunter3"})
	must(t, err)
	s.sealed = append(s.sealed, &bellwire.SealedSecret{Tenant: "acme", Dialect: "lemon", Sealed: sealed})
	sealed, err = k.SealAnswer("", "k", []byte("hunter4"))
	must(t, err)
	s.sealed = append(s.sealed, &bellwire.SealedSecret{Answer: 1, Request: "k", Sealed: sealed})
}

// TestRotationToTheEnd: at each step every keyset that is in use works, those that are out of date are refused, and in
// the end the old key is not needed.
func TestRotationToTheEnd(t *testing.T) {
	t.Parallel()
	first := newKeyset(t)
	db := new(secrets)
	admitted := func(what string, s *seal.Keyset, want bellwire.Code) {
		t.Helper()
		if err := keyring(t, s).Admit(t.Context(), db); bellwire.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	admitted("the first keyset", first, "")
	admitted("a stranger's", newKeyset(t), bellwire.CodeConflict)
	const n = 450 // several batches
	db.fill(t, keyring(t, first), n)

	added, err := first.Add()
	must(t, err)
	if _, err := added.Add(); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("a second key is added before the first seals: %v", err)
	}
	if _, err := added.Prune(); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("the key that was just added is taken out: %v", err)
	}
	admitted("with one more key", added, "")
	admitted("the first keyset, beside it", first, "")

	promoted, err := added.Promote()
	must(t, err)
	if _, err := promoted.Promote(); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("it is promoted twice: %v", err)
	}
	admitted("with a new primary key", promoted, "")
	admitted("with the old primary key, beside it", added, "")
	admitted("the first keyset, which is out of date", first, bellwire.CodeConflict)

	k := keyring(t, promoted)
	if err := k.Prune(t.Context(), db); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("keys are taken out that are needed: %v", err)
	}
	// A node changes an endpoint while it is sealed anew, and seals it with the key that it has.
	changed, err := keyring(t, added).SealCredentials("ep_7", &bellwire.Credentials{Headers: []bellwire.Header{{Name: "X-New", Value: "1"}}})
	must(t, err)
	db.during = func() { db.sealed[8].Sealed = changed }
	sum, err := k.Reseal(t.Context(), db)
	must(t, err)
	if sum != (seal.Resealed{Secrets: n + 3, Resealed: n + 3}) {
		t.Errorf("resealed: %+v", sum)
	}
	if sum, err := k.Reseal(t.Context(), db); err != nil || sum.Resealed != 0 {
		t.Errorf("resealed again: %+v, %v", sum, err)
	}
	fresh := new(secrets)
	if err := k.Prune(t.Context(), fresh); bellwire.CodeOf(err) != bellwire.CodeConflict || fresh.check != nil {
		t.Errorf("keys are taken out because a new database does not need them: %v", err)
	}
	if _, err := k.Reseal(t.Context(), fresh); bellwire.CodeOf(err) != bellwire.CodeConflict || fresh.check != nil {
		t.Errorf("a new database is sealed anew: %v", err)
	}
	must(t, keyring(t, added).MaySeal(t.Context(), db))
	pruned, err := promoted.Prune()
	must(t, err)
	admitted("the keyset of after the old key is taken out, with a backup of before", pruned, bellwire.CodeConflict)
	must(t, k.Prune(t.Context(), db))
	if err := keyring(t, added).MaySeal(t.Context(), db); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
		t.Errorf("a node that runs with the old primary key may seal with it: %v", err)
	}
	must(t, k.MaySeal(t.Context(), db))
	if keys := pruned.Keys(); len(keys) != 1 || keys[0] != promoted.Keys()[1] {
		t.Errorf("the keys are %+v of %+v", keys, promoted.Keys())
	}
	admitted("without the old key", pruned, "")
	admitted("with it", promoted, "")
	admitted("with it as the primary key", added, bellwire.CodeConflict)
	if _, err := pruned.Prune(); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("the only key is taken out: %v", err)
	}
	admitted("the first keyset", first, bellwire.CodeConflict)
	last := db.sealed[n+1]
	if auth, err := keyring(t, pruned).OpenAuth("acme", "lemon", last.Sealed); err != nil || auth.Token != "hunter3" {
		t.Errorf("the tenant's auth is %+v, %v", auth, err)
	}
	if _, err := keyring(t, pruned).OpenAuth("acme", "stripe", last.Sealed); err == nil {
		t.Error("it opens for another dialect")
	}
	if body, err := keyring(t, pruned).OpenAnswer("", "k", db.sealed[n+2].Sealed); err != nil || string(body) != "hunter4" {
		t.Errorf("the answer is %q, %v", body, err)
	}
	for _, secret := range db.sealed[1 : n+1] {
		c, err := keyring(t, pruned).OpenCredentials(secret.Endpoint, secret.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		if isNew := len(c.Headers) == 1 && c.Headers[0].Name == "X-New"; isNew != (secret.Endpoint == "ep_7") {
			t.Errorf("%s has %+v", secret.Endpoint, c.Headers)
		}
	}
	if secret, err := keyring(t, pruned).OpenKeySecret(db.sealed[0].Key, db.sealed[0].Sealed); err != nil || secret != "hunter2" {
		t.Errorf("the key's secret is %q, %v", secret, err)
	}
}

// TestPruneBesideOthers: secrets that a node seals with the old key at the last moment are not lost, and a command that was
// overtaken by another one says so.
func TestPruneBesideOthers(t *testing.T) {
	t.Parallel()
	first, db := newKeyset(t), new(secrets)
	must(t, keyring(t, first).Admit(t.Context(), db))
	added, err := first.Add()
	must(t, err)
	promoted, err := added.Promote()
	must(t, err)
	must(t, keyring(t, promoted).Admit(t.Context(), db))
	db.replacing = func() { db.fill(t, keyring(t, added), 1) }
	must(t, keyring(t, promoted).Prune(t.Context(), db))
	pruned, err := promoted.Prune()
	must(t, err)
	for _, secret := range db.sealed[1:2] {
		if _, err := keyring(t, pruned).OpenCredentials(secret.Endpoint, secret.Sealed); err != nil {
			t.Errorf("%s: %v", secret.Endpoint, err)
		}
	}
	db.replacing = func() { db.check = nil }
	err = keyring(t, promoted).Prune(t.Context(), db)
	if bellwire.CodeOf(err) != bellwire.CodeConflict || !strings.Contains(err.Error(), "prune again") {
		t.Errorf("the check values changed meanwhile: %v", err)
	}
}

func TestSecretsThatDoNotOpenAreNamed(t *testing.T) {
	t.Parallel()
	db := new(secrets)
	first := newKeyset(t)
	db.fill(t, keyring(t, newKeyset(t)), 3)
	must(t, keyring(t, first).Admit(t.Context(), db))
	added, err := first.Add()
	must(t, err)
	promoted, err := added.Promote()
	must(t, err)
	for _, f := range []func() error{
		func() error { _, err := keyring(t, promoted).Reseal(t.Context(), db); return err },
		func() error { return keyring(t, promoted).Prune(t.Context(), db) },
	} {
		if err := f(); bellwire.CodeOf(err) != bellwire.CodeConflict || !strings.Contains(err.Error(), "ep_2") || strings.Contains(err.Error(), "answer") {
			t.Errorf("got %v", err)
		}
	}
}

func TestWriteKeyset(t *testing.T) {
	t.Parallel()
	_, path := open(t)
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(path, link))
	before, err := seal.ReadKeyset(link)
	must(t, err)
	added, err := before.Add()
	must(t, err)
	must(t, seal.WriteKeyset(link, added))
	after, err := seal.ReadKeyset(path)
	must(t, err)
	if len(after.Keys()) != 2 {
		t.Errorf("the keys are %+v", after.Keys())
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %04o", info.Mode().Perm())
	}
	onlyFile(t, path)
	err = seal.WriteKeyset(filepath.Join(t.TempDir(), "none"), added)
	if e, ok := errors.AsType[*bellwire.Error](err); !ok || e.Code != bellwire.CodeInvalid || !strings.Contains(e.Hint, "--print") || !strings.Contains(e.Message, "none") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
