package lanes

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// A claim may have found a delivery and failed only afterwards. Whatever was stored before its end stays in the store, where the
// next claim finds it, because it may have been sent and forgotten by then.
func TestArrivalsFromBeforeTheEndOfAFailedClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newSchedulerModel()
		target := &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: "a", Status: bellwire.EndpointEnabled, MaxInFlight: 8, Revision: 1}}
		arrival := func(n byte, since time.Time) []Arrival {
			task := m.task(target, m.event("acme", 10, 1), 1)
			task.Delivery.ID = bellwire.DeliveryID{n}
			return []Arrival{{Target: target, Task: task, Since: since}}
		}
		m.s.Due([]bellwire.DueEndpoint{{Endpoint: "a", At: time.Now()}})
		turns := m.s.ReadyToClaim(time.Now(), 10)
		for _, turn := range turns {
			m.s.Loaded(turn, target)
		}
		claims := m.s.BeginClaims(time.Now(), turns)
		if len(claims.Asked) != 1 || !claims.Asked[0].Search {
			t.Fatalf("the claim does not search: %+v", claims.Asked)
		}
		time.Sleep(time.Second)
		before := time.Now()
		time.Sleep(time.Second)
		m.s.FailClaims(claims)

		time.Sleep(time.Second)
		if got := m.s.Receive(time.Now(), arrival(1, before)); got[0] != bellwire.LeftInStore {
			t.Errorf("what was stored before the end of the claim: got disposition %v", got[0])
		}
		if got := m.s.Receive(time.Now(), arrival(2, time.Now())); got[0] != bellwire.Accepted {
			t.Errorf("what was stored after it: got disposition %v", got[0])
		}
	})
}
