package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var recordTests = []test{
	{name: "Record/KeepsAttempts", run: recordKeeps},
	{name: "Record/Success", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.tick(time.Second)
		w.equal("the answer", w.record(w.result(d, success))[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true})
		d.Status, d.Attempts, d.Epoch, d.DueAt, d.UpdatedAt = bellwire.DeliverySucceeded, 1, 0, time.Time{}, w.now
		w.equal("the delivery", w.load(ep.Tenant, d.ID), &d)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Record/Retry", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		for n := 1; n <= 3; n++ {
			w.tick(time.Second)
			w.equal("the answer", w.record(w.result(d, retryIn(time.Minute)))[0],
				bellwire.Recorded{Status: bellwire.DeliveryRetrying, Moved: true, DueAt: w.now.Add(time.Minute)})
			d.Status, d.Attempts, d.Retries, d.Epoch = bellwire.DeliveryRetrying, n, n, 0
			d.DueAt, d.UpdatedAt = w.now.Add(time.Minute), w.now
			w.equal("the delivery", w.load(ep.Tenant, d.ID), &d)
			w.tick(time.Minute)
			d = w.take(ep)
		}
		w.equal("what is open", w.backlog().Open, 1)
	}},
	{name: "Record/End", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, end := range []bellwire.Transition{spent, {Status: bellwire.DeliveryCanceled, Reason: "the endpoint is gone"}} {
			w.publish(ep)
			d := w.take(ep)
			w.equal("the answer", w.record(w.result(d, end))[0], bellwire.Recorded{Status: end.Status, Moved: true})
			read := w.load(ep.Tenant, d.ID)
			w.equal("status and reason", []string{string(read.Status), read.Reason}, []string{string(end.Status), end.Reason})
			w.equal("due", read.DueAt, time.Time{})
		}
		w.nothingDue(ep.ID)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Record/WithoutAttempt", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		r := w.result(d, bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: "the endpoint cannot be requested"})
		r.Attempt = nil
		w.equal("the answer", w.record(r)[0], bellwire.Recorded{Status: bellwire.DeliveryExhausted, Moved: true})
		w.equal("attempts", w.load(ep.Tenant, d.ID).Attempts, 0)
		w.equal("attempts", len(w.attempts(d.ID)), 0)
	}},
	{name: "Record/SuccessWinsWhateverTheState", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, end := range []bellwire.Transition{spent, {Status: bellwire.DeliveryCanceled, Reason: "because"}, retryIn(time.Hour)} {
			w.publish(ep)
			d := w.take(ep)
			late := w.result(d, success)
			late.Epoch = d.Epoch - 1
			w.record(w.result(d, end))
			w.equal("the answer", w.record(late)[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true})
			read := w.load(ep.Tenant, d.ID)
			w.equal("the reason", read.Reason, "")
			w.equal("due", read.DueAt, time.Time{})
			w.equal("attempts", read.Attempts, 2)
			again := w.result(d, success)
			w.equal("another success", w.record(again)[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded})
			w.equal("attempts", len(w.attempts(d.ID)), 3)
		}
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Record/FailureOfAnotherEpochMovesNothing", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		for _, t := range []bellwire.Transition{retryIn(time.Hour), spent} {
			for _, epoch := range []int64{0, d.Epoch - 1, d.Epoch + 1} {
				r := w.result(d, t)
				r.Epoch = epoch
				w.equal("the answer", w.record(r)[0], bellwire.Recorded{Status: bellwire.DeliveryPending})
			}
		}
		read := w.load(ep.Tenant, d.ID)
		w.equal("attempts are kept all the same", []int{read.Attempts, len(w.attempts(d.ID))}, []int{6, 6})
		w.equal("retries", read.Retries, 0)
		w.equal("its epoch", read.Epoch, d.Epoch)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch}}))
		w.equal("when free", w.record(w.result(d, spent))[0], bellwire.Recorded{Status: bellwire.DeliveryPending})
	}},
	{name: "Record/LateFailureMovesNothing", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.record(w.result(d, success))
		w.equal("the answer", w.record(w.result(d, spent))[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded})
	}},
	{name: "Record/CanBeRepeated", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		r := w.result(w.take(ep), retryIn(time.Minute))
		due := w.now.Add(time.Minute)
		w.equal("the first time", w.record(r)[0], bellwire.Recorded{Status: bellwire.DeliveryRetrying, Moved: true, DueAt: due})
		before := w.load(ep.Tenant, r.Delivery)
		w.tick(time.Minute)
		taken := w.take(ep)
		w.equal("again", w.record(r)[0], bellwire.Recorded{Status: bellwire.DeliveryRetrying, DueAt: due})
		after := w.load(ep.Tenant, r.Delivery)
		after.Epoch = before.Epoch
		w.equal("the delivery", after, before)
		w.equal("attempts", len(w.attempts(r.Delivery)), 1)

		twice := w.result(taken, success)
		got := w.record(twice, twice)
		w.equal("twice in one group", got, []bellwire.Recorded{
			{Status: bellwire.DeliverySucceeded, Moved: true}, {Status: bellwire.DeliverySucceeded},
		})
	}},
	{name: "Record/NothingToMove", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.equal("the answer", w.record(w.result(d, bellwire.Transition{}))[0], bellwire.Recorded{Status: bellwire.DeliveryPending})
		w.equal("its epoch", w.load(ep.Tenant, d.ID).Epoch, d.Epoch)
		w.equal("attempts", len(w.attempts(d.ID)), 1)
	}},
	{name: "Record/OfNoDelivery", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		ghost := d
		ghost.ID = bellwire.Next[bellwire.DeliveryKind](w.ids, w.now)
		w.equal("the answers", w.record(w.result(ghost, success), w.result(d, success)), []bellwire.Recorded{
			{}, {Status: bellwire.DeliverySucceeded, Moved: true},
		})
	}},
	{name: "Record/DisablesAtTheEndpointsRevision", run: recordDisables},
	{name: "Record/DropsDetailsBetweenFirstAndLast", run: recordDrops},
}

// fullAttempt has everything that an attempt can have.
func (w *world) fullAttempt(d bellwire.DeliveryID) *bellwire.Attempt {
	return &bellwire.Attempt{
		ID: bellwire.Next[bellwire.AttemptKind](w.ids, w.now), Delivery: d, Trigger: bellwire.TriggerSchedule,
		StartedAt: w.now, Outcome: bellwire.OutcomeStatus, Error: "the endpoint answered 500 Internal Server Error",
		Timings: bellwire.Timings{
			DNS: time.Millisecond, Connect: 2 * time.Millisecond, TLS: 3 * time.Millisecond,
			FirstByte: 4 * time.Millisecond, Total: 5 * time.Second,
		},
		Request: bellwire.AttemptRequest{
			URL: "https://example.com/hook?a=b", BodyBytes: 123, HeadersTruncated: true,
			Headers: []bellwire.Header{{Name: "webhook-id", Value: "1"}, {Name: "authorization", Value: bellwire.Redacted}},
		},
		Response: &bellwire.AttemptResponse{
			Status: 500, Headers: []bellwire.Header{{Name: "X", Value: "é \"quoted\" <>&\u2028\x00"}}, HeadersTruncated: true,
			Body: []byte{0xff, 0, '<'}, Truncated: true, Note: "the body broke off",
		},
	}
}

// The first and the newest of many attempts are kept complete. The others lose their request, and their response except its
// status. The delivery's own state does not change.
func recordDrops(w *world) {
	const whole, made = 5, 12
	ep := w.endpoint(w.tenant())
	w.publish(ep)
	d := w.take(ep)
	var want []*bellwire.Attempt
	fail := func(whole int, as ...bellwire.Trigger) {
		var results []*bellwire.Result
		for _, trigger := range as {
			r := w.result(d, retryIn(time.Hour))
			if trigger != bellwire.TriggerSchedule {
				r.Transition = bellwire.Transition{}
			}
			r.Attempt, r.Trigger, r.WholeAttempts = w.fullAttempt(d.ID), trigger, whole
			r.Attempt.Trigger = trigger
			if len(want)%4 == 3 {
				r.Attempt.Response = nil
			}
			results = append(results, r)
			kept := *r.Attempt
			kept.Number = len(want) + 1
			want = append(want, &kept)
		}
		w.record(results...)
	}
	drop := func(a *bellwire.Attempt) {
		a.Request, a.Dropped = bellwire.AttemptRequest{}, true
		if a.Response != nil {
			a.Response = &bellwire.AttemptResponse{Status: a.Response.Status}
		}
	}
	for len(want) < made-2 {
		fail(whole, bellwire.TriggerSchedule)
		d.Epoch = 0
		if n := len(want); n > whole {
			drop(want[n-3])
		}
		w.equal("attempts", w.attempts(d.ID), want)
	}
	fail(whole, bellwire.TriggerSchedule, bellwire.TriggerManual) // both in one group
	drop(want[made-3])
	drop(want[made-4])
	w.equal("attempts", w.attempts(d.ID), want)
	fail(0, bellwire.TriggerSchedule)
	w.equal("without a bound", w.attempts(d.ID), want)
	fail(2, bellwire.TriggerSchedule)
	drop(want[made])
	w.equal("with another bound", w.attempts(d.ID), want)
}

func recordKeeps(w *world) {
	ep := w.endpoint(w.tenant())
	w.publish(ep)
	d := w.take(ep)
	full := w.fullAttempt(d.ID)
	r := w.result(d, retryIn(0))
	r.Attempt = full
	w.record(r)
	full.Number = 1
	w.equal("a full attempt", w.attempts(d.ID), []*bellwire.Attempt{full})

	bare := w.result(w.take(ep), retryIn(0))
	w.record(bare)
	want := *bare.Attempt
	want.Number = 2
	w.equal("a bare one after it", w.attempts(d.ID), []*bellwire.Attempt{full, &want})

	empty := w.result(w.take(ep), retryIn(0))
	empty.Attempt.Response = &bellwire.AttemptResponse{Status: 204}
	w.record(empty)
	newest, err := w.store.Attempts(w.ctx, d.ID, 2)
	w.check(err)
	last := *empty.Attempt
	last.Number = 3
	w.equal("the newest two", newest, []*bellwire.Attempt{&want, &last})
	nobody, err := w.store.Attempts(w.ctx, bellwire.DeliveryID{1}, 10)
	w.check(err)
	w.equal("the attempts of nothing", len(nobody), 0)
}

func recordDisables(w *world) {
	t := w.tenant()
	ep := w.endpoint(t)
	gone := func(revision int64) bellwire.Recorded {
		w.publish(ep)
		r := w.result(w.claim(ep, 1).Due[0].Delivery, bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointGone})
		r.Disable, r.EndpointRevision = true, revision
		r.Otherwise = retryIn(time.Minute)
		return w.record(r)[0]
	}
	w.equal("at another revision", gone(ep.Revision+1),
		bellwire.Recorded{Status: bellwire.DeliveryRetrying, Moved: true, DueAt: w.now.Add(time.Minute)})
	read, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	w.equal("the endpoint", read, ep)

	before, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	w.equal("at its revision", gone(ep.Revision), bellwire.Recorded{Status: bellwire.DeliveryCanceled, Moved: true, DisabledFor: bellwire.ReasonEndpointGone})
	read, err = w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	if read.Status != bellwire.EndpointDisabled || read.StatusReason != bellwire.ReasonEndpointGone || read.Revision <= ep.Revision {
		w.Errorf("the endpoint is %s at revision %d, because %q", read.Status, read.Revision, read.StatusReason)
	}
	after, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	if after.Revision <= before.Revision {
		w.Error("the tenant's revision stayed")
	}
}
