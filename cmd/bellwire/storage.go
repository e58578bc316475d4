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

// storage has the options of the database and the keyset.
type storage struct {
	DatabaseURL         databaseURL `group:"storage" default:"sqlite://bellwire.db" env:"BELLWIRE_DATABASE_URL" placeholder:"URL" help:"Database: sqlite://relative/path, sqlite:///absolute/path, or postgres://user@host:port/database."`
	DatabaseDirectURL   databaseURL `group:"storage" env:"BELLWIRE_DATABASE_DIRECT_URL" placeholder:"URL" help:"The same PostgreSQL database without the pooler that --database-url leads through, for notifications. Default: --database-url."`
	DatabaseConnections int         `group:"storage" default:"${database_connections}" env:"BELLWIRE_DATABASE_CONNECTIONS" placeholder:"NUMBER" help:"Maximum number of connections of this node to PostgreSQL."`
	KeysetFile          string      `group:"storage" env:"BELLWIRE_KEYSET_FILE" placeholder:"FILE" help:"Keys that seal secrets in the database; created on first start. Default: bellwire.keyset beside the SQLite file, or in the working directory."`
	Keyset              string      `group:"storage" verbatim:"" env:"BELLWIRE_KEYSET" secret:"" placeholder:"JSON" help:"The keyset itself instead of a file. Give it in the environment: other users can see the command line."`
	NoUpgradeBackup     bool        `group:"storage" env:"BELLWIRE_NO_UPGRADE_BACKUP" help:"Do not copy an SQLite database beside it before this version changes its schema."`
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

// keysetPath returns the path of the keyset. Nodes that share a database need copies of the same keyset.
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

// keysetOption returns the name of the option that gives the keyset.
func (s *storage) keysetOption() string {
	if s.Keyset != "" {
		return "--keyset"
	}
	return "--keyset-file"
}

// openKeyring opens or creates the keyset, and checks that it is the one that the database was sealed with.
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
				err = &bellwire.Error{
					Code:    bellwire.CodeConflict,
					Message: fmt.Sprintf("keyset %s does not exist, but the secrets in this database are sealed with one", path),
					Hint:    "Restore the keyset from its backup, or name its file with --keyset-file.",
				}
			}
			// A new keyset must not stay in the place of the right one.
			err = errors.Join(err, os.Remove(path))
		}
		return nil, err
	}
	if created {
		s.announce(ctx, path, log)
	}
	return keyring, nil
}

// readKeyset reads the existing keyset.
func (s *storage) readKeyset() (*seal.Keyset, error) {
	if s.Keyset != "" {
		return seal.ParseKeyset([]byte(s.Keyset), "the variable BELLWIRE_KEYSET")
	}
	return seal.ReadKeysetOfServer(s.keysetPath())
}

// announce logs that a keyset was created. With PostgreSQL it is a warning, because the working directory is often lost with
// its container, and the other nodes need the file.
func (s *storage) announce(ctx context.Context, path string, log *slog.Logger) {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if s.DatabaseURL.postgres == "" {
		log.InfoContext(ctx, "keyset created: keep a copy, because without it the secrets in the database are lost", "file", path)
		return
	}
	log.WarnContext(ctx, "keyset created: keep a copy and give it to every node of this database, because without it the secrets in the database are lost", "file", path)
}

// withStore runs f on the database, which must exist.
func (s *storage) withStore(ctx context.Context, log *slog.Logger, f func(bellwire.Store) error) error {
	store, err := s.openStore(ctx, log, opening{mayMake: func(path string) error {
		return bellwire.Errorf(bellwire.CodeUnavailable, "database %s is missing or empty", path)
	}})
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	return errors.Join(f(store), store.Close())
}

// mayMakeDatabase refuses to create a database if a keyset shows that there was one before.
func (s *settings) mayMakeDatabase(path string, log *slog.Logger) error {
	switch {
	case s.NewDatabase:
		return nil
	case s.Keyset != "":
		log.Warn("database created: if there was one before, it was lost, or --database-url names another file", "database", path)
		return nil
	}
	keyset := s.keysetPath()
	if _, err := os.Stat(keyset); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &bellwire.Error{
		Code:    bellwire.CodeUnavailable,
		Message: fmt.Sprintf("database %s is missing or empty, but its keyset %s exists, so there was a database before", path, keyset),
		Hint: "If the database is elsewhere, name it with --database-url. If it was lost, restore it from a backup, with its log (docs/integrity.md). " +
			"To create a new one, start once with --new-database, or move the keyset away.",
	}
}
