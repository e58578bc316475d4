package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/sqlitetest"
)

// While the database cannot be opened yet, the server says that it is alive. It is ready as soon as it has started.
func TestServerIsAliveWhileItStarts(t *testing.T) {
	t.Parallel()
	s := demoSettings(t.TempDir(), "error")
	sqlitetest.Create(t, s.DatabaseURL.path)
	locked := lockDatabase(t, s.DatabaseURL.path)
	log := slog.New(slog.DiscardHandler)
	srv, err := bindServer(s, given{}, log)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() { opened <- srv.open(t.Context(), given{}) }()
	if status, body := fetch(t, srv.url()+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d: %s", status, body)
	}
	if err := sqlitex.ExecuteTransient(locked, "ROLLBACK", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Fatal(errors.Join(err, srv.abandon(t.Context())))
	}
	if err := srv.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, srv.url()+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz answers %d: %s", status, body)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := srv.run(stopped); err != nil {
		t.Error(err)
	}
}

// lockDatabase keeps others from writing a database.
func lockDatabase(t *testing.T, path string) *sqlite.Conn {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	return conn
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Requests wait for a short start. During a long one, probes say what it is doing, and callers are told to come back.
func TestEntrance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		srv := &server{log: log, entrance: newEntrance(log)}
		ask := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			srv.entrance.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			return w
		}
		start := time.Now()
		if w := ask("GET", "/healthz"); w.Code != http.StatusOK || time.Since(start) > 0 {
			t.Errorf("/healthz answers %d after %s", w.Code, time.Since(start))
		}
		for _, doing := range []string{openingDatabase, changingSchema} {
			w := ask("GET", "/readyz")
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "the server is starting: "+doing) {
				t.Errorf("/readyz answers %d: %s, want that %s", w.Code, w.Body, doing)
			}
			srv.migrating(1, 2)
		}
		for _, path := range []string{"/api/v1/tenants/acme/events", "/", "/metrics", "/v1/webhooks"} {
			w := ask("POST", path)
			var problem struct{ Code, Detail string }
			if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Code != "unavailable" || problem.Detail == "" {
				t.Errorf("%s is refused as %s: %v", path, w.Body, err)
			}
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s answers %d with %v", path, w.Code, w.Header())
			}
		}
		waits := make(chan int)
		go func() { waits <- ask("GET", "/readyz").Code }()
		synctest.Wait()
		srv.entrance.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		if got := [2]int{<-waits, ask("GET", "/healthz").Code}; got != [2]int{http.StatusTeapot, http.StatusTeapot} {
			t.Errorf("an open entrance answers %v", got)
		}
	})
}

// An address that is in use is reported before there is a database.
func TestAddressIsBoundFirst(t *testing.T) {
	t.Parallel()
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	dir := t.TempDir()
	s := demoSettings(dir, "error")
	s.Listen = taken.Listener.Addr().String()
	_, err := openServer(t.Context(), s, given{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "--listen: ") {
		t.Errorf("the start ended with %v", err)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("the start has made %v (%v)", made, err)
	}
}
