package storetest

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// CheckNewColumns reads what migrations have added to rows of the tenant "acme" that were written before version 15: of two
// endpoints, which are named as their dialects, of a delivery, of a test, of a key, and of an entry of the audit log.
func CheckNewColumns(t *testing.T, s bellwire.Store, delivered, tested bellwire.DeliveryID, key bellwire.KeyID) {
	t.Helper()
	for id, timeout := range map[string]time.Duration{"standard": 15 * time.Second, "lemon": 10 * time.Second} {
		ep, err := s.Endpoint(t.Context(), id)
		checkMigrated(t, err)
		if ep.Filter != "" || ep.OnError != bellwire.OnErrorDeliver || ep.Timeout != timeout || ep.AutoDisableAfter != bellwire.DefaultAutoDisableAfter {
			t.Errorf("%s is %+v", id, ep)
		}
		health, err := s.Health(t.Context(), []string{id}, 10)
		checkMigrated(t, err)
		if h := health[0].Health; h != (bellwire.Health{State: bellwire.HealthHealthy}) {
			t.Errorf("the health of %s is %+v", id, h)
		}
	}
	for _, id := range []bellwire.DeliveryID{delivered, tested} {
		d, err := s.Delivery(t.Context(), "acme", id)
		checkMigrated(t, err)
		if d.Status != bellwire.DeliveryExhausted || !d.Job.IsZero() {
			t.Errorf("the delivery is %+v", d)
		}
	}
	n, err := s.CountSelected(t.Context(), &bellwire.Selection{
		Tenant: "acme", Endpoint: "standard", Before: bellwire.FirstID[bellwire.EventKind](time.Now()), Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryExhausted},
	})
	checkMigrated(t, err)
	if n != 1 {
		t.Errorf("a replay would be about %d events, want the one that is no test", n)
	}
	k, err := s.Key(t.Context(), key)
	checkMigrated(t, err)
	if !k.ExpiresAt.IsZero() || !k.LastUsedAt.IsZero() {
		t.Errorf("the key is %+v", k)
	}
	types, err := s.CatalogueSince(t.Context(), 0)
	checkMigrated(t, err)
	if len(types.Changed) != 1 || types.Changed[0].Name != "a" {
		t.Errorf("the event types are %+v", types)
	}
	entries, err := s.AuditEntries(t.Context(), bellwire.AuditFilter{Tenant: "acme"}, bellwire.Page{Limit: 2})
	checkMigrated(t, err)
	if len(entries.Items) != 1 {
		t.Fatalf("%d entries of the audit log", len(entries.Items))
	}
	e := entries.Items[0]
	if e.Principal != "jane" || e.Key != key || e.Count != 1 || e.Action != "" || e.Subject != "" || e.Refused != "" || e.Actor != (bellwire.Actor{}) || len(e.Before)+len(e.After) > 0 {
		t.Errorf("the entry of the audit log is %+v", e)
	}
	events, err := s.Events(t.Context(), bellwire.EventFilter{Tenant: "acme"}, bellwire.Page{Limit: 10})
	checkMigrated(t, err)
	for _, event := range events.Items {
		if event.Erased != nil || len(event.Data) == 0 {
			t.Errorf("the event is %+v", event)
		}
	}
}

func checkMigrated(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
