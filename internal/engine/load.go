package engine

import (
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// commitTime is how many groups of events were committed, and how long that took.
type commitTime struct{ groups, seconds float64 }

func (t commitTime) minus(other commitTime) commitTime {
	return commitTime{t.groups - other.groups, t.seconds - other.seconds}
}

// remember adds a new measurement to the earlier ones, which lose weight.
func (t *commitTime) remember(more commitTime) {
	t.groups, t.seconds = t.groups*remembered+more.groups, t.seconds*remembered+more.seconds
}

// slowerThan reports whether a group took longer, by more than is tolerated. Without groups on both sides it did not.
func (t commitTime) slowerThan(other commitTime) bool {
	return t.groups > 0 && other.groups > 0 && t.seconds/t.groups > tolerated*other.seconds/other.groups
}

// commitTimer adds up how long commits of groups of events take. It is safe for concurrent use.
type commitTimer struct{ groups, nanoseconds atomic.Int64 }

func (t *commitTimer) add(took time.Duration) {
	t.groups.Add(1)
	t.nanoseconds.Add(int64(took))
}

func (t *commitTimer) sum() commitTime {
	return commitTime{float64(t.groups.Load()), time.Duration(t.nanoseconds.Load()).Seconds()}
}

// A goroutine that waits longer than longWait for a processor is late. They are late together if more than one in mostLate is.
const (
	longWait = 500 * time.Microsecond
	mostLate = 20
)

// processorsLate returns a function that reports whether goroutines have been late since it was called before.
func processorsLate() func() bool {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	var allBefore, lateBefore uint64
	return func() bool {
		metrics.Read(sample)
		h := sample[0].Value.Float64Histogram()
		var all, late uint64
		for i, n := range h.Counts {
			all += n
			if h.Buckets[i] >= longWait.Seconds() {
				late += n
			}
		}
		waits, lateWaits := all-allBefore, late-lateBefore
		allBefore, lateBefore = all, late
		return waits > 0 && lateWaits*mostLate > waits
	}
}
