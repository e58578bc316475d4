package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bellwire/bellwire"
)

// trace follows an attempt through its phases, for its timings and to tell where it broke.
// The transport may still call it from a dial that goes on after the attempt has ended.
type trace struct {
	started time.Time
	giveUp  context.CancelFunc // ends the attempt
	fence   *fence             // stands before each connection
	header  http.Header        // of the request; only for the goroutine that makes the attempt

	mu         sync.Mutex
	dns        phase
	connecting phase
	handshake  phase
	tries      int   // how often a connection was got for the request
	made       int   // connections for the request
	sent       bool  // the whole request, on the last of them
	conn       *conn // that was got last, or nil
	before     int64 // bytes written on it by then
	reused     bool
	shared     bool // with other requests: HTTP/2
	stale      bool // closed, because it was found to be of no use
	second     bool // the request is sent once more
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

func newTrace(started time.Time, giveUp context.CancelFunc) *trace {
	return &trace{started: started, giveUp: giveUp}
}

func (t *trace) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { t.note(t.dns.begin) },
		DNSDone:      func(httptrace.DNSDoneInfo) { t.note(t.dns.end) },
		ConnectStart: func(string, string) { t.note(t.connecting.begin) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				t.note(t.connected)
			}
		},
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

// closing is the value of the header by which the connection ends with the request.
var closing = []string{"close"}

// got looks at the connection that the transport has chosen. It runs in the attempt's own goroutine, before the request
// is written.
func (t *trace) got(info httptrace.GotConnInfo) {
	c, shared := connOf(info.Conn)
	now := time.Now()
	stale := c != nil && info.Reused && c.stale(now, shared)
	switch {
	case stale:
		_ = c.Close() // the transport finds that nothing can be written
	case c != nil && now.Sub(c.made) >= maxConnAge:
		c.retired.Store(true)
		t.header["Connection"] = closing
	}
	t.fence.guard(c, shared)
	t.note(func() {
		t.tries++
		t.sent, t.conn, t.reused, t.shared, t.stale = false, c, info.Reused, shared, stale
		if c != nil {
			t.before = c.written.Load()
		}
	})
}

// unsent reports whether the request may be sent once more after err: nothing of it was written, or the receiver says
// that it did not process it.
func (t *trace) unsent(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.fence.refused.Load():
		return false
	case t.stale:
		return true
	case t.shared && errors.Is(err, errUntaken):
		return true
	}
	return t.reused && t.conn != nil && t.conn.written.Load() == t.before
}

// again begins the second try.
func (t *trace) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dns, t.connecting, t.handshake = phase{}, phase{}, phase{}
	t.tries, t.sent, t.reused, t.shared, t.stale, t.second = 0, false, false, false, false, true
}

// answered learns from an answer how long its connection can be kept.
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

// maxMade is how many connections an attempt may use up. net/http makes another one whenever a peer says that it goes
// away or takes no requests now, as often as it says so. Connections that were kept do not count.
const maxMade = 3

// connected takes note of a new connection.
func (t *trace) connected() {
	t.connecting.end()
	if t.made++; t.made > maxMade {
		t.giveUp()
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

// phaseName says what the attempt was waiting for.
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

func (t *trace) isConnected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tries > 0
}

// earlier says that the request was sent before within the attempt, and not taken.
func (t *trace) earlier() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.second {
		return ""
	}
	return " on a second connection, after the endpoint had closed the first or refused the request"
}

func (t *trace) twice() bool { return t.earlier() != "" }

// classify tells what kind of failure err is, and says it in a sentence that contains no secret.
func classify(err error, t *trace) (bellwire.Outcome, string) {
	var (
		dns     *net.DNSError
		timeout interface{ Timeout() bool }
	)
	switch {
	case blocked(err):
		// Which address it is stays unsaid: a tenant could learn of the platform's own hosts that way.
		return bellwire.OutcomeBlocked, "The host's address is private or otherwise special, and deliveries may not reach it. An operator can allow its network."
	case t.turnedAway():
		return bellwire.OutcomeReset, fmt.Sprintf("The endpoint accepted %d connections one after another, and took the request on none of them.", maxMade)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return bellwire.OutcomeTimeout, "The deadline passed while " + t.phaseName() + t.earlier() + "."
	case errors.Is(err, errUntaken) && t.twice():
		return bellwire.OutcomeReset, "The endpoint refused the request, or closed the connection before taking it, twice."
	case errors.As(err, &dns):
		return bellwire.OutcomeDNS, fmt.Sprintf("The host name %q could not be resolved: %s.", dns.Name, dns.Err)
	case isTLS(err) || t.inHandshake():
		return bellwire.OutcomeTLS, "The TLS handshake failed: " + innermost(err) + "."
	case brokenOff(err):
		return bellwire.OutcomeReset, "The connection broke off while " + t.phaseName() + ": " + innermost(err) + "."
	case !t.isConnected():
		return bellwire.OutcomeConnect, "No connection could be made: " + innermost(err) + "."
	}
	return bellwire.OutcomeProtocol, "The endpoint does not keep to HTTP: " + innermost(err) + "."
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &invalid)
}

func brokenOff(err error) bool {
	var stream streamError
	if errors.As(err, &stream) {
		return stream.byWish()
	}
	return isGoAway(err) || errors.Is(err, errUntaken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// streamError is what net/http's HTTP/2 fills in for errors.As: its own type, which it does not export, has fields of
// the same names.
type streamError struct {
	StreamID uint32
	Code     uint32 // RFC 9113, 7
	Cause    error
}

func (e streamError) Error() string { return fmt.Sprintf("the stream ended with code %d", e.Code) }

// isGoAway reports whether err says that a receiver ended the connection with a GOAWAY frame. The type of net/http's
// HTTP/2 is not exported, and has no errors.As.
func isGoAway(err error) bool {
	v := reflect.ValueOf(err)
	return v.Kind() == reflect.Struct && v.FieldByName("LastStreamID").IsValid() && v.FieldByName("DebugData").IsValid()
}

// byWish tells whether a peer ends a stream with this code because it wants to. With the others either side says
// that the rules of HTTP/2 were broken.
func (e streamError) byWish() bool {
	const protocol, flowControl, streamClosed, frameSize, compression = 1, 3, 5, 6, 9
	switch e.Code {
	case protocol, flowControl, streamClosed, frameSize, compression:
		return false
	}
	return true
}

// maxErrorText bounds what is kept of an error, part of which the receiver may have written.
const maxErrorText = 300

// innermost returns the text of the error that started it all, without what the layers above repeat.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	text := err.Error()
	if len(text) > maxErrorText {
		text = text[:maxErrorText] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
