package sim

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// offer lets jobs arrive at random moments, with costs from a function, until the time is over.
func offer(s *station, random *rand.Rand, every time.Duration, cost func() time.Duration, until time.Duration) {
	var next func()
	next = func() {
		s.serve(cost(), func() {})
		s.clock.after(time.Duration(random.ExpFloat64()*float64(every)), next)
	}
	next()
	s.clock.run(until)
	s.count()
}

// near fails the test if a value differs from what is expected by more than a share of it.
func near(t interface {
	Helper()
	Errorf(string, ...any)
}, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s is %.4g, want %.4g give or take %.0f %%", what, got, want, 100*share)
	}
}

// Waiting times at one server are those of queueing theory.
func TestStationAgainstFormulas(t *testing.T) {
	t.Parallel()
	const service = time.Millisecond
	for _, load := range []float64{0.3, 0.6, 0.8} {
		random := rand.New(rand.NewPCG(7, uint64(load*10)))
		for _, c := range []struct {
			name string
			cost func() time.Duration
			want float64 // sojourn, in service times
		}{
			{"M/M/1", func() time.Duration { return time.Duration(random.ExpFloat64() * float64(service)) }, 1 / (1 - load)},
			{"M/D/1", func() time.Duration { return service }, 1 + load/(2*(1-load))},
		} {
			s := &station{clock: new(clock), servers: 1}
			offer(s, random, time.Duration(float64(service)/load), c.cost, 300*time.Second)
			sojourn := float64(s.measure.sojourn) / float64(s.measure.completed) / float64(service)
			near(t, c.name+": mean time in the station", sojourn, c.want, 0.06)
			near(t, c.name+": utilization", s.utilization(), load, 0.03)
		}
	}
}

// The mean number of jobs in a station is their rate times the mean time that they spend there.
func TestLittlesLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		servers := rapid.IntRange(1, 8).Draw(t, "servers")
		load := rapid.Float64Range(0.1, 0.85).Draw(t, "load")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		s := &station{clock: new(clock), servers: servers}
		cost := func() time.Duration { return time.Duration(random.Int64N(int64(2 * time.Millisecond))) }
		until := 10 * time.Second
		offer(s, random, time.Duration(float64(time.Millisecond)/load/float64(servers)), cost, until)
		if waiting := s.busy + s.queue.Len(); s.measure.arrived != s.measure.completed+waiting {
			t.Fatalf("%d jobs arrived, %d were completed and %d are there", s.measure.arrived, s.measure.completed, waiting)
		}
		present := float64(s.measure.present) / float64(until)
		rate := float64(s.measure.completed) / float64(until)
		sojourn := float64(s.measure.sojourn) / float64(s.measure.completed)
		near(t, "mean number of jobs", present, rate*sojourn, 0.02)
	})
}

// One flush is for all that was written during the one before.
func TestDeviceFlushesInGroups(t *testing.T) {
	t.Parallel()
	c := new(clock)
	d := &device{clock: c, latency: time.Millisecond}
	var ended []time.Duration
	for range 5 {
		d.flush(100, func() { ended = append(ended, c.now) })
	}
	c.run(time.Second)
	want := []time.Duration{time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond}
	for i := range want {
		if len(ended) != len(want) || ended[i] != want[i] {
			t.Fatalf("flushes ended at %v, want %v", ended, want)
		}
	}
}

// Actions run in the order of their times, and those of the same time in the order in which they were added.
func TestClockOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := new(clock)
		delays := rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "delays")
		var ran []int
		for i, delay := range delays {
			c.after(time.Duration(delay), func() { ran = append(ran, i) })
		}
		c.run(100)
		if len(ran) != len(delays) {
			t.Fatalf("%d of %d actions ran", len(ran), len(delays))
		}
		for at := 1; at < len(ran); at++ {
			before, after := ran[at-1], ran[at]
			if delays[before] > delays[after] || delays[before] == delays[after] && before > after {
				t.Fatalf("action %d after %v ran before action %d after %v", before, delays[before], after, delays[after])
			}
		}
	})
}
