package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// A server is killed while it erases. What it was asked to erase is whole or erased after a restart, and what it has not finished
// goes on.
func TestErasureSurvivesKill(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	for name, start := range map[string]func(t *testing.T) func() *server{
		"SQLite": func(t *testing.T) func() *server {
			dir := t.TempDir()
			return func() *server { return startServer(t, dir, local...) }
		},
		"PostgreSQL": func(t *testing.T) func() *server {
			_, option := newDatabase(t)
			dir := t.TempDir()
			return func() *server { return startServer(t, dir, append([]string{option, "--node", "node"}, local...)...) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := start(t)
			t.Run("Event", func(t *testing.T) { killWhileErasing(t, again) })
			t.Run("Tenant", func(t *testing.T) { killWhileRemoving(t, again) })
		})
	}
}

const (
	canary        = "4711-0815"
	erasedEvents  = 40
	erasedTargets = 6 // endpoints of each event
)

// killWhileErasing erases the data of one event after the other, and kills the server in the middle of one.
func killWhileErasing(t *testing.T, start func() *server) {
	var answered atomic.Int64
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(body) // attempts keep it
		answered.Add(1)
	}))
	t.Cleanup(echo.Close)
	s := start()
	s.t = t
	s.call("POST", "/tenants", `{"id": "erasing"}`, nil)
	s.addType("card")
	for i := range erasedTargets {
		s.call("POST", "/tenants/erasing/endpoints", fmt.Sprintf(
			`{"id": "erasing-%d", "url": %q, "events": ["*"], "retry": {"schedule": ["1h", "1h"]}}`, i, echo.URL), nil)
	}
	events := make([]string, erasedEvents)
	for i := range events {
		var receipt struct{ ID string }
		s.call("POST", "/tenants/erasing/events", fmt.Sprintf(`{"type": "card", "data": {"number": %q}}`, canary), &receipt)
		events[i] = receipt.ID
	}
	eventually(t, "all attempts are recorded", func() bool {
		var page struct{ Data []json.RawMessage }
		s.call("GET", "/tenants/erasing/deliveries?limit=250&status=retrying", "", &page)
		return len(page.Data) == erasedEvents*erasedTargets
	})
	dying := s
	confirmed := 0
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i, event := range events {
			if i == erasedEvents/3 {
				close(enough)
			}
			status, _, err := dying.do("DELETE", "/tenants/erasing/events/"+event+"/data", nil)
			if err != nil || status != http.StatusNoContent {
				return
			}
			confirmed++
		}
	}()
	<-enough
	s.kill()
	<-ended
	if confirmed == erasedEvents {
		t.Fatal("all events were erased before the kill")
	}
	s = start()
	s.t = t
	erased := 0
	for i, event := range events {
		if s.erasedWhole(event) {
			erased++
		} else if i < confirmed {
			t.Errorf("event %d of %d is not erased, though the server said so", i, confirmed)
		}
	}
	if erased > confirmed+1 {
		t.Errorf("%d events are erased, want %d or one more", erased, confirmed)
	}
	for _, event := range events {
		s.call("DELETE", "/tenants/erasing/events/"+event+"/data", "", nil)
		if !s.erasedWhole(event) {
			t.Errorf("event %s is not erased", event)
		}
	}
	s.terminate()
}

// erasedWhole reports whether an event of the tenant erasing is erased. Its data, its deliveries and their attempts must agree.
func (s *server) erasedWhole(event string) bool {
	s.t.Helper()
	status, text, err := s.do("GET", "/tenants/erasing/events/"+event, nil)
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("event %s: %d %s, %v", event, status, text, err)
	}
	var shown struct{ Erased *struct{} }
	if err := json.Unmarshal(text, &shown); err != nil {
		s.t.Fatal(err)
	}
	erased := shown.Erased != nil
	if bytes.Contains(text, []byte(canary)) == erased {
		s.t.Errorf("event %s is erased: %v, and says %s", event, erased, text)
	}
	var page struct{ Data []struct{ ID, Status string } }
	s.call("GET", "/tenants/erasing/deliveries?event="+event, "", &page)
	if len(page.Data) != erasedTargets {
		s.t.Errorf("event %s has %d deliveries", event, len(page.Data))
	}
	for _, d := range page.Data {
		_, text, err := s.do("GET", "/tenants/erasing/deliveries/"+d.ID, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if (d.Status == "canceled") != erased || bytes.Contains(text, []byte(canary)) == erased {
			s.t.Errorf("event %s is erased: %v, and its delivery is %s: %s", event, erased, d.Status, text)
		}
	}
	return erased
}

// killWhileRemoving deletes a tenant, and kills the server again and again while it removes the rows.
func killWhileRemoving(t *testing.T, start func() *server) {
	const batches, each = 30, 100
	s := start()
	s.t = t
	s.addType("card")
	for _, tenant := range []string{"gone", "kept"} {
		s.call("POST", "/tenants", fmt.Sprintf(`{"id": %q, "limits": {"publish_rate": 0}}`, tenant), nil)
		s.call("POST", "/tenants/"+tenant+"/endpoints", fmt.Sprintf(`{"id": "of-%s", "url": "http://127.0.0.1:9/", "events": ["*"], "status": "paused"}`, tenant), nil)
	}
	batch := `{"events": [` + strings.Repeat(`{"type": "card", "data": 1},`, each-1) + `{"type": "card", "data": 1}]}`
	for range batches {
		s.call("POST", "/tenants/gone/events/batch", batch, nil)
	}
	s.call("POST", "/tenants/kept/events/batch", batch, nil)
	s.call("DELETE", "/tenants/gone", "", nil)
	s.kill()
	kills := 0
	for removing := true; removing; {
		s = start() // it begins to remove at once
		s.t = t
		_, text, err := s.do("GET", "/tenants/gone", nil)
		if err != nil {
			t.Fatal(err)
		}
		if removing = bytes.Contains(text, []byte("still being removed")); removing && kills < 3 {
			kills++
			s.kill()
			continue
		}
		eventually(t, "the tenant is gone", func() bool {
			_, text, err := s.do("GET", "/tenants/gone", nil)
			return err == nil && bytes.Contains(text, []byte("does not exist"))
		})
		removing = false
	}
	if kills == 0 {
		t.Error("the server was never killed while it removed the tenant")
	}
	var page struct{ Data []json.RawMessage }
	s.call("GET", "/tenants/kept/deliveries?limit=250&status=pending", "", &page)
	if len(page.Data) != each {
		t.Errorf("%d deliveries of the other tenant wait, want %d", len(page.Data), each)
	}
	eventually(t, "only the other tenant's deliveries are open", func() bool {
		_, text := s.get("/metrics")
		return strings.Contains(text, fmt.Sprintf("\nbellwire_backlog_deliveries %d\n", each))
	})
	s.terminate()
}
