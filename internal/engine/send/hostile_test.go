package send

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// certificate makes a certificate for a name, valid until a time, that is its own authority.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, pool
}

func TestCertificateErrorsAreDistinguished(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-time.Hour)
	cases := map[string]struct {
		name    string
		until   time.Time
		trusted bool
		want    bellwire.Outcome
		text    string
	}{
		"good":         {"127.0.0.1", tomorrow, true, bellwire.OutcomeOK, ""},
		"expired":      {"127.0.0.1", yesterday, true, bellwire.OutcomeTLS, "expired"},
		"another host": {"other.test", tomorrow, true, bellwire.OutcomeTLS, "127.0.0.1"},
		"self-signed":  {"127.0.0.1", tomorrow, false, bellwire.OutcomeTLS, "unknown authority"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, pool := certificate(t, c.name, c.until)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			quiet(s)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			s.StartTLS()
			t.Cleanup(s.Close)
			if !c.trusted {
				pool = x509.NewCertPool()
			}
			a := attempt(t, guardedDialer(loopback), &tls.Config{RootCAs: pool}, s.URL).Attempt
			if a.Outcome != c.want || !strings.Contains(a.Error, c.text) {
				t.Errorf("outcome %q (%s), want %q (%s)", a.Outcome, a.Error, c.want, c.text)
			}
		})
	}
}

// hostile is a hostile receiver, with the expected result of an attempt at it.
type hostile struct {
	serve  func(net.Conn) // nil: no connection is ever accepted, so nothing is read
	unread bool           // it is given the connection before the request has been read
	body   int            // bytes of the event's data; 0: a few
	want   bellwire.Outcome
	or     bellwire.Outcome // instead, where it depends on who is faster
	text   string           // a part of what is told
	note   string           // a part of what is noted on the answer
}

// ends reports whether an attempt ends before its deadline.
func (h hostile) ends() bool {
	return h.want != bellwire.OutcomeTimeout && h.or != bellwire.OutcomeTimeout && h.note != notInTime
}

// notInTime is a part of the note on an answer whose body did not end before the deadline.
const notInTime = "did not end in time"

// check expects that an attempt ended in time, with the outcome that is wanted.
func (h hostile) check(t *testing.T, r Result) {
	t.Helper()
	a := r.Attempt
	if a.Outcome != h.want && (h.or == "" || a.Outcome != h.or) || !strings.Contains(a.Error, h.text) || (a.Error == "") != (h.want == bellwire.OutcomeOK) {
		t.Errorf("outcome %q (%s), want %q (%s)", a.Outcome, a.Error, h.want, h.text)
	}
	if most := h.timeout() + 2*time.Second; a.Timings.Total <= 0 || a.Timings.Total > most {
		t.Error("the attempt took", a.Timings.Total)
	}
	if note := noteOf(a); !strings.Contains(note, h.note) || (note == "") != (h.note == "") {
		t.Errorf("the answer's note is %q, want %q", note, h.note)
	}
	if a.Response != nil && len(a.Response.Body) > bellwire.MaxStoredBody {
		t.Errorf("%d bytes of its body were kept", len(a.Response.Body))
	}
}

func noteOf(a *bellwire.Attempt) string {
	if a.Response == nil {
		return ""
	}
	return a.Response.Note
}

const (
	ok        = "HTTP/1.1 200 OK\r\n"
	mebibytes = 8 << 20 // more than the buffers between two processes hold
)

// hostileReceivers speak HTTP/1.1, more or less.
var hostileReceivers = map[string]hostile{
	"hangs":               {serve: discard, want: bellwire.OutcomeTimeout, text: "waiting for the response"},
	"endless headers":     {serve: endless(ok, "X-Filler: "+strings.Repeat("x", 1000)+"\r\n"), want: bellwire.OutcomeProtocol, text: "more than 64 KiB"},
	"one endless header":  {serve: endless(ok+"X: ", strings.Repeat("x", 64<<10)), want: bellwire.OutcomeProtocol, text: "more than 64 KiB"},
	"endless status line": {serve: endless("HTTP/1.1 200 ", strings.Repeat("x", 64<<10)), want: bellwire.OutcomeProtocol, text: "more than 64 KiB"},
	"endless 1xx":         {serve: endless("", earlyHints), want: bellwire.OutcomeProtocol},
	"1 GiB body":          {serve: endless(ok+"Content-Length: 1073741824\r\n\r\n", strings.Repeat("x", 64<<10)), want: bellwire.OutcomeOK},
	"endless chunks":      {serve: endless(ok+"Transfer-Encoding: chunked\r\n\r\n", "10000\r\n"+strings.Repeat("x", 64<<10)+"\r\n"), want: bellwire.OutcomeOK},
	"endless chunk sizes": {serve: endless(ok+"Transfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 64<<10)), want: bellwire.OutcomeOK, note: "not valid HTTP"},
	"endless trailers":    {serve: endless(ok+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: "+strings.Repeat("x", 4000)+"\r\n"), want: bellwire.OutcomeOK, note: "not valid HTTP"},
	"gzip bomb":           {serve: write(ok + "Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + bomb()), want: bellwire.OutcomeOK},
	"garbage":             {serve: write("hello, I am not HTTP\r\n\r\n"), want: bellwire.OutcomeProtocol, text: "not valid HTTP"},
	"binary garbage":      {serve: endless("", "\x00\xff\r\x00\n"), want: bellwire.OutcomeProtocol},
	"two lengths":         {serve: write(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), want: bellwire.OutcomeProtocol, text: "not valid HTTP"},
	"closes":              {serve: func(net.Conn) {}, want: bellwire.OutcomeReset, text: "waiting for the response"},
	"half-closes":         {serve: halfClose(""), want: bellwire.OutcomeReset, text: "waiting for the response"},
	"half-closes late":    {serve: halfClose(ok + "Content-Length: 10\r\n\r\nabc"), want: bellwire.OutcomeOK, note: "broke off"},
	"breaks off":          {serve: write(ok + "Content-Length: 10\r\n\r\nabc"), want: bellwire.OutcomeOK, note: "broke off"},
	"reads nothing":       {body: mebibytes, want: bellwire.OutcomeTimeout, text: "sending the request"},
	"resets at once":      {serve: reset, unread: true, want: bellwire.OutcomeReset},
	"resets the request":  {serve: resetAfter(64 << 10), unread: true, body: mebibytes, want: bellwire.OutcomeReset, text: "sending the request"},
	"resets instead":      {serve: reset, want: bellwire.OutcomeReset, text: "waiting for the response"},
	"switches protocols":  {serve: says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), want: bellwire.OutcomeProtocol, text: "switched"},
}

const earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"

// bomb is a gibibyte, compressed: a compressed mebibyte again and again, which the format allows.
var bomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // neither level nor buffer can fail
	_, _ = w.Write(make([]byte, 1<<20))
	_ = w.Close()
	return strings.Repeat(b.String(), 1<<10)
})

func halfClose(text string) func(net.Conn) {
	return func(c net.Conn) {
		write(text)(c)
		_ = c.(*net.TCPConn).CloseWrite()
		discard(c)
	}
}

func resetAfter(bytes int64) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.CopyN(io.Discard, c, bytes)
		reset(c)
	}
}

// bulky renders a body of so many bytes.
type bulky struct {
	plain
	bytes int
}

func (b bulky) AppendBody([]byte, *bellwire.Message) ([]byte, error) {
	return make([]byte, b.bytes), nil
}

// timeout returns the timeout of an attempt at the receiver. What ends before it may take its time on a busy machine.
func (h hostile) timeout() time.Duration {
	if h.ends() {
		return 10 * time.Second
	}
	return time.Second
}

// change gives the attempt its timeout and the body that it sends.
func (h hostile) change(target *bellwire.Target) {
	target.Timeout = h.timeout()
	if h.body > 0 {
		target.Renderer = bulky{bytes: h.body}
	}
}

// unserved listens and accepts no connection: the system completes the handshake, and nothing is ever read.
func unserved(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

// listen starts the receiver.
func (h hostile) listen(t *testing.T) string {
	t.Helper()
	switch {
	case h.serve == nil:
		return unserved(t)
	case h.unread:
		return accepting(t, h.serve)
	default:
		return raw(t, h.serve)
	}
}

func TestHostileReceivers(t *testing.T) {
	t.Parallel()
	for name, receiver := range hostileReceivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver.check(t, attempt(t, guardedDialer(loopback), nil, receiver.listen(t), receiver.change))
		})
	}
}

// drippingReceivers send a little at a time, for ever.
var drippingReceivers = map[string]hostile{
	"headers": {serve: drip(ok+"X: ", "x"), want: bellwire.OutcomeTimeout, text: "reading the response"},
	"body":    {serve: drip(ok+"Content-Length: 100000\r\n\r\n", "x"), want: bellwire.OutcomeOK, note: notInTime},
	"chunks":  {serve: drip(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "x"), want: bellwire.OutcomeOK, note: notInTime},
	"1xx":     {serve: drip("", earlyHints), want: bellwire.OutcomeTimeout, text: "reading the response"},
}

func TestDrippingReceivers(t *testing.T) {
	t.Parallel()
	for name, receiver := range drippingReceivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial := overPipe(t, func(c net.Conn) {
					if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
						receiver.serve(c)
					}
				})
				receiver.check(t, attempt(t, dial, nil, "http://a.test/", receiver.change))
			})
		})
	}
}

// A response that is reset in its body is an answer all the same.
func TestResetOfTheResponse(t *testing.T) {
	t.Parallel()
	const part = ok + "Content-Length: 10\r\n\r\nabc"
	read := make(chan struct{})
	url := raw(t, func(c net.Conn) {
		write(part)(c)
		<-read // a reset overtakes what has not been read
		reset(c)
	})
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := guardedDialer(loopback)(ctx, network, address)
		return &countingConn{Conn: c, left: len(part), read: read}, err
	}
	receiver := hostile{want: bellwire.OutcomeOK, note: "broke off"}
	receiver.check(t, attempt(t, dial, nil, url, receiver.change))
}

// countingConn is a connection that reports when so many bytes have been read.
type countingConn struct {
	net.Conn
	left int
	read chan struct{}
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.left -= n; n > 0 && c.left == 0 {
		close(c.read)
	}
	return n, err
}

// A redirect is an answer like any other: it is never followed, least of all to a private address.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(inside.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler(inside.URL, status))
		t.Cleanup(s.Close)
		a := attempt(t, guardedDialer(loopback), nil, s.URL).Attempt
		if a.Outcome != bellwire.OutcomeStatus || !strings.Contains(a.Error, strconv.Itoa(status)) {
			t.Errorf("outcome %q (%s)", a.Outcome, a.Error)
		}
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// All hostile receivers at the same time, several times over, cost little memory, also while they last, and a healthy endpoint
// is served meanwhile.
func TestMemoryStaysFlat(t *testing.T) {
	const rounds, remains = 3, 16 << 20
	bomb() // is made before anything is measured
	healthy := raw(t, write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
	targets := map[string]func(*bellwire.Target){}
	for _, h := range hostileReceivers {
		targets[h.listen(t)] = h.change
	}
	for _, h := range hostilePeers {
		url, _ := h2(t, h)
		targets[url] = h.change
	}
	transport := newTransport(guardedDialer(loopback), rounds, 64, &tls.Config{InsecureSkipVerify: true})
	before := liveHeap()
	var all sync.WaitGroup
	for url, change := range targets {
		for range rounds {
			all.Go(func() {
				attemptOver(transport, url, change, func(target *bellwire.Target) { target.Timeout = time.Second })
			})
		}
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	most, served := before, 0
	for done := false; !done; served++ {
		if r := attemptOver(transport, healthy, longTimeout); r.Verdict != bellwire.Acknowledged {
			t.Error("the healthy endpoint:", r.Attempt.Error)
		}
		most = max(most, markedHeap())
		select {
		case <-ended:
			done = true
		default:
		}
	}
	transport.CloseIdleConnections()
	after := liveHeap()
	for deadline := time.Now().Add(time.Minute); after-before > remains && time.Now().Before(deadline); {
		after = liveHeap() // connections are closed in the background
	}
	t.Logf("live heap: %d KiB before, %d KiB at most, %d KiB after; %d healthy attempts meanwhile", before>>10, most>>10, after>>10, served)
	bodies := int64(2 * rounds * mebibytes) // that are on their way to those who do not read
	if grown := most - before; grown > bodies+48<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if grown := after - before; grown > remains {
		t.Errorf("%d MiB of heap remain", grown>>20)
	}
}

// longTimeout gives an attempt enough time on a busy machine.
func longTimeout(target *bellwire.Target) { target.Timeout = 10 * time.Second }

// markedHeap returns how many bytes the last garbage collection found in use. It costs nothing.
func markedHeap() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// liveHeap returns how many bytes of the heap are in use.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
