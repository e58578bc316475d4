package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Copy describes a copy of a database.
type Copy struct {
	Path        string
	Bytes       int64
	Migrations  int                    // that the copied database has run
	KeysetCheck []byte                 // the check value of the keyset of its secrets; nil: no server has run on it
	Secret      *bellwire.SealedSecret // one of its secrets; nil: it has none
}

// Backup copies the database at path, which may be in use, into a new file. It checks the copy, and records the time of the copy in
// the database. Its error has CodeConflict if the file exists.
func Backup(ctx context.Context, path, to string, now time.Time) (*Copy, error) {
	real, err := existing(path)
	if err != nil {
		return nil, err
	}
	made, err := copyDatabase(ctx, real, to)
	if err != nil {
		return nil, err
	}
	if err := RecordBackup(ctx, real, now); err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err,
			"the copy %s is complete, but its time could not be recorded in the database %s", to, path)
	}
	return made, nil
}

// existing returns the path of a file that must exist and be readable. This process must not have it open: it would lose its locks.
func existing(path string) (string, error) {
	real, err := Resolve(path)
	if err == nil {
		var f *os.File
		if f, err = os.Open(real); err == nil { // the error says more than SQLite's
			err = f.Close()
		}
	}
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", path)
	}
	return real, nil
}

// copyDatabase copies a database, with its log, into a new file that only its owner can read, and checks the copy. The file appears
// under its name once it is complete and on disk.
func copyDatabase(ctx context.Context, from, to string) (made *Copy, err error) {
	if _, err := os.Lstat(to); err == nil {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "the file %s exists already, and is not replaced", to)
	}
	defer func() {
		if err != nil && bellwire.CodeOf(err) == bellwire.CodeInternal {
			err = bellwire.Wrap(copyCode(err), err, "the database %s cannot be copied to %s", from, to)
		}
	}()
	temporary, err := temporaryFile(to)
	if err != nil {
		return nil, err
	}
	defer func() {
		if removed := os.Remove(temporary); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}()
	if err := vacuumInto(ctx, from, temporary); err != nil {
		return nil, err
	}
	if made, err = Inspect(ctx, temporary); err != nil {
		return nil, err
	}
	if err := syncFile(temporary); err != nil {
		return nil, err
	}
	made.Path = to
	return made, RenameNew(temporary, to)
}

// RenameNew renames a file, replaces no other, and returns once the name is on disk. Not every file system that backups are written
// to has links.
func RenameNew(from, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), os.Rename(from, to)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func copyCode(err error) bellwire.Code {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultFull {
		return bellwire.CodeNoSpace
	}
	return bellwire.CodeUnavailable
}

// temporaryFile makes an empty file beside path.
func temporaryFile(path string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // with mode 0600
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// vacuumInto copies what one reader of the database sees into an empty file, which SQLite does not sync.
func vacuumInto(ctx context.Context, from, to string) error {
	conn, err := openReadOnly(from)
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	err = sqlitex.ExecuteTransient(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{to}})
	return errors.Join(err, conn.Close())
}

// syncFile waits until a file is on disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // Windows syncs only what is open for writing
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder waits until the names in a folder are on disk.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // there a folder cannot be synced, and need not be
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Inspect reads all of a database that nobody uses, and returns what it is. Its error has CodeUnavailable if it is damaged, no
// database of Bellwire, or made by a Bellwire that is too new for this build.
func Inspect(ctx context.Context, path string) (*Copy, error) {
	faults, err := FindFaults(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, errors.New(faults[0]), "the database %s is damaged", path)
	}
	conn, err := openReadOnly(path)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", path)
	}
	defer conn.Close() // nothing was written
	c := &db{conn: conn, queries: make(map[string]*query)}
	recorded, err := c.recorded(path)
	if err != nil {
		return nil, err
	}
	if recorded.Migrations == 0 {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database %s is empty", path)
	}
	if _, err := recorded.Pending(path, len(migrationFiles())); err != nil {
		return nil, err
	}
	size, _, err := c.query("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").scalar()
	if err != nil {
		return nil, err
	}
	found := &Copy{Path: path, Bytes: size, Migrations: recorded.Migrations}
	if found.KeysetCheck, err = c.keysetCheck(); err != nil {
		return nil, err
	}
	found.Secret, err = c.someSecret()
	return found, err
}

// someSecret returns a sealed secret of the database, or nil if it has none.
func (c *db) someSecret() (*bellwire.SealedSecret, error) {
	q := c.query("SELECT id, sealed FROM endpoints WHERE sealed IS NOT NULL LIMIT 1")
	var secret *bellwire.SealedSecret
	for q.next() {
		secret = &bellwire.SealedSecret{Endpoint: q.getText(), Sealed: q.getBlob()}
	}
	return secret, q.err
}

// recorded returns what the database records about its schema. Its version is the number of migrations that a build must contain at
// least. Builds that did not record how many had run needed all of them.
func (c *db) recorded(path string) (rules.Schema, error) {
	version, _, err := c.query("PRAGMA user_version").scalar()
	if err != nil {
		return rules.Schema{}, err
	}
	application, _, err := c.query("PRAGMA application_id").scalar()
	if err != nil {
		return rules.Schema{}, err
	}
	tables, _, err := c.query("SELECT count(*) FROM sqlite_schema").scalar()
	if err != nil {
		return rules.Schema{}, err
	}
	if application != applicationID && (version != 0 || tables != 0) {
		return rules.Schema{}, bellwire.Errorf(bellwire.CodeUnavailable, "the file %s is a database of another program; choose another path", path)
	}
	recorded := rules.Schema{Oldest: int(version), Migrations: int(version)}
	if version == 0 {
		return recorded, nil
	}
	run, some, err := c.query("SELECT value FROM meta WHERE name = 'migrations'").scalar()
	if some {
		recorded.Migrations = int(run)
	}
	return recorded, err
}

// timeInName is how the names of files write a time.
const timeInName = "20060102T150405Z"

const (
	// sqlUpgradeCopy returns the copy that was made in this epoch. While no server has run since, the copy has all of the data.
	sqlUpgradeCopy = `SELECT value FROM meta WHERE name = 'upgrade_copy' AND (SELECT value FROM meta WHERE name = 'upgrade_copy_epoch') =
		(SELECT value FROM meta WHERE name = 'epoch')`
	sqlRecordUpgradeCopy = `INSERT INTO meta (name, value) VALUES ('upgrade_copy', ?),
		('upgrade_copy_epoch', (SELECT value FROM meta WHERE name = 'epoch')) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
)

// copyBefore copies the database before its schema is changed, so that the release before can be installed again with the data as it
// was. If an earlier start has made the copy and did not complete the change, there is no other.
func (w *writer) copyBefore(ctx context.Context, from, to int) error {
	if err := removeParts(w.store.path + beforeSchema); err != nil {
		return err
	}
	if w.store.options.NoUpgradeCopy {
		return nil
	}
	path, err := w.upgradeCopy()
	if err != nil {
		return err
	}
	if path == "" {
		path = fmt.Sprintf("%s%s%d-%s", w.store.path, beforeSchema, to, w.store.options.Now().UTC().Format(timeInName))
		if err := w.makeUpgradeCopy(ctx, path); err != nil {
			return &bellwire.Error{
				Code:    bellwire.CodeUnavailable,
				Message: fmt.Sprintf("the database %s must be changed for this version of Bellwire, and could not be copied before that: %s", w.store.path, err),
				Hint:    "Make room for a copy beside it. If you have a backup, start once with --no-upgrade-backup.",
			}
		}
	}
	w.store.options.Logger.Info("database copied before its schema is changed: delete the copy once the new version has proved itself",
		"copy", path, "from", from, "to", to)
	return nil
}

// upgradeCopy returns the copy that an earlier start has made of what is in the database now; empty: there is none.
func (w *writer) upgradeCopy() (path string, err error) {
	q := w.query(sqlUpgradeCopy)
	for q.next() {
		path = q.getText()
	}
	if q.err != nil || path == "" {
		return "", q.err
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return path, err
}

// makeUpgradeCopy makes a copy and records it.
func (w *writer) makeUpgradeCopy(ctx context.Context, path string) error {
	if _, err := copyDatabase(ctx, w.store.path, path); err != nil {
		return err
	}
	if err := w.query(sqlRecordUpgradeCopy).text(path).exec(); err != nil { // the next start would make another copy
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// beforeSchema is between the name of a database and the rest of the name of its copy.
const beforeSchema = ".before-schema-"

// removeParts removes the temporary files of copies that were not completed. Nobody else may be making copies of these names.
func removeParts(prefix string) error {
	folder := filepath.Dir(prefix)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(prefix)) && strings.HasSuffix(entry.Name(), ".tmp") {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordTimeout is how long the recording of a backup may wait for the writes of a busy server.
const recordTimeout = 30 * time.Second

const sqlRecordBackup = "INSERT INTO meta (name, value) VALUES ('backup', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"

// RecordBackup records the time of a backup, beside the server that may be running.
func RecordBackup(ctx context.Context, path string, at time.Time) error {
	path, err := existing(path)
	if err != nil {
		return err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetBusyTimeout(recordTimeout)
	conn.SetInterrupt(ctx.Done())
	err = sqlitex.ExecuteTransient(conn, "PRAGMA wal_autocheckpoint = 0", nil) // the server does it
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, sqlRecordBackup, &sqlitex.ExecOptions{Args: []any{at.UnixMicro()}})
	}
	conn.SetInterrupt(nil)
	return errors.Join(err, conn.Close())
}
