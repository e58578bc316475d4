package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
)

// server answers one call after another, and stores the requests.
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
	IdempotencyKey                 string
}

// RoundTrip makes a server the transport of a client: no network is in between.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.calls = append(s.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), string(body), r.Header.Get("Idempotency-Key")})
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

func TestNewRefusesInvalidURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "bellwire.test", "ftp://bellwire.test", "http://", ":"} {
		t.Run(url, func(t *testing.T) {
			if _, err := client.New(url, "key"); err == nil {
				t.Errorf("%q was taken", url)
			}
		})
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
	if receipt := (client.Receipt{ID: "evt_1", Type: "a", Deliveries: 2}); got != receipt {
		t.Errorf("got %+v, want %+v", got, receipt)
	}
	want := []call{{
		"POST", "/api/v1/tenants/acme/events", "", "Bearer secret-key",
		`{"type":"a","id":"k","occurred_at":"2026-01-31T12:30:00Z","data":` + data + `}`, "",
	}}
	if !slices.Equal(s.calls, want) {
		t.Errorf("got %+v, want %+v", s.calls, want)
	}
}

func TestPublisherID(t *testing.T) {
	t.Parallel()
	s := &server{answers: []answer{{status: 202, body: receipt}}}
	if _, err := newClient(t, s).Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)}); err != nil {
		t.Fatal(err)
	}
	var sent struct{ ID string }
	if err := json.Unmarshal([]byte(s.calls[0].Body), &sent); err != nil || sent.ID == "" {
		t.Fatalf("%s: %v", s.calls[0].Body, err)
	}
	for key, want := range map[string]string{
		sent.ID: "", "auto_0198c7a3-f2e4-7d0a-9b1c-2d3e4f506172": "", "auto_parts-42": "auto_parts-42", "order-42": "order-42",
	} {
		if got := (&client.Event{IdempotencyKey: &key}).PublisherID(); got != want {
			t.Errorf("of %s: %q, want %q", key, got, want)
		}
	}
	if got := (&client.Event{}).PublisherID(); got != "" {
		t.Errorf("without a key: %q", got)
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

func TestPublishTakesTheKeyOfTheContext(t *testing.T) {
	t.Parallel()
	ctx := client.WithIdempotencyKey(t.Context(), "order-42")
	s := &server{answers: []answer{{status: 202, body: receipt}, {status: 202, body: `{"data":[` + receipt + `,` + receipt + `]}`}}}
	c := newClient(t, s)
	if _, err := c.Publish(ctx, "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)}); err != nil {
		t.Error(err)
	}
	if _, err := c.PublishBatch(ctx, "acme", []client.Publication{{Type: "a", Data: json.RawMessage(`1`), ID: "own"}, {Type: "a", Data: json.RawMessage(`2`)}}); err != nil {
		t.Error(err)
	}
	for i, want := range []string{`{"type":"a","id":"order-42","data":1}`, `{"events":[{"type":"a","id":"own","data":1},{"type":"a","id":"order-42/1","data":2}]}`} {
		if got := s.calls[i]; got.Body != want || got.IdempotencyKey != "" {
			t.Errorf("call %d: %+v, want %s without a header", i, got, want)
		}
	}
}

// A call that is redirected fails: http.Client would make a GET of it, and its answer would look like success.
func TestRedirectsAreErrors(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := &server{answers: []answer{{status: status, header: http.Header{"Location": {"https://bellwire.test/api/v1/tenants/acme"}}}, {status: 200, body: `{"data":[]}`}}}
		c := newClient(t, s)
		for name, call := range map[string]func() error{
			"Publish": func() error {
				_, err := c.Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage(`1`)})
				return err
			},
			"DeleteTenant": func() error { return c.DeleteTenant(t.Context(), "acme") },
		} {
			s.calls = nil
			err := call()
			var refusal *client.Error
			if !errors.As(err, &refusal) || refusal.Status != status || len(s.calls) != 1 || !strings.HasSuffix(err.Error(), "; use the address that it names: https://bellwire.test") {
				t.Errorf("%d, %s: %v after %d calls", status, name, err, len(s.calls))
			}
		}
	}
}

// What answers 200 with other JSON is not a Bellwire server, and has stored nothing.
func TestPublishNeedsReceipts(t *testing.T) {
	t.Parallel()
	c := newClient(t, &server{answers: []answer{{status: 200, body: `{"data":[]}`}}})
	p := client.Publication{Type: "a", Data: json.RawMessage(`1`)}
	_, one := c.Publish(t.Context(), "acme", p)
	_, batch := c.PublishBatch(t.Context(), "acme", []client.Publication{p})
	if one == nil || batch == nil || !strings.Contains(one.Error(), "is not that of a Bellwire server") {
		t.Errorf("%v, %v", one, batch)
	}
}

func TestPublishRefusesInvalidJSON(t *testing.T) {
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

// A refusal after a lost answer does not say that nothing was stored.
func TestRefusalAfterALostAnswer(t *testing.T) {
	t.Parallel()
	refused := answer{status: 401, body: `{"code":"unauthenticated"}`}
	for name, c := range map[string]struct {
		answers   []answer
		uncertain bool
	}{
		"lost":        {[]answer{{err: errors.New("the connection was reset")}, refused}, true},
		"unavailable": {[]answer{{status: 504, body: "{}"}, refused}, true},
		"refused":     {[]answer{refused}, false},
		"too many":    {[]answer{{status: 429, body: "{}"}, refused}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, &server{answers: c.answers}).Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage("1")})
			var refusal *client.Error
			if !errors.As(err, &refusal) || refusal.Status != 401 || errors.Is(err, client.ErrUncertain) != c.uncertain {
				t.Errorf("%v, want it to be uncertain: %t", err, c.uncertain)
			}
		})
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
		{"a problem", answer{status: 422, body: `{"code":"invalid","detail":"url must be shorter","errors":[{"field":"url","message":"must be shorter"}]}`, header: http.Header{"X-Request-Id": {"r1"}}},
			client.Error{Status: 422, Code: "invalid", Detail: "url must be shorter", Field: "url", RequestID: "r1", Faults: []client.Fault{{Field: "url", Message: "must be shorter"}}},
			"url must be shorter (invalid)"},
		{"several faults", answer{status: 422, body: `{"code":"invalid","detail":"url is required","errors":[{"field":"url","message":"is required"},{"field":"events","message":"is required"}]}`},
			client.Error{Status: 422, Code: "invalid", Detail: "url is required", Field: "url", Faults: []client.Fault{{Field: "url", Message: "is required"}, {Field: "events", Message: "is required"}}},
			"url is required; events is required (invalid)"},
		{"a hint", answer{status: 403, body: `{"code":"forbidden","detail":"tenant keys cannot publish","hint":"Use a publisher key."}`},
			client.Error{Status: 403, Code: "forbidden", Detail: "tenant keys cannot publish", Hint: "Use a publisher key."},
			"tenant keys cannot publish (forbidden); hint: Use a publisher key."},
		{"a proxy's page", answer{status: 502, body: "<html>Bad gateway</html>"}, client.Error{Status: 502}, "server answered 502 Bad Gateway"},
		{"when to come back", answer{status: 503, body: `{"code":"unavailable","detail":"the node is stopping"}`, header: http.Header{"Retry-After": {"3"}}},
			client.Error{Status: 503, Code: "unavailable", Detail: "the node is stopping", RetryAfter: 3 * time.Second}, "the node is stopping (unavailable)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, &server{answers: []answer{test.answer}}).Tenant(t.Context(), "acme")
			var got *client.Error
			if !errors.As(err, &got) {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
			if got.Error() != test.text {
				t.Errorf("got %q, want %q", got, test.text)
			}
		})
	}
}

func TestUnreadableResponsesAreErrors(t *testing.T) {
	t.Parallel()
	const other = "the response to GET /tenants/acme is not that of a Bellwire server"
	for name, test := range map[string]struct{ body, want string }{
		"cut off":        {`{"id":`, "the response to GET /tenants/acme ends too early"},
		"empty":          {``, other},
		"a page":         {`<html>`, other},
		"something else": {`[1]`, other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, &server{answers: []answer{{status: 200, body: test.body}}}).Tenant(t.Context(), "acme")
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
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
	refused := "no server answers at " + address + ": connection refused"
	if _, err := c.Tenant(t.Context(), "acme"); err == nil || err.Error() != refused || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	if _, err := c.Publish(t.Context(), "acme", client.Publication{Type: "a", Data: json.RawMessage("1")}); err == nil || err.Error() != refused+"; tried 2 times" {
		t.Errorf("%v", err)
	}
	unknown := &server{answers: []answer{{err: &net.DNSError{Err: "no such host", Name: "bellwire.test", IsNotFound: true}}}}
	if _, err := newClient(t, unknown).Tenant(t.Context(), "acme"); err == nil || err.Error() != "no server answers at http://bellwire.test: host bellwire.test does not exist" {
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
	if want := []string{"a", "b", "c"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
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
	if want := []string{"a", "b", ""}; !slices.Equal(ids, want) || last == nil {
		t.Errorf("got %q, %v, want %q and an error", ids, last, want)
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
		`{"ordering":"fifo","status":"paused"}`: {Ordering: client.Ptr(client.OrderingFIFO), Status: client.Ptr(client.EndpointPaused)},
	} {
		t.Run(want, func(t *testing.T) {
			got, err := json.Marshal(in)
			if err != nil || string(got) != want {
				t.Errorf("%s, want %s (%v)", got, want, err)
			}
		})
	}
}

func TestRetryPolicy(t *testing.T) {
	t.Parallel()
	for text, policy := range map[string]client.RetryPolicy{
		`{}`:              {},
		`{"schedule":[]}`: {Schedule: []time.Duration{}},
		`{"schedule":["5s","30m0s"],"jitter":0.2}`: {Schedule: []time.Duration{5 * time.Second, 30 * time.Minute}, Jitter: 0.2},
		`{"interval":"10s","count":3}`:             {Interval: 10 * time.Second, Count: 3},
		`{"interval":"0s","count":3}`:              {Count: 3},
		`{"interval":"10s","count":0}`:             {Interval: 10 * time.Second},
		`{"initial":"1s","factor":1.5,"max_interval":"1m0s","max_elapsed":"72h0m0s"}`: {
			Initial: time.Second, Factor: 1.5, MaxInterval: time.Minute, MaxElapsed: 72 * time.Hour,
		},
	} {
		t.Run(text, func(t *testing.T) {
			written, err := json.Marshal(policy)
			if err != nil || string(written) != text {
				t.Errorf("%+v is written as %s, %v, want %s", policy, written, err, text)
			}
			var read client.RetryPolicy
			if err := json.Unmarshal([]byte(text), &read); err != nil || !reflect.DeepEqual(read, policy) {
				t.Errorf("%s is read as %+v, %v, want %+v", text, read, err, policy)
			}
		})
	}
	var read client.RetryPolicy
	if err := json.Unmarshal([]byte(`{"schedule":["72h","30m"]}`), &read); err != nil || read.Schedule[0] != 72*time.Hour {
		t.Errorf("the server's spelling is read as %+v, %v", read, err)
	}
	if err := json.Unmarshal([]byte(`{"interval":"soon"}`), &read); err == nil {
		t.Error("a malformed duration is accepted")
	}
}
