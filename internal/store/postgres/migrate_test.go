package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
	"github.com/bellwire/bellwire/internal/store/storetest"
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
	if run := count1(t, s, "SELECT number FROM bellwire.meta WHERE name = 'migrations'"); run != len(files) {
		t.Errorf("%d migrations have run, want %d", run, len(files))
	}
	if oldest := count1(t, s, "SELECT number FROM bellwire.meta WHERE name = 'schema'"); oldest != rules.OldestSchema {
		t.Errorf("a build needs %d migrations, want %d", oldest, rules.OldestSchema)
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

// TestMigrationBeginsHistories writes endpoints with the schema before version 15, which keeps histories.
func TestMigrationBeginsHistories(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close(context.Background())) })
	makeVersion(t, conn, 14)
	_, err = conn.Exec(t.Context(), `
		INSERT INTO bellwire.tenants (id, name, metadata, created_at, updated_at, revision) VALUES ('acme', 'Acme', 'null', now(), now(), 7);
		INSERT INTO bellwire.endpoints (id, tenant, shard, revision, created_at, updated_at, deleted_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		SELECT p.id, n, 0, 5, now(), '2026-01-02 03:04:05.678901Z', p.deleted_at, 'paused', '', 'none', 'standard', 'https://example.com/old', '', '["a", "b.*"]',
			'{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'
		FROM bellwire.tenants t, (VALUES ('old', NULL), ('gone', now())) AS p (id, deleted_at)`, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	s := openAt(t, url, Options{NoSync: true})
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	list, err := s.EndpointHistory(t.Context(), "acme", "old", bellwire.Page{Limit: 10})
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].Action != bellwire.ChangeFound || list.Items[0].Actor.Kind != bellwire.ActorUnknown || !list.Items[0].At.Equal(at) {
		t.Errorf("the history is %+v, want the state that was found", list.Items)
	}
	check(t, s.write(t.Context(), func(tx *tx) error {
		ref, err := tx.holdTenant("acme")
		if err != nil {
			return err
		}
		h, err := tx.history(ref.n, "old")
		if err != nil {
			return err
		}
		want := &bellwire.Standing{
			Status: bellwire.EndpointPaused, Events: []string{"a", "b.*"}, Since: at, By: bellwire.Actor{Kind: bellwire.ActorUnknown},
		}
		if !reflect.DeepEqual(h.standing, want) || !h.clock.Equal(at) || h.bytes == 0 {
			t.Errorf("the standing is %+v, want %+v, in %+v", h.standing, want, h)
		}
		return nil
	}))
	_, err = s.EndpointHistory(t.Context(), "acme", "gone", bellwire.Page{Limit: 10})
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("the history of a deleted endpoint: %v", err)
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

// TestMigrationsFillNewColumns writes endpoints, deliveries and keys with the schema before version 15, and reads what later ones
// have added to them.
func TestMigrationsFillNewColumns(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close(context.Background())) })
	makeVersion(t, conn, 14)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event, test := bellwire.NewID[bellwire.EventKind](at), bellwire.NewID[bellwire.EventKind](at)
	delivered, tested := bellwire.DeliveryOf(event, 0), bellwire.DeliveryOf(test, 0)
	key := bellwire.NewID[bellwire.KeyKind](at)
	_, err = conn.Exec(t.Context(), fmt.Sprintf(`
		INSERT INTO bellwire.tenants (id, name, metadata, created_at, updated_at, revision) VALUES ('acme', 'Acme', 'null', now(), now(), 7);
		INSERT INTO bellwire.endpoints (id, tenant, shard, revision, created_at, updated_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		SELECT p.id, n, 0, 5, now(), now(), 'enabled', '', 'none', p.id, 'https://example.com/', '', '["*"]',
			'{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'
		FROM bellwire.tenants t, (VALUES ('standard'), ('lemon')) AS p (id);
		INSERT INTO bellwire.events (id, tenant, type, created_at, test, deliveries, data)
		SELECT e.id, n, 'a', now(), e.test, 1, '1' FROM bellwire.tenants, (VALUES ('%[1]x'::uuid, false), ('%[2]x', true)) AS e (id, test);
		INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at)
		SELECT d.id, d.event, p.tenant, p.n, 3, '', 1, 0, 0, 0, now(), now()
		FROM bellwire.endpoints p, (VALUES ('%[3]x'::uuid, '%[1]x'::uuid), ('%[4]x', '%[2]x')) AS d (id, event) WHERE p.id = 'standard';
		INSERT INTO bellwire.event_types (name, grouping, description, archived, created_at, updated_at) VALUES ('a', '', '', false, now(), now());
		INSERT INTO bellwire.keys (id, tenant, name, role, hash, created_at) SELECT '%[5]x', n, '', 'tenant', '0', now() FROM bellwire.tenants;
		INSERT INTO bellwire.audit (id, at, last_at, tenant, key, method, path, principal, justification, expires_at)
			VALUES ('%[5]x', to_timestamp(1), to_timestamp(1), 'acme', '%[5]x', 'GET', '/v1/events', 'jane', 'ticket', to_timestamp(4000000000))`,
		event[:], test[:], delivered[:], tested[:], key[:]), pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	storetest.CheckNewColumns(t, openAt(t, url, Options{NoSync: true}), delivered, tested, key)
}
