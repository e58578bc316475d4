package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagEvents = "Events"

// Event is an event on the wire.
type Event struct {
	ID             bellwire.EventID `json:"id" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Type           string           `json:"type" example:"invoice.paid"`
	Data           json.RawMessage  `json:"data" doc:"Byte for byte as published; null if it was erased."`
	IdempotencyKey *string          `json:"idempotency_key" nullable:"true" doc:"The id given by the publisher; null if there is none."`
	OccurredAt     time.Time        `json:"occurred_at" doc:"When it happened according to the publisher, or else when Bellwire accepted it."`
	CreatedAt      time.Time        `json:"created_at" doc:"When Bellwire accepted it."`
	DeliverAt      *time.Time       `json:"deliver_at" nullable:"true" doc:"When it is delivered at the earliest; null if that was at once."`
	ExpiresAt      *time.Time       `json:"expires_at" nullable:"true" doc:"When it expires: nothing is sent from then on; null if it does not."`
	OrderingKey    *string          `json:"ordering_key" nullable:"true" doc:"The key in whose order endpoints with the ordering key get it; null if there is none."`
	Test           bool             `json:"test" doc:"Whether it was created by testing an endpoint, not published."`
	Imported       bool             `json:"imported,omitempty" doc:"Whether it is history that was imported, and sent to nobody. Omitted if it is not."`
	Deliveries     int              `json:"deliveries" doc:"Number of endpoints that receive it. Replays are not counted."`
	Erased         *erasure         `json:"erased,omitempty" doc:"When and by whom the data was erased. Omitted if it was not."`
	Problem        string           `json:"problem,omitempty" doc:"Why an event that was published inside the database was not sent. Omitted if it was."`
	Outcomes       *eventOutcomes   `json:"outcomes,omitempty" doc:"What became of it, in lists with outcomes=true. Omitted elsewhere, and if it has no delivery."`
}

// eventOutcomes counts the endpoints of an event by what became of it there, on the wire.
type eventOutcomes struct {
	Pending   int  `json:"pending"`
	Retrying  int  `json:"retrying"`
	Succeeded int  `json:"succeeded"`
	Exhausted int  `json:"exhausted"`
	Canceled  int  `json:"canceled"`
	Capped    bool `json:"capped" doc:"Whether only the first 100 deliveries of the event are counted, because it has more."`
}

// erasure says when and by whom the data of an event was erased, on the wire.
type erasure struct {
	At time.Time `json:"at"`
	By actor     `json:"by"`
}

func wireEvent(e *bellwire.Event) Event {
	wire := Event{
		ID: e.ID, Type: e.Type, Data: e.Data, OccurredAt: e.Time().UTC(), CreatedAt: e.CreatedAt.UTC(),
		Test: e.Test, Imported: e.Imported, Deliveries: e.Deliveries, Problem: e.Problem,
	}
	wire.DeliverAt, wire.ExpiresAt = timeOrNull(e.DeliverAt), timeOrNull(e.ExpiresAt)
	if e.Erased != nil {
		wire.Data, wire.Erased = json.RawMessage("null"), &erasure{At: e.Erased.At.UTC(), By: wireActor(e.Erased.By)}
	}
	if e.IdempotencyKey != "" {
		wire.IdempotencyKey = &e.IdempotencyKey
	}
	if e.OrderingKey != "" {
		wire.OrderingKey = &e.OrderingKey
	}
	return wire
}

// appendJSON encodes the event without a JSON library, because all of them would reformat data.
func (e Event) appendJSON(b []byte) ([]byte, error) { return e.appendFields(append(b, '{')) }

// appendFields is appendJSON behind the first brace.
func (e Event) appendFields(b []byte) ([]byte, error) {
	b = append(b, `"id":"`...)
	b, _ = e.ID.AppendText(b) // never fails
	b = append(b, `","type":`...)
	b, err := jsontext.AppendQuote(b, e.Type)
	if err != nil {
		return nil, err
	}
	if e.Data != nil {
		b = append(b, `,"data":`...)
		b = append(b, e.Data...)
	}
	rest, err := marshal(nil, eventRest(e))
	if err != nil {
		return nil, err
	}
	b = append(b, ',')
	return append(b, rest[1:]...), nil
}

// eventRest has the fields of an event that appendJSON does not encode itself.
type eventRest struct {
	ID             bellwire.EventID `json:"-"`
	Type           string           `json:"-"`
	Data           json.RawMessage  `json:"-"`
	IdempotencyKey *string          `json:"idempotency_key"`
	OccurredAt     time.Time        `json:"occurred_at"`
	CreatedAt      time.Time        `json:"created_at"`
	DeliverAt      *time.Time       `json:"deliver_at"`
	ExpiresAt      *time.Time       `json:"expires_at"`
	OrderingKey    *string          `json:"ordering_key"`
	Test           bool             `json:"test"`
	Imported       bool             `json:"imported,omitempty"`
	Deliveries     int              `json:"deliveries"`
	Erased         *erasure         `json:"erased,omitempty"`
	Problem        string           `json:"problem,omitempty"`
	Outcomes       *eventOutcomes   `json:"outcomes,omitempty"`
}

// TenantEvent is an event in a list of all tenants' on the wire.
type TenantEvent struct {
	Tenant string `json:"tenant" example:"acme"`
	Event
}

// TransformSchema makes data optional.
func (TenantEvent) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return name == "data" })
	data := *s.Properties["data"]
	data.Description = "With data=true: byte for byte as published; null if it was erased."
	s.Properties["data"] = &data
	return s
}

func wireTenantEvent(e *bellwire.Event, data bool) TenantEvent {
	wire := TenantEvent{e.Tenant, wireEvent(e)}
	if !data {
		wire.Data = nil
	}
	return wire
}

func (e TenantEvent) appendJSON(b []byte) ([]byte, error) {
	b = append(b, `{"tenant":`...)
	b, err := jsontext.AppendQuote(b, e.Tenant)
	if err != nil {
		return nil, err
	}
	return e.appendFields(append(b, ','))
}

// eventList and tenantEventList are lists of events, which encode themselves for the same reason.
type (
	eventList       searchedList[Event]
	tenantEventList searchedList[TenantEvent]
)

func (l eventList) appendJSON(b []byte) ([]byte, error) {
	return appendEvents(b, searchedList[Event](l))
}

func (l tenantEventList) appendJSON(b []byte) ([]byte, error) {
	return appendEvents(b, searchedList[TenantEvent](l))
}

func appendEvents[E interface{ appendJSON([]byte) ([]byte, error) }](b []byte, l searchedList[E]) ([]byte, error) {
	var err error
	b = append(b, `{"data":[`...)
	for i, e := range l.Data {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = e.appendJSON(b); err != nil {
			return nil, err
		}
	}
	b = append(b, `],"next_cursor":`...)
	if l.NextCursor == nil {
		return append(b, "null}"...), nil
	}
	if b, err = jsontext.AppendQuote(b, *l.NextCursor); err != nil {
		return nil, err
	}
	if !l.SearchedTo.IsZero() {
		b = append(b, `,"searched_to":"`...)
		b = append(l.SearchedTo.AppendFormat(b, time.RFC3339Nano), '"')
	}
	return append(b, '}'), nil
}

// withPlus restores the plus of a time zone such as +01:00, which means a space in a query.
func withPlus(text string) string { return strings.Replace(text, " ", "+", 1) }

// sizeOf returns the size of the events' data in bytes.
func sizeOf(events []*bellwire.Event) (size int) {
	for _, e := range events {
		size += len(e.Data)
	}
	return size
}

// EventFilter has the filters of lists of events.
type EventFilter struct {
	Type  string `query:"type" example:"invoice.paid" doc:"Only events of this type."`
	Key   string `query:"key" maxLength:"128" example:"order-4711" doc:"Only the event that was published with this id. It is found as long as its id is kept."`
	Text  string `query:"contains" maxLength:"128" example:"in_4711" doc:"Only events whose data contains this text, as it was published, in upper or lower case. A page ends early after 2,000 events or 16 MiB of data, even without any events: next_cursor continues it."`
	Since string `query:"since" example:"2026-01-31T12:30:00Z" doc:"Only events accepted at or after this time."`
	Until string `query:"until" example:"2026-02-01T00:00:00Z" doc:"Only events accepted before this time."`

	Outcomes bool `query:"outcomes" doc:"Whether to count what became of each event: how many endpoints have got it, or have not."`
}

// outcomes counts what became of listed events, if that is wanted. tenant is empty for all.
func (f *EventFilter) outcomes(ctx context.Context, a *api, c service.Caller, tenant string, events []*bellwire.Event) (map[bellwire.EventID]*bellwire.EventOutcomes, error) {
	if !f.Outcomes || len(events) == 0 {
		return nil, nil
	}
	return a.svc.EventOutcomes(ctx, c, tenant, events)
}

// withOutcomes adds to an event what became of it; nil: nothing, or it was not asked for.
func (e Event) withOutcomes(o *bellwire.EventOutcomes) Event {
	if o != nil {
		wire := eventOutcomes(*o)
		e.Outcomes = &wire
	}
	return e
}

func (f *EventFilter) filter(tenant string) (bellwire.EventFilter, error) {
	since, until, err := parsePeriod(f.Since, f.Until)
	if f.Text != "" && f.Key != "" {
		err = bellwire.Join(err, bellwire.Invalid("contains", "must not be given together with key"))
	}
	return bellwire.EventFilter{Tenant: tenant, Type: f.Type, Since: since, Until: until}, err
}

func (a *api) events() {
	type listed struct {
		InTenant
		Paging
		EventFilter
	}
	route(a, service.Read, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/tenants/{tenant}/events", Tags: []string{tagEvents},
		Summary: "List events", Description: "Includes events that no endpoint subscribes to.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[eventList], error) {
		filter, err := in.filter(in.Tenant)
		if err != nil {
			return nil, err
		}
		var outcomes map[bellwire.EventID]*bellwire.EventOutcomes
		events, err := searched(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
			var (
				events *bellwire.List[*bellwire.Event]
				err    error
			)
			switch {
			case in.Key != "":
				events, err = a.svc.EventsByKey(ctx, c, filter, in.Key)
			case in.Text != "":
				events, err = a.svc.FindEvents(ctx, c, filter, service.Containing(in.Text), page)
			default:
				events, err = a.svc.Events(ctx, c, filter, page)
			}
			if err == nil {
				err = callOf(ctx).charge(sizeOf(events.Items))
			}
			if err == nil {
				outcomes, err = in.outcomes(ctx, a, c, in.Tenant, events.Items)
			}
			return events, err
		}, func(e *bellwire.Event) Event { return wireEvent(e).withOutcomes(outcomes[e.ID]) })
		if err != nil {
			return nil, err
		}
		return &output[eventList]{Body: eventList(events.Body)}, nil
	})

	type listedAll struct {
		Tenant string `query:"tenant" doc:"Only events of this tenant."`
		Data   bool   `query:"data" doc:"Whether to show the data of the events too."`
		Paging
		EventFilter
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-all-events", Method: http.MethodGet, Path: "/events", Tags: []string{tagEvents},
		Summary: "List the events of all tenants",
		Description: "For admin keys. Includes events that no endpoint subscribes to. With `key` and without `tenant`, those of the newest tenants come first. " +
			"A page can end early, even without any events, where few match: `next_cursor` continues it.",
	}, func(ctx context.Context, c service.Caller, in *listedAll) (*output[tenantEventList], error) {
		filter, err := in.filter(in.Tenant)
		if err != nil {
			return nil, err
		}
		q := service.EventQuery{EventFilter: filter, Key: in.Key, Text: in.Text, Data: in.Data}
		var outcomes map[bellwire.EventID]*bellwire.EventOutcomes
		events, err := searched(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
			events, err := a.svc.FindAllEvents(ctx, c, q, page)
			if err == nil {
				err = callOf(ctx).charge(sizeOf(events.Items))
			}
			if err == nil {
				outcomes, err = in.outcomes(ctx, a, c, in.Tenant, events.Items)
			}
			return events, err
		}, func(e *bellwire.Event) TenantEvent {
			wire := wireTenantEvent(e, in.Data)
			wire.Event = wire.withOutcomes(outcomes[e.ID])
			return wire
		})
		if err != nil {
			return nil, err
		}
		return &output[tenantEventList]{Body: tenantEventList(events.Body)}, nil
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "erase-event", Method: http.MethodDelete, Path: "/tenants/{tenant}/events/{id}/data", Tags: []string{tagEvents},
		Summary: "Erase the data of an event", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict},
		Description: "For admin keys. The event stays without its data, and says in `erased` when and by whom it was erased. What attempts have kept of " +
			"requests and responses is erased too. Open deliveries are canceled, and the event cannot be retried or replayed any more. " +
			"Responds with 409 while deliveries of the event are still being stored.",
	}, func(ctx context.Context, c service.Caller, in *OfEvent) (*struct{}, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		return nil, a.svc.EraseEvent(ctx, c, in.Tenant, id)
	})

	a.explanations()
}
