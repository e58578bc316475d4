package dialecttest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operators matches text that a vendor's customers must never read: words of the operator, options of the command line, and
// messages of Go, libraries and databases.
var operators = regexp.MustCompile(`(?i)catalogue|dialect|pattern|tenant|native api|use auth|\brole\b|operator|bellwire|(?-i:with hmac)|` +
	`sqlite|postgres|\bsql\b|database|\bpgx\b|keyset|goroutine|panic|jsontext|(?-i:\bjson: )|\bjwx\b|strconv|\btime\.|` +
	`\.go:|context (?:deadline|canceled)|runtime error|/var/|/tmp/|(?:^|[ "])--[a-z]`)

// checkWords fails the test if an error is not in a customer's words. Text that the client sent may come back, and own are
// words of the operator that are also the vendor's.
func checkWords(t testing.TB, answer *httptest.ResponseRecorder, sent string, own []string) {
	t.Helper()
	if answer.Code < http.StatusBadRequest {
		return
	}
	for _, word := range operators.FindAllString(answer.Body.String(), -1) {
		if !strings.Contains(sent, word) && !slices.Contains(own, word) {
			t.Errorf("a customer is told of %q: %d %s", word, answer.Code, answer.Body)
		}
	}
}

// badURLs are URLs that no endpoint may have.
var badURLs = []string{
	"", " ", "example.com", "/hook", "https://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "ftp://example.com", "https://", "https://me:secret@example.com/", "https://example.com/#x",
	"https://example.com:0/", "https://example.com:99999/", "https://example.com:25/", "http://[::1", "https://example.com/?a=é",
	"https://example.com/\\u0000", "https://example.com/%zz", "https://exa mple.com/", "https://example.com/" + strings.Repeat("x", 2100),
}

// Abuse calls each route with every key and with faulty bodies: with generic ones and with the given ones, in which {bad}
// stands for each of badURLs. Call checks that the errors are in a customer's words. Abuse fails the test if few calls are
// refused.
func Abuse(t *testing.T, w *World, header http.Header, routes []string, bodies ...string) {
	t.Helper()
	faults := []string{"", "{", "[]", "null", "1", `"x"`, "{}", `{"a":1}`, "{}{}", "\xff", `{"a":1,"a":2}`, strings.Repeat("[", 20_000)}
	for _, body := range bodies {
		if !strings.Contains(body, "{bad}") {
			faults = append(faults, body)
			continue
		}
		for _, url := range badURLs {
			faults = append(faults, strings.ReplaceAll(body, "{bad}", url))
		}
	}
	refused := 0
	for _, route := range routes {
		method, path, _ := strings.Cut(w.Fill(route), " ")
		for _, key := range []string{"none", "wrong", "admin", "publisher", "tenant-read", "other", "tenant"} {
			for _, body := range faults {
				if answer := w.Call(key, method, path, header, w.Fill(body)); answer.Code >= http.StatusBadRequest {
					refused++
				}
				if key != "tenant" && key != "other" {
					break // the key is refused, whatever the body is
				}
			}
		}
	}
	if refused < len(routes)*len(faults) {
		t.Errorf("of all calls only %d were refused", refused)
	}
}
