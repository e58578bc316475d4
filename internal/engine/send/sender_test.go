package send

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/store/codec"
)

// plain is a renderer without any signature.
type plain struct{}

func (plain) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	return append(dst, m.Event.Data...), nil
}
func (plain) SameBody() bool { return true }
func (plain) SetHeaders(h http.Header, m *bellwire.Message, _ []byte) {
	h["Content-Type"] = []string{"application/json"}
	h["Webhook-Id"] = []string{m.Event.ID.String()}
}
func (plain) Classify(status int) bellwire.Verdict {
	if status/100 == 2 {
		return bellwire.Acknowledged
	}
	return bellwire.Failed
}
func (plain) HonorsRetryAfter() bool { return true }

var loopback = destination.New(destination.Config{
	Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
})

// rendered makes a body of an event for one attempt alone.
type rendered struct{}

func (rendered) Body(_ context.Context, t *bellwire.Target, m *bellwire.Message) ([]byte, error) {
	return t.Renderer.AppendBody(make([]byte, 0, len(m.Event.Data)+256), m)
}

func newTestRequest(t *bellwire.Target, data string) *Request {
	return &Request{
		Target: t, Event: &bellwire.Event{Type: "ping", Data: []byte(data)}, Delivery: new(bellwire.Delivery),
		Trigger: bellwire.TriggerSchedule, Content: rendered{},
	}
}

// parsed is a URL as a target has it.
func parsed(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

// attempt sends one job to a URL.
func attempt(t *testing.T, dial dialFunc, config *tls.Config, url string, change ...func(*bellwire.Target)) Result {
	t.Helper()
	transport := newTransport(dial, 4, 64, config)
	t.Cleanup(transport.CloseIdleConnections)
	return attemptOver(transport, url, change...)
}

// attemptOver sends one job to a URL over a transport that others use too.
func attemptOver(transport *transport, url string, change ...func(*bellwire.Target)) Result {
	target := &bellwire.Target{
		Endpoint: &bellwire.Endpoint{ID: "ep_1", URL: url, Retry: bellwire.StandardRetryPolicy()},
		URL:      parsed(url),
		Renderer: plain{},
		Timeout:  time.Second,
	}
	for _, f := range change {
		f(target)
	}
	return newSender(transport, "Bellwire-Test").Do(context.Background(), newTestRequest(target, `{"n":1}`))
}

// raw serves one connection after another with whatever serve writes when the request has been read.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return accepting(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			serve(c)
		}
	})
}

// accepting serves one connection after another from its first byte.
func accepting(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return "http://" + l.Addr().String()
}

func TestOutcomesAreDistinguished(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	quiet(secure)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	quiet(old)
	old.StartTLS()
	t.Cleanup(old.Close)
	open := guardedDialer(loopback)
	hang := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

	cases := map[string]struct {
		url  string
		dial dialFunc
		want bellwire.Outcome
		text string // part of the error
	}{
		"acknowledged": {raw(t, write("HTTP/1.1 204 No Content\r\n\r\n")), open, bellwire.OutcomeOK, ""},
		"status":       {raw(t, write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), open, bellwire.OutcomeStatus, "404 Not Found"},
		"redirect":     {raw(t, write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")), open, bellwire.OutcomeStatus, "302 Found; redirects are not followed"},
		"no such host": {"http://does-not-exist.invalid/", func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "does-not-exist.invalid"}}
		}, bellwire.OutcomeDNS, "does-not-exist.invalid"},
		"refused":             {"http://127.0.0.1:1/", open, bellwire.OutcomeConnect, "refused"},
		"untrusted":           {secure.URL, open, bellwire.OutcomeTLS, "certificate"},
		"old TLS":             {old.URL, open, bellwire.OutcomeTLS, ""},
		"no TLS":              {strings.Replace(raw(t, write("x")), "http:", "https:", 1), open, bellwire.OutcomeTLS, ""},
		"hangs":               {raw(t, hang), open, bellwire.OutcomeTimeout, "waiting for the response"},
		"closes":              {raw(t, func(net.Conn) {}), open, bellwire.OutcomeReset, "waiting for the response"},
		"resets":              {raw(t, reset), open, bellwire.OutcomeReset, ""},
		"loopback":            {"http://127.0.0.1:80/", guardedDialer(nil), bellwire.OutcomeBlocked, "may not reach it"},
		"loopback, IPv6":      {"http://[::1]:80/", guardedDialer(nil), bellwire.OutcomeBlocked, ""},
		"mapped loopback":     {"http://[::ffff:127.0.0.1]:80/", guardedDialer(nil), bellwire.OutcomeBlocked, ""},
		"private":             {"http://10.0.0.1/", guardedDialer(loopback), bellwire.OutcomeBlocked, ""},
		"link-local metadata": {"http://169.254.169.254/latest/meta-data", guardedDialer(loopback), bellwire.OutcomeBlocked, ""},
		"multicast":           {"http://224.0.0.1/", guardedDialer(nil), bellwire.OutcomeBlocked, ""},
		"a name for loopback": {"http://localhost/", guardedDialer(nil), bellwire.OutcomeBlocked, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*bellwire.Target)
			if c.want != bellwire.OutcomeTimeout {
				change = append(change, longTimeout)
			}
			r := attempt(t, c.dial, nil, c.url, change...)
			a := r.Attempt
			if a.Outcome != c.want || !strings.Contains(a.Error, c.text) {
				t.Errorf("outcome %q (%s), want %q (%s)", a.Outcome, a.Error, c.want, c.text)
			}
			if (a.Error == "") != (c.want == bellwire.OutcomeOK) {
				t.Errorf("error: %q", a.Error)
			}
			if acknowledged := r.Verdict == bellwire.Acknowledged; acknowledged != (c.want == bellwire.OutcomeOK) {
				t.Error("acknowledged:", acknowledged)
			}
			if a.Timings.Total <= 0 {
				t.Error("it took", a.Timings.Total)
			}
		})
	}
}

// quiet keeps a server's log of failed handshakes, which are meant, out of the test's output.
func quiet(s *httptest.Server) { s.Config.ErrorLog = log.New(io.Discard, "", 0) }

func write(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

func reset(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }

// overPipe returns a dialer whose connections are served by a function. The test ends after they are closed.
func overPipe(t *testing.T, serve func(net.Conn)) dialFunc {
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		all.Go(func() {
			defer theirs.Close()
			serve(theirs)
		})
		return ours, nil
	}
}

// drip sends a start, and then more at intervals until the other side closes the connection. It runs in a bubble of synctest.
func drip(start, more string) func(net.Conn) {
	return func(c net.Conn) {
		const interval = 20 * time.Millisecond
		time.Sleep(interval)
		_, err := io.WriteString(c, start)
		for err == nil {
			time.Sleep(interval)
			_, err = io.WriteString(c, more)
		}
	}
}

func endless(start, more string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, start)
		for err == nil {
			_, err = io.WriteString(c, more)
		}
	}
}

func TestResponseIsBounded(t *testing.T) {
	t.Parallel()
	url := raw(t, endless("HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("y", 5000)+"\r\nA-Short: z\r\n\r\n", strings.Repeat("body ", 1000)))
	r := attempt(t, guardedDialer(loopback), nil, url)
	got := r.Attempt.Response
	if len(got.Body) != bellwire.MaxStoredBody || !got.Truncated || r.Verdict != bellwire.Acknowledged {
		t.Errorf("body of %d bytes, truncated %v, verdict %v", len(got.Body), got.Truncated, r.Verdict)
	}
	if len(got.Headers) != 1 || got.Headers[0] != (bellwire.Header{Name: "a-short", Value: "z"}) {
		t.Errorf("headers: %v", got.Headers)
	}
}

func TestCredentialsAreSentAndRedacted(t *testing.T) {
	t.Parallel()
	var sent http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent = r.Header.Clone() }))
	t.Cleanup(s.Close)
	r := attempt(t, guardedDialer(loopback), nil, s.URL, func(target *bellwire.Target) {
		target.Headers = []bellwire.Header{{Name: "authorization", Value: "Bearer hush"}, {Name: "X-Api-Key", Value: "hush too"}}
	})
	if sent.Get("Authorization") != "Bearer hush" || sent.Get("X-Api-Key") != "hush too" || sent.Get("User-Agent") != "Bellwire-Test" {
		t.Error("sent:", sent)
	}
	if _, ok := sent["Idempotency-Key"]; ok {
		t.Error("an Idempotency-Key was sent")
	}
	logged := fmt.Sprint(r.Attempt.Request.Headers)
	if strings.Contains(logged, "hush") || !strings.Contains(logged, "{authorization "+bellwire.Redacted+"}") || !strings.Contains(logged, "application/json") {
		t.Error("logged:", logged)
	}
	if r.Attempt.Request.BodyBytes != 7 {
		t.Error("body:", r.Attempt.Request.BodyBytes)
	}
}

// If a receiver echoes the request, the credentials are not shown to readers of its attempts.
func TestEchoedCredentialsAreRedacted(t *testing.T) {
	t.Parallel()
	fill := strings.Repeat("-", bellwire.MaxStoredBody-20)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		w.Header().Set("X-Echo", "got "+r.Header.Get("X-Api-Key"))
		_, _ = io.WriteString(w, token+r.Header.Get("Authorization")+r.Header.Get("X-Flag")+fill+r.Header.Get("X-Api-Key"))
	}))
	t.Cleanup(s.Close)
	r := attempt(t, guardedDialer(loopback), nil, s.URL, func(target *bellwire.Target) {
		target.Headers = []bellwire.Header{
			{Name: "authorization", Value: "Bearer hush-hush"}, {Name: "X-Api-Key", Value: "hush hush too"}, {Name: "X-Flag", Value: "1"},
		}
	})
	got := r.Attempt.Response
	body := string(got.Body)
	if strings.Contains(body, "hush") || !strings.HasPrefix(body, bellwire.Redacted+bellwire.Redacted+"1--") || len(body) != bellwire.MaxStoredBody || !got.Truncated {
		t.Errorf("%d bytes, truncated %v: %.60s…%s", len(body), got.Truncated, body, body[max(0, len(body)-20):])
	}
	if !slices.Contains(got.Headers, bellwire.Header{Name: "x-echo", Value: "got " + bellwire.Redacted}) {
		t.Errorf("headers: %v", got.Headers)
	}
}

// No part of a credential is shown where one contains another, or where many long ones are repeated.
func TestNoPartOfACredentialIsShown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []bellwire.Header
		times   int
	}{
		"one within another": {[]bellwire.Header{{Name: "X-Id", Value: "client-123"}, {Name: "X-Key", Value: "client-123.SECRET"}}, 2},
		"long ones":          {[]bellwire.Header{{Name: "authorization", Value: "Bearer " + strings.Repeat("SECRET", 350)}}, 4},
		"more than is read":  {[]bellwire.Header{{Name: "authorization", Value: "Bearer " + strings.Repeat("SECRET", 350)}}, readBody/2100 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				_, _ = io.WriteString(w, strings.Repeat(token+r.Header.Get("X-Key"), c.times))
			}))
			t.Cleanup(s.Close)
			r := attempt(t, guardedDialer(loopback), nil, s.URL, func(target *bellwire.Target) { target.Headers = c.headers })
			if body := string(r.Attempt.Response.Body); !strings.HasPrefix(body, bellwire.Redacted) || strings.Contains(body, "SECRET") {
				t.Errorf("%d bytes: %.80s…%s", len(body), body, body[max(0, len(body)-40):])
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	protocol := make(chan string, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol <- r.Proto }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	r := attempt(t, guardedDialer(loopback), &tls.Config{RootCAs: roots}, s.URL)
	if r.Verdict != bellwire.Acknowledged || <-protocol != "HTTP/2.0" {
		t.Error(r.Attempt.Outcome, r.Attempt.Error)
	}
	if r.Attempt.Timings.TLS <= 0 || r.Attempt.Timings.Connect <= 0 || r.Attempt.Timings.FirstByte <= 0 {
		t.Errorf("timings: %+v", r.Attempt.Timings)
	}
}

// A name that resolves to a private address first and to an allowed one next reaches only the allowed one; one
// that changes its mind between two attempts is asked each time.
func TestGuardSeesTheAddressDialled(t *testing.T) {
	t.Parallel()
	g := loopback
	for address, allowed := range map[string]bool{
		"127.0.0.1:80": true, "93.184.216.34:443": true, "[2606:4700::1111]:443": true, "[::1]:8080": true,
		"10.1.2.3:443": false, "192.168.0.1:80": false, "172.16.0.1:80": false, "100.64.0.1:80": false,
		"0.0.0.0:80": false, "255.255.255.255:80": false, "[fe80::1]:80": false, "[fd00::1]:80": false,
		"[::ffff:10.0.0.1]:80": false, "[64:ff9b::7f00:1]:80": false, "[2002:7f00:1::]:80": false,
	} {
		t.Run(address, func(t *testing.T) {
			network := "tcp4"
			if strings.HasPrefix(address, "[") {
				network = "tcp6"
			}
			if err := g.Control(network, address, nil); (err == nil) != allowed || err != nil && !errors.Is(err, destination.ErrBlocked) {
				t.Errorf("%s: %v", address, err)
			}
		})
	}
}

// A connection that the receiver closed while it was idle does not make a failed attempt.
func TestIdleConnectionsMayClose(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	transport := newTransport(guardedDialer(loopback), 4, 64, nil)
	t.Cleanup(transport.CloseIdleConnections)
	target := &bellwire.Target{Endpoint: &bellwire.Endpoint{URL: s.URL}, URL: parsed(s.URL), Renderer: plain{}, Timeout: 5 * time.Second}
	sender := newSender(transport, "x")
	for range 20 {
		r := sender.Do(context.Background(), newTestRequest(target, "1"))
		if r.Verdict != bellwire.Acknowledged {
			t.Fatal(r.Attempt.Error)
		}
		s.CloseClientConnections()
	}
}

// A handshake that never ends gives its connection back, though it goes on after its attempt.
func TestHandshakesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int32
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			open.Add(1)
			go func() {
				_, _ = io.Copy(io.Discard, theirs)
				open.Add(-1)
			}()
			return ours, nil
		}
		for range 5 {
			if r := attempt(t, dial, nil, "https://a.test/"); r.Attempt.Outcome != bellwire.OutcomeTimeout || !strings.Contains(r.Attempt.Error, "handshake") {
				t.Error(r.Attempt.Outcome, r.Attempt.Error)
			}
		}
		time.Sleep(connectTimeout)
		synctest.Wait()
		if n := open.Load(); n > 0 {
			t.Errorf("%d connections are still open", n)
		}
	})
}

func TestUnsendable(t *testing.T) {
	t.Parallel()
	r := attempt(t, guardedDialer(loopback), nil, "http://127.0.0.1:1/", func(target *bellwire.Target) {
		target.Renderer = refusing{err: bellwire.Invalid("data", "must be an object")}
	})
	if r.Attempt != nil || r.Verdict != bellwire.Impossible || r.Reason != "data must be an object" || !r.Unsendable {
		t.Errorf("%+v", r)
	}
	// Anything else is the node's fault.
	broken := bellwire.Wrap(bellwire.CodeUnavailable, errors.New("open /var/lib: denied"), "the endpoint cannot be used")
	for _, err := range []error{broken, broken.Err} {
		r := attempt(t, guardedDialer(loopback), nil, "http://127.0.0.1:1/", func(target *bellwire.Target) { target.Renderer = refusing{err: err} })
		if r.Fault != FaultConfiguration || r.Reason != "" || r.Unsendable {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

type refusing struct {
	plain
	err error
}

func (r refusing) AppendBody([]byte, *bellwire.Message) ([]byte, error) { return nil, r.err }

func TestHeadersAreInOrder(t *testing.T) {
	t.Parallel()
	list, cut := receivedHeaders(http.Header{"B": {"2"}, "A": {"1", "3"}, "C": nil}, nil)
	if cut || !slices.IsSortedFunc(list, byName) || list[0].Value != "1, 3" {
		t.Error(list, cut)
	}
}

// Whatever headers an endpoint is given or answers with, an attempt is kept in 16 KiB, and what tells deliveries apart is in it.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	sent := http.Header{"Webhook-Id": {"evt_1"}, "Zz-Signature": {"v1,abc"}}
	var own []bellwire.Header
	for n := range 50 {
		h := bellwire.Header{Name: "Aa-" + strings.Repeat("x", 240) + strconv.Itoa(n), Value: "secret"}
		own = append(own, h)
		sent.Set(h.Name, h.Value)
	}
	list, cut := loggedHeaders(sent, own)
	if !cut || !slices.IsSortedFunc(list, byName) {
		t.Errorf("cut %v: %v", cut, list)
	}
	for _, name := range []string{"webhook-id", "zz-signature"} {
		if !slices.ContainsFunc(list, func(h bellwire.Header) bool { return h.Name == name }) {
			t.Errorf("%s is not among %v", name, list)
		}
	}
	a := &bellwire.Attempt{
		Request:  bellwire.AttemptRequest{URL: "https://example.com/" + strings.Repeat("x", bellwire.MaxURLLength-20), Headers: list, HeadersTruncated: true},
		Response: &bellwire.AttemptResponse{Status: 500, Body: make([]byte, bellwire.MaxStoredBody), Truncated: true},
	}
	for name, value := range map[string]string{"control characters": "\x01", "quotes": `"`, "no UTF-8": "\xff", "HTML": "<", "short": ""} {
		t.Run(name, func(t *testing.T) {
			received := http.Header{}
			for n := range 1000 {
				received["X"+strconv.Itoa(n)] = []string{strings.Repeat(value, n)}
			}
			a.Response.Headers, a.Response.HeadersTruncated = receivedHeaders(received, nil)
			details := codec.EncodeAttempts([]*bellwire.Result{{Attempt: a}})
			if !a.Response.HeadersTruncated {
				t.Fatal("the response's headers are not cut off")
			}
			if size := len(details[0]) + len(a.Response.Body); size > 16<<10 {
				t.Errorf("%s: an attempt takes %d bytes", name, size)
			}
		})
	}
	short, cut := loggedHeaders(http.Header{"B": {"2"}, "A": {"secret"}}, []bellwire.Header{{Name: "a", Value: "secret"}})
	if want := []bellwire.Header{{Name: "a", Value: bellwire.Redacted}, {Name: "b", Value: "2"}}; cut || !slices.Equal(short, want) {
		t.Errorf("cut %v: %v", cut, short)
	}
}
