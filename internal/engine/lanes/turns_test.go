package lanes

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ofTenant makes a target of a tenant.
func ofTenant(tenant, endpoint string) *bellwire.Target {
	return &bellwire.Target{Endpoint: &bellwire.Endpoint{
		ID: endpoint, Tenant: tenant, MaxInFlight: 8, Status: bellwire.EndpointEnabled, Revision: 1,
	}}
}

// publishOne brings an event for one endpoint into memory, and reports whether there was a place.
func (m *schedulerModel) publishOne(t *bellwire.Target) bool {
	c := m.event(t.Endpoint.Tenant, 10, 1)
	found := m.s.Reserve(time.Now(), []*bellwire.Target{t}, c, nil)
	m.s.Commit(time.Now(), found, []*Task{m.task(t, c, found[0].Epoch())})
	return found[0].Epoch() != 0
}

// finishFirst ends the attempt that has been under way for the longest.
func (m *schedulerModel) finishFirst(v bellwire.Verdict) *Task {
	task := m.running[0]
	m.running = m.running[1:]
	r := &Result{Task: task, Attempt: &bellwire.Attempt{}, Verdict: v}
	if next, _, _ := m.s.Finish(time.Now(), r); next != nil {
		m.running = append(m.running, next)
	}
	m.s.Recorded(time.Now(), []*Result{r}, []bellwire.Recorded{{Status: bellwire.DeliverySucceeded, Moved: true}})
	return task
}

// A tenant with many lanes gets one turn where a tenant with one lane gets one.
func TestTenantsSendInTurn(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	m.s.shared.most[requests] = 1
	for i := range 40 {
		m.publishOne(ofTenant("many", fmt.Sprint("ep_many_", i)))
	}
	one := ofTenant("one", "ep_one")
	for range 5 {
		m.publishOne(one)
	}
	var served string
	for range 10 {
		served += m.finishFirst(bellwire.Impossible).lane.account.tenant[:1]
	}
	if want := "momomomomo"; served != want {
		t.Errorf("served %s, want %s", served, want)
	}
}

// Claims take turns too.
func TestTenantsClaimInTurn(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	var due []bellwire.DueEndpoint
	for i := range 200 {
		due = append(due, bellwire.DueEndpoint{Endpoint: fmt.Sprint("ep_many_", i), Tenant: "many", At: time.Now()})
	}
	due = append(due, bellwire.DueEndpoint{Endpoint: "ep_one", Tenant: "one", At: time.Now()})
	m.s.Due(due)
	for i, turn := range m.s.ReadyToClaim(time.Now(), 64) {
		if turn.Endpoint() == "ep_one" {
			if i > 1 {
				t.Errorf("the tenant with one endpoint came after %d others", i)
			}
			return
		}
	}
	t.Error("the tenant with one endpoint is not among the first")
}

// One tenant may have half of the lanes, and the others find room.
func TestLanesAreShared(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	m.s.shared.most[laneCount], m.s.shared.reserve[laneCount] = 10, 1
	for i := range 20 {
		m.publishOne(ofTenant("many", fmt.Sprint("ep_many_", i)))
	}
	if n := len(m.s.lanes); n != 5 {
		t.Errorf("one tenant has %d lanes of 10", n)
	}
	if !m.publishOne(ofTenant("one", "ep_one")) {
		t.Error("another tenant found no room")
	}
}

// While a tenant's results cannot be recorded, others go on sending.
func TestUnrecordedResultsAreShared(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	many := ofTenant("many", "ep_many")
	sent := 0
	for range 50 {
		m.publishOne(many)
		for len(m.running) > 0 {
			task := m.running[0]
			m.running = m.running[1:]
			sent++
			if next, _, _ := m.s.Finish(time.Now(), &Result{Task: task, Attempt: &bellwire.Attempt{}, Verdict: bellwire.Acknowledged}); next != nil {
				m.running = append(m.running, next)
			}
		}
	}
	if sent >= m.s.shared.most[unrecorded] {
		t.Errorf("%d results of one tenant wait to be recorded, of %d", sent, m.s.shared.most[unrecorded])
	}
	m.publishOne(ofTenant("one", "ep_one"))
	if len(m.running) != 1 {
		t.Error("another tenant does not send")
	}
}

// counting is a renderer that counts its bodies.
type counting struct {
	bellwire.Renderer
	same     bool
	rendered *int
}

func (c counting) SameBody() bool { return c.same }

func (c counting) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	*c.rendered++
	return append(dst, m.Event.Data...), nil
}

// Endpoints of a dialect share an event's body where it depends on the event alone.
func TestBodiesAreShared(t *testing.T) {
	t.Parallel()
	for same, want := range map[bool]int{true: 2, false: 10} {
		rendered := 0
		c := NewContent(&bellwire.Event{Data: []byte("1"), Deliveries: 10})
		var bodies []*byte
		for i := range 10 {
			target := &bellwire.Target{Endpoint: &bellwire.Endpoint{Dialect: fmt.Sprint(i % 2)}, Renderer: counting{same: same, rendered: &rendered}}
			body, err := c.Body(t.Context(), target, &bellwire.Message{Event: c.Event})
			if err != nil || string(body) != "1" {
				t.Fatalf("%s, %v", body, err)
			}
			bodies = append(bodies, &body[0])
		}
		if rendered != want || (bodies[0] == bodies[2]) != same || bodies[0] == bodies[1] {
			t.Errorf("same %v: %d bodies, want %d", same, rendered, want)
		}
	}
}

// A tenant that has its share claims again when there is room for more than one delivery, and one that has nothing at once.
func TestClaimsWaitForABatch(t *testing.T) {
	t.Parallel()
	m := newSchedulerModel()
	m.s.shared.most[places] = 10_000
	a := m.s.account("full")
	m.s.take(a, places, 5000)
	m.s.Due([]bellwire.DueEndpoint{
		{Endpoint: "ep_full", Tenant: "full", At: time.Now()}, {Endpoint: "ep_empty", Tenant: "empty", At: time.Now()},
	})
	claimed := func() (endpoints []string) {
		for _, turn := range m.s.ReadyToClaim(time.Now(), 64) {
			endpoints = append(endpoints, turn.Endpoint())
		}
		return endpoints
	}
	if got := claimed(); len(got) != 1 || got[0] != "ep_empty" {
		t.Errorf("claimed for %v, want the one with nothing", got)
	}
	woken := 0
	m.s.config.WakeClaimer = func() { woken++ }
	m.s.give(a, places, 2)
	if got := claimed(); len(got) != 0 || woken != 0 {
		t.Errorf("claimed for %v with room for one", got)
	}
	m.s.give(a, places, claimBatch)
	if got := claimed(); len(got) != 1 || woken != 1 {
		t.Errorf("claimed for %v with room for a batch, woken %d times", got, woken)
	}
}
