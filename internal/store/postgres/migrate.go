package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

//go:embed migrations/*.sql
var migrations embed.FS

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
				"the database %s was written by a newer Bellwire: its schema has version %d and this build knows %d; install the newer version again or restore an older backup",
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

// schemaVersion returns the number of the schema, 0 if there is none yet, and locks it until the transaction ends.
func (s *Store) schemaVersion(tx *tx) (version int, err error) {
	if err := s.checkOwners(tx); err != nil {
		return 0, err
	}
	var schema, exists bool
	err = tx.row("SELECT to_regnamespace('bellwire') IS NOT NULL, to_regclass('bellwire.meta') IS NOT NULL").Scan(&schema, &exists)
	if err != nil {
		return 0, err
	}
	if !exists {
		err := tx.makeSchema(schema)
		if isState(err, "42P06", "42P07", "23505") { // duplicate_schema, duplicate_table, unique_violation: another node was faster
			return 0, errRetry
		}
		return 0, err
	}
	return version, tx.row("SELECT number FROM bellwire.meta WHERE name = 'schema' FOR UPDATE").Scan(&version)
}

// makeSchema makes the schema, unless it is there, with the table that holds its number.
func (t *tx) makeSchema(there bool) error {
	if !there { // where it is, Bellwire may have no right to make any
		if err := t.exec("CREATE SCHEMA bellwire"); err != nil {
			return err
		}
	}
	return t.exec(sqlMakeMeta, pgx.QueryExecModeSimpleProtocol)
}

const sqlMakeMeta = `CREATE TABLE bellwire.meta (name text PRIMARY KEY, number bigint, value bytea) WITH (fillfactor = 50);
	INSERT INTO bellwire.meta (name, number) VALUES ('schema', 0)`

// sqlStranger finds an object in Bellwire's schema, the schema itself first, whose owner could use it against Bellwire, by a
// trigger for instance. Superusers can do everything anyway, and a role whose rights Bellwire's own role has is trusted. A
// superuser has the rights of every role, so it trusts none.
const sqlStranger = `SELECT owned.what, owner.rolname::text, me.rolname::text FROM (
		SELECT 0, 'schema bellwire', nspowner FROM pg_namespace WHERE nspname = 'bellwire'
		UNION ALL
		SELECT 1, CASE WHEN relkind IN ('v', 'm') THEN 'view' WHEN relkind = 'S' THEN 'sequence' ELSE 'table' END || ' bellwire.' || relname, relowner
			FROM pg_class WHERE relnamespace = to_regnamespace('bellwire') AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
	) owned (place, what, owner) JOIN pg_roles owner ON owner.oid = owned.owner JOIN pg_roles me ON me.rolname = current_user
	WHERE owner.oid <> me.oid AND NOT owner.rolsuper AND (me.rolsuper OR NOT pg_has_role(me.oid, owner.oid, 'USAGE'))
	ORDER BY owned.place, owned.what LIMIT 1`

// checkOwners refuses a schema in which something belongs to another role.
func (s *Store) checkOwners(tx *tx) error {
	var what, owner, me string
	err := tx.row(sqlStranger).Scan(&what, &owner, &me)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return bellwire.Errorf(bellwire.CodeUnavailable,
		"the %s in the database %s belongs to the role %q, which could change everything in it, but Bellwire connects as %q; "+
			"let one role own the whole schema and connect as that role (ALTER SCHEMA bellwire OWNER TO …), or drop the schema if it is not Bellwire's",
		what, s.place, owner, me)
}
