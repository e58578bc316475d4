package hostile

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// atEndpoints are scenarios with endpoints that misbehave, or with very many of them. They get a few hundred to a few
// thousand requests per second, a fraction of what one core can serve.
var atEndpoints = []*Scenario{
	{
		Name: "hanging-endpoints", Meaning: "1000 endpoints never answer; the platform publishes a small event to all of them each second",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1000, a.receiver.at("hang"), nil)
		},
		attack: publishAt(1, 100),
	},
	{
		Name: "bad-answers", Meaning: "300 endpoints redirect, reset connections or acknowledge with a body that never ends; two events a second",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeTenant(ctx); err != nil {
				return err
			}
			for _, kind := range []string{"redirect", "reset", "endless"} {
				if err := a.addEndpoints(ctx, 100, object{"url": a.receiver.at(kind), "events": []string{"*"}}); err != nil {
					return err
				}
			}
			return nil
		},
		attack: publishAt(2, 100),
	},
	{
		Name: "healthy-fan-out", Meaning: "1000 endpoints answer at once; the platform publishes two events a second, which are 2000 deliveries",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1000, a.receiver.at("ok"), nil)
		},
		attack: publishAt(2, 100),
	},
	{
		Name: "many-tenants", Meaning: "300 small tenants have one endpoint each, which hangs; the platform publishes to each once a second",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeSmallTenants(ctx, 300, "hang") },
		attack: func(ctx context.Context, a *attacker) error {
			body, tenants := eventBody(100), a.of(300)
			repeat(ctx, 16, float64(tenants), func(i int) { a.publishToSmall(ctx, i%tenants, body) })
			return nil
		},
	},
	{
		Name: "neighbours-host", Meaning: "300 endpoints are at the neighbour's own host, on a path that hangs; two events a second",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 300, a.Neighbour+"/hang", nil)
		},
		attack: publishAt(2, 100),
	},
	{
		Name: "fifo-heads", Meaning: "10 endpoints in order fail at the first of 2000 events each, and try it again every second; 20 more events a second",
		prepare: func(ctx context.Context, a *attacker) error {
			in := object{"ordering": "fifo", "status": "paused", "retry": object{"interval": "1s", "count": 100}}
			if err := a.makeEndpoints(ctx, 10, a.receiver.at("fail"), in); err != nil {
				return err
			}
			return a.fill(ctx, 2000)
		},
		attack: func(ctx context.Context, a *attacker) error {
			for _, id := range a.endpoints {
				a.setStatus(ctx, id, "enabled")
			}
			return publishAt(20, 100)(ctx, a)
		},
	},
}

// publishAt publishes single events of the given size.
func publishAt(perSecond float64, bytes int) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		body := eventBody(bytes)
		repeat(ctx, 4, perSecond, func(int) { a.publish(ctx, body) })
		return nil
	}
}

func (a *attacker) setStatus(ctx context.Context, endpoint, status string) {
	a.native(ctx, a.key, "PATCH", tenantPath("/endpoints/"+endpoint), object{"status": status})
}

func smallTenant(i int) string { return "small-" + strconv.Itoa(i) }

func (a *attacker) publishToSmall(ctx context.Context, i int, body []byte) {
	a.do(ctx, call{method: "POST", path: "/api/v1/tenants/" + smallTenant(i) + "/events", key: a.AdminKey, body: body})
}

// makeSmallTenants creates tenants with one endpoint each, which behaves in the given way.
func (a *attacker) makeSmallTenants(ctx context.Context, n int, kind string) error {
	if err := a.must(ctx, a.AdminKey, "PUT", "/event-types/"+eventType, object{}, nil); err != nil {
		return err
	}
	endpoint := object{"url": a.receiver.at(kind), "events": []string{"*"}}
	made := 0
	times(1, a.of(n), func(i int) bool {
		err := a.must(ctx, a.AdminKey, "POST", "/tenants", object{"id": smallTenant(i)}, nil)
		if err == nil {
			err = a.must(ctx, a.AdminKey, "POST", "/tenants/"+smallTenant(i)+"/endpoints", endpoint, nil)
		}
		if err == nil {
			made++
		}
		return err == nil
	})
	if made < a.of(n) {
		return fmt.Errorf("only %d small tenants created", made)
	}
	return nil
}

// atPublishing are scenarios in which a tenant's platform publishes costly events.
var atPublishing = []*Scenario{
	{
		Name: "single-flood", Meaning: "the platform publishes 1000 single events a second over 64 connections to a healthy endpoint",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil) },
		// More would leave no processor for the neighbour: with sender and receiver an event costs 0.3 ms of CPU.
		attack: func(ctx context.Context, a *attacker) error {
			body := eventBody(500)
			repeat(ctx, 64, 1000, func(int) { a.publish(ctx, body) })
			return nil
		},
	},
	{
		Name: "spread-flood", Meaning: "the same 1000 single events a second go to 100 tenants with an endpoint each: what the load costs the neighbour when nobody takes more than a share",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeSmallTenants(ctx, 100, "ok") },
		attack: func(ctx context.Context, a *attacker) error {
			body, tenants := eventBody(500), a.of(100)
			repeat(ctx, 64, 1000, func(i int) { a.publishToSmall(ctx, i%tenants, body) })
			return nil
		},
	},
	{
		Name: "batch-flood", Meaning: "the platform publishes the largest batch there may be, 1000 events and 15 MiB, each second, to an endpoint that hangs",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1, a.receiver.at("hang"), nil)
		},
		// A common disk can write one per second twice, to log and database, while others write too.
		attack: func(ctx context.Context, a *attacker) error {
			body := batchBody(1000, 15_000)
			repeat(ctx, 4, 1, func(int) { a.publishBatch(ctx, body) })
			return nil
		},
	},
	{
		Name: "conflicts", Meaning: "the platform publishes batches of 1000 whose last event conflicts with a stored one, 4 a second",
		prepare: func(ctx context.Context, a *attacker) error {
			if err := a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil); err != nil {
				return err
			}
			if status := a.publish(ctx, mustJSON(object{"type": eventType, "id": "taken", "data": 1})); status != http.StatusAccepted {
				return fmt.Errorf("an event with an id was answered %d", status)
			}
			return nil
		},
		attack: func(ctx context.Context, a *attacker) error {
			events := make([]object, a.of(1000))
			for i := range events {
				events[i] = object{"type": eventType, "id": strconv.Itoa(i), "data": i}
			}
			events[len(events)-1]["id"] = "taken"
			body := mustJSON(object{"events": events})
			repeat(ctx, 4, 4, func(int) { a.publishBatch(ctx, body) })
			return nil
		},
	},
	{
		Name: "costly-data", Meaning: "the platform publishes data that costs most to check: 140 000 numbers that must differ, twice a second, and nested alternatives",
		prepare: prepareCostlyData,
		attack: func(ctx context.Context, a *attacker) error {
			numbers := make([]int, a.of(140_000))
			for i := range numbers {
				numbers[i] = i
			}
			many := mustJSON(object{"type": eventType, "data": numbers})
			one := mustJSON(object{"type": alternativesType, "data": 1})
			together(
				func() { repeat(ctx, 2, 2, func(int) { a.publish(ctx, many) }) },
				func() { repeat(ctx, 2, 2, func(int) { a.publish(ctx, one) }) },
			)
			return nil
		},
	},
	{
		Name: "held-bodies", Meaning: "the platform sends 60 batches of 15 MiB but for the last byte, and 60 connections of a tenant key as much as they may of an endpoint",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			batch := string(batchBody(1000, 15_000))
			held := text("POST", "/api/v1"+tenantPath("/events/batch"), "Bearer "+a.AdminKey, contentLength(len(batch)+1), batch)
			endpoint := `{"url":"http://` + padding(200_000)
			small := text("POST", "/api/v1"+tenantPath("/endpoints"), "Bearer "+a.key, contentLength(len(endpoint)+1), endpoint)
			// Twenty a second are 300 MB a second, which takes the attacker a fifth of a core.
			together(
				func() { a.hold(ctx, a.of(60), 20, sendAndWait(held)) },
				func() { a.hold(ctx, a.of(60), 20, sendAndWait(small)) },
			)
			return nil
		},
	},
	{
		Name: "refused-bodies", Meaning: "a tenant key sends compressed bodies and ones of 100 MB, 50 a second of each, which are refused",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			path := "/api/v1" + tenantPath("/endpoints")
			large := text("POST", path, "Bearer "+a.key, contentLength(100_000_000), padding(1<<20))
			together(
				func() {
					repeat(ctx, 8, 50, func(int) {
						a.do(ctx, call{method: "POST", path: path, key: a.key, body: []byte(padding(10_000)), headers: map[string]string{"Content-Encoding": "gzip"}})
					})
				},
				func() { a.hold(ctx, a.of(50), 50, sendAndWait(large)) },
			)
			return nil
		},
	},
}

const alternativesType = "hostile.alternatives"

// prepareCostlyData registers schemas that are costly, unless the server refuses them.
func prepareCostlyData(ctx context.Context, a *attacker) error {
	if err := a.makeEndpoints(ctx, 1, a.receiver.at("ok"), nil); err != nil {
		return err
	}
	if err := a.must(ctx, a.AdminKey, "PUT", "/event-types/"+eventType, object{"schema": object{"uniqueItems": true}}, nil); err != nil {
		return err
	}
	// Each level has two equal alternatives, so the work doubles with each level.
	levels := object{"l0": object{"type": "string"}}
	for i := 1; i <= 20; i++ {
		below := object{"$ref": "#/$defs/l" + strconv.Itoa(i-1)}
		levels["l"+strconv.Itoa(i)] = object{"anyOf": []object{below, below}}
	}
	schema := object{"$ref": "#/$defs/l20", "$defs": levels}
	if status, _ := a.native(ctx, a.AdminKey, "PUT", "/event-types/"+alternativesType, object{"schema": schema}); status >= 500 {
		return fmt.Errorf("a schema was answered %d", status)
	}
	return nil
}
