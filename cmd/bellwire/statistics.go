package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type statisticsCommand struct {
	tenantsConnection
	jsonOption
	span
	Interval *string  `enum:"minute,hour,day" placeholder:"INTERVAL" help:"A row for each minute, hour or day. By default one that suits the time, and that is still kept: minute up to 2h, hour up to 7d, else day."`
	By       []string `enum:"endpoint,type,outcome,dialect,tenant" placeholder:"WHAT" help:"Split the counts by endpoint, type, outcome or dialect, and with --all-tenants by tenant. Repeat it for more."`
}

// Help is shown below the options.
func (c *statisticsCommand) Help() string {
	return `Without --since, the last 24 hours; with --interval minute the last hour, with day the last 30 days. With --by, the groups of each interval come by their attempts, the most first.

  bellwire statistics --tenant acme
  bellwire statistics --tenant acme --since 30d --interval day --by endpoint`
}

// Run prints statistics.
func (c *statisticsCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	tenant, err := c.tenant()
	if err != nil {
		return err
	}
	filter := client.StatisticsFilter{Since: c.Since.Time, Until: c.Until.Time, Interval: client.Interval(chosen(c.Interval))}
	for _, dimension := range c.By {
		filter.By = append(filter.By, client.Dimension(dimension))
	}
	counted, err := api.Statistics(ctx, tenant, filter)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		table := output.NewTable(p, statisticsColumns(len(c.By) > 0))
		busiestFirst(counted.Data)
		for _, row := range counted.Data {
			table.Add(row)
		}
		table.Flush() // the Printer remembers the error
	})
}

// busiestFirst sorts the rows of each interval by their attempts, or else by what was published, the most first.
func busiestFirst(rows []client.StatisticsRow) {
	slices.SortStableFunc(rows, func(a, b client.StatisticsRow) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(chosen(b.Published), chosen(a.Published)))
	})
}

// statisticsColumns returns the columns of statistics, with one for the group if they are split.
func statisticsColumns(split bool) []output.Column[client.StatisticsRow] {
	number := func(title string, of func(client.StatisticsRow) int64) output.Column[client.StatisticsRow] {
		return output.Text(title, func(r client.StatisticsRow) string { return fmt.Sprint(of(r)) })
	}
	columns := []output.Column[client.StatisticsRow]{
		output.Text("FROM", func(r client.StatisticsRow) string { return output.Time(r.At) }),
		output.Text("PUBLISHED", func(r client.StatisticsRow) string {
			if r.Published == nil {
				return ""
			}
			return fmt.Sprint(*r.Published)
		}),
		number("ATTEMPTS", func(r client.StatisticsRow) int64 { return r.Attempts }),
		number("SUCCEEDED", func(r client.StatisticsRow) int64 { return r.Succeeded }),
		number("FAILED", func(r client.StatisticsRow) int64 { return r.Failed }),
		output.Text("P50", func(r client.StatisticsRow) string { return latencyText(r.P50) }),
		output.Text("P99", func(r client.StatisticsRow) string { return latencyText(r.P99) }),
	}
	if split {
		columns = append(columns, output.Text("OF", groupText))
	}
	return columns
}

func latencyText(ms *float64) string {
	if ms == nil {
		return ""
	}
	return milliseconds(*ms)
}

// groupText names the group that a row counts.
func groupText(r client.StatisticsRow) string {
	if r.Others {
		return "all others"
	}
	return strings.Join(strings.Fields(strings.Join([]string{r.Tenant, r.Endpoint, r.Type, r.Dialect, string(r.Outcome)}, " ")), " ")
}
