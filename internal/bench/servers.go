package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// start starts the servers. The first one creates the keyset and the database that they share.
func (b *benchmark) start(ctx context.Context) error {
	b.recorded, b.tenants = 0, nil
	database := "sqlite://" + b.file()
	if b.options.DatabaseURL != "" {
		database = b.options.DatabaseURL
	}
	program, err := b.options.program()
	if err != nil {
		return err
	}
	for n := range b.options.Nodes {
		variables := []string{
			"BELLWIRE_DATABASE_URL=" + database,
			"BELLWIRE_LIMITS=target_requests=0", // all receivers are on one host; in a variable, because older builds refuse unknown options
		}
		if b.options.Nodes > 1 {
			variables = append(variables, "BELLWIRE_NODE_LISTEN=127.0.0.1:0")
		}
		server, err := startProgram(ctx, program, variables, append([]string{
			"serve", "--listen", "127.0.0.1:0", "--node", nodeName(n), "--admin-key", adminKey,
			"--keyset-file", filepath.Join(b.dir, "bench.keyset"), "--allow-network", "127.0.0.0/8", "--log-format", "json",
			"--config", os.DevNull,
		}, b.options.profile(strings.TrimSuffix(fmt.Sprintf("server%d", n), "0"))...)...)
		if err != nil {
			return err
		}
		b.servers = append(b.servers, server)
		urls, err := b.options.publishURLs(server.url)
		if err != nil {
			return err
		}
		b.tenants = append(b.tenants, urls)
	}
	return nil
}

// program returns the build that is measured.
func (o *Options) program() (string, error) {
	if o.Server != "" {
		return o.Server, nil
	}
	return os.Executable()
}

// file returns the path of the SQLite database.
func (b *benchmark) file() string { return filepath.Join(b.dir, "bench.db") }

// stop ends the servers.
func (b *benchmark) stop() (err error) {
	b.client.CloseIdleConnections() // a server would wait for connections that were never used
	for _, server := range b.servers {
		err = errors.Join(err, server.stop())
		b.peak = max(b.peak, peakMemory(server.cmd.ProcessState))
	}
	b.servers = nil
	return err
}

// profile returns the arguments that make a process write its profile.
func (o *Options) profile(process string) []string {
	if o.CPUProfile == "" {
		return nil
	}
	return []string{"--cpu-profile", o.ProfileFile(process)}
}

// ProfileFile returns the file for the profile of a process: the named one for the server, one beside it for the others.
func (o *Options) ProfileFile(process string) string {
	if process == "server" || o.CPUProfile == "" {
		return o.CPUProfile
	}
	extension := filepath.Ext(o.CPUProfile)
	return strings.TrimSuffix(o.CPUProfile, extension) + "-" + process + extension
}
