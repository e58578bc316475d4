package lanes

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// blockedModel is a model with one endpoint, and helpers that bring its lane into a given state.
type blockedModel struct {
	*schedulerModel
	target *bellwire.Target
}

// change gives the lane a new state of its endpoint.
func (m *blockedModel) change(f func(*bellwire.Endpoint)) {
	ep := *m.target.Endpoint
	ep.Revision++
	f(&ep)
	m.target = &bellwire.Target{Endpoint: &ep, URL: m.target.URL, Limits: m.target.Limits}
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adopt(s.lane(ep.ID, ep.Tenant), m.target, time.Now())
}

// publish publishes n events.
func (m *blockedModel) publish(n int) {
	for range n {
		c := m.event(m.target.Endpoint.Tenant, 10, 1)
		r := m.s.Reserve(time.Now(), []*bellwire.Target{m.target}, c, nil)
		m.s.Commit(time.Now(), r, []*Task{m.task(m.target, c, r[0].Epoch())})
	}
}

// end ends the first attempt in flight.
func (m *blockedModel) end(o Result) {
	o.Task, o.Target = m.running[0], m.target
	m.running = m.running[1:]
	o.Attempt = &bellwire.Attempt{}
	if next, _, _ := m.s.Finish(time.Now(), &o); next != nil {
		m.running = append(m.running, next)
	}
	m.s.Recorded(time.Now(), []*Result{&o}, make([]bellwire.Recorded, 1))
}

// Each reason for which an endpoint's deliveries wait is reported, with the time at which it ends if that is known.
func TestBlocked(t *testing.T) {
	cases := map[string]struct {
		do    func(m *blockedModel)
		why   Why
		after time.Duration // until the reason ends; 0: not known
	}{
		"nothing": {func(*blockedModel) {}, NotBlocked, 0},
		"sent":    {func(m *blockedModel) { m.publish(1) }, InFlightLimit, 0}, // the window is 1 until the first answer
		"paused": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		}, Paused, 0},
		"paused tenant": {func(m *blockedModel) {
			held := bellwire.Limits{Paused: true}
			m.target.Limits = &held
			m.change(func(*bellwire.Endpoint) {})
		}, TenantPaused, 0},
		"a disabled endpoint of a paused tenant": {func(m *blockedModel) {
			held := bellwire.Limits{Paused: true}
			m.target.Limits = &held
			m.change(func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		}, Disabled, 0},
		"disabled": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		}, Disabled, 0},
		"deleted": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.Deleted = true })
		}, Disabled, 0},
		"asked to wait": {func(m *blockedModel) {
			m.publish(2)
			m.end(Result{Verdict: bellwire.Failed, RetryAfter: time.Minute})
		}, Resting, time.Minute},
		"failure rate": {func(m *blockedModel) {
			m.publish(2)
			m.s.account("acme").failed = time.Now().Add(time.Minute)
			m.end(Result{Verdict: bellwire.Failed, RetryAfter: time.Second})
		}, FailureRate, time.Minute + time.Second/limits.FailureRate},
		"rate limit": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.RateLimit = 0.1 })
			m.publish(2)
			m.end(Result{Verdict: bellwire.Acknowledged})
		}, RateLimited, 10 * time.Second},
		"the later of two": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.RateLimit = 0.1 })
			m.publish(2)
			m.end(Result{Verdict: bellwire.Failed, RetryAfter: time.Second})
		}, RateLimited, 10 * time.Second},
		"in order": {func(m *blockedModel) {
			m.change(func(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingFIFO })
			m.s.lanes["ep_1"].nextSequence = 1
			m.publish(2)
		}, InOrder, 0},
		"no answer": {func(m *blockedModel) {
			m.publish(1)
			m.end(Result{Verdict: bellwire.Acknowledged})
			m.publish(1)
			time.Sleep(2 * stallAfter)
		}, Unanswered, 0},
		"breaker": {func(m *blockedModel) {
			m.publish(1)
			m.s.lanes["ep_1"].breaker = breaker{failures: breakerFailures - 1, since: time.Now().Add(-breakerSpan)}
			m.end(Result{Verdict: bellwire.Failed})
		}, BreakerOpen, firstPause},
		"fault of the node at one endpoint": {func(m *blockedModel) {
			m.publish(1)
			task := m.running[0]
			m.running = nil
			m.s.RequeueUnsent(time.Now(), task, false)
			m.release(nil)
		}, StoreBackoff, firstEndpointPause},
		"the store failed": {func(m *blockedModel) {
			m.s.Due([]bellwire.DueEndpoint{{Endpoint: "ep_1", Tenant: "acme", At: time.Now()}})
			m.s.Postpone(m.s.ReadyToClaim(time.Now(), 1)...)
		}, StoreBackoff, storeBackoff},
		"host": {func(m *blockedModel) {
			m.publish(2)
			l := m.s.lanes["ep_1"]
			l.hosts[0] = m.s.hosts.of(hostKey{"acme", byName, "a.test"}, 60, time.Now())
			l.hosts[0].used = 60
			m.end(Result{Verdict: bellwire.Impossible})
		}, HostLimit, time.Minute},
		"share of the tenant": {func(m *blockedModel) {
			m.s.take(m.s.account("acme"), unrecorded, 8)
			m.publish(1)
		}, TenantShare, 0},
		"pace": {func(m *blockedModel) {
			m.s.pace.running = m.s.pace.limit
			m.publish(1)
		}, Pacing, 0},
		"fault of the whole node": {func(m *blockedModel) {
			m.s.faults.add(time.Now(), firstNodePause, longestNodePause)
		}, NodeFault, firstNodePause},
		"another node's": {func(m *blockedModel) { m.s.SetLeases(&bellwire.Leases{Term: time.Minute}, time.Time{}) }, OtherNode, 0},
		"leases": {func(m *blockedModel) {
			m.s.SetLeases(m.s.Leases(), time.Now().Add(time.Second))
			time.Sleep(time.Second)
		}, LeaseLapsed, 0},
		"draining": {func(m *blockedModel) { m.s.Drain() }, Draining, 0},
	}
	// What keeps tests and manual retries back, too.
	manual := map[string]Why{
		"paused tenant": TenantPaused, "a disabled endpoint of a paused tenant": TenantPaused, "host": HostLimit,
		"fault of the node at one endpoint": StoreBackoff, "the store failed": StoreBackoff, "fault of the whole node": NodeFault,
		"share of the tenant": TenantShare, "pace": Pacing, "another node's": OtherNode, "leases": LeaseLapsed, "draining": Draining,
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &blockedModel{schedulerModel: newSchedulerModel(), target: ofTenant("acme", "ep_1")}
				m.change(func(*bellwire.Endpoint) {})
				c.do(m)
				for _, trigger := range []bellwire.Trigger{bellwire.TriggerTest, bellwire.TriggerManual} {
					if why, _ := m.s.Blocked("ep_1", trigger); why != manual[name] {
						t.Errorf("a %s is blocked by %q, want %q", trigger, why, manual[name])
					}
				}
				why, until := m.s.Blocked("ep_1", bellwire.TriggerSchedule)
				if why != c.why {
					t.Fatalf("blocked by %q, want %q", why, c.why)
				}
				if left := time.Until(until); c.after == 0 && !until.IsZero() || c.after > 0 && (left < c.after-time.Millisecond || left > c.after+time.Millisecond) {
					t.Errorf("until in %v, want %v", left, c.after)
				}
			})
		})
	}
}

// whyTexts are the reasons as docs/architecture.md has them.
var whyTexts = [whys]string{
	NotBlocked:    "not blocked",
	Paused:        "the endpoint is paused",
	TenantPaused:  "the tenant is paused",
	Disabled:      "the endpoint is disabled",
	BreakerOpen:   "the circuit breaker is open",
	Resting:       "the endpoint asked for a rest or is overloaded",
	FailureRate:   "too many of the tenant's attempts fail",
	HostLimit:     "the host has acknowledged too few of the tenant's requests",
	RateLimited:   "the rate limit is reached",
	InFlightLimit: "the limit of requests in flight is reached",
	Unanswered:    "the requests in flight bring no answer",
	InOrder:       "an earlier delivery in the endpoint's order has not ended",
	NodeFault:     "this node lacks a resource that sending needs",
	StoreBackoff:  "the store or this node failed a moment ago",
	QueueFull:     "the endpoint's queue in memory is full",
	TenantShare:   "the tenant has its share of this node",
	Pacing:        "other attempts are starting",
	OtherNode:     "another node sends for the endpoint",
	LeaseLapsed:   "this node could not renew its leases",
	Draining:      "this node is shutting down",
}

// String returns the reason as a clause.
func (w Why) String() string {
	if w < 0 || w >= whys {
		return "unknown"
	}
	return whyTexts[w]
}

func TestReasonsHaveTexts(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for w := range whys {
		text := w.String()
		if text == "" || seen[text] || strings.HasSuffix(text, ".") || strings.ToLower(text[:1]) != text[:1] {
			t.Errorf("reason %d is %q", w, text)
		}
		seen[text] = true
	}
	if got := Why(-1).String(); got != "unknown" {
		t.Errorf("an unknown reason is %q", got)
	}
}

// A manual delivery is held back by a subset of the reasons that hold back others, so a lane that may send scheduled
// deliveries may also send manual ones.
func TestManualDeliveriesHaveFewerGuards(t *testing.T) {
	t.Parallel()
	if more := guards[toSendManual] &^ guards[toSend]; more != 0 {
		t.Errorf("guards %b stand before manual deliveries alone", more)
	}
}

// The table of reasons in docs/architecture.md has a row for each of them.
func TestDocumentedReasons(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for w := NotBlocked + 1; w < whys; w++ {
		if !strings.Contains(string(page), fmt.Sprintf("\n| %s | `%s` | ", w, w.WaitReason())) {
			t.Errorf("docs/architecture.md does not contain the reason %q with %q", w, w.WaitReason())
		}
	}
}

// TestEachReasonHasAName looks for the reasons that tenants are shown.
func TestEachReasonHasAName(t *testing.T) {
	t.Parallel()
	for w := range whys {
		if w.WaitReason() == "" {
			t.Errorf("%q has no name", w)
		}
	}
}

// The count of open breakers follows each of them: when it opens, when it closes, and when its lane is dropped, also while an
// attempt is in flight.
func TestOpenBreakersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &blockedModel{schedulerModel: newSchedulerModel(), target: ofTenant("acme", "ep_1")}
		expect := func(when string, want int) {
			t.Helper()
			if n := m.s.Stats().OpenBreakers; n != want {
				t.Errorf("%s: %d breakers are counted as open, want %d", when, n, want)
			}
		}
		owned := m.s.Leases()
		begin := func() {
			m.s.SetLeases(owned, time.Time{})
			m.change(func(*bellwire.Endpoint) {})
		}
		lose := func() { m.s.SetLeases(&bellwire.Leases{Term: time.Minute}, time.Time{}) }
		nearly := func() {
			m.s.lanes["ep_1"].breaker = breaker{failures: breakerFailures - 1, since: time.Now().Add(-breakerSpan)}
		}
		begin()
		m.publish(1)
		m.end(Result{Verdict: bellwire.Acknowledged}) // which allows more than one in flight
		m.publish(2)
		if len(m.running) != 2 {
			t.Fatalf("%d attempts are in flight", len(m.running))
		}
		nearly()
		m.end(Result{Verdict: bellwire.Failed})
		expect("after many failures", 1)
		m.end(Result{Verdict: bellwire.Acknowledged})
		expect("after a success", 0)
		m.publish(1)
		nearly()
		m.end(Result{Verdict: bellwire.Failed})
		expect("after many failures again", 1)
		lose()
		expect("after the loss of the shard", 0)
		begin()
		m.publish(1)
		nearly()
		lose()
		m.end(Result{Verdict: bellwire.Failed})
		expect("after a failure since the loss", 0)
	})
}
