package service_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
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

// TestTrialsOfFiltersAreBounded has a tenant use up its steps for trials of filters. Trials of other tenants pass.
func TestTrialsOfFiltersAreBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme, other := e.tenant("acme"), e.tenant("other")
	list := make([]string, 100)
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	data := []byte(`{"list":[` + strings.Join(list, ",") + `]}`)
	drafts := slices.Repeat([]service.Draft{{Type: "order.created", Data: data}}, 40)
	if _, err := e.PublishBatch(t.Context(), admin, acme, drafts); err != nil {
		t.Fatal(err)
	}
	trial := service.FilterTrial{Filter: "data.list.all(a, data.list.exists(b, a == b))"}

	e.SpendTrials(acme, limits.TrialStepsBurst)
	// A trial takes a million steps, which is more than what comes back meanwhile. The first may come before the first step is back.
	for tries := 0; ; tries++ {
		tried, err := e.TryFilter(t.Context(), admin, acme, trial)
		if bellwire.CodeOf(err) == bellwire.CodeRateLimited && tries > 0 {
			break
		}
		if err != nil && tries > 0 || err == nil && tried.Matched == 0 || tries == 100 {
			t.Fatalf("trial %d: %+v, %v", tries, tried, err)
		}
	}
	e.SpendTrials(acme, 2*limits.TrialSteps)
	_, err := e.TryFilter(t.Context(), admin, acme, service.FilterTrial{Filter: "true"})
	wantCode(t, err, bellwire.CodeRateLimited, "")
	if known, ok := errors.AsType[*bellwire.Error](err); !ok || known.RetryAfter <= 0 {
		t.Errorf("the refusal does not say when to try again: %v", err)
	}
	if _, err := e.TryFilter(t.Context(), admin, other, trial); err != nil {
		t.Errorf("the trial of another tenant: %v", err)
	}
}

// TestExplanationsAreBounded explains an event to more endpoints than their costly filters leave steps for. The others' filters are
// not evaluated again.
func TestExplanationsAreBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme := e.tenant("acme")
	const endpoints = limits.ExplainSteps/limits.FilterSteps + 5
	in := minimal()
	in.Filter = new(`data["list"].all(a, !data["list"].exists(b, b == 2))`)
	for range endpoints {
		if _, _, err := e.CreateEndpoint(t.Context(), admin, acme, in); err != nil {
			t.Fatal(err)
		}
	}
	data := []byte(`{"list":[1` + strings.Repeat(",1", 1000) + `]}`)
	published, err := e.Publish(t.Context(), admin, acme, service.Draft{Type: "order.created", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	_, explained, err := e.Explain(t.Context(), admin, acme, published.Event, bellwire.Page{Limit: service.MaxPageLimit})
	if err != nil {
		t.Fatal(err)
	}
	evaluated := 0
	for _, x := range explained.Items {
		if strings.Contains(x.Reason, "too many steps") {
			evaluated++
		}
	}
	if len(explained.Items) != endpoints || evaluated == 0 || evaluated > limits.ExplainSteps/limits.FilterSteps+1 {
		t.Errorf("%d filters were evaluated again, of %d", evaluated, len(explained.Items))
	}
}
