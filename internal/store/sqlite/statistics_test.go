package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestCountPast counts a past of which nothing else is stored.
func TestCountPast(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	now := time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)
	if err := s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
	day := now.AddDate(0, 0, -1).Truncate(24 * time.Hour)
	past := slices.Repeat([]bellwire.Counted{{At: day, Tenant: "acme", Type: "x"}}, maxPast+10)
	if err := s.CountPast(t.Context(), slices.Values(past)); err != nil {
		t.Fatal(err)
	}
	if err := s.CountPast(t.Context(), slices.Values([]bellwire.Counted{{At: day, Tenant: "nobody", Type: "x"}})); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("of a tenant that does not exist: %v", err)
	}
	for moved := 1; moved > 0; {
		var err error
		if moved, err = s.RollUp(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range []string{"acme", ""} {
		rows, err := s.Statistics(t.Context(), bellwire.StatisticsFilter{Tenant: tenant, Interval: bellwire.Day, Since: day, Until: now})
		if err != nil || len(rows) != 1 || rows[0].Published != maxPast+10 || !rows[0].At.Equal(day) {
			t.Errorf("tenant %q: %v, %v", tenant, rows, err)
		}
	}
	if err := s.Backdate(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	if tenant, err := s.Tenant(t.Context(), "acme"); err != nil || !tenant.CreatedAt.Equal(day) {
		t.Errorf("the tenant was not created before its past, but is %+v (%v)", tenant, err)
	}
	if list, err := s.Events(t.Context(), bellwire.EventFilter{Tenant: "acme"}, bellwire.Page{Limit: 10}); err != nil || len(list.Items) > 0 {
		t.Errorf("%d events are stored, %v", len(list.Items), err)
	}
}
