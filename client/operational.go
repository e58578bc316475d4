package client

import (
	"encoding/json"
	"time"
)

// The types of operational events, which Bellwire publishes to the tenant "bellwire", and to each tenant with OperationalEvents
// those about itself.
const (
	EventEndpointFailing   = "bellwire.endpoint.failing"
	EventEndpointRecovered = "bellwire.endpoint.recovered"
	EventEndpointDisabled  = "bellwire.endpoint.disabled"
	EventEndpointCreated   = "bellwire.endpoint.created"
	EventEndpointUpdated   = "bellwire.endpoint.updated"
	EventEndpointDeleted   = "bellwire.endpoint.deleted"
	EventDeliveryExhausted = "bellwire.delivery.exhausted"
	EventSecretRotated     = "bellwire.secret.rotated"
	EventJobFinished       = "bellwire.job.finished"
)

// OperationalData is the data of an operational event. Which fields it has depends on the type: an event about an endpoint has
// Endpoint; EventEndpointFailing and EventEndpointRecovered have Health; changes have By, and EventEndpointUpdated has Before and
// After; EventDeliveryExhausted has Count and Deliveries; EventJobFinished has Job.
type OperationalData struct {
	At         time.Time             `json:"at"` // when it happened
	Tenant     string                `json:"tenant"`
	Endpoint   *OperationalEndpoint  `json:"endpoint,omitempty"`
	Health     *OperationalHealth    `json:"health,omitempty"`
	Reason     string                `json:"reason,omitempty"` // why the endpoint was disabled
	By         *OperationalActor     `json:"by,omitempty"`
	Before     json.RawMessage       `json:"before,omitempty"`
	After      json.RawMessage       `json:"after,omitempty"`
	Count      int                   `json:"count,omitempty"` // of Deliveries
	Deliveries []OperationalDelivery `json:"deliveries,omitempty"`
	Job        *OperationalJob       `json:"job,omitempty"`
}

// OperationalEndpoint is an endpoint in an operational event. What looks like a secret in its URL is redacted.
type OperationalEndpoint struct {
	ID           string `json:"id"`
	URL          string `json:"url"`
	Description  string `json:"description"`
	Dialect      string `json:"dialect"`
	Status       string `json:"status"`
	StatusReason string `json:"status_reason"`
}

// OperationalHealth is the health of an endpoint in an operational event.
type OperationalHealth struct {
	State         string     `json:"state"`
	Since         time.Time  `json:"since"`
	Reason        string     `json:"reason"`
	Failures      int        `json:"failures"` // in a row
	LastError     string     `json:"last_error"`
	LastSuccessAt *time.Time `json:"last_success_at"`
	LastFailureAt *time.Time `json:"last_failure_at"`
}

// OperationalActor is the originator of a change in an operational event.
type OperationalActor struct {
	Kind      string `json:"kind"`
	Key       string `json:"key,omitempty"` // id
	RequestID string `json:"request_id,omitempty"`
	Reason    string `json:"reason,omitempty"` // why Bellwire made the change
}

// OperationalDelivery is an exhausted delivery in an operational event.
type OperationalDelivery struct {
	ID        string `json:"id"`
	Event     string `json:"event"`
	EventType string `json:"event_type"`
	Reason    string `json:"reason"`
	Error     string `json:"error,omitempty"`  // of the last attempt
	Status    int    `json:"status,omitempty"` // of the response to the last attempt
}

// OperationalJob is a job that has ended, in an operational event.
type OperationalJob struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Endpoint   string    `json:"endpoint,omitempty"`
	Total      int       `json:"total"`
	Done       int       `json:"done"`
	Skipped    int       `json:"skipped"`
	Error      string    `json:"error,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at"`
}
