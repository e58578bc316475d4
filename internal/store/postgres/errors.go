package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// retryAfter is when to try again what a database that is away was asked.
const retryAfter = 2 * time.Second

// translate makes what the database or the network said into a *bellwire.Error. Errors that are one already stay
// as they are. Clients see the message, and operators the cause as well.
func (s *Store) translate(err error) error {
	if err == nil {
		return nil
	}
	var known *bellwire.Error
	if errors.As(err, &known) {
		return known
	}
	cause := fmt.Errorf("%s: %w", s.place, root(err))
	var refused *pgconn.PgError
	switch {
	case s.closed.Load():
		return errClosed
	case errors.As(err, &refused):
		return refusal(refused, cause)
	case errors.Is(err, errAgain):
		return unavailable(cause, "Too many changed the same at once. Try again.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable(cause, "The database did not get to it in time. Try again.")
	case lost(err):
		return unavailable(cause, "The database cannot be reached. Try again.")
	}
	return bellwire.Wrap(bellwire.CodeInternal, cause, "The database refused an operation.")
}

// explain translates an error of Open, which an operator reads.
func (s *Store) explain(err error, config *pgx.ConnConfig) error {
	var (
		refused *pgconn.PgError
		at      = net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	)
	if strings.HasPrefix(config.Host, "/") {
		at = config.Host
	}
	switch {
	case isState(err, "3D000"): // invalid_catalog_name
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"There is no database %q at %s. Make it (CREATE DATABASE), or correct --database-url.", config.Database, at)
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "28"): // invalid authorization
		return unavailable(refused, fmt.Sprintf("The database at %s does not let the user %q in. Check the user and the password in --database-url.", at, config.User))
	case errors.As(err, &refused), !lost(err):
		return s.translate(err)
	}
	return unavailable(root(err), fmt.Sprintf("Cannot reach the database at %s. Check that it is running and that --database-url is right.", at))
}

// root returns the network's error in err, or err if there is none. The driver repeats it for each address that it tried.
func root(err error) error {
	var (
		operation *net.OpError
		lookup    *net.DNSError
	)
	switch {
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &operation):
		return operation
	}
	return err
}

// lost tells whether an error is one of the connection. What became of a commit is not known then.
func lost(err error) bool {
	var (
		connect *pgconn.ConnectError
		network net.Error
	)
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) ||
		errors.Is(err, pgconn.ErrConnClosed)
}

// refusal translates what the server said. Its codes are those of PostgreSQL's manual, appendix A.
func refusal(refused *pgconn.PgError, cause error) error {
	switch refused.Code {
	case "53100": // disk_full
		return bellwire.Wrap(bellwire.CodeNoSpace, cause,
			"There is no room left for the database. When its disk has room again, work goes on by itself.")
	case "53300": // too_many_connections
		return unavailable(cause, "The database has no free connection. Raise its limit, or lower --database-connections on each node.")
	case "25006", "0A000", "42501": // read_only_sql_transaction, feature_not_supported (to write, on a standby), insufficient_privilege
		return unavailable(cause, "The database cannot be written. Check that it is the primary, and the rights of its user.")
	case "28000", "28P01", "3D000": // invalid_authorization_specification, invalid_password, invalid_catalog_name
		return unavailable(cause, "The database does not let Bellwire in. Check its name, user and password.")
	case "22021": // character_not_in_repertoire
		return bellwire.Wrap(bellwire.CodeInvalid, cause, "A text contains what is no UTF-8, or the character U+0000.")
	}
	if refused.Code == "25P03" { // idle_in_transaction_session_timeout
		return unavailable(cause, "This node was stopped, or too busy, in the middle of a transaction. Try again.")
	}
	switch refused.Code[:min(2, len(refused.Code))] {
	case "08", "40", "53", "55", "57", "58": // connection, rollback, resources, object in use, operator, system
		return unavailable(cause, "The database is not available now. When it is, work goes on by itself.")
	case "XX":
		return unavailable(cause, "The database is damaged. Restore it from a backup.")
	}
	return bellwire.Wrap(bellwire.CodeInternal, cause, "The database refused an operation.")
}

func unavailable(cause error, message string) error {
	err := bellwire.Wrap(bellwire.CodeUnavailable, cause, "%s", message)
	err.RetryAfter = retryAfter
	return err
}

// isState tells whether the server refused a statement with one of the codes.
func isState(err error, codes ...string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && slices.Contains(codes, refused.Code)
}
