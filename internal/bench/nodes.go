package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// nodesReport compares publishing on the node that owns an endpoint with publishing on others, at the same rate.
type nodesReport struct {
	Own   []float64 `json:"own_latency_ms"` // as in Report
	Other []float64 `json:"other_latency_ms"`
}

func (r *nodesReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
  published on the endpoint's node   p50 %.1f ms, p99 %.1f ms to receipt
  published on another node          p50 %.1f ms, p99 %.1f ms
`, r.Own[0], r.Own[2], r.Other[0], r.Other[2])
	return err
}

// empty empties the PostgreSQL database. It refuses a database that Bellwire uses for anything but benchmarks.
func (o *Options) empty(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, o.DatabaseURL)
	if err != nil {
		return fmt.Errorf("--database-url: %s cannot be reached: %w", postgres.Shown(o.DatabaseURL), err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var used, ours bool
	err = conn.QueryRow(ctx, "SELECT to_regnamespace('bellwire') IS NOT NULL, to_regnamespace('bellwire_bench') IS NOT NULL").Scan(&used, &ours)
	if err != nil {
		return err
	}
	if used && !ours {
		return cli.Option("database-url", "database %s is in use by Bellwire, and a benchmark deletes its contents; create a database for benchmarks only", postgres.Shown(o.DatabaseURL))
	}
	_, err = conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS bellwire_bench; DROP SCHEMA IF EXISTS bellwire CASCADE; CHECKPOINT",
		pgx.QueryExecModeSimpleProtocol)
	return err
}

func nodeName(n int) string { return "bench-" + strconv.Itoa(n) }

// owners waits until the nodes have divided the shards, and returns the node that owns each endpoint.
func (b *benchmark) owners(ctx context.Context) ([]int, error) {
	conn, err := pgx.Connect(ctx, b.options.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		rows, err := conn.Query(ctx, "SELECT coalesce(node, '') FROM bellwire.shards ORDER BY shard")
		if err != nil {
			return nil, err
		}
		of, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, err
		}
		held := make(map[string]int)
		for _, node := range of {
			held[node]++
		}
		if held[""] == 0 && len(held) == len(b.servers) {
			owners := make([]int, len(b.ids))
			for i, id := range b.ids {
				owners[i], err = strconv.Atoi(of[bellwire.ShardOf(id)][len(nodeName(0))-1:])
				if err != nil {
					return nil, err
				}
			}
			return owners, nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return nil, fmt.Errorf("the nodes have not divided the shards: %w", ctx.Err())
		}
	}
}

// nodes publishes on the nodes that own the endpoints, and then on other nodes.
func (b *benchmark) nodes(ctx context.Context, report *Report) error {
	owners, err := b.owners(ctx)
	if err != nil {
		return err
	}
	report.Nodes = new(nodesReport)
	for i, latencies := range []*[]float64{&report.Nodes.Own, &report.Nodes.Other} {
		l := b.load((i+1)*b.options.Events, (i+2)*b.options.Events)
		l.node = func(event int) int { return (owners[l.target(event)] + i) % len(b.servers) }
		if err := errors.Join(b.publish(ctx, l), b.wait(ctx, l)); err != nil {
			return err
		}
		seen, err := b.seen(ctx, l.first, l.end)
		if err != nil {
			return err
		}
		report.received(b.expected(l), seen)
		*latencies = seen.Latencies
	}
	return nil
}

// printNodes prints the figures of several nodes.
func (r *Report) printNodes(w io.Writer, o *Options) error {
	_, err := fmt.Fprintf(w, "  nodes               %10s   on %s, whose own CPU is not counted\n", humanize.Comma(int64(o.Nodes)), postgres.Shown(o.DatabaseURL))
	if err != nil || r.Nodes == nil {
		return err
	}
	return r.Nodes.print(w)
}

// publishURLs returns the URL for publishing to each customer on a server.
func (o *Options) publishURLs(server string) (urls []*url.URL, err error) {
	urls = make([]*url.URL, o.customers())
	for i := range urls {
		if urls[i], err = url.Parse(server + "/api/v1/tenants/" + tenantID(i) + "/events"); err != nil {
			return nil, err
		}
	}
	return urls, nil
}
