package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

type jobsCommand struct {
	List   listJobsCommand  `cmd:"" help:"List jobs, newest first."`
	Show   showJobCommand   `cmd:"" help:"Show a job with its progress."`
	Watch  watchJobCommand  `cmd:"" help:"Follow a job until it ends."`
	Pause  pauseJobCommand  `cmd:"" help:"Pause a job. What it has done stays done."`
	Resume resumeJobCommand `cmd:"" help:"Let a paused job continue where it was."`
	Cancel cancelJobCommand `cmd:"" help:"End a job. What it has done stays done."`
	Rate   rateJobCommand   `cmd:"" help:"Change the rate of a job."`
}

// Help is shown below the options.
func (c *jobsCommand) Help() string {
	return `A job replays events, retries deliveries or cancels them. It goes on after a restart of the server.

  bellwire replay --tenant acme --endpoint ep_… --since 24h --watch
  bellwire jobs list --tenant acme
  bellwire jobs list --all-tenants --bulk            what retry and replay have started over all tenants
  bellwire jobs rate --tenant acme job_… 50
  bellwire jobs cancel --all-tenants job_…           one of those`
}

type listJobsCommand struct {
	tenantsConnection
	listOptions
	Bulk    bool   `help:"With --all-tenants: only jobs over all tenants, each with the sum of its parts."`
	BulkJob string `placeholder:"ID" complete:"bulk-job" help:"With --all-tenants: only the parts of this job over all tenants, one of each tenant."`
}

// jobColumns returns the columns of a list of jobs.
func jobColumns(tenants bool) []output.Column[client.Job] {
	id, tenant := func(j client.Job) string { return j.ID }, func(j client.Job) string { return j.Tenant }
	return append(idColumns(tenants, id, tenant),
		output.Text("CREATED", func(j client.Job) string { return output.Time(j.CreatedAt) }),
		output.Text("KIND", func(j client.Job) string { return string(j.Kind) }),
		output.Column[client.Job]{Title: "STATE", Cell: func(j client.Job) output.Cell { return jobCell(j.State) }},
		output.Text("PROGRESS", func(j client.Job) string { return progressText(&j) }),
		output.Text("NOTE", func(j client.Job) string { return j.Error + j.Waiting }),
	)
}

func jobCell(s client.JobState) output.Cell {
	colors := map[client.JobState]output.Color{
		client.JobDone: output.Good, client.JobPaused: output.Warning, client.JobFailed: output.Bad, client.JobCanceled: output.Faint,
	}
	return output.Cell{Text: string(s), Color: colors[s]}
}

func progressText(j *client.Job) string {
	text := fmt.Sprintf("%d of %d", j.Done, j.Total)
	if j.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", j.Skipped)
	}
	return text
}

// deliveriesText says what has become of a job's deliveries; empty if that is not known.
func deliveriesText(d *client.JobDeliveries) string {
	if d == nil {
		return ""
	}
	text := fmt.Sprintf("%d succeeded, %d waiting, %d exhausted, %d canceled", d.Succeeded, d.Waiting, d.Exhausted, d.Canceled)
	if d.Capped {
		text += "; at most 10,000 of each are counted"
	}
	return text
}

// Run lists jobs.
func (c *listJobsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	switch {
	case c.Bulk && !c.AllTenants:
		return cli.Option("bulk", "must be given together with --all-tenants")
	case c.BulkJob != "" && !c.AllTenants:
		return cli.Option("bulk-job", "must be given together with --all-tenants")
	case c.Bulk && c.BulkJob != "":
		return cli.Option("bulk-job", "must not be given together with --bulk")
	case c.Bulk:
		return printList(ctx, std, api, &c.listOptions, bulkJobColumns(), api.BulkJobs)
	}
	return printList(ctx, std, api, &c.listOptions, jobColumns(c.AllTenants), func(ctx context.Context, page client.Page) (*client.List[client.Job], error) {
		switch {
		case c.BulkJob != "":
			return api.JobsOfBulkJob(ctx, c.BulkJob, page)
		case c.AllTenants:
			return api.AllJobs(ctx, page)
		}
		return api.Jobs(ctx, tenant, page)
	})
}

// ofJob has the options of commands that are about one job.
type ofJob struct {
	tenantsConnection
	jsonOption
	ID string `arg:"" complete:"job" help:"The job's id (job_…), with --all-tenants that of a job over all tenants."`
}

// run makes a call that is answered with a job, or with --all-tenants one that is answered with a job over all tenants, and shows
// it.
func (c *ofJob) run(std streams, one func(api *caller, tenant string) (*client.Job, error), ofAll func(api *caller) (*client.BulkJob, error)) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	if c.AllTenants {
		job, err := ofAll(api)
		if err != nil {
			return err
		}
		return printBulkJob(std, api, c.JSON, job)
	}
	job, err := one(api, tenant)
	if err != nil {
		return err
	}
	return printJob(std, api, c.JSON, job)
}

func printJob(std streams, api *caller, asJSON bool, j *client.Job) error {
	return printOne(std, api, asJSON, func(p *output.Printer) {
		p.Fields(
			field("id", j.ID), field("kind", string(j.Kind)), output.Field{Name: "state", Cell: jobCell(j.State)},
			field("progress", progressText(j)), field("deliveries", deliveriesText(j.Deliveries)), field("waiting for", j.Waiting), output.Field{Name: "error", Cell: output.Cell{Text: j.Error, Color: output.Bad}},
			field("rate", rateText(j.Rate)), field("endpoint", chosen(j.Params.Endpoint)), field("types", strings.Join(j.Params.Types, ", ")),
			field("status", chosen(j.Params.Status)), field("filter", chosen(j.Params.Filter)), field("event", chosen(j.Params.Event)), field("dialect", chosen(j.Params.Dialect)), field("outcome", string(chosen(j.Params.Outcome))), field("since", output.TimePtr(j.Params.Since)), field("until", output.Time(j.Params.Until)),
			field("created", output.Time(j.CreatedAt)), field("finished", output.TimePtr(j.FinishedAt)),
		)
	})
}

type showJobCommand struct{ ofJob }

// Run shows a job.
func (c *showJobCommand) Run(ctx context.Context, std streams) error {
	return c.run(std,
		func(api *caller, tenant string) (*client.Job, error) { return api.Job(ctx, tenant, c.ID) },
		func(api *caller) (*client.BulkJob, error) { return api.BulkJob(ctx, c.ID) })
}

type pauseJobCommand struct{ ofJob }

// Run pauses a job.
func (c *pauseJobCommand) Run(ctx context.Context, std streams) error {
	return c.run(std,
		func(api *caller, tenant string) (*client.Job, error) { return api.PauseJob(ctx, tenant, c.ID) },
		func(api *caller) (*client.BulkJob, error) { return api.PauseBulkJob(ctx, c.ID) })
}

type resumeJobCommand struct{ ofJob }

// Run resumes a job.
func (c *resumeJobCommand) Run(ctx context.Context, std streams) error {
	return c.run(std,
		func(api *caller, tenant string) (*client.Job, error) { return api.ResumeJob(ctx, tenant, c.ID) },
		func(api *caller) (*client.BulkJob, error) { return api.ResumeBulkJob(ctx, c.ID) })
}

type cancelJobCommand struct{ ofJob }

// Run cancels a job.
func (c *cancelJobCommand) Run(ctx context.Context, std streams) error {
	return c.run(std,
		func(api *caller, tenant string) (*client.Job, error) { return api.CancelJob(ctx, tenant, c.ID) },
		func(api *caller) (*client.BulkJob, error) { return api.CancelBulkJob(ctx, c.ID) })
}

type rateJobCommand struct {
	ofJob
	Rate float64 `arg:"" help:"Deliveries per second, with --all-tenants of each tenant; 0: as fast as there is room."`
}

// Run changes the rate of a job.
func (c *rateJobCommand) Run(ctx context.Context, std streams) error {
	return c.run(std,
		func(api *caller, tenant string) (*client.Job, error) {
			return api.SetJobRate(ctx, tenant, c.ID, c.Rate)
		},
		func(api *caller) (*client.BulkJob, error) { return api.SetBulkJobRate(ctx, c.ID, c.Rate) })
}

type watchJobCommand struct{ ofJob }

// Run follows a job until it ends.
func (c *watchJobCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	if c.AllTenants {
		job, err := api.BulkJob(ctx, c.ID)
		if err != nil {
			return err
		}
		return watchBulkJob(ctx, std, api, c.JSON, job)
	}
	job, err := api.Job(ctx, tenant, c.ID)
	if err != nil {
		return err
	}
	return watchJob(ctx, std, api, c.JSON, job)
}

// watchInterval is the time between two looks at a job.
const watchInterval = 500 * time.Millisecond

// watchJob shows the progress of a job on standard error until it ends, and then the job. It fails if the job did.
func watchJob(ctx context.Context, std streams, api *caller, asJSON bool, job *client.Job) error {
	err := watch(ctx, std, "--tenant "+job.Tenant+" "+job.ID, func() (progress string, ended bool) {
		return string(job.State) + ": " + progressText(job) + "  " + job.Waiting, job.FinishedAt != nil
	}, func() (err error) {
		job, err = api.Job(ctx, job.Tenant, job.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := printJob(std, api, asJSON, job); err != nil {
		return err
	}
	return failedUnlessDone(job.ID, job.State)
}

// watch shows progress on standard error until it has ended. next reads it again.
func watch(ctx context.Context, std streams, options string, now func() (progress string, ended bool), next func() error) error {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	last := ""
	for {
		progress, ended := now()
		if ended {
			return nil
		}
		if progress = strings.TrimSpace(progress); progress != last {
			io.WriteString(std.err, output.Clean(progress)+"\n") // what cannot be shown is not worth failing for
			last = progress
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped watching; the job goes on: bellwire jobs watch %s", options)
		case <-ticker.C:
		}
		if err := next(); err != nil {
			return err
		}
	}
}

func failedUnlessDone(id string, state client.JobState) error {
	if state == client.JobDone {
		return nil
	}
	return fmt.Errorf("job %s is %s", id, state)
}

// jobOptions are the options of commands that start a job.
type jobOptions struct {
	span
	Types  []string `name:"type" placeholder:"PATTERN" complete:"event-type" help:"Only events of this type: a name, or the start of names followed by *. Repeat it for more."`
	Filter string   `placeholder:"CEL" help:"Only events for which this expression is true, such as data.amount > 100."`
	Rate   float64  `placeholder:"N" help:"Deliveries per second. Default: as fast as there is room, after everything else."`
	DryRun bool     `help:"Only count."`
	Watch  bool     `help:"Follow the job until it ends."`
}

// job counts what a job would be about, or starts and perhaps follows it.
func (o *jobOptions) job(ctx context.Context, std streams, api *caller, asJSON bool, count func() (*client.JobCount, error), start func() (*client.Job, error)) error {
	if o.DryRun {
		n, err := count()
		if err != nil {
			return err
		}
		return printOne(std, api, asJSON, func(p *output.Printer) {
			if n.TotalIsBound {
				p.Linef("at most %d", n.Total)
				return
			}
			p.Linef("%d", n.Total)
		})
	}
	job, err := start()
	if err != nil {
		return err
	}
	if o.Watch {
		return watchJob(ctx, std, api, asJSON, job)
	}
	return printJob(std, api, asJSON, job)
}

type replayCommand struct {
	tenantsConnection
	jsonOption
	jobOptions
	Endpoint string  `placeholder:"ID" complete:"endpoint" help:"The endpoint that gets the events. Nobody else gets anything. Required unless --all-tenants is given."`
	Status   *string `enum:"failed,missing,missed,all" placeholder:"WHICH" help:"failed: events whose delivery was exhausted or canceled. missing: events that match the endpoint, and of which it has no delivery. missed: both. all: both, and those that were delivered. Default: failed."`
}

// Help is shown below the options.
func (c *replayCommand) Help() string {
	return `Sends past events to an endpoint, each with the webhook-id that it had.

  bellwire replay --tenant acme --endpoint ep_… --since 24h --dry-run
  bellwire replay --tenant acme --endpoint ep_… --since 24h --watch                    what failed
  bellwire replay --tenant acme --endpoint ep_… --since 7d --status missing --rate 50  also from before it was made
  bellwire replay --tenant acme --endpoint ep_… --since 7d --filter 'data.amount > 100'
  bellwire replay --all-tenants --since 2h --until 1h --status all --dry-run           to all endpoints of all tenants`
}

// Run replays events.
func (c *replayCommand) Run(ctx context.Context, std streams) error {
	if c.Since.IsZero() {
		return cli.Option("since", "must be given")
	}
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	switch {
	case err != nil:
		return err
	case c.AllTenants && c.Endpoint != "":
		return cli.Option("endpoint", "must not be given together with --all-tenants")
	case c.AllTenants:
		return c.bulkJob(ctx, std, api, c.JSON, c.bulkSelection(c.Status), api.CountReplayOfAllTenants, api.ReplayAllTenants)
	case c.Endpoint == "":
		return cli.Option("endpoint", "must be given, or --all-tenants")
	}
	replay := client.Replay{
		Endpoint: c.Endpoint, Since: c.Since.Time, Until: c.Until.Time, Types: c.Types, Status: client.ReplayStatus(chosen(c.Status)), Filter: c.Filter, Rate: c.Rate,
	}
	return c.job(ctx, std, api, c.JSON,
		func() (*client.JobCount, error) { return api.CountReplay(ctx, tenant, replay) },
		func() (*client.Job, error) { return api.Replay(ctx, tenant, replay) })
}

// selection are the options that select the deliveries of a job.
type selection struct {
	Endpoint string `placeholder:"ID" complete:"endpoint" help:"Only deliveries to this endpoint."`
	AllOf    bool   `name:"all" help:"All deliveries of the tenant that the other options select."`
	Event    string `placeholder:"ID" help:"With --endpoint or --all: only deliveries of this event."`
	Dialect  string `placeholder:"NAME" complete:"dialect" help:"With --endpoint or --all: only those to endpoints with this dialect."`
	Outcome  string `placeholder:"OUTCOME" complete:"outcome" help:"With --endpoint or --all: only those whose newest attempt ended so, such as timeout or status."`
}

// selects reports whether the options select deliveries for a job.
func (s *selection) selects() bool { return s.AllOf || s.Endpoint != "" }

// check refuses deliveries that are given by id and by options, or not at all: nobody retries everything by mistake. With ids it
// refuses the options of jobs, too, because nothing would come of them.
func (s *selection) check(ids []string, o *jobOptions, status *string) error {
	switch {
	case len(ids) == 0 && !s.selects():
		return cli.Usagef("<id>: must be given, or --endpoint, or --all")
	case len(ids) > 0 && s.selects():
		return cli.Usagef("<id>: must not be given together with --endpoint or --all")
	case len(ids) == 0:
		return nil
	}
	for _, given := range []struct {
		flag string
		set  bool
	}{
		{"dry-run", o.DryRun}, {"watch", o.Watch}, {"since", !o.Since.IsZero()}, {"until", !o.Until.IsZero()}, {"type", len(o.Types) > 0},
		{"filter", o.Filter != ""}, {"rate", o.Rate != 0}, {"status", status != nil}, {"event", s.Event != ""}, {"dialect", s.Dialect != ""},
		{"outcome", s.Outcome != ""},
	} {
		if given.set {
			return cli.Option(given.flag, "must not be given together with ids: it is about the deliveries that --endpoint or --all selects")
		}
	}
	return nil
}

// selected returns what the options select.
func (s *selection) selected(o *jobOptions, status *string) client.Selection {
	return client.Selection{
		Endpoint: s.Endpoint, Since: o.Since.Time, Until: o.Until.Time, Types: o.Types, Status: client.DeliveryStatus(chosen(status)),
		Filter: o.Filter, Rate: o.Rate, Event: s.Event, Dialect: s.Dialect, Outcome: client.Outcome(s.Outcome),
	}
}

type retryCommand struct {
	tenantsConnection
	jsonOption
	jobOptions
	selection
	IDs     []string `arg:"" optional:"" name:"id" help:"The deliveries' ids (dlv_…)."`
	Restart bool     `help:"Begin the retry schedule again, instead of making one attempt. With --endpoint or --all this is always so."`
	Status  *string  `enum:"failed,exhausted,canceled,retrying" placeholder:"STATUS" help:"With --endpoint or --all: exhausted, canceled, retrying, or failed for the first two. Default: failed."`
}

// Help is shown below the options.
func (c *retryCommand) Help() string {
	return `With ids, makes one attempt of each delivery now, in addition to those that are scheduled. With --endpoint or --all, starts
a job that begins the retry schedules of many deliveries again, with --all-tenants one of each tenant that has some.

  bellwire retry --tenant acme dlv_…
  bellwire retry --tenant acme --all --since 2026-01-30 --until 2026-01-31 --dry-run
  bellwire retry --tenant acme --endpoint ep_… --since 24h --watch
  bellwire retry --all-tenants --since 2h --until 1h --dry-run`
}

// Run retries deliveries.
func (c *retryCommand) Run(ctx context.Context, std streams) error {
	if c.AllTenants {
		return c.ofAllTenants(ctx, std)
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	if err := c.check(c.IDs, &c.jobOptions, c.Status); err != nil {
		return err
	}
	api, err := c.caller()
	if err != nil {
		return err
	}
	if !c.selects() {
		return eachDelivery(std, api, c.JSON, c.IDs, func(id string) (*client.Delivery, error) {
			if c.Restart {
				return api.RestartDelivery(ctx, tenant, id)
			}
			return api.RetryDelivery(ctx, tenant, id)
		})
	}
	selected := c.selected(&c.jobOptions, c.Status)
	return c.job(ctx, std, api, c.JSON,
		func() (*client.JobCount, error) { return api.CountRetries(ctx, tenant, selected) },
		func() (*client.Job, error) { return api.RetryDeliveries(ctx, tenant, selected) })
}

type cancelDeliveriesCommand struct {
	tenantConnection
	jsonOption
	jobOptions
	selection
	IDs    []string `arg:"" optional:"" name:"id" help:"The deliveries' ids (dlv_…)."`
	Status *string  `enum:"pending,retrying" placeholder:"STATUS" help:"With --endpoint or --all: only pending or retrying ones. Default: both."`
}

// Help is shown below the options.
func (c *cancelDeliveriesCommand) Help() string {
	return `  bellwire deliveries cancel --tenant acme dlv_…
  bellwire deliveries cancel --tenant acme --endpoint ep_… --type 'card.*' --dry-run`
}

// Run cancels deliveries.
func (c *cancelDeliveriesCommand) Run(ctx context.Context, std streams) error {
	if err := c.check(c.IDs, &c.jobOptions, c.Status); err != nil {
		return err
	}
	api, err := c.caller()
	if err != nil {
		return err
	}
	if !c.selects() {
		return eachDelivery(std, api, c.JSON, c.IDs, func(id string) (*client.Delivery, error) {
			return api.CancelDelivery(ctx, c.Tenant, id)
		})
	}
	selected := c.selected(&c.jobOptions, c.Status)
	return c.job(ctx, std, api, c.JSON,
		func() (*client.JobCount, error) { return api.CountCancellations(ctx, c.Tenant, selected) },
		func() (*client.Job, error) { return api.CancelDeliveries(ctx, c.Tenant, selected) })
}
