package main

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/demo"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/store/sqlite"
	"github.com/bellwire/bellwire/internal/telemetry"
)

type demoCommand struct {
	Once     bool   `help:"End when every delivery has been verified; exit code 0 only then."`
	LogLevel string `default:"error" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Minimum level of the server's log records that are shown: debug, info, warn or error."`
}

// Help is shown below the options.
func (c *demoCommand) Help() string {
	return `Starts a server on a temporary database, and receivers that verify the signatures of real payloads in every dialect.
One receiver fails twice before it accepts. Everything is removed at the end.

Without --once, events go on for three customers, one of whose endpoints is down, one slow, and one failing now and then.
A link signs you in to the console, where you can watch them. Its charts also show thirty days before, which are made up.

  bellwire demo           look around in the console until Ctrl-C
  bellwire demo --once    for scripts`
}

// Run follows an event from end to end.
func (c *demoCommand) Run(ctx context.Context, std streams) (err error) {
	dir, err := os.MkdirTemp("", "bellwire-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := demoSettings(dir, c.LogLevel)
	srv, err := openServer(ctx, s, given{}, s.logger(std.err))
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- srv.run(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	return demo.Play(ctx, demo.Config{
		URL: srv.url(), Key: srv.adminKey, Out: std.out, Colour: isTerminal(std.out), Once: c.Once,
		Past: func(ctx context.Context, past iter.Seq[demo.Counted]) error { return countPast(ctx, srv.store, past) },
	})
}

// countPast puts the demonstration's past into the statistics.
func countPast(ctx context.Context, store bellwire.Store, past iter.Seq[demo.Counted]) error {
	err := store.(*sqlite.Store).CountPast(ctx, func(yield func(bellwire.Counted) bool) {
		for c := range past {
			if !yield(bellwire.Counted{At: c.At, Tenant: c.Tenant, Endpoint: c.Endpoint, Type: c.Type, Outcome: bellwire.Outcome(c.Outcome), Took: c.Took}) {
				return
			}
		}
	})
	for moved := 1; err == nil && moved > 0; {
		moved, err = store.RollUp(ctx, limits.StatisticsLargestStep)
	}
	return err
}

func demoSettings(dir, logLevel string) *settings {
	return &settings{
		Listen: "127.0.0.1:0", DrainTimeout: 5 * time.Second,
		storage:      storage{DatabaseURL: databaseURL{path: filepath.Join(dir, "bellwire.db")}},
		AllowNetwork: []network{{netip.MustParsePrefix("127.0.0.0/8")}},
		Limits:       []limitValue{{limits.MinRetryDelay, 0.2}}, // retries must not keep anybody waiting
		LogFormat:    telemetry.FormatText, LogLevel: logLevel, MaxEventBytes: service.DefaultMaxEventBytes,
	}
}
