package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var planTests = []test{
	{name: "Verbs", run: useAll},
	{name: "Plans", need: func(h Hooks) bool { return h.Plans != nil }, run: func(w *world) {
		useAll(w)
		w.hooks.Plans(w.t, w.store)
	}},
}

// UseAll calls each verb of an empty store.
func UseAll(t *testing.T, s bellwire.Store) { useAll(newWorld(t, s, Hooks{})) }

// useAll calls each verb, so that a store has prepared all its statements.
func useAll(w *world) {
	t := w.tenant()
	plain, ordered := w.endpoint(t), w.endpoint(t, fifo)
	key := w.newKey(t.ID)
	w.check(w.store.CreateKey(w.ctx, key))
	w.check(w.store.CreateKey(w.ctx, w.newKey("")))
	_, err := w.store.KeyByHash(w.ctx, key.Hash)
	w.check(err)
	_, err = w.store.Key(w.ctx, key.ID)
	w.check(err)
	w.check(w.store.StoreKeyUses(w.ctx, map[bellwire.KeyID]time.Time{key.ID: w.now}))
	w.check(w.store.UpdateTenant(w.ctx, w.reread(t)))
	w.check(w.store.UpdateEndpoint(w.ctx, plain, bellwire.ChangeNote{}))
	_, err = w.store.PutEventType(w.ctx, &bellwire.EventType{Name: "a"})
	w.check(err)
	_, err = w.store.EventType(w.ctx, "a")
	w.check(err)
	_, err = w.store.VersionReaders(w.ctx, "a")
	w.check(err)
	w.refused(w.store.ReplaceEventType(w.ctx, &bellwire.EventType{Name: "a"}), bellwire.CodeStale)
	w.catalogue(w.catalogue(0).Revision)
	_, _, err = w.store.TenantEndpoints(w.ctx, t.ID)
	w.check(err)
	_, err = w.store.Usage(w.ctx, t.ID)
	w.check(err)
	_, err = w.store.CountEvents(w.ctx, t.ID, 10)
	w.check(err)
	for _, since := range []int64{0, t.Revision} {
		_, err = w.store.EndpointsSince(w.ctx, t.ID, since)
		w.check(err)
	}
	_, err = w.store.Digests(w.ctx, t.ID, []string{"k"})
	w.check(err)

	e := w.keyed(w.event(t.ID, plain, ordered), "k", 1)
	w.append(together(e))
	w.append(together(e))
	w.request(plain, e.Deliveries[0].ID)
	for _, ep := range []*bellwire.Endpoint{plain, ordered} {
		d := w.claim(ep, 10).Due[0].Delivery
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch}, {Delivery: d.ID, Epoch: d.Epoch, Manual: true}}))
		d = w.take(ep)
		r := w.result(d, retryIn(0))
		r.Disable, r.EndpointRevision = true, ep.Revision
		third := w.result(d, bellwire.Transition{})
		third.WholeAttempts = 2
		third.Health.Kind = bellwire.HealthCounts
		r.Health.Kind = bellwire.HealthSeen
		w.record(r, w.result(d, bellwire.Transition{}), third)
	}
	useJobs(w)
	useBulkJobs(w)
	useKeys(w)
	useOperational(w)
	useAlerts(w)
	useImports(w)
	w.append(together(w.wide(t.ID, plain, ordered)))
	w.append(together(w.event(t.ID, ordered)))
	w.fanOut(1)
	w.fanOut(10)
	w.due(plain.ID)
	w.backlog()
	_, err = w.store.CancelDelivery(w.ctx, t.ID, e.Deliveries[0].ID, "", w.now)
	w.check(err)
	_, err = w.store.ExhaustTooOld(w.ctx, w.now, w.tooOld(plain, 10))
	w.check(err)
	delayed := w.event(t.ID, plain, ordered)
	delayed.Event.DeliverAt, delayed.Event.ExpiresAt = w.now.Add(time.Hour), w.now.Add(time.Hour)
	delayed.Deliveries[1].Ordered = false
	w.append(together(delayed))
	w.now = delayed.Event.ExpiresAt
	w.endExpired(10)
	w.disable(ordered)
	_, err = w.store.CancelOpen(w.ctx, ordered.ID, "", w.now, 10)
	w.check(err)

	page := bellwire.Page{Limit: 10}
	for _, f := range deliveryFilters(t.ID, []*bellwire.Endpoint{plain, ordered, plain}, e.Event.ID) {
		_, err := w.store.Deliveries(w.ctx, f, page)
		w.check(err)
	}
	_, err = w.store.AllDeliveries(w.ctx, page)
	w.check(err)
	_, err = w.store.LastAttempts(w.ctx, []bellwire.DeliveryID{e.Deliveries[0].ID})
	w.check(err)
	for _, name := range []string{"", "a"} {
		f := bellwire.EventFilter{Tenant: t.ID, Type: name, Since: w.now, Until: w.now.Add(time.Hour)}
		_, err := w.store.Events(w.ctx, f, page)
		w.check(err)
		f.OldestFirst = true
		_, err = w.store.Events(w.ctx, f, page)
		w.check(err)
	}
	_, err = w.store.AllEvents(w.ctx, bellwire.EventFilter{}, false, page)
	w.check(err)
	_, err = w.store.EventsByKey(w.ctx, "k", false, page)
	w.check(err)
	for _, tenant := range []string{"", t.ID} {
		_, err := w.store.Keys(w.ctx, tenant, page)
		w.check(err)
		for _, of := range []bellwire.KeyID{{}, key.ID} {
			_, err = w.store.AuditEntries(w.ctx, bellwire.AuditFilter{Tenant: tenant, Key: of}, page)
			w.check(err)
		}
	}
	_, err = w.store.Tenants(w.ctx, page)
	w.check(err)
	_, err = w.store.OldestTenants(w.ctx, page)
	w.check(err)
	_, err = w.store.EventTypes(w.ctx, page)
	w.check(err)
	for _, state := range append([]bellwire.HealthState{""}, bellwire.HealthStates...) {
		for _, tenant := range []string{"", t.ID} {
			for _, waiting := range []bool{false, true} {
				_, err = w.store.Endpoints(w.ctx, bellwire.EndpointFilter{Tenant: tenant, Health: state, Waiting: waiting, Now: w.now}, page)
				w.check(err)
			}
		}
	}
	for _, tenant := range []string{"", t.ID} {
		_, err = w.store.MostWaiting(w.ctx, tenant, 10, 10)
		w.check(err)
	}
	_, err = w.store.Patterns(w.ctx, 10)
	w.check(err)
	_, err = w.store.Health(w.ctx, []string{plain.ID, ordered.ID}, 10)
	w.check(err)
	for kind, id := range map[bellwire.Kind][16]byte{bellwire.KindEvent: e.Event.ID, bellwire.KindDelivery: e.Deliveries[0].ID} {
		_, err = w.store.TenantOf(w.ctx, kind, id)
		w.check(err)
	}
	_, err = w.store.TenantOf(w.ctx, bellwire.KindJob, e.Event.ID)
	w.refused(err, bellwire.CodeNotFound)
	w.history(plain)
	w.explain(e, 10)
	_, err = w.store.EventByKey(w.ctx, t.ID, "k")
	w.check(err)
	_, err = w.store.Holds(w.ctx, map[string]int64{ordered.ID: 3, plain.ID: 0})
	w.check(err)
	w.attempts(e.Deliveries[0].ID)
	w.erase(e)
	for _, by := range [][]bellwire.Dimension{nil, {bellwire.ByEndpoint}, {bellwire.ByType}, bellwire.Dimensions} {
		for _, tenant := range []string{"", t.ID} {
			w.statistics(tenant, bellwire.Day, by...)
		}
	}
	w.statistics("", bellwire.Day, append(slices.Clone(bellwire.Dimensions), bellwire.ByTenant)...)
	w.statistics("", bellwire.Day, bellwire.ByTenant)
	w.check(w.store.AppendAudit(w.ctx, w.auditEntry(t.ID), 1))
	w.check(w.store.UseNonce(w.ctx, key.ID, "n", w.now))
	useRequests(w, t.ID)
	useSessions(w, t.ID)

	w.check(w.store.DeleteEventType(w.ctx, "a"))
	w.check(w.store.DeleteKey(w.ctx, t.ID, key.ID))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, plain.ID, w.now, bellwire.ChangeNote{}))
	w.purge(10)
	w.purgeBefore(w.now.Add(time.Hour), 10)
	w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
	w.purge(3)
	w.check(w.store.Check(w.ctx))
	_, err = w.store.KeysetCheck(w.ctx, []byte("w"))
	w.check(err)
	w.check(w.store.ReleaseLeases(w.ctx, "node"))
}

// reread reads a tenant again.
func (w *world) reread(t *bellwire.Tenant) *bellwire.Tenant {
	t, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	return t
}

// useRequests calls each verb for idempotent requests.
func useRequests(w *world, tenant string) {
	r := w.idempotent(tenant, "k")
	w.begin(r)
	w.check(w.store.CreateKey(bellwire.WithRequest(w.ctx, r), w.newKey(tenant)))
	w.check(w.store.EndRequest(w.ctx, r, &bellwire.Answer{Status: 201, Sealed: []byte("x")}))
	_, err := w.store.BeginRequest(w.ctx, w.idempotent(tenant, "k"))
	w.check(err)
	w.check(w.store.ForgetRequest(w.ctx, r))
	later := w.idempotent(tenant, "k")
	later.At = w.now.Add(bellwire.RequestWindow)
	w.begin(later)
}

// useJobs calls each verb of jobs, in each of the ways that have statements of their own.
func useJobs(w *world) {
	w.Helper()
	t := w.tenant()
	for _, ep := range []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo), w.endpoint(t, byKey)} {
		w.ended(ep, spent)
		w.published("ping") // which is missing
		w.equal("what was done", w.run(w.job(ep.Tenant, bellwire.JobReplay, allOf(ep)), 3, ep).Skipped, 0)
		p := w.failed(ep)
		p.Types = []string{"order.*"}
		p.Statuses = bellwire.DeliveryStatuses
		w.counted(w.job(ep.Tenant, bellwire.JobReplay, p), ep)
		w.run(w.job(ep.Tenant, bellwire.JobRetry, p), 3, ep)
		_, err := w.store.RestartDelivery(w.ctx, ep.Tenant, w.ended(ep, spent), w.now)
		w.check(err)
		w.jobs(ep.Tenant)
		_, err = w.store.CountWaiting(w.ctx, ep.ID, 10)
		w.check(err)
		p.Statuses = []bellwire.DeliveryStatus{bellwire.DeliveryPending, bellwire.DeliveryRetrying}
		cancel := w.job(ep.Tenant, bellwire.JobCancel, p)
		w.counted(cancel, ep)
		_, err = w.store.Deferred(w.ctx, selection(cancel, ep))
		w.check(err)
		w.run(cancel, 3, ep)
	}
	w.jobs("")
	j := w.running()[0]
	for _, status := range append([]bellwire.DeliveryStatus{""}, bellwire.DeliveryStatuses...) {
		w.all(bellwire.DeliveryFilter{Tenant: t.ID, Status: status, Job: j.ID})
	}
	_, err := w.store.ChangeJob(w.ctx, j.Tenant, j.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.now)
	w.check(err)
}

// useBulkJobs calls each verb of bulk jobs.
func useBulkJobs(w *world) {
	w.Helper()
	jobs := w.bulkJob(w.tenant())
	w.check(w.store.CreateBulkJob(w.ctx, jobs, 10))
	_, _, err := w.store.TenantsWith(w.ctx, &jobs[0].Params, "", 1)
	w.check(err)
	_, err = w.store.BulkJobs(w.ctx, bellwire.Page{Limit: 10})
	w.check(err)
	_, err = w.store.BulkJob(w.ctx, jobs[0].Bulk)
	w.check(err)
	_, err = w.store.Jobs(w.ctx, bellwire.JobsFilter{Bulk: jobs[0].Bulk}, bellwire.Page{Limit: 1})
	w.check(err)
	_, err = w.store.ChangeBulkJob(w.ctx, jobs[0].Bulk, bellwire.JobChange{State: bellwire.JobCanceled}, w.now, 10)
	w.check(err)
}

// allOf are the parameters of a replay of all that an endpoint had and could have.
func allOf(ep *bellwire.Endpoint) (p bellwire.JobParams) {
	p = bellwire.JobParams{Endpoint: ep.ID, Until: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	p.Choose(bellwire.JobReplay, bellwire.SelectAll)
	return p
}
