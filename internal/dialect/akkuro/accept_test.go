package akkuro_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const detail = "the Accept header must allow application/json;api-version=2024.1.0"
	for _, c := range []struct {
		accept []string
		taken  bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"application/json;api-version=2024.1.0"}, true},
		{[]string{"application/json; api-version=2024.1.0"}, true},
		{[]string{`Application/JSON ; API-Version="2024.1.0"`}, true},
		{[]string{"application/json"}, true},
		{[]string{"application/json; charset=utf-8"}, true},
		{[]string{"*/*"}, true},
		{[]string{"application/*;q=0.5"}, true},
		{[]string{"*/*;api-version=2024.1.0"}, true},
		{[]string{"text/html, application/json;api-version=2024.1.0;q=0.9"}, true},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"application/json;api-version=2025.1.0, application/json;api-version=2024.1.0"}, true},
		{[]string{"application/json;api-version=2025.1.0, */*;q=0.1"}, true},
		{[]string{"text/html, image/gif, *; q=.2, */*; q=.2"}, true},
		{[]string{`text/plain;x="a,b", application/json`}, true},
		{[]string{"application/json;q=nonsense"}, true},
		{[]string{"*/*;q=0, application/json"}, true},
		{[]string{"application/json;api-version=2024.1.0, application/json;q=0"}, true},
		{[]string{"application/json;api-version=2024.1.1"}, false},
		{[]string{"application/json;api-version=2024.1"}, false},
		{[]string{"application/json;api-version=2024.1.0.0"}, false},
		{[]string{"application/json;api-version="}, false},
		{[]string{"*/*;api-version=1"}, false},
		{[]string{"application/json;api-version=2023.1.0, application/json;api-version=2025.1.0"}, false},
		{[]string{"application/json;api-version=2024.1.0;q=0"}, false},
		{[]string{"application/json;api-version=2024.1.0;q=0, */*"}, false},
		{[]string{"*/*, application/json;q=0.0"}, false},
		{[]string{"text/html"}, false},
		{[]string{"application/xml"}, false},
		{[]string{"nonsense"}, false},
		{[]string{"application/json;api-version=2024.1.0;api-version=2024.1.1"}, false},
	} {
		t.Run(fmt.Sprint(c.accept), func(t *testing.T) {
			s := step{Name: "accept", Do: "GET /process-orchestration/events/event-types", Status: 200, Want: `["process.status-changed"]`}
			if !c.taken {
				s = refused("accept", s.Do, "", 406, detail)
			}
			for _, value := range c.accept {
				s.Header = append(s.Header, "Accept: "+value)
			}
			dialecttest.Run(t, w, []step{s})
		})
	}
}

// Akkuro serves several versions in parallel, and a client asks for the one it was built for.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Versions: []akkuro.Version{{Name: "2024.1.0"}, {Name: "2025.1.0"}}})
	for accept, taken := range map[string]bool{
		"application/json;api-version=2024.1.0": true, "application/json;api-version=2025.1.0": true,
		"application/json;api-version=2025.1.0;q=0.1, text/html": true, "application/json": true, "*/*": true,
		"application/json;api-version=2025.2.0": false, "application/json;api-version=2025.1": false,
		"application/json;api-version=2025.1.0;q=0": false,
	} {
		t.Run(accept, func(t *testing.T) {
			s := step{Name: accept, Do: "GET /process-orchestration/events/event-types", Status: 200, Want: `["process.status-changed"]`}
			if !taken {
				s = refused(accept, s.Do, "", 406, "the Accept header must allow application/json;api-version=2024.1.0 or 2025.1.0")
			}
			s.Header = []string{"Accept: " + accept}
			dialecttest.Run(t, w, []step{s})
		})
	}
}

// TestPayloadsByVersion: as at Akkuro, clients that were built for an earlier API version get whole payloads, and those that were built
// for a later one get ids only. Both are made of the same event, and the example is that of the version.
func TestPayloadsByVersion(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Versions: []akkuro.Version{{Name: "2023.2.0", Payload: 2}, {Name: "2024.10.0", Payload: 1}, {Name: "2024.9.0", Payload: 3}}})
	const thin, whole = `{"id":"c1"}`, `{"id":"c1","name":"Ada"}`
	w.PutType("counterparty.merged", service.EventTypeInput{Group: "counterparty-management", Example: []byte(thin)})
	_, err := w.Service.AddVersion(t.Context(), dialecttest.Admin, "counterparty.merged", service.NewVersion{Example: []byte(whole), Converter: `{"id": data.id}`})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"application/json;api-version=2023.2.0": whole, "application/json;api-version=2024.10.0": thin,
		"application/json;api-version=2024.9.0": whole,          // it has a version of the data that does not exist yet
		"application/json":                      thin, "": thin, // the latest
		"application/json;api-version=2024.10.0;q=0.5, application/json;api-version=2023.2.0": whole,
	}
	receivers := make(map[string]*dialecttest.Receiver)
	for accept, data := range want {
		receivers[accept] = dialecttest.NewReceiver(t)
		header := http.Header{"Accept": {accept}}
		if got := w.Call("tenant", "POST", endpoints, header, `{"uri":"`+receivers[accept].URL+`"}`); got.Code != 201 {
			t.Fatalf("%s: %d %s", accept, got.Code, got.Body)
		}
		if got := w.Call("tenant", "GET", merged+"/example", header, "").Body.String(); !strings.HasSuffix(strings.TrimSpace(got), `"data":`+data+`}`) {
			t.Errorf("%s: the example is %s", accept, got)
		}
	}
	w.Publish("counterparty.merged", whole)
	for accept, data := range want {
		if got := string(receivers[accept].Next().Body); !strings.HasSuffix(got, `"data":`+data+`}`) {
			t.Errorf("%s: got %s", accept, got)
		}
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"2024.1.0": true, "2025.10.12": true, "": false, "2024.1": false, "24.1.0": false, "2024.1.0.0": false, " 2024.1.0": false,
		"2024.1.0\n": false, "latest": false, "2024.1.0=1": true, "2024.1.0=50": true, "2024.1.0=": false, "2024.1.0=0": false, "2024.1.0=51": false,
		"2024.1.0=x": false, "=1": false,
	} {
		t.Run(text, func(t *testing.T) {
			if _, err := akkuro.ParseVersion(text); (err == nil) != want {
				t.Errorf("%q: %v", text, err)
			}
		})
	}
}

// Every route checks the version before it does anything.
func TestUnsupportedVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{register})
	for _, do := range []string{
		"GET " + events + "/event-types", "POST " + endpoints, "GET " + endpoints, "GET " + merged + "/token/{id}",
		"PUT " + endpoints + "/{id}", "DELETE " + endpoints + "/{id}", "GET " + merged + "/example",
	} {
		t.Run(do, func(t *testing.T) {
			s := refused("version", do, body, 406, "the Accept header must allow application/json;api-version=2024.1.0")
			s.Header = []string{"Accept: application/json;api-version=2019.1.0"}
			dialecttest.Run(t, w, []step{s})
		})
	}
	dialecttest.Run(t, w, []step{unchanged})
}
