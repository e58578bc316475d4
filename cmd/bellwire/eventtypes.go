package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type eventTypesCommand struct {
	List   listEventTypesCommand  `cmd:"" help:"List event types."`
	Show   showEventTypeCommand   `cmd:"" help:"Show an event type with its schema and example."`
	Put    putEventTypeCommand    `cmd:"" help:"Create an event type, or replace it."`
	Delete deleteEventTypeCommand `cmd:"" help:"Delete an event type."`

	AddVersion addVersionCommand `cmd:"" help:"Add a version, which is published from then on."`
	Converter  converterCommand  `cmd:"" help:"Replace the converter to an older version."`
	Versions   countVersions     `cmd:"" help:"Count the endpoints that get each version."`
}

// Help is shown below the options.
func (c *eventTypesCommand) Help() string {
	return `  bellwire event-types put card.created --description 'A card was created.' --schema card.schema.json
  bellwire event-types add-version card.created --schema v2.schema.json --converter 'data.without(["limit"])'
  bellwire event-types versions card.created    shows which old versions are still read
  bellwire event-types list
  bellwire catalogue load lemon          a vendor's event types`
}

type listEventTypesCommand struct {
	connection
	listOptions
}

var eventTypeColumns = []output.Column[client.EventType]{
	output.Text("NAME", func(t client.EventType) string { return t.Name }),
	output.Text("GROUP", func(t client.EventType) string { return t.Group }),
	output.Column[client.EventType]{Title: "STATUS", Cell: func(t client.EventType) output.Cell {
		if t.Archived {
			return output.Cell{Text: "archived", Color: output.Faint}
		}
		return output.Cell{Text: "active"}
	}},
	output.Text("DESCRIPTION", func(t client.EventType) string { return t.Description }),
}

// Run lists event types.
func (c *listEventTypesCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	return printList(ctx, std, api, &c.listOptions, eventTypeColumns, api.EventTypes)
}

type showEventTypeCommand struct {
	connection
	jsonOption
	Name string `arg:"" complete:"event-type" help:"The event type's name."`
}

// Run shows an event type.
func (c *showEventTypeCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	t, err := api.EventType(ctx, c.Name)
	if err != nil {
		return err
	}
	return printEventType(std, api, c.JSON, t)
}

func printEventType(std streams, api *caller, asJSON bool, t *client.EventType) error {
	return printOne(std, api, asJSON, func(p *output.Printer) {
		archived := ""
		if t.Archived {
			archived = "yes"
		}
		p.Fields(
			field("name", t.Name), field("group", t.Group), field("description", t.Description), field("archived", archived),
			field("version", fmt.Sprint(t.Version)),
			field("created", output.Time(t.CreatedAt)), field("changed", output.Time(t.UpdatedAt)),
		)
		p.Document("Schema", t.Schema)
		p.Document("Example", t.Example)
		for _, v := range t.Older {
			p.Heading(fmt.Sprintf("Version %d", v.Version))
			p.Fields(field("converter", v.Converter))
			p.Document("Schema", v.Schema)
			p.Document("Example", v.Example)
		}
	})
}

// typeFiles are the files of a version of an event type.
type typeFiles struct {
	Schema  string `placeholder:"FILE" help:"File with the JSON Schema (2020-12) for the data. Default: any data is allowed."`
	Example string `placeholder:"FILE" help:"File with the data that tests of endpoints deliver."`
}

func (f *typeFiles) read(std streams) (schema, example json.RawMessage, err error) {
	if schema, err = readJSON("schema", f.Schema, std); err != nil {
		return nil, nil, err
	}
	example, err = readJSON("example", f.Example, std)
	return schema, example, err
}

type putEventTypeCommand struct {
	connection
	jsonOption
	Name        string `arg:"" complete:"event-type" help:"The event type's name."`
	Group       string `placeholder:"TEXT" help:"Group of event types."`
	Description string `placeholder:"TEXT" help:"A description for customers."`
	typeFiles
	Archived bool `help:"No longer allow events of this type."`
	Force    bool `help:"Change the schema even if that breaks what receivers rely on. Better: add a version."`
}

// Run creates or replaces an event type.
func (c *putEventTypeCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	in := client.EventType{Name: c.Name, Group: c.Group, Description: c.Description, Archived: c.Archived}
	if in.Schema, in.Example, err = c.read(std); err != nil {
		return err
	}
	if c.Force {
		ctx = client.WithForce(ctx)
	}
	t, err := api.PutEventType(ctx, in)
	if err != nil {
		return err
	}
	return printEventType(std, api, c.JSON, t)
}

type addVersionCommand struct {
	connection
	jsonOption
	Name      string `arg:"" complete:"event-type" help:"The event type's name."`
	Converter string `required:"" placeholder:"CEL" help:"Expression that makes data of the version before, such as data.without([\"limit\"]). It is tried on the example."`
	typeFiles
}

// Run adds a version to an event type.
func (c *addVersionCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	v := client.NewVersion{Converter: c.Converter}
	if v.Schema, v.Example, err = c.read(std); err != nil {
		return err
	}
	t, err := api.AddEventTypeVersion(ctx, c.Name, v)
	if err != nil {
		return err
	}
	return printEventType(std, api, c.JSON, t)
}

type converterCommand struct {
	connection
	jsonOption
	Name      string `arg:"" complete:"event-type" help:"The event type's name."`
	Version   int    `arg:"" help:"The version that the converter makes."`
	Converter string `arg:"" help:"Expression that makes its data of that of the next version."`
}

// Run replaces the converter to an older version.
func (c *converterCommand) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	t, err := api.PutConverter(ctx, c.Name, c.Version, c.Converter)
	if err != nil {
		return err
	}
	return printEventType(std, api, c.JSON, t)
}

type countVersions struct {
	connection
	jsonOption
	Name string `arg:"" complete:"event-type" help:"The event type's name."`
}

var versionCountColumns = []output.Column[client.VersionCount]{
	output.Text("VERSION", func(v client.VersionCount) string { return strconv.Itoa(v.Version) }),
	output.Text("ENDPOINTS", func(v client.VersionCount) string { return strconv.Itoa(v.Endpoints) }),
	output.Text("DISABLED", func(v client.VersionCount) string { return strconv.Itoa(v.Disabled) }),
}

// Run counts the endpoints of each version of an event type, of all tenants.
func (c *countVersions) Run(ctx context.Context, std streams) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	counts, err := api.EventTypeVersions(ctx, c.Name)
	if err != nil {
		return err
	}
	return printOne(std, api, c.JSON, func(p *output.Printer) {
		table := output.NewTable(p, versionCountColumns)
		for _, v := range counts {
			table.Add(v)
		}
		table.Flush() // the Printer remembers the error
	})
}

// readJSON reads the JSON file that an option names, if it is given.
func readJSON(option, file string, std streams) (json.RawMessage, error) {
	if file == "" {
		return nil, nil
	}
	text, err := readInput(file, std.in, maxMaxEventBytes)
	if err == nil && !json.Valid(text) {
		err = errors.New(file + " must be one JSON value")
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", option, err)
	}
	return text, nil
}

type deleteEventTypeCommand struct {
	connection
	Name string `arg:"" complete:"event-type" help:"The event type's name."`
}

// Run deletes an event type.
func (c *deleteEventTypeCommand) Run(ctx context.Context) error {
	api, err := c.caller()
	if err != nil {
		return err
	}
	return api.DeleteEventType(ctx, c.Name)
}
