package main

import (
	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

// connection has the options of commands that call a server.
type connection struct {
	Server string `group:"connection" default:"http://127.0.0.1:8080" env:"BELLWIRE_SERVER" placeholder:"URL" help:"Address of the server."`
	Key    string `group:"connection" env:"BELLWIRE_KEY,BELLWIRE_ADMIN_KEY" placeholder:"KEY" help:"API key."`
	cli.ProfileOption
}

// caller returns a caller for the server, with the key.
func (c *connection) caller() (*caller, error) {
	if c.Key == "" {
		return nil, cli.Option("key", "must be given")
	}
	made, err := newCaller(c.Server, c.Key)
	if err != nil {
		return nil, cli.Option("server", "%s", err)
	}
	return made, nil
}

// unrecorded returns a client that does not remember answers, for those without an end.
func (c *connection) unrecorded() (*client.Client, error) {
	if _, err := c.caller(); err != nil {
		return nil, err
	}
	return client.New(c.Server, c.Key)
}

// client returns a client for the server, with the key.
func (c *connection) client() (*client.Client, error) {
	made, err := c.caller()
	if err != nil {
		return nil, err
	}
	return made.Client, nil
}

// tenantConnection has the options of commands that are about one tenant.
type tenantConnection struct {
	connection
	Tenant string `required:"" env:"BELLWIRE_TENANT" placeholder:"ID" profiled:"" complete:"tenant" help:"The tenant."`
}

// tenantsConnection has the options of commands that are about one tenant, or about all of them.
type tenantsConnection struct {
	connection
	Tenant     string `env:"BELLWIRE_TENANT" placeholder:"ID" profiled:"" complete:"tenant" help:"The tenant."`
	AllTenants bool   `name:"all-tenants" help:"All tenants, for operators."`
}

// BeforeResolve refuses a command line that names a tenant and asks for all of them. Kong calls it after reading the command line.
func (c *tenantsConnection) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	if err := refuseTenantOfAll(ctx); err != nil {
		return err
	}
	return c.ProfileOption.BeforeResolve(ctx, trace)
}

// refuseTenantOfAll refuses --tenant beside --all-tenants. A tenant of the environment or of the profile gives way, and is not there yet.
func refuseTenantOfAll(ctx *kong.Context) error {
	given := make(map[string]bool)
	for _, path := range ctx.Path {
		if path.Flag != nil {
			given[path.Flag.Name] = true
		}
	}
	if given["tenant"] && given["all-tenants"] {
		return cli.Option("tenant", "must not be given together with --all-tenants")
	}
	return nil
}

// idColumns returns the first columns of a list: the id, and the tenant if the list is of all tenants.
func idColumns[T any](tenants bool, id, tenant func(T) string) []output.Column[T] {
	columns := []output.Column[T]{output.Text("ID", id)}
	if tenants {
		columns = append(columns, output.Text("TENANT", tenant))
	}
	return columns
}

// tenant returns the tenant, or "" for all of them.
func (c *tenantsConnection) tenant() (string, error) {
	switch {
	case c.AllTenants:
		return "", nil
	case c.Tenant == "":
		return "", cli.Option("tenant", "must be given, or --all-tenants")
	}
	return c.Tenant, nil
}
