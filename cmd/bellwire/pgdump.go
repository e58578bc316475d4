package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// direct returns the URL of the database without a pooler, which programs of PostgreSQL need.
func (s *storage) direct() string {
	if s.DatabaseDirectURL.postgres != "" {
		return s.DatabaseDirectURL.postgres
	}
	return s.DatabaseURL.postgres
}

// dump copies Bellwire's schema with pg_dump, and records the time of the copy.
func (c *backupCommand) dump(ctx context.Context, to string, now time.Time) (*sqlite.Copy, error) {
	if _, err := os.Lstat(to); err == nil {
		return nil, fmt.Errorf("the file %s exists already, and is not replaced", to)
	}
	found, err := postgres.Inspect(ctx, c.direct())
	if err != nil {
		return nil, fmt.Errorf("--database-url: %w", err)
	}
	if found.Migrations == 0 {
		return nil, fmt.Errorf("--database-url: the database %s has no schema of Bellwire's", c.DatabaseURL)
	}
	file, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*.tmp") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) // fails if it has its name
	err = runClient(ctx, c.direct(), found.Version, file, "pg_dump", "--format=custom", "--schema=bellwire", "--no-password")
	var size int64
	if info, failed := file.Stat(); failed == nil {
		size = info.Size()
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, err
	}
	if err := runClient(ctx, "", found.Version, nil, "pg_restore", "--file="+os.DevNull, file.Name()); err != nil { // it reads all of it
		return nil, err
	}
	if err := sqlite.RenameNew(file.Name(), to); err != nil {
		return nil, err
	}
	if err := postgres.RecordBackup(ctx, c.direct(), now); err != nil {
		return nil, fmt.Errorf("the copy %s is complete, but its time could not be recorded: %w", to, err)
	}
	return &sqlite.Copy{Path: to, Bytes: size, Migrations: found.Migrations, KeysetCheck: found.KeysetCheck, Secret: found.Secret}, nil
}

// restorePostgres restores a copy that pg_dump has made, or takes over a database that was restored in place.
func (c *restoreCommand) restorePostgres(ctx context.Context, std streams, now time.Time) error {
	place, err := postgres.FindPlace(ctx, c.direct())
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	if place.Connected > 0 {
		return fmt.Errorf("--database-url: %d connections of Bellwire to the database %s are open; stop all nodes first", place.Connected, c.DatabaseURL)
	}
	aside := ""
	if !c.InPlace {
		if aside, err = c.load(ctx, place, now); err != nil {
			return err
		}
	}
	done, err := c.takeOver(ctx, now)
	if err != nil && !c.InPlace {
		return errors.Join(err, postgres.PutBack(context.WithoutCancel(ctx), c.direct(), aside))
	}
	if err != nil {
		return err
	}
	var next []string
	if aside != "" {
		next = append(next, fmt.Sprintf("The schema that was there is now called %s. Drop it when you need nothing of it: DROP SCHEMA %s CASCADE", aside, aside))
	}
	return say(std.err, done, append(next, afterRestore...)...)
}

// takeOver checks a database that was restored, and begins anew in it.
func (c *restoreCommand) takeOver(ctx context.Context, now time.Time) (done string, err error) {
	found, err := postgres.Inspect(ctx, c.direct())
	if err != nil {
		return "", fmt.Errorf("--database-url: %w", err)
	}
	if found.Migrations == 0 {
		return "", fmt.Errorf("--database-url: the database %s has no schema of Bellwire's", c.DatabaseURL)
	}
	opened, err := c.opens(found.KeysetCheck, found.Secret)
	if err != nil {
		return "", err
	}
	if err := postgres.BeginAnew(ctx, c.direct(), now); err != nil {
		return "", fmt.Errorf("--database-url: %w", err)
	}
	return fmt.Sprintf("Restored the database %s (schema %d). %s", c.DatabaseURL, found.Migrations, opened), nil
}

// load restores a copy into the database, and moves aside the schema that is there. It returns the new name of that.
func (c *restoreCommand) load(ctx context.Context, place *postgres.Place, now time.Time) (aside string, err error) {
	if err := runClient(ctx, "", place.Version, nil, "pg_restore", "--list", c.File); err != nil {
		return "", fmt.Errorf("%s cannot be restored: %w", c.File, err)
	}
	if place.Schema {
		if !place.Empty && !c.Replace {
			return "", fmt.Errorf("the database %s has a schema bellwire; with --replace it gets another name, and nothing of it is deleted", c.DatabaseURL)
		}
		aside = "bellwire_replaced_" + now.UTC().Format("20060102t150405z")
		if err := postgres.MoveAside(ctx, c.direct(), aside); err != nil {
			return "", fmt.Errorf("--database-url: %w", err)
		}
	}
	err = runClient(ctx, c.direct(), place.Version, nil, "pg_restore", "--dbname=service=bellwire", "--no-owner", "--single-transaction", "--exit-on-error", "--no-password", c.File)
	if err != nil && aside != "" { // the transaction has left nothing
		return "", errors.Join(err, postgres.PutBack(context.WithoutCancel(ctx), c.direct(), aside))
	}
	return aside, err
}

// runClient runs a client program of PostgreSQL, connected to the database of the URL. The URL can contain a password, so the program
// gets it in a file, and not on the command line, which others can see.
func runClient(ctx context.Context, databaseURL string, server int, out *os.File, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return &bellwire.Error{
			Code:    bellwire.CodeUnavailable,
			Message: fmt.Sprintf("%s is not installed, or not in a folder of PATH; install the client programs of PostgreSQL %d or newer", name, server/10000),
			Hint: "Or use what copies your other databases, such as pg_basebackup with archived logs, and then run \"bellwire backup --record-only\", " +
				"or \"bellwire restore --in-place\" after a restore. The keyset is in none of these copies: keep one of it.",
		}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = os.Environ()
	if databaseURL != "" {
		folder, err := writeService(databaseURL)
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		cmd.Env = append(cmd.Env, "PGSERVICEFILE="+filepath.Join(folder, "service"), "PGSERVICE=bellwire")
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, errors.New(strings.TrimSpace(said.String())), "%s failed", name)
	}
	return nil
}

// writeService writes a file that describes the connection for PostgreSQL's programs, into a folder of its own.
func writeService(databaseURL string) (folder string, err error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errors.New("--database-url: must be a URL") // the cause could show the password
	}
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		return "", errors.New("--database-url: has an invalid parameter")
	}
	hosts, ports, err := postgres.Hosts(databaseURL)
	if err != nil {
		return "", fmt.Errorf("--database-url: %w", err)
	}
	lines := []string{"[bellwire]", "host=" + strings.Join(hosts, ","), "port=" + strings.Join(ports, ","), "user=" + config.User, "dbname=" + config.Database}
	if config.Password != "" {
		lines = append(lines, "password="+config.Password)
	}
	query := u.Query()
	for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "connect_timeout", "target_session_attrs"} {
		if query.Has(name) {
			lines = append(lines, name+"="+query.Get(name))
		}
	}
	if slices.ContainsFunc(lines, func(line string) bool { return strings.ContainsAny(line, "\r\n") }) {
		return "", errors.New("--database-url: must not contain line breaks")
	}
	if folder, err = os.MkdirTemp("", "bellwire-"); err != nil { // for its owner only
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "service"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
