package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

type readyCommand struct {
	Server string `group:"connection" default:"http://127.0.0.1:8080" env:"BELLWIRE_SERVER" placeholder:"URL" help:"Address of the server."`
	cli.ProfileOption
	Timeout time.Duration `default:"5s" placeholder:"DURATION" help:"How long the server may take to answer."`
}

// Help is shown below the options.
func (c *readyCommand) Help() string {
	return `Ends with code 1 unless the server answers that it is ready. No key is needed. Containers without a shell use it as their health check.

  bellwire ready --server http://127.0.0.1:8080`
}

// maxReason is the maximum size in bytes of an answer that is read.
const maxReason = 1 << 10

// Run asks the server whether it is ready.
func (c *readyCommand) Run(ctx context.Context, std streams) error {
	server, err := url.Parse(c.Server)
	if err != nil || server.Host == "" {
		return cli.Option("server", "must be an absolute http or https URL, such as http://127.0.0.1:8080")
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.JoinPath("readyz").String(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return fmt.Errorf("%s cannot be reached: %w", c.Server, failed.Err)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var answer struct{ Reason string }
		if json.NewDecoder(io.LimitReader(response.Body, maxReason)).Decode(&answer) != nil || answer.Reason == "" {
			return fmt.Errorf("the server is not ready: it answers %s", response.Status)
		}
		return fmt.Errorf("the server is not ready: %s", output.Clean(answer.Reason))
	}
	_, err = fmt.Fprintln(std.out, "ready")
	return err
}
