package main

import (
	"context"
	"fmt"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

type eventsCommand struct {
	List      listEventsCommand     `cmd:"" help:"List events, newest first."`
	Show      showEventCommand      `cmd:"" help:"Show an event with its data, and what became of it at each endpoint."`
	Endpoints eventEndpointsCommand `cmd:"" help:"List what became of an event at each endpoint."`
	Erase     eraseEventCommand     `cmd:"" help:"Erase the data of an event, for good. The rest of it stays. For admin keys."`
}

// Help is shown below the options.
func (c *eventsCommand) Help() string {
	return `  bellwire events list --tenant acme --type 'card.created' --since 24h
  bellwire events list --all-tenants --id order-42
  bellwire events list --tenant acme --contains in_4711 --since 24h --all
  bellwire events show --tenant acme evt_…`
}

// span are the options for a range of time.
type span struct {
	Since cli.Moment `placeholder:"TIME" help:"Not before this time: 2026-01-31T12:30:00Z, 2026-01-31, or 24h for 24 hours ago."`
	Until cli.Moment `placeholder:"TIME" help:"Before this time."`
}

type listEventsCommand struct {
	tenantsConnection
	listOptions
	span
	Type   string `placeholder:"NAME" complete:"event-type" help:"Only events of this type."`
	Text   string `name:"contains" placeholder:"TEXT" help:"Only events whose data contains this text. Reads much: give a time too."`
	YourID string `name:"id" placeholder:"ID" help:"Only the event that was published with this id of yours."`
}

// eventColumns returns the columns of a list of events.
func eventColumns(tenants bool) []output.Column[client.Event] {
	id, tenant := func(e client.Event) string { return e.ID }, func(e client.Event) string { return e.Tenant }
	return append(idColumns(tenants, id, tenant),
		output.Text("STORED", func(e client.Event) string { return output.Time(e.CreatedAt) }),
		output.Text("TYPE", func(e client.Event) string { return e.Type }),
		output.Text("DELIVERIES", func(e client.Event) string { return fmt.Sprint(e.Deliveries) }),
		output.Text("YOUR ID", func(e client.Event) string { return e.PublisherID() }),
	)
}

// textOf returns a text that may be missing.
func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Run lists events.
func (c *listEventsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	if c.YourID != "" && c.Text != "" {
		return cli.Option("contains", "must not be given together with --id")
	}
	filter := client.EventFilter{Type: c.Type, Key: c.YourID, Contains: c.Text, Since: c.Since.Time, Until: c.Until.Time}
	return printList(ctx, std, api, &c.listOptions, eventColumns(c.AllTenants), func(ctx context.Context, page client.Page) (*client.List[client.Event], error) {
		return api.Events(ctx, tenant, filter, page)
	})
}

type showEventCommand struct {
	tenantConnection
	jsonOption
	ID string `arg:"" help:"The event's id (evt_…)."`
}

// Run shows an event.
func (c *showEventCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	event, err := api.Event(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) { printEvent(p, event) })
}

func printEvent(p *output.Printer, e *client.Event) {
	test := ""
	if e.Test {
		test = "yes"
	}
	p.Fields(
		field("id", e.ID), field("your id", e.PublisherID()), field("type", e.Type), field("test", test),
		field("stored", output.Time(e.CreatedAt)), field("occurred", output.Time(e.OccurredAt)),
		field("deliver at", output.TimePtr(e.DeliverAt)), field("expires", output.TimePtr(e.ExpiresAt)), field("ordering key", textOf(e.OrderingKey)), field("deliveries", fmt.Sprint(e.Deliveries)),
		field("erased", erasureText(e.Erased)),
		output.Field{Name: "problem", Cell: output.Cell{Text: e.Problem, Color: output.Bad}},
	)
	if len(e.Endpoints) > 0 {
		p.Heading("Endpoints")
		table := output.NewTable(p, explanationColumns)
		for _, x := range e.Endpoints {
			table.Add(x)
		}
		table.Flush() // the Printer remembers the error
	}
	if e.EndpointsNextCursor != "" {
		p.Linef("There are more: bellwire events endpoints %s", e.ID)
	}
	if e.Erased == nil {
		p.Document("Data", e.Data)
	}
}

// erasureText says when and by whom data was erased; nil: it was not.
func erasureText(e *client.Erasure) string {
	if e == nil {
		return ""
	}
	return output.Time(e.At) + " by " + actorText(&e.By)
}

type eraseEventCommand struct {
	tenantConnection
	confirmation
	ID string `arg:"" help:"The event's id (evt_…)."`
}

// Help is shown below the options.
func (c *eraseEventCommand) Help() string {
	return `Open deliveries of the event are canceled, and it can no longer be retried or replayed. What attempts have
kept of requests and responses is erased too.

  bellwire events erase --tenant acme evt_… --yes`
}

// Run erases the data of an event.
func (c *eraseEventCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	if err := c.confirm(std, fmt.Sprintf("This erases the data of event %s for good.", c.ID), c.ID); err != nil {
		return err
	}
	return api.EraseEvent(ctx, c.Tenant, c.ID)
}

var explanationColumns = []output.Column[client.Explanation]{
	output.Text("ENDPOINT", func(x client.Explanation) string { return x.Endpoint }),
	{Title: "OUTCOME", Cell: func(x client.Explanation) output.Cell {
		return output.Cell{Text: string(x.Outcome), Color: eventColors[x.Outcome]}
	}},
	output.Text("DELIVERY", func(x client.Explanation) string { return x.Delivery }),
	output.Text("SINCE", func(x client.Explanation) string { return output.TimePtr(x.Since) }),
	output.Text("BY", func(x client.Explanation) string { return actorText(x.By) }),
	output.Text("REASON", func(x client.Explanation) string { return x.Reason }),
}

// eventColors are the colors of what can become of an event.
var eventColors = map[client.EventOutcome]output.Color{
	client.EventDelivered: output.Good, client.EventRetrying: output.Warning, client.EventPaused: output.Warning,
	client.EventExhausted: output.Bad, client.EventDisabled: output.Bad,
}

type eventEndpointsCommand struct {
	tenantConnection
	listOptions
	ID string `arg:"" help:"The event's id (evt_…)."`
}

// Run lists what became of an event.
func (c *eventEndpointsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	return printList(ctx, std, api, &c.listOptions, explanationColumns, func(ctx context.Context, page client.Page) (*client.List[client.Explanation], error) {
		return api.EventEndpoints(ctx, c.Tenant, c.ID, page)
	})
}
