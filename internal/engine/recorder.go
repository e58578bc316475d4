package engine

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// Bounds of one transaction. Publishers wait for it.
const (
	maxRecorded      = 200       // results, or released deliveries
	maxRecordedBytes = 512 << 10 // of attempts, unless one alone has more
)

// The pauses between tries while the store does not answer.
const (
	firstStorePause   = 50 * time.Millisecond
	longestStorePause = 5 * time.Second
	storeTimeout      = 10 * time.Second
)

// recorder stores the results of attempts, and releases deliveries. It forms groups as the batcher does: what arrives while one
// group is being stored is the next group. Where transactions cost much, a group also waits until an interval has passed since
// the one before, unless something waits for the record. Tenants take turns. The scheduler bounds how many results of each
// tenant wait.
type recorder struct {
	store     Store
	scheduler *lanes.Scheduler
	directory Directory
	observer  bellwire.Observer
	clock     clock
	interval  time.Duration // between the starts of groups; 0: none
	wake      chan struct{} // capacity 1: there is something, or it has become urgent

	mu       sync.Mutex
	results  fairQueue[*result]
	waiting  int // results
	releases fairQueue[*lanes.Task]
	urgent   bool // the next group does not wait for the interval
	closed   bool
}

// record stores a result. The next delivery of an ordering key waits for the record.
func (rec *recorder) record(r *result) {
	rec.mu.Lock()
	rec.results.push(r.Task.Delivery.Tenant, r)
	rec.waiting++
	first := rec.waiting == 1
	hurries := !rec.urgent && (r.Task.Delivery.Key != 0 || rec.waiting >= maxRecorded)
	rec.urgent = rec.urgent || hurries
	rec.mu.Unlock()
	if first || hurries {
		poke(rec.wake)
	}
}

// release returns deliveries to the store.
func (rec *recorder) release(tasks []*lanes.Task) {
	for _, task := range tasks {
		task.Content = nil // the store has it, and may be unavailable for long
	}
	rec.mu.Lock()
	for _, task := range tasks {
		rec.releases.push(task.Delivery.Tenant, task)
	}
	rec.urgent = true
	rec.mu.Unlock()
	poke(rec.wake)
}

// close ends run once everything that was handed in is stored.
func (rec *recorder) close() {
	rec.mu.Lock()
	rec.closed, rec.urgent = true, true
	rec.mu.Unlock()
	poke(rec.wake)
}

// run stores groups until close, or until ctx ends. What is left then is free to be claimed in the next epoch.
func (rec *recorder) run(ctx context.Context) {
	var began time.Time // the last group
	for {
		rec.gather(ctx, began.Add(rec.interval))
		results, releases, closed := rec.next()
		if len(results) == 0 && len(releases) == 0 {
			if closed {
				return
			}
			select {
			case <-rec.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		began = time.Now()
		if len(releases) > 0 {
			rec.writeReleases(ctx, releases)
		}
		if len(results) > 0 {
			rec.writeResults(ctx, results)
		}
	}
}

// gather waits until a time, so that more results come into the group. It does not wait when it is urgent.
func (rec *recorder) gather(ctx context.Context, until time.Time) {
	wait := time.Until(until)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for !rec.isUrgent() {
		select {
		case <-rec.wake:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (rec *recorder) isUrgent() bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.urgent
}

// next takes what goes into the next two transactions: results of tenants in turn, and deliveries to be released.
func (rec *recorder) next() (results []*result, releases []*lanes.Task, closed bool) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for bytes := 0; len(results) < maxRecorded && bytes < maxRecordedBytes; {
		r, ok := rec.results.pop()
		if !ok {
			break
		}
		results, bytes = append(results, r), bytes+r.Size
	}
	for len(releases) < maxRecorded {
		task, ok := rec.releases.pop()
		if !ok {
			break
		}
		releases = append(releases, task)
	}
	rec.waiting -= len(results)
	rec.urgent = rec.closed || rec.waiting > 0 || len(releases) == maxRecorded
	return results, releases, rec.closed
}

func (rec *recorder) writeReleases(ctx context.Context, tasks []*lanes.Task) {
	tokens := make([]bellwire.ClaimToken, len(tasks))
	for i, task := range tasks {
		tokens[i] = task.Token()
	}
	err := rec.persist(ctx, "release deliveries", func(ctx context.Context) error {
		return rec.store.ReleaseDeliveries(ctx, tokens)
	})
	if err == nil || ctx.Err() == nil { // what was refused for good waits for the next epoch
		rec.scheduler.Released(time.Now(), tasks)
	}
}

// writeResults stores results. If the database refuses the group, writeResults halves it until the result at fault stands
// alone. That result is stored without its attempt, and if even that is refused, it is left to the next epoch.
func (rec *recorder) writeResults(ctx context.Context, results []*result) {
	started := time.Now()
	rows := make([]*bellwire.Result, len(results))
	for i, r := range results {
		rows[i] = r.row()
	}
	var records []bellwire.Recorded
	err := rec.persist(ctx, "record outcomes", func(ctx context.Context) (err error) {
		records, err = rec.store.RecordResults(ctx, rows)
		return err
	})
	switch {
	case err == nil:
		rec.observer.Recorded(len(results), time.Since(started))
		rec.follow(results, records)
	case ctx.Err() != nil:
	case len(results) > 1:
		half := len(results) / 2
		rec.writeResults(ctx, results[:half])
		rec.writeResults(ctx, results[half:])
	case results[0].Attempt != nil:
		results[0].Attempt = nil
		rec.writeResults(ctx, results)
	default:
		rec.scheduler.Recorded(time.Now(), laneResults(results), make([]bellwire.Recorded, 1))
	}
}

func laneResults(results []*result) []*lanes.Result {
	out := make([]*lanes.Result, len(results))
	for i, r := range results {
		out[i] = &r.Result
	}
	return out
}

// follow acts on what the store made of results.
func (rec *recorder) follow(results []*result, records []bellwire.Recorded) {
	for i, r := range results {
		d := &r.Task.Delivery
		if why := records[i].DisabledFor; why != "" {
			rec.observer.Disabled(r.Target.Endpoint, why)
			rec.directory.ForgetEndpoint(d.Endpoint)
			rec.directory.ForgetTenant(d.Tenant)
		}
		records[i].DueAt = rec.clock.local(records[i].DueAt)
		if records[i].Moved && !records[i].Status.Open() {
			ep := r.Target.Endpoint
			rec.observer.Ended(ep, records[i].Status, max(r.endedAt.Sub(d.Began()), 0), r.trace()) // the clock may have been set back
			switch {
			case r.unsendable:
				rec.observer.Unsendable(ep, d.EventType, r.transition.Reason)
			case records[i].Status == bellwire.DeliveryExhausted && r.Task.Trigger != bellwire.TriggerTest:
				rec.observer.Exhausted(ep, d.ID, d.EventType, r.transition.Reason)
			case records[i].Status == bellwire.DeliveryCanceled && bellwire.Expired(d.ExpiresAt, r.endedAt):
				rec.observer.EventsExpired(ep, 1)
			}
		}
	}
	rec.scheduler.Recorded(time.Now(), laneResults(results), records)
}

// persist repeats an operation, which must be harmless to repeat, until the store has done it or refuses it for good, or ctx
// ends.
func (rec *recorder) persist(ctx context.Context, operation string, do func(context.Context) error) error {
	pause := firstStorePause
	for {
		attempt, cancel := context.WithTimeout(ctx, storeTimeout)
		err := do(attempt)
		cancel()
		if err == nil {
			return nil
		}
		rec.observer.StoreFailed(operation, err)
		if !isTransient(err) {
			return err
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, longestStorePause)
	}
}

// isTransient reports whether a store's error may go away by itself.
func isTransient(err error) bool {
	switch bellwire.CodeOf(err) {
	case bellwire.CodeUnavailable, bellwire.CodeNoSpace, bellwire.CodeCanceled:
		return true
	}
	return false
}
