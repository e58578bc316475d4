package api_test

import "testing"

// TestEventsThatContain: events are found by a text in their data, of one tenant and of all.
func TestEventsThatContain(t *testing.T) {
	publish := func(tenant, data string) step {
		return step{name: "publish", method: "POST", path: "/tenants/" + tenant + "/events", body: `{"type":"invoice.paid","data":` + data + `}`, status: 202}
	}
	run(t, []step{
		publish("acme", `{"note":"Blue Whale"}`), publish("other", `{"note":"blue whale"}`), publish("acme", `{"note":"red"}`),
		{name: "of a tenant", method: "GET", path: "/tenants/acme/events?contains=blue%20WHALE", key: "tenant", status: 200, want: `{"data":[{"data":{"note":"Blue Whale"}}],"next_cursor":null}`},
		{name: "with a type that it has not", method: "GET", path: "/tenants/acme/events?contains=blue&type=a", key: "tenant", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "of all", method: "GET", path: "/events?contains=whale&data=true", status: 200, want: `{"data":[{"tenant":"other","data":{"note":"blue whale"}},{"tenant":"acme","data":{"note":"Blue Whale"}}],"next_cursor":null}`},
		{name: "of all, without the data", method: "GET", path: "/events?contains=whale&tenant=acme", status: 200, without: []string{"Whale"}, want: `{"data":[{"tenant":"acme"}],"next_cursor":null}`},
		{name: "in pages", method: "GET", path: "/events?contains=whale&limit=1", status: 200, want: `{"data":[{"tenant":"other"}],"next_cursor":"*","searched_to":"*"}`, save: "cursor=next_cursor"},
		{name: "the next one", method: "GET", path: "/events?contains=whale&limit=1&cursor={cursor}", status: 200, want: `{"data":[{"tenant":"acme"}],"next_cursor":null}`},
		{name: "with a key", method: "GET", path: "/tenants/acme/events?contains=a&key=b", status: 422, problem: "invalid contains"},
		{name: "of all, with a key", method: "GET", path: "/events?contains=a&key=b", status: 422, problem: "invalid contains"},
	})
}
