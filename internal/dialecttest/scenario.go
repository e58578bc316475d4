package dialecttest

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Step is one call of a management API and the answer that it must get.
type Step struct {
	Name string
	Key  string // "tenant" if empty; see Key
	// Do is the method and the path, such as "PUT /webhooks/{id}". In Do, Header, Body and Want, a name in braces stands for
	// the value that an earlier step saved.
	Do     string
	Header []string // "Name: value"
	Body   string
	Status int
	// Want is the whole body, byte for byte. A form in angle brackets matches a value and may save it under a name:
	// <uuid>, <id:hex24>. See forms. If Want is empty, there must be no body.
	Want       string
	WantHeader []string // "Name: value"
}

// forms are the patterns that <…> in Step.Want can name.
var forms = map[string]string{
	"uuid":    `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	"hex24":   `[0-9a-f]{24}`,
	"hex32":   `[0-9a-f]{32}`,
	"hex64":   `[0-9a-f]{64}`,
	"base64":  `[A-Za-z0-9+/]+=*`,
	"micros":  `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`, // a time with six digits, and no zone
	"instant": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z`,
	"any":     `.*?`,
}

// Run makes the steps in order.
func Run(t *testing.T, w *World, steps []Step) {
	t.Helper()
	for _, s := range steps {
		w.step(t, s)
	}
}

func (w *World) step(t *testing.T, s Step) {
	t.Helper()
	method, path, _ := strings.Cut(w.Fill(s.Do), " ")
	header := http.Header{}
	for _, line := range s.Header {
		name, value, _ := strings.Cut(w.Fill(line), ": ")
		header.Add(name, value)
	}
	answer := w.Call(or(s.Key, "tenant"), method, path, header, w.Fill(s.Body))
	label := fmt.Sprintf("%s: %s %s: %d %s", s.Name, method, path, answer.Code, answer.Body)
	if answer.Code != s.Status {
		t.Errorf("%s\nwant the status %d", label, s.Status)
		return
	}
	for _, line := range s.WantHeader {
		name, value, _ := strings.Cut(w.Fill(line), ": ")
		if got := answer.Header().Get(name); got != value {
			t.Errorf("%s\nhas the header %s: %q, want %q", label, name, got, value)
		}
	}
	pattern, names := compile(t, w.Fill(s.Want))
	found := pattern.FindStringSubmatch(answer.Body.String())
	if found == nil {
		t.Errorf("%s\nwant the body\n%s", label, w.Fill(s.Want))
		return
	}
	for i, name := range names {
		if name != "" {
			w.Vars[name] = found[i+1]
		}
	}
}

var (
	variable    = regexp.MustCompile(`\{[a-zA-Z0-9]+\}`)
	placeholder = regexp.MustCompile(`<(?:([a-zA-Z0-9]+):)?([a-z0-9]+)>`)
)

// Fill replaces names in braces with the values that were saved.
func (w *World) Fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := w.Vars[name[1:len(name)-1]]; ok {
			return value
		}
		return name
	})
}

// compile returns the pattern of a body, and the names of its groups.
func compile(t *testing.T, want string) (*regexp.Regexp, []string) {
	t.Helper()
	var (
		b     strings.Builder
		names []string
		done  int
	)
	b.WriteString(`(?s)\A`)
	for _, at := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		form, known := forms[want[at[4]:at[5]]]
		if !known {
			t.Fatalf("there is no form %s", want[at[0]:at[1]])
		}
		b.WriteString(regexp.QuoteMeta(want[done:at[0]]) + "(" + form + ")")
		name := ""
		if at[2] >= 0 {
			name = want[at[2]:at[3]]
		}
		names, done = append(names, name), at[1]
	}
	b.WriteString(regexp.QuoteMeta(want[done:]) + `\z`)
	return regexp.MustCompile(b.String()), names
}

func newRequest(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.RequestURI = ""
	return r
}

// patience bounds how long tests wait for a condition.
const patience = time.Minute

// Eventually waits until the condition is true.
func (w *World) Eventually(what string, condition func() bool) {
	w.T.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.T.Fatalf("not in time: %s", what)
		}
	}
}

var discard = slog.New(slog.DiscardHandler)

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
