package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// attempted reports an attempt of a tenant, as the engine does, and returns its id.
func (w *world) attempted(tenant string) string {
	a := &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](time.Now()), Outcome: bellwire.OutcomeOK, StartedAt: time.Now()}
	w.observer.Attempted(a, &bellwire.Endpoint{ID: "ep_1", Tenant: tenant, Dialect: "standard"}, &bellwire.Delivery{EventType: "invoice.paid"})
	return a.ID.String()
}

// events reads the lines of a live stream until its end, or until the test ends.
func events(t *testing.T, server, path, key, last string) (answer *http.Response, lines *bufio.Scanner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", server+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err = http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer, bufio.NewScanner(answer.Body)
}

// until reads lines until one has the prefix, and returns it.
func until(t *testing.T, lines *bufio.Scanner, prefix string) string {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return lines.Text()
		}
	}
	t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
	return ""
}

func TestLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	token, session := w.portal(t, `{"capabilities":["view"]}`)
	answer, lines := events(t, server.URL, "/tenants/acme/live?outcome=ok", token, "")
	for name, value := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store"} {
		if answer.StatusCode != 200 || answer.Header.Get(name) != value {
			t.Errorf("%d %v", answer.StatusCode, answer.Header)
		}
	}
	until(t, lines, "retry: 2000")
	_, all := events(t, server.URL, "/live", adminKey, "")
	until(t, all, "retry: ")
	w.attempted("other")
	id := w.attempted("acme")
	if line := until(t, lines, "id: "); line != "id: "+id {
		t.Errorf("%s, want %s", line, id)
	}
	if line := until(t, lines, "data: "); !strings.Contains(line, `"tenant":"acme"`) || !strings.Contains(line, `"event_type":"invoice.paid"`) {
		t.Error(line)
	}
	if line := until(t, all, "id: "); line == "id: "+id {
		t.Error("the operator does not see the other tenant")
	}
	if line := until(t, all, "id: "); line != "id: "+id {
		t.Error(line)
	}
	until(t, all, "event: counters")
	if line := until(t, all, "data: "); !strings.Contains(line, `"published":0`) {
		t.Error(line)
	}

	next := w.attempted("acme")
	_, back := events(t, server.URL, "/tenants/acme/live", w.keys["tenant-read"], id)
	if line := until(t, back, "id: "); line != "id: "+next {
		t.Errorf("after coming back: %s, want %s", line, next)
	}
	_, lost := events(t, server.URL, "/tenants/acme/live", w.keys["tenant-read"], "att_unknown")
	until(t, lost, "event: gap")

	if answer := w.call("DELETE", "/tenants/acme/portal-sessions/"+session, adminKey, ""); answer.Code != 204 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	until(t, lines, "event: end")
	if line := until(t, lines, "data: "); !strings.Contains(line, `"code":"unauthenticated"`) {
		t.Error(line)
	}
	for lines.Scan() {
		if lines.Text() != "" {
			t.Errorf("after the end: %q", lines.Text())
		}
	}
	for _, s := range []step{
		{name: "a stranger", method: "GET", path: "/tenants/acme/live", key: "other", status: 404, problem: "not_found"},
		{name: "all tenants for a tenant", method: "GET", path: "/live", key: "tenant", status: 403, problem: "forbidden"},
		{name: "nobody", method: "GET", path: "/live", key: "none", status: 401, problem: "unauthenticated"},
		{name: "no such tenant", method: "GET", path: "/tenants/nobody/live", status: 404, problem: "not_found"},
		{name: "an unknown outcome", method: "GET", path: "/live?outcome=bad", status: 422, problem: "invalid outcome"},
		{name: "an unknown status", method: "GET", path: "/live?status=x", status: 422, problem: "invalid status"},
		{name: "an unknown parameter", method: "GET", path: "/live?kind=x", status: 422, problem: "invalid kind"},
	} {
		w.step(t, s)
	}
}
