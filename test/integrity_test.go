package test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// expectUnavailable expects that publishes are refused, that the server is not ready, and that both say why.
func (s *server) expectUnavailable(why string) {
	s.t.Helper()
	status, answer, err := s.do("POST", "/tenants/acme/events", []byte(`{"type": "load", "data": 1}`))
	if err != nil {
		s.t.Fatal(err)
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(string(answer), why) {
		s.t.Errorf("a publish answered %d: %s", status, answer)
	}
	eventually(s.t, "the server is not ready", func() bool { // it asks the database once a second at most
		status, body := s.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, why)
	})
}

// says expects that a server does not start, and says all of this.
func says(t *testing.T, cmd *exec.Cmd, parts ...string) {
	t.Helper()
	said := refuses(t, cmd)
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("it does not say %q: %s", part, said)
		}
	}
}

// A database that is damaged while the server has it open takes nothing more once that is seen, and does not start again.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	dir := t.TempDir()
	database := filepath.Join(dir, "bellwire.db")
	s := startServer(t, dir, local...)
	s.subscribe(startReceiver(t, 0).url)
	s.addType("load")
	for range 40 {
		if _, err := s.publish("load", []byte(`"`+strings.Repeat("x", 100_000)+`"`)); err != nil {
			t.Fatal(err)
		}
	}
	s.settles()
	s.terminate()
	s = startServer(t, dir, local...)
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "\nbellwire_database_damaged 0\n") {
		t.Error("the metrics do not say that the database is sound")
	}
	if out, err := exec.Command(binary, "check", "--database-url", "sqlite://"+database).CombinedOutput(); err != nil || !strings.Contains(string(out), "is sound") {
		t.Errorf("check beside the server: %v: %s", err, out)
	}

	f, err := os.OpenFile(database, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const kept = 64 << 10 // what is read in order to take a request
	if _, err := f.WriteAt(bytes.Repeat([]byte("damage! "), int(info.Size()-kept)/8), kept); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if status, answer, err := s.do("GET", "/tenants/acme/events", nil); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a list answered %d: %s, %v", status, answer, err)
	}
	s.expectUnavailable("the database is damaged")
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "\nbellwire_database_damaged 1\n") {
		t.Error("the metrics do not say that the database is damaged")
	}
	if n := strings.Count(s.logged(), "the database is damaged: it takes nothing more"); n != 1 {
		t.Errorf("the log says %d times that the database is damaged", n)
	}
	s.kill()
	says(t, serve(dir), database+" is damaged", "docs/integrity.md")
	says(t, exec.Command(binary, "check", "--database-url", "sqlite://"+database), database+" is damaged")
}

// A database file is served by one process at a time, by whatever path it is opened, and also after its lock file was
// deleted.
func TestDatabaseHasOneServer(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	database := filepath.Join(dir, "bellwire.db")
	s := startServer(t, dir)
	if err := os.Remove(database + "-lock"); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(database, filepath.Join(elsewhere, "bellwire.db")); err != nil {
		t.Fatal(err)
	}
	linked := t.TempDir()
	if err := os.Symlink(database, filepath.Join(linked, "bellwire.db")); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{dir, elsewhere, linked} {
		says(t, serve(other), "in use by another process")
	}
	s.becomesReady()
	s.terminate()

	// A link leads to the database and to the keyset beside it.
	startServer(t, linked).terminate()
	left, err := os.ReadDir(linked)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("files were made beside the link: %v", left)
	}
}

// A file of the database that is moved away takes nothing with it that was acknowledged.
func TestDatabaseThatIsMovedAway(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	dir := t.TempDir()
	database := filepath.Join(dir, "bellwire.db")
	s := startServer(t, dir, local...)
	s.subscribe(startReceiver(t, 0).url)
	s.addType("load")
	for _, file := range []string{database, database + "-wal"} {
		if err := os.Rename(file, file+".moved"); err != nil {
			t.Fatal(err)
		}
		s.expectUnavailable("moved, deleted or replaced")
		if err := os.Rename(file+".moved", file); err != nil {
			t.Fatal(err)
		}
		s.becomesReady()
		if _, err := s.publish("load", []byte("1")); err != nil {
			t.Error(err)
		}
	}
	s.terminate()
}

// A keyset without its database means that the database was lost, or is looked for in the wrong place.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, keyset := filepath.Join(dir, "bellwire.db"), filepath.Join(dir, "bellwire.keyset")
	startServer(t, dir).kill()
	log := mustRead(t, database+"-wal")
	for _, lose := range []func() error{
		func() error { return os.Remove(database + "-wal") }, // with all that a young database has
		func() error { return os.Truncate(database, 0) },
		func() error { return os.Remove(database) },
	} {
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		says(t, serve(dir), database, keyset, "--database-url", "restore it from a backup", "--new-database")
	}
	if len(log) == 0 {
		t.Error("there was no log to be lost")
	}
	startServer(t, dir, "--new-database").terminate()
	startServer(t, dir).terminate()
}

// A server that was killed and whose log was cut off says so when it starts again.
func TestLogThatIsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "bellwire.db-wal")
	const said = "a part of the database's log is missing or damaged"
	startServer(t, dir).terminate() // so that the log does not have the whole database
	s := startServer(t, dir)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("load")
	for range 20 {
		if _, err := s.publish("load", []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	s.kill()
	s = startServer(t, dir)
	if strings.Contains(s.logged(), said) {
		t.Error("nothing was lost by the kill")
	}
	if _, err := s.publish("load", []byte("1")); err != nil {
		t.Fatal(err)
	}
	s.kill()
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, dir)
	if !strings.Contains(s.logged(), said) || !strings.Contains(s.logged(), log) {
		t.Error("it does not say that something is lost")
	}
	s.terminate()
}
