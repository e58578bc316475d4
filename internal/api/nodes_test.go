package api_test

import "testing"

// TestNodes lists nodes and settings, which only operators see.
func TestNodes(t *testing.T) {
	run(t, []step{
		{method: "GET", path: "/nodes", status: 200, want: `{"data":[{"current":true,"alive":true,"leaving":false,"lease_renewed_at":null,"lease_expires_at":null}]}`},
		{method: "GET", path: "/settings", status: 200, want: `{"data":[]}`},
		{name: "nodes to a publisher", method: "GET", path: "/nodes", key: "publisher", status: 403, problem: "forbidden"},
		{name: "nodes to a tenant", method: "GET", path: "/nodes", key: "tenant", status: 403, problem: "forbidden"},
		{name: "settings to a publisher", method: "GET", path: "/settings", key: "publisher", status: 403, problem: "forbidden"},
		{name: "settings to a tenant", method: "GET", path: "/settings", key: "tenant", status: 403, problem: "forbidden"},
	})
}
