package api_test

import "testing"

const ownID = "ep_00000000000000000000000000000001"

func TestPutTenants(t *testing.T) {
	run(t, []step{
		{name: "new", method: "PUT", path: "/tenants/mine", body: `{"name":"A","metadata":{"a":"b"},"limits":{"endpoints":5}}`, status: 201,
			want: `{"id":"mine","name":"A","metadata":{"a":"b"},"limits":{"endpoints":5}}`},
		{name: "the same", method: "PUT", path: "/tenants/mine", body: `{"name":"A","metadata":{"a":"b"},"limits":{"endpoints":5}}`, status: 200,
			want: `{"id":"mine","name":"A","metadata":{"a":"b"},"limits":{"endpoints":5}}`},
		{name: "less", method: "PUT", path: "/tenants/mine", body: `{"name":"B"}`, status: 200, want: `{"name":"B","effective_limits":{"endpoints":1000}}`, without: []string{`"a":"b"`}},
		{name: "an id that cannot be", method: "PUT", path: "/tenants/m%20e", body: `{}`, status: 422, problem: "invalid id"},
		{name: "a tenant's key", method: "PUT", path: "/tenants/acme", key: "tenant", body: `{}`, status: 403, problem: "forbidden"},
	})
}

func TestPutEndpoints(t *testing.T) {
	const path = "/tenants/acme/endpoints/" + ownID
	run(t, []step{
		{name: "new", method: "PUT", path: path, key: "tenant", body: `{"url":"https://a.example/","events":["*"],"description":"d","rate_limit":2,"status":"paused"}`, status: 201,
			want: `{"id":"` + ownID + `","secret":"*","rate_limit":2}`, save: "secret=secret"},
		{name: "the same", method: "PUT", path: path, key: "tenant", body: `{"url":"https://a.example/","events":["*"],"description":"d","rate_limit":2,"status":"paused"}`, status: 200,
			want: `{"secret":"{secret}","description":"d","rate_limit":2}`},
		{name: "less", method: "PUT", path: path, body: `{"url":"https://b.example/","events":["invoice.*"]}`, status: 200,
			want: `{"secret":"{secret}","url":"https://b.example/","description":"","rate_limit":null,"status":"paused"}`},
		{name: "no url and no events", method: "PUT", path: path, body: `{}`, status: 422, problem: "invalid events"},
		{name: "another tenant's", method: "PUT", path: "/tenants/other/endpoints/" + ownID, key: "other", body: `{"url":"https://a.example/","events":["*"]}`, status: 409, problem: "conflict"},
		{name: "in another tenant", method: "PUT", path: path, key: "other", body: `{"url":"https://a.example/","events":["*"]}`, status: 404, problem: "not_found"},
		{name: "a reader", method: "PUT", path: path, key: "tenant-read", body: `{}`, status: 403, problem: "forbidden"},
		{name: "an id that could be guessed", method: "PUT", path: "/tenants/acme/endpoints/main", key: "tenant", body: `{"url":"https://a.example/","events":["*"]}`, status: 422, problem: "invalid id"},
		{name: "the operator's choice", method: "PUT", path: "/tenants/acme/endpoints/main", body: `{"url":"https://a.example/","events":["*"]}`, status: 201, want: `{"id":"main"}`},
		{name: "not even that", method: "PUT", path: "/tenants/acme/endpoints/a%20b", body: `{"url":"https://a.example/","events":["*"]}`, status: 422, problem: "invalid id"},
		{name: "deleted", method: "DELETE", path: path, status: 204},
		{name: "the id of a deleted one", method: "PUT", path: path, body: `{"url":"https://a.example/","events":["*"]}`, status: 409, problem: "conflict"},
	})
}

func TestEndpointsOfAnotherServer(t *testing.T) {
	const (
		path   = "/tenants/acme/endpoints"
		first  = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
		second = "whsec_MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
		begin  = `{"url":"https://a.example/","events":["*"],`
	)
	run(t, []step{
		{name: "all of it", method: "POST", path: path, status: 201,
			body: begin + `"id":"ep_2aBcD","created_at":"2020-01-02T03:04:05Z","secrets":[{"secret":"` + first + `"},{"secret":"` + second + `","expires_at":"2999-01-01T00:00:00Z"}]}`,
			want: `{"id":"ep_2aBcD","created_at":"2020-01-02T03:04:05Z","secret":"` + first + `"}`},
		{name: "its secrets", method: "GET", path: path + "/ep_2aBcD/secret", status: 200,
			want: `{"secrets":[{"secret":"` + first + `","expires_at":null},{"secret":"` + second + `","expires_at":"2999-01-01T00:00:00Z"}]}`},
		{name: "the id again", method: "POST", path: path, body: begin + `"id":"ep_2aBcD"}`, status: 409, problem: "conflict"},
		{name: "by a tenant", method: "POST", path: path, key: "tenant", body: begin + `"id":"` + ownID + `"}`, status: 403, problem: "forbidden"},
		{name: "in the future", method: "POST", path: path, body: begin + `"created_at":"2999-01-02T03:04:05Z"}`, status: 422, problem: "invalid created_at"},
		{name: "a secret for ever", method: "POST", path: path, body: begin + `"secrets":[{"secret":"` + first + `"},{"secret":"` + second + `"}]}`, status: 422, problem: "invalid secrets[1].expires_at"},
		{name: "no secret", method: "POST", path: path, body: begin + `"secrets":[{"secret":"hidden"}]}`, status: 422, problem: "invalid secrets[0].secret", without: []string{"hidden"}},
		{name: "a short one", method: "POST", path: path, status: 201, body: begin + `"id":"ep_short","secrets":[{"secret":"whsec_c2hvcnQtb25l"}]}`},
		{name: "is from another system", method: "GET", path: path + "/ep_short/secret", status: 200, want: `{"secrets":[{"secret":"whsec_c2hvcnQtb25l","imported":true}]}`},
		{name: "a text", method: "POST", path: path, body: begin + `"secrets":["` + first + `"]}`, status: 422, problem: "invalid secrets[0]"},
		{name: "two ways", method: "POST", path: path, body: begin + `"secret":"` + first + `","secrets":[{"secret":"` + first + `"}]}`, status: 422, problem: "invalid secrets"},
	})
}
