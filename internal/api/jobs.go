package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagJobs = "Jobs"

// Job is a job on the wire.
type Job struct {
	ID         bellwire.JobID    `json:"id" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175"`
	Tenant     string            `json:"tenant" example:"acme"`
	Kind       bellwire.JobKind  `json:"kind" enum:"replay,retry,cancel"`
	State      bellwire.JobState `json:"state" enum:"running,paused,done,canceled,failed"`
	Total      int               `json:"total" doc:"What was selected when the job was created, before any filter. It grows if more is found on the way, and is done and skipped together in the end."`
	Done       int               `json:"done" doc:"Deliveries that were made, retried or canceled."`
	Skipped    int               `json:"skipped" doc:"What was selected, but a filter left out, or was delivered, retried, canceled or deleted meanwhile."`
	Rate       *float64          `json:"rate" doc:"Deliveries per second; null for as fast as there is room."`
	Params     jobParams         `json:"params"`
	Waiting    string            `json:"waiting" doc:"What a running job waits for, if it has waited for some seconds; else empty."`
	Error      string            `json:"error" doc:"Why the job failed; empty if it did not."`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	FinishedAt *time.Time        `json:"finished_at" doc:"null until the job has ended."`
	BulkJob    *bellwire.JobID   `json:"bulk_job" nullable:"true" doc:"The job over all tenants that this one is a part of; null if there is none."`
}

// JobWithDeliveries is a job that was asked for by its id.
type JobWithDeliveries struct {
	Job
	Deliveries JobDeliveries `json:"deliveries" doc:"What has become of the deliveries that the job made, retried or canceled, without those that another job has retried or canceled since."`
}

// JobDeliveries counts the deliveries of a job by their status.
type JobDeliveries struct {
	Waiting   int  `json:"waiting" doc:"Not acknowledged yet: pending or retrying."`
	Succeeded int  `json:"succeeded"`
	Exhausted int  `json:"exhausted"`
	Canceled  int  `json:"canceled"`
	Capped    bool `json:"capped" doc:"Whether there are more of one of them than the 10,000 that are counted."`
}

func wireJobWithDeliveries(j *service.JobWithDeliveries) JobWithDeliveries {
	return JobWithDeliveries{wireJob(j.Job), JobDeliveries(j.Deliveries)}
}

// jobParams are what the creator of a job has chosen.
type jobParams struct {
	Endpoint *string    `json:"endpoint" doc:"null for all of the tenant's."`
	Types    []string   `json:"types" doc:"Empty for all."`
	Since    *time.Time `json:"since"`
	Until    time.Time  `json:"until" doc:"Just after the creation of the job, if no time or a later one was given; a minute after it, if the job was started by a change of the endpoint."`
	Status   *string    `json:"status"`
	Filter   *string    `json:"filter" doc:"null if there is none."`
	Event    *string    `json:"event" nullable:"true" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"null for all."`
	Dialect  *string    `json:"dialect" nullable:"true" doc:"null for all."`
	Outcome  *string    `json:"outcome" nullable:"true" example:"timeout" doc:"null for all."`
}

func wireJob(j *bellwire.Job) Job {
	return Job{
		ID: j.ID, Tenant: j.Tenant, Kind: j.Kind, State: j.State, Total: j.Total, Done: j.Done, Skipped: j.Skipped, Rate: orNull(j.Rate),
		Params: wireJobParams(&j.Params), Waiting: j.Waiting, Error: j.Error, CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(),
		FinishedAt: timeOrNull(j.FinishedAt), BulkJob: orNull(j.Bulk),
	}
}

func wireJobParams(p *bellwire.JobParams) jobParams {
	params := jobParams{
		Endpoint: orNull(p.Endpoint), Types: append([]string{}, p.Types...), Since: timeOrNull(p.Since), Until: p.Until.UTC(), Status: orNull(p.Status),
		Filter: orNull(p.Filter), Dialect: orNull(p.Dialect), Outcome: orNull(string(p.Outcome)),
	}
	if !p.Event.IsZero() {
		params.Event = new(p.Event.String())
	}
	return params
}

// orNull returns nil for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// JobCount is the response to a dry run.
type JobCount struct {
	Total        int  `json:"total" doc:"What the job would be about: exactly, unless total_is_bound."`
	TotalIsBound bool `json:"total_is_bound" doc:"Whether there are at most as many: filters decide, and could not be asked about all events in time."`
}

// startedJob is the response to the creation of a job, or to a dry run.
type startedJob struct {
	Status int
	Body   any
}

func (o *startedJob) take() any {
	body := o.Body
	o.Body = nil
	return body
}

// replayInput creates a replay.
type replayInput struct {
	Endpoint string         `json:"endpoint,omitzero" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"Nobody else gets anything."`
	Since    string         `json:"since,omitzero" example:"2026-01-31T12:30:00Z" doc:"Only events accepted at or after this time."`
	Until    string         `json:"until,omitzero" example:"2026-02-01T00:00:00Z" doc:"Only events accepted before this time; now, if it is left out or later."`
	Types    []string       `json:"types,omitzero" example:"[\"invoice.*\"]" doc:"Only events of these types: names, or starts of names followed by a single *."`
	Status   string         `json:"status,omitzero" example:"failed" doc:"failed (default): events whose delivery to the endpoint is exhausted or canceled. missing: events that match the endpoint as it is now and of which it has no delivery, also from before it was made; what its filter keeps from it is skipped. missed: both. all: both, and those that were delivered."`
	Filter   string         `json:"filter,omitzero" example:"data.amount > 100" doc:"Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer."`
	Rate     value[float64] `json:"rate,omitzero" example:"50" doc:"Deliveries per second; as fast as there is room, if it is left out."`
	DryRun   bool           `json:"dry_run,omitzero" doc:"Whether only to count."`
}

// bulkInput creates a bulk retry or a bulk cancellation.
type bulkInput struct {
	Endpoint string         `json:"endpoint,omitzero" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"Only deliveries to this endpoint."`
	Types    []string       `json:"types,omitzero" example:"[\"invoice.*\"]" doc:"Only events of these types: names, or starts of names followed by a single *."`
	Since    string         `json:"since,omitzero" example:"2026-01-31T12:30:00Z" doc:"Only events accepted at or after this time."`
	Until    string         `json:"until,omitzero" example:"2026-02-01T00:00:00Z" doc:"Only events accepted before this time; now, if it is left out or later."`
	Status   string         `json:"status,omitzero" doc:"Of a retry: failed (default), exhausted, canceled or retrying. Of a cancellation: pending or retrying; both, if it is left out."`
	Filter   string         `json:"filter,omitzero" example:"data.amount > 100" doc:"Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer."`
	Event    string         `json:"event,omitzero" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"Only deliveries of this event."`
	Dialect  string         `json:"dialect,omitzero" example:"standard" doc:"Only deliveries to endpoints that are of this dialect when their turn comes."`
	Outcome  string         `json:"outcome,omitzero" example:"timeout" doc:"Only deliveries whose newest attempt had this outcome: ok, status, blocked, dns, connect, tls, timeout, reset or protocol. Others are skipped."`
	Rate     value[float64] `json:"rate,omitzero" example:"50" doc:"Deliveries per second; as fast as there is room, if it is left out."`
	DryRun   bool           `json:"dry_run,omitzero" doc:"Whether only to count."`
}

// job returns the input of a use case.
func (b *bulkInput) job(kind bellwire.JobKind) (service.JobInput, error) {
	in := service.JobInput{
		Kind: kind, Endpoint: b.Endpoint, Types: b.Types, Status: b.Status, Filter: b.Filter, Dialect: b.Dialect,
		Outcome: bellwire.Outcome(b.Outcome), Rate: b.Rate.given,
	}
	return in, bellwire.Join(parseSpan(&in, b.Since, b.Until), parseEvent(&in.Event, b.Event))
}

// parseEvent parses the event of a filter. An empty text is the zero id, which selects all, so that its own text is refused.
func parseEvent(id *bellwire.EventID, text string) error {
	if text != "" && (id.UnmarshalText([]byte(text)) != nil || id.IsZero()) {
		return bellwire.Invalid("event", `must be an event's id: "evt_" and 32 lower-case hex digits`)
	}
	return nil
}

// parseJob parses the job of a filter, as parseEvent does an event.
func parseJob(id *bellwire.JobID, field, text string) error {
	if text != "" && (id.UnmarshalText([]byte(text)) != nil || id.IsZero()) {
		return bellwire.Invalid(field, `must be a job's id: "job_" and 32 lower-case hex digits`)
	}
	return nil
}

// parseSpan parses the times of a job.
func parseSpan(in *service.JobInput, since, until string) error {
	var errs [2]error
	in.Since, errs[0] = parseTime("since", since)
	in.Until, errs[1] = parseTime("until", until)
	return bellwire.Join(errs[:]...)
}

// startJob creates a job, or only counts.
func (a *api) startJob(ctx context.Context, c service.Caller, tenant string, in service.JobInput, dry bool) (*startedJob, error) {
	if dry {
		n, err := a.svc.CountJob(ctx, c, tenant, in)
		if err != nil {
			return nil, err
		}
		return &startedJob{http.StatusOK, JobCount{n.Total, n.Bound}}, nil
	}
	j, err := a.svc.CreateJob(ctx, c, tenant, in)
	if err != nil {
		return nil, err
	}
	return &startedJob{http.StatusAccepted, wireJob(j)}, nil
}

func (a *api) jobs() {
	const starts = "Responds with 202 and a job, or with `dry_run` with 200 and the number only. "
	type replay struct {
		InTenant
		Input body[replayInput]
	}
	route(a, service.Redeliver, huma.Operation{
		OperationID: "replay-events", Method: http.MethodPost, Path: "/tenants/{tenant}/replays", Tags: []string{tagJobs},
		Summary: "Replay events to an endpoint", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: starts + "Each event gets a delivery of its own, with the same webhook-id as before. " +
			"An ordered endpoint gets them after what it has already. The job waits while the endpoint is paused or disabled, or has many deliveries waiting.",
	}, func(ctx context.Context, c service.Caller, in *replay) (*startedJob, error) {
		v := in.Input.value
		job := service.JobInput{Kind: bellwire.JobReplay, Endpoint: v.Endpoint, Types: v.Types, Status: v.Status, Filter: v.Filter, Rate: v.Rate.given}
		if err := parseSpan(&job, v.Since, v.Until); err != nil {
			return nil, err
		}
		return a.startJob(ctx, c, in.Tenant, job, v.DryRun)
	})

	type bulk struct {
		InTenant
		Input optionalBody[bulkInput]
	}
	by := func(kind bellwire.JobKind) handler[bulk, startedJob] {
		return func(ctx context.Context, c service.Caller, in *bulk) (*startedJob, error) {
			job, err := in.Input.value.job(kind)
			if err != nil {
				return nil, err
			}
			return a.startJob(ctx, c, in.Tenant, job, in.Input.value.DryRun)
		}
	}
	route(a, service.Redeliver, huma.Operation{
		OperationID: "retry-deliveries", Method: http.MethodPost, Path: "/tenants/{tenant}/deliveries/retry", Tags: []string{tagJobs},
		Summary: "Retry many deliveries", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: starts + "Begins the retry schedule of each delivery again, with an attempt at once, or at the deliver_at of its event. Deliveries to disabled endpoints are left out.",
	}, by(bellwire.JobRetry))
	route(a, service.Redeliver, huma.Operation{
		OperationID: "cancel-deliveries", Method: http.MethodPost, Path: "/tenants/{tenant}/deliveries/cancel", Tags: []string{tagJobs},
		Summary: "Cancel many deliveries", DefaultStatus: http.StatusAccepted,
		Description: starts + "Ends deliveries that are pending or retrying.",
	}, by(bellwire.JobCancel))
	for _, path := range []string{"/replays", "/deliveries/retry", "/deliveries/cancel"} {
		documentJob(a.huma.OpenAPI(), base+"/tenants/{tenant}"+path, reflect.TypeFor[JobCount](), reflect.TypeFor[Job]())
	}

	type listed struct {
		InTenant
		Paging
	}
	route(a, service.Read, huma.Operation{
		OperationID: "list-jobs", Method: http.MethodGet, Path: "/tenants/{tenant}/jobs", Tags: []string{tagJobs},
		Summary: "List jobs", Description: "Jobs that have ended are kept for 30 days, and the newest 200 of a tenant.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[Job]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
			return a.svc.Jobs(ctx, c, bellwire.JobsFilter{Tenant: in.Tenant}, page)
		}, wireJob)
	})
	type listedAll struct {
		Paging
		BulkJob string `query:"bulk_job" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175" doc:"Only the parts of this job over all tenants."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-all-jobs", Method: http.MethodGet, Path: "/jobs", Tags: []string{tagJobs},
		Summary: "List jobs of all tenants", Description: "For admin keys.",
	}, func(ctx context.Context, c service.Caller, in *listedAll) (*output[list[Job]], error) {
		var f bellwire.JobsFilter
		if err := parseJob(&f.Bulk, "bulk_job", in.BulkJob); err != nil {
			return nil, err
		}
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
			return a.svc.Jobs(ctx, c, f, page)
		}, wireJob)
	})
	route(a, service.Read, huma.Operation{
		OperationID: "get-job", Method: http.MethodGet, Path: "/tenants/{tenant}/jobs/{id}", Tags: []string{tagJobs},
		Summary: "Get a job with its progress",
	}, func(ctx context.Context, c service.Caller, in *OfJob) (*output[JobWithDeliveries], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		j, err := a.svc.Job(ctx, c, in.Tenant, id)
		return answer(j, err, wireJobWithDeliveries)
	})
	a.jobChanges()
	a.bulkJobs()
}

// jobChanges adds the operations that change a job.
func (a *api) jobChanges() {
	const one = "/tenants/{tenant}/jobs/{id}"
	change := func(ctx context.Context, c service.Caller, in *OfJob, change bellwire.JobChange) (*output[Job], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		j, err := a.svc.ChangeJob(ctx, c, in.Tenant, id, change)
		return answer(j, err, wireJob)
	}
	for _, op := range []struct {
		name, summary, description string
		state                      bellwire.JobState
	}{
		{"pause", "Pause a job", "What it has done stays done. A resumed job continues where it stopped.", bellwire.JobPaused},
		{"resume", "Resume a paused job", "The job continues where it was.", bellwire.JobRunning},
		{"cancel", "Cancel a job", "What it has done stays done. A canceled job cannot be resumed.", bellwire.JobCanceled},
	} {
		route(a, service.Redeliver, huma.Operation{
			OperationID: op.name + "-job", Method: http.MethodPost, Path: one + "/" + op.name, Tags: []string{tagJobs},
			Summary: op.summary, Description: op.description + " Responds with 409 if the job has ended.", Errors: []int{http.StatusConflict},
		}, func(ctx context.Context, c service.Caller, in *OfJob) (*output[Job], error) {
			return change(ctx, c, in, bellwire.JobChange{State: op.state})
		})
	}
	type changed struct {
		OfJob
		Input body[jobChange]
	}
	route(a, service.Redeliver, huma.Operation{
		OperationID: "update-job", Method: http.MethodPatch, Path: one, Tags: []string{tagJobs},
		Summary: "Change the rate of a job", Description: "Responds with 409 if the job has ended.", Errors: []int{http.StatusConflict},
	}, func(ctx context.Context, c service.Caller, in *changed) (*output[Job], error) {
		rate, err := in.Input.value.rate()
		if err != nil {
			return nil, err
		}
		return change(ctx, c, &in.OfJob, bellwire.JobChange{Rate: rate})
	})
}

// jobChange changes a job.
type jobChange struct {
	Rate clearable[float64] `json:"rate,omitzero" example:"50" doc:"Deliveries per second; null for as fast as there is room."`
}

// rate returns the rate that is asked for; 0: none.
func (c *jobChange) rate() (*float64, error) {
	rate := c.Rate.given
	if rate == nil {
		return nil, bellwire.Invalid("rate", "is required")
	}
	if *rate == 0 && !c.Rate.null {
		*rate = -1 // which is refused: null means no rate
	}
	return rate, nil
}

// OfJob has the parameters of a job.
type OfJob struct {
	InTenant
	ID string `path:"id" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175" doc:"The job's id."`
}

func (in *OfJob) id() (bellwire.JobID, error) {
	var id bellwire.JobID
	if id.UnmarshalText([]byte(in.ID)) != nil {
		return id, bellwire.NotFound("job", in.ID)
	}
	return id, nil
}
