package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/receive"
)

// demoEndpoint is one of the customer's: what it wants, in which dialect, and how often it refuses an event first.
type demoEndpoint struct {
	name     string
	dialect  string
	events   []string
	refusals int
	auth     *client.Auth
	secret   string // of the verifier, if it is not the endpoint's own
	// same reports whether what arrived is what was published; nil: they must be equal byte for byte.
	same func(published, arrived []byte) bool
}

// demoEndpoints returns two endpoints of the standard dialect, and one of every other.
func demoEndpoints() []demoEndpoint {
	return append([]demoEndpoint{
		{name: "ledger", dialect: standard.Name, events: []string{"*"}},
		{name: "shaky", dialect: standard.Name, events: []string{"payment.*", "card.*"}, refusals: 2},
	}, vendorEndpoints()...)
}

const azakawKey = "a-key-of-the-customer"

// vendorEndpoints returns an endpoint for each vendor, subscribed to event types of the vendor's catalogue.
func vendorEndpoints() []demoEndpoint {
	endpoints := []demoEndpoint{
		{dialect: akkuro.Name, events: []string{"counterparty.merged"}},
		{dialect: atelio.Name, events: []string{"kyc.verification.success", "card.created"}, same: sameMeaning},
		{
			dialect: azakaw.Name, events: []string{"RiskAssessmentCalculated", "ProfileStatusUpdated"},
			auth: &client.Auth{Type: "api_key", Header: receive.DefaultAzakawHeader, Key: azakawKey}, secret: azakawKey,
		},
		{dialect: lemon.Name, events: []string{"account.created", "trade.cash_settled"}},
		{dialect: bluefin.Name, events: []string{"ACCOUNT_UPDATER_BATCH_UPDATES"}, same: linksUpdates},
	}
	for i := range endpoints {
		endpoints[i].name = endpoints[i].dialect
	}
	return endpoints
}

// sameMeaning reports whether two texts are the same JSON. It compares numbers as floats, because Atelio's dialect writes
// them in another form.
func sameMeaning(published, arrived []byte) bool {
	var a, b any
	return json.Unmarshal(published, &a) == nil && json.Unmarshal(arrived, &b) == nil && reflect.DeepEqual(a, b)
}

// linksUpdates reports whether a payload of Bluefin's links to update records. It does not contain what was published.
func linksUpdates(_, arrived []byte) bool {
	var payload struct{ UpdateID, URL string }
	err := json.Unmarshal(arrived, &payload)
	return err == nil && payload.UpdateID != "" &&
		strings.HasSuffix(payload.URL, "/accounts/"+demoTenant+"/account-updater/updates/"+payload.UpdateID)
}

// customer receives deliveries at endpoints of its own, on one local server.
type customer struct {
	server    *httpx.Server
	endpoints []*client.Endpoint
	arrivals  chan arrival
}

// arrival is one attempt as the customer saw it.
type arrival struct {
	demoEndpoint
	eventType string
	attempt   int
	status    int           // answered
	data      []byte        // as it came
	fault     error         // why it is not good; nil: the signature is
	after     time.Duration // since the event was taken; 0: the dialect does not tell
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
		verifier, err := dialectOf(e.dialect).verifier(cmp.Or(e.secret, ep.Secret, ep.ID))
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
		URL: &url, Dialect: &e.dialect, Events: e.events, Auth: e.auth, Retry: &client.RetryPolicy{Schedule: &schedule},
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
	a := arrival{demoEndpoint: r.demoEndpoint, status: http.StatusOK}
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
