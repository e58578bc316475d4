package seal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/bellwire/bellwire"
)

// maxKeysetFile is the most bytes a keyset file has. A key takes about 300.
const maxKeysetFile = 1 << 20

// OpenKeyring reads the keyset file, and makes it if it is not there. An existing file is never written
// to; of several processes that start at once, one makes the file and all use it. A file that others
// than its owner can read is refused. Its errors have CodeInvalid.
func OpenKeyring(path string) (keyring *Keyring, created bool, err error) {
	keyring, err = readKeyring(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keyring, false, err
	}
	created, err = createKeyset(path)
	if err != nil {
		return nil, false, bellwire.Wrap(bellwire.CodeInvalid, err,
			"The keyset file %s cannot be made. Choose a place that can be written to (--keyset-file, BELLWIRE_KEYSET_FILE).", path)
	}
	// It is read back also by the process that made it: what is used is what is on disk.
	keyring, err = readKeyring(path)
	return keyring, created, err
}

func readKeyring(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err,
			"The keyset file %s cannot be read. It must belong to the user that Bellwire runs as.", path)
	}
	defer f.Close()
	if err := checkMode(f); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeysetFile))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "The keyset file %s cannot be read.", path)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// The cause is left out of the error, because it may quote the file.
		return nil, bellwire.Errorf(bellwire.CodeInvalid,
			"The file %s is not a Tink keyset in JSON. Put back the file that this node ran with before; without it "+
				"the secrets in the database cannot be read.", path)
	}
	return newKeyring(handle, path)
}

// checkMode refuses a file that others than its owner have any right to. Windows has no such mode.
func checkMode(f *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return bellwire.Wrap(bellwire.CodeInvalid, err, "The keyset file %s cannot be looked at.", f.Name())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return bellwire.Errorf(bellwire.CodeInvalid,
			"The keyset file %s has mode %04o: others than its owner have rights to it. Run: chmod 600 %s", f.Name(), mode, f.Name())
	}
	return nil
}

// createKeyset makes the file whole or not at all, and tells whether it was this call that made it. It
// links the finished file to its name instead of renaming it, because that never replaces another.
func createKeyset(path string) (created bool, err error) {
	text, err := newKeyset()
	if err != nil {
		return false, err
	}
	temporary, err := writeTemporary(path, text)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary)) }()

	err = os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	created = err == nil
	// Who lost the race waits for the disk as well: a secret that is stored must not outlive its key.
	return created, syncDir(filepath.Dir(path))
}

func newKeyset() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// writeTemporary writes the text to a new file beside path, readable by its owner only, down to the disk.
func writeTemporary(path string, text []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // there a directory cannot be synced, and need not be
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
