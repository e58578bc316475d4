package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var importTests = []test{
	{name: "Imports/AreListedAtTheirTimes", run: importsListed},
	{name: "Imports/TwiceChangeNothing", run: func(w *world) {
		t := w.tenant()
		first, keyed := w.past(t.ID, 48*time.Hour), w.keyed(w.past(t.ID, 24*time.Hour), "k", 1)
		w.imports(bellwire.ImportCreated, first, keyed)
		w.imports(bellwire.ImportUnchanged, first, keyed)
		again := w.keyed(w.past(t.ID, 24*time.Hour), "k", 1)
		w.imports(bellwire.ImportUnchanged, again) // the same, as far as its publisher is concerned
		w.equal("the events", len(w.events(t.ID)), 2)
		next := w.keyed(w.event(t.ID, w.endpoint(t)), "k", 1)
		appended := w.append(together(next))
		w.equal("published with the key of an imported event", appended[0].Duplicate && appended[0].ID == keyed.Event.ID, true)
	}},
	{name: "Imports/ThatDifferAreRefused", run: importsRefused},
	{name: "Imports/DryRunStoresNothing", run: func(w *world) {
		t := w.tenant()
		e := w.past(t.ID, time.Hour)
		w.equal("the states", w.imported(true, e), []bellwire.ImportState{bellwire.ImportCreated})
		w.equal("the events", len(w.events(t.ID)), 0)
		w.imports(bellwire.ImportCreated, e)
		w.equal("the states", w.imported(true, e), []bellwire.ImportState{bellwire.ImportUnchanged})
		for _, dry := range []bool{false, true} {
			_, err := w.store.ImportEvents(w.ctx, []*bellwire.NewEvent{w.past(t.ID, time.Hour), w.past("nobody", time.Hour)}, dry)
			w.refused(err, bellwire.CodeNotFound)
			w.equal("the events", len(w.events(t.ID)), 1)
		}
	}},
	{name: "Imports/OfSeveralTenants", run: func(w *world) {
		a, b := w.tenant(), w.tenant()
		ofA, ofB := w.keyed(w.past(a.ID, time.Hour), "k", 1), w.keyed(w.past(b.ID, time.Hour), "k", 2)
		w.imports(bellwire.ImportCreated, ofA, ofB)
		stolen := w.past(b.ID, time.Hour)
		stolen.Event.ID = ofA.Event.ID
		other := w.keyed(w.past(b.ID, time.Hour), "k", 3)
		states := []bellwire.ImportState{bellwire.ImportUnchanged, bellwire.ImportRefused, bellwire.ImportCreated, bellwire.ImportRefused, bellwire.ImportCreated}
		events := []*bellwire.NewEvent{ofA, stolen, w.past(b.ID, time.Hour), other, w.past(a.ID, time.Hour)}
		w.equal("a dry run", w.imported(true, events...), states)
		w.equal("the states", w.imported(false, events...), states)
		w.equal("the events of each", []int{len(w.events(a.ID)), len(w.events(b.ID))}, []int{2, 2})
	}},
	{name: "Imports/AreSentToNobodyUntilReplayed", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		e := w.past(t.ID, 400*24*time.Hour)
		w.imports(bellwire.ImportCreated, e)
		w.nothingDue(ep.ID)
		j := w.job(t.ID, bellwire.JobReplay, bellwire.JobParams{Endpoint: ep.ID, Until: w.now.Add(time.Hour), Missing: true})
		w.equal("the count", w.counted(j, ep), 1)
		w.equal("replayed", w.run(j, 10, ep).Done, 1)
		d := w.take(ep)
		w.record(w.result(d, success))
		w.equal("the event", d.Event, e.Event.ID)
		w.equal("the status", w.load(t.ID, d.ID).Status, bellwire.DeliverySucceeded)
	}},
	{name: "Imports/StayErased", run: func(w *world) {
		t := w.tenant()
		e := w.keyed(w.past(t.ID, time.Hour), "k", 1)
		w.imports(bellwire.ImportCreated, e)
		w.erase(e)
		w.imports(bellwire.ImportUnchanged, e)
		read, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
		w.check(err)
		w.equal("the data", len(read.Data), 0)
	}},
	{name: "Imports/CanBeErasedFromTheStart", run: func(w *world) {
		t := w.tenant()
		e := w.keyed(w.past(t.ID, time.Hour), "k", 1)
		e.Event.Data, e.Digest = nil, bellwire.ErasedDigest
		e.Event.Erased = &bellwire.Erasure{At: w.now, By: bellwire.Actor{Kind: bellwire.ActorConfigured}}
		w.imports(bellwire.ImportCreated, e)
		w.imports(bellwire.ImportUnchanged, e)
		read, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
		w.check(err)
		w.equal("the data", len(read.Data), 0)
		w.equal("the erasure", read.Erased, e.Event.Erased)
		whole := w.past(t.ID, 2*time.Hour)
		w.imports(bellwire.ImportCreated, whole)
		erased := *whole
		erased.Event.Data, erased.Event.Erased = nil, e.Event.Erased
		w.imports(bellwire.ImportRefused, &erased)
	}},
	{name: "Imports/LeaveTheClockAlone", need: reopens, run: func(w *world) {
		t := w.tenant()
		published := w.publish(w.endpoint(t))
		w.imports(bellwire.ImportCreated, w.past(t.ID, 48*time.Hour))
		w.reopen()
		w.tick(-time.Hour) // the machine's clock is set back
		next := w.event(t.ID)
		w.append(together(next))
		w.equal("the next time is later", next.Event.CreatedAt.After(published.Event.CreatedAt), true)
	}},
	{name: "Imports/AreNotCounted", need: crashes, run: func(w *world) {
		t := w.tenant()
		w.publish(w.endpoint(t))
		w.imports(bellwire.ImportCreated, w.past(t.ID, time.Hour))
		survivor := w.survivor()
		for _, each := range []*world{survivor, w} {
			published := uint64(0)
			for _, row := range each.statistics(t.ID, bellwire.Hour) {
				published += row.Published
			}
			each.equal("published", published, uint64(1))
		}
		survivor.check(survivor.store.Close())
	}},
	{name: "Imports/ArePurged", run: func(w *world) {
		t := w.tenant()
		w.imports(bellwire.ImportCreated, w.keyed(w.past(t.ID, 400*24*time.Hour), "k", 1))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.purge(100)
		again := w.tenant()
		w.imports(bellwire.ImportCreated, w.keyed(w.past(again.ID, 400*24*time.Hour), "k", 1))
	}},
}

// past makes an event of an age.
func (w *world) past(tenant string, age time.Duration) *bellwire.NewEvent {
	e := w.event(tenant)
	e.Event.CreatedAt = w.now.Add(-age)
	e.Event.ID = bellwire.NewID[bellwire.EventKind](e.Event.CreatedAt)
	e.Event.OccurredAt = e.Event.CreatedAt.Add(-time.Minute)
	e.Digest = bellwire.Digest(e.Event.Type, e.Event.Data)
	return e
}

// imported imports events and returns the states.
func (w *world) imported(dryRun bool, events ...*bellwire.NewEvent) (states []bellwire.ImportState) {
	w.Helper()
	results, err := w.store.ImportEvents(w.ctx, events, dryRun)
	w.check(err)
	for _, r := range results {
		states = append(states, r.State)
		if (r.State == bellwire.ImportRefused) != (r.Problem != "" && r.Field != "") {
			w.Errorf("the result %+v", r)
		}
	}
	return states
}

// imports expects the same state of all events.
func (w *world) imports(want bellwire.ImportState, events ...*bellwire.NewEvent) {
	w.Helper()
	for i, got := range w.imported(false, events...) {
		w.equal("the state of event "+events[i].Event.ID.String(), got, want)
	}
}

func (w *world) events(tenant string) []*bellwire.Event {
	w.Helper()
	list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: tenant}, bellwire.Page{Limit: 100})
	w.check(err)
	return list.Items
}

func importsListed(w *world) {
	t := w.tenant()
	published := w.event(t.ID)
	w.append(together(published))
	old, older := w.keyed(w.past(t.ID, 24*time.Hour), "k", 1), w.past(t.ID, 5*365*24*time.Hour)
	older.Event.OccurredAt = time.Time{}
	older.Event.DeliverAt, older.Event.ExpiresAt, older.Event.OrderingKey = older.Event.CreatedAt.Add(time.Hour), older.Event.CreatedAt.Add(2*time.Hour), "o"
	older.Event.Data = []byte(`"é  1E400"`)
	w.imports(bellwire.ImportCreated, old, older)
	want := []*bellwire.Event{&published.Event, &old.Event, &older.Event}
	old.Event.Imported, older.Event.Imported = true, true
	w.equal("the events", w.events(t.ID), want)
	read, err := w.store.Event(w.ctx, t.ID, older.Event.ID)
	w.check(err)
	w.equal("the oldest", read, &older.Event)
	id, err := w.store.EventByKey(w.ctx, t.ID, "k")
	w.check(err)
	w.equal("by its key", id, old.Event.ID)
	list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID, Until: w.now.Add(-time.Hour), OldestFirst: true}, bellwire.Page{Limit: 1})
	w.check(err)
	w.equal("the oldest", list.Items, []*bellwire.Event{&older.Event})
}

func importsRefused(w *world) {
	t, other := w.tenant(), w.tenant()
	e := w.keyed(w.past(t.ID, 24*time.Hour), "k", 1)
	w.imports(bellwire.ImportCreated, e)
	for name, change := range map[string]func(e *bellwire.NewEvent){
		"type":     func(e *bellwire.NewEvent) { e.Event.Type = "other" },
		"data":     func(e *bellwire.NewEvent) { e.Event.Data = []byte(`{"n": 2}`) },
		"key":      func(e *bellwire.NewEvent) { e.Event.IdempotencyKey = "" },
		"time":     func(e *bellwire.NewEvent) { e.Event.CreatedAt = e.Event.CreatedAt.Add(time.Microsecond) },
		"occurred": func(e *bellwire.NewEvent) { e.Event.OccurredAt = time.Time{} },
		"deliver":  func(e *bellwire.NewEvent) { e.Event.DeliverAt = w.now },
		"expires":  func(e *bellwire.NewEvent) { e.Event.ExpiresAt = w.now },
		"order":    func(e *bellwire.NewEvent) { e.Event.OrderingKey = "o" },
		"id":       func(e *bellwire.NewEvent) { e.Event.ID[15]++; e.Event.IdempotencyKey = "" },
		"its key": func(e *bellwire.NewEvent) {
			e.Event.ID = bellwire.NewID[bellwire.EventKind](e.Event.CreatedAt)
			e.Digest = [32]byte{9}
		},
	} {
		changed := *e
		change(&changed)
		for _, dry := range []bool{true, false} {
			w.equal("with another "+name, w.imported(dry, &changed), []bellwire.ImportState{bellwire.ImportRefused})
		}
	}
	foreign := *e
	foreign.Event.Tenant, foreign.Event.IdempotencyKey = other.ID, ""
	free := w.past(other.ID, time.Hour)
	w.equal("of another tenant", w.imported(false, &foreign, free), []bellwire.ImportState{bellwire.ImportRefused, bellwire.ImportCreated})
	w.equal("the events", len(w.events(t.ID)), 1)
}

// useImports calls the verb with all that it looks up.
func useImports(w *world) {
	t := w.tenant()
	e := w.keyed(w.past(t.ID, 400*24*time.Hour), "imported", 1)
	w.imported(true, e)
	w.imports(bellwire.ImportCreated, e)
}
