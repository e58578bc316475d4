package postgres

import (
	"context"
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

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open, storetest.Hooks{Reopen: reopen})
}

func open(t *testing.T) bellwire.Store { return openAt(t, server.NewDatabase(t, template)) }

type testStore struct {
	*Store
	url string
}

func openAt(t *testing.T, url string) bellwire.Store {
	t.Helper()
	s, err := Open(t.Context(), url, Options{NoSync: true, Connections: 8})
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
	return openAt(t, old.(testStore).url)
}
