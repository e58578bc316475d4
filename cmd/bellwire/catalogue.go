package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/catalogue"
	"github.com/bellwire/bellwire/internal/cli"
)

type catalogueCommand struct {
	Load loadCatalogueCommand `cmd:"" help:"Put a vendor's event types into the catalogue of a server."`
	List listCatalogueCommand `cmd:"" help:"List the event types of a server, or of a vendor."`
}

// Help is shown below the options.
func (c *catalogueCommand) Help() string {
	return `This program contains the event types of each dialect's vendor, with examples.

  bellwire catalogue load lemon          add or update them on the server
  bellwire catalogue list                list the server's event types
  bellwire catalogue list --dialect lemon`
}

type loadCatalogueCommand struct {
	connection
	Dialect []string `arg:"" complete:"vendor" help:"Dialects whose vendors' event types are loaded: {catalogues}."`
}

// Run loads the event types of each dialect.
func (c *loadCatalogueCommand) Run(ctx context.Context, std streams) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	for _, name := range c.Dialect {
		file, err := catalogueOf(name)
		if err != nil {
			return err
		}
		if err := loadFile(ctx, api, file, std); err != nil {
			return err
		}
	}
	return nil
}

// catalogueOf returns the event types of a dialect's vendor.
func catalogueOf(name string) (*catalogue.File, error) {
	d := dialectOf(name)
	if d == nil || d.catalogue == nil {
		return nil, cli.Usagef("no catalogue for %q; known dialects with one are %s", name, strings.Join(catalogueNames(), ", "))
	}
	return catalogue.Parse(d.catalogue)
}

func catalogueNames() []string {
	var names []string
	for _, d := range dialects {
		if d.catalogue != nil {
			names = append(names, d.name)
		}
	}
	return names
}

// loadFile puts the event types of a file into the catalogue, unless they are in it already.
func loadFile(ctx context.Context, api *client.Client, file *catalogue.File, std streams) error {
	var added, changed int
	for _, t := range file.EventTypes {
		known, err := api.EventType(ctx, t.Name)
		var refusal *client.Error
		switch {
		case errors.As(err, &refusal) && refusal.Code == client.CodeNotFound:
			known = &client.EventType{}
			added++
		case err != nil:
			return err
		case sameType(known, &t):
			continue
		default:
			changed++
		}
		_, err = api.PutEventType(ctx, client.EventType{
			Name: t.Name, Group: t.Group, Description: t.Description,
			Schema: json.RawMessage(t.Schema), Example: json.RawMessage(t.Example), Archived: known.Archived,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	_, err := fmt.Fprintf(std.out, "%s: %d event types, %d added, %d changed\n", file.Dialect, len(file.EventTypes), added, changed)
	return err
}

func sameType(known *client.EventType, t *catalogue.EventType) bool {
	return known.Group == t.Group && known.Description == t.Description &&
		sameJSON(known.Schema, t.Schema) && sameJSON(known.Example, t.Example)
}

// sameJSON reports whether two JSON texts are equal but for white space. An absent text equals null.
func sameJSON(a, b []byte) bool {
	x, y := compact(a), compact(b)
	return x != nil && bytes.Equal(x, y)
}

func compact(value []byte) []byte {
	if len(value) == 0 {
		return []byte("null")
	}
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return nil
	}
	return b.Bytes()
}

type listCatalogueCommand struct {
	connection
	Dialect string `placeholder:"NAME" complete:"vendor" help:"List this dialect's vendor's event types instead of the server's."`
	JSON    bool   `name:"json" help:"Print one JSON object for each event type."`
}

// Run lists event types.
func (c *listCatalogueCommand) Run(ctx context.Context, std streams) error {
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "NAME\tGROUP\tDESCRIPTION")
	}
	show := func(t client.EventType) error {
		if c.JSON {
			return json.NewEncoder(std.out).Encode(t)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\n", t.Name, t.Group, t.Description)
		return err
	}
	if c.Dialect != "" {
		file, err := catalogueOf(c.Dialect)
		if err != nil {
			return err
		}
		for _, t := range file.EventTypes {
			if err := show(client.EventType{
				Name: t.Name, Group: t.Group, Description: t.Description,
				Schema: json.RawMessage(t.Schema), Example: json.RawMessage(t.Example),
			}); err != nil {
				return err
			}
		}
		return table.Flush()
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	for t, err := range client.All(ctx, api.EventTypes) {
		if err != nil {
			return err
		}
		if err := show(t); err != nil {
			return err
		}
	}
	return table.Flush()
}
