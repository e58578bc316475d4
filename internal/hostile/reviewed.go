package hostile

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reviewed are scenarios from a security review and from bug reports of similar systems, in which other tenants were
// affected, with the numbers of the review. Some numbers are smaller, because the load itself would use up the machine: the
// scenarios measure how the server shares resources while processors are free.
var reviewed = []*Scenario{
	{
		Name: "unread-bodies", Meaning: "150 endpoints accept connections and never read; the platform publishes 900 kB to all of them every 5 s",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 150, a.receiver.unread(), nil)
		},
		attack: func(ctx context.Context, a *attacker) error {
			body := eventBody(900_000)
			repeat(ctx, 2, 1.0/5, func(int) { a.publish(ctx, body) })
			return nil
		},
	},
	{
		Name: "fan-out", Meaning: "1000 endpoints that hang want everything; the platform publishes an ordinary batch of 1000 events",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1000, a.receiver.at("hang"), nil)
		},
		attack: func(ctx context.Context, a *attacker) error {
			a.publishBatch(ctx, batchBody(a.of(1000), 100))
			return nil
		},
	},
	{
		Name: "million-deliveries", Meaning: "1000 endpoints that answer at once want everything; the platform publishes an ordinary batch of 1000 events",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeEndpoints(ctx, 1000, a.receiver.at("ok"), nil)
		},
		attack: publishAndReceive,
	},
	{
		Name: "hanging-tests", Meaning: "a tenant key tests 1000 endpoints that hang with an example of 200 kB, and asks for manual retries, 300 a second of each",
		prepare: prepareHangingTests,
		attack:  attackWithTests,
	},
	{
		Name: "unread-lists", Meaning: "60 connections of a tenant-read key ask for a list of endpoints as large as it may be, 80 MB before there was a limit, and do not read it",
		prepare: func(ctx context.Context, a *attacker) error {
			// Both are six bytes each as JSON.
			return a.makeWorstEndpoints(ctx, 250, a.largeEndpoint("\x01"), a.largeEndpoint("<"))
		},
		attack: func(ctx context.Context, a *attacker) error {
			// The review had 20; 60 shows whether there is a bound at all.
			a.hold(ctx, a.of(60), 100, unread(a.listRequest("/endpoints?limit=250")))
			return nil
		},
	},
	{
		Name: "tombstones", Meaning: "a tenant key creates, tests and deletes endpoints; then 150 connections of a tenant-read key list deliveries",
		prepare: prepareTombstones,
		attack: func(ctx context.Context, a *attacker) error {
			// As fast as answers come, up to 600 per second: the cost of the lists is measured, not the speed of the
			// answers.
			repeat(ctx, a.of(150), 600, func(int) { a.native(ctx, a.readKey, "GET", tenantPath("/deliveries"), nil) })
			return nil
		},
	},
	{
		Name: "lemon-refusals", Meaning: "a tenant-read key makes 500 lemon requests a second that its role is refused, with the longest privacy headers",
		prepare: func(ctx context.Context, a *attacker) error { return a.makeTenant(ctx) },
		attack: func(ctx context.Context, a *attacker) error {
			// The review counted 2185 a second with both cores busy; a quarter of that leaves them to the neighbour.
			long := padding(1000)
			repeat(ctx, 16, 500, func(i int) {
				a.do(ctx, call{method: "POST", path: "/v1/webhooks", key: a.readKey, body: []byte("{}"), headers: map[string]string{
					"LMG-Data-Privacy-Access-Principal": strconv.Itoa(i) + long, "LMG-Data-Privacy-Access-Justification": long,
				}})
			})
			return nil
		},
	},
	{
		Name: "quick-retries", Meaning: "20 endpoints ask for 100 retries as fast as they may, with 50 long headers, and answer 8 kB failures; 5 events",
		prepare: prepareQuickRetries,
		attack: func(ctx context.Context, a *attacker) error {
			body := eventBody(100)
			repeat(ctx, 1, 5, func(i int) {
				if i < 5 {
					a.publish(ctx, body)
				}
			})
			return nil
		},
	},
	{
		Name: "endpoint-changes", Meaning: "a tenant key changes one of 120 endpoints with full metadata again and again while its platform publishes 100 a second",
		prepare: func(ctx context.Context, a *attacker) error {
			return a.makeWorstEndpoints(ctx, 120, a.largeEndpoint("x"))
		},
		attack: func(ctx context.Context, a *attacker) error {
			body := eventBody(100)
			together(
				func() { // two hands, as in the review
					repeat(ctx, 2, 200, func(i int) {
						a.native(ctx, a.key, "PATCH", tenantPath("/endpoints/"+a.endpoints[0]), object{"description": strconv.Itoa(i)})
					})
				},
				func() { repeat(ctx, 8, 100, func(int) { a.publish(ctx, body) }) },
			)
			return nil
		},
	},
	{
		Name: "dribbled-bodies", Meaning: "without a key, 10 000 connections dribble a body each, signed as bluefin's are or with an unknown key",
		attack: func(ctx context.Context, a *attacker) error {
			// As many as the server has places for, at a tenth more than 1000 new ones a second, so that they are full within the attack.
			signed := fmt.Sprintf(`Hmac id="api_%032d", nonce="n", timestamp="%d", response="%064d"`, 1, time.Now().Unix(), 1)
			bluefin := text("POST", "/api/v4/accounts/123456789012/webhooks", signed, contentLength(100_000), `{"url":"`)
			native := text("POST", "/api/v1"+tenantPath("/events"), "Bearer unknown", contentLength(100_000), `{"type":"`)
			together(
				func() { a.hold(ctx, a.of(6000), 700, drip(bluefin, 4*time.Second)) },
				func() { a.hold(ctx, a.of(4000), 400, drip(native, 4*time.Second)) },
			)
			return nil
		},
	},
}

// largeEndpoint has as much as there can be of one character, and wants nothing that is published.
func (a *attacker) largeEndpoint(character string) object {
	metadata := make(map[string]string)
	for i := range 50 {
		metadata[fmt.Sprintf("%02d%s", i, padding(500))] = strings.Repeat(character, 500)
	}
	return object{
		"url": a.receiver.at("ok"), "events": []string{"nobody.*"}, "metadata": metadata, "description": strings.Repeat(character, 4000),
	}
}

// listRequest returns a request for a page of a list, with the tenant's read-only key.
func (a *attacker) listRequest(path string) string {
	return text("GET", "/api/v1"+tenantPath(path), "Bearer "+a.readKey, "", "")
}

// publishAndReceive publishes a batch, and counts deliveries as answers: with --attack 170s, most machines receive all of them.
func publishAndReceive(ctx context.Context, a *attacker) error {
	events := a.of(1000)
	began, before := time.Now(), a.receiver.received.Load()
	if a.publishBatch(ctx, batchBody(events, 100)) != http.StatusAccepted {
		return nil // its answer is counted
	}
	all := int64(events) * int64(len(a.endpoints))
	for a.receiver.received.Load()-before < all && sleep(ctx, 100*time.Millisecond) {
	}
	a.add("deliveries", int(a.receiver.received.Load()-before))
	a.add("seconds", int(time.Since(began).Seconds()))
	return nil
}

func prepareHangingTests(ctx context.Context, a *attacker) error {
	if err := a.makeEndpoints(ctx, 1000, a.receiver.at("hang"), object{"events": []string{eventType}}); err != nil {
		return err
	}
	example := object{"example": object{"pad": padding(200_000)}}
	if err := a.must(ctx, a.AdminKey, "PUT", "/event-types/"+eventType, example, nil); err != nil {
		return err
	}
	if status := a.publish(ctx, eventBody(100)); status != http.StatusAccepted {
		return fmt.Errorf("an event before the attack was answered %d", status)
	}
	return a.findDeliveries(ctx)
}

// findDeliveries remembers a page of the tenant's deliveries.
func (a *attacker) findDeliveries(ctx context.Context) error {
	var page struct{ Data []struct{ ID string } }
	if err := a.must(ctx, a.readKey, "GET", tenantPath("/deliveries?limit=250"), nil, &page); err != nil {
		return err
	}
	for _, delivery := range page.Data {
		a.deliveries = append(a.deliveries, delivery.ID)
	}
	return nil
}

// attackWithTests makes 600 requests a second. The review counted 1500 with both cores busy.
func attackWithTests(ctx context.Context, a *attacker) error {
	together(
		func() {
			repeat(ctx, 16, 300, func(i int) {
				a.native(ctx, a.key, "POST", tenantPath("/endpoints/"+a.endpoints[i%len(a.endpoints)]+"/test"), object{"type": eventType})
			})
		},
		func() {
			if len(a.deliveries) == 0 {
				return
			}
			repeat(ctx, 16, 300, func(i int) {
				a.native(ctx, a.key, "POST", tenantPath("/deliveries/"+a.deliveries[i%len(a.deliveries)]+"/retry"), nil)
			})
		},
	)
	return nil
}

// prepareTombstones leaves as many as it can in half the time of the attack. The review made 6000 in 16 s.
func prepareTombstones(ctx context.Context, a *attacker) error {
	if err := a.makeTenant(ctx); err != nil {
		return err
	}
	if err := a.must(ctx, a.AdminKey, "PUT", "/event-types/"+eventType, object{"example": object{"a": 1}}, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, a.Attack/2)
	defer cancel()
	times(setUpHands, a.of(6000), func(int) bool {
		var made struct{ ID string }
		if a.must(ctx, a.key, "POST", tenantPath("/endpoints"), object{"url": a.receiver.at("ok"), "events": []string{eventType}}, &made) != nil {
			return false // it may make no more
		}
		path := tenantPath("/endpoints/" + made.ID)
		a.native(ctx, a.key, "POST", path+"/test", object{"type": eventType})
		a.native(ctx, a.key, "DELETE", path, nil)
		return ctx.Err() == nil
	})
	return nil
}

// prepareQuickRetries asks for retries 1 ms apart, and where that is refused for ones a second apart.
func prepareQuickRetries(ctx context.Context, a *attacker) error {
	headers := make(map[string]string)
	for i := range 50 {
		headers[fmt.Sprintf("x-%02d-%s", i, padding(60))] = padding(20)
	}
	endpoint := func(interval string) object {
		return object{
			"url": a.receiver.at("fail"), "events": []string{"*"}, "headers": headers,
			"retry": object{"interval": interval, "count": 100},
		}
	}
	return a.makeWorstEndpoints(ctx, 20, endpoint("1ms"), endpoint("1s"))
}
