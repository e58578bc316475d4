package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// A tenant can keep its events for less time than the server does, and not for longer.
func TestEventRetention(t *testing.T) {
	t.Parallel()
	const day = 24 * 3600.0
	e := newEnv(t, func(c *service.Config) { c.Retention = 30 * 24 * time.Hour })
	tenant := e.tenant("acme")
	set := func(seconds float64) error {
		_, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Limits: map[string]*float64{"event_retention": &seconds}})
		return err
	}
	for _, good := range []float64{1, 7 * day, 30 * day} {
		if err := set(good); err != nil {
			t.Errorf("%g seconds: %v", good, err)
		}
	}
	for _, long := range []float64{30*day + 1, 0} {
		if err := set(long); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), "limits.event_retention must be at most 720h") {
			t.Errorf("%g seconds: %v", long, err)
		}
	}
	if err := set(0.5); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), "a time between 1s and") {
		t.Errorf("half a second: %v", err)
	}
	if _, err := e.CreateTenant(t.Context(), admin, service.NewTenant{ID: "other", Limits: map[string]*float64{"event_retention": new(31 * day)}}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("a new tenant: %v", err)
	}

	// An import tells of events that the tenant does not keep.
	if err := set(7 * day); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{true, false} {
		im, err := e.BeginImport(t.Context(), admin, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		for i, age := range []time.Duration{time.Hour, 6 * 24 * time.Hour, 8 * 24 * time.Hour, 40 * 24 * time.Hour} {
			in := service.ImportedEvent{Tenant: tenant, Type: "card.paid", Key: string(rune('a' + i)), Data: []byte("1"), CreatedAt: time.Now().Add(-age)}
			if err := im.Event(t.Context(), i+1, in); err != nil {
				t.Fatal(err)
			}
		}
		report, err := im.Finish(t.Context())
		if err != nil || report.FaultCount > 0 || report.Created[service.ImportEvent] != 4 || report.PastRetention != 2 {
			t.Errorf("dry run %t: %+v, %v", dryRun, report, err)
		}
		im.End()
	}
	forever := newEnv(t)
	id := forever.tenant("acme")
	if _, err := forever.UpdateTenant(t.Context(), admin, id, service.TenantChange{Limits: map[string]*float64{"event_retention": new(900 * day)}}); err != nil {
		t.Errorf("where the server keeps all events: %v", err)
	}
}
