package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// sqliteChecks examine an SQLite database. They read it once.
func (s *Subject) sqliteChecks() []check {
	var once sync.Once
	var read *sqlite.Facts
	var failed error
	facts := func(ctx context.Context) (*sqlite.Facts, error) {
		once.Do(func() { read, failed = sqlite.Examine(ctx, s.Database.SQLite) })
		return read, failed
	}
	judged := func(judge func(*sqlite.Facts) result) func(context.Context) result {
		return func(ctx context.Context) result {
			f, err := facts(ctx)
			if err != nil {
				return result{} // database.reachable says why
			}
			return judge(f)
		}
	}
	checks := []check{
		{"database.reachable", func(ctx context.Context) result { return s.sqliteReachable(facts(ctx)) }},
		{"database.schema", judged(sqliteSchema)},
		{"database.log", judged(s.sqliteLog)},
		{"database.bloat", judged(s.sqliteBloat)},
	}
	return append(checks, s.keysetChecks(func(ctx context.Context) ([]byte, bool) {
		f, err := facts(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, true
		}
		if err != nil {
			return nil, false
		}
		return f.KeysetCheck, true
	})...)
}

func (s *Subject) sqliteReachable(f *sqlite.Facts, err error) result {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return note("The database "+s.Database.SQLite+" does not exist yet; the first start creates it.", "Start the server, or name another file with --database-url.")
	case err != nil:
		return problem("The database cannot be read: "+reason(err)+".", `Check the path and the rights of its folder; "bellwire check" looks for damage.`)
	case f.Foreign:
		return problem("The file "+f.Path+" is a database of another program.", "Name another file with --database-url.")
	}
	return ok("The database %s has %s, and SQLite is %s.", f.Path, size(f.Size), sqlite.Version)
}

func sqliteSchema(f *sqlite.Facts) result { return schema(f.Schema, f.Known) }

// schema compares the schema of the database with the newest one that this build knows.
func schema(stored, known int) result {
	switch {
	case stored > known:
		return problem(fmt.Sprintf("The database was written by a newer Bellwire: its schema has version %d, and this build knows %d.", stored, known),
			"Install the newer version again, or restore an older backup.")
	case stored < known:
		return note(fmt.Sprintf("The schema has version %d; the next start changes it to %d.", stored, known), "Make a backup before the next start.")
	}
	return ok("The schema has version %d.", stored)
}

func (s *Subject) sqliteLog(f *sqlite.Facts) result {
	if f.Log > s.Limits.LogBytes {
		return warning("The write-ahead log of the database has "+size(f.Log)+".", "End other programs that keep the database open for reading, and look for errors in the log of the server.")
	}
	return ok("The write-ahead log has %s.", size(f.Log))
}

func (s *Subject) sqliteBloat(f *sqlite.Facts) result {
	if f.Pages > 0 && float64(f.Free) > s.Limits.FreePages*float64(f.Pages) {
		return note(fmt.Sprintf("%d%% of the database file are unused; new events take that space.", 100*f.Free/f.Pages),
			"To give the space back to the disk, stop the server and run VACUUM with the sqlite3 program.")
	}
	return ok("%d%% of the database file are unused.", 100*f.Free/max(f.Pages, 1))
}
