package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/sim"
)

type simulateCommand struct {
	Scenario string    `arg:"" placeholder:"SCENARIO" complete:"scenario" help:"A scenario of the program: {scenarios}; or a JSON file."`
	Rates    []float64 `placeholder:"N" help:"Events a second instead of those of the scenario; several with commas, to find the rate at which it breaks."`
	Seed     uint64    `placeholder:"N" help:"Seed of what is random. Default: that of the scenario."`
	Show     bool      `help:"Print the scenario as JSON, to copy and change it, and simulate nothing."`
	JSON     bool      `name:"json" help:"Print one JSON object for each rate."`
}

// Help is shown below the options.
func (c *simulateCommand) Help() string {
	return `Simulates a cell: nodes with one PostgreSQL database, publishers and receivers, with costs that were measured. It needs no server.
docs/scaling.md explains what it shows and how far it can be trusted.

  bellwire simulate million
  bellwire simulate million --rates 5000,10000,15000,20000
  bellwire simulate cell-loss --show > mine.json
  bellwire simulate mine.json --json`
}

// Run simulates.
func (c *simulateCommand) Run(ctx context.Context, std streams) error {
	if c.Show {
		text, ok := sim.Text(c.Scenario)
		if !ok {
			return fmt.Errorf("%q is not a scenario of the program; these are %s", c.Scenario, strings.Join(sim.Names(), ", "))
		}
		_, err := std.out.Write(text)
		return err
	}
	scenario, err := c.scenario()
	if err != nil {
		return err
	}
	rates := c.Rates
	if len(rates) == 0 {
		rates = []float64{scenario.Traffic.Rate}
	} else if scenario.Traffic.Publishers > 0 {
		return cli.Usagef("--rates must not be given for a scenario with traffic.publishers, which publish as fast as they are answered")
	}
	var results []*sim.Result
	for _, rate := range rates {
		if !(rate > 0) && scenario.Traffic.Publishers == 0 {
			return cli.Usagef("--rates must be above 0")
		}
		scenario.Traffic.Rate = rate
		result, err := sim.Run(ctx, scenario)
		if err != nil {
			return err
		}
		results = append(results, result)
	}
	if c.JSON {
		return sim.PrintJSON(std.out, results)
	}
	return sim.Print(std.out, scenario, results)
}

// scenario reads the scenario.
func (c *simulateCommand) scenario() (*sim.Scenario, error) {
	text, ok := sim.Text(c.Scenario)
	if !ok {
		var err error
		if text, err = os.ReadFile(c.Scenario); err != nil {
			return nil, fmt.Errorf("%w; the scenarios of the program are %s", err, strings.Join(sim.Names(), ", "))
		}
	}
	scenario, err := sim.Read(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Scenario, err)
	}
	if c.Seed != 0 {
		scenario.Seed = c.Seed
	}
	return scenario, nil
}
