package engine

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// The times of jobs.
const (
	jobsEvery  = time.Second            // how often jobs are read again
	firstPause = 25 * time.Millisecond  // of a job that waits; it doubles up to longPause
	longPause  = time.Second            // so that a long wait costs little
	saidAfter  = 2 * time.Second        // a wait that lasts longer is shown
	rateWindow = 200 * time.Millisecond // the time for which a step with a rate takes deliveries
)

// jobRunner makes the steps of the jobs of tenants whose shards this node owns: tenants take turns, and their jobs. The store
// moves a job's place in the transaction that does the work, so that another node, or the next process, continues exactly there.
//
// What jobs bring into the store is free, and claimed as lanes have room. Steps take a share of the time, and while events are
// published they bring in no more than leaves the processors to those.
type jobRunner struct {
	store     Store
	directory Directory
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	logger    *slog.Logger
	clock     clock
	pace      *jobPace
	wake      chan struct{} // capacity 1

	jobs      map[bellwire.JobID]*runningJob
	lastTurns map[string]int // the last turn of each tenant with a job
	turn      int            // of the job that had the last turn, counted from the start
	read      time.Time      // when jobs were read last
	unread    bool           // that failed
}

// runningJob is a job with the time of its next step.
type runningJob struct {
	*bellwire.Job
	next     time.Time
	pause    time.Duration      // of its wait; 0: it does not wait
	waiting  time.Time          // since when it waits
	lastTurn int                // its last turn
	filter   bellwire.JobFilter // nil: it has none, or it is not compiled yet
}

// run makes steps until ctx ends.
func (r *jobRunner) run(ctx context.Context) {
	for ctx.Err() == nil {
		r.refresh(ctx)
		j := r.pick(time.Now())
		if j == nil {
			r.idle(ctx)
			continue
		}
		started := time.Now()
		if err := r.step(ctx, j); err != nil {
			reportStore(ctx, r.observer, "make a step of a job", err)
			j.next = time.Now().Add(storePause)
		}
		r.pace.leave(ctx, time.Since(started))
	}
}

// refresh reads the running jobs, if it is time.
func (r *jobRunner) refresh(ctx context.Context) {
	if time.Since(r.read) < jobsEvery {
		return
	}
	reading, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	r.read = time.Now()
	running, err := r.store.RunningJobs(reading, r.scheduler.Leases())
	if r.unread = err != nil; r.unread {
		reportStore(ctx, r.observer, "read the running jobs", err)
		return
	}
	jobs, lastTurns := make(map[bellwire.JobID]*runningJob, len(running)), make(map[string]int)
	for _, j := range running {
		known := r.jobs[j.ID]
		switch {
		case known == nil:
			known = &runningJob{next: r.paced(j)}
			r.directory.ForgetTenant(j.Tenant) // another node may have created an endpoint for the job, or enabled it, a moment ago
		case known.Rate != j.Rate:
			known.next = r.paced(j)
		}
		known.Job = j
		jobs[j.ID], lastTurns[j.Tenant] = known, r.lastTurns[j.Tenant]
	}
	r.jobs, r.lastTurns = jobs, lastTurns
}

// paced returns when a job may make its next step by its rate, if it took the most that it may in its last step. So pausing and resuming
// it, another process and another rate do not bring the step forward.
func (r *jobRunner) paced(j *bellwire.Job) time.Time {
	if j.Rate <= 0 || j.ActedAt.IsZero() {
		return time.Time{}
	}
	gap := lastsAt(stepAtRate(j.Rate), j.Rate)
	next, latest := r.clock.local(j.ActedAt).Add(gap), time.Now().Add(gap)
	if next.After(latest) { // the clock was set back since
		return latest
	}
	return next
}

// stepAtRate returns how many deliveries a step may take at a rate.
func stepAtRate(rate float64) int { return int(math.Ceil(rate * rateWindow.Seconds())) }

// lastsAt returns how long a number of deliveries lasts at a rate.
func lastsAt(deliveries int, rate float64) time.Duration {
	return time.Duration(float64(deliveries) / rate * float64(time.Second))
}

// pick returns the job whose turn it is; nil: none may make a step now.
func (r *jobRunner) pick(now time.Time) *runningJob {
	var chosen *runningJob
	for _, j := range r.jobs {
		if now.Before(j.next) {
			continue
		}
		if chosen == nil || cmp.Or(cmp.Compare(r.lastTurns[j.Tenant], r.lastTurns[chosen.Tenant]), cmp.Compare(j.lastTurn, chosen.lastTurn)) < 0 {
			chosen = j
		}
	}
	if chosen != nil {
		r.turn++
		chosen.lastTurn, r.lastTurns[chosen.Tenant] = r.turn, r.turn
	}
	return chosen
}

// idle waits until there may be something to do.
func (r *jobRunner) idle(ctx context.Context) {
	var look <-chan time.Time
	if r.unread || len(r.jobs) > 0 || r.scheduler.Leases().Term > 0 { // else only this node creates jobs
		until := r.read.Add(jobsEvery)
		for _, j := range r.jobs {
			if j.next.Before(until) {
				until = j.next
			}
		}
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		look = timer.C
	}
	select {
	case <-look:
	case <-r.wake:
		r.read = time.Time{}
	case <-ctx.Done():
	}
}

// step makes the next step of a job.
func (r *jobRunner) step(ctx context.Context, j *runningJob) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	place, err := r.locate(ctx, j.Job)
	if err != nil {
		return err
	}
	switch {
	case place.failure != "":
		return r.advance(ctx, j, &bellwire.JobStep{Error: place.failure})
	case place.endpoint == nil:
		return r.advance(ctx, j, &bellwire.JobStep{Ended: true})
	case place.waiting != "":
		return r.wait(ctx, j, place.waiting)
	}
	limit := r.pace.limit(time.Now())
	if j.Rate > 0 {
		limit = min(limit, stepAtRate(j.Rate))
	}
	if j.Params.Endpoint != "" && j.Kind != bellwire.JobCancel {
		waiting, err := r.store.CountWaiting(ctx, place.endpoint.ID, limits.JobWaiting)
		if err != nil {
			return err
		}
		if limit = min(limit, limits.JobWaiting-waiting); limit <= 0 {
			return r.wait(ctx, j, "the endpoint has "+bellwire.Number(waiting)+" deliveries that have not been attempted")
		}
	}
	return r.act(ctx, j, place, limit)
}

// jobPlace is where the next step of a job is made.
type jobPlace struct {
	endpoint      *bellwire.Endpoint // nil: there is nothing left to be done
	next          string             // the id of the endpoint after it; empty: there is none
	subscriptions bellwire.Subscriptions
	waiting       string // why the job cannot go on now
	failure       string // why it cannot go on at all
}

// The texts about jobs that callers see.
const (
	jobTenantDeleted    = "the tenant was deleted"
	jobEndpointDeleted  = "the endpoint was deleted"
	jobTenantPaused     = "the tenant is paused"
	jobEndpointPaused   = "the endpoint is paused"
	jobEndpointDisabled = "the endpoint is disabled"
	jobFanOut           = "deliveries of a large publish are still being stored"
	jobFilterBroken     = "the filter can no longer be compiled"
	jobFilter           = "the filters of other requests are being evaluated"
)

// locate finds the endpoint of a job's next step.
func (r *jobRunner) locate(ctx context.Context, j *bellwire.Job) (p jobPlace, err error) {
	if !j.TenantDeleted.IsZero() {
		p.failure = jobTenantDeleted
		return p, nil
	}
	if p.subscriptions, _, err = r.directory.Subscriptions(ctx, j.Tenant); bellwire.CodeOf(err) == bellwire.CodeNotFound {
		p.failure = jobTenantDeleted
		return p, nil
	}
	if err != nil {
		return p, err
	}
	endpoints := endpointsOf(p.subscriptions, j)
	at, _ := slices.BinarySearchFunc(endpoints, j.Place.Endpoint, func(ep *bellwire.Endpoint, id string) int { return cmp.Compare(ep.ID, id) })
	if at == len(endpoints) {
		if j.Params.Endpoint != "" {
			p.failure = jobEndpointDeleted
		}
		return p, nil
	}
	p.endpoint = endpoints[at]
	if at+1 < len(endpoints) {
		p.next = endpoints[at+1].ID
	}
	switch {
	case j.Kind == bellwire.JobCancel:
	case slices.ContainsFunc(p.subscriptions.Targets(), (*bellwire.Target).TenantPaused):
		p.waiting = jobTenantPaused
	case j.Params.Endpoint == "":
	case p.endpoint.Status == bellwire.EndpointPaused:
		p.waiting = jobEndpointPaused
	case p.endpoint.Status == bellwire.EndpointDisabled:
		p.waiting = jobEndpointDisabled
	}
	return p, nil
}

// endpointsOf returns the endpoints that a job is about, by their ids. What is disabled gets nothing, so that nothing is retried
// there unless the job is about that endpoint alone.
func endpointsOf(s bellwire.Subscriptions, j *bellwire.Job) []*bellwire.Endpoint {
	var endpoints []*bellwire.Endpoint
	for _, t := range s.Targets() {
		ep := t.Endpoint
		if j.Params.Endpoint == ep.ID || j.Params.TakesEndpoint(ep) && (j.Kind == bellwire.JobCancel || ep.Status != bellwire.EndpointDisabled) {
			endpoints = append(endpoints, ep)
		}
	}
	slices.SortFunc(endpoints, func(a, b *bellwire.Endpoint) int { return cmp.Compare(a.ID, b.ID) })
	return endpoints
}

// act selects the next deliveries and does what the job does.
func (r *jobRunner) act(ctx context.Context, j *runningJob, p jobPlace, limit int) error {
	endpoint := p.endpoint.ID
	matches := func(eventType string) bool {
		return slices.ContainsFunc(p.subscriptions.Match(eventType), func(t *bellwire.Target) bool { return t.Endpoint.ID == endpoint })
	}
	found, err := r.store.Select(ctx, j.SelectionOf(endpoint, matches), limit)
	if err != nil {
		return err
	}
	if j.filter == nil {
		if j.filter, err = p.subscriptions.JobFilter(j.Params.Filter); err != nil {
			return r.advance(ctx, j, &bellwire.JobStep{Error: jobFilterBroken})
		}
	}
	skipped, err := p.subscriptions.Sift(ctx, bellwire.Sieve{
		Filter: j.filter, Endpoint: p.endpoint, Missing: j.Params.Missing, Event: r.store.Event,
		Outcome: j.Params.Outcome, Attempts: r.store.LastAttempts, Observer: r.observer,
	}, found)
	if bellwire.CodeOf(err) == bellwire.CodeRateLimited {
		return r.wait(ctx, j, jobFilter)
	}
	if err != nil {
		return err
	}
	step := &bellwire.JobStep{Endpoint: endpoint, Items: found.Items, Skipped: skipped, Place: bellwire.JobPlace{Endpoint: endpoint, Event: found.Last}}
	if !found.More {
		step.Place = bellwire.JobPlace{Endpoint: p.next}
		step.Ended = p.next == ""
	}
	done := j.Done
	if err := r.advance(ctx, j, step); err != nil || j.Kind != bellwire.JobCancel {
		return err
	}
	r.observer.Canceled(p.endpoint.Dialect, j.Done-done, bellwire.CanceledByJob)
	return nil
}

// advance makes a step in the store, and tells the lanes what it has changed.
func (r *jobRunner) advance(ctx context.Context, j *runningJob, step *bellwire.JobStep) error {
	step.Job, step.Now = j.Job, r.clock.now()
	progress, err := r.store.AdvanceJob(ctx, step)
	if err != nil {
		return err
	}
	if progress.Busy {
		return r.wait(ctx, j, jobFanOut)
	}
	if !progress.Made {
		delete(r.jobs, j.ID) // it was changed, and is read again if it runs
		r.read = time.Time{}
		return nil
	}
	j.Job, j.pause, j.waiting = progress.Job, 0, time.Time{}
	if j.State.Ended() {
		delete(r.jobs, j.ID)
		r.logger.Info("job ended", "job", j.ID, "tenant", j.Tenant, "kind", j.Kind, "state", j.State,
			"done", j.Done, "skipped", j.Skipped, "error", j.Error)
	}
	r.pace.made(len(progress.Deliveries))
	r.tell(j.Job, step.Endpoint, progress.Deliveries)
	j.next = time.Now()
	if j.Rate > 0 {
		j.next = j.next.Add(lastsAt(len(progress.Deliveries), j.Rate))
	}
	return nil
}

// tell tells the lanes about deliveries that are due or canceled.
func (r *jobRunner) tell(j *bellwire.Job, endpoint string, deliveries []bellwire.DeliveryID) {
	switch {
	case len(deliveries) == 0:
	case j.Kind == bellwire.JobCancel:
		r.scheduler.Forget(endpoint, deliveries...)
		r.scheduler.Wake(endpoint)
	default:
		r.scheduler.Due([]bellwire.DueEndpoint{{Endpoint: endpoint, Tenant: j.Tenant, At: time.Now()}})
	}
}

// wait postpones a job that cannot go on now, and has the reason shown if it has waited for long.
func (r *jobRunner) wait(ctx context.Context, j *runningJob, reason string) error {
	now := time.Now()
	if j.pause == 0 {
		j.waiting = now
	}
	j.pause = min(max(2*j.pause, firstPause), longPause)
	j.next = now.Add(j.pause)
	if j.Waiting == reason || now.Sub(j.waiting) < saidAfter {
		return nil
	}
	progress, err := r.store.AdvanceJob(ctx, &bellwire.JobStep{Job: j.Job, Place: j.Place, Waiting: reason, Now: r.clock.now()})
	if err != nil {
		return err
	}
	if progress.Made {
		j.Job = progress.Job
	}
	return nil
}
