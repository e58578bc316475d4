package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/receive"
)

// demoEndpoint is one of the customer's: what it wants, in which dialect, and how often it refuses an event first.
type demoEndpoint struct {
	name     string
	speaker  *speaker
	events   []string
	refusals int
}

// demoEndpoints are two in the standard dialect, and one in every other.
func demoEndpoints() []demoEndpoint {
	all := []demoEndpoint{
		{name: "ledger", speaker: &standardSpeaker, events: []string{"*"}},
		{name: "shaky", speaker: &standardSpeaker, events: []string{"payment.*", "card.*"}, refusals: 2},
	}
	for i := range speakers {
		if events := speakers[i].demo.events; len(events) > 0 {
			all = append(all, demoEndpoint{name: speakers[i].name, speaker: &speakers[i], events: events})
		}
	}
	return all
}

// customer receives deliveries at endpoints of its own, on one local server.
type customer struct {
	server    *httpx.Server
	endpoints []*client.Endpoint
	arrivals  chan arrival
}

// arrival is one attempt as the customer saw it.
type arrival struct {
	speaker             *speaker
	endpoint, eventType string
	attempt             int
	status              int           // answered
	data                []byte        // as it came
	fault               error         // why it is not good; nil: the signature is
	after               time.Duration // since the event was taken; 0: the dialect does not tell
}

// newCustomer makes the tenant with its endpoints and begins to receive.
func newCustomer(ctx context.Context, api *client.Client) (*customer, error) {
	if _, err := api.CreateTenant(ctx, client.Tenant{ID: demoTenant, Name: "Acme Ltd"}); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &customer{arrivals: make(chan arrival, 64)}
	mux := http.NewServeMux()
	for _, e := range demoEndpoints() {
		ep, err := c.endpoint(ctx, api, e, "http://"+listener.Addr().String()+"/"+e.name)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		// Where nothing is secret, the endpoint's id is what deliveries name.
		verifier, err := e.speaker.verifier([]string{cmp.Or(e.speaker.demo.secret, ep.Secret, ep.ID)})
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		c.endpoints = append(c.endpoints, ep)
		mux.Handle("/"+e.name, &demoReceiver{
			demoEndpoint: e, verifier: verifier, arrivals: c.arrivals, seen: make(map[string]int),
		})
	}
	c.server = httpx.NewServer(listener.Addr().String(), thisBudget().clients, mux)
	go c.server.Serve(listener) // ends with close, with an error that says just that
	return c, nil
}

func (c *customer) endpoint(ctx context.Context, api *client.Client, e demoEndpoint, url string) (*client.Endpoint, error) {
	schedule := []string{"200ms", "400ms", "1s", "2s"}
	in := client.EndpointInput{
		URL: &url, Dialect: &e.speaker.name, Events: e.events, Retry: &client.RetryPolicy{Schedule: &schedule},
	}
	if e.speaker.demo.adapt != nil {
		e.speaker.demo.adapt(&in)
	}
	return api.CreateEndpoint(ctx, demoTenant, in)
}

func (c *customer) close() { c.server.Close() }

// demoReceiver serves one endpoint.
type demoReceiver struct {
	demoEndpoint
	verifier receive.Verifier
	arrivals chan<- arrival

	mu   sync.Mutex
	seen map[string]int // attempts by event type, of which each is published once
}

func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, receive.DefaultMaxBody))
	if err != nil {
		http.Error(w, "The body could not be read.", http.StatusBadRequest)
		return
	}
	a := r.judge(req.Header, body)
	w.WriteHeader(a.status)
	select {
	case r.arrivals <- a:
	case <-req.Context().Done(): // nobody looks any more
	}
}

func (r *demoReceiver) judge(h http.Header, body []byte) arrival {
	now := time.Now()
	a := arrival{speaker: r.speaker, endpoint: r.name, status: http.StatusOK}
	delivery, err := r.verifier.Verify(h, body, now)
	if err != nil {
		a.fault, a.status = err, http.StatusUnauthorized
		return a
	}
	a.eventType, a.data = delivery.Type, delivery.Data
	if !delivery.Timestamp.IsZero() { // some dialects do not tell
		a.after = now.Sub(delivery.Timestamp)
	}
	if a.attempt = r.count(delivery.Type); a.attempt <= r.refusals {
		a.status = http.StatusServiceUnavailable
	}
	return a
}

func (r *demoReceiver) count(eventType string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[eventType]++
	return r.seen[eventType]
}
