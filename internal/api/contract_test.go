package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/api"
)

// contract lists the routes of the public contract with the status of their success, and those by which an
// operator's key can be found and taken back.
var contract = map[string]string{
	"GET /live": "200", "GET /tenants/{tenant}/live": "200",
	"POST /tenants": "201", "GET /tenants": "200",
	"GET /tenants/{tenant}": "200", "PUT /tenants/{tenant}": "200", "PATCH /tenants/{tenant}": "200", "DELETE /tenants/{tenant}": "204",
	"POST /tenants/{tenant}/keys": "201", "GET /tenants/{tenant}/keys": "200", "DELETE /tenants/{tenant}/keys/{id}": "204",
	"POST /keys": "201", "GET /keys": "200", "DELETE /keys/{id}": "204",
	"PUT /event-types/{name}":                              "200",
	"POST /event-types/{name}/versions":                    "201",
	"GET /event-types/{name}/versions":                     "200",
	"PUT /event-types/{name}/versions/{version}/converter": "200",
	"GET /tenants/{tenant}/endpoints/{id}/versions":        "200", "POST /tenants/{tenant}/endpoints/{id}/versions/preview": "200", "GET /event-types": "200", "GET /event-types/{name}": "200", "GET /ids/{id}": "200", "GET /subscriptions": "200", "DELETE /event-types/{name}": "204",
	"POST /tenants/{tenant}/endpoints": "201", "GET /tenants/{tenant}/endpoints": "200",
	"GET /tenants/{tenant}/endpoints/{id}": "200", "PUT /tenants/{tenant}/endpoints/{id}": "200", "PATCH /tenants/{tenant}/endpoints/{id}": "200", "DELETE /tenants/{tenant}/endpoints/{id}": "204",
	"GET /tenants/{tenant}/endpoints/{id}/history": "200",
	"GET /tenants/{tenant}/endpoints/{id}/secret":  "200", "POST /tenants/{tenant}/endpoints/{id}/secret/rotate": "200",
	"POST /tenants/{tenant}/endpoints/{id}/test": "202", "POST /tenants/{tenant}/endpoints/{id}/probe": "200",
	"GET /tenants/{tenant}/endpoints/{id}/missed": "200",
	"POST /tenants/{tenant}/events":               "202", "POST /tenants/{tenant}/events/batch": "202", "POST /tenants/{tenant}/filters/try": "200", "POST /tenants/{tenant}/urls/check": "200",
	"GET /tenants/{tenant}/events": "200", "GET /tenants/{tenant}/events/{id}": "200",
	"GET /tenants/{tenant}/events/{id}/endpoints": "200", "DELETE /tenants/{tenant}/events/{id}/data": "204",
	"GET /tenants/{tenant}/deliveries": "200", "GET /tenants/{tenant}/deliveries/{id}": "200", "GET /tenants/{tenant}/deliveries/{id}/body": "200",
	"POST /tenants/{tenant}/deliveries/{id}/retry": "202", "POST /tenants/{tenant}/deliveries/{id}/cancel": "202",
	"POST /console-sessions": "201", "POST /console-sessions/exchange": "201", "POST /console-sessions/links": "201", "GET /console-sessions": "200",
	"GET /console-sessions/current": "200", "DELETE /console-sessions/current": "204", "DELETE /console-sessions/{id}": "204",
	"POST /tenants/{tenant}/portal-sessions": "201", "GET /tenants/{tenant}/portal-sessions": "200", "DELETE /tenants/{tenant}/portal-sessions/{id}": "204",
	"POST /portal-sessions/exchange": "200",
	"POST /imports":                  "200", "GET /exports": "200", "GET /nodes": "200", "GET /settings": "200", "GET /doctor": "200",
	"GET /audit": "200", "GET /endpoints": "200", "GET /events": "200", "GET /deliveries": "200",
	"POST /tenants/{tenant}/replays": "200", "POST /tenants/{tenant}/deliveries/retry": "200", "POST /tenants/{tenant}/deliveries/cancel": "200",
	"GET /backlog": "200", "GET /statistics": "200", "GET /tenants/{tenant}/statistics": "200",
	"GET /jobs": "200", "GET /tenants/{tenant}/jobs": "200", "GET /tenants/{tenant}/jobs/{id}": "200", "PATCH /tenants/{tenant}/jobs/{id}": "200",
	"POST /deliveries/retry": "200", "POST /replays": "200", "GET /dialects": "200", "GET /bulk-jobs": "200", "GET /bulk-jobs/{id}": "200", "PATCH /bulk-jobs/{id}": "200",
	"POST /bulk-jobs/{id}/pause": "200", "POST /bulk-jobs/{id}/resume": "200", "POST /bulk-jobs/{id}/cancel": "200", "POST /alerts/test": "200",
	"POST /tenants/{tenant}/jobs/{id}/pause": "200", "POST /tenants/{tenant}/jobs/{id}/resume": "200", "POST /tenants/{tenant}/jobs/{id}/cancel": "200",
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer
}

type object = map[string]any

// TestOpenAPI checks the document's structure (OpenAPI 3.1.0, 4.8), and that it describes exactly the routes of the
// contract.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	answer := get(api.New(nil, api.Options{Version: "1.2.3", PublicURL: "https://hooks.example.com"}), "/openapi.json")
	if answer.Code != 200 || answer.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	var doc object
	if err := json.Unmarshal(answer.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if version, _ := doc["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("openapi: %v", doc["openapi"])
	}
	if info := doc["info"].(object); info["title"] == "" || info["version"] != "1.2.3" {
		t.Errorf("info: %v", info)
	}
	if server := doc["servers"].([]any)[0].(object); server["url"] != "https://hooks.example.com" {
		t.Errorf("servers: %v", server)
	}
	routes, ids := map[string]string{}, map[string]bool{}
	for path, item := range doc["paths"].(object) {
		for method, operation := range item.(object) {
			op := operation.(object)
			route := strings.ToUpper(method) + " " + strings.TrimPrefix(path, "/api/v1")
			routes[route] = success(op)
			id, _ := op["operationId"].(string)
			if id == "" || ids[id] || op["summary"] == nil || len(op["tags"].([]any)) != 1 {
				t.Errorf("%s has no id of its own, no summary or no tag", route)
			}
			ids[id] = true
			checkOperation(t, route, path, op)
		}
	}
	if diff := cmp.Diff(contract, routes); diff != "" {
		t.Error(diff)
	}
	checkReferences(t, doc, doc, "#")
	if doc["components"].(object)["securitySchemes"].(object)["key"].(object)["scheme"] != "bearer" {
		t.Error("the key's scheme is not told")
	}
}

func success(op object) string {
	for _, status := range slices.Sorted(maps.Keys(op["responses"].(object))) {
		if status < "300" {
			return status
		}
	}
	return ""
}

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

func checkOperation(t *testing.T, route, path string, op object) {
	t.Helper()
	var inPath []string
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		parameter := p.(object)
		if parameter["schema"] == nil || parameter["description"] == nil {
			t.Errorf("%s: the parameter %v is not explained", route, parameter["name"])
		}
		if parameter["in"] == "path" {
			inPath = append(inPath, parameter["name"].(string))
			if parameter["required"] != true {
				t.Errorf("%s: the path parameter %v is not required", route, parameter["name"])
			}
		}
	}
	var want []string
	for _, match := range pathParameter.FindAllStringSubmatch(path, -1) {
		want = append(want, match[1])
	}
	slices.Sort(inPath)
	slices.Sort(want)
	if diff := cmp.Diff(want, inPath); diff != "" {
		t.Errorf("%s: %s", route, diff)
	}
	wantsBody := !strings.HasPrefix(route, "GET") && !strings.HasPrefix(route, "DELETE") &&
		!strings.HasSuffix(route, "{id}/cancel") && !strings.HasSuffix(route, "/pause") && !strings.HasSuffix(route, "/resume") &&
		route != "POST /console-sessions" && route != "POST /console-sessions/links" && route != "POST /alerts/test"
	if (op["requestBody"] != nil) != wantsBody {
		t.Errorf("%s: body %v", route, op["requestBody"])
	}
	if open := strings.HasSuffix(route, "-sessions/exchange"); !open && fmt.Sprint(op["security"]) != "[map[key:[]]]" || open && op["security"] != nil {
		t.Errorf("%s: security %v", route, op["security"])
	}
	responses := op["responses"].(object)
	for _, status := range []string{"401", "403", "429", "500", "503"} {
		if responses[status] == nil {
			t.Errorf("%s: no %s", route, status)
		}
	}
	for status, r := range responses {
		response := r.(object)
		if response["description"] == nil {
			t.Errorf("%s: %s has no description", route, status)
		}
		if content, _ := response["content"].(object); status >= "400" && content["application/problem+json"] == nil {
			t.Errorf("%s: %s is not a problem", route, status)
		}
	}
}

// checkReferences makes sure that every $ref leads somewhere.
func checkReferences(t *testing.T, doc object, v any, at string) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			checkReferences(t, doc, item, fmt.Sprintf("%s/%d", at, i))
		}
	case object:
		if ref, ok := v["$ref"].(string); ok {
			var target any = doc
			for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				target = target.(object)[name]
			}
			if target == nil {
				t.Errorf("%s: %s leads nowhere", at, ref)
			}
		}
		for name, member := range v {
			checkReferences(t, doc, member, at+"/"+name)
		}
	}
}

// TestSchemasTellWhatAnswersHold compares a real answer with its schema, field by field.
func TestSchemasTellWhatAnswersHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc object
	if err := json.Unmarshal(get(w.handler, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	schemas := doc["components"].(object)["schemas"].(object)
	w.call("POST", "/tenants/acme/events", adminKey, `{"type":"invoice.paid","data":{}}`)
	for schema, answer := range map[string]*httptest.ResponseRecorder{
		"Tenant":          w.call("GET", "/tenants/acme", adminKey, ""),
		"EventType":       w.call("GET", "/event-types/invoice.paid", adminKey, ""),
		"CreatedKey":      w.call("POST", "/keys", adminKey, `{"role":"publisher"}`),
		"CreatedEndpoint": w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://example.com","events":["*"],"signing":"both"}`),
		"Receipt":         w.call("POST", "/tenants/acme/events", adminKey, `{"type":"invoice.paid","data":{}}`),
		"EventList":       w.call("GET", "/tenants/acme/events?limit=1", adminKey, ""), // with another page after it
		"Problem":         w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://a.example/","events":["*"],"retry":{}}`),
	} {
		t.Run(schema, func(t *testing.T) {
			var got object
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			described, ok := schemas[schema].(object)
			if !ok {
				t.Errorf("there is no schema %s among %v", schema, slices.Sorted(maps.Keys(schemas)))
				return
			}
			want := slices.Sorted(maps.Keys(described["properties"].(object)))
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s: %s", schema, diff)
			}
		})
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/api/v1/nothing", 404, "not_found", ""},
		{"GET", "/api/v2/tenants", 404, "not_found", ""},
		{"GET", "/", 404, "not_found", ""},
		{"GET", "/schemas/Tenant.json", 404, "not_found", ""},
		{"GET", "/openapi.yaml", 404, "not_found", ""},
		{"GET", "/%FF", 404, "not_found", ""}, // which is no UTF-8, and so neither are these
		{"GET", "/api/v1/tenants/%FF", 404, "not_found", ""},
		{"GET", "/api/v1/event-types?%FF=1", 422, "invalid", ""},
		{"PUT", "/api/v1/tenants", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"PUT", "/api/v1/tenants/acme/events", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"POST", "/openapi.json", 405, "method_not_allowed", "GET, HEAD"},
		{"DELETE", "/docs", 405, "method_not_allowed", "GET, HEAD"},
	}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			answer := httptest.NewRecorder()
			request := httptest.NewRequest(test.method, test.path, nil)
			request.Header.Set("Authorization", "Bearer "+adminKey)
			w.handler.ServeHTTP(answer, request)
			var got any
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != test.status || answer.Header().Get("Allow") != test.allow {
				t.Errorf("%s %s: %d with Allow %q: %s", test.method, test.path, answer.Code, answer.Header().Get("Allow"), answer.Body)
				return
			}
			checkProblem(t, test.method+" "+test.path, answer, got, test.code)
		})
	}
}

func TestContentTypesDoNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, contentType := range []string{"", "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", ";+"} {
		t.Run(contentType, func(t *testing.T) {
			for path, body := range map[string]string{
				"/api/v1/tenants":             fmt.Sprintf(`{"id":"t%d"}`, i),
				"/api/v1/tenants/acme/events": `{"type":"invoice.paid","data":{}}`,
			} {
				r := httptest.NewRequest("POST", path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+adminKey)
				r.Header.Set("Accept", "text/html")
				if contentType != "" {
					r.Header.Set("Content-Type", contentType)
				}
				answer := httptest.NewRecorder()
				w.handler.ServeHTTP(answer, r)
				if answer.Code/100 != 2 || answer.Header().Get("Content-Type") != "application/json" {
					t.Errorf("%s with %q: %d %s", path, contentType, answer.Code, answer.Body)
				}
			}
		})
	}
}

func TestUnauthenticatedAnswersSayHow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/tenants", "/tenants/acme/events"} {
		if got := w.call("POST", path, "", "{}").Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
			t.Errorf("%s: WWW-Authenticate %q", path, got)
		}
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	answer := w.call("GET", "/tenants", adminKey, "")
	var got any
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
		t.Fatalf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	checkProblem(t, "closed", answer, got, "unavailable")
}

var reference = regexp.MustCompile(`(?:href|src|action|url)\s*[=(]\s*["']?([^"')>\s]+)`)

// TestDocs: the page describes every operation and error, and loads nothing from elsewhere.
func TestDocs(t *testing.T) {
	t.Parallel()
	answer := get(api.New(nil, api.Options{PublicURL: "https://hooks.example.com"}), "/docs")
	page := answer.Body.String()
	if answer.Code != 200 || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") ||
		!strings.HasPrefix(answer.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	for route := range contract {
		t.Run(route, func(t *testing.T) {
			method, path, _ := strings.Cut(route, " ")
			if want := fmt.Sprintf(`<span class="method %s">%s</span> <span class="path">/api/v1%s</span>`, method, method, path); !strings.Contains(page, want) {
				t.Errorf("%s is not there", route)
			}
		})
	}
	for _, want := range []string{"<script", "@import"} {
		if strings.Contains(page, want) {
			t.Errorf("the page has a %s", want)
		}
	}
	for _, match := range reference.FindAllStringSubmatch(page, -1) {
		target := match[1]
		if anchor, ok := strings.CutPrefix(target, "#"); ok {
			if !strings.Contains(page, `id="`+anchor+`"`) {
				t.Errorf("the link to #%s leads nowhere", anchor)
			}
			continue
		}
		if target != "/openapi.json" {
			t.Errorf("the page leads to %s", target)
		}
	}
	for _, want := range []string{
		"curl -X POST https://hooks.example.com/api/v1/tenants/acme/events \\\n", "error-not_found", "error-unavailable", "error-method_not_allowed",
	} {
		t.Run(want, func(t *testing.T) {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		})
	}
}

// FuzzPaging: no limit or cursor is answered with more than a refusal.
func FuzzPaging(f *testing.F) {
	for _, seed := range []string{"", "1", "0", "250", "251", "-1", "1e3", " 1", "9999999999999999999", "AAAA", "%00", "é"} {
		f.Add(seed, seed)
		f.Add("10", seed)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, limit, cursor string) {
		query := url.Values{"limit": {limit}, "cursor": {cursor}}.Encode()
		for _, path := range []string{"/tenants", "/event-types", "/tenants/acme/events", "/tenants/acme/deliveries", "/deliveries", "/tenants/acme/endpoints", "/tenants/acme/keys"} {
			if answer := w.call("GET", path+"?"+query, adminKey, ""); answer.Code != 200 && answer.Code != 422 {
				t.Errorf("%s?%s: %d %s", path, query, answer.Code, answer.Body)
			}
		}
	})
}
