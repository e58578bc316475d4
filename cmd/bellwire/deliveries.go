package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type deliveriesCommand struct {
	List   listDeliveriesCommand   `cmd:"" help:"List deliveries, newest first."`
	Show   showDeliveryCommand     `cmd:"" help:"Show a delivery with each attempt: request, response and timings."`
	Body   deliveryBodyCommand     `cmd:"" help:"Print the body of a delivery's requests, as it was sent or would be."`
	Cancel cancelDeliveriesCommand `cmd:"" help:"Cancel deliveries that are pending or retrying."`
}

// Help is shown below the options.
func (c *deliveriesCommand) Help() string {
	return `  bellwire deliveries list --tenant acme --status exhausted
  bellwire deliveries list --all-tenants --outcome timeout --since 1h
  bellwire deliveries show --tenant acme dlv_…
  bellwire retry --tenant acme dlv_…`
}

type listDeliveriesCommand struct {
	tenantsConnection
	listOptions
	span
	Type     string  `placeholder:"NAME" complete:"event-type" help:"Only deliveries of events of this type."`
	Endpoint string  `placeholder:"ID" complete:"endpoint" help:"Only deliveries to this endpoint."`
	Event    string  `placeholder:"ID" help:"Only deliveries of this event."`
	Status   *string `enum:"pending,retrying,succeeded,exhausted,canceled" placeholder:"STATUS" help:"Only pending, retrying, succeeded, exhausted or canceled ones."`
	Outcome  string  `placeholder:"OUTCOME" complete:"outcome" help:"Only those whose newest attempt ended so, such as timeout or status."`
	Dialect  string  `placeholder:"NAME" complete:"dialect" help:"Only those to endpoints with this dialect."`
	Job      string  `placeholder:"ID" complete:"job" help:"Only those that this job made, or retried or canceled last (job_…)."`
}

// deliveryColumns returns the columns of a list of deliveries.
func deliveryColumns(tenants bool, now time.Time) []output.Column[client.Delivery] {
	id, tenant := func(d client.Delivery) string { return d.ID }, func(d client.Delivery) string { return d.Tenant }
	return append(idColumns(tenants, id, tenant),
		output.Text("STORED", func(d client.Delivery) string { return output.Time(d.CreatedAt) }),
		output.Text("TYPE", func(d client.Delivery) string { return d.EventType }),
		output.Column[client.Delivery]{Title: "STATUS", Cell: func(d client.Delivery) output.Cell { return deliveryCell(d.Status) }},
		output.Text("ATTEMPTS", func(d client.Delivery) string { return fmt.Sprint(d.AttemptCount) }),
		output.Column[client.Delivery]{Title: "LAST", Cell: func(d client.Delivery) output.Cell { return lastCell(&d) }},
		output.Text("NEXT", func(d client.Delivery) string { return nextText(&d, now) }),
		output.Text("WAITS FOR", func(d client.Delivery) string { return waitReason(d.WaitingFor) }),
		output.Text("ENDPOINT", func(d client.Delivery) string { return d.Endpoint }),
		output.Text("REASON", func(d client.Delivery) string { return d.Reason }),
	)
}

func deliveryCell(s client.DeliveryStatus) output.Cell {
	colors := map[client.DeliveryStatus]output.Color{
		client.DeliverySucceeded: output.Good, client.DeliveryRetrying: output.Warning, client.DeliveryExhausted: output.Bad, client.DeliveryCanceled: output.Faint,
	}
	return output.Cell{Text: string(s), Color: colors[s]}
}

// lastCell says in a few words how the newest attempt of a listed delivery ended.
func lastCell(d *client.Delivery) output.Cell {
	if d.LastOutcome == "" {
		return output.Cell{}
	}
	return endCell(d.LastOutcome, d.LastStatus)
}

// waitReason says in a word what a listed delivery waits for.
func waitReason(w *client.Wait) string {
	if w == nil {
		return ""
	}
	return string(w.Reason)
}

// nextText says when the next attempt is due, or that a retry was requested, which is made as soon as there is room.
func nextText(d *client.Delivery, now time.Time) string {
	switch {
	case d.Requested:
		return "requested"
	case d.NextAttemptAt == nil:
		return ""
	case d.NextAttemptAt.After(now):
		return output.Ago(*d.NextAttemptAt, now)
	}
	return "due"
}

// Run lists deliveries.
func (c *listDeliveriesCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	filter := client.DeliveryFilter{
		Endpoint: c.Endpoint, Event: c.Event, Status: client.DeliveryStatus(chosen(c.Status)), Type: c.Type,
		Since: c.Since.Time, Until: c.Until.Time, Outcome: client.Outcome(c.Outcome), Dialect: c.Dialect, Job: c.Job,
	}
	return printList(ctx, std, api, &c.listOptions, deliveryColumns(c.AllTenants, time.Now()), func(ctx context.Context, page client.Page) (*client.List[client.Delivery], error) {
		return api.Deliveries(ctx, tenant, filter, page)
	})
}

type showDeliveryCommand struct {
	tenantConnection
	jsonOption
	ID string `arg:"" help:"The delivery's id (dlv_…)."`
}

// Run shows a delivery.
func (c *showDeliveryCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	delivery, err := api.Delivery(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		printDelivery(p, delivery)
		for i := range delivery.Attempts {
			printAttempt(p, &delivery.Attempts[i])
		}
	})
}

type deliveryBodyCommand struct {
	tenantConnection
	jsonOption
	ID      string `arg:"" help:"The delivery's id (dlv_…)."`
	Attempt int    `placeholder:"N" help:"Print what this attempt has sent, made again. Default: what would be sent now."`
}

// Run prints the body of a delivery's requests.
func (c *deliveryBodyCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	if c.Attempt != 0 {
		return c.printSent(ctx, std, api)
	}
	body, err := api.DeliveryBody(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) { p.Linef("%s", output.Clean(body.Body)) })
}

// printSent prints what an attempt has sent. If it is not known to be the same, it says so beside it.
func (c *deliveryBodyCommand) printSent(ctx context.Context, std streams, api *caller) error {
	body, err := api.AttemptBody(ctx, c.Tenant, c.ID, c.Attempt)
	if err != nil {
		return err
	}
	if body.Sent != nil && !body.Sent.Same {
		known := "may not be"
		if body.Sent.BodySHA256 != "" {
			known = "is not"
		}
		if err := say(std.err, fmt.Sprintf("This %s what attempt %d has sent: %s.", known, c.Attempt, output.Clean(body.Sent.Reason))); err != nil {
			return err
		}
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) { p.Linef("%s", output.Clean(body.Body)) })
}

func printDelivery(p *output.Printer, d *client.Delivery) {
	p.Fields(
		field("id", d.ID), field("event", d.Event), field("type", d.EventType), field("endpoint", d.Endpoint),
		output.Field{Name: "status", Cell: deliveryCell(d.Status)}, field("reason", d.Reason), field("attempts", fmt.Sprint(d.AttemptCount)),
		field("next attempt", output.TimePtr(d.NextAttemptAt)), field("retry", requestedText(d)), field("waiting for", waitText(d.WaitingFor)),
		field("job", chosen(d.Job)), field("stored", output.Time(d.CreatedAt)), field("changed", output.Time(d.UpdatedAt)),
	)
}

func requestedText(d *client.Delivery) string {
	if !d.Requested {
		return ""
	}
	return "requested"
}

// waitText says what an open delivery waits for.
func waitText(w *client.Wait) string {
	if w == nil {
		return ""
	}
	text := string(w.Reason)
	if w.Behind != "" {
		text += ", behind " + w.Behind
	}
	if w.Node != "" {
		text += ", on node " + w.Node
	}
	if w.Until != nil {
		text += ", until " + output.Time(*w.Until)
	}
	return text
}

// printAttempt shows an attempt: the request, the response, the times of both and what went wrong.
func printAttempt(p *output.Printer, a *client.Attempt) {
	p.Heading(fmt.Sprintf("Attempt %d", a.Number))
	p.Fields(
		output.Field{Name: "outcome", Cell: outcomeCell(a)}, field("error", a.Error), field("trigger", string(a.Trigger)),
		field("started", output.Time(a.StartedAt)), field("timings", timingsText(&a.Timings)),
	)
	if a.Request.Method != "" {
		p.Linef("request:  %s %s (%d bytes)", a.Request.Method, output.Clean(a.Request.URL), a.Request.BodyBytes)
		printHeaders(p, a.Request.Headers, a.Request.HeadersTruncated)
	}
	if a.Response != nil {
		p.Linef("response: %d", a.Response.Status)
		printHeaders(p, a.Response.Headers, a.Response.HeadersTruncated)
		printBody(p, a.Response)
	}
	if a.DetailsDropped {
		p.Linef("The request and the rest of the response were not kept: the first and the last attempts keep theirs.")
	}
}

func printHeaders(p *output.Printer, headers map[string]string, truncated bool) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		p.Linef("    %s: %s", output.Clean(name), output.Clean(headers[name]))
	}
	if truncated {
		p.Linef("    (more headers were not recorded)")
	}
}

// printBody shows the body of a response as it was recorded.
func printBody(p *output.Printer, r *client.AttemptResponse) {
	if r.Note != "" {
		p.Linef("    (%s)", output.Clean(r.Note))
	}
	if r.Body == "" {
		return
	}
	p.Linef("")
	for line := range strings.Lines(r.Body) {
		p.Linef("    %s", output.Clean(strings.TrimRight(line, "\r\n")))
	}
	if r.Encoding == client.BodyBase64 {
		p.Linef("    (the body is not text, and shown as base64)")
	}
	if r.Truncated {
		p.Linef("    (the rest was not recorded)")
	}
}

// outcomeCell says in a few words how an attempt ended: "ok 200", "status 503", "timeout".
func outcomeCell(a *client.Attempt) output.Cell {
	if a.Response == nil {
		return endCell(a.Outcome, nil)
	}
	return endCell(a.Outcome, &a.Response.Status)
}

// endCell is outcomeCell for an outcome and the status of the response, nil if there was none.
func endCell(outcome client.Outcome, status *int) output.Cell {
	color, text := output.Bad, string(outcome)
	if outcome == client.OutcomeOK {
		color = output.Good
	}
	if status != nil {
		text += fmt.Sprintf(" %d", *status)
	}
	return output.Cell{Text: text, Color: color}
}

func timingsText(t *client.Timings) string {
	var parts []string
	for _, phase := range []struct {
		name string
		ms   float64
	}{{"dns", t.DNS}, {"connect", t.Connect}, {"tls", t.TLS}, {"first byte", t.FirstByte}} {
		if phase.ms > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", phase.name, milliseconds(phase.ms)))
		}
	}
	return strings.Join(append(parts, "total "+milliseconds(t.Total)), ", ")
}

// milliseconds returns a time in milliseconds, with a decimal where it says something.
func milliseconds(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// eachDelivery does something to one delivery after another, and stops at the first failure.
func eachDelivery(std streams, api *caller, asJSON bool, ids []string, do func(id string) (*client.Delivery, error)) error {
	printer := output.New(std.out, asJSON)
	for _, id := range ids {
		delivery, err := do(id)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if asJSON {
			printer.Compact(api.answer())
		} else {
			printer.Linef("%s  %s", delivery.ID, printer.Paint(deliveryCell(delivery.Status).Color, string(delivery.Status)))
		}
	}
	return printer.Err()
}
