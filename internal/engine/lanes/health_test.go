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
