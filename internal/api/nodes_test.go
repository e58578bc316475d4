package api_test

import "testing"

// TestNodes lists nodes, settings and findings, which only operators see.
func TestNodes(t *testing.T) {
	run(t, []step{
		{method: "GET", path: "/nodes", status: 200, want: `{"data":[{"current":true,"alive":true,"leaving":false,"lease_renewed_at":null,"lease_expires_at":null}]}`},
		{method: "GET", path: "/settings", status: 200, want: `{"data":[]}`},
		{method: "GET", path: "/doctor", status: 200, want: `{"data":[{"id":"database.durability","level":"problem","found":"fsync is off.","do":"Set it on."}]}`},
		{name: "doctor to a publisher", method: "GET", path: "/doctor", key: "publisher", status: 403, problem: "forbidden"},
		{name: "doctor to a tenant", method: "GET", path: "/doctor", key: "tenant", status: 403, problem: "forbidden"},
		{name: "nodes to a publisher", method: "GET", path: "/nodes", key: "publisher", status: 403, problem: "forbidden"},
		{name: "nodes to a tenant", method: "GET", path: "/nodes", key: "tenant", status: 403, problem: "forbidden"},
		{name: "settings to a publisher", method: "GET", path: "/settings", key: "publisher", status: 403, problem: "forbidden"},
		{name: "settings to a tenant", method: "GET", path: "/settings", key: "tenant", status: 403, problem: "forbidden"},
	})
}

// TestAlertTests has alerts tested, but for operators alone, and not again and again.
func TestAlertTests(t *testing.T) {
	run(t, []step{
		{name: "by a tenant", method: "POST", path: "/alerts/test", key: "tenant", status: 403, problem: "forbidden"},
		{name: "by a publisher", method: "POST", path: "/alerts/test", key: "publisher", status: 403, problem: "forbidden"},
		{name: "by an operator", method: "POST", path: "/alerts/test", status: 200,
			want: `{"data":[{"address":"ops@example.com","sent":true,"answer":"2.0.0 queued","error":""}]}`},
		{name: "at once again", method: "POST", path: "/alerts/test", status: 429, problem: "rate_limited"},
	})
}
