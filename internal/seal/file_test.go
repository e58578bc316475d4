package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/seal"
)

func TestTheFileIsMadeOnceForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	first, path := open(t)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %04o", info.Mode().Perm())
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, created, err := seal.OpenKeyring(path)
	if err != nil || created {
		t.Fatalf("the second time: created %t, %v", created, err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed, %v", err)
	}
	same(t, first, again)
	onlyFile(t, path)
}

func TestRacingStartsEndUpWithOneKeyset(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.keyset")
	var (
		wg       sync.WaitGroup
		keyrings [8]*seal.Keyring
		makers   [8]bool
	)
	for i := range keyrings {
		wg.Go(func() {
			var err error
			if keyrings[i], makers[i], err = seal.OpenKeyring(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	made := 0
	for i, keyring := range keyrings {
		same(t, keyrings[0], keyring)
		if makers[i] {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d of them say that they made the file", made)
	}
	onlyFile(t, path)
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		content []byte
		mode    fs.FileMode
		want    string
	}{
		{"readable by the group", nil, 0o640, "chmod 600"},
		{"readable by others", nil, 0o604, "chmod 600"},
		{"writable by the group", nil, 0o620, "chmod 600"},
		{"empty", []byte{}, 0o600, "not a Tink keyset"},
		{"not a keyset", []byte(`{"secret":"hunter2"}`), 0o600, "not a Tink keyset"},
		{"cut off", []byte(`{"primaryKeyId":1,"key":[{"keyData":{"value":"hunter2`), 0o600, "not a Tink keyset"},
		{"of another kind", macKeyset(t), 0o600, "no usable AEAD keys"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, path := open(t)
			if tc.content != nil {
				if err := os.WriteFile(path, tc.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, created, err := seal.OpenKeyring(path)
			if bellwire.CodeOf(err) != bellwire.CodeInvalid || created {
				t.Fatalf("created %t, %v", created, err)
			}
			for _, want := range []string{path, tc.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the file: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file has changed, %v", err)
			}
		})
	}
}

func TestNoPlaceForTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "bellwire.keyset")
	_, _, err := seal.OpenKeyring(path)
	if bellwire.CodeOf(err) != bellwire.CodeInvalid || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	if _, _, err := seal.OpenKeyring(dir); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("a directory: %v", err)
	}
}

// same checks that what one keyring seals the other opens.
func same(t *testing.T, a, b *seal.Keyring) {
	t.Helper()
	sealed, err := a.CheckValue()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.VerifyCheckValue(sealed); err != nil {
		t.Error(err)
	}
}

// onlyFile checks that nothing temporary is left beside the file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func macKeyset(t *testing.T) []byte {
	t.Helper()
	handle, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}
