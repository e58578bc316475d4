package telemetry

import (
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What spans say goes to another system. It never includes data of events, headers, or the path of a URL, which often is a secret.

func text(name, value string) attribute.KeyValue { return attribute.String(name, value) }

// published records a publication and, within it, the time that it took to be stored.
func (s *Spans) published(p *bellwire.Publishing) {
	span := s.begin(p.Trace, "publish", trace.SpanKindServer, p.Began)
	span.SetAttributes(text("bellwire.tenant", p.Tenant), attribute.Int("bellwire.events", p.Events))
	if p.Type != "" {
		span.SetAttributes(text("bellwire.event.type", p.Type))
	}
	if !p.Event.IsZero() {
		span.SetAttributes(text("bellwire.event.id", p.Event.String()))
	}
	if p.Err != nil {
		span.SetStatus(codes.Error, string(bellwire.CodeOf(p.Err)))
	}
	span.End(trace.WithTimestamp(p.Ended))
	if p.Queued.IsZero() {
		return
	}
	stored := s.begin(p.Trace.Child(), "store", trace.SpanKindInternal, p.Queued)
	stored.End(trace.WithTimestamp(p.Stored))
}

// attempted records an attempt.
func (s *Spans) attempted(a *bellwire.Attempt, ep *bellwire.Endpoint) {
	span := s.begin(a.Trace, "attempt", trace.SpanKindClient, a.StartedAt)
	span.SetAttributes(
		text("bellwire.tenant", ep.Tenant), text("bellwire.endpoint.id", ep.ID), text("bellwire.dialect", ep.Dialect),
		text("bellwire.delivery.id", a.Delivery.String()), text("bellwire.attempt.id", a.ID.String()),
		attribute.Int("bellwire.attempt.number", a.Number), text("bellwire.trigger", string(a.Trigger)), text("bellwire.outcome", string(a.Outcome)),
		text("http.request.method", "POST"), attribute.Int("http.request.body.size", a.Request.BodyBytes),
	)
	if u, err := url.Parse(a.Request.URL); err == nil {
		span.SetAttributes(text("url.scheme", u.Scheme), text("server.address", u.Hostname()))
		if port, err := strconv.Atoi(u.Port()); err == nil {
			span.SetAttributes(attribute.Int("server.port", port))
		}
	}
	if a.Response != nil {
		span.SetAttributes(attribute.Int("http.response.status_code", a.Response.Status))
	}
	if a.Outcome != bellwire.OutcomeOK {
		span.SetStatus(codes.Error, string(a.Outcome))
		span.SetAttributes(text("error.type", string(a.Outcome)))
	}
	phases := []struct {
		name string
		took time.Duration
	}{{"dns", a.Timings.DNS}, {"connect", a.Timings.Connect}, {"tls", a.Timings.TLS}, {"first_byte", a.Timings.FirstByte}}
	for _, phase := range phases {
		if phase.took > 0 {
			span.SetAttributes(attribute.Float64("bellwire.timings."+phase.name+"_ms", float64(phase.took)/float64(time.Millisecond)))
		}
	}
	span.End(trace.WithTimestamp(a.StartedAt.Add(a.Timings.Total)))
}
