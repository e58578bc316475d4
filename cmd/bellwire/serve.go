package main

import (
	"context"
	"fmt"
)

type serveCommand struct {
	fileOption
	settings
}

// Help is shown below the options.
func (c *serveCommand) Help() string {
	return `Flags win over the environment, the environment over the configuration file.
SIGTERM and Ctrl-C drain and end with exit code 0; a second one ends at once.

  bellwire serve
  bellwire serve --listen 0.0.0.0:8080 --database-url sqlite:///var/lib/bellwire/bellwire.db
  bellwire serve --allow-network 10.0.0.0/8 --allow-network 192.168.0.0/16
  BELLWIRE_ADMIN_KEY=… bellwire serve --config /etc/bellwire.yaml --log-format json`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, std streams) error {
	log := c.logger(std.err)
	srv, err := openServer(ctx, &c.settings, log)
	if err != nil {
		return err
	}
	if srv.adminKey != "" {
		fmt.Fprintf(std.out, "\nAdmin key, shown this once: %s\n\n", srv.adminKey)
	}
	b := thisBuild()
	log.Info("listening", "url", srv.url(), "address", srv.listener.Addr().String(),
		"database", c.DatabaseURL.path, "version", b.Version)
	return srv.run(ctx)
}
