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

// BulkJob is a job over all tenants on the wire.
type BulkJob struct {
	ID         bellwire.JobID    `json:"id" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175"`
	Kind       bellwire.JobKind  `json:"kind" enum:"replay,retry"`
	State      bellwire.JobState `json:"state" enum:"running,paused,done,canceled,failed" doc:"running: a tenant's job is. In the end: canceled or failed if a tenant's job is, else done."`
	Tenants    int               `json:"tenants" doc:"Tenants that had something to be done when it was created. Each has a job of its own."`
	Open       int               `json:"open" doc:"Of their jobs, those that have not ended."`
	Waiting    int               `json:"waiting" doc:"Of their jobs, those that cannot go on now, such as while the tenant is paused. The job says why."`
	Failed     int               `json:"failed" doc:"Of their jobs, those that have failed, such as because the tenant was deleted."`
	Total      int               `json:"total" doc:"The sum over their jobs, like done and skipped."`
	Done       int               `json:"done"`
	Skipped    int               `json:"skipped"`
	Rate       *float64          `json:"rate" doc:"Deliveries per second of each tenant; null for as fast as there is room."`
	Params     jobParams         `json:"params"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	FinishedAt *time.Time        `json:"finished_at" doc:"null until all their jobs have ended."`
}

func wireBulkJob(b *bellwire.BulkJob) BulkJob {
	wire := BulkJob{
		ID: b.ID, Kind: b.Kind, State: b.State(), Tenants: b.Tenants, Open: b.Open, Waiting: b.Waiting, Failed: b.Failed, Total: b.Total,
		Done: b.Done, Skipped: b.Skipped, Rate: orNull(b.Rate), Params: wireJobParams(&b.Params), CreatedAt: b.CreatedAt.UTC(), UpdatedAt: b.UpdatedAt.UTC(),
	}
	if b.Ended() {
		wire.FinishedAt = timeOrNull(b.FinishedAt)
	}
	return wire
}

// bulkCount is the response to a dry run over all tenants.
type bulkCount struct {
	JobCount
	Tenants int `json:"tenants" doc:"Tenants that have something to be done."`
}

// bulkJobInput creates a job over all tenants.
type bulkJobInput struct {
	Since   string         `json:"since,omitzero" example:"2026-01-31T10:00:00Z" doc:"Only events accepted at or after this time. Required."`
	Until   string         `json:"until,omitzero" example:"2026-01-31T11:00:00Z" doc:"Only events accepted before this time; now, if it is left out or later."`
	Types   []string       `json:"types,omitzero" example:"[\"invoice.*\"]" doc:"Only events of these types: names, or starts of names followed by a single *."`
	Status  string         `json:"status,omitzero" example:"failed" doc:"Of a retry: failed (default), exhausted, canceled or retrying. Of a replay: failed (default), missing, missed or all."`
	Filter  string         `json:"filter,omitzero" example:"data.amount > 100" doc:"Only events that this CEL expression takes. Others are skipped, and so are those for which it has no answer."`
	Dialect string         `json:"dialect,omitzero" example:"standard" doc:"Only endpoints that are of this dialect when their turn comes."`
	Outcome string         `json:"outcome,omitzero" example:"connect" doc:"Only deliveries whose newest attempt had this outcome: ok, status, blocked, dns, connect, tls, timeout, reset or protocol. Others are skipped."`
	Rate    value[float64] `json:"rate,omitzero" example:"50" doc:"Deliveries per second of each tenant; as fast as there is room, if it is left out."`
	DryRun  bool           `json:"dry_run,omitzero" doc:"Whether only to count."`
}

func (b *bulkJobInput) job(kind bellwire.JobKind) (service.JobInput, error) {
	in := service.JobInput{
		Kind: kind, Types: b.Types, Status: b.Status, Filter: b.Filter, Dialect: b.Dialect, Outcome: bellwire.Outcome(b.Outcome), Rate: b.Rate.given,
	}
	return in, parseSpan(&in, b.Since, b.Until)
}

func wireBulkCount(n *service.BulkCount) bulkCount {
	return bulkCount{JobCount{n.Total, n.Bound}, n.Tenants}
}

func (a *api) bulkJobs() {
	type input struct {
		Input body[bulkJobInput]
	}
	start := func(kind bellwire.JobKind) handler[input, startedJob] {
		return func(ctx context.Context, c service.Caller, in *input) (*startedJob, error) {
			job, err := in.Input.value.job(kind)
			if err != nil {
				return nil, err
			}
			if in.Input.value.DryRun {
				n, err := a.svc.CountBulkJob(ctx, c, job)
				if err != nil {
					return nil, err
				}
				return &startedJob{http.StatusOK, wireBulkCount(n)}, nil
			}
			b, n, err := a.svc.CreateBulkJob(ctx, c, job)
			switch {
			case err != nil:
				return nil, err
			case b == nil:
				return &startedJob{http.StatusOK, wireBulkCount(n)}, nil
			}
			return &startedJob{http.StatusAccepted, wireBulkJob(b)}, nil
		}
	}
	const starts = "For admin keys. Starts a job of each tenant that has something to be done, and responds with 202 and their sum. " +
		"Tenants take turns. With `dry_run`, or if there is nothing to be done, responds with 200 and the numbers only. " +
		"Paused tenants and disabled endpoints are left out. "
	route(a, service.Manage, huma.Operation{
		OperationID: "retry-all-deliveries", Method: http.MethodPost, Path: "/deliveries/retry", Tags: []string{tagJobs},
		Summary: "Retry deliveries of all tenants", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: starts + "Begins the retry schedule of each delivery again, with an attempt at once, or at the deliver_at of its event.",
	}, start(bellwire.JobRetry))
	route(a, service.Manage, huma.Operation{
		OperationID: "replay-all-events", Method: http.MethodPost, Path: "/replays", Tags: []string{tagJobs},
		Summary: "Replay events of all tenants", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusConflict},
		Description: starts + "Each endpoint gets its events once more, each in a delivery of its own, with the same webhook-id as before.",
	}, start(bellwire.JobReplay))
	for _, path := range []string{"/deliveries/retry", "/replays"} {
		documentJob(a.huma.OpenAPI(), base+path, reflect.TypeFor[bulkCount](), reflect.TypeFor[BulkJob]())
	}
	a.bulkJobChanges()
}

// OfBulkJob has the parameter of a job over all tenants.
type OfBulkJob struct {
	ID string `path:"id" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175" doc:"Its id. The jobs of tenants have others."`
}

func (in *OfBulkJob) id() (bellwire.JobID, error) {
	var id bellwire.JobID
	if id.UnmarshalText([]byte(in.ID)) != nil {
		return id, bellwire.NotFound("bulk job", in.ID)
	}
	return id, nil
}

// bulkJobChanges adds the operations on a job over all tenants.
func (a *api) bulkJobChanges() {
	const one = "/bulk-jobs/{id}"
	route(a, service.Manage, huma.Operation{
		OperationID: "list-bulk-jobs", Method: http.MethodGet, Path: "/bulk-jobs", Tags: []string{tagJobs},
		Summary: "List jobs over all tenants", Description: "For admin keys. Newest first. They are kept for 30 days after they have ended. " +
			"A page may have fewer than limit, and still a cursor, after jobs of many tenants.",
	}, func(ctx context.Context, c service.Caller, in *struct{ Paging }) (*output[list[BulkJob]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error) {
			return a.svc.BulkJobs(ctx, c, page)
		}, wireBulkJob)
	})
	route(a, service.Manage, huma.Operation{
		OperationID: "get-bulk-job", Method: http.MethodGet, Path: one, Tags: []string{tagJobs},
		Summary: "Get a job over all tenants with its progress", Description: "For admin keys.",
	}, func(ctx context.Context, c service.Caller, in *OfBulkJob) (*output[BulkJob], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		b, err := a.svc.BulkJob(ctx, c, id)
		return answer(b, err, wireBulkJob)
	})
	change := func(ctx context.Context, c service.Caller, in *OfBulkJob, change bellwire.JobChange) (*output[BulkJob], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		b, err := a.svc.ChangeBulkJob(ctx, c, id, change)
		return answer(b, err, wireBulkJob)
	}
	const all = "For admin keys. Changes the jobs of all tenants that have not ended. Responds with 409 if all have ended."
	for _, op := range []struct {
		name, summary string
		state         bellwire.JobState
	}{
		{"pause", "Pause a job over all tenants", bellwire.JobPaused},
		{"resume", "Resume a paused job over all tenants", bellwire.JobRunning},
		{"cancel", "Cancel a job over all tenants", bellwire.JobCanceled},
	} {
		route(a, service.Manage, huma.Operation{
			OperationID: op.name + "-bulk-job", Method: http.MethodPost, Path: one + "/" + op.name, Tags: []string{tagJobs},
			Summary: op.summary, Description: all, Errors: []int{http.StatusConflict},
		}, func(ctx context.Context, c service.Caller, in *OfBulkJob) (*output[BulkJob], error) {
			return change(ctx, c, in, bellwire.JobChange{State: op.state})
		})
	}
	type changed struct {
		OfBulkJob
		Input body[jobChange]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "update-bulk-job", Method: http.MethodPatch, Path: one, Tags: []string{tagJobs},
		Summary: "Change the rate of a job over all tenants", Description: all, Errors: []int{http.StatusConflict},
	}, func(ctx context.Context, c service.Caller, in *changed) (*output[BulkJob], error) {
		rate, err := in.Input.value.rate()
		if err != nil {
			return nil, err
		}
		return change(ctx, c, &in.OfBulkJob, bellwire.JobChange{Rate: rate})
	})
}
