package postgres

import (
	"context"
	"io/fs"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestMigrationsKeepUnmatchedEvents publishes with the function before version 14, which replaces it.
func TestMigrationsKeepUnmatchedEvents(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close(context.Background())) })
	makeVersion(t, conn, 13)
	_, err = conn.Exec(t.Context(), `
		INSERT INTO bellwire.tenants (id, name, metadata, created_at, updated_at, revision) VALUES ('acme', 'Acme', 'null', now(), now(), 1);
		INSERT INTO bellwire.event_types (name, grouping, description, archived, created_at, updated_at) VALUES ('order.paid', '', '', false, now(), now())`)
	check(t, err)
	p := &platform{conn, t}
	before := p.published(conn, "acme", "order.paid", `{"n": 1}`, "order-1")

	s := openAt(t, url, Options{NoSync: true})
	files, err := fs.Glob(migrations, "migrations/*.sql")
	check(t, err)
	if version := count1(t, s, "SELECT number FROM bellwire.meta WHERE name = 'schema'"); version != len(files) {
		t.Errorf("the schema has version %d, want %d", version, len(files))
	}
	renew(t, s, "a")
	if again := p.published(conn, "acme", "order.paid", `{"n": 1}`, "order-1"); again != before {
		t.Errorf("publishing again made the event %s, want the first one, %s", again, before)
	}
	waiting := unmatched(t, s)
	if len(waiting) != 1 {
		t.Fatalf("%d events wait to be matched, want 1", len(waiting))
	}
	if e := waiting[0].Event; e.ID != before || e.IdempotencyKey != "order-1" || string(e.Data) != `{"n": 1}` {
		t.Errorf("the event is %+v, want it as it was published", e)
	}
	check(t, appendOne(t, s, matched(waiting, "")).Err)
	e, err := s.Event(t.Context(), "acme", before)
	check(t, err)
	if e.Type != "order.paid" || string(e.Data) != `{"n": 1}` {
		t.Errorf("the stored event is %+v, want it as it was published", e)
	}
}

// makeVersion makes the schema of a version in an empty database.
func makeVersion(t *testing.T, conn *pgx.Conn, version int) {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	check(t, err)
	script := "CREATE SCHEMA bellwire;\n" + sqlMakeMeta
	for _, file := range files[:version] {
		part, err := migrations.ReadFile(file)
		check(t, err)
		script += ";\n" + string(part)
	}
	script += ";\nUPDATE bellwire.meta SET number = " + strconv.Itoa(version) + " WHERE name = 'schema'"
	_, err = conn.Exec(t.Context(), script, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
}
