package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/doctor"
	"github.com/bellwire/bellwire/internal/telemetry"
)

type serveCommand struct {
	cli.FileOption
	settings
	CPUProfile string `name:"cpu-profile" hidden:"" help:"File for a CPU profile of the whole run."`
}

// Help is shown below the options.
func (c *serveCommand) Help() string {
	return `Flags win over the environment, the environment over the configuration file.
An empty value counts as not given. Times have the units s, m, h and d, sizes KiB and MiB.
SIGTERM, SIGHUP and Ctrl-C drain and end with exit code 0; a second signal ends at once.

  bellwire serve
  bellwire serve --listen 0.0.0.0:8080 --public-url https://webhooks.example.com --database-url sqlite:///var/lib/bellwire/bellwire.db
  bellwire serve --allow-network 10.0.0.0/8 --allow-network 192.168.0.0/16
  BELLWIRE_ADMIN_KEY=… bellwire serve --config /etc/bellwire.yaml --log-format json`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, std streams, parsed *kong.Context) error {
	lines := telemetry.NewLogWriter(std.err, c.LogFormat)
	deadline, err := c.serve(ctx, std, parsed, lines)
	flushing, cancel := context.WithDeadline(context.WithoutCancel(ctx), bellwire.Later(deadline, time.Now().Add(minFlush)))
	defer cancel()
	lines.Close(flushing)
	return err
}

// minFlush is how long the last log lines may take to be written, even if the drain has used up its time.
const minFlush = time.Second

// serve serves until the context ends. It returns when the drain timeout ends, which is zero if there was no drain.
func (c *serveCommand) serve(ctx context.Context, std streams, parsed *kong.Context, lines *telemetry.LogWriter) (time.Time, error) {
	log := c.logger(lines)
	noteLibraries(log)
	// Not an error, because orchestrators set some of them for a service named bellwire.
	g := givenBy(parsed)
	if len(g.unknown) > 0 {
		log.Warn("unknown BELLWIRE_ variables ignored: check their spelling", "names", strings.Join(g.unknown, ", "))
	}
	if proxies := doctor.ProxyVariables(os.Getenv); len(proxies) > 0 {
		log.Warn("proxy variables ignored: deliveries connect to receivers directly",
			"names", strings.Join(proxies, ", "))
	}
	if doctor.NoRootCertificates() {
		log.Warn("no root certificates found: https endpoints cannot be reached; install ca-certificates, or name a bundle in SSL_CERT_FILE")
	}
	outliveFileSizeLimit()
	defer tuneCollector(os.Getenv)()
	// The server must survive a reader of standard output or error that goes away.
	signal.Ignore(syscall.SIGPIPE)
	srv, err := openServer(ctx, &c.settings, g, log)
	if err != nil {
		return time.Time{}, err
	}
	srv.metrics.CountDroppedLines(lines.Dropped)
	if srv.adminKey != "" {
		fmt.Fprintf(std.out, "\nAdmin key, shown this once: %s\n\n", srv.adminKey)
	}
	if err := srv.start(ctx); err != nil {
		return time.Time{}, err
	}
	b := thisBuild()
	log.Info("listening", "url", srv.url(), "address", srv.listener.Addr().String(),
		"database", c.DatabaseURL.String(), "version", b.Version)
	err = profiled(c.CPUProfile, func() error { return srv.run(ctx) })
	return srv.drainedBy, err
}
