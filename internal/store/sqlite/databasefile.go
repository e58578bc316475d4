package sqlite

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Resolve returns the absolute path of the file that path leads to by symbolic links, also if it is not there yet. The
// names of the files beside it are made of that, as SQLite does.
func Resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	target, err := os.Readlink(path)
	switch {
	case err == nil && filepath.IsAbs(target):
		return Resolve(target)
	case err == nil:
		return Resolve(filepath.Join(filepath.Dir(path), target))
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(folder, filepath.Base(path)), err
}

// databaseFile is the file of the database, held open and locked, with the locks that keep other processes out.
type databaseFile struct {
	path string // absolute, without symbolic links
	lock *flock.Flock
	file *os.File
	made bool // the database was missing or empty
	used []usedFile
}

// usedFile is a file as it was when the database was opened.
type usedFile struct {
	path string
	info fs.FileInfo
}

// openDatabaseFile opens the file, makes it if it is not there and may be made, and takes the locks.
func openDatabaseFile(path string, mayMake func(path string) error) (*databaseFile, error) {
	real, err := Resolve(path)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err,
			"the database %s cannot be opened; its folder must exist and be writable", path)
	}
	p := &databaseFile{path: real}
	if info, err := os.Stat(real); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		if err := mayMake(real); err != nil {
			return nil, err
		}
		p.made = true
	}
	err = p.acquire()
	if err == nil {
		err = p.open()
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// acquire locks the lock file, so that other processes are refused before they touch the database.
func (p *databaseFile) acquire() error {
	p.lock = flock.New(p.path+"-lock", flock.SetPermissions(0o600))
	held, err := p.lock.TryLock()
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"the database %s cannot be opened; its folder must exist and be writable", p.path)
	}
	if !held {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s is in use by another process, which holds %s-lock; stop that process, or choose another database",
			p.path, p.path)
	}
	return nil
}

// magic is how every SQLite database begins.
const magic = "SQLite format 3\x00"

// open makes the file, for its owner only, because SQLite would let all read it, and locks the file itself: the lock file
// can be deleted, and another name of the same file has another lock file. It refuses a file that is something else:
// SQLite takes a short one for an empty database, and would write over it.
//
// The file stays open until SQLite has closed all that it has: when a process closes any descriptor of a file, it loses
// all POSIX locks on that file, and those are what SQLite keeps other programs out with.
func (p *databaseFile) open() (err error) {
	p.file, err = os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"the database %s cannot be opened; the user that Bellwire runs as must be able to write it, on a writable file system",
			p.path)
	}
	held, err := lockFile(p.file)
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"the database %s cannot be locked; it must be on a file system with file locks", p.path)
	}
	if !held {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s is in use by another process, maybe under another name; stop that process, or choose another database",
			p.path)
	}
	head := make([]byte, len(magic))
	n, err := p.file.ReadAt(head, 0)
	switch {
	case err == io.EOF && n == 0: // it is new
		return nil
	case err != nil && err != io.EOF:
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be read", p.path)
	case string(head[:n]) != magic:
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the file %s is damaged or not a database; restore it from a backup, or choose another file", p.path)
	}
	return nil
}

// settle records which files SQLite has opened.
func (p *databaseFile) settle() error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(p.path + suffix)
		if err != nil {
			return err
		}
		p.used = append(p.used, usedFile{path: p.path + suffix, info: info})
	}
	return nil
}

// check returns an error if one of the files was moved, deleted or replaced, because writes would then go to a file that is
// lost. It takes a few microseconds.
func (p *databaseFile) check() error {
	for _, f := range p.used {
		now, err := os.Stat(f.path)
		switch {
		case err == nil && os.SameFile(now, f.info):
			continue
		case err == nil:
			err = errors.New(f.path + " is another file now")
		case !errors.Is(err, fs.ErrNotExist):
			continue // the file cannot be compared, and SQLite continues to use it
		}
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"a file of the database was moved, deleted or replaced while the server was running; put it back")
	}
	return nil
}

// close gives up the locks. SQLite must have closed the database before.
func (p *databaseFile) close() error {
	var errs []error
	if p.file != nil {
		errs = append(errs, p.file.Close())
	}
	return errors.Join(append(errs, p.lock.Close())...)
}
