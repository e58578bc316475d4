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
	"testing/synctest"
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

// TestPublishIsRepeated: what may not have arrived is sent again, the same to the last byte.
func TestPublishIsRepeated(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	unavailable := answer{status: 503, body: `{"code":"unavailable","detail":"Later."}`, header: http.Header{"Retry-After": {"7"}}}
	limited := answer{status: 429, body: `{"code":"rate_limited","detail":"Too many."}`, header: http.Header{"Retry-After": {"2"}}}
	ok := answer{status: 202, body: receipt}
	tests := []struct {
		name     string
		answers  []answer
		attempts int
		calls    int
		code     string // of the error in the end
		least    time.Duration
		most     time.Duration
	}{
		{"at once", []answer{ok}, 5, 1, "", 0, 0},
		{"after a broken connection", []answer{{err: reset}, {err: reset}, ok}, 5, 3, "", 300 * time.Millisecond, 600 * time.Millisecond},
		{"after being told when", []answer{unavailable, ok}, 5, 2, "", 7 * time.Second, 7 * time.Second},
		{"after too many", []answer{limited, limited, ok}, 5, 3, "", 4 * time.Second, 4 * time.Second},
		{"until too many are spent", []answer{limited}, 2, 2, client.CodeRateLimited, 2 * time.Second, 2 * time.Second},
		{"after a gateway's fault", []answer{{status: 502, body: "<html>"}, ok}, 5, 2, "", 100 * time.Millisecond, 200 * time.Millisecond},
		{"until the attempts are spent", []answer{unavailable}, 3, 3, "unavailable", 14 * time.Second, 14 * time.Second},
		{"not at all", []answer{unavailable}, 1, 1, "unavailable", 0, 0},
		{"not what is refused", []answer{{status: 422, body: `{"code":"invalid"}`}}, 5, 1, "invalid", 0, 0},
		{"not a conflict", []answer{{status: 409, body: `{"code":"conflict"}`}}, 5, 1, "conflict", 0, 0},
		{"not a fault of the server", []answer{{status: 500, body: `{"code":"internal"}`}}, 5, 1, "internal", 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{answers: test.answers}
				start := time.Now()
				_, err := newClient(t, s, client.WithAttempts(test.attempts)).Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)})
				if took := time.Since(start); took < test.least || took > test.most {
					t.Errorf("took %s, want %s to %s", took, test.least, test.most)
				}
				var refusal *client.Error
				if errors.As(err, &refusal); test.code != "" && (refusal == nil || refusal.Code != test.code) || test.code == "" && err != nil {
					t.Errorf("error %v, want %q", err, test.code)
				}
				if len(s.calls) != test.calls {
					t.Fatalf("%d calls, want %d", len(s.calls), test.calls)
				}
				var body struct{ ID string }
				if err := json.Unmarshal([]byte(s.calls[0].Body), &body); err != nil || len(body.ID) < 20 {
					t.Errorf("no id was made: %s", s.calls[0].Body)
				}
				for _, c := range s.calls {
					if c != s.calls[0] {
						t.Errorf("repeated otherwise: %v, then %v", s.calls[0], c)
					}
				}
			})
		})
	}
}

func TestContextEndsTheWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{answers: []answer{{status: 503, body: `{"code":"unavailable"}`, header: http.Header{"Retry-After": {"60"}}}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := newClient(t, s).Publish(ctx, "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)})
		var refusal *client.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &refusal) {
			t.Errorf("the error tells of only one of the reasons: %v", err)
		}
		if took := time.Since(start); took != time.Second || len(s.calls) != 1 {
			t.Errorf("%s and %d calls", took, len(s.calls))
		}
	})
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
