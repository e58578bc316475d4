package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"

	"github.com/bellwire/bellwire/internal/bench"
	"github.com/bellwire/bellwire/internal/hostile"
)

type benchCommand struct {
	bench.Options
}

// Help is shown below the options.
func (c *benchCommand) Help() string {
	return `Runs a server and a receiver as separate processes on a temporary database. First a bare HTTP client posts to the receiver,
to measure what this machine can do. Then events are published, and the receiver verifies and counts their deliveries.
Exit code 1 if a delivery is missing or cannot be verified.

  bellwire bench
  bellwire bench --batch 100 --runs 5
  bellwire bench --relay
  bellwire bench --rate 3000 --events 60000
  bellwire bench --endpoints 10000 --hanging 0.1
  bellwire bench --ordering-keys 10000
  bellwire bench --stored 5000000
  bellwire bench --backlog 1000000 --batch 100 --endpoints 20
  bellwire bench --flood --rate 500 --events 10000 --batch 100
  bellwire bench --database-url postgres://postgres@127.0.0.1/bench --nodes 3 --endpoints 100 --rate 300
  bellwire bench --hostile fan-out,unread-lists

The scenarios of --hostile have fixed numbers. Only --attack, --calm, --strength, --runs, --server, --database-url, --nodes,
--directory, --json and --cpu-profile apply to them:

` + hostile.List()
}

// Run measures, and fails if a delivery is missing or cannot be verified.
func (c *benchCommand) Run(ctx context.Context, std streams) error {
	return profiled(c.ProfileFile("publisher"), func() error { return bench.Run(ctx, &c.Options, std.out) })
}

// benchReceiverCommand is the receiver of a benchmark.
type benchReceiverCommand struct {
	CPUProfile string `name:"cpu-profile" hidden:"" help:"File for a CPU profile."`
}

// Run receives until the parent process closes standard input.
func (c *benchReceiverCommand) Run(ctx context.Context, std streams) error {
	return profiled(c.CPUProfile, func() error { return bench.Receive(ctx, std.in, std.err) })
}

// benchRelayCommand is the second baseline of a benchmark.
type benchRelayCommand struct {
	Log        string `required:"" hidden:"" help:"File for the events."`
	CPUProfile string `name:"cpu-profile" hidden:"" help:"File for a CPU profile."`
}

// Run relays until the parent process closes standard input.
func (c *benchRelayCommand) Run(ctx context.Context, std streams) error {
	return profiled(c.CPUProfile, func() error { return bench.Relay(ctx, std.in, std.err, c.Log) })
}

// benchHostileCommand is the hostile customer of a benchmark.
type benchHostileCommand struct{}

// Run attacks as the parent process says, until that closes standard input.
func (c *benchHostileCommand) Run(ctx context.Context, std streams) error {
	return bench.Attack(ctx, std.in, std.err)
}

// profiled runs f, and writes a CPU profile of it if a file is named.
func profiled(file string, f func() error) (err error) {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}
