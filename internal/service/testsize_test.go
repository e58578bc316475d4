package service_test

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// A test is an event that is stored: with a large example there are fewer of them than with a small one.
func TestTestsOfLargeExamplesAreFewer(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("large", service.EventTypeInput{Example: []byte(`"` + strings.Repeat("x", 100<<10) + `"`)})
	tenant := e.limited("acme", map[string]float64{"test_rate": 0.001})
	ask := func(tenant, eventType string) error {
		t.Helper()
		ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, service.EndpointInput{URL: new("https://example.com"), Events: &[]string{eventType}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.TestEndpoint(t.Context(), admin, tenant, ep.ID, "")
		return err
	}
	if err := ask(tenant, "large"); err != nil {
		t.Errorf("one is always possible: %v", err)
	}
	few := e.limited("few", map[string]float64{"test_rate": 1}) // six at once
	made, err := 0, error(nil)
	for err = ask(few, "large"); err == nil; err = ask(few, "large") {
		made++
	}
	wantCode(t, err, bellwire.CodeRateLimited, "")
	if made < 1 || made > 3 { // some time may pass meanwhile
		t.Errorf("%d tests of 100 KiB were made at once", made)
	}
	small := e.limited("small", map[string]float64{"test_rate": 1})
	for n := range 6 {
		if err := ask(small, "order.created"); err != nil {
			t.Errorf("small test %d: %v", n, err)
		}
	}
}
