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
	Create  createKeysetCommand  `cmd:"" help:"Create a keyset before the first start."`
	Show    showKeysetCommand    `cmd:"" help:"List the keys of the keyset, without their secrets."`
	Rotate  rotateKeysetCommand  `cmd:"" help:"Add a new key and seal with it; for a single server."`
	Add     addKeysetCommand     `cmd:"" help:"Add a new key that opens but does not seal yet; for several nodes."`
	Promote promoteKeysetCommand `cmd:"" help:"Seal with the key that was added last."`
	Reseal  resealKeysetCommand  `cmd:"" help:"Seal all secrets in the database again, with the primary key."`
	Prune   pruneKeysetCommand   `cmd:"" help:"Remove the old keys from the keyset, when nothing is sealed with them."`
}

// Help is shown below the options.
func (c *keysetCommand) Help() string {
	return `The keyset seals the secrets in the database. docs/keyset.md has the steps of a rotation.

The first start of a single server creates it. For several nodes, or for Kubernetes, create it before:

  bellwire keyset create

A rotation for a single server, which must be stopped if its database is SQLite:

  bellwire keyset rotate
  bellwire keyset reseal
  bellwire keyset prune

A rotation for several nodes on PostgreSQL, which keep running: after add, promote and prune, copy the keyset to every node and restart it.

  bellwire keyset add
  bellwire keyset promote
  bellwire keyset reseal
  bellwire keyset prune`
}

// keysetOptions are common to all keyset commands.
type keysetOptions struct {
	cli.FileOption
	storage
}

// Validate checks the options of the storage. Kong calls it.
func (o *keysetOptions) Validate() error { return o.check() }

// read reads the keyset. Its error names the option.
func (o *keysetOptions) read() (*seal.Keyset, error) {
	keyset, err := o.readKeyset()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--keyset-file: %s does not exist; the first \"bellwire serve\" creates it", o.keysetPath())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.keysetOption(), err)
	}
	return keyset, nil
}

func (o *keysetOptions) log(std streams) *slog.Logger {
	return telemetry.NewLogger(std.err, telemetry.FormatText, slog.LevelWarn)
}

// keysetChange is common to the commands that change the keyset.
type keysetChange struct {
	keysetOptions
	Print bool `help:"Print the new keyset, which is secret, on standard output instead of writing the file. A keyset from a variable is always printed."`
}

// change reads the keyset, changes it, and writes it back.
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

// write writes or prints a changed keyset, and reports on standard error what was done and the next steps.
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

// say writes a report and the next steps.
func say(w io.Writer, done string, next ...string) error {
	text := done + "\n"
	for _, step := range next {
		text += "  next: " + step + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// distribute is the step after every change of a keyset.
const distribute = "Copy it to every node, and restart each node."

type createKeysetCommand struct {
	cli.FileOption
	storage
	Print bool `help:"Print the keyset, which is secret, on standard output instead of creating the file."`
}

// Validate checks the options of the storage. Kong calls it.
func (c *createKeysetCommand) Validate() error { return c.check() }

// Help is shown below the options.
func (c *createKeysetCommand) Help() string {
	return `The first start of a single server creates its keyset. Use this command for several nodes, which need copies of one keyset:

  bellwire keyset create --keyset-file bellwire.keyset
  bellwire keyset create --print | kubectl create secret generic bellwire-keyset --from-file=keyset=/dev/stdin`
}

// Run creates the keyset.
func (c *createKeysetCommand) Run(std streams) error {
	if c.Print {
		text, err := seal.NewKeyset()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(std.out, "%s\n", text)
		return err
	}
	path := c.keysetPath()
	created, err := seal.CreateKeyset(path)
	if err != nil {
		return fmt.Errorf("--keyset-file: %w", err)
	}
	if !created {
		return fmt.Errorf("--keyset-file: %s exists already, and is not replaced", path)
	}
	return say(std.err, "Created "+path+".", "Keep a copy of it apart from the database.")
}

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
	const done = "Added a new key. The server seals with it after the next restart."
	if c.DatabaseURL.postgres == "" {
		return c.change(std, rotate, done, "While the server is stopped, run \"bellwire keyset reseal\".")
	}
	return c.change(std, rotate, done+" With several nodes, use \"keyset add\" and then \"keyset promote\" instead.",
		"Restart the server.", "Then run \"bellwire keyset reseal\".")
}

type addKeysetCommand struct {
	keysetChange
}

// Run adds a key.
func (c *addKeysetCommand) Run(std streams) error {
	return c.change(std, (*seal.Keyset).Add, "Added a new key. It opens secrets, but does not seal any until it is promoted.",
		distribute, "When all nodes run with it, run \"bellwire keyset promote\".")
}

type promoteKeysetCommand struct {
	keysetChange
}

// Run promotes the newest key.
func (c *promoteKeysetCommand) Run(std streams) error {
	return c.change(std, (*seal.Keyset).Promote, "The newest key is now the primary key. A node seals with it after its next restart.",
		distribute, "When all nodes run with it, run \"bellwire keyset reseal\".")
}

type resealKeysetCommand struct {
	keysetOptions
}

// Run seals all secrets again.
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
		return say(std.err, fmt.Sprintf("Sealed %d of %d secrets in the database %s again. All are now sealed with the primary key.", sum.Resealed, sum.Secrets, c.DatabaseURL),
			"When every node runs with this keyset, run \"bellwire keyset prune\".")
	})
}

type pruneKeysetCommand struct {
	keysetChange
}

// Run removes the old keys, from the database first: a keyset with more keys than needed still works.
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
	return c.write(std, pruned, fmt.Sprintf("Removed the old keys and kept the primary key. Nothing in the database %s is sealed with the old keys.", c.DatabaseURL),
		distribute, "Destroy the copies of the old keyset, except those that backups of the database from before now need.")
}
