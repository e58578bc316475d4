package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// translate makes what SQLite said into a *bellwire.Error. Errors that are one already stay as they are.
func (s *Store) translate(err error) error {
	if err == nil {
		return nil
	}
	var known *bellwire.Error
	if errors.As(err, &known) {
		return known
	}
	// Clients see the message, and operators the cause as well: where the file is concerns them alone.
	cause := fmt.Errorf("%s: %w", s.path, err)
	code := sqlite.ErrCode(err)
	if isDamage(err) {
		return s.noteDamage(cause)
	}
	if code == sqlite.ResultIOErrSHMSize {
		code = sqlite.ResultFull // the log's index could not grow
	}
	switch code.ToPrimary() {
	case sqlite.ResultFull:
		return bellwire.Wrap(bellwire.CodeNoSpace, cause,
			"the database has no room left on its disk; it continues when there is room again")
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen, sqlite.ResultAuth:
		return bellwire.Wrap(bellwire.CodeUnavailable, cause,
			"the database cannot be written; check the permissions of its file and folder")
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultProtocol:
		return bellwire.Wrap(bellwire.CodeUnavailable, cause,
			"another program has locked the database; stop that program")
	case sqlite.ResultInterrupt:
		return bellwire.Wrap(bellwire.CodeUnavailable, cause, "reading the database took too long, or was canceled; try again")
	case sqlite.ResultIOErr, sqlite.ResultNoMem:
		return bellwire.Wrap(bellwire.CodeUnavailable, cause,
			"the database could not be read or written; check its disk")
	}
	return bellwire.Wrap(bellwire.CodeInternal, cause, "the database refused an operation")
}

// translateAtStart makes what went wrong with a start into a *bellwire.Error that says which file it is about.
func (s *Store) translateAtStart(err error) error {
	if isDamage(err) {
		return damagedAtStart(s.path, err)
	}
	err = s.translate(err)
	if bellwire.CodeOf(err) == bellwire.CodeNoSpace {
		return bellwire.Wrap(bellwire.CodeNoSpace, errors.Unwrap(err),
			"the database %s has no room left on its disk; make room, and start again", s.path)
	}
	return err
}

// ofCaller reports whether an error was caused by what one caller wanted written, and not by the state of the
// disk, so that others may well succeed.
func ofCaller(err error) bool {
	if _, ok := errors.AsType[*bellwire.Error](err); ok {
		return false
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen, sqlite.ResultAuth,
		sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultProtocol,
		sqlite.ResultInterrupt, sqlite.ResultIOErr, sqlite.ResultNoMem:
		return false
	}
	return true
}

// gaveUp is the error for a caller whose context ended first.
func gaveUp(ctx context.Context) error {
	return bellwire.Wrap(bellwire.CodeUnavailable, context.Cause(ctx), "the database did not answer in time; try again")
}

var errClosed = bellwire.Errorf(bellwire.CodeUnavailable, "the database is closed")
