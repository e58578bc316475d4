package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func newObserved(t *testing.T) (*Metrics, *Observer, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	m := NewMetrics("1.2.3", "abc")
	return m, NewObserver(m, NewLogger(&logged, FormatJSON, slog.LevelInfo)), &logged
}

func TestObserverCounts(t *testing.T) {
	t.Parallel()
	m, o, _ := newObserved(t)
	ep := &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", Dialect: "standard"}

	o.Appended(3, 5, 2*time.Millisecond)
	o.Attempted(&bellwire.Attempt{Trigger: bellwire.TriggerSchedule, Outcome: bellwire.OutcomeOK}, ep, nil)
	o.Attempted(&bellwire.Attempt{Trigger: bellwire.TriggerManual, Outcome: bellwire.OutcomeBlocked}, ep, nil)
	o.Recorded(4, time.Millisecond)
	o.Forwarded(3)
	o.NotForwarded(2, "full")
	o.Claimed(7, time.Millisecond)
	o.Ended(ep, bellwire.DeliverySucceeded, time.Second, nil)
	o.Breaker(ep, true, 10)
	o.Canceled("standard", 6, bellwire.CanceledDisabled)

	var wait string
	old := bellwire.NewID[bellwire.DeliveryKind](time.UnixMilli(1000))
	for _, d := range []bellwire.Delivery{
		{ID: old, CreatedAt: time.UnixMilli(5000)},                                  // a replay
		{ID: old, CreatedAt: time.UnixMilli(1000), NotBefore: time.UnixMilli(5000)}, // delayed
	} {
		for number := range 3 {
			o.Attempted(&bellwire.Attempt{
				Number: number + 1, Trigger: bellwire.TriggerSchedule, Outcome: bellwire.OutcomeTimeout, StartedAt: time.UnixMilli(5250),
			}, ep, &d)
		}
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "bellwire_first_attempt_wait_seconds" {
			h := f.GetMetric()[0].GetHistogram()
			wait = fmt.Sprintf("%d first attempts after %g s", h.GetSampleCount(), h.GetSampleSum())
		}
	}
	if got, want := wait, "2 first attempts after 0.5 s"; got != want {
		t.Errorf("got %q, want %q: neither retries nor the time before a delivery could be sent count", got, want)
	}

	for name, got := range map[string]float64{
		"events 3":          testutil.ToFloat64(m.events),
		"deliveries 5":      testutil.ToFloat64(m.deliveries),
		"claimed 7":         testutil.ToFloat64(m.claimed),
		"forwarded 3":       testutil.ToFloat64(m.forwarded),
		"not forwarded 2":   testutil.ToFloat64(m.notForwarded.WithLabelValues("full")),
		"attempts ok 1":     testutil.ToFloat64(m.attempts.WithLabelValues("standard", "schedule", "ok")),
		"attempts failed 1": testutil.ToFloat64(m.attempts.WithLabelValues("standard", "manual", "blocked")),
		"ended 1":           testutil.ToFloat64(m.ends.WithLabelValues("standard", "succeeded")),
		"canceled 6":        testutil.ToFloat64(m.canceled.WithLabelValues("standard", "endpoint_disabled")),
		"ended, canceled 6": testutil.ToFloat64(m.ends.WithLabelValues("standard", "canceled")),
		"breakers open 1":   testutil.ToFloat64(m.breakers.WithLabelValues("open")),
		"breakers closed 0": testutil.ToFloat64(m.breakers.WithLabelValues("closed")),
	} {
		t.Run(name, func(t *testing.T) {
			if want := float64(name[len(name)-1] - '0'); got != want {
				t.Errorf("%s: got %v", name, got)
			}
		})
	}
	if n := testutil.CollectAndCount(m.attemptSeconds); n != 1 {
		t.Errorf("attempt durations have %d series, want 1: an attempt without a request took no time", n)
	}
}

func TestStoreFailuresAreAllCountedButRarelyLogged(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	failure := bellwire.Wrap(bellwire.CodeUnavailable, errors.New("disk I/O error"), "the database did not answer")
	for range 100 {
		o.StoreFailed("append", failure)
	}
	o.StoreFailed("record", failure)

	if got := testutil.ToFloat64(m.storeErrors.WithLabelValues("append", "unavailable")); got != 100 {
		t.Errorf("counted %v failures, want 100", got)
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("wrote %d records, want one for each operation:\n%s", len(lines), logged)
	}
	var record struct{ Level, Msg, Operation, Code, Error string }
	if err := json.Unmarshal([]byte(lines[0]), &record); err != nil {
		t.Fatal(err)
	}
	if record.Level != "ERROR" || record.Operation != "append" || record.Code != "unavailable" || !strings.Contains(record.Error, "disk I/O") {
		t.Errorf("the record does not tell what happened: %+v", record)
	}
}

// All are counted, by dialect; the first of each endpoint and cause is logged, and again after an hour.
func TestUnsendable(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	m.ServeDialects("standard", "atelio")
	if n := testutil.CollectAndCount(m.unsendable); n != 2 {
		t.Errorf("%d dialects begin at zero, want 2", n)
	}
	if n := testutil.CollectAndCount(m.ends); n != 2*3 {
		t.Errorf("%d ends begin at zero, want 3 of each dialect", n)
	}
	one := &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", Dialect: "atelio"}
	two := &bellwire.Endpoint{ID: "ep_2", Tenant: "acme", Dialect: "atelio"}
	for range 50 {
		o.Unsendable(one, "card.created", "no object")
		o.Unsendable(one, "card.created", "another event")
		o.Unsendable(one, "card.closed", "no object")
		o.Unsendable(two, "card.created", "no object")
	}
	if got := testutil.ToFloat64(m.unsendable.WithLabelValues("atelio")); got != 200 {
		t.Errorf("counted %v, want 200", got)
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("wrote %d records, want one for each endpoint and cause:\n%s", len(lines), logged)
	}
	var record struct{ Level, Tenant, Endpoint, Dialect, Type, Reason string }
	if err := json.Unmarshal([]byte(lines[1]), &record); err != nil {
		t.Fatal(err)
	}
	if want := (struct{ Level, Tenant, Endpoint, Dialect, Type, Reason string }{"WARN", "acme", "ep_1", "atelio", "card.created", "another event"}); record != want {
		t.Errorf("the record is %+v", record)
	}

	var f firsts
	start := time.Now()
	for i := range 2 * maxFirsts {
		if got := f.first(start, strconv.Itoa(i)); got != (i < maxFirsts) {
			t.Fatalf("kind %d is a first: %v", i, got)
		}
	}
	if f.first(start.Add(firstsInterval-1), "0") || !f.first(start.Add(firstsInterval), "0") || !f.first(start.Add(firstsInterval), "5000") {
		t.Error("after an hour all kinds are new")
	}
}

func TestBreakerLogsNameTheEndpoint(t *testing.T) {
	t.Parallel()
	_, o, logged := newObserved(t)
	ep := &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://example.com/secret-path"}
	o.Breaker(ep, true, 12)
	o.Breaker(ep, false, 0)
	for _, want := range []string{`"level":"WARN"`, `"endpoint":"ep_1"`, `"tenant":"acme"`, `"failures":12`, "succeeds again"} {
		t.Run(want, func(t *testing.T) {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the records lack %s:\n%s", want, logged)
			}
		})
	}
	if strings.Contains(logged.String(), "secret-path") {
		t.Error("the records contain the endpoint's URL, which can hold a credential")
	}
}

// All episodes are counted; the first of each tenant and host is logged.
func TestOverdrawnTargetsAreCounted(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	ep := &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://victim.example/secret-path"}
	for range 3 {
		o.Overdrawn(ep, "victim.example")
	}
	o.Overdrawn(&bellwire.Endpoint{ID: "ep_2", Tenant: "other"}, "victim.example")
	if n := testutil.ToFloat64(m.overdrawn); n != 4 {
		t.Errorf("%v episodes are counted", n)
	}
	for _, want := range []string{`"level":"WARN"`, `"tenant":"acme","endpoint":"ep_1","host":"victim.example"`, `"tenant":"other"`} {
		if n := strings.Count(logged.String(), want); n < 1 || n > 2 {
			t.Errorf("the records have %s %d times:\n%s", want, n, logged)
		}
	}
	if n := strings.Count(logged.String(), "\n"); n != 2 {
		t.Errorf("there are %d records", n)
	}
	if strings.Contains(logged.String(), "secret-path") {
		t.Error("the records contain the endpoint's URL, which can hold a credential")
	}
}

func TestChangesOfOwnersAreLogged(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	o.TookOver(bellwire.Takeover{Shards: 128, From: "b", Why: bellwire.TakeoverExpired})
	o.HandedOver(3)
	o.LostShards(4)
	for _, want := range []string{
		`"level":"INFO","msg":"shards taken over","shards":128,"from":"b","reason":"expired"`,
		`"level":"INFO","msg":"shards handed over","shards":3`, `"level":"WARN","msg":"shards lost`,
	} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the records lack %s:\n%s", want, logged)
		}
	}
	if n := testutil.ToFloat64(m.shardsTaken.WithLabelValues("expired")); n != 128 {
		t.Errorf("%v shards of dead nodes are counted", n)
	}
	for reason, want := range map[string]float64{shardsHanded: 3, shardsLost: 4} {
		if n := testutil.ToFloat64(m.shardsGiven.WithLabelValues(reason)); n != want {
			t.Errorf("%g shards are counted as %s, want %g", n, reason, want)
		}
	}
}

func TestGaugesReadAtScrape(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	g := &gauges{
		stats: func() Stats {
			return Stats{Lanes: 1, Queued: 2, InFlight: 3, OpenBreakers: 4, Waiting: 6, QueuedBytes: 7, LeftInStore: 11, Unrecorded: 8, Damaged: true, OwnedShards: 10, Nodes: 12, LeaseAge: 1500 * time.Millisecond}
		},
		backlog: func() (*bellwire.Backlog, error) {
			return &bellwire.Backlog{Open: 5, Oldest: now.Add(-90 * time.Second), FanOut: 11, Unmatched: 9, OldestUnmatched: now.Add(-61 * time.Second), CountedAt: now.Add(-time.Minute)}, nil
		},
		now: func() time.Time { return now },
	}
	want := `
# HELP bellwire_backlog_age_seconds Seconds that the longest waiting delivery had been due when the backlog was counted; 0 if none was due.
# TYPE bellwire_backlog_age_seconds gauge
bellwire_backlog_age_seconds 30
# HELP bellwire_backlog_count_age_seconds Seconds since the figures of the backlog, of its fan-out and of unmatched events were counted.
# TYPE bellwire_backlog_count_age_seconds gauge
bellwire_backlog_count_age_seconds 60
# HELP bellwire_backlog_deliveries Deliveries in the database that have not ended. May be an estimate.
# TYPE bellwire_backlog_deliveries gauge
bellwire_backlog_deliveries 5
# HELP bellwire_fan_out_deliveries Deliveries of large publications that are still to be stored. They are included in the backlog.
# TYPE bellwire_fan_out_deliveries gauge
bellwire_fan_out_deliveries 11
# HELP bellwire_in_flight_requests Requests to endpoints in progress.
# TYPE bellwire_in_flight_requests gauge
bellwire_in_flight_requests 3
# HELP bellwire_database_damaged 1 if the SQLite database was found damaged since the start.
# TYPE bellwire_database_damaged gauge
bellwire_database_damaged 1
# HELP bellwire_lanes Endpoints whose state is in memory.
# TYPE bellwire_lanes gauge
bellwire_lanes 1
# HELP bellwire_lease_age_seconds Seconds since this node renewed its leases; 0 on SQLite, where they do not end.
# TYPE bellwire_lease_age_seconds gauge
bellwire_lease_age_seconds 1.5
# HELP bellwire_nodes Nodes that live, as far as this node can tell; itself included.
# TYPE bellwire_nodes gauge
bellwire_nodes 12
# HELP bellwire_left_deliveries_total Deliveries that did not fit into memory when they were published, because their tenant had used up its share.
# TYPE bellwire_left_deliveries_total counter
bellwire_left_deliveries_total 11
# HELP bellwire_open_breakers Endpoints whose circuit breaker is open.
# TYPE bellwire_open_breakers gauge
bellwire_open_breakers 4
# HELP bellwire_owned_shards Shards of 256 that this node sends for; 0 while its leases have lapsed.
# TYPE bellwire_owned_shards gauge
bellwire_owned_shards 10
# HELP bellwire_queued_deliveries Deliveries waiting in memory, and places reserved for some.
# TYPE bellwire_queued_deliveries gauge
bellwire_queued_deliveries 2
# HELP bellwire_queued_bytes Bytes of events and their request bodies in memory, each counted once, and of results that are not stored yet.
# TYPE bellwire_queued_bytes gauge
bellwire_queued_bytes 7
# HELP bellwire_unmatched_age_seconds Age in seconds of the oldest of them when they were counted; 0 if there was none.
# TYPE bellwire_unmatched_age_seconds gauge
bellwire_unmatched_age_seconds 1
# HELP bellwire_unmatched_events Events published in the database that wait to be matched. Large numbers are not counted completely.
# TYPE bellwire_unmatched_events gauge
bellwire_unmatched_events 9
# HELP bellwire_unrecorded_results Results of attempts that are not stored yet.
# TYPE bellwire_unrecorded_results gauge
bellwire_unrecorded_results 8
# HELP bellwire_waiting_publishes Publishes waiting to be stored.
# TYPE bellwire_waiting_publishes gauge
bellwire_waiting_publishes 6
`
	if err := testutil.CollectAndCompare(g, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

// A scrape shows what there is while the database does not answer, or has not been counted yet.
func TestScrapeSurvivesStoreOutage(t *testing.T) {
	t.Parallel()
	m := NewMetrics("", "")
	m.Gauge(func() Stats { return Stats{Lanes: 1} }, func() (*bellwire.Backlog, error) {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database did not answer")
	})
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, f := range families {
		names[f.GetName()] = true
	}
	if !names["bellwire_lanes"] || names["bellwire_backlog_deliveries"] {
		t.Errorf("want the engine's gauges without the store's, got %v", names)
	}
}

// The documentation page on metrics lists exactly the metrics that a scrape can return.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `(bellwire_[a-z_]+)` ").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = true
	}
	if diff := cmp.Diff(registered(t), documented); diff != "" {
		t.Errorf("docs/metrics.md and the registry differ (-registry +page):\n%s", diff)
	}
}

// registered returns the names of all of Bellwire's own metrics, once each has a series to show.
func registered(t *testing.T) map[string]bool {
	t.Helper()
	m, o, _ := newObserved(t)
	m.CountDroppedLines(func() uint64 { return 0 })
	m.Gauge(func() Stats { return Stats{} }, func() (*bellwire.Backlog, error) { return &bellwire.Backlog{}, nil })
	ep := &bellwire.Endpoint{Dialect: "standard"}
	o.Attempted(&bellwire.Attempt{Outcome: bellwire.OutcomeOK}, ep, nil)
	o.Ended(ep, bellwire.DeliverySucceeded, 0, nil)
	o.Unsendable(ep, "card.created", "x")
	o.EventsExpired(ep, 1)
	o.Canceled(ep.Dialect, 1, bellwire.CanceledOnRequest)
	o.AuthenticationFailed("api", "missing", "192.0.2.1")
	o.StoreFailed("append", errors.New("x"))
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "bellwire_") {
			names[f.GetName()] = true
		}
	}
	return names
}

// All requests are counted. The log reports the first of each kind, and again after a pause.
func TestNodeFaults(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	for range 50 {
		o.NodeFailed("descriptors", errors.New("socket: too many open files"))
		o.NodeFailed("configuration", errors.New("no dialect"))
	}
	if got := testutil.ToFloat64(m.nodeFaults.WithLabelValues("descriptors")); got != 50 {
		t.Errorf("counted %v, want 50", got)
	}
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"level":"WARN"`) || !strings.Contains(lines[0], "LimitNOFILE") {
		t.Errorf("logged\n%s", logged)
	}

	var e episodes
	at := time.Now()
	for i, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {episodeGap - 1, false}, {episodeGap - 1, false}, {episodeGap, true}, {0, false}} {
		at = at.Add(c.after)
		if got := e.begins(at, "descriptors"); got != c.want {
			t.Errorf("fault %d begins an episode: %v", i+1, got)
		}
	}
}

// TestEndsAreLogged expects a record for each endpoint that is disabled and each delivery that is exhausted or expires, unless there are very
// many. The next record says how many were left out.
func TestEndsAreLogged(t *testing.T) {
	t.Parallel()
	m, o, logged := newObserved(t)
	ep := &bellwire.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://example.com/secret-path"}
	id := bellwire.NewID[bellwire.DeliveryKind](time.Now())
	o.Disabled(ep, "it is gone")
	o.Exhausted(ep, id, "invoice.paid", bellwire.ReasonRetriesSpent)
	o.TooOld(ep, 12, bellwire.ReasonTimeOver)
	o.EventsExpired(ep, 3)
	for _, want := range []string{
		`"msg":"endpoint disabled","tenant":"acme","endpoint":"ep_1","reason":"it is gone"`,
		`"msg":"delivery exhausted","tenant":"acme","endpoint":"ep_1","delivery":"` + id.String() + `","type":"invoice.paid","reason":"` + bellwire.ReasonRetriesSpent + `"`,
		`"msg":"deliveries exhausted","tenant":"acme","endpoint":"ep_1","deliveries":12,"reason":"` + bellwire.ReasonTimeOver + `"`,
		`"msg":"deliveries ended: their events have expired","tenant":"acme","endpoint":"ep_1","deliveries":3`,
	} {
		if strings.Count(logged.String(), want) != 1 {
			t.Errorf("the records lack %s:\n%s", want, logged)
		}
	}
	if n := testutil.ToFloat64(m.expired); n != 3 {
		t.Errorf("%v expired deliveries were counted", n)
	}
	if n := testutil.ToFloat64(m.disabled); n != 1 {
		t.Errorf("%v endpoints were counted", n)
	}
	if strings.Contains(logged.String(), "secret-path") {
		t.Error("the records contain the endpoint's URL, which can hold a credential")
	}

	s := sampler{limiter: rate.NewLimiter(1, 2)}
	at, got := time.Now(), ""
	for _, after := range []time.Duration{0, 0, 0, 0, time.Second, 3 * time.Second} {
		omitted, ok := s.allow(at.Add(after))
		got += fmt.Sprint(omitted, ok, " ")
	}
	if want := "0 true 0 true 0 false 0 false 2 true 0 true "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
