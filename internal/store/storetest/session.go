package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var sessionTests = []test{
	{name: "Sessions/AreKept", run: func(w *world) {
		t := w.tenant()
		for _, want := range []*bellwire.Session{w.newSession(t.ID), w.newSession("")} {
			w.check(w.store.CreateSession(w.ctx, want, 10))
			got, err := w.store.Session(w.ctx, want.ID)
			w.check(err)
			w.equal("the session", got, want)
		}
		_, err := w.store.Session(w.ctx, bellwire.NewID[bellwire.SessionIDKind](w.now))
		w.refused(err, bellwire.CodeNotFound)
		w.refused(w.store.CreateSession(w.ctx, w.newSession("nobody"), 10), bellwire.CodeNotFound)
		orphan := w.newSession("")
		orphan.Key = bellwire.Next[bellwire.KeyKind](w.ids, w.now)
		w.refused(w.store.CreateSession(w.ctx, orphan, 10), bellwire.CodeNotFound)
	}},
	{name: "Sessions/AreExchangedOnce", run: func(w *world) {
		s := w.newSession(w.tenant().ID)
		w.check(w.store.CreateSession(w.ctx, s, 10))
		x := &bellwire.Exchange{
			Session: s.ID, Kind: s.Kind, Code: s.Code, Token: [32]byte{3}, At: w.now.Add(time.Minute), Address: "192.0.2.1", UserAgent: "a browser",
		}
		for name, change := range map[string]func(*bellwire.Exchange){
			"another code":    func(x *bellwire.Exchange) { x.Code[0]++ },
			"no code":         func(x *bellwire.Exchange) { x.Code = [32]byte{} },
			"another kind":    func(x *bellwire.Exchange) { x.Kind = bellwire.SessionConsole },
			"another session": func(x *bellwire.Exchange) { x.Session[15]++ },
			"too late":        func(x *bellwire.Exchange) { x.At = s.CodeExpiresAt },
		} {
			wrong := *x
			change(&wrong)
			if _, err := w.store.ExchangeSession(w.ctx, &wrong); bellwire.CodeOf(err) != bellwire.CodeNotFound {
				w.Errorf("%s: %v", name, err)
			}
		}
		got, err := w.store.ExchangeSession(w.ctx, x)
		w.check(err)
		s.Token, s.Address, s.UserAgent, s.LastUsedAt = x.Token, x.Address, x.UserAgent, x.At
		w.equal("the session", got, s)
		_, err = w.store.ExchangeSession(w.ctx, x)
		w.refused(err, bellwire.CodeConflict)
		got, err = w.store.Session(w.ctx, s.ID)
		w.check(err)
		w.equal("the session, read again", got, s)
	}},
	{name: "Sessions/EndWithTheirKeyAndTenant", run: func(w *world) {
		t := w.tenant()
		key := w.newKey("")
		w.check(w.store.CreateKey(w.ctx, key))
		for _, tenant := range []string{"", t.ID} {
			s := w.newSession(tenant)
			s.Key = key.ID
			w.check(w.store.CreateSession(w.ctx, s, 10))
		}
		other := w.newSession(t.ID)
		w.check(w.store.CreateSession(w.ctx, other, 10))
		w.check(w.store.DeleteKey(w.ctx, "", key.ID))
		w.equal("sessions of the console", w.sessions(""), []bellwire.SessionID{})
		w.equal("sessions of the tenant", w.sessions(t.ID), []bellwire.SessionID{other.ID})
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		_, err := w.store.Session(w.ctx, other.ID)
		w.refused(err, bellwire.CodeNotFound)
		_, err = w.store.ExchangeSession(w.ctx, &bellwire.Exchange{Session: other.ID, Kind: other.Kind, Code: other.Code, At: w.now})
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Sessions/AreBoundedAndListed", run: func(w *world) {
		t, u := w.tenant(), w.tenant()
		var made, console []bellwire.SessionID
		for range 4 {
			w.tick(time.Second)
			s, c := w.newSession(t.ID), w.newSession("")
			w.check(w.store.CreateSession(w.ctx, s, 3))
			w.check(w.store.CreateSession(w.ctx, c, 2))
			made, console = append([]bellwire.SessionID{s.ID}, made...), append([]bellwire.SessionID{c.ID}, console...)
		}
		alone := w.newSession(u.ID)
		w.check(w.store.CreateSession(w.ctx, alone, 3))
		w.equal("sessions of the tenant", w.sessions(t.ID), made[:3])
		w.equal("sessions of the console", w.sessions(""), console[:2])
		w.equal("sessions of another tenant", w.sessions(u.ID), []bellwire.SessionID{alone.ID})
		page, err := w.store.Sessions(w.ctx, bellwire.SessionFilter{Kind: bellwire.SessionPortal, Tenant: t.ID, Now: w.now}, bellwire.Page{Limit: 2})
		w.check(err)
		next, err := w.store.Sessions(w.ctx, bellwire.SessionFilter{Kind: bellwire.SessionPortal, Tenant: t.ID, Now: w.now}, bellwire.Page{Limit: 2, After: page.Next})
		w.check(err)
		if len(page.Items) != 2 || len(next.Items) != 1 || next.Next != "" {
			w.Errorf("pages of %d and %d", len(page.Items), len(next.Items))
		}
		w.refused(w.store.DeleteSession(w.ctx, bellwire.SessionPortal, u.ID, made[0]), bellwire.CodeNotFound)
		w.refused(w.store.DeleteSession(w.ctx, bellwire.SessionConsole, "", made[0]), bellwire.CodeNotFound)
		w.check(w.store.DeleteSession(w.ctx, bellwire.SessionPortal, t.ID, made[0]))
		w.refused(w.store.DeleteSession(w.ctx, bellwire.SessionPortal, t.ID, made[0]), bellwire.CodeNotFound)
		w.check(w.store.DeleteSession(w.ctx, bellwire.SessionConsole, "", console[0]))
		w.equal("what is left", append(w.sessions(t.ID), w.sessions("")...), []bellwire.SessionID{made[1], made[2], console[1]})

		w.tick(2 * time.Hour)
		w.equal("expired sessions", w.sessions(t.ID), []bellwire.SessionID{})
		for w.purge(10) > 0 {
		}
		_, err = w.store.Session(w.ctx, alone.ID)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Sessions/HaveALastUse", run: func(w *world) {
		s, missing := w.newSession(""), w.newSession("")
		w.check(w.store.CreateSession(w.ctx, s, 10))
		for _, at := range []time.Duration{time.Minute, 0} {
			w.check(w.store.StoreSessionUses(w.ctx, map[bellwire.SessionID]time.Time{s.ID: w.now.Add(at), missing.ID: w.now}))
		}
		s.LastUsedAt = w.now.Add(time.Minute)
		got, err := w.store.Session(w.ctx, s.ID)
		w.check(err)
		w.equal("the session", got, s)
	}},
}

// newSession returns a session that waits for its exchange: of a tenant's portal, or of the console.
func (w *world) newSession(tenant string) *bellwire.Session {
	s := &bellwire.Session{
		ID: bellwire.Next[bellwire.SessionIDKind](w.ids, w.now), Kind: bellwire.SessionPortal, Tenant: tenant, KeyCheck: []byte{4, 2},
		Capabilities: bellwire.CanView | bellwire.CanTest, Origins: []string{"https://a.example", "https://b.example:8443"},
		Theme: bellwire.Theme{Accent: "#4f46e5", Mode: "dark"}, Code: [32]byte{1, 31: 2}, CodeExpiresAt: w.now.Add(10 * time.Minute),
		CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour),
	}
	if tenant == "" {
		s.Kind, s.Role, s.Capabilities = bellwire.SessionConsole, bellwire.RoleAdmin, 0
	}
	return s
}

// sessions lists the sessions of a tenant's portal, or of the console.
func (w *world) sessions(tenant string) (ids []bellwire.SessionID) {
	w.Helper()
	f := bellwire.SessionFilter{Kind: bellwire.SessionPortal, Tenant: tenant, Now: w.now}
	if tenant == "" {
		f.Kind = bellwire.SessionConsole
	}
	list, err := w.store.Sessions(w.ctx, f, bellwire.Page{Limit: 100})
	w.check(err)
	for _, s := range list.Items {
		ids = append(ids, s.ID)
	}
	return ids
}

// useSessions calls each verb of sessions.
func useSessions(w *world, tenant string) {
	for _, of := range []string{"", tenant} {
		s := w.newSession(of)
		w.check(w.store.CreateSession(w.ctx, s, 1))
		_, err := w.store.ExchangeSession(w.ctx, &bellwire.Exchange{Session: s.ID, Kind: s.Kind, Code: s.Code, Token: [32]byte{1}, At: w.now})
		w.check(err)
		w.check(w.store.StoreSessionUses(w.ctx, map[bellwire.SessionID]time.Time{s.ID: w.now}))
		w.sessions(of)
		w.check(w.store.DeleteSession(w.ctx, s.Kind, of, s.ID))
	}
}
