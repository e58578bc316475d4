package bellwire

import (
	"context"
	"time"
)

// BulkJob is a retry or a replay over all tenants. It consists of a job of each tenant that has something to be done.
type BulkJob struct {
	ID     JobID
	Kind   JobKind
	Params JobParams
	Rate   float64 // deliveries per second of each tenant; 0: as fast as there is room

	Tenants  int // its jobs
	Open     int // of them, those that have not ended
	Paused   int
	Failed   int
	Canceled int
	Waiting  int // that run and cannot go on now

	Total   int // sums over its jobs, as Job has them
	Done    int
	Skipped int

	CreatedAt  time.Time
	UpdatedAt  time.Time
	FinishedAt time.Time // when the last job that has ended did; see Ended
}

// Ended reports whether all its jobs have ended.
func (b *BulkJob) Ended() bool { return b.Open == 0 }

// State returns the state of the whole: it is running while one of its jobs is, and it is done if all are.
func (b *BulkJob) State() JobState {
	switch {
	case b.Open > 0 && b.Paused == b.Open:
		return JobPaused
	case b.Open > 0:
		return JobRunning
	case b.Canceled > 0:
		return JobCanceled
	case b.Failed > 0:
		return JobFailed
	}
	return JobDone
}

// BulkJobs is the part of a Store that holds bulk jobs.
type BulkJobs interface {
	// TenantsWith returns those of the next limit tenants after the given id, by their ids, for which a job with the parameters may
	// have something to do. It leaves out paused ones. next is where to continue; empty: there are no more.
	TenantsWith(ctx context.Context, p *JobParams, after string, limit int) (tenants []string, next string, err error)
	// CreateBulkJob adds jobs that only differ in their ids, tenants and totals, all or none. It leaves out those of tenants that do
	// not exist any more. CodeRateLimited: more than most jobs of bulk jobs would not have ended.
	CreateBulkJob(ctx context.Context, jobs []*Job, most int) error
	// BulkJob returns a bulk job of which Purge has not deleted all jobs.
	BulkJob(ctx context.Context, id JobID) (*BulkJob, error)
	// BulkJobs lists bulk jobs of which Purge has not deleted all jobs, newest first. A page ends early, with a cursor, after many
	// jobs.
	BulkJobs(ctx context.Context, page Page) (*List[*BulkJob], error)
	// ChangeBulkJob changes up to limit jobs of a bulk job that have not ended, and that the change makes different. It returns how
	// many it has changed.
	ChangeBulkJob(ctx context.Context, id JobID, c JobChange, now time.Time, limit int) (changed int, err error)
}
