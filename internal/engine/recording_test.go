package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// recordingStore notes when transactions record results, and how many each has.
type recordingStore struct {
	bellwire.Store
	mu     sync.Mutex
	times  []time.Time
	counts []int
}

func (s *recordingStore) RecordResults(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	s.mu.Lock()
	s.times, s.counts = append(s.times, time.Now()), append(s.counts, len(results))
	s.mu.Unlock()
	return s.Store.RecordResults(ctx, results)
}

// taken returns what was noted since the last call.
func (s *recordingStore) taken() (times []time.Time, counts []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	times, counts, s.times, s.counts = s.times, s.counts, nil, nil
	return times, counts
}

// With RecordEvery, results gather for one transaction, but not when one of them, or the end of the engine, must not wait.
func TestResultsGather(t *testing.T) {
	const every = 20 * time.Millisecond
	inWorld(t, func(t *testing.T, w *world) {
		w.stop()
		records := new(recordingStore)
		w.wrap = func(s bellwire.Store) bellwire.Store { records.Store = s; return records }
		w.config.RecordEvery = every
		w.start()
		w.receiver("a", answers(200))
		w.receiver("keyed", answers(200))
		ep := w.endpoint("a")

		const events = 40
		for range events {
			w.publish(1)
			w.pass(every / 10)
		}
		w.pass(every)
		times, counts := records.taken()
		for i := 1; i < len(times); i++ {
			if passed := times[i].Sub(times[i-1]); passed < every {
				t.Errorf("a transaction came %v after another", passed)
			}
		}
		if n := w.statuses(ep.ID)[bellwire.DeliverySucceeded]; n != events || slices.Max(counts) < 10 {
			t.Errorf("%d of %d deliveries were recorded, in groups of %v", n, events, counts)
		}

		w.publish(300)
		w.pass(every)
		if _, counts = records.taken(); counts[0] != 200 && counts[1] != 200 {
			t.Errorf("a full group waited: %v", counts)
		}

		w.endpoint("keyed", byKey)
		w.pass(2 * every)
		began := time.Now()
		w.publishKeys("k", "k", "k", "k", "k")
		w.pass(0)
		if times, counts = records.taken(); len(times) < 5 || times[4].Sub(began) >= every {
			t.Errorf("what waits for the record of a delivery of its ordering key waited for others: %v", counts)
		}

		w.pass(2 * every)
		w.publish(1)
		w.pass(every / 4)
		w.publish(1)
		w.pass(0)
		began = time.Now()
		w.stop()
		if passed := time.Since(began); passed >= every/2 {
			t.Errorf("the end of the engine took %v", passed)
		}
		w.start()
	})
}
