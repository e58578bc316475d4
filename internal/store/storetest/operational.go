package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var operationalTests = []test{
	{name: "Operational/TellsOfHealth", run: operationalHealth},
	{name: "Operational/TellsOfChanges", run: operationalChanges},
	{name: "Operational/TellsOfExhaustedDeliveries", run: operationalExhausted},
	{name: "Operational/TellsOfJobs", run: operationalJobs},
	{name: "Operational/TellsWhoListens", run: operationalListeners},
	{name: "Operational/IsNeverAboutItself", run: operationalNotItself},
	{name: "Operational/SharesEvents", run: operationalShares},
	{name: "Operational/GathersExhaustedDeliveries", run: operationalGathers},
	{name: "Operational/KeepsNothingOfWhatFails", run: func(w *world) {
		w.operators("*")
		t := w.tenant()
		ep := w.endpoint(t)
		w.told(w.takeOperational(), "bellwire.endpoint.created "+ep.ID)
		stale := *ep
		stale.Revision--
		w.refused(w.store.UpdateEndpoint(w.ctx, &stale, bellwire.ChangeNote{After: json.RawMessage(`{"url":"x"}`)}), bellwire.CodeStale)
		w.refused(w.store.DeleteEndpoint(w.ctx, t.ID, "nothing", w.now, bellwire.ChangeNote{}), bellwire.CodeNotFound)
		w.refused(w.store.CreateEndpoint(w.ctx, ep, bellwire.ChangeNote{}), bellwire.CodeConflict)
		w.told(w.takeOperational())
	}},
	{name: "Operational/SurvivesARestart", need: reopens, run: func(w *world) {
		w.operators("*")
		ep := w.endpoint(w.tenant())
		before := w.takeOperational()
		w.reopen()
		after := w.takeOperational()
		w.equal("after a restart", after, before)
		w.told(after, "bellwire.endpoint.created "+ep.ID)
		w.reopen()
		w.told(w.takeOperational())
	}},
	{name: "Operational/IsThereAfterACrash", need: crashes, run: func(w *world) {
		w.operators("*")
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.record(counts(w.result(w.take(ep), spent)))
		w.store = w.hooks.Crash(w.t, w.store)
		w.lease()
		w.equal("the state", w.health(ep).State, bellwire.HealthFailing)
		w.told(w.takeOperational(), "bellwire.endpoint.created "+ep.ID, "bellwire.delivery.exhausted "+ep.ID, "bellwire.endpoint.failing "+ep.ID)
	}},
}

// operators makes the tenant that gets all operational events, with an endpoint.
func (w *world) operators(events ...string) *bellwire.Endpoint {
	w.Helper()
	t := &bellwire.Tenant{ID: bellwire.OperationsTenant, OperationalEvents: true, CreatedAt: w.now, UpdatedAt: w.now}
	w.check(w.store.CreateTenant(w.ctx, t))
	return w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Events = events })
}

func (w *world) takeOperational(but ...string) []*bellwire.OperationalEvent {
	w.Helper()
	events, err := w.store.TakeOperational(w.ctx, but, 1000)
	w.check(err)
	return events
}

func (w *world) dataOf(e *bellwire.OperationalEvent) (d bellwire.OperationalData) {
	w.Helper()
	w.check(json.Unmarshal(e.Data, &d))
	return d
}

// told expects operational events, each as its type and endpoint or job, and forgets them. The tenant is named unless it is
// OperationsTenant.
func (w *world) told(events []*bellwire.OperationalEvent, want ...string) {
	w.Helper()
	var (
		got     []string
		numbers []int64
	)
	for _, e := range events {
		d := w.dataOf(e)
		text := e.Type
		if d.Endpoint != nil {
			text += " " + d.Endpoint.ID
		}
		if d.Job != nil {
			text += " " + d.Job.ID.String()
		}
		if e.Tenant != bellwire.OperationsTenant {
			text += " to " + e.Tenant
		}
		if e.Key == "" || e.At.IsZero() || !e.At.Equal(d.At) {
			w.Errorf("the event %s has the key %q and the time %s", text, e.Key, e.At)
		}
		got, numbers = append(got, text), append(numbers, e.Number)
	}
	w.equal("the operational events", got, want)
	w.check(w.store.EndOperational(w.ctx, numbers))
}

func operationalHealth(w *world) {
	w.operators("*")
	t := w.tenant()
	ep := w.endpoint(t, func(ep *bellwire.Endpoint) { ep.URL = "https://example.com/hook?token=abcdefgh12345678" })
	w.told(w.takeOperational(), "bellwire.endpoint.created "+ep.ID)
	attempt := func(t bellwire.Transition) {
		w.Helper()
		if len(w.claim(ep, 0).Due) == 0 && w.due(ep.ID).At.IsZero() {
			w.publish(ep)
		}
		r := counts(w.result(w.take(ep), t))
		r.Attempt.Error = "the endpoint abcdefgh12345678 answered 500"
		w.record(r)
		w.tick(time.Second)
	}
	attempt(success) // what has never acknowledged an attempt fails at once
	for range bellwire.FailingAfter - 1 {
		attempt(retryIn(0))
	}
	w.told(w.takeOperational())
	failedAt := w.now
	attempt(retryIn(0))
	events := w.takeOperational()
	if len(events) != 1 {
		w.Fatalf("got %d events, want 1", len(events))
	}
	d := w.dataOf(events[0])
	w.equal("the tenant", d.Tenant, t.ID)
	w.equal("the URL", d.Endpoint.URL, "https://example.com/hook?token=[redacted]")
	w.equal("the last error", d.Health.LastError, "the endpoint [redacted] answered 500")
	w.equal("failures", d.Health.Failures, bellwire.FailingAfter)
	w.equal("the state", d.Health.State, bellwire.HealthFailing)
	w.equal("when", events[0].At, failedAt)
	if strings.Contains(string(events[0].Data), "abcdefgh12345678") {
		w.Errorf("the data shows the token: %s", events[0].Data)
	}
	w.told(events, "bellwire.endpoint.failing "+ep.ID)
	attempt(success)
	attempt(retryIn(0)) // a relapse is no second failure
	attempt(success)
	attempt(success)
	w.told(w.takeOperational())
	attempt(success)
	events = w.takeOperational()
	w.equal("the state", w.dataOf(events[0]).Health.State, bellwire.HealthHealthy)
	w.told(events, "bellwire.endpoint.recovered "+ep.ID)

	w.publish(ep)
	gone := w.result(w.take(ep), gone)
	current, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	gone.Disable, gone.EndpointRevision = true, current.Revision
	w.record(gone)
	events = w.takeOperational()
	d = w.dataOf(events[0])
	w.equal("who", *d.By, bellwire.OperationalActor{Kind: bellwire.ActorBellwire, Reason: bellwire.ReasonEndpointGone})
	w.equal("why", d.Reason, bellwire.ReasonEndpointGone)
	w.equal("the status", d.Endpoint.Status, bellwire.EndpointDisabled)
	w.told(events, "bellwire.endpoint.disabled "+ep.ID)
}

func operationalChanges(w *world) {
	w.operators("*")
	t := w.tenant()
	t.OperationalEvents = true
	w.check(w.store.UpdateTenant(w.ctx, t))
	key := bellwire.NewID[bellwire.KeyKind](w.now)
	note := func(role bellwire.Role, after string) bellwire.ChangeNote {
		return bellwire.ChangeNote{Actor: bellwire.Actor{Kind: bellwire.ActorKey, Key: key, Role: role}, After: json.RawMessage(after)}
	}
	ep := w.newEndpoint(t.ID)
	w.check(w.store.CreateEndpoint(w.ctx, ep, note(bellwire.RoleAdmin, `{"url":"https://example.com/?a=b"}`)))
	events := w.takeOperational()
	w.equal("the key that operators see", w.dataOf(events[0]).By.Key, key.String())
	w.equal("the key that the tenant sees", w.dataOf(events[1]).By.Key, "")
	w.told(events, "bellwire.endpoint.created "+ep.ID, "bellwire.endpoint.created "+ep.ID+" to "+t.ID)

	update := func(after string, want ...string) {
		w.Helper()
		ep.UpdatedAt = w.tick(time.Second)
		w.check(w.store.UpdateEndpoint(w.ctx, ep, note(bellwire.RoleTenant, after)))
		var all []string
		for _, eventType := range want {
			all = append(all, eventType+" "+ep.ID, eventType+" "+ep.ID+" to "+t.ID)
		}
		events := w.takeOperational()
		for _, e := range events {
			d := w.dataOf(e)
			w.equal("the key", d.By.Key, key.String())
			if e.Type == bellwire.OperationalUpdated && strings.Contains(after, "url") {
				w.equal("the fields", string(d.After), `{"dialect_settings":"[redacted]","secret":"[changed]","url":"https://example.com/?a=[redacted]"}`)
			}
		}
		w.told(events, all...)
	}
	update("")
	update(`{"description":"x"}`, bellwire.OperationalUpdated)
	update(`{"secret":"[changed]"}`, bellwire.OperationalRotated)
	update(`{"secret":"[changed]","url":"https://example.com/?a=secret","dialect_settings":{"path":"x"}}`, bellwire.OperationalRotated, bellwire.OperationalUpdated)
	ep.Status = bellwire.EndpointPaused
	update(`{"status":"paused"}`, bellwire.OperationalUpdated)
	ep.Status = bellwire.EndpointDisabled
	update(`{"status":"disabled","status_reason":""}`, bellwire.OperationalDisabled)
	update(`{"description":"y"}`, bellwire.OperationalUpdated)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.tick(time.Second), note(bellwire.RoleTenant, "")))
	w.told(w.takeOperational(), "bellwire.endpoint.deleted "+ep.ID, "bellwire.endpoint.deleted "+ep.ID+" to "+t.ID)
}

func operationalExhausted(w *world) {
	w.operators("bellwire.delivery.*")
	ep := w.endpoint(w.tenant())
	first, second, third := w.publish(ep), w.publish(ep), w.publish(ep)
	due := w.claim(ep, 2).Due
	one, two := w.result(due[0].Delivery, spent), w.result(due[1].Delivery, spent)
	one.Attempt.Error, one.Attempt.Response = "the endpoint answered 503", &bellwire.AttemptResponse{Status: 503}
	two.Attempt = nil
	w.record(one, two)
	w.record(one) // a repetition
	w.tick(time.Hour)
	ended, err := w.store.ExhaustTooOld(w.ctx, w.now, bellwire.TooOld{
		Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Before: w.now, Reason: bellwire.ReasonTimeOver, Limit: 10,
	})
	w.check(err)
	w.equal("expired deliveries", ended, 1)
	want := []bellwire.OperationalDelivery{
		{ID: one.Delivery, Event: first.Event.ID, EventType: "order.paid", Reason: bellwire.ReasonRetriesSpent, Error: "the endpoint answered 503", Status: 503},
		{ID: two.Delivery, Event: second.Event.ID, EventType: "order.paid", Reason: bellwire.ReasonRetriesSpent},
		{ID: third.Deliveries[0].ID, Event: third.Event.ID, EventType: "order.paid", Reason: bellwire.ReasonTimeOver},
	}
	events := w.takeOperational()
	if len(events) != len(want) {
		w.Fatalf("got %d events, want %d", len(events), len(want))
	}
	for i, e := range events {
		d := w.dataOf(e)
		w.equal("the deliveries", d.Deliveries, want[i:i+1])
		w.equal("how many", d.Count, 1)
	}

	// A test is one attempt only, and says nothing.
	test := w.event(ep.Tenant, ep)
	test.Event.Test, test.Deliveries[0].Manual = true, true
	w.append(together(test))
	manual := w.claim(ep, 0).Manual
	r := w.result(manual[0].Delivery, bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonTestFailed})
	r.Trigger, r.Epoch = bellwire.TriggerTest, w.leases.Epoch(ep.ID)
	w.equal("the test", w.record(r)[0].Status, bellwire.DeliveryExhausted)
	w.equal("the events after a test", len(w.takeOperational()), len(want))
}

func operationalJobs(w *world) {
	w.operators("bellwire.job.*")
	t := w.tenant()
	ep := w.endpoint(t)
	w.publish(ep)
	done := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending}})
	canceled := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending}})
	_, err := w.store.ChangeJob(w.ctx, t.ID, canceled.ID, bellwire.JobChange{State: bellwire.JobPaused}, w.now)
	w.check(err)
	w.told(w.takeOperational())
	_, err = w.store.ChangeJob(w.ctx, t.ID, canceled.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.now)
	w.check(err)
	_, err = w.store.AdvanceJob(w.ctx, &bellwire.JobStep{Job: done, Ended: true, Now: w.tick(time.Second)})
	w.check(err)
	again, err := w.store.AdvanceJob(w.ctx, &bellwire.JobStep{Job: done, Ended: true, Now: w.now})
	w.check(err)
	w.equal("a step of another node", again.Made, false)
	events := w.takeOperational()
	w.equal("a state", w.dataOf(events[0]).Job.State, bellwire.JobCanceled)
	w.equal("a state", w.dataOf(events[1]).Job.State, bellwire.JobDone)
	w.told(events, "bellwire.job.finished "+canceled.ID.String(), "bellwire.job.finished "+done.ID.String())
}

// Nothing is kept that nobody gets.
func operationalListeners(w *world) {
	ep := w.endpoint(w.tenant())
	w.publish(ep)
	w.record(counts(w.result(w.take(ep), spent)))
	w.told(w.takeOperational())

	op := w.operators("bellwire.endpoint.created", "order.*")
	made := w.endpoint(w.tenant())
	w.disable(made)
	w.told(w.takeOperational(), "bellwire.endpoint.created "+made.ID)

	update := func(change func(*bellwire.Endpoint)) {
		w.Helper()
		now, err := w.store.Endpoint(w.ctx, op.ID)
		w.check(err)
		change(now)
		w.check(w.store.UpdateEndpoint(w.ctx, now, bellwire.ChangeNote{}))
	}
	update(func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
	made = w.endpoint(w.tenant())
	w.told(w.takeOperational(), "bellwire.endpoint.created "+made.ID)
	update(func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
	w.endpoint(w.tenant())
	w.told(w.takeOperational())
	update(func(ep *bellwire.Endpoint) { ep.Status, ep.Events = bellwire.EndpointEnabled, []string{"*"} })
	made = w.endpoint(w.tenant())
	w.told(w.takeOperational(bellwire.OperationsTenant))
	w.told(w.takeOperational(), "bellwire.endpoint.created "+made.ID)

	t, err := w.store.Tenant(w.ctx, bellwire.OperationsTenant)
	w.check(err)
	t.OperationalEvents = false
	w.check(w.store.UpdateTenant(w.ctx, t))
	w.endpoint(w.tenant())
	w.told(w.takeOperational())
}

func operationalNotItself(w *world) {
	op := w.operators("*")
	t := w.tenant()
	t.OperationalEvents = true
	w.check(w.store.UpdateTenant(w.ctx, t))
	ep := w.endpoint(t)
	w.told(w.takeOperational(), "bellwire.endpoint.created "+ep.ID, "bellwire.endpoint.created "+ep.ID+" to "+t.ID)
	for _, ep := range []*bellwire.Endpoint{op, ep} {
		now, err := w.store.Endpoint(w.ctx, ep.ID)
		w.check(err)
		for _, transition := range []bellwire.Transition{spent, success, success, success, spent, gone} {
			e := w.event(ep.Tenant, ep)
			e.Event.Type = bellwire.OperationalFailing
			w.append(together(e))
			r := counts(w.result(w.take(ep), transition))
			r.EventType = bellwire.OperationalFailing
			r.Disable, r.EndpointRevision = transition == gone, now.Revision
			w.record(r)
		}
		now, err = w.store.Endpoint(w.ctx, ep.ID)
		w.check(err)
		w.equal("the status", now.Status, bellwire.EndpointDisabled)
	}
	now, err := w.store.Endpoint(w.ctx, op.ID)
	w.check(err)
	now.Status = bellwire.EndpointEnabled
	w.check(w.store.UpdateEndpoint(w.ctx, now, bellwire.ChangeNote{}))
	// The type of an expired delivery counts too.
	other := w.endpoint(t)
	w.told(w.takeOperational(), "bellwire.endpoint.created "+other.ID, "bellwire.endpoint.created "+other.ID+" to "+t.ID)
	e := w.event(t.ID, other)
	e.Event.Type = bellwire.OperationalFailing
	w.append(together(e))
	w.tick(time.Hour)
	ended, err := w.store.ExhaustTooOld(w.ctx, w.now, bellwire.TooOld{Endpoint: other.ID, Epoch: w.leases.Epoch(other.ID), Before: w.now, Limit: 10})
	w.check(err)
	w.equal("expired deliveries", ended, 1)
	w.check(w.store.DeleteEndpoint(w.ctx, op.Tenant, op.ID, w.now, bellwire.ChangeNote{}))
	w.told(w.takeOperational())
}

// Each exhausted delivery is named by exactly one event, and what was taken does not change.
func operationalShares(w *world) {
	w.operators("bellwire.delivery.*")
	t := w.tenant()
	few, many := w.endpoint(t), w.endpoint(t)
	exhaust := func(ep *bellwire.Endpoint, n int) {
		w.Helper()
		for range n {
			w.publish(ep)
		}
		var results []*bellwire.Result
		for _, c := range w.claim(ep, n).Due {
			results = append(results, w.result(c.Delivery, spent))
		}
		w.record(results...)
	}
	exhaust(few, 10)
	exhaust(many, 11)
	first := w.takeOperational()
	w.equal("events", len(first), 10+1)
	exhaust(many, 300)
	second := w.takeOperational()
	w.equal("events", len(second), 10+1+2)
	w.equal("what was taken before", second[:len(first)], first)
	named := make(map[bellwire.DeliveryID]string)
	for _, e := range second {
		d := w.dataOf(e)
		w.equal("how many", d.Count, len(d.Deliveries))
		for _, delivery := range d.Deliveries {
			if named[delivery.ID] != "" {
				w.Errorf("%s is named twice", delivery.ID)
			}
			named[delivery.ID] = d.Endpoint.ID
		}
	}
	w.equal("named deliveries", len(named), 10+11+300)
	keys := make([]string, 0, len(second))
	for _, e := range second {
		keys = append(keys, e.Key)
	}
	slices.Sort(keys)
	w.equal("keys", len(slices.Compact(keys)), len(second))
	w.check(w.store.EndOperational(w.ctx, []int64{second[0].Number}))
	w.equal("events after one was published", fmt.Sprint(len(w.takeOperational())), fmt.Sprint(len(second)-1))
}

// Exhausted deliveries of many endpoints share events, of one tenant first.
func operationalGathers(w *world) {
	w.operators("bellwire.delivery.*")
	own := w.tenant()
	own.OperationalEvents = true
	w.check(w.store.UpdateTenant(w.ctx, own))
	exhaust := func(t *bellwire.Tenant, endpoints int) {
		w.Helper()
		for range endpoints {
			ep := w.endpoint(t)
			w.publish(ep)
			w.record(w.result(w.take(ep), spent))
		}
	}
	exhaust(own, 51)
	for range 51 {
		exhaust(w.tenant(), 1)
	}
	exhaust(own, 1)
	named := make(map[string]int)
	taken := w.takeOperational()
	var events []*bellwire.OperationalEvent
	for _, e := range taken {
		if e.Type == bellwire.OperationalExhausted {
			events = append(events, e)
		}
	}
	for _, e := range events {
		d := w.dataOf(e)
		w.equal("how many", d.Count, len(d.Deliveries))
		w.equal("one endpoint for all", d.Endpoint == nil, true)
		w.equal("one tenant for all", d.Tenant, map[bool]string{true: own.ID}[e.Tenant == own.ID])
		for _, delivery := range d.Deliveries {
			w.equal("the delivery's tenant", delivery.Tenant == "", e.Tenant == own.ID)
			named[e.Tenant+delivery.ID.String()+delivery.Endpoint]++
		}
	}
	w.equal("events", len(events), 2)
	w.equal("named deliveries", len(named), 52+52+51)
	w.equal("what was taken before", w.takeOperational(), taken)
}

// useOperational calls each verb.
func useOperational(w *world) {
	w.operators("*")
	ep := w.endpoint(w.tenant())
	for range 20 {
		w.publish(ep)
		w.record(counts(w.result(w.take(ep), spent)))
	}
	w.check(w.store.EndOperational(w.ctx, []int64{w.takeOperational("other")[0].Number}))
}
