package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// post makes a request with an idempotency key.
func (w *world) post(path, caller, key, body string) *httptest.ResponseRecorder {
	r := request("POST", path, caller, body)
	r.Header.Set("Idempotency-Key", key)
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

const newEndpointBody = `{"url":"https://example.com","events":["*"]}`

// unrepeated are POSTs to which an idempotency key means nothing, or something else, with the reason.
var unrepeated = map[string]string{
	"POST /tenants/{tenant}/events":                          "the key is the event's own",
	"POST /tenants/{tenant}/events/batch":                    "the keys are the events' own",
	"POST /console-sessions":                                 "its answer must not be kept",
	"POST /console-sessions/links":                           "its answer must not be kept",
	"POST /tenants/{tenant}/portal-sessions":                 "its answer must not be kept",
	"POST /console-sessions/exchange":                        "a code is good for one exchange",
	"POST /portal-sessions/exchange":                         "a code is good for one exchange",
	"POST /imports":                                          "an import changes nothing the second time",
	"POST /tenants/{tenant}/endpoints/{id}/probe":            "this engine does not store its delivery",
	"POST /tenants/{tenant}/endpoints/{id}/versions/preview": "its answer must not be kept",
	"POST /tenants/{tenant}/filters/try":                     "it changes nothing",
	"POST /tenants/{tenant}/urls/check":                      "it changes nothing",
}

// TestRepeatedPosts: each POST with an idempotency key is carried out once, and answered alike.
func TestRepeatedPosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	repeated := map[string]bool{}
	for i, s := range walk {
		repeated[s.route] = true
		method, path := s.request()
		key := fmt.Sprintf("walk-%d", i)
		if method == "POST" && unrepeated[s.route] == "" {
			path, body := w.fill(path), w.fill(s.body)
			first, again := w.post(path, adminKey, key, body), w.post(path, adminKey, `"`+key+`"`, body)
			if first.Code != s.status || first.Body.Len() == 0 || first.Header().Get("Idempotent-Replayed") != "" {
				t.Fatalf("%s: first %d %v %s", s.route, first.Code, first.Header(), first.Body)
			}
			if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" ||
				again.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
				t.Errorf("%s: first %d %s\nagain %d %v %s", s.route, first.Code, first.Body, again.Code, again.Header(), again.Body)
			}
		}
		w.step(t, step{name: s.route, method: method, path: path, body: s.body, status: s.status, save: s.save,
			header: []string{"Idempotency-Key: " + key}, problem: problemOf(s.status)})
		if s.action == "" {
			w.published(t)
		}
	}
	for route := range contract {
		if strings.HasPrefix(route, "POST ") && !repeated[route] && unrepeated[route] == "" {
			t.Errorf("%s is neither repeated nor excepted", route)
		}
	}
}

// Answers to repeatable requests are kept in the tenant's own room. A caller that only reads cannot fill it.
func TestReadersCannotKeepAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	view, _ := w.portal(t, `{"capabilities":["view"]}`)
	kept := 0
	for _, op := range w.operations(t) {
		if !op.repeatable || strings.HasPrefix(op.id, "publish-") {
			continue // the key of a publish is the event's own
		}
		kept++
		path := strings.NewReplacer("{tenant}", "acme", "{id}", "none", "{name}", "none").Replace(op.path)
		for name, key := range map[string]string{"a tenant-read key": w.keys["tenant-read"], "a session that views": view, "a publisher's key": w.keys["publisher"]} {
			if answer := w.post(path, key, "k", "{}"); answer.Code != 403 {
				t.Errorf("%s with %s: %d %s", op.id, name, answer.Code, answer.Body)
			}
		}
	}
	if kept < 10 {
		t.Errorf("%d operations are repeatable", kept)
	}
}

func TestIdempotencyKeysOfOtherRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/tenants/acme/endpoints"
	if first := w.post(path, w.keys["tenant"], "k", newEndpointBody); first.Code != 201 {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	for name, c := range map[string]struct {
		path, caller, key, body string
		status                  int
	}{
		"another body":           {path, w.keys["tenant"], "k", strings.Replace(newEndpointBody, "*", "invoice.*", 1), 409},
		"another route":          {path + "/ep_1/test", w.keys["tenant"], "k", newEndpointBody, 409},
		"another tenant":         {"/tenants/other/endpoints", w.keys["other"], "k", newEndpointBody, 201},
		"the operator":           {path, adminKey, "k", newEndpointBody, 201},
		"a role that may not":    {path, w.keys["tenant-read"], "k", newEndpointBody, 403},
		"a key that is too long": {path, adminKey, strings.Repeat("k", bellwire.MaxIdempotencyKey+1), newEndpointBody, 422},
		"an empty key":           {path, adminKey, `""`, newEndpointBody, 422},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := w.post(c.path, c.caller, c.key, c.body); answer.Code != c.status {
				t.Errorf("%d %s, want %d", answer.Code, answer.Body, c.status)
			}
		})
	}
}

// A refused request has changed nothing, and can be made again.
func TestRefusedRequestsAreNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{`{`, `{"url":"nowhere","events":["*"]}`} {
		if answer := w.post("/tenants/acme/endpoints", adminKey, "k", body); answer.Code/100 != 4 {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
	if answer := w.post("/tenants/acme/endpoints", adminKey, "k", newEndpointBody); answer.Code != 201 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// TestConcurrentRepetitions: of many equal requests at the same time, one is carried out.
func TestConcurrentRepetitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			answer := w.post("/tenants/acme/endpoints", adminKey, "k", newEndpointBody)
			if answer.Code != 201 && answer.Code != 409 {
				t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
			}
		})
	}
	group.Wait()
	w.step(t, step{method: "GET", path: "/tenants/acme/endpoints", status: 200, want: `{"data":[{"url":"https://example.com"}]}`})
}
