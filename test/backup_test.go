package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// inboxOfIDs is a receiver that acknowledges everything, and keeps the ids of what each path gets.
type inboxOfIDs struct {
	mu  sync.Mutex
	ids map[string][]string
}

func (r *inboxOfIDs) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[req.URL.Path] = append(r.ids[req.URL.Path], req.Header.Get("webhook-id"))
}

// count returns how often a path got an event.
func (r *inboxOfIDs) count(path, event string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.ids[path] {
		if id == event {
			n++
		}
	}
	return n
}

// receipt is the answer to a publish.
type receipt struct {
	ID        string
	Duplicate bool
}

func (s *server) publishWithID(id string) (r receipt) {
	s.t.Helper()
	s.call("POST", "/tenants/acme/events", fmt.Sprintf(`{"type": "a", "id": %q, "data": {"id": %q}}`, id, id), &r)
	return r
}

// status returns the status of the answer to a request.
func (s *server) status(method, path string) int {
	s.t.Helper()
	status, _, err := s.do(method, path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// epoch returns the epoch of the server's shards.
func (s *server) epoch() int64 {
	s.t.Helper()
	var list struct{ Data []struct{ Epoch int64 } }
	s.call("GET", "/nodes", "", &list)
	return list.Data[0].Epoch
}

// bellwireIn runs a command in a folder, and returns what it prints and whether it succeeds.
func bellwireIn(t *testing.T, dir string, args ...string) (output string, done bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

// A backup is made under load, and restored after more has happened: what it has is there, what it lacks is gone, nothing of that
// comes again under another meaning, and what was open is sent again with the same ids.
func TestRestoreAnOlderBackup(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		restoresBackup(t, t.TempDir(), "--database-url=sqlite://bellwire.db", func() {})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		shared, option := newDatabase(t)
		restoresBackup(t, t.TempDir(), option, func() { // to go back before an upgrade
			if _, err := shared.pool.Exec(t.Context(), "UPDATE bellwire.meta SET number = 10000 WHERE name IN ('schema', 'migrations')"); err != nil {
				t.Error(err)
			}
		})
	})
}

// restoresBackup calls outgrow before the restore, which may give the database a schema that is too new for this build.
func restoresBackup(t *testing.T, dir, database string, outgrow func()) {
	r := &inboxOfIDs{ids: make(map[string][]string)}
	receiver := httptest.NewServer(r)
	t.Cleanup(receiver.Close)
	s := startServer(t, dir, append(local, database)...)
	s.subscribe(receiver.URL + "/a")
	var paused endpoint
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": "%s/paused", "events": ["*"], "status": "paused"}`, receiver.URL), &paused)
	s.addType("a")
	var key struct{ ID string }
	s.call("POST", "/tenants/acme/keys", `{"role": "tenant"}`, &key)
	before := s.publishWithID("before")
	eventually(t, "the event is delivered", func() bool { return r.count("/a", before.ID) == 1 })

	acked := s.backUpUnderLoad(dir, database)

	s.call("PATCH", "/tenants/acme/endpoints/"+paused.ID, `{"status": "enabled"}`, nil)
	s.call("DELETE", "/tenants/acme/keys/"+key.ID, "", nil)
	after := s.publishWithID("after")
	eventually(t, "all events are delivered", func() bool {
		return r.count("/paused", before.ID) == 1 && r.count("/a", after.ID) == 1 && r.count("/paused", after.ID) == 1
	})
	lost := s.epoch()

	restore := []string{"restore", "copy", "--replace", database}
	if text, done := bellwireIn(t, dir, restore...); done || !strings.Contains(text, "stop ") {
		t.Errorf("a restore while the server runs says %s", text)
	}
	s.terminate()
	outgrow()
	refusesWrongKeyset(t, dir, restore)
	if text, done := bellwireIn(t, dir, "restore", "copy", database); done || !strings.Contains(text, "--replace") {
		t.Errorf("a restore over a database says %s", text)
	}
	text, done := bellwireIn(t, dir, restore...)
	if !done || !strings.Contains(text, "opens its secrets") || !strings.Contains(text, "replaced") {
		t.Fatalf("the restore says %s", text)
	}

	s = startServer(t, dir, append(local, database)...)
	for _, id := range acked {
		if status := s.status("GET", "/tenants/acme/events/"+id); status != http.StatusOK {
			t.Errorf("an event that was acknowledged before the backup is answered with %d", status)
		}
	}
	if again := s.publishWithID("before"); !again.Duplicate || again.ID != before.ID {
		t.Errorf("the publish of before the backup, made again, answers %+v, want the event %s", again, before.ID)
	}
	if status := s.status("GET", "/tenants/acme/events/"+after.ID); status != http.StatusNotFound {
		t.Errorf("an event of after the backup is answered with %d", status)
	}
	again := s.publishWithID("after")
	if again.Duplicate || again.ID == after.ID {
		t.Errorf("the publish of after the backup, made again, answers %+v, want another event than %s", again, after.ID)
	}
	var keys struct{ Data []struct{ ID string } }
	s.call("GET", "/tenants/acme/keys", "", &keys)
	if len(keys.Data) != 1 || keys.Data[0].ID != key.ID {
		t.Errorf("the keys are %v, want the one that was deleted after the backup", keys.Data)
	}
	if now := s.epoch(); now <= lost {
		t.Errorf("the epoch is %d, which must come after %d", now, lost)
	}
	s.call("PATCH", "/tenants/acme/endpoints/"+paused.ID, `{"status": "enabled"}`, nil)
	eventually(t, "what was open in the backup is sent again", func() bool { return r.count("/paused", before.ID) == 2 })
	eventually(t, "what was published again is sent", func() bool { return r.count("/a", again.ID) == 1 && r.count("/paused", again.ID) == 1 })
	if n := r.count("/a", before.ID); n != 1 {
		t.Errorf("what was delivered before the backup came %d times", n)
	}
}

// backUpUnderLoad makes a backup while events are published, and returns the events that were acknowledged before it began.
func (s *server) backUpUnderLoad(dir, database string) (acked []string) {
	s.t.Helper()
	var (
		mu   sync.Mutex
		load sync.WaitGroup
		stop = make(chan struct{})
	)
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			id, err := s.publish("a", []byte(`{"load": true}`))
			if err != nil {
				s.t.Error(err)
				return
			}
			mu.Lock()
			acked = append(acked, id)
			mu.Unlock()
		}
	})
	known := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(acked)
	}
	eventually(s.t, "events are published", func() bool { return len(known()) > 10 })
	first := known()
	text, done := bellwireIn(s.t, dir, "backup", "copy", database)
	close(stop)
	load.Wait()
	if !done || !strings.Contains(text, "opens its secrets") {
		s.t.Fatalf("the backup says %s", text)
	}
	info, err := os.Stat(filepath.Join(dir, "copy"))
	if err != nil {
		s.t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		s.t.Errorf("the copy has the mode %04o", info.Mode().Perm())
	}
	return first
}

// refusesWrongKeyset restores with a keyset that is not that of the copy.
func refusesWrongKeyset(t *testing.T, dir string, restore []string) {
	t.Helper()
	if text, done := bellwireIn(t, dir, "keyset", "create", "--keyset-file", "other.keyset"); !done {
		t.Fatal(text)
	}
	if text, done := bellwireIn(t, dir, append(restore, "--keyset-file", "other.keyset")...); done || !strings.Contains(text, "sealed with another keyset") {
		t.Errorf("a restore with another keyset says %s", text)
	}
}
