package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var auditTests = []test{
	{name: "Audit/Lists", run: listAudit},
	{name: "Audit/CountsEqualRequestsOfAMinute", run: countAudit},
	{name: "Audit/HasABoundForEachTenantAndDay", run: boundAudit},
	{name: "Audit/OutlivesTenants", run: func(w *world) {
		t := w.tenant()
		e := w.auditEntry(t.ID)
		w.check(w.store.AppendAudit(w.ctx, e, 0))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.purge(100)
		w.equal("entries", w.audit(t.ID), []*bellwire.AuditEntry{e})
	}},
	{name: "Audit/Ends", run: func(w *world) {
		old, kept := w.auditEntry("a"), w.auditEntry("a")
		kept.ExpiresAt = old.ExpiresAt.Add(time.Microsecond)
		w.check(w.store.AppendAudit(w.ctx, old, 0))
		w.check(w.store.AppendAudit(w.ctx, kept, 0))
		w.equal("before its time", w.purge(100), 0)
		w.now = old.ExpiresAt
		w.equal("at its time", w.purge(100), 1)
		w.equal("entries", w.audit(""), []*bellwire.AuditEntry{kept})
	}},
	{name: "Audit/IsThereAfterACrash", need: crashes, run: func(w *world) {
		e := w.auditEntry("a")
		w.check(w.store.AppendAudit(w.ctx, e, 0))
		w.store = w.hooks.Crash(w.t, w.store)
		w.equal("entries", w.audit(""), []*bellwire.AuditEntry{e})
	}},
	{name: "Audit/HasChanges", run: auditChanges},
	{name: "Audit/BoundsKindsApart", run: boundAuditShares},
	{name: "Nonces/AreUsedOnce", run: func(w *world) {
		key, other := w.newKey(""), w.newKey("")
		until := w.now.Add(time.Minute)
		w.check(w.store.UseNonce(w.ctx, key.ID, "n", until))
		w.refused(w.store.UseNonce(w.ctx, key.ID, "n", until.Add(time.Hour)), bellwire.CodeConflict)
		w.check(w.store.UseNonce(w.ctx, key.ID, "N", until))
		w.check(w.store.UseNonce(w.ctx, other.ID, "n", until))
		w.equal("before its time", w.purge(100), 0)
		w.refused(w.store.UseNonce(w.ctx, key.ID, "n", until), bellwire.CodeConflict)
		w.now = until
		w.equal("at its time", w.purge(2), 3)
		w.check(w.store.UseNonce(w.ctx, key.ID, "n", until))
	}},
	{name: "Nonces/AreUsedOnceAcrossRestarts", need: reopens, run: func(w *world) {
		key := w.newKey("")
		w.check(w.store.UseNonce(w.ctx, key.ID, "n", w.now.Add(time.Minute)))
		w.reopen()
		w.refused(w.store.UseNonce(w.ctx, key.ID, "n", w.now.Add(time.Minute)), bellwire.CodeConflict)
	}},
}

func (w *world) auditEntry(tenant string) *bellwire.AuditEntry {
	return &bellwire.AuditEntry{
		ID: bellwire.Next[bellwire.AuditKind](w.ids, w.now), At: w.now, LastAt: w.now, Count: 1, Tenant: tenant,
		Key: bellwire.Next[bellwire.KeyKind](w.ids, w.now), Method: "POST", Path: "/v1/webhooks",
		Principal: w.name("service-"), Justification: "Zażalenie 17", ExpiresAt: w.now.Add(time.Hour),
	}
}

func (w *world) audit(tenant string) []*bellwire.AuditEntry {
	w.Helper()
	return pages(w, 3, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
		return w.store.AuditEntries(w.ctx, bellwire.AuditFilter{Tenant: tenant}, page)
	})
}

func listAudit(w *world) {
	want := map[string][]*bellwire.AuditEntry{}
	for n := range 20 {
		e := w.auditEntry([]string{"a", "b"}[n%3%2])
		w.check(w.store.AppendAudit(w.ctx, e, 0))
		w.tick(time.Millisecond)
		want[""] = append(want[""], e)
		want[e.Tenant] = append(want[e.Tenant], e)
	}
	for _, tenant := range []string{"", "a", "b", "c"} {
		slices.Reverse(want[tenant])
		w.equal("entries of "+tenant, w.audit(tenant), want[tenant])
	}
}

// Requests that differ in nothing but their time are one entry for a minute, and any other is one of its own.
func countAudit(w *world) {
	w.now = w.now.Truncate(time.Minute)
	first := w.auditEntry("a")
	again := func(change func(*bellwire.AuditEntry)) *bellwire.AuditEntry {
		e := *first
		e.ID, e.At, e.LastAt = bellwire.Next[bellwire.AuditKind](w.ids, w.now), w.now, w.now
		change(&e)
		w.check(w.store.AppendAudit(w.ctx, &e, 3))
		return &e
	}
	same := func(*bellwire.AuditEntry) {}
	again(same)
	for range 5 {
		w.tick(10 * time.Second)
		again(same)
	}
	want := *first
	want.Count, want.LastAt = 6, w.now
	counted := w.audit("a")
	want.ID = counted[0].ID
	w.equal("entries", counted, []*bellwire.AuditEntry{&want})

	w.tick(10 * time.Second)
	next := again(same)
	w.equal("in the next minute", w.audit("a"), []*bellwire.AuditEntry{next, &want})
	entries, key := 2, bellwire.Next[bellwire.KeyKind](w.ids, w.now)
	for _, change := range []func(*bellwire.AuditEntry){
		func(e *bellwire.AuditEntry) { e.Tenant = "b" },
		func(e *bellwire.AuditEntry) { e.Tenant, e.Key = "c", key },
		func(e *bellwire.AuditEntry) { e.Tenant, e.Method = "d", "GET" },
		func(e *bellwire.AuditEntry) { e.Tenant, e.Path = "d", e.Path+"/"+e.Principal },
		func(e *bellwire.AuditEntry) { e.Tenant, e.Principal = "d", e.Justification+"x" },
		func(e *bellwire.AuditEntry) { e.Tenant, e.Justification = "e", "x"+e.Justification },
	} {
		again(change)
		again(change)
		entries++
		w.equal("entries", len(w.audit("")), entries)
		w.equal("the count", w.audit("")[0].Count, 2)
	}
}

// A tenant has so many new entries a day and no more; counting goes on, and others are not concerned.
func boundAudit(w *world) {
	const perDay = 3
	w.now = w.now.Truncate(24 * time.Hour).Add(time.Hour)
	var first *bellwire.AuditEntry
	for n := range perDay {
		e := w.auditEntry("a")
		w.check(w.store.AppendAudit(w.ctx, e, perDay))
		if n == 0 {
			first = e
		}
	}
	refused := w.store.AppendAudit(w.ctx, w.auditEntry("a"), perDay)
	w.refused(refused, bellwire.CodeRateLimited)
	var known *bellwire.Error
	if errors.As(refused, &known) {
		w.equal("when there is room again", known.RetryAfter, 23*time.Hour)
	}
	w.check(w.store.AppendAudit(w.ctx, first, perDay))
	w.equal("entries", len(w.audit("a")), perDay)
	w.check(w.store.AppendAudit(w.ctx, w.auditEntry("b"), perDay))
	w.check(w.store.AppendAudit(w.ctx, w.auditEntry("a"), perDay+1))
	w.refused(w.store.AppendAudit(w.ctx, w.auditEntry("a"), perDay+1), bellwire.CodeRateLimited)

	w.tick(24 * time.Hour)
	w.equal("what is purged of entries and of yesterday's counts", w.purge(100), perDay+2)
	w.check(w.store.AppendAudit(w.ctx, w.auditEntry("a"), perDay))
	w.tick(24 * time.Hour)
	w.equal("a day later, the entry and two counts of two days before", w.purge(100), 3)
}

// Each kind of entries has a bound of its own.
func boundAuditShares(w *world) {
	w.now = w.now.Truncate(24 * time.Hour).Add(time.Hour)
	var want []*bellwire.AuditEntry
	for _, e := range []bellwire.AuditEntry{
		{}, {Refused: bellwire.CodeForbidden}, {Action: bellwire.AuditTest, Subject: "ep_1"}, {Action: "tenant.update", Subject: "a"},
	} {
		for range 2 {
			entry := w.auditEntry("a")
			entry.Action, entry.Subject, entry.Refused = e.Action, e.Subject, e.Refused
			entry.Actor = bellwire.Actor{Kind: bellwire.ActorKey, Key: entry.Key, Origin: bellwire.Origin{Address: "192.0.2.1"}}
			err := w.store.AppendAudit(w.ctx, entry, 1)
			if len(want) > 0 && want[0].Share() == entry.Share() {
				w.refused(err, bellwire.CodeRateLimited)
				continue
			}
			w.check(err)
			want = slices.Insert(want, 0, entry)
			w.tick(time.Minute)
		}
	}
	w.equal("entries", w.audit("a"), want)
	w.check(w.store.AppendAudit(w.ctx, want[1], 1))
	want[1].Count++
	want[1].LastAt = want[1].At
	w.equal("with an equal one", w.audit("a"), want)
}

// A change and its entry are stored together. Beyond the bound of a day there is no entry, and the change is made all the same.
func auditChanges(w *world) {
	w.now = w.now.Truncate(24 * time.Hour).Add(time.Hour)
	var want []*bellwire.AuditEntry
	keys := []*bellwire.Key{w.newKey(""), w.newKey(""), w.newKey("")}
	for i, key := range keys {
		e := w.auditEntry("a")
		e.Action, e.Subject, e.Actor = "key.create", key.ID.String(), bellwire.Actor{Kind: bellwire.ActorConfigured, Role: bellwire.RoleAdmin}
		e.After = []byte(`{"name":"n"}`)
		w.check(w.store.CreateKey(bellwire.WithAudit(w.ctx, &bellwire.AuditedChange{Entry: e, PerDay: 2}), key))
		if i < 2 {
			want = append(want, e)
		}
		w.tick(time.Minute)
	}
	refused := &bellwire.AuditedChange{Entry: w.auditEntry("a")}
	w.refused(w.store.CreateKey(bellwire.WithAudit(w.ctx, refused), keys[0]), bellwire.CodeConflict)
	slices.Reverse(want)
	w.equal("entries", w.audit("a"), want)
	_, err := w.store.Key(w.ctx, keys[2].ID)
	w.check(err)
	for _, c := range []struct {
		name string
		f    bellwire.AuditFilter
		want []*bellwire.AuditEntry
	}{
		{"since", bellwire.AuditFilter{Since: want[0].At}, want[:1]},
		{"until", bellwire.AuditFilter{Until: want[0].At}, want[1:]},
		{"key", bellwire.AuditFilter{Key: want[1].Key}, want[1:]},
		{"tenant and key", bellwire.AuditFilter{Tenant: "a", Key: want[0].Key}, want[:1]},
		{"another tenant", bellwire.AuditFilter{Tenant: "b", Key: want[0].Key}, nil},
	} {
		w.equal(c.name, pages(w, 1, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
			return w.store.AuditEntries(w.ctx, c.f, page)
		}), c.want)
	}
}
