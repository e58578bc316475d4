package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// storage says where everything is kept, and with which keys its secrets are sealed.
type storage struct {
	DatabaseURL         databaseURL `group:"storage" default:"sqlite://bellwire.db" env:"BELLWIRE_DATABASE_URL" placeholder:"URL" help:"Where everything is kept: sqlite://relative/path, sqlite:///absolute/path, or postgres://user@host:port/database."`
	DatabaseDirectURL   databaseURL `group:"storage" env:"BELLWIRE_DATABASE_DIRECT_URL" placeholder:"URL" help:"The same PostgreSQL database past the pooler that --database-url leads through, to be notified by. Default: --database-url."`
	DatabaseConnections int         `group:"storage" default:"${database_connections}" env:"BELLWIRE_DATABASE_CONNECTIONS" placeholder:"NUMBER" help:"Most connections that this node makes to PostgreSQL."`
	KeysetFile          string      `group:"storage" env:"BELLWIRE_KEYSET_FILE" placeholder:"FILE" help:"Keys that seal secrets in the database; made on first start. Default: bellwire.keyset beside the SQLite file, or in the working directory."`
	Keyset              string      `group:"storage" verbatim:"" env:"BELLWIRE_KEYSET" placeholder:"JSON" help:"The keyset itself instead of a file. Give it in the environment: others can see the command line."`
}

// maxConnections is more than any PostgreSQL serves well.
const maxConnections = 1000

func (s *storage) check() error {
	if s.DatabaseDirectURL != (databaseURL{}) && (s.DatabaseDirectURL.postgres == "" || s.DatabaseURL.postgres == "") {
		return cli.Option("database-direct-url", "must be given together with --database-url, and both must be postgres://…")
	}
	if s.DatabaseConnections < postgres.MinConnections || s.DatabaseConnections > maxConnections {
		return cli.Option("database-connections", "must be between %d and %d", postgres.MinConnections, maxConnections)
	}
	if s.Keyset != "" && s.KeysetFile != "" {
		return cli.Option("keyset", "must not be given together with --keyset-file")
	}
	return nil
}

// keysetPath is where the keyset is kept. Nodes that share a database need copies of the same one.
func (s *storage) keysetPath() string {
	if s.KeysetFile != "" {
		return s.KeysetFile
	}
	database := s.DatabaseURL.path
	if real, err := sqlite.Resolve(database); database != "" && err == nil {
		database = real
	}
	return filepath.Join(filepath.Dir(database), "bellwire.keyset")
}

// keysetOption is the name of the option that the keyset is given by.
func (s *storage) keysetOption() string {
	if s.Keyset != "" {
		return "--keyset"
	}
	return "--keyset-file"
}

// openKeyring opens the keyset, or makes it if there is none, and makes sure that it is the one the database was sealed
// with.
func (s *storage) openKeyring(ctx context.Context, store bellwire.Store, log *slog.Logger) (*seal.Keyring, error) {
	if s.Keyset != "" {
		keyset, err := s.readKeyset()
		if err != nil {
			return nil, err
		}
		keyring, err := keyset.Keyring()
		if err != nil {
			return nil, err
		}
		return keyring, keyring.Admit(ctx, store)
	}
	path := s.keysetPath()
	keyring, created, err := seal.OpenKeyring(path)
	if err != nil {
		return nil, err
	}
	if err := keyring.Admit(ctx, store); err != nil {
		if created {
			if bellwire.CodeOf(err) == bellwire.CodeConflict {
				err = bellwire.Errorf(bellwire.CodeConflict, "There is no keyset %s, and the secrets in this database were sealed with one. "+
					"Put it there from its copy, or give another place (--keyset-file).", path)
			}
			// Left in place a new one would stand where the right one belongs.
			err = errors.Join(err, os.Remove(path))
		}
		return nil, err
	}
	if created {
		s.announce(ctx, path, log)
	}
	return keyring, nil
}

// readKeyset reads the keyset that there is.
func (s *storage) readKeyset() (*seal.Keyset, error) {
	if s.Keyset != "" {
		return seal.ParseKeyset([]byte(s.Keyset), "the variable BELLWIRE_KEYSET")
	}
	return seal.ReadKeyset(s.keysetPath())
}

// announce says that a keyset was made. With PostgreSQL the working directory is often a container's and goes with it,
// and the other nodes need the file: that is said louder.
func (s *storage) announce(ctx context.Context, path string, log *slog.Logger) {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if s.DatabaseURL.postgres == "" {
		log.InfoContext(ctx, "a new keyset was made: keep a copy of it, because without it the secrets in the database are lost", "file", path)
		return
	}
	log.WarnContext(ctx, "a new keyset was made: keep a copy of it; every node of this database needs the same; "+
		"without it the secrets in the database are lost", "file", path)
}

// withStore runs f on the database, which must be there.
func (s *storage) withStore(ctx context.Context, log *slog.Logger, f func(bellwire.Store) error) error {
	store, err := s.openStore(ctx, log, func(path string) error {
		return bellwire.Errorf(bellwire.CodeUnavailable, "The database %s is missing or empty.", path)
	})
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	return errors.Join(f(store), store.Close())
}

// mayMakeDatabase refuses to make a new database where a keyset says that there was one before.
func (s *settings) mayMakeDatabase(path string, log *slog.Logger) error {
	switch {
	case s.NewDatabase:
		return nil
	case s.Keyset != "":
		log.Warn("a new database is made: if there was one before, it was lost, or --database-url must name another file", "database", path)
		return nil
	}
	keyset := s.keysetPath()
	if _, err := os.Stat(keyset); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeUnavailable,
		"The database %s is missing or empty, but its keyset %s is there, so there was a database before. "+
			"If that is elsewhere, --database-url must name it. If it was lost, it must be restored from a backup, with its log (docs/integrity.md). "+
			"For a new database, move the keyset away, or start once with --new-database to keep it.", path, keyset)
}
