package bluefin

import (
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// FuzzAuthorization checks that an accepted header has four parameters that can be written again, none with a character that
// could move it to another line of the signed text.
func FuzzAuthorization(f *testing.F) {
	hash := strings.Repeat("0f", 32)
	for _, text := range []string{
		`id="api_0123456789abcdef0123456789abcdef", nonce="` + hash + `", timestamp="1709287200", response="` + hash + `"`,
		`id=a,nonce=b,timestamp=1,response=` + hash,
		`response="` + strings.ToUpper(hash) + `" , timestamp=0 ,nonce="a=b,c", id="ü"`,
		`id="a", nonce="b`, `id="a",`, `,`, ``, `id=""`, `id="a" nonce="b"`, `id="a\"", nonce="b", timestamp="1", response="` + hash + `"`,
		"id=\"a\nb\", nonce=\"b\", timestamp=\"1\", response=\"" + hash + `"`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, ok := parseAuthorization(text)
		if !ok {
			return
		}
		response := hex.EncodeToString(a.response[:])
		for _, value := range []string{a.id, a.nonce, a.timestamp} {
			if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Fatalf("%q has %q", text, value)
			}
			if !strings.Contains(text, value) {
				t.Fatalf("%q has no %q", text, value)
			}
		}
		if seconds, err := strconv.ParseInt(a.timestamp, 10, 64); err != nil || seconds != a.at.Unix() {
			t.Fatalf("%q is the time %s", a.timestamp, a.at)
		}
		again, ok := parseAuthorization(`id="` + a.id + `", nonce="` + a.nonce + `", timestamp="` + a.timestamp + `", response="` + response + `"`)
		if !ok || *again != *a {
			t.Fatalf("%q became %+v", text, again)
		}
	})
}

// FuzzInput checks that an accepted body is a JSON object of exactly two fields, and that others are refused with one of two
// codes.
func FuzzInput(f *testing.F) {
	for _, body := range []string{
		`{"url":"https://example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, `{"event":"PAYCONEX_BATCH_SETTLEMENT","url":""}`,
		`{}`, `null`, `[]`, `{"url":1}`, `{"url":null,"event":null}`, `{"url":"a","url":"b"}`, `{"random":[{}]}`, `{"url":"\ud800","event":"x"}`, "\xff", ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parseInput(body)
		if err != nil {
			if code := bellwire.CodeOf(err); code != bellwire.CodeMalformed && code != bellwire.CodeInvalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		wanted, err := in.wanted(nil)
		if err != nil {
			if code := bellwire.CodeOf(err); code != bellwire.CodeInvalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var members map[string]string
		if err := json.Unmarshal(body, &members); err != nil || len(members) != 2 {
			t.Fatalf("%q was taken: %v", body, err)
		}
		_, urlErr := destination.NormalizeURL(members["url"])
		if event := members["event"]; urlErr != nil || event != accountUpdates && event != batchSettlement {
			t.Fatalf("%q was taken: %v", body, urlErr)
		}
		if *wanted.URL != members["url"] || (*wanted.Events)[0] != members["event"] {
			t.Fatalf("%q is wanted as %+v", body, wanted)
		}
	})
}

// FuzzPage checks that a page is a part of the list.
func FuzzPage(f *testing.F) {
	for _, query := range []string{"", "page=2", "page=1000000&limit=1000", "limit=1", "page=%31&page=x", "limit=-1", "page=9223372036854775807"} {
		f.Add(query, 23)
	}
	f.Fuzz(func(t *testing.T, query string, total int) {
		total = max(0, min(total, 1000))
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, err := parsePage(values)
		if err != nil {
			return
		}
		from, to := p.bounds(total)
		if from < 0 || from > to || to > total || to-from > p.limit {
			t.Fatalf("%q of %d: %d to %d", query, total, from, to)
		}
		h := map[string][]string{}
		p.setHeaders(h, "/path", total)
		if links := h["X-Links"][0]; len(links) > 1000 || strings.ContainsAny(links, "\r\n") {
			t.Fatalf("%q has the links %s", query, links)
		}
	})
}
