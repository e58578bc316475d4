package service

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Prepare makes what operational events need: their types in the catalogue, and the tenant that they are published to. It replaces
// types that differ, as after an upgrade. A tenant of that name which was there before gets no operational events: it can be a
// customer.
func (s *Service) Prepare(ctx context.Context) error {
	types, err := operationalTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		if err := s.prepareType(ctx, t); err != nil {
			return err
		}
	}
	t, err := s.store.Tenant(ctx, bellwire.OperationsTenant)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		t = &bellwire.Tenant{ID: bellwire.OperationsTenant, Name: "Operational events of Bellwire", OperationalEvents: true, CreatedAt: now()}
		t.UpdatedAt = t.CreatedAt
		if err = s.store.CreateTenant(ctx, t); bellwire.CodeOf(err) == bellwire.CodeConflict {
			return nil // another node was faster
		}
	}
	if err == nil && !t.OperationalEvents {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the tenant bellwire gets no operational events, because its operational_events is false")
	}
	return err
}

// prepareType adds an event type, or replaces one that differs.
func (s *Service) prepareType(ctx context.Context, t *bellwire.EventType) error {
	stored, err := s.store.EventType(ctx, t.Name)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
	case err != nil:
		return err
	case stored.Group == t.Group && stored.Description == t.Description && stored.Archived == t.Archived &&
		bytes.Equal(stored.Schema, t.Schema) && bytes.Equal(stored.Example, t.Example):
		return nil
	}
	t.CreatedAt = now()
	t.UpdatedAt = t.CreatedAt
	if _, err := s.store.PutEventType(ctx, t); err != nil {
		return err
	}
	s.directory.ForgetCatalogue()
	return nil
}

// checkNotOperational refuses what is Bellwire's own among event types that others publish or change.
func checkNotOperational(field, name string) error {
	if !bellwire.IsOperational(name) {
		return nil
	}
	return bellwire.Invalid(field, "must not begin with %q, which is reserved for Bellwire's operational events", bellwire.OperationalPrefix)
}

// keepOperational refuses to delete a type of operational events.
func keepOperational(name string) error {
	if !slices.Contains(bellwire.OperationalTypes, name) {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeConflict, "event type %q is one of Bellwire's operational events and cannot be deleted", name)
}

// keepOperations refuses to delete the tenant that operational events are published to.
func keepOperations(t *bellwire.Tenant) error {
	if t.ID != bellwire.OperationsTenant || !t.OperationalEvents {
		return nil
	}
	return &bellwire.Error{
		Code:    bellwire.CodeConflict,
		Message: `tenant "bellwire" is where operational events are published, and cannot be deleted`,
		Hint:    "To get no operational events, set its operational_events to false, or delete its endpoints.",
	}
}

// schema is a JSON Schema.
type schema map[string]any

// The schemas of values.
var (
	schemaText   = schema{"type": "string"}
	schemaNumber = schema{"type": "integer", "minimum": 0}
	schemaTime   = schema{"type": "string", "format": "date-time"}
	schemaMaybe  = schema{"type": []string{"string", "null"}, "format": "date-time"}
	schemaAny    = schema{"type": "object"}
)

func schemaOf(required []string, fields schema) schema {
	return schema{"type": "object", "properties": fields, "required": required}
}

// The schemas of the fields of operational events.
var operationalFields = schema{
	"at":     schemaTime,
	"tenant": schemaText,
	"endpoint": schemaOf([]string{"id", "url", "description", "dialect", "status", "status_reason"}, schema{
		"id": schemaText, "url": schemaText, "description": schemaText, "dialect": schemaText,
		"status": schemaText, "status_reason": schemaText,
	}),
	"health": schemaOf([]string{"state", "since", "reason", "failures", "last_error", "last_success_at", "last_failure_at"}, schema{
		"state": schemaText, "since": schemaTime, "reason": schemaText, "failures": schemaNumber, "last_error": schemaText,
		"last_success_at": schemaMaybe, "last_failure_at": schemaMaybe,
	}),
	"reason": schemaText,
	"by": schemaOf([]string{"kind"}, schema{
		"kind": schemaText, "key": schemaText, "request_id": schemaText, "reason": schemaText,
	}),
	"before": schemaAny,
	"after":  schemaAny,
	"count":  schemaNumber,
	"deliveries": schema{"type": "array", "minItems": 1, "items": schemaOf([]string{"id", "event", "event_type", "reason"}, schema{
		"id": schemaText, "tenant": schemaText, "endpoint": schemaText, "event": schemaText, "event_type": schemaText,
		"reason": schemaText, "error": schemaText, "status": schemaNumber,
	})},
	"job": schemaOf([]string{"id", "kind", "state", "total", "done", "skipped", "created_at", "finished_at"}, schema{
		"id": schemaText, "kind": schemaText, "state": schemaText, "endpoint": schemaText,
		"total": schemaNumber, "done": schemaNumber, "skipped": schemaNumber, "error": schemaText,
		"created_at": schemaTime, "finished_at": schemaTime,
	}),
}

// operationalType describes a type of operational events.
type operationalType struct {
	name        string
	description string
	required    []string // fields beside at, and beside tenant if that is not optional
	optional    []string
	example     func(*bellwire.OperationalData) // adds what the type has beside At, Tenant and Endpoint
}

var operationalCatalogue = []operationalType{
	{bellwire.OperationalFailing, "A healthy endpoint began to fail: too many attempts in a row were not acknowledged.",
		[]string{"endpoint", "health"}, nil, func(d *bellwire.OperationalData) { d.Health = exampleHealth(bellwire.HealthFailing) }},
	{bellwire.OperationalRecovered, "An endpoint that was failing is healthy again.",
		[]string{"endpoint", "health"}, nil, func(d *bellwire.OperationalData) { d.Health = exampleHealth(bellwire.HealthHealthy) }},
	{bellwire.OperationalDisabled, "An endpoint was disabled: by Bellwire, because it is gone or has failed for too long, or by a request.",
		[]string{"endpoint", "reason", "by"}, []string{"before", "after"}, func(d *bellwire.OperationalData) {
			d.Endpoint.Status, d.Endpoint.StatusReason = bellwire.EndpointDisabled, bellwire.ReasonEndpointGone
			d.Reason = bellwire.ReasonEndpointGone
			d.By = &bellwire.OperationalActor{Kind: bellwire.ActorBellwire, Reason: bellwire.ReasonEndpointGone}
			d.Before = json.RawMessage(`{"status":"enabled","status_reason":""}`)
			d.After = json.RawMessage(`{"status":"disabled","status_reason":"the endpoint answered 410 Gone and was disabled"}`)
		}},
	{bellwire.OperationalCreated, "An endpoint was created.",
		[]string{"endpoint", "by"}, nil, func(d *bellwire.OperationalData) { d.By = exampleActor() }},
	{bellwire.OperationalUpdated, "An endpoint was changed. Fields that are secrets are shown as changed, without their values.",
		[]string{"endpoint", "by"}, []string{"before", "after"}, func(d *bellwire.OperationalData) {
			d.By = exampleActor()
			d.Before, d.After = json.RawMessage(`{"max_in_flight":64}`), json.RawMessage(`{"max_in_flight":16}`)
		}},
	{bellwire.OperationalDeleted, "An endpoint was deleted.",
		[]string{"endpoint", "by"}, nil, func(d *bellwire.OperationalData) { d.By = exampleActor() }},
	{bellwire.OperationalExhausted, "No retries are left for a delivery, or for several. Where they have no tenant or endpoint in common, each names its own.",
		[]string{"count", "deliveries"}, []string{"tenant", "endpoint"}, func(d *bellwire.OperationalData) {
			event := bellwire.FirstID[bellwire.EventKind](exampleTime)
			d.Count, d.Deliveries = 1, []bellwire.OperationalDelivery{{
				ID: bellwire.DeliveryOf(event, 1), Event: event, EventType: "order.paid", Reason: bellwire.ReasonRetriesSpent,
				Error: "the endpoint answered 503 Service Unavailable", Status: 503,
			}}
		}},
	{bellwire.OperationalRotated, "An endpoint got another signing secret.",
		[]string{"endpoint", "by"}, nil, func(d *bellwire.OperationalData) { d.By = exampleActor() }},
	{bellwire.OperationalFinished, "A replay, bulk retry or bulk cancel ended: it is done, was canceled, or has failed.",
		[]string{"job"}, nil, func(d *bellwire.OperationalData) {
			d.Endpoint = nil
			d.Job = &bellwire.OperationalJob{
				ID: bellwire.FirstID[bellwire.JobIDKind](exampleTime), Kind: bellwire.JobReplay, State: bellwire.JobDone, Endpoint: exampleEndpoint,
				Total: 1000, Done: 998, Skipped: 2, CreatedAt: exampleTime, FinishedAt: exampleTime,
			}
		}},
}

var exampleTime = time.Date(2026, time.November, 27, 12, 0, 0, 0, time.UTC)

const exampleEndpoint = "ep_018f3c5e7a2b7c3d9e4f0123456789ab"

func exampleHealth(state bellwire.HealthState) *bellwire.OperationalHealth {
	h := &bellwire.OperationalHealth{State: state, Since: exampleTime, LastSuccessAt: &exampleTime, LastFailureAt: &exampleTime}
	if state == bellwire.HealthFailing {
		h.Failures, h.LastError = 3, "the endpoint answered 503 Service Unavailable"
		h.Reason = "3 attempts in a row failed since 2026-11-27T12:00:00Z; the last error: the endpoint answered 503 Service Unavailable"
	}
	return h
}

func exampleActor() *bellwire.OperationalActor {
	return &bellwire.OperationalActor{Kind: bellwire.ActorKey, Key: bellwire.FirstID[bellwire.KeyKind](exampleTime).String(), RequestID: "req_1"}
}

// operationalTypes returns the types of operational events for the catalogue.
func operationalTypes() ([]*bellwire.EventType, error) {
	types := make([]*bellwire.EventType, 0, len(operationalCatalogue))
	for _, o := range operationalCatalogue {
		data := bellwire.OperationalData{At: exampleTime, Tenant: "acme", Endpoint: &bellwire.OperationalEndpoint{
			ID: exampleEndpoint, URL: "https://example.com/hooks?token=" + bellwire.Redacted, Dialect: "standard", Status: bellwire.EndpointEnabled,
		}}
		o.example(&data)
		example, err := json.Marshal(data)
		if err != nil {
			return nil, encodingError(err)
		}
		compiled, err := json.Marshal(o.schema())
		if err != nil {
			return nil, encodingError(err)
		}
		types = append(types, &bellwire.EventType{
			Name: o.name, Group: bellwire.OperationsTenant, Description: o.description, Schema: compiled, Example: example,
		})
	}
	return types, nil
}

func (o *operationalType) schema() schema {
	required, fields := []string{"at"}, schema{"at": operationalFields["at"], "tenant": operationalFields["tenant"]}
	if !slices.Contains(o.optional, "tenant") {
		required = append(required, "tenant")
	}
	for _, name := range o.required {
		required = append(required, name)
		fields[name] = operationalFields[name]
	}
	for _, name := range o.optional {
		fields[name] = operationalFields[name]
	}
	return schemaOf(required, fields)
}
