package main

import (
	"context"
	"fmt"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type tailCommand struct {
	tenantsConnection
	Endpoint string `placeholder:"ID" complete:"endpoint" help:"Only attempts for this endpoint."`
	Type     string `placeholder:"TYPE" complete:"event-type" help:"Only attempts of events of this type; invoice.* for all types with that beginning."`
	Failed   bool   `help:"Only attempts that were not acknowledged."`
	Count    int    `placeholder:"N" help:"End after this many attempts. Default: go on until Ctrl-C."`
	JSON     bool   `name:"json" help:"Print one JSON object for each attempt."`
}

// Help is shown below the options.
func (c *tailCommand) Help() string {
	return `Follows the server's live stream, and connects again when that breaks. What is left out, because there are more than 200
attempts in a second or while there is no connection, is said on standard error. Deliveries have all of them.

  bellwire tail --tenant acme
  bellwire tail --tenant acme --endpoint ep_… --failed
  bellwire tail --all-tenants --type 'invoice.*' --json`
}

// Run prints attempts until the context ends or --count of them are printed.
func (c *tailCommand) Run(ctx context.Context, std streams) error {
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	api, err := c.unrecorded()
	if err != nil {
		return err
	}
	printer := output.New(std.out, c.JSON)
	printed := 0
	for event, err := range api.Live(ctx, tenant, c.filter()) {
		switch {
		case err != nil:
			return err
		case event.Attempt != nil:
			c.print(printer, &event, tenant == "")
			printed++
		case event.Lost != nil:
			fmt.Fprintf(std.err, "connection lost: %s; connecting again\n", event.Lost)
		case event.Gap:
			fmt.Fprintln(std.err, "attempts may be missing since the connection was lost")
		case event.Skipped != nil:
			fmt.Fprintf(std.err, "%d attempts left out\n", event.Skipped.Sampled+event.Skipped.Dropped)
		}
		if printer.Err() != nil || c.Count > 0 && printed >= c.Count {
			break
		}
	}
	return printer.Err()
}

func (c *tailCommand) filter() client.LiveFilter {
	f := client.LiveFilter{Endpoint: c.Endpoint, Type: c.Type}
	if c.Failed {
		f.Outcome = client.OutcomeFailed
	}
	return f
}

func (c *tailCommand) print(p *output.Printer, event *client.LiveEvent, tenants bool) {
	if c.JSON {
		p.Compact(event.Data)
		return
	}
	a := event.Attempt
	who := a.Endpoint
	if tenants {
		who = a.Tenant + "  " + who
	}
	var status *int
	if a.Status != 0 {
		status = &a.Status
	}
	outcome := endCell(a.Outcome, status)
	p.Linef("%s  %s  %s  %s  %s  %s", a.StartedAt.UTC().Format("15:04:05.000"), who, a.Delivery, output.Clean(a.EventType),
		p.Paint(outcome.Color, outcome.Text), milliseconds(a.DurationMS))
}
