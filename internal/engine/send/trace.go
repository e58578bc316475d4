package send

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// trace follows an attempt through its phases, for its timings and to find where it failed. The transport may call it from a
// dial that outlives the attempt.
type trace struct {
	started time.Time
	abort   context.CancelFunc // ends the attempt
	lease   *leaseCheck
	header  http.Header // of the request; used by the goroutine of the attempt only
	host    string      // without the port

	mu         sync.Mutex
	dns        phase
	connecting phase
	handshake  phase
	tries      int    // connections that the transport got for the request
	made       int    // connections opened for the request
	sent       bool   // whether the whole request was sent, on the last connection
	conn       *conn  // the last connection, or nil
	before     int64  // bytes written on conn before the request
	unread     int64  // bytes read from conn before the request
	dialErr    error  // of the first address that was dialled and not blocked
	remote     string // the last address that was dialled and not blocked, with its port
	wantsCert  bool   // whether the endpoint asked for a client certificate
	reused     bool
	shared     bool // whether other requests use conn too, as over HTTP/2
	stale      bool // whether conn was closed because it was stale
	second     bool // whether the request is sent a second time
	firstByte  time.Duration
}

// phase is one part of an attempt.
type phase struct {
	began time.Time
	took  time.Duration
	ended bool
}

func (p *phase) begin() {
	if p.began.IsZero() {
		p.began = time.Now()
	}
}

func (p *phase) end() {
	p.took, p.ended = time.Since(p.began), true
}

func (p *phase) underWay() bool { return !p.began.IsZero() && !p.ended }

func newTrace(started time.Time, abort context.CancelFunc) *trace {
	return &trace{started: started, abort: abort}
}

// traced is an attempt's context. A dial and a handshake find the trace in it.
type traced struct {
	context.Context
	trace *trace
}

type traceKey struct{}

func (c traced) Value(key any) any {
	if key == (traceKey{}) {
		return c.trace
	}
	return c.Context.Value(key)
}

// noCertificate answers an endpoint that asks for a client certificate, and records that it asked.
func noCertificate(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if t, ok := request.Context().Value(traceKey{}).(*trace); ok {
		t.note(func() { t.wantsCert = true })
	}
	return new(tls.Certificate), nil
}

// context returns the context of a request.
func (t *trace) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(traced{ctx, t}, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { t.note(t.handshake.begin) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				t.note(t.handshake.end)
			}
		},
		GotConn: t.got,
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				t.note(func() { t.sent = true })
			}
		},
		GotFirstResponseByte: func() { t.note(func() { t.firstByte = time.Since(t.started) }) },
	})
}

// dialContext returns the context of a dial for a request with the given context. Most requests use a kept connection, and following
// a dial takes a dozen allocations, so it is not followed by the context of the request.
func dialContext(ctx context.Context) context.Context {
	t, ok := ctx.Value(traceKey{}).(*trace)
	if !ok {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { t.note(t.dns.begin) },
		DNSDone:      func(httptrace.DNSDoneInfo) { t.note(t.dns.end) },
		ConnectStart: func(string, string) { t.note(t.connecting.begin) },
		ConnectDone:  func(_, address string, err error) { t.note(func() { t.dialled(address, err) }) },
	})
}

// closing is the value of the Connection header that ends a connection after the request.
var closing = []string{"close"}

// got checks the connection that the transport has chosen. It runs in the goroutine of the attempt, before the request is
// written.
func (t *trace) got(info httptrace.GotConnInfo) {
	c, shared := connOf(info.Conn)
	now := time.Now()
	stale := c != nil && info.Reused && c.stale(now, shared)
	switch {
	case stale:
		_ = c.Close() // so that the transport cannot write to it
	case c != nil && now.Sub(c.made) >= maxConnAge:
		c.retired.Store(true)
		t.header["Connection"] = closing
	}
	t.lease.guard(c, shared)
	t.note(func() {
		t.tries++
		t.sent, t.conn, t.reused, t.shared, t.stale = false, c, info.Reused, shared, stale
		if info.Reused {
			t.remote = info.Conn.RemoteAddr().String()
		}
		if c != nil {
			t.before, t.unread = c.written.Load(), c.read.Load()
		}
	})
}

// unsent reports whether the request may be sent once more after err, because none of it was written or because the receiver
// says that it did not process the request.
func (t *trace) unsent(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.lease.lost.Load():
		return false
	case t.stale:
		return true
	case t.shared && errors.Is(err, errUntaken):
		return true
	}
	return t.reused && t.conn != nil && t.conn.written.Load() == t.before
}

// startOver starts the second try.
func (t *trace) startOver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dns, t.connecting, t.handshake = phase{}, phase{}, phase{}
	t.tries, t.sent, t.reused, t.shared, t.stale, t.second = 0, false, false, false, false, true
	t.dialErr, t.wantsCert = nil, false
}

// answered records how long the connection of an answer can be kept.
func (t *trace) answered(resp *http.Response) {
	header := resp.Header["Keep-Alive"]
	if header == nil {
		return
	}
	t.mu.Lock()
	c, shared := t.conn, t.shared
	t.mu.Unlock()
	if c != nil && !shared {
		c.keptFor(header[0], time.Now())
	}
}

func (t *trace) note(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

// maxMade is how many connections an attempt may open. net/http opens another one whenever a peer says that it goes away or
// accepts no requests, without limit. Kept connections do not count.
const maxMade = 3

// dialled records how the dial of one of the host's addresses ended.
func (t *trace) dialled(address string, err error) {
	if !errors.Is(err, destination.ErrBlocked) {
		t.remote = address
	}
	if err != nil {
		if t.dialErr == nil && !errors.Is(err, destination.ErrBlocked) && !errors.Is(err, context.Canceled) {
			t.dialErr = err
		}
		return
	}
	t.connecting.end()
	if t.made++; t.made > maxMade {
		t.abort()
	}
}

func (t *trace) turnedAway() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made > maxMade
}

func (t *trace) timings(ended time.Time) bellwire.Timings {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := bellwire.Timings{FirstByte: t.firstByte, Total: ended.Sub(t.started)}
	if !t.reused {
		out.DNS, out.Connect, out.TLS = t.dns.took, t.connecting.took, t.handshake.took
	}
	return out
}

// phaseName returns what the attempt was doing, as a phrase that follows "while".
func (t *trace) phaseName() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.firstByte > 0:
		return "reading the response"
	case t.sent:
		return "waiting for the response"
	case t.tries > 0:
		return "sending the request"
	case t.handshake.underWay():
		return "in the TLS handshake"
	case t.connecting.underWay():
		return "connecting"
	case t.connecting.ended:
		return "sending the request"
	case t.dns.underWay():
		return "resolving the host name"
	}
	return "waiting for a connection"
}

func (t *trace) inHandshake() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tries == 0 && !t.handshake.began.IsZero()
}

func (t *trace) resolving() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tries == 0 && t.dns.underWay() && !t.connecting.underWay()
}

func (t *trace) isShared() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shared
}

// failedDial returns the error of an address that was dialled and not blocked, or nil.
func (t *trace) failedDial() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tries > 0 {
		return nil
	}
	return t.dialErr
}

// address returns the network that the request went to, or "" if it went to none.
func (t *trace) address() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, err := netip.ParseAddrPort(t.remote)
	if err != nil {
		return ""
	}
	return network(at.Addr())
}

// flooded reports whether more bytes were read than the headers of an answer may have.
func (t *trace) flooded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil && t.conn.read.Load()-t.unread >= maxResponseHeaders
}

// askedForCertificate reports whether the endpoint asked for a client certificate when the connection was made.
func (t *trace) askedForCertificate() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wantsCert
}

func (t *trace) isConnected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tries > 0
}

// earlier returns a phrase about the first try, or "" during it.
func (t *trace) earlier() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.second {
		return ""
	}
	return " on a second connection, after the endpoint had closed the first or refused the request"
}

func (t *trace) twice() bool { return t.earlier() != "" }

// network returns the part of an address that requests are counted by: an IPv4 address itself, and the /64 of an IPv6
// address, which can all be one machine.
func network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, 64).Masked().String()
}
