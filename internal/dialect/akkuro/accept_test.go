package akkuro_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialecttest"
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
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Versions: []string{"2024.1.0", "2025.1.0"}})
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

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"2024.1.0": true, "2025.10.12": true, "": false, "2024.1": false, "24.1.0": false, "2024.1.0.0": false, " 2024.1.0": false,
		"2024.1.0\n": false, "latest": false,
	} {
		t.Run(text, func(t *testing.T) {
			if err := akkuro.CheckVersion(text); (err == nil) != want {
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
