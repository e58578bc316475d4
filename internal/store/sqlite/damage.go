package sqlite

import (
	"context"
	"errors"
	"os"
	"time"

	library "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// isDamage reports whether an error means that the contents of the file are wrong, and not that the disk or another
// program is in the way.
func isDamage(err error) bool {
	switch code := sqlite.ErrCode(err); code {
	case sqlite.ResultIOErrShortRead, library.SQLITE_IOERR_CORRUPTFS, library.SQLITE_IOERR_DATA:
		return true
	default:
		return code.ToPrimary() == sqlite.ResultCorrupt || code.ToPrimary() == sqlite.ResultNotADB
	}
}

// noteDamage records that the database is damaged, and returns the error that all calls get from then on. A damaged database
// accepts no more writes, because an acknowledged one might be lost.
func (s *Store) noteDamage(cause error) *bellwire.Error {
	e := bellwire.Wrap(bellwire.CodeUnavailable, cause,
		"the database is damaged and cannot be used; restore it from a backup, and restart Bellwire")
	if s.damage.CompareAndSwap(nil, e) {
		s.options.Logger.Error("the database is damaged: it takes nothing more until it is restored and Bellwire is started again",
			"database", s.path, "error", cause.Error())
	}
	return s.damage.Load()
}

// Damaged reports whether the database was found damaged since it was opened.
func (s *Store) Damaged() bool { return s.damage.Load() != nil }

// sound returns an error if nothing may be written at present.
func (s *Store) sound() error {
	if e := s.damage.Load(); e != nil {
		return e
	}
	return s.file.check()
}

// startCheck is how long the check of the database may take when it is opened.
const startCheck = 3 * time.Second

// inspect examines the files before anything is changed: it checks the database for damage, within a limit of time, and
// whether the log that a killed process has left is complete.
func (s *Store) inspect(ctx context.Context) error {
	if s.file.made {
		return nil
	}
	remains := findRemains(s.path)
	faults, err := s.checkAtStart(ctx)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return damagedAtStart(s.path, errors.New(faults[0]))
	}
	if after, ok := readIndex(s.path + "-shm"); ok {
		if lost := remains.lost(after.length); lost > 0 {
			s.options.Logger.Error("a part of the database's log is missing or damaged: what was stored last before the last end is lost",
				"log", s.path+"-wal", "pages", lost)
		}
	}
	return nil
}

// checkAtStart checks the database for damage, within a limit of time.
func (s *Store) checkAtStart(ctx context.Context) (faults []string, err error) {
	conn, err := openReadOnly(s.path)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // nothing was written
	limited, cancel := context.WithTimeout(ctx, s.options.startCheck)
	defer cancel()
	// The log is read first, however long that takes.
	if err = sqlitex.ExecuteTransient(conn, "PRAGMA schema_version", nil); err == nil {
		conn.SetInterrupt(limited.Done())
		faults, err = findFaults(conn, "PRAGMA quick_check(1)")
	}
	switch code := sqlite.ErrCode(err).ToPrimary(); {
	case code == sqlite.ResultInterrupt && ctx.Err() == nil:
		s.options.Logger.Warn("the check of the database was not finished: it is large. bellwire check looks at all of it",
			"database", s.path, "limit", s.options.startCheck.String())
		return nil, nil
	case code == sqlite.ResultReadOnly, code == sqlite.ResultCantOpen:
		return nil, nil // it can be opened for writing alone, or not at all, which the writer finds out
	}
	return faults, err
}

func damagedAtStart(path string, cause error) error {
	err := bellwire.Wrap(bellwire.CodeUnavailable, cause, "the database %s is damaged", path)
	err.Hint = "Restore it from a backup, as docs/integrity.md describes."
	return err
}

// FindFaults looks through all of the database at path and returns what is wrong with it, at most a hundred things. It
// changes nothing, and may run while the database is in use: what is written meanwhile makes the log longer.
func FindFaults(ctx context.Context, path string) (faults []string, err error) {
	real, err := Resolve(path)
	if err == nil {
		_, err = os.Stat(real)
	}
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", path)
	}
	conn, err := openReadOnly(real)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be opened", path)
	}
	defer conn.Close() // nothing was written
	conn.SetInterrupt(ctx.Done())
	faults, err = findFaults(conn, "PRAGMA integrity_check")
	switch {
	case isDamage(err):
		return append(faults, err.Error()), nil
	case err != nil:
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s cannot be read", path)
	}
	return faults, nil
}

// openReadOnly opens a database so that nothing is changed when it is closed: SQLite would copy the log into one that it
// may write.
func openReadOnly(path string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyWait)
	return conn, nil
}

// findFaults returns what one of SQLite's checks finds.
func findFaults(conn *sqlite.Conn, pragma string) (faults []string, err error) {
	err = sqlitex.ExecuteTransient(conn, pragma, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if text := stmt.ColumnText(0); text != "ok" {
				faults = append(faults, text)
			}
			return nil
		},
	})
	return faults, err
}
