package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/client"
)

// TestEndpointsBehave: one is down, one is slow and gives up with its sender, and one fails for a third of the time.
func TestEndpointsBehave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ask := func(path string, patience time.Duration) (int, time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start, answer := time.Now(), httptest.NewRecorder()
			behave(answer, httptest.NewRequestWithContext(ctx, "POST", path, nil))
			return answer.Code, time.Since(start)
		}
		for path, want := range map[string]int{"/ok": http.StatusOK, "/down": http.StatusServiceUnavailable} {
			if got, took := ask(path, time.Minute); got != want || took > 0 {
				t.Errorf("%s: %d after %s", path, got, took)
			}
		}
		if got, took := ask("/slow", time.Minute); got != http.StatusOK || took != slowAnswer {
			t.Errorf("slow: %d after %s", got, took)
		}
		if _, took := ask("/slow", time.Second); took != time.Second {
			t.Errorf("slow, without patience: %s", took)
		}
		failed := 0
		for range 90 {
			if got, _ := ask("/flaky", time.Minute); got != http.StatusOK {
				failed++
			}
			time.Sleep(outage / 30)
		}
		if failed != 30 {
			t.Errorf("flaky failed %d of 90 times", failed)
		}
	})
}

// TestPast: the past leads to now without a jump, has nights and the troubles of the endpoints, and is the same for the same seed.
func TestPast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 12, 15, 4, 5, 0, time.UTC)
	published := []payload{{eventType: "order.executed"}, {eventType: "account.opened"}}
	residents := []resident{
		{&client.Endpoint{ID: "ep_down", Tenant: "globex", Events: []string{"account.*"}}, "down"},
		{&client.Endpoint{ID: "ep_other", Tenant: "acme", Events: []string{"payment.*"}}, ""},
	}
	tell := func() []Counted { return slices.Collect(past(now, rand.New(rand.NewPCG(1, 1)), published, residents)) }
	told := tell()
	if !slices.Equal(told, tell()) {
		t.Error("the same seed gives another past")
	}
	events := make(map[time.Time]int) // by hour
	downs := make(map[bool]int)       // by whether it is lately
	for i, c := range told {
		if c.At.After(now) || c.At.Before(now.AddDate(0, 0, -PastDays-1)) || i > 0 && c.At.Before(told[i-1].At) {
			t.Fatalf("number %d is at %s", i, c.At)
		}
		switch {
		case c.Endpoint == "":
			events[c.At.Truncate(time.Hour)]++
		case c.Endpoint != "ep_down" || c.Type != "account.opened":
			t.Fatalf("%s got %s", c.Endpoint, c.Type)
		case c.Outcome == "status":
			downs[now.Sub(c.At) < 50*time.Hour]++
		}
	}
	hour := now.Truncate(time.Hour)
	pace := int(time.Hour / livePace)
	if before := events[hour.Add(-time.Hour)]; before < pace/2 || before > pace*3/2 {
		t.Errorf("%d events in the hour before now, whose pace is %d", before, pace)
	}
	if night := events[hour.Add(-12*time.Hour)]; night > events[hour.Add(-time.Hour)]*2/3 || night == 0 {
		t.Errorf("%d events at night", night)
	}
	if downs[true] == 0 || downs[false] > 0 {
		t.Errorf("the endpoint that is down failed %d times lately and %d times before", downs[true], downs[false])
	}
}

// TestRecent: order 42 is refused, the endpoint that was down since yesterday is disabled in the end and gets nothing more, and what
// the circuit breaker holds back waits.
func TestRecent(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	published := []payload{
		{eventType: orderType, data: []byte(`{"order":"ord_9007199254740993"}`)}, {eventType: "account.opened"}, {eventType: "payment.settled"},
	}
	residents := []resident{
		{&client.Endpoint{ID: "ep_orders", Tenant: lostTenant, Events: []string{"order.*"}}, lostEndpoint},
		{&client.Endpoint{ID: "ep_down", Tenant: lostTenant, Events: []string{"account.*"}}, "down"},
		{&client.Endpoint{ID: "ep_billing", Tenant: lostTenant, Events: []string{"payment.*"}, AutoDisableAfter: client.Duration(disableAfter)}, repaired},
		{&client.Endpoint{ID: "ep_flaky", Tenant: "initech", Events: []string{"*"}}, "flaky"},
	}
	now, orders := time.Date(2026, 3, 12, 15, 4, 5, 0, time.UTC), newOrders()
	ids, waiting := make(map[string]Sent), 0
	var failures []time.Time // of deliveries to the endpoint that was down
	sent := recent(now, rand.New(rand.NewPCG(1, seed)), published, residents, orders)
	for i, s := range sent {
		if i > 0 && s.At.Before(sent[i-1].At) || !s.At.Before(now) {
			t.Fatalf("number %d is at %s", i, s.At)
		}
		if s.ID != "" {
			if _, twice := ids[s.ID]; twice {
				t.Errorf("%s is there twice", s.ID)
			}
			ids[s.ID] = s
		}
		for _, d := range s.Deliveries {
			switch {
			case len(d.Attempts) == 0 && d.Endpoint != "ep_down":
				t.Errorf("a delivery to %s waits", d.Endpoint)
			case len(d.Attempts) == 0:
				waiting++
			case d.Endpoint == "ep_billing" && d.Attempts[len(d.Attempts)-1].Outcome != "ok" && now.Sub(s.At) <= outageAgo:
				failures = append(failures, d.Attempts[len(d.Attempts)-1].At)
			case d.Endpoint == "ep_billing" && now.Sub(s.At) < outageAgo:
				t.Errorf("it was down, and got something at %s", s.At)
			}
		}
	}
	lost := ids["order-42"]
	if ago := now.Sub(lost.At); lost.Tenant != lostTenant || ago > lostAgo || ago < lostAgo-time.Hour {
		t.Errorf("order 42 is %+v", lost)
	}
	if len(lost.Deliveries) != 1 || lost.Deliveries[0].Attempts[0].Response != lostAnswer || len(lost.Deliveries[0].Attempts) != len(recentRetries())+1 {
		t.Errorf("order 42 went to %+v", lost.Deliveries)
	}
	if string(lost.Data) != `{"order":"ord_42"}` {
		t.Errorf("order 42 has the data %s", lost.Data)
	}
	if len(failures) < 2 || failures[len(failures)-1].Sub(failures[0]) < disableAfter || failures[len(failures)-2].Sub(failures[0]) >= disableAfter {
		t.Errorf("it failed at %v", failures)
	}
	if waiting == 0 {
		t.Error("nothing waits")
	}
	if id, _ := orders.number(lostTenant, orderType, nil); ids[id].ID != "" {
		t.Errorf("the next order has the number of an earlier one: %s", id)
	}
}

func TestSchemaOf(t *testing.T) {
	t.Parallel()
	got, err := schemaOf([]byte(`{"order":"ord_1","price":1.5,"paid":true,"lines":[{"n":1}],"tags":[],"note":null}`))
	want := `{"properties":{"lines":{"items":{"properties":{"n":{"type":"number"}},"type":"object"},"type":"array"},"note":{},` +
		`"order":{"type":"string"},"paid":{"type":"boolean"},"price":{"type":"number"},"tags":{"type":"array"}},"type":"object"}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := schemaOf([]byte("{")); err == nil {
		t.Error("half an example has a schema")
	}
}
