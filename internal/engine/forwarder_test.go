package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/testenv"
)

// A delivery that comes to another node goes to its owner at once, and nothing is claimed.
func TestForwardsToTheOwner(t *testing.T) {
	for name, ordering := range map[string]bellwire.Ordering{
		"unordered": bellwire.OrderingNone, "FIFO": bellwire.OrderingFIFO, "by key": bellwire.OrderingKey,
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, 2, func(t *testing.T, c *cluster) {
				r := c.receiver("a", answers(200))
				ep := c.endpointOf(1, "a", func(ep *bellwire.Endpoint) { ep.Ordering = ordering })
				c.publishAt(1, 1)
				c.pass(time.Second)
				claimed := c.nodes[1].counts.claimed
				var ids []bellwire.EventID
				for range 20 { // one after the other, as on a connection; the test's messages can overtake each other
					ids = append(ids, c.publishAt(0, 1)...)
					c.pass(0)
				}
				c.pass(time.Millisecond)
				received := r.ids()[1:]
				if ordering != bellwire.OrderingFIFO {
					slices.Sort(received)
				}
				if diff := cmp.Diff(texts(ids), received); diff != "" {
					t.Error("received (-want +got):", diff)
				}
				c.pass(3 * time.Minute)
				if n := len(r.got()); n != 21 {
					t.Errorf("%d requests for 21 events", n)
				}
				if got := c.nodes[1].counts.claimed - claimed; got != 0 || c.nodes[0].counts.forwarded != 20 {
					t.Errorf("%d were claimed, and %d forwarded", got, c.nodes[0].counts.forwarded)
				}
				if counts := c.statuses(ep.ID); counts[bellwire.DeliverySucceeded] != 21 {
					t.Errorf("the deliveries are %v", counts)
				}
			})
		})
	}
}

// Whatever happens to a delivery on its way, its owner sends it once.
func TestForwardsThatFail(t *testing.T) {
	testenv.Long(t)
	const events = 30
	cases := map[string]struct {
		fault  func() (delay time.Duration, lost, answerLost bool)
		before func(c *cluster)
		within time.Duration // all must be received
	}{
		"lost":               {fault: func() (time.Duration, bool, bool) { return 0, true, false }, within: 2 * time.Second},
		"answer lost":        {fault: func() (time.Duration, bool, bool) { return 0, false, true }, within: time.Second},
		"late":               {fault: func() (time.Duration, bool, bool) { return 3 * time.Second, false, false }, within: 2 * time.Second},
		"too late":           {fault: func() (time.Duration, bool, bool) { return 8 * time.Second, false, false }, within: 2 * time.Second},
		"nodes are cut off":  {before: func(c *cluster) { c.nodes[0].link.cut = true }, within: time.Second},
		"commit unknown":     {before: func(c *cluster) { c.nodes[0].appended = unknown }, within: 3 * time.Second},
		"claims unknown":     {fault: func() (time.Duration, bool, bool) { return 3 * time.Second, false, false }, before: func(c *cluster) { c.nodes[1].claimed = sometimes(3) }, within: 20 * time.Second},
		"endpoint is paused": {before: func(c *cluster) { pauseFor(c, 10*time.Second) }, within: 12 * time.Second},
	}
	for name, tc := range cases {
		for _, ordering := range []bellwire.Ordering{bellwire.OrderingNone, bellwire.OrderingFIFO} {
			t.Run(name+"/"+string(ordering), func(t *testing.T) {
				inCluster(t, 2, func(t *testing.T, c *cluster) {
					r := c.receiver("a", answers(200))
					ep := c.endpointOf(1, "a", func(ep *bellwire.Endpoint) { ep.Ordering = ordering })
					ids := c.publishAt(1, 1)
					c.pass(time.Second)
					c.nodes[0].link.fault = tc.fault
					if tc.before != nil {
						tc.before(c)
					}
					for range events {
						receipts, err := c.nodes[0].engine.Publish(t.Context(), ping())
						if err == nil {
							ids = append(ids, receipts[0].Event)
						}
					}
					c.pass(tc.within)
					if n := len(r.ids()); n != 1+events {
						t.Errorf("%d of %d were received within %s", n, 1+events, tc.within)
					}
					c.pass(3 * time.Minute)
					if n := len(r.got()); n != 1+events {
						t.Errorf("%d requests for %d events", n, 1+events)
					}
					if ordering == bellwire.OrderingFIFO && tc.before == nil {
						if diff := cmp.Diff(texts(ids), r.ids()); diff != "" {
							t.Error("order of first receipt (-want +got):", diff)
						}
					}
					if counts := c.statuses(ep.ID); counts[bellwire.DeliverySucceeded] != 1+events {
						t.Errorf("the deliveries are %v", counts)
					}
				})
			})
		}
	}
}

func ping() *engine.Publication {
	return &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("{}")}}}
}

// unknown is the error of a commit whose outcome is not known.
func unknown() error { return bellwire.Errorf(bellwire.CodeUnavailable, "the connection was cut") }

// sometimes returns what fails with an unknown outcome so many times.
func sometimes(times int) func() error {
	return func() error {
		if times--; times >= 0 {
			return unknown()
		}
		return nil
	}
}

// pauseFor pauses the endpoint of the second node.
func pauseFor(c *cluster, d time.Duration) {
	set := func(status bellwire.EndpointStatus) {
		eps, err := c.store.Endpoints(context.Background(), bellwire.EndpointFilter{Tenant: "acme"}, bellwire.Page{Limit: 1})
		must(c.t, err)
		ep := eps.Items[0]
		ep.Status = status
		must(c.t, c.store.UpdateEndpoint(context.Background(), ep, bellwire.ChangeNote{}))
		c.tell(-1, bellwire.Notification{Tenant: "acme", Endpoints: []string{ep.ID}})
	}
	set(bellwire.EndpointPaused)
	time.AfterFunc(d, func() { set(bellwire.EndpointEnabled) })
}

// A delivery that arrives when its owner has long found, sent and forgotten it is not sent again.
func TestForwardsThatComeMuchLater(t *testing.T) {
	inCluster(t, 2, func(t *testing.T, c *cluster) {
		r := c.receiver("a", answers(200))
		c.endpointOf(1, "a")
		c.publishAt(1, 1)
		c.pass(time.Second)
		delay, sent := 30*time.Second, 0
		c.nodes[0].link.fault = func() (time.Duration, bool, bool) {
			sent++
			return delay, sent > 1, false
		}
		for range 5 { // the others are found in the store as well
			c.publishAt(0, 1)
			c.pass(6 * time.Second)
		}
		if n := len(r.got()); n != 6 {
			t.Fatalf("%d of 6 were received", n)
		}
		c.pass(time.Minute)
		if n := len(r.got()); n != 6 {
			t.Errorf("%d requests for 6 events", n)
		}
	})
}
