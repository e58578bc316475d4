package sqlite

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// TestMigrationsKeepEndpoints writes endpoints with the schema before version 13, which finds them by their revision.
func TestMigrationsKeepEndpoints(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeAtVersion(t, path, 12, `
		INSERT INTO tenants (n, id, name, metadata, created_at, updated_at, revision) VALUES (1, 'acme', 'Acme', 'null', 1, 1, 7);
		INSERT INTO endpoints (id, tenant, revision, created_at, updated_at, deleted_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		VALUES ('old', 1, 5, 1, 1, NULL, 'enabled', '', 'none', 'standard', 'https://example.com/old', '', '["a"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			('changed', 1, 6, 1, 1, NULL, 'paused', '', 'fifo', 'standard', 'https://example.com/', '', '["b.*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			('gone', 1, 7, 1, 2, 2, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["a"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null')`)
	s := openAt(t, path)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if run, _ := scalar(t, s, "SELECT value FROM meta WHERE name = 'migrations'"); int(run) != len(files) {
		t.Errorf("%d migrations have run, want %d", run, len(files))
	}
	if oldest, _ := scalar(t, s, "PRAGMA user_version"); oldest != rules.OldestSchema {
		t.Errorf("a build needs %d migrations, want %d", oldest, rules.OldestSchema)
	}
	changes, err := s.EndpointsSince(t.Context(), "acme", 5)
	if err != nil {
		t.Fatal(err)
	}
	if changes.Total != 2 || len(changes.Changed) != 2 {
		t.Fatalf("%d of %d endpoints have changed, want 2 of 2", len(changes.Changed), changes.Total)
	}
	if gone := changes.Changed[0]; gone.ID != "gone" || !gone.Deleted {
		t.Errorf("the last change is %+v, want the deletion of gone", gone)
	}
	changed := changes.Changed[1]
	if changed.Filter != "" || changed.OnError != bellwire.OnErrorDeliver {
		t.Errorf("an endpoint from before there were filters has %q and %q", changed.Filter, changed.OnError)
	}
	if changed.ID != "changed" || changed.Status != bellwire.EndpointPaused || changed.Ordering != bellwire.OrderingFIFO || changed.Events[0] != "b.*" {
		t.Errorf("the change before is %+v, want changed as it was written", changed)
	}
}

// writeAtVersion makes a database with the schema of a version, and runs a script in it.
func writeAtVersion(t *testing.T, path string, version int, script string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{db: db{conn: conn}}
	for i, file := range files[:version] {
		if err := w.apply(file, i+1); err != nil {
			t.Fatal(file, err)
		}
	}
	if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
		t.Fatal(err)
	}
}

// TestMigrationBeginsHistories writes endpoints with the schema before version 15, which keeps histories.
func TestMigrationBeginsHistories(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	const at = 1_767_323_045_678_901
	writeAtVersion(t, path, 14, `
		INSERT INTO tenants (n, id, name, metadata, created_at, updated_at, revision) VALUES (1, 'acme', 'Acme', 'null', 1, 1, 7);
		INSERT INTO endpoints (id, tenant, revision, created_at, updated_at, deleted_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		VALUES ('old', 1, 5, 1, 1767323045678901, NULL, 'paused', '', 'none', 'standard', 'https://example.com/old', '', '["a", "b.*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			('gone', 1, 7, 1, 2, 2, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["a"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null')`)
	s := openAt(t, path)
	list, err := s.EndpointHistory(t.Context(), "acme", "old", bellwire.Page{Limit: 10})
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].Action != bellwire.ChangeFound || list.Items[0].Actor.Kind != bellwire.ActorUnknown || list.Items[0].At.UnixMicro() != at {
		t.Errorf("the history is %+v, want the state that was found", list.Items)
	}
	check(t, s.write(t.Context(), func(w *writer) error {
		h, err := w.history(1, "old")
		if err != nil {
			return err
		}
		want := &bellwire.Standing{
			Status: bellwire.EndpointPaused, Events: []string{"a", "b.*"}, Since: time.UnixMicro(at).UTC(),
			By: bellwire.Actor{Kind: bellwire.ActorUnknown},
		}
		if !reflect.DeepEqual(h.standing, want) || h.clock != at || h.bytes == 0 {
			t.Errorf("the standing is %+v, want %+v, in %+v", h.standing, want, h)
		}
		return nil
	}))
	_, err = s.EndpointHistory(t.Context(), "acme", "gone", bellwire.Page{Limit: 10})
	if bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("the history of a deleted endpoint: %v", err)
	}
}

// TestMigrationsFillNewColumns writes endpoints, deliveries and keys with the schema before version 15, and reads what later ones
// have added to them.
func TestMigrationsFillNewColumns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event, test := bellwire.NewID[bellwire.EventKind](at), bellwire.NewID[bellwire.EventKind](at)
	delivered, tested := bellwire.DeliveryOf(event, 0), bellwire.DeliveryOf(test, 0)
	key := bellwire.NewID[bellwire.KeyKind](at)
	writeAtVersion(t, path, 14, fmt.Sprintf(`
		INSERT INTO tenants (n, id, name, metadata, created_at, updated_at, revision) VALUES (1, 'acme', 'Acme', 'null', 1, 1, 7);
		INSERT INTO endpoints (n, id, tenant, revision, created_at, updated_at, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		VALUES (1, 'standard', 1, 5, 1, 1, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			(2, 'lemon', 1, 6, 1, 1, 'enabled', '', 'none', 'lemon', 'https://example.com/', '', '["*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null');
		INSERT INTO events (n, id, tenant, type, created_at, test, deliveries, data) VALUES
			(1, x'%[1]x', 1, 'a', 1, 0, 1, x'31'), (2, x'%[2]x', 1, 'a', 1, 1, 1, x'31');
		INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at) VALUES
			(x'%[3]x', 1, 1, 1, 3, '', 1, 0, 0, 0, 1, 1), (x'%[4]x', 2, 1, 1, 3, '', 1, 0, 0, 0, 1, 1);
		INSERT INTO event_types (name, grouping, description, archived, created_at, updated_at) VALUES ('a', '', '', 0, 1, 1);
		INSERT INTO keys (id, tenant, name, role, hash, created_at) VALUES (x'%[5]x', 1, '', 'tenant', x'00', 1);
		INSERT INTO audit (id, at, last_at, tenant, key, method, path, principal, justification, expires_at)
			VALUES (x'%[5]x', 1000000, 1000000, 'acme', x'%[5]x', 'GET', '/v1/events', 'jane', 'ticket', 4000000000000000)`,
		event[:], test[:], delivered[:], tested[:], key[:]))
	storetest.CheckNewColumns(t, openAt(t, path), delivered, tested, key)
}

// TestMigrationSettlesWhatIsLeft writes endpoints with the schema before version 24, which settles in steps: a deleted one whose
// deliveries are not settled, one that is settled, and one that is there. All deliveries are listed before, between and after the
// steps.
func TestMigrationSettlesWhatIsLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	event := bellwire.NewID[bellwire.EventKind](time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	script := fmt.Sprintf(`
		INSERT INTO tenants (n, id, name, metadata, created_at, updated_at, revision) VALUES (1, 'acme', 'Acme', 'null', 1, 1, 7);
		INSERT INTO endpoints (n, id, tenant, revision, created_at, updated_at, deleted_at, settled, status, status_reason, ordering, dialect,
			url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra)
		VALUES (1, 'left', 1, 5, 1, 2, 2, 0, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			(2, 'settled', 1, 6, 1, 2, 2, 1, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null'),
			(3, 'there', 1, 7, 1, 1, NULL, 0, 'enabled', '', 'none', 'standard', 'https://example.com/', '', '["*"]', '{"schedule": ["5s"]}', 0, 8, 'hmac', 'null', 'null');
		INSERT INTO events (n, id, tenant, type, created_at, test, deliveries, data) VALUES (1, x'%x', 1, 'a', 1, 0, 7, x'31');`, event[:])
	var want []bellwire.DeliveryID
	for i, endpoint := range []int{1, 2, 3, 1, 1, 2, 1} {
		id := bellwire.DeliveryOf(event, i)
		want = append([]bellwire.DeliveryID{id}, want...)
		script += fmt.Sprintf(`
			INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, created_at, updated_at, of_deleted)
				VALUES (x'%x', 1, 1, %d, 3, '', 1, 0, 0, 0, 1, 1, %t);`, id[:], endpoint, endpoint == 2)
	}
	writeAtVersion(t, path, 23, script)
	s := openAt(t, path)
	for steps := 0; ; steps++ {
		list, err := s.Deliveries(t.Context(), bellwire.DeliveryFilter{Tenant: "acme"}, bellwire.Page{Limit: 10})
		check(t, err)
		var got []bellwire.DeliveryID
		for _, d := range list.Items {
			got = append(got, d.ID)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %d steps, the deliveries are %v, want %v", steps, got, want)
		}
		settled, _ := scalar(t, s, "SELECT count(*) FROM deliveries WHERE of_deleted = 1")
		if want := min(2+int64(steps), 6); settled != want {
			t.Errorf("after %d steps, %d deliveries are settled, want %d", steps, settled, want)
		}
		first, _ := scalar(t, s, "SELECT length(settled_to) FROM endpoints WHERE id = 'left'")
		if (first == 0) != (steps == 0) {
			t.Errorf("after %d steps, settled_to has %d bytes", steps, first)
		}
		if done, _ := scalar(t, s, "SELECT count(*) FROM endpoints WHERE settled = 1"); done == 2 {
			break
		}
		if _, err := s.Purge(t.Context(), time.Now(), time.Time{}, 3); err != nil || steps > 10 { // a third of it is for settling
			t.Fatalf("step %d: %v", steps, err)
		}
	}
	if there, _ := scalar(t, s, "SELECT settled FROM endpoints WHERE id = 'there'"); there != 0 {
		t.Error("the endpoint that is there is settled")
	}
}
