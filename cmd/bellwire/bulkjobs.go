package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

// ofAllTenants retries deliveries of all tenants.
func (c *retryCommand) ofAllTenants(ctx context.Context, std streams) error {
	switch {
	case len(c.IDs) > 0:
		return cli.Usagef("<id>: must not be given together with --all-tenants")
	case c.Endpoint != "":
		return cli.Option("endpoint", "must not be given together with --all-tenants")
	case c.Event != "":
		return cli.Option("event", "must not be given together with --all-tenants")
	case c.Since.IsZero():
		return cli.Option("since", "must be given with --all-tenants")
	}
	api, err := c.caller()
	if err != nil {
		return err
	}
	selected := c.bulkSelection(c.Status)
	selected.Dialect, selected.Outcome = c.Dialect, client.Outcome(c.Outcome)
	return c.bulkJob(ctx, std, api, c.JSON, selected, api.CountRetriesOfAllTenants, api.RetryAllTenants)
}

// bulkSelection returns what the options select of all tenants.
func (o *jobOptions) bulkSelection(status *string) client.BulkSelection {
	return client.BulkSelection{Since: o.Since.Time, Until: o.Until.Time, Types: o.Types, Status: chosen(status), Filter: o.Filter, Rate: o.Rate}
}

// bulkJob counts what a job over all tenants would be about, or starts and perhaps follows it.
func (o *jobOptions) bulkJob(ctx context.Context, std streams, api *caller, asJSON bool, s client.BulkSelection,
	count func(context.Context, client.BulkSelection) (*client.BulkJobCount, error), start func(context.Context, client.BulkSelection) (*client.BulkJob, error),
) error {
	if o.DryRun {
		n, err := count(ctx, s)
		if err != nil {
			return err
		}
		return printOne(std, api, asJSON, func(p *output.Printer) {
			most := ""
			if n.TotalIsBound {
				most = "at most "
			}
			p.Linef("%s%d of %s", most, n.Total, tenantsText(n.Tenants))
		})
	}
	job, err := start(ctx, s)
	switch {
	case err != nil:
		return err
	case job.ID == "":
		return printOne(std, api, asJSON, func(p *output.Printer) { p.Linef("Nothing is to be done.") })
	case o.Watch:
		return watchBulkJob(ctx, std, api, asJSON, job)
	}
	return printBulkJob(std, api, asJSON, job)
}

func tenantsText(n int) string {
	if n == 1 {
		return "1 tenant"
	}
	return fmt.Sprintf("%d tenants", n)
}

// watchBulkJob is watchJob for a job over all tenants.
func watchBulkJob(ctx context.Context, std streams, api *caller, asJSON bool, job *client.BulkJob) error {
	err := watch(ctx, std, "--all-tenants "+job.ID, func() (progress string, ended bool) {
		return string(job.State) + ": " + bulkProgress(job), job.FinishedAt != nil
	}, func() (err error) {
		job, err = api.BulkJob(ctx, job.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := printBulkJob(std, api, asJSON, job); err != nil {
		return err
	}
	return failedUnlessDone(job.ID, job.State)
}

func bulkProgress(j *client.BulkJob) string {
	text := progressText(&client.Job{Done: j.Done, Total: j.Total, Skipped: j.Skipped}) + fmt.Sprintf("; %d of %s ended", j.Tenants-j.Open, tenantsText(j.Tenants))
	if j.Waiting > 0 {
		text += fmt.Sprintf(", %d waiting", j.Waiting)
	}
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d failed", j.Failed)
	}
	return text
}

func printBulkJob(std streams, api *caller, asJSON bool, j *client.BulkJob) error {
	return printOne(std, api, asJSON, func(p *output.Printer) {
		p.Fields(
			field("id", j.ID), field("kind", string(j.Kind)), output.Field{Name: "state", Cell: jobCell(j.State)},
			field("progress", bulkProgress(j)), field("rate", rateText(j.Rate)), field("types", strings.Join(j.Params.Types, ", ")),
			field("status", chosen(j.Params.Status)), field("filter", chosen(j.Params.Filter)), field("dialect", chosen(j.Params.Dialect)),
			field("outcome", string(chosen(j.Params.Outcome))), field("since", output.TimePtr(j.Params.Since)), field("until", output.Time(j.Params.Until)),
			field("created", output.Time(j.CreatedAt)), field("finished", output.TimePtr(j.FinishedAt)),
		)
	})
}

// bulkJobColumns returns the columns of a list of jobs over all tenants.
func bulkJobColumns() []output.Column[client.BulkJob] {
	return []output.Column[client.BulkJob]{
		output.Text("ID", func(j client.BulkJob) string { return j.ID }),
		output.Text("CREATED", func(j client.BulkJob) string { return output.Time(j.CreatedAt) }),
		output.Text("KIND", func(j client.BulkJob) string { return string(j.Kind) }),
		{Title: "STATE", Cell: func(j client.BulkJob) output.Cell { return jobCell(j.State) }},
		output.Text("PROGRESS", func(j client.BulkJob) string { return bulkProgress(&j) }),
	}
}
