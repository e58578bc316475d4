package main

import (
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

// demoEndpoints are the customer's: what each wants, and how often it refuses an event first.
var demoEndpoints = []struct {
	name     string
	events   []string
	refusals int
}{
	{name: "ledger", events: []string{"*"}},
	{name: "shaky", events: []string{"payment.*", "card.*"}, refusals: 2},
}

// customer receives deliveries at endpoints of its own, on one local server.
type customer struct {
	server    *http.Server
	endpoints []*client.Endpoint
	arrivals  chan arrival
}

// arrival is one attempt as the customer saw it.
type arrival struct {
	dialect, endpoint, eventType string
	attempt                      int
	status                       int           // answered
	event                        string        // its id
	data                         []byte        // as it came
	fault                        error         // why it is not good; nil: the signature is
	after                        time.Duration // since the event was taken
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
	for _, e := range demoEndpoints {
		url := "http://" + listener.Addr().String() + "/" + e.name
		schedule := []string{"200ms", "400ms", "1s", "2s"}
		ep, err := api.CreateEndpoint(ctx, demoTenant, client.EndpointInput{
			URL: &url, Events: e.events, Retry: &client.RetryPolicy{Schedule: &schedule},
		})
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		verifier, err := receive.Standard(ep.Secret)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		c.endpoints = append(c.endpoints, ep)
		mux.Handle("/"+e.name, &demoReceiver{
			name: e.name, dialect: ep.Dialect, refusals: e.refusals, verifier: verifier,
			arrivals: c.arrivals, seen: make(map[string]int),
		})
	}
	c.server = httpx.NewServer(listener.Addr().String(), mux)
	go c.server.Serve(listener) // ends with close, with an error that says just that
	return c, nil
}

func (c *customer) close() { c.server.Close() }

// demoReceiver serves one endpoint.
type demoReceiver struct {
	name     string
	dialect  string
	refusals int
	verifier receive.Verifier
	arrivals chan<- arrival

	mu   sync.Mutex
	seen map[string]int // attempts by event
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
	a := arrival{dialect: r.dialect, endpoint: r.name, status: http.StatusNoContent}
	delivery, err := r.verifier.Verify(h, body, now)
	if err != nil {
		a.fault, a.status = err, http.StatusUnauthorized
		return a
	}
	a.event, a.eventType, a.data, a.after = delivery.ID, delivery.Type, delivery.Data, now.Sub(delivery.Timestamp)
	if a.attempt = r.count(delivery.ID); a.attempt <= r.refusals {
		a.status = http.StatusServiceUnavailable
	}
	return a
}

func (r *demoReceiver) count(event string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[event]++
	return r.seen[event]
}
