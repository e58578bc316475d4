package storetest

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire"
)

var auditTests = []test{
	{name: "Audit/Lists", run: listAudit},
	{name: "Audit/OutlivesTenants", run: func(w *world) {
		t := w.tenant()
		e := w.auditEntry(t.ID)
		w.check(w.store.AppendAudit(w.ctx, e))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.purge(100)
		w.equal("entries", w.audit(t.ID), []*bellwire.AuditEntry{e})
	}},
	{name: "Audit/Ends", run: func(w *world) {
		old, kept := w.auditEntry("a"), w.auditEntry("a")
		kept.ExpiresAt = old.ExpiresAt.Add(time.Microsecond)
		w.check(w.store.AppendAudit(w.ctx, old))
		w.check(w.store.AppendAudit(w.ctx, kept))
		w.equal("before its time", w.purge(100), 0)
		w.now = old.ExpiresAt
		w.equal("at its time", w.purge(100), 1)
		w.equal("entries", w.audit(""), []*bellwire.AuditEntry{kept})
	}},
	{name: "Audit/IsThereAfterACrash", need: crashes, run: func(w *world) {
		e := w.auditEntry("a")
		w.check(w.store.AppendAudit(w.ctx, e))
		w.store = w.hooks.Crash(w.t, w.store)
		w.equal("entries", w.audit(""), []*bellwire.AuditEntry{e})
	}},
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
		ID: bellwire.Next[bellwire.AuditKind](w.ids, w.now), At: w.now, Tenant: tenant,
		Key: bellwire.Next[bellwire.KeyKind](w.ids, w.now), Method: "POST", Path: "/v1/webhooks",
		Principal: w.name("service-"), Justification: "Zażalenie 17", ExpiresAt: w.now.Add(time.Hour),
	}
}

func (w *world) audit(tenant string) []*bellwire.AuditEntry {
	w.Helper()
	return pages(w, 3, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
		return w.store.AuditEntries(w.ctx, tenant, page)
	})
}

func listAudit(w *world) {
	want := map[string][]*bellwire.AuditEntry{}
	for n := range 20 {
		e := w.auditEntry([]string{"a", "b"}[n%3%2])
		w.check(w.store.AppendAudit(w.ctx, e))
		w.tick(time.Millisecond)
		want[""] = append(want[""], e)
		want[e.Tenant] = append(want[e.Tenant], e)
	}
	for _, tenant := range []string{"", "a", "b", "c"} {
		slices.Reverse(want[tenant])
		w.equal("entries of "+tenant, w.audit(tenant), want[tenant])
	}
}
