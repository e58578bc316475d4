package postgres

import (
	"context"
	"errors"
	"net/netip"
	"path"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/store/rules"
)

// Facts describe a database that may be in use, and its server.
type Facts struct {
	Location     string // the URL without its password
	Version      int    // of the server, such as 150018
	Pooled       bool   // a pooler is between
	Transactions bool   // several statements can be one transaction; a pooler can prevent that
	Standby      bool   // the server cannot write
	ReadOnly     bool   // transactions of this role cannot write by default
	Encoding     string

	Schema      rules.Schema // without migrations, there is none
	SchemaFault error        // why this build cannot use the schema
	Pending     int          // migrations that the next start runs
	Outrun      []string     // nodes, if they still run, for which the next start waits in vain: it would remove what they use
	KeysetCheck []byte       // nil: no keyset is recorded
	BackupAt    time.Time    // when the last backup was made; zero: none is recorded

	SynchronousCommit, Fsync, FullPageWrites string // settings

	Ahead   time.Duration // of the server's clock, compared with the one of this machine
	AtMost  time.Duration // the error of Ahead
	Secure  bool          // the connection is encrypted
	Local   bool          // the server is on this machine
	Size    int64         // of the database, in bytes
	Most    int           // connections that the server accepts
	Used    int           // connections in use
	XIDAge  int64         // transactions since the oldest unfrozen one; PostgreSQL stops at two thousand millions
	Vacuums bool          // autovacuum runs

	Slot         string // the replication slot that keeps most of the write-ahead log; empty: none keeps any
	SlotActive   bool
	SlotKeeps    int64 // bytes
	ArchiveFails bool  // the last attempt to archive a part of the log has failed

	DeadTable  string // the table with most dead rows; empty: none has any
	Dead, Live int64  // its rows

	OldestTransaction time.Duration // that is visible to this role
	OldestPrepared    time.Duration // transaction of the two-phase commit
}

// Examine reads facts about the database that a postgres:// URL names, by a connection of its own, and changes nothing. now is the
// wall clock.
func Examine(ctx context.Context, databaseURL string, now func() time.Time) (*Facts, error) {
	f := &Facts{Location: Shown(databaseURL)}
	return f, operate(ctx, databaseURL, func(o *operator) error {
		f.Local = isLocal(o.conn.Config().Host)
		if err := f.read(o, now); err != nil {
			return err
		}
		f.Pending, f.SchemaFault = f.Schema.Pending(f.Location, len(migrationFiles()))
		return f.readOutrun(o)
	})
}

// readOutrun reads the nodes that need what the next start would remove.
func (f *Facts) readOutrun(o *operator) error {
	oldest, raised := f.Schema.Raised(len(migrationFiles()))
	if f.Pending == 0 || !raised {
		return nil
	}
	rows, err := o.conn.Query(o.ctx, sqlOutdated, oldest, f.Schema.Migrations)
	if err != nil {
		return err
	}
	members, err := outdated(rows)
	for _, m := range members {
		f.Outrun = append(f.Outrun, m.name)
	}
	return err
}

// isLocal reports whether a host is this machine: the directory of a socket, or a loopback address.
func isLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	return path.IsAbs(host) || host == "localhost" || err == nil && address.IsLoopback()
}

// sqlFacts and the statements below use only what every role may read. Each is a statement of its own, because a pooler in statement
// mode executes nothing else.
const sqlFacts = `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool,
	current_setting('server_encoding'), current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
	COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), pg_database_size(current_database()),
	current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
	(SELECT sum(numbackends)::int FROM pg_stat_database),
	(SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database()), current_setting('autovacuum')::bool,
	COALESCE((SELECT last_failed_time > COALESCE(last_archived_time, '-infinity') FROM pg_stat_archiver), false),
	COALESCE(extract(epoch FROM clock_timestamp() - (SELECT min(xact_start) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datid IS NOT NULL)), 0)::float8,
	COALESCE(extract(epoch FROM clock_timestamp() - (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database())), 0)::float8`

const sqlSlots = `SELECT slot_name::text, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots
	WHERE restart_lsn IS NOT NULL ORDER BY 3 DESC LIMIT 1`

const sqlDead = `SELECT relname::text, n_dead_tup, n_live_tup FROM pg_stat_user_tables
	WHERE schemaname = 'bellwire' AND n_dead_tup > 0 ORDER BY n_dead_tup DESC LIMIT 1`

func (f *Facts) read(o *operator, now func() time.Time) (err error) {
	if f.Pooled, err = pooled(o.ctx, o.conn); err != nil {
		return err
	}
	var transaction, prepared float64
	err = o.row(sqlFacts).Scan(&f.Version, &f.Standby, &f.ReadOnly, &f.Encoding, &f.SynchronousCommit, &f.Fsync, &f.FullPageWrites,
		&f.Secure, &f.Size, &f.Most, &f.Used, &f.XIDAge, &f.Vacuums, &f.ArchiveFails, &transaction, &prepared)
	if err != nil {
		return err
	}
	f.OldestTransaction, f.OldestPrepared = seconds(transaction), seconds(prepared)
	if err := f.readClock(o, now); err != nil {
		return err
	}
	if err := optional(o.row(sqlDead).Scan(&f.DeadTable, &f.Dead, &f.Live)); err != nil {
		return err
	}
	if !f.Standby { // where it cannot be asked how long the log is
		if err := optional(o.row(sqlSlots).Scan(&f.Slot, &f.SlotActive, &f.SlotKeeps)); err != nil {
			return err
		}
	}
	if err := f.readMeta(o); err != nil {
		return err
	}
	f.Transactions = o.exec("BEGIN") == nil
	return nil
}

// readClock compares the clocks. The answer of the server is as old as its way back, which is taken for half of the time it took.
func (f *Facts) readClock(o *operator, now func() time.Time) error {
	var server float64
	before := now()
	if err := o.row("SELECT extract(epoch FROM clock_timestamp())::float8").Scan(&server); err != nil {
		return err
	}
	took := now().Sub(before)
	f.Ahead, f.AtMost = time.UnixMicro(int64(server*1e6)).Sub(before.Add(took/2)), took/2
	return nil
}

// readMeta reads what Bellwire has recorded, if there is a schema.
func (f *Facts) readMeta(o *operator) error {
	var exists bool
	err := o.row("SELECT to_regclass('bellwire.meta') IS NOT NULL").Scan(&exists)
	if err != nil || !exists {
		return err
	}
	known, err := o.recorded()
	f.Schema, f.KeysetCheck, f.BackupAt = known.schema, known.keysetCheck, known.backupAt
	return err
}

// optional returns an error, but nil for a missing row.
func optional(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
