package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type probeCommand struct {
	ofEndpoint
	jsonOption
	Type string `placeholder:"NAME" complete:"event-type" help:"Event type whose example is sent. Default: one that the endpoint subscribes to."`
}

// Help is shown below the options.
func (c *probeCommand) Help() string {
	return `Also tries an endpoint that is paused or disabled. Ends with code 1 unless the receiver acknowledges the attempt.

  bellwire probe --tenant acme ep_…`
}

// Run probes an endpoint.
func (c *probeCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	probe, err := api.ProbeEndpoint(ctx, c.Tenant, c.ID, c.Type)
	if err != nil {
		return err
	}
	err = printOne(std, api, c.JSON, func(p *output.Printer) {
		p.Fields(field("event", probe.Event), field("type", probe.Type), field("delivery", probe.Delivery))
		printAttempt(p, &probe.Attempt)
	})
	if err == nil && probe.Outcome != client.OutcomeOK {
		return fmt.Errorf("endpoint %s did not acknowledge: %s", c.ID, output.Clean(outcomeCell(&probe.Attempt).Text))
	}
	return err
}

type checkURLCommand struct {
	tenantConnection
	jsonOption
	URL string `arg:"" help:"Where to deliver."`
}

// Help is shown below the options.
func (c *checkURLCommand) Help() string {
	return `Connects as deliveries do, and sends no request. Ends with code 1 if the host cannot be reached.

  bellwire endpoints check --tenant acme https://example.com/hooks`
}

// Run checks a URL.
func (c *checkURLCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	found, err := api.CheckURL(ctx, c.Tenant, c.URL)
	if err != nil {
		return err
	}
	err = printOne(std, api, c.JSON, func(p *output.Printer) {
		p.Fields(
			field("url", found.URL), output.Field{Name: "outcome", Cell: endCell(found.Outcome, nil)}, field("error", found.Error),
			field("timings", timingsText(&found.Timings)),
		)
	})
	if err == nil && found.Outcome != client.OutcomeOK {
		return fmt.Errorf("%s cannot be reached: %s", found.URL, found.Error)
	}
	return err
}

type missedCommand struct {
	ofEndpoint
	jsonOption
}

// Help is shown below the options.
func (c *missedCommand) Help() string {
	return `A replay with --status missed and the same time sends it.

  bellwire endpoints missed --tenant acme ep_…
  bellwire endpoints enable --tenant acme --replay-missed ep_…`
}

// Run counts what an endpoint has missed.
func (c *missedCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	missed, err := api.CountMissed(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		total := humanize.Comma(int64(missed.Total))
		if missed.TotalIsBound {
			total = "at most " + total
		}
		p.Fields(field("missed", total), field("since", output.Time(missed.Since)), field("stopped", output.TimePtr(missed.StoppedAt)))
	})
}
