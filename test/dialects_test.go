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
)

// occurrence is an event that the platform publishes once.
type occurrence struct {
	eventType string
	data      string
	at        time.Time // zero: the platform does not say
	id        string    // that the server gave
}

// occurrences are events whose data re-encoding would change, each marked with its number but the empty objects, of which
// there is one of a type.
func occurrences(n int) []*occurrence {
	all := make([]*occurrence, n)
	for i := range all {
		o := &occurrence{eventType: settlement}
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
			// Names of every kind, members out of order, spaces where nobody expects them.
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

// markOf returns the number of the event that a body is of, -1 if it has none.
func markOf(body string) int {
	match := marked.FindStringSubmatch(body)
	if match == nil {
		return -1
	}
	n, _ := strconv.Atoi(match[1]) // it is digits
	return n
}

// script is how the customer answers the nth attempt: many at once with 200, some with another 2xx, some only after
// failures.
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

// campaign is a platform that publishes and its customer with an endpoint in every dialect.
type campaign struct {
	*account
	inbox     *inbox
	endpoints []*subscription
	wants     map[*subscription][]string
	events    []*occurrence
	server    atomic.Pointer[server] // it may come and go
	started   time.Time
	forPython []pythonDelivery
}

func startCampaign(t *testing.T, s *server) *campaign {
	t.Helper()
	c := &campaign{account: openAccount(t, s), inbox: openInbox(t, script), wants: make(map[*subscription][]string), events: occurrences(1000), started: time.Now()}
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

// want makes an endpoint by its vendor's API. How often it is tried again is for the native API to say.
func (c *campaign) want(vendor, path string, types []string, events ...string) {
	c.t.Helper()
	ep := c.subscribe(vendorOf(vendor), c.inbox, path, events...)
	c.patch(ep.id, `{"retry": {"schedule": ["20ms", "20ms", "20ms", "20ms"]}}`)
	c.endpoints = append(c.endpoints, ep)
	c.wants[ep] = types
}

// publish publishes everything from several publishers, each event until it is acknowledged. The 400th acknowledgement
// closes the channel.
func (c *campaign) publish(midway chan<- struct{}) {
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

func (c *campaign) publishOne(i int) bool {
	o := c.events[i]
	body := fmt.Sprintf(`{"id": "campaign-%d", "type": %q, "data": %s}`, i, o.eventType, o.data)
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

// expected are the numbers of the events that an endpoint gets.
func (c *campaign) expected(ep *subscription) []int {
	var all []int
	for i, o := range c.events {
		if slices.Contains(c.wants[ep], o.eventType) {
			all = append(all, i)
		}
	}
	return all
}

// await waits until every endpoint has acknowledged as many deliveries as it must get.
func (c *campaign) await() {
	c.t.Helper()
	for _, ep := range c.endpoints {
		want := len(c.expected(ep))
		eventually(c.t, fmt.Sprintf("%d deliveries to %s are acknowledged", want, ep.path), func() bool {
			return c.inbox.acknowledged(ep) >= want
		})
	}
}

// judge holds everything that came against everything that was published. exact: no attempt was repeated for another
// reason than its answer.
func (c *campaign) judge(exact bool) {
	c.t.Helper()
	notifications := make(map[string]bool) // ids that are of one endpoint's delivery alone
	for _, ep := range c.endpoints {
		arrived := make(map[int]bool)
		for body, hits := range c.inbox.at(ep.path) {
			i, err := c.judgeDelivery(ep, body, hits, exact)
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

// judgeDelivery checks all attempts of a delivery, and returns the number of its event.
func (c *campaign) judgeDelivery(ep *subscription, body string, hits []*hit, exact bool) (int, error) {
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
		if err := c.judgeAttempt(ep, c.events[i], h, parts); err != nil {
			return i, fmt.Errorf("attempt %d: %w", n+1, err)
		}
		if done := ep.vendor.acknowledged(h.answered); exact && done != (n == len(hits)-1) {
			return i, fmt.Errorf("attempt %d of %d was answered %d", n+1, len(hits), h.answered)
		}
	}
	return i, nil
}

// unmarked finds the event of a delivery without a mark: an empty object, or a thin notification.
func (c *campaign) unmarked(parts map[string]string) int {
	return slices.IndexFunc(c.events, func(o *occurrence) bool {
		if o.eventType == updates {
			return strings.Contains(parts["data"], strings.TrimPrefix(o.id, "evt_"))
		}
		return o.eventType == parts["type"] && o.data == `{}`
	})
}

// judgeAttempt compares an attempt with its event.
func (c *campaign) judgeAttempt(ep *subscription, o *occurrence, h *hit, parts map[string]string) error {
	want := map[string]string{"type": o.eventType, "data": o.data}
	switch ep.vendor.name {
	case "standard":
		parts["id"], want["id"] = h.header.Get("Webhook-Id"), o.id
	case "akkuro":
		want["id"], want["uri"] = bareUUID(o.id), publicURL+akkuroPath(o.eventType)+"/"+ep.id
	case "atelio":
		c.forPython = append(c.forPython, ep.forPython(h, o.data))
		delete(want, "data") // which Python compares
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
	return c.judgeTime(ep, o, parts["at"])
}

// judgeTime compares the time that a body tells with when the event happened, to the last digit that there is.
func (c *campaign) judgeTime(ep *subscription, o *occurrence, text string) error {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	if o.at.IsZero() || ep.vendor.name == "lemon" { // which tells when the event was taken
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

// audit asks the server whether it tells the same of every delivery.
func (c *campaign) audit() {
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

// shownDelivery is what the native API tells of a delivery.
type shownDelivery struct {
	Event, Endpoint, Status, Reason string
	AttemptCount                    int `json:"attempt_count"`
}

// deliveries lists all that a filter lets through.
func (c *campaign) deliveries(filter string) []shownDelivery {
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

// followLinks gets what thin notifications link to, as Bluefin's customers do.
func (c *campaign) followLinks() {
	c.t.Helper()
	for body := range c.inbox.at("/updates") {
		url := member(c.t, vendorOf("bluefin").parts(body)["data"], "url")
		path := strings.TrimPrefix(url, publicURL)
		records := c.must(vendorOf("bluefin"), "GET", path, "")
		records = strings.ReplaceAll(records, `,"updateId":"`+path[strings.LastIndex(path, "/")+1:]+`"`, "") // which no publisher knows
		i := markOf(records)
		if i < 0 || c.events[i].data != `{"updates": `+records+`}` {
			c.t.Errorf("%s answered %s", path, records)
		}
		if path[len(path)-32:] != strings.TrimPrefix(c.events[i].id, "evt_") {
			c.t.Errorf("%s links to another event's records: %s", body, records)
		}
	}
}

// An event published once reaches endpoints of every dialect, each in its own shape, signed and acknowledged as its
// vendor says, with the data that was published.
func TestEveryDialectDeliversWhatIsPublished(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), everyDialect...)
	c := startCampaign(t, s)
	c.publish(make(chan struct{}))
	c.await()
	c.audit()
	c.judge(true)
	c.followLinks()
	s.terminate()
}

// The same, with a kill -9 in the middle: nothing that was acknowledged is lost in any dialect, and what is sent again is
// the same to the last byte.
func TestEveryDialectLosesNothingByKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, everyDialect...)
	c := startCampaign(t, s)
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
	c.judge(false)
	c.followLinks()
	s.terminate()
}
