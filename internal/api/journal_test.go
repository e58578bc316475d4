package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var long = strings.Repeat("x", 1<<20)

func TestPublishing(t *testing.T) {
	const events = "/tenants/acme/events"
	run(t, []step{
		{name: "an endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com","events":["invoice.*"]}`, status: 201, save: "ep=id"},

		{name: "publish", method: "POST", path: events, key: "publisher", body: `{"type":"invoice.paid","data":{"total":1.5}}`, status: 202,
			want: `{"id":"*","type":"invoice.paid","deliveries":1,"duplicate":false}`, save: "first=id"},
		{name: "publish with an id", method: "POST", path: events, body: `{"type":"invoice.paid","data":{},"id":"k1","occurred_at":"2026-01-31T13:30:00+01:00"}`, status: 202,
			want: `{"duplicate":false}`, save: "keyed=id"},
		{name: "publish it again", method: "POST", path: events, body: `{"type":"invoice.paid","data":{},"id":"k1"}`, status: 202, want: `{"id":"{keyed}","deliveries":1,"duplicate":true}`},
		{name: "publish another under its id", method: "POST", path: events, body: `{"type":"invoice.paid","data":[],"id":"k1"}`, status: 409, problem: "conflict"},
		{name: "unknown type", method: "POST", path: events, body: `{"type":"nothing","data":{}}`, status: 422, problem: "invalid type"},
		{name: "data that does not fit", method: "POST", path: events, body: `{"type":"invoice.paid","data":{"total":"much"}}`, status: 422, problem: "invalid data.total"},
		{name: "no data", method: "POST", path: events, body: `{"type":"invoice.paid"}`, status: 422, problem: "invalid data"},
		{name: "unknown field", method: "POST", path: events, body: `{"type":"invoice.paid","data":1,"x":1}`, status: 422, problem: "invalid x"},
		{name: "broken", method: "POST", path: events, body: `{"type":"invoice.paid","data":`, status: 400, problem: "malformed"},
		{name: "too large an event", method: "POST", path: events, body: `{"type":"invoice.paid","data":"` + long + `"}`, status: 413, problem: "too_large"},
		{name: "too large a body", method: "POST", path: events, body: `{"type":"invoice.paid","data":"` + long + long + `"}`, status: 413, problem: "too_large"},
		{name: "no key", method: "POST", path: events, key: "none", body: `{`, status: 401, problem: "unauthenticated"},
		{name: "by a tenant", method: "POST", path: events, key: "tenant", body: `{"type":"invoice.paid","data":{}}`, status: 403, problem: "forbidden"},
		{name: "for another tenant", method: "POST", path: events, key: "other", body: `{"type":"invoice.paid","data":{}}`, status: 404, problem: "not_found"},
		{name: "for nobody", method: "POST", path: "/tenants/nobody/events", body: `{"type":"invoice.paid","data":{}}`, status: 404, problem: "not_found"},
		{name: "an unknown type for nobody", method: "POST", path: "/tenants/nobody/events", body: `{"type":"nothing","data":{}}`, status: 404, problem: "not_found"},
		{name: "unfit data for nobody", method: "POST", path: "/tenants/nobody/events/batch", body: `{"events":[{"type":"invoice.paid","data":{"total":"much"}}]}`, status: 404, problem: "not_found"},
		{name: "nothing good by a tenant", method: "POST", path: events, key: "tenant", body: `{`, status: 403, problem: "forbidden"},
		{name: "no good batch for another tenant", method: "POST", path: events + "/batch", key: "other", body: `{`, status: 404, problem: "not_found"},

		{name: "batch", method: "POST", path: events + "/batch", key: "publisher", status: 202,
			body: `{"events":[{"type":"invoice.paid","data":[1]},{"type":"invoice.paid","data":[2],"id":"k2"}]}`,
			want: `{"data":[{"id":"*","type":"invoice.paid","deliveries":1,"duplicate":false},{"id":"*"}]}`, save: "batched=data.1.id"},
		{name: "fault in a batch", method: "POST", path: events + "/batch", status: 422, problem: "invalid events[1].data.total",
			body: `{"events":[{"type":"invoice.paid","data":[3]},{"type":"invoice.paid","data":{"total":"much"}}]}`},
		{name: "empty batch", method: "POST", path: events + "/batch", body: `{"events":[]}`, status: 422, problem: "invalid events"},
		{name: "batch by a tenant", method: "POST", path: events + "/batch", key: "tenant", body: `{"events":[{"type":"invoice.paid","data":[1]}]}`, status: 403, problem: "forbidden"},

		{name: "list", method: "GET", path: events, key: "tenant-read", status: 200,
			want: `{"data":[{"id":"{batched}","idempotency_key":"k2"},{"data":[1]},{"id":"{keyed}","idempotency_key":"k1","occurred_at":"2026-01-31T12:30:00Z"},
				{"id":"{first}","type":"invoice.paid","data":{"total":1.5},"idempotency_key":null,"occurred_at":"*","created_at":"*","test":false,"deliveries":1}],"next_cursor":null}`},
		{name: "list a page", method: "GET", path: events + "?limit=3", status: 200, want: `{"next_cursor":"*","searched_to":"*"}`, save: "next=next_cursor"},
		{name: "list the next page", method: "GET", path: events + "?limit=3&cursor={next}", status: 200, want: `{"data":[{"id":"{first}"}],"next_cursor":null}`},
		{name: "list another type", method: "GET", path: events + "?type=nothing", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "list since", method: "GET", path: events + "?since=2026-01-01T00:00:00Z&until=2999-01-01T00:00:00Z&limit=1", status: 200, want: `{"data":[{"id":"{batched}"}]}`},
		{name: "list until", method: "GET", path: events + "?until=2020-01-01T00:00:00Z", status: 200, want: `{"data":[]}`},
		{name: "list since, in a time zone", method: "GET", path: events + "?since=2020-01-01T01:00:00+01:00&limit=1", status: 200, want: `{"data":[{"id":"{batched}"}]}`},
		{name: "list until, in small letters", method: "GET", path: events + "?until=2020-01-01t00:00:00z", status: 200, want: `{"data":[]}`},
		{name: "list by key", method: "GET", path: events + "?key=k1&type=invoice.paid&since=2026-01-01T00:00:00Z", status: 200, want: `{"data":[{"id":"{keyed}"}],"next_cursor":null}`},
		{name: "list by key and another type", method: "GET", path: events + "?key=k1&type=nothing", status: 200, want: `{"data":[]}`},
		{name: "list by key and an earlier time", method: "GET", path: events + "?key=k1&until=2020-01-01T00:00:00Z", status: 200, want: `{"data":[]}`},
		{name: "list by key and a later time", method: "GET", path: events + "?key=k1&since=2999-01-01T00:00:00Z", status: 200, want: `{"data":[]}`},
		{name: "list by an unknown key", method: "GET", path: events + "?key=k9", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "list by key in another tenant", method: "GET", path: "/tenants/other/events?key=k1", status: 200, want: `{"data":[]}`},
		{name: "bad time", method: "GET", path: events + "?since=today", status: 422, problem: "invalid since"},
		{name: "list by a publisher", method: "GET", path: events, key: "publisher", status: 403, problem: "forbidden"},
		{name: "list a bad page by a publisher", method: "GET", path: events + "?limit=0", key: "publisher", status: 403, problem: "forbidden"},
		{name: "list another tenant's", method: "GET", path: events, key: "other", status: 404, problem: "not_found"},
		{name: "get", method: "GET", path: events + "/{keyed}", key: "tenant", status: 200, want: `{"id":"{keyed}","idempotency_key":"k1","data":{}}`},
		{name: "get another tenant's", method: "GET", path: "/tenants/other/events/{keyed}", status: 404, problem: "not_found"},
		{name: "get unknown", method: "GET", path: events + "/evt_00000000000000000000000000000000", status: 404, problem: "not_found"},
		{name: "get what is no id", method: "GET", path: events + "/x", status: 404, problem: "not_found"},
	})
}

// TestExplanations asks what became of events at endpoints that were made, paused, disabled and deleted in between.
func TestExplanations(t *testing.T) {
	const events, endpoints = "/tenants/acme/events", "/tenants/acme/endpoints"
	publish := func(name string) step {
		return step{name: "publish " + name, method: "POST", path: events, body: `{"type":"invoice.paid","data":{"total":1E40}}`, status: 202, save: name + "=id"}
	}
	create := func(name, pattern string) step {
		return step{name: "create " + name, method: "POST", path: endpoints, body: `{"url":"https://example.com","events":["` + pattern + `"]}`, status: 201, save: name + "=id"}
	}
	run(t, []step{
		create("all", "*"), create("cards", "card.*"),
		publish("first"),
		create("late", "*"),
		{name: "disable", method: "PATCH", path: endpoints + "/{late}", key: "tenant", body: `{"status":"disabled"}`, status: 200},
		{name: "pause", method: "PATCH", path: endpoints + "/{all}", body: `{"status":"paused"}`, status: 200},
		{name: "delete", method: "DELETE", path: endpoints + "/{cards}", status: 204},
		publish("second"),
		{name: "the first", method: "GET", path: events + "/{first}", key: "tenant", status: 200, want: `{"id":"{first}","deliveries":1,"endpoints":[
			{"endpoint":"{late}","outcome":"created_later","reason":"*","delivery":null,"since":"*"},
			{"endpoint":"{cards}","outcome":"not_subscribed","reason":"the endpoint's events were card.*, and none of them matches invoice.paid","delivery":null},
			{"endpoint":"{all}","outcome":"paused","reason":"*","delivery":"*","since":"*","by":{"kind":"configured","key":null,"role":"admin"}}],"endpoints_next_cursor":null}`,
			without: []string{"192.0.2.1"}},
		{name: "the second", method: "GET", path: events + "/{second}", status: 200, want: `{"endpoints":[
			{"endpoint":"{late}","outcome":"disabled","delivery":null,"since":"*","by":{"kind":"key","key":"*","role":"tenant","address":"192.0.2.1"}},
			{"endpoint":"{cards}","outcome":"deleted","delivery":null,"since":"*","by":{"kind":"configured"}},
			{"endpoint":"{all}","outcome":"paused","delivery":"*"}]}`},
		{name: "page", method: "GET", path: events + "/{first}/endpoints?limit=2", status: 200, want: `{"data":[{"endpoint":"{late}"},{"endpoint":"{cards}"}],"next_cursor":"*"}`, save: "next=next_cursor"},
		{name: "next page", method: "GET", path: events + "/{first}/endpoints?cursor={next}", status: 200, want: `{"data":[{"endpoint":"{all}","outcome":"paused"}],"next_cursor":null}`},
		{name: "another tenant's", method: "GET", path: events + "/{first}/endpoints", key: "other", status: 404, problem: "not_found"},
		{name: "what is no id", method: "GET", path: events + "/x/endpoints", status: 404, problem: "not_found"},
		{name: "bad cursor", method: "GET", path: events + "/{second}/endpoints?cursor={next}", status: 422, problem: "invalid cursor"},
	})
}

// TestManyEndpoints explains an event at more endpoints than its answer shows.
func TestManyEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 101 {
		if answer := w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://example.com","events":["*"]}`); answer.Code != 201 {
			t.Fatal(answer.Body)
		}
	}
	var event struct {
		ID        string
		Endpoints []struct{ Endpoint, Outcome string }
		Next      string `json:"endpoints_next_cursor"`
	}
	read := func(method, path, body string, into any) {
		t.Helper()
		answer := w.call(method, path, adminKey, body)
		if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil || answer.Code >= 400 {
			t.Fatal(answer.Code, answer.Body, err)
		}
	}
	read("POST", "/tenants/acme/events", `{"type":"invoice.paid","data":{}}`, &event)
	read("GET", "/tenants/acme/events/"+event.ID, "", &event)
	var rest struct {
		Data []struct{ Endpoint, Outcome string }
		Next *string `json:"next_cursor"`
	}
	read("GET", "/tenants/acme/events/"+event.ID+"/endpoints?cursor="+event.Next, "", &rest)
	if len(event.Endpoints) != 100 || len(rest.Data) != 1 || rest.Next != nil || rest.Data[0].Outcome != "pending" {
		t.Errorf("%d endpoints and %+v", len(event.Endpoints), rest)
	}
}

// TestIdempotencyKey publishes with the header that other APIs have for it.
func TestIdempotencyKey(t *testing.T) {
	const events = "/tenants/acme/events"
	with := func(values ...string) (lines []string) {
		for _, v := range values {
			lines = append(lines, "Idempotency-Key: "+v)
		}
		return lines
	}
	event, other := `{"type":"invoice.paid","data":{}}`, `{"type":"invoice.paid","data":[]}`
	full := strings.Repeat("k", 128)
	run(t, []step{
		{name: "bare", method: "POST", path: events, header: with("order-42"), body: event, status: 202, want: `{"duplicate":false}`, save: "bare=id"},
		{name: "again", method: "POST", path: events, header: with("order-42"), body: event, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "in quotes", method: "POST", path: events, header: with(`"order-42"`), body: event, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "between spaces", method: "POST", path: events, header: with(` "order-42"	`), body: event, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "in the body", method: "POST", path: events, body: `{"type":"invoice.paid","data":{},"id":"order-42"}`, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "in both", method: "POST", path: events, header: with("order-42"), body: `{"type":"invoice.paid","data":{},"id":"order-42"}`, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "null in the body", method: "POST", path: events, header: with("order-42"), body: `{"type":"invoice.paid","data":{},"id":null}`, status: 202, want: `{"id":"{bare}","duplicate":true}`},
		{name: "of another event", method: "POST", path: events, header: with("order-42"), body: other, status: 409, problem: "conflict"},
		{name: "another in the body", method: "POST", path: events, header: with("order-42"), body: `{"type":"invoice.paid","data":{},"id":"order-43"}`, status: 422, problem: "invalid id"},
		{name: "shown", method: "GET", path: events + "/{bare}", status: 200, want: `{"idempotency_key":"order-42"}`},
		{name: "escapes", method: "POST", path: events, header: with(`"a\"b\\c"`), body: event, status: 202, save: "escaped=id"},
		{name: "escapes in the body", method: "POST", path: events, body: `{"type":"invoice.paid","data":{},"id":"a\"b\\c"}`, status: 202, want: `{"id":"{escaped}","duplicate":true}`},
		{name: "long", method: "POST", path: events, header: with(full), body: event, status: 202},
		{name: "too long", method: "POST", path: events, header: with(full + "k"), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "empty", method: "POST", path: events, header: with(""), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "empty in quotes", method: "POST", path: events, header: with(`""`), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "half in quotes", method: "POST", path: events, header: with(`"a`), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "with parameters", method: "POST", path: events, header: with(`"a";b=1`), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "not printable", method: "POST", path: events, header: with("a\u0085"), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "Latin-1", method: "POST", path: events, header: with("a\xe9"), body: event, status: 422, problem: "invalid Idempotency-Key"},
		{name: "twice", method: "POST", path: events, header: with("a", "a"), body: event, status: 422, problem: "invalid Idempotency-Key"},

		{name: "batch", method: "POST", path: events + "/batch", header: with("b"), status: 202, save: "one=data.0.id two=data.1.id",
			body: `{"events":[` + event + `,{"type":"invoice.paid","data":{},"id":"own"}]}`},
		{name: "batch again", method: "POST", path: events + "/batch", header: with(`"b"`), status: 202,
			body: `{"events":[` + event + `,{"type":"invoice.paid","data":{},"id":"own"}]}`,
			want: `{"data":[{"id":"{one}","duplicate":true},{"id":"{two}","duplicate":true}]}`},
		{name: "another batch", method: "POST", path: events + "/batch", header: with("b"), body: `{"events":[` + other + `]}`, status: 409, problem: "conflict"},
		{name: "shown by its place", method: "GET", path: events + "/{one}", status: 200, want: `{"idempotency_key":"b/0"}`},
		{name: "no room for the place", method: "POST", path: events + "/batch", header: with(full[:127]), body: `{"events":[` + event + `]}`, status: 422, problem: "invalid Idempotency-Key"},
		{name: "twice for a batch", method: "POST", path: events + "/batch", header: with("a", "b"), body: `{"events":[` + event + `]}`, status: 422, problem: "invalid Idempotency-Key"},
	})
}

// TestGivenOnce repeats headers and parameters that may be given only once.
func TestGivenOnce(t *testing.T) {
	const of = "/tenants/acme/"
	run(t, []step{
		{name: "events", method: "GET", path: of + "events?type=a&type=b", status: 422, problem: "invalid type"},
		{name: "the same value", method: "GET", path: of + "events?limit=1&limit=1", status: 422, problem: "invalid limit"},
		{name: "deliveries", method: "GET", path: of + "deliveries?status=exhausted&status=canceled", status: 422, problem: "invalid status"},
		{name: "endpoints", method: "GET", path: of + "endpoints?cursor=&cursor=", status: 422, problem: "invalid cursor"},
		{name: "keys", method: "GET", path: of + "keys?limit=1&limit=2", status: 422, problem: "invalid limit"},
		{name: "tenants", method: "GET", path: "/tenants?limit=1&limit=2", status: 422, problem: "invalid limit"},
		{name: "event types", method: "GET", path: "/event-types?limit=1&limit=2", status: 422, problem: "invalid limit"},
		{name: "audit", method: "GET", path: "/audit?tenant=a&tenant=b", status: 422, problem: "invalid tenant"},
		{name: "by who may not", method: "GET", path: of + "events?type=a&type=b", key: "publisher", status: 403, problem: "forbidden"},
		{name: "a broken query", method: "GET", path: of + "events?type=%zz", status: 400, problem: "malformed"},
		{name: "two keys", method: "GET", path: of + "events", header: []string{"Authorization: Bearer wrong"}, status: 401, problem: "unauthenticated"},
		{name: "two keys to publish", method: "POST", path: of + "events", header: []string{"Authorization: Bearer wrong"}, body: `{"type":"invoice.paid","data":{}}`, status: 401, problem: "unauthenticated"},
	})
}

// TestDataComesBackByteForByte publishes what every re-encoding would change.
func TestDataComesBackByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	datas := []string{
		`{ "total" :  1.50,"n":[1E400, -0 , 1e-9],"x":1,"x":2}`, `"\u00e9é\/\u003c<>&\ud83d\ude00"`, `null`, `[ ]`,
		"{\n\t\"total\": 12345678901234567890.0\n}",
	}
	for _, data := range datas {
		t.Run(data, func(t *testing.T) {
			answer := w.call("POST", "/tenants/acme/events", adminKey, `{"type":"invoice.paid","data":`+data+`}`)
			var receipt struct{ ID string }
			if err := json.Unmarshal(answer.Body.Bytes(), &receipt); err != nil || answer.Code != 202 {
				t.Fatalf("%s: %d %s", data, answer.Code, answer.Body)
			}
			answer = w.call("GET", "/tenants/acme/events/"+receipt.ID, adminKey, "")
			var event struct{ Data json.RawMessage }
			if err := json.Unmarshal(answer.Body.Bytes(), &event); err != nil || string(event.Data) != data {
				t.Errorf("%q became %q (%v)", data, event.Data, err)
			}
		})
	}
	var list struct {
		Data []struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal(w.call("GET", "/tenants/acme/events", adminKey, "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	for i, event := range list.Data {
		if want := datas[len(datas)-1-i]; string(event.Data) != want {
			t.Errorf("in the list %q became %q", want, event.Data)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	const deliveries = "/tenants/acme/deliveries"
	w := newWorld(t)
	for _, s := range []step{
		{name: "an endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com","events":["*"]}`, status: 201, save: "ep=id"},
		{name: "another", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.org","events":["*"]}`, status: 201, save: "other=id"},
		{name: "an event", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{}}`, status: 202, save: "event=id"},
		{name: "find its delivery", method: "GET", path: deliveries + "?endpoint={ep}", status: 200, save: "id=data.0.id",
			want: `{"data":[{"id":"*","event":"{event}","event_type":"invoice.paid","endpoint":"{ep}","status":"pending","reason":"","attempt_count":0,"next_attempt_at":"*","created_at":"*","updated_at":"*"}],"next_cursor":null}`},
		{name: "find the other", method: "GET", path: deliveries + "?endpoint={other}", status: 200, save: "second=data.0.id"},
	} {
		w.step(t, s)
	}
	w.recordAttempts(t)
	for _, s := range []step{
		{name: "list", method: "GET", path: deliveries, key: "tenant-read", status: 200, want: `{"data":[{},{}],"next_cursor":null}`, without: []string{`"attempts"`}},
		{name: "page", method: "GET", path: deliveries + "?limit=1", status: 200, want: `{"data":[{}],"next_cursor":"*","searched_to":"*"}`, save: "next=next_cursor"},
		{name: "next page", method: "GET", path: deliveries + "?limit=1&cursor={next}", status: 200, want: `{"data":[{}],"next_cursor":null}`},
		{name: "by event and status", method: "GET", path: deliveries + "?event={event}&status=retrying", status: 200, want: `{"data":[{"id":"{id}","attempt_count":4}]}`},
		{name: "by another status", method: "GET", path: deliveries + "?status=succeeded", status: 200, want: `{"data":[]}`},
		{name: "by the last outcome", method: "GET", path: deliveries + "?outcome=ok", status: 200, want: `{"data":[{"id":"{id}"}],"next_cursor":null}`},
		{name: "by another outcome", method: "GET", path: deliveries + "?outcome=tls", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "by a bad outcome", method: "GET", path: deliveries + "?outcome=bad", status: 422, problem: "invalid outcome"},
		{name: "of a dialect", method: "GET", path: deliveries + "?dialect=standard", status: 200, want: `{"data":[{},{}]}`},
		{name: "of an unknown dialect", method: "GET", path: deliveries + "?dialect=latin", status: 422, problem: "invalid dialect"},
		{name: "of all tenants", method: "GET", path: "/deliveries?dialect=standard&status=retrying&type=invoice.paid&since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z", status: 200,
			want: `{"data":[{"tenant":"acme","id":"{id}","event":"{event}","endpoint":"{ep}","attempt_count":4}],"next_cursor":null}`, without: []string{`"attempts"`}},
		{name: "of all tenants, by tenant", method: "GET", path: "/deliveries?tenant=other", status: 200, want: `{"data":[],"next_cursor":null}`},
		{name: "of all tenants, by endpoint", method: "GET", path: "/deliveries?endpoint={other}", status: 200, want: `{"data":[{"tenant":"acme","id":"{second}"}],"next_cursor":null}`},
		{name: "of all tenants, by the last outcome", method: "GET", path: "/deliveries?outcome=ok", status: 200, want: `{"data":[{"id":"{id}"}]}`},
		{name: "of all tenants, a page", method: "GET", path: "/deliveries?limit=1", status: 200, want: `{"data":[{}],"next_cursor":"*","searched_to":"*"}`, save: "next=next_cursor"},
		{name: "of all tenants, the next page", method: "GET", path: "/deliveries?limit=1&cursor={next}", status: 200, want: `{"data":[{}],"next_cursor":null}`},
		{name: "of an unknown tenant", method: "GET", path: "/deliveries?tenant=nobody", status: 404, problem: "not_found"},
		{name: "of all tenants, by bad filters", method: "GET", path: "/deliveries?status=lost", status: 422, problem: "invalid status"},
		{name: "of all tenants, by a bad time", method: "GET", path: "/deliveries?until=today", status: 422, problem: "invalid until"},
		{name: "of all tenants by a tenant's key", method: "GET", path: "/deliveries", key: "tenant", status: 403, problem: "forbidden"},
		{name: "of its own tenant by a tenant's key", method: "GET", path: "/deliveries?tenant=acme", key: "tenant", status: 403, problem: "forbidden"},
		{name: "of all tenants by a reader", method: "GET", path: "/deliveries", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "of all tenants by a publisher", method: "GET", path: "/deliveries", key: "publisher", status: 403, problem: "forbidden"},
		{name: "by a bad status", method: "GET", path: deliveries + "?status=lost", status: 422, problem: "invalid status"},
		{name: "by a bad event", method: "GET", path: deliveries + "?event=x", status: 422, problem: "invalid event"},
		{name: "list by a publisher", method: "GET", path: deliveries, key: "publisher", status: 403, problem: "forbidden"},
		{name: "list another tenant's", method: "GET", path: deliveries, key: "other", status: 404, problem: "not_found"},

		{name: "get", method: "GET", path: deliveries + "/{id}", key: "tenant-read", status: 200,
			want: `{"id":"{id}","status":"retrying","attempt_count":4,"next_attempt_at":"*","attempts":[
				{"number":1,"id":"*","trigger":"schedule","started_at":"2026-01-31T12:30:00Z","outcome":"timeout","error":"the deadline passed while waiting for the response",
					"timings":{"dns":0.5,"connect":1,"tls":2.25,"first_byte":0,"total":15000},
					"request":{"method":"POST","url":"https://example.com","headers":{"webhook-id":"x","authorization":"[redacted]"},"headers_truncated":false,"body_bytes":99},"response":null,"details_dropped":false},
				{"number":2,"outcome":"status","response":{"status":503,"headers":{"Set-Cookie":"a=1, b=2"},"headers_truncated":true,"body":"/wA=","encoding":"base64","truncated":false}},
				{"number":3,"outcome":"status","error":"the endpoint answered 503 Service Unavailable","started_at":"2026-01-31T13:30:00Z","timings":{"total":0},"details_dropped":true,"request":null,
					"response":{"status":503,"headers":{},"headers_truncated":false,"body":"","encoding":"text","truncated":false}},
				{"number":4,"outcome":"ok","details_dropped":false}]}`},
		{name: "get another tenant's", method: "GET", path: "/tenants/other/deliveries/{id}", status: 404, problem: "not_found"},
		{name: "get what is no id", method: "GET", path: deliveries + "/x", status: 404, problem: "not_found"},

		{name: "retry by a reader", method: "POST", path: deliveries + "/{id}/retry", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "retry", method: "POST", path: deliveries + "/{id}/retry", key: "tenant", status: 202, want: `{"id":"{id}","status":"retrying"}`},
		{name: "retry another tenant's", method: "POST", path: deliveries + "/{id}/retry", key: "other", status: 404, problem: "not_found"},
		{name: "retry what is no id", method: "POST", path: deliveries + "/x/retry", status: 404, problem: "not_found"},
		{name: "cancel by a reader", method: "POST", path: deliveries + "/{second}/cancel", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "cancel", method: "POST", path: deliveries + "/{second}/cancel", key: "tenant", status: 202,
			want: `{"id":"{second}","status":"canceled","reason":"*","next_attempt_at":null}`},
		{name: "cancel again", method: "POST", path: deliveries + "/{second}/cancel", status: 409, problem: "conflict"},
		{name: "cancel another tenant's", method: "POST", path: deliveries + "/{second}/cancel", key: "other", status: 404, problem: "not_found"},
	} {
		w.step(t, s)
	}
}

// recordAttempts records four attempts of the first delivery as the engine would; the first two and the newest are kept
// complete.
func (w *world) recordAttempts(t *testing.T) {
	t.Helper()
	id, err := bellwire.ParseID[bellwire.DeliveryKind](w.vars["id"])
	if err != nil {
		t.Fatal(err)
	}
	leases, err := w.store.RenewLeases(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	epoch := leases.Epoch(w.vars["ep"])
	claims := []bellwire.Claim{{Endpoint: w.vars["ep"], Epoch: epoch, Limit: 1, ManualLimit: 100, MaxBytes: 1 << 20}}
	if _, err := w.store.ClaimDue(t.Context(), time.Now().Add(time.Second), claims); err != nil {
		t.Fatal(err)
	}
	request := bellwire.AttemptRequest{URL: "https://example.com", BodyBytes: 99, Headers: []bellwire.Header{
		{Name: "webhook-id", Value: "x"}, {Name: "authorization", Value: bellwire.Redacted},
	}}
	answer := &bellwire.AttemptResponse{
		Status: 503, Body: []byte{0xff, 0}, HeadersTruncated: true,
		Headers: []bellwire.Header{{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}},
	}
	attempts := []*bellwire.Attempt{
		{StartedAt: start, Outcome: bellwire.OutcomeTimeout, Error: "the deadline passed while waiting for the response", Request: request, Timings: bellwire.Timings{
			DNS: 500 * time.Microsecond, Connect: time.Millisecond, TLS: 2250 * time.Microsecond, Total: 15 * time.Second,
		}},
		{StartedAt: start.Add(time.Minute), Outcome: bellwire.OutcomeStatus, Error: "the endpoint answered 503 Service Unavailable", Request: request, Response: answer},
		{StartedAt: start.Add(time.Hour), Outcome: bellwire.OutcomeStatus, Error: "the endpoint answered 503 Service Unavailable", Request: request, Response: answer},
		{StartedAt: start.Add(2 * time.Hour), Outcome: bellwire.OutcomeOK, Request: request},
	}
	var moved []bool
	for _, a := range attempts {
		a.ID, a.Delivery, a.Trigger = bellwire.NewID[bellwire.AttemptKind](a.StartedAt), id, bellwire.TriggerSchedule
		recorded, err := w.store.RecordResults(t.Context(), []*bellwire.Result{{
			Attempt: a, Delivery: id, Trigger: a.Trigger, Epoch: epoch, EndedAt: time.Now(), Endpoint: w.vars["ep"],
			Transition: bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: time.Hour}, WholeAttempts: 3,
		}})
		if err != nil {
			t.Fatal(err)
		}
		moved = append(moved, recorded[0].Moved)
	}
	if diff := cmp.Diff([]bool{true, false, false, false}, moved); diff != "" { // the first gave the delivery back
		t.Fatal(diff)
	}
}
