package engine

import (
	"math/rand/v2"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/engine/send"
)

// result is what came of a task's attempt, and what becomes of the delivery.
type result struct {
	lanes.Result
	endedAt    time.Time
	unsendable bool // the dialect cannot express the event
	transition bellwire.Transition
	otherwise  bellwire.Transition // applies instead if the endpoint, which answered 410, was changed meanwhile
}

// newResult decides what becomes of a delivery after an attempt.
func newResult(task *lanes.Task, t *bellwire.Target, sent send.Result) *result {
	r := &result{
		Result: lanes.Result{
			Task: task, Target: t, Verdict: sent.Verdict, Attempt: sent.Attempt, RetryAfter: sent.RetryAfter, Address: sent.Address,
		},
		endedAt: sent.EndedAt, unsendable: sent.Unsendable,
	}
	if r.Attempt == nil {
		r.transition = task.Delivery.Decide(task.Trigger, r.Verdict, t, r.endedAt, 0, 0)
		if r.transition.Status == bellwire.DeliveryExhausted {
			r.transition.Reason = sent.Reason
		}
	} else {
		r.transition = r.decide(r.Verdict)
	}
	if r.Verdict == bellwire.Gone {
		r.otherwise = r.decide(bellwire.Failed)
	}
	r.Retrying = r.transition.Status == bellwire.DeliveryRetrying
	return r
}

// expiredResult returns the result of a delivery that is not attempted because its event has expired.
func expiredResult(task *lanes.Task, t *bellwire.Target, now time.Time) *result {
	return &result{
		Result:     lanes.Result{Task: task, Target: t, Verdict: bellwire.Impossible},
		endedAt:    now,
		transition: bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonExpired(task.Delivery.ExpiresAt)},
	}
}

// refusedResult returns the result of a manual retry that is not made, because its endpoint was disabled or deleted after the request.
func refusedResult(task *lanes.Task, t *bellwire.Target, now time.Time) *result {
	return &result{Result: lanes.Result{Task: task, Target: t, Verdict: bellwire.Impossible}, endedAt: now}
}

// decide returns the transition of the delivery for a verdict. The tenant's limit on retry delays applies here too, because the
// policy can be older than the limit, and jitter and max_elapsed can shorten a delay.
func (r *result) decide(v bellwire.Verdict) bellwire.Transition {
	next := r.Task.Delivery.Decide(r.Task.Trigger, v, r.Target, r.endedAt, r.RetryAfter, rand.Float64())
	if limits := r.Target.Limits; limits != nil && next.Status == bellwire.DeliveryRetrying {
		next.Delay = max(next.Delay, limits.MinRetryDelay)
	}
	return next
}

// trace returns the span of the attempt, nil if there is none.
func (r *result) trace() *bellwire.Trace {
	if r.Attempt == nil {
		return nil
	}
	return r.Attempt.Trace
}

// row returns the result in the form that the store takes.
func (r *result) row() *bellwire.Result {
	row := &bellwire.Result{
		Attempt:          r.Attempt,
		Delivery:         r.Task.Delivery.ID,
		EventType:        r.Task.Delivery.EventType,
		Trigger:          r.Task.Trigger,
		Epoch:            r.Task.Delivery.Epoch,
		Key:              r.Task.Delivery.Key,
		Transition:       r.transition,
		EndedAt:          r.endedAt,
		RestartedAt:      r.Task.Delivery.RestartedAt,
		Disable:          r.Verdict == bellwire.Gone && r.Target.Endpoint.Status != bellwire.EndpointDisabled,
		Endpoint:         r.Task.Delivery.Endpoint,
		EndpointRevision: r.Target.Endpoint.Revision,
		Otherwise:        r.otherwise,
		Health:           r.Health,
	}
	row.Health.DisableAfter = r.Target.Endpoint.AutoDisableAfter
	if limits := r.Target.Limits; limits != nil {
		row.WholeAttempts = limits.AttemptDetails
	}
	return row
}
