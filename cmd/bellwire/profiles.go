package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

type profilesCommand struct {
	List   listProfilesCommand  `cmd:"" help:"List profiles, without their keys."`
	Save   saveProfileCommand   `cmd:"" help:"Save a server with its key under a name."`
	Use    useProfileCommand    `cmd:"" help:"Use a profile where no other is named."`
	Delete deleteProfileCommand `cmd:"" help:"Delete a profile."`
}

// Help is shown below the options.
func (c *profilesCommand) Help() string {
	return `Profiles are in profiles.yaml in the directory bellwire of your configuration directory (on Linux ~/.config), which only you
may read.

  BELLWIRE_KEY=… bellwire profiles save production --server https://webhooks.example.com --tenant acme
  bellwire profiles use production
  bellwire endpoints list --profile staging`
}

// profileRow is a profile without its key.
type profileRow struct {
	Name    string `json:"name"`
	Server  string `json:"server"`
	Tenant  string `json:"tenant"`
	HasKey  bool   `json:"has_key"`
	Current bool   `json:"current"`
}

type listProfilesCommand struct {
	JSON bool `name:"json" help:"Print one JSON object for each profile."`
}

// Run lists profiles.
func (c *listProfilesCommand) Run(std streams) error {
	profiles, _, err := readProfiles()
	if err != nil {
		return err
	}
	printer := output.New(std.out, c.JSON)
	table := output.NewTable(printer, []output.Column[profileRow]{
		output.Text("NAME", func(r profileRow) string { return r.Name }),
		output.Text("IN USE", func(r profileRow) string { return yes(r.Current) }),
		output.Text("SERVER", func(r profileRow) string { return r.Server }),
		output.Text("TENANT", func(r profileRow) string { return r.Tenant }),
		output.Text("KEY", func(r profileRow) string { return yes(r.HasKey) }),
	})
	for _, name := range profiles.Names() {
		p := profiles.Known[name]
		row := profileRow{name, p.Server, p.Tenant, p.Key != "", name == profiles.Current}
		if c.JSON {
			printer.Object(row)
		} else {
			table.Add(row)
		}
	}
	if c.JSON {
		return printer.Err()
	}
	return table.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func readProfiles() (profiles *cli.Profiles, path string, err error) {
	if path, err = cli.ProfilesFile(); err != nil {
		return nil, "", err
	}
	profiles, err = cli.ReadProfiles(path)
	return profiles, path, err
}

type saveProfileCommand struct {
	Name    string `arg:"" help:"A name for the profile."`
	Server  string `required:"" env:"BELLWIRE_SERVER" placeholder:"URL" help:"Address of the server."`
	Key     string `required:"" env:"BELLWIRE_KEY" placeholder:"KEY" help:"API key. Other users of the machine can see the command line, but not the environment."`
	Tenant  string `placeholder:"ID" help:"The tenant, where no other is given."`
	NoCheck bool   `help:"Do not ask the server whether it knows the key."`
}

// Run saves a profile. The first one is in use at once.
func (c *saveProfileCommand) Run(ctx context.Context) error {
	profiles, path, err := readProfiles()
	if err != nil {
		return err
	}
	api, err := client.New(c.Server, c.Key)
	if err != nil {
		return cli.Option("server", "%s", err)
	}
	if !c.NoCheck {
		if err := checkKey(ctx, api); err != nil {
			return fmt.Errorf("%w; nothing was saved", err)
		}
	}
	profiles.Known[c.Name] = cli.Profile{Server: c.Server, Key: c.Key, Tenant: c.Tenant}
	if len(profiles.Known) == 1 {
		profiles.Current = c.Name
	}
	return profiles.Write(path)
}

// checkKey returns an error unless the server knows the key. Every key may list event types.
func checkKey(ctx context.Context, api *client.Client) error {
	_, err := api.EventTypes(ctx, client.Page{Limit: 1})
	var refusal *client.Error
	if errors.As(err, &refusal) && refusal.Code == client.CodeForbidden {
		return nil
	}
	return err
}

type useProfileCommand struct {
	Name string `arg:"" complete:"profile" help:"The profile."`
}

// Run makes a profile the current one.
func (c *useProfileCommand) Run() error {
	profiles, path, err := readProfiles()
	if err != nil {
		return err
	}
	if _, err := profiles.Find(c.Name); err != nil {
		return err
	}
	profiles.Current = c.Name
	return profiles.Write(path)
}

type deleteProfileCommand struct {
	Name string `arg:"" complete:"profile" help:"The profile."`
}

// Run deletes a profile.
func (c *deleteProfileCommand) Run() error {
	profiles, path, err := readProfiles()
	if err != nil {
		return err
	}
	if _, err := profiles.Find(c.Name); err != nil {
		return err
	}
	delete(profiles.Known, c.Name)
	if profiles.Current == c.Name {
		profiles.Current = ""
	}
	return profiles.Write(path)
}
