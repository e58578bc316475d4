package bellwire

import "time"

// DeliveryStatus is the stage that a delivery has reached.
type DeliveryStatus string

// The statuses of a delivery. The last three end its schedule. A manual retry can still turn them into succeeded, and a restart turns
// exhausted and canceled into pending.
const (
	DeliveryPending   DeliveryStatus = "pending"   // no attempt of its schedule has been recorded since it was stored or restarted
	DeliveryRetrying  DeliveryStatus = "retrying"  // an attempt failed; another is due
	DeliverySucceeded DeliveryStatus = "succeeded" // acknowledged
	DeliveryExhausted DeliveryStatus = "exhausted" // no retries are left, or no request can be made
	DeliveryCanceled  DeliveryStatus = "canceled"  // on request, or because of its endpoint (disabled, deleted, 410) or its event (expired, erased)
)

// DeliveryStatuses lists all statuses, in the order of a delivery's life.
var DeliveryStatuses = []DeliveryStatus{
	DeliveryPending, DeliveryRetrying, DeliverySucceeded, DeliveryExhausted, DeliveryCanceled,
}

// Open reports whether further attempts are scheduled.
func (s DeliveryStatus) Open() bool { return s == DeliveryPending || s == DeliveryRetrying }

// The reasons why deliveries end or wait, where the status does not tell.
const (
	ReasonRetriesSpent      = "no retries are left"
	ReasonSkipped           = "no retries are left; the next delivery in order goes ahead"
	ReasonTimeOver          = "the retry policy's max_elapsed has passed"
	ReasonCanceledOnRequest = "canceled on request"
	ReasonEventErased       = "the event's data was erased"
	ReasonEndpointDisabled  = "the endpoint was disabled"
	ReasonEndpointDeleted   = "the endpoint was deleted"
	ReasonEndpointGone      = "the endpoint answered 410 Gone and was disabled"
	ReasonTestFailed        = "a test is one attempt only"
	ReasonReplayed          = "replayed"
	reasonExpired           = "expired at "
	ReasonTargetRequests    = "too many requests to the endpoint's host were not acknowledged within the last hour, so the next attempt may be late (limit target_requests)"
)

// ReasonDisabledFor is why a delivery to an endpoint is canceled that was disabled for a reason, or for none that was given.
func ReasonDisabledFor(reason string) string {
	switch reason {
	case "":
		return ReasonEndpointDisabled
	case ReasonEndpointGone:
		return reason
	}
	return ReasonEndpointDisabled + ": " + reason
}

// ReasonExpired is why a delivery ends whose event has expired.
func ReasonExpired(at time.Time) string { return reasonExpired + at.UTC().Format(time.RFC3339Nano) }

// RefuseExpired returns the error of a retry of a delivery whose event has expired.
func RefuseExpired(id DeliveryID, at time.Time) error {
	return &Error{
		Code:    CodeConflict,
		Message: "the event of delivery \"" + id.String() + "\" " + ReasonExpired(at) + ", so it cannot be sent any more",
		Hint:    "Publish the event again.",
	}
}

// Delivery is the delivery of one event to one endpoint.
type Delivery struct {
	ID        DeliveryID
	Event     EventID
	EventType string
	Tenant    string
	Endpoint  string
	Status    DeliveryStatus
	Reason    string    // why it ended or could not be sent; empty if the status tells
	Attempts  int       // attempts recorded, of any trigger
	Retries   int       // steps of the retry policy that are used up
	Sequence  int64     // position in a FIFO endpoint's order, from 1; 0: not in such an order
	Key       int64     // HashOrderingKey of its event's ordering key, if it is in the order of that key; 0: it is in no such order
	Behind    bool      // an earlier delivery of its key has not ended
	Epoch     int64     // as in DeliveryState
	DueAt     time.Time // when the next attempt is due; zero unless open
	CreatedAt time.Time
	UpdatedAt time.Time

	Job         JobID     // the job that made it if it is a replay, else the one that retried or canceled it last; zero: none
	Replay      bool      // a job has made it
	Test        bool      // of a test's event; not set in what AppendEvents hands over
	Requested   bool      // a manual retry is requested, or it is a test, and it has not been attempted yet
	RestartedAt time.Time // when its retry schedule was begun again; zero: never
	NotBefore   time.Time // when its schedule begins, because its event is to be delivered later; zero: when it was stored
	ExpiresAt   time.Time // when its event expires; zero: never
}

// RetryRequested reports whether a manual retry is requested and was not attempted yet.
func (d *Delivery) RetryRequested() bool { return d.Requested && !d.OpenTest() }

// OpenTest reports whether d is a test that was not attempted yet. It is sent whatever the status of its endpoint is.
func (d *Delivery) OpenTest() bool { return d.Status == DeliveryPending && d.DueAt.IsZero() }

// NextTrigger returns the trigger of the next attempt of d, which is open.
func (d *Delivery) NextTrigger() Trigger {
	switch {
	case d.OpenTest():
		return TriggerTest
	case d.Requested:
		return TriggerManual
	}
	return TriggerSchedule
}

// Trigger is the cause of an attempt.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule" // the first attempt and those of the retry policy
	TriggerManual   Trigger = "manual"   // a manual retry: it never uses up or ends the schedule
	TriggerTest     Trigger = "test"     // an endpoint's test: one attempt only
)

// Triggers lists all triggers.
var Triggers = []Trigger{TriggerSchedule, TriggerManual, TriggerTest}

// Transition is the change that an attempt makes to a delivery.
type Transition struct {
	Status DeliveryStatus // empty: unchanged
	Reason string
	Delay  time.Duration // with DeliveryRetrying: until the next attempt
}

// Began returns when the schedule of d began: when d was stored, was first due or was restarted.
func (d *Delivery) Began() time.Time { return Later(Later(d.CreatedAt, d.NotBefore), d.RestartedAt) }

// Since returns when max_elapsed begins to run for d: when its schedule began, or when the endpoint was last changed or its tenant
// resumed if that was later. So a pause costs no retries, and a corrected URL gets the whole time.
func (d *Delivery) Since(t *Target) time.Time { return Later(d.Began(), t.Since()) }

// Decide returns the transition that follows from an attempt with the given verdict, which ended at now. retryAfter is the
// wait that the receiver asked for, 0 if none; random is in [0, 1) and spreads the retries. The engine still
// applies Limits.MinRetryDelay. Apply makes the transition.
func (d *Delivery) Decide(trigger Trigger, v Verdict, t *Target, now time.Time, retryAfter time.Duration, random float64) Transition {
	switch {
	case v == Acknowledged:
		return Transition{Status: DeliverySucceeded}
	case trigger == TriggerTest && v == Gone:
		return Transition{Status: DeliveryExhausted, Reason: ReasonEndpointGone}
	case trigger == TriggerTest:
		return Transition{Status: DeliveryExhausted, Reason: ReasonTestFailed}
	case trigger == TriggerManual:
		return Transition{}
	case v == Gone:
		return Transition{Status: DeliveryCanceled, Reason: ReasonEndpointGone}
	case v == Impossible:
		return Transition{Status: DeliveryExhausted}
	}
	delay, more := t.Endpoint.Retry.Delay(d.Retries+1, random)
	if !more {
		reason := ReasonRetriesSpent
		if d.Sequence > 0 || d.Key != 0 {
			reason = ReasonSkipped
		}
		return Transition{Status: DeliveryExhausted, Reason: reason}
	}
	if limit := time.Duration(t.Endpoint.Retry.MaxElapsed); limit > 0 {
		left := d.Since(t).Add(limit).Sub(now)
		if left <= 0 {
			return Transition{Status: DeliveryExhausted, Reason: ReasonTimeOver}
		}
		delay = min(delay, left)
	}
	return Transition{Status: DeliveryRetrying, Delay: max(delay, retryAfter)}
}

// DeliveryState is the part of a delivery that outcomes change.
type DeliveryState struct {
	Status   DeliveryStatus
	Reason   string
	Attempts int
	Retries  int
	Epoch    int64     // the shard epoch in which it was claimed, negative: for which it was stored to be forwarded; 0: free
	DueAt    time.Time // when the next attempt is due; zero unless open and on the schedule
	Manual   ManualRetry
	// Delayed is set while the delivery waits for its event's deliver_at, and was not attempted. Stores find it by its due time.
	Delayed   bool
	Behind    bool      // an earlier delivery of its key has not ended, so that it cannot be claimed
	ExpiresAt time.Time // does not change; zero: never
	NotBefore time.Time // does not change: the event's deliver_at if the delivery was made before it; else zero
	// RestartedAt is when the schedule was begun again; zero: never.
	RestartedAt time.Time
}

// ManualRetry is the state of a manual retry, which runs beside the schedule.
type ManualRetry struct {
	Requested bool
	Epoch     int64 // the shard epoch in which it was claimed; 0: free
}

// Apply records an outcome, and reports whether its transition was made. disabled says whether the endpoint was disabled, if
// the result asks for that.
//
// Attempts always count. A success is always recorded, because the receiver has the event. Any other transition is made only
// if the delivery is open, is still claimed in the result's epoch, and was not restarted since: otherwise another attempt decides.
func (s *DeliveryState) Apply(r *Result, disabled bool) (moved bool) {
	if r.Attempt != nil {
		s.Attempts++
	}
	held := s.release(r)
	t := r.Transition
	if r.Disable && !disabled {
		t = r.Otherwise
	}
	may := held && s.Status.Open()
	if t.Status == DeliverySucceeded {
		may = s.Status != DeliverySucceeded
	}
	if !may {
		return false
	}
	switch t.Status {
	case DeliveryRetrying:
		s.Status, s.Reason, s.Epoch, s.Delayed = DeliveryRetrying, t.Reason, 0, false
		s.Retries++
		s.DueAt = StoredTime(r.EndedAt.Add(t.Delay))
	case DeliverySucceeded, DeliveryExhausted, DeliveryCanceled:
		s.End(t.Status, t.Reason)
	default:
		return false
	}
	return true
}

// release ends the manual retry that the result is of, and reports whether the delivery was claimed in the result's epoch. A delivery
// that was canceled and restarted while its request was in flight may have been claimed again in the same epoch.
func (s *DeliveryState) release(r *Result) (held bool) {
	if r.Trigger == TriggerSchedule {
		return r.Epoch != 0 && (s.Epoch == r.Epoch || s.Epoch == -r.Epoch) && s.RestartedAt.Equal(r.RestartedAt)
	}
	held = r.Epoch != 0 && s.Manual.Requested && s.Manual.Epoch == r.Epoch
	if held {
		s.Manual = ManualRetry{}
	}
	return held
}

// CanRestart reports whether the schedule can begin again: not if the delivery has succeeded, has not begun, has expired, or is
// claimed in the current epoch of its shard.
func (s *DeliveryState) CanRestart(current int64, now time.Time) bool {
	if Expired(s.ExpiresAt, now) {
		return false
	}
	switch s.Status {
	case DeliveryExhausted, DeliveryCanceled:
		return true
	case DeliveryRetrying:
		return s.Epoch == 0 || s.Epoch != current
	}
	return false
}

// Restart begins the schedule again, with an attempt that is due now, or at the event's deliver_at if that is later. A requested
// manual retry stays requested.
func (s *DeliveryState) Restart(now time.Time) {
	s.Status, s.Reason, s.Retries, s.Epoch, s.RestartedAt = DeliveryPending, "", 0, 0, StoredTime(now)
	s.DueAt, s.Delayed = Later(s.RestartedAt, s.NotBefore), s.NotBefore.After(s.RestartedAt)
}

// End ends the schedule. A requested manual retry is dropped, unless EndKeepsManual.
func (s *DeliveryState) End(status DeliveryStatus, reason string) {
	s.Status, s.Reason, s.Epoch, s.DueAt, s.Delayed, s.Behind = status, reason, 0, time.Time{}, false, false
	if !EndKeepsManual(status) {
		s.Manual = ManualRetry{}
	}
}

// EndKeepsManual reports whether a requested manual retry outlives the end of the schedule with the given status. Only
// exhausted deliveries are still worth the attempt: others have arrived, or must not.
func EndKeepsManual(status DeliveryStatus) bool { return status == DeliveryExhausted }

// Recorded returns what the store answers about the state after Apply. disabledFor is why the endpoint was disabled, empty if it
// was not.
func (s *DeliveryState) Recorded(moved bool, disabledFor string) Recorded {
	recorded := Recorded{Status: s.Status, Moved: moved, DisabledFor: disabledFor}
	if s.Status == DeliveryRetrying {
		recorded.DueAt = s.DueAt
	}
	return recorded
}

// IsPlainSuccess reports whether the result is a success that asks for nothing else. Whoever has claimed the delivery, Apply
// then turns the state before any attempt into AfterPlainSuccess, which a store can write without reading the delivery.
func (r *Result) IsPlainSuccess() bool {
	return r.Transition.Status == DeliverySucceeded && r.Attempt != nil && !r.Disable
}

// AfterPlainSuccess returns the state of a delivery whose first attempt was a plain success.
func (r *Result) AfterPlainSuccess() DeliveryState {
	return DeliveryState{Status: DeliverySucceeded, Reason: r.Transition.Reason, Attempts: 1}
}

// DisableReason returns the reason for which a result's endpoint is disabled.
func (r *Result) DisableReason() string {
	if r.Transition.Reason == "" {
		return ReasonEndpointGone
	}
	return r.Transition.Reason
}
