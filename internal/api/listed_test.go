package api_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestListedDeliveries: lists say what deliveries wait for and how their newest attempts ended.
func TestListedDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.step(t, step{name: "endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com/k3yw1thd1g1ts","events":["*"]}`, status: 201, save: "endpoint=id"})
	w.step(t, step{name: "event", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{}}`, status: 202})
	w.step(t, step{name: "not attempted", method: "GET", path: "/tenants/acme/deliveries", key: "tenant", status: 200, save: "delivery=data.0.id",
		want: `{"data":[{"status":"pending","waiting_for":{"reason":"queued"},"last_outcome":null,"last_status":null,"last_error":""}]}`})
	var id bellwire.DeliveryID
	if err := id.UnmarshalText([]byte(w.vars["delivery"])); err != nil {
		t.Fatal(err)
	}
	record := func(outcome bellwire.Outcome, problem string, status int, success bool) {
		t.Helper()
		now := time.Now()
		r := &bellwire.Result{
			Delivery: id, Endpoint: w.vars["endpoint"], Trigger: bellwire.TriggerManual, EndedAt: now,
			Attempt: &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](now), Delivery: id, Trigger: bellwire.TriggerManual, StartedAt: now, Outcome: outcome, Error: problem},
		}
		if status > 0 {
			r.Attempt.Response = &bellwire.AttemptResponse{Status: status}
		}
		if success {
			r.Transition.Status = bellwire.DeliverySucceeded
		}
		if _, err := w.store.RecordResults(t.Context(), []*bellwire.Result{r}); err != nil {
			t.Fatal(err)
		}
	}
	record(bellwire.OutcomeProtocol, "the answer to /k3yw1thd1g1ts is not HTTP", 0, false)
	for key, problem := range map[string]string{"tenant": "the answer to /k3yw1thd1g1ts is not HTTP", "tenant-read": "the answer to /[redacted] is not HTTP"} {
		w.step(t, step{name: "failed, for " + key, method: "GET", path: "/tenants/acme/deliveries", key: key, status: 200,
			want: `{"data":[{"waiting_for":{"reason":"queued"},"last_outcome":"protocol","last_status":null,"last_error":"` + problem + `"}]}`})
	}
	record(bellwire.OutcomeStatus, "the endpoint answered 503 Service Unavailable", 503, false)
	w.step(t, step{name: "pause", method: "PATCH", path: "/tenants/acme/endpoints/{endpoint}", body: `{"status":"paused"}`, status: 200})
	w.step(t, step{name: "failed again", method: "GET", path: "/deliveries?tenant=acme", status: 200,
		want: `{"data":[{"tenant":"acme","waiting_for":{"reason":"paused"},"last_outcome":"status","last_status":503,"last_error":"the endpoint answered 503 Service Unavailable"}]}`})
	record(bellwire.OutcomeOK, "", 204, true)
	w.step(t, step{name: "succeeded", method: "GET", path: "/deliveries", status: 200,
		want: `{"data":[{"status":"succeeded","waiting_for":null,"last_outcome":"ok","last_status":204,"last_error":""}]}`})
}

// TestDeliveryBody asks for what is sent, also of a deleted endpoint and of an event whose data was erased.
func TestDeliveryBody(t *testing.T) {
	const one = "/tenants/acme/deliveries/{delivery}/body"
	run(t, []step{
		{name: "endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com/hooks","events":["*"]}`, status: 201, save: "endpoint=id"},
		{name: "event", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{"total": 1.50},"occurred_at":"2026-01-31T12:30:00Z"}`, status: 202, save: "event=id"},
		{name: "delivery", method: "GET", path: "/tenants/acme/deliveries", status: 200, save: "delivery=data.0.id"},
		{name: "body", method: "GET", path: one, key: "tenant-read", status: 200, without: []string{"whsec_"},
			want: `{"content_type":"application/json","body":"{\"type\":\"invoice.paid\",\"timestamp\":\"2026-01-31T12:30:00Z\",\"data\":{\"total\": 1.50}}","bytes":81}`},
		{name: "of what would be sent", method: "GET", path: one, status: 200, without: []string{`"sent"`}, want: `{"dialect":"standard","version":1,"body_sha256":"*"}`},
		{name: "of no attempt", method: "GET", path: one + "?attempt=1", status: 404, problem: "not_found"},
		{name: "of no number", method: "GET", path: one + "?attempt=0", status: 422, problem: "invalid attempt"},
		{name: "another tenant's", method: "GET", path: one, key: "other", status: 404, problem: "not_found"},
		{name: "in another tenant", method: "GET", path: "/tenants/other/deliveries/{delivery}/body", status: 404, problem: "not_found"},
		{name: "by a publisher", method: "GET", path: one, key: "publisher", status: 403, problem: "forbidden"},
		{name: "no id", method: "GET", path: "/tenants/acme/deliveries/x/body", status: 404, problem: "not_found"},
		{name: "what became of events", method: "GET", path: "/tenants/acme/events?outcomes=true", key: "tenant-read", status: 200,
			want: `{"data":[{"id":"{event}","outcomes":{"pending":1,"retrying":0,"succeeded":0,"exhausted":0,"canceled":0,"capped":false}}]}`},
		{name: "what became of all events", method: "GET", path: "/events?outcomes=true", status: 200, want: `{"data":[{"id":"{event}","outcomes":{"pending":1}}]}`},
		{name: "events only", method: "GET", path: "/events", status: 200, without: []string{"outcomes"}},
		{name: "delete the endpoint", method: "DELETE", path: "/tenants/acme/endpoints/{endpoint}", status: 204},
		{name: "of a deleted endpoint", method: "GET", path: one, status: 200, want: `{"bytes":81}`},
		{name: "erase", method: "DELETE", path: "/tenants/acme/events/{event}/data", status: 204},
		{name: "of an erased event", method: "GET", path: one, status: 404, problem: "not_found", want: `{"detail":"*"}`},
	})
}

// TestAllEvents lists the events of two tenants.
func TestAllEvents(t *testing.T) {
	run(t, []step{
		{name: "publish", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{"total":1.50},"id":"order-1"}`, status: 202, save: "first=id"},
		{name: "publish for another", method: "POST", path: "/tenants/other/events", body: `{"type":"invoice.paid","data":[],"id":"order-1"}`, status: 202, save: "second=id"},
		{name: "publish without an id", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":[]}`, status: 202, save: "third=id"},
		{name: "list", method: "GET", path: "/events", status: 200, without: []string{`"data":{`, "1.50"},
			want: `{"data":[{"tenant":"acme","id":"{third}"},{"tenant":"other","id":"{second}"},
				{"tenant":"acme","id":"{first}","type":"invoice.paid","idempotency_key":"order-1","occurred_at":"*","created_at":"*","deliver_at":null,"test":false,"deliveries":0}],"next_cursor":null}`},
		{name: "list with data", method: "GET", path: "/events?data=true&limit=2", status: 200, want: `{"data":[{"data":[]},{"data":[]}],"next_cursor":"*"}`, save: "next=next_cursor"},
		{name: "the next page", method: "GET", path: "/events?data=true&limit=2&cursor={next}", status: 200, want: `{"data":[{"id":"{first}","data":{"total":1.5}}],"next_cursor":null}`},
		{name: "a cursor of another list", method: "GET", path: "/events?limit=2&cursor={next}", status: 422, problem: "invalid cursor"},
		{name: "of a tenant", method: "GET", path: "/events?tenant=other", status: 200, without: []string{`"data":[]}`}, want: `{"data":[{"tenant":"other","id":"{second}"}]}`},
		{name: "of a tenant with data", method: "GET", path: "/events?tenant=other&data=true", status: 200, want: `{"data":[{"tenant":"other","data":[]}]}`},
		{name: "of no tenant", method: "GET", path: "/events?tenant=nobody", status: 404, problem: "not_found"},
		{name: "by key", method: "GET", path: "/events?key=order-1", status: 200, want: `{"data":[{"tenant":"other","id":"{second}"},{"tenant":"acme","id":"{first}"}],"next_cursor":null}`},
		{name: "by key and type", method: "GET", path: "/events?key=order-1&type=none", status: 200, want: `{"data":[]}`},
		{name: "by key in a tenant", method: "GET", path: "/events?key=order-1&tenant=acme", status: 200, want: `{"data":[{"tenant":"acme","id":"{first}"}]}`},
		{name: "by an unknown key", method: "GET", path: "/events?key=order-2", status: 200, want: `{"data":[]}`},
		{name: "of a type", method: "GET", path: "/events?type=none", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "until", method: "GET", path: "/events?until=2020-01-01T00:00:00Z", status: 200, want: `{"data":[]}`},
		{name: "since", method: "GET", path: "/events?since=2020-01-01T01:00:00%2B01:00&limit=1", status: 200, want: `{"data":[{"id":"{third}"}]}`},
		{name: "no time", method: "GET", path: "/events?since=today", status: 422, problem: "invalid since"},
		{name: "no truth", method: "GET", path: "/events?data=maybe", status: 422, problem: "invalid data", want: `{"detail":"data must be true or false"}`},
		{name: "by a tenant", method: "GET", path: "/events", key: "tenant", status: 403, problem: "forbidden"},
		{name: "by a publisher", method: "GET", path: "/events", key: "publisher", status: 403, problem: "forbidden"},
		{name: "delete a tenant", method: "DELETE", path: "/tenants/other", status: 204},
		{name: "without it", method: "GET", path: "/events", status: 200, want: `{"data":[{"id":"{third}"},{"id":"{first}"}]}`},
	})
}

// TestWaitingEndpoints lists endpoints for which deliveries wait, and those that subscribe to a type.
func TestWaitingEndpoints(t *testing.T) {
	const endpoints = "/tenants/acme/endpoints"
	run(t, []step{
		{name: "cards", method: "POST", path: endpoints, body: `{"url":"https://example.com","events":["card.*"]}`, status: 201, save: "cards=id"},
		{name: "invoices", method: "POST", path: endpoints, body: `{"url":"https://example.com","events":["invoice.paid"]}`, status: 201, save: "invoices=id"},
		{name: "everything", method: "POST", path: "/tenants/other/endpoints", body: `{"url":"https://example.com","events":["*"],"status":"paused"}`, status: 201, save: "all=id"},
		{name: "nothing waits", method: "GET", path: "/endpoints?waiting=true", status: 200, want: `{"data":[]}`},
		{name: "publish", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{}}`, status: 202},
		{name: "what waits", method: "GET", path: "/endpoints?waiting=true", status: 200, want: `{"data":[{"id":"{invoices}","health":{"waiting":1}}],"next_cursor":null}`},
		{name: "what waits of the tenant", method: "GET", path: endpoints + "?waiting=true", key: "tenant", status: 200, want: `{"data":[{"id":"{invoices}"}]}`},
		{name: "what waits and fails", method: "GET", path: "/endpoints?waiting=true&health=failing", status: 200, want: `{"data":[]}`},
		{name: "all", method: "GET", path: endpoints + "?waiting=false", status: 200, want: `{"data":[{"id":"{invoices}"},{"id":"{cards}"}]}`},
		{name: "no truth", method: "GET", path: "/endpoints?waiting=1", status: 422, problem: "invalid waiting"},
		{name: "by type", method: "GET", path: "/endpoints?event_type=invoice.paid", status: 200, want: `{"data":[{"id":"{all}"},{"id":"{invoices}"}],"next_cursor":null}`},
		{name: "by type, a page", method: "GET", path: "/endpoints?event_type=invoice.paid&limit=1", status: 200, want: `{"data":[{"id":"{all}"}],"next_cursor":"*"}`, save: "next=next_cursor"},
		{name: "by type, the next page", method: "GET", path: "/endpoints?event_type=invoice.paid&limit=1&cursor={next}", status: 200, want: `{"data":[{"id":"{invoices}"}],"next_cursor":"*"}`, save: "next=next_cursor"},
		{name: "by type, the last page", method: "GET", path: "/endpoints?event_type=invoice.paid&limit=1&cursor={next}", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "by type and status", method: "GET", path: "/endpoints?event_type=invoice.paid&status=enabled", status: 200, want: `{"data":[{"id":"{invoices}"}]}`},
		{name: "by another type", method: "GET", path: endpoints + "?event_type=card.blocked", key: "tenant-read", status: 200, want: `{"data":[{"id":"{cards}"}]}`},
		{name: "another type", method: "PUT", path: "/event-types/card.blocked", body: `{}`, status: 201},
		{name: "how many subscribe", method: "GET", path: "/subscriptions", status: 200, want: `{"data":[{"event_type":"card.blocked","endpoints":2},{"event_type":"invoice.paid","endpoints":2}],"capped":false}`},
		{name: "how many subscribe, by a tenant", method: "GET", path: "/subscriptions", key: "tenant", status: 403, problem: "forbidden"},
		{name: "disable", method: "PATCH", path: endpoints + "/{cards}", body: `{"status":"disabled"}`, status: 200},
		{name: "how many subscribe beside a disabled one", method: "GET", path: "/subscriptions", status: 200, want: `{"data":[{"event_type":"card.blocked","endpoints":1},{"event_type":"invoice.paid","endpoints":2}]}`},
		{name: "by a type of none", method: "GET", path: endpoints + "?event_type=none", status: 200, want: `{"data":[]}`},
	})
}
