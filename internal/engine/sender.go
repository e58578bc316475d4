package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// envelopeRoom is what most dialects put around data, in bytes.
const envelopeRoom = 256

// sender makes attempts: it renders, signs, posts, reads and judges. First attempts, retries, retries by
// hand and tests all come this way.
type sender struct {
	transport *transport
	userAgent string
	clock     clock
	mine      func(endpoint string, epoch int64) bool // whether this node owns the endpoint in the epoch
	reads     sync.Pool                               // *[readBody]byte, for response bodies
}

func newSender(transport *transport, userAgent string) *sender {
	return &sender{
		transport: transport,
		userAgent: userAgent,
		clock:     time.Now,
		mine:      func(string, int64) bool { return true },
		reads:     sync.Pool{New: func() any { return new([readBody]byte) }},
	}
}

// send makes one attempt for a job and says what came of it. The target is the endpoint as it is now.
func (s *sender) send(ctx context.Context, j *job, t *bellwire.Target) *result {
	r := &result{job: j, target: t}
	started, sentAt := time.Now(), s.clock()
	message := &bellwire.Message{Event: j.event.Event, Delivery: j.delivery.ID, SentAt: sentAt}
	switch {
	case t.Renderer == nil:
		return impossible(r, sentAt, bellwire.ReasonEndpointDeleted)
	case t.URL == nil:
		return impossible(r, sentAt, "The endpoint's URL cannot be requested.")
	}
	body, err := j.event.body(t, message)
	if err != nil {
		return refused(r, sentAt, err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	tr := newTrace(started, cancel)
	tr.fence = &fence{mine: s.mine, endpoint: j.delivery.Endpoint, epoch: j.delivery.Epoch, giveUp: cancel}
	req := newRequest(tr.context(ctx), t.URL, body)
	tr.header, tr.host = req.Header, t.URL.Hostname()
	a := &bellwire.Attempt{
		ID: bellwire.NewID[bellwire.AttemptKind](sentAt), Delivery: j.delivery.ID, Number: j.delivery.Attempts + 1,
		Trigger: j.trigger, StartedAt: stored(sentAt),
	}
	r.attempt = a
	s.setHeaders(req, t, message, body)
	a.Request = bellwire.AttemptRequest{URL: t.Endpoint.URL, BodyBytes: len(body)}
	a.Request.Headers, a.Request.HeadersTruncated = loggedHeaders(req.Header, t.Headers)

	retryAfter := s.exchange(req, body, a, tr, r)
	if r.verdict != bellwire.Acknowledged {
		r.address = tr.address()
	}
	r.withheld = tr.fence.refused.Load()
	a.Timings = tr.timings(time.Now())
	r.endedAt = s.clock.now()
	if !t.Renderer.RetryAfter() {
		retryAfter = 0
	}
	r.retryAfter = retryAfter
	r.transition = r.decide(r.verdict)
	if r.verdict == bellwire.Gone {
		r.otherwise = r.decide(bellwire.Failed)
	}
	return r
}

// decide says what becomes of the delivery by a verdict. A policy that is older than the tenant's limit is held to it.
func (r *result) decide(v bellwire.Verdict) bellwire.Transition {
	next := r.job.delivery.Decide(r.job.trigger, v, r.target.Endpoint, r.endedAt, r.retryAfter, randomShare())
	if held := r.target.Limits; held != nil && next.Status == bellwire.DeliveryRetrying {
		next.Delay = max(next.Delay, held.MinRetryDelay)
	}
	return next
}

// refused is the result of a job that the renderer has no request for: the event can never be sent, or this node cannot
// at the moment. Tenants read the reason: it is the error's message, and never its cause.
func refused(r *result, now time.Time, err error) *result {
	var known *bellwire.Error
	if !errors.As(err, &known) || known.Code != bellwire.CodeInvalid && known.Code != bellwire.CodeNotFound {
		r.fault, r.cause = faultConfiguration, err
		return r
	}
	r.unsendable = known.Code == bellwire.CodeInvalid
	return impossible(r, now, known.Message)
}

// impossible is the result of a job of which no request can be made, now or ever.
func impossible(r *result, now time.Time, reason string) *result {
	r.verdict, r.endedAt = bellwire.Impossible, stored(now)
	r.transition = r.job.delivery.Decide(r.job.trigger, r.verdict, r.target.Endpoint, r.endedAt, 0, 0)
	if r.transition.Status == bellwire.DeliveryExhausted {
		r.transition.Reason = reason
	}
	return r
}

// exchange posts the request, reads the response within bounds, and judges it. It returns the wait that
// the receiver asked for.
func (s *sender) exchange(req *http.Request, body []byte, a *bellwire.Attempt, tr *trace, r *result) time.Duration {
	t := r.target
	resp, err := s.transport.post(req, body, tr)
	if err != nil {
		r.fault, r.cause = shortage(err), err
		a.Outcome, a.Error = classify(err, tr)
		return 0
	}
	defer resp.Body.Close()
	tr.answered(resp)
	hidden := echoesOf(t.Headers)
	a.Response = &bellwire.AttemptResponse{Status: resp.StatusCode}
	a.Response.Headers, a.Response.HeadersTruncated = receivedHeaders(resp.Header, hidden)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is the bare connection, whose reading no deadline ends.
		a.Outcome, a.Error = bellwire.OutcomeProtocol, "The endpoint switched protocols, which nobody asked it to."
		return 0
	}
	if err := s.read(resp, a.Response, hidden, tr.giveUp); err != nil {
		a.Response.Note = bodyCause(err)
	}
	r.verdict = t.Renderer.Classify(resp.StatusCode)
	a.Outcome = bellwire.OutcomeOK
	if r.verdict != bellwire.Acknowledged {
		a.Outcome = bellwire.OutcomeStatus
		a.Error = "The endpoint answered " + strings.TrimSpace(strconv.Itoa(resp.StatusCode)+" "+http.StatusText(resp.StatusCode)) + "."
	}
	return retryAfter(resp.Header, s.clock())
}

// read takes in up to readBody bytes, so that the connection can be kept, and stores the first of them. A body that does
// not end in time is given up with its connection.
func (s *sender) read(resp *http.Response, into *bellwire.AttemptResponse, hidden echoes, giveUp func()) error {
	if resp.Body == http.NoBody {
		return nil
	}
	defer time.AfterFunc(bodyTimeout, giveUp).Stop()
	buffer := s.reads.Get().(*[readBody]byte)
	defer s.reads.Put(buffer)
	n := 0
	var err error
	for n < len(buffer) && err == nil {
		var more int
		more, err = resp.Body.Read(buffer[n:])
		n += more
	}
	if n > 0 {
		shown := hidden.redact(buffer[:min(n, 2*bellwire.MaxStoredBody)]) // with what the cut would leave half of
		into.Body = bytes.Clone(shown[:min(len(shown), bellwire.MaxStoredBody)])
		into.Truncated = n > bellwire.MaxStoredBody || len(shown) > bellwire.MaxStoredBody
	}
	if err == io.EOF {
		return nil
	}
	return err
}

func (s *sender) setHeaders(req *http.Request, t *bellwire.Target, m *bellwire.Message, body []byte) {
	h := req.Header
	for _, header := range t.Headers {
		h[http.CanonicalHeaderKey(header.Name)] = []string{header.Value}
	}
	h["User-Agent"] = []string{s.userAgent}
	t.Renderer.SetHeaders(h, m, body)
}
