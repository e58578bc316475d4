package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTenants(t *testing.T) {
	run(t, []step{
		{name: "create", method: "POST", path: "/tenants", body: `{"id":"new_1","name":"New","metadata":{"plan":"gold"}}`, status: 201,
			want: `{"id":"new_1","name":"New","metadata":{"plan":"gold"},"limits":{},"effective_limits":"*","created_at":"*","updated_at":"*","status":"active","status_reason":"","status_since":null,"publish_rate":null,"operational_events":false}`},
		{name: "no content", method: "POST", path: "/tenants", body: ``, status: 400, problem: "malformed"},
		{name: "broken", method: "POST", path: "/tenants", body: `{"id":`, status: 400, problem: "malformed"},
		{name: "taken", method: "POST", path: "/tenants", body: `{"id":"new_1"}`, status: 409, problem: "conflict"},
		{name: "no id", method: "POST", path: "/tenants", body: `{}`, status: 422, problem: "invalid id"},
		{name: "bad id", method: "POST", path: "/tenants", body: `{"id":"a b"}`, status: 422, problem: "invalid id"},
		{name: "unknown field", method: "POST", path: "/tenants", body: `{"id":"x","nmae":"y"}`, status: 422, problem: "invalid nmae"},
		{name: "wrong kind", method: "POST", path: "/tenants", body: `{"id":"x","metadata":{"a":1}}`, status: 422, problem: "invalid metadata.a"},
		{name: "no key", method: "POST", path: "/tenants", key: "none", body: `{"id":"x"}`, status: 401, problem: "unauthenticated"},
		{name: "unknown key", method: "POST", path: "/tenants", key: "wrong", body: `{"id":"x"}`, status: 401, problem: "unauthenticated"},
		{name: "no key comes before a bad body", method: "POST", path: "/tenants", key: "none", body: `{`, status: 401, problem: "unauthenticated"},
		{name: "wrong role", method: "POST", path: "/tenants", key: "publisher", body: `{"id":"x"}`, status: 403, problem: "forbidden"},

		{name: "list", method: "GET", path: "/tenants", status: 200, want: `{"data":[{"id":"new_1"},{"id":"other"},{"id":"acme"}],"next_cursor":null}`},
		{name: "first page", method: "GET", path: "/tenants?limit=2", status: 200, want: `{"data":[{"id":"new_1"},{"id":"other"}],"next_cursor":"*"}`, save: "next=next_cursor"},
		{name: "second page", method: "GET", path: "/tenants?limit=2&cursor={next}", status: 200, want: `{"data":[{"id":"acme"}],"next_cursor":null}`},
		{name: "limit 0", method: "GET", path: "/tenants?limit=0", status: 422, problem: "invalid limit"},
		{name: "limit 251", method: "GET", path: "/tenants?limit=251", status: 422, problem: "invalid limit"},
		{name: "limit 250", method: "GET", path: "/tenants?limit=250", status: 200},
		{name: "limit x", method: "GET", path: "/tenants?limit=x", status: 422, problem: "invalid limit"},
		{name: "bad cursor", method: "GET", path: "/tenants?cursor=x", status: 422, problem: "invalid cursor"},
		{name: "unknown parameter", method: "GET", path: "/tenants?page=2", status: 422, problem: "invalid page"},
		{name: "list by a tenant", method: "GET", path: "/tenants", key: "tenant", status: 403, problem: "forbidden"},

		{name: "get", method: "GET", path: "/tenants/new_1", status: 200, want: `{"id":"new_1","name":"New"}`},
		{name: "get unknown", method: "GET", path: "/tenants/nobody", status: 404, problem: "not_found"},
		{name: "get another's", method: "GET", path: "/tenants/new_1", key: "tenant", status: 404, problem: "not_found"},

		{name: "change", method: "PATCH", path: "/tenants/new_1", body: `{"name":"Newer"}`, status: 200,
			want: `{"id":"new_1","name":"Newer","metadata":{"plan":"gold"}}`},
		{name: "change nothing", method: "PATCH", path: "/tenants/new_1", body: `{}`, status: 200, want: `{"name":"Newer","metadata":{"plan":"gold"}}`},
		{name: "clear", method: "PATCH", path: "/tenants/new_1", body: `{"name":null,"metadata":null}`, status: 200, want: `{"name":"","metadata":{}}`},
		{name: "change the id", method: "PATCH", path: "/tenants/new_1", body: `{"id":"x"}`, status: 422, problem: "invalid id"},
		{name: "change unknown", method: "PATCH", path: "/tenants/nobody", body: `{}`, status: 404, problem: "not_found"},

		{name: "pause", method: "PATCH", path: "/tenants/new_1", body: `{"status":"paused","status_reason":"it does not pay"}`, status: 200,
			want: `{"status":"paused","status_reason":"it does not pay","status_since":"*"}`, save: "since=status_since"},
		{name: "pause again", method: "PATCH", path: "/tenants/new_1", body: `{"status":"paused","status_reason":"it owes us"}`, status: 200,
			want: `{"status":"paused","status_reason":"it owes us","status_since":"{since}"}`},
		{name: "the pause is on record", method: "GET", path: "/audit?tenant=new_1&limit=1", status: 200,
			want: `{"data":[{"action":"tenant.update","before":{"status_reason":"it does not pay"},"after":{"status":"paused","status_reason":"it owes us"}}]}`},
		{name: "replace a paused one", method: "PUT", path: "/tenants/new_1", body: `{"name":"N"}`, status: 200, want: `{"name":"N","status":"paused","status_reason":"it owes us"}`},
		{name: "clear the reason", method: "PATCH", path: "/tenants/new_1", body: `{"status_reason":null}`, status: 200, want: `{"status":"paused","status_reason":""}`},
		{name: "resume with a reason", method: "PATCH", path: "/tenants/new_1", body: `{"status":"active","status_reason":"x"}`, status: 422, problem: "invalid status_reason"},
		{name: "still paused", method: "GET", path: "/tenants/new_1", status: 200, want: `{"status":"paused"}`},
		{name: "a status that cannot be", method: "PATCH", path: "/tenants/new_1", body: `{"status":"disabled"}`, status: 422, problem: "invalid status"},
		{name: "a reason of two lines", method: "PATCH", path: "/tenants/new_1", body: `{"status":"paused","status_reason":"a\nb"}`, status: 422, problem: "invalid status_reason"},
		{name: "resume with PUT", method: "PUT", path: "/tenants/new_1", body: `{"status":"active"}`, status: 200, want: `{"name":"","status":"active","status_reason":"","status_since":"*"}`},
		{name: "a reason without a pause", method: "PATCH", path: "/tenants/new_1", body: `{"status_reason":"x"}`, status: 422, problem: "invalid status_reason"},
		{name: "create paused", method: "POST", path: "/tenants", body: `{"id":"waits","status":"paused","status_reason":"it is new"}`, status: 201, want: `{"status":"paused","status_reason":"it is new","status_since":"*"}`},
		{name: "create with a reason only", method: "POST", path: "/tenants", body: `{"id":"x","status_reason":"it is new"}`, status: 422, problem: "invalid status_reason"},
		{name: "pause by a tenant", method: "PATCH", path: "/tenants/acme", key: "tenant", body: `{"status":"paused"}`, status: 403, problem: "forbidden"},

		{name: "settings of a dialect", method: "PATCH", path: "/tenants/new_1", status: 200,
			body: `{"dialects":{"standard":{"retry":{"schedule":["1m"]},"timeout":"20s","user_agent":"Acme/1","headers":{"X-A":"1"},"ignore_read_only":false}}}`,
			want: `{"dialects":{"standard":{"retry":{"schedule":["1m"]},"timeout":"20s","user_agent":"Acme/1","headers":{"X-A":"1"},"ignore_read_only":false}}}`},
		{name: "an endpoint has them", method: "POST", path: "/tenants/new_1/endpoints", body: `{"url":"https://example.com/hooks","events":["*"]}`, status: 201,
			want: `{"retry":{"schedule":["1m"]},"timeout":"20s"}`, save: "made=id"},
		{name: "or its own", method: "POST", path: "/tenants/new_1/endpoints", body: `{"url":"https://example.com/hooks","events":["*"],"timeout":"3s"}`, status: 201,
			want: `{"retry":{"schedule":["1m"]},"timeout":"3s"}`},
		{name: "an auth, which shows no secret", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"20s","auth":{"type":"basic","username":"u","password":"hunter2"}}}}`, status: 200,
			want: `{"dialects":{"standard":{"timeout":"20s","auth":{"type":"basic","username":"u"}}}}`},
		{name: "it stays", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"25s"}}}`, status: 200,
			want: `{"dialects":{"standard":{"timeout":"25s","auth":{"type":"basic","username":"u"}}}}`},
		{name: "it is sent back as it is shown", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"25s","auth":{"type":"basic","username":"u"}}}}`, status: 200,
			want: `{"dialects":{"standard":{"timeout":"25s","auth":{"type":"basic","username":"u"}}}}`},
		{name: "another needs its secret", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"auth":{"type":"bearer"}}}}`, status: 422, problem: "invalid dialects.standard.auth.token"},
		{name: "an auth of an unknown type", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"auth":{"type":"digest"}}}}`, status: 422, problem: "invalid dialects.standard.auth.type"},
		{name: "it is recorded without a secret", method: "GET", path: "/audit?tenant=new_1&limit=3", status: 200,
			want: `{"data":[{"action":"tenant.update"},{"action":"tenant.update"},{"action":"tenant.update","after":{"dialects":{"standard":{"auth":{"type":"basic","username":"u"}}},"secrets":["dialects.standard.auth"]}}]}`},
		{name: "it is removed", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"20s","auth":{"type":"none"}}}}`, status: 200,
			want: `{"dialects":{"standard":{"timeout":"20s"}}}`},
		{name: "they are replaced as a whole", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"30s"}}}`, status: 200,
			want: `{"dialects":{"standard":{"timeout":"30s"}}}`},
		{name: "an endpoint keeps what it had", method: "GET", path: "/tenants/new_1/endpoints/{made}", status: 200, want: `{"retry":{"schedule":["1m"]},"timeout":"20s"}`},
		{name: "a replaced one gets the new ones", method: "PUT", path: "/tenants/new_1/endpoints/{made}", body: `{"url":"https://example.com/hooks","events":["*"]}`, status: 200,
			want: `{"retry":{"jitter":0.2},"timeout":"30s"}`},
		{name: "other changes keep them", method: "PATCH", path: "/tenants/new_1", body: `{"name":"N"}`, status: 200, want: `{"dialects":{"standard":{"timeout":"30s"}}}`},
		{name: "they are on record", method: "GET", path: "/audit?tenant=new_1&limit=1", status: 200, want: `{"data":[{"action":"tenant.update","after":{"name":"N"}}]}`},
		{name: "remove those of one", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":null}}`, status: 200, want: `{"dialects":{}}`},
		{name: "replaced with the tenant", method: "PUT", path: "/tenants/new_1", body: `{"dialects":{"standard":{"user_agent":"x"}}}`, status: 200, want: `{"dialects":{"standard":{"user_agent":"x"}}}`},
		{name: "removed with the tenant", method: "PUT", path: "/tenants/new_1", body: `{}`, status: 200, want: `{"dialects":{}}`},
		{name: "unknown dialect", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standart":{"timeout":"30s"}}}`, status: 422, problem: "invalid dialects.standart"},
		{name: "unknown setting", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"time":"30s"}}}`, status: 422, problem: "invalid dialects.standard.time"},
		{name: "a timeout that endpoints cannot have", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"timeout":"2m"}}}`, status: 422, problem: "invalid dialects.standard.timeout"},
		{name: "a header for credentials", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"headers":{"Authorization":"Bearer x"}}}}`, status: 422, problem: "invalid dialects.standard.headers.Authorization"},
		{name: "a header of every request", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"headers":{"User-Agent":"x"}}}}`, status: 422, problem: "invalid dialects.standard.headers.User-Agent"},
		{name: "a user agent of two lines", method: "POST", path: "/tenants", body: `{"id":"x","dialects":{"standard":{"user_agent":"a\nb"}}}`, status: 422, problem: "invalid dialects.standard.user_agent"},
		{name: "a policy without end", method: "PATCH", path: "/tenants/new_1", body: `{"dialects":{"standard":{"retry":{"interval":"1m","count":1000}}}}`, status: 422, problem: "invalid dialects.standard.retry"},

		{name: "delete", method: "DELETE", path: "/tenants/new_1", status: 204},
		{name: "delete again", method: "DELETE", path: "/tenants/new_1", status: 404, problem: "not_found"},
		{name: "delete by a tenant", method: "DELETE", path: "/tenants/acme", key: "tenant", status: 403, problem: "forbidden"},
	})
}

// TestPausedTenant: what a tenant's callers see while it is paused.
func TestPausedTenant(t *testing.T) {
	run(t, []step{
		{name: "endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com/hooks","events":["*"]}`, status: 201, save: "endpoint=id"},
		{name: "pause", method: "PATCH", path: "/tenants/acme", body: `{"status":"paused","status_reason":"it does not pay"}`, status: 200},
		{name: "publish", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{"total":1}}`, status: 202, save: "event=id"},
		{name: "why", method: "GET", path: "/tenants/acme/events/{event}", key: "tenant", status: 200, save: "delivery=endpoints.0.delivery.id",
			want: `{"endpoints":[{"endpoint":"{endpoint}","outcome":"paused","reason":"*","since":"*"}]}`},
		{name: "what it waits for", method: "GET", path: "/tenants/acme/deliveries/{delivery}", key: "tenant", status: 200, want: `{"status":"pending","waiting_for":{"reason":"tenant_paused"}}`},
		{name: "probe", method: "POST", path: "/tenants/acme/endpoints/{endpoint}/probe", key: "tenant", status: 409, problem: "conflict"},
		{name: "resume", method: "PATCH", path: "/tenants/acme", body: `{"status":"active"}`, status: 200},
		{name: "resumed", method: "GET", path: "/tenants/acme/events/{event}", key: "tenant", status: 200, want: `{"endpoints":[{"outcome":"pending"}]}`},
	})
}

func TestKeys(t *testing.T) {
	run(t, []step{
		{name: "create", method: "POST", path: "/tenants/acme/keys", body: `{"name":"portal","role":"tenant"}`, status: 201,
			want: `{"id":"*","name":"portal","role":"tenant","hmac":false,"secret":"*","created_at":"*"}`, save: "id=id secret=secret"},
		{name: "create with an unknown scope", method: "POST", path: "/tenants/acme/keys", body: `{"role":"tenant","scopes":["pcx:webhook:*"]}`, status: 422, problem: "invalid scopes[0]"},
		{name: "create for signing", method: "POST", path: "/tenants/acme/keys", body: `{"role":"tenant-read","hmac":true}`, status: 201,
			want: `{"role":"tenant-read","hmac":true}`},
		{name: "no role", method: "POST", path: "/tenants/acme/keys", body: `{}`, status: 422, problem: "invalid role"},
		{name: "an operator's role", method: "POST", path: "/tenants/acme/keys", body: `{"role":"admin"}`, status: 422, problem: "invalid role"},
		{name: "unknown tenant", method: "POST", path: "/tenants/nobody/keys", body: `{"role":"tenant"}`, status: 404, problem: "not_found"},
		{name: "by a tenant", method: "POST", path: "/tenants/acme/keys", key: "tenant", body: `{"role":"tenant"}`, status: 403, problem: "forbidden"},
		{name: "nothing good by a tenant", method: "POST", path: "/tenants/acme/keys", key: "tenant", body: `{"x":`, status: 403, problem: "forbidden"},
		{name: "for another tenant", method: "POST", path: "/tenants/acme/keys", key: "other", body: `{"role":"tenant"}`, status: 404, problem: "not_found"},

		{name: "list", method: "GET", path: "/tenants/acme/keys", status: 200, without: []string{"{secret}", "secret"},
			want: `{"data":[{"hmac":true},{"id":"{id}","name":"portal","role":"tenant"},{},{}],"next_cursor":null}`},
		{name: "list by a tenant", method: "GET", path: "/tenants/acme/keys", key: "tenant", status: 403, problem: "forbidden"},

		{name: "operator's key", method: "POST", path: "/keys", body: `{"name":"ci","role":"publisher"}`, status: 201, want: `{"id":"*","role":"publisher","secret":"*"}`, save: "op=id secret=secret"},
		{name: "operator's key with a tenant's role", method: "POST", path: "/keys", body: `{"role":"tenant"}`, status: 422, problem: "invalid role"},
		{name: "operator's key by a publisher", method: "POST", path: "/keys", key: "publisher", body: `{"role":"admin"}`, status: 403, problem: "forbidden"},

		{name: "list the operator's", method: "GET", path: "/keys", status: 200, without: []string{"{secret}", "secret"}, want: `{"data":[{"id":"{op}","name":"ci"},{"role":"publisher"}],"next_cursor":null}`},
		{name: "list the operator's by a publisher", method: "GET", path: "/keys", key: "publisher", status: 403, problem: "forbidden"},
		{name: "delete a tenant's among the operator's", method: "DELETE", path: "/keys/{id}", status: 404, problem: "not_found"},
		{name: "delete an operator's by a tenant", method: "DELETE", path: "/keys/{op}", key: "tenant", status: 403, problem: "forbidden"},
		{name: "delete an operator's", method: "DELETE", path: "/keys/{op}", status: 204},
		{name: "delete an operator's again", method: "DELETE", path: "/keys/{op}", status: 404, problem: "not_found"},

		{name: "delete another tenant's", method: "DELETE", path: "/tenants/other/keys/{id}", status: 404, problem: "not_found"},
		{name: "delete what is no id", method: "DELETE", path: "/tenants/acme/keys/x", status: 404, problem: "not_found"},
		{name: "delete", method: "DELETE", path: "/tenants/acme/keys/{id}", status: 204},
		{name: "delete again", method: "DELETE", path: "/tenants/acme/keys/{id}", status: 404, problem: "not_found"},
	})
}

func TestEventTypes(t *testing.T) {
	run(t, []step{
		{name: "create", method: "PUT", path: "/event-types/card.blocked", status: 201,
			body: `{"description":"A card was blocked.","group":"cards","schema":{"type":"object"},"example":{"limit":5}}`,
			want: `{"name":"card.blocked","description":"A card was blocked.","group":"cards","schema":{"type":"object"},"example":{"limit":5},"archived":false,"created_at":"*"}`},
		{name: "replace", method: "PUT", path: "/event-types/card.blocked", body: `{"archived":true}`, status: 200,
			want: `{"name":"card.blocked","description":"","group":"","schema":null,"example":null,"archived":true}`},
		{name: "without an example, as answers write it", method: "PUT", path: "/event-types/card.blocked", body: `{"schema":{"type":"object"},"example":null,"archived":true}`, status: 200,
			want: `{"name":"card.blocked","schema":{"type":"object"},"example":null,"archived":true}`},
		{name: "bad name", method: "PUT", path: "/event-types/card%20blocked", body: `{}`, status: 422, problem: "invalid name"},
		{name: "bad schema", method: "PUT", path: "/event-types/x", body: `{"schema":{"type":"objekt"}}`, status: 422, problem: "invalid schema.type"},
		{name: "unknown field", method: "PUT", path: "/event-types/x", body: `{"shema":{}}`, status: 422, problem: "invalid shema"},
		{name: "wrong kind", method: "PUT", path: "/event-types/x", body: `{"archived":"no"}`, status: 422, problem: "invalid archived"},
		{name: "by a publisher", method: "PUT", path: "/event-types/x", key: "publisher", body: `{}`, status: 403, problem: "forbidden"},

		{name: "list", method: "GET", path: "/event-types", key: "tenant-read", status: 200, want: `{"data":[{"name":"card.blocked"},{"name":"invoice.paid"}],"next_cursor":null}`},
		{name: "get", method: "GET", path: "/event-types/invoice.paid", key: "publisher", status: 200, want: `{"name":"invoice.paid","schema":{"properties":"*"}}`},
		{name: "get unknown", method: "GET", path: "/event-types/nothing", status: 404, problem: "not_found"},
		{name: "get without a key", method: "GET", path: "/event-types/invoice.paid", key: "none", status: 401, problem: "unauthenticated"},

		{name: "delete by a tenant", method: "DELETE", path: "/event-types/card.blocked", key: "tenant", status: 403, problem: "forbidden"},
		{name: "delete", method: "DELETE", path: "/event-types/card.blocked", status: 204},
		{name: "delete again", method: "DELETE", path: "/event-types/card.blocked", status: 404, problem: "not_found"},
	})
}

// TestExamplesKeepTheirNumbers: no number of an example is too big to be kept.
func TestExamplesKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const example = `{"big":1E400,"precise":1.0,"long":12345678901234567890}`
	for _, answer := range []*httptest.ResponseRecorder{
		w.call("PUT", "/event-types/numbers", adminKey, `{"example":`+example+`}`),
		w.call("GET", "/event-types/numbers", adminKey, ""),
	} {
		if answer.Code >= 400 || !strings.Contains(answer.Body.String(), `"example":`+example) {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
}

func TestEndpoints(t *testing.T) {
	const all = "/tenants/acme/endpoints"
	run(t, []step{
		{name: "create with the least", method: "POST", path: all, key: "tenant", body: `{"url":"https://example.com/hooks","events":["invoice.*"]}`, status: 201,
			want: `{"id":"*","tenant":"acme","url":"https://example.com/hooks","description":"","dialect":"standard","events":["invoice.*"],
				"filter":null,"on_error":"deliver","retry":{"schedule":["5s","5m","30m","2h","5h","10h","14h","20h","24h"],"jitter":0.2},
				"auth":{"type":"none"},"headers":{},"rate_limit":null,"max_in_flight":64,"timeout":"15s","auto_disable_after":"120h","ordering":"none","signing":"hmac","status":"enabled",
				"status_reason":"","metadata":{},"created_at":"*","updated_at":"*","secret":"*"}`,
			without: []string{"public_key"}, save: "id=id secret=secret"},
		{name: "create with everything", method: "POST", path: all, status: 201,
			body: `{"url":"http://example.com:8080/x","events":["invoice.paid","card*"],"description":"d","dialect":"standard",
				"retry":{"interval":"10s","count":3},"auth":{"type":"api_key","header":"X-Api-Key","key":"hush-key"},
				"headers":{"X-Team":"hush-header","X-B":"b"},"rate_limit":2.5,"max_in_flight":3,"timeout":"20s","auto_disable_after":"0s","ordering":"fifo","status":"paused","signing":"both",
				"metadata":{"a":"b"}}`,
			want: `{"events":["invoice.paid","card*"],"description":"d","retry":{"interval":"10s","count":3},
				"auth":{"type":"api_key","header":"X-Api-Key"},"headers":{"X-Team":"[redacted]","X-B":"[redacted]"},"rate_limit":2.5,"max_in_flight":3,
				"timeout":"20s","auto_disable_after":"0s","ordering":"fifo","status":"paused","signing":"both","metadata":{"a":"b"},"secret":"*","public_key":"*"}`,
			without: []string{"hush"}, save: "full=id"},
		{name: "create with a filter", method: "POST", path: all, status: 201, save: "filtered=id",
			body: `{"url":"https://example.com","events":["*"],"filter":"type == 'x' || data['amount'] > 100","on_error":"skip"}`,
			want: `{"filter":"type == 'x' || data['amount'] > 100","on_error":"skip"}`},
		{name: "change the filter", method: "PATCH", path: all + "/{filtered}", status: 200, body: `{"filter":"data['amount'] > 1E4"}`, want: `{"filter":"data['amount'] > 1E4","on_error":"skip"}`},
		{name: "bad filter", method: "PATCH", path: all + "/{filtered}", status: 422, body: `{"filter":"data.amount >"}`, problem: "invalid filter"},
		{name: "filter that the schema refuses", method: "PATCH", path: all + "/{filtered}", status: 422, body: `{"filter":"data.amuont > 1"}`, problem: "invalid filter"},
		{name: "filter of another kind", method: "PATCH", path: all + "/{filtered}", status: 422, body: `{"filter":5}`, problem: "invalid filter"},
		{name: "bad on_error", method: "PATCH", path: all + "/{filtered}", status: 422, body: `{"on_error":"hold"}`, problem: "invalid on_error"},
		{name: "remove the filter", method: "PATCH", path: all + "/{filtered}", status: 200, body: `{"filter":null,"on_error":"deliver"}`, want: `{"filter":null,"on_error":"deliver"}`},
		{name: "delete the one with a filter", method: "DELETE", path: all + "/{filtered}", status: 204},
		{name: "nulls are like nothing", method: "POST", path: all, status: 201, save: "nulls=id",
			body: `{"url":"https://example.com","events":["*"],"description":null,"auth":null,"headers":null,"rate_limit":null,"metadata":null}`,
			want: `{"description":"","auth":{"type":"none"},"headers":{},"rate_limit":null,"metadata":{}}`},
		{name: "no url", method: "POST", path: all, body: `{"events":["*"]}`, status: 422, problem: "invalid url"},
		{name: "no events", method: "POST", path: all, body: `{"url":"https://example.com"}`, status: 422, problem: "invalid events"},
		{name: "bad url", method: "POST", path: all, body: `{"url":"ftp://example.com","events":["*"]}`, status: 422, problem: "invalid url"},
		{name: "private address", method: "POST", path: all, body: `{"url":"https://10.0.0.1/","events":["*"]}`, status: 422, problem: "invalid url"},
		{name: "white space and a host in other letters", method: "POST", path: all, body: `{"url":" https://BÜCHER.Example/Path?Q=%20\n","events":["*"]}`, status: 201,
			want: `{"url":"https://xn--bcher-kva.example/Path?Q=%20"}`, save: "idn=id"},
		{name: "delete that", method: "DELETE", path: all + "/{idn}", status: 204},
		{name: "null url", method: "POST", path: all, body: `{"url":null,"events":["*"]}`, status: 422, problem: "invalid url"},
		{name: "unknown event type", method: "POST", path: all, body: `{"url":"https://example.com","events":["nothing"]}`, status: 422, problem: "invalid events[0]"},
		{name: "unknown dialect", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"dialect":"x"}`, status: 422, problem: "invalid dialect"},
		{name: "bad retry", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"retry":{"jitter":2,"schedule":[]}}`, status: 422, problem: "invalid retry.jitter"},
		{name: "mixed retry", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"retry":{"count":2,"schedule":[]}}`, status: 422, problem: "invalid retry"},
		{name: "bad auth", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"auth":{"type":"bearer","tokn":"hush"}}`, status: 422, problem: "invalid auth.tokn", without: []string{"hush"}},
		{name: "bad headers", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"headers":[]}`, status: 422, problem: "invalid headers"},
		{name: "bad header value", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"headers":{"X-A":7}}`, status: 422, problem: "invalid headers.X-A"},
		{name: "own header", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"headers":{"webhook-id":"x"}}`, status: 422, problem: "invalid"},
		{name: "bad secret", method: "POST", path: all, body: `{"url":"https://example.com","events":["*"],"secret":"hush"}`, status: 422, problem: "invalid secret", without: []string{"hush"}},
		{name: "wrong role", method: "POST", path: all, key: "tenant-read", body: `{"url":"https://example.com","events":["*"]}`, status: 403, problem: "forbidden"},
		{name: "another tenant's", method: "POST", path: all, key: "other", body: `{"url":"https://example.com","events":["*"]}`, status: 404, problem: "not_found"},
		{name: "unknown tenant", method: "POST", path: "/tenants/nobody/endpoints", body: `{"url":"https://example.com","events":["*"]}`, status: 404, problem: "not_found"},

		{name: "list", method: "GET", path: all, key: "tenant-read", status: 200, without: []string{"{secret}", `"secret"`, "hush"},
			want: `{"data":[{"id":"{nulls}"},{"id":"{full}","headers":{"X-Team":"[redacted]"}},{"id":"{id}"}],"next_cursor":null}`},
		{name: "check a URL", method: "POST", path: "/tenants/acme/urls/check", key: "tenant", body: `{"url":" https://EXAMPLE.com/hooks"}`, status: 200,
			want: `{"url":"https://example.com/hooks","outcome":"ok","error":"","timings":{"connect":1}}`},
		{name: "check one that is not reached", method: "POST", path: "/tenants/acme/urls/check", body: `{"url":"https://nowhere.example.com"}`, status: 200, want: `{"outcome":"dns","error":"no such host"}`},
		{name: "check a bad one", method: "POST", path: "/tenants/acme/urls/check", body: `{"url":"ftp://example.com"}`, status: 422, problem: "invalid url"},
		{name: "check none", method: "POST", path: "/tenants/acme/urls/check", body: `{}`, status: 422, problem: "invalid url"},
		{name: "check by a reader", method: "POST", path: "/tenants/acme/urls/check", key: "tenant-read", body: `{"url":"https://example.com"}`, status: 403, problem: "forbidden"},
		{name: "check for another tenant", method: "POST", path: "/tenants/acme/urls/check", key: "other", body: `{"url":"https://example.com"}`, status: 404, problem: "not_found"},
		{name: "check for nobody", method: "POST", path: "/tenants/nobody/urls/check", body: `{"url":"https://example.com"}`, status: 404, problem: "not_found"},
		{name: "get", method: "GET", path: all + "/{id}", key: "tenant-read", status: 200, without: []string{"{secret}", `"secret"`}, want: `{"id":"{id}"}`},
		{name: "get another tenant's", method: "GET", path: "/tenants/other/endpoints/{id}", status: 404, problem: "not_found"},
		{name: "get unknown", method: "GET", path: all + "/ep_x", status: 404, problem: "not_found"},

		{name: "change", method: "PATCH", path: all + "/{full}", key: "tenant", body: `{"description":"other"}`, status: 200, without: []string{"hush", `"secret"`},
			want: `{"description":"other","url":"http://example.com:8080/x","rate_limit":2.5,"auth":{"type":"api_key"},"headers":{"X-Team":"[redacted]"},"metadata":{"a":"b"},"retry":{"count":3}}`},
		{name: "a header that stays", method: "PATCH", path: all + "/{full}", body: `{"headers":{"X-Team":"[redacted]"}}`, status: 200, want: `{"headers":{"X-Team":"[redacted]"}}`, without: []string{"X-B"}},
		{name: "a redacted header that is not there", method: "PATCH", path: all + "/{full}", body: `{"headers":{"X-B":"[redacted]"}}`, status: 422, problem: "invalid headers.X-B"},
		{name: "clear", method: "PATCH", path: all + "/{full}", body: `{"description":null,"rate_limit":null,"auth":null,"headers":null,"metadata":null}`, status: 200,
			want: `{"description":"","rate_limit":null,"auth":{"type":"none"},"headers":{},"metadata":{}}`, without: []string{"X-Team"}},
		{name: "null where it makes no sense", method: "PATCH", path: all + "/{full}", body: `{"status":null}`, status: 422, problem: "invalid status"},
		{name: "rate limit 0", method: "PATCH", path: all + "/{full}", body: `{"rate_limit":0}`, status: 422, problem: "invalid rate_limit"},
		{name: "bad status", method: "PATCH", path: all + "/{full}", body: `{"status":"on"}`, status: 422, problem: "invalid status"},
		{name: "disable", method: "PATCH", path: all + "/{full}", body: `{"status":"disabled","status_reason":"away"}`, status: 200, want: `{"status":"disabled","status_reason":"away"}`},
		{name: "in the history", method: "GET", path: all + "/{full}/history?limit=1", status: 200, want: `{"data":[{"after":{"status":"disabled","status_reason":"away"}}]}`},
		{name: "disable again", method: "PATCH", path: all + "/{full}", body: `{"status":"disabled"}`, status: 200, want: `{"status_reason":"away"}`},
		{name: "clear the reason", method: "PATCH", path: all + "/{full}", body: `{"status_reason":null}`, status: 200, want: `{"status":"disabled","status_reason":""}`},
		{name: "a reason of two lines", method: "PATCH", path: all + "/{full}", body: `{"status_reason":"a\nb"}`, status: 422, problem: "invalid status_reason"},
		{name: "a reason to be enabled", method: "PATCH", path: all + "/{full}", body: `{"status":"enabled","status_reason":"x"}`, status: 422, problem: "invalid status_reason"},
		{name: "pause with a reason", method: "PATCH", path: all + "/{full}", body: `{"status":"paused","status_reason":"it moves"}`, status: 200, want: `{"status":"paused","status_reason":"it moves"}`},
		{name: "another status", method: "PATCH", path: all + "/{full}", body: `{"status":"disabled"}`, status: 200, want: `{"status":"disabled","status_reason":""}`},
		{name: "change by a reader", method: "PATCH", path: all + "/{full}", key: "tenant-read", body: `{}`, status: 403, problem: "forbidden"},
		{name: "change another tenant's", method: "PATCH", path: all + "/{full}", key: "other", body: `{}`, status: 404, problem: "not_found"},
		{name: "change too large", method: "PATCH", path: all + "/{full}", body: `{"description":"` + long + `"}`, status: 413, problem: "too_large"},

		{name: "secret", method: "GET", path: all + "/{id}/secret", key: "tenant", status: 200, want: `{"secret":"{secret}"}`, without: []string{"public_key"}},
		{name: "secret with a public key", method: "GET", path: all + "/{full}/secret", status: 200, want: `{"secret":"*","public_key":"*"}`},
		{name: "secret for a reader", method: "GET", path: all + "/{id}/secret", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "secret of another tenant", method: "GET", path: all + "/{id}/secret", key: "other", status: 404, problem: "not_found"},
		{name: "rotate", method: "POST", path: all + "/{id}/secret/rotate", key: "tenant", status: 200, want: `{"secret":"*"}`, without: []string{"{secret}"}},
		{name: "rotation", method: "GET", path: all + "/{id}/secret", key: "tenant", status: 200, save: "new=secrets.0.secret end=secrets.1.expires_at",
			want: `{"secret":"*","secrets":[{"secret":"*","expires_at":null},{"secret":"{secret}","expires_at":"*"}]}`},
		{name: "rotate a second time", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlap":"720h"}`, status: 200, want: `{"previous_expires_at":"*"}`, without: []string{"{new}"}},
		{name: "three secrets", method: "GET", path: all + "/{id}/secret", status: 200,
			want: `{"secrets":[{"expires_at":null},{"secret":"{new}","expires_at":"*"},{"secret":"{secret}","expires_at":"{end}"}]}`},
		{name: "rotate without overlap", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlap":"0s"}`, status: 200, want: `{"previous_expires_at":null}`},
		{name: "one secret", method: "GET", path: all + "/{id}/secret", status: 200, want: `{"secrets":[{"secret":"*","expires_at":null}]}`},
		{name: "rotate with a number", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlap":24}`, status: 422, problem: "invalid overlap",
			want: `{"detail":"overlap must be a duration as text, such as \"5s\", \"72h\" or \"30d\""}`},
		{name: "rotate with an overlap", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlap":"1h"}`, status: 200, want: `{"secret":"*"}`},
		{name: "rotate with a bad overlap", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlap":"soon"}`, status: 422, problem: "invalid overlap"},
		{name: "rotate with an unknown field", method: "POST", path: all + "/{id}/secret/rotate", body: `{"overlp":"1h"}`, status: 422, problem: "invalid overlp"},
		{name: "rotate with broken JSON", method: "POST", path: all + "/{id}/secret/rotate", body: `{`, status: 400, problem: "malformed"},
		{name: "rotate by a reader", method: "POST", path: all + "/{id}/secret/rotate", key: "tenant-read", status: 403, problem: "forbidden"},

		{name: "test", method: "POST", path: all + "/{id}/test", key: "tenant", body: `{"type":"invoice.paid"}`, status: 202, want: `{"event":"*","delivery":"*","type":"invoice.paid"}`},
		{name: "test without a body", method: "POST", path: all + "/{id}/test", status: 202, want: `{"event":"*","delivery":"*","type":"invoice.paid"}`},
		{name: "test of an unknown type", method: "POST", path: all + "/{id}/test", body: `{"type":"nothing"}`, status: 422, problem: "invalid type"},
		{name: "test by a reader", method: "POST", path: all + "/{id}/test", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "test of another tenant's", method: "POST", path: all + "/{id}/test", key: "other", status: 404, problem: "not_found"},

		{name: "delete by a reader", method: "DELETE", path: all + "/{id}", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "delete", method: "DELETE", path: all + "/{id}", key: "tenant", status: 204},
		{name: "delete again", method: "DELETE", path: all + "/{id}", status: 404, problem: "not_found"},
		{name: "get deleted", method: "GET", path: all + "/{id}", status: 404, problem: "not_found"},

		{name: "history of a deleted one", method: "GET", path: all + "/{id}/history?limit=1", key: "tenant-read", status: 200, save: "older=next_cursor", without: []string{"whsec_"},
			want: `{"data":[{"at":"*","action":"deleted","by":{"kind":"key","key":"*","role":"tenant","address":"192.0.2.1"},"before":{"url":"https://example.com/hooks"},"after":{}}],"next_cursor":"*"}`},
		{name: "older history", method: "GET", path: all + "/{id}/history?cursor={older}", key: "tenant", status: 200, without: []string{"whsec_"},
			want: `{"data":[{"action":"updated","by":{"kind":"configured","key":null,"role":"admin"},"before":{},"after":{"secret":"[changed]"}},{},{},{},{"action":"created","before":{},"after":{"url":"https://example.com/hooks"}}],"next_cursor":null}`},
		{name: "history of another tenant's", method: "GET", path: all + "/{id}/history", key: "other", status: 404, problem: "not_found"},
		{name: "history in another tenant", method: "GET", path: "/tenants/other/endpoints/{id}/history", status: 404, problem: "not_found"},
		{name: "history of nothing", method: "GET", path: all + "/ep_x/history", status: 404, problem: "not_found"},
	})
}

// TestDeletedTenant expects an estimate of when the rows of a deleted tenant will be gone: with the deletion, and until then.
func TestDeletedTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if answer := w.call("POST", "/tenants", adminKey, `{"id":"gone"}`); answer.Code != 201 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	answer := w.call("DELETE", "/tenants/gone", adminKey, "")
	at, err := time.Parse(time.RFC3339, answer.Header().Get("Bellwire-Gone-By"))
	if answer.Code != 204 || err != nil || at.Before(time.Now()) || at.After(time.Now().Add(time.Hour)) {
		t.Errorf("the deletion answers %d, and that it will be gone by %s (%v)", answer.Code, at, err)
	}
	answer = w.call("GET", "/tenants/gone", adminKey, "")
	if words := "its data is still being removed from the database, and will be gone by about "; answer.Code != 404 || !strings.Contains(answer.Body.String(), words) {
		t.Errorf("afterwards it answers %d: %s", answer.Code, answer.Body)
	}
	answer = w.call("DELETE", "/tenants/gone", adminKey, "")
	if answer.Code != 404 || answer.Header().Get("Bellwire-Gone-By") != "" {
		t.Errorf("a second deletion answers %d, and %q", answer.Code, answer.Header())
	}
}
