package main

import (
	"context"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type findCommand struct {
	connection
	jsonOption
	ID string `arg:"" help:"An id of an event, a delivery, an endpoint, a job, a key or a tenant, also in the form in which a dialect shows it."`
}

// Help is shown below the options.
func (c *findCommand) Help() string {
	return `Says what an id is of, and of which tenant. It fails if nothing has the id.

  bellwire find dlv_…`
}

// Run finds what has an id.
func (c *findCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	found, err := api.FindID(ctx, c.ID)
	if err != nil {
		return err
	}
	return printAll(std, api, c.JSON, []output.Column[client.Found]{
		output.Text("KIND", kindText),
		output.Text("TENANT", func(f client.Found) string { return chosen(f.Tenant) }),
		output.Text("ID", func(f client.Found) string { return f.ID }),
		output.Text("PATH", func(f client.Found) string { return f.Path }),
	}, found)
}

func kindText(f client.Found) string {
	if f.Deleted {
		return f.Kind + ", deleted"
	}
	return f.Kind
}
