package demo

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// The recent past of the demonstration: events of the last days that are stored with what became of them, so that there is something to
// find, to explain and to recover. They are a sample: charts count many more, see past.
const (
	recentDays = 3
	recentPace = 90 * time.Second // between two events, on average, at the present rate
)

// The story of the order that did not arrive.
const (
	lostTenant   = "globex"
	lostEndpoint = "ok" // as its path says
	lostOrder    = 42
	lostAgo      = 20 * time.Hour
	lostAnswer   = `{"error":"trading in US19260Q1076 is suspended, so that the order cannot be booked"}`
)

// The story of the endpoint that was down since yesterday, and was disabled for it. Its receiver works again, which nobody has told
// Bellwire.
const (
	repaired     = "repaired" // as its path says
	outageAgo    = 24 * time.Hour
	disableAfter = 12 * time.Hour
)

// recentRetries are the delays of the neighbors' retry policies.
func recentRetries() []time.Duration {
	return []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}
}

// Sent is an event of the recent past.
type Sent struct {
	At           time.Time
	Tenant, Type string
	ID           string // its publisher's; empty if it has none
	Data         []byte
	Deliveries   []Delivered
}

// Delivered is what became of an event at an endpoint. Without attempts it waits; otherwise the last one has ended it.
type Delivered struct {
	Endpoint string
	Attempts []Attempted
}

// Attempted is an attempt of the recent past.
type Attempted struct {
	At       time.Time // when it ended
	Took     time.Duration
	Outcome  string // as in an attempt
	Error    string
	Status   int // 0: nothing was answered
	Response string
}

// recent returns the events of the recent past, the oldest first.
func recent(now time.Time, random *rand.Rand, published []payload, residents []resident, orders *orders) []Sent {
	var all []Sent
	tenants := tenants()
	for at := now.AddDate(0, 0, -recentDays); ; {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(recentPace) / activity(at, now)))
		if !at.Before(now.Add(-time.Minute)) {
			break
		}
		p, tenant := published[random.IntN(len(published))], tenants[random.IntN(len(tenants))]
		all = append(all, Sent{At: at, Tenant: tenant, Type: p.eventType, Data: p.data})
	}
	lost := loseOrder(all, now, published)
	orders.begin(all[:lost])
	var billing breakdown
	for i := range all {
		s := &all[i]
		s.ID, s.Data = orders.number(s.Tenant, s.Type, s.Data)
		for _, r := range residents {
			if r.Tenant != s.Tenant || !subscribes(r.Events, s.Type) || billing.over && r.behaves == repaired {
				continue
			}
			d := deliver(r, s.At, now, random, i == lost)
			s.Deliveries = append(s.Deliveries, d)
			if r.behaves == repaired {
				billing.note(d)
			}
		}
	}
	return all
}

// loseOrder makes the first event after lostAgo the order that does not arrive, and returns its index.
func loseOrder(all []Sent, now time.Time, published []payload) int {
	i := 0
	for i < len(all)-1 && all[i].At.Before(now.Add(-lostAgo)) {
		i++
	}
	for _, p := range published {
		if p.eventType == orderType {
			all[i].Tenant, all[i].Type, all[i].Data = lostTenant, p.eventType, p.data
		}
	}
	return i
}

// deliver returns what became of an event at an endpoint.
func deliver(r resident, at, now time.Time, random *rand.Rand, lost bool) Delivered {
	d := Delivered{Endpoint: r.ID}
	if r.behaves == "down" && now.Sub(at) < 26*time.Hour { // held back by the circuit breaker
		return d
	}
	first, took := attempt(r.behaves, at, now, random)
	refused := lost && r.behaves == lostEndpoint
	fails := 0
	switch {
	case refused || first == "status" && r.behaves != "flaky":
		fails = len(recentRetries()) + 1
	case first != "ok":
		fails = 1
	}
	ended := at.Add(took)
	for i := range fails {
		a := failed(first, took)
		if refused {
			a = Attempted{Took: took, Outcome: "status", Status: http.StatusUnprocessableEntity, Response: lostAnswer}
		}
		a.At, a.Error = ended, inWords(a)
		d.Attempts = append(d.Attempts, a)
		if i < len(recentRetries()) {
			ended = ended.Add(recentRetries()[i] + took)
		}
	}
	if fails <= 1 {
		d.Attempts = append(d.Attempts, Attempted{At: ended, Took: min(took, slowAnswer), Outcome: "ok", Status: http.StatusOK})
	}
	return d
}

// breakdown is that of the endpoint that was disabled for it.
type breakdown struct {
	since time.Time // when the first delivery was given up
	over  bool      // the endpoint was disabled
}

// note follows the deliveries to the endpoint, until one disables it.
func (b *breakdown) note(d Delivered) {
	last := d.Attempts[len(d.Attempts)-1]
	switch {
	case last.Outcome == "ok":
		b.since = time.Time{}
	case b.since.IsZero():
		b.since = last.At
	default:
		b.over = last.At.Sub(b.since) >= disableAfter
	}
}

// failed returns an attempt that ended so.
func failed(outcome string, took time.Duration) Attempted {
	a := Attempted{Took: took, Outcome: outcome}
	if outcome == "status" {
		a.Status = http.StatusServiceUnavailable
	}
	return a
}

// inWords says what went wrong, in the words of the server.
func inWords(a Attempted) string {
	switch a.Outcome {
	case "status":
		return fmt.Sprintf("the endpoint answered %d %s", a.Status, http.StatusText(a.Status))
	case "timeout":
		return "the endpoint did not answer within 15s"
	}
	return "the connection was refused"
}

// isDisabled reports whether an endpoint that behaves like that was disabled at a time, as charts have it.
func isDisabled(behaves string, at, now time.Time) bool {
	return behaves == repaired && now.Sub(at) < outageAgo-disableAfter
}

// orderType is the event type of orders, which publishers number.
const orderType = "order.executed"

// orders numbers the orders of each tenant.
type orders struct{ last map[string]int }

func newOrders() *orders { return &orders{last: map[string]int{tenant: 1000, "initech": 2000}} }

// begin makes lostOrder the number of the next order of lostTenant after the given events.
func (o *orders) begin(before []Sent) {
	o.last[lostTenant] = lostOrder - 1
	for _, s := range before {
		if s.Tenant == lostTenant && s.Type == orderType {
			o.last[lostTenant]--
		}
	}
}

// number returns the publisher's id and the data of an event. Events that are no orders have no id, and neither has an order from before
// the first number.
func (o *orders) number(tenant, eventType string, data []byte) (id string, numbered []byte) {
	if eventType != orderType {
		return "", data
	}
	o.last[tenant]++
	n := o.last[tenant]
	if n < 1 {
		return "", data
	}
	return "order-" + strconv.Itoa(n), bytes.Replace(data, []byte(`"ord_9007199254740993"`), []byte(`"ord_`+strconv.Itoa(n)+`"`), 1)
}
