package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// step makes the next step of a job.
func (r *jobRunner) step(ctx context.Context, j *runningJob) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	scope, err := r.locate(ctx, j.Job)
	if err != nil {
		return err
	}
	if j.Kind == bellwire.JobCancel && j.Cursor == (bellwire.JobCursor{}) {
		if j.fansOut, err = r.store.Deferred(ctx, j.SelectionOf(j.Params.Endpoint, nil)); err != nil {
			return err
		}
	}
	switch {
	case scope.failure != "":
		return r.advance(ctx, j, &bellwire.JobStep{Error: scope.failure})
	case scope.endpoint == nil:
		step := new(bellwire.JobStep)
		j.end(step)
		return r.advance(ctx, j, step)
	case scope.waiting != "":
		return r.wait(ctx, j, scope.waiting)
	}
	limit := r.pace.limit(time.Now())
	if j.Rate > 0 {
		limit = min(limit, stepAtRate(j.Rate))
	}
	if j.Params.Endpoint != "" && j.Kind != bellwire.JobCancel {
		waiting, err := r.store.CountWaiting(ctx, scope.endpoint.ID, limits.JobWaiting)
		if err != nil {
			return err
		}
		if limit = min(limit, limits.JobWaiting-waiting); limit <= 0 {
			return r.wait(ctx, j, "the endpoint has "+bellwire.Number(waiting)+" deliveries that have not been attempted")
		}
	}
	return r.act(ctx, j, scope, limit)
}

// jobScope is what the next step of a job is about.
type jobScope struct {
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
func (r *jobRunner) locate(ctx context.Context, j *bellwire.Job) (p jobScope, err error) {
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
	at, _ := slices.BinarySearchFunc(endpoints, j.Cursor.Endpoint, func(ep *bellwire.Endpoint, id string) int { return cmp.Compare(ep.ID, id) })
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
func (r *jobRunner) act(ctx context.Context, j *runningJob, p jobScope, limit int) error {
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
	step := &bellwire.JobStep{Endpoint: endpoint, Items: found.Items, Skipped: skipped, Cursor: bellwire.JobCursor{Endpoint: endpoint, Event: found.Last}}
	if !found.More {
		step.Cursor = bellwire.JobCursor{Endpoint: p.next}
		if p.next == "" {
			j.end(step)
		}
	}
	if j.again && !step.Ended {
		step.Waiting = jobFanOut
		if len(found.Items)+skipped == 0 && !step.Again {
			j.Job, j.next = j.at(step.Cursor), time.Now() // that there is nothing new is not worth a transaction
			return nil
		}
	}
	done := j.Done
	if err := r.advance(ctx, j, step); err != nil || j.Kind != bellwire.JobCancel {
		return err
	}
	r.observer.Canceled(p.endpoint.Dialect, j.Done-done, bellwire.CanceledByJob)
	return nil
}

// at returns the job as it is when it goes on at a cursor.
func (j *runningJob) at(cursor bellwire.JobCursor) *bellwire.Job {
	job := *j.Job
	job.Cursor = cursor
	return &job
}

// end makes a step at the last endpoint the last one of the job, or of one look at all endpoints if a cancellation must look again.
func (j *runningJob) end(step *bellwire.JobStep) {
	if j.Kind == bellwire.JobCancel && j.fansOut {
		step.Again, step.Waiting = true, jobFanOut
		j.again = true
		return
	}
	step.Ended = true
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
	j.Job = progress.Job
	if j.Kind != bellwire.JobCancel || len(progress.Deliveries) > 0 { // else it looks again, after a longer pause
		j.pause, j.waiting = 0, time.Time{}
	}
	if j.State.Ended() {
		delete(r.jobs, j.ID)
		r.logger.Info("job ended", "job", j.ID, "tenant", j.Tenant, "kind", j.Kind, "state", j.State,
			"done", j.Done, "skipped", j.Skipped, "error", j.Error)
	}
	r.pace.stored(len(progress.Deliveries))
	r.tell(j.Job, step.Endpoint, progress.Deliveries)
	j.next = time.Now()
	if j.Rate > 0 {
		j.next = j.next.Add(lastsAt(len(progress.Deliveries), j.Rate))
	}
	if step.Again {
		return r.wait(ctx, j, jobFanOut)
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
	j.next = bellwire.Later(j.next, now.Add(j.pause))
	if j.Waiting == reason || now.Sub(j.waiting) < saidAfter {
		return nil
	}
	progress, err := r.store.AdvanceJob(ctx, &bellwire.JobStep{Job: j.Job, Cursor: j.Cursor, Waiting: reason, Now: r.clock.now()})
	if err != nil {
		return err
	}
	if progress.Made {
		j.Job = progress.Job
	}
	return nil
}
