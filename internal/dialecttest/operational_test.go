package dialecttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// TestVendorsDoNotHaveOperationalEvents: to a vendor's customers, Bellwire's own event types do not exist.
func TestVendorsDoNotHaveOperationalEvents(t *testing.T) {
	t.Parallel()
	expanding := authorizing(t, atelio.Name)
	expanding.Front = func(svc *service.Service) http.Handler { return atelio.Dialect{ExpandWildcards: true}.Front(svc, nil) }
	for name, c := range map[string]struct {
		config   dialecttest.Config
		do, body string
		status   int
		want     string // in the answer
	}{
		"Akkuro's list":      {authorizing(t, akkuro.Name), "GET /bellwire/events/event-types", "", 404, "functional group"},
		"Akkuro's example":   {authorizing(t, akkuro.Name), "GET /bellwire/events/bellwire.endpoint.failing/example", "", 404, "does not exist"},
		"Akkuro's endpoint":  {authorizing(t, akkuro.Name), "POST /bellwire/events/bellwire.endpoint.failing/endpoints", `{"uri":"https://example.com"}`, 404, "does not exist"},
		"Atelio's name":      {authorizing(t, atelio.Name), "POST /api/v0.1/webhooks", `{"url":"https://example.com","events":["card.created","bellwire.endpoint.failing"]}`, 400, "is not a known event type"},
		"Atelio's wildcard":  {authorizing(t, atelio.Name), "POST /api/v0.1/webhooks", `{"url":"https://example.com","events":["bellwire.*"]}`, 400, "is not a known event type"},
		"Atelio's expansion": {expanding, "POST /api/v0.1/webhooks", `{"url":"https://example.com","events":["*"]}`, 200, `"events":["card.created"]`},
		"lemon's webhook":    {authorizing(t, lemon.Name), "POST /v1/webhooks", `{"url":"https://example.com","events":["bellwire.endpoint.failing"]}`, 400, "is not a known event type"},
		"lemon's filter":     {authorizing(t, lemon.Name), "GET /v1/events?type=bellwire.endpoint.failing", "", 400, "is not a known event type"},
		"Bluefin's webhook":  {authorizing(t, bluefin.Name), "POST /api/v4/accounts/123456789012/webhooks", `{"url":"https://example.com","event":"bellwire.endpoint.failing"}`, 422, "event must be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialecttest.New(t, c.config)
			w.PutType("card.created", service.EventTypeInput{Group: "payments"})
			prepare(t, w)
			method, path, _ := strings.Cut(c.do, " ")
			answer := w.Call("tenant", method, path, privacy, c.body)
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
		})
	}
}

// prepare puts Bellwire's own event types into the catalogue, as a server does when it starts.
func prepare(t *testing.T, w *dialecttest.World) {
	t.Helper()
	if err := w.Service.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestOperationalEventsThatAnOperatorChose stay when the vendor's API sends them back.
func TestOperationalEventsThatAnOperatorChose(t *testing.T) {
	t.Parallel()
	w := newVendor(t, atelio.Name)
	prepare(t, w)
	id := vendorAPIs[atelio.Name].make(t, w)
	if _, err := w.Native(id, service.EndpointInput{Events: &[]string{"bellwire.*", bellwire.OperationalDisabled}}); err != nil {
		t.Fatal(err)
	}
	answer := w.Call("tenant", "PATCH", "/api/v0.1/webhooks/"+id, nil, `{"events":["bellwire.*","bellwire.endpoint.disabled","card.created"]}`)
	if answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// TestEventsOfLemonAreTheVendors: the list has no operational events, although the tenant gets them.
func TestEventsOfLemonAreTheVendors(t *testing.T) {
	t.Parallel()
	w := newVendor(t, lemon.Name)
	prepare(t, w)
	if _, err := w.Service.UpdateTenant(t.Context(), dialecttest.Admin, w.Tenant, service.TenantChange{OperationalEvents: new(true)}); err != nil {
		t.Fatal(err)
	}
	vendorAPIs[lemon.Name].make(t, w)
	w.Eventually("the creation of the webhook is published", func() bool {
		events, err := w.Service.Events(t.Context(), dialecttest.Admin, bellwire.EventFilter{Tenant: w.Tenant}, bellwire.Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(events.Items) > 0 && events.Items[0].Type == bellwire.OperationalCreated
	})
	answer := w.Call("tenant", "GET", "/v1/events", privacy, "")
	if want := `{"data":[],"pagination":{"next_cursor":null}}`; strings.TrimSpace(answer.Body.String()) != want {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
