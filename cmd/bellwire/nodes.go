package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type nodesCommand struct {
	connection
	jsonOption
}

// Help is shown below the options.
func (c *nodesCommand) Help() string {
	return `Lists the processes that share the database, and how many of the 256 shards each owns. * marks the one that answered.

  bellwire nodes`
}

// Run lists the nodes.
func (c *nodesCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	nodes, err := api.Nodes(ctx)
	if err != nil {
		return err
	}
	return printAll(std, api, c.JSON, nodeColumns(time.Now()), nodes)
}

func nodeColumns(now time.Time) []output.Column[client.Node] {
	ago := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return output.Ago(*t, now)
	}
	return []output.Column[client.Node]{
		output.Text("NODE", func(n client.Node) string {
			if n.Current {
				return n.ID + " *"
			}
			return n.ID
		}),
		output.Text("STATE", nodeState),
		output.Text("SHARDS", func(n client.Node) string { return fmt.Sprint(n.Shards) }),
		output.Text("EPOCH", func(n client.Node) string { return fmt.Sprint(n.Epoch) }),
		output.Text("RENEWED", func(n client.Node) string { return ago(n.LeaseRenewedAt) }),
		output.Text("VERSION", func(n client.Node) string { return n.Version }),
		output.Text("STARTED", func(n client.Node) string { return ago(n.StartedAt) }),
	}
}

func nodeState(n client.Node) string {
	switch {
	case !n.Alive:
		return "dead"
	case n.Leaving:
		return "leaving"
	}
	return "alive"
}

type settingsCommand struct {
	connection
	jsonOption
}

// Help is shown below the options.
func (c *settingsCommand) Help() string {
	return `Lists the options of the server with the values in force, and where each comes from. Secrets are not shown.

  bellwire settings`
}

// Run lists the settings.
func (c *settingsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	settings, err := api.Settings(ctx)
	if err != nil {
		return err
	}
	return printAll(std, api, c.JSON, settingColumns, settings)
}

var settingColumns = []output.Column[client.Setting]{
	output.Text("SETTING", func(s client.Setting) string { return s.Name }),
	output.Text("FROM", func(s client.Setting) string { return s.Source }),
	output.Text("VARIABLE", func(s client.Setting) string { return strings.Join(s.Variables, ", ") }),
	output.Text("VALUE", func(s client.Setting) string {
		if s.Value == nil {
			return ""
		}
		return *s.Value
	}),
}

// printAll prints a list that has one page, as a table or as JSON.
func printAll[T any](std streams, api *caller, asJSON bool, columns []output.Column[T], items []T) error {
	printer := output.New(std.out, asJSON)
	if asJSON {
		return printItems(printer, api)
	}
	return tableOf(output.NewTable(printer, columns))(items)
}
