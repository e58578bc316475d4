package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"text/tabwriter"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/telemetry"
)

type keysetCommand struct {
	Show    showKeysetCommand    `cmd:"" help:"Show the keys of the keyset, without what is secret."`
	Rotate  rotateKeysetCommand  `cmd:"" help:"Add a new key and seal with it from now on; for a single server."`
	Add     addKeysetCommand     `cmd:"" help:"Add a new key that opens, and does not seal yet; for several nodes."`
	Promote promoteKeysetCommand `cmd:"" help:"Seal with the key that was added last."`
	Reseal  resealKeysetCommand  `cmd:"" help:"Seal every secret in the database anew with the primary key."`
	Prune   pruneKeysetCommand   `cmd:"" help:"Take the old keys out of the keyset, once nothing is sealed with them."`
}

// Help is shown below the options.
func (c *keysetCommand) Help() string {
	return `The keyset seals the secrets in the database. docs/keyset.md has the steps of a rotation.

A single server, which is stopped meanwhile if its database is SQLite:

  bellwire keyset rotate
  bellwire keyset reseal
  bellwire keyset prune

Several nodes on PostgreSQL, which go on running: after add, promote and prune, copy the keyset to every node and restart it.

  bellwire keyset add
  bellwire keyset promote
  bellwire keyset reseal
  bellwire keyset prune`
}

// keysetOptions are the options of every command about the keyset.
type keysetOptions struct {
	cli.FileOption
	storage
}

// Validate is called by kong.
func (o *keysetOptions) Validate() error { return o.check() }

// read reads the keyset. Its error names the option.
func (o *keysetOptions) read() (*seal.Keyset, error) {
	keyset, err := o.readKeyset()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--keyset-file: there is no keyset file %s; the first \"bellwire serve\" makes one", o.keysetPath())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.keysetOption(), err)
	}
	return keyset, nil
}

func (o *keysetOptions) log(std streams) *slog.Logger {
	return telemetry.NewLogger(std.err, telemetry.FormatText, slog.LevelWarn)
}

// keysetChange are the options of the commands that change the keyset.
type keysetChange struct {
	keysetOptions
	Print bool `help:"Print the new keyset on standard output, instead of writing the file. It is secret. A keyset in a variable is always printed."`
}

// change reads the keyset, changes it, and puts it where it belongs.
func (c *keysetChange) change(std streams, how func(*seal.Keyset) (*seal.Keyset, error), done string, next ...string) error {
	keyset, err := c.read()
	if err != nil {
		return err
	}
	changed, err := how(keyset)
	if err != nil {
		return err
	}
	return c.write(std, changed, done, next...)
}

// write puts a changed keyset where it belongs, and then reports on standard error what was done, and the next steps.
func (c *keysetChange) write(std streams, changed *seal.Keyset, done string, next ...string) error {
	where := "the printed keyset"
	if c.Print || c.Keyset != "" {
		text, err := changed.Text()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(std.out, "%s\n", text); err != nil {
			return err
		}
	} else {
		where = c.keysetPath()
		if err := seal.WriteKeyset(where, changed); err != nil {
			return fmt.Errorf("--keyset-file: %w", err)
		}
	}
	next = slices.Insert(next, 0, "Keep a copy of "+where+" apart from the database.")
	return say(std.err, done, next...)
}

// say writes what was done, and the next steps.
func say(w io.Writer, done string, next ...string) error {
	text := done + "\n"
	for _, step := range next {
		text += "  next: " + step + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// distribute is the step that follows every change of a keyset that nodes use.
const distribute = "Put it on every node, and start each again."

type showKeysetCommand struct {
	keysetOptions
}

// Run lists the keys.
func (c *showKeysetCommand) Run(std streams) error {
	keyset, err := c.read()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tUSE\tSTATUS")
	for _, key := range keyset.Keys() {
		use := "opens"
		if key.Primary {
			use = "seals and opens (primary)"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", key.ID, use, key.Status)
	}
	return table.Flush()
}

type rotateKeysetCommand struct {
	keysetChange
}

// Run adds a key and promotes it.
func (c *rotateKeysetCommand) Run(std streams) error {
	rotate := func(keyset *seal.Keyset) (*seal.Keyset, error) {
		added, err := keyset.Add()
		if err != nil {
			return nil, err
		}
		return added.Promote()
	}
	const done = "A new key was added, and seals from the next start on."
	if c.DatabaseURL.postgres == "" {
		return c.change(std, rotate, done, "While the server is stopped, run \"bellwire keyset reseal\".")
	}
	return c.change(std, rotate, done+" This is for a single server: several nodes need add and promote, one after the other.",
		"Restart the server.", "When it runs with it, run \"bellwire keyset reseal\".")
}

type addKeysetCommand struct {
	keysetChange
}

// Run adds a key.
func (c *addKeysetCommand) Run(std streams) error {
	return c.change(std, (*seal.Keyset).Add, "A new key was added. It opens, and does not seal yet.",
		distribute, "When all of them run with it, run \"bellwire keyset promote\".")
}

type promoteKeysetCommand struct {
	keysetChange
}

// Run promotes the newest key.
func (c *promoteKeysetCommand) Run(std streams) error {
	return c.change(std, (*seal.Keyset).Promote, "The newest key is the primary one, and seals from the next start on.",
		distribute, "When all of them run with it, run \"bellwire keyset reseal\".")
}

type resealKeysetCommand struct {
	keysetOptions
}

// Run seals everything anew.
func (c *resealKeysetCommand) Run(ctx context.Context, std streams) error {
	keyset, err := c.read()
	if err != nil {
		return err
	}
	keyring, err := keyset.Keyring()
	if err != nil {
		return err
	}
	return c.withStore(ctx, c.log(std), func(store bellwire.Store) error {
		sum, err := keyring.Reseal(ctx, store)
		if err != nil {
			return err
		}
		return say(std.err, fmt.Sprintf("Of %d secrets in the database, %d were sealed anew; all are sealed with the primary key.", sum.Secrets, sum.Resealed),
			"If every node runs with this keyset, run \"bellwire keyset prune\".")
	})
}

type pruneKeysetCommand struct {
	keysetChange
}

// Run takes the old keys out. The database comes first: a keyset with keys too many is one that can be used.
func (c *pruneKeysetCommand) Run(ctx context.Context, std streams) error {
	keyset, err := c.read()
	if err != nil {
		return err
	}
	pruned, err := keyset.Prune()
	if err != nil {
		return err
	}
	keyring, err := keyset.Keyring()
	if err != nil {
		return err
	}
	err = c.withStore(ctx, c.log(std), func(store bellwire.Store) error { return keyring.Prune(ctx, store) })
	if err != nil {
		return err
	}
	return c.write(std, pruned, fmt.Sprintf("Of %d keys the primary one is left. Nothing in the database needs the others.", len(keyset.Keys())),
		distribute, "Destroy the copies of the old keyset, but for those that backups of the database from before need.")
}
