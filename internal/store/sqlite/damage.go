package sqlite

import (
	"context"
	"errors"
	"os"
	"time"

	library "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire"
)

// isDamage reports whether an error says that what is in the file is wrong, and not that the disk or another program is
// in the way.
func isDamage(err error) bool {
	switch code := sqlite.ErrCode(err); code {
	case sqlite.ResultIOErrShortRead, library.SQLITE_IOERR_CORRUPTFS, library.SQLITE_IOERR_DATA:
		return true
	default:
		return code.ToPrimary() == sqlite.ResultCorrupt || code.ToPrimary() == sqlite.ResultNotADB
	}
}

// noteDamage remembers that the database is damaged, and returns the error for everybody from then on. A damaged
// database takes nothing any more: what it would acknowledge might not be there afterwards.
func (s *Store) noteDamage(cause error) *bellwire.Error {
	e := bellwire.Wrap(bellwire.CodeUnavailable, cause,
		"The database is damaged and takes nothing more. It must be restored from a backup, and Bellwire be started again.")
	if s.damage.CompareAndSwap(nil, e) {
		s.options.Logger.Error("the database is damaged: it takes nothing more until it is restored and Bellwire is started again",
			"database", s.path, "error", cause.Error())
	}
	return s.damage.Load()
}

// Damaged reports whether the database was found damaged since it was opened.
func (s *Store) Damaged() bool { return s.damage.Load() != nil }

// sound returns why nothing may be written at present.
func (s *Store) sound() error {
	if e := s.damage.Load(); e != nil {
		return e
	}
	return s.place.check()
}

// startCheck is how long the check of the database may take when it is opened.
const startCheck = 3 * time.Second

// checkAtStart looks through the database for damage for as long as it may.
func (w *writer) checkAtStart(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, w.store.options.startCheck)
	defer cancel()
	var faults []string
	err := w.bounded(limited, func(c *db) (err error) {
		faults, err = findFaults(c.conn, "PRAGMA quick_check(1)")
		return err
	})
	switch {
	case err != nil && ctx.Err() == nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt:
		w.store.options.Logger.Warn("the check of the database was not finished: it is large. bellwire check looks at all of it",
			"database", w.store.path, "limit", w.store.options.startCheck.String())
		return nil
	case err != nil:
		return err
	case len(faults) > 0:
		return damagedAtStart(w.store.path, errors.New(faults[0]))
	}
	return nil
}

func damagedAtStart(path string, cause error) error {
	return bellwire.Wrap(bellwire.CodeUnavailable, cause,
		"The database %s is damaged. It must be restored from a backup: docs/integrity.md says how. What is wrong", path)
}

// FindFaults looks through all of the database at path and returns what is wrong with it, at most a hundred things. It
// changes nothing, and may run while the database is in use: what is written meanwhile makes the log longer.
func FindFaults(ctx context.Context, path string) (faults []string, err error) {
	real, err := Resolve(path)
	if err == nil {
		_, err = os.Stat(real)
	}
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "The database %s cannot be opened.", path)
	}
	// SQLite would copy the log into a database that it may write when it is closed.
	conn, err := sqlite.OpenConn(real, sqlite.OpenReadOnly)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "The database %s cannot be opened.", path)
	}
	defer conn.Close() // nothing was written
	conn.SetInterrupt(ctx.Done())
	conn.SetBusyTimeout(busyWait)
	faults, err = findFaults(conn, "PRAGMA integrity_check")
	switch {
	case isDamage(err):
		return append(faults, err.Error()), nil
	case err != nil:
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "The database %s cannot be read.", path)
	}
	return faults, nil
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
