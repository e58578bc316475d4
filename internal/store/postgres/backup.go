package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Found describes a database of which a backup is made, or that was restored.
type Found struct {
	Version     int                    // of the server, such as 150018
	Migrations  int                    // that the database has run; 0: it has no schema of Bellwire's
	KeysetCheck []byte                 // the check value of the keyset of its secrets; nil: no server has run on it
	Secret      *bellwire.SealedSecret // one of its secrets; nil: it has none
}

// Place describes a database into which a backup is to be restored.
type Place struct {
	Version   int  // of the server, such as 150018
	Connected int  // processes of Bellwire that are connected to it
	Schema    bool // it has a schema bellwire
	Empty     bool // that schema contains nothing
}

const sqlPlace = `SELECT current_setting('server_version_num')::int,
	(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bellwire' AND datname = current_database()),
	to_regnamespace('bellwire') IS NOT NULL, NOT EXISTS (SELECT 1 FROM pg_depend
		WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace('bellwire')::oid AND deptype = 'n')`

// FindPlace describes a database without reading anything in its schema, which may be damaged, or too new for this build.
func FindPlace(ctx context.Context, databaseURL string) (*Place, error) {
	p := new(Place)
	return p, operate(ctx, databaseURL, func(o *operator) error {
		return o.row(sqlPlace).Scan(&p.Version, &p.Connected, &p.Schema, &p.Empty)
	})
}

// operator is a connection of a command, beside the nodes that may be running.
type operator struct {
	ctx      context.Context
	conn     *pgx.Conn
	location string
}

// operate runs f with a connection of its own. Nothing is migrated.
func operate(ctx context.Context, databaseURL string, f func(*operator) error) error {
	s := &Store{location: Shown(databaseURL)}
	if err := CheckURL(databaseURL); err != nil {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the database URL %s", err)
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil { // its text may show the password
		return bellwire.Errorf(bellwire.CodeUnavailable, "the database URL %s has an invalid parameter", s.location)
	}
	configure(config)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // through a pooler, too
	config.RuntimeParams["application_name"] = "bellwire command"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return s.explain(err, config)
	}
	defer hangUp(ctx, conn)
	return s.translate(f(&operator{ctx: ctx, conn: conn, location: s.location}))
}

func (o *operator) row(sql string, args ...any) pgx.Row { return o.conn.QueryRow(o.ctx, sql, args...) }

func (o *operator) exec(sql string, args ...any) error {
	_, err := o.conn.Exec(o.ctx, sql, args...)
	return err
}

// Inspect describes a database, and changes nothing. Its error has CodeUnavailable if something in the schema belongs to a role that
// could change everything in it, or if the schema was made by a Bellwire that is too new for this build.
func Inspect(ctx context.Context, databaseURL string) (*Found, error) {
	found := new(Found)
	return found, operate(ctx, databaseURL, func(o *operator) error { return o.inspect(found) })
}

func (o *operator) inspect(found *Found) error {
	var exists bool
	err := o.row("SELECT current_setting('server_version_num')::int, to_regclass('bellwire.meta') IS NOT NULL").Scan(&found.Version, &exists)
	if err != nil || !exists {
		return err
	}
	if err := checkOwners(o.row, o.location); err != nil {
		return err
	}
	known, err := o.recorded()
	if err != nil {
		return err
	}
	if _, err := known.schema.Pending(o.location, len(migrationFiles())); err != nil {
		return err
	}
	found.Migrations, found.KeysetCheck = known.schema.Migrations, known.keysetCheck
	secret := new(bellwire.SealedSecret)
	err = o.row("SELECT id, sealed FROM bellwire.endpoints WHERE sealed IS NOT NULL LIMIT 1").Scan(&secret.Endpoint, &secret.Sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	found.Secret = secret
	return err
}

// recorded is what Bellwire has recorded in a database.
type recorded struct {
	schema      rules.Schema
	keysetCheck []byte    // nil: none
	backupAt    time.Time // zero: none
}

// recorded reads what is recorded. Versions that did not record how many migrations had run needed all of them.
func (o *operator) recorded() (r recorded, err error) {
	var backup int64
	err = o.row(`SELECT number, coalesce((SELECT number FROM bellwire.meta WHERE name = 'migrations'), number),
		(SELECT value FROM bellwire.meta WHERE name = 'witness'), coalesce((SELECT number FROM bellwire.meta WHERE name = 'backup'), 0)
		FROM bellwire.meta WHERE name = 'schema'`).Scan(&r.schema.Oldest, &r.schema.Migrations, &r.keysetCheck, &backup)
	if backup > 0 {
		r.backupAt = time.UnixMicro(backup)
	}
	return r, err
}

// RecordBackup records that a backup of the database was made at a time, unless a later one is recorded.
func RecordBackup(ctx context.Context, databaseURL string, at time.Time) error {
	return operate(ctx, databaseURL, func(o *operator) error {
		return o.exec(`INSERT INTO bellwire.meta (name, number) VALUES ('backup', $1)
			ON CONFLICT (name) DO UPDATE SET number = greatest(meta.number, excluded.number)`, at.UnixMicro())
	})
}

// MoveAside gives Bellwire's schema another name, so that another one can be restored in its place.
func MoveAside(ctx context.Context, databaseURL, name string) error {
	return operate(ctx, databaseURL, func(o *operator) error {
		err := o.exec("ALTER SCHEMA bellwire RENAME TO " + pgx.Identifier{name}.Sanitize())
		if !isState(err, "42501") { // insufficient_privilege
			return err
		}
		refused := bellwire.Wrap(bellwire.CodeUnavailable, err, "the schema bellwire in the database %s cannot be moved aside", o.location)
		refused.Hint = "Restore as the role that owns the schema, and give it the right to create schemas (GRANT CREATE ON DATABASE … TO …)."
		return refused
	})
}

// PutBack drops the schema that was restored, and gives the one that MoveAside has moved its name back. name is empty if there is none.
func PutBack(ctx context.Context, databaseURL, name string) error {
	return operate(ctx, databaseURL, func(o *operator) error {
		sql := "BEGIN; DROP SCHEMA IF EXISTS bellwire CASCADE; "
		if name != "" {
			sql += "ALTER SCHEMA " + pgx.Identifier{name}.Sanitize() + " RENAME TO bellwire; "
		}
		return o.exec(sql + "COMMIT")
	})
}

// BeginAnew begins new epochs and revisions in a database that was restored, so that none comes twice, frees all shards, and ends all
// sessions. No node may be connected.
func BeginAnew(ctx context.Context, databaseURL string, now time.Time) error {
	return operate(ctx, databaseURL, func(o *operator) error {
		return o.exec(fmt.Sprintf(sqlBeginAnew, rules.RestoreGap, now.UnixMicro()))
	})
}

const sqlBeginAnew = `BEGIN;
	LOCK TABLE bellwire.nodes, bellwire.shards IN ACCESS EXCLUSIVE MODE;
	DELETE FROM bellwire.nodes;
	UPDATE bellwire.shards SET epoch = epoch + %[1]d, node = NULL, giver = NULL;
	SELECT setval('bellwire.revisions', nextval('bellwire.revisions') + %[1]d);
	DO $$ BEGIN IF to_regclass('bellwire.sessions') IS NOT NULL THEN DELETE FROM bellwire.sessions; END IF; END $$;
	INSERT INTO bellwire.meta (name, number) VALUES ('restored', %[2]d) ON CONFLICT (name) DO UPDATE SET number = excluded.number;
	COMMIT`
