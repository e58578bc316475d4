package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

type benchCommand struct {
	Events     int           `default:"50000" placeholder:"N" help:"Events to publish."`
	Size       int           `default:"500" placeholder:"BYTES" help:"Size of each event's data."`
	Publishers int           `default:"64" placeholder:"N" help:"Publishers at the same time."`
	Batch      int           `default:"1" placeholder:"N" help:"Events in one publish."`
	Rate       int           `placeholder:"N" help:"Events a second to publish. Default: as many as can be."`
	Endpoints  int           `default:"1" placeholder:"N" help:"Customers with one endpoint each; they get the events in turn."`
	Slow       float64       `placeholder:"SHARE" help:"Share of the endpoints, 0 to 1, that take 200 ms to answer."`
	Failing    float64       `placeholder:"SHARE" help:"Share of the endpoints that answer 500."`
	Hanging    float64       `placeholder:"SHARE" help:"Share of the endpoints that never answer."`
	Baseline   time.Duration `default:"3s" placeholder:"TIME" help:"How long to measure a bare HTTP client before each run."`
	Runs       int           `default:"1" placeholder:"N" help:"Runs, each with its baseline; medians are reported."`
	Directory  string        `placeholder:"DIR" type:"existingdir" help:"Where to make the temporary database. Default: the system's."`
	JSON       bool          `name:"json" help:"Print one JSON object."`
}

// Help is shown below the options.
func (c *benchCommand) Help() string {
	return `It runs a server and a receiver as processes of their own, on a temporary database, and needs nothing else. First a bare
HTTP client posts to the receiver: that is what this machine can do. Then events are published, and each delivery is verified
and counted by the receiver. Exit code 1 if any is missing or badly signed.

  bellwire bench
  bellwire bench --batch 100 --runs 5
  bellwire bench --rate 3000 --events 60000
  bellwire bench --endpoints 10000 --hanging 0.1`
}

// Validate is called by kong.
func (c *benchCommand) Validate() error {
	for name, n := range map[string]int{
		"events": c.Events, "publishers": c.Publishers, "batch": c.Batch, "endpoints": c.Endpoints, "runs": c.Runs,
	} {
		if n < 1 {
			return option(name, "it is at least 1")
		}
	}
	switch {
	case c.Size < minBenchData || c.Size > maxBenchData:
		return option("size", "it is from %d to %d", minBenchData, maxBenchData)
	case c.Batch > 1000:
		return option("batch", "it is at most 1000")
	case c.Rate < 0:
		return option("rate", "it is not negative")
	case c.Baseline < 100*time.Millisecond:
		return option("baseline", "it is at least 100ms")
	}
	for name, share := range map[string]float64{"slow": c.Slow, "failing": c.Failing, "hanging": c.Hanging} {
		if !(share >= 0 && share <= 1) {
			return option(name, "a share is from 0 to 1")
		}
	}
	if c.Slow+c.Failing+c.Hanging >= 1 {
		return option("slow", "some endpoints must be healthy: with --failing and --hanging it is below 1")
	}
	return nil
}

// Run measures, and fails if a delivery is missing or badly signed.
func (c *benchCommand) Run(ctx context.Context, std streams) error {
	reports := make([]*benchReport, 0, c.Runs)
	var faults error
	for run := range c.Runs {
		r, err := c.measure(ctx)
		if err != nil {
			return err
		}
		reports = append(reports, r)
		faults = errors.Join(faults, r.fault())
		if !c.JSON && c.Runs > 1 {
			fmt.Fprintf(std.out, "run %d of %d: %s deliveries a second, %.2f of the baseline\n",
				run+1, c.Runs, humanize.Comma(int64(r.DeliveriesPerSecond)), r.Ratio)
		}
	}
	slices.SortFunc(reports, func(a, b *benchReport) int { return cmp.Compare(a.Ratio, b.Ratio) })
	median := reports[len(reports)/2]
	if err := median.print(std.out, c); err != nil {
		return err
	}
	return faults
}

// measure makes one run, with its own processes and database.
func (c *benchCommand) measure(ctx context.Context) (report *benchReport, err error) {
	dir, err := os.MkdirTemp(c.Directory, "bellwire-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	receiver, err := startProcess(ctx, "bench-receiver")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, receiver.stop()) }()
	server, err := startProcess(ctx, "serve",
		"--listen", "127.0.0.1:0", "--database-url", "sqlite://"+dir+"/bench.db", "--admin-key", benchKey,
		"--allow-network", "127.0.0.0/8", "--log-format", "json", "--config", os.DevNull)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, server.stop())
		if report != nil {
			report.measured(server)
		}
	}()
	b := &benchmark{command: c, server: server.url, receiver: receiver.url, client: newBenchClient(c.Publishers)}
	return b.run(ctx)
}
