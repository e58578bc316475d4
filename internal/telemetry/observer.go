package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// storeLogInterval is the least time between two log records of failures of one store operation: during
// an outage every group fails, and the metrics count them all.
const storeLogInterval = 10 * time.Second

// Breakers of many endpoints can open at once, when one receiver of many tenants goes down.
const (
	breakerLogRate  = 10 // a second
	breakerLogBurst = 100
)

// Observer turns what the engine reports into metrics and log records. It implements bellwire.Observer.
type Observer struct {
	metrics  *Metrics
	log      *slog.Logger
	breakers *rate.Limiter
	// unsendable are the endpoints and causes that were logged.
	unsendable firsts
	// targets are the tenants and hosts that were logged.
	targets firsts

	refused tally // requests, for their credentials

	faults episodes // of the node

	mu       sync.Mutex
	failures map[string]*rate.Sometimes // by store operation
}

var _ bellwire.Observer = (*Observer)(nil)

// NewObserver returns an Observer that counts in metrics and writes to log.
func NewObserver(metrics *Metrics, log *slog.Logger) *Observer {
	return &Observer{
		metrics:  metrics,
		log:      log,
		breakers: rate.NewLimiter(breakerLogRate, breakerLogBurst),
		refused:  tally{interval: authenticationLogInterval},
		failures: make(map[string]*rate.Sometimes),
	}
}

// Appended counts a committed group of publishes.
func (o *Observer) Appended(events, deliveries int, took time.Duration) {
	o.metrics.events.Add(float64(events))
	o.metrics.deliveries.Add(float64(deliveries))
	o.metrics.append.observe(events, took)
}

// Attempted counts an attempt.
func (o *Observer) Attempted(a *bellwire.Attempt, ep *bellwire.Endpoint) {
	o.metrics.attempts.WithLabelValues(ep.Dialect, string(a.Trigger), string(a.Outcome)).Inc()
	o.metrics.attemptSeconds.WithLabelValues(ep.Dialect).Observe(a.Timings.Total.Seconds())
	if a.Number == 1 && a.Trigger == bellwire.TriggerSchedule {
		// A delivery's id is made when its event is taken.
		o.metrics.waitSeconds.Observe(max(0, a.StartedAt.Sub(a.Delivery.Time()).Seconds()))
	}
}

// Recorded counts a committed group of outcomes.
func (o *Observer) Recorded(outcomes int, took time.Duration) {
	o.metrics.record.observe(outcomes, took)
}

// Ended counts a delivery that came to an end.
func (o *Observer) Ended(ep *bellwire.Endpoint, status bellwire.DeliveryStatus, after time.Duration) {
	o.metrics.ended.WithLabelValues(string(status)).Observe(after.Seconds())
	o.metrics.ends.WithLabelValues(ep.Dialect, string(status)).Inc()
}

// Unsendable counts a delivery that its endpoint's dialect has no form for, and logs the first of each endpoint and cause
// now and then: the publisher has to change something, or every event of the type ends so.
func (o *Observer) Unsendable(ep *bellwire.Endpoint, eventType, reason string) {
	o.metrics.unsendable.WithLabelValues(ep.Dialect).Inc()
	if o.unsendable.first(time.Now(), ep.ID+" "+eventType+" "+reason) {
		o.log.Warn("event cannot be sent in the endpoint's dialect", "tenant", ep.Tenant, "endpoint", ep.ID,
			"dialect", ep.Dialect, "type", eventType, "reason", reason)
	}
}

// Claimed counts deliveries taken from the store.
func (o *Observer) Claimed(deliveries int, took time.Duration) {
	o.metrics.claimed.Add(float64(deliveries))
	o.metrics.claim.observe(deliveries, took)
}

// Breaker counts and logs that an endpoint's circuit breaker opened or closed.
func (o *Observer) Breaker(ep *bellwire.Endpoint, open bool, failures int) {
	to, level, message := "closed", slog.LevelInfo, "circuit breaker closed: the endpoint answers again"
	if open {
		to, level, message = "open", slog.LevelWarn, "circuit breaker opened: the endpoint keeps failing"
	}
	o.metrics.breakers.WithLabelValues(to).Inc()
	if o.breakers.Allow() {
		o.log.Log(context.Background(), level, message, "endpoint", ep.ID, "tenant", ep.Tenant, "failures", failures)
	}
}

// Overdrawn counts and logs that a tenant has no requests left to a host.
func (o *Observer) Overdrawn(ep *bellwire.Endpoint, host string) {
	o.metrics.overdrawn.Inc()
	if o.targets.first(time.Now(), ep.Tenant+" "+host) {
		o.log.Warn("a tenant's requests to a host are not acknowledged, and are as many as it may have in an hour: deliveries there wait",
			"tenant", ep.Tenant, "endpoint", ep.ID, "host", host, "limit", "target_requests")
	}
}

// NodeFailed counts a delivery that was set back, and logs when a kind of fault begins.
func (o *Observer) NodeFailed(kind string, err error) {
	o.metrics.nodeFaults.WithLabelValues(kind).Inc()
	if o.faults.begins(time.Now(), kind) {
		o.log.Warn("this node cannot send some deliveries through a fault of its own; they wait and use up no retries",
			"kind", kind, "error", err.Error(), "advice", nodeAdvice[kind])
	}
}

// nodeAdvice says what helps against a kind of fault.
var nodeAdvice = map[string]string{
	"descriptors":   "raise the limit on open files (ulimit -n, LimitNOFILE)",
	"memory":        "give the machine more memory, or the kernel more for sockets",
	"ports":         "have the receiver keep connections open, or widen net.ipv4.ip_local_port_range",
	"configuration": "see the log for \"endpoint cannot be served\"",
}

// TookOver counts and logs shards that this node has taken.
func (o *Observer) TookOver(t bellwire.Takeover) {
	o.metrics.shardsTaken.WithLabelValues(string(t.Why)).Add(float64(t.Shards))
	o.log.Info("took over shards", "shards", t.Shards, "from", t.From, "reason", string(t.Why))
}

// HandedOver logs shards that this node gave away.
func (o *Observer) HandedOver(shards int) {
	o.log.Info("handed over shards", "shards", shards)
}

// Lost logs shards that another node took.
func (o *Observer) Lost(shards int) {
	o.log.Warn("lost shards: another node took them over, because this one had not renewed its leases in time", "shards", shards)
}

// StoreFailed counts every failure of a store operation, and logs one of each operation now and then.
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
