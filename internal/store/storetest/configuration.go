package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var configurationTests = []test{
	{name: "Endpoints/TellTheirPatterns", run: func(w *world) {
		t, gone := w.tenant(), w.tenant()
		with := func(t *bellwire.Tenant, patterns ...string) *bellwire.Endpoint {
			return w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Events = patterns })
		}
		with(t, "a", "b.*")
		disabled, deleted := with(t, "c"), with(t, "d")
		with(gone, "e")
		paused := with(t, "*")
		paused.Status = bellwire.EndpointPaused
		w.check(w.store.UpdateEndpoint(w.ctx, paused, bellwire.ChangeNote{}))
		w.disable(disabled)
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
		w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
		for limit, want := range map[int][][]string{10: {{"*"}, {"a", "b.*"}}, 1: {{"*"}}} {
			got, err := w.store.Patterns(w.ctx, limit)
			w.check(err)
			w.equal("the patterns", got, want)
		}
	}},
	{name: "Endpoints/AreCountedByVersion", run: func(w *world) {
		const name = "order.paid:v-1"
		t, gone := w.tenant(), w.tenant()
		with := func(t *bellwire.Tenant, since int64, patterns ...string) *bellwire.Endpoint {
			return w.endpoint(t, func(ep *bellwire.Endpoint) {
				ep.Events, ep.Versions = patterns, map[string]bellwire.Version{"order.paid": {Number: 2, Since: 77}}
				if since >= 0 {
					ep.Versions[name] = bellwire.Version{Number: 1, Since: since}
				}
			})
		}
		first := with(t, -1, "a", "order.*").Catalogue
		w.check(w.store.ReplaceEventType(w.ctx, &bellwire.EventType{Name: name, CreatedAt: w.now, UpdatedAt: w.now}))
		second := with(t, -1, name, "order.*").Catalogue
		with(t, 0, "*")
		disabled, deleted := with(t, -1, name), with(t, -1, name)
		with(gone, 3, name)
		for _, other := range []string{"order.paid", "order.paid:v-1:x*", "Order.*", "order.paid:v_1", "order.paid:v-1.*"} {
			with(t, 5, other)
		}
		w.disable(disabled)
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
		w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
		got, err := w.store.VersionReaders(w.ctx, name)
		w.check(err)
		want := []bellwire.VersionReaders{{At: first, Endpoints: 1}, {At: second, Endpoints: 2, Disabled: 1}}
		if first == 0 {
			want[0].Endpoints++
		} else {
			want = slices.Insert(want, 0, bellwire.VersionReaders{Endpoints: 1})
		}
		w.equal("the readers", got, want)
		got, err = w.store.VersionReaders(w.ctx, "card.made")
		w.check(err)
		w.equal("of another type", len(got) == 1 && got[0].Endpoints == 1, true)
	}},
	{name: "EventTypes/AreReplacedIfTheyAreAsTheyWere", run: func(w *world) {
		first := &bellwire.EventType{Name: "order.paid", Description: "One.", CreatedAt: w.now, UpdatedAt: w.now}
		of := func(t *bellwire.EventType, revision int64) *bellwire.EventType {
			at := *t
			at.Revision = revision
			return &at
		}
		w.refused(w.store.ReplaceEventType(w.ctx, of(first, 1)), bellwire.CodeStale)
		w.check(w.store.ReplaceEventType(w.ctx, first))
		w.refused(w.store.ReplaceEventType(w.ctx, first), bellwire.CodeStale) // it exists
		before := w.catalogue(0).Revision
		second := &bellwire.EventType{Name: first.Name, Description: "Two.", Group: "g", Schema: []byte(`{}`), Example: []byte(`1`), Archived: true,
			CreatedAt: first.CreatedAt, UpdatedAt: w.tick(time.Second)}
		w.refused(w.store.ReplaceEventType(w.ctx, of(second, before+1)), bellwire.CodeStale)
		w.equal("the revision after a refusal", w.catalogue(0).Revision, before)
		w.check(w.store.ReplaceEventType(w.ctx, of(second, before)))
		got, err := w.store.EventType(w.ctx, first.Name)
		w.check(err)
		after := w.catalogue(0).Revision
		w.equal("the event type", got, of(second, after))
		w.equal("the revision has grown", after > before, true)
		w.refused(w.store.ReplaceEventType(w.ctx, of(first, before)), bellwire.CodeStale)
	}},
	{name: "EventTypes/KeepTheirVersions", run: func(w *world) {
		made := &bellwire.EventType{Name: "order.paid", Schema: []byte(`{"a": 1}`), CreatedAt: w.now, UpdatedAt: w.now}
		w.check(w.store.ReplaceEventType(w.ctx, made))
		read := func() *bellwire.EventType {
			w.Helper()
			t, err := w.store.EventType(w.ctx, made.Name)
			w.check(err)
			return t
		}
		older := w.endpoint(w.tenant())
		w.equal("what an endpoint is created at", older.Catalogue, w.catalogue(0).Revision)
		add := func() *bellwire.EventType {
			w.Helper()
			t := read()
			t.Older = append(t.Older, bellwire.OlderVersion{Schema: t.Schema, Example: t.Example, Converter: "data.a", Since: t.Since, Until: made.UpdatedAt})
			t.Since, t.Schema, t.Example = bellwire.SinceNow, nil, []byte(`{"b": 2.0}`)
			w.check(w.store.ReplaceEventType(w.ctx, t))
			return read()
		}
		second := add()
		w.equal("the second version is of the revision that added it", second.Since, w.catalogue(0).Revision)
		w.equal("the first version", second.Older, []bellwire.OlderVersion{{Schema: made.Schema, Converter: "data.a", Until: made.UpdatedAt}})
		newer := w.endpoint(w.tenant())
		third := add()
		w.equal("the third version is later", third.Since > second.Since, true)
		w.equal("the versions before", third.Older, append(second.Older, bellwire.OlderVersion{Example: second.Example, Converter: "data.a", Since: second.Since, Until: made.UpdatedAt}))
		changed := read()
		changed.Description = "Changed."
		w.check(w.store.ReplaceEventType(w.ctx, changed))
		w.equal("a change keeps the versions", []any{read().Older, read().Since}, []any{third.Older, third.Since})
		for _, ep := range []*bellwire.Endpoint{older, newer} {
			stored, err := w.store.Endpoint(w.ctx, ep.ID)
			w.check(err)
			w.equal("the endpoint's catalogue", stored.Catalogue, ep.Catalogue)
		}
		w.equal("the versions of the endpoints", []int{third.VersionAt(older.Catalogue), third.VersionAt(newer.Catalogue)}, []int{1, 2})
		w.equal("in the catalogue", w.catalogue(0).Changed, []*bellwire.EventType{read()})
	}},
	{name: "DryRuns/WriteNothing", run: func(w *world) {
		ep, dry := w.endpoint(w.tenant()), bellwire.DryRun(w.ctx)
		for _, err := range []error{
			w.store.CreateTenant(dry, &bellwire.Tenant{ID: "new", CreatedAt: w.now, UpdatedAt: w.now}),
			w.store.DeleteTenant(dry, ep.Tenant, w.now),
			w.store.DeleteEndpoint(dry, ep.Tenant, ep.ID, w.now, bellwire.ChangeNote{}),
		} {
			w.equal("the error", err, bellwire.ErrDryRun)
		}
		_, err := w.store.Tenant(w.ctx, "new")
		w.refused(err, bellwire.CodeNotFound)
		read, err := w.store.Endpoint(dry, ep.ID)
		w.check(err)
		w.equal("the endpoint", read, ep)
	}},
	{name: "Tenants/AreKept", run: func(w *world) {
		made := &bellwire.Tenant{
			ID: "acme", Name: "Acme", Metadata: map[string]string{"plan": "big"},
			Limits: map[string]float64{"endpoints": 5000, "min_retry_delay": 0.25}, Dialects: dialectSettings(), CreatedAt: w.now, UpdatedAt: w.now,
		}
		w.check(w.store.CreateTenant(w.ctx, made))
		if made.Revision == 0 {
			w.Error("no revision was set")
		}
		read, err := w.store.Tenant(w.ctx, "acme")
		w.check(err)
		w.equal("the tenant", read, made)
		w.refused(w.store.CreateTenant(w.ctx, &bellwire.Tenant{ID: "acme"}), bellwire.CodeConflict)
		_, err = w.store.Tenant(w.ctx, "Acme")
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Tenants/ArePaused", run: func(w *world) {
		made := &bellwire.Tenant{
			ID: "made", CreatedAt: w.now, UpdatedAt: w.now, Paused: true, StatusReason: "it does not pay", StatusSince: w.now,
		}
		w.check(w.store.CreateTenant(w.ctx, made))
		ep := w.endpoint(w.tenant())
		t, err := w.store.Tenant(w.ctx, ep.Tenant) // at the revision that the endpoint gave it
		w.check(err)
		for _, paused := range []bool{true, false} {
			t.Paused, t.StatusReason, t.StatusSince = paused, fmt.Sprint("paused: ", paused), w.tick(time.Second)
			w.check(w.store.UpdateTenant(w.ctx, t))
			for _, want := range []*bellwire.Tenant{made, t} {
				got, err := w.store.Tenant(w.ctx, want.ID)
				w.check(err)
				w.equal("the tenant", got, want)
			}
			changes, err := w.store.EndpointsSince(w.ctx, t.ID, 0)
			w.check(err)
			w.equal("the tenant with its endpoints", changes.Tenant, t)
			w.equal("its endpoints", changes.Changed[0].ID, ep.ID)
		}
	}},
	{name: "Tenants/AreReplacedAtTheirRevision", run: func(w *world) {
		t := w.tenant()
		old := *t
		t.Name, t.UpdatedAt = "New", w.tick(time.Second)
		t.Limits = map[string]float64{"publish_rate": 0}
		t.Dialects = bellwire.SettingsByDialect{"standard": {UserAgent: "New/1"}}
		w.check(w.store.UpdateTenant(w.ctx, t))
		if t.Revision <= old.Revision {
			w.Errorf("the revision went from %d to %d", old.Revision, t.Revision)
		}
		read, err := w.store.Tenant(w.ctx, t.ID)
		w.check(err)
		w.equal("the tenant", read, t)
		stale := old
		w.refused(w.store.UpdateTenant(w.ctx, &stale), bellwire.CodeStale)
		w.equal("what was refused", stale, old)
		w.refused(w.store.UpdateTenant(w.ctx, &bellwire.Tenant{ID: "nobody"}), bellwire.CodeNotFound)
	}},
	{name: "Tenants/RevisionGrowsWithAllTheyHave", run: revisionGrows},
	{name: "Tenants/IDCanBeUsedAgainAtOnce", run: idUsedAgain},
	{name: "Tenants/TellTheirUsage", run: tellsUsage},
	{name: "Tenants/CountTheirEvents", run: countsEvents},
	{name: "Keys/AreKept", run: func(w *world) {
		t := w.tenant()
		key := w.newKey(t.ID)
		key.Scopes = "pcx:webhooks:read pcx:webhooks:delete"
		w.check(w.store.CreateKey(w.ctx, key))
		w.refused(w.store.CreateKey(w.ctx, key), bellwire.CodeConflict)
		operator := w.newKey("")
		operator.Sealed = nil
		w.check(w.store.CreateKey(w.ctx, operator))
		for _, want := range []*bellwire.Key{key, operator} {
			got, err := w.store.Key(w.ctx, want.ID)
			w.check(err)
			w.equal("the key", got, want)
		}
		w.refused(w.store.CreateKey(w.ctx, w.newKey("nobody")), bellwire.CodeNotFound)
	}},
	{name: "Keys/AreFoundByTheHashOfTheirSecret", run: func(w *world) {
		t := w.tenant()
		older, newest, other := w.newKey(""), w.newKey(t.ID), w.newKey(t.ID)
		other.Hash[0]++
		for _, key := range []*bellwire.Key{older, newest, other} {
			w.check(w.store.CreateKey(w.ctx, key))
		}
		found := func(want *bellwire.Key) {
			w.Helper()
			got, err := w.store.KeyByHash(w.ctx, want.Hash)
			w.check(err)
			w.equal("the key", got, want)
		}
		found(newest)
		found(other)
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		found(older)
		_, err := w.store.KeyByHash(w.ctx, other.Hash)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Keys/HaveALastUse", run: func(w *world) {
		key, unused := w.newKey(""), w.newKey("")
		w.check(w.store.CreateKey(w.ctx, key))
		w.check(w.store.CreateKey(w.ctx, unused))
		missing := w.newKey("")
		for _, at := range []time.Duration{time.Minute, 2 * time.Minute, 0} {
			w.check(w.store.StoreKeyUses(w.ctx, map[bellwire.KeyID]time.Time{key.ID: w.now.Add(at), missing.ID: w.now}))
		}
		key.LastUsedAt = w.now.Add(2 * time.Minute)
		for _, want := range []*bellwire.Key{key, unused} {
			got, err := w.store.Key(w.ctx, want.ID)
			w.check(err)
			w.equal("the key", got, want)
		}
	}},
	{name: "Keys/AreDeletedByTheirOwnerOnly", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		key := w.newKey(t.ID)
		w.check(w.store.CreateKey(w.ctx, key))
		w.refused(w.store.DeleteKey(w.ctx, other.ID, key.ID), bellwire.CodeNotFound)
		w.refused(w.store.DeleteKey(w.ctx, "", key.ID), bellwire.CodeNotFound)
		w.check(w.store.DeleteKey(w.ctx, t.ID, key.ID))
		w.refused(w.store.DeleteKey(w.ctx, t.ID, key.ID), bellwire.CodeNotFound)
		_, err := w.store.Key(w.ctx, key.ID)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "EventTypes/AreAddedAndReplaced", run: eventTypes},
	{name: "EventTypes/CatalogueGrowsWithTheOperator", run: catalogueGrows},
	{name: "EventTypes/OnlyChangesAreRead", run: catalogueSince},
	{name: "Endpoints/AreKept", run: func(w *world) {
		t := w.tenant()
		made := w.endpoint(t)
		if made.Revision == 0 {
			w.Error("no revision was set")
		}
		read, err := w.store.Endpoint(w.ctx, made.ID)
		w.check(err)
		w.equal("the endpoint", read, made)
		again := w.newEndpoint(t.ID)
		again.ID = made.ID
		w.refused(w.store.CreateEndpoint(w.ctx, again, bellwire.ChangeNote{}), bellwire.CodeConflict)
		w.refused(w.store.CreateEndpoint(w.ctx, w.newEndpoint("nobody"), bellwire.ChangeNote{}), bellwire.CodeNotFound)
		_, err = w.store.Endpoint(w.ctx, "nothing")
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Endpoints/AreReplacedAtTheirRevision", run: replaceEndpoint},
	{name: "Endpoints/LeaveATombstone", run: tombstone},
	{name: "Endpoints/AreReadWithTheirTenant", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		a, gone, b := w.endpoint(t), w.endpoint(t), w.endpoint(t)
		w.endpoint(other)
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, gone.ID, w.now, bellwire.ChangeNote{}))
		read, endpoints, err := w.store.TenantEndpoints(w.ctx, t.ID)
		w.check(err)
		fresh, err := w.store.Tenant(w.ctx, t.ID)
		w.check(err)
		w.equal("the tenant", read, fresh)
		w.equal("its endpoints", endpoints, []*bellwire.Endpoint{b, a})
		_, _, err = w.store.TenantEndpoints(w.ctx, "nobody")
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Endpoints/AreReadSinceARevision", run: endpointsSince},
	{name: "Endpoints/AreReadByID", run: endpointsByID},
	{name: "Endpoints/AreAllReadIfTooManyHaveChanged", need: thorough, run: func(w *world) {
		t := w.tenant()
		old, last := w.endpoint(t), w.endpoint(t)
		kept := []string{old.ID, last.ID}
		for range bellwire.MaxEndpointChanges {
			kept = append(kept, w.endpoint(t).ID)
		}
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, w.endpoint(t).ID, w.now, bellwire.ChangeNote{}))
		changes, err := w.store.EndpointsSince(w.ctx, t.ID, last.Revision)
		w.check(err)
		w.equal("since when", changes.Since, int64(0))
		got := namesOf(changes.Changed)
		slices.Sort(got)
		slices.Sort(kept)
		w.equal("what there is", got, kept)
	}},
	{name: "Store/KeepsTheFirstCheckValue", run: func(w *world) {
		none, err := w.store.KeysetCheck(w.ctx, nil)
		w.check(err)
		w.equal("the check value before there is one", none, []byte(nil))
		for _, sealed := range [][]byte{[]byte("first"), []byte("second")} {
			got, err := w.store.KeysetCheck(w.ctx, sealed)
			w.check(err)
			w.equal("the check value", got, []byte("first"))
		}
	}},
	{name: "Store/ReplacesTheCheckValue", run: func(w *world) {
		old, next := []byte("old"), []byte("next")
		w.refused(w.store.ReplaceKeysetCheck(w.ctx, old, next), bellwire.CodeStale)
		_, err := w.store.KeysetCheck(w.ctx, old)
		w.check(err)
		w.check(w.store.ReplaceKeysetCheck(w.ctx, old, next))
		w.refused(w.store.ReplaceKeysetCheck(w.ctx, old, []byte("late")), bellwire.CodeStale)
		got, err := w.store.KeysetCheck(w.ctx, old)
		w.check(err)
		w.equal("the check value", got, next)
	}},
	{name: "Store/ReplacesSecrets", run: replacesSecrets},
	{name: "Store/ChecksItself", run: func(w *world) { w.check(w.store.Check(w.ctx)) }},
	{name: "Store/RefusesWorkWhenClosed", run: func(w *world) {
		w.check(w.store.Close())
		w.check(w.store.Close())
		w.refused(w.store.Check(w.ctx), bellwire.CodeUnavailable)
		_, err := w.store.Tenant(w.ctx, "acme")
		w.refused(err, bellwire.CodeUnavailable)
		_, err = w.store.AppendEvents(w.ctx, nil)
		w.refused(err, bellwire.CodeUnavailable)
	}},
	{name: "Store/KeepsAllWhenReopened", need: reopens, run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		key := w.newKey(t.ID)
		w.check(w.store.CreateKey(w.ctx, key))
		w.reopen()
		read, err := w.store.Endpoint(w.ctx, ep.ID)
		w.check(err)
		w.equal("the endpoint", read, ep)
		got, err := w.store.Key(w.ctx, key.ID)
		w.check(err)
		w.equal("the key", got, key)
	}},
}

func (w *world) newKey(tenant string) *bellwire.Key {
	role := bellwire.RoleTenant
	if tenant == "" {
		role = bellwire.RoleAdmin
	}
	return &bellwire.Key{
		ID: bellwire.Next[bellwire.KeyKind](w.ids, w.now), Tenant: tenant, Name: w.name("key"), Role: role,
		Hash: [32]byte{1, 2, 31: 9}, Sealed: []byte{7, 0}, CreatedAt: w.now,
		ExpiresAt: w.now.Add(time.Hour),
	}
}

// revisionGrows makes every kind of change to a tenant's configuration, and expects a new revision after each.
func revisionGrows(w *world) {
	t := w.tenant()
	ep, key := w.newEndpoint(t.ID), w.newKey(t.ID)
	last := t.Revision
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"CreateEndpoint", func() error { return w.store.CreateEndpoint(w.ctx, ep, bellwire.ChangeNote{}) }},
		{"UpdateEndpoint", func() error { return w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}) }},
		{"CreateKey", func() error { return w.store.CreateKey(w.ctx, key) }},
		{"DeleteKey", func() error { return w.store.DeleteKey(w.ctx, t.ID, key.ID) }},
		{"DeleteEndpoint", func() error { return w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}) }},
	} {
		w.check(change.make())
		read, err := w.store.Tenant(w.ctx, t.ID)
		w.check(err)
		if read.Revision <= last {
			w.Errorf("%s left the revision at %d", change.name, read.Revision)
		}
		last = read.Revision
	}
}

func namesOf(endpoints []*bellwire.Endpoint) []string {
	ids := make([]string, len(endpoints))
	for i, ep := range endpoints {
		ids[i] = ep.ID
	}
	return ids
}

func endpointsSince(w *world) {
	t, other := w.tenant(), w.tenant()
	a, b, c := w.endpoint(t), w.endpoint(t), w.endpoint(t)
	w.endpoint(other)
	since := func(revision int64) *bellwire.EndpointChanges {
		w.Helper()
		changes, err := w.store.EndpointsSince(w.ctx, t.ID, revision)
		w.check(err)
		w.equal("the tenant", changes.Tenant, w.reread(t))
		return changes
	}
	served := func(ep *bellwire.Endpoint) *bellwire.Endpoint {
		w.Helper()
		read, err := w.store.Endpoint(w.ctx, ep.ID)
		w.check(err)
		read.Description, read.Metadata = "", nil
		return read
	}
	all := since(0)
	w.equal("all", all.Changed, []*bellwire.Endpoint{served(c), served(b), served(a)})
	w.equal("how many", all.Total, 3)
	if none := since(all.Tenant.Revision); len(none.Changed) != 0 || none.Total != 3 || none.Since != all.Tenant.Revision {
		w.Errorf("since nothing has changed: %+v", none)
	}

	w.check(w.store.UpdateEndpoint(w.ctx, a, bellwire.ChangeNote{}))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, b.ID, w.now, bellwire.ChangeNote{}))
	d := w.endpoint(t)
	changes := since(all.Tenant.Revision)
	w.equal("what has changed", changes.Changed, []*bellwire.Endpoint{served(d), served(b), served(a)})
	w.equal("how many", changes.Total, 3)
	w.equal("since the last change but one", namesOf(since(a.Revision).Changed), []string{d.ID, b.ID})
	w.equal("all", namesOf(since(0).Changed), []string{d.ID, c.ID, a.ID})

	c = served(c)
	delivery := w.publish(c)
	r := w.result(w.take(c), bellwire.Transition{Status: bellwire.DeliveryCanceled})
	r.Delivery, r.Disable, r.EndpointRevision = delivery.Deliveries[0].ID, true, c.Revision
	w.record(r)
	w.equal("since one was disabled", namesOf(since(d.Revision).Changed), []string{c.ID})
	_, err := w.store.EndpointsSince(w.ctx, "nobody", 0)
	w.refused(err, bellwire.CodeNotFound)
}

func endpointsByID(w *world) {
	t, other, gone := w.tenant(), w.tenant(), w.tenant()
	a, b, c, unasked := w.endpoint(t), w.endpoint(t), w.endpoint(other), w.endpoint(gone)
	w.endpoint(t)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, b.ID, w.now, bellwire.ChangeNote{}))
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	want := make(map[string]*bellwire.Endpoint)
	for _, id := range []string{a.ID, b.ID, c.ID} {
		ep, err := w.store.Endpoint(w.ctx, id)
		w.check(err)
		ep.Description, ep.Metadata = "", nil
		want[id] = ep
	}
	found, err := w.store.EndpointsByID(w.ctx, []string{c.ID, "unknown", b.ID, a.ID, unasked.ID})
	w.check(err)
	got := make(map[string]*bellwire.Endpoint)
	for _, ep := range found {
		got[ep.ID] = ep
	}
	w.equal("the endpoints", got, want)
	w.equal("their number", len(found), len(want))
}

func idUsedAgain(w *world) {
	old := w.tenant()
	ep, key := w.endpoint(old), w.newKey(old.ID)
	w.check(w.store.CreateKey(w.ctx, key))
	e := w.publish(ep)
	w.check(w.store.DeleteTenant(w.ctx, old.ID, w.now))
	w.refused(w.store.DeleteTenant(w.ctx, old.ID, w.now), bellwire.CodeNotFound)

	again := &bellwire.Tenant{ID: old.ID, CreatedAt: w.now}
	w.check(w.store.CreateTenant(w.ctx, again))
	if again.Revision <= old.Revision {
		w.Errorf("the new tenant begins at revision %d; what was decided on the old one's %d could pass for it",
			again.Revision, old.Revision)
	}
	_, endpoints, err := w.store.TenantEndpoints(w.ctx, again.ID)
	w.check(err)
	w.equal("its endpoints", endpoints, []*bellwire.Endpoint(nil))
	_, err = w.store.Key(w.ctx, key.ID)
	w.refused(err, bellwire.CodeNotFound)
	_, err = w.store.Endpoint(w.ctx, ep.ID)
	w.refused(err, bellwire.CodeNotFound)
	_, err = w.store.Event(w.ctx, again.ID, e.Event.ID)
	w.refused(err, bellwire.CodeNotFound)
	_, err = w.store.Delivery(w.ctx, again.ID, e.Deliveries[0].ID)
	w.refused(err, bellwire.CodeNotFound)
	deliveries, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: again.ID}, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("its deliveries", deliveries.Items, []*bellwire.Delivery(nil))
	w.nothingDue(ep.ID)
	if r := w.claim(ep, 10); len(r.Due) != 0 {
		w.Error("a delivery of a deleted tenant was claimed")
	}
	results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.event(again.ID, ep))})
	w.check(err)
	w.refused(results[0].Err, bellwire.CodeNotFound)
}

func eventTypes(w *world) {
	made := &bellwire.EventType{
		Name: "order.paid", Group: "orders", Description: "Paid.", Schema: []byte(`{"type": "object"}`),
		Example: []byte(`{"n": 1.0}`), CreatedAt: w.now, UpdatedAt: w.now,
	}
	created, err := w.store.PutEventType(w.ctx, made)
	w.check(err)
	w.equal("created", created, true)
	changed := *made
	changed.Archived, changed.Schema, changed.Example, changed.Description = true, nil, nil, "Paid for."
	changed.CreatedAt, changed.UpdatedAt = w.tick(time.Hour), w.now
	created, err = w.store.PutEventType(w.ctx, &changed)
	w.check(err)
	w.equal("created", created, false)
	read, err := w.store.EventType(w.ctx, "order.paid")
	w.check(err)
	want := changed
	want.CreatedAt, want.Revision = made.CreatedAt, w.catalogue(0).Revision
	w.equal("the type", read, &want)
	if read.Schema != nil || read.Example != nil {
		w.Error("what is not there is not nil")
	}
	w.check(w.store.DeleteEventType(w.ctx, "order.paid"))
	w.refused(w.store.DeleteEventType(w.ctx, "order.paid"), bellwire.CodeNotFound)
	_, err = w.store.EventType(w.ctx, "order.paid")
	w.refused(err, bellwire.CodeNotFound)
}

func catalogueGrows(w *world) {
	last := w.catalogue(0).Revision
	if last == 0 {
		w.Error("the first revision is 0, which means that it does not matter")
	}
	key := w.newKey("")
	put := func() error {
		_, err := w.store.PutEventType(w.ctx, &bellwire.EventType{Name: "a"})
		return err
	}
	for _, change := range []struct {
		name  string
		make  func() error
		types int
	}{
		{"PutEventType, new", put, 1},
		{"PutEventType, known", put, 1},
		{"CreateKey", func() error { return w.store.CreateKey(w.ctx, key) }, 1},
		{"DeleteKey", func() error { return w.store.DeleteKey(w.ctx, "", key.ID) }, 1},
		{"DeleteEventType", func() error { return w.store.DeleteEventType(w.ctx, "a") }, 0},
	} {
		w.check(change.make())
		all := w.catalogue(0)
		if all.Revision <= last {
			w.Errorf("%s left the revision at %d", change.name, all.Revision)
		}
		if len(all.Changed) != change.types {
			w.Errorf("after %s there are %d types, want %d", change.name, len(all.Changed), change.types)
		}
		last = all.Revision
	}
	w.tenant()
	w.equal("the revision after a tenant's change", w.catalogue(0).Revision, last)
}

// catalogue reads the changes of event types since a revision.
func (w *world) catalogue(since int64) *bellwire.CatalogueChanges {
	w.Helper()
	changes, err := w.store.CatalogueSince(w.ctx, since)
	w.check(err)
	return changes
}

// Only event types that have changed are read, until one is deleted.
func catalogueSince(w *world) {
	put := func(name string) {
		_, err := w.store.PutEventType(w.ctx, &bellwire.EventType{Name: name, Example: []byte(fmt.Sprint(w.catalogue(0).Revision))})
		w.check(err)
	}
	last := w.catalogue(0)
	changed := func(what string, all bool, want ...string) {
		w.Helper()
		now := w.catalogue(last.Revision)
		var names []string
		for _, t := range now.Changed {
			names = append(names, t.Name)
			stored, err := w.store.EventType(w.ctx, t.Name)
			w.check(err)
			w.equal(what+": "+t.Name, t, stored)
		}
		slices.Sort(names)
		w.equal(what, names, want)
		w.equal(what+", all of them", now.Since == 0, all)
		w.equal(what+", the revision", now.Revision, w.catalogue(0).Revision)
		last = now
	}
	for _, name := range []string{"a", "b", "c"} {
		put(name)
	}
	changed("new ones", false, "a", "b", "c")
	changed("none", false)
	put("b")
	changed("a replaced one", false, "b")
	w.check(w.store.CreateKey(w.ctx, w.newKey("")))
	changed("a key", false)
	put("c")
	w.check(w.store.DeleteEventType(w.ctx, "a"))
	changed("a deleted one", true, "b", "c")
	put("a")
	changed("one made again", false, "a")
}

func replaceEndpoint(w *world) {
	t, other := w.tenant(), w.tenant()
	ep := w.endpoint(t)
	old := *ep
	*ep = bellwire.Endpoint{
		ID: old.ID, Tenant: old.Tenant, Revision: old.Revision, URL: "https://example.org/", Dialect: "lemon", OnError: bellwire.OnErrorDeliver,
		Status: bellwire.EndpointPaused, Ordering: bellwire.OrderingFIFO, Signing: bellwire.SigningHMAC,
		Retry: bellwire.RetryPolicy{Interval: bellwire.Duration(time.Minute), Count: 3}, UpdatedAt: w.tick(time.Second),
		CreatedAt: w.now, Catalogue: old.Catalogue,
	}
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	if ep.Revision <= old.Revision {
		w.Errorf("the revision went from %d to %d", old.Revision, ep.Revision)
	}
	read, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	want := *ep
	want.CreatedAt = old.CreatedAt
	w.equal("the endpoint", read, &want)

	w.refused(w.store.UpdateEndpoint(w.ctx, &old, bellwire.ChangeNote{}), bellwire.CodeStale)
	foreign := *ep
	foreign.Tenant = other.ID
	w.refused(w.store.UpdateEndpoint(w.ctx, &foreign, bellwire.ChangeNote{}), bellwire.CodeNotFound)
	w.refused(w.store.UpdateEndpoint(w.ctx, w.newEndpoint(t.ID), bellwire.ChangeNote{}), bellwire.CodeNotFound)
}

func tombstone(w *world) {
	t, other := w.tenant(), w.tenant()
	ep := w.endpoint(t)
	e := w.publish(ep)
	w.refused(w.store.DeleteEndpoint(w.ctx, other.ID, ep.ID, w.now, bellwire.ChangeNote{}), bellwire.CodeNotFound)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.tick(time.Second), bellwire.ChangeNote{}))
	w.refused(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}), bellwire.CodeNotFound)
	read, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	if !read.Deleted || read.Sealed != nil || read.Tenant != t.ID || read.Revision <= ep.Revision {
		w.Errorf("the tombstone is %+v", read)
	}
	w.refused(w.store.UpdateEndpoint(w.ctx, read, bellwire.ChangeNote{}), bellwire.CodeNotFound)
	list, err := w.store.Endpoints(w.ctx, bellwire.EndpointFilter{Tenant: t.ID}, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("the endpoints", list.Items, []*bellwire.Endpoint(nil))
	w.equal("the endpoint of its delivery", w.load(t.ID, e.Deliveries[0].ID).Endpoint, ep.ID)
	if r := w.claim(ep, 10); len(r.Due) != 0 {
		w.Error("a delivery of a deleted endpoint was claimed")
	}
	if at := w.due(ep.ID).At; at.IsZero() {
		w.Error("a deleted endpoint's open delivery, which is still to be canceled, is not found")
	}
	_, err = w.store.CancelOpen(w.ctx, ep.ID, bellwire.ReasonEndpointDeleted, w.now, 10)
	w.check(err)
	w.nothingDue(ep.ID)
}

// replacesSecrets: each sealed secret is listed once, in batches of any size, and replaced unless it has changed.
func replacesSecrets(w *world) {
	t := w.tenant()
	want := map[string][]byte{}
	for i := range 3 {
		key := &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](w.now), Tenant: t.ID, Role: bellwire.RoleTenant, Sealed: []byte{1, byte(i)}, CreatedAt: w.now}
		w.check(w.store.CreateKey(w.ctx, key))
		want[key.ID.String()] = key.Sealed
		want[w.endpoint(t).ID] = []byte{0, 1, 2, 0xff}
	}
	w.check(w.store.CreateKey(w.ctx, &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](w.now), Tenant: t.ID, Role: bellwire.RoleTenant, CreatedAt: w.now}))
	gone := w.endpoint(t)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, gone.ID, w.now, bellwire.ChangeNote{}))
	var other string
	for i := range 2 {
		other = w.name("t")
		w.check(w.store.CreateTenant(w.ctx, &bellwire.Tenant{ID: other, CreatedAt: w.now, UpdatedAt: w.now, Dialects: bellwire.SettingsByDialect{
			"a-b": {SealedAuth: []byte{2, byte(i)}, UserAgent: "ä"}, "c": {SealedAuth: []byte{3, byte(i)}}, "d": {UserAgent: "x"},
		}}))
		want[other+"/a-b"], want[other+"/c"] = []byte{2, byte(i)}, []byte{3, byte(i)}
	}
	deleted := &bellwire.Tenant{ID: w.name("t"), CreatedAt: w.now, UpdatedAt: w.now, Dialects: bellwire.SettingsByDialect{"c": {SealedAuth: []byte{4}}}}
	w.check(w.store.CreateTenant(w.ctx, deleted))
	for i, caller := range []string{"", t.ID, deleted.ID, t.ID, "", t.ID} {
		r := w.idempotent(caller, fmt.Sprint("k", i))
		w.begin(r)
		if i == 3 { // in progress
			continue
		}
		sealed := []byte{5, byte(i)}
		w.check(w.store.EndRequest(w.ctx, r, &bellwire.Answer{Status: 201, Sealed: sealed}))
		if caller != deleted.ID {
			want["answer "+caller+"/"+r.Key] = sealed
		}
	}
	w.check(w.store.DeleteTenant(w.ctx, deleted.ID, w.now))

	var all []*bellwire.SealedSecret
	for _, limit := range []int{1, 2, 4, 100} {
		got := map[string][]byte{}
		all = nil
		var after *bellwire.SealedSecret
		for {
			batch, err := w.store.SealedSecrets(w.ctx, after, limit)
			w.check(err)
			if len(batch) == 0 {
				break
			}
			for _, secret := range batch {
				got[secret.Owner()] = secret.Sealed
			}
			all = append(all, batch...)
			after = batch[len(batch)-1]
		}
		w.equal("the secrets", got, want)
		w.equal("how many are listed", len(all), len(want))
	}

	resealed := map[string][]byte{}
	before, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	for i, secret := range all {
		secret.Resealed = []byte{9, byte(i)}
		resealed[secret.Owner()] = secret.Resealed
	}
	all[0].Sealed, all[len(all)-1].Sealed = []byte("changed"), []byte("changed")
	replaced, err := w.store.ReplaceSecrets(w.ctx, all)
	w.check(err)
	w.equal("how many are replaced", replaced, len(all)-2)
	now, err := w.store.SealedSecrets(w.ctx, nil, 100)
	w.check(err)
	for i, secret := range now {
		anew := all[i].Resealed
		if i == 0 || i == len(all)-1 {
			anew = want[secret.Owner()]
		}
		w.equal(secret.Owner(), secret.Sealed, anew)
	}
	after, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	w.equal("the tenant's revision", after.Revision, before.Revision)
	read, err := w.store.Tenant(w.ctx, other)
	w.check(err)
	w.equal("what else is set", []string{read.Dialects["a-b"].UserAgent, read.Dialects["d"].UserAgent}, []string{"ä", "x"})
	repeated, err := w.store.BeginRequest(w.ctx, w.idempotent("", "k0"))
	w.check(err)
	w.equal("the answer to a repeated request", repeated, &bellwire.Answer{Status: 201, Sealed: resealed["answer /k0"]})
}

// tellsUsage counts a tenant's keys, and its endpoints with the bytes of their configuration, without those that are deleted
// or another tenant's.
func tellsUsage(w *world) {
	t, other := w.tenant(), w.tenant()
	w.endpoint(other)
	w.check(w.store.CreateKey(w.ctx, w.newKey(other.ID)))
	usage := func() bellwire.Usage {
		w.Helper()
		u, err := w.store.Usage(w.ctx, t.ID)
		w.check(err)
		return *u
	}
	w.equal("the usage of a tenant without anything", usage(), bellwire.Usage{})
	w.check(w.store.CreateKey(w.ctx, w.newKey(t.ID)))
	a := w.endpoint(t)
	one := usage()
	if one.Keys != 1 || one.Endpoints != 1 || one.Configuration < len(a.URL)+len(a.Sealed) {
		w.Errorf("the usage is %+v", one)
	}
	a.Description += "0123456789é"
	w.check(w.store.UpdateEndpoint(w.ctx, a, bellwire.ChangeNote{}))
	w.equal("the bytes of a longer description", usage().Configuration, one.Configuration+len("0123456789é"))
	a.Filter += " || data.müll"
	w.check(w.store.UpdateEndpoint(w.ctx, a, bellwire.ChangeNote{}))
	w.equal("the bytes of a longer filter", usage().Configuration, one.Configuration+len("0123456789é || data.müll"))
	b := w.endpoint(t)
	w.equal("the endpoints", usage().Endpoints, 2)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, a.ID, w.now, bellwire.ChangeNote{}))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, b.ID, w.now, bellwire.ChangeNote{}))
	w.equal("the usage after all was deleted", usage(), bellwire.Usage{Keys: 1})
	_, err := w.store.Usage(w.ctx, "nobody")
	w.refused(err, bellwire.CodeNotFound)
}

// countsEvents: the tenant's own, up to the limit, as many as there are after a purge.
func countsEvents(w *world) {
	t, other := w.tenant(), w.tenant()
	w.append(together(w.event(other.ID)))
	for range 5 {
		w.append(together(w.event(t.ID)))
	}
	count := func(limit int) int {
		w.Helper()
		n, err := w.store.CountEvents(w.ctx, t.ID, limit)
		w.check(err)
		return n
	}
	w.equal("how many", count(100), 5)
	w.equal("how many, up to 3", count(3), 3)
	w.tick(1000 * time.Hour)
	w.purgeBefore(w.now.Add(-time.Hour), 100)
	w.equal("how many after a purge", count(100), 0)
	n, err := w.store.CountEvents(w.ctx, "nobody", 100)
	w.check(err)
	w.equal("how many of nobody", n, 0)
}

// dialectSettings returns settings of two dialects, with all fields and with one.
func dialectSettings() bellwire.SettingsByDialect {
	return bellwire.SettingsByDialect{
		"standard": {
			Retry: &bellwire.RetryPolicy{Interval: bellwire.Duration(time.Minute), Count: 5}, Timeout: bellwire.Duration(20 * time.Second),
			APIKeyHeader: "X-Key", Auth: &bellwire.Auth{Type: bellwire.AuthBasic, Username: "ü"}, SealedAuth: []byte{0, 1, 0xff}, UserAgent: "Acme/1.0", Headers: map[string]string{"X-A": "ä", "X-B": ""}, IgnoreReadOnly: new(false),
		},
		"lemon": {Headers: map[string]string{}},
	}
}
