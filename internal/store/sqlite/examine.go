package sqlite

import (
	"context"
	"io/fs"
	"os"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Facts describe a database that may be in use.
type Facts struct {
	Path          string // absolute, without symbolic links
	Size, Log     int64  // of the file and its log, in bytes
	Pages, Free   int64  // all pages, and those that are unused
	Foreign       bool   // the file is a database of another program
	Schema, Known int    // the versions of the schema: of the database, and of this build
	KeysetCheck   []byte // nil: no keyset is recorded
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
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	f.Known = len(files)
	conn, err := openReadOnly(real)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", real)
	}
	defer conn.Close() // nothing was written
	conn.SetInterrupt(ctx.Done())
	if err := f.read(conn); err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be read", real)
	}
	return f, nil
}

func (f *Facts) read(conn *sqlite.Conn) error {
	var application, schema int64
	for _, fact := range []struct {
		pragma string
		into   *int64
	}{{"page_count", &f.Pages}, {"freelist_count", &f.Free}, {"application_id", &application}, {"user_version", &schema}} {
		err := sqlitex.ExecuteTransient(conn, "PRAGMA "+fact.pragma, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			*fact.into = stmt.ColumnInt64(0)
			return nil
		}})
		if err != nil {
			return err
		}
	}
	f.Foreign, f.Schema = application != applicationID, int(schema)
	if f.Foreign {
		return nil
	}
	return sqlitex.ExecuteTransient(conn, "SELECT value FROM meta WHERE name = 'witness'", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			f.KeysetCheck = make([]byte, stmt.ColumnLen(0))
			stmt.ColumnBytes(0, f.KeysetCheck)
			return nil
		},
	})
}
