package demo

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
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/receive"
)

// endpoint is one of the customer's endpoints.
type endpoint struct {
	name      string
	dialect   string
	catalogue []byte   // the vendor's event types; nil: standard
	events    []string // that it subscribes to
	refusals  int      // of each event, before it is acknowledged
	auth      *client.Auth
	secret    string // of the verifier, if it is not the endpoint's own
	verifier  func(secret string) (receive.Verifier, error)
	// same reports whether the data that arrived is the data that was published. Default: bytes.Equal.
	same func(published, arrived []byte) bool
}

// endpoints returns two endpoints of the standard dialect, and one of every other.
func endpoints() []endpoint {
	return append([]endpoint{
		{name: "ledger", dialect: standard.Name, events: []string{"*"}, verifier: standardVerifier},
		{name: "shaky", dialect: standard.Name, events: []string{"payment.*"}, verifier: standardVerifier, refusals: 2},
	}, vendorEndpoints()...)
}

func standardVerifier(secret string) (receive.Verifier, error) { return receive.Standard(secret) }

const azakawKey = "a-key-of-the-customer"

// vendorEndpoints returns an endpoint for each vendor, subscribed to event types of the vendor's catalogue.
func vendorEndpoints() []endpoint {
	endpoints := []endpoint{
		{
			dialect: akkuro.Name, catalogue: akkuro.Catalogue, events: []string{"counterparty.merged"},
			verifier: func(s string) (receive.Verifier, error) { return receive.Akkuro(s) },
		},
		{
			dialect: atelio.Name, catalogue: atelio.Catalogue, events: []string{"kyc.verification.success", "card.created"},
			verifier: func(s string) (receive.Verifier, error) { return receive.Atelio(s) },
			same:     sameMeaning,
		},
		{
			dialect: azakaw.Name, catalogue: azakaw.Catalogue, events: []string{"RiskAssessmentCalculated", "ProfileStatusUpdated"},
			auth: &client.Auth{Type: client.AuthAPIKey, Header: receive.DefaultAzakawHeader, Key: azakawKey}, secret: azakawKey,
			verifier: func(s string) (receive.Verifier, error) { return receive.AzakawAPIKey("", s) },
		},
		{
			dialect: lemon.Name, catalogue: lemon.Catalogue, events: []string{"account.created", "trade.cash_settled"},
			verifier: func(s string) (receive.Verifier, error) { return receive.Lemon(s) },
		},
		{
			dialect: bluefin.Name, catalogue: bluefin.Catalogue, events: []string{"ACCOUNT_UPDATER_BATCH_UPDATES"},
			verifier: func(s string) (receive.Verifier, error) { return receive.Bluefin(s) },
			same:     linksUpdates,
		},
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
		strings.HasSuffix(payload.URL, "/accounts/"+tenant+"/account-updater/updates/"+payload.UpdateID)
}

// customer receives deliveries at endpoints of its own, on one local server.
type customer struct {
	server    *httpx.Server
	url       string
	endpoints []*client.Endpoint
	arrivals  chan arrival
}

// arrival is one attempt as the customer saw it.
type arrival struct {
	endpoint
	eventType string
	attempt   int
	status    int           // answered
	data      []byte        // as it came
	fault     error         // nil: the delivery was verified
	after     time.Duration // time since the event was accepted; 0: the dialect does not say
}

// newCustomer creates the tenant with its endpoints and starts to receive.
func newCustomer(ctx context.Context, api *client.Client) (*customer, error) {
	if _, err := api.CreateTenant(ctx, client.Tenant{ID: tenant, Name: "Acme Ltd"}); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &customer{arrivals: make(chan arrival, 64), url: "http://" + listener.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("/", behave)
	for _, e := range endpoints() {
		ep, err := c.endpoint(ctx, api, e, c.url+"/"+e.name)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		// Without a secret, deliveries are recognized by the endpoint's id.
		verifier, err := e.verifier(cmp.Or(e.secret, ep.Secret, ep.ID))
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		c.endpoints = append(c.endpoints, ep)
		mux.Handle("/"+e.name, &receiver{
			endpoint: e, verifier: verifier, arrivals: c.arrivals, seen: make(map[string]int),
		})
	}
	c.server = httpx.NewServer(listener.Addr().String(), limits.Connections, mux)
	go c.server.Serve(listener) // ends with close, with an error that says just that
	return c, nil
}

func (c *customer) endpoint(ctx context.Context, api *client.Client, e endpoint, url string) (*client.Endpoint, error) {
	schedule := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, time.Second, 2 * time.Second}
	description := strings.ToUpper(e.name[:1]) + e.name[1:]
	in := client.EndpointInput{
		URL: &url, Description: &description, Dialect: &e.dialect, Events: e.events, Auth: e.auth, Retry: &client.RetryPolicy{Schedule: schedule},
	}
	return api.CreateEndpoint(ctx, tenant, in)
}

func (c *customer) close() { c.server.Close() }

// receiver serves one endpoint.
type receiver struct {
	endpoint
	verifier receive.Verifier
	arrivals chan<- arrival

	mu   sync.Mutex
	seen map[string]int // attempts by event type, each of which is published once
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, receive.DefaultMaxBody))
	if err != nil {
		http.Error(w, "The body could not be read.", http.StatusBadRequest)
		return
	}
	a := r.verify(req.Header, body)
	w.WriteHeader(a.status)
	select {
	case r.arrivals <- a:
	case <-req.Context().Done(): // the demonstration is over
	}
}

func (r *receiver) verify(h http.Header, body []byte) arrival {
	now := time.Now()
	a := arrival{endpoint: r.endpoint, status: http.StatusOK}
	delivery, err := r.verifier.Verify(h, body)
	if err != nil {
		a.fault, a.status = err, http.StatusUnauthorized
		return a
	}
	a.eventType, a.data = delivery.Type, delivery.Data
	if !delivery.Timestamp.IsZero() { // some dialects do not say
		a.after = now.Sub(delivery.Timestamp)
	}
	if a.attempt = r.count(delivery.Type); a.attempt <= r.refusals {
		a.status = http.StatusServiceUnavailable
	}
	return a
}

func (r *receiver) count(eventType string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[eventType]++
	return r.seen[eventType]
}
