package main

import (
	"context"
	"fmt"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type filtersCommand struct {
	Try tryFilterCommand `cmd:"" help:"Evaluate a filter on the newest events, without sending anything."`
}

// Help is shown below the options.
func (c *filtersCommand) Help() string {
	return `Filters are CEL expressions over type, data, id and occurred_at.

  bellwire filters try --tenant acme --type 'card.*' 'data.amount > 100'`
}

type tryFilterCommand struct {
	tenantConnection
	jsonOption
	Filter   string   `arg:"" help:"A CEL expression, such as 'data.amount > 100'."`
	Types    []string `name:"type" placeholder:"PATTERN" complete:"event-type" help:"Only on events of this type: a name, or the start of names followed by *. Repeat it for more."`
	Endpoint string   `placeholder:"ID" complete:"endpoint" help:"On the events in the versions that this endpoint gets. Default: as they were published."`
	Limit    int      `default:"100" placeholder:"N" help:"On this many events, up to 1000."`
}

// Run tries a filter.
func (c *tryFilterCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tried, err := api.TryFilter(ctx, c.Tenant, client.FilterTrial{Filter: c.Filter, Types: c.Types, Limit: c.Limit, Endpoint: c.Endpoint})
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		p.Fields(field("matched", fmt.Sprint(tried.Matched)), field("unmatched", fmt.Sprint(tried.Unmatched)), field("errors", fmt.Sprint(tried.Errors)))
		if len(tried.Examples) == 0 {
			return
		}
		p.Heading("Examples")
		table := output.NewTable(p, exampleColumns)
		for _, example := range tried.Examples {
			table.Add(example)
		}
		table.Flush() // the Printer remembers the error
	})
}

var exampleColumns = []output.Column[client.FilterExample]{
	output.Text("EVENT", func(x client.FilterExample) string { return x.Event }),
	output.Text("TYPE", func(x client.FilterExample) string { return x.Type }),
	output.Text("OUTCOME", func(x client.FilterExample) string { return string(x.Outcome) }),
	output.Text("CONDITION", func(x client.FilterExample) string { return x.Condition }),
	output.Text("PROBLEM", func(x client.FilterExample) string { return x.Problem }),
}
