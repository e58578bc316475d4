package postgres

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Callers of one key, or of one tenant, that make sessions at the same time do not wait for each other's commits, nor for those of
// publishers. What one leaves to another is deleted with the next session.
func TestSessionsAreMadeAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{Timeout: 30 * time.Second})
	now := time.Now().UTC().Truncate(time.Microsecond)
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: now}))
	key := &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](now), Role: bellwire.RoleAdmin, CreatedAt: now}
	check(t, s.CreateKey(t.Context(), key))
	ids := new(bellwire.Sequence)
	entry := func(kind bellwire.SessionKind) *bellwire.AuditEntry {
		action := bellwire.AuditConsoleCreate
		if kind == bellwire.SessionPortal {
			action = bellwire.AuditPortalCreate
		}
		return &bellwire.AuditEntry{ID: bellwire.NewID[bellwire.AuditKind](now), At: now, LastAt: now, Count: 1, Action: action, ExpiresAt: now.Add(time.Hour)}
	}
	create := func(kind bellwire.SessionKind, tenant string) bellwire.SessionID {
		t.Helper()
		session := &bellwire.Session{
			ID: bellwire.Next[bellwire.SessionIDKind](ids, now), Kind: kind, Tenant: tenant, Key: key.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}
		ctx := bellwire.WithAudit(t.Context(), &bellwire.AuditedChange{Entry: entry(kind)})
		check(t, s.CreateSession(ctx, session, 2))
		return session.ID
	}
	for _, c := range []struct {
		kind   bellwire.SessionKind
		tenant string
	}{{bellwire.SessionConsole, ""}, {bellwire.SessionPortal, "acme"}} {
		counted := entry(c.kind)
		counted.Subject = "counted"
		check(t, s.AppendAudit(t.Context(), counted, 100)) // so that there is a row of the day
		create(c.kind, c.tenant)
		create(c.kind, c.tenant)
		other := connect(t, s.url)
		run1(t, other, `BEGIN; SELECT FROM bellwire.sessions FOR UPDATE; SELECT FROM bellwire.audit_days FOR UPDATE;
			SELECT FROM bellwire.keys FOR KEY SHARE; SELECT FROM bellwire.tenants FOR SHARE`)
		last := create(c.kind, c.tenant)
		run1(t, other, "COMMIT")
		want := []bellwire.SessionID{create(c.kind, c.tenant), last}
		list, err := s.Sessions(t.Context(), bellwire.SessionFilter{Kind: c.kind, Tenant: c.tenant, Now: now}, bellwire.Page{Limit: 10})
		check(t, err)
		if len(list.Items) != 2 || list.Items[0].ID != want[0] || list.Items[1].ID != want[1] {
			t.Errorf("%d sessions of the %s are left, want the last two", len(list.Items), c.kind)
		}
	}
}
