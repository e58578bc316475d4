package doctor

import (
	"slices"
	"testing"
)

// A database URL can have several hosts, and directories of sockets, which are no names.
func TestHostsOfDatabases(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][]string{
		"postgres://me:secret@one,two:6432/base?sslmode=prefer": {"one", "two", "direct"},
		"postgres://me@127.0.0.1:5432,one/base?sslmode=disable": {"one", "direct"},
		"postgres:///base?host=/var/run/postgresql,one":         {"one", "direct"},
	} {
		s := &Subject{Database: Database{Postgres: url, Direct: "postgres://direct/base?sslmode=disable"}}
		if got := s.hosts(); !slices.Equal(got, want) {
			t.Errorf("the hosts of %s are %q, want %q", url, got, want)
		}
	}
}
