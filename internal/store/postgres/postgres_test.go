package postgres

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

var server *pgtest.Server

// template is a database with the schema, so that not every test has to make it.
const template = "bellwire_template"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if server, err = pgtest.Start(); err == nil {
		defer server.Stop()
		err = makeTemplate()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flag.Parse()
	if err := lessChecks(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func makeTemplate() error {
	ctx := context.Background()
	if err := server.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := Open(ctx, server.URL(template), Options{NoSync: true})
	if err != nil {
		return err
	}
	return s.Close()
}

// lessChecks makes fewer random checks than SQLite's tests, unless the command line says how many: each takes a
// hundred round trips or so.
func lessChecks() error {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return nil
	}
	return flag.Set("rapid.checks", "10")
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"Pooled": {NoSync: true, Connections: 8},
		"Direct": {NoSync: true, Connections: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) bellwire.Store {
				return openAt(t, server.NewDatabase(t, template), o)
			}, storetest.Hooks{Reopen: reopen})
		})
	}
}

// testStore is a store that can be opened again.
type testStore struct {
	*Store
	url string
}

func openAt(t *testing.T, url string, o Options) testStore {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return testStore{s, url}
}

func reopen(t *testing.T, old bellwire.Store) bellwire.Store {
	t.Helper()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s := old.(testStore)
	return openAt(t, s.url, s.options)
}
