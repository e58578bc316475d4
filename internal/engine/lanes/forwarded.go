package lanes

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// forwardTerm is how long after its Since an arrival is accepted. One that is later may have been found in the store, sent and
// forgotten.
const forwardTerm = 5 * time.Second

// Arrival is a delivery that another node has stored and forwards to this one.
type Arrival struct {
	Target *bellwire.Target
	Task   *Task     // its Delivery has the epoch for which it was stored
	Since  time.Time // a time of this node before it was stored
}

// Receive takes deliveries that other nodes forward. Each is in the store with the negative epoch, so a claim that searches for
// forwarded deliveries finds those that are not taken into memory.
func (s *Scheduler) Receive(now time.Time, arrivals []Arrival) []bellwire.Disposition {
	s.mu.Lock()
	defer s.mu.Unlock()
	dispositions := make([]bellwire.Disposition, len(arrivals))
	for i := range arrivals {
		dispositions[i] = s.receive(now, &arrivals[i])
	}
	s.dispatch(now)
	return dispositions
}

func (s *Scheduler) receive(now time.Time, a *Arrival) bellwire.Disposition {
	d := &a.Task.Delivery
	o := s.ownership.Load()
	if s.draining || d.Epoch <= 0 || o.leases.Epoch(d.Endpoint) != d.Epoch || !o.valid(now) {
		return bellwire.Refused
	}
	l := s.lane(d.Endpoint, d.Tenant)
	if l == nil {
		s.leftInStore++
		return bellwire.LeftInStore // the next scan finds it
	}
	s.adopt(l, a.Target, now)
	a.Task.lane = l
	switch {
	case l.forwarded[d.ID] || l.isLate(d.ID) || s.found.has(d.ID):
		return bellwire.Accepted // a claim was faster
	case now.Sub(a.Since) > forwardTerm || !a.Since.After(l.unsureUntil):
		s.search(l, now)
		return bellwire.LeftInStore
	case l.searching:
		return s.await(l, now, a.Task)
	}
	return s.accept(l, now, a.Task)
}

// await keeps an arrival until the claim has ended that may have found it in the store.
func (s *Scheduler) await(l *lane, now time.Time, task *Task) bellwire.Disposition {
	if len(l.late) >= laneFloor || !l.enabled() || !s.hasRoom(l, s.known(task.Content)) {
		s.search(l, now)
		return bellwire.LeftInStore
	}
	s.retainForwarded(l, task)
	l.late = append(l.late, task)
	return bellwire.Accepted
}

// known returns the content of the same event that is in memory already, or the given one.
func (s *Scheduler) known(c *Content) *Content {
	if known := s.contents[c.ID]; known != nil {
		return known
	}
	return c
}

func (s *Scheduler) retainForwarded(l *lane, task *Task) {
	task.Content = s.known(task.Content)
	s.retainContent(l.account, task.Content)
	s.listContent(task.Content)
}

// accept puts a forwarded delivery into its lane, if the lane admits it.
func (s *Scheduler) accept(l *lane, now time.Time, task *Task) bellwire.Disposition {
	size := len(task.Content.Data)
	switch {
	case l.ordered() && (task.Delivery.Sequence == 0 || task.Delivery.Sequence != l.nextSequence):
		s.search(l, now)
		return bellwire.LeftInStore
	case s.draining || !l.admits(now, size):
		return s.leave(l, now, task)
	case !s.hasRoom(l, s.known(task.Content)):
		s.leftInStore++
		return s.leave(l, now, task)
	}
	if l.ordered() {
		l.nextSequence++
	}
	s.retainForwarded(l, task)
	l.keep(task)
	s.enqueue(l, task)
	s.reevaluate(l, now)
	return bellwire.Accepted
}

// leave leaves a forwarded delivery in the store. The claims of a FIFO endpoint find it as it is. That of another endpoint is
// released, so that its claims need not search.
func (s *Scheduler) leave(l *lane, now time.Time, task *Task) bellwire.Disposition {
	if l.ordered() {
		s.search(l, now)
		return bellwire.LeftInStore
	}
	l.keep(task)
	s.release(l, []*Task{task})
	return bellwire.LeftInStore
}

// search schedules a claim that also takes deliveries which were stored to be forwarded and have not arrived.
func (s *Scheduler) search(l *lane, now time.Time) {
	l.mustSearch = true
	l.due = bellwire.Earlier(l.due, now)
	s.reevaluate(l, now)
}

// Search schedules a claim of the endpoint's deliveries that were stored to be forwarded to this node, and may not arrive.
func (s *Scheduler) Search(endpoint string) {
	s.claimFrom(endpoint, func(l *lane) { l.mustSearch = true })
}

// keep records that a forwarded delivery is in memory, until its result is recorded or it is released.
func (l *lane) keep(task *Task) {
	if l.forwarded == nil {
		l.forwarded = make(map[bellwire.DeliveryID]bool)
	}
	l.forwarded[task.Delivery.ID] = true
}

func (l *lane) isLate(id bellwire.DeliveryID) bool {
	return slices.ContainsFunc(l.late, func(task *Task) bool { return task.Delivery.ID == id })
}

// held returns the forwarded deliveries in memory.
func (l *lane) held() []bellwire.DeliveryID { return slices.Collect(maps.Keys(l.forwarded)) }

// dropLate gives up arrivals that wait for the end of a claim, which stay in the store.
func (s *Scheduler) dropLate(l *lane) (dropped bool) {
	for _, task := range l.late {
		s.dismiss(task)
	}
	dropped = len(l.late) > 0
	l.late = nil
	return dropped
}

// searched records the deliveries that a searching claim has found, and admits those that arrived meanwhile and that it has not
// found.
func (s *Scheduler) searched(l *lane, now time.Time, asked *bellwire.Claim, r *bellwire.ClaimResult) {
	for _, c := range r.Due {
		s.found.add(c.Delivery.ID, now)
	}
	l.mustSearch = l.mustSearch || asked.Search && (r.Skipped || !r.Next.IsZero())
	late := l.late
	l.late = nil
	slices.SortStableFunc(late, func(a, b *Task) int { return cmp.Compare(a.Delivery.Sequence, b.Delivery.Sequence) })
	for _, task := range late {
		content := task.Content
		s.dismiss(task)
		if !s.found.has(task.Delivery.ID) {
			task.Content = content
			s.accept(l, now, task)
		}
	}
}

// memo holds ids for at least forwardTerm. It drops old ids only when another one is added.
type memo struct {
	since         time.Time
	young, mature map[bellwire.DeliveryID]bool
}

func (m *memo) add(id bellwire.DeliveryID, now time.Time) {
	m.age(now)
	if m.young == nil {
		m.young = make(map[bellwire.DeliveryID]bool)
	}
	m.young[id] = true
}

// age drops ids that are older than forwardTerm.
func (m *memo) age(now time.Time) {
	passed := now.Sub(m.since)
	if passed <= forwardTerm {
		return
	}
	m.mature, m.young = m.young, nil
	if passed > 2*forwardTerm {
		m.mature = nil
	}
	m.since = now
}

func (m *memo) has(id bellwire.DeliveryID) bool { return m.young[id] || m.mature[id] }
