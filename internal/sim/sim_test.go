package sim

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// small draws a scenario of a few seconds, with faults.
func small(t *rapid.T) *Scenario {
	s := usual()
	seconds := func(name string, most int) bellwire.Duration {
		return bellwire.Duration(time.Duration(rapid.IntRange(0, most*10).Draw(t, name)) * 100 * time.Millisecond)
	}
	s.Seed = rapid.Uint64().Draw(t, "seed")
	s.Warmup, s.Duration = bellwire.Duration(time.Second), bellwire.Duration(12*time.Second)
	s.Cell.Nodes = rapid.IntRange(1, 4).Draw(t, "nodes")
	s.Cell.ByTenant = rapid.Bool().Draw(t, "by tenant")
	s.Traffic = Traffic{
		Rate: 100, Batch: rapid.IntRange(1, 5).Draw(t, "batch"), Tenants: rapid.IntRange(1, 20).Draw(t, "tenants"), Endpoints: 3,
		Deliveries: rapid.IntRange(1, 3).Draw(t, "deliveries"),
	}
	s.Receivers.Failing, s.Receivers.Hanging = 0.1, 0.05
	for _, kind := range []string{FaultNode, FaultDatabase, FaultReceivers, FaultNode} {
		if rapid.Bool().Draw(t, kind) {
			s.Faults = append(s.Faults, Fault{Kind: kind, At: seconds("at", 9), For: seconds("for", 9), Share: rapid.Float64Range(0.01, 1).Draw(t, "share")})
		}
	}
	return s
}

// Whatever fails, each event is at its publisher or accepted, and each delivery is open or has ended: none is lost, and none ends twice.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := small(t)
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		c := newCell(s)
		c.publishers()
		c.schedule()
		c.clock.run(time.Duration(s.Duration))
		if c.made != c.accepted*s.Traffic.Deliveries {
			t.Fatalf("%d events made %d deliveries", c.accepted, c.made)
		}
		if ended := c.stats.acknowledged + c.stats.exhausted; c.made != c.open+ended {
			t.Fatalf("%d deliveries were made, %d are open and %d have ended", c.made, c.open, ended)
		}
		found := c.stats.retrying
		c.each(func(l *lane) {
			found += len(l.active) + l.stored.Len()
			if l.inFlight < 0 || l.inFlight > len(l.active) {
				t.Fatalf("%d requests of an endpoint are in flight, and %d deliveries are in memory", l.inFlight, len(l.active))
			}
		})
		if found != c.open {
			t.Fatalf("%d deliveries are open, and %d were found", c.open, found)
		}
	})
}

// After a fault, everything that was published arrives.
func TestBacklogDrains(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{
		{Kind: FaultNode, Share: 0.3}, {Kind: FaultNode, Share: 1}, {Kind: FaultDatabase}, {Kind: FaultReceivers, Share: 0.5},
	} {
		t.Run(fault.Kind, func(t *testing.T) {
			s := usual()
			s.Traffic.Rate = 30
			fault.At, fault.For = bellwire.Duration(2*time.Second), bellwire.Duration(12*time.Second)
			s.Faults = []Fault{fault}
			s.Duration = bellwire.Duration(8 * time.Minute) // retries are due after 5 minutes
			r, err := Run(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if !r.KeepsUp || !r.Faults[0].Settled || r.Left > 100 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// The same scenario has the same result, and another seed another one.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := small(t)
		s.Duration = bellwire.Duration(3 * time.Second)
		var results []*Result
		for range 2 {
			r, err := Run(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		if !reflect.DeepEqual(results[0], results[1]) {
			t.Fatalf("%+v\n%+v", results[0], results[1])
		}
		s.Seed++
		if other, err := Run(t.Context(), s); err != nil || reflect.DeepEqual(results[0], other) {
			t.Fatalf("another seed has the same result: %v", err)
		}
	})
}

// Real runs of bellwire bench in November 2026, two of each, on two shared cores: see docs/scaling.md.
var measurements = []struct {
	scenario     string
	slow, fast   float64 // deliveries a second
	p50, p99     float64 // publish to receipt, in milliseconds: the slower run
	most         float64 // that the simulation may be beyond the faster run, as a share
	transactions float64 // per event, leases and the like included
}{
	{"check-1", 4703, 6196, 11.3, 34.6, 0.1, 0.064},
	{"check-2", 4099, 5553, 14.6, 44.0, 0.1, 0.14},
	{"check-3", 3057, 4376, 19.4, 59.0, 0.1, 0.205},
	{"check-batch", 11439, 13379, 569.8, 871.0, 0.1, 0.027},
}

// The simulation agrees with real runs within the error that docs/scaling.md states.
func TestAgainstRealRuns(t *testing.T) {
	t.Parallel()
	for _, m := range measurements {
		t.Run(m.scenario, func(t *testing.T) {
			s, err := Shipped(m.scenario)
			if err != nil {
				t.Fatal(err)
			}
			s.Duration = bellwire.Duration(3 * time.Second)
			r, err := Run(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Delivered < m.slow || r.Delivered > m.fast*(1+m.most) {
				t.Errorf("%.0f deliveries a second, and %.0f to %.0f were measured", r.Delivered, m.slow, m.fast)
			}
			if r.Receipt.P50 < m.p50/2 || r.Receipt.P50 > m.p50 || r.Receipt.P99 < m.p99/3 || r.Receipt.P99 > m.p99 {
				t.Errorf("publish to receipt takes %+v, and %.1f and %.1f ms were measured", r.Receipt, m.p50, m.p99)
			}
			if r.PerEvent < m.transactions/2.2 || r.PerEvent > m.transactions {
				t.Errorf("%.3f transactions for each event, and %.3f were measured", r.PerEvent, m.transactions)
			}
		})
	}
}

// A cell of docs/scaling.md keeps up with its rate, and breaks beyond what the page says.
func TestCellLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scenario string
		rate     float64
		keepsUp  bool
	}{
		{"million", 10000, true}, {"any-node", 10000, true}, {"any-node", 15000, false},
	} {
		s, err := Shipped(c.scenario)
		if err != nil {
			t.Fatal(err)
		}
		s.Traffic.Rate = c.rate
		s.Warmup, s.Duration = bellwire.Duration(2*time.Second), bellwire.Duration(3*time.Second)
		r, err := Run(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if r.KeepsUp != c.keepsUp {
			t.Errorf("%s with %.0f events a second: %+v", c.scenario, c.rate, r)
		}
	}
}

func TestShippedScenarios(t *testing.T) {
	t.Parallel()
	if MeasuredCosts().Source == "" {
		t.Error("the measured costs have no source")
	}
	for _, name := range Names() {
		if s, err := Shipped(name); err != nil || s.Description == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`{"rate": 1}`, "unknown field"},
		{`{} {}`, "one JSON object"},
		{`{"cell": {"nodes": 0}}`, "cell.nodes"},
		{`{"traffic": {"rate": 0}}`, "traffic.rate"},
		{`{"traffic": {"deliveries": 2}}`, "traffic.deliveries"},
		{`{"receivers": {"failing": 0.7, "hanging": 0.7}}`, "receivers.failing and receivers.hanging"},
		{`{"faults": [{"kind": "fire"}]}`, "faults[0].kind"},
		{`{"faults": [{"kind": "node"}]}`, "faults[0].share"},
		{`{"faults": [{"kind": "database", "at": "-1s"}]}`, "faults[0]"},
		{`{"affected": 2}`, "affected"},
		{`{"duration": "1ms"}`, "duration"},
		{`{"duration": "soon"}`, "duration"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}
