package send

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// internals is what no sentence for a tenant may hold: addresses, what libraries say, and what receivers sent.
var internals = []string{"udp", "tcp", "->", ":53", "10.20.30.40", "127.0.0.53", "read:", "net/http", "http2:", "x509", "tls:", "lookup", "canary"}

func checkCause(t *testing.T, a *bellwire.Attempt, want bellwire.Outcome, text string) {
	t.Helper()
	if a.Outcome != want || !strings.Contains(a.Error, text) {
		t.Errorf("outcome %q (%s), want %q (%s)", a.Outcome, a.Error, want, text)
	}
	for _, secret := range internals {
		if strings.Contains(a.Error, secret) {
			t.Errorf("%q is in %q", secret, a.Error)
		}
	}
}

// unresolved is a dial that fails as name resolution does.
func unresolved(err net.DNSError) dialFunc {
	err.Name, err.Server = "a.test", "127.0.0.53:53"
	return func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &err}
	}
}

func TestNameResolutionErrorsAreClassified(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	over := func(address string) dialFunc {
		dialer := newDialer(loopback)
		ended, end := context.WithCancel(context.Background())
		t.Cleanup(end) // a name is looked up for longer than its attempt lasts
		dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, _ string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ended, "udp", address)
			if err == nil {
				context.AfterFunc(ended, func() { c.Close() })
			}
			return c, err
		}}
		return dialer.DialContext
	}
	const leak = "read udp 10.20.30.40:49006->127.0.0.53:53: "
	for name, c := range map[string]struct {
		dial dialFunc
		text string
	}{
		"no such host":     {unresolved(net.DNSError{Err: "no such host", IsNotFound: true}), `"a.test" could not be resolved: no such host`},
		"time-out":         {unresolved(net.DNSError{Err: leak + "i/o timeout", IsTimeout: true, IsTemporary: true}), "did not answer in time"},
		"failure":          {unresolved(net.DNSError{Err: "server misbehaving", IsTemporary: true}), "the name server failed"},
		"refused":          {unresolved(net.DNSError{Err: leak + "read: connection refused"}), "the name server failed"},
		"silent resolver":  {over(silent.LocalAddr().String()), "did not answer in time"},
		"no resolver":      {over("127.0.0.1:1"), "the name server failed"},
		"dropped resolver": {over("127.0.0.1:0"), "the name server failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCause(t, attempt(t, c.dial, nil, "http://a.test/").Attempt, bellwire.OutcomeDNS, c.text)
		})
	}
}

// If a host has several addresses, the error is that of the address that was dialled, in whatever order they are resolved.
func TestABlockedAddressDoesNotHideAnother(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	closed.Close()
	for name, c := range map[string]struct {
		addresses []string
		want      bellwire.Outcome
		text      string
	}{
		"blocked first": {[]string{"10.20.30.40", "127.0.0.1"}, bellwire.OutcomeConnect, "connection refused"},
		"blocked last":  {[]string{"127.0.0.1", "10.20.30.40"}, bellwire.OutcomeConnect, "connection refused"},
		"all blocked":   {[]string{"10.20.30.40", "127.0.0.2"}, bellwire.OutcomeBlocked, "may not reach it"},
		"none blocked":  {[]string{"127.0.0.1"}, bellwire.OutcomeConnect, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dialer := newDialer(destination.New(destination.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
			dialer.Resolver = dnsServer(t, func() []string { return c.addresses })
			checkCause(t, attempt(t, dialer.DialContext, nil, "http://two.test:"+port+"/").Attempt, c.want, c.text)
		})
	}
}

// secured starts a server with TLS of its own, and returns a configuration that trusts it.
func secured(t *testing.T, config *tls.Config, http2 bool) (url string, trusting *tls.Config) {
	t.Helper()
	cert, pool := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	quiet(s)
	config.Certificates = []tls.Certificate{cert}
	s.TLS, s.EnableHTTP2 = config, http2
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, &tls.Config{RootCAs: pool}
}

func TestTLSFailuresAreDistinguished(t *testing.T) {
	t.Parallel()
	refuses := func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("canary") }
	for name, c := range map[string]struct {
		config *tls.Config
		text   string
	}{
		"client certificate, TLS 1.2":            {&tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, "asks for a client certificate"},
		"client certificate, TLS 1.3":            {&tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}, "asks for a client certificate"},
		"verified client certificate, TLS 1.2":   {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12}, "asks for a client certificate"},
		"verified client certificate, TLS 1.3":   {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}, "asks for a client certificate"},
		"old versions only":                      {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "TLS 1.2 or 1.3"},
		"another cipher suite":                   {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, "versions and cipher suites"},
		"a server that gives up the handshake":   {&tls.Config{GetConfigForClient: refuses}, "internal error of the endpoint"},
		"TLS 1.2, giving up with no certificate": {&tls.Config{MaxVersion: tls.VersionTLS12, GetConfigForClient: refuses}, "internal error of the endpoint"},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", HTTP/2"}[http2], func(t *testing.T) {
				t.Parallel()
				url, trusting := secured(t, c.config.Clone(), http2)
				checkCause(t, attempt(t, guardedDialer(loopback), trusting, url, longTimeout).Attempt, bellwire.OutcomeTLS, c.text)
			})
		}
	}
	// An endpoint that asks for a certificate and does not require it is no cause of a failure.
	url, trusting := secured(t, &tls.Config{ClientAuth: tls.RequestClientCert}, true)
	if r := attempt(t, guardedDialer(loopback), trusting, url); r.Verdict != bellwire.Acknowledged {
		t.Error(r.Attempt.Error)
	}
}

func TestMissingTLSIsDistinguished(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]struct {
		serve func(net.Conn)
		text  string
	}{
		"HTTP":          {write("HTTP/1.1 400 Bad Request\r\nServer: canary\r\n\r\n"), "answered in HTTP without TLS"},
		"a proxy":       {write("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n"), "answered in HTTP without TLS"},
		"something":     {write("SSH-2.0-canary\r\n"), "is not TLS"},
		"closes":        {func(net.Conn) {}, "broke off"},
		"resets":        {reset, "broke off"},
		"unknown alert": {write("\x15\x03\x03\x00\x02\x02\xc8"), `the alert "alert(200)"`},
		"unknown name":  {write("\x15\x03\x03\x00\x02\x02\x70"), "does not serve this host name"},
		"wrong version": {write("\x15\x03\x03\x00\x02\x02\x46"), "does not know TLS 1.2 or 1.3"},
		"no agreement":  {write("\x15\x03\x03\x00\x02\x02\x28"), "handshake failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := accepting(t, func(c net.Conn) {
				_, _ = c.Read(make([]byte, 4096)) // the hello
				peer.serve(c)
			})
			a := attempt(t, guardedDialer(loopback), nil, strings.Replace(url, "http:", "https:", 1), longTimeout).Attempt
			checkCause(t, a, bellwire.OutcomeTLS, peer.text)
		})
	}
}

// What a receiver sends in place of an answer is not repeated: it may have been sent a credential.
func TestBadAnswersAreNotRepeated(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no HTTP":     "canary\r\n\r\n",
		"status line": "HTTP/1.1 canary OK\r\n\r\n",
		"version":     "HTTP/canary 200 OK\r\n\r\n",
		"header":      "HTTP/1.1 200 OK\r\ncanary canary\r\n\r\n",
		"length":      "HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n",
		"encoding":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: canary\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCause(t, attempt(t, guardedDialer(loopback), nil, raw(t, write(answer)), longTimeout).Attempt, bellwire.OutcomeProtocol, "not valid HTTP")
		})
	}
	for name, c := range map[string]struct {
		frames func(uint32) string
		want   bellwire.Outcome
		text   string
	}{
		"GOAWAY":       {func(stream uint32) string { return frame(frameGoAway, 0, 0, word(stream)+word(11)+"canary") }, bellwire.OutcomeReset, "ENHANCE_YOUR_CALM"},
		"garbage":      {func(uint32) string { return "canary, and more of it\r\n\r\n" }, bellwire.OutcomeProtocol, "HTTP/2"},
		"unknown code": {resetWith(99), bellwire.OutcomeReset, "the code 99"},
	} {
		t.Run("HTTP/2/"+name, func(t *testing.T) {
			t.Parallel()
			url, config, _ := newHTTP2BreakingServer(t, sendAndHangUp(c.frames))
			checkCause(t, attempt(t, guardedDialer(loopback), config, url, longTimeout).Attempt, c.want, c.text)
		})
	}
}

// A connection that cannot be made tells no address, whatever the system says.
func TestDialsThatFailTellNoAddress(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"refused": &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 20, 30, 40), Port: 53}, Err: io.ErrNoProgress},
		"address": &net.AddrError{Err: "canary", Addr: "10.20.30.40"},
		"unknown": errors.New("dial tcp 10.20.30.40: canary"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, err }
			checkCause(t, attempt(t, dial, nil, "http://a.test/").Attempt, bellwire.OutcomeConnect, "no connection could be made")
		})
	}
}

// leaking is a renderer whose error has a cause that is for the log.
type leaking struct{ plain }

func (leaking) AppendBody([]byte, *bellwire.Message) ([]byte, error) {
	return nil, bellwire.Wrap(bellwire.CodeInvalid, errors.New("/var/lib/canary: aead_factory"), "the endpoint cannot be served")
}

func TestReasonsTellNoCause(t *testing.T) {
	t.Parallel()
	r := attempt(t, guardedDialer(loopback), nil, "http://127.0.0.1:1/", func(target *bellwire.Target) { target.Renderer = leaking{} })
	if r.Reason != "the endpoint cannot be served" {
		t.Errorf("the reason is %q", r.Reason)
	}
}

// The status decides, whatever becomes of the body; what became of it is noted, and is told by no library.
func TestTheStatusCountsWithoutTheBody(t *testing.T) {
	t.Parallel()
	bodies := map[string]struct{ rest, note string }{
		"whole":       {"Content-Length: 3\r\n\r\nabc", ""},
		"none":        {"Content-Length: 0\r\n\r\n", ""},
		"too short":   {"Content-Length: 10\r\n\r\nabc", "the body broke off: the endpoint closed it"},
		"cut chunks":  {"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "the body broke off: the endpoint closed it"},
		"bad chunk":   {"Transfer-Encoding: chunked\r\n\r\ncanary\r\n", "the body is not valid HTTP"},
		"bad trailer": {"Transfer-Encoding: chunked\r\n\r\n0\r\ncanary canary\r\n\r\n", "the body is not valid HTTP"},
	}
	for status, want := range map[int]bellwire.Verdict{200: bellwire.Acknowledged, 202: bellwire.Acknowledged, 302: bellwire.Failed, 500: bellwire.Failed} {
		for name, body := range bodies {
			t.Run(strconv.Itoa(status)+"/"+name, func(t *testing.T) {
				t.Parallel()
				url := raw(t, write("HTTP/1.1 "+strconv.Itoa(status)+" Said\r\n"+body.rest))
				r := attempt(t, guardedDialer(loopback), nil, url, longTimeout)
				if r.Verdict != want || noteOf(r.Attempt) != body.note || (r.Attempt.Error == "") != (want == bellwire.Acknowledged) {
					t.Errorf("verdict %v, error %q, note %q", r.Verdict, r.Attempt.Error, noteOf(r.Attempt))
				}
				if outcome := r.Attempt.Outcome; outcome != bellwire.OutcomeOK && outcome != bellwire.OutcomeStatus {
					t.Error("outcome", outcome)
				}
			})
		}
	}
}

// A body that never ends holds its place for a short while, not for the whole deadline, and its connection is closed.
func TestEndlessBodiesAreGivenUp(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"events, no length": "Content-Type: text/event-stream\r\n\r\n",
		"chunks":            "Transfer-Encoding: chunked\r\n\r\n",
		"a length":          "Content-Length: 100\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var closed atomic.Bool
				dial := func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go func() {
						if req, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
							readBodyOf(req)
						}
						write(ok + head)(theirs)
						discard(theirs)
						closed.Store(true)
					}()
					return ours, nil
				}
				r := attempt(t, dial, nil, "http://a.test/", func(target *bellwire.Target) { target.Timeout = 15 * time.Second })
				synctest.Wait()
				if r.Verdict != bellwire.Acknowledged || r.Attempt.Timings.Total != bodyTimeout || !strings.Contains(noteOf(r.Attempt), "did not end in time") {
					t.Errorf("verdict %v after %s, note %q", r.Verdict, r.Attempt.Timings.Total, noteOf(r.Attempt))
				}
				if !closed.Load() {
					t.Error("the connection was not closed")
				}
			})
		})
	}
}

func TestStatusCause(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		202: "the endpoint answered 202 Accepted, which does not acknowledge deliveries",
		307: "the endpoint answered 307 Temporary Redirect; redirects are not followed",
		500: "the endpoint answered 500 Internal Server Error",
		799: "the endpoint answered 799",
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			if got := statusCause(status); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
