package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

//go:embed migrations/*.sql
var migrations embed.FS

const minVersion = 130000

// migrationFiles returns the names of the migrations, in their order.
func migrationFiles() []string {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by their numbers
	if err != nil {
		panic(err) // the pattern is wrong
	}
	return files
}

// How long a migration waits for the locks of its tables, and how often it tries again. While it waits, other work on these tables
// waits behind it, so it must not wait for long.
const (
	migrationLockTimeout = time.Second
	migrationTries       = 60
)

// migrate brings the schema up to date, each migration in a transaction of its own, so that the nodes that run meanwhile wait for one
// at most. Of several nodes that start at once, one does each. Nothing is changed while a node lives that could not run on the result;
// nodes that have ended without a word are waited for until their leases have ended.
func (s *Store) migrate(ctx context.Context) error {
	files := migrationFiles()
	members := &memberWatch{store: s, first: make(map[string]int64)}
	announced := false
	for done := false; !done; {
		waits := false
		err := s.migrating(ctx, func(tx *tx) error {
			if err := tx.exec("SET LOCAL statement_timeout = 0"); err != nil { // another node may be migrating
				return err
			}
			schema, err := s.schema(tx)
			if err != nil {
				return err
			}
			pending, err := schema.Pending(s.location, len(files))
			if err != nil {
				return err
			}
			if pending > 0 {
				if schema.Migrations > 0 && !announced {
					s.options.Migrating(schema.Migrations, len(files))
					announced = true
				}
				if waits, err = tx.outrunsAny(members, schema, len(files)); err != nil || waits {
					return err
				}
			}
			next := files[len(files)-pending:]
			if schema.Migrations > 0 { // nobody uses a schema that is new
				next = next[:min(pending, 1)]
			}
			done = len(next) == pending
			return tx.migrate(next, schema.Migrations+len(next))
		})
		if err == nil && waits {
			err = members.wait(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// outrunsAny reports whether a node may live that could not run on the schema that this build makes. Its error has CodeConflict if one
// is known to live.
func (t *tx) outrunsAny(members *memberWatch, recorded rules.Schema, known int) (bool, error) {
	oldest, raised := recorded.Raised(known)
	if !raised {
		return false, nil
	}
	found, err := outdated(t.query(sqlOutdated, oldest, recorded.Migrations))
	if err != nil {
		return false, err
	}
	living, err := members.living(found)
	return len(living) > 0, err
}

// migrating runs f in a transaction that may take long, but does not wait for long for the locks of others.
func (s *Store) migrating(ctx context.Context, f func(*tx) error) error {
	for try := 1; ; try++ {
		err := s.runOnce(ctx, s.pool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), f)
		locked := isState(err, "55P03") // lock_not_available
		switch {
		case !locked && !isRetryable(err):
			return s.translate(err)
		case try == migrationTries && locked:
			return bellwire.Wrap(bellwire.CodeUnavailable, err,
				"the schema of the database %s cannot be changed, because other transactions keep using its tables; end those, and start again", s.location)
		case try == migrationTries:
			return s.translate(err)
		case locked && try == 1:
			s.options.Logger.Warn("a change of the schema waits until other transactions end", "error", err)
		}
		if !sleep(ctx, migrationLockTimeout/2+rand.N(migrationLockTimeout)) {
			return s.translate(ctx.Err())
		}
	}
}

// migrate runs migrations, after which the database has run n.
func (t *tx) migrate(files []string, n int) error {
	if len(files) == 0 {
		return nil
	}
	if err := t.exec(fmt.Sprintf("SET LOCAL lock_timeout = %d", migrationLockTimeout.Milliseconds())); err != nil {
		return err
	}
	for _, file := range files {
		script, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if err := t.exec(string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	after := rules.After(n)
	return t.exec("INSERT INTO bellwire.meta (name, number) VALUES ('schema', $1), ('migrations', $2) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
		after.Oldest, after.Migrations)
}

// schema returns what the database records about its schema, and locks it until the transaction ends. Versions that had no row
// "migrations" needed all of them.
func (s *Store) schema(tx *tx) (recorded rules.Schema, err error) {
	if err := checkOwners(tx.row, s.location); err != nil {
		return recorded, err
	}
	var schema, exists bool
	err = tx.row("SELECT to_regnamespace('bellwire') IS NOT NULL, to_regclass('bellwire.meta') IS NOT NULL").Scan(&schema, &exists)
	if err != nil {
		return recorded, err
	}
	if !exists {
		err := tx.makeSchema(schema)
		if isState(err, "42P06", "42P07", "23505") { // duplicate_schema, duplicate_table, unique_violation: another node was faster
			return recorded, errRetry
		}
		return recorded, err
	}
	if err := tx.row("SELECT number FROM bellwire.meta WHERE name = 'schema' FOR UPDATE").Scan(&recorded.Oldest); err != nil {
		return recorded, err
	}
	err = tx.row("SELECT coalesce((SELECT number FROM bellwire.meta WHERE name = 'migrations'), $1)", recorded.Oldest).Scan(&recorded.Migrations)
	return recorded, err
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

// sqlForeignOwner finds an object in Bellwire's schema, the schema itself first, whose owner could use it against Bellwire, by a
// trigger for instance. Superusers can do everything anyway, and a role whose rights Bellwire's own role has is trusted. A
// superuser has the rights of every role, so it trusts none.
const sqlForeignOwner = `SELECT owned.what, owner.rolname::text, me.rolname::text FROM (
		SELECT 0, 'schema bellwire', nspowner FROM pg_namespace WHERE nspname = 'bellwire'
		UNION ALL
		SELECT 1, CASE WHEN relkind IN ('v', 'm') THEN 'view' WHEN relkind = 'S' THEN 'sequence' ELSE 'table' END || ' bellwire.' || relname, relowner
			FROM pg_class WHERE relnamespace = to_regnamespace('bellwire') AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
	) owned (place, what, owner) JOIN pg_roles owner ON owner.oid = owned.owner JOIN pg_roles me ON me.rolname = current_user
	WHERE owner.oid <> me.oid AND NOT owner.rolsuper AND (me.rolsuper OR NOT pg_has_role(me.oid, owner.oid, 'USAGE'))
	ORDER BY owned.place, owned.what LIMIT 1`

// checkOwners refuses a schema in which something belongs to another role.
func checkOwners(row func(sql string, args ...any) pgx.Row, location string) error {
	var what, owner, me string
	err := row(sqlForeignOwner).Scan(&what, &owner, &me)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return bellwire.Errorf(bellwire.CodeUnavailable,
		"the %s in the database %s belongs to the role %q, which could change everything in it, but Bellwire connects as %q; "+
			"let one role own the whole schema and connect as that role (ALTER SCHEMA bellwire OWNER TO …), or drop the schema if it is not Bellwire's",
		what, location, owner, me)
}
