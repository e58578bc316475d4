package lanes

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/fifo"
)

// claimBytes is how much the model's store returns per claim, as bellwire.MaxClaimBytes.
const claimBytes = 200_000

// ended is a result that is not recorded yet.
type ended struct {
	Result
	status bellwire.DeliveryStatus
	due    time.Time
}

// schedulerModel drives a scheduler as the engine does, with a store that is a map.
type schedulerModel struct {
	s       *Scheduler
	running []*Task
	ended   []*ended
	given   []*Task
	free    map[string][]*Task
	hand    map[string][]*Task
	stored  map[bellwire.EventID]*bellwire.Event
	made    int64
	biggest int
	next    map[string]int64

	overtaken string // what start found wrong
}

func newSchedulerModel() *schedulerModel {
	m := &schedulerModel{free: map[string][]*Task{}, hand: map[string][]*Task{}, stored: map[bellwire.EventID]*bellwire.Event{}, next: map[string]int64{}}
	leases := &bellwire.Leases{}
	for i := range leases.Epochs {
		leases.Epochs[i] = 1
	}
	m.s = New(Config{
		MaxInFlight: 8, MaxQueued: 100, MaxBytes: 1 << 20, MaxStarting: 4,
		Start:       m.start,
		Release:     func(tasks []*Task) { m.given = append(m.given, tasks...) },
		WakeClaimer: func() {},
	})
	m.s.SetLeases(leases, time.Time{})
	return m
}

// start starts an attempt. Nothing that is not ended may be overtaken in a FIFO queue.
func (m *schedulerModel) start(task *Task) {
	m.running = append(m.running, task)
	if task.Manual() || task.Delivery.Sequence == 0 {
		return
	}
	before := func(other *Task) {
		if !other.Manual() && other.Delivery.Endpoint == task.Delivery.Endpoint && other.Delivery.Sequence > 0 && other.Delivery.Sequence < task.Delivery.Sequence {
			m.overtaken = fmt.Sprintf("%s: %d is sent before %d", task.Delivery.Endpoint, task.Delivery.Sequence, other.Delivery.Sequence)
		}
	}
	for _, others := range [][]*Task{m.free[task.Delivery.Endpoint], m.given, m.running} {
		for _, other := range others {
			before(other)
		}
	}
	for _, o := range m.ended {
		if o.Retrying {
			before(o.Task)
		}
	}
}

// check checks the invariants that hold between any two steps.
func (m *schedulerModel) check(t *rapid.T) {
	if m.overtaken != "" {
		t.Fatal(m.overtaken)
	}
	m.checkLanes(t)
	m.checkBooks(t)
	m.checkTurns(t)
}

func (m *schedulerModel) checkLanes(t *rapid.T) {
	s, now := m.s, time.Now()
	open := 0
	for _, l := range s.lanes {
		if l.breaker.open() {
			open++
		}
		if l.reserved != 0 {
			t.Fatalf("%s: %d places are reserved for nobody", l.endpoint, l.reserved)
		}
		if l.inFlight > l.limit() && l.ordered() {
			t.Fatalf("%s: %d in flight in order", l.endpoint, l.inFlight)
		}
		if most := max(l.window.max, 1); l.inFlight+l.manualInFlight > most {
			t.Fatalf("%s: %d in flight, of %d", l.endpoint, l.inFlight+l.manualInFlight, most)
		}
		if l.manualRoom() < 0 {
			t.Fatalf("%s: %d tests and manual retries in memory", l.endpoint, l.manualQueue.Len()+l.manualInFlight)
		}
		if k, ok := l.sends(now); ok && !l.queuedIn[k] {
			t.Fatalf("%s could send and does not wait for its turn", l.endpoint)
		}
		if k, ok := l.claims(now); ok && !l.queuedIn[k] {
			t.Fatalf("%s wants to claim and does not wait for it", l.endpoint)
		}
		if at := l.wakeAt(now); !at.IsZero() && l.timer < 0 {
			t.Fatalf("%s has to be looked at at %s and has no timer", l.endpoint, at)
		}
	}
	if n := s.Stats().OpenBreakers; n != open {
		t.Fatalf("%d breakers are counted as open, of %d", n, open)
	}
}

// checkBooks counts what each tenant has.
func (m *schedulerModel) checkBooks(t *rapid.T) {
	s := m.s
	want := map[string]*[resources]int{}
	of := func(l *lane) *[resources]int {
		if want[l.account.tenant] == nil {
			want[l.account.tenant] = new([resources]int)
		}
		return want[l.account.tenant]
	}
	events := map[*Content]int{}
	begun := 0
	for _, l := range s.lanes {
		of(l)[laneCount]++
		for _, q := range []*fifo.Queue[*Task]{&l.queue, &l.manualQueue} {
			for _, task := range q.Items() {
				of(l)[places]++
				events[task.Content]++
				if task.Manual() {
					of(l)[manualDeliveries]++
				}
			}
		}
	}
	for _, task := range m.running {
		of(task.lane)[requests]++
		events[task.Content]++
		if task.portion == s.pace.portion {
			begun++
		}
		if task.unproven {
			of(task.lane)[unprovenRequests]++
		}
		if task.Manual() {
			of(task.lane)[manualDeliveries]++
		}
	}
	if begun != s.pace.running || begun > s.pace.limit {
		t.Fatalf("%d attempts of the portion are under way, of %d; %d are counted", begun, s.pace.limit, s.pace.running)
	}
	for _, o := range m.ended {
		of(o.Task.lane)[unrecorded]++
		of(o.Task.lane)[memory] += o.Size
	}
	for c, users := range events {
		if c.users != users || c.charged != c.cost() {
			t.Fatalf("an event with %d users counts %d, and costs %d of %d", users, c.users, c.charged, c.cost())
		}
		want[c.Tenant][memory] += c.charged
	}
	var all [resources]int
	for tenant, a := range s.accounts {
		if want[tenant] == nil {
			want[tenant] = new([resources]int)
		}
		if a.held != *want[tenant] {
			t.Fatalf("%s has %v, and %v is counted", tenant, *want[tenant], a.held)
		}
		for r, n := range a.held {
			all[r] += n
		}
	}
	if all != s.shared.held {
		t.Fatalf("all have %v, and %v is counted", all, s.shared.held)
	}
	if len(s.contents) > len(events) {
		t.Fatalf("%d events are listed, of %d", len(s.contents), len(events))
	}
	for r, n := range s.shared.held {
		most := s.shared.most[r]
		switch resource(r) {
		case memory:
			most += 2*(claimBytes+m.biggest) + m.biggest // by one round of claims, and by one body
		case unrecorded:
			most += s.shared.most[requests]
		}
		if n > most {
			t.Fatalf("%d of resource %d are held, of %d", n, r, most)
		}
	}
}

// checkTurns checks that no lane waits that may send.
func (m *schedulerModel) checkTurns(t *rapid.T) {
	s := m.s
	for r := range s.waiting {
		for _, q := range s.waiting[r] {
			if s.suffices(q, resource(r)) {
				t.Fatalf("%s waits for resource %d though it may have more: %v of %v", q.account.tenant, r, q.account.held, s.shared.held)
			}
			if resource(r) == memory && q.kind.sends() && q.account.held[requests] == 0 {
				t.Fatalf("%s has nothing under way and waits for memory", q.account.tenant)
			}
		}
	}
	if time.Now().Before(s.faults.until) || s.pace.full() {
		return
	}
	for k := waitToSend; k <= waitToSendFailing; k++ {
		if n := s.ready[k].Len(); n > 0 {
			t.Fatalf("%d tenants have their turn and do not send", n)
		}
	}
}

func TestSchedulerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Rapid asks a *testing.T for its deadline, which a bubble does not allow.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			m := newSchedulerModel()
			m.s.crowd = rapid.SampledFrom([]int{usualCrowd, 5, 0}).Draw(t, "crowd")
			targets := make([]*bellwire.Target, 12)
			for i := range targets {
				ep := &bellwire.Endpoint{
					ID: fmt.Sprint("ep_", i), Tenant: fmt.Sprint("tenant_", i%3), Dialect: fmt.Sprint("dialect_", i%2), MaxInFlight: 5, Status: bellwire.EndpointEnabled, Ordering: bellwire.OrderingNone, Revision: 1,
				}
				if i%4 == 3 {
					ep.Ordering = bellwire.OrderingFIFO
				}
				if i%4 == 2 {
					ep.RateLimit = 20
				}
				targets[i] = &bellwire.Target{Endpoint: ep}
			}
			t.Repeat(map[string]func(*rapid.T){
				"publish":       func(t *rapid.T) { m.publish(t, targets) },
				"retry":         func(t *rapid.T) { m.retry(t, rapid.SampledFrom(targets).Draw(t, "target")) },
				"finish":        m.finish,
				"requeueUnsent": m.requeueUnsent,
				"abort":         m.abort,
				"record":        m.record,
				"release":       m.release,
				"claim":         func(t *rapid.T) { m.claim(targets) },
				"pause": func(t *rapid.T) {
					i := rapid.IntRange(0, len(targets)-1).Draw(t, "target")
					ep := *targets[i].Endpoint
					ep.Revision++
					ep.Status = rapid.SampledFrom([]bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused}).Draw(t, "status")
					targets[i] = &bellwire.Target{Endpoint: &ep, Limits: &bellwire.Limits{Paused: rapid.Bool().Draw(t, "tenant paused")}}
					m.s.Refresh(ep.ID)
				},
				"wait": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 100_000).Draw(t, "ms")) * time.Millisecond)
					m.s.Tick(time.Now())
				},
				"forget":  func(t *rapid.T) { m.forget(t, rapid.SampledFrom(targets).Draw(t, "target")) },
				"portion": func(*rapid.T) { m.s.NextPortion(time.Now()) },
				"sweep":   func(*rapid.T) { m.s.Sweep(time.Now()) },
				"":        m.check,
			})
			m.end(t)
		})
	})
}

// publish publishes an event for some endpoints of a tenant.
func (m *schedulerModel) publish(t *rapid.T, targets []*bellwire.Target) {
	tenant := rapid.SampledFrom(targets).Draw(t, "tenant").Endpoint.Tenant
	var to []*bellwire.Target
	for _, target := range targets {
		if target.Endpoint.Tenant == tenant && rapid.Bool().Draw(t, "gets it") {
			to = append(to, target)
		}
	}
	event := m.event(tenant, rapid.SampledFrom([]int{0, 2000, 100_000}).Draw(t, "bytes"), len(to))
	now := time.Now()
	empty := m.hasNothing(tenant)
	free := m.s.shared.most[memory] - m.s.shared.held[memory]
	found := m.s.Reserve(now, to, event, nil)
	if len(to) > 0 && empty && 2*len(event.Data) <= free && m.s.shared.held[places] < m.s.shared.most[places] && found[0].Epoch() == 0 {
		if l := found[0].lane; l == nil || l.admits(now, len(event.Data)) && (l.proven || l.empty()) {
			t.Fatalf("%s has nothing in memory, %v of %v is held, and it was refused a place", tenant, m.s.shared.held, m.s.shared.most)
		}
	}
	tasks := make([]*Task, len(to))
	for i, p := range found {
		tasks[i] = m.task(to[i], event, p.Epoch())
	}
	if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
		m.s.Cancel(found, tasks)
		return
	}
	for i, p := range found {
		if p.Epoch() == 0 {
			// What is in the store is another copy.
			m.free[to[i].Endpoint.ID] = append(m.free[to[i].Endpoint.ID], tasks[i])
		}
	}
	m.s.Commit(now, found, tasks)
}

// hasNothing reports whether a tenant has no deliveries in memory.
func (m *schedulerModel) hasNothing(tenant string) bool {
	a := m.s.accounts[tenant]
	return a == nil || a.held[places] == 0 && a.held[memory] == 0
}

// end ends all attempts in flight, and checks that no resource is held afterwards.
func (m *schedulerModel) end(t *rapid.T) {
	m.s.Drain()
	for len(m.running) > 0 {
		m.finishFirst(bellwire.Acknowledged)
	}
	m.record(t)
	m.release(t)
	want := [resources]int{laneCount: len(m.s.lanes)}
	if m.s.shared.held != want || len(m.s.contents) > 0 {
		t.Fatalf("in the end %v is held, and %d events", m.s.shared.held, len(m.s.contents))
	}
	for _, l := range m.s.lanes {
		m.s.drop(l)
	}
	if m.s.shared.held != [resources]int{} || len(m.s.accounts) > 0 {
		t.Fatalf("without lanes %v is held by %d tenants", m.s.shared.held, len(m.s.accounts))
	}
}

func (m *schedulerModel) event(tenant string, bytes, deliveries int) *Content {
	m.made++
	m.biggest = max(m.biggest, bytes)
	id := bellwire.NewID[bellwire.EventKind](time.Unix(m.made, 0))
	return NewContent(&bellwire.Event{ID: id, Tenant: tenant, Data: make([]byte, bytes), Deliveries: deliveries})
}

func (m *schedulerModel) task(target *bellwire.Target, event *Content, epoch int64) *Task {
	task := &Task{Trigger: bellwire.TriggerSchedule, Content: event}
	task.Delivery.Endpoint, task.Delivery.Epoch = target.Endpoint.ID, epoch
	task.Delivery.Event = event.ID
	m.stored[event.ID] = event.Event
	if target.Endpoint.Ordering == bellwire.OrderingFIFO {
		m.next[target.Endpoint.ID]++
		task.Delivery.Sequence = m.next[target.Endpoint.ID]
	}
	return task
}

// forget reports, wrongly, that the event which is next at an endpoint was erased.
func (m *schedulerModel) forget(t *rapid.T, target *bellwire.Target) {
	l := m.s.lanes[target.Endpoint.ID]
	if l == nil || l.queue.Len()+l.manualQueue.Len() == 0 {
		t.Skip("nothing is queued")
	}
	queued, event := l.queue.Len()+l.manualQueue.Len(), l.head().Content.ID
	given := len(m.given)
	m.s.ForgetEvent(l.endpoint, event)
	if left := l.queue.Len() + l.manualQueue.Len(); left == queued || left+len(m.given)-given != queued {
		t.Fatalf("%d of %d deliveries are left, and %d were released", left, queued, len(m.given)-given)
	}
}

// retry requests a manual retry.
func (m *schedulerModel) retry(t *rapid.T, target *bellwire.Target) {
	task := m.task(target, m.event(target.Endpoint.Tenant, rapid.SampledFrom([]int{10, 50_000}).Draw(t, "bytes"), 1), 0)
	task.Trigger, task.Delivery.Sequence = bellwire.TriggerManual, 0
	m.hand[target.Endpoint.ID] = append(m.hand[target.Endpoint.ID], task)
	m.s.Refresh(target.Endpoint.ID)
}

func (m *schedulerModel) finish(t *rapid.T) {
	if len(m.running) == 0 {
		t.Skip("nothing is running")
	}
	i := rapid.IntRange(0, len(m.running)-1).Draw(t, "task")
	task := m.running[i]
	m.running = append(m.running[:i], m.running[i+1:]...)
	o := &ended{Result: Result{Task: task, Attempt: &bellwire.Attempt{}}, status: bellwire.DeliverySucceeded}
	o.Verdict = rapid.SampledFrom([]bellwire.Verdict{bellwire.Acknowledged, bellwire.Acknowledged, bellwire.Failed, bellwire.Impossible}).Draw(t, "verdict")
	if o.Verdict == bellwire.Failed {
		o.status, o.Retrying = bellwire.DeliveryRetrying, true
		o.due = time.Now().Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "delay")) * time.Second)
		if rapid.Bool().Draw(t, "429") {
			o.RetryAfter = time.Second
		}
	}
	if next, _, _ := m.s.Finish(time.Now(), &o.Result); next != nil {
		m.start(next)
	}
	m.ended = append(m.ended, o)
}

func (m *schedulerModel) requeueUnsent(t *rapid.T) {
	task := m.unsent(t)
	m.s.RequeueUnsent(time.Now(), task, rapid.Bool().Draw(t, "node-wide"))
}

func (m *schedulerModel) abort(t *rapid.T) { m.s.Abort(m.unsent(t)) }

// unsent takes an attempt out of those that are running.
func (m *schedulerModel) unsent(t *rapid.T) *Task {
	if len(m.running) == 0 {
		t.Skip("nothing is running")
	}
	i := rapid.IntRange(0, len(m.running)-1).Draw(t, "task")
	task := m.running[i]
	m.running = append(m.running[:i], m.running[i+1:]...)
	return task
}

func (m *schedulerModel) record(t *rapid.T) {
	records := make([]bellwire.Recorded, len(m.ended))
	results := make([]*Result, len(m.ended))
	for i, o := range m.ended {
		results[i] = &o.Result
		records[i] = bellwire.Recorded{Status: o.status, Moved: true}
		if o.Retrying && !o.Task.Manual() {
			o.Task.Delivery.DueAt, records[i].DueAt = o.due, o.due
			m.requeue(o.Task)
		}
	}
	m.ended = nil
	m.s.Recorded(time.Now(), results, records)
}

func (m *schedulerModel) release(*rapid.T) {
	given := m.given
	m.given = nil
	for _, task := range given {
		m.requeue(task)
	}
	m.s.Released(time.Now(), given)
}

// requeue puts a delivery back into the model's store, in the order of claims.
func (m *schedulerModel) requeue(task *Task) {
	id := task.Delivery.Endpoint
	if task.Manual() {
		m.hand[id] = append(m.hand[id], task)
		return
	}
	list := append(m.free[id], task)
	for i := len(list) - 1; i > 0 && list[i].Delivery.Sequence < list[i-1].Delivery.Sequence; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	m.free[id] = list
}

// claim claims from the model's store as the claimer does.
func (m *schedulerModel) claim(targets []*bellwire.Target) {
	now := time.Now()
	turns := m.s.ReadyToClaim(now, 10)
	for _, turn := range turns {
		for _, target := range targets {
			if target.Endpoint.ID == turn.Endpoint() {
				m.s.Loaded(turn, target)
			}
		}
	}
	claims := m.s.BeginClaims(now, turns)
	results := make([]bellwire.ClaimResult, len(claims.Asked))
	read := 0
	for i, c := range claims.Asked {
		if read >= claimBytes {
			results[i].Skipped = true
			continue
		}
		for _, task := range m.hand[c.Endpoint][:min(len(m.hand[c.Endpoint]), c.ManualLimit)] {
			results[i].Manual = append(results[i].Manual, bellwire.Claimed{Delivery: task.Delivery, Event: m.copyOf(task)})
			read += len(m.stored[task.Delivery.Event].Data)
		}
		m.hand[c.Endpoint] = m.hand[c.Endpoint][len(results[i].Manual):]
		var rest []*Task
		bytes := 0
		for _, task := range m.free[c.Endpoint] {
			held := c.Ordered && len(rest) > 0
			if held || task.Delivery.DueAt.After(now) || len(results[i].Due) >= c.Limit || bytes >= c.MaxBytes {
				rest = append(rest, task)
				if !c.Ordered || len(rest) == 1 {
					results[i].Next = bellwire.Earlier(results[i].Next, bellwire.Later(task.Delivery.DueAt, time.Unix(1, 0)))
				}
				continue
			}
			task.Delivery.Epoch = 1
			results[i].Due = append(results[i].Due, bellwire.Claimed{Delivery: task.Delivery, Event: m.copyOf(task)})
			bytes += len(m.stored[task.Delivery.Event].Data)
			read += len(m.stored[task.Delivery.Event].Data)
		}
		m.free[c.Endpoint] = rest
		results[i].NextSequence = m.next[c.Endpoint] + 1
	}
	m.s.EndClaims(now, claims, results)
}

// copyOf returns the event of a delivery as the store hands it out.
func (m *schedulerModel) copyOf(task *Task) *bellwire.Event {
	return new(*m.stored[task.Delivery.Event])
}
