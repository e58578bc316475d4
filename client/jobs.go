package client

import (
	"context"
	"net/http"
	"time"
)

// Job is work on many deliveries: a replay, a bulk retry or a bulk cancellation.
type Job struct {
	ID         string     `json:"id"`
	Tenant     string     `json:"tenant"`
	Kind       JobKind    `json:"kind"`
	State      JobState   `json:"state"`
	Total      int        `json:"total"`   // what was selected when it was created, or more if more was found
	Done       int        `json:"done"`    // deliveries that were made, retried or canceled
	Skipped    int        `json:"skipped"` // what needed nothing any more
	Rate       *float64   `json:"rate"`    // deliveries per second; nil: as fast as there is room
	Params     JobParams  `json:"params"`
	Waiting    string     `json:"waiting"` // what a running job waits for; empty: nothing
	Error      string     `json:"error"`   // why it failed
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	FinishedAt *time.Time `json:"finished_at"` // nil until it has ended
	BulkJob    *string    `json:"bulk_job"`    // the BulkJob that it is a part of; nil: none

	Deliveries *JobDeliveries `json:"deliveries,omitempty"` // nil unless Client.Job returned the job
}

// JobDeliveries counts the deliveries of a job by what has become of them, each up to 10,000.
type JobDeliveries struct {
	Waiting   int  `json:"waiting"` // pending or retrying
	Succeeded int  `json:"succeeded"`
	Exhausted int  `json:"exhausted"`
	Canceled  int  `json:"canceled"`
	Capped    bool `json:"capped"` // there are more of one of them
}

// JobParams are the choices of a job's creator.
type JobParams struct {
	Endpoint *string    `json:"endpoint"` // nil: all of the tenant's
	Types    []string   `json:"types"`
	Since    *time.Time `json:"since"`
	Until    time.Time  `json:"until"`
	Status   *string    `json:"status"`
	Filter   *string    `json:"filter"`
	Event    *string    `json:"event"`
	Dialect  *string    `json:"dialect"`
	Outcome  *Outcome   `json:"outcome"`
}

// JobCount is what a job would be about.
type JobCount struct {
	Total        int  `json:"total"`
	TotalIsBound bool `json:"total_is_bound"` // there are at most as many, because filters could not be asked about all in time
}

// Replay says which events are sent to an endpoint once more.
type Replay struct {
	Endpoint string
	Since    time.Time
	Until    time.Time    // zero: now
	Types    []string     // names, or starts of names followed by a single *; empty: all
	Status   ReplayStatus // empty: ReplayFailed
	Filter   string       // a CEL expression; events that it does not take are skipped
	Rate     float64      // deliveries per second; 0: as fast as there is room
}

// Selection says which deliveries are retried or canceled. A zero field selects all, but a retry without a status selects those
// that are exhausted or canceled.
type Selection struct {
	Endpoint     string
	Since, Until time.Time
	Types        []string
	Status       DeliveryStatus
	Filter       string  // a CEL expression; deliveries of events that it does not take are skipped
	Event        string  // an event's id
	Dialect      string  // of the endpoints
	Outcome      Outcome // of the newest attempts
	Rate         float64 // deliveries per second; 0: as fast as there is room
}

// jobInput is the body of a request that creates a job, or counts what it would be about.
type jobInput struct {
	Endpoint string    `json:"endpoint,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Until    time.Time `json:"until,omitzero"`
	Types    []string  `json:"types,omitempty"`
	Status   string    `json:"status,omitempty"`
	Filter   string    `json:"filter,omitempty"`
	Event    string    `json:"event,omitempty"`
	Dialect  string    `json:"dialect,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Rate     float64   `json:"rate,omitempty"`
	DryRun   bool      `json:"dry_run,omitempty"`
}

func (r Replay) input() jobInput {
	return jobInput{Endpoint: r.Endpoint, Since: r.Since, Until: r.Until, Types: r.Types, Status: string(r.Status), Filter: r.Filter, Rate: r.Rate}
}

func (s Selection) input() jobInput {
	return jobInput{
		Endpoint: s.Endpoint, Since: s.Since, Until: s.Until, Types: s.Types, Status: string(s.Status), Filter: s.Filter,
		Event: s.Event, Dialect: s.Dialect, Outcome: s.Outcome, Rate: s.Rate,
	}
}

// Replay starts to send events to an endpoint once more, each with the webhook-id that it had.
func (c *Client) Replay(ctx context.Context, tenant string, r Replay) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "replays"), r.input())
}

// CountReplay counts the events of a replay, and starts none.
func (c *Client) CountReplay(ctx context.Context, tenant string, r Replay) (*JobCount, error) {
	return c.count(ctx, inTenant(tenant, "replays"), r.input())
}

// RetryDeliveries starts to retry deliveries. Each begins its retry schedule again.
func (c *Client) RetryDeliveries(ctx context.Context, tenant string, s Selection) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", "retry"), s.input())
}

// CountRetries counts the deliveries of RetryDeliveries, and retries none.
func (c *Client) CountRetries(ctx context.Context, tenant string, s Selection) (*JobCount, error) {
	return c.count(ctx, inTenant(tenant, "deliveries", "retry"), s.input())
}

// CancelDeliveries starts to cancel pending and retrying deliveries.
func (c *Client) CancelDeliveries(ctx context.Context, tenant string, s Selection) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "deliveries", "cancel"), s.input())
}

// CountCancellations counts the deliveries of CancelDeliveries, and cancels none.
func (c *Client) CountCancellations(ctx context.Context, tenant string, s Selection) (*JobCount, error) {
	return c.count(ctx, inTenant(tenant, "deliveries", "cancel"), s.input())
}

func (c *Client) count(ctx context.Context, path string, in jobInput) (*JobCount, error) {
	in.DryRun = true
	return fetch[JobCount](ctx, c, http.MethodPost, path, in)
}

// Jobs lists a tenant's jobs.
func (c *Client) Jobs(ctx context.Context, tenant string, page Page) (*List[Job], error) {
	return fetchList[Job](ctx, c, inTenant(tenant, "jobs"), page, nil)
}

// AllJobs lists the jobs of all tenants. It needs an admin key.
func (c *Client) AllJobs(ctx context.Context, page Page) (*List[Job], error) {
	return fetchList[Job](ctx, c, path("jobs"), page, nil)
}

// Job returns a job.
func (c *Client) Job(ctx context.Context, tenant, id string) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodGet, inTenant(tenant, "jobs", id), nil)
}

// PauseJob pauses a job. Like ResumeJob, CancelJob and SetJobRate, it fails with CodeConflict if the job has ended.
func (c *Client) PauseJob(ctx context.Context, tenant, id string) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "jobs", id, "pause"), nil)
}

// ResumeJob lets a paused job continue where it was.
func (c *Client) ResumeJob(ctx context.Context, tenant, id string) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "jobs", id, "resume"), nil)
}

// CancelJob ends a job. What it has done stays done.
func (c *Client) CancelJob(ctx context.Context, tenant, id string) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPost, inTenant(tenant, "jobs", id, "cancel"), nil)
}

// SetJobRate changes the rate of a job, in deliveries per second; 0: as fast as there is room.
func (c *Client) SetJobRate(ctx context.Context, tenant, id string, rate float64) (*Job, error) {
	return fetch[Job](ctx, c, http.MethodPatch, inTenant(tenant, "jobs", id), rateInput(rate))
}

// rateInput returns the body of a change of a job's rate; 0: it has none.
func rateInput(rate float64) any {
	var in struct {
		Rate *float64 `json:"rate"`
	}
	if rate != 0 {
		in.Rate = &rate
	}
	return in
}
