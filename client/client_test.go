package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/client"
)

// server answers calls one after the other, and keeps what it was asked.
type server struct {
	mu      sync.Mutex
	answers []answer
	calls   []call
}

type answer struct {
	status int
	body   string
	header http.Header
	err    error // instead of an answer
}

type call struct {
	Method, Path, Query, Key, Body string
}

// RoundTrip makes a server the transport of a client: no network is in between.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.calls = append(s.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), string(body)})
	a := s.answers[min(len(s.calls), len(s.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	w := httptest.NewRecorder()
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	w.WriteString(a.body)
	return w.Result(), nil
}

func newClient(t *testing.T, s *server, options ...client.Option) *client.Client {
	t.Helper()
	options = append(options, client.WithHTTPClient(&http.Client{Transport: s}))
	c, err := client.New("http://bellwire.test/", "secret-key", options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefusesWhatIsNoURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "bellwire.test", "ftp://bellwire.test", "http://", ":"} {
		if _, err := client.New(url, "key"); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

const receipt = `{"id":"evt_1","type":"a","deliveries":2,"duplicate":false}`

func TestPublishSendsDataAsItIs(t *testing.T) {
	t.Parallel()
	s := &server{answers: []answer{{status: 202, body: receipt}}}
	data := `{ "n" : [1.0, 1E400], "s":"\u00e9<&" }`
	got, err := newClient(t, s).Publish(t.Context(), "acme", client.Publication{
		Type: "a", Data: json.RawMessage(data), ID: "k", OccurredAt: time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(client.Receipt{ID: "evt_1", Type: "a", Deliveries: 2}, got); diff != "" {
		t.Error(diff)
	}
	want := []call{{
		"POST", "/api/v1/tenants/acme/events", "", "Bearer secret-key",
		`{"type":"a","id":"k","occurred_at":"2026-01-31T12:30:00Z","data":` + data + `}`,
	}}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Error(diff)
	}
}

func TestPublishBatch(t *testing.T) {
	t.Parallel()
	s := &server{answers: []answer{{status: 202, body: `{"data":[` + receipt + `,` + receipt + `]}`}}}
	got, err := newClient(t, s).PublishBatch(t.Context(), "a/b", []client.Publication{
		{Type: "a", Data: json.RawMessage(`1`), ID: "k1"}, {Type: "b", Data: json.RawMessage(` null`), ID: "k2"},
	})
	if err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if want := `{"events":[{"type":"a","id":"k1","data":1},{"type":"b","id":"k2","data": null}]}`; s.calls[0].Body != want {
		t.Errorf("%s, want %s", s.calls[0].Body, want)
	}
	if s.calls[0].Path != "/api/v1/tenants/a/b/events/batch" {
		t.Errorf("path %s", s.calls[0].Path)
	}
}

func TestPublishRefusesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	s := &server{answers: []answer{{status: 202, body: receipt}}}
	c := newClient(t, s)
	for _, data := range []string{``, `{`, `1,"id":"x"`} {
		p := client.Publication{Type: "a", Data: json.RawMessage(data)}
		if _, err := c.Publish(t.Context(), "acme", p); err == nil {
			t.Errorf("%q was sent", data)
		}
		if _, err := c.PublishBatch(t.Context(), "acme", []client.Publication{p}); err == nil || !strings.Contains(err.Error(), "event 0") {
			t.Errorf("%q in a batch: %v", data, err)
		}
	}
	if len(s.calls) > 0 {
		t.Errorf("%d calls", len(s.calls))
	}
}

func TestOtherCallsAreNotRepeated(t *testing.T) {
	t.Parallel()
	s := &server{answers: []answer{{status: 503, body: `{"code":"unavailable"}`}}}
	if _, err := newClient(t, s).CreateTenant(t.Context(), client.Tenant{ID: "acme"}); err == nil || len(s.calls) != 1 {
		t.Errorf("%d calls, %v", len(s.calls), err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer answer
		want   client.Error
		text   string
	}{
		{"a problem", answer{status: 422, body: `{"code":"invalid","detail":"url: No.","errors":[{"field":"url","message":"No."}]}`, header: http.Header{"X-Request-Id": {"r1"}}},
			client.Error{Status: 422, Code: "invalid", Detail: "url: No.", Field: "url", RequestID: "r1", Faults: []client.Fault{{Field: "url", Message: "No."}}},
			"url: No. (invalid)"},
		{"a proxy's page", answer{status: 502, body: "<html>Bad gateway</html>"}, client.Error{Status: 502}, "the server answered 502 Bad Gateway"},
		{"when to come back", answer{status: 503, body: `{"code":"unavailable","detail":"Later."}`, header: http.Header{"Retry-After": {"3"}}},
			client.Error{Status: 503, Code: "unavailable", Detail: "Later.", RetryAfter: 3 * time.Second}, "Later. (unavailable)"},
	}
	for _, test := range tests {
		_, err := newClient(t, &server{answers: []answer{test.answer}}).Tenant(t.Context(), "acme")
		var got *client.Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, *got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if got.Error() != test.text {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func TestBrokenAnswerIsAnError(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, &server{answers: []answer{{status: 200, body: `{"id":`}}}).Tenant(t.Context(), "acme")
	if err == nil || !strings.Contains(err.Error(), "GET /tenants/acme") {
		t.Errorf("%v", err)
	}
}

func TestKeysAreNotInErrors(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, &server{answers: []answer{{err: errors.New("connection refused")}}}).Tenant(t.Context(), "acme")
	if err == nil || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("%v", err)
	}
}

// Why a server is not reached is said in words, and the cause is still there for programs.
func TestNotReached(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close() // from now on nobody listens there
	c, err := client.New(address, "key", client.WithAttempts(2))
	if err != nil {
		t.Fatal(err)
	}
	refused := "no server answers at " + address + ": the connection was refused"
	if _, err := c.Tenant(t.Context(), "acme"); err == nil || err.Error() != refused || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	if _, err := c.Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage("1")}); err == nil || err.Error() != refused+"; tried 2 times" {
		t.Errorf("%v", err)
	}
	unknown := &server{answers: []answer{{err: &net.DNSError{Err: "no such host", Name: "bellwire.test", IsNotFound: true}}}}
	if _, err := newClient(t, unknown).Tenant(t.Context(), "acme"); err == nil || err.Error() != "no server answers at http://bellwire.test: there is no host bellwire.test" {
		t.Errorf("%v", err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	pages := []answer{
		{status: 200, body: `{"data":[{"id":"a"},{"id":"b"}],"next_cursor":"x y"}`},
		{status: 200, body: `{"data":[{"id":"c"}],"next_cursor":null}`},
	}
	s := &server{answers: pages}
	var ids []string
	for tenant, err := range client.All(t.Context(), newClient(t, s).Tenants) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tenant.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, ids); diff != "" {
		t.Error(diff)
	}
	if s.calls[0].Query != "limit=250" || s.calls[1].Query != "cursor=x+y&limit=250" {
		t.Errorf("%v", s.calls)
	}

	s = &server{answers: []answer{pages[0], {status: 500, body: `{"code":"internal"}`}}}
	ids = nil
	var last error
	for tenant, err := range client.All(t.Context(), newClient(t, s).Tenants) {
		ids, last = append(ids, tenant.ID), err
	}
	if diff := cmp.Diff([]string{"a", "b", ""}, ids); diff != "" || last == nil {
		t.Errorf("%s, %v", diff, last)
	}

	s = &server{answers: pages}
	for range client.All(t.Context(), newClient(t, s).Tenants) {
		break
	}
	if len(s.calls) != 1 {
		t.Errorf("%d pages were fetched for one tenant", len(s.calls))
	}
}

func TestEndpointInput(t *testing.T) {
	t.Parallel()
	none := ""
	for want, in := range map[string]client.EndpointInput{
		`{}`:                                    {},
		`{"description":""}`:                    {Description: &none},
		`{"rate_limit":null}`:                   {NoRateLimit: true},
		`{"description":"","rate_limit":null}`:  {NoRateLimit: true, Description: &none},
		`{"events":["*"],"retry":{"jitter":1}}`: {Events: []string{"*"}, Retry: &client.RetryPolicy{Jitter: 1}},
	} {
		got, err := json.Marshal(in)
		if err != nil || string(got) != want {
			t.Errorf("%s, want %s (%v)", got, want, err)
		}
	}
}

// demoServer stands in for Bellwire in the examples.
func demoServer() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/tenants/acme/events", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id":"evt_0198c7a3f2e47d0a9b1c2d3e4f506172","type":"invoice.paid","deliveries":2,"duplicate":false}`)
	})
	mux.HandleFunc("GET /api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":[{"id":"globex"},{"id":"acme"}],"next_cursor":null}`)
	})
	mux.HandleFunc("GET /api/v1/tenants/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"status":404,"code":"not_found","detail":"There is no tenant \"initech\"."}`)
	})
	return httptest.NewServer(mux)
}

func Example() {
	server := demoServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := c.Publish(context.Background(), "acme", client.Publication{
		Type: "invoice.paid",
		Data: json.RawMessage(`{"invoice": "in_123", "total": 1.50}`),
		ID:   "in_123-paid",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(receipt.Deliveries, "endpoints get", receipt.Type)
	// Output: 2 endpoints get invoice.paid
}

func ExampleAll() {
	server := demoServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	for tenant, err := range client.All(context.Background(), c.Tenants) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(tenant.ID)
	}
	// Output:
	// globex
	// acme
}

func ExampleError() {
	server := demoServer()
	defer server.Close()

	c, err := client.New(server.URL, "your-key")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Tenant(context.Background(), "initech")
	var refusal *client.Error
	if errors.As(err, &refusal) && refusal.Code == client.CodeNotFound {
		fmt.Println(refusal.Detail)
	}
	// Output: There is no tenant "initech".
}
