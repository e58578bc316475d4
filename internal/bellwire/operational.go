package bellwire

import (
	"encoding/json"
	"strings"
	"time"
)

// OperationsTenant is the id of the tenant to which operational events are published. It is made at the start and cannot be
// deleted.
const OperationsTenant = "bellwire"

// OperationalPrefix begins the names of the types of operational events. Nobody else can publish or change such types.
const OperationalPrefix = "bellwire."

// IsOperational reports whether an event type is one of operational events.
func IsOperational(eventType string) bool { return strings.HasPrefix(eventType, OperationalPrefix) }

// The types of operational events.
const (
	OperationalFailing   = OperationalPrefix + "endpoint.failing"   // a healthy endpoint became failing
	OperationalRecovered = OperationalPrefix + "endpoint.recovered" // it is healthy again
	OperationalDisabled  = OperationalPrefix + "endpoint.disabled"
	OperationalCreated   = OperationalPrefix + "endpoint.created"
	OperationalUpdated   = OperationalPrefix + "endpoint.updated"
	OperationalDeleted   = OperationalPrefix + "endpoint.deleted"
	OperationalExhausted = OperationalPrefix + "delivery.exhausted"
	OperationalRotated   = OperationalPrefix + "secret.rotated"
	OperationalFinished  = OperationalPrefix + "job.finished"
)

// OperationalTypes lists all types of operational events.
var OperationalTypes = []string{
	OperationalFailing, OperationalRecovered, OperationalDisabled, OperationalCreated, OperationalUpdated, OperationalDeleted,
	OperationalExhausted, OperationalRotated, OperationalFinished,
}

// OperationalData is the data of an operational event. Its JSON is part of the API: docs/operational-events.md says which types
// have which fields.
type OperationalData struct {
	At         time.Time             `json:"at"`                 // when it happened
	Tenant     string                `json:"tenant,omitempty"`   // empty: Deliveries are of several, and name theirs
	Endpoint   *OperationalEndpoint  `json:"endpoint,omitempty"` // nil: it is about none, or Deliveries are to several, and name theirs
	Health     *OperationalHealth    `json:"health,omitempty"`
	Reason     string                `json:"reason,omitempty"` // why the endpoint was disabled
	By         *OperationalActor     `json:"by,omitempty"`
	Before     json.RawMessage       `json:"before,omitempty"`
	After      json.RawMessage       `json:"after,omitempty"`
	Count      int                   `json:"count,omitempty"` // of Deliveries
	Deliveries []OperationalDelivery `json:"deliveries,omitempty"`
	Job        *OperationalJob       `json:"job,omitempty"`
}

// OperationalEndpoint is an endpoint after what an operational event is about. What looks like a secret in its URL is redacted.
type OperationalEndpoint struct {
	ID           string         `json:"id"`
	URL          string         `json:"url"`
	Description  string         `json:"description"`
	Dialect      string         `json:"dialect"`
	Status       EndpointStatus `json:"status"`
	StatusReason string         `json:"status_reason"`
}

// OperationalHealth is the health of an endpoint.
type OperationalHealth struct {
	State         HealthState `json:"state"`
	Since         time.Time   `json:"since"`
	Reason        string      `json:"reason"`
	Failures      int         `json:"failures"`        // in a row
	LastError     string      `json:"last_error"`      // empty: none
	LastSuccessAt *time.Time  `json:"last_success_at"` // null: none
	LastFailureAt *time.Time  `json:"last_failure_at"` // null: none
}

// OperationalActor is the originator of a change.
type OperationalActor struct {
	Kind      ActorKind `json:"kind"`
	Key       string    `json:"key,omitempty"` // id; empty: none, or an operator's, which tenants are not shown
	RequestID string    `json:"request_id,omitempty"`
	Reason    string    `json:"reason,omitempty"` // why Bellwire made the change
}

// OperationalDelivery is a delivery that is exhausted.
type OperationalDelivery struct {
	ID        DeliveryID `json:"id"`
	Tenant    string     `json:"tenant,omitempty"`   // empty: that of the event
	Endpoint  string     `json:"endpoint,omitempty"` // id; empty: that of the event
	Event     EventID    `json:"event"`
	EventType string     `json:"event_type"`
	Reason    string     `json:"reason"`
	Error     string     `json:"error,omitempty"`  // of the last attempt
	Status    int        `json:"status,omitempty"` // of the response to the last attempt
}

// OperationalJob is a job that has ended.
type OperationalJob struct {
	ID         JobID     `json:"id"`
	Kind       JobKind   `json:"kind"`
	State      JobState  `json:"state"`
	Endpoint   string    `json:"endpoint,omitempty"` // empty: all of the tenant's
	Total      int       `json:"total"`
	Done       int       `json:"done"`
	Skipped    int       `json:"skipped"`
	Error      string    `json:"error,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at"`
}
