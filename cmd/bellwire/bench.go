package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/hostile"
)

type benchCommand struct {
	Events      int           `default:"50000" placeholder:"N" help:"Events to publish."`
	Size        int           `default:"500" placeholder:"BYTES" help:"Size of each event's data."`
	Publishers  int           `default:"64" placeholder:"N" help:"Publishers at the same time."`
	Batch       int           `default:"1" placeholder:"N" help:"Events in one publish."`
	Rate        int           `placeholder:"N" help:"Events a second to publish. Default: as many as can be."`
	Endpoints   int           `default:"1" placeholder:"N" help:"Customers with one endpoint each; they get the events in turn."`
	Slow        float64       `placeholder:"SHARE" help:"Share of the endpoints, 0 to 1, that take 200 ms to answer."`
	Failing     float64       `placeholder:"SHARE" help:"Share of the endpoints that answer 500."`
	Hanging     float64       `placeholder:"SHARE" help:"Share of the endpoints that never answer."`
	Resetting   float64       `placeholder:"SHARE" help:"Share of the endpoints that reset the connection."`
	Baseline    time.Duration `default:"3s" placeholder:"TIME" help:"How long to measure a bare HTTP client before each run."`
	Runs        int           `default:"1" placeholder:"N" help:"Runs, each with its baseline; medians are reported."`
	DatabaseURL databaseURL   `name:"database-url" placeholder:"URL" help:"PostgreSQL database for benchmarks alone, postgres://…: what is in it is deleted. Default: a temporary SQLite file."`
	Nodes       int           `default:"1" placeholder:"N" help:"Servers on the PostgreSQL database; publishers go to them in turn. With --rate, publishing on an endpoint's own node is compared with another."`
	Directory   string        `placeholder:"DIR" type:"existingdir" help:"Where to make the temporary database. Default: the system's."`
	Stored      int           `placeholder:"N" help:"Finished deliveries that are in the database before."`
	Backlog     int           `placeholder:"N" help:"Events to publish then while no endpoint answers well; restart, and deliver them."`
	Flood       bool          `help:"One more customer publishes as much as can be, in batches, while the others' events come at --rate, one by one."`
	Hostile     string        `placeholder:"NAME" help:"One customer does what no other should feel: one of the scenarios below, several with commas, or all. A neighbour beside it measures what it felt; exit code 1 if that is more than it may."`
	Attack      time.Duration `default:"8s" placeholder:"TIME" help:"How long each of these scenarios goes on."`
	Calm        time.Duration `default:"2s" placeholder:"TIME" help:"How long the neighbour is measured alone before each of them."`
	Strength    float64       `default:"1" placeholder:"SHARE" help:"Share of the numbers in these scenarios, above 0, at most 1."`
	Server      string        `placeholder:"FILE" type:"existingfile" help:"Another build of bellwire whose server is measured. Default: this one."`
	JSON        bool          `name:"json" help:"Print one JSON object."`
	CPUProfile  string        `name:"cpu-profile" placeholder:"FILE" help:"Write the server's CPU profile to FILE, the other processes' beside it."`
}

// Help is shown below the options.
func (c *benchCommand) Help() string {
	return `It runs a server and a receiver as processes of their own, on a temporary database, and needs nothing else. First a bare
HTTP client posts to the receiver: that is what this machine can do. Then events are published, and each delivery is verified
and counted by the receiver. Exit code 1 if any is missing or badly signed.

  bellwire bench
  bellwire bench --batch 100 --runs 5
  bellwire bench --rate 3000 --events 60000
  bellwire bench --endpoints 10000 --hanging 0.1
  bellwire bench --stored 5000000
  bellwire bench --backlog 1000000 --batch 100 --endpoints 20
  bellwire bench --flood --rate 500 --events 10000 --batch 100
  bellwire bench --database-url postgres://postgres@127.0.0.1/bench --nodes 3 --endpoints 100 --rate 300
  bellwire bench --hostile fan-out,unread-lists

Scenarios of --hostile, whose numbers are fixed; only --attack, --calm, --strength, --runs, --server, --database-url, --nodes,
--directory, --json and --cpu-profile count beside it:

` + hostile.List()
}

// Validate is called by kong.
func (c *benchCommand) Validate() error {
	for name, n := range map[string]int{
		"events": c.Events, "publishers": c.Publishers, "batch": c.Batch, "endpoints": c.Endpoints, "runs": c.Runs, "nodes": c.Nodes,
	} {
		if n < 1 {
			return cli.Option(name, "it is at least 1")
		}
	}
	if err := c.checkHostile(); err != nil {
		return err
	}
	switch {
	case c.Size < minBenchData || c.Size > maxBenchData:
		return cli.Option("size", "it is from %d to %d", minBenchData, maxBenchData)
	case c.Batch > 1000:
		return cli.Option("batch", "it is at most 1000")
	case c.Rate < 0:
		return cli.Option("rate", "it is not negative")
	case c.Stored < 0:
		return cli.Option("stored", "it is not negative")
	case c.Backlog < 0:
		return cli.Option("backlog", "it is not negative")
	case c.Flood && c.Rate == 0:
		return cli.Option("flood", "it needs the --rate of the others")
	case c.Flood && c.Backlog > 0:
		return cli.Option("flood", "it does not go together with --backlog")
	case c.Nodes > 1 && c.DatabaseURL.postgres == "":
		return cli.Option("nodes", "several share a PostgreSQL database, which --database-url names")
	case c.DatabaseURL.path != "":
		return cli.Option("database-url", "it is a PostgreSQL database; a SQLite file is made in --directory")
	case c.DatabaseURL.postgres != "" && (c.Stored > 0 || c.Backlog > 0 || c.Flood):
		return cli.Option("database-url", "--stored, --backlog and --flood are measured on SQLite")
	case c.Baseline < 100*time.Millisecond:
		return cli.Option("baseline", "it is at least 100ms")
	}
	for name, share := range map[string]float64{
		"slow": c.Slow, "failing": c.Failing, "hanging": c.Hanging, "resetting": c.Resetting,
	} {
		if !(share >= 0 && share <= 1) {
			return cli.Option(name, "a share is from 0 to 1")
		}
	}
	if c.Slow+c.Failing+c.Hanging+c.Resetting >= 1 {
		return cli.Option("slow", "some endpoints must be healthy: with --failing, --hanging and --resetting it is below 1")
	}
	return nil
}

// Run measures, and fails if a delivery is missing or badly signed.
func (c *benchCommand) Run(ctx context.Context, std streams) error {
	return profiled(c.profileFile("publisher"), func() error { return c.run(ctx, std) })
}

func (c *benchCommand) run(ctx context.Context, std streams) error {
	if c.Hostile != "" {
		return c.hostile(ctx, std)
	}
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
	b := &benchmark{command: c, dir: dir, client: newBenchClient(c.Publishers)}
	if c.DatabaseURL.postgres != "" {
		if err := c.empty(ctx); err != nil {
			return nil, err
		}
	}
	if b.receiver, err = startProcess(ctx, append([]string{"bench-receiver"}, c.profile("receiver")...)...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.receiver.stop()) }()
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	defer func() {
		err = errors.Join(err, b.stop())
		if report != nil {
			report.ServerMemory = b.peak
		}
	}()
	return b.run(ctx)
}

// start starts the servers. The first makes what the others share.
func (b *benchmark) start(ctx context.Context) error {
	b.recorded, b.tenants = 0, nil
	database := "sqlite://" + b.file()
	if b.command.DatabaseURL.postgres != "" {
		database = b.command.DatabaseURL.postgres
	}
	program, err := b.command.program()
	if err != nil {
		return err
	}
	for n := range b.command.Nodes {
		server, err := startProgram(ctx, program, []string{
			"BELLWIRE_DATABASE_URL=" + database,
			"BELLWIRE_LIMITS=target_requests=0", // all receivers are on one host; a variable, since older builds refuse options that they do not know
		}, append([]string{
			"serve", "--listen", "127.0.0.1:0", "--node", benchNode(n), "--admin-key", benchKey,
			"--keyset-file", filepath.Join(b.dir, "bench.keyset"), "--allow-network", "127.0.0.0/8", "--log-format", "json",
			"--config", os.DevNull,
		}, b.command.profile(strings.TrimSuffix(fmt.Sprintf("server%d", n), "0"))...)...)
		if err != nil {
			return err
		}
		b.servers = append(b.servers, server)
		urls, err := b.command.publishURLs(server.url)
		if err != nil {
			return err
		}
		b.tenants = append(b.tenants, urls)
	}
	return nil
}

// program is the build that is measured.
func (c *benchCommand) program() (string, error) {
	if c.Server != "" {
		return c.Server, nil
	}
	return os.Executable()
}

// file is the SQLite database.
func (b *benchmark) file() string { return filepath.Join(b.dir, "bench.db") }

// stop ends the servers that run.
func (b *benchmark) stop() (err error) {
	b.client.CloseIdleConnections() // a server would wait for those that were never used
	for _, server := range b.servers {
		err = errors.Join(err, server.stop())
		b.peak = max(b.peak, peakMemory(server.cmd.ProcessState))
	}
	b.servers = nil
	return err
}

// profile returns the option that makes a process write its profile.
func (c *benchCommand) profile(process string) []string {
	if c.CPUProfile == "" {
		return nil
	}
	return []string{"--cpu-profile", c.profileFile(process)}
}

// profileFile is the file named for the server, and for the other processes one beside it.
func (c *benchCommand) profileFile(process string) string {
	if process == "server" || c.CPUProfile == "" {
		return c.CPUProfile
	}
	extension := filepath.Ext(c.CPUProfile)
	return strings.TrimSuffix(c.CPUProfile, extension) + "-" + process + extension
}
