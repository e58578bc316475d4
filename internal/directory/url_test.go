package directory

import "testing"

// Endpoints from before hosts were normalized are requested as new ones are.
func TestStoredURLsAreRequestedNormalized(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]struct{ url, host string }{
		"https://BÜCHER.example/Ä?q=%C3%84": {"https://xn--bcher-kva.example/%C3%84?q=%C3%84", "xn--bcher-kva.example"},
		"https://Example.COM:8443/A":        {"https://example.com:8443/A", "example.com:8443"},
		"https://example.com/hook ":         {"https://example.com/hook", "example.com"},
		"http://[::1]:8080/":                {"http://[::1]:8080/", "[::1]:8080"},
		"http://a.test:/":                   {"http://a.test/", "a.test"},
		"http://127.0.0.1/x%2Fy//..;":       {"http://127.0.0.1/x%2Fy//..;", "127.0.0.1"},
		"http://a.test:22/":                 {"http://a.test:22/", "a.test:22"}, // refused today, and requested as it is
	} {
		t.Run(stored, func(t *testing.T) {
			got := requestURL(stored)
			if got == nil || got.String() != want.url || got.Host != want.host {
				t.Errorf("%q is requested as %v, want %s", stored, got, want.url)
			}
		})
	}
	if got := requestURL("http://a b/"); got != nil {
		t.Errorf("what is no URL is requested as %v", got)
	}
}
