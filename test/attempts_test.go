package test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/testenv"
)

// A policy of a hundred retries must wait a second between attempts unless the operator allows less. If so, an event with
// large failing answers and many long headers still takes little space in the database, and the API says what was dropped.
func TestManyAttemptsTakeLittle(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), "--allow-network", "127.0.0.0/8")
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	status, answer, err := s.do("POST", "/tenants/acme/endpoints", []byte(`{"url": "https://example.com", "events": ["*"], "retry": {"interval": "1ms", "count": 100}}`))
	if err != nil || status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), "must be at least 1s") {
		t.Errorf("retries a millisecond apart: %d %s, %v", status, answer, err)
	}
	s.terminate()

	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		manyAttempts(t, startServer(t, dir, local...), func() (size int64) {
			conn, err := sqlite.OpenConn(filepath.Join(dir, "bellwire.db"), sqlite.OpenReadWrite, sqlite.OpenWAL)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			err = sqlitex.ExecuteTransient(conn, "SELECT sum(length(details) + ifnull(length(response_body), 0)) FROM attempts", &sqlitex.ExecOptions{
				ResultFunc: func(row *sqlite.Stmt) error {
					size = row.ColumnInt64(0)
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			return size
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		database, option := newDatabase(t)
		manyAttempts(t, startServer(t, t.TempDir(), append(local, option)...), func() (size int64) {
			err := database.pool.QueryRow(t.Context(), "SELECT sum(pg_column_size(a.*)) FROM bellwire.attempts a").Scan(&size)
			if err != nil {
				t.Fatal(err)
			}
			return size
		})
	})
}

func manyAttempts(t *testing.T, s *server, size func() int64) {
	large := make([]byte, 8<<10) // that PostgreSQL cannot compress
	_, _ = rand.NewChaCha8([32]byte{}).Read(large)
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(large)
	}))
	defer failing.Close()
	headers := map[string]string{}
	for n := range 50 {
		headers[fmt.Sprintf("x-%02d-%s", n, strings.Repeat("long", 15))] = "value"
	}
	wanted, err := json.Marshal(map[string]any{
		"url": failing.URL, "events": []string{"*"}, "headers": headers, "retry": map[string]any{"interval": "1ms", "count": 100},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.addType("card.created")
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/acme/endpoints", string(wanted), nil)
	s.call("POST", "/tenants/acme/events", `{"type": "card.created", "data": {}}`, nil)
	var found struct{ Data []struct{ ID string } }
	eventually(t, "the retries are spent", func() bool {
		s.call("GET", "/tenants/acme/deliveries?status=exhausted", "", &found)
		return len(found.Data) == 1
	})
	var delivery struct {
		Attempts []struct {
			Number   int
			Outcome  string
			Dropped  bool `json:"details_dropped"`
			Request  *struct{ URL string }
			Response *struct {
				Status int
				Body   string
			}
		}
	}
	s.call("GET", "/tenants/acme/deliveries/"+found.Data[0].ID, "", &delivery)
	if len(delivery.Attempts) != 101 {
		t.Fatalf("%d attempts are shown", len(delivery.Attempts))
	}
	for i, a := range delivery.Attempts {
		whole := i < 5 || i >= 96
		if a.Number != i+1 || a.Outcome != "status" || a.Response == nil || a.Response.Status != 500 ||
			a.Dropped == whole || (a.Request != nil) != whole || (a.Response.Body != "") != whole {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
	s.terminate()
	if got := size(); got < 10_000 || got > 200_000 {
		t.Errorf("the attempts take %d bytes", got)
	}
}
