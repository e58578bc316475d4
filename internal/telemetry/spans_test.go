package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// collector gets spans. It waits for as long as wait says, and then fails with err.
type collector struct {
	mu    sync.Mutex
	wait  time.Duration
	err   error
	spans []sdk.ReadOnlySpan
}

func (c *collector) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-time.After(c.wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err == nil {
		c.spans = append(c.spans, spans...)
	}
	return c.err
}

func (c *collector) Shutdown(context.Context) error { return nil }

func (c *collector) set(wait time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait, c.err = wait, err
}

// recorded is an observer whose spans go to a collector.
func recorded(t *testing.T, ratio float64) (*Observer, *Spans, *collector, *bytes.Buffer) {
	t.Helper()
	m, o, logged := newObserved(t)
	c := new(collector)
	s, err := NewSpans(SpansConfig{Ratio: ratio, Metrics: m, Logger: o.log, exporter: c})
	if err != nil {
		t.Fatal(err)
	}
	o.Record(s)
	return o, s, c, logged
}

// try reports an attempt that is part of a trace.
func try(o *Observer, cause *bellwire.Trace) *bellwire.Attempt {
	now := time.Now()
	a := &bellwire.Attempt{
		ID: bellwire.NewID[bellwire.AttemptKind](now), Delivery: bellwire.DeliveryOf(bellwire.NewID[bellwire.EventKind](now), 0), Number: 2,
		Trigger: bellwire.TriggerSchedule, StartedAt: now, Outcome: bellwire.OutcomeStatus, Error: "the endpoint answered 500",
		Timings: bellwire.Timings{Connect: time.Millisecond, Total: time.Second}, Trace: o.Span(cause),
		Request: bellwire.AttemptRequest{URL: "https://user:word@hooks.example.com:8443/services/s3cr3t?token=t0ken", BodyBytes: 7, Headers: []bellwire.Header{
			{Name: "authorization", Value: "Bearer k3y"},
		}},
		Response: &bellwire.AttemptResponse{Status: 500, Body: []byte("b0dy")},
	}
	o.Attempted(a, &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", Dialect: "standard", URL: a.Request.URL}, nil)
	return a
}

// TestSpansAreConnected records a publication and two attempts of what it published.
func TestSpansAreConnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, s, c, _ := recorded(t, 0)
		began := time.Now()
		cause := bellwire.NewTrace()
		published := o.Span(cause)
		o.Published(&bellwire.Publishing{
			Trace: published, Tenant: "acme", Type: "order.paid", Events: 1, Began: began, Queued: began.Add(time.Millisecond),
			Stored: began.Add(2 * time.Millisecond), Ended: began.Add(3 * time.Millisecond),
		})
		first, second := try(o, published), try(o, published)
		refused := o.Span(cause)
		o.Published(&bellwire.Publishing{Trace: refused, Tenant: "acme", Events: 2, Began: began, Ended: began, Err: bellwire.NotFound("tenant", "acme")})
		s.Close(t.Context())

		var got []string
		names := map[[8]byte]string{cause.Span: "caller", published.Span: "publication", first.Trace.Span: "first", second.Trace.Span: "second", refused.Span: "refused"}
		for _, span := range c.spans {
			id := span.SpanContext()
			if id.TraceID() != cause.ID || !id.IsSampled() {
				t.Errorf("span %s is of the trace %s", span.Name(), id.TraceID())
			}
			got = append(got, fmt.Sprintf("%s %s of %s %s %s", span.Name(), names[id.SpanID()], names[span.Parent().SpanID()], span.SpanKind(), span.EndTime().Sub(span.StartTime())))
			if failed := span.Status().Code == codes.Error; failed != (span.Name() == "attempt" || id.SpanID() == refused.Span) {
				t.Errorf("span %s has the status %v", span.Name(), span.Status())
			}
			for _, secret := range []string{"s3cr3t", "t0ken", "k3y", "b0dy", "user", "word"} {
				if text := fmt.Sprint(span.Attributes(), span.Status()); strings.Contains(text, secret) {
					t.Errorf("the span tells %s: %s", secret, text)
				}
			}
		}
		want := "publish publication of caller server 3ms, store  of publication internal 1ms, attempt first of publication client 1s, " +
			"attempt second of publication client 1s, publish refused of caller server 0s"
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("the spans are\n%s, want\n%s", got, want)
		}
	})
}

func TestSampling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		always, s, _, _ := recorded(t, 1)
		defer s.Close(t.Context())
		never, s, _, _ := recorded(t, 0)
		defer s.Close(t.Context())
		_, off, _ := newObserved(t)
		sampled, unsampled := bellwire.NewTrace(), &bellwire.Trace{ID: [16]byte{1}, Span: [8]byte{2}}
		for _, o := range []*Observer{always, never} {
			if child := o.Span(sampled); child.Parent != sampled.Span || !child.Sampled() {
				t.Errorf("the child of a sampled span is %+v", child)
			}
			if got := o.Span(unsampled); got != unsampled {
				t.Errorf("a span that is not sampled becomes %+v", got)
			}
		}
		if root := always.Span(nil); !root.Sampled() || root.Parent != ([8]byte{}) {
			t.Errorf("with the ratio 1 a trace begins with %+v", root)
		}
		if root := never.Span(nil); root != nil {
			t.Errorf("with the ratio 0 a trace begins with %+v", root)
		}
		if off.Span(sampled) != sampled || off.Span(nil) != nil {
			t.Error("traces change although no spans are recorded")
		}
	})
}

// TestCollectorFails loses spans while the collector fails, and says so once an episode.
func TestCollectorFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, s, c, logged := recorded(t, 0)
		c.set(0, errors.New("connection refused"))
		cause := bellwire.NewTrace()
		for range 20 {
			try(o, cause)
			time.Sleep(time.Minute)
		}
		time.Sleep(episodeGap)
		try(o, cause)
		time.Sleep(time.Minute)
		c.set(0, nil)
		try(o, cause)
		s.Close(t.Context())
		if n := strings.Count(logged.String(), "spans could not be sent to the collector"); n != 2 {
			t.Errorf("%d lines, want one for each of two episodes:\n%s", n, logged)
		}
		for result, want := range map[string]float64{spansFailed: 21, spansExported: 1, spansDropped: 0} {
			if got := testutil.ToFloat64(o.metrics.spans.WithLabelValues(result)); got != want {
				t.Errorf("%g spans are %s, want %g", got, result, want)
			}
		}
	})
}

// TestCollectorHangs keeps a bounded number of spans, and does not wait longer for the rest than Close may.
func TestCollectorHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, s, c, _ := recorded(t, 0)
		c.set(time.Hour, nil)
		cause := bellwire.NewTrace()
		const beyond = 10
		for range spansInExport {
			try(o, cause)
		}
		synctest.Wait() // they are being sent
		for range maxSpans + beyond {
			try(o, cause)
		}
		if got := testutil.ToFloat64(o.metrics.spans.WithLabelValues(spansDropped)); got != beyond {
			t.Errorf("%g spans are dropped, want %d", got, beyond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		s.Close(ctx)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}

// TestNothingRecordedCostsNothing counts allocations of what every publication and attempt does.
func TestNothingRecordedCostsNothing(t *testing.T) {
	_, o, _ := newObserved(t)
	var observer bellwire.Observer = o
	ctx := t.Context()
	ep, d, a := &bellwire.Endpoint{Dialect: "standard"}, new(bellwire.Delivery), &bellwire.Attempt{Trigger: bellwire.TriggerSchedule, Outcome: bellwire.OutcomeOK, Number: 1}
	observer.Attempted(a, ep, d)
	if n := testing.AllocsPerRun(100, func() {
		if observer.Span(bellwire.TraceOf(ctx)) != nil {
			t.Error("there is a trace")
		}
		observer.Attempted(a, ep, d)
		observer.Ended(ep, bellwire.DeliverySucceeded, time.Second, a.Trace)
		if (*bellwire.Trace)(nil).Encode() != nil {
			t.Error("something is stored")
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// TestExemplars are in OpenMetrics only.
func TestExemplars(t *testing.T) {
	t.Parallel()
	m, o, _ := newObserved(t)
	try(o, bellwire.NewTrace())
	o.Ended(&bellwire.Endpoint{Dialect: "standard"}, bellwire.DeliverySucceeded, time.Second, &bellwire.Trace{ID: [16]byte{0xab}, Flags: bellwire.TraceSampled})
	for accept, want := range map[string]int{"": 0, "application/openmetrics-text;version=1.0.0": 2} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, r)
		if n := strings.Count(w.Body.String(), "trace_id="); n != want {
			t.Errorf("Accept: %q is answered with %d exemplars, want %d", accept, n, want)
		}
	}
}
