// Package sqlitetest makes SQLite databases for tests. Making one takes longer than most tests, and copying it does not.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// Create makes a database without data at path.
func Create(t testing.TB, path string) {
	t.Helper()
	content, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// empty returns the file of an empty database.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sqlitetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{NoSync: true, Now: epoch})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// epoch is a clock that is behind those of all tests.
func epoch() time.Time { return time.Unix(0, 0) }
