package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// publishedEvent is an event that the platform publishes once.
type publishedEvent struct {
	eventType string
	data      string
	at        time.Time // zero: not given by the platform
	id        string    // assigned by the server
}

// publishedEvents returns events whose data would change if it were encoded again. Each has its number as a mark, except for two
// empty objects of different types.
func publishedEvents(n int) []*publishedEvent {
	all := make([]*publishedEvent, n)
	for i := range all {
		o := &publishedEvent{eventType: settlement}
		value := delicate[i%len(delicate)]
		switch {
		case i%20 == 0:
			o.eventType = updates
			o.data = fmt.Sprintf(`{"updates": [{"mark":"n%d", "id":"auru_%032x","newExpiry": %s}]}`, i, i, value)
		case i == 1, i == 21:
			o.data = `{}`
		case i%20 < 4:
			o.eventType = cards
			fallthrough
		default:
			// Names of every kind, fields in an unusual order, and spaces in unusual places.
			o.data = fmt.Sprintf("{\t\"z\":{ \"10\" :1.50,\"9\":[ %s ]},\r\n\"mark\" : \"n%d\",\"\\u00e9\\/\": \"é/\" , \"id\":%d.0,\"a\":%s }", value, i, i, value)
		}
		if i%2 == 0 {
			o.at = time.Date(2024, time.March, 1, 10, 0, i, 123456000, time.UTC)
		}
		all[i] = o
	}
	all[1].eventType, all[21].eventType = settlement, cards
	return all
}

var marked = regexp.MustCompile(`"mark"\s*:\s*"n(\d+)"`)

// markOf returns the number in the mark of a body, and -1 if it has no mark.
func markOf(body string) int {
	match := marked.FindStringSubmatch(body)
	if match == nil {
		return -1
	}
	n, _ := strconv.Atoi(match[1]) // digits only
	return n
}

// script returns the customer's answer to the nth attempt: mostly 200, for some events another 2xx, for some failures first.
func script(_, body string, n int) int {
	mark := markOf(body)
	switch {
	case n == 1 && mark%7 == 3:
		return http.StatusInternalServerError
	case n == 1 && mark%7 == 5:
		return http.StatusNoContent // which Atelio tries again
	case n == 1 && mark%7 == 6:
		return http.StatusCreated
	case n < 3 && mark%49 == 8:
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// dialectTest is a platform that publishes, and a customer with an endpoint of every dialect.
type dialectTest struct {
	*account
	inbox     *inbox
	endpoints []*subscription
	wants     map[*subscription][]string
	events    []*publishedEvent
	server    atomic.Pointer[server] // replaced after a restart
	started   time.Time
	forPython []pythonDelivery
}

func startPublishing(t *testing.T, s *server) *dialectTest {
	t.Helper()
	c := &dialectTest{account: openAccount(t, s), inbox: openInbox(t, script), wants: make(map[*subscription][]string), events: publishedEvents(1000), started: time.Now()}
	c.server.Store(s)
	c.want("standard", "/standard", []string{settlement, updates, cards}, "*")
	c.want("akkuro", "/akkuro", []string{settlement}, settlement)
	c.want("atelio", "/atelio", []string{settlement, cards}, "PAYCONEX*", cards)
	c.want("azakaw", "/azakaw", []string{settlement, updates, cards})
	c.want("lemon", "/lemon", []string{settlement, cards}, settlement, cards)
	c.want("bluefin", "/bluefin", []string{settlement}, settlement)
	c.want("bluefin", "/updates", []string{updates}, updates)
	return c
}

// want creates an endpoint through its vendor's API, and sets its retry policy through the native API.
func (c *dialectTest) want(vendor, path string, types []string, events ...string) {
	c.t.Helper()
	ep := c.subscribe(vendorOf(vendor), c.inbox, path, events...)
	c.patch(ep.id, `{"retry": {"schedule": ["20ms", "20ms", "20ms", "20ms"]}}`)
	c.endpoints = append(c.endpoints, ep)
	c.wants[ep] = types
}

// publish publishes all events with several publishers, and repeats each until it is acknowledged. It closes the channel
// after 400 acknowledgements.
func (c *dialectTest) publish(midway chan<- struct{}) {
	var (
		publishers sync.WaitGroup
		acked      atomic.Int64
	)
	for p := range publishersOfCampaign {
		publishers.Go(func() {
			for i := p; i < len(c.events); i += publishersOfCampaign {
				if !c.publishOne(i) {
					return
				}
				if acked.Add(1) == 400 {
					close(midway)
				}
			}
		})
	}
	publishers.Wait()
}

const publishersOfCampaign = 8

func (c *dialectTest) publishOne(i int) bool {
	o := c.events[i]
	body := fmt.Sprintf(`{"id": "event-%d", "type": %q, "data": %s}`, i, o.eventType, o.data)
	if !o.at.IsZero() {
		body = fmt.Sprintf(`{"occurred_at": %q, %s`, o.at.Format(time.RFC3339Nano), body[1:])
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) { // between two tries
		status, answer, err := c.server.Load().do("POST", "/tenants/"+c.id+"/events", []byte(body))
		if err == nil && status == http.StatusAccepted {
			var receipt struct{ ID string }
			err := json.Unmarshal(answer, &receipt)
			o.id = receipt.ID
			return err == nil
		}
		if err == nil || time.Now().After(deadline) {
			c.t.Errorf("publish %s: %d %s %v", body, status, answer, err)
			return false
		}
	}
}

// expected returns the numbers of the events that an endpoint must get.
func (c *dialectTest) expected(ep *subscription) []int {
	var all []int
	for i, o := range c.events {
		if slices.Contains(c.wants[ep], o.eventType) {
			all = append(all, i)
		}
	}
	return all
}

// await waits until every endpoint has acknowledged as many deliveries as it must get.
func (c *dialectTest) await() {
	c.t.Helper()
	for _, ep := range c.endpoints {
		want := len(c.expected(ep))
		eventually(c.t, fmt.Sprintf("%d deliveries to %s are acknowledged", want, ep.path), func() bool {
			return c.inbox.acknowledged(ep) >= want
		})
	}
}

// compare compares all requests that came with all events that were published. exact: attempts were repeated only because of
// their answers.
func (c *dialectTest) compare(exact bool) {
	c.t.Helper()
	notifications := make(map[string]bool) // ids that must be unique
	for _, ep := range c.endpoints {
		arrived := make(map[int]bool)
		for body, hits := range c.inbox.at(ep.path) {
			i, err := c.compareDelivery(ep, body, hits, exact)
			if err != nil {
				c.t.Fatalf("%s: %v\n%.500s", ep.path, err, body)
			}
			if arrived[i] {
				c.t.Errorf("%s: event %d came as two: %.500s", ep.path, i, body)
			}
			arrived[i] = true
			if id := ep.vendor.parts(body)["notification"]; id != "" {
				if notifications[id] {
					c.t.Errorf("%s: two notifications have the id %s", ep.path, id)
				}
				notifications[id] = true
			}
		}
		if got, want := slices.Sorted(maps.Keys(arrived)), c.expected(ep); !slices.Equal(got, want) {
			c.t.Errorf("%s got %d events, not %d", ep.path, len(got), len(want))
		}
	}
	checkInPython(c.t, c.forPython)
}

// compareDelivery checks all attempts of a delivery, and returns the number of its event.
func (c *dialectTest) compareDelivery(ep *subscription, body string, hits []*hit, exact bool) (int, error) {
	i := markOf(body)
	for n, h := range hits {
		parts, err := ep.check(h)
		if err != nil {
			return i, fmt.Errorf("attempt %d: %w", n+1, err)
		}
		if i < 0 {
			if i = c.unmarked(parts); i < 0 {
				return i, fmt.Errorf("it is of no event that was published")
			}
		}
		if err := c.compareAttempt(ep, c.events[i], h, parts); err != nil {
			return i, fmt.Errorf("attempt %d: %w", n+1, err)
		}
		if done := ep.vendor.acknowledged(h.answered); exact && done != (n == len(hits)-1) {
			return i, fmt.Errorf("attempt %d of %d was answered %d", n+1, len(hits), h.answered)
		}
	}
	return i, nil
}

// unmarked returns the number of the event of a body without a mark: an empty object, or a notification with a link.
func (c *dialectTest) unmarked(parts map[string]string) int {
	return slices.IndexFunc(c.events, func(o *publishedEvent) bool {
		if o.eventType == updates {
			return strings.Contains(parts["data"], strings.TrimPrefix(o.id, "evt_"))
		}
		return o.eventType == parts["type"] && o.data == `{}`
	})
}

// compareAttempt compares an attempt with its event.
func (c *dialectTest) compareAttempt(ep *subscription, o *publishedEvent, h *hit, parts map[string]string) error {
	want := map[string]string{"type": o.eventType, "data": o.data}
	switch ep.vendor.name {
	case "standard":
		parts["id"], want["id"] = h.header.Get("Webhook-Id"), o.id
	case "akkuro":
		want["id"], want["uri"] = bareUUID(o.id), publicURL+akkuroPath(o.eventType)+"/"+ep.id
	case "atelio":
		c.forPython = append(c.forPython, ep.forPython(h, o.data))
		delete(want, "data") // checkInPython compares it
	case "lemon":
		want["id"] = o.id
	case "bluefin":
		if o.eventType == updates {
			update := "aupres_" + strings.TrimPrefix(o.id, "evt_")
			want["data"] = object("updateId", update, "url", publicURL+"/api/v4/accounts/"+c.id+"/account-updater/updates/"+update)
		}
	}
	for name, value := range want {
		if parts[name] != value {
			return fmt.Errorf("its %s is %q, not %q", name, parts[name], value)
		}
	}
	if parts["at"] == "" {
		return nil
	}
	return c.compareTime(ep, o, parts["at"])
}

// compareTime compares the time in a body with the time of the event, to the last digit of the vendor's form.
func (c *dialectTest) compareTime(ep *subscription, o *publishedEvent, text string) error {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	if o.at.IsZero() || ep.vendor.name == "lemon" { // lemon has the time of publishing
		if at.Before(c.started.Truncate(time.Second)) || at.After(time.Now()) {
			return fmt.Errorf("its time is %s", text)
		}
		return nil
	}
	want := o.at
	if ep.vendor.name == "akkuro" {
		want = want.Truncate(time.Millisecond)
	}
	if !at.Equal(want) {
		return fmt.Errorf("its time is %s, not %s", text, want)
	}
	return nil
}

// audit checks that the server reports every delivery as succeeded.
func (c *dialectTest) audit() {
	c.t.Helper()
	total := 0
	for _, ep := range c.endpoints {
		total += len(c.expected(ep))
	}
	eventually(c.t, "the server says of no delivery that it is open", func() bool {
		return len(c.deliveries("status=pending"))+len(c.deliveries("status=retrying")) == 0
	})
	succeeded := make(map[string]int)
	for _, d := range c.deliveries("status=succeeded") {
		succeeded[d.Endpoint]++
		total--
	}
	for _, ep := range c.endpoints {
		if got, want := succeeded[ep.id], len(c.expected(ep)); got != want {
			c.t.Errorf("the server says that %d deliveries to %s succeeded, of %d", got, ep.path, want)
		}
	}
	if total != 0 {
		c.t.Errorf("the server misses %d deliveries", total)
	}
}

// shownDelivery is a delivery as the native API shows it.
type shownDelivery struct {
	Event, Endpoint, Status, Reason string
	AttemptCount                    int `json:"attempt_count"`
}

// deliveries lists all deliveries that match a filter.
func (c *dialectTest) deliveries(filter string) []shownDelivery {
	c.t.Helper()
	return deliveriesOf(c.t, c.server.Load(), c.id, filter)
}

func deliveriesOf(t *testing.T, s *server, tenant, filter string) []shownDelivery {
	t.Helper()
	var all []shownDelivery
	for cursor := ""; ; {
		var page struct {
			Data []shownDelivery
			Next *string `json:"next_cursor"`
		}
		s.call("GET", "/tenants/"+tenant+"/deliveries?limit=250&"+filter+cursor, "", &page)
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		cursor = "&cursor=" + *page.Next
	}
}

// followLinks fetches the records that notifications link to, as Bluefin's customers do.
func (c *dialectTest) followLinks() {
	c.t.Helper()
	for body := range c.inbox.at("/updates") {
		url := member(c.t, vendorOf("bluefin").parts(body)["data"], "url")
		path := strings.TrimPrefix(url, publicURL)
		records := c.must(vendorOf("bluefin"), "GET", path, "")
		records = strings.ReplaceAll(records, `,"updateId":"`+path[strings.LastIndex(path, "/")+1:]+`"`, "") // added by the server
		i := markOf(records)
		if i < 0 || c.events[i].data != `{"updates": `+records+`}` {
			c.t.Errorf("%s answered %s", path, records)
		}
		if path[len(path)-32:] != strings.TrimPrefix(c.events[i].id, "evt_") {
			c.t.Errorf("%s links to another event's records: %s", body, records)
		}
	}
}

// An event that is published once reaches the endpoints of every dialect, in the vendor's shape, with the vendor's signature and
// with the published data.
func TestEveryDialectDeliversPublishedData(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	s := startServer(t, t.TempDir(), everyDialect...)
	c := startPublishing(t, s)
	c.publish(make(chan struct{}))
	c.await()
	c.audit()
	c.compare(true)
	c.followLinks()
	s.terminate()
}

// The same with a kill -9 in the middle: no acknowledged event is lost, and repeated deliveries have the same bytes.
func TestEveryDialectLosesNothingByKill(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	dir := t.TempDir()
	s := startServer(t, dir, everyDialect...)
	c := startPublishing(t, s)
	midway, published := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(published)
		c.publish(midway)
	}()
	select {
	case <-midway:
	case <-time.After(patience):
		t.Fatal("too few publishes are acknowledged")
	}
	s.kill()
	s = startServer(t, dir, everyDialect...)
	c.server.Store(s)
	c.account.server = s
	<-published
	c.await()
	c.audit()
	c.compare(false)
	c.followLinks()
	s.terminate()
}
