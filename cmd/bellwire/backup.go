package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

type backupCommand struct {
	keysetOptions
	File       string `arg:"" optional:"" placeholder:"FILE" help:"New file for the copy, or a folder in which it is named after the time."`
	RecordOnly bool   `help:"Copy nothing, and record that another program has just made a backup, such as pg_basebackup."`
}

// Help is shown below the options.
func (c *backupCommand) Help() string {
	return `The server may be running. The copy is checked, and the time of the backup is recorded in the database.

SQLite: the whole database as it was at one moment, in a file that only its owner can read. The server's log grows meanwhile.

PostgreSQL: the schema bellwire as it was at one moment, made by pg_dump. For a restore to any moment, use pg_basebackup and archived
logs instead, and run bellwire backup --record-only after each base backup: see docs/backup.md.

The keyset is not in the copy. Without it the copy's secrets are lost: keep one apart from the copies.

  bellwire backup /var/backups/bellwire --config /etc/bellwire/bellwire.yaml
  bellwire backup --record-only --database-url postgres://bellwire@db/bellwire`
}

// Validate checks the options. Kong calls it.
func (c *backupCommand) Validate() error {
	if c.RecordOnly == (c.File != "") {
		return cli.Usagef("give either FILE or --record-only")
	}
	return c.check()
}

// Run copies the database.
func (c *backupCommand) Run(ctx context.Context, std streams) error {
	now := time.Now()
	if c.RecordOnly {
		if err := c.record(ctx, now); err != nil {
			return fmt.Errorf("--database-url: %w", err)
		}
		return say(std.err, "Recorded that a backup of "+c.DatabaseURL.String()+" was made now.")
	}
	made, err := c.copy(ctx, c.fileName(now), now)
	if err != nil {
		return err
	}
	done := fmt.Sprintf("Copied the database %s to %s (%s, schema %d). The copy was read as a whole, and is sound.",
		c.DatabaseURL, made.Path, megabytes(made.Bytes), made.Migrations)
	opened, err := c.opens(made.KeysetCheck, made.Secret)
	if err != nil {
		return errors.Join(say(std.err, done), fmt.Errorf("the copy is complete, but cannot be used with this keyset: %w", err))
	}
	return say(std.err, done+" "+opened, "Keep a copy of the keyset, apart from this file.")
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// fileName returns the name of the copy.
func (c *backupCommand) fileName(now time.Time) string {
	if info, err := os.Stat(c.File); err != nil || !info.IsDir() {
		return c.File
	}
	suffix := "db"
	if c.DatabaseURL.postgres != "" {
		suffix = "dump"
	}
	return filepath.Join(c.File, "bellwire-"+now.UTC().Format("20060102T150405Z")+"."+suffix)
}

func (c *backupCommand) record(ctx context.Context, now time.Time) error {
	if c.DatabaseURL.postgres != "" {
		return postgres.RecordBackup(ctx, c.DatabaseURL.postgres, now)
	}
	return sqlite.RecordBackup(ctx, c.DatabaseURL.path, now)
}

func (c *backupCommand) copy(ctx context.Context, to string, now time.Time) (*sqlite.Copy, error) {
	if c.DatabaseURL.postgres != "" {
		return c.dump(ctx, to, now)
	}
	made, err := sqlite.Backup(ctx, c.DatabaseURL.path, to, now)
	if err != nil {
		return nil, fmt.Errorf("--database-url: %w", err)
	}
	return made, nil
}

// opens reports that the keyset opens the secrets of a database, of which it opens one. Its error says why it does not.
func (o *keysetOptions) opens(check []byte, secret *bellwire.SealedSecret) (string, error) {
	keyset, err := o.readKeyset()
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("--keyset-file: the keyset %s does not exist; put its copy there, or name it with --keyset-file", o.keysetPath())
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.keysetOption(), err)
	}
	keyring, err := keyset.Keyring()
	if err != nil {
		return "", err
	}
	if check != nil {
		if err := keyring.VerifyCheckValue(check); err != nil {
			return "", fmt.Errorf("%s: %w", o.keysetOption(), err)
		}
	}
	if secret != nil {
		if _, err := keyring.OpenCredentials(secret.Endpoint, secret.Sealed); err != nil {
			return "", fmt.Errorf("%s: the secrets of endpoint %s cannot be opened with this keyset: %w", o.keysetOption(), secret.Endpoint, err)
		}
	}
	where := "The keyset in BELLWIRE_KEYSET"
	if o.Keyset == "" {
		where = "The keyset " + o.keysetPath()
	}
	return fmt.Sprintf("%s (primary key %d) opens its secrets.", where, primary(keyset)), nil
}

// primary returns the id of the key that seals.
func primary(keyset *seal.Keyset) uint32 {
	for _, key := range keyset.Keys() {
		if key.Primary {
			return key.ID
		}
	}
	return 0
}

type restoreCommand struct {
	keysetOptions
	File    string `arg:"" optional:"" placeholder:"FILE" help:"A copy that bellwire backup has made, or an upgrade; or another copy of an SQLite database, with its log beside it if there is one."`
	InPlace bool   `help:"PostgreSQL: another program has restored the database already, such as pg_restore, or to a moment from a base backup."`
	Replace bool   `help:"If there is a database, move it aside. Nothing of it is deleted."`
}

// Help is shown below the options.
func (c *restoreCommand) Help() string {
	return `Stop the server first, with PostgreSQL all nodes. Before anything is changed, the copy and the place are checked: that the copy is whole and
has a schema that this version can use, that the keyset opens its secrets, that no server runs on the place, and whom it belongs to.

What was stored after the copy was made is lost. The next start sends what was open then, also what was delivered since, with the same
ids. Ids and epochs of what is lost do not come again. docs/backup.md says what to do about the rest.

  bellwire restore /var/backups/bellwire/bellwire-20260131T123000Z.db --replace --config /etc/bellwire/bellwire.yaml
  bellwire restore --in-place --database-url postgres://bellwire@db/bellwire`
}

// Validate checks the options. Kong calls it.
func (c *restoreCommand) Validate() error {
	switch {
	case c.InPlace == (c.File != ""):
		return cli.Usagef("give either FILE or --in-place")
	case c.InPlace && c.Replace:
		return cli.Option("replace", "must not be given with --in-place")
	case c.InPlace && c.DatabaseURL.postgres == "":
		return cli.Option("in-place", "needs a PostgreSQL database; give the copy of an SQLite database as FILE")
	}
	return c.check()
}

// Run restores the database.
func (c *restoreCommand) Run(ctx context.Context, std streams) error {
	if c.DatabaseURL.postgres != "" {
		return c.restorePostgres(ctx, std, time.Now())
	}
	var opened string
	restored, err := sqlite.Restore(ctx, sqlite.Restoration{
		From: c.File, To: c.DatabaseURL.path, Replace: c.Replace, Now: time.Now(),
		Check: func(copied *sqlite.Copy) (err error) {
			opened, err = c.opens(copied.KeysetCheck, copied.Secret)
			return err
		},
	})
	if err != nil {
		return err
	}
	done := fmt.Sprintf("Restored %s (%s, schema %d) as %s, with mode 0600. %s",
		c.File, megabytes(restored.Bytes), restored.Migrations, c.DatabaseURL, opened)
	if restored.Owner != "" {
		done += " It belongs to the user " + restored.Owner + "."
	}
	var next []string
	if restored.Aside != "" {
		next = append(next, "The database that was there is now "+restored.Aside+". Delete it, and the files beside it with that name, when you need nothing of it.")
	}
	return say(std.err, done, append(next, afterRestore...)...)
}

// afterRestore are the steps after every restore.
var afterRestore = []string{
	"Start the server. If the copy is of an older version, it brings the schema up to date.",
	"Delete again the keys that were deleted since the copy was made, rotate again the secrets that were rotated, and erase again the events that were erased.",
	"Publishers publish again what they have published since; docs/backup.md says which of it receivers get twice.",
}
