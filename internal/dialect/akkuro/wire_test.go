package akkuro

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The seed's times and one more.
func TestCreatedOn(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"2025-08-04T07:35:03.4828363Z": time.Date(2025, 8, 4, 9, 35, 3, 482836300, time.FixedZone("", 2*60*60)),
		"2024-07-01T03:58:31.427Z":     time.Date(2024, 7, 1, 3, 58, 31, 427e6, time.UTC),
		"2024-07-26T04:18:29.82Z":      time.Date(2024, 7, 26, 4, 18, 29, 820e6, time.UTC),
		"2024-07-26T04:18:29Z":         time.Date(2024, 7, 26, 4, 18, 29, 0, time.UTC),
	} {
		t.Run(want, func(t *testing.T) {
			if got := formatCreatedOn(at); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// encoding/json accepts every body that is accepted, and reads the same values.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"uri":"https://example.com"}`, `{"uri":null}`, `{"uri":""}`, `{"uri":"\u00e9\/"}`, `{}`, `null`, `[]`, `{"uri":"a","uri":"b"}`,
		`{"uri":"a"}x`, `uri=a`, "{\"uri\":\"\xff\"}", `{"URI":"a"}`, "",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parse(body)
		if err != nil {
			if code := bellwire.CodeOf(err); code != bellwire.CodeMalformed && code != bellwire.CodeInvalid {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		var members map[string]string
		if err := json.Unmarshal(body, &members); err != nil || len(members) != 1 || members["uri"] != in.URI.Value {
			t.Errorf("%q is taken as %q, and read by others as %v, %v", body, in.URI.Value, members, err)
		}
	})
}

// Any Accept header is accepted or refused without a panic, and one range that is served suffices.
func FuzzAccept(f *testing.F) {
	for _, list := range []string{
		"", "*/*", "application/json;api-version=2024.1.0", `a/b;c="d,e"`, "application/json;q=0", ",,;", `"`, "application/json;q=NaN",
		"application/json;api-version=2024.1.0;q=0,*/*",
	} {
		f.Add(list)
	}
	served := versions{{Name: "2023.2.0"}, {Name: DefaultVersion}}
	f.Fuzz(func(t *testing.T, list string) {
		if _, err := served.choose([]string{list}); err != nil && bellwire.CodeOf(err) != codeNotAcceptable {
			t.Errorf("%q: %v", list, err)
		}
		if strings.ContainsRune(list, '"') { // which may put the rest into quotes
			return
		}
		if _, err := served.choose([]string{list, "application/json;api-version=" + DefaultVersion}); err != nil {
			t.Errorf("%q: %v", list, err)
		}
	})
}
