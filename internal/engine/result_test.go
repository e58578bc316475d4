package engine

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/engine/send"
)

// A delivery for which no request can be made ends with the reason, and a tenant's limit on retry delays holds for others.
func TestTransitions(t *testing.T) {
	t.Parallel()
	target := &bellwire.Target{
		Endpoint: &bellwire.Endpoint{Retry: bellwire.RetryPolicy{Interval: bellwire.Duration(time.Second), Count: 3}},
		Limits:   &bellwire.Limits{MinRetryDelay: time.Minute},
	}
	task := &lanes.Task{Trigger: bellwire.TriggerSchedule}
	r := newResult(task, target, send.Result{Verdict: bellwire.Impossible, Reason: "unsendable"})
	if want := (bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: "unsendable"}); r.transition != want {
		t.Errorf("without a request: %+v, want %+v", r.transition, want)
	}
	r = newResult(task, target, send.Result{Verdict: bellwire.Failed, Attempt: new(bellwire.Attempt)})
	if want := (bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: time.Minute}); r.transition != want {
		t.Errorf("after a failure: %+v, want %+v", r.transition, want)
	}
	r = newResult(task, target, send.Result{Verdict: bellwire.Gone, Attempt: new(bellwire.Attempt)})
	if r.transition.Status != bellwire.DeliveryCanceled || r.otherwise.Status != bellwire.DeliveryRetrying {
		t.Errorf("after 410: %+v, otherwise %+v", r.transition, r.otherwise)
	}
}
