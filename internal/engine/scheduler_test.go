package engine

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire"
)

// schedulerModel drives a scheduler as the engine does, with a store that is a map.
type schedulerModel struct {
	s       *scheduler
	running []*job
	ended   []*result
	given   []*job
	free    map[string][]*job
	made    int64
	next    map[string]int64
}

func newSchedulerModel() *schedulerModel {
	m := &schedulerModel{free: map[string][]*job{}, next: map[string]int64{}}
	leases := &bellwire.Leases{}
	for i := range leases.Epochs {
		leases.Epochs[i] = 1
	}
	m.s = &scheduler{
		maxInFlight: 8, maxQueued: 100, maxBytes: 1 << 20,
		start:       func(j *job) { m.running = append(m.running, j) },
		release:     func(jobs []*job) { m.given = append(m.given, jobs...) },
		wakeClaimer: func() {}, wakeTimer: make(chan struct{}, 1),
		lanes: map[string]*lane{},
	}
	m.s.ownership.Store(&ownership{leases: leases})
	return m
}

// check holds what must be true between any two steps.
func (m *schedulerModel) check(t *rapid.T) {
	s, now := m.s, time.Now()
	queued, bytes, inFlight, unrecorded, suspects := 0, 0, 0, 0, 0
	for _, l := range s.lanes {
		queued += l.queue.len() + l.express.len() + l.reserved
		bytes += l.bytes
		inFlight += l.inFlight + l.expressInFlight
		unrecorded += l.unrecorded
		if l.reserved != 0 {
			t.Fatalf("%s: %d places are reserved for nobody", l.endpoint, l.reserved)
		}
		if l.inFlight > l.limit() && l.ordered() {
			t.Fatalf("%s: %d in flight in order", l.endpoint, l.inFlight)
		}
		if most := max(l.window.max, 1); l.inFlight+l.expressInFlight > most {
			t.Fatalf("%s: %d in flight, of %d", l.endpoint, l.inFlight+l.expressInFlight, most)
		}
		if l.sendable(now) && !l.inReady {
			t.Fatalf("%s could send and does not wait for its turn", l.endpoint)
		}
		if l.claims(now) && !l.inClaim {
			t.Fatalf("%s wants to claim and does not wait for it", l.endpoint)
		}
		if at := l.wake(now); !at.IsZero() && l.timer < 0 {
			t.Fatalf("%s has to be looked at at %s and has no timer", l.endpoint, at)
		}
	}
	for _, j := range m.running {
		if j.suspect {
			suspects++
		}
	}
	if queued != s.queued || bytes != s.bytes || inFlight != s.inFlight.requests || unrecorded != s.unrecorded || suspects != s.suspects.requests {
		t.Fatalf("counted %d %d %d %d %d, found %d %d %d %d %d",
			s.queued, s.bytes, s.inFlight.requests, s.unrecorded, s.suspects.requests, queued, bytes, inFlight, unrecorded, suspects)
	}
	if s.inFlight.requests > s.maxInFlight || len(m.running) != s.inFlight.requests {
		t.Fatalf("%d in flight, %d running", s.inFlight.requests, len(m.running))
	}
	if now.Before(s.faults.until) {
		return
	}
	if s.within(s.inFlight, 1) && s.unrecorded < s.maxInFlight && s.ready.len() > 0 {
		t.Fatalf("%d lanes wait though there is budget", s.ready.len())
	}
	if s.suspended.len() > 0 && s.within(s.suspects, 2) && s.within(s.inFlight, 1) && s.unrecorded < s.maxInFlight {
		t.Fatalf("%d lanes are suspended though there is a share", s.suspended.len())
	}
}

func TestSchedulerKeepsItsBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Rapid asks a *testing.T for its deadline, which a bubble does not allow.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			m := newSchedulerModel()
			targets := make([]*bellwire.Target, 4)
			for i := range targets {
				ep := &bellwire.Endpoint{
					ID: fmt.Sprint("ep_", i), MaxInFlight: 5, Status: bellwire.EndpointEnabled, Ordering: bellwire.OrderingNone, Revision: 1,
				}
				if i == 3 {
					ep.Ordering = bellwire.OrderingFIFO
				}
				if i == 2 {
					ep.RateLimit = 20
				}
				targets[i] = &bellwire.Target{Endpoint: ep}
			}
			t.Repeat(map[string]func(*rapid.T){
				"publish": func(t *rapid.T) { m.publish(t, rapid.SampledFrom(targets).Draw(t, "target")) },
				"finish":  m.finish,
				"setBack": m.setBack,
				"record":  m.record,
				"release": m.release,
				"claim":   func(t *rapid.T) { m.claim(targets) },
				"pause": func(t *rapid.T) {
					i := rapid.IntRange(0, 3).Draw(t, "target")
					ep := *targets[i].Endpoint
					ep.Revision++
					ep.Status = rapid.SampledFrom([]bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused}).Draw(t, "status")
					targets[i] = &bellwire.Target{Endpoint: &ep}
					m.s.refresh(ep.ID)
				},
				"wait": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 100_000).Draw(t, "ms")) * time.Millisecond)
					m.s.tick(time.Now())
				},
				"sweep": func(*rapid.T) { m.s.sweep(time.Now()) },
				"":      m.check,
			})
		})
	})
}

func (m *schedulerModel) publish(t *rapid.T, target *bellwire.Target) {
	data := make([]byte, rapid.IntRange(0, 2000).Draw(t, "bytes"))
	now := time.Now()
	places := m.s.reserve(now, []*bellwire.Target{target}, len(data), nil)
	if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
		m.s.cancel(places, len(data))
		return
	}
	j := m.job(target, data, places[0].epoch)
	if places[0].epoch == 0 {
		m.free[target.Endpoint.ID] = append(m.free[target.Endpoint.ID], j)
	}
	m.s.accept(now, places, []*job{j})
}

func (m *schedulerModel) job(target *bellwire.Target, data []byte, epoch int64) *job {
	m.made++
	j := &job{trigger: bellwire.TriggerSchedule, event: &bellwire.Event{Data: data}}
	j.delivery.Endpoint, j.delivery.Epoch = target.Endpoint.ID, epoch
	if target.Endpoint.Ordering == bellwire.OrderingFIFO {
		m.next[target.Endpoint.ID]++
		j.delivery.Sequence = m.next[target.Endpoint.ID]
	}
	return j
}

func (m *schedulerModel) finish(t *rapid.T) {
	if len(m.running) == 0 {
		t.Skip("nothing is running")
	}
	i := rapid.IntRange(0, len(m.running)-1).Draw(t, "job")
	j := m.running[i]
	m.running = append(m.running[:i], m.running[i+1:]...)
	r := &result{job: j, endedAt: time.Now(), attempt: &bellwire.Attempt{}}
	r.verdict = rapid.SampledFrom([]bellwire.Verdict{bellwire.Acknowledged, bellwire.Acknowledged, bellwire.Failed, bellwire.Impossible}).Draw(t, "verdict")
	r.transition = bellwire.Transition{Status: bellwire.DeliverySucceeded}
	if r.verdict == bellwire.Failed {
		r.transition = bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: time.Duration(rapid.IntRange(0, 60).Draw(t, "delay")) * time.Second}
		if rapid.Bool().Draw(t, "429") {
			r.retryAfter = time.Second
		}
	}
	if next, _, _ := m.s.finish(time.Now(), r); next != nil {
		m.running = append(m.running, next)
	}
	m.ended = append(m.ended, r)
}

func (m *schedulerModel) setBack(t *rapid.T) {
	if len(m.running) == 0 {
		t.Skip("nothing is running")
	}
	i := rapid.IntRange(0, len(m.running)-1).Draw(t, "job")
	j := m.running[i]
	m.running = append(m.running[:i], m.running[i+1:]...)
	m.s.setBack(time.Now(), j, rapid.SampledFrom([]fault{faultDescriptors, faultPorts, faultConfiguration}).Draw(t, "fault"))
}

func (m *schedulerModel) record(t *rapid.T) {
	records := make([]bellwire.Recorded, len(m.ended))
	for i, r := range m.ended {
		records[i] = bellwire.Recorded{Status: r.transition.Status, Moved: true}
		if r.transition.Status == bellwire.DeliveryRetrying {
			r.job.delivery.DueAt = r.endedAt.Add(r.transition.Delay)
			records[i].DueAt = r.job.delivery.DueAt
			m.giveBack(r.job)
		}
	}
	ended := m.ended
	m.ended = nil
	m.s.recorded(time.Now(), ended, records)
}

func (m *schedulerModel) release(*rapid.T) {
	given := m.given
	m.given = nil
	for _, j := range given {
		m.giveBack(j)
	}
	m.s.released(time.Now(), given)
}

// giveBack keeps what is free in the order in which the store hands it out.
func (m *schedulerModel) giveBack(j *job) {
	id := j.delivery.Endpoint
	list := append(m.free[id], j)
	for i := len(list) - 1; i > 0 && list[i].delivery.Sequence < list[i-1].delivery.Sequence; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	m.free[id] = list
}

// claim does what the claimer does, on the model's store.
func (m *schedulerModel) claim(targets []*bellwire.Target) {
	now := time.Now()
	lanes := m.s.claimable(now, 10)
	for _, l := range lanes {
		for _, target := range targets {
			if target.Endpoint.ID == l.endpoint {
				m.s.loaded(l, target)
			}
		}
	}
	claims := m.s.claims(now, lanes)
	results := make([]bellwire.ClaimResult, len(claims))
	for i, c := range claims {
		var rest []*job
		for _, j := range m.free[c.Endpoint] {
			held := c.Ordered && len(rest) > 0
			if held || j.delivery.DueAt.After(now) || len(results[i].Due) >= c.Limit {
				rest = append(rest, j)
				if !c.Ordered || len(rest) == 1 {
					results[i].Next = sooner(results[i].Next, later(j.delivery.DueAt, time.Unix(1, 0)))
				}
				continue
			}
			j.delivery.Epoch = 1
			results[i].Due = append(results[i].Due, bellwire.Claimed{Delivery: j.delivery, Event: j.event})
		}
		m.free[c.Endpoint] = rest
		results[i].NextSequence = m.next[c.Endpoint] + 1
	}
	m.s.claimed(now, lanes, claims, results)
}
