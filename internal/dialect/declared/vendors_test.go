package declared_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/declared"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
)

// The delivery halves of four vendors' dialects, declared by files, make the same requests as the dialects themselves, byte for
// byte. Atelio's cannot be declared: it signs JSON in the spelling of Python.
func TestVendorsByFile(t *testing.T) {
	t.Parallel()
	const server = "https://hooks.example.com"
	builtIn := map[string]bellwire.Dialect{
		akkuro.Name: akkuro.Dialect{PublicURL: server}, azakaw.Name: azakaw.Dialect{}, bluefin.Name: bluefin.Dialect{}, lemon.Name: lemon.Dialect{},
	}
	paths, err := filepath.Glob("testdata/vendors/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := declared.LoadFiles(paths, slices.Collect(maps.Keys(builtIn)))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(builtIn) {
		t.Fatalf("there are %d files", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), "-file")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := file.At(declared.ServerAt(server)), builtIn[name]
			want := theirs.Defaults()
			want.AutoDisableAfter = bellwire.DefaultAutoDisableAfter // the native API shows the status of such an endpoint
			if diff := cmp.Diff(want, ours.Defaults()); diff != "" {
				t.Error(diff)
			}
			secret, err := theirs.NewSecret(bellwire.SigningHMAC)
			if err != nil {
				t.Fatal(err)
			}
			c := &bellwire.Credentials{Secrets: []bellwire.Secret{secret}}
			if secret.Value == "" {
				c = new(bellwire.Credentials)
			} else if err := ours.CheckSecret(secret.Value); err != nil {
				t.Error(err)
			}
			rapid.Check(t, func(t *rapid.T) { sameRequests(t, ours, theirs, c) })
		})
	}
}

// sameRequests compares the requests of two dialects for one event.
func sameRequests(t *rapid.T, ours, theirs bellwire.Dialect, c *bellwire.Credentials) {
	const eventType = "PAYCONEX_BATCH_SETTLEMENT"
	value := rapid.SampledFrom([]string{`1E400`, `-0`, `"caf\u00e9 \/ é"`, `[ ]`, `{ "a" : 1.0 }`, `null`})
	event := &bellwire.Event{Type: eventType, Tenant: "123456789012"}
	event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
	event.Data = fmt.Appendf(nil, `{ "b":%s,"a" : %s}`, value.Draw(t, "b"), value.Draw(t, "a"))
	if rapid.Bool().Draw(t, "not an object") {
		event.Data = []byte(value.Draw(t, "data"))
	}
	event.CreatedAt = time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "created")).Truncate(time.Microsecond)
	if rapid.Bool().Draw(t, "at") {
		event.OccurredAt = time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "occurred"))
	}
	m := &bellwire.Message{Event: event, Delivery: bellwire.NewID[bellwire.DeliveryKind](time.Now()), SentAt: time.Now()}
	ep := &bellwire.Endpoint{
		ID: theirs.NewEndpointID(time.Now()), Tenant: event.Tenant, Events: []string{eventType}, Signing: bellwire.SigningHMAC, URL: "https://customer.example/",
	}
	if err := theirs.Normalize(ep, c, func(string) string { return "payments" }); err != nil {
		t.Fatal(err)
	}
	if err := ours.Normalize(ep, c, nil); err != nil {
		t.Fatal(err)
	}
	want, refusal := requestOf(t, theirs, ep, c, m)
	got, err := requestOf(t, ours, ep, c, m)
	if bellwire.CodeOf(refusal) != bellwire.CodeOf(err) {
		t.Fatalf("the dialect says %v, the file %v", refusal, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

// delivered is a request, and what a dialect makes of each status.
type delivered struct {
	Headers  http.Header
	Secrets  []bellwire.Header
	Body     string
	Verdicts []bellwire.Verdict
	Honors   bool
	Same     bool
}

func requestOf(t *rapid.T, d bellwire.Dialect, ep *bellwire.Endpoint, c *bellwire.Credentials, m *bellwire.Message) (*delivered, error) {
	r, err := d.Bind(ep, c)
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.AppendBody(nil, m)
	if err != nil {
		return nil, err
	}
	made := &delivered{Headers: make(http.Header), Secrets: d.Headers(c), Body: string(body), Honors: r.HonorsRetryAfter(), Same: r.SameBody()}
	r.SetHeaders(made.Headers, m, body)
	for status := 200; status < 600; status++ {
		made.Verdicts = append(made.Verdicts, r.Classify(status))
	}
	return made, nil
}
