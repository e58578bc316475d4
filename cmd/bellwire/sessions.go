package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/client"
)

type consoleCommand struct {
	connection
	Open bool `help:"Open the link in a browser, instead of printing it."`
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is shown below the options.
func (c *consoleCommand) Help() string {
	return `Prints a link that signs in to the console, with the rights of the key. Whoever opens it first is signed in;
it can be opened once, within a minute. The session lasts 12 hours, or until it has not been used for 2 hours.

  bellwire console --open`
}

// Run prints a link, or opens it.
func (c *consoleCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	link, err := api.CreateConsoleLink(ctx)
	if err != nil {
		return err
	}
	if c.Open {
		return browse(ctx, link.URL)
	}
	return printLink(std, link, c.JSON)
}

type portalCommand struct {
	connection
	Tenant       string        `arg:"" complete:"tenant" help:"The tenant."`
	Capabilities []string      `name:"can" placeholder:"CAPABILITY" complete:"capability" help:"What the person may do: view, view_secret, manage, replay or test. Repeat it for more. Default: all."`
	ExpiresIn    time.Duration `default:"1h" placeholder:"TIME" help:"How long the session lasts, at most 24h."`
	Origins      []string      `name:"origin" placeholder:"ORIGIN" help:"Origin of a page that may show the portal in a frame. Repeat it for more. Default: none."`
	Open         bool          `help:"Open the link in a browser, instead of printing it."`
	JSON         bool          `name:"json" help:"Print JSON."`
}

// Help is shown below the options.
func (c *portalCommand) Help() string {
	return `Prints a link to the portal of a tenant. It can be opened once, within ten minutes.

  bellwire portal acme
  bellwire portal acme --can view --can test --expires-in 10m`
}

// Run prints a link, or opens it.
func (c *portalCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	wanted := client.NewPortalSession{ExpiresIn: c.ExpiresIn, Origins: c.Origins}
	for _, name := range c.Capabilities {
		wanted.Capabilities = append(wanted.Capabilities, client.Capability(name))
	}
	link, err := api.CreatePortalSession(ctx, c.Tenant, wanted)
	if err != nil {
		return err
	}
	if c.Open {
		return browse(ctx, link.URL)
	}
	return printLink(std, link, c.JSON)
}

func printLink(std streams, link *client.SessionLink, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.out).Encode(link)
	}
	_, err := fmt.Fprintln(std.out, link.URL)
	return err
}

// browse opens a URL in the person's browser.
func browse(ctx context.Context, url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
		return fmt.Errorf("no browser opened (%s: %w); run the command without --open, and open the link yourself", name, err)
	}
	return nil
}
