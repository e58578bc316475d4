package api_test

import "testing"

func TestTryFilter(t *testing.T) {
	const try = "/tenants/acme/filters/try"
	run(t, []step{
		{name: "no events", method: "POST", path: try, body: `{"filter":"true"}`, status: 200, want: `{"matched":0,"unmatched":0,"errors":0,"examples":[]}`},
		{name: "type", method: "PUT", path: "/event-types/card.created", body: `{}`, status: 201},
		{name: "small", method: "POST", path: "/tenants/acme/events", key: "publisher", body: `{"type":"card.created","data":{"n":5}}`, status: 202, save: "small=id"},
		{name: "large", method: "POST", path: "/tenants/acme/events", key: "publisher", body: `{"type":"card.created","data":{"n":500}}`, status: 202, save: "large=id"},
		{name: "neither", method: "POST", path: "/tenants/acme/events", key: "publisher", body: `{"type":"card.created","data":{}}`, status: 202, save: "neither=id"},
		{name: "all", method: "POST", path: try, key: "tenant-read", body: `{"filter":"type == \"card.created\" && data.n > 100"}`, status: 200,
			want: `{"matched":1,"unmatched":1,"errors":1,"examples":[
				{"event":"{neither}","type":"card.created","created_at":"*","outcome":"error","condition":"data.n > 100","problem":"data.n does not exist"},
				{"event":"{large}","outcome":"matched"},{"event":"{small}","outcome":"unmatched","condition":"data.n > 100"}]}`},
		{name: "one", method: "POST", path: try, body: `{"filter":"data.n > 100","limit":1}`, status: 200, want: `{"matched":0,"unmatched":0,"errors":1}`},
		{name: "of a type", method: "POST", path: try, body: `{"filter":"true","types":["card*"]}`, status: 200, want: `{"matched":3}`},
		{name: "of another type", method: "POST", path: try, body: `{"filter":"true","types":["invoice.*"]}`, status: 200, want: `{"matched":0,"unmatched":0,"errors":0}`},
		{name: "no filter", method: "POST", path: try, body: `{}`, status: 422, problem: "invalid filter"},
		{name: "bad filter", method: "POST", path: try, body: `{"filter":"data."}`, status: 422, problem: "invalid filter"},
		{name: "filter that the schema refuses", method: "POST", path: try, body: `{"filter":"data.amuont > 1","types":["invoice.paid"]}`, status: 422, problem: "invalid filter"},
		{name: "bad types", method: "POST", path: try, body: `{"filter":"true","types":["a","b*c"]}`, status: 422, problem: "invalid types[1]"},
		{name: "no types", method: "POST", path: try, body: `{"filter":"true","types":[]}`, status: 422, problem: "invalid types"},
		{name: "limit 0", method: "POST", path: try, body: `{"filter":"true","limit":0}`, status: 422, problem: "invalid limit"},
		{name: "limit 1001", method: "POST", path: try, body: `{"filter":"true","limit":1001}`, status: 422, problem: "invalid limit"},
		{name: "another tenant's", method: "POST", path: try, key: "other", body: `{"filter":"true"}`, status: 404, problem: "not_found"},
		{name: "wrong role", method: "POST", path: try, key: "publisher", body: `{"filter":"true"}`, status: 403, problem: "forbidden"},
		{name: "unknown tenant", method: "POST", path: "/tenants/nobody/filters/try", body: `{"filter":"true"}`, status: 404, problem: "not_found"},
	})
}
