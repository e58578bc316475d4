package test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// TestRestoreToAMoment follows docs/backup.md: PostgreSQL archives its log, and is restored from a base backup to a moment between two
// publishes.
func TestRestoreToAMoment(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	page := string(mustRead(t, "../docs/backup.md"))
	_, page, _ = strings.Cut(page, "\n## A moment of your choice\n")
	page = strings.ReplaceAll(page, "/var/backups/", "../") // beside the server's data, in which its commands run
	archive, recover := settingsOf(t, page, "archive_mode"), settingsOf(t, page, "restore_command")
	database, err := pgtest.Start(append(archive, pgtest.Durable...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	run := func(command string) {
		t.Helper()
		if said, err := database.Command(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, said)
		}
	}
	run("mkdir ../wal")
	option := "--database-url=" + database.URL("postgres")

	r := &inboxOfIDs{ids: make(map[string][]string)}
	receiver := httptest.NewServer(r)
	t.Cleanup(receiver.Close)
	s := startServer(t, t.TempDir(), append(local, option)...)
	s.subscribe(receiver.URL + "/a")
	s.addType("a")
	before := s.publishWithID("before")
	baseBackup := regexp.MustCompile(`pg_basebackup .*`).FindString(page)
	run(baseBackup)
	if text, done := bellwireIn(t, s.cmd.Dir, "backup", "--record-only", option); !done {
		t.Fatal(text)
	}
	between := s.publishWithID("between")
	moment := ask[time.Time](t, database, "SELECT clock_timestamp()")
	after := s.publishWithID("after")
	eventually(t, "all is delivered", func() bool { return r.count("/a", before.ID)+r.count("/a", between.ID)+r.count("/a", after.ID) == 3 })
	s.terminate()
	last := ask[string](t, database, "SELECT pg_walfile_name(pg_switch_wal())")
	eventually(t, "the log is archived", func() bool {
		return ask[bool](t, database, "SELECT coalesce(last_archived_wal, '') >= $1 FROM pg_stat_archiver", last)
	})

	if err := database.Recover("base", append(recover, "recovery_target_time="+moment.Format("2006-01-02 15:04:05.999999-07"))...); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server has recovered", func() bool { return !ask[bool](t, database, "SELECT pg_is_in_recovery()") })
	if text, done := bellwireIn(t, s.cmd.Dir, "restore", "--in-place", option); !done || !strings.Contains(text, "opens its secrets") {
		t.Fatalf("the restore says %s", text)
	}
	s = startServer(t, s.cmd.Dir, append(local, option)...)
	for id, first := range map[string]receipt{"before": before, "between": between} {
		if again := s.publishWithID(id); !again.Duplicate || again.ID != first.ID {
			t.Errorf("the publish %q of before the moment, made again, answers %+v, want the event %s", id, again, first.ID)
		}
	}
	if status := s.status("GET", "/tenants/acme/events/"+after.ID); status != http.StatusNotFound {
		t.Errorf("an event of after the moment is answered with %d", status)
	}
	again := s.publishWithID("after")
	if again.Duplicate || again.ID == after.ID {
		t.Errorf("the publish of after the moment, made again, answers %+v, want another event than %s", again, after.ID)
	}
	eventually(t, "what was published again is sent", func() bool { return r.count("/a", again.ID) == 1 })
}

// settingsOf returns the settings of the example in a page that begins with the given one.
func settingsOf(t *testing.T, page, first string) (settings []string) {
	t.Helper()
	example := regexp.MustCompile("(?s)```\n( *" + first + " .*?)```").FindStringSubmatch(page)
	if example == nil {
		t.Fatalf("docs/backup.md has no example that begins with %s", first)
	}
	for line := range strings.Lines(example[1]) {
		if name, value, is := strings.Cut(strings.TrimSpace(line), " = "); is {
			settings = append(settings, name+"="+strings.Trim(value, "'"))
		}
	}
	return settings
}

// ask returns the answer of a server to a query.
func ask[T any](t *testing.T, database *pgtest.Server, sql string, args ...any) (answer T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
