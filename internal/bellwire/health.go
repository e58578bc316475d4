package bellwire

import (
	"cmp"
	"fmt"
	"time"
)

// HealthState is what an endpoint's recent attempts say about it.
type HealthState string

// The states. A store keeps the last three; HealthIdle is a healthy endpoint that was not attempted for HealthIdleAfter.
const (
	HealthIdle       HealthState = "idle"
	HealthHealthy    HealthState = "healthy"
	HealthFailing    HealthState = "failing"
	HealthRecovering HealthState = "recovering" // it failed, and has not been acknowledged often enough since
)

// HealthStates lists all states.
var HealthStates = []HealthState{HealthHealthy, HealthFailing, HealthRecovering, HealthIdle}

// The rules of an endpoint's health. The table in docs/delivery.md states them too.
const (
	FailingAfter     = 3              // failures in a row; one suffices if it ends its delivery, or if nothing was ever acknowledged
	HealthyAfter     = 3              // acknowledged attempts in a row, after failing
	HealthySpan      = time.Minute    // or two acknowledged attempts that far apart, without a failure between them
	HealthIdleAfter  = 24 * time.Hour // without an attempt
	HealthSeenPeriod = 10 * time.Second

	maxDisableSpan = 12 * time.Hour // between failures of the other events and now, to disable an endpoint
	minSilence     = time.Hour      // without an attempt, to begin the time anew
)

// Health is what a store keeps about an endpoint's attempts. RecordResults changes it, in the order in which it stores the
// outcomes. Tests and manual retries count if they are acknowledged.
type Health struct {
	State         HealthState // never HealthIdle
	Since         time.Time   // when the state began: with HealthFailing, the first failure in a row
	LastSuccessAt time.Time   // at most HealthSeenPeriod too early; zero: none
	LastFailureAt time.Time   // zero: none
	LastError     string      // Attempt.Error of the last failure
	LastOutcome   Outcome     // Attempt.Outcome of the last failure; empty: none, or unknown
	Failures      int         // in a row
	Successes     int         // in a row, with HealthRecovering

	// The first failure of those that count for MustDisable, and the first one of another event.
	FirstFailureAt time.Time
	FirstFailed    DeliveryID // number 0 of its event
	OthersSince    time.Time

	// What the endpoint has allowed; zero: it was not asked, or has not answered that it allows deliveries.
	Granted Grant

	// What held the endpoint's lane back after the last failure.
	BreakerOpen bool
	HeldUntil   time.Time
	Epoch       int64 // the shard epoch of the last failure: in another one, nothing holds the lane back
}

// HealthNote says what a result means for the health of its endpoint.
type HealthNote struct {
	Kind        HealthKind
	BreakerOpen bool          // the endpoint's circuit breaker is open after the failure
	HeldFor     time.Duration // after the failure, until the endpoint's rest and the pause of its circuit breaker end
	Granted     *Grant        // what the endpoint has allowed, if that is new
	// DisableAfter is the endpoint's AutoDisableAfter.
	DisableAfter time.Duration
}

// HealthKind is how a result counts for the health of its endpoint.
type HealthKind int

// The kinds.
const (
	HealthUnchanged HealthKind = iota // it says nothing new
	HealthSeen                        // an acknowledgement of an endpoint that is healthy and has no failures in a row
	HealthCounts                      // any other acknowledgement, or a failure
)

// Record applies a result of kind HealthCounts, and reports whether it disables the endpoint. moved says whether the result
// changed its delivery, whose status is now the given one. A failure that did not change it does not count, because another node has the
// delivery by now.
func (h *Health) Record(r *Result, moved bool, status DeliveryStatus) (disables bool) {
	if g := r.Health.Granted; g != nil {
		h.Granted = *g
	}
	switch {
	case r.Transition.Status == DeliverySucceeded:
		h.succeeded(r.EndedAt)
	case h.State == HealthRecovering && h.Successes == 0 && r.EndedAt.Before(h.Since):
		// It failed before the change that can have mended the endpoint.
	case moved && r.Attempt != nil && r.Trigger == TriggerSchedule:
		h.failed(r, status.Open())
		return h.mustDisable(r)
	}
	return false
}

// mustDisable reports whether r, the last failure, disables the endpoint: all attempts have failed for as long as the endpoint
// says, and those of other events than the first for a tenth of that, so that one poisoned event disables nothing.
// docs/delivery.md states the rule.
func (h *Health) mustDisable(r *Result) bool {
	after := r.Health.DisableAfter
	if after <= 0 || h.OthersSince.IsZero() || firstDelivery(r.Delivery) == h.FirstFailed {
		return false
	}
	return r.EndedAt.Sub(h.FirstFailureAt) >= after && r.EndedAt.Sub(h.OthersSince) >= min(after/10, maxDisableSpan)
}

// firstDelivery returns the delivery of the same event with number 0, which stands for the event.
func firstDelivery(id DeliveryID) DeliveryID { return DeliveryOf(EventID(id), 0) }

// AutoDisableReason returns the reason for which the last failure has disabled the endpoint.
func (h *Health) AutoDisableReason(after time.Duration) string {
	return fmt.Sprintf("every attempt has failed since %s, and an endpoint is disabled that fails for %s (auto_disable_after)",
		h.FirstFailureAt.UTC().Format(time.RFC3339), Duration(after))
}

func (h *Health) succeeded(at time.Time) {
	h.LastSuccessAt = at
	h.endRun()
	h.BreakerOpen, h.HeldUntil, h.Epoch = false, time.Time{}, 0
	switch h.State {
	case HealthFailing:
		h.State, h.Since, h.Successes = HealthRecovering, at, 1
	case HealthRecovering:
		h.Successes++
		if h.Successes == 1 {
			h.Since = at // the endpoint was changed before
		}
		if h.Successes >= HealthyAfter || at.Sub(h.Since) >= HealthySpan {
			h.State, h.Since, h.Successes = HealthHealthy, at, 0
		}
	case HealthHealthy:
		if h.Since.IsZero() {
			h.Since = at
		}
	}
}

// failed counts a failure. more says whether its delivery is attempted again.
func (h *Health) failed(r *Result, more bool) {
	event := firstDelivery(r.Delivery)
	silent := r.Health.DisableAfter > 0 && r.EndedAt.Sub(h.LastFailureAt) > max(r.Health.DisableAfter/2, minSilence)
	if h.Failures == 0 || silent {
		h.FirstFailureAt, h.FirstFailed, h.OthersSince = r.EndedAt, event, time.Time{}
	} else if h.OthersSince.IsZero() && event != h.FirstFailed {
		h.OthersSince = r.EndedAt
	}
	h.Failures++
	h.Successes = 0
	h.LastFailureAt, h.LastError, h.LastOutcome = r.EndedAt, r.Attempt.Error, r.Attempt.Outcome
	h.BreakerOpen, h.Epoch, h.HeldUntil = r.Health.BreakerOpen, r.Epoch, time.Time{}
	if r.Health.HeldFor > 0 {
		h.HeldUntil = StoredTime(r.EndedAt.Add(r.Health.HeldFor))
	}
	if h.State != HealthFailing && (h.State == HealthRecovering || h.Failures >= FailingAfter || !more || h.LastSuccessAt.IsZero()) {
		h.State, h.Since = HealthFailing, h.FirstFailureAt
	}
}

// endRun forgets the failures in a row.
func (h *Health) endRun() {
	h.Failures, h.FirstFailureAt, h.FirstFailed, h.OthersSince = 0, time.Time{}, DeliveryID{}, time.Time{}
}

// Restart begins anew after a change of the endpoint that can have mended it. What failed before is not held against it, but an
// open circuit breaker stays open until an attempt is acknowledged. If the URL was changed, nothing delays the next attempt.
func (h *Health) Restart(at time.Time, urlChanged bool) {
	h.endRun()
	if urlChanged {
		h.HeldUntil, h.Granted = time.Time{}, Grant{}
	}
	h.Successes = 0
	if h.State == HealthFailing {
		h.State, h.Since = HealthRecovering, at
	}
}

// Restarts reports whether the change of an endpoint from one status and URL to others begins its Health anew.
func Restarts(before, after *Endpoint) bool {
	return before.URL != after.URL || after.Status == EndpointEnabled && before.Status != EndpointEnabled
}

// Settled reports whether the endpoint is healthy and has no failures in a row, so that acknowledgements say nothing new.
func (h *Health) Settled() bool { return h.State == HealthHealthy && h.Failures == 0 }

// EndpointHealth is an endpoint's health with what waits to be acknowledged.
type EndpointHealth struct {
	Health
	Waiting         int       // open deliveries, at most as many as were to be counted
	WaitingCapped   bool      // there may be more
	OldestWaitingAt time.Time // when the event of the oldest of them was accepted; zero: there is none
	NextAttemptAt   time.Time // when the next of them is due at the earliest; zero: none is
}

// At returns the health as of a time, at which an endpoint can have become idle.
func (h EndpointHealth) At(now time.Time) EndpointHealth {
	last := h.LastSuccessAt
	if h.LastFailureAt.After(last) {
		last = h.LastFailureAt
	}
	if h.State == HealthHealthy && now.Sub(last) >= HealthIdleAfter {
		h.State, h.Since = HealthIdle, last
	}
	return h
}

// Last returns how the last attempt ended, and what went wrong with it. Both are empty if there was none. After a failure that an
// older version has stored, the outcome is empty.
func (h *Health) Last() (outcome Outcome, problem string) {
	switch {
	case h.Failures > 0 || h.LastFailureAt.After(h.LastSuccessAt):
		return h.LastOutcome, h.LastError
	case h.LastSuccessAt.IsZero():
		return "", ""
	}
	return OutcomeOK, ""
}

// Reason says why the endpoint is in its state; empty if it is healthy and nothing has failed.
func (h *EndpointHealth) Reason() string {
	switch {
	case h.State == HealthIdle && h.Since.IsZero():
		return "no attempt was made yet"
	case h.State == HealthIdle:
		return "no attempt was made in the last 24 hours"
	case h.State == HealthRecovering && h.Successes == 0:
		return "the endpoint was changed after it had failed, and has not acknowledged an attempt since"
	case h.State == HealthRecovering:
		return fmt.Sprintf("%d of %d attempts in a row acknowledged since the endpoint failed", h.Successes, HealthyAfter)
	case h.Failures == 0:
		return ""
	}
	since := h.FirstFailureAt.UTC().Format(time.RFC3339)
	if h.State == HealthFailing {
		since = h.Since.UTC().Format(time.RFC3339)
	}
	if h.Failures == 1 {
		return fmt.Sprintf("1 attempt failed at %s: %s", since, h.LastError)
	}
	return fmt.Sprintf("%s attempts in a row failed since %s; the last error: %s", Number(h.Failures), since, h.LastError)
}

// Waiting is how many deliveries wait for an endpoint.
type Waiting struct {
	Endpoint string
	Count    int
}

// Compare orders by count, and by id where that is equal, the greatest first.
func (w Waiting) Compare(other Waiting) int {
	return cmp.Or(cmp.Compare(other.Count, w.Count), cmp.Compare(other.Endpoint, w.Endpoint))
}

// EndpointFilter selects endpoints that are not deleted. Zero fields select all.
type EndpointFilter struct {
	Tenant  string // empty: of all tenants
	Status  EndpointStatus
	Dialect string
	Health  HealthState
	Waiting bool      // only endpoints for which deliveries wait
	Now     time.Time // decides who is idle
}
