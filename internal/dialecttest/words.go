package dialecttest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// operators is what a vendor's customer is never told: words of who runs this server, options of its command line, and
// text of libraries, databases and files.
var operators = regexp.MustCompile(`(?i)catalogue|dialect|pattern|use auth|\brole\b|operator|bellwire|made with hmac|` +
	`sqlite|postgres|\bsql\b|database|\bpgx\b|keyset|goroutine|panic|jsontext|(?-i:\bjson: )|\bjwx\b|strconv|\btime\.|` +
	`\.go:|context (?:deadline|canceled)|runtime error|/var/|/tmp/|(?:^|[ "])--[a-z]`)

// checkWords makes sure that a refusal is in a customer's words. What the client itself has sent may come back.
func checkWords(t testing.TB, answer *httptest.ResponseRecorder, sent string) {
	t.Helper()
	if answer.Code < http.StatusBadRequest {
		return
	}
	for _, word := range operators.FindAllString(answer.Body.String(), -1) {
		if !strings.Contains(sent, word) {
			t.Errorf("a customer is told of %q: %d %s", word, answer.Code, answer.Body)
		}
	}
}

// badURLs are no endpoint's.
var badURLs = []string{
	"", " ", "example.com", "/hook", "https://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "ftp://example.com", "https://", "https://me:secret@example.com/", "https://example.com/#x",
	"https://example.com:0/", "https://example.com:99999/", "https://example.com:25/", "http://[::1", "https://example.com/?a=é",
	"https://example.com/\\u0000", "https://example.com/%zz", "https://exa mple.com/", "https://example.com/" + strings.Repeat("x", 2100),
}

// Abuse calls each route as everybody and with every fault that a body can have: those of all bodies, and the given ones,
// in which {bad} stands for each URL that is no endpoint's. What is refused must be in a customer's words, which Call
// checks. Something must be refused.
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
		for _, key := range []string{"none", "wrong", "admin", "publisher", "tenant-read", "stranger", "tenant"} {
			for _, body := range faults {
				if answer := w.Call(key, method, path, header, w.Fill(body)); answer.Code >= http.StatusBadRequest {
					refused++
				}
				if key != "tenant" && key != "stranger" {
					break // they may not, whatever they send
				}
			}
		}
	}
	if refused < len(routes)*len(faults) {
		t.Errorf("of all calls only %d were refused", refused)
	}
}
