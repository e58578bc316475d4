package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/store/postgres"
)

// postgresChecks examine a PostgreSQL database. They read it once.
func (s *Subject) postgresChecks() []check {
	facts := &reading[postgres.Facts]{read: func(ctx context.Context) (*postgres.Facts, error) {
		return postgres.Examine(ctx, s.Database.Postgres, s.Now)
	}}
	checks := []check{
		{"database.reachable", func(ctx context.Context) result { return reachable(facts.get(ctx)) }},
		{"database.version", facts.judged(version)},
		{"database.schema", facts.judged(schemaOf)},
		{"database.backup", facts.judged(func(f *postgres.Facts) result { return s.backup(f.BackupAt) })},
		{"database.durability", facts.judged(durability)},
		{"database.encoding", facts.judged(encoding)},
		{"database.encryption", facts.judged(encryption)},
		{"database.pooler", facts.judged(s.pooler)},
		{"database.clock", facts.judged(s.clock)},
		{"database.log", facts.judged(s.log)},
		{"database.bloat", facts.judged(s.bloat)},
		{"database.transactions", facts.judged(s.transactions)},
		{"database.connections", facts.judged(s.connections)},
	}
	return append(checks, s.keysetChecks(func(ctx context.Context) ([]byte, bool) {
		f, err := facts.get(ctx)
		if err != nil {
			return nil, false
		}
		return f.KeysetCheck, true
	})...)
}

func reachable(f *postgres.Facts, err error) result {
	switch {
	case err != nil:
		return problem("The database cannot be examined: "+reason(err)+".", "Check that PostgreSQL runs, and that --database-url is right.")
	case f.Standby:
		return problem("The server of "+f.Location+" is a standby, which cannot write.", "Name the primary in --database-url.")
	case f.ReadOnly:
		return note("Transactions in "+f.Location+" cannot write by default; Bellwire sets that for its own.", "Unset default_transaction_read_only for the role and the database.")
	}
	return ok("The database %s has %s.", f.Location, size(f.Size))
}

func schemaOf(f *postgres.Facts) result {
	if len(f.Outrun) > 0 {
		return warning("This version removes what these nodes use, and does not start while one of them runs: "+strings.Join(f.Outrun, ", ")+".",
			"Give them the release before this one first (docs/upgrade.md).")
	}
	return schema(f.Schema.Migrations, f.Pending, f.SchemaFault)
}

// Versions of PostgreSQL: the oldest that Bellwire runs on, and the oldest that its project still mends.
const (
	leastPostgres     = 13
	supportedPostgres = 14
)

func version(f *postgres.Facts) result {
	major, minor := f.Version/10000, f.Version%10000
	switch {
	case major < leastPostgres:
		return problem(fmt.Sprintf("PostgreSQL %d.%d is too old.", major, minor), fmt.Sprintf("Upgrade to PostgreSQL %d or newer.", supportedPostgres))
	case major < supportedPostgres:
		return warning(fmt.Sprintf("PostgreSQL %d.%d gets no fixes any more.", major, minor), fmt.Sprintf("Upgrade to PostgreSQL %d or newer.", supportedPostgres))
	}
	return ok("PostgreSQL is %d.%d.", major, minor)
}

func durability(f *postgres.Facts) result {
	switch {
	case f.Fsync == "off":
		return problem("The server of the database has fsync off, so a crash loses acknowledged events or the whole database.", "Set fsync = on in postgresql.conf, and reload the server.")
	case f.FullPageWrites == "off":
		return problem("The server of the database has full_page_writes off, so a power loss can damage the database.", "Set full_page_writes = on in postgresql.conf, and reload the server.")
	case f.SynchronousCommit == "off":
		return warning("Commits in the database are not durable by default (synchronous_commit is off): Bellwire sets it on for its own, but programs that call bellwire.publish() can lose events.",
			"Set synchronous_commit = on for the database and its roles.")
	}
	return ok("Commits are durable.")
}

func encoding(f *postgres.Facts) result {
	if f.Encoding != "UTF8" {
		return problem("The database has the encoding "+f.Encoding+", which cannot store every text.", "Create another one: CREATE DATABASE bellwire TEMPLATE template0 ENCODING 'UTF8'.")
	}
	return ok("The encoding is UTF8.")
}

func encryption(f *postgres.Facts) result {
	switch {
	case f.Local:
		return ok("The connection does not leave this machine.")
	case f.Pooled:
		return note("Whether the connection to the pooler is encrypted cannot be seen.", "Use sslmode=verify-full in --database-url unless the network is trusted.")
	case !f.Secure:
		return warning("The connection to the database is not encrypted, so that others on the network can read events.", "Use sslmode=verify-full in --database-url.")
	}
	return ok("The connection is encrypted.")
}

func (s *Subject) pooler(f *postgres.Facts) result {
	switch {
	case f.Pooled && !f.Transactions:
		return problem("The pooler before the database does not let several statements be one transaction, as PgBouncer in statement mode.", "Set pool_mode = transaction in the pooler.")
	case f.Pooled && s.Database.Direct == "":
		return warning("The database is reached through a pooler, which passes on no notifications, so changes of configuration apply late.",
			"Name the database without the pooler in --database-direct-url, too.")
	case f.Pooled:
		return ok("A pooler is before the database, and notifications pass by it.")
	}
	return ok("No pooler is before the database.")
}

// clock compares the clocks of this machine and of the database.
func (s *Subject) clock(f *postgres.Facts) result {
	off, direction := f.Ahead, "behind"
	if off < 0 {
		off, direction = -off, "ahead of"
	}
	// What could be an error of the comparison is no fault.
	certain := off - f.AtMost
	found := fmt.Sprintf("The clock of this machine is %s %s that of the database", off.Round(time.Millisecond), direction)
	const do = "Synchronize the clocks of both machines (chrony, or systemd-timesyncd)."
	switch {
	case certain > s.Limits.ClockProblem:
		return problem(found+", and receivers refuse signatures whose time is minutes off.", do)
	case certain > s.Limits.ClockWarning:
		return warning(found+".", do)
	}
	return ok("The clocks of this machine and of the database agree.")
}

func (s *Subject) log(f *postgres.Facts) result {
	switch {
	case f.Slot != "" && f.SlotKeeps > s.Limits.LogBytes && !f.SlotActive:
		return problem(fmt.Sprintf("The replication slot %q, which nobody uses, keeps %s of the write-ahead log and will fill the disk.", f.Slot, size(f.SlotKeeps)),
			fmt.Sprintf("Start its standby again, or drop it: SELECT pg_drop_replication_slot('%s').", f.Slot))
	case f.Slot != "" && f.SlotKeeps > s.Limits.LogBytes:
		return warning(fmt.Sprintf("The replication slot %q keeps %s of the write-ahead log, because its standby lags.", f.Slot, size(f.SlotKeeps)), "Look at the standby.")
	case f.Slot != "" && !f.SlotActive:
		return note(fmt.Sprintf("Nobody uses the replication slot %q, so the write-ahead log grows until its standby is back.", f.Slot), "Drop the slot if its standby is gone.")
	case f.ArchiveFails:
		return warning("PostgreSQL cannot archive its write-ahead log, which grows until it can, and has no point-in-time recovery meanwhile.", "Read why in the log of PostgreSQL, and correct archive_command.")
	}
	return ok("Nothing keeps the write-ahead log of PostgreSQL from being reused.")
}

func (s *Subject) bloat(f *postgres.Facts) result {
	switch {
	case !f.Vacuums:
		return problem("Autovacuum is off, so tables grow without end and get slow.", "Set autovacuum = on in postgresql.conf, and reload the server.")
	case f.Dead > s.Limits.DeadRows && f.Dead > f.Live/2:
		return warning(fmt.Sprintf("The table bellwire.%s has %d dead rows for %d live ones.", f.DeadTable, f.Dead, f.Live),
			"Run VACUUM on it, and look for what keeps autovacuum from it (database.transactions).")
	case f.XIDAge > s.Limits.XIDAge:
		return warning(fmt.Sprintf("The oldest row that was not frozen is %d transactions old; PostgreSQL stops at 2000000000.", f.XIDAge), "Run VACUUM on the whole database.")
	}
	return ok("Autovacuum keeps up with the tables.")
}

func (s *Subject) transactions(f *postgres.Facts) result {
	switch {
	case f.OldestPrepared > s.Limits.Transaction:
		return warning("A prepared transaction is "+f.OldestPrepared.Round(time.Second).String()+" old, and keeps dead rows from being removed.", "Commit or roll it back: SELECT * FROM pg_prepared_xacts.")
	case f.OldestTransaction > s.Limits.Transaction:
		return warning("A transaction is "+f.OldestTransaction.Round(time.Second).String()+" old, and keeps dead rows from being removed.", "End it: SELECT pid, query FROM pg_stat_activity ORDER BY xact_start.")
	}
	return ok("No transaction that this role can see is old.")
}

func (s *Subject) connections(f *postgres.Facts) result {
	do := fmt.Sprintf("Raise max_connections of PostgreSQL, lower --database-connections, which is %d, or put a pooler before it.", s.Database.Connections)
	switch {
	case f.Used >= f.Most:
		return problem(fmt.Sprintf("All %d connections of PostgreSQL are in use.", f.Most), do)
	case f.Most-f.Used < s.Database.Connections && !f.Pooled:
		return warning(fmt.Sprintf("%d of the %d connections of PostgreSQL are in use, which leaves fewer than a node may take.", f.Used, f.Most), do)
	}
	return ok("%d of the %d connections of PostgreSQL are in use.", f.Used, f.Most)
}
