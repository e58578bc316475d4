package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// sqliteChecks examine an SQLite database. They read it once.
func (s *Subject) sqliteChecks() []check {
	facts := &reading[sqlite.Facts]{read: func(ctx context.Context) (*sqlite.Facts, error) {
		return sqlite.Examine(ctx, s.Database.SQLite)
	}}
	checks := []check{
		{"database.reachable", func(ctx context.Context) result { return s.sqliteReachable(facts.get(ctx)) }},
		{"database.schema", facts.judged(func(f *sqlite.Facts) result { return schema(f.Schema.Migrations, f.Pending, f.SchemaFault) })},
		{"database.backup", facts.judged(func(f *sqlite.Facts) result { return s.backup(f.BackupAt) })},
		{"database.log", facts.judged(s.sqliteLog)},
		{"database.bloat", facts.judged(s.sqliteBloat)},
	}
	return append(checks, s.keysetChecks(func(ctx context.Context) ([]byte, bool) {
		f, err := facts.get(ctx)
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
	}
	return ok("The database %s has %s, and SQLite is %s.", f.Path, size(f.Size), sqlite.Version)
}

// schema says whether this build can use the schema of the database.
func schema(migrations, pending int, fault error) result {
	switch {
	case fault != nil:
		return problem("The schema cannot be used: "+reason(fault)+".", hintOf(fault, "Install the newer version again."))
	case pending > 0 && migrations > 0:
		return note(fmt.Sprintf("The next start runs %d migrations of the schema.", pending), "Make a backup before it (docs/upgrade.md).")
	}
	return ok("The schema is that of this build, or of a newer one that this build can run on.")
}

// backup judges the age of the last backup.
func (s *Subject) backup(at time.Time) result {
	const do = `Run "bellwire backup" every day, or have your own backups recorded with "bellwire backup --record-only" (docs/backup.md).`
	age := s.Now().Sub(at)
	switch {
	case at.IsZero():
		return note("No backup of the database is recorded.", do)
	case age > s.Limits.BackupAge:
		return warning(fmt.Sprintf("The last backup of the database that is recorded is from %s, %s.", at.UTC().Format(time.RFC3339), humanize.RelTime(at, s.Now(), "ago", "from now")), do)
	}
	return ok("The last backup of the database is from %s.", at.UTC().Format(time.RFC3339))
}

func (s *Subject) sqliteLog(f *sqlite.Facts) result {
	if f.Log > s.Limits.LogBytes {
		return warning("The write-ahead log of the database has "+size(f.Log)+".", "End other programs that keep the database open for reading, and look for errors in the log of the server.")
	}
	return ok("The write-ahead log has %s.", size(f.Log))
}

func (s *Subject) sqliteBloat(f *sqlite.Facts) result {
	if f.Pages > 0 && float64(f.Free) > s.Limits.FreePages*float64(f.Pages) {
		return note(fmt.Sprintf("%d%% of the database file is unused; new events take that space.", 100*f.Free/f.Pages),
			"To give the space back to the disk, stop the server and run VACUUM with the sqlite3 program.")
	}
	return ok("%d%% of the database file is unused.", 100*f.Free/max(f.Pages, 1))
}
