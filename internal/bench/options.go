package bench

import (
	"cmp"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/hostile"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// Options are the options of a benchmark, which kong reads.
type Options struct {
	Events      int           `default:"50000" placeholder:"N" help:"Events to publish."`
	Size        int           `default:"500" placeholder:"BYTES" help:"Size of each event's data."`
	Publishers  int           `default:"64" placeholder:"N" help:"Number of concurrent publishers."`
	Batch       int           `default:"1" placeholder:"N" help:"Events per publish."`
	Rate        int           `placeholder:"N" help:"Events to publish per second. Default: as many as possible."`
	Endpoints   int           `default:"1" placeholder:"N" help:"Customers with one endpoint each, which get the events in turn."`
	Keys        int           `name:"ordering-keys" placeholder:"N" help:"Order the endpoints by key, and give their events N ordering keys in turn."`
	Slow        float64       `placeholder:"SHARE" help:"Share of the endpoints, 0 to 1, that take 200 ms to answer."`
	Failing     float64       `placeholder:"SHARE" help:"Share of the endpoints that answer 500."`
	Hanging     float64       `placeholder:"SHARE" help:"Share of the endpoints that never answer."`
	Resetting   float64       `placeholder:"SHARE" help:"Share of the endpoints that reset the connection."`
	Baseline    time.Duration `default:"3s" placeholder:"TIME" help:"How long to measure a bare HTTP client before each run."`
	Relay       bool          `help:"Publish the same events to a relay first, the least that a durable sender can do, and compare rate and CPU with it."`
	Runs        int           `default:"1" placeholder:"N" help:"Number of runs, each with its baseline. The median is reported."`
	DatabaseURL string        `name:"database-url" placeholder:"URL" help:"PostgreSQL database for benchmarks only, postgres://…. Its contents are deleted. Default: a temporary SQLite file."`
	Nodes       int           `default:"1" placeholder:"N" help:"Servers on the PostgreSQL database, which publishers use in turn. With --rate, publishing on an endpoint's own node is compared with another node."`
	Directory   string        `placeholder:"DIR" type:"existingdir" help:"Directory for the temporary database. Default: the system's."`
	Stored      int           `placeholder:"N" help:"Finished deliveries to store before the measurement."`
	Pages       bool          `help:"With --stored: spread what is stored over 30 days, and measure how long the API takes for what pages of the console ask for."`
	Backlog     int           `placeholder:"N" help:"Events to publish while all endpoints fail, and to deliver after a restart."`
	Flood       bool          `help:"Let one more customer publish batches as fast as possible, while the others publish single events at --rate."`
	Hostile     string        `placeholder:"NAME" help:"Let one customer attack the server, and measure the effect on another: one of the scenarios below, several with commas, or all. Exit code 1 if a bound is exceeded."`
	Attack      time.Duration `default:"8s" placeholder:"TIME" help:"Duration of each scenario."`
	Calm        time.Duration `default:"2s" placeholder:"TIME" help:"How long to measure the other customer alone before each scenario."`
	Strength    float64       `default:"1" placeholder:"SHARE" help:"Share of the numbers in the scenarios, above 0, at most 1."`
	Server      string        `placeholder:"FILE" type:"existingfile" help:"Another build of bellwire to measure. Default: this one."`
	JSON        bool          `name:"json" help:"Print one JSON object."`
	CPUProfile  string        `name:"cpu-profile" placeholder:"FILE" help:"Write the server's CPU profile to FILE, and the other processes' beside it."`
}

// minBaseline is the shortest measurement of the bare HTTP client that means anything.
const minBaseline = 100 * time.Millisecond

// Validate refuses impossible combinations. Kong calls it.
func (o *Options) Validate() error {
	return cmp.Or(o.checkNumbers(), o.checkHostile(), o.checkLoad(), o.checkDatabase(), o.checkShares())
}

func (o *Options) checkNumbers() error {
	for _, number := range []struct {
		name         string
		value, least int
	}{
		{"events", o.Events, 1}, {"publishers", o.Publishers, 1}, {"batch", o.Batch, 1}, {"endpoints", o.Endpoints, 1},
		{"runs", o.Runs, 1}, {"nodes", o.Nodes, 1}, {"rate", o.Rate, 0}, {"stored", o.Stored, 0}, {"backlog", o.Backlog, 0},
		{"ordering-keys", o.Keys, 0},
	} {
		if number.value < number.least {
			return cli.Option(number.name, "must be at least %d", number.least)
		}
	}
	return nil
}

func (o *Options) checkLoad() error {
	switch {
	case o.Size < minData || o.Size > maxData:
		return cli.Option("size", "must be between %d and %d", minData, maxData)
	case o.Batch > 1000:
		return cli.Option("batch", "must be at most 1000")
	case o.Pages && o.Stored == 0:
		return cli.Option("pages", "needs --stored")
	case o.Flood && o.Rate == 0:
		return cli.Option("flood", "needs --rate, the rate of the other customers")
	case o.Flood && o.Backlog > 0:
		return cli.Option("flood", "must not be given together with --backlog")
	case o.Relay && (o.Flood || o.Backlog > 0 || o.Keys > 0 || o.Slow+o.Failing+o.Hanging+o.Resetting > 0):
		return cli.Option("relay", "must not be given together with --flood, --backlog, --ordering-keys, --slow, --failing, --hanging or --resetting: "+
			"a relay only passes events on")
	case o.Baseline < minBaseline:
		return cli.Option("baseline", "must be at least %s", minBaseline)
	}
	return nil
}

func (o *Options) checkDatabase() error {
	if o.DatabaseURL == "" {
		if o.Nodes > 1 {
			return cli.Option("nodes", "needs --database-url: several nodes share a PostgreSQL database")
		}
		return nil
	}
	if scheme, _, _ := strings.Cut(o.DatabaseURL, "://"); scheme != "postgres" && scheme != "postgresql" {
		return cli.Option("database-url", "must be postgres://user@host:port/database; for SQLite use --directory")
	}
	if err := postgres.CheckURL(o.DatabaseURL); err != nil {
		return cli.Option("database-url", "%s", err)
	}
	if o.Backlog > 0 || o.Flood {
		return cli.Option("database-url", "must not be given together with --backlog or --flood, which measure SQLite")
	}
	if o.Stored > 0 && o.Nodes > 1 {
		return cli.Option("stored", "must not be given together with --nodes")
	}
	return nil
}

func (o *Options) checkShares() error {
	var sum float64
	for _, share := range []struct {
		name  string
		value float64
	}{{"slow", o.Slow}, {"failing", o.Failing}, {"hanging", o.Hanging}, {"resetting", o.Resetting}} {
		if !(share.value >= 0 && share.value <= 1) {
			return cli.Option(share.name, "must be between 0 and 1")
		}
		sum += share.value
	}
	if sum >= 1 {
		return cli.Option("slow", "must leave some endpoints healthy: the sum of --slow, --failing, --hanging and --resetting must be below 1")
	}
	return nil
}

func (o *Options) checkHostile() error {
	if o.Hostile == "" {
		return nil
	}
	if _, err := hostile.Find(o.Hostile); err != nil {
		return cli.Option("hostile", "%s", err)
	}
	switch {
	case o.Attack < time.Second:
		return cli.Option("attack", "must be at least 1s")
	case o.Calm < time.Second:
		return cli.Option("calm", "must be at least 1s")
	case !(o.Strength > 0 && o.Strength <= 1):
		return cli.Option("strength", "must be above 0 and at most 1")
	}
	return nil
}
