// Package bench measures a server: how much it publishes and delivers, and what that costs. The load and the receivers run in other
// processes than the server.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/dustin/go-humanize"
)

// Run measures, prints the results, and fails if a delivery is missing or badly signed. It starts the running program again
// for its other processes: with the arguments bench-receiver, which must call Receive, bench-relay, which must call Relay, and
// bench-hostile, which must call Attack.
func Run(ctx context.Context, o *Options, out io.Writer) error {
	if o.Hostile != "" {
		return o.hostile(ctx, out)
	}
	reports := make([]*Report, 0, o.Runs)
	var faults error
	for run := range o.Runs {
		r, err := o.measure(ctx)
		if err != nil {
			return err
		}
		reports = append(reports, r)
		faults = errors.Join(faults, r.fault())
		if !o.JSON && o.Runs > 1 {
			fmt.Fprintf(out, "run %d of %d: %s deliveries a second, %.2f of the baseline\n",
				run+1, o.Runs, humanize.Comma(int64(r.DeliveriesPerSecond)), r.Ratio)
		}
	}
	slices.SortFunc(reports, func(a, b *Report) int { return cmp.Compare(a.Ratio, b.Ratio) })
	median := reports[len(reports)/2]
	if err := median.print(out, o); err != nil {
		return err
	}
	return faults
}

// measure makes one run, with processes and a database of its own.
func (o *Options) measure(ctx context.Context) (report *Report, err error) {
	dir, err := os.MkdirTemp(o.Directory, "bellwire-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &benchmark{options: o, dir: dir, client: newClient(o.Publishers)}
	if o.DatabaseURL != "" {
		if err := o.empty(ctx); err != nil {
			return nil, err
		}
	}
	if b.receiver, err = startProcess(ctx, append([]string{"bench-receiver"}, o.profile("receiver")...)...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.receiver.stop()) }()
	var relayed *relayReport
	if o.Relay {
		if relayed, err = o.relayed(ctx, dir, b); err != nil {
			return nil, err
		}
	}
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	defer func() {
		err = errors.Join(err, b.stop())
		if report != nil {
			report.ServerMemory = b.peak
		}
	}()
	report, err = b.run(ctx)
	if err == nil && relayed != nil {
		relayed.compare(report)
		report.Relay = relayed
	}
	return report, err
}
