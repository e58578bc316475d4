package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestFiltersAreCheckedWhenTheyOrTheEventsChange(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme := e.tenant("acme")
	e.putType("order.closed", service.EventTypeInput{Schema: []byte(`{"type": "object", "properties": {"reason": {"type": "string"}}}`)})
	in := minimal()
	in.Events, in.Filter = &[]string{"order.created"}, new("data.amount > 100")
	ep, _, err := e.CreateEndpoint(t.Context(), admin, acme, in)
	if err != nil {
		t.Fatal(err)
	}
	if ep.Filter != "data.amount > 100" || ep.OnError != bellwire.OnErrorDeliver {
		t.Errorf("created with %q and %q", ep.Filter, ep.OnError)
	}
	change := func(in service.EndpointInput) error {
		changed, err := e.UpdateEndpoint(t.Context(), admin, acme, ep.ID, in)
		if err == nil {
			ep = changed
		}
		return err
	}
	wantCode(t, change(service.EndpointInput{Events: &[]string{"order.*"}}), bellwire.CodeInvalid, "filter")
	wantCode(t, change(service.EndpointInput{Filter: new("data.reason == 'lost'")}), bellwire.CodeInvalid, "filter")
	wantCode(t, change(service.EndpointInput{Events: &[]string{"order.closed"}, Filter: new("data.reason == 'lost'")}), "", "")

	e.putType("order.closed", service.EventTypeInput{Schema: []byte(`{"type": "object", "properties": {"cause": {"type": "string"}}}`)})
	wantCode(t, change(service.EndpointInput{Description: new("A filter that no longer fits stays.")}), "", "")
	wantCode(t, change(service.EndpointInput{Filter: new(ep.Filter)}), "", "")
	wantCode(t, change(service.EndpointInput{Events: &[]string{"order.closed"}}), bellwire.CodeInvalid, "filter")
	wantCode(t, change(service.EndpointInput{Filter: new(""), OnError: new(bellwire.OnErrorSkip)}), "", "")
	if ep.Filter != "" || ep.OnError != bellwire.OnErrorSkip {
		t.Errorf("changed to %q and %q", ep.Filter, ep.OnError)
	}
}

func TestFiltersOfATenantAreBoundedInMemory(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme := e.limited("acme", map[string]float64{"configuration_bytes": 256 << 10})
	large := func(i int) *string {
		return new(fmt.Sprintf(`data.amount == %d || `, i) + strings.Repeat(`data["a"] == 1 || `, 60) + `data["b"].matches("x{200}")`)
	}
	in := minimal()
	var err error
	for i := range 100 {
		in.Filter = large(i)
		if _, _, err = e.CreateEndpoint(t.Context(), admin, acme, in); err != nil {
			break
		}
	}
	wantCode(t, err, bellwire.CodeConflict, "")
	in.Filter = large(0)
	if _, _, err := e.CreateEndpoint(t.Context(), admin, acme, in); err != nil {
		t.Errorf("an endpoint with the filter of another: %v", err)
	}
	in.Filter = nil
	if _, _, err := e.CreateEndpoint(t.Context(), admin, acme, in); err != nil {
		t.Errorf("an endpoint without a filter: %v", err)
	}
}
