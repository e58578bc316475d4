package send

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ask asks an endpoint that must allow deliveries for its permission, unless it has given it within a day. Without a permission the
// attempt has failed: ask sets its outcome, and returns the trace of the request.
func (s *Sender) ask(ctx context.Context, t *bellwire.Target, tr *trace, r *Result) *trace {
	p := bellwire.PermissionOf(t)
	if p == nil || !p.MustAsk(s.now()) {
		return nil
	}
	defer p.Asked()
	asking := newTrace(time.Now(), tr.abort)
	asking.lease, asking.host = tr.lease, tr.host
	req := newRequest(asking.context(ctx), t.URL, nil)
	req.Method, asking.header = http.MethodOptions, req.Header
	for _, header := range t.Headers {
		req.Header[http.CanonicalHeaderKey(header.Name)] = []string{header.Value}
	}
	req.Header["User-Agent"] = []string{s.userAgentOf(t)}
	req.Header["WebHook-Request-Origin"] = []string{p.Origin()}
	if rate := t.Endpoint.RateLimit; rate > 0 {
		req.Header["WebHook-Request-Rate"] = []string{strconv.FormatFloat(max(math.Floor(rate*60), 1), 'f', 0, 64)}
	}
	a := r.Attempt
	resp, err := s.transport.post(s.transport.kept, req, nil, asking)
	if err != nil {
		r.Fault, r.Cause = shortage(err), err
		a.Outcome, a.Error = classify(err, asking)
		a.Error += "; it was asked with OPTIONS whether it allows deliveries"
		return asking
	}
	defer resp.Body.Close()
	asking.answered(resp)
	refusal := p.Answer(resp.Header, bellwire.StoredTime(s.now()))
	if refusal == "" {
		return nil
	}
	a.Response = &bellwire.AttemptResponse{Status: resp.StatusCode}
	a.Response.Headers, a.Response.HeadersTruncated = receivedHeaders(resp.Header, redactorOf(t.Headers))
	a.Outcome = bellwire.OutcomeStatus
	a.Error = fmt.Sprintf("the endpoint does not allow deliveries: its answer to OPTIONS, %s, %s",
		strings.TrimSpace(strconv.Itoa(resp.StatusCode)+" "+http.StatusText(resp.StatusCode)), refusal)
	r.RetryAfter = retryAfter(resp.Header, s.now())
	return asking
}
