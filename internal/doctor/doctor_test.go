package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/seal"
	store "github.com/bellwire/bellwire/internal/store/sqlite"
)

// faultCase makes a fault, and says what must be found.
type faultCase struct {
	name  string
	id    string
	level bellwire.FindingLevel
	found string // a part
	fault func(t *testing.T, s *Subject)
}

func (c *faultCase) run(t *testing.T, s *Subject) {
	t.Helper()
	before := examineOne(t, s, c.id)
	if before.level == bellwire.FindingProblem || before.level == bellwire.FindingWarning {
		t.Errorf("without the fault: %+v", before)
	}
	c.fault(t, s)
	c.expect(t, s)
}

func (c *faultCase) expect(t *testing.T, s *Subject) {
	t.Helper()
	got := examineOne(t, s, c.id)
	if got.level != c.level || !strings.Contains(got.found, c.found) {
		t.Errorf("got %+v, want %s: %s", got, c.level, c.found)
	}
	checkForm(t, bellwire.Finding{ID: c.id, Level: got.level, Found: got.found, Do: got.do})
}

// checkForm checks that a finding is written in sentences, and says what to do unless all is well.
func checkForm(t *testing.T, f bellwire.Finding) {
	t.Helper()
	if !strings.HasSuffix(f.Found, ".") || f.Do == "" != (f.Level == bellwire.FindingOK) || f.Do != "" && !strings.HasSuffix(f.Do, ".") {
		t.Errorf("%s has another form: %+v", f.ID, f)
	}
}

// examineOne runs the check with an id.
func examineOne(t *testing.T, s *Subject, id string) result {
	t.Helper()
	with := *s
	with.Limits.fill()
	checks := with.checks()
	i := slices.IndexFunc(checks, func(c check) bool { return c.id == id })
	if i < 0 {
		t.Fatalf("there is no check %s", id)
	}
	return checks[i].examine(t.Context())
}

// healthy returns a server without faults, on an SQLite database.
func healthy(t *testing.T) *Subject {
	t.Helper()
	dir, keys := t.TempDir(), t.TempDir()
	s := &Subject{
		Configuration: Configuration{Listen: "127.0.0.1:8080", File: filepath.Join(dir, "bellwire.yaml")},
		Database:      Database{SQLite: filepath.Join(dir, "bellwire.db"), Connections: 18},
		Keyset:        Keyset{File: filepath.Join(keys, "bellwire.keyset")},
		Network:       Network{Guard: destination.New(destination.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})},
		Descriptors:   math.MaxInt, LeastDescriptors: 64, EnoughDescriptors: 8192,
		Limits: Limits{FreeBytes: 1, FreeShare: math.SmallestNonzeroFloat64}, // the disk of the tests may be nearly full
		Getenv: func(string) string { return "" }, Now: time.Now,
	}
	made, err := template()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(s.Database.SQLite, made.database, 0o600), os.WriteFile(s.Keyset.File, made.keyset, 0o600)); err != nil {
		t.Fatal(err)
	}
	return s
}

// contents are those of a database and of its keyset.
type contents struct{ database, keyset []byte }

// template makes a database with its keyset once, because that takes long.
var template = sync.OnceValues(func() (c contents, err error) {
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	database, keyset := filepath.Join(dir, "bellwire.db"), filepath.Join(dir, "bellwire.keyset")
	opened, err := store.Open(context.Background(), database, store.Options{})
	if err != nil {
		return c, err
	}
	keyring, _, err := seal.OpenKeyring(keyset)
	if err == nil {
		err = keyring.Admit(context.Background(), opened)
	}
	if err = errors.Join(err, opened.Close()); err != nil {
		return c, err
	}
	if c.database, err = os.ReadFile(database); err != nil {
		return c, err
	}
	c.keyset, err = os.ReadFile(keyset)
	return c, err
})

func TestFaults(t *testing.T) {
	t.Parallel()
	do := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []faultCase{
		{"unknown variable", "configuration.variables", "warning", "BELLWIRE_RETENTOIN", func(_ *testing.T, s *Subject) {
			s.Configuration.UnknownVariables = []string{"BELLWIRE_RETENTOIN"}
		}},
		{"no public URL", "configuration.public-url", "warning", "0.0.0.0:8080", func(_ *testing.T, s *Subject) { s.Configuration.Listen = "0.0.0.0:8080" }},
		{"http", "configuration.public-url", "warning", "unencrypted", func(_ *testing.T, s *Subject) { s.Configuration.PublicURL = "http://hooks.example.com" }},
		{"all networks", "configuration.networks", "warning", "all addresses", func(_ *testing.T, s *Subject) { s.Configuration.AllowsEverything = true }},
		{"arguments", "configuration.secrets", "warning", "--admin-key", func(_ *testing.T, s *Subject) { s.Configuration.SecretsInArguments = []string{"admin-key"} }},
		{"dialects", "configuration.dialects", "problem", "a.yaml", func(_ *testing.T, s *Subject) { s.Configuration.Dialects = errors.New("a.yaml is empty") }},
		{"no descriptors", "machine.descriptors", "problem", "63", func(_ *testing.T, s *Subject) { s.Descriptors = 63 }},
		{"few descriptors", "machine.descriptors", "warning", "1024", func(_ *testing.T, s *Subject) { s.Descriptors = 1024 }},
		{"proxy", "machine.proxies", "warning", "https_proxy", func(_ *testing.T, s *Subject) {
			s.Getenv = func(name string) string { return map[string]string{"https_proxy": "http://user:password@proxy"}[name] }
		}},
		{"full disk", "machine.disk", "problem", "publishing is refused", func(_ *testing.T, s *Subject) { s.Limits.FreeBytes = 1 << 60 }},
		{"nearly full disk", "machine.disk", "warning", "free of", func(_ *testing.T, s *Subject) { s.Limits.FreeShare = 2 }},
		{"readable database", "machine.file-modes", "warning", "0644", func(t *testing.T, s *Subject) { do(t, os.Chmod(s.Database.SQLite, 0o644)) }},
		{"writable folder", "machine.file-modes", "problem", "replace files", func(t *testing.T, s *Subject) { do(t, os.Chmod(filepath.Dir(s.Keyset.File), 0o777)) }},
		{"readable configuration", "machine.file-modes", "warning", "contains secrets", func(t *testing.T, s *Subject) {
			s.Configuration.FileHasSecrets = true
			do(t, os.WriteFile(s.Configuration.File, nil, 0o644))
		}},
		{"readable keyset", "keyset.file", "problem", "0644", func(t *testing.T, s *Subject) { do(t, os.Chmod(s.Keyset.File, 0o644)) }},
		{"no keyset", "keyset.file", "problem", "does not exist", func(t *testing.T, s *Subject) { do(t, os.Remove(s.Keyset.File)) }},
		{"broken keyset", "keyset.file", "problem", "cannot be used", func(t *testing.T, s *Subject) { do(t, os.WriteFile(s.Keyset.File, []byte("{}"), 0o600)) }},
		{"wrong keyset", "keyset.match", "problem", "another keyset", func(t *testing.T, s *Subject) {
			text, err := seal.NewKeyset()
			do(t, err)
			s.Keyset.Text = string(text)
		}},
		{"keyset beside the database", "keyset.place", "note", "reveals all secrets", func(_ *testing.T, s *Subject) {
			s.Keyset.File = filepath.Join(filepath.Dir(s.Database.SQLite), "keyset")
		}},
		{"garbage", "database.reachable", "problem", "cannot be read", func(t *testing.T, s *Subject) {
			do(t, os.WriteFile(s.Database.SQLite, []byte(strings.Repeat("garbage ", 1000)), 0o600))
		}},
		{"new database", "database.reachable", "note", "does not exist yet", func(_ *testing.T, s *Subject) { s.Database.SQLite += "-new" }},
		{"foreign database", "database.reachable", "problem", "another program", func(t *testing.T, s *Subject) { execute(t, s, "PRAGMA application_id = 7") }},
		{"newer database", "database.schema", "problem", "newer Bellwire", func(t *testing.T, s *Subject) { execute(t, s, "PRAGMA user_version = 9999") }},
		{"older database", "database.schema", "note", "next start", func(t *testing.T, s *Subject) {
			execute(t, s, "UPDATE meta SET value = 1 WHERE name = 'migrations'")
		}},
		{"no backup", "database.backup", "note", "No backup", func(*testing.T, *Subject) {}},
		{"old backup", "database.backup", "warning", "3 days ago", func(t *testing.T, s *Subject) {
			do(t, store.RecordBackup(t.Context(), s.Database.SQLite, time.Now()))
			if got := examineOne(t, s, "database.backup"); got.level != bellwire.FindingOK {
				t.Errorf("after a backup: %+v", got)
			}
			s.Now = func() time.Time { return time.Now().Add(73 * time.Hour) }
		}},
		{"unused pages", "database.bloat", "note", "unused", func(t *testing.T, s *Subject) {
			execute(t, s, "CREATE TABLE filler (data); INSERT INTO filler VALUES (zeroblob(8000000)); DROP TABLE filler")
		}},
		{"long log", "database.log", "warning", "write-ahead log", func(_ *testing.T, s *Subject) { s.Limits.LogBytes = -1 }},
		{"unknown host", "network.dns", "problem", "receiver.invalid", func(_ *testing.T, s *Subject) { s.Network.Receivers = []string{"https://receiver.invalid"} }},
		{"slow names", "network.dns", "warning", "Resolving", func(_ *testing.T, s *Subject) {
			s.Network.Receivers, s.Limits.SlowResolution = []string{"http://localhost"}, -1
		}},
		{"blocked", "network.reach", "problem", "deliveries may not reach", func(_ *testing.T, s *Subject) { s.Network.Receivers = []string{"http://192.168.0.1"} }},
		{"refused", "network.reach", "problem", "the mail server 127.0.0.1:", func(t *testing.T, s *Subject) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			do(t, err)
			do(t, l.Close())
			s.Network.Services = []Service{{Name: "the mail server", Address: l.Addr().String()}}
		}},
		{"untrusted certificate", "network.reach", "problem", "certificate", func(t *testing.T, s *Subject) {
			receiver := httptest.NewUnstartedServer(http.NotFoundHandler())
			receiver.Config.ErrorLog = log.New(io.Discard, "", 0) // of the refused handshake
			receiver.StartTLS()
			t.Cleanup(receiver.Close)
			s.Network.Receivers = []string{receiver.URL}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := healthy(t)
			if c.id == "network.dns" { // the machine may have no name server
				c.fault(t, s)
				c.expect(t, s)
				return
			}
			c.run(t, s)
		})
	}
}

// execute runs statements on the database.
func execute(t *testing.T, s *Subject, script string) {
	t.Helper()
	conn, err := sqlite.OpenConn(s.Database.SQLite, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.NotFoundHandler())
	defer receiver.Close()
	s := healthy(t)
	s.Network.Receivers = []string{receiver.URL + "/a-secret-path"}
	if got := examineOne(t, s, "network.reach"); got.level != bellwire.FindingOK || strings.Contains(got.found, "secret") {
		t.Errorf("%+v", got)
	}
}

// An examination has each id once, the worst first, and changes nothing.
func TestExamine(t *testing.T) {
	t.Parallel()
	s := healthy(t)
	s.Descriptors, s.Configuration.AllowsEverything = 1, true
	s.Network.Receivers = []string{"http://127.0.0.1"} // no name server is asked
	before := files(t, s)
	findings := Examine(t.Context(), s)
	seen := map[string]bool{}
	worst := 0
	for _, f := range findings {
		checkForm(t, f)
		level := slices.Index(bellwire.FindingLevels, f.Level)
		if seen[f.ID] || level < worst {
			t.Errorf("%s is there twice, or after a better one", f.ID)
		}
		seen[f.ID], worst = true, level
	}
	if len(findings) < 15 || findings[0].Level != bellwire.FindingProblem {
		t.Errorf("%+v", findings)
	}
	if after := files(t, s); !slices.Equal(before, after) {
		t.Errorf("there were %q, and are %q", before, after)
	}
}

// files lists the files of the database and the keyset, but for those that SQLite makes for each reader.
func files(t *testing.T, s *Subject) (list []string) {
	t.Helper()
	for _, dir := range []string{filepath.Dir(s.Database.SQLite), filepath.Dir(s.Keyset.File)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && !strings.HasSuffix(e.Name(), "-shm") && !strings.HasSuffix(e.Name(), "-wal") {
				list = append(list, fmt.Sprint(e.Name(), info.ModTime(), info.Size()))
			}
		}
	}
	return list
}

// A database that a server has open is examined beside it, and can still be written then.
func TestBesideServer(t *testing.T) {
	t.Parallel()
	s := healthy(t)
	opened, err := store.Open(t.Context(), s.Database.SQLite, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for range 2 {
		for _, id := range []string{"database.reachable", "keyset.match", "database.log"} {
			if got := examineOne(t, s, id); got.level != bellwire.FindingOK {
				t.Errorf("%s: %+v", id, got)
			}
		}
		if err := opened.Check(context.Background()); err != nil {
			t.Error(err)
		}
	}
}
