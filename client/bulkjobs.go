package client

import (
	"context"
	"net/http"
	"time"
)

// BulkJob is a retry or a replay over all tenants. Each tenant that had something to be done has a job of its own.
type BulkJob struct {
	ID         string     `json:"id"` // empty: nothing was to be done, and nothing was started
	Kind       JobKind    `json:"kind"`
	State      JobState   `json:"state"`
	Tenants    int        `json:"tenants"`
	Open       int        `json:"open"`    // jobs that have not ended
	Waiting    int        `json:"waiting"` // jobs that cannot go on now
	Failed     int        `json:"failed"`  // jobs that have failed
	Total      int        `json:"total"`   // the sum over the jobs, like Done and Skipped
	Done       int        `json:"done"`
	Skipped    int        `json:"skipped"`
	Rate       *float64   `json:"rate"` // deliveries per second of each tenant; nil: as fast as there is room
	Params     JobParams  `json:"params"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	FinishedAt *time.Time `json:"finished_at"` // nil until all jobs have ended
}

// BulkJobCount is what a bulk job would be about.
type BulkJobCount struct {
	JobCount
	Tenants int `json:"tenants"`
}

// BulkSelection says what is retried or replayed over all tenants. Since is required. A zero field selects all, but without a status
// it selects what is exhausted or canceled.
type BulkSelection struct {
	Since, Until time.Time
	Types        []string
	Status       string // a ReplayStatus or a DeliveryStatus, as the kind of the job has it
	Filter       string // a CEL expression; events that it does not take are skipped
	Dialect      string // of the endpoints
	Outcome      Outcome
	Rate         float64 // deliveries per second of each tenant; 0: as fast as there is room
}

func (s BulkSelection) input() jobInput {
	return jobInput{Since: s.Since, Until: s.Until, Types: s.Types, Status: s.Status, Filter: s.Filter, Dialect: s.Dialect, Outcome: s.Outcome, Rate: s.Rate}
}

// RetryAllTenants starts to retry deliveries of all tenants. Like all methods for bulk jobs, it needs an admin key.
func (c *Client) RetryAllTenants(ctx context.Context, s BulkSelection) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPost, path("deliveries", "retry"), s.input())
}

// CountRetriesOfAllTenants counts the deliveries of RetryAllTenants, and retries none.
func (c *Client) CountRetriesOfAllTenants(ctx context.Context, s BulkSelection) (*BulkJobCount, error) {
	in := s.input()
	in.DryRun = true
	return fetch[BulkJobCount](ctx, c, http.MethodPost, path("deliveries", "retry"), in)
}

// ReplayAllTenants starts to send events to all endpoints of all tenants once more.
func (c *Client) ReplayAllTenants(ctx context.Context, s BulkSelection) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPost, path("replays"), s.input())
}

// CountReplayOfAllTenants counts the events of ReplayAllTenants, and starts none.
func (c *Client) CountReplayOfAllTenants(ctx context.Context, s BulkSelection) (*BulkJobCount, error) {
	in := s.input()
	in.DryRun = true
	return fetch[BulkJobCount](ctx, c, http.MethodPost, path("replays"), in)
}

// BulkJob returns a bulk job.
func (c *Client) BulkJob(ctx context.Context, id string) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodGet, path("bulk-jobs", id), nil)
}

// BulkJobs lists bulk jobs, newest first. A page may have fewer than its limit, and still a cursor.
func (c *Client) BulkJobs(ctx context.Context, page Page) (*List[BulkJob], error) {
	return fetchList[BulkJob](ctx, c, path("bulk-jobs"), page, nil)
}

// JobsOfBulkJob lists the jobs of which a bulk job consists.
func (c *Client) JobsOfBulkJob(ctx context.Context, id string, page Page) (*List[Job], error) {
	return fetchList[Job](ctx, c, path("jobs"), page, filter("bulk_job", id))
}

// PauseBulkJob pauses the jobs of a bulk job. Like ResumeBulkJob, CancelBulkJob and SetBulkJobRate, it fails with CodeConflict if
// all have ended.
func (c *Client) PauseBulkJob(ctx context.Context, id string) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPost, path("bulk-jobs", id, "pause"), nil)
}

// ResumeBulkJob lets the paused jobs of a bulk job continue where they were.
func (c *Client) ResumeBulkJob(ctx context.Context, id string) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPost, path("bulk-jobs", id, "resume"), nil)
}

// CancelBulkJob ends the jobs of a bulk job. What they have done stays done.
func (c *Client) CancelBulkJob(ctx context.Context, id string) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPost, path("bulk-jobs", id, "cancel"), nil)
}

// SetBulkJobRate changes the rate of the jobs of a bulk job, in deliveries per second of each; 0: as fast as there is room.
func (c *Client) SetBulkJobRate(ctx context.Context, id string, rate float64) (*BulkJob, error) {
	return fetch[BulkJob](ctx, c, http.MethodPatch, path("bulk-jobs", id), rateInput(rate))
}
