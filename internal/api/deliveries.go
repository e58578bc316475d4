package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagDeliveries = "Deliveries"

// Delivery is a delivery on the wire.
type Delivery struct {
	ID            bellwire.DeliveryID     `json:"id" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173"`
	Event         bellwire.EventID        `json:"event" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	EventType     string                  `json:"event_type" example:"invoice.paid"`
	Endpoint      string                  `json:"endpoint" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Status        bellwire.DeliveryStatus `json:"status" enum:"pending,retrying,succeeded,exhausted,canceled"`
	Reason        string                  `json:"reason" doc:"Why it ended or could not be sent, if the status alone does not say so."`
	Job           *bellwire.JobID         `json:"job" nullable:"true" doc:"The job that made this delivery, if it is a replay; else the one that retried or canceled it last; null if none did."`
	Replay        bool                    `json:"replay" doc:"Whether a job made this delivery, as a replay of the event."`
	Test          bool                    `json:"test" doc:"Whether it was created by testing the endpoint. A test is one attempt."`
	AttemptCount  int                     `json:"attempt_count" doc:"Number of attempts."`
	Requested     bool                    `json:"retry_requested" doc:"Whether a retry was requested and has not been attempted yet. The status stays until its attempt has ended."`
	NextAttemptAt *time.Time              `json:"next_attempt_at" doc:"When the next attempt is due; null if there is none."`
	CreatedAt     time.Time               `json:"created_at"`
	UpdatedAt     time.Time               `json:"updated_at"`
}

func wireDelivery(d *bellwire.Delivery) Delivery {
	wire := Delivery{
		ID: d.ID, Event: d.Event, EventType: d.EventType, Endpoint: d.Endpoint, Status: d.Status, Reason: d.Reason,
		Job: orNull(d.Job), Replay: d.Replay, Test: d.Test, AttemptCount: d.Attempts, Requested: d.RetryRequested(), CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}
	if d.Status.Open() && !d.DueAt.IsZero() {
		due := d.DueAt.UTC()
		wire.NextAttemptAt = &due
	}
	return wire
}

// ListedDelivery is a delivery in a list on the wire.
type ListedDelivery struct {
	Delivery
	WaitingFor  *waiting          `json:"waiting_for" doc:"What the delivery waits for; null if it has ended."`
	LastOutcome *bellwire.Outcome `json:"last_outcome" enum:"ok,status,blocked,dns,connect,tls,timeout,reset,protocol" doc:"Where the newest attempt failed, or ok if it was acknowledged; null if there was none."`
	LastStatus  *int              `json:"last_status" nullable:"true" example:"503" doc:"The status of the response to the newest attempt; null if there was no response."`
	LastError   string            `json:"last_error" example:"the endpoint answered 503 Service Unavailable" doc:"What went wrong with the newest attempt; empty if nothing did, or if there was none."`
}

// TransformSchema makes waiting_for and last_outcome nullable.
func (ListedDelivery) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "waiting_for", "last_outcome")
}

func wireListedDelivery(d *service.ListedDelivery) ListedDelivery {
	wire := ListedDelivery{Delivery: wireDelivery(d.Delivery), WaitingFor: wireWait(d.Wait)}
	if last := d.Last; last != nil {
		wire.LastOutcome, wire.LastStatus, wire.LastError = &last.Outcome, orNull(last.Status), last.Error
	}
	return wire
}

// TenantDelivery is a delivery in a list of all tenants' on the wire.
type TenantDelivery struct {
	Tenant string `json:"tenant" example:"acme"`
	ListedDelivery
}

// DeliveryFilter has the filters of lists of deliveries.
type DeliveryFilter struct {
	Endpoint string                  `query:"endpoint" doc:"Only deliveries to this endpoint."`
	Status   bellwire.DeliveryStatus `query:"status" enum:"pending,retrying,succeeded,exhausted,canceled" doc:"Only deliveries in this state."`
	Outcome  bellwire.Outcome        `query:"outcome" enum:"ok,status,blocked,dns,connect,tls,timeout,reset,protocol" doc:"Only deliveries whose newest attempt had this outcome."`
	Type     string                  `query:"type" example:"invoice.paid" doc:"Only deliveries of events of this type."`
	Since    string                  `query:"since" example:"2026-01-31T12:30:00Z" doc:"Only deliveries of events that were accepted at or after this time."`
	Until    string                  `query:"until" example:"2026-02-01T00:00:00Z" doc:"Only deliveries of events that were accepted before this time."`
	Dialect  string                  `query:"dialect" doc:"Only deliveries to endpoints that are of this dialect now."`
	Job      string                  `query:"job" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175" doc:"Only deliveries that have this job: those that it made, or retried or canceled last. A replay keeps the job that made it."`
}

func (f *DeliveryFilter) query(tenant string) (service.DeliveryQuery, error) {
	since, until, err := parsePeriod(f.Since, f.Until)
	q := service.DeliveryQuery{
		DeliveryFilter: bellwire.DeliveryFilter{Tenant: tenant, Endpoint: f.Endpoint, Status: f.Status},
		Type:           f.Type, Since: since, Until: until, Outcome: f.Outcome, Dialect: f.Dialect,
	}
	return q, bellwire.Join(err, parseJob(&q.Job, "job", f.Job))
}

// shortPages describes lists that are searched.
const shortPages = "A page can end early, even without any deliveries, where few match: `next_cursor` continues it."

type deliveryWithAttempts struct {
	Delivery
	WaitingFor *waiting  `json:"waiting_for" doc:"What the delivery waits for; null if it has ended."`
	Attempts   []Attempt `json:"attempts" doc:"The newest attempts, oldest first, up to 4 MiB. attempt_count is the number of all attempts."`
}

// TransformSchema makes waiting_for nullable.
func (deliveryWithAttempts) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "waiting_for")
}

// waiting is what an open delivery waits for, on the wire.
type waiting struct {
	Reason bellwire.WaitReason  `json:"reason" enum:"retry,deliver_at,paused,tenant_paused,ending,order,breaker,rest,rate_limit,in_flight,unanswered,failure_rate,host_limit,share,fault,takeover,other_node,queued" doc:"retry: its next attempt is due later. deliver_at: its event is to be delivered later. paused: the endpoint is. tenant_paused: the tenant is. ending: the endpoint is disabled or deleted, and the delivery is about to be canceled. order: an earlier delivery in the endpoint's order, or with the same ordering_key, has not ended; behind names it. breaker: the endpoint's circuit breaker is open. rest: the endpoint asked for a rest, or is overloaded. rate_limit: the endpoint's is reached. in_flight: as many requests are in flight as the endpoint takes. unanswered: those in flight bring no answer. failure_rate: too many of the tenant's attempts fail. host_limit: the host has acknowledged too few of the tenant's requests. share: the tenant has its share of the node. fault: the node or its database failed a moment ago. takeover: a node is about to take over the endpoint. other_node: another node sends for the endpoint, and only that one can say more. queued: nothing holds it back; it waits for its turn, or its request is in flight. From breaker on, the reasons are the endpoint's: a delivery whose request is in flight can have another one, such as in_flight."`
	Until  *time.Time           `json:"until,omitempty" doc:"When that ends, if it is known."`
	Behind *bellwire.DeliveryID `json:"behind,omitempty" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173" doc:"With order: the first delivery in the order that has not ended."`
	Node   string               `json:"node,omitempty" doc:"For operators: the node that sends for the endpoint, if it is another one."`
}

func wireWait(w *bellwire.Wait) *waiting {
	if w == nil {
		return nil
	}
	wire := &waiting{Reason: w.Reason, Node: w.Node}
	if !w.Until.IsZero() {
		wire.Until = new(w.Until.UTC())
	}
	if !w.Behind.IsZero() {
		wire.Behind = &w.Behind
	}
	return wire
}

// nullable makes fields nullable that are objects or have an enum, which Huma cannot express.
func nullable(s *huma.Schema, fields ...string) *huma.Schema {
	for _, name := range fields {
		field := s.Properties[name]
		s.Properties[name] = &huma.Schema{
			Description: field.Description,
			AnyOf:       []*huma.Schema{{Ref: field.Ref, Type: field.Type, Enum: field.Enum}, {Type: "null"}},
		}
	}
	return s
}

// Attempt is an attempt on the wire.
type Attempt struct {
	Number         int                `json:"number" doc:"From 1 within the delivery."`
	ID             bellwire.AttemptID `json:"id" example:"att_0198c7a3f2e47d0a9b1c2d3e4f506174"`
	Trigger        bellwire.Trigger   `json:"trigger" enum:"schedule,manual,test"`
	StartedAt      time.Time          `json:"started_at"`
	Timings        timings            `json:"timings" doc:"In milliseconds; 0 if the phase did not happen or did not end."`
	Outcome        bellwire.Outcome   `json:"outcome" enum:"ok,status,blocked,dns,connect,tls,timeout,reset,protocol" doc:"Where the attempt failed, if it did."`
	Error          string             `json:"error" doc:"What went wrong; empty if nothing did."`
	Request        *attemptRequest    `json:"request" doc:"null if it is no longer stored; see details_dropped."`
	Response       *attemptResponse   `json:"response" doc:"null if there was no response."`
	DetailsDropped bool               `json:"details_dropped" doc:"Of a delivery with many attempts, only the first and the last keep their details. If true, request is null, and the response has only its status."`
}

// TransformSchema makes request and response nullable.
func (Attempt) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s, "request", "response")
}

type timings struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"first_byte" doc:"From the start to the first byte of the response."`
	Total     float64 `json:"total"`
}

type attemptRequest struct {
	Method           string  `json:"method" example:"POST"`
	URL              string  `json:"url" example:"https://example.com/webhooks"`
	Headers          headers `json:"headers" doc:"Credentials are redacted."`
	HeadersTruncated bool    `json:"headers_truncated" doc:"Whether there were more headers than fit into 4 KiB."`
	BodyBytes        int     `json:"body_bytes"`
	BodySHA256       string  `json:"body_sha256,omitzero" doc:"The SHA-256 of the body, in hexadecimal; absent where it was not recorded."`
	Dialect          string  `json:"dialect,omitzero" example:"standard" doc:"The dialect that made the body."`
	Version          int     `json:"version,omitzero" example:"1" doc:"The version of the event's type in which the data was sent."`
}

type attemptResponse struct {
	Status           int     `json:"status" example:"200"`
	Headers          headers `json:"headers"`
	HeadersTruncated bool    `json:"headers_truncated" doc:"Whether there were more headers than fit into 4 KiB."`
	Body             string  `json:"body" doc:"The first 4 KiB."`
	Encoding         string  `json:"encoding" enum:"text,base64" doc:"The encoding of body: base64 if it is not UTF-8."`
	Truncated        bool    `json:"truncated" doc:"Whether the body was longer."`
	Note             string  `json:"note,omitempty" doc:"What was wrong with the response although its status counts, such as an incomplete body."`
}

func wireAttempt(at *bellwire.Attempt) Attempt {
	wire := Attempt{
		Number: at.Number, ID: at.ID, Trigger: at.Trigger, StartedAt: at.StartedAt.UTC(), Outcome: at.Outcome, Error: at.Error,
		Timings:        wireTimings(at.Timings),
		DetailsDropped: at.Dropped,
	}
	if !at.Dropped {
		wire.Request = &attemptRequest{
			Method: http.MethodPost, URL: at.Request.URL, Headers: at.Request.Headers, HeadersTruncated: at.Request.HeadersTruncated,
			BodyBytes: at.Request.BodyBytes, BodySHA256: hashText(at.Request.BodyHash), Dialect: at.Request.Dialect, Version: at.Request.Version,
		}
	}
	if r := at.Response; r != nil {
		wire.Response = &attemptResponse{Status: r.Status, Headers: r.Headers, HeadersTruncated: r.HeadersTruncated, Truncated: r.Truncated, Note: r.Note}
		wire.Response.Body, wire.Response.Encoding = wireBody(r.Body, r.Truncated || r.Note != "")
	}
	return wire
}

// wireBody returns a response's body as text if it is UTF-8. If it was cut, its last character may be incomplete.
func wireBody(body []byte, cut bool) (text, encoding string) {
	whole := body
	if cut {
		for range utf8.UTFMax - 1 {
			if r, size := utf8.DecodeLastRune(whole); r != utf8.RuneError || size != 1 {
				break
			}
			whole = whole[:len(whole)-1]
		}
	}
	if utf8.Valid(whole) {
		return string(whole), "text"
	}
	return base64.StdEncoding.EncodeToString(body), "base64"
}

func wireTimings(t bellwire.Timings) timings {
	return timings{
		DNS: milliseconds(t.DNS), Connect: milliseconds(t.Connect), TLS: milliseconds(t.TLS),
		FirstByte: milliseconds(t.FirstByte), Total: milliseconds(t.Total),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (a *api) deliveries() {
	const all, one = "/tenants/{tenant}/deliveries", "/tenants/{tenant}/deliveries/{id}"

	type listed struct {
		InTenant
		Paging
		DeliveryFilter
		Event string `query:"event" doc:"Only deliveries of this event."`
	}
	route(a, service.Read, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: all, Tags: []string{tagDeliveries},
		Summary: "List deliveries", Description: shortPages,
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[searchedList[ListedDelivery]], error) {
		q, err := in.query(in.Tenant)
		if err != nil {
			return nil, err
		}
		if err := parseEvent(&q.Event, in.Event); err != nil {
			return nil, err
		}
		return searched(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*service.ListedDelivery], error) {
			return a.svc.FindDeliveries(ctx, c, q, page)
		}, wireListedDelivery)
	})

	type listedAll struct {
		Tenant string `query:"tenant" doc:"Only deliveries of this tenant."`
		Paging
		DeliveryFilter
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-all-deliveries", Method: http.MethodGet, Path: "/deliveries", Tags: []string{tagDeliveries},
		Summary: "List the deliveries of all tenants", Description: "For admin keys. " + shortPages,
	}, func(ctx context.Context, c service.Caller, in *listedAll) (*output[searchedList[TenantDelivery]], error) {
		q, err := in.query(in.Tenant)
		if err != nil {
			return nil, err
		}
		return searched(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*service.ListedDelivery], error) {
			return a.svc.FindAllDeliveries(ctx, c, q, page)
		}, func(d *service.ListedDelivery) TenantDelivery { return TenantDelivery{d.Tenant, wireListedDelivery(d)} })
	})

	route(a, service.Read, huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: one, Tags: []string{tagDeliveries},
		Summary: "Get a delivery with its attempts", Description: "Shows the requests and the responses, and what the delivery waits for. Credentials are redacted.",
	}, func(ctx context.Context, c service.Caller, in *OfDelivery) (*output[deliveryWithAttempts], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		d, attempts, err := a.svc.Delivery(ctx, c, in.Tenant, id)
		if err != nil {
			return nil, err
		}
		wait, err := a.svc.WaitingFor(ctx, c, d)
		if err != nil {
			return nil, err
		}
		out := deliveryWithAttempts{Delivery: wireDelivery(d), WaitingFor: wireWait(wait), Attempts: make([]Attempt, len(attempts))}
		for i, at := range attempts {
			out.Attempts[i] = wireAttempt(at)
		}
		return &output[deliveryWithAttempts]{Body: out}, nil
	})

	type ofAttempt struct {
		OfDelivery
		Attempt int `query:"attempt" minimum:"1" example:"1" doc:"The number of an attempt whose request is stored. By default what would be sent now is made."`
	}
	route(a, service.Read, huma.Operation{
		OperationID: "get-delivery-body", Method: http.MethodGet, Path: one + "/body", Tags: []string{tagDeliveries},
		Summary: "Get the request body of a delivery",
		Description: "Makes the body that an attempt would send now, byte for byte. With `attempt`, it is the one that this attempt has sent, " +
			"made again in the version and the dialect that it recorded; `sent` says whether it has the recorded hash. Bodies are not stored. " +
			"Responds with 404, and says why, if the data of the event was erased, or if the dialect cannot represent it.",
	}, func(ctx context.Context, c service.Caller, in *ofAttempt) (*output[requestBodyOf], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		b, err := a.svc.DeliveryBody(ctx, c, in.Tenant, id, in.Attempt)
		if err == nil {
			err = callOf(ctx).charge(len(b.Body))
		}
		return answer(b, err, wireRequestBody)
	})

	type retried struct {
		OfDelivery
		Input optionalBody[retryInput]
	}
	type act func(context.Context, service.Caller, string, bellwire.DeliveryID) (*bellwire.Delivery, error)
	by := func(do act) handler[OfDelivery, output[Delivery]] {
		return func(ctx context.Context, c service.Caller, in *OfDelivery) (*output[Delivery], error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			d, err := do(ctx, c, in.Tenant, id)
			return answer(d, err, wireDelivery)
		}
	}
	route(a, service.Redeliver, huma.Operation{
		OperationID: "retry-delivery", Method: http.MethodPost, Path: one + "/retry", Tags: []string{tagDeliveries},
		Summary: "Retry a delivery now", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: "Makes one attempt at once, whatever the status of the delivery, which does not affect the schedule. " +
			"With `restart`, the whole schedule begins again instead; responds with 409 if the delivery has succeeded, is in flight, or waits in memory. A test has no schedule: it is tried once more.",
	}, func(ctx context.Context, c service.Caller, in *retried) (*output[Delivery], error) {
		return by(func(ctx context.Context, c service.Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
			return a.svc.RetryDelivery(ctx, c, tenant, id, in.Input.value.Restart)
		})(ctx, c, &in.OfDelivery)
	})
	route(a, service.Redeliver, huma.Operation{
		OperationID: "cancel-delivery", Method: http.MethodPost, Path: one + "/cancel", Tags: []string{tagDeliveries},
		Summary: "Cancel a delivery", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: "Responds with 409 if the delivery has ended already.",
	}, by(a.svc.CancelDelivery))
}

// requestBodyOf is the body of a delivery's requests on the wire.
type requestBodyOf struct {
	ContentType string    `json:"content_type" example:"application/json"`
	Body        string    `json:"body" example:"{\"type\":\"invoice.paid\",\"timestamp\":\"2026-01-31T12:30:00Z\",\"data\":{}}"`
	Bytes       int       `json:"bytes" doc:"The size of the body, as attempts have it in body_bytes."`
	BodySHA256  string    `json:"body_sha256" doc:"The SHA-256 of the body, in hexadecimal."`
	Dialect     string    `json:"dialect" example:"standard" doc:"The dialect that makes the body."`
	Version     int       `json:"version" example:"1" doc:"The version of the event's type in which the data is."`
	Sent        *sentBody `json:"sent,omitempty" doc:"With attempt: what is known of the body that it has sent."`
}

type sentBody struct {
	Attempt    int    `json:"attempt" example:"1"`
	BodySHA256 string `json:"body_sha256,omitzero" doc:"The SHA-256 of the body that was sent, in hexadecimal; absent where it was not recorded."`
	Same       bool   `json:"same" doc:"Whether the body has this hash: then it is what was sent."`
	Reason     string `json:"reason,omitzero" example:"the event type was changed at 2026-01-31T12:30:00Z, after the attempt: its converters make other data now" doc:"Why it is not the same, or why that is not known."`
}

func wireRequestBody(b *service.RequestBody) requestBodyOf {
	wire := requestBodyOf{
		ContentType: b.ContentType, Body: string(b.Body), Bytes: len(b.Body), BodySHA256: hashText(sha256.Sum256(b.Body)), Dialect: b.Dialect, Version: b.Version,
	}
	if b.Sent != nil {
		wire.Sent = &sentBody{Attempt: b.Sent.Attempt, BodySHA256: hashText(b.Sent.Hash), Same: b.Sent.Same, Reason: b.Sent.Reason}
	}
	return wire
}

// retryInput says how a delivery is retried.
type retryInput struct {
	Restart bool `json:"restart,omitzero" doc:"Whether the whole retry schedule begins again, instead of one attempt."`
}

// OfDelivery has the parameters of a delivery.
type OfDelivery struct {
	InTenant
	ID string `path:"id" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173" doc:"The delivery's id."`
}

func (in *OfDelivery) id() (bellwire.DeliveryID, error) {
	var id bellwire.DeliveryID
	if id.UnmarshalText([]byte(in.ID)) != nil {
		return id, bellwire.NotFound("delivery", in.ID)
	}
	return id, nil
}

// hashText returns a hash in hexadecimal, empty for none.
func hashText(hash [32]byte) string {
	if hash == ([32]byte{}) {
		return ""
	}
	return hex.EncodeToString(hash[:])
}
