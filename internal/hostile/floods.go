package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// atRequests are floods of requests that are cheap to make: most are refused, repeated, or answered with little. Each scenario has
// 500 to 1000 a second, which leave processors to the neighbour.
var atRequests = []*Scenario{
	{
		Name: "wrong-secrets", Meaning: "without a key, with a malformed one, and with existing keys and wrong secrets, 250 requests a second of each, and 250 with secrets of other forms",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			body := eventBody(500)
			repeat(ctx, 32, 1000, func(i int) {
				last := a.key[len(a.key)-1]
				keys := []string{"", "bw", a.key[:len(a.key)-1] + string(last^1), "sk_live_" + strconv.Itoa(i) + padding(24)}
				a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/events"), key: keys[i%len(keys)], body: body})
			})
			return nil
		},
	},
	{
		Name: "unknown-paths", Meaning: "1000 requests a second for paths that do not exist, in every dialect, and with methods that are not allowed, half of them with a tenant key",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			paths := []string{"/nothing", "/api/v1/nothing", "/api/v4/nothing", "/v1/nothing", "/api/v1/tenants/%2e%2e/events", "/console/nothing.js"}
			methods := []string{"GET", "POST", "DELETE", "PROPFIND"}
			repeat(ctx, 32, 1000, func(i int) {
				c := call{method: methods[i/2%len(methods)], path: paths[i%len(paths)] + "/" + strconv.Itoa(i)}
				if i%2 == 0 {
					c.key = a.key
				}
				a.do(ctx, c)
			})
			return nil
		},
	},
	{
		Name: "options-requests", Meaning: "without a key, 1000 OPTIONS requests a second, as browsers ask before they send",
		attack: func(ctx context.Context, a *attacker) error {
			paths := []string{"/api/v1/tenants", "/api/v1" + tenantPath("/events"), "/v1/webhooks", "/api/v4/accounts/1/webhooks", "/"}
			repeat(ctx, 32, 1000, func(i int) {
				a.do(ctx, call{method: "OPTIONS", path: paths[i%len(paths)], headers: map[string]string{
					"Origin": "https://bench.example", "Access-Control-Request-Method": "POST",
				}})
			})
			return nil
		},
	},
	{
		Name: "faulty-bodies", Meaning: "the platform publishes 10 batches a second of 1000 events with a fault in each, and 400 broken or slightly too large events; a tenant key creates 100 faulty endpoints a second",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			events := make([]object, a.of(1000))
			for i := range events {
				events[i] = object{"type": "not a type", "data": i}
			}
			batch := mustJSON(object{"events": events})
			broken := []byte(`{"type":"` + eventType + `","data":{"pad":"` + padding(500))
			large := eventBody(1 << 20)
			endpoint := mustJSON(object{"url": "nowhere", "events": []string{"*", ""}, "retry": object{"count": -1}, "filter": "data.", "unknown": 1})
			together(
				func() { repeat(ctx, 4, 10, func(int) { a.publishBatch(ctx, batch) }) },
				func() {
					repeat(ctx, 16, 400, func(i int) {
						if i%40 == 0 {
							a.publish(ctx, large)
							return
						}
						a.publish(ctx, broken)
					})
				},
				func() {
					repeat(ctx, 16, 100, func(int) {
						a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/endpoints"), key: a.key, body: endpoint})
					})
				},
			)
			return nil
		},
	},
	{
		Name: "repeated-requests", Meaning: "the platform repeats one publish 500 times a second, and a tenant key one new endpoint 200 times a second, each with the same idempotency key",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil) },
		attack: func(ctx context.Context, a *attacker) error {
			same := map[string]string{"Idempotency-Key": "bench"}
			event, endpoint := eventBody(500), mustJSON(object{"url": a.receiver.at("ok"), "events": []string{"nobody.*"}})
			together(
				func() {
					repeat(ctx, 32, 500, func(int) {
						a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/events"), key: a.AdminKey, headers: same, body: event})
					})
				},
				func() {
					repeat(ctx, 16, 200, func(int) {
						a.do(ctx, call{method: "POST", path: "/api/v1" + tenantPath("/endpoints"), key: a.key, headers: same, body: endpoint})
					})
				},
			)
			return nil
		},
	},
	{
		Name: "short-lists", Meaning: "a tenant-read key and the platform's key list 20 000 events and deliveries one by one, 500 requests a second of each",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil); err != nil {
				return err
			}
			return a.fill(ctx, 20_000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			lists := []string{"/events?limit=1", "/deliveries?limit=1", "/deliveries?limit=1&status=exhausted", "/endpoints?limit=1"}
			by := func(key string) func() {
				return func() {
					repeat(ctx, 32, 500, func(i int) { a.native(ctx, key, "GET", tenantPath(lists[i%len(lists)]), nil) })
				}
			}
			together(by(a.readKey), by(a.AdminKey))
			return nil
		},
	},
	{
		Name: "dry-runs", Meaning: "the platform and a tenant key count what a replay, a bulk retry and a bulk cancellation of 20 000 events would do, 100 times a second each",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 1, a.receiver.at("ok"), object{"status": "paused"}); err != nil {
				return err
			}
			return a.fill(ctx, 20_000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			counts := []struct {
				path string
				in   object
			}{
				{"/replays", object{"endpoint": a.endpoints[0], "status": "missing", "since": time.Now().Add(-time.Hour), "dry_run": true}},
				{"/deliveries/retry", object{"status": "failed", "dry_run": true}},
				{"/deliveries/cancel", object{"dry_run": true}},
			}
			by := func(key string) func() {
				return func() {
					repeat(ctx, 32, 100, func(i int) {
						count := counts[i%len(counts)]
						a.native(ctx, key, "POST", tenantPath(count.path), count.in)
					})
				}
			}
			together(by(a.AdminKey), by(a.key))
			return nil
		},
	},
	{
		Name: "filter-trials", Meaning: "the platform and a tenant key try a filter that reads all of an event's data on 2000 events of 1 kB, 100 times a second each",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeTenant(ctx); err != nil {
				return err
			}
			list := make([]int, 200)
			body := mustJSON(object{"events": slices.Repeat([]object{{"type": eventType, "data": object{"list": list}}}, 500)})
			for range 4 {
				if status := a.publishBatch(ctx, body); status != http.StatusAccepted {
					return fmt.Errorf("a batch before the attack was answered %d", status)
				}
			}
			return nil
		},
		attack: func(ctx context.Context, a *attacker) error {
			in := object{"filter": "data.list.all(a, data.list.exists(b, a == b))"}
			by := func(key string) func() {
				return func() {
					repeat(ctx, 16, 100, func(int) { a.native(ctx, key, "POST", tenantPath("/filters/try"), in) })
				}
			}
			together(by(a.AdminKey), by(a.key))
			return nil
		},
	},
	{
		Name: "sign-ins", Meaning: "the platform signs in to the console 100 times a second and makes 100 links; without a key, 500 invented codes a second",
		attack: func(ctx context.Context, a *attacker) error {
			code := mustJSON(object{"code": "bwx_" + padding(70)})
			together(
				func() {
					repeat(ctx, 16, 100, func(int) { a.native(ctx, a.AdminKey, "POST", "/console-sessions", nil) })
				},
				func() {
					repeat(ctx, 16, 100, func(int) { a.native(ctx, a.AdminKey, "POST", "/console-sessions/links", nil) })
				},
				func() {
					repeat(ctx, 32, 500, func(i int) {
						path := []string{"/console-sessions", "/portal-sessions"}[i%2]
						a.do(ctx, call{method: "POST", path: "/api/v1" + path + "/exchange", body: code})
					})
				},
			)
			return nil
		},
	},
	{
		Name: "portal-codes", Meaning: "the platform and a tenant key make 100 portal sessions a second each, and exchange their codes twice",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			by := func(key string) func() {
				return func() { repeat(ctx, 16, 100, func(int) { a.openPortal(ctx, key) }) }
			}
			together(by(a.AdminKey), by(a.key))
			return nil
		},
	},
	{
		Name: "stream-connects", Meaning: "a tenant-read key and the platform's key open and close live streams, 200 a second of each, on new connections",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil)
		},
		attack: func(ctx context.Context, a *attacker) error {
			stream := func(path, key string) string { return text("GET", "/api/v1"+path, "Bearer "+key, "", "") }
			together(
				func() { a.hold(ctx, a.of(200), 200, readOnce(stream(tenantPath("/live"), a.readKey))) },
				func() { a.hold(ctx, a.of(200), 200, readOnce(stream("/live", a.AdminKey))) },
				func() { _ = publishAt(50, 500)(ctx, a) },
			)
			return nil
		},
	},
}

// openPortal creates a portal session, and exchanges its code twice.
func (a *attacker) openPortal(ctx context.Context, key string) {
	status, answer := a.native(ctx, key, "POST", tenantPath("/portal-sessions"), nil)
	var made struct{ URL string }
	if status != http.StatusCreated || json.Unmarshal(answer, &made) != nil {
		return
	}
	_, code, _ := strings.Cut(made.URL, "#code=")
	body := mustJSON(object{"code": code})
	for range 2 {
		a.do(ctx, call{method: "POST", path: "/api/v1/portal-sessions/exchange", body: body})
	}
}

// readOnce sends a request, reads a little of the answer, and leaves after half a second.
func readOnce(text string) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		sendAndWait(text)(ctx, conn)
		sleep(ctx, 500*time.Millisecond)
	}
}
