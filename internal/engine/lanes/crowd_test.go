package lanes

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Lanes of endpoints that answer make way while there are very many, and go on as if they had stayed. Others stay.
func TestLanesMakeWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSchedulerModel()
		m.s.crowd = 1
		limited := ofTenant("tenant", "ep_limited")
		limited.Endpoint.RateLimit = 100
		changed, lost := ofTenant("tenant", "ep_changed"), ofTenant("tenant", "ep_lost")
		well, failing := ofTenant("tenant", "ep_well"), ofTenant("tenant", "ep_failing")
		for _, target := range []*bellwire.Target{limited, changed, lost, well, failing} {
			for range 3 {
				if !m.publishOne(target) {
					t.Fatal("there is no place")
				}
				verdict := bellwire.Acknowledged
				if target == failing {
					verdict = bellwire.Impossible
				}
				m.finishFirst(verdict)
			}
		}
		before := m.s.lanes["ep_well"].window
		if next := m.s.Sweep(time.Now()); len(m.s.records) != 0 || time.Until(next) != crowdedMemory {
			t.Errorf("right afterwards there are %d records, and the next sweep comes in %v", len(m.s.records), time.Until(next))
		}
		time.Sleep(crowdedMemory + time.Second)
		m.s.Sweep(time.Now())
		for _, stays := range []string{"ep_limited", "ep_failing"} {
			if m.s.lanes[stays] == nil {
				t.Errorf("%s has made way", stays)
			}
		}
		if len(m.s.lanes) != 2 || len(m.s.records) != 3 {
			t.Fatalf("%d lanes and %d records are left", len(m.s.lanes), len(m.s.records))
		}

		changed.Endpoint = &bellwire.Endpoint{ID: "ep_changed", Tenant: "tenant", MaxInFlight: 8, Status: bellwire.EndpointEnabled, Revision: 2}
		leases := *m.s.Leases()
		leases.Epochs[bellwire.ShardOf("ep_lost")]++
		m.s.SetLeases(&leases, time.Time{})
		for target, healthy := range map[*bellwire.Target]bool{well: true, changed: false, lost: false} {
			m.publishOne(target)
			l := m.s.lanes[target.Endpoint.ID]
			if l == nil || l.proven != healthy || (l.window.size == before.size) != healthy {
				t.Errorf("%s: its lane is %+v, want healthy %v", target.Endpoint.ID, l, healthy)
			}
			m.finishFirst(bellwire.Acknowledged)
		}
	})
}

// With few lanes none makes way, and what is left of a lane is forgotten when a lane would have been.
func TestRecordsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSchedulerModel()
		for i := range 5 {
			m.publishOne(ofTenant("tenant", fmt.Sprint("ep_", i)))
			m.finishFirst(bellwire.Acknowledged)
		}
		time.Sleep(crowdedMemory + time.Second)
		if next := m.s.Sweep(time.Now()); len(m.s.lanes) != 5 || time.Until(next) != sweepEvery {
			t.Errorf("%d of 5 lanes are left, and the next sweep comes in %v", len(m.s.lanes), time.Until(next))
		}
		m.s.crowd = 2
		m.s.Sweep(time.Now())
		if len(m.s.lanes) != 2 || len(m.s.records) != 3 {
			t.Errorf("%d lanes and %d records are left, want 2 and 3", len(m.s.lanes), len(m.s.records))
		}
		time.Sleep(laneMemory)
		m.s.Sweep(time.Now())
		if len(m.s.lanes)+len(m.s.records) != 0 {
			t.Errorf("%d lanes and %d records are left in the end", len(m.s.lanes), len(m.s.records))
		}
	})
}

// An idle lane stays while its endpoint's rate limit allows no request. Otherwise the next event would find a rate limit that is unused.
func TestIdleLanesKeepTheirRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSchedulerModel()
		slow := ofTenant("tenant", "ep")
		slow.Endpoint.RateLimit = 0.001
		m.publishOne(slow)
		m.finishFirst(bellwire.Acknowledged)
		time.Sleep(2 * laneMemory)
		m.s.Sweep(time.Now())
		if m.publishOne(slow); len(m.running) != 0 {
			t.Errorf("%d requests within %v after another one", len(m.running), 2*laneMemory)
		}
		time.Sleep(1000*time.Second - 2*laneMemory)
		if m.s.Tick(time.Now()); len(m.running) != 1 {
			t.Fatalf("%d requests after 1000 seconds", len(m.running))
		}
		m.finishFirst(bellwire.Acknowledged)
		time.Sleep(1001 * time.Second)
		if m.s.Sweep(time.Now()); len(m.s.lanes) != 0 {
			t.Error("the lane stays for ever")
		}
	})
}

// The lane of an endpoint whose breaker is open stays, unless the endpoint is deleted.
func TestDeletedEndpointsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSchedulerModel()
		kept, deleted := ofTenant("tenant", "ep_kept"), ofTenant("tenant", "ep_deleted")
		for range breakerFailures {
			for _, target := range []*bellwire.Target{kept, deleted} {
				m.publishOne(target)
				m.finishFirst(bellwire.Failed)
			}
			time.Sleep(breakerSpan / 5)
		}
		if n := m.s.Stats().OpenBreakers; n != 2 {
			t.Fatalf("%d breakers are open, want 2", n)
		}
		gone := ofTenant("tenant", "ep_deleted")
		gone.Endpoint.Deleted, gone.Endpoint.Revision = true, 2
		m.s.Refresh("ep_deleted")
		turns := m.s.ReadyToClaim(time.Now(), 10)
		if len(turns) != 1 || !m.s.Loaded(turns[0], gone) {
			t.Fatalf("%d lanes are loaded", len(turns))
		}
		m.s.Canceled(turns[0], false)
		claims := m.s.BeginClaims(time.Now(), turns)
		m.s.EndClaims(time.Now(), claims, make([]bellwire.ClaimResult, len(claims.Asked)))
		time.Sleep(2 * laneMemory)
		m.s.Sweep(time.Now())
		if s := m.s.Stats(); s.OpenBreakers != 1 || m.s.lanes["ep_kept"] == nil || m.s.lanes["ep_deleted"] != nil {
			t.Errorf("%d breakers are open, and the lanes are %v", s.OpenBreakers, m.s.lanes)
		}
	})
}
