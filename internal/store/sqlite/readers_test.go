package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// TestListsDelayNothingElse keeps all connections for lists busy. Keys and the configuration can still be read, due
// deliveries are claimed, and readiness and metrics are answered.
func TestListsDelayNothingElse(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	key := &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](time.Now()), Tenant: "acme"}
	check(t, s.CreateKey(t.Context(), key))
	leases, err := s.RenewLeases(t.Context(), "node")
	check(t, err)
	busy := s.lists.all()
	defer s.lists.release(busy)

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = s.Deliveries(short, bellwire.DeliveryFilter{Tenant: "acme"}, bellwire.Page{Limit: 1})
	refused(t, err, bellwire.CodeUnavailable, "in time")
	for name, read := range map[string]func() error{
		"a key":             func() error { _, err := s.Key(t.Context(), key.ID); return err },
		"a tenant":          func() error { _, err := s.Tenant(t.Context(), "acme"); return err },
		"its configuration": func() error { _, _, err := s.TenantEndpoints(t.Context(), "acme"); return err },
		"the catalogue":     func() error { _, err := s.CatalogueSince(t.Context(), 0); return err },
		"readiness":         func() error { return s.Check(t.Context()) },
		"metrics":           func() error { _, err := s.Backlog(t.Context()); return err },
		"what is due":       func() error { _, err := storetest.DueEndpoints(t.Context(), s, leases); return err },
		"retention":         func() error { _, err := s.Purge(t.Context(), time.Now(), time.Now(), 10); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := read(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
