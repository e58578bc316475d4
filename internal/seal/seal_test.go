package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/seal"
)

// open opens the keyset file in a directory of the test's own.
func open(t *testing.T) (*seal.Keyring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwire.keyset")
	keyring, created, err := seal.OpenKeyring(path)
	if err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	return keyring, path
}

func TestSealedOpensForWhatItBelongsTo(t *testing.T) {
	t.Parallel()
	keyring, _ := open(t)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		owner := rapid.SliceOf(rapid.Byte()).Draw(t, "owner")
		sealed, err := keyring.Seal(plaintext, owner)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := keyring.Open(sealed, owner); err != nil || !bytes.Equal(opened, plaintext) {
			t.Fatalf("got %q, %v", opened, err)
		}
		if _, err := keyring.Open(sealed, append(bytes.Clone(owner), 'x')); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Fatalf("it opens for another owner: %v", err)
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1
		if _, err := keyring.Open(sealed, owner); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Fatalf("a changed blob opens: %v", err)
		}
	})
}

var credentials = &bellwire.Credentials{
	Secrets: []bellwire.Secret{
		{Value: "whsec_new", PrivateKey: "whsk_x"},
		{Value: "whsec_old", ExpiresAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)},
	},
	Auth:    bellwire.Auth{Type: bellwire.AuthBasic, Username: "ü", Password: "pass\u2028<word>\x00"},
	Headers: []bellwire.Header{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "2"}},
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	keyring, _ := open(t)
	for _, want := range []*bellwire.Credentials{credentials, {}} {
		sealed, err := keyring.SealCredentials("ep_1", want)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("whsec_")) {
			t.Error("the secret can be read in the blob")
		}
		got, err := keyring.OpenCredentials("ep_1", sealed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := keyring.OpenCredentials("ep_2", sealed); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Errorf("they open for another endpoint: %v", err)
		}
	}
}

func TestCredentialsThatJSONWouldChangeAreRefused(t *testing.T) {
	t.Parallel()
	keyring, _ := open(t)
	_, err := keyring.SealCredentials("ep_1", &bellwire.Credentials{Auth: bellwire.Auth{Password: "latin-1 \xe9"}})
	if bellwire.CodeOf(err) != bellwire.CodeInvalid || strings.Contains(err.Error(), "latin-1") {
		t.Errorf("got %v", err)
	}
}

func TestKeySecret(t *testing.T) {
	t.Parallel()
	keyring, _ := open(t)
	now := time.Now()
	id, other := bellwire.NewID[bellwire.KeyKind](now), bellwire.NewID[bellwire.KeyKind](now)
	sealed, err := keyring.SealKeySecret(id, "{}") // would do as credentials too
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := keyring.OpenKeySecret(id, sealed); err != nil || secret != "{}" {
		t.Errorf("got %q, %v", secret, err)
	}
	if _, err := keyring.OpenKeySecret(other, sealed); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
		t.Errorf("it opens for another key: %v", err)
	}
	// An endpoint can have any id, also one that looks like a key's.
	if _, err := keyring.OpenCredentials(id.String(), sealed); err == nil {
		t.Error("a key's secret opens as credentials")
	}
}

func TestErrorsHideInternals(t *testing.T) {
	t.Parallel()
	keyring, _ := open(t)
	// Sealed as credentials, by a caller who went around SealCredentials, but not JSON of them.
	sealed, err := keyring.Seal([]byte(`{"Auth":"hunter2"}`), []byte("endpoint credentials:ep_1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = keyring.OpenCredentials("ep_1", sealed)
	if bellwire.CodeOf(err) != bellwire.CodeInternal || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestCheckValue(t *testing.T) {
	t.Parallel()
	keyring, path := open(t)
	stranger, strangersPath := open(t)
	sealed, err := keyring.CheckValue()
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := seal.OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*seal.Keyring{keyring, again} {
		if err := k.VerifyCheckValue(sealed); err != nil {
			t.Error(err)
		}
	}
	err = stranger.VerifyCheckValue(sealed)
	if bellwire.CodeOf(err) != bellwire.CodeConflict || !strings.Contains(err.Error(), strangersPath) {
		t.Errorf("a stranger's keyset: %v", err)
	}
	if err := keyring.VerifyCheckValue(nil); bellwire.CodeOf(err) != bellwire.CodeConflict {
		t.Errorf("no check value: %v", err)
	}
}

func TestRotatedKeysetOpensWhatItsOldKeySealed(t *testing.T) {
	t.Parallel()
	before, path := open(t)
	old, err := before.SealCredentials("ep_1", credentials)
	if err != nil {
		t.Fatal(err)
	}
	rotate(t, path)
	after, created, err := seal.OpenKeyring(path)
	if err != nil || created {
		t.Fatalf("created %t, %v", created, err)
	}
	if _, err := after.OpenCredentials("ep_1", old); err != nil {
		t.Errorf("the old key does not open: %v", err)
	}
	fresh, err := after.SealCredentials("ep_1", credentials)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.OpenCredentials("ep_1", fresh); err == nil {
		t.Error("the new key does not seal")
	}
}

// rotate adds a key to the keyset file and makes it the primary one, as Tink's own tool does.
func rotate(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	if handle, err = manager.Handle(); err != nil {
		t.Fatal(err)
	}
	var rotated bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&rotated)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, rotated.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
