package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Metrics are Bellwire's metrics, in a registry of their own. No label names a tenant or an endpoint, because there are too
// many, and because everybody who can reach the server can read a scrape.
type Metrics struct {
	registry *prometheus.Registry

	events         prometheus.Counter
	deliveries     prometheus.Counter
	claimed        prometheus.Counter
	forwarded      prometheus.Counter
	notForwarded   *prometheus.CounterVec // by reason
	attempts       *prometheus.CounterVec
	attemptSeconds *prometheus.HistogramVec
	waitSeconds    prometheus.Histogram
	ended          *prometheus.HistogramVec
	ends           *prometheus.CounterVec
	unsendable     *prometheus.CounterVec
	expired        *prometheus.CounterVec
	canceled       *prometheus.CounterVec
	filterErrors   *prometheus.CounterVec
	overdrawn      prometheus.Counter
	disabled       prometheus.Counter
	emails         *prometheus.CounterVec
	nodeFaults     *prometheus.CounterVec
	breakers       *prometheus.CounterVec
	shardsTaken    *prometheus.CounterVec
	shardsGiven    *prometheus.CounterVec
	storeErrors    *prometheus.CounterVec
	authentication *prometheus.CounterVec
	spans          *prometheus.CounterVec

	append, record, claim group
}

// group observes one kind of grouped store operation.
type group struct {
	size    prometheus.Observer
	seconds prometheus.Observer
}

func (g group) observe(size int, took time.Duration) {
	g.size.Observe(float64(size))
	g.seconds.Observe(took.Seconds())
}

// Buckets range from a local exchange to the longest deadline, from one fsync to a stuck disk, and from a first attempt to
// the end of a three-day schedule.
var (
	attemptBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30}
	storeBuckets   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	endedBuckets   = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 15, 60, 600, 3600, 21600, 86400, 345600}
	groupBuckets   = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
)

// NewMetrics returns the metrics of a process of the given version.
func NewMetrics(version, commit string) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		events:     counter("bellwire_events_total", "Events accepted and stored."),
		deliveries: counter("bellwire_deliveries_total", "Deliveries stored with their events."),
		claimed:    counter("bellwire_claimed_deliveries_total", "Deliveries claimed from the database: retries, overflow and recovery."),
		forwarded:  counter("bellwire_forwarded_deliveries_total", "Deliveries that this node has stored, and that the nodes which send them have accepted from it."),
		notForwarded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_not_forwarded_deliveries_total", Help: "Deliveries that this node has stored, and that the nodes which send them claim from the database, by reason.",
		}, []string{"reason"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_attempts_total", Help: "Attempts that have ended, by dialect, trigger and outcome.",
		}, []string{"dialect", "trigger", "outcome"}),
		attemptSeconds: histogram("bellwire_attempt_seconds", "Duration of one attempt, from DNS to the last byte of the response.", attemptBuckets, "dialect"),
		waitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bellwire_first_attempt_wait_seconds", Help: "Time from when a delivery could first be sent to the start of its first attempt.", Buckets: endedBuckets,
		}),
		ended: histogram("bellwire_delivery_seconds", "Time from when a delivery could first be sent to its end, by the delivery's status.", endedBuckets, "status"),
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_ended_deliveries_total", Help: "Deliveries that have ended, by dialect and status.",
		}, []string{"dialect", "status"}),
		nodeFaults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_node_faults_total",
			Help: "Deliveries postponed because of a fault of this node.",
		}, []string{"kind"}),
		unsendable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_unsendable_deliveries_total",
			Help: "Deliveries that ended without an attempt, because their endpoint's dialect cannot express the event.",
		}, []string{"dialect"}),
		expired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_expired_deliveries_total", Help: "Deliveries that ended because their events have expired.",
		}, []string{"dialect"}),
		canceled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_canceled_deliveries_total", Help: "Deliveries that were canceled without an attempt, by dialect and reason.",
		}, []string{"dialect", "reason"}),
		filterErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_filter_errors_total", Help: "Events for which an endpoint's filter had no answer, by what on_error made of them.",
		}, []string{"result"}),
		disabled:  counter("bellwire_endpoints_disabled_total", "Endpoints that Bellwire has disabled, because they failed for too long or answered 410."),
		overdrawn: counter("bellwire_target_requests_used_up_total", "Times that a tenant had used up its requests to a host that does not acknowledge them."),
		shardsTaken: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_shards_taken_total", Help: "Shards that this node has taken over, by reason.",
		}, []string{"reason"}),
		shardsGiven: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_shards_given_total", Help: "Shards that other nodes have instead of this one, by reason.",
		}, []string{"reason"}),
		breakers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_breaker_transitions_total", Help: "Circuit breakers that opened or closed.",
		}, []string{"to"}),
		storeErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwire_store_errors_total", Help: "Store operations that failed, by operation and error code.",
		}, []string{"operation", "code"}),
	}
	m.emails = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bellwire_alert_emails_total", Help: "Alert e-mails, by what became of them.",
	}, []string{"result"})
	m.spans = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bellwire_spans_total", Help: "Spans of traces that have ended, by what became of them.",
	}, []string{"result"})
	m.authentication = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bellwire_authentication_failures_total", Help: "Requests refused for missing or invalid credentials, by front end and reason.",
	}, []string{"front_end", "reason"})
	size := histogram("bellwire_store_group_size", "Events appended, outcomes recorded or deliveries claimed in one store operation.", groupBuckets, "operation")
	seconds := histogram("bellwire_store_seconds", "Duration of one store operation, including the commit.", storeBuckets, "operation")
	for operation, g := range map[string]*group{"append": &m.append, "record": &m.record, "claim": &m.claim} {
		*g = group{size: size.WithLabelValues(operation), seconds: seconds.WithLabelValues(operation)}
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "bellwire_build_info", Help: "Always 1; the labels identify the build.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit},
	})
	build.Set(1)
	m.registry.MustRegister(m.events, m.deliveries, m.claimed, m.forwarded, m.notForwarded, m.attempts, m.attemptSeconds, m.waitSeconds, m.ended,
		m.ends, m.unsendable, m.expired, m.canceled, m.filterErrors, m.overdrawn, m.disabled, m.emails, m.nodeFaults, m.breakers, m.shardsTaken, m.shardsGiven, m.storeErrors, m.authentication, m.spans, size, seconds, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, to := range []string{"open", "closed"} {
		m.breakers.WithLabelValues(to) // so that the first transition counts as an increase
	}
	for _, delivered := range []bool{true, false} {
		m.filterErrors.WithLabelValues(filterResult(delivered))
	}
	for _, sent := range []bool{true, false} {
		m.emails.WithLabelValues(emailResult(sent))
	}
	for _, reason := range []string{"unreachable", "large", "full", "left", "refused", "no_answer"} {
		m.notForwarded.WithLabelValues(reason)
	}
	for kind := range nodeAdvice {
		m.nodeFaults.WithLabelValues(kind)
	}
	for _, why := range []bellwire.TakeoverReason{
		bellwire.TakeoverUnowned, bellwire.TakeoverHanded, bellwire.TakeoverExpired, bellwire.TakeoverRestarted,
	} {
		m.shardsTaken.WithLabelValues(string(why))
	}
	for _, why := range []string{shardsHanded, shardsLost} {
		m.shardsGiven.WithLabelValues(why)
	}
	for _, operation := range storeOperations {
		for _, code := range []bellwire.Code{bellwire.CodeUnavailable, bellwire.CodeNoSpace, bellwire.CodeInternal} {
			m.storeErrors.WithLabelValues(operation, string(code))
		}
	}
	for _, status := range bellwire.DeliveryStatuses {
		if !status.Open() {
			m.ended.WithLabelValues(string(status))
		}
	}
	for _, result := range []string{spansExported, spansFailed, spansDropped} {
		m.spans.WithLabelValues(result)
	}
	m.ServeFrontEnds("api")
	return m
}

// The values of the label reason of shards that are given.
const (
	shardsHanded = "handed_over"
	shardsLost   = "lost"
)

// storeOperations are the operations of the store that fail most often when it does.
var storeOperations = []string{
	"append events", "record outcomes", "claim due deliveries", "release deliveries", "scan for due deliveries", "renew leases", "move statistics", "backlog",
}

// ServeFrontEnds initializes the counters of front ends with zero.
func (m *Metrics) ServeFrontEnds(names ...string) {
	for _, name := range names {
		for _, reason := range []string{"missing", "invalid"} {
			m.authentication.WithLabelValues(name, reason)
		}
	}
}

// ServeDialects initializes the counters of dialects and their front ends with zero, so that the first event counts as an
// increase.
func (m *Metrics) ServeDialects(names ...string) {
	m.ServeFrontEnds(names...)
	for _, name := range names {
		m.unsendable.WithLabelValues(name)
		m.expired.WithLabelValues(name)
		for _, cause := range bellwire.CancelCauses {
			m.canceled.WithLabelValues(name, string(cause))
		}
		m.attemptSeconds.WithLabelValues(name)
		for _, trigger := range bellwire.Triggers {
			for _, outcome := range bellwire.Outcomes {
				m.attempts.WithLabelValues(name, string(trigger), string(outcome))
			}
		}
		for _, status := range bellwire.DeliveryStatuses {
			if !status.Open() {
				m.ends.WithLabelValues(name, string(status))
			}
		}
	}
}

// CountDroppedLines reports how many lines of the log have been dropped. It must be called at most once.
func (m *Metrics) CountDroppedLines(dropped func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "bellwire_log_lines_dropped_total", Help: "Log lines that could not be written to standard error, or not soon enough.",
	}, func() float64 { return float64(dropped()) }))
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func histogram(name, help string, buckets []float64, label string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label})
}

// Handler serves the metrics in the formats that Prometheus scrapes. Only OpenMetrics has exemplars.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// Stats describe what the engine holds at one moment.
type Stats struct {
	Waiting      int // publishes waiting to be stored
	Lanes        int // endpoints with something in memory or in flight
	Queued       int // deliveries waiting in memory
	QueuedBytes  int // of events and their request bodies in memory, and of results
	LeftInStore  int // deliveries since the start that did not fit into memory, because their tenant had used up its share
	InFlight     int // requests in progress
	Unrecorded   int // results that are not stored yet
	OpenBreakers int // lanes whose circuit breaker is open

	Damaged     bool          // the database is damaged
	OwnedShards int           // that this node sends for
	Nodes       int           // that live, as far as this one can tell
	LeaseAge    time.Duration // since the leases were renewed; 0 if they do not end
}

// Gauge reports stats and the store's backlog at each scrape. Both must return at once: backlog returns the last count, or an error
// if there is none. Gauge must be called at most once.
func (m *Metrics) Gauge(stats func() Stats, backlog func() (*bellwire.Backlog, error)) {
	m.registry.MustRegister(&gauges{stats: stats, backlog: backlog, now: time.Now})
}

// gauges collects the values at the time of a scrape.
type gauges struct {
	stats   func() Stats
	backlog func() (*bellwire.Backlog, error)
	now     func() time.Time
}

// engineGauges are read from Stats, without the store.
var engineGauges = []struct {
	desc  *prometheus.Desc
	value func(*Stats) int
}{
	{desc("bellwire_nodes", "Nodes that live, as far as this node can tell; itself included."), func(s *Stats) int { return s.Nodes }},
	{desc("bellwire_waiting_publishes", "Publishes waiting to be stored."), func(s *Stats) int { return s.Waiting }},
	{desc("bellwire_lanes", "Endpoints whose state is in memory."), func(s *Stats) int { return s.Lanes }},
	{desc("bellwire_queued_deliveries", "Deliveries waiting in memory, and places reserved for some."), func(s *Stats) int { return s.Queued }},
	{desc("bellwire_queued_bytes", "Bytes of events and their request bodies in memory, each counted once, and of results that are not stored yet."), func(s *Stats) int { return s.QueuedBytes }},
	{desc("bellwire_in_flight_requests", "Requests to endpoints in progress."), func(s *Stats) int { return s.InFlight }},
	{desc("bellwire_unrecorded_results", "Results of attempts that are not stored yet."), func(s *Stats) int { return s.Unrecorded }},
	{desc("bellwire_open_breakers", "Endpoints whose circuit breaker is open."), func(s *Stats) int { return s.OpenBreakers }},
	{desc("bellwire_owned_shards", "Shards of 256 that this node sends for; 0 while its leases have lapsed."), func(s *Stats) int { return s.OwnedShards }},
	{desc("bellwire_database_damaged", "1 if the SQLite database was found damaged since the start."), damaged},
}

func damaged(s *Stats) int {
	if s.Damaged {
		return 1
	}
	return 0
}

var (
	backlogDesc    = desc("bellwire_backlog_deliveries", "Deliveries in the database that have not ended. May be an estimate.")
	backlogAgeDesc = desc("bellwire_backlog_age_seconds", "Seconds that the longest waiting delivery had been due when the backlog was counted; 0 if none was due.")

	countAgeDesc = desc("bellwire_backlog_count_age_seconds", "Seconds since the figures of the backlog, of its fan-out and of unmatched events were counted.")

	leftDesc   = desc("bellwire_left_deliveries_total", "Deliveries that did not fit into memory when they were published, because their tenant had used up its share.")
	leaseDesc  = desc("bellwire_lease_age_seconds", "Seconds since this node renewed its leases; 0 on SQLite, where they do not end.")
	fanOutDesc = desc("bellwire_fan_out_deliveries", "Deliveries of large publications that are still to be stored. They are included in the backlog.")

	unmatchedDesc    = desc("bellwire_unmatched_events", "Events published in the database that wait to be matched. Large numbers are not counted completely.")
	unmatchedAgeDesc = desc("bellwire_unmatched_age_seconds", "Age in seconds of the oldest of them when they were counted; 0 if there was none.")
)

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

func (g *gauges) Describe(descs chan<- *prometheus.Desc) {
	for _, e := range engineGauges {
		descs <- e.desc
	}
	for _, d := range []*prometheus.Desc{leftDesc, leaseDesc, backlogDesc, backlogAgeDesc, countAgeDesc, fanOutDesc, unmatchedDesc, unmatchedAgeDesc} {
		descs <- d
	}
}

func (g *gauges) Collect(metrics chan<- prometheus.Metric) {
	report := func(d *prometheus.Desc, v float64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	s := g.stats()
	for _, e := range engineGauges {
		report(e.desc, float64(e.value(&s)))
	}
	metrics <- prometheus.MustNewConstMetric(leftDesc, prometheus.CounterValue, float64(s.LeftInStore))
	report(leaseDesc, s.LeaseAge.Seconds())

	backlog, err := g.backlog()
	if err != nil {
		return // a scrape during an outage still shows everything else; the gap and bellwire_store_errors_total show the outage
	}
	// While counts fail, ages of what the last one found must not grow: it may be gone. The age of the count does.
	report(countAgeDesc, seconds(backlog.CountedAt, g.now()))
	report(backlogDesc, float64(backlog.Open))
	report(backlogAgeDesc, seconds(backlog.Oldest, backlog.CountedAt))
	report(fanOutDesc, float64(backlog.FanOut))
	report(unmatchedDesc, float64(backlog.Unmatched))
	report(unmatchedAgeDesc, seconds(backlog.OldestUnmatched, backlog.CountedAt))
}

// seconds returns the seconds between two times, or 0 if the first is zero or later.
func seconds(since, until time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, until.Sub(since).Seconds())
}
