package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type serveCommand struct {
	fileOption
	settings
	CPUProfile string `name:"cpu-profile" hidden:"" help:"File for a CPU profile from start to end."`
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
func (c *serveCommand) Run(ctx context.Context, std streams, parsed *kong.Context) error {
	log := c.logger(std.err)
	// It is no error, because orchestrators set some for a service named bellwire.
	if unknown := unknownVariables(parsed.Model.Node, os.Environ()); len(unknown) > 0 {
		log.Warn("environment variables that are no option are ignored", "names", strings.Join(unknown, ", "))
	}
	outliveFileSizeLimit()
	srv, err := openServer(ctx, &c.settings, log)
	if err != nil {
		return err
	}
	if srv.adminKey != "" {
		fmt.Fprintf(std.out, "\nAdmin key, shown this once: %s\n\n", srv.adminKey)
	}
	b := thisBuild()
	log.Info("listening", "url", srv.url(), "address", srv.listener.Addr().String(),
		"database", c.DatabaseURL.String(), "version", b.Version)
	return profiled(c.CPUProfile, func() error { return srv.run(ctx) })
}

// unknownVariables returns the names of variables that look like options, but that no command has. Misspelt ones
// would silently leave a default in place.
func unknownVariables(root *kong.Node, environ []string) []string {
	var known, unknown []string
	for _, command := range root.Leaves(false) {
		for _, flag := range command.Flags {
			known = append(known, flag.Envs...)
		}
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BELLWIRE_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
