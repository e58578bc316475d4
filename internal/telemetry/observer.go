package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// storeLogInterval is the minimum time between two log records about failures of one store operation. During an outage
// every group fails, and the metrics count them all.
const storeLogInterval = 10 * time.Second

// Many circuit breakers can open at once, when a receiver of many tenants goes down, and many deliveries can be exhausted or expire.
const (
	breakerLogRate  = 10 // a second
	breakerLogBurst = 100
)

// Observer turns what the engine reports into metrics and log records. It implements bellwire.Observer.
type Observer struct {
	metrics    *Metrics
	log        *slog.Logger
	breakers   *rate.Limiter
	exhausted  sampler
	expired    sampler
	unsendable firsts // endpoints and causes that were logged
	targets    firsts // tenants and hosts that were logged
	refused    tally  // requests with wrong credentials
	faults     episodes
	spans      *Spans // nil: none are recorded

	mu       sync.Mutex
	failures map[string]*rate.Sometimes // by store operation
}

var _ bellwire.Observer = (*Observer)(nil)

// NewObserver returns an Observer that counts in metrics and writes to log.
func NewObserver(metrics *Metrics, log *slog.Logger) *Observer {
	return &Observer{
		metrics:   metrics,
		log:       log,
		breakers:  rate.NewLimiter(breakerLogRate, breakerLogBurst),
		exhausted: sampler{limiter: rate.NewLimiter(breakerLogRate, breakerLogBurst)},
		expired:   sampler{limiter: rate.NewLimiter(breakerLogRate, breakerLogBurst)},
		refused:   tally{interval: authenticationLogInterval},
		failures:  make(map[string]*rate.Sometimes),
	}
}

// Record records spans from now on. It must be called before the Observer is used.
func (o *Observer) Record(s *Spans) { o.spans = s }

// Span returns the span for work that is caused by another one.
func (o *Observer) Span(cause *bellwire.Trace) *bellwire.Trace {
	if o.spans == nil {
		return cause
	}
	return o.spans.span(cause)
}

// Published records the span of a publication.
func (o *Observer) Published(p *bellwire.Publishing) {
	if o.spans != nil {
		o.spans.published(p)
	}
}

// Appended counts a committed group of publishes.
func (o *Observer) Appended(events, deliveries int, took time.Duration) {
	o.metrics.events.Add(float64(events))
	o.metrics.deliveries.Add(float64(deliveries))
	o.metrics.append.observe(events, took)
}

// Attempted counts an attempt, and records its span.
func (o *Observer) Attempted(a *bellwire.Attempt, ep *bellwire.Endpoint, d *bellwire.Delivery) {
	o.metrics.attempts.WithLabelValues(ep.Dialect, string(a.Trigger), string(a.Outcome)).Inc()
	observe(o.metrics.attemptSeconds.WithLabelValues(ep.Dialect), a.Timings.Total.Seconds(), a.Trace)
	if a.Number == 1 && a.Trigger == bellwire.TriggerSchedule {
		observe(o.metrics.waitSeconds, max(0, a.StartedAt.Sub(d.Began()).Seconds()), a.Trace) // the clock may have been set back
	}
	if o.spans != nil && a.Trace.Sampled() {
		o.spans.attempted(a, ep)
	}
}

// Recorded counts a committed group of outcomes.
func (o *Observer) Recorded(outcomes int, took time.Duration) {
	o.metrics.record.observe(outcomes, took)
}

// Ended counts a delivery that has ended.
func (o *Observer) Ended(ep *bellwire.Endpoint, status bellwire.DeliveryStatus, after time.Duration, trace *bellwire.Trace) {
	observe(o.metrics.ended.WithLabelValues(string(status)), after.Seconds(), trace)
	o.metrics.ends.WithLabelValues(ep.Dialect, string(status)).Inc()
}

// Unsendable counts a delivery that its endpoint's dialect cannot express. It logs the first of each endpoint and cause in an
// hour, because the publisher must change something.
func (o *Observer) Unsendable(ep *bellwire.Endpoint, eventType, reason string) {
	o.metrics.unsendable.WithLabelValues(ep.Dialect).Inc()
	if o.unsendable.first(time.Now(), ep.ID+" "+eventType+" "+reason) {
		o.log.Warn("event cannot be sent in the endpoint's dialect", "tenant", ep.Tenant, "endpoint", ep.ID,
			"dialect", ep.Dialect, "type", eventType, "reason", reason)
	}
}

// FilterFailed counts an event for which an endpoint's filter has no answer. Which filter of which endpoint that is, the event says.
func (o *Observer) FilterFailed(_ *bellwire.Endpoint, delivered bool) {
	o.metrics.filterErrors.WithLabelValues(filterResult(delivered)).Inc()
}

func filterResult(delivered bool) string {
	if delivered {
		return "delivered"
	}
	return "skipped"
}

// Exhausted logs a delivery that has no retries left, unless there are very many.
func (o *Observer) Exhausted(ep *bellwire.Endpoint, id bellwire.DeliveryID, eventType, reason string) {
	if omitted, ok := o.exhausted.allow(time.Now()); ok {
		o.log.Warn("delivery exhausted", "tenant", ep.Tenant, "endpoint", ep.ID, "delivery", id.String(), "type", eventType,
			"reason", reason, "omitted", omitted)
	}
}

// TooOld logs that deliveries of an endpoint have waited too long.
func (o *Observer) TooOld(ep *bellwire.Endpoint, deliveries int, reason string) {
	if omitted, ok := o.exhausted.allow(time.Now()); ok {
		o.log.Warn("deliveries exhausted", "tenant", ep.Tenant, "endpoint", ep.ID, "deliveries", deliveries, "reason", reason, "omitted", omitted)
	}
}

// Canceled counts deliveries that were canceled without an attempt.
func (o *Observer) Canceled(dialect string, deliveries int, cause bellwire.CancelCause) {
	o.metrics.canceled.WithLabelValues(dialect, string(cause)).Add(float64(deliveries))
	o.metrics.ends.WithLabelValues(dialect, string(bellwire.DeliveryCanceled)).Add(float64(deliveries))
}

// EventsExpired counts and logs deliveries of an endpoint whose events have expired, unless that would be very many records.
func (o *Observer) EventsExpired(ep *bellwire.Endpoint, deliveries int) {
	o.metrics.expired.WithLabelValues(ep.Dialect).Add(float64(deliveries))
	if omitted, ok := o.expired.allow(time.Now()); ok {
		o.log.Info("deliveries ended: their events have expired", "tenant", ep.Tenant, "endpoint", ep.ID, "deliveries", deliveries, "omitted", omitted)
	}
}

// Disabled logs and counts that Bellwire has disabled an endpoint.
func (o *Observer) Disabled(ep *bellwire.Endpoint, reason string) {
	o.metrics.disabled.Inc()
	o.log.Warn("endpoint disabled", "tenant", ep.Tenant, "endpoint", ep.ID, "reason", reason)
}

// Claimed counts deliveries claimed from the store.
func (o *Observer) Claimed(deliveries int, took time.Duration) {
	o.metrics.claimed.Add(float64(deliveries))
	o.metrics.claim.observe(deliveries, took)
}

// Breaker counts and logs that an endpoint's circuit breaker opened or closed.
func (o *Observer) Breaker(ep *bellwire.Endpoint, open bool, failures int) {
	to, level, message := "closed", slog.LevelInfo, "circuit breaker closed: endpoint succeeds again"
	if open {
		to, level, message = "open", slog.LevelWarn, "circuit breaker opened: endpoint keeps failing"
	}
	o.metrics.breakers.WithLabelValues(to).Inc()
	if o.breakers.Allow() {
		o.log.Log(context.Background(), level, message, "endpoint", ep.ID, "tenant", ep.Tenant, "failures", failures)
	}
}

// Overdrawn counts and logs that a tenant has used up its requests to a host.
func (o *Observer) Overdrawn(ep *bellwire.Endpoint, host string) {
	o.metrics.overdrawn.Inc()
	if o.targets.first(time.Now(), ep.Tenant+" "+host) {
		o.log.Warn("unacknowledged requests of a tenant to a host used up for this hour: deliveries there wait",
			"tenant", ep.Tenant, "endpoint", ep.ID, "host", host, "limit", "target_requests")
	}
}

// NodeFailed counts a delivery that was postponed, and logs when a kind of fault begins.
func (o *Observer) NodeFailed(kind string, err error) {
	o.metrics.nodeFaults.WithLabelValues(kind).Inc()
	if o.faults.begins(time.Now(), kind) {
		o.log.Warn("deliveries postponed because of a fault of this node: they wait and use up no retries",
			"kind", kind, "error", err.Error(), "advice", nodeAdvice[kind])
	}
}

// nodeAdvice maps kinds of faults to remedies.
var nodeAdvice = map[string]string{
	"descriptors":   "raise the limit on open files (ulimit -n, LimitNOFILE)",
	"memory":        "give the machine more memory, or the kernel more for sockets",
	"ports":         "let the receiver keep connections open, or widen net.ipv4.ip_local_port_range",
	"configuration": "see the log for \"endpoint cannot be served\"",
}

// TookOver counts and logs shards that this node has taken over.
func (o *Observer) TookOver(t bellwire.Takeover) {
	o.metrics.shardsTaken.WithLabelValues(string(t.Why)).Add(float64(t.Shards))
	o.log.Info("shards taken over", "shards", t.Shards, "from", t.From, "reason", string(t.Why))
}

// HandedOver counts and logs shards that this node has given up.
func (o *Observer) HandedOver(shards int) {
	o.metrics.shardsGiven.WithLabelValues(shardsHanded).Add(float64(shards))
	o.log.Info("shards handed over", "shards", shards)
}

// LostShards counts and logs shards that another node has taken over.
func (o *Observer) LostShards(shards int) {
	o.metrics.shardsGiven.WithLabelValues(shardsLost).Add(float64(shards))
	o.log.Warn("shards lost: another node took them over, because this node had not renewed its leases in time", "shards", shards)
}

// AlertsMailed counts an alert e-mail.
func (o *Observer) AlertsMailed(sent bool) { o.metrics.emails.WithLabelValues(emailResult(sent)).Inc() }

func emailResult(sent bool) string {
	if sent {
		return "sent"
	}
	return "failed"
}

// Forwarded counts deliveries that other nodes have accepted.
func (o *Observer) Forwarded(deliveries int) { o.metrics.forwarded.Add(float64(deliveries)) }

// NotForwarded counts deliveries that their owners claim from the store.
func (o *Observer) NotForwarded(deliveries int, reason string) {
	o.metrics.notForwarded.WithLabelValues(reason).Add(float64(deliveries))
}

// StoreFailed counts a failure of a store operation, and logs at most one per operation in storeLogInterval.
func (o *Observer) StoreFailed(operation string, err error) {
	o.metrics.storeErrors.WithLabelValues(operation, string(bellwire.CodeOf(err))).Inc()
	o.sometimes(operation).Do(func() {
		o.log.Error("store operation failed", "operation", operation, "code", string(bellwire.CodeOf(err)), "error", err.Error())
	})
}

func (o *Observer) sometimes(operation string) *rate.Sometimes {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.failures[operation]
	if s == nil {
		s = &rate.Sometimes{First: 1, Interval: storeLogInterval}
		o.failures[operation] = s
	}
	return s
}
