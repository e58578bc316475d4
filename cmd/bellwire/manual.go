package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/bellwire/bellwire/internal/cli"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown below the options.
func (c *completionCommand) Help() string {
	return `  source <(bellwire completion bash)                                     in ~/.bashrc
  bellwire completion zsh > "${fpath[1]}/_bellwire"
  bellwire completion fish > ~/.config/fish/completions/bellwire.fish`
}

// Run prints the script for a shell.
func (c *completionCommand) Run(std streams) error {
	_, err := io.WriteString(std.out, cli.Script(c.Shell))
	return err
}

type manCommand struct {
	Directory string `arg:"" help:"Directory that the pages are written to. It is created if necessary."`
}

// Help is shown below the options.
func (c *manCommand) Help() string {
	return `Writes a page for each command.

  bellwire man /usr/local/share/man/man1`
}

// Run writes a page for each command.
func (c *manCommand) Run(app *kong.Application) error {
	if err := os.MkdirAll(c.Directory, 0o755); err != nil {
		return err
	}
	return writePages(c.Directory, app.Node)
}

// writePages writes the pages of a command and of those below it.
func writePages(dir string, node *kong.Node) error {
	name, text := cli.ManPage(node, thisBuild().Version)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		return err
	}
	for _, child := range node.Children {
		if child.Hidden {
			continue
		}
		if err := writePages(dir, child); err != nil {
			return err
		}
	}
	return nil
}
