package dialecttest_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// vendorAPI is how a vendor's API makes a webhook, and how it changes one.
type vendorAPI struct {
	path, made      string
	change, changed string // empty: it cannot
	hasStatus       bool
}

// vendorAPIs are those of the vendors, with the URL https://example.com and the event type of eventFor.
var vendorAPIs = map[string]vendorAPI{
	akkuro.Name:  {"/payments/events/card.created/endpoints", `{"uri":"https://example.com"}`, "PUT", `{"uri":"https://example.com/new"}`, false},
	atelio.Name:  {"/api/v0.1/webhooks", `{"url":"https://example.com","events":["*"]}`, "PATCH", `{"url":"https://example.com/new"}`, true},
	azakaw.Name:  {"/webhooks", `{"webhookBaseUrl":"https://example.com"}`, "PUT", `{"webhookBaseUrl":"https://example.com/new"}`, true},
	lemon.Name:   {"/v1/webhooks", `{"url":"https://example.com","events":["card.created"]}`, "", "", false},
	bluefin.Name: {"/api/v4/accounts/123456789012/webhooks", `{"url":"https://example.com","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "PATCH", `{"url":"https://example.com/new","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, false},
}

// eventFor returns the event type of a vendor's webhook in vendorAPIs.
func eventFor(dialect string) string {
	if dialect == bluefin.Name {
		return "ACCOUNT_UPDATER_BATCH_UPDATES"
	}
	return "card.created"
}

var anyID = regexp.MustCompile(`"id":"([^"]+)"`)

// make makes a webhook and returns its id.
func (a vendorAPI) make(t *testing.T, w *dialecttest.World) string {
	t.Helper()
	answer := w.Call("tenant", "POST", a.path, privacy, a.made)
	id := anyID.FindSubmatch(answer.Body.Bytes())
	if answer.Code >= 300 || id == nil {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return string(id[1])
}

func newVendor(t *testing.T, name string) *dialecttest.World {
	t.Helper()
	w := dialecttest.New(t, authorizing(t, name))
	w.PutType(eventFor(name), service.EventTypeInput{Group: "payments", Example: json.RawMessage(`{"updates":[]}`)})
	return w
}

// TestVendorsWebhooksAreNotDisabled: no vendor documents that webhooks which fail are disabled, so Bellwire does not, unless an
// operator wants it.
func TestVendorsWebhooksAreNotDisabled(t *testing.T) {
	t.Parallel()
	for name, vendor := range vendorAPIs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVendor(t, name)
			id := vendor.make(t, w)
			want := func(after time.Duration, when string) {
				t.Helper()
				ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, id)
				if err != nil || ep.AutoDisableAfter != after {
					t.Errorf("%s: it is disabled after %s, want %s, %v", when, ep.AutoDisableAfter, after, err)
				}
			}
			change := func(in service.EndpointInput) {
				t.Helper()
				if _, err := w.Native(id, in); err != nil {
					t.Fatal(err)
				}
			}
			put := func(in service.EndpointInput) {
				t.Helper()
				in.URL, in.Events = new("https://example.com"), &[]string{eventFor(name)}
				if _, _, _, err := w.Service.PutEndpoint(t.Context(), dialecttest.Admin, w.Tenant, id, in); err != nil {
					t.Fatal(err)
				}
			}
			want(0, "made")
			put(service.EndpointInput{})
			want(0, "put")
			change(service.EndpointInput{Events: &[]string{eventFor(name)}, Dialect: new(standard.Name)})
			want(bellwire.DefaultAutoDisableAfter, "moved to standard")
			change(service.EndpointInput{Dialect: &name})
			want(0, "moved back")
			put(service.EndpointInput{AutoDisableAfter: new(time.Hour)})
			want(time.Hour, "an hour was asked for")
			if vendor.change != "" {
				if answer := w.Call("tenant", vendor.change, vendor.path+"/"+id, privacy, vendor.changed); answer.Code >= 300 {
					t.Fatalf("%d %s", answer.Code, answer.Body)
				}
				want(time.Hour, "changed by the vendor's API")
			}
			change(service.EndpointInput{Dialect: new(standard.Name)})
			want(time.Hour, "moved with an hour")
		})
	}
}

// TestCustomersEnableWhatBellwireDisabled: a customer whose vendor has no status enables a webhook by a change of its URL.
func TestCustomersEnableWhatBellwireDisabled(t *testing.T) {
	t.Parallel()
	for name, vendor := range vendorAPIs {
		if vendor.change == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVendor(t, name)
			id := vendor.make(t, w)
			status := func() bellwire.EndpointStatus {
				t.Helper()
				ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, id)
				if err != nil {
					t.Fatal(err)
				}
				return ep.Status
			}
			receiver := dialecttest.NewReceiver(t)
			receiver.Answer(410)
			if _, err := w.Native(id, service.EndpointInput{URL: &receiver.URL, Events: &[]string{eventFor(name)}, Dialect: new(standard.Name)}); err != nil {
				t.Fatal(err)
			}
			w.Publish(eventFor(name), `{"updates":[]}`)
			w.Eventually("it is disabled", func() bool { return status() == bellwire.EndpointDisabled })
			if _, err := w.Native(id, service.EndpointInput{Dialect: &name}); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				what          string
				before, after bellwire.EndpointStatus
			}{
				{"by Bellwire", bellwire.EndpointDisabled, bellwire.EndpointEnabled},
				{"by the operator", bellwire.EndpointDisabled, bellwire.EndpointDisabled},
			} {
				if vendor.hasStatus {
					c.after = c.before
				}
				if c.what == "by the operator" {
					if _, err := w.Native(id, service.EndpointInput{Status: &c.before, StatusReason: new("it does not pay")}); err != nil {
						t.Fatal(err)
					}
				}
				if answer := w.Call("tenant", vendor.change, vendor.path+"/"+id, privacy, vendor.changed); answer.Code >= 300 {
					t.Fatalf("%d %s", answer.Code, answer.Body)
				}
				if got := status(); got != c.after {
					t.Errorf("disabled %s, then changed: it is %s, want %s", c.what, got, c.after)
				}
			}
		})
	}
}

// TestCompressedBodies are refused with 400: no vendor has 415.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	for name, vendor := range vendorAPIs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVendor(t, name)
			header := privacy.Clone()
			header.Set("Content-Encoding", "gzip")
			answer := w.Call("tenant", "POST", vendor.path, header, vendor.made)
			if answer.Code != 400 || !strings.HasPrefix(answer.Body.String(), "{") {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			header.Set("Content-Encoding", "identity")
			if answer := w.Call("tenant", "POST", vendor.path, header, vendor.made); answer.Code >= 300 {
				t.Errorf("identity: %d %s", answer.Code, answer.Body)
			}
		})
	}
}
