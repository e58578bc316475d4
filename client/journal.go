package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Event is an event that was published.
type Event struct {
	ID             string          `json:"id"`
	Type           string          `json:"type"`
	Data           json.RawMessage `json:"data"`            // byte for byte as published
	IdempotencyKey *string         `json:"idempotency_key"` // nil: none was given
	OccurredAt     time.Time       `json:"occurred_at"`
	CreatedAt      time.Time       `json:"created_at"`
	Test           bool            `json:"test"`
	Deliveries     int             `json:"deliveries"`
	Problem        string          `json:"problem"` // why it was sent to nobody, if it was published inside the database
}

// EventFilter chooses events; zero members choose all.
type EventFilter struct {
	Type         string
	Since, Until time.Time
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID            string     `json:"id"`
	Event         string     `json:"event"`
	EventType     string     `json:"event_type"`
	Endpoint      string     `json:"endpoint"`
	Status        string     `json:"status"` // pending, retrying, succeeded, exhausted or canceled
	Reason        string     `json:"reason"`
	AttemptCount  int        `json:"attempt_count"`
	NextAttemptAt *time.Time `json:"next_attempt_at"` // nil: none is due
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	Attempts      []Attempt  `json:"attempts"` // only in the answer of Delivery
}

// Attempt is one HTTP request made for a delivery, with what came back. Credentials in it are redacted.
type Attempt struct {
	Number         int              `json:"number"`
	ID             string           `json:"id"`
	Trigger        string           `json:"trigger"` // schedule, manual or test
	StartedAt      time.Time        `json:"started_at"`
	Timings        Timings          `json:"timings"`
	Outcome        string           `json:"outcome"`
	Error          string           `json:"error"`
	Request        AttemptRequest   `json:"request"`         // zero if DetailsDropped
	Response       *AttemptResponse `json:"response"`        // nil: nothing came back
	DetailsDropped bool             `json:"details_dropped"` // of Request and Response the status alone is kept, as it is of neither the first nor the last attempts
}

// Timings are how long the phases of an attempt took, in milliseconds.
type Timings struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"first_byte"`
	Total     float64 `json:"total"`
}

// AttemptRequest is what was sent.
type AttemptRequest struct {
	Method           string            `json:"method"`
	URL              string            `json:"url"`
	Headers          map[string]string `json:"headers"`
	HeadersTruncated bool              `json:"headers_truncated"` // there were more
	BodyBytes        int               `json:"body_bytes"`
}

// AttemptResponse is what came back.
type AttemptResponse struct {
	Status           int               `json:"status"`
	Headers          map[string]string `json:"headers"`
	HeadersTruncated bool              `json:"headers_truncated"` // there were more
	Body             string            `json:"body"`
	Encoding         string            `json:"encoding"` // of Body: text or base64
	Truncated        bool              `json:"truncated"`
	Note             string            `json:"note"` // what was wrong with it although its status counts
}

// DeliveryFilter chooses deliveries; empty members choose all.
type DeliveryFilter struct {
	Endpoint, Event, Status string
}

// Events lists a tenant's events.
func (c *Client) Events(ctx context.Context, tenant string, f EventFilter, page Page) (*List[Event], error) {
	values := filter("type", f.Type)
	if !f.Since.IsZero() {
		values.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		values.Set("until", f.Until.Format(time.RFC3339Nano))
	}
	return fetchList[Event](ctx, c, inTenant(tenant, "events"), page, values)
}

// Event returns an event.
func (c *Client) Event(ctx context.Context, tenant, id string) (*Event, error) {
	return fetch[Event](ctx, c, http.MethodGet, inTenant(tenant, "events", id), nil)
}

// Deliveries lists a tenant's deliveries, without their attempts.
func (c *Client) Deliveries(ctx context.Context, tenant string, f DeliveryFilter, page Page) (*List[Delivery], error) {
	values := filter("endpoint", f.Endpoint, "event", f.Event, "status", f.Status)
	return fetchList[Delivery](ctx, c, inTenant(tenant, "deliveries"), page, values)
}

// Delivery returns a delivery with its attempts, oldest first.
func (c *Client) Delivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodGet, inTenant(tenant, "deliveries", id), nil)
}

// RetryDelivery makes one attempt at once, beside the schedule.
func (c *Client) RetryDelivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", id, "retry"), nil)
}

// CancelDelivery ends an open delivery. CodeConflict: it has ended already.
func (c *Client) CancelDelivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", id, "cancel"), nil)
}

// filter makes query parameters of pairs, without those that are empty.
func filter(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return values
}
