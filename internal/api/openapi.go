package api

import (
	"io"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const introduction = "Publish an event once. Bellwire stores it, finds all endpoints that subscribe to it, and delivers it to each until it is " +
	"acknowledged or the retry policy is exhausted. " +
	"Requests and responses are JSON in UTF-8; the content type of a request is ignored. " +
	"Unknown fields and query parameters are refused. Times are RFC 3339 in UTC. " +
	"A POST with the header `Idempotency-Key` can be repeated, but those that begin a session, import or preview ignore it. " +
	"Lists are newest first; follow `next_cursor` until it is null. " +
	"Every response has an `X-Request-Id`: yours, if you send one."

// configuration returns the configuration of Huma, without its documentation pages, which load code from other servers.
func configuration(o Options) huma.Config {
	version := o.Version
	if version == "" {
		version = "dev"
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Bellwire API", Version: version, Description: introduction},
			Servers: []*huma.Server{{URL: o.PublicURL}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"key": {
					Type: "http", Scheme: "bearer", Description: "A key, as `Authorization: Bearer <key>`.",
				}},
			},
			Tags: []*huma.Tag{
				{Name: tagTenants, Description: "A tenant is one of your customers. Endpoints, events and deliveries belong to a tenant and are invisible to others."},
				{Name: tagKeys, Description: "Roles: `admin` may do everything; `publisher` may publish for any tenant and read event types; `tenant` may manage its own tenant's endpoints, secrets and deliveries; `tenant-read` may read them, without secrets."},
				{Name: tagEventTypes, Description: "The catalogue of event types that can be published. Data is checked against the type's JSON Schema on every publish."},
				{Name: tagEndpoints, Description: "The URLs of a tenant, with their subscriptions and delivery settings."},
				{Name: tagEvents, Description: "Events are published once, never change, and are delivered byte for byte."},
				{Name: tagDeliveries, Description: "A delivery sends one event to one endpoint. It records every attempt."},
				{Name: tagJobs, Description: "A job works on many deliveries: it replays events to an endpoint, retries deliveries or cancels them. It goes on after a restart, skips nothing and repeats nothing."},
				{Name: tagStatistics, Description: "How many events and attempts there were, how many attempts failed, and how long they took."},
				{Name: tagLive, Description: "Attempts as they end, at all nodes."},
				{Name: tagSessions, Description: "Access for people in browsers: to the console for operators, and to the portal for the people of a tenant. Sessions end with the key that made them."},
				{Name: tagAudit, Description: "Who made which call, with what was before and after."},
				{Name: tagServer, Description: "The nodes that share a database, and the settings in force."},
			},
		},
		Formats: map[string]huma.Format{"application/json": wireFormat, "json": wireFormat},

		Transformers: []huma.Transformer{useEncoded},

		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// wireFormat is the format of responses. They are encoded completely before they are sent.
var wireFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		b, ok := v.(encoded)
		if !ok {
			var err error
			if b, err = marshal(nil, v); err != nil {
				return err
			}
		}
		_, _ = w.Write(b) // the client may be gone
		return nil
	},
	Unmarshal: func(data []byte, v any) error { return httpx.ParseJSON(data, v) },
}

// appender encodes itself.
type appender interface {
	appendJSON(b []byte) ([]byte, error)
}

func marshal(b []byte, v any) ([]byte, error) {
	if a, ok := v.(appender); ok {
		return a.appendJSON(b)
	}
	// An example may repeat a name, and a problem may repeat a client's text, which need not be UTF-8.
	out, err := json.Marshal(v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if b == nil {
		return out, err
	}
	return append(b, out...), err
}

// documentation adds the OpenAPI document and the page for people.
func (a *api) documentation() {
	document := sync.OnceValue(func() []byte {
		text, err := a.huma.OpenAPI().MarshalJSON()
		if err != nil { // it is made of our own constants
			panic(err)
		}
		return text
	})
	page := sync.OnceValue(func() []byte { return renderDocs(a.huma.OpenAPI()) })
	a.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write(document())
	})
	a.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		_, _ = w.Write(page())
	})
}

// The bodies of publishing, which are used only for the documentation.
type (
	publication struct {
		Type       string     `json:"type" example:"invoice.paid" doc:"An event type of the catalogue."`
		Data       rawJSON    `json:"data" example:"{\"invoice\":\"in_123\",\"total\":1.50}" doc:"Any JSON value. It is stored and delivered byte for byte, including white space, escapes, the format of numbers and duplicate names."`
		ID         *string    `json:"id,omitempty" nullable:"true" minLength:"1" maxLength:"128" example:"in_123-paid" doc:"Your idempotency key, kept for 7 days, or as long as the event if that is longer. Publishing the same id with the same type and data returns the first event; with other data it is a conflict."`
		OccurredAt *time.Time `json:"occurred_at,omitempty" nullable:"true" example:"2026-01-31T12:30:00Z" doc:"When it happened; by default when Bellwire accepted it, which is a different microsecond for each event of a tenant. Give each event its own time if receivers identify events by it, as in the dialect atelio."`
		DeliverAt  *time.Time `json:"deliver_at,omitempty" nullable:"true" example:"2026-02-01T08:00:00Z" doc:"When it is delivered at the earliest, at most 365 days ahead. Until then its deliveries can be canceled. A time in the past means at once."`
		ExpiresAt  *time.Time `json:"expires_at,omitempty" nullable:"true" example:"2026-02-01T20:00:00Z" doc:"When it expires: nothing is sent from then on, and the deliveries that are still open are canceled. It must be after deliver_at."`
		Key        *string    `json:"ordering_key,omitempty" nullable:"true" minLength:"1" maxLength:"128" example:"in_123" doc:"Endpoints with the ordering key get the events that have the same ordering_key one after the other, in the order of publication. Without it, or with deliver_at, the event is in no order. Other endpoints ignore it."`
	}
	receipt struct {
		ID         string `json:"id" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The event's id, sent to receivers as webhook-id."`
		Type       string `json:"type" example:"invoice.paid"`
		Deliveries int    `json:"deliveries" example:"2" doc:"Number of endpoints that receive it."`
		Duplicate  bool   `json:"duplicate" doc:"Whether the id was known: then this is the first event, and nothing new was stored."`
	}
	batch struct {
		Events []publication `json:"events" minItems:"1" maxItems:"1000" doc:"The events, of which all or none are published."`
	}
	receipts struct {
		Data []receipt `json:"data" doc:"The receipts, in the order of the events."`
	}
)

const durable = "A 202 means that the event and all its deliveries are on disk. "

func (a *api) documentPublishing() {
	doc := a.huma.OpenAPI()
	documentPublish[publication, receipt](doc, &huma.Operation{
		OperationID: "publish-event", Path: "/tenants/{tenant}/events", Summary: "Publish an event",
		Description: durable + "For admin and publisher keys. `data` that does not fit the type's schema is refused.",
	}, "Used as `id` if the body has none; otherwise both must be equal. Bare, or a string in quotes.")
	documentPublish[batch, receipts](doc, &huma.Operation{
		OperationID: "publish-events", Path: "/tenants/{tenant}/events/batch", Summary: "Publish a batch of events",
		Description: durable + "For admin and publisher keys. Up to " + strconv.Itoa(service.MaxBatchEvents) +
			" events in at most 16 MiB; all of them are published or none. An error names the event at fault, such as `events[3].data`.",
	}, "Makes the batch repeatable: events without an `id` get this key, a slash and their index, such as `KEY/0`, "+
		"with at most 128 characters. Bare, or a string in quotes.")
}

func documentPublish[I, O any](doc *huma.OpenAPI, op *huma.Operation, key string) {
	op.Method, op.Tags = http.MethodPost, []string{tagEvents}
	describe(op)
	op.Parameters = []*huma.Param{{
		Name: "tenant", In: "path", Required: true, Description: "The tenant's id.", Example: "acme",
		Schema: &huma.Schema{Type: huma.TypeString},
	}, {
		Name: idempotencyHeader, In: "header", Description: key, Example: "in_123-paid",
		Schema: &huma.Schema{Type: huma.TypeString},
	}}
	registry := doc.Components.Schemas
	op.RequestBody = requestBody[I](registry, true)
	op.Responses = map[string]*huma.Response{"202": {
		Description: http.StatusText(http.StatusAccepted),
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: registry.Schema(reflect.TypeFor[O](), true, "")},
		},
	}}
	addErrors(doc, op, op.Errors...)
	addErrors(doc, op, http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusInsufficientStorage)
	doc.AddOperation(op)
}

func addErrors(doc *huma.OpenAPI, op *huma.Operation, statuses ...int) {
	problem := doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
}

// documentStatus documents another status of an operation, with the same response as its 200.
func documentStatus(doc *huma.OpenAPI, method, path string, status int) {
	responses := find(doc, method, path).Responses
	other := *responses["200"]
	other.Description = http.StatusText(status)
	other.Content = maps.Clone(other.Content)
	responses[strconv.Itoa(status)] = &other
}

// documentJob documents the two responses to the creation of a job.
func documentJob(doc *huma.OpenAPI, path string, count, started reflect.Type) {
	responses, schemas := find(doc, http.MethodPost, path).Responses, doc.Components.Schemas
	for status, body := range map[int]reflect.Type{http.StatusOK: count, http.StatusAccepted: started} {
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(body, true, "")}},
		}
	}
}

// operations returns the operations of a path, in the order for the page.
func operations(item *huma.PathItem) []*huma.Operation {
	return []*huma.Operation{item.Post, item.Put, item.Get, item.Patch, item.Delete}
}

// find returns a documented operation.
func find(doc *huma.OpenAPI, method, path string) *huma.Operation {
	for _, op := range operations(doc.Paths[path]) {
		if op != nil && op.Method == method {
			return op
		}
	}
	panic("api: there is no operation " + method + " " + path)
}
