package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type statusCommand struct {
	connection
	jsonOption
	Tenant     string `env:"BELLWIRE_TENANT" placeholder:"ID" profiled:"" help:"Only this tenant. Default: all tenants, for operators."`
	AllTenants bool   `help:"All tenants, also if the environment or the profile has one."`
	Check      bool   `help:"Exit with code 1 if something needs you."`
}

// BeforeResolve is that of tenantsConnection.
func (c *statusCommand) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	if err := refuseTenantOfAll(ctx); err != nil {
		return err
	}
	return c.ProfileOption.BeforeResolve(ctx, trace)
}

// Help is shown below the options.
func (c *statusCommand) Help() string {
	return `Shows the endpoints that are failing, recovering, disabled or paused, the worst first, and the jobs that are not done.

  bellwire status
  bellwire status --tenant acme
  bellwire status --check --json    for a monitor`
}

// statusReport is what needs somebody now.
type statusReport struct {
	Endpoints []client.Endpoint `json:"endpoints"`
	Jobs      []client.Job      `json:"jobs"`
	More      bool              `json:"more"` // not all are listed
}

const (
	maxStatus     = 20   // endpoints of each kind that are shown
	maxStatusJobs = 2500 // jobs that are looked through for those that are not done, the newest first
)

// Run shows what needs somebody.
func (c *statusCommand) Run(ctx context.Context, std streams) error {
	if c.AllTenants {
		c.Tenant = ""
	}
	api, err := c.caller()
	if err != nil {
		return err
	}
	report, err := c.report(ctx, api)
	if err != nil {
		return err
	}
	printer := output.New(std.out, c.JSON)
	if c.JSON {
		printer.Object(report)
	} else {
		report.print(printer, c.Tenant == "", time.Now())
	}
	if err := printer.Err(); err != nil {
		return err
	}
	if c.Check && len(report.Endpoints)+len(report.Jobs) > 0 {
		return errors.New("something needs attention")
	}
	return nil
}

// report asks the server what needs somebody.
func (c *statusCommand) report(ctx context.Context, api *caller) (*statusReport, error) {
	report := &statusReport{Endpoints: []client.Endpoint{}, Jobs: []client.Job{}}
	seen := make(map[string]bool)
	for _, filter := range []client.EndpointFilter{
		{Health: client.HealthFailing}, {Health: client.HealthRecovering}, {Status: client.EndpointDisabled}, {Status: client.EndpointPaused},
	} {
		list, err := api.Endpoints(ctx, c.Tenant, filter, client.Page{Limit: maxStatus})
		if err != nil {
			return nil, err
		}
		for _, e := range list.Data {
			if !seen[e.ID] {
				report.Endpoints = append(report.Endpoints, e)
			}
			seen[e.ID] = true
		}
		report.More = report.More || list.NextCursor != ""
	}
	looked := 0
	for job, err := range client.All(ctx, func(ctx context.Context, page client.Page) (*client.List[client.Job], error) {
		if c.Tenant == "" {
			return api.AllJobs(ctx, page)
		}
		return api.Jobs(ctx, c.Tenant, page)
	}) {
		if err != nil {
			return nil, err
		}
		if looked++; looked > maxStatusJobs {
			report.More = true
			break
		}
		if job.State != client.JobDone && job.State != client.JobCanceled {
			report.Jobs = append(report.Jobs, job)
		}
	}
	return report, nil
}

func (r *statusReport) print(p *output.Printer, tenants bool, now time.Time) {
	if len(r.Endpoints)+len(r.Jobs) == 0 {
		p.Linef("%s", p.Paint(output.Good, "Nothing needs you."))
		return
	}
	if len(r.Endpoints) > 0 {
		p.Linef("%s", p.Paint(output.Title, fmt.Sprintf("Endpoints (%d)", len(r.Endpoints))))
		table := output.NewTable(p, statusColumns(tenants, now))
		for _, e := range r.Endpoints {
			table.Add(e)
		}
		table.Flush() // the Printer remembers the error
	}
	if len(r.Jobs) > 0 {
		p.Heading(fmt.Sprintf("Jobs (%d)", len(r.Jobs)))
		table := output.NewTable(p, jobColumns(tenants))
		for _, j := range r.Jobs {
			table.Add(j)
		}
		table.Flush() // the Printer remembers the error
	}
	if r.More {
		p.Linef("\nThere are more: bellwire endpoints list --health failing")
	}
}

// statusColumns returns the columns for endpoints that need somebody.
func statusColumns(tenants bool, now time.Time) []output.Column[client.Endpoint] {
	columns := endpointColumns(tenants, now)
	columns = columns[:len(columns)-2] // without events and URL
	return append(columns,
		output.Text("NEXT", func(e client.Endpoint) string {
			if e.Health == nil || e.Health.NextAttemptAt == nil {
				return ""
			}
			return output.Ago(*e.Health.NextAttemptAt, now)
		}),
		output.Text("WHY", func(e client.Endpoint) string {
			if e.Status != client.EndpointEnabled || e.Health == nil {
				return e.StatusReason
			}
			return e.Health.Reason
		}),
	)
}
