package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/output"
)

type tenantsCommand struct {
	List   listTenantsCommand  `cmd:"" help:"List tenants."`
	Show   showTenantCommand   `cmd:"" help:"Show a tenant."`
	Create createTenantCommand `cmd:"" help:"Create a tenant."`
	Put    putTenantCommand    `cmd:"" help:"Create a tenant, or replace its name, metadata, limits and settings of dialects."`
	Update updateTenantCommand `cmd:"" help:"Change a tenant."`
	Pause  pauseTenantCommand  `cmd:"" help:"Send nothing to the endpoints of a tenant. Everything waits."`
	Resume resumeTenantCommand `cmd:"" help:"Send again to the endpoints of a paused tenant, also what has waited."`
	Delete deleteTenantCommand `cmd:"" help:"Delete a tenant with its keys, endpoints, events and deliveries."`
}

// Help is shown below the options.
func (c *tenantsCommand) Help() string {
	return `  bellwire tenants create acme --name "Acme Ltd"
  bellwire tenants update acme --limit endpoints=5000 --limit publish_rate=
  bellwire tenants update acme --dialect-setting azakaw.api_key_header=X-Key
  bellwire tenants update acme --dialect-auth azakaw=auth.json
  bellwire tenants pause acme --reason 'contract ended'
  bellwire tenants update acme --operational-events
  bellwire tenants list`
}

var tenantColumns = []output.Column[client.Tenant]{
	output.Text("ID", func(t client.Tenant) string { return t.ID }),
	output.Text("CREATED", func(t client.Tenant) string { return output.Time(t.CreatedAt) }),
	output.Text("STATUS", func(t client.Tenant) string { return string(t.Status) }),
	output.Text("NAME", func(t client.Tenant) string { return t.Name }),
}

type listTenantsCommand struct {
	connection
	listOptions
}

// Run lists tenants.
func (c *listTenantsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	return printList(ctx, std, api, &c.listOptions, tenantColumns, api.Tenants)
}

type showTenantCommand struct {
	connection
	jsonOption
	ID string `arg:"" complete:"tenant" help:"The tenant's id."`
}

// Run shows a tenant.
func (c *showTenantCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := api.Tenant(ctx, c.ID)
	if err != nil {
		return err
	}
	return printTenant(std, api, c.JSON, tenant)
}

func printTenant(std streams, api *caller, asJSON bool, t *client.Tenant) error {
	operational := ""
	if t.OperationalEvents {
		operational = "published to the tenant"
	}
	return printOne(std, api, asJSON, func(p *output.Printer) {
		p.Fields(
			field("id", t.ID), field("name", t.Name), field("metadata", pairs(t.Metadata)), field("own limits", pairs(t.Limits)),
			field("dialects", shownDialects(t.Dialects)),
			field("status", string(t.Status)), field("reason", t.StatusReason), field("since", output.TimePtr(t.StatusSince)),
			field("operational events", operational), field("created", output.Time(t.CreatedAt)), field("changed", output.Time(t.UpdatedAt)),
		)
	})
}

// tenantLimits is the option for the limits of a tenant.
type tenantLimits struct {
	Limits []string `name:"limit" sep:"none" placeholder:"NAME=VALUE" help:"Limit of this tenant, such as endpoints=5000. Repeat it for more. NAME= restores the default."`
}

// values returns the limits as the API takes them. A limit without a value restores the default.
func (c *tenantLimits) values() (client.Limits, error) {
	values := make(client.Limits)
	for _, text := range c.Limits {
		name, value, err := parseLimitOption(text)
		if err != nil {
			return nil, cli.Option("limit", "%s", err)
		}
		if _, given := values[name]; given {
			return nil, cli.Option("limit", "%s must be given once", name)
		}
		values[name] = value
	}
	return values, nil
}

// parseLimitOption parses NAME=VALUE, where the value may be empty.
func parseLimitOption(text string) (name string, value any, err error) {
	if start, empty := strings.CutSuffix(text, "="); empty && limits.Find(start) != nil {
		return start, nil, nil
	}
	var given limitValue
	if err := given.UnmarshalText([]byte(text)); err != nil {
		return "", nil, err
	}
	return given.limit.Name, given.wire(), nil
}

// newTenant has the options of a tenant that is created or replaced.
type newTenant struct {
	connection
	jsonOption
	tenantLimits
	tenantDialects
	ID       string            `arg:"" help:"The tenant's id, which you choose."`
	Name     string            `placeholder:"TEXT" help:"A name for people."`
	Metadata map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Entry of your own. Repeat it for more."`

	OperationalEvents bool `help:"Publish operational events about the tenant, such as bellwire.endpoint.failing, to the tenant too."`
}

// run sends the tenant, and shows it.
func (c *newTenant) run(std streams, send func(api *caller, t client.Tenant) (*client.Tenant, error)) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	held, err := c.values()
	if err != nil {
		return err
	}
	dialects, err := c.settings(std)
	if err != nil {
		return err
	}
	tenant, err := send(api, client.Tenant{
		ID: c.ID, Name: c.Name, Metadata: c.Metadata, Limits: held, OperationalEvents: c.OperationalEvents, Dialects: dialects,
	})
	if err != nil {
		return err
	}
	return printTenant(std, api, c.JSON, tenant)
}

type createTenantCommand struct{ newTenant }

// Run creates a tenant.
func (c *createTenantCommand) Run(ctx context.Context, std streams) error {
	return c.run(std, func(api *caller, t client.Tenant) (*client.Tenant, error) { return api.CreateTenant(ctx, t) })
}

type putTenantCommand struct{ newTenant }

// Run creates or replaces a tenant.
func (c *putTenantCommand) Run(ctx context.Context, std streams) error {
	return c.run(std, func(api *caller, t client.Tenant) (*client.Tenant, error) { return api.PutTenant(ctx, t) })
}

type updateTenantCommand struct {
	connection
	jsonOption
	tenantLimits
	tenantDialects
	ID       string            `arg:"" complete:"tenant" help:"The tenant's id."`
	Name     *string           `placeholder:"TEXT" help:"Another name."`
	Metadata map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Entry of your own. Repeat it for more. The entries given replace all others."`

	OperationalEvents *bool `negatable:"" help:"Publish operational events about the tenant, such as bellwire.endpoint.failing, to the tenant too, or no longer."`
}

// Run changes a tenant.
func (c *updateTenantCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	change := client.TenantChange{Name: c.Name, OperationalEvents: c.OperationalEvents}
	if change.Limits, err = c.values(); err != nil {
		return err
	}
	if change.Dialects, err = c.tenantDialects.settings(std); err != nil {
		return err
	}
	if c.Metadata != nil {
		change.Metadata = &c.Metadata
	}
	tenant, err := api.UpdateTenant(ctx, c.ID, change)
	if err != nil {
		return err
	}
	return printTenant(std, api, c.JSON, tenant)
}

// statusOfTenant has the options of commands that pause or resume a tenant.
type statusOfTenant struct {
	connection
	jsonOption
	ID string `arg:"" complete:"tenant" help:"The tenant's id."`
}

// run changes the status, and shows the tenant.
func (c *statusOfTenant) run(ctx context.Context, std streams, change client.TenantChange) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := api.UpdateTenant(ctx, c.ID, change)
	if err != nil {
		return err
	}
	return printTenant(std, api, c.JSON, tenant)
}

type pauseTenantCommand struct {
	statusOfTenant
	Reason string `placeholder:"TEXT" help:"Why, for people who look at the tenant, or at what waits."`
}

// Run pauses a tenant.
func (c *pauseTenantCommand) Run(ctx context.Context, std streams) error {
	return c.run(ctx, std, client.TenantChange{Status: client.TenantPaused, StatusReason: &c.Reason})
}

type resumeTenantCommand struct{ statusOfTenant }

// Run resumes a tenant.
func (c *resumeTenantCommand) Run(ctx context.Context, std streams) error {
	return c.run(ctx, std, client.TenantChange{Status: client.TenantActive})
}

type deleteTenantCommand struct {
	connection
	confirmation
	ID string `arg:"" complete:"tenant" help:"The tenant's id."`
}

// Run deletes a tenant.
func (c *deleteTenantCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	if err := c.confirm(std, fmt.Sprintf("This deletes tenant %s with its keys, endpoints, events and deliveries. Its data is removed from the database too, which takes a few minutes, or longer if there is much.", c.ID), c.ID); err != nil {
		return err
	}
	if err := api.DeleteTenant(ctx, c.ID); err != nil {
		return err
	}
	_, err = api.Tenant(ctx, c.ID)
	if problem, ok := errors.AsType[*client.Error](err); ok && problem.Code == client.CodeNotFound {
		fmt.Fprintln(std.err, problem.Detail)
		return nil
	}
	return err
}
