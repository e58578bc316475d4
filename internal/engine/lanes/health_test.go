package lanes

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The result of an attempt to a former URL says nothing about the endpoint's health.
func TestResultsOfAFormerURL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url  string // while the attempt is in flight
		want bellwire.HealthNote
	}{
		"present": {"", bellwire.HealthNote{Kind: bellwire.HealthCounts, HeldFor: minRest}},
		"former":  {"https://b.test/", bellwire.HealthNote{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &blockedModel{schedulerModel: newSchedulerModel(), target: ofTenant("acme", "ep_1")}
				m.change(func(*bellwire.Endpoint) {})
				m.publish(1)
				sent := m.target
				if c.url != "" {
					m.change(func(ep *bellwire.Endpoint) { ep.URL = c.url })
				}
				failed := &Result{
					Task: m.running[0], Target: sent, Verdict: bellwire.Failed,
					Attempt: &bellwire.Attempt{Response: &bellwire.AttemptResponse{Status: http.StatusTooManyRequests}},
				}
				m.s.Finish(time.Now(), failed)
				if failed.Health != c.want {
					t.Errorf("the note is %+v, want %+v", failed.Health, c.want)
				}
			})
		})
	}
}

// A late acknowledgement of a former URL says nothing about the present one: whether it is known to answer, whether the limit for its
// host holds it back, and whether its breaker closes.
func TestLateAcknowledgementOfAFormerURL(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"present": "", "former": "https://b.test/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &blockedModel{schedulerModel: newSchedulerModel(), target: ofTenant("acme", "ep_1")}
				m.change(func(*bellwire.Endpoint) {})
				m.publish(1)
				l := m.s.lanes["ep_1"]
				l.proven, l.acknowledged = true, true
				for range breakerFailures {
					l.breaker.failed(time.Now())
					time.Sleep(breakerSpan)
				}
				m.s.openBreakers = 1
				sent := m.target
				if url != "" {
					m.change(func(ep *bellwire.Endpoint) { ep.URL = url })
				}
				m.s.Finish(time.Now(), &Result{Task: m.running[0], Target: sent, Verdict: bellwire.Acknowledged, Attempt: &bellwire.Attempt{}})
				if want := url == ""; l.proven != want || l.acknowledged != want || l.breaker.open() == want {
					t.Errorf("proven %v, acknowledged %v, breaker open %v", l.proven, l.acknowledged, l.breaker.open())
				}
			})
		})
	}
}
