package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestCursors follows each list with its own cursor. The cursors of other lists, tenants and filters are refused, and so
// are those of the store, which would reveal what other tenants have.
func TestCursors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	do := func(method, path, body string) map[string]any {
		t.Helper()
		answer := w.call(method, path, adminKey, body)
		if answer.Code >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
		}
		var got map[string]any
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	do("PUT", "/event-types/other", `{}`)
	do("PUT", "/event-types/third", `{}`)
	for _, tenant := range []string{"acme", "other"} {
		of := "/tenants/" + tenant
		for n := range 3 {
			do("POST", of+"/endpoints", `{"url":"https://example.com","events":["*"]}`)
			do("POST", of+"/keys", `{"role":"tenant"}`)
			do("POST", of+"/events", `{"type":"invoice.paid","data":{}}`)
			do("POST", "/keys", `{"role":"publisher"}`)
			if err := w.store.AppendAudit(t.Context(), &bellwire.AuditEntry{Tenant: tenant, Path: strconv.Itoa(n)}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	do("POST", "/tenants", `{"id":"third"}`)
	cursors := map[string]string{}
	for _, list := range []string{
		"/tenants?", "/keys?", "/event-types?", "/audit?", "/audit?tenant=acme",
		"/tenants/acme/keys?", "/tenants/other/keys?", "/tenants/acme/endpoints?", "/tenants/other/endpoints?",
		"/tenants/acme/events?", "/tenants/other/events?", "/tenants/acme/events?type=invoice.paid", "/tenants/acme/events?since=2020-01-01T00:00:00Z",
		"/tenants/acme/deliveries?", "/tenants/acme/deliveries?status=pending", "/deliveries?", "/deliveries?tenant=acme",
	} {
		t.Run(list, func(t *testing.T) {
			cursor, _ := do("GET", list+"&limit=1", "")["next_cursor"].(string)
			if cursor == "" {
				t.Errorf("%s has no second page", list)
			}
			cursors[list] = cursor
		})
	}
	cursors["the store's"] = string(bellwire.MakeCursor([]byte{0, 0, 0, 0, 0, 0, 0, 2}))
	cursors["of an event"] = string(bellwire.EventCursor(bellwire.EventID{0xff}))
	cursors["broken"] = "?"
	for list := range cursors {
		for of, cursor := range cursors {
			path := fmt.Sprintf("%s&limit=2&cursor=%s", list, url.QueryEscape(cursor))
			if list[0] != '/' {
				continue
			}
			want := http.StatusUnprocessableEntity
			if of == list {
				want = http.StatusOK
			}
			if answer := w.call("GET", path, adminKey, ""); answer.Code != want {
				t.Errorf("%s with the cursor of %s: %d %s, want %d", list, of, answer.Code, answer.Body, want)
			}
		}
	}
}
