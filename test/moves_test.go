package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// publish publishes an event of the account's platform, and returns its id and how many deliveries it makes.
func (a *account) publish(eventType, data string) (event string, deliveries int) {
	a.t.Helper()
	var receipt struct {
		ID         string
		Deliveries int
	}
	a.server.call("POST", "/tenants/"+a.id+"/events", fmt.Sprintf(`{"type": %q, "data": %s}`, eventType, data), &receipt)
	return receipt.ID, receipt.Deliveries
}

// ended waits until all deliveries of an event have ended, and returns them by endpoint.
func (a *account) ended(event string) map[string]shownDelivery {
	a.t.Helper()
	all := make(map[string]shownDelivery)
	eventually(a.t, "the deliveries of "+event+" have ended", func() bool {
		for _, d := range deliveriesOf(a.t, a.server, a.id, "event="+event) {
			if d.Status == "pending" || d.Status == "retrying" {
				return false
			}
			all[d.Endpoint] = d
		}
		return true
	})
	return all
}

// shownEndpoint is the part of the native API's endpoint that the tests compare.
type shownEndpoint struct {
	ID, Dialect, URL, Ordering, Status string
	Events                             []string
	Retry                              json.RawMessage
	MaxInFlight                        int      `json:"max_in_flight"`
	RateLimit                          *float64 `json:"rate_limit"`
}

func (a *account) endpoint(id string) shownEndpoint {
	a.t.Helper()
	var ep shownEndpoint
	a.server.call("GET", "/tenants/"+a.id+"/endpoints/"+id, "", &ep)
	return ep
}

// refused makes a request of the native API that is answered 422, and returns which field it is about.
func (a *account) refused(method, path, body string) string {
	a.t.Helper()
	status, answer, err := a.server.do(method, path, []byte(body))
	if err != nil || status != http.StatusUnprocessableEntity {
		a.t.Fatalf("%s %s %s answered %d %s, %v", method, path, body, status, answer, err)
	}
	var problem struct {
		Errors []struct{ Field string }
	}
	if err := json.Unmarshal(answer, &problem); err != nil || len(problem.Errors) != 1 {
		a.t.Fatalf("%s answered %s: %v", path, answer, err)
	}
	return problem.Errors[0].Field
}

// What a dialect cannot take ends at once and says why; endpoints of other dialects get it.
func TestWhatDialectsCannotTakeIsExplained(t *testing.T) {
	t.Parallel()
	a := openAccount(t, startServer(t, t.TempDir(), everyDialect...))
	in := openInbox(t, nil)
	endpoints := make(map[string]*subscription)
	for _, v := range vendors {
		endpoints[v.name] = a.subscribe(v, in, "/"+v.name, settlement)
	}
	links := a.subscribe(vendorOf("bluefin"), in, "/links", updates)

	for _, c := range []struct {
		data    string
		refuses []string
	}{
		{`"a bare string"`, []string{"atelio", "azakaw", "lemon", "bluefin"}},
		{`[{}]`, []string{"atelio", "azakaw", "lemon", "bluefin"}},
		{`null`, []string{"atelio", "azakaw", "lemon", "bluefin"}},
		{`{"event": "mine"}`, []string{"atelio"}},
		{`{"\u0065vent": 1, "occurred_at": "yesterday"}`, []string{"atelio"}},
		{`{"Type": null}`, []string{"azakaw"}},
		{`{"type": 1, "id": 2, "context": 3, "payload": 4, "meta": 5}`, nil},
	} {
		t.Run(c.data, func(t *testing.T) {
			event, _ := a.publish(settlement, c.data)
			for name, ep := range endpoints {
				d := a.ended(event)[ep.id]
				if !slices.Contains(c.refuses, name) {
					if d.Status != "succeeded" {
						t.Errorf("%s to %s: %+v", c.data, name, d)
					}
					continue
				}
				if d.Status != "exhausted" || !strings.Contains(d.Reason, "the dialect "+name+" ") || !strings.HasSuffix(d.Reason, "nothing was sent") {
					t.Errorf("%s to %s: %+v", c.data, name, d)
				}
			}
		})
	}
	event, _ := a.publish(updates, `{"updates": "none"}`)
	if d := a.ended(event)[links.id]; d.Status != "exhausted" || !strings.Contains(d.Reason, "updates") {
		t.Errorf("%+v", d)
	}
	// azakaw's gets events of every type.
	for path, want := range map[string]int{"/standard": 7, "/akkuro": 7, "/atelio": 2, "/azakaw": 4, "/lemon": 4, "/bluefin": 4, "/links": 0} {
		t.Run(path, func(t *testing.T) {
			if got := len(in.bodies(path)); got != want {
				t.Errorf("%s got %d bodies, not %d", path, got, want)
			}
		})
	}
	a.countsUnsendable(map[string]int{"atelio": 5, "azakaw": 4, "lemon": 3, "bluefin": 3 + 1})
	a.server.terminate()
}

// countsUnsendable waits until the metrics show the given numbers of unsendable deliveries by dialect, and checks that the
// log names each of them.
func (a *account) countsUnsendable(want map[string]int) {
	a.t.Helper()
	for dialect, n := range want {
		line := fmt.Sprintf("bellwire_unsendable_deliveries_total{dialect=%q} %d\n", dialect, n)
		eventually(a.t, "the metrics have "+line, func() bool {
			_, body := a.server.get("/metrics")
			return strings.Contains(body, line)
		})
		record := regexp.MustCompile(`"tenant":"` + a.id + `","endpoint":"[^"]+","dialect":"` + dialect + `","type":"[A-Z_]+","reason":"[^"]*the dialect ` + dialect)
		if !record.MatchString(a.server.logged()) {
			a.t.Errorf("the log does not name the dialect %s:\n%s", dialect, a.server.logged())
		}
	}
}

// An endpoint keeps its id and its settings on its way through all dialects, and is delivered to in the shape of each;
// its vendor's API shows it, and the one before it no more.
func TestEndpointMovesThroughEveryDialect(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	a := openAccount(t, startServer(t, t.TempDir(), everyDialect...))
	in := openInbox(t, nil)
	ep := a.subscribe(vendors[0], in, "/moving", settlement)
	a.patch(ep.id, `{"retry": {"schedule": ["10ms"]}, "max_in_flight": 3}`)
	route := append(slices.Clone(vendors[1:]), vendors[0])
	secrets := map[string]string{ep.secret: "standard"}
	for i, v := range append(route, route...) {
		before := ep.vendor
		data := fmt.Sprintf(`{"z": 1.50, "mark": "n%d", "a": "\u00e9"}`, i)
		change := []any{"dialect", v.name, "status", "enabled", "auth", nil}
		if v.name == "azakaw" {
			change[5] = map[string]string{"type": "api_key", "header": "X-Api-Key", "key": azakawKey}
		}
		own := ""
		var event string
		if i >= len(route) { // the second time what waits moves too, and the customer chooses the secret
			a.patch(ep.id, `{"status": "paused"}`)
			event, _ = a.publish(settlement, data)
			if own = ownSecrets[v.name]; own != "" {
				change = append(change, "secret", own)
			}
		}
		a.patch(ep.id, object(change...))
		ep.vendor = v
		var secret struct{ Secret string }
		a.server.call("GET", "/tenants/"+a.id+"/endpoints/"+ep.id+"/secret", "", &secret)
		if (secret.Secret == "") != (v.madeSecret == nil) {
			t.Fatalf("in the dialect %s the secret is %q", v.name, secret.Secret)
		}
		if of, known := secrets[secret.Secret]; known && secret.Secret != "" && of != v.name && !sharedForm(of, v.name) {
			t.Errorf("the dialect %s has the secret of %s", v.name, of)
		}
		secrets[secret.Secret], ep.secret = v.name, secret.Secret

		if own != "" && own != ep.secret {
			t.Errorf("in the dialect %s the secret is not the customer's", v.name)
		}
		if event == "" {
			event, _ = a.publish(settlement, data)
		}
		if d := a.ended(event)[ep.id]; d.Status != "succeeded" {
			t.Fatalf("to %s: %+v", v.name, d)
		}
		a.arrived(in, ep, data)
		if shown := a.endpoint(ep.id); shown.Dialect != v.name || shown.MaxInFlight != 3 || string(shown.Retry) != `{"schedule":["10ms"]}` {
			t.Errorf("in the dialect %s it is %+v", v.name, shown)
		}
		if before.name != "standard" && strings.Contains(a.must(before, "GET", before.list(a, settlement), ""), ep.id) {
			t.Errorf("%s still lists the endpoint", before.name)
		}
		if !strings.Contains(a.must(v, "GET", v.list(a, settlement), ""), ep.id) {
			t.Errorf("%s does not list the endpoint", v.name)
		}
	}
	a.server.terminate()
}

// ownSecrets are those that a customer chooses, in the dialects' forms.
var ownSecrets = map[string]string{
	"standard": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	"akkuro":   "aSTYanRlQ9HiCub5TNPVSZ5frY2htZnRShroZp5wJfM=",
	"atelio":   "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
	"lemon":    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
}

// sharedForm reports whether secrets of the one dialect are accepted by the other.
func sharedForm(a, b string) bool {
	whsec := []string{"standard", "atelio"}
	return slices.Contains(whsec, a) && slices.Contains(whsec, b)
}

// arrived checks the one delivery that came last.
func (a *account) arrived(in *inbox, ep *subscription, data string) {
	a.t.Helper()
	bodies := in.bodies(ep.path)
	body := bodies[len(bodies)-1]
	for _, h := range in.at(ep.path)[body] {
		parts, err := ep.check(h)
		if err != nil {
			a.t.Fatalf("%s: %v\n%s", ep.vendor.name, err, body)
		}
		if ep.vendor.name == "atelio" {
			checkInPython(a.t, []pythonDelivery{ep.forPython(h, data)})
		} else if parts["data"] != data {
			a.t.Errorf("%s: of %s came %s", ep.vendor.name, data, body)
		}
	}
}

// What an endpoint is and a dialect cannot say is refused, and changes nothing.
func TestMovesThatCannotBe(t *testing.T) {
	t.Parallel()
	a := openAccount(t, startServer(t, t.TempDir(), everyDialect...))
	a.server.addType("groupless")
	for _, c := range []struct {
		endpoint string
		refused  map[string]string // the field it is about, by dialect
	}{
		{`"events": ["card.*"]`, map[string]string{"akkuro": "events", "lemon": "events[0]", "bluefin": "events"}},
		{`"events": ["` + cards + `", "` + settlement + `"]`, map[string]string{"akkuro": "events", "bluefin": "events"}},
		{`"events": ["groupless"]`, map[string]string{"akkuro": "events[0]"}},
		{`"events": ["` + cards + `"], "signing": "both"`, map[string]string{
			"akkuro": "signing", "atelio": "signing", "azakaw": "signing", "lemon": "signing", "bluefin": "signing",
		}},
		{`"events": ["` + cards + `"], "auth": {"type": "bearer", "token": "t"}`, map[string]string{"azakaw": "auth.type"}},
		{`"events": ["` + cards + `"], "headers": {"X-Event-Token": "t"}`, map[string]string{"akkuro": "headers.X-Event-Token"}},
		{`"events": ["` + cards + `"], "headers": {"bond-signature": "t"}`, map[string]string{"atelio": "headers.bond-signature"}},
		{`"events": ["` + cards + `"], "headers": {"LMG-Signature": "t"}`, map[string]string{"lemon": "headers.LMG-Signature"}},
	} {
		t.Run(c.endpoint, func(t *testing.T) {
			var ep shownEndpoint
			a.server.call("POST", "/tenants/"+a.id+"/endpoints", `{"url": "https://hooks.example.test/", `+c.endpoint+`}`, &ep)
			for _, v := range vendors[1:] {
				change := object("dialect", v.name)
				field, refused := c.refused[v.name]
				if !refused {
					a.patch(ep.ID, change)
					a.patch(ep.ID, `{"dialect": "standard"}`)
					continue
				}
				if got := a.refused("PATCH", "/tenants/"+a.id+"/endpoints/"+ep.ID, change); got != field {
					t.Errorf("%s to %s: refused for %q, not %q", c.endpoint, v.name, got, field)
				}
				if shown := a.endpoint(ep.ID); shown.Dialect != "standard" {
					t.Errorf("%s to %s: refused, and it is %+v", c.endpoint, v.name, shown)
				}
			}
		})
	}
	a.server.terminate()
}

// changeURL is the request by which a vendor's customer gives an endpoint another URL. lemon.markets has none.
func (a *account) changeURL(ep *subscription, url string) (by *vendor, method, target, body string) {
	switch ep.vendor.name {
	case "akkuro":
		return ep.vendor, "PUT", akkuroPath(settlement) + "/" + ep.id, object("uri", url)
	case "atelio":
		return ep.vendor, "PATCH", "/api/v0.1/webhooks/" + ep.id, object("url", url, "description", "moved")
	case "azakaw": // with retries as GET shows those of the native API
		return ep.vendor, "PUT", "/webhooks/" + ep.id, object("webhookBaseUrl", url, "retryCount", 1, "retryInterval", 0.015,
			"authType", "ApiKey", "authSettings", map[string]string{"apiKey": azakawKey})
	case "bluefin":
		return ep.vendor, "PATCH", bluefinPath(a) + "/" + ep.id, object("url", url, "event", settlement)
	}
	return vendors[0], "PATCH", "/api/v1/tenants/" + a.id + "/endpoints/" + ep.id, object("url", url)
}

// What a dialect's own API cannot say the native one can, on the same endpoint, and a change by the vendor's API keeps it.
func TestNativeSettingsHoldInEveryDialect(t *testing.T) {
	t.Parallel()
	a := openAccount(t, startServer(t, t.TempDir(), everyDialect...))
	in := openInbox(t, func(_, body string, _ int) int {
		if markOf(body) == 5 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	var endpoints []*subscription
	for _, v := range vendors {
		ep := a.subscribe(v, in, "/first/"+v.name, settlement)
		ep.path = "/" + v.name
		a.patch(ep.id, `{"retry": {"schedule": ["15ms"]}, "ordering": "fifo", "max_in_flight": 7, "rate_limit": 400, "events": ["`+settlement+`"]}`)
		by, method, target, body := a.changeURL(ep, in.url+ep.path)
		a.must(by, method, target, body)
		shown := a.endpoint(ep.id)
		if string(shown.Retry) != `{"schedule":["15ms"]}` || shown.Ordering != "fifo" || shown.MaxInFlight != 7 ||
			shown.RateLimit == nil || *shown.RateLimit != 400 || !slices.Equal(shown.Events, []string{settlement}) || shown.URL != in.url+ep.path {
			t.Errorf("after a change by %s it is %+v, retry %s", by.name, shown, shown.Retry)
		}
		endpoints = append(endpoints, ep)
	}

	const count = 40
	var events []string
	for n := range count {
		event, deliveries := a.publish(settlement, fmt.Sprintf(`{"mark": "n%d"}`, n))
		if deliveries != len(endpoints) {
			t.Fatalf("event %d makes %d deliveries", n, deliveries)
		}
		events = append(events, event)
	}
	if _, deliveries := a.publish(cards, `{}`); deliveries != 0 {
		t.Errorf("an event that nobody wants makes %d deliveries", deliveries) // azakaw's own API has no such filter
	}
	a.ended(events[count-1]) // and all before it, because they are in order
	for _, ep := range endpoints {
		if d := a.ended(events[5])[ep.id]; d.Status != "exhausted" || d.AttemptCount != 2 {
			t.Errorf("%s: what always fails has come to %+v", ep.vendor.name, d)
		}
		in.checkOrder(t, ep, count)
	}
	a.server.terminate()
}

// checkOrder makes sure that all events came to an endpoint one at a time, first to last.
func (in *inbox) checkOrder(t *testing.T, ep *subscription, count int) {
	t.Helper()
	var marks []int
	for _, body := range in.bodies(ep.path) {
		marks = append(marks, markOf(body))
		for _, h := range in.at(ep.path)[body] {
			if _, err := ep.check(h); err != nil {
				t.Errorf("%s: %v", ep.vendor.name, err)
			}
		}
	}
	if !slices.IsSorted(marks) || len(marks) != count {
		t.Errorf("%s got %d events in the order %v", ep.vendor.name, len(marks), marks)
	}
	if most := in.busiest(ep.path); most != 1 {
		t.Errorf("%s had %d requests at a time", ep.vendor.name, most)
	}
}

// A server that speaks a few dialects, the standard one always among them, has no trace of the others. Deliveries of endpoints
// that are theirs wait, and use up no retries, until they are spoken again.
func TestDialectsThatAreNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openAccount(t, startServer(t, dir, everyDialect...))
	in := openInbox(t, nil)
	endpoints := make(map[string]*subscription)
	for _, v := range vendors {
		endpoints[v.name] = a.subscribe(v, in, "/"+v.name, settlement)
	}
	a.server.terminate()

	a.server = startServer(t, dir, append([]string{"--dialects", "lemon"}, everyDialect...)...)
	for _, v := range vendors {
		status, answer := a.ask(v, "GET", v.list(a, settlement), "")
		if served := v.name == "standard" || v.name == "lemon"; served != (status == http.StatusOK) || !served && status != http.StatusNotFound {
			t.Errorf("%s: %d %s", v.name, status, answer)
		}
	}
	event, _ := a.publish(settlement, `{"mark": "n1"}`)
	byEndpoint := func() map[string]shownDelivery {
		all := make(map[string]shownDelivery)
		for _, d := range deliveriesOf(t, a.server, a.id, "event="+event) {
			all[d.Endpoint] = d
		}
		return all
	}
	eventually(t, "what is served is delivered", func() bool {
		now := byEndpoint()
		return now[endpoints["standard"].id].Status == "succeeded" && now[endpoints["lemon"].id].Status == "succeeded"
	})
	eventually(t, "the log says what is not served", func() bool {
		return strings.Contains(a.server.logged(), "endpoint cannot be served")
	})
	for name, ep := range endpoints {
		if name == "standard" || name == "lemon" {
			continue
		}
		if d := byEndpoint()[ep.id]; d.Status != "pending" || d.AttemptCount > 0 || len(in.bodies("/"+name)) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
		if field := a.refused("PATCH", "/tenants/"+a.id+"/endpoints/"+endpoints["standard"].id, object("dialect", name)); field != "dialect" {
			t.Errorf("a move to %s is refused for %s", name, field)
		}
	}
	a.server.terminate()

	a.server = startServer(t, dir, everyDialect...)
	for name, d := range a.ended(event) {
		if d.Status != "succeeded" {
			t.Errorf("%s: %+v", name, d)
		}
	}
	a.server.terminate()
}
