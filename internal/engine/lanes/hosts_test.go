package lanes

import (
	"net/url"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// hostModel is the hosts of a scheduler, and a lane whose requests fail.
type hostModel struct {
	hosts  hosts
	lane   *lane
	target *bellwire.Target
	now    time.Time
}

func newHostModel(address string, bound int) *hostModel {
	m := &hostModel{lane: new(lane), now: time.Unix(0, 0)}
	m.target = &bellwire.Target{
		Endpoint: &bellwire.Endpoint{ID: "ep_1", Tenant: "acme"}, URL: &url.URL{Scheme: "http", Host: address},
		Limits: &bellwire.Limits{TargetRequests: bound},
	}
	m.lane.target = m.target
	return m
}

// bind changes the tenant's limit.
func (m *hostModel) bind(bound int) {
	m.target.Limits.TargetRequests = bound
	m.hosts.attach(m.lane, m.now)
}

// untilUsedUp returns how many requests fail, at most 1000, before the lane must wait.
func (m *hostModel) untilUsedUp(address string) (requests int) {
	for !m.lane.hostUsedUp(m.now) && requests < 1000 {
		m.hosts.charge(m.lane, &Result{Target: m.target, Attempt: &bellwire.Attempt{}, Address: address}, m.now)
		requests++
	}
	return requests
}

// An IP address in a URL is counted as the name of a host and, separately, as an address.
func TestAddressInURLIsCountedOnceAsAName(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1", "localhost"} {
		m := newHostModel(address, 6)
		if got := m.untilUsedUp("127.0.0.1"); got != 6 {
			t.Errorf("%s got %d requests, want 6", address, got)
		}
		if got := m.lane.hosts[1].left(m.now); got != 6*limits.AddressFactor-6 {
			t.Errorf("%v requests are left to the address of %s", got, address)
		}
	}
}

// An attempt that reached no address is charged to the name alone, and one to an older URL does not bound the new one.
func TestOnlyWhatWasReachedIsCharged(t *testing.T) {
	t.Parallel()
	m := newHostModel("a.example", 6)
	fail := func(target *bellwire.Target, address string) {
		m.hosts.charge(m.lane, &Result{Target: target, Attempt: &bellwire.Attempt{}, Address: address}, m.now)
	}
	fail(m.target, "192.0.2.1")
	left := m.lane.hosts[1].left(m.now)
	if fail(m.target, ""); m.lane.hosts[1].left(m.now) != left {
		t.Errorf("%v requests are left to the address, want %v", m.lane.hosts[1].left(m.now), left)
	}
	older, newer := m.target, newHostModel("b.example", 6).target
	m.target, m.lane.target = newer, newer
	m.hosts.attach(m.lane, m.now)
	if fail(older, "192.0.2.1"); m.lane.hosts != [2]*host{} {
		t.Error("the new URL has the host of the old one")
	}
}

func TestHigherBoundGivesRoomAtOnce(t *testing.T) {
	t.Parallel()
	m := newHostModel("a.test", 10)
	m.untilUsedUp("192.0.2.1")
	m.bind(15)
	if got := m.untilUsedUp("192.0.2.1"); got != 5 {
		t.Errorf("%d requests were sent after the limit was raised by 5", got)
	}
}

// A lower bound makes the lane wait no longer than for the next request of the new bound, and gives no room when it is raised
// again.
func TestLowerBoundIsUsedUpAtMost(t *testing.T) {
	t.Parallel()
	m := newHostModel("a.test", 100)
	m.untilUsedUp("")
	m.bind(10)
	if got, want := m.lane.hostUsedUpUntil(m.now).Sub(m.now), time.Hour/10; got != want {
		t.Errorf("the lane waits for %v, want %v", got, want)
	}
	m.bind(20)
	m.bind(10)
	m.bind(20)
	if got := m.untilUsedUp(""); got != 10 {
		t.Errorf("%d requests were sent, want 10", got)
	}
}
