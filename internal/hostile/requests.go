package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// atReaders are about lists and pages that are read often, deep or not at all.
var atReaders = []*Scenario{
	{
		Name: "deep-paging", Meaning: "16 connections of a tenant-read key page through a log of 20 000 events by 250, and look for a type that is not in it",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeTenant(ctx); err != nil {
				return err
			}
			return a.fill(ctx, 20_000)
		},
		// 100 pages of 75 kB a second take a quarter of a core to write and as much to read.
		attack: func(ctx context.Context, a *attacker) error {
			together(
				func() { repeat(ctx, 8, 50, a.pager(ctx)) },
				func() {
					repeat(ctx, 8, 50, func(int) { a.native(ctx, a.readKey, "GET", tenantPath("/events?limit=250&type="+steadyType), nil) })
				},
			)
			return nil
		},
	},
	{
		Name: "list-pollers", Meaning: "100 connections of a tenant-read key list events and deliveries, as fast as they are answered, but for 300 a second",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 5, a.receiver.at("ok"), nil); err != nil {
				return err
			}
			return a.fill(ctx, 1000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			lists := []string{"/events", "/deliveries", "/deliveries?status=exhausted", "/endpoints"}
			repeat(ctx, 100, 300, func(i int) { a.native(ctx, a.readKey, "GET", tenantPath(lists[i%len(lists)]), nil) })
			return nil
		},
	},
	{
		Name: "unread-dialects", Meaning: "60 connections of a tenant-read key each ask for lemon's and the native list of events of 100 kB each, and do not read",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeTenant(ctx); err != nil {
				return err
			}
			body := batchBody(100, 100_000)
			if status := a.publishBatch(ctx, body); status != http.StatusAccepted {
				return fmt.Errorf("a batch before the attack was answered %d", status)
			}
			return nil
		},
		attack: func(ctx context.Context, a *attacker) error {
			const privacy = "LMG-Data-Privacy-Access-Principal: bench\r\nLMG-Data-Privacy-Access-Justification: bench\r\n"
			lemon := text("GET", "/v1/events", "Bearer "+a.readKey, privacy, "")
			together(
				func() { a.hold(ctx, a.of(60), 60, unread(lemon)) },
				func() { a.hold(ctx, a.of(60), 60, unread(a.listRequest("/events?limit=250"))) },
			)
			return nil
		},
	},
	{
		Name: "open-pages", Meaning: "without a key, 50 requests a second for /metrics and /readyz each, and 300 connections that ask for the API's description and do not read",
		prepare: func(ctx context.Context, a *attacker) error {
			// What the metrics count.
			if err := a.makeEndpoints(ctx, 300, a.receiver.at("fail"), nil); err != nil {
				return err
			}
			a.publish(ctx, eventBody(100))
			return nil
		},
		attack: func(ctx context.Context, a *attacker) error {
			page := text("GET", "/openapi.json", "", "", "")
			together(
				func() { repeat(ctx, 8, 50, func(int) { a.do(ctx, call{method: "GET", path: "/metrics"}) }) },
				func() { repeat(ctx, 8, 50, func(int) { a.do(ctx, call{method: "GET", path: "/readyz"}) }) },
				func() { a.hold(ctx, a.of(300), 150, unread(page)) },
			)
			return nil
		},
	},
}

// pager reads the log of events page after page, and begins anew at its end.
func (a *attacker) pager(ctx context.Context) func(int) {
	cursors := make(chan string, 8)
	return func(int) {
		path := tenantPath("/events?limit=250")
		select {
		case cursor := <-cursors:
			path += "&cursor=" + escaped(cursor)
		default:
		}
		_, answer := a.native(ctx, a.readKey, "GET", path, nil)
		var page struct {
			Next string `json:"next_cursor"`
		}
		if json.Unmarshal(answer, &page) != nil || page.Next == "" {
			return // the end of the log, or refused
		}
		select {
		case cursors <- page.Next:
		default:
		}
	}
}

// atConfiguration are about changes of what there is.
var atConfiguration = []*Scenario{
	{
		Name: "pause-resume", Meaning: "a tenant key pauses and resumes an endpoint with 20 000 events waiting, five times a second",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 1, a.receiver.at("hang"), object{"status": "paused"}); err != nil {
				return err
			}
			return a.fill(ctx, 20_000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			repeat(ctx, 1, 5, func(i int) { a.setStatus(ctx, a.endpoints[0], []string{"enabled", "paused"}[i%2]) })
			return nil
		},
	},
	{
		Name: "tenant-deletion", Meaning: "the platform deletes a tenant with 20 endpoints and 60 000 deliveries that wait",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 20, a.receiver.at("ok"), object{"status": "paused"}); err != nil {
				return err
			}
			return a.fill(ctx, 3000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			a.native(ctx, a.AdminKey, "DELETE", tenantPath(""), nil)
			return nil
		},
	},
	{
		Name: "endpoint-churn", Meaning: "a tenant key creates and deletes endpoints, 50 a second of each, beside 50 others, while its platform publishes 50 a second",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 50, a.receiver.at("ok"), object{"events": []string{"nobody.*"}})
		},
		attack: func(ctx context.Context, a *attacker) error {
			in := object{"url": a.receiver.at("ok"), "events": []string{eventType}}
			together(
				func() { repeat(ctx, 4, 50, func(int) { a.makeAndDelete(ctx, in) }) },
				func() { _ = publishAt(50, 100)(ctx, a) },
			)
			return nil
		},
	},
	{
		Name: "unknown-keys", Meaning: "with keys that do not exist, 500 requests a second",
		attack: func(ctx context.Context, a *attacker) error {
			// Each is looked up in the database: a guess was measured to cost half a millisecond of CPU.
			repeat(ctx, 32, 500, func(i int) {
				a.native(ctx, "guess-"+strconv.Itoa(i)+padding(30), "GET", tenantPath("/events"), nil)
			})
			return nil
		},
	},
}

func (a *attacker) makeAndDelete(ctx context.Context, in object) {
	status, answer := a.native(ctx, a.key, "POST", tenantPath("/endpoints"), in)
	var made struct{ ID string }
	if status == http.StatusCreated && json.Unmarshal(answer, &made) == nil {
		a.native(ctx, a.key, "DELETE", tenantPath("/endpoints/"+made.ID), nil)
	}
}

// atConnections are about connections that are held.
var atConnections = []*Scenario{
	{
		Name: "slow-headers", Meaning: "10 000 connections say nothing, or dribble a header",
		attack: func(ctx context.Context, a *attacker) error {
			together(
				func() { a.hold(ctx, a.of(5000), 600, drip("", time.Hour)) },
				func() {
					a.hold(ctx, a.of(5000), 600, drip("GET /readyz HTTP/1.1\r\nHost: bench\r\nX: ", 4*time.Second))
				},
			)
			return nil
		},
	},
	{
		Name: "keyed-bodies", Meaning: "10 000 connections of a tenant key dribble a body each",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			// As many as the server has places for; see dribbled-bodies.
			body := text("POST", "/api/v1"+tenantPath("/endpoints"), "Bearer "+a.key, contentLength(100_000), `{"url":"`)
			a.hold(ctx, a.of(10_000), 1100, drip(body, 4*time.Second))
			return nil
		},
	},
}
