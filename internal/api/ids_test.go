package api_test

import (
	"strings"
	"testing"
)

// TestFindID looks for one of each kind, as operators, as the tenant that has them and as another.
func TestFindID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range []step{
		{name: "endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com/hooks","events":["*"]}`, status: 201, save: "endpoint=id"},
		{name: "event", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{}}`, status: 202, save: "event=id"},
		{name: "delivery", method: "GET", path: "/tenants/acme/deliveries", status: 200, save: "delivery=data.0.id"},
		{name: "job", method: "POST", path: "/tenants/acme/deliveries/retry", body: `{"endpoint":"{endpoint}"}`, status: 202, save: "job=id"},
		{name: "key", method: "POST", path: "/tenants/acme/keys", body: `{"role":"tenant"}`, status: 201, save: "key=id"},
		{name: "key of operators", method: "POST", path: "/keys", body: `{"role":"publisher"}`, status: 201, save: "operator=id"},
		{name: "no id", method: "GET", path: "/ids/evt_00000000000000000000000000000000", status: 404, problem: "not_found"},
		{name: "no text of an id", method: "GET", path: "/ids/%00'%22", status: 404, problem: "not_found"},
		{name: "a long text", method: "GET", path: "/ids/" + strings.Repeat("x", 500), status: 404, problem: "not_found"},
		{name: "by a publisher", method: "GET", path: "/ids/{event}", key: "publisher", status: 403, problem: "forbidden"},
		{name: "by nobody", method: "GET", path: "/ids/{event}", key: "none", status: 401, problem: "unauthenticated"},
	} {
		w.step(t, s)
	}
	digits := strings.TrimPrefix(w.vars["event"], "evt_")
	w.vars["digits"] = digits
	w.vars["uuid"] = digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
	const of = "/api/v1/tenants/acme"
	for id, want := range map[string]string{
		"{event}":    `{"kind":"event","tenant":"acme","id":"{event}","path":"` + of + `/events/{event}","deleted":false}`,
		"{digits}":   `{"kind":"event","tenant":"acme","id":"{event}"}`,
		"{uuid}":     `{"kind":"event","tenant":"acme","id":"{event}"}`,
		"{delivery}": `{"kind":"delivery","tenant":"acme","id":"{delivery}","path":"` + of + `/deliveries/{delivery}"}`,
		"{endpoint}": `{"kind":"endpoint","tenant":"acme","id":"{endpoint}","path":"` + of + `/endpoints/{endpoint}"}`,
		"{job}":      `{"kind":"job","tenant":"acme","id":"{job}","path":"` + of + `/jobs/{job}"}`,
		"acme":       `{"kind":"tenant","tenant":"acme","id":"acme","path":"` + of + `"}`,
	} {
		for _, key := range []string{"admin", "tenant", "tenant-read"} {
			w.step(t, step{name: id + " by " + key, method: "GET", path: "/ids/" + id, key: key, status: 200, want: `{"data":[` + want + `]}`})
		}
		w.step(t, step{name: id + " by another tenant", method: "GET", path: "/ids/" + id, key: "other", status: 404, problem: "not_found",
			want: `{"detail":"id \"` + id + `\" does not exist"}`})
	}
	for _, s := range []step{
		{name: "a key", method: "GET", path: "/ids/{key}", status: 200, want: `{"data":[{"kind":"key","tenant":"acme","id":"{key}","path":"` + of + `/keys/{key}"}]}`},
		{name: "a key by its tenant", method: "GET", path: "/ids/{key}", key: "tenant", status: 404, problem: "not_found"},
		{name: "a key of operators", method: "GET", path: "/ids/{operator}", status: 200, want: `{"data":[{"kind":"key","tenant":null,"id":"{operator}","path":"/api/v1/keys/{operator}"}]}`},
		{name: "a tenant of the same id", method: "POST", path: "/tenants", body: `{"id":"{endpoint}"}`, status: 201},
		{name: "both", method: "GET", path: "/ids/{endpoint}", status: 200, want: `{"data":[{"kind":"endpoint","tenant":"acme"},{"kind":"tenant","tenant":"{endpoint}"}]}`},
		{name: "its own", method: "GET", path: "/ids/{endpoint}", key: "tenant", status: 200, want: `{"data":[{"kind":"endpoint","tenant":"acme"}]}`},
		{name: "delete", method: "DELETE", path: "/tenants/acme/endpoints/{endpoint}", status: 204},
		{name: "a deleted endpoint", method: "GET", path: "/ids/{endpoint}", key: "tenant", status: 200, want: `{"data":[{"kind":"endpoint","deleted":true}]}`},
	} {
		w.step(t, s)
	}
}
