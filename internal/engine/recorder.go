package engine

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of one transaction. Publishers wait for it.
const (
	maxRecorded      = 200       // results, or deliveries given back
	maxRecordedBytes = 512 << 10 // of attempts, unless one alone has more
)

// The pauses between tries while the store does not answer.
const (
	firstStorePause   = 50 * time.Millisecond
	longestStorePause = 5 * time.Second
	storeTimeout      = 10 * time.Second
)

// recorder writes down what came of attempts, and gives deliveries back. It groups as the intake does:
// what was handed in while one group was being written is the next. Tenants take turns in it. The scheduler bounds how many
// results of each of them wait.
type recorder struct {
	engine *Engine
	wake   chan struct{} // capacity 1

	mu       sync.Mutex
	results  turns[*result]
	releases turns[*job]
	closed   bool
}

func newRecorder(e *Engine) *recorder { return &recorder{engine: e, wake: make(chan struct{}, 1)} }

func (rec *recorder) record(r *result) {
	rec.mu.Lock()
	rec.results.push(r.job.delivery.Tenant, r)
	rec.mu.Unlock()
	poke(rec.wake)
}

func (rec *recorder) release(jobs []*job) {
	for _, j := range jobs {
		j.event = nil // the store has it, and may be down for long
	}
	rec.mu.Lock()
	for _, j := range jobs {
		rec.releases.push(j.delivery.Tenant, j)
	}
	rec.mu.Unlock()
	poke(rec.wake)
}

// close ends run once all that was handed in is written.
func (rec *recorder) close() {
	rec.mu.Lock()
	rec.closed = true
	rec.mu.Unlock()
	poke(rec.wake)
}

// run writes groups until close, or until ctx ends: then what is left is for the next epoch to find.
func (rec *recorder) run(ctx context.Context) {
	for {
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
		if len(releases) > 0 {
			rec.writeReleases(ctx, releases)
		}
		if len(results) > 0 {
			rec.writeResults(ctx, results)
		}
	}
}

// next takes what goes into the next two transactions: results of tenants in turn, and deliveries that are given back.
func (rec *recorder) next() (results []*result, releases []*job, closed bool) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for bytes := 0; len(results) < maxRecorded && bytes < maxRecordedBytes; {
		r, ok := rec.results.pop()
		if !ok {
			break
		}
		results, bytes = append(results, r), bytes+r.size
	}
	for len(releases) < maxRecorded {
		j, ok := rec.releases.pop()
		if !ok {
			break
		}
		releases = append(releases, j)
	}
	return results, releases, rec.closed
}

func (rec *recorder) writeReleases(ctx context.Context, jobs []*job) {
	taken := make([]bellwire.ClaimToken, len(jobs))
	for i, j := range jobs {
		taken[i] = j.taken()
	}
	err := rec.persist(ctx, "release deliveries", func(ctx context.Context) error {
		return rec.engine.store.ReleaseDeliveries(ctx, taken)
	})
	if err == nil || ctx.Err() == nil { // what was refused for good waits for the next epoch
		rec.engine.scheduler.released(time.Now(), jobs)
	}
}

// writeResults records results. Where the database refuses the whole, it is halved until the one at fault
// stands alone. That one is recorded without its attempt, and if even that is refused it is left to the next
// epoch.
func (rec *recorder) writeResults(ctx context.Context, results []*result) {
	started := time.Now()
	rows := make([]*bellwire.Result, len(results))
	for i, r := range results {
		rows[i] = r.row()
	}
	var records []bellwire.Recorded
	err := rec.persist(ctx, "record outcomes", func(ctx context.Context) (err error) {
		records, err = rec.engine.store.RecordOutcomes(ctx, rows)
		return err
	})
	switch {
	case err == nil:
		rec.engine.observer.Recorded(len(results), time.Since(started))
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
		rec.engine.scheduler.recorded(time.Now(), results, make([]bellwire.Recorded, 1))
	}
}

// follow acts on what the store made of results.
func (rec *recorder) follow(results []*result, records []bellwire.Recorded) {
	e := rec.engine
	for i, r := range results {
		if records[i].Disabled {
			e.logger.Warn("endpoint disabled: it answered that it is gone",
				"endpoint", r.job.delivery.Endpoint, "tenant", r.job.delivery.Tenant)
			e.directory.ForgetEndpoint(r.job.delivery.Endpoint)
			e.directory.ForgetTenant(r.job.delivery.Tenant)
		}
		records[i].DueAt = e.clock.local(records[i].DueAt)
		if records[i].Moved && !records[i].Status.Open() {
			ep := r.target.Endpoint
			e.observer.Ended(ep, records[i].Status, max(r.EndedAt.Sub(r.job.delivery.CreatedAt), 0)) // the clock may have been set back
			if r.Unsendable {
				e.observer.Unsendable(ep, r.job.delivery.EventType, r.transition.Reason)
			}
		}
	}
	e.scheduler.recorded(time.Now(), results, records)
}

// row is the result as the store takes it.
func (r *result) row() *bellwire.Result {
	row := &bellwire.Result{
		Attempt:          r.Attempt,
		Delivery:         r.job.delivery.ID,
		Trigger:          r.job.trigger,
		Epoch:            r.job.delivery.Epoch,
		Transition:       r.transition,
		EndedAt:          r.EndedAt,
		Disable:          r.Verdict == bellwire.Gone,
		Endpoint:         r.job.delivery.Endpoint,
		EndpointRevision: r.target.Endpoint.Revision,
		Otherwise:        r.otherwise,
	}
	if held := r.target.Limits; held != nil {
		row.WholeAttempts = held.AttemptDetails
	}
	return row
}

// persist repeats an operation, which must be harmless to repeat, until the store has done it or refuses
// it for good, or ctx ends.
func (rec *recorder) persist(ctx context.Context, operation string, do func(context.Context) error) error {
	pause := firstStorePause
	for {
		attempt, cancel := context.WithTimeout(ctx, storeTimeout)
		err := do(attempt)
		cancel()
		if err == nil {
			return nil
		}
		rec.engine.observer.StoreFailed(operation, err)
		if !passing(err) {
			return err
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, longestStorePause)
	}
}

// passing tells whether a store's error may go away by itself.
func passing(err error) bool {
	switch bellwire.CodeOf(err) {
	case bellwire.CodeUnavailable, bellwire.CodeNoSpace, bellwire.CodeCanceled:
		return true
	}
	return false
}

// sleep waits, and tells whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
