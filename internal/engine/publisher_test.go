package engine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// checks counts how often events are checked, and against a catalogue that was read again or not.
type checks []bool

func (c *checks) Check(_ context.Context, again bool) (int64, error) {
	*c = append(*c, again)
	return 7, nil
}

// Only the configuration that the store reports as stale is read again, and the publish then uses it.
func TestStaleAppendsAreRepeated(t *testing.T) {
	tenant, catalogue := bellwire.Stale{Tenant: true}, bellwire.Stale{Catalogue: true}
	both := bellwire.Stale{Tenant: true, Catalogue: true}
	cases := map[string]struct {
		stale  []bellwire.Stale // what the store finds, append by append
		checks checks
		free   []bellwire.Stale // what each append does not depend on
		code   bellwire.Code
	}{
		"nothing":                       {nil, checks{false}, []bellwire.Stale{{}}, ""},
		"the tenant":                    {[]bellwire.Stale{tenant}, checks{false}, []bellwire.Stale{{}, tenant}, ""},
		"the catalogue":                 {[]bellwire.Stale{catalogue}, checks{false, true}, []bellwire.Stale{{}, catalogue}, ""},
		"both at once":                  {[]bellwire.Stale{both}, checks{false, true}, []bellwire.Stale{{}, both}, ""},
		"one after the other":           {[]bellwire.Stale{catalogue, tenant}, checks{false, true}, []bellwire.Stale{{}, catalogue, both}, ""},
		"a store to which all is stale": {[]bellwire.Stale{tenant, tenant, tenant}, checks{false}, []bellwire.Stale{{}, tenant}, bellwire.CodeStale},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.endpoint("a")
				var (
					free   []bellwire.Stale
					called checks
					f      = w.withFaults()
				)
				f.append = func(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
					a, n := appends[0], len(free)
					free = append(free, bellwire.Stale{Tenant: a.TenantRevision == 0, Catalogue: a.OperatorRevision == 0})
					if n < len(c.stale) {
						return []bellwire.AppendResult{{Err: bellwire.Errorf(bellwire.CodeStale, "stale"), Stale: c.stale[n]}}, nil
					}
					a.OperatorRevision = 0 // the catalogue of the test is not in the store
					return f.Store.AppendEvents(ctx, appends)
				}
				_, err := w.engine.Publish(t.Context(), &engine.Publication{
					Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}, Checks: &called,
				})
				if code := bellwire.CodeOf(err); code != c.code {
					t.Errorf("code %q, want %q", code, c.code)
				}
				if diff := cmp.Diff(c.checks, called); diff != "" {
					t.Error("checks (-want +got):", diff)
				}
				if diff := cmp.Diff(c.free, free); diff != "" {
					t.Error("what appends do not depend on (-want +got):", diff)
				}
			})
		})
	}
}
