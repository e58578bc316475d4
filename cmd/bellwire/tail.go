package main

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type tailCommand struct {
	tenantConnection
	Endpoint string        `placeholder:"ID" help:"Only attempts for this endpoint."`
	Failed   bool          `help:"Only attempts that were not acknowledged."`
	Interval time.Duration `default:"1s" placeholder:"TIME" help:"Time between two looks."`
	Count    int           `placeholder:"N" help:"End after this many attempts. Default: go on until Ctrl-C."`
	JSON     bool          `name:"json" help:"Print one JSON object for each attempt."`
}

// Help is shown below the options.
func (c *tailCommand) Help() string {
	return `Asks the server again and again, because its API has no stream. It sees the attempts of the 250 newest deliveries; with
--endpoint, of the 250 newest ones to that endpoint.

  bellwire tail --tenant acme
  bellwire tail --tenant acme --endpoint ep_… --failed`
}

// tailed is an attempt of a delivery.
type tailed struct {
	Delivery  string `json:"delivery"`
	Event     string `json:"event"`
	EventType string `json:"event_type"`
	Endpoint  string `json:"endpoint"`
	client.Attempt
}

// Run prints attempts until the context ends or --count of them are printed.
func (c *tailCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	follower := &follower{command: c, api: api, printer: output.New(std.out, c.JSON)}
	ticker := time.NewTicker(max(c.Interval, time.Millisecond))
	defer ticker.Stop()
	for {
		err := follower.look(ctx)
		switch {
		case ctx.Err() != nil, follower.full():
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// follower prints new attempts of the newest deliveries.
type follower struct {
	command *tailCommand
	api     *caller
	printer *output.Printer
	seen    map[string]int // how many attempts of each of the newest deliveries are known; nil before the first look
	printed int
}

func (f *follower) full() bool { return f.command.Count > 0 && f.printed >= f.command.Count }

// look prints the attempts that were made since the last look. The first one prints nothing.
func (f *follower) look(ctx context.Context) error {
	list, err := f.api.Deliveries(ctx, f.command.Tenant, client.DeliveryFilter{Endpoint: f.command.Endpoint}, client.Page{Limit: maxPage})
	if err != nil {
		return err
	}
	first, seen := f.seen == nil, make(map[string]int, len(list.Data))
	for i := len(list.Data) - 1; i >= 0; i-- { // oldest first
		d := &list.Data[i]
		seen[d.ID] = d.AttemptCount
		if known := f.seen[d.ID]; !first && d.AttemptCount > known && !f.full() {
			if err := f.print(ctx, d.ID, known); err != nil {
				return err
			}
		}
	}
	f.seen = seen
	return f.printer.Err()
}

// print prints the attempts of a delivery beyond those that are known.
func (f *follower) print(ctx context.Context, id string, known int) error {
	d, err := f.api.Delivery(ctx, f.command.Tenant, id)
	if err != nil {
		return err
	}
	for i := min(known, len(d.Attempts)); i < len(d.Attempts) && !f.full(); i++ {
		a := &d.Attempts[i]
		if f.command.Failed && a.Outcome == client.OutcomeOK {
			continue
		}
		f.printed++
		if f.command.JSON {
			f.printer.Object(tailed{d.ID, d.Event, d.EventType, d.Endpoint, *a})
			continue
		}
		outcome := outcomeCell(a)
		f.printer.Linef("%s  %s  %s  %s  %s  %s  %s", a.StartedAt.UTC().Format("15:04:05.000"), d.Endpoint, d.ID, output.Clean(d.EventType),
			f.printer.Paint(outcome.Color, outcome.Text), milliseconds(a.Timings.Total), output.Clean(a.Error))
	}
	return nil
}
