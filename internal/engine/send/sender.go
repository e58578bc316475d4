// Package send makes attempts: one HTTP request to a receiver, under one deadline, from rendering to classifying the answer. It
// depends on no queue, no store and no rule about retries.
package send

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// Content makes the body of a request. Attempts of the same event may share a body. If the endpoint gets the event in an older
// version, the message has that afterwards.
type Content interface {
	Body(ctx context.Context, t *bellwire.Target, m *bellwire.Message) ([]byte, error)
}

// Request describes an attempt to be made.
type Request struct {
	Target   *bellwire.Target // the endpoint as it is now
	Event    *bellwire.Event
	Delivery *bellwire.Delivery
	Trigger  bellwire.Trigger
	Content  Content
	Trace    *bellwire.Trace // the span of the attempt; nil: the event belongs to no trace
}

// Result is what came of an attempt.
type Result struct {
	Verdict    bellwire.Verdict
	Attempt    *bellwire.Attempt // nil: no request could be made, for Reason or because of Fault
	EndedAt    time.Time
	RetryAfter time.Duration // how long Retry-After asks to wait; 0 if the dialect ignores it
	Address    string        // the network that the request went to, unless it was acknowledged; see network
	NotSent    bool          // nothing was sent, because the delivery belongs to another node now
	Fault      Fault         // a fault of this node that kept it from sending; empty: none
	Cause      error         // the cause of Fault
	Reason     string        // why no request can be made; empty: one can
	Unsendable bool          // the dialect cannot express the event
}

// Config configures a Sender.
type Config struct {
	// Guard decides which addresses requests may reach. Nil means all public ones.
	Guard *destination.Guard
	// Dial replaces the guarded dialer, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is the base of the client's TLS configuration. Nil means the system's roots.
	TLS *tls.Config

	UserAgent   string
	IdlePerHost int // idle connections kept to each host
	MaxIdle     int // idle connections kept in all

	// Owns reports whether this node owns the endpoint in the epoch. It is called at the last moment before each request.
	Owns func(endpoint string, epoch int64) bool
	// Now is the wall clock, which dates attempts.
	Now func() time.Time
}

// Sender makes attempts: it renders, signs, posts, reads and classifies. First attempts, retries, manual retries and tests are
// all made by it.
type Sender struct {
	transport *transport
	userAgent string
	now       func() time.Time
	owns      func(endpoint string, epoch int64) bool
	buffers   sync.Pool // *[readBody]byte, for response bodies
}

// New returns a sender.
func New(c Config) *Sender {
	dial := dialFunc(c.Dial)
	if dial == nil {
		dial = guardedDialer(c.Guard)
	}
	s := newSender(newTransport(dial, c.IdlePerHost, c.MaxIdle, c.TLS), c.UserAgent)
	s.now, s.owns = c.Now, c.Owns
	return s
}

func newSender(transport *transport, userAgent string) *Sender {
	return &Sender{
		transport: transport,
		userAgent: userAgent,
		now:       time.Now,
		owns:      func(string, int64) bool { return true },
		buffers:   sync.Pool{New: func() any { return new([readBody]byte) }},
	}
}

// CloseIdleConnections closes the connections that no attempt uses.
func (s *Sender) CloseIdleConnections() { s.transport.CloseIdleConnections() }

// Do makes one attempt.
func (s *Sender) Do(ctx context.Context, req *Request) (r Result) {
	t, d := req.Target, req.Delivery
	started, sentAt := time.Now(), s.now()
	switch {
	case t.Renderer == nil:
		return impossible(sentAt, bellwire.ReasonEndpointDeleted)
	case t.URL == nil:
		return impossible(sentAt, "the endpoint's URL cannot be requested")
	}
	message := &bellwire.Message{Event: req.Event, Delivery: d.ID, SentAt: sentAt}
	body, err := req.Content.Body(ctx, t, message)
	if err != nil {
		return refused(sentAt, err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	tr := newTrace(started, cancel)
	tr.lease = &leaseCheck{owns: s.owns, endpoint: d.Endpoint, epoch: d.Epoch, abort: cancel}
	post := newRequest(tr.context(ctx), t.URL, body)
	tr.header, tr.host = post.Header, t.URL.Hostname()
	a := &bellwire.Attempt{
		ID: bellwire.NewID[bellwire.AttemptKind](sentAt), Delivery: d.ID, Number: d.Attempts + 1,
		Trigger: req.Trigger, StartedAt: bellwire.StoredTime(sentAt), Trace: req.Trace,
	}
	r.Attempt = a
	if req.Trace != nil {
		post.Header["Traceparent"] = []string{req.Trace.Traceparent()}
	}
	s.setHeaders(post, t, message, body)
	a.Request = bellwire.AttemptRequest{URL: t.Endpoint.URL, BodyBytes: len(body), BodyHash: sha256.Sum256(body), Dialect: t.Endpoint.Dialect, Version: message.Event.Version.Of()}
	a.Request.Headers, a.Request.HeadersTruncated = loggedHeaders(post.Header, t.Headers)

	if asked := s.ask(ctx, t, tr, &r); asked != nil {
		r.Address = asked.address()
	} else if s.exchange(post, body, t, tr, &r); r.Verdict != bellwire.Acknowledged {
		r.Address = tr.address()
	}
	r.NotSent = tr.lease.lost.Load()
	a.Timings = tr.timings(time.Now())
	r.EndedAt = bellwire.StoredTime(s.now())
	if !t.Renderer.HonorsRetryAfter() {
		r.RetryAfter = 0
	}
	return r
}

// refused returns the result of a request that could not be rendered: the event can never be sent, or this node cannot
// render it at the moment. Tenants read the reason, which has the error's text and never its cause.
func refused(now time.Time, err error) Result {
	var known *bellwire.Error
	if !errors.As(err, &known) || known.Code != bellwire.CodeInvalid && known.Code != bellwire.CodeNotFound {
		return Result{Fault: FaultConfiguration, Cause: err}
	}
	r := impossible(now, known.Summary())
	r.Unsendable = known.Code == bellwire.CodeInvalid
	return r
}

// impossible returns the result of an attempt for which no request can be made, now or later.
func impossible(now time.Time, reason string) Result {
	return Result{Verdict: bellwire.Impossible, EndedAt: bellwire.StoredTime(now), Reason: reason}
}

// exchange posts the request, reads the response within bounds, and classifies it. A test opens a connection of its own, so that its
// timings show each phase.
func (s *Sender) exchange(req *http.Request, body []byte, t *bellwire.Target, tr *trace, r *Result) {
	a := r.Attempt
	first := s.transport.kept
	if a.Trigger == bellwire.TriggerTest {
		alone := s.transport.alone()
		defer alone.CloseIdleConnections()
		first = alone
	}
	resp, err := s.transport.post(first, req, body, tr)
	if err != nil {
		r.Fault, r.Cause = shortage(err), err
		a.Outcome, a.Error = classify(err, tr)
		return
	}
	defer resp.Body.Close()
	tr.answered(resp)
	secrets := redactorOf(t.Headers)
	a.Response = &bellwire.AttemptResponse{Status: resp.StatusCode}
	a.Response.Headers, a.Response.HeadersTruncated = receivedHeaders(resp.Header, secrets)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is the bare connection, and no deadline bounds reading from it.
		a.Outcome, a.Error = bellwire.OutcomeProtocol, "the endpoint switched protocols without being asked"
		return
	}
	if err := s.read(resp, a.Response, secrets, tr.abort); err != nil {
		a.Response.Note = bodyCause(err)
	}
	r.Verdict = t.Renderer.Classify(resp.StatusCode)
	a.Outcome = bellwire.OutcomeOK
	if r.Verdict != bellwire.Acknowledged {
		a.Outcome = bellwire.OutcomeStatus
		a.Error = statusCause(resp.StatusCode)
	}
	r.RetryAfter = retryAfter(resp.Header, s.now())
}

// read reads up to readBody bytes, so that the connection can be kept, and stores the first of them. If the body does not end
// in time, read aborts the attempt, and with it the connection.
func (s *Sender) read(resp *http.Response, into *bellwire.AttemptResponse, secrets redactor, abort func()) error {
	if resp.Body == http.NoBody {
		return nil
	}
	defer time.AfterFunc(bodyTimeout, abort).Stop()
	buffer := s.buffers.Get().(*[readBody]byte)
	defer s.buffers.Put(buffer)
	n := 0
	var err error
	for n < len(buffer) && err == nil {
		var more int
		more, err = resp.Body.Read(buffer[n:])
		n += more
	}
	if n > 0 {
		redact := secrets.redact
		if err != io.EOF {
			redact = secrets.redactCut
		}
		shown := redact(buffer[:n])
		into.Body = bytes.Clone(shown[:min(len(shown), bellwire.MaxStoredBody)])
		into.Truncated = n > bellwire.MaxStoredBody || len(shown) > bellwire.MaxStoredBody
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func (s *Sender) setHeaders(req *http.Request, t *bellwire.Target, m *bellwire.Message, body []byte) {
	h := req.Header
	if t.Settings != nil {
		for name, value := range t.Settings.Headers {
			h[http.CanonicalHeaderKey(name)] = []string{value}
		}
	}
	for _, header := range t.Headers {
		h[http.CanonicalHeaderKey(header.Name)] = []string{header.Value}
	}
	h["User-Agent"] = []string{s.userAgentOf(t)}
	t.Renderer.SetHeaders(h, m, body)
}

// userAgentOf returns the user agent of requests to an endpoint.
func (s *Sender) userAgentOf(t *bellwire.Target) string {
	if t.Settings != nil && t.Settings.UserAgent != "" {
		return t.Settings.UserAgent
	}
	return s.userAgent
}
