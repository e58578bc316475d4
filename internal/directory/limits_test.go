package directory_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
)

// The limits of a tenant are read once, without its endpoints, and again after it was forgotten. Targets carry them.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	s.tenants["acme"].Limits = map[string]float64{"endpoints": 5}
	server := *limits.Default()
	server.Keys = 7
	d := directory.New(directory.Config{
		Store: s, Keyring: plainKeyring{}, Limits: &server,
		Dialects: map[string]bellwire.Dialect{standard.Name: standard.Dialect{}},
	})
	limitsOf := func(tenant string) *bellwire.Limits {
		t.Helper()
		held, err := d.Limits(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	for range 3 {
		if held := limitsOf("acme"); held.Endpoints != 5 || held.Keys != 7 || held.TestRate != limits.TestRate.Default {
			t.Errorf("%+v", held)
		}
	}
	if n := s.reads.Load(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
	target, err := d.Target(t.Context(), "a")
	if err != nil || target.Limits != limitsOf("acme") || s.reads.Load() != 2 {
		t.Errorf("the target has %+v after %d reads, %v", target.Limits, s.reads.Load(), err)
	}
	s.mu.Lock()
	s.tenants["acme"].Limits = nil
	s.mu.Unlock()
	d.ForgetTenant("acme")
	for _, target := range mustTenant(t, d).Targets() {
		if target.Limits != limitsOf("acme") || target.Limits.Endpoints != server.Endpoints {
			t.Errorf("the target has %+v", target.Limits)
		}
	}
	if n := s.reads.Load(); n != 3 {
		t.Errorf("%d reads, want 3", n)
	}
	if _, err := d.Limits(t.Context(), "nobody"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("no tenant: %v", err)
	}
}

// Endpoints within the limits of a tenant take no more memory than MostBytes says, even if they consist of what takes most.
func TestMostBytes(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(*bellwire.Endpoint){
		"patterns":   func(ep *bellwire.Endpoint) { ep.Events = slices.Repeat([]string{"a"}, 1000) },
		"parameters": func(ep *bellwire.Endpoint) { ep.Extra = map[string]string{"a": "", "b": "", "c": ""} },
		"a URL":      func(ep *bellwire.Endpoint) { ep.URL = "https://example.com/" + strings.Repeat("x", 1000) },
		"nothing":    func(*bellwire.Endpoint) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore()
			stored := 0
			const endpoints = 50
			for i := range endpoints {
				ep := endpoint(fmt.Sprint(strings.Repeat("i", 60), i), "*")
				fill(ep)
				s.put(ep)
				events, err := json.Marshal(ep.Events)
				if err != nil {
					t.Fatal(err)
				}
				extra, err := json.Marshal(ep.Extra)
				if err != nil {
					t.Fatal(err)
				}
				stored += len(ep.URL) + len(ep.Sealed) + len(events) + len(extra)
			}
			tenant := mustTenant(t, newDirectory(s))
			held := &bellwire.Limits{Endpoints: endpoints, ConfigurationBytes: stored}
			if most := directory.MostBytes(held); tenant.Bytes() > most {
				t.Errorf("%d bytes, and at most %d are expected", tenant.Bytes(), most)
			}
		})
	}
	if most := directory.MostBytes(limits.Default()); most > limits.TenantConfiguration {
		t.Errorf("the default limits allow %d bytes, and the share of a tenant is %d", most, limits.TenantConfiguration)
	}
}
