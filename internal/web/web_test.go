package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/bellwire/bellwire/internal/web"
)

const shell = `<!doctype html><html><head><base href="/"><script src="assets/app-1.js"></script></head></html>`

// files are a build of the pages.
func files() fstest.MapFS {
	return fstest.MapFS{
		"console.html":        {Data: []byte(shell + "console")},
		"portal.html":         {Data: []byte(shell + "portal")},
		"portal.js":           {Data: []byte("customElements;")},
		"assets/app-1.js":     {Data: []byte(strings.Repeat("let a = 1;", 100))},
		"assets/app-1.css":    {Data: []byte("body{}")},
		"assets/app-1.css.br": {Data: []byte("brotli")},
		"assets/font-1.woff2": {Data: []byte("\x00\x01\x02")},
	}
}

func newWeb(t *testing.T, publicURL string, build fstest.MapFS) http.Handler {
	t.Helper()
	w, err := web.New(web.Config{Files: build, PublicURL: publicURL, Origins: func(_ context.Context, session string) ([]string, error) {
		switch session {
		case "ses_1":
			return []string{"https://a.example", "https://b.example"}, nil
		case "broken":
			return nil, errors.New("no database")
		}
		return nil, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return web.UnderPrefix(publicURL, w, web.Prefixes...)
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := newWeb(t, "https://hooks.example.com", files())
	const immutable = "public, max-age=31536000, immutable"
	for _, page := range []struct {
		path   string
		status int
		cache  string
		text   string
	}{
		{"/console", 200, "no-cache", `<base href="/console/">`},
		{"/console/", 200, "no-cache", "</html>console"},
		{"/console/endpoints/ep_1", 200, "no-cache", "</html>console"},
		{"/portal", 200, "no-cache", `<base href="/portal/">`},
		{"/portal/add", 200, "no-cache", "</html>portal"},
		{"/portal.js", 200, "public, max-age=300", "customElements"},
		{"/console/assets/app-1.js", 200, immutable, "let a"},
		{"/portal/assets/app-1.js", 200, immutable, "let a"},
		{"/console/assets/app-0.js", 404, "no-store", "load the page again"},
		{"/console/assets/", 404, "no-store", "does not exist"},
		{"/console/assets/../console.html", 404, "no-store", "does not exist"},
		{"/console/assets/app-1.css.br", 404, "no-store", "does not exist"},
		{"/portal.js/x", 404, "", "does not exist"},
		{"/other", 404, "", "does not exist"},
	} {
		answer := get(h, page.path)
		if answer.Code != page.status || !strings.Contains(answer.Body.String(), page.text) || answer.Header().Get("Cache-Control") != page.cache {
			t.Errorf("%s: %d %v %s", page.path, answer.Code, answer.Header(), answer.Body)
		}
		for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if answer.Header().Get(name) != value {
				t.Errorf("%s: %s is %q", page.path, name, answer.Header().Get(name))
			}
		}
	}
	r := httptest.NewRequest("POST", "/console", nil)
	answer := httptest.NewRecorder()
	if h.ServeHTTP(answer, r); answer.Code != 405 || answer.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", answer.Code, answer.Header())
	}
}

func TestFraming(t *testing.T) {
	t.Parallel()
	h := newWeb(t, "https://hooks.example.com", files())
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors "
	for path, ancestors := range map[string]string{
		"/console":         "'none'",
		"/console?s=ses_1": "'none'",
		"/portal":          "'none'",
		"/portal?s=other":  "'none'",
		"/portal?s=ses_1":  "https://a.example https://b.example",
	} {
		if got := get(h, path).Header().Get("Content-Security-Policy"); got != policy+ancestors {
			t.Errorf("%s: %s", path, got)
		}
	}
	if answer := get(h, "/portal?s=broken"); answer.Code != 503 || answer.Header().Get("Retry-After") == "" || strings.Contains(answer.Body.String(), "database") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	h := newWeb(t, "http://127.0.0.1:8080", files())
	for _, file := range []struct{ path, accepts, coding string }{
		{"app-1.js", "gzip, br", "gzip"},
		{"app-1.js", "", ""},
		{"app-1.js", "gzip;q=0", ""},
		{"app-1.js", "gzip;q=0.5", "gzip"},
		{"app-1.css", "gzip, br", "br"},
		{"font-1.woff2", "gzip, br", ""},
	} {
		answer := get(h, "/console/assets/"+file.path, "Accept-Encoding", file.accepts)
		if got := answer.Header().Get("Content-Encoding"); got != file.coding || answer.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s with %q: %q", file.path, file.accepts, got)
		}
		if file.coding != "gzip" {
			continue
		}
		reader, err := gzip.NewReader(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(reader); err != nil || string(plain) != string(files()["assets/"+file.path].Data) {
			t.Errorf("%s: %v, %q", file.path, err, plain)
		}
	}
	first := get(h, "/portal.js")
	if again := get(h, "/portal.js", "If-None-Match", first.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
		t.Errorf("%d %q", again.Code, again.Body)
	}
}

// TestPathPrefix: a proxy that adds a prefix may strip it from requests or not.
func TestPathPrefix(t *testing.T) {
	t.Parallel()
	h := newWeb(t, "https://example.com/hooks/", files())
	for _, path := range []string{"/console", "/hooks/console", "/hooks/console/endpoints"} {
		if answer := get(h, path); answer.Code != 200 || !strings.Contains(answer.Body.String(), `<base href="/hooks/console/">`) {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	if answer := get(h, "/hooks/portal/assets/app-1.js"); answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := get(h, "/hooks/events/x"); answer.Code != 404 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestBuildWithoutPages(t *testing.T) {
	t.Parallel()
	if answer := get(newWeb(t, "http://127.0.0.1", fstest.MapFS{}), "/console"); answer.Code != 404 || !strings.Contains(answer.Body.String(), "make web") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	broken := files()
	broken["portal.html"] = &fstest.MapFile{Data: []byte("no base")}
	if _, err := web.New(web.Config{Files: broken}); err == nil {
		t.Error("a shell without a base is accepted")
	}
}
