package api_test

import (
	"cmp"
	"os"
	"strings"
	"testing"
)

// unaudited are routes that change something and have no entry in the audit log, with the reason.
var unaudited = map[string]string{
	"POST /tenants/{tenant}/events":                          "events are the record of what was published",
	"POST /tenants/{tenant}/events/batch":                    "events are the record of what was published",
	"POST /console-sessions/exchange":                        "see TestExchangesAreAudited",
	"POST /portal-sessions/exchange":                         "see TestExchangesAreAudited",
	"DELETE /console-sessions/current":                       "see TestExchangesAreAudited",
	"POST /tenants/{tenant}/filters/try":                     "it changes nothing, and shows what may be read anyway",
	"POST /tenants/{tenant}/urls/check":                      "it changes nothing, and sends no request",
	"POST /tenants/{tenant}/endpoints/{id}/versions/preview": "it changes nothing, and shows what may be read anyway",
}

// call is a call of the contract.
type call struct {
	route  string
	path   string // "": that of the route, with variables for its parameters
	body   string
	status int
	action string // of its entry in the audit log
	save   string
}

func (c call) request() (method, path string) {
	method, path, _ = strings.Cut(c.route, " ")
	return method, cmp.Or(c.path, path)
}

// walk makes each call of the contract that is not a GET, and the one that discloses a secret.
var walk = []call{
	{route: "POST /tenants", body: `{"id":"t"}`, status: 201, action: "tenant.create", save: "tenant=id"},
	{route: "PUT /tenants/{tenant}", body: `{}`, status: 200, action: "tenant.update"},
	{route: "PUT /tenants/{tenant}", path: "/tenants/put", body: `{}`, status: 201, action: "tenant.create"},
	{route: "PATCH /tenants/{tenant}", body: `{"status":"paused"}`, status: 200, action: "tenant.update"},
	{route: "PATCH /tenants/{tenant}", body: `{"status":"active"}`, status: 200, action: "tenant.update"},
	{route: "POST /console-sessions", status: 201, action: "console-session.create"},
	{route: "POST /console-sessions/links", status: 201, action: "console-session.create", save: "id=id"},
	{route: "DELETE /console-sessions/{id}", status: 204, action: "console-session.delete"},
	{route: "POST /tenants/{tenant}/portal-sessions", status: 201, action: "portal-session.create", save: "id=id"},
	{route: "DELETE /tenants/{tenant}/portal-sessions/{id}", status: 204, action: "portal-session.delete"},
	{route: "POST /imports", body: `{"kind":"tenant","id":"imported"}`, status: 200, action: "import"},
	{route: "POST /keys", body: `{"role":"publisher"}`, status: 201, action: "key.create", save: "id=id"},
	{route: "DELETE /keys/{id}", status: 204, action: "key.delete"},
	{route: "POST /tenants/{tenant}/keys", body: `{"role":"tenant"}`, status: 201, action: "key.create", save: "id=id"},
	{route: "DELETE /tenants/{tenant}/keys/{id}", status: 204, action: "key.delete"},
	{route: "PUT /event-types/{name}", path: "/event-types/a.b", body: `{}`, status: 201, action: "event-type.put"},
	{route: "POST /event-types/{name}/versions", path: "/event-types/a.b/versions", body: `{"converter":"data"}`, status: 201, action: "event-type.put"},
	{route: "PUT /event-types/{name}/versions/{version}/converter", path: "/event-types/a.b/versions/1/converter", body: `{"converter":"{}"}`, status: 200, action: "event-type.put"},
	{route: "DELETE /event-types/{name}", path: "/event-types/a.b", status: 204, action: "event-type.delete"},
	{route: "POST /tenants/{tenant}/endpoints", body: newEndpointBody, status: 201, action: "endpoint.create", save: "id=id"},
	{route: "PUT /tenants/{tenant}/endpoints/{id}", body: newEndpointBody, status: 200, action: "endpoint.update"},
	{route: "PATCH /tenants/{tenant}/endpoints/{id}", body: `{"description":"d"}`, status: 200, action: "endpoint.update"},
	{route: "GET /tenants/{tenant}/endpoints/{id}/secret", status: 200, action: "endpoint.read-secret"},
	{route: "POST /tenants/{tenant}/endpoints/{id}/secret/rotate", status: 200, action: "endpoint.rotate-secret"},
	{route: "POST /tenants/{tenant}/endpoints/{id}/test", status: 202, action: "endpoint.test"},
	{route: "POST /tenants/{tenant}/endpoints/{id}/probe", status: 404, action: "endpoint.probe"}, // whose delivery this engine does not store
	{route: "POST /tenants/{tenant}/events", body: `{"type":"invoice.paid","data":{}}`, status: 202},
	{route: "POST /tenants/{tenant}/events/batch", body: `{"events":[{"type":"invoice.paid","data":{}}]}`, status: 202},
	{route: "POST /tenants/{tenant}/filters/try", body: `{"filter":"true"}`, status: 200},
	{route: "POST /tenants/{tenant}/urls/check", body: `{"url":"https://nowhere.example.com"}`, status: 200},
	{route: "POST /tenants/{tenant}/deliveries/{id}/retry", path: "/tenants/t/deliveries/{delivery}/retry", status: 202, action: "delivery.retry"},
	{route: "POST /tenants/{tenant}/deliveries/{id}/cancel", path: "/tenants/t/deliveries/{delivery}/cancel", status: 202, action: "delivery.cancel"},
	{route: "POST /tenants/{tenant}/replays", body: `{"endpoint":"{id}","since":"2020-01-01T00:00:00Z"}`, status: 202, action: "job.create"},
	{route: "POST /tenants/{tenant}/deliveries/retry", body: `{}`, status: 202, action: "job.create"},
	{route: "POST /tenants/{tenant}/deliveries/cancel", body: `{}`, status: 202, action: "job.create", save: "job=id"},
	{route: "PATCH /tenants/{tenant}/jobs/{id}", path: "/tenants/t/jobs/{job}", body: `{"rate":1}`, status: 200, action: "job.update"},
	{route: "POST /tenants/{tenant}/jobs/{id}/pause", path: "/tenants/t/jobs/{job}/pause", status: 200, action: "job.update"},
	{route: "POST /tenants/{tenant}/jobs/{id}/resume", path: "/tenants/t/jobs/{job}/resume", status: 200, action: "job.update"},
	{route: "POST /tenants/{tenant}/jobs/{id}/cancel", path: "/tenants/t/jobs/{job}/cancel", status: 200, action: "job.update"},
	{route: "POST /replays", body: `{"since":"2020-01-01T00:00:00Z"}`, status: 202, action: "job.create"},
	{route: "POST /deliveries/retry", body: `{"since":"2020-01-01T00:00:00Z"}`, status: 202, action: "job.create", save: "bulk=id"},
	{route: "PATCH /bulk-jobs/{id}", path: "/bulk-jobs/{bulk}", body: `{"rate":1}`, status: 200, action: "job.update"},
	{route: "POST /bulk-jobs/{id}/pause", path: "/bulk-jobs/{bulk}/pause", status: 200, action: "job.update"},
	{route: "POST /bulk-jobs/{id}/resume", path: "/bulk-jobs/{bulk}/resume", status: 200, action: "job.update"},
	{route: "POST /bulk-jobs/{id}/cancel", path: "/bulk-jobs/{bulk}/cancel", status: 200, action: "job.update"},
	{route: "POST /alerts/test", status: 200, action: "alerts.test"},
	{route: "DELETE /tenants/{tenant}/events/{id}/data", path: "/tenants/t/events/{event}/data", status: 204, action: "event.erase"},
	{route: "DELETE /tenants/{tenant}/endpoints/{id}", status: 204, action: "endpoint.delete"},
	{route: "DELETE /tenants/{tenant}", status: 204, action: "tenant.delete"},
}

// TestEveryCallIsAudited: each call has an entry of its own in the audit log.
func TestEveryCallIsAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	audited := map[string]bool{}
	for _, s := range walk {
		audited[s.route] = true
		if s.action != "" && !strings.Contains(string(page), "`"+s.action+"`") {
			t.Errorf("docs/security.md does not have the action %s", s.action)
		}
		method, path := s.request()
		w.step(t, step{name: s.action, method: method, path: path, body: s.body, status: s.status, save: s.save, header: []string{"X-Request-Id: r1"}, problem: problemOf(s.status)})
		if s.action == "" {
			w.published(t)
			continue
		}
		w.step(t, step{name: "the entry of " + s.route, method: "GET", path: "/audit?limit=1", status: 200,
			want: w.fill(`{"data":[{"action":"` + s.action + `","method":"` + method + `","path":"/api/v1` + path + `","refused":null,"subject":"*",
				"by":{"kind":"configured","role":"admin","address":"192.0.2.1"}}]}`)})
	}
	for route := range contract {
		if changes := !strings.HasPrefix(route, "GET "); changes && !audited[route] && unaudited[route] == "" {
			t.Errorf("%s is neither audited nor excepted", route)
		}
	}
}

// TestRefusedCallsAreAudited: what a key may not do is on record, and what is only wrong is not.
func TestRefusedCallsAreAudited(t *testing.T) {
	run(t, []step{
		{method: "POST", path: "/tenants", key: "tenant", body: `{"id":"mine"}`, status: 403, problem: "forbidden"},
		{name: "its own tenant", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200,
			want: `{"data":[{"refused":"forbidden","action":"","tenant":"acme","method":"POST","path":"/api/v1/tenants","by":{"kind":"key","role":"tenant"},"key":"*"}]}`},
		{method: "GET", path: "/tenants/acme/endpoints", key: "other", status: 404, problem: "not_found"},
		{name: "by a key of another tenant", method: "GET", path: "/audit?tenant=other&limit=1", status: 200,
			want: `{"data":[{"refused":"not_found","tenant":"other","path":"/api/v1/tenants/acme/endpoints"}]}`},
		{method: "POST", path: "/tenants/acme/events", key: "tenant", body: `{"type":"invoice.paid","data":1}`, status: 403, problem: "forbidden"},
		{name: "publishing", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200,
			want: `{"data":[{"refused":"forbidden","path":"/api/v1/tenants/acme/events"}]}`},
		{method: "POST", path: "/tenants", body: `{}`, status: 422, problem: "invalid id"},
		{method: "DELETE", path: "/tenants/nobody", status: 404, problem: "not_found"},
		{name: "mistakes are not", method: "GET", path: "/audit?limit=1", status: 200, want: `{"data":[{"path":"/api/v1/tenants/acme/events"}]}`},
	})
}

// problemOf returns the code of the errors with a status.
func problemOf(status int) string {
	if status == 404 {
		return "not_found"
	}
	return ""
}

// published saves the newest delivery and event.
func (w *world) published(t *testing.T) {
	t.Helper()
	w.vars["delivery"], w.vars["event"] = w.newest(t, "/tenants/t/deliveries"), w.newest(t, "/tenants/t/events")
}

// newest returns the id of the first item of a list.
func (w *world) newest(t *testing.T, path string) string {
	t.Helper()
	w.step(t, step{name: "list", method: "GET", path: path, status: 200, save: "newest=data.0.id"})
	return w.vars["newest"]
}
