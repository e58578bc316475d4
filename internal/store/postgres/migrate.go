package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
)

//go:embed migrations/*.sql
var migrations embed.FS

// What advisory locks are taken on. The numbers only have to be unlike those of other programs.
const (
	lockSchema     = 0x42454c4c0001 // "BELL"
	lockPartitions = 0x42454c4c0002
	lockLeases     = 0x42454c4c0003
	lockRetention  = 0x42454c4c0004
)

const minVersion = 130000

// migrate brings the schema up to date, in one transaction. Of several nodes that start at once, one does it.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by their numbers
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) error {
		version, err := s.schemaVersion(tx)
		if err != nil {
			return err
		}
		if version > len(files) {
			return bellwire.Errorf(bellwire.CodeUnavailable,
				"The database %s was written by a newer Bellwire: its schema is number %d, and this one knows %d. Install that version again, or restore a backup from before.",
				s.place, version, len(files))
		}
		for _, file := range files[version:] {
			script, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if err := tx.exec(string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		if version == len(files) {
			return nil
		}
		return tx.exec("UPDATE bellwire.meta SET number = $1 WHERE name = 'schema'", len(files))
	})
}

// schemaVersion returns the number of the schema, 0 if there is none yet, and keeps other nodes from changing it.
func (s *Store) schemaVersion(tx *tx) (version int, err error) {
	if err := tx.exec("SELECT pg_advisory_xact_lock($1)", int64(lockSchema)); err != nil {
		return 0, err
	}
	var exists bool
	if err := tx.row("SELECT to_regclass('bellwire.meta') IS NOT NULL").Scan(&exists); err != nil {
		return 0, err
	}
	if !exists {
		return 0, tx.exec(`CREATE SCHEMA IF NOT EXISTS bellwire;
			CREATE TABLE bellwire.meta (name text PRIMARY KEY, number bigint, value bytea) WITH (fillfactor = 50);
			INSERT INTO bellwire.meta (name, number) VALUES ('schema', 0)`, pgx.QueryExecModeSimpleProtocol)
	}
	return version, tx.row("SELECT number FROM bellwire.meta WHERE name = 'schema'").Scan(&version)
}
