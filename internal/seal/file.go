package seal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxKeysetFile is the maximum size of a keyset file. A key takes about 300 bytes.
const maxKeysetFile = 1 << 20

// OpenKeyring reads the keyset file, and creates it if it does not exist. It never writes to an existing file; of several processes
// that start at once, one creates the file and all use it. A file that others can access is refused. Its errors have CodeInvalid.
func OpenKeyring(path string) (keyring *Keyring, created bool, err error) {
	keyset, err := ReadKeyset(path)
	if errors.Is(err, fs.ErrNotExist) {
		if created, err = CreateKeyset(path); err != nil {
			return nil, false, hinted(bellwire.Wrap(bellwire.CodeInvalid, err, "keyset file %s cannot be created", path),
				"Choose a place that Bellwire can write to (--keyset-file).")
		}
		// It is read back even by the process that created it, so that what is used is what is on disk.
		keyset, err = ReadKeyset(path)
	}
	if err != nil {
		return nil, created, err
	}
	keyring, err = keyset.Keyring()
	return keyring, created, err
}

// ReadKeyset reads a keyset file as a server of this process's user does. Its errors have CodeInvalid.
func ReadKeyset(path string) (*Keyset, error) { return readKeyset(path, os.Geteuid() == 0) }

// ReadKeysetOfServer is ReadKeyset for a command that root may run for a server of another user.
func ReadKeysetOfServer(path string) (*Keyset, error) { return readKeyset(path, false) }

// readKeyset reads a keyset file for a process that needs it as root, or as another user.
func readKeyset(path string, asRoot bool) (*Keyset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, hinted(bellwire.Wrap(bellwire.CodeInvalid, err, "keyset file %s cannot be read", path),
			"The file must belong to the user that Bellwire runs as.")
	}
	defer f.Close()
	if err := checkMode(f, asRoot); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeysetFile))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "keyset file %s cannot be read", path)
	}
	return ParseKeyset(text, "the file "+path)
}

// WriteKeyset replaces a keyset file atomically by one with the same owner, group and mode.
func WriteKeyset(name string, s *Keyset) (err error) {
	defer func() {
		if err != nil && bellwire.CodeOf(err) == bellwire.CodeInternal {
			err = hinted(bellwire.Wrap(bellwire.CodeInvalid, err, "keyset file %s cannot be replaced; nothing was changed", name),
				"With --print the new keyset goes to standard output instead.")
		}
	}()
	path, err := filepath.EvalSymlinks(name) // a link stays, and the file that it leads to is replaced
	if err != nil {
		return err
	}
	text, err := s.Text()
	if err != nil {
		return err
	}
	temporary, err := writeTemporary(path, text, keepAccess)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncDir(filepath.Dir(path))
}

// keepAccess gives a file the owner, the group and the mode of the one that it replaces, so that the server can read it, too. It changes
// the open file, because whoever owns the folder can put a link to another file in its place.
func keepAccess(old string, f *os.File) error {
	info, err := os.Stat(old)
	if err != nil {
		return err
	}
	if err := giveTo(old, info, f); err != nil {
		return err
	}
	return f.Chmod(info.Mode().Perm())
}

// ownerOnly leaves a new file as it was created.
func ownerOnly(string, *os.File) error { return nil }

// checkMode refuses a file that others can read or write. Windows has no file modes.
func checkMode(f *os.File, asRoot bool) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return bellwire.Wrap(bellwire.CodeInvalid, err, "the mode of keyset file %s cannot be read", f.Name())
	}
	mode := info.Mode().Perm()
	if tolerable(mode, ownedByRoot(info), asRoot) {
		return nil
	}
	return hinted(bellwire.Errorf(bellwire.CodeInvalid, "keyset file %s has mode %04o, which lets others than its owner use it; run chmod 600 %s",
		f.Name(), mode, f.Name()),
		"A file that is mounted from a store of secrets may have mode 0440, if it belongs to root and Bellwire runs as another user.")
}

// hinted adds to an error what to do about it.
func hinted(err *bellwire.Error, hint string) *bellwire.Error {
	err.Hint = hint
	return err
}

// tolerable reports whether a key file may have a mode. The rule is PostgreSQL's: only the owner may have access; if the file
// belongs to root and the process to another user, the group may read it, because the process could not otherwise. In addition,
// everyone may read a file of root that no one can write, because some secret stores mount files like that in a container.
func tolerable(mode fs.FileMode, ownedByRoot, asRoot bool) bool {
	if mode&0o077 == 0 {
		return true
	}
	if !ownedByRoot || asRoot {
		return false
	}
	return mode&0o037 == 0 || mode == 0o444
}

// CreateKeyset creates a file with a new keyset atomically, and reports whether this call created it. An existing file is left as
// it is. CreateKeyset links the finished file to its name instead of renaming it, because a link never replaces another file.
func CreateKeyset(path string) (created bool, err error) {
	text, err := NewKeyset()
	if err != nil {
		return false, err
	}
	temporary, err := writeTemporary(path, text, ownerOnly)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary)) }()

	err = os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	created = err == nil
	// The process that lost the race syncs as well, because a stored secret must not outlive its key.
	return created, syncDir(filepath.Dir(path))
}

// NewKeyset returns a new keyset with one key, in JSON.
func NewKeyset() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.XChaCha20Poly1305KeyTemplate())
	if err != nil {
		return nil, err
	}
	return (&Keyset{handle: handle}).Text()
}

// writeTemporary writes and syncs the text to a new file beside path. Only its owner can read it, unless access changes that.
func writeTemporary(path string, text []byte, access func(path string, f *os.File) error) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = access(path, f)
	}
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
