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

// retryAfter is when callers should repeat an operation that failed because the database was away.
const retryAfter = 2 * time.Second

// translate converts an error of the database or the network into a *bellwire.Error, and returns one that is already
// one as it is. Clients see the message, operators the cause as well.
func (s *Store) translate(err error) error {
	if err == nil {
		return nil
	}
	var known *bellwire.Error
	if errors.As(err, &known) {
		return known
	}
	cause := fmt.Errorf("%s: %w", s.location, root(err))
	var refused *pgconn.PgError
	switch {
	case s.closed.Load():
		return errClosed
	case errors.As(err, &refused):
		return refusal(refused, cause)
	case errors.Is(err, errRetry):
		return unavailable(cause, "too many transactions changed the same rows at once; try again")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable(cause, "the database did not answer in time; try again")
	case connectionLost(err):
		return unavailable(cause, "the database cannot be reached; try again")
	}
	return bellwire.Wrap(bellwire.CodeInternal, cause, "the database refused an operation")
}

// explain translates an error of Open for the operator, who reads it on the command line.
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
			"database %q does not exist at %s; create it (CREATE DATABASE) or correct --database-url", config.Database, at)
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "28"): // invalid authorization
		return unavailable(refused, fmt.Sprintf("the database at %s refuses the user %q; check the user and the password in --database-url", at, config.User))
	case errors.As(err, &refused), !connectionLost(err):
		return s.translate(err)
	}
	return unavailable(root(err), fmt.Sprintf("the database at %s cannot be reached; check that it is running and that --database-url is right", at))
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

// connectionLost reports whether err is an error of the connection. The outcome of a commit is unknown then.
func connectionLost(err error) bool {
	var (
		connect *pgconn.ConnectError
		network net.Error
	)
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) ||
		errors.Is(err, pgconn.ErrConnClosed)
}

// refusal translates an error of the server. The codes are explained in appendix A of PostgreSQL's manual.
func refusal(refused *pgconn.PgError, cause error) error {
	switch refused.Code {
	case "53100": // disk_full
		return bellwire.Wrap(bellwire.CodeNoSpace, cause,
			"the database has no room left; work resumes when its disk has space again")
	case "53300": // too_many_connections
		return unavailable(cause, "the database has no free connection; raise its limit or lower --database-connections on each node")
	case "25006", "0A000", "42501": // read_only_sql_transaction, feature_not_supported (to write, on a standby), insufficient_privilege
		return unavailable(cause, "the database cannot be written to; check that it is the primary and that its user has the rights")
	case "28000", "28P01", "3D000": // invalid_authorization_specification, invalid_password, invalid_catalog_name
		return unavailable(cause, "the database refuses the connection; check the name, the user and the password in --database-url")
	case "22021": // character_not_in_repertoire
		return bellwire.Wrap(bellwire.CodeInvalid, cause, "text must be UTF-8 and must not contain the character U+0000")
	}
	if refused.Code == "25P03" { // idle_in_transaction_session_timeout
		return unavailable(cause, "this node was stopped or too busy in the middle of a transaction; try again")
	}
	switch refused.Code[:min(2, len(refused.Code))] {
	case "08", "40", "53", "55", "57", "58": // connection, rollback, resources, object in use, operator, system
		return unavailable(cause, "the database is not available; work resumes when it is")
	case "XX":
		return unavailable(cause, "the database is damaged; restore it from a backup")
	}
	return bellwire.Wrap(bellwire.CodeInternal, cause, "the database refused an operation")
}

func unavailable(cause error, message string) error {
	err := bellwire.Wrap(bellwire.CodeUnavailable, cause, "%s", message)
	err.RetryAfter = retryAfter
	return err
}

// isState reports whether the server refused a statement with one of the codes.
func isState(err error, codes ...string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && slices.Contains(codes, refused.Code)
}
