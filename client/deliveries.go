package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Event is an event that was published.
type Event struct {
	ID             string          `json:"id"`
	Tenant         string          `json:"tenant"` // only in lists of all tenants'
	Type           string          `json:"type"`
	Data           json.RawMessage `json:"data"`            // byte for byte as it was published; null if it was erased; nil in lists of all tenants'
	IdempotencyKey *string         `json:"idempotency_key"` // nil if none was given
	OccurredAt     time.Time       `json:"occurred_at"`
	CreatedAt      time.Time       `json:"created_at"`
	DeliverAt      *time.Time      `json:"deliver_at"`   // nil if it was to be delivered at once
	ExpiresAt      *time.Time      `json:"expires_at"`   // nil if it does not expire
	OrderingKey    *string         `json:"ordering_key"` // nil if it has none
	Test           bool            `json:"test"`
	Imported       bool            `json:"imported"` // history of another system, which was sent to nobody
	Deliveries     int             `json:"deliveries"`
	Erased         *Erasure        `json:"erased"`   // nil unless the data was erased
	Problem        string          `json:"problem"`  // why it was not delivered, if it was published with the SQL function
	Outcomes       *EventOutcomes  `json:"outcomes"` // in lists with EventFilter.Outcomes; nil elsewhere, and if it has no delivery

	// Endpoints says what became of the event at each endpoint of the tenant. Only Client.Event returns it. If there are more
	// endpoints, EndpointsNextCursor is the cursor of Client.EventEndpoints for the rest.
	Endpoints           []Explanation `json:"endpoints"`
	EndpointsNextCursor string        `json:"endpoints_next_cursor"`
}

// EventOutcomes counts the endpoints of an event by what became of it there.
type EventOutcomes struct {
	Pending   int  `json:"pending"`
	Retrying  int  `json:"retrying"`
	Succeeded int  `json:"succeeded"`
	Exhausted int  `json:"exhausted"`
	Canceled  int  `json:"canceled"`
	Capped    bool `json:"capped"` // the event has more deliveries than the 100 that are counted
}

// Explanation says what became of an event at an endpoint, and why.
type Explanation struct {
	Endpoint string       `json:"endpoint"`
	Outcome  EventOutcome `json:"outcome"`
	Reason   string       `json:"reason"`   // in words; empty if the outcome says it all
	Delivery string       `json:"delivery"` // empty if there is none
	Job      string       `json:"job"`      // the job that made the delivery, if it is a replay
	Since    *time.Time   `json:"since"`    // when the endpoint was paused, disabled, deleted or created, if that is the reason
	By       *Actor       `json:"by"`       // who did that
}

// EventFilter selects events. A zero field selects all.
type EventFilter struct {
	Type         string
	Key          string // the id that the publisher gave
	Contains     string // a text in the data as it was published, in upper or lower case; not together with Key
	Since, Until time.Time
	Outcomes     bool // count what became of each event
}

// Delivery is the delivery of one event to one endpoint.
type Delivery struct {
	ID            string         `json:"id"`
	Tenant        string         `json:"tenant"` // only in lists of all tenants'
	Event         string         `json:"event"`
	EventType     string         `json:"event_type"`
	Endpoint      string         `json:"endpoint"`
	Status        DeliveryStatus `json:"status"`
	Reason        string         `json:"reason"`
	Job           *string        `json:"job"` // that made it, if it is a replay, else that retried or canceled it last; nil if none did
	Replay        bool           `json:"replay"`
	Test          bool           `json:"test"` // of a test's event
	AttemptCount  int            `json:"attempt_count"`
	Requested     bool           `json:"retry_requested"` // a retry was requested, and not attempted yet
	NextAttemptAt *time.Time     `json:"next_attempt_at"` // nil if none is due
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`
	WaitingFor    *Wait          `json:"waiting_for"` // in lists and from Client.Delivery; nil if the delivery has ended
	Attempts      []Attempt      `json:"attempts"`    // only from Client.Delivery

	// How the newest attempt ended, only in lists.
	LastOutcome Outcome `json:"last_outcome"` // empty if there was none
	LastStatus  *int    `json:"last_status"`  // nil if there was no response
	LastError   string  `json:"last_error"`   // empty if nothing went wrong
}

// Wait is what an open delivery waits for.
type Wait struct {
	Reason WaitReason `json:"reason"`
	Until  *time.Time `json:"until"`  // nil: not known
	Behind string     `json:"behind"` // with WaitOrder: the first delivery in the order that has not ended
	Node   string     `json:"node"`   // for operators: the node that sends for the endpoint, if it is another one
}

// Attempt is one HTTP request of a delivery, with its response. Credentials are redacted.
type Attempt struct {
	Number    int              `json:"number"`
	ID        string           `json:"id"`
	Trigger   Trigger          `json:"trigger"`
	StartedAt time.Time        `json:"started_at"`
	Timings   Timings          `json:"timings"`
	Outcome   Outcome          `json:"outcome"`
	Error     string           `json:"error"`
	Request   AttemptRequest   `json:"request"`  // zero if DetailsDropped
	Response  *AttemptResponse `json:"response"` // nil if there was none
	// DetailsDropped reports that only the status of the response was kept. The first and the last attempts of a
	// delivery keep their details.
	DetailsDropped bool `json:"details_dropped"`
}

// Timings are the durations of an attempt's phases, in milliseconds.
type Timings struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"first_byte"`
	Total     float64 `json:"total"`
}

// AttemptRequest is the request of an attempt.
type AttemptRequest struct {
	Method           string            `json:"method"`
	URL              string            `json:"url"`
	Headers          map[string]string `json:"headers"`
	HeadersTruncated bool              `json:"headers_truncated"` // some were not recorded
	BodyBytes        int               `json:"body_bytes"`
	BodySHA256       string            `json:"body_sha256"` // in hexadecimal; empty: not recorded
	Dialect          string            `json:"dialect"`     // that made the body
	Version          int               `json:"version"`     // of the event's type, in which the data was sent
}

// AttemptResponse is the response to an attempt.
type AttemptResponse struct {
	Status           int               `json:"status"`
	Headers          map[string]string `json:"headers"`
	HeadersTruncated bool              `json:"headers_truncated"` // some were not recorded
	Body             string            `json:"body"`
	Encoding         BodyEncoding      `json:"encoding"` // of Body
	Truncated        bool              `json:"truncated"`
	Note             string            `json:"note"` // what was wrong with a response whose status counts
}

// DeliveryFilter selects deliveries. An empty field selects all.
type DeliveryFilter struct {
	Endpoint, Event string // Event only with a tenant
	Status          DeliveryStatus
	Type            string    // of the event
	Since, Until    time.Time // when the event was accepted
	Outcome         Outcome   // of the newest attempt
	Dialect         string    // of the endpoint as it is now
	Job             string    // that made them, or retried or canceled them last
}

// Events lists a tenant's events, or those of all tenants without their data if tenant is empty, for which it needs an admin key. A
// page of all tenants' can end early where few events match.
func (c *Client) Events(ctx context.Context, tenant string, f EventFilter, page Page) (*List[Event], error) {
	values := filter("type", f.Type, "key", f.Key, "contains", f.Contains, "since", timeText(f.Since), "until", timeText(f.Until))
	if f.Outcomes {
		values.Set("outcomes", "true")
	}
	if tenant == "" {
		return fetchList[Event](ctx, c, path("events"), page, values)
	}
	return fetchList[Event](ctx, c, inTenant(tenant, "events"), page, values)
}

// EventEndpoints lists what became of an event at each endpoint.
func (c *Client) EventEndpoints(ctx context.Context, tenant, id string, page Page) (*List[Explanation], error) {
	return fetchList[Explanation](ctx, c, inTenant(tenant, "events", id, "endpoints"), page, nil)
}

// Erasure says when and by whom the data of an event was erased.
type Erasure struct {
	At time.Time `json:"at"`
	By Actor     `json:"by"`
}

// EraseEvent erases the data of an event. The rest of it stays. Only admin keys can do this.
func (c *Client) EraseEvent(ctx context.Context, tenant, id string) error {
	return c.call(ctx, http.MethodDelete, inTenant(tenant, "events", id, "data"), nil, nil)
}

// Event returns an event, with what became of it at each endpoint.
func (c *Client) Event(ctx context.Context, tenant, id string) (*Event, error) {
	return fetch[Event](ctx, c, http.MethodGet, inTenant(tenant, "events", id), nil)
}

// Deliveries lists a tenant's deliveries, without their attempts, or those of all tenants if tenant is empty, for which it needs
// an admin key. A page can end early where few deliveries match.
func (c *Client) Deliveries(ctx context.Context, tenant string, f DeliveryFilter, page Page) (*List[Delivery], error) {
	values := filter("endpoint", f.Endpoint, "event", f.Event, "status", string(f.Status), "type", f.Type,
		"since", timeText(f.Since), "until", timeText(f.Until), "outcome", string(f.Outcome), "dialect", f.Dialect, "job", f.Job)
	if tenant == "" {
		return fetchList[Delivery](ctx, c, path("deliveries"), page, values)
	}
	return fetchList[Delivery](ctx, c, inTenant(tenant, "deliveries"), page, values)
}

// Delivery returns a delivery with its attempts, oldest first.
func (c *Client) Delivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodGet, inTenant(tenant, "deliveries", id), nil)
}

// RequestBody is the body of a delivery's requests.
type RequestBody struct {
	ContentType string    `json:"content_type"`
	Body        string    `json:"body"`
	Bytes       int       `json:"bytes"`
	BodySHA256  string    `json:"body_sha256"`
	Dialect     string    `json:"dialect"` // that makes it
	Version     int       `json:"version"` // of the event's type, in which the data is
	Sent        *SentBody `json:"sent"`    // by AttemptBody only
}

// SentBody is what is known of the body that an attempt has sent.
type SentBody struct {
	Attempt    int    `json:"attempt"`
	BodySHA256 string `json:"body_sha256"` // empty: not recorded
	Same       bool   `json:"same"`        // the RequestBody has this hash
	Reason     string `json:"reason"`      // why it is not the same, or why that is not known
}

// DeliveryBody returns the body that an attempt of a delivery would send now. It fails with CodeNotFound if the data of the event was
// erased.
func (c *Client) DeliveryBody(ctx context.Context, tenant, id string) (*RequestBody, error) {
	return fetch[RequestBody](ctx, c, http.MethodGet, inTenant(tenant, "deliveries", id, "body"), nil)
}

// AttemptBody returns the body that an attempt has sent, made again. It fails with CodeNotFound if that cannot be done.
func (c *Client) AttemptBody(ctx context.Context, tenant, id string, attempt int) (*RequestBody, error) {
	return fetch[RequestBody](ctx, c, http.MethodGet, inTenant(tenant, "deliveries", id, "body")+"?attempt="+strconv.Itoa(attempt), nil)
}

// RetryDelivery makes one attempt now, in addition to the scheduled ones.
func (c *Client) RetryDelivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", id, "retry"), nil)
}

// RestartDelivery begins the retry schedule of a delivery again, with an attempt now. It fails with CodeConflict if the delivery
// has succeeded. A test is tried once more instead.
func (c *Client) RestartDelivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	in := struct {
		Restart bool `json:"restart"`
	}{true}
	return fetch[Delivery](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", id, "retry"), in)
}

// CancelDelivery cancels a pending or retrying delivery. It fails with CodeConflict if the delivery has ended.
func (c *Client) CancelDelivery(ctx context.Context, tenant, id string) (*Delivery, error) {
	return fetch[Delivery](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", id, "cancel"), nil)
}

// filter returns query parameters for pairs of names and values, without empty values.
func filter(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return values
}

// timeText returns a time as a parameter, empty if it is zero.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
