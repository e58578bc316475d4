package client

import "time"

// HealthState is what an endpoint's recent attempts say about it.
type HealthState string

// The states of an endpoint's health.
const (
	HealthHealthy    HealthState = "healthy"
	HealthFailing    HealthState = "failing"
	HealthRecovering HealthState = "recovering" // it was failing, and has not been acknowledged often enough since
	HealthIdle       HealthState = "idle"       // no attempt was made for 24 hours
)

// Health is what an endpoint's recent attempts say, with what waits for it.
type Health struct {
	State           HealthState `json:"state"`
	Since           *time.Time  `json:"since"` // nil if no attempt was made yet
	Reason          string      `json:"reason"`
	LastOutcome     *Outcome    `json:"last_outcome"` // nil if no attempt was made yet, or if it is unknown
	LastError       string      `json:"last_error"`   // empty if the last attempt was acknowledged
	LastSuccessAt   *time.Time  `json:"last_success_at"`
	LastFailureAt   *time.Time  `json:"last_failure_at"`
	Failures        int         `json:"failures"`       // in a row
	Waiting         int         `json:"waiting"`        // deliveries that are not acknowledged yet
	WaitingCapped   bool        `json:"waiting_capped"` // there are more than Waiting
	OldestWaitingAt *time.Time  `json:"oldest_waiting_at"`
	NextAttemptAt   *time.Time  `json:"next_attempt_at"`
	AllowedAt       *time.Time  `json:"allowed_at"`   // nil if the endpoint was not asked for its permission, or has not given it
	AllowedRate     *int        `json:"allowed_rate"` // requests a minute that it has allowed; nil: any number
	Breaker         Breaker     `json:"breaker"`
}

// Breaker is the state of an endpoint's circuit breaker.
type Breaker string

// The states of a circuit breaker.
const (
	BreakerClosed Breaker = "closed"
	BreakerOpen   Breaker = "open"
)
