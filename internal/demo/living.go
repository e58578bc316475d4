package demo

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/client"
)

// The living demonstration: traffic at a pace that people can follow, at endpoints that do not all work.
const (
	livePace    = 2 * time.Second // between two events, on average
	slowAnswer  = 2 * time.Second
	replayRate  = 1.0 // events per second, so that a replay can be watched
	replayEvery = 2 * time.Minute
	replayed    = 3 * time.Hour
	outage      = 20 * time.Second // of the endpoint that recovers again and again
)

// neighbor is another tenant of the living demonstration.
type neighbor struct {
	id, name  string
	endpoints []liveEndpoint
}

// liveEndpoint is an endpoint that behaves as its path says.
type liveEndpoint struct {
	path, description string
	events            []string
	disableAfter      time.Duration // 0: the default
}

func neighbors() []neighbor {
	return []neighbor{
		{"globex", "Globex Corporation", []liveEndpoint{
			{path: "ok", description: "Order service", events: []string{"order.*", "payment.*"}},
			{path: repaired, description: "Billing", events: []string{"card.*", "payment.*", "counterparty.*"}, disableAfter: disableAfter},
			{path: "down", description: "Old CRM, which nobody switched off", events: []string{"account.*", "verification.*"}},
		}},
		{"initech", "Initech", []liveEndpoint{
			{path: "slow", description: "Nightly reports", events: []string{"card.*", "payment.*"}},
			{path: "flaky", description: "Risk engine", events: []string{"*"}},
		}},
	}
}

// behave answers as the path says.
func behave(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/down":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/slow":
		select {
		case <-time.After(slowAnswer):
		case <-r.Context().Done():
		}
	case "/flaky": // works most of the time, and then not for a while
		if time.Now().Unix()/int64(outage/time.Second)%3 == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
}

// settle creates the customer's neighbors, and returns the endpoints of all.
func settle(ctx context.Context, api *client.Client, c *customer) (residents []resident, err error) {
	for _, ep := range c.endpoints {
		residents = append(residents, resident{Endpoint: ep})
	}
	for _, n := range neighbors() {
		if _, err := api.CreateTenant(ctx, client.Tenant{ID: n.id, Name: n.name}); err != nil {
			return nil, err
		}
		for _, e := range n.endpoints {
			address := c.url + "/" + e.path
			in := client.EndpointInput{URL: &address, Events: e.events, Description: &e.description, Retry: &client.RetryPolicy{Schedule: recentRetries()}}
			if e.disableAfter > 0 {
				in.AutoDisableAfter = (*client.Duration)(&e.disableAfter)
			}
			ep, err := api.CreateEndpoint(ctx, n.id, in)
			if err != nil {
				return nil, err
			}
			residents = append(residents, resident{ep, e.path})
		}
	}
	return residents, nil
}

// live keeps the demonstration alive until the context ends. The flaky endpoint gets replays.
func (c *customer) live(ctx context.Context, api *client.Client, published []payload, residents []resident, orders *orders) {
	var running sync.WaitGroup
	running.Go(func() { publishOnAndOn(ctx, api, published, orders) })
	for _, r := range residents {
		if r.behaves == "flaky" {
			running.Go(func() { replayNowAndThen(ctx, api, r.Tenant, r.ID) })
		}
	}
	running.Go(func() { c.forget(ctx) })
	running.Wait()
}

// forget takes arrivals, so that receivers do not wait. The console shows them.
func (c *customer) forget(ctx context.Context) {
	for {
		select {
		case <-c.arrivals:
		case <-ctx.Done():
			return
		}
	}
}

// publishOnAndOn publishes each event for each neighbor, so that there is something to see of every endpoint, and then one after the
// other again and again, for any tenant. What the server refuses now, it may take later.
func publishOnAndOn(ctx context.Context, api *client.Client, published []payload, orders *orders) {
	tenants := tenants()
	publish := func(tenant string, p payload) {
		id, data := orders.number(tenant, p.eventType, p.data)
		_, _ = api.Publish(ctx, tenant, client.Publication{ID: id, Type: p.eventType, Data: json.RawMessage(data)})
	}
	for _, p := range published {
		for _, n := range neighbors() {
			publish(n.id, p)
		}
	}
	for wait(ctx, time.Duration(rand.ExpFloat64()*float64(livePace))) {
		publish(tenants[rand.IntN(len(tenants))], published[rand.IntN(len(published))])
	}
}

// replayNowAndThen has a slow replay under way most of the time.
func replayNowAndThen(ctx context.Context, api *client.Client, tenant, endpoint string) {
	for pause := 30 * time.Second; wait(ctx, pause); pause = replayEvery {
		_, _ = api.Replay(ctx, tenant, client.Replay{Endpoint: endpoint, Since: time.Now().Add(-replayed), Status: client.ReplayAll, Rate: replayRate})
	}
}

// wait reports whether the time has passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
