package api_test

import "testing"

// TestEraseEvent: the event says who erased its data, its delivery says so too, and nothing can be sent again.
func TestEraseEvent(t *testing.T) {
	run(t, []step{
		{method: "POST", path: "/tenants/acme/endpoints", body: newEndpointBody, status: 201, save: "endpoint=id"},
		{method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","id":"k","data":{"total":4711}}`, status: 202, save: "event=id"},
		{method: "GET", path: "/tenants/acme/deliveries", status: 200, save: "delivery=data.0.id"},
		{name: "a preview", method: "POST", path: "/tenants/acme/endpoints/{endpoint}/versions/preview", header: []string{"Idempotency-Key: p"}, body: `{"versions":{"invoice.paid":1}}`,
			status: 200, want: `{"data":[{"event":"{event}"}]}`},
		{name: "a tenant may not", method: "DELETE", path: "/tenants/acme/events/{event}/data", key: "tenant", status: 403, problem: "forbidden"},
		{name: "a publisher may not", method: "DELETE", path: "/tenants/acme/events/{event}/data", key: "publisher", status: 403, problem: "forbidden"},
		{name: "no event", method: "DELETE", path: "/tenants/acme/events/evt_00000000000000000000000000000001/data", status: 404, problem: "not_found"},
		{name: "no id", method: "DELETE", path: "/tenants/acme/events/x/data", status: 404, problem: "not_found"},
		{name: "erase", method: "DELETE", path: "/tenants/acme/events/{event}/data", status: 204},
		{name: "again", method: "DELETE", path: "/tenants/acme/events/{event}/data", status: 204},
		{name: "the event", method: "GET", path: "/tenants/acme/events/{event}", status: 200, without: []string{"4711"},
			want: `{"data":null,"idempotency_key":"k","type":"invoice.paid","erased":{"at":"*","by":{"kind":"configured","role":"admin","address":"192.0.2.1"}},
				"endpoints":[{"outcome":"canceled","reason":"the event's data was erased"}]}`},
		{name: "the list, for the tenant", method: "GET", path: "/tenants/acme/events", key: "tenant", status: 200, without: []string{"4711", "192.0.2.1"},
			want: `{"data":[{"data":null,"erased":{"at":"*","by":{"role":"admin"}}}]}`},
		{name: "the preview again", method: "POST", path: "/tenants/acme/endpoints/{endpoint}/versions/preview", header: []string{"Idempotency-Key: p"}, body: `{"versions":{"invoice.paid":1}}`,
			status: 200, want: `{"data":[]}`, without: []string{"4711"}},
		{name: "by its key", method: "GET", path: "/tenants/acme/events?key=k", status: 200, want: `{"data":[{"data":null}]}`},
		{name: "retry", method: "POST", path: "/tenants/acme/deliveries/{delivery}/retry", status: 409, problem: "conflict"},
		{name: "restart", method: "POST", path: "/tenants/acme/deliveries/{delivery}/retry", body: `{"restart":true}`, status: 409, problem: "conflict"},
		{name: "the same again", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","id":"k","data":{"total":4711}}`, status: 202, want: `{"id":"{event}","duplicate":true}`},
		{name: "another with its id", method: "POST", path: "/tenants/acme/events/batch", body: `{"events":[{"type":"invoice.paid","id":"k","data":{"total":4712}}]}`, status: 202,
			want: `{"data":[{"id":"{event}","duplicate":true}]}`},
		{name: "filters", method: "POST", path: "/tenants/acme/filters/try", body: `{"filter":"data.total == 4711"}`, status: 200, want: `{"matched":0,"unmatched":0,"errors":0}`},
		{name: "the audit log", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200, want: `{"data":[{"action":"event.erase","subject":"{event}","by":{"role":"admin"}}]}`},
	})
}
