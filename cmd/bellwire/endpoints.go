package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type endpointsCommand struct {
	List    listEndpointsCommand   `cmd:"" help:"List endpoints with their health."`
	Show    showEndpointCommand    `cmd:"" help:"Show an endpoint."`
	Create  createEndpointCommand  `cmd:"" help:"Create an endpoint and print its secret."`
	Put     putEndpointCommand     `cmd:"" help:"Create an endpoint under an id of your own, or replace its settings."`
	Update  updateEndpointCommand  `cmd:"" help:"Change an endpoint."`
	Delete  deleteEndpointCommand  `cmd:"" help:"Delete an endpoint and cancel its open deliveries."`
	Pause   pauseEndpointCommand   `cmd:"" help:"Keep an endpoint's deliveries for later."`
	Enable  enableEndpointCommand  `cmd:"" help:"Send to a paused or disabled endpoint again."`
	Disable disableEndpointCommand `cmd:"" help:"Cancel an endpoint's open deliveries, and make no new ones."`
	Secret  secretCommand          `cmd:"" help:"Print the secrets that sign, newest first."`
	Rotate  rotateCommand          `cmd:"" help:"Replace the secret, and print the new one."`
	Test    testEndpointCommand    `cmd:"" help:"Deliver the example of an event type."`
	Check   checkURLCommand        `cmd:"" help:"Check whether an endpoint may have a URL, and whether its host can be reached."`
	Missed  missedCommand          `cmd:"" help:"Count what an endpoint has missed since it failed, or was paused or disabled."`
	History endpointHistoryCommand `cmd:"" help:"List who changed an endpoint, when, and what."`

	Versions endpointVersionsCommand `cmd:"" help:"List the versions of event types that an endpoint gets."`
	Preview  previewVersionsCommand  `cmd:"" help:"Show an endpoint's last events as they were sent, and as they would be in other versions."`
}

// Help is shown below the options.
func (c *endpointsCommand) Help() string {
	return `  bellwire endpoints create --tenant acme --url https://example.com/hooks --events 'card.*'
  bellwire endpoints list --all-tenants --health failing
  bellwire endpoints rotate --tenant acme --overlap 24h ep_…
  bellwire endpoints update --tenant acme --rate-limit 10 ep_…
  bellwire endpoints preview --tenant acme --versions card.created=2 ep_…
  bellwire endpoints update --tenant acme --versions card.created=2 ep_…`
}

type listEndpointsCommand struct {
	tenantsConnection
	listOptions
	Health  *string `enum:"healthy,failing,recovering,idle" placeholder:"STATE" help:"Only healthy, failing, recovering or idle ones."`
	Status  *string `enum:"enabled,paused,disabled" placeholder:"STATUS" help:"Only enabled, paused or disabled ones."`
	Dialect string  `placeholder:"NAME" complete:"dialect" help:"Only those with this dialect."`
	Waiting bool    `help:"Only those for which deliveries wait."`
	Sort    *string `enum:"waiting" placeholder:"ORDER" help:"waiting: those for which most deliveries wait first, without those for which none does. Default: newest first."`
	Type    string  `placeholder:"NAME" complete:"event-type" help:"Only those that subscribe to this event type."`
}

// endpointColumns returns the columns of a list of endpoints.
func endpointColumns(tenants bool, now time.Time) []output.Column[client.Endpoint] {
	id, tenant := func(e client.Endpoint) string { return e.ID }, func(e client.Endpoint) string { return e.Tenant }
	return append(idColumns(tenants, id, tenant),
		output.Column[client.Endpoint]{Title: "STATUS", Cell: func(e client.Endpoint) output.Cell { return statusCell(e.Status) }},
		output.Column[client.Endpoint]{Title: "HEALTH", Cell: func(e client.Endpoint) output.Cell { return healthCell(e.Health) }},
		output.Text("SINCE", func(e client.Endpoint) string { return sinceOf(e.Health, now) }),
		output.Text("WAITING", func(e client.Endpoint) string { return waitingOf(e.Health) }),
		output.Text("EVENTS", func(e client.Endpoint) string { return strings.Join(e.Events, ",") }),
		output.Text("URL", func(e client.Endpoint) string { return e.URL }),
	)
}

func statusCell(s client.EndpointStatus) output.Cell {
	colors := map[client.EndpointStatus]output.Color{client.EndpointPaused: output.Warning, client.EndpointDisabled: output.Bad}
	return output.Cell{Text: string(s), Color: colors[s]}
}

func healthCell(h *client.Health) output.Cell {
	if h == nil {
		return output.Cell{}
	}
	colors := map[client.HealthState]output.Color{
		client.HealthHealthy: output.Good, client.HealthFailing: output.Bad, client.HealthRecovering: output.Warning, client.HealthIdle: output.Faint,
	}
	return output.Cell{Text: string(h.State), Color: colors[h.State]}
}

func sinceOf(h *client.Health, now time.Time) string {
	if h == nil || h.Since == nil {
		return ""
	}
	return output.Ago(*h.Since, now)
}

func waitingOf(h *client.Health) string {
	switch {
	case h == nil:
		return ""
	case h.WaitingCapped:
		return fmt.Sprintf("over %d", h.Waiting)
	}
	return fmt.Sprint(h.Waiting)
}

// Run lists endpoints.
func (c *listEndpointsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	filter := client.EndpointFilter{Health: client.HealthState(chosen(c.Health)), Status: client.EndpointStatus(chosen(c.Status)), Dialect: c.Dialect, Waiting: c.Waiting, Sort: client.EndpointSort(chosen(c.Sort)), Type: c.Type}
	return printList(ctx, std, api, &c.listOptions, endpointColumns(c.AllTenants, time.Now()), func(ctx context.Context, page client.Page) (*client.List[client.Endpoint], error) {
		return api.Endpoints(ctx, tenant, filter, page)
	})
}

// ofEndpoint has the options of commands that are about one endpoint.
type ofEndpoint struct {
	tenantConnection
	ID string `arg:"" complete:"endpoint" help:"The endpoint's id (ep_…)."`
}

type showEndpointCommand struct {
	ofEndpoint
	jsonOption
}

// Run shows an endpoint.
func (c *showEndpointCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	endpoint, err := api.Endpoint(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	return printEndpoint(std, api, c.JSON, endpoint)
}

func printEndpoint(std streams, api *caller, asJSON bool, e *client.Endpoint) error {
	return printOne(std, api, asJSON, func(p *output.Printer) {
		p.Fields(
			field("id", e.ID), field("tenant", e.Tenant), field("url", e.URL), field("description", e.Description),
			output.Field{Name: "status", Cell: statusCell(e.Status)}, field("why", e.StatusReason),
			field("events", strings.Join(e.Events, ", ")), field("filter", filterText(e)), field("dialect", e.Dialect), field("signing", string(e.Signing)),
			field("ordering", string(e.Ordering)), field("rate limit", rateText(e.RateLimit)), field("max in flight", fmt.Sprint(e.MaxInFlight)),
			field("timeout", output.Duration(time.Duration(e.Timeout))), field("disabled after", disableText(time.Duration(e.AutoDisableAfter))),
			field("retry", retryText(e.Retry)), field("auth", authText(e.Auth)), field("headers", pairs(e.Headers)), field("metadata", pairs(e.Metadata)),
			field("versions", pairs(e.Versions)),
			field("created", output.Time(e.CreatedAt)), field("changed", output.Time(e.UpdatedAt)),
			field("secret", e.Secret), field("public key", e.PublicKey), field("replay", replayText(e.Replay)),
		)
		printHealth(p, e.Health)
	})
}

func printHealth(p *output.Printer, h *client.Health) {
	if h == nil {
		return
	}
	p.Heading("Health")
	p.Fields(
		output.Field{Name: "state", Cell: healthCell(h)}, field("since", output.TimePtr(h.Since)), field("reason", h.Reason),
		field("last success", output.TimePtr(h.LastSuccessAt)), field("last failure", output.TimePtr(h.LastFailureAt)),
		field("failures in a row", countText(h.Failures)), field("waiting", waitingOf(h)), field("oldest waiting", output.TimePtr(h.OldestWaitingAt)),
		field("next attempt", output.TimePtr(h.NextAttemptAt)), field("circuit breaker", string(h.Breaker)),
		field("allowed", output.TimePtr(h.AllowedAt)), field("allowed a minute", allowedText(h)),
	)
}

// allowedText returns how many requests a minute an endpoint has allowed, "" if it was not asked.
func allowedText(h *client.Health) string {
	switch {
	case h.AllowedAt == nil:
		return ""
	case h.AllowedRate == nil:
		return "any number"
	}
	return fmt.Sprint(*h.AllowedRate)
}

// replayText returns the job that an endpoint's change has started.
func replayText(j *client.Job) string {
	if j == nil {
		return ""
	}
	return fmt.Sprintf("%s, of %d", j.ID, j.Total)
}

// disableText says how long an endpoint must have failed before it is disabled.
func disableText(after time.Duration) string {
	if after == 0 {
		return "never"
	}
	return output.Duration(after) + " of failures"
}

// filterText returns an endpoint's filter, with what happens where it has no answer.
func filterText(e *client.Endpoint) string {
	if e.Filter == nil {
		return ""
	}
	return fmt.Sprintf("%s (on error: %s)", *e.Filter, e.OnError)
}

// countText returns a number, or "" for zero.
func countText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func rateText(rate *float64) string {
	if rate == nil {
		return "none"
	}
	return fmt.Sprintf("%v a second", *rate)
}

func authText(a client.Auth) string {
	return strings.Join(strings.Fields(string(a.Type)+" "+a.Header+" "+a.Username), " ")
}

func retryText(r client.RetryPolicy) string {
	var text string
	switch {
	case r.Schedule != nil:
		delays := make([]string, len(r.Schedule))
		for i, delay := range r.Schedule {
			delays[i] = output.Duration(delay)
		}
		text = "after " + strings.Join(delays, ", ")
		if len(delays) == 0 {
			return "never"
		}
	case r.Initial > 0:
		text = fmt.Sprintf("after %s, then times %v", output.Duration(r.Initial), r.Factor)
		if r.MaxInterval > 0 {
			text += ", at most " + output.Duration(r.MaxInterval)
		}
	default:
		text = fmt.Sprintf("%d times, every %s", r.Count, output.Duration(r.Interval))
	}
	if r.MaxElapsed > 0 {
		text += ", for " + output.Duration(r.MaxElapsed)
	}
	if r.Jitter > 0 {
		text += fmt.Sprintf(", with %v of jitter", r.Jitter)
	}
	return text
}

type deleteEndpointCommand struct {
	ofEndpoint
	confirmation
}

// Run deletes an endpoint.
func (c *deleteEndpointCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	if err := c.confirm(std, fmt.Sprintf("This deletes endpoint %s of tenant %s, and cancels its open deliveries.", c.ID, c.Tenant), c.ID); err != nil {
		return err
	}
	return api.DeleteEndpoint(ctx, c.Tenant, c.ID)
}

type testEndpointCommand struct {
	ofEndpoint
	jsonOption
	Type string `placeholder:"NAME" complete:"event-type" help:"Event type. Default: one that the endpoint subscribes to."`
}

// Run starts a test delivery.
func (c *testEndpointCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	receipt, err := api.TestEndpoint(ctx, c.Tenant, c.ID, c.Type)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		p.Fields(field("event", receipt.Event), field("type", receipt.Type), field("delivery", receipt.Delivery))
	})
}
