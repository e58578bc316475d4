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
	return `Reads the whole file and changes nothing. It may run while the server is running.
If the database is damaged, the damage is printed on standard output, and the exit code is 1.

  bellwire check --database-url sqlite:///var/lib/bellwire/bellwire.db`
}

// Run prints the damage of the database.
func (c *checkCommand) Run(ctx context.Context, std streams) error {
	if c.DatabaseURL.postgres != "" {
		return cli.Option("database-url", "must be an SQLite database; PostgreSQL has tools of its own, such as pg_amcheck")
	}
	faults, err := sqlite.FindFaults(ctx, c.DatabaseURL.path)
	if err != nil {
		return fmt.Errorf("--database-url: %w", err)
	}
	for _, fault := range faults {
		fmt.Fprintln(std.out, fault)
	}
	if len(faults) > 0 {
		return fmt.Errorf("database %s is damaged; see docs/integrity.md", c.DatabaseURL.path)
	}
	_, err = fmt.Fprintf(std.out, "database %s is sound\n", c.DatabaseURL.path)
	return err
}
