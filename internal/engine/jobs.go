package engine

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
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
// moves a job's cursor in the transaction that does the work, so that another node, or the next process, continues exactly there.
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
	lastSteps map[string]int // the number of the last step of each tenant with a job
	steps     int            // made since the start
	read      time.Time      // when jobs were read last
	unread    bool           // that failed
}

// runningJob is a job with the time of its next step.
type runningJob struct {
	*bellwire.Job
	next     time.Time
	pause    time.Duration      // of its wait; 0: it does not wait
	waiting  time.Time          // since when it waits
	lastStep int                // the number of its last step
	filter   bellwire.JobFilter // nil: it has none, or it is not compiled yet

	// fansOut is set while a cancellation may have left deliveries behind that were still being stored when it began at the first
	// endpoint. A node that goes on with the job in the middle cannot tell.
	fansOut bool
	again   bool // a cancellation has looked at all endpoints before
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
		r.pace.rest(ctx, time.Since(started))
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
	jobs, lastSteps := make(map[bellwire.JobID]*runningJob, len(running)), make(map[string]int)
	for _, j := range running {
		known := r.jobs[j.ID]
		switch {
		case known == nil:
			known = &runningJob{next: r.paced(j), fansOut: true}
			r.directory.ForgetTenant(j.Tenant) // another node may have created an endpoint for the job, or enabled it, a moment ago
		case known.Rate != j.Rate:
			known.next = r.paced(j)
		}
		known.Job = j
		jobs[j.ID], lastSteps[j.Tenant] = known, r.lastSteps[j.Tenant]
	}
	r.jobs, r.lastSteps = jobs, lastSteps
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
		if chosen == nil || cmp.Or(cmp.Compare(r.lastSteps[j.Tenant], r.lastSteps[chosen.Tenant]), cmp.Compare(j.lastStep, chosen.lastStep)) < 0 {
			chosen = j
		}
	}
	if chosen != nil {
		r.steps++
		chosen.lastStep, r.lastSteps[chosen.Tenant] = r.steps, r.steps
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
