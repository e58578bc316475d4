package telemetry

import (
	"context"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of what waits for the collector. Spans beyond maxSpans are dropped and counted.
const (
	maxSpans      = 4096
	spansInExport = 512
	exportEvery   = 2 * time.Second
	exportTimeout = 10 * time.Second // with all retries
)

// SpansConfig configures Spans.
type SpansConfig struct {
	Endpoint      string  // URL of a collector of OpenTelemetry, to which /v1/traces is appended
	Ratio         float64 // the share of publications without a trace of the publisher's for which one begins
	Version, Node string
	Metrics       *Metrics
	Logger        *slog.Logger

	exporter sdk.SpanExporter // instead of one for Endpoint, in tests
}

// Spans sends spans to a collector. It never waits for the collector, except in Close.
type Spans struct {
	config   SpansConfig
	exporter sdk.SpanExporter
	tracer   trace.Tracer
	queue    chan sdk.ReadOnlySpan
	faults   episodes

	ctx    context.Context // ends exports that Close has no time for
	cancel context.CancelFunc
	quit   chan struct{}
	once   sync.Once
	done   sync.WaitGroup
}

// NewSpans begins to send spans. Close ends that.
func NewSpans(c SpansConfig) (*Spans, error) {
	s := &Spans{config: c, exporter: c.exporter, queue: make(chan sdk.ReadOnlySpan, maxSpans), quit: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.exporter == nil {
		var err error
		if s.exporter, err = newExporter(s.ctx, c.Endpoint); err != nil {
			s.cancel()
			return nil, err
		}
	}
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(queuing{s}), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithIDGenerator(given{}),
		sdk.WithResource(resource.NewSchemaless(
			text("service.name", "bellwire"), text("service.version", c.Version), text("service.instance.id", c.Node),
		)),
	)
	s.tracer = provider.Tracer("github.com/bellwire/bellwire", trace.WithInstrumentationVersion(c.Version))
	s.done.Go(s.run)
	return s, nil
}

// newExporter returns an exporter, which also obeys the usual environment variables, such as for headers and certificates.
func newExporter(ctx context.Context, endpoint string) (sdk.SpanExporter, error) {
	return otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimRight(endpoint, "/")+"/v1/traces"), otlptracehttp.WithTimeout(exportTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: time.Second, MaxInterval: exportTimeout / 2, MaxElapsedTime: exportTimeout,
		}),
	)
}

// span returns a span for work that is caused by another one.
func (s *Spans) span(cause *bellwire.Trace) *bellwire.Trace {
	switch {
	case cause.Sampled():
		return cause.Child()
	case cause != nil: // who made the trace does not want it to be recorded
		return cause
	case s.config.Ratio > 0 && rand.Float64() < s.config.Ratio:
		return bellwire.NewTrace()
	}
	return nil
}

// begin begins a span that has got its ids already.
func (s *Spans) begin(t *bellwire.Trace, name string, kind trace.SpanKind, at time.Time) trace.Span {
	ctx := context.WithValue(s.ctx, givenKey{}, t)
	if t.Parent != ([8]byte{}) {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: t.ID, SpanID: t.Parent, TraceFlags: trace.TraceFlags(t.Flags), Remote: true,
		}))
	}
	_, span := s.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(at))
	return span
}

// given takes the ids of a span from its context.
type given struct{}

type givenKey struct{}

func (given) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	t := ctx.Value(givenKey{}).(*bellwire.Trace)
	return t.ID, t.Span
}

func (given) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	return ctx.Value(givenKey{}).(*bellwire.Trace).Span
}

// queuing hands over spans that have ended.
type queuing struct{ *Spans }

func (q queuing) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (q queuing) ForceFlush(context.Context) error           { return nil }
func (q queuing) Shutdown(context.Context) error             { return nil }

func (q queuing) OnEnd(span sdk.ReadOnlySpan) {
	select {
	case q.queue <- span:
	default:
		q.config.Metrics.spans.WithLabelValues(spansDropped).Inc()
	}
}

// run sends spans until Close, and then what is left.
func (s *Spans) run() {
	tick := time.NewTicker(exportEvery)
	defer tick.Stop()
	batch := make([]sdk.ReadOnlySpan, 0, spansInExport)
	for {
		select {
		case span := <-s.queue:
			if batch = append(batch, span); len(batch) < spansInExport {
				continue
			}
		case <-tick.C:
		case <-s.quit:
			for {
				select {
				case span := <-s.queue:
					if batch = append(batch, span); len(batch) == spansInExport {
						batch = s.export(batch)
					}
					continue
				default:
				}
				s.export(batch)
				return
			}
		}
		batch = s.export(batch)
	}
}

// export sends spans, and returns an empty batch. Spans that the collector does not take are lost.
func (s *Spans) export(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	if len(batch) == 0 {
		return batch
	}
	ctx, cancel := context.WithTimeout(s.ctx, exportTimeout)
	defer cancel()
	result := spansExported
	if err := s.exporter.ExportSpans(ctx, batch); err != nil {
		result = spansFailed
		if s.faults.begins(time.Now(), "export") {
			s.config.Logger.Warn("spans could not be sent to the collector: they are lost until it answers", "spans", len(batch), "error", err.Error())
		}
	}
	s.config.Metrics.spans.WithLabelValues(result).Add(float64(len(batch)))
	clear(batch)
	return batch[:0]
}

// Close sends what is left, until ctx ends.
func (s *Spans) Close(ctx context.Context) {
	s.once.Do(func() { close(s.quit) })
	defer context.AfterFunc(ctx, s.cancel)()
	s.done.Wait()
	s.cancel()
	_ = s.exporter.Shutdown(ctx) // it holds idle connections only
}

// The values of the label result of spans.
const (
	spansExported = "exported"
	spansFailed   = "failed"
	spansDropped  = "dropped"
)

// observe adds a value to a histogram, with the trace as an exemplar if it is recorded.
func observe(o prometheus.Observer, value float64, t *bellwire.Trace) {
	with, able := o.(prometheus.ExemplarObserver)
	if !able || !t.Sampled() {
		o.Observe(value)
		return
	}
	with.ObserveWithExemplar(value, prometheus.Labels{"trace_id": hex.EncodeToString(t.ID[:]), "span_id": hex.EncodeToString(t.Span[:])})
}
