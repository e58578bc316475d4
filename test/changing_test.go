package test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// While a tenant changes its endpoint in a loop and an operator replaces event types in a loop, others can publish, and
// each event reaches the endpoint.
func TestChangesRefuseNoPublish(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), local...)
	publishWhileChanging(t, s, s)
}

// The same where changes are made on another node too.
func TestChangesRefuseNoPublishOnPostgres(t *testing.T) {
	t.Parallel()
	here, there, _ := startPair(t)
	publishWhileChanging(t, here, there)
}

func publishWhileChanging(t *testing.T, nodes ...*server) {
	t.Helper()
	receiver := startReceiver(t, 0)
	s := nodes[0]
	s.addType("order.paid")
	ep := s.subscribe(receiver.url)
	for range 20 { // others, that are not changed
		s.call("POST", "/tenants/acme/endpoints", `{"url": "https://example.com", "events": ["order.none*"]}`, nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var changers, publishers sync.WaitGroup
	loop := func(change func(n int)) {
		changers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				change(n)
			}
		})
	}
	for _, node := range nodes {
		loop(func(n int) {
			status, answer, err := node.do("PATCH", "/tenants/acme/endpoints/"+ep.ID, fmt.Appendf(nil, `{"description": "%d"}`, n))
			if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable { // nodes get in each other's way
				t.Errorf("a change answered %d: %s, %v", status, answer, err)
			}
		})
		loop(func(n int) {
			status, answer, err := node.do("PUT", "/event-types/order.other", fmt.Appendf(nil, `{"description": "%d"}`, n))
			if err != nil || status >= 300 {
				t.Errorf("an event type answered %d: %s, %v", status, answer, err)
			}
		})
	}
	const each = 40
	var (
		mu     sync.Mutex
		events []string
	)
	for _, node := range nodes {
		for range 2 {
			publishers.Go(func() {
				for range each {
					id, err := node.publish("order.paid", []byte(`{"amount": 1}`))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					events = append(events, id)
					mu.Unlock()
				}
			})
		}
	}
	publishers.Wait()
	stop()
	changers.Wait()
	receiver.await(t, events)
}
