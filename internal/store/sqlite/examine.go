package sqlite

import (
	"context"
	"io/fs"
	"os"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Facts describe a database that may be in use.
type Facts struct {
	Path        string // absolute, without symbolic links
	Size, Log   int64  // of the file and its log, in bytes
	Pages, Free int64  // all pages, and those that are unused

	Schema      rules.Schema
	SchemaFault error     // why this build cannot use the schema
	Pending     int       // migrations that the next start runs
	KeysetCheck []byte    // nil: no keyset is recorded
	BackupAt    time.Time // when the last backup was made; zero: none is recorded
}

// Examine reads facts about the database at path and changes nothing. It may run while the database is in use. Its error wraps
// fs.ErrNotExist if the database does not exist or is empty.
func Examine(ctx context.Context, path string) (*Facts, error) {
	real, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, &fs.PathError{Op: "read", Path: real, Err: fs.ErrNotExist}
	}
	f := &Facts{Path: real, Size: info.Size()}
	if log, err := os.Stat(real + "-wal"); err == nil {
		f.Log = log.Size()
	}
	conn, err := openReadOnly(real)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", real)
	}
	defer conn.Close() // nothing was written
	conn.SetInterrupt(ctx.Done())
	if err := f.read(conn); bellwire.CodeOf(err) == bellwire.CodeInternal {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be read", real)
	} else if err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Facts) read(conn *sqlite.Conn) (err error) {
	c := &db{conn: conn, queries: make(map[string]*query)}
	if f.Schema, err = c.recorded(f.Path); err != nil {
		return err
	}
	f.Pending, f.SchemaFault = f.Schema.Pending(f.Path, len(migrationFiles()))
	if f.Pages, _, err = c.query("PRAGMA page_count").scalar(); err != nil {
		return err
	}
	if f.Free, _, err = c.query("PRAGMA freelist_count").scalar(); err != nil {
		return err
	}
	backup, some, err := c.query("SELECT value FROM meta WHERE name = 'backup'").scalar()
	if err != nil {
		return err
	}
	if some {
		f.BackupAt = time.UnixMicro(backup)
	}
	f.KeysetCheck, err = c.keysetCheck()
	return err
}
