package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Restoration describes what Restore is to do.
type Restoration struct {
	From    string            // a copy of a database, which stays as it is
	To      string            // where the database is to be
	Replace bool              // a database that is there is moved aside
	Check   func(*Copy) error // is asked before anything is changed; its error ends Restore
	Now     time.Time
}

// Restored describes a database that was restored.
type Restored struct {
	*Copy
	Aside string // where the database went that was there before; empty: there was none
	Owner string // whom the database belongs to, if that had to be changed
}

// Restore puts a copy of a database in place. The restored database begins new epochs and revisions, so that none comes twice, and
// forgets sessions. Its error has CodeConflict if there is a database and none is to be replaced, and CodeUnavailable if a server
// runs on it or the copy cannot be used.
func Restore(ctx context.Context, r Restoration) (restored *Restored, err error) {
	from, err := existing(r.From)
	if err != nil {
		return nil, err
	}
	to, err := Resolve(r.To)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the folder of the database %s must exist", r.To)
	}
	if from == to {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "the copy %s is the database itself", from)
	}
	restored = new(Restored)
	if restored.Copy, err = Inspect(ctx, from); err != nil {
		return nil, err
	}
	if err := r.Check(restored.Copy); err != nil {
		return nil, err
	}
	owner, err := ownerAt(to, r.Replace)
	if err != nil {
		return nil, err
	}
	p := &databaseFile{path: to}
	if err := p.hold(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	defer func() { err = errors.Join(err, p.close()) }()
	defer func() {
		if err != nil && bellwire.CodeOf(err) == bellwire.CodeInternal {
			err = bellwire.Wrap(copyCode(err), err, "the copy %s cannot be put in place as %s", from, to)
		}
	}()
	temporary, err := prepareRestored(ctx, from, to, r.Now)
	if err != nil {
		return nil, err
	}
	if restored.Owner, err = giveTo(owner, temporary, to+"-lock"); err != nil {
		return nil, errors.Join(err, os.Remove(temporary))
	}
	if restored.Aside, err = moveAside(to, r.Now); err != nil {
		return nil, errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, to); err != nil {
		return nil, err
	}
	return restored, syncFolder(filepath.Dir(to))
}

// ownerAt returns whom a database at path belongs to: the owner of the one that is there, or else of its folder. It refuses one that is
// there, unless it may be replaced.
func ownerAt(path string, replace bool) (fs.FileInfo, error) {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		there, err = os.Stat(filepath.Dir(path))
	} else if err == nil && !replace && there.Size() > 0 {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "the database %s exists; with --replace it is moved aside, and nothing of it is deleted", path)
	}
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be replaced", path)
	}
	return there, nil
}

// hold locks the path of a database, and its file if there is one, against servers.
func (p *databaseFile) hold() error {
	if err := p.acquire(); err != nil {
		return err
	}
	file, err := os.OpenFile(p.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be replaced; run this as the user that Bellwire runs as", p.path)
	}
	if runtime.GOOS == "windows" { // which renames no file that is open, and has no lock on the file
		return file.Close()
	}
	p.file = file
	held, err := lockFile(file)
	if err == nil && !held {
		err = bellwire.Errorf(bellwire.CodeUnavailable, "the database %s is in use by another process, maybe under another name; stop that process", p.path)
	}
	return err
}

// prepareRestored makes what is to be the database, beside it.
func prepareRestored(ctx context.Context, from, to string, now time.Time) (temporary string, err error) {
	if temporary, err = temporaryFile(to); err != nil {
		return "", err
	}
	err = vacuumInto(ctx, from, temporary)
	if err == nil {
		err = beginAnew(temporary, now)
	}
	if err == nil {
		err = syncFile(temporary)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(temporary))
	}
	return temporary, nil
}

// beginAnew begins new epochs and revisions in a restored database, and ends all sessions.
func beginAnew(path string, now time.Time) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer conn.Close() // the statements are committed
	for _, run := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE meta SET value = value + ? WHERE name IN ('epoch', 'revision')", []any{rules.RestoreGap}},
		{"INSERT INTO meta (name, value) VALUES ('restored', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", []any{now.UnixMicro()}},
	} {
		if err := sqlitex.ExecuteTransient(conn, run.sql, &sqlitex.ExecOptions{Args: run.args}); err != nil {
			return err
		}
	}
	c := &db{conn: conn, queries: make(map[string]*query)}
	some, _, err := c.query("SELECT count(*) FROM sqlite_schema WHERE name = 'sessions'").scalar()
	if err != nil || some == 0 { // the copy is of a version without sessions
		return err
	}
	return sqlitex.ExecuteTransient(conn, "DELETE FROM sessions", nil)
}

// moveAside gives a database another name, with its log. It returns that name, or nothing if there is no database. The database goes
// first: a server refuses to start without one, but would start on one without its log.
func moveAside(path string, now time.Time) (aside string, err error) {
	name := path + ".replaced-" + now.UTC().Format(timeInName)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(path+suffix, name+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err == nil && suffix == "" {
			aside = name
		}
	}
	return aside, nil
}
