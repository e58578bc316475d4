package storetest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var modelTests = []test{
	{name: "Model", need: thorough, run: func(w *world) {
		rapid.Check(w.t, func(t *rapid.T) {
			in := *w
			in.TB = t
			m := newModel(&in)
			defer func() {
				in.check(in.store.DeleteTenant(in.ctx, m.endpoints[0].Tenant, in.now))
				in.purge(1000)
				w.store, w.leases, w.now, w.count = in.store, in.leases, in.now, in.count
			}()
			t.Repeat(map[string]func(*rapid.T){
				"append":  m.append,
				"claim":   m.claim,
				"record":  m.record,
				"release": m.release,
				"request": m.request,
				"cancel":  m.cancel,
				"wait":    func(t *rapid.T) { in.tick(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second) },
				"expire":  m.expire,
				"end old": m.endOld,
				"reopen":  m.reopen,
				"":        m.compare,
			})
		})
	}},
}

// model holds the expected state of a store with one tenant and two endpoints, one of them ordered.
type model struct {
	w         *world
	endpoints []*bellwire.Endpoint
	rows      []*modelRow // in the order in which they were made
	taken     []taken     // in memory, maybe in that of a process that has died
	last      int64       // the last number that was given
}

// modelRow is a delivery. Its Epoch, and hand, are those in which it was taken; it is free in any other.
type modelRow struct {
	bellwire.Delivery
	manual bool // a manual retry is requested
	hand   int64
}

// taken is a delivery in memory.
type taken struct {
	row      *modelRow
	delivery bellwire.Delivery
	epoch    int64
	manual   bool
}

func newModel(w *world) *model {
	tenant := w.tenant()
	return &model{w: w, endpoints: []*bellwire.Endpoint{w.endpoint(tenant), w.endpoint(tenant, fifo)}}
}

func (m *model) draw(t *rapid.T) *bellwire.Endpoint {
	return rapid.SampledFrom(m.endpoints).Draw(t, "endpoint")
}

func (m *model) append(t *rapid.T) {
	ep := m.draw(t)
	e := m.w.event(ep.Tenant, ep)
	d := &e.Deliveries[0]
	if rapid.Bool().Draw(t, "taken") {
		d.Epoch = m.w.leases.Epoch(ep.ID)
	}
	number := m.w.append(together(e))[0].Sequences[0]
	row := &modelRow{Delivery: bellwire.Delivery{
		ID: d.ID, Event: e.Event.ID, EventType: e.Event.Type, Tenant: ep.Tenant, Endpoint: ep.ID, Status: bellwire.DeliveryPending,
		Sequence: number, Epoch: d.Epoch, DueAt: m.w.now, CreatedAt: m.w.now, UpdatedAt: m.w.now,
	}}
	if d.Ordered && number != m.last+1 {
		t.Fatalf("got the number %d after %d", number, m.last)
	}
	m.last = max(m.last, number)
	m.rows = append(m.rows, row)
	if d.Epoch != 0 {
		m.taken = append(m.taken, taken{row: row, delivery: row.Delivery, epoch: d.Epoch})
	}
}

// expire deletes old events that have no open deliveries.
func (m *model) expire(t *rapid.T) {
	age := bellwire.RetentionReview + time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds"))*time.Second
	before := m.w.tick(bellwire.RetentionReview).Add(-age).Truncate(time.Millisecond)
	m.w.purgeBefore(before, rapid.IntRange(1, 10).Draw(t, "limit"))
	gone := func(r *modelRow) bool { return r.CreatedAt.Before(before) && !r.Status.Open() && !r.manual }
	m.taken = slices.DeleteFunc(m.taken, func(k taken) bool { return gone(k.row) })
	m.rows = slices.DeleteFunc(m.rows, gone)
}

// endOld ends deliveries that are open, free and too old: pending ones first, and the oldest of each status first.
func (m *model) endOld(t *rapid.T) {
	x := m.w.tooOld(m.draw(t), rapid.IntRange(1, 4).Draw(t, "limit"))
	x.Before = x.Before.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second).Truncate(time.Millisecond)
	want := 0
	for _, status := range []bellwire.DeliveryStatus{bellwire.DeliveryPending, bellwire.DeliveryRetrying} {
		for _, r := range m.rows {
			if want < x.Limit && r.Endpoint == x.Endpoint && r.Status == status && r.Epoch != x.Epoch && r.CreatedAt.Before(x.Before) {
				want++
				manual, hand := r.manual, r.hand
				r.end(bellwire.DeliveryExhausted, x.Reason)
				r.manual, r.hand, r.UpdatedAt = manual, hand, m.w.now
			}
		}
	}
	got, err := m.w.store.ExhaustTooOld(m.w.ctx, m.w.now, x)
	m.w.check(err)
	m.w.equal("how many were too old", got, want)
}

func (m *model) claim(t *rapid.T) {
	ep, limit := m.draw(t), rapid.IntRange(0, 4).Draw(t, "limit")
	got := m.w.claim(ep, limit)
	manualResult, due, next := m.claimable(ep, limit)
	m.w.equal("claimed as manual retries", idsOf(got.Manual), ids(manualResult))
	m.w.equal("claimed by schedule", idsOf(got.Due), ids(due))
	m.w.equal("due next", got.Next, next)
	epoch := m.w.leases.Epoch(ep.ID)
	for i, r := range manualResult {
		r.hand = epoch
		m.taken = append(m.taken, taken{row: r, delivery: got.Manual[i].Delivery, epoch: epoch, manual: true})
	}
	for i, r := range due {
		r.Epoch = epoch
		m.taken = append(m.taken, taken{row: r, delivery: got.Due[i].Delivery, epoch: epoch})
	}
}

// claimable returns the deliveries that a claim must return, in order, and when the next one is due.
func (m *model) claimable(ep *bellwire.Endpoint, limit int) (manualResult, due []*modelRow, next time.Time) {
	var free []*modelRow
	epoch := m.w.leases.Epoch(ep.ID)
	for _, r := range m.rows {
		if r.Endpoint != ep.ID {
			continue
		}
		if r.manual && r.hand != epoch {
			manualResult = append(manualResult, r)
		}
		if r.Status.Open() && r.Epoch != epoch {
			free = append(free, r)
		}
	}
	if ep.Ordering == bellwire.OrderingNone {
		slices.SortStableFunc(free, func(a, b *modelRow) int { return a.DueAt.Compare(b.DueAt) })
	}
	for _, r := range free {
		if len(due) == limit || r.DueAt.After(m.w.now) {
			return manualResult, due, r.DueAt
		}
		due = append(due, r)
	}
	return manualResult, due, next
}

func ids(rows []*modelRow) []bellwire.DeliveryID {
	var ids []bellwire.DeliveryID
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// record ends a claimed delivery, also on behalf of a node that has lost it.
func (m *model) record(t *rapid.T) {
	took := m.drop(t)
	transition := rapid.SampledFrom([]bellwire.Transition{success, spent, gone, retryIn(30 * time.Second)}).Draw(t, "transition")
	r := m.w.result(took.delivery, transition)
	r.Epoch = took.epoch
	if took.manual {
		r.Trigger, r.Attempt.Trigger = bellwire.TriggerManual, bellwire.TriggerManual
		if transition != success {
			r.Transition = bellwire.Transition{}
		}
	}
	moved := m.apply(took, r)
	want := bellwire.Recorded{Status: took.row.Status, Moved: moved}
	if took.row.Status == bellwire.DeliveryRetrying {
		want.DueAt = took.row.DueAt
	}
	m.w.equal("recorded", m.w.record(r)[0], want)
	want.Moved = false
	m.w.equal("recorded again", m.w.record(r)[0], want)
}

// apply does to the model what RecordResults does to the store.
func (m *model) apply(took taken, r *bellwire.Result) (moved bool) {
	row := took.row
	row.Attempts++
	row.UpdatedAt = m.w.now
	holds := !took.manual && row.Epoch == took.epoch
	if took.manual && row.hand == took.epoch {
		row.manual, row.hand = false, 0
	}
	switch r.Transition.Status {
	case bellwire.DeliverySucceeded:
		if row.Status == bellwire.DeliverySucceeded {
			return false
		}
		row.end(bellwire.DeliverySucceeded, "")
		return true
	case bellwire.DeliveryExhausted:
		if !holds || !row.Status.Open() {
			return false
		}
		manual, hand := row.manual, row.hand
		row.end(bellwire.DeliveryExhausted, r.Transition.Reason)
		row.manual, row.hand = manual, hand // the manual retry is still made
		return true
	case bellwire.DeliveryCanceled:
		if !holds || !row.Status.Open() {
			return false
		}
		row.end(bellwire.DeliveryCanceled, r.Transition.Reason)
		return true
	case bellwire.DeliveryRetrying:
		if !holds || !row.Status.Open() {
			return false
		}
		row.Status, row.Reason, row.DueAt, row.Epoch = bellwire.DeliveryRetrying, "", m.w.now.Add(r.Transition.Delay), 0
		row.Retries++
		return true
	}
	return false
}

// end ends a delivery and all that was planned for it.
func (r *modelRow) end(status bellwire.DeliveryStatus, reason string) {
	r.Status, r.Reason, r.DueAt = status, reason, time.Time{}
	r.manual, r.hand, r.Epoch = false, 0, 0
}

func (m *model) release(t *rapid.T) {
	took := m.drop(t)
	m.w.check(m.w.store.ReleaseDeliveries(m.w.ctx, []bellwire.ClaimToken{{Delivery: took.row.ID, Epoch: took.epoch, Manual: took.manual}}))
	if took.manual && took.row.hand == took.epoch {
		took.row.hand = 0
	}
	if !took.manual && took.row.Epoch == took.epoch {
		took.row.Epoch = 0
	}
}

// drop removes a random claimed delivery, and returns it.
func (m *model) drop(t *rapid.T) taken { return dropOneOf(t, &m.taken) }

func dropOneOf(t *rapid.T, claimed *[]taken) taken {
	if len(*claimed) == 0 {
		t.Skip("nothing is in memory")
	}
	i := rapid.IntRange(0, len(*claimed)-1).Draw(t, "which")
	took := (*claimed)[i]
	*claimed = slices.Delete(*claimed, i, i+1)
	return took
}

func (m *model) request(t *rapid.T) {
	if len(m.rows) == 0 {
		t.Skip("there are no deliveries")
	}
	row := rapid.SampledFrom(m.rows).Draw(t, "delivery")
	_, err := m.w.store.RequestRetry(m.w.ctx, row.Tenant, row.ID)
	m.w.check(err)
	row.manual = true
}

func (m *model) cancel(t *rapid.T) {
	if len(m.rows) == 0 {
		t.Skip("there are no deliveries")
	}
	row := rapid.SampledFrom(m.rows).Draw(t, "delivery")
	_, err := m.w.store.CancelDelivery(m.w.ctx, row.Tenant, row.ID, "because", m.w.now)
	if !row.Status.Open() {
		m.w.refused(err, bellwire.CodeConflict)
		return
	}
	m.w.check(err)
	row.end(bellwire.DeliveryCanceled, "because")
	row.UpdatedAt = m.w.now
}

// reopen begins a new epoch: claimed deliveries become free, and late results of the old epoch must be rejected.
func (m *model) reopen(t *rapid.T) {
	if m.w.hooks.Reopen != nil && rapid.IntRange(0, 9).Draw(t, "by reopening") == 9 {
		m.w.reopen()
	} else {
		m.w.check(m.w.store.ReleaseLeases(m.w.ctx, "node"))
		m.w.lease()
	}
}

// compare reads everything.
func (m *model) compare(*rapid.T) {
	m.w.Helper()
	var (
		want []*bellwire.Delivery
		open int
	)
	for _, r := range slices.Backward(m.rows) {
		d := r.Delivery
		d.Requested = r.manual
		want = append(want, &d)
		if d.Status.Open() {
			open++
		}
	}
	got := pages(m.w, 100, func(p bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
		return m.w.store.Deliveries(m.w.ctx, bellwire.DeliveryFilter{Tenant: m.endpoints[0].Tenant}, p)
	})
	m.w.equal("the deliveries", got, want)
	due := m.w.allDue()
	for _, ep := range m.endpoints {
		manualResult, _, next := m.claimable(ep, 0)
		m.w.equal("what is due", m.w.dueIn(due, ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: next, Manual: len(manualResult) > 0})
	}
}
