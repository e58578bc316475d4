package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// health is an endpoint's health on the wire.
type health struct {
	State           bellwire.HealthState `json:"state" enum:"healthy,failing,recovering,idle" doc:"failing: three attempts in a row failed, or one that ended its delivery, or one while none was ever acknowledged. recovering: acknowledged again, but not yet three times in a row or for a minute. idle: no attempt for 24 hours."`
	Since           *time.Time           `json:"since" nullable:"true" doc:"When the state began; with failing, the first failure in a row. null if there was no attempt yet."`
	Reason          string               `json:"reason" example:"12 attempts in a row failed since 2026-03-01T12:00:00Z; the last error: the endpoint answered 503 Service Unavailable" doc:"Why it is in this state; empty if it is healthy and nothing fails."`
	LastOutcome     *bellwire.Outcome    `json:"last_outcome" enum:"ok,status,blocked,dns,connect,tls,timeout,reset,protocol" doc:"Where the last attempt failed, or ok if it was acknowledged; null if there was none, or if it failed before Bellwire was upgraded to keep this."`
	LastError       string               `json:"last_error" example:"the endpoint answered 503 Service Unavailable" doc:"What went wrong with the last attempt; empty if it was acknowledged, or if there was none."`
	LastSuccessAt   *time.Time           `json:"last_success_at" nullable:"true" doc:"When an attempt was last acknowledged, 10 seconds too early at most; null if none was."`
	LastFailureAt   *time.Time           `json:"last_failure_at" nullable:"true" doc:"When an attempt of the schedule last failed; null if none did."`
	Failures        int                  `json:"failures" doc:"Attempts of the schedule that have failed in a row."`
	Waiting         int                  `json:"waiting" doc:"Deliveries that are not acknowledged yet: counted up to 10,000, in lists that are not sorted by it up to 1,000."`
	WaitingCapped   bool                 `json:"waiting_capped" doc:"Whether there are more than waiting says."`
	OldestWaitingAt *time.Time           `json:"oldest_waiting_at" nullable:"true" doc:"When the event of the oldest of them was accepted; null if none waits."`
	NextAttemptAt   *time.Time           `json:"next_attempt_at" nullable:"true" doc:"When the next attempt can be made: a delivery is due, and neither a rest nor the circuit breaker holds it back. null if none waits."`
	AllowedAt       *time.Time           `json:"allowed_at" nullable:"true" doc:"When the endpoint last allowed deliveries, in dialects in which it is asked with OPTIONS; null if it was not asked, or has not allowed them."`
	AllowedRate     *int                 `json:"allowed_rate" nullable:"true" example:"120" doc:"How many requests a minute it has allowed then, beside the endpoint's rate_limit; null for any number."`
	Breaker         string               `json:"breaker" enum:"closed,open" doc:"The endpoint's circuit breaker."`
}

// TransformSchema makes last_outcome nullable.
func (health) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "last_outcome")
}

// EndpointWithHealth is an endpoint as it is read. Answers to changes do not have its health.
type EndpointWithHealth struct {
	Endpoint
	Health health `json:"health" doc:"What the endpoint's recent attempts say."`
}

func wireEndpointWithHealth(ep *service.Endpoint) EndpointWithHealth {
	return EndpointWithHealth{wireEndpoint(ep), wireHealth(ep.Health)}
}

func wireHealth(h *bellwire.EndpointHealth) health {
	outcome, problem := h.Last()
	wire := health{
		State: h.State, Since: timeOrNull(h.Since), Reason: h.Reason(), LastOutcome: orNull(outcome), LastError: problem,
		LastSuccessAt: timeOrNull(h.LastSuccessAt), LastFailureAt: timeOrNull(h.LastFailureAt), Failures: h.Failures, Waiting: h.Waiting, WaitingCapped: h.WaitingCapped,
		OldestWaitingAt: timeOrNull(h.OldestWaitingAt), NextAttemptAt: timeOrNull(h.NextAttemptAt), Breaker: "closed",
		AllowedAt: timeOrNull(h.Granted.At), AllowedRate: orNull(h.Granted.Rate),
	}
	if h.BreakerOpen {
		wire.Breaker = "open"
	}
	return wire
}

// timeOrNull returns nil, for null, for the zero time.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}
