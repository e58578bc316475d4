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
		if _, err := w.store.RecordOutcomes(t.Context(), []*bellwire.Result{r}); err != nil {
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
