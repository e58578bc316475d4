package main

import (
	"context"
	"fmt"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

type checkCommand struct {
	DatabaseURL databaseURL `group:"storage" default:"sqlite://bellwire.db" env:"BELLWIRE_DATABASE_URL" placeholder:"URL" help:"The database: sqlite://relative/path or sqlite:///absolute/path."`
}

// Help is shown below the options.
func (c *checkCommand) Help() string {
	return `It reads the whole file, may run beside the server, and changes nothing.
Exit code 1 and what is wrong on standard output if the database is damaged.

  bellwire check --database-url sqlite:///var/lib/bellwire/bellwire.db`
}

// Run prints what is wrong with the database.
func (c *checkCommand) Run(ctx context.Context, std streams) error {
	if c.DatabaseURL.postgres != "" {
		return cli.Option("database-url", "must be an SQLite database; PostgreSQL has its own checks, such as pg_amcheck")
	}
	faults, err := sqlite.FindFaults(ctx, c.DatabaseURL.path)
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	for _, fault := range faults {
		fmt.Fprintln(std.out, fault)
	}
	if len(faults) > 0 {
		return fmt.Errorf("the database %s is damaged; docs/integrity.md says what to do", c.DatabaseURL.path)
	}
	_, err = fmt.Fprintf(std.out, "The database %s is sound.\n", c.DatabaseURL.path)
	return err
}
