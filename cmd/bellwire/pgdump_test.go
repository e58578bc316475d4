package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The database's password may be in the environment instead of in its URL, which a file can then name.
func TestPasswordFromEnvironment(t *testing.T) {
	t.Setenv("PGPASSWORD", "secret")
	folder, err := writeService("postgres://me@one/base?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if got, err := os.ReadFile(filepath.Join(folder, "service")); err != nil || !strings.Contains(string(got), "\npassword=secret\n") {
		t.Errorf("the connection has no password: %q, %v", got, err)
	}
}

// The programs of PostgreSQL must reach the same server as Bellwire does: of several hosts, the one that can be written.
func TestServiceFileHasAllHosts(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://me:secret@one,two:6432/base?target_session_attrs=read-write&sslmode=prefer": "[bellwire]\nhost=one,two\nport=5432,6432\n" +
			"user=me\ndbname=base\npassword=secret\nsslmode=prefer\ntarget_session_attrs=read-write\n",
		"postgres://me@one/base?sslmode=disable": "[bellwire]\nhost=one\nport=5432\nuser=me\ndbname=base\nsslmode=disable\n",
	} {
		folder, err := writeService(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
		if got, err := os.ReadFile(filepath.Join(folder, "service")); err != nil || string(got) != want {
			t.Errorf("%s gave %q, want %q: %v", url, got, want, err)
		}
	}
}
