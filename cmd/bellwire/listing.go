package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/output"
)

// jsonOption is the option of commands that print one object.
type jsonOption struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// listOptions are the options of commands that print a list.
type listOptions struct {
	Limit int  `default:"50" placeholder:"N" help:"Print at most this many."`
	All   bool `help:"Print all of them."`
	JSON  bool `name:"json" help:"Print one JSON object for each."`
}

// chosen returns the value of an option, or the zero value if it is not given.
func chosen[T any](option *T) (value T) {
	if option != nil {
		value = *option
	}
	return value
}

// maxPage is the maximum number of items that the server returns at once.
const maxPage = 250

// printList prints a list page by page, as a table or as JSON. If it leaves something out, it says so on standard error.
func printList[T any](ctx context.Context, std streams, api *caller, o *listOptions, columns []output.Column[T], fetch func(context.Context, client.Page) (*client.List[T], error)) error {
	if o.Limit < 1 {
		return cli.Option("limit", "must be at least 1; --all prints all")
	}
	printer := output.New(std.out, o.JSON)
	use := tableOf(output.NewTable(printer, columns))
	if o.JSON {
		use = func([]T) error { return printItems(printer, api) }
	}
	more, err := walk(ctx, o, fetch, use)
	if err == nil && more {
		fmt.Fprintf(std.err, "The first %d are shown. See more with --limit or --all.\n", o.Limit)
	}
	return err
}

// tableOf returns a function that prints pages of a list as one table.
func tableOf[T any](table *output.Table[T]) func([]T) error {
	return func(page []T) error {
		for _, item := range page {
			table.Add(item)
		}
		return table.Flush()
	}
}

// printItems prints the items of the last answer, a line each.
func printItems(printer *output.Printer, api *caller) error {
	items, err := api.items()
	if err != nil {
		return err
	}
	for _, item := range items {
		printer.Compact(item)
	}
	return printer.Err()
}

// walk calls use for each page of a list, up to the limit. It reports whether there is more.
func walk[T any](ctx context.Context, o *listOptions, fetch func(context.Context, client.Page) (*client.List[T], error), use func([]T) error) (more bool, err error) {
	var page client.Page
	for left := o.Limit; o.All || left > 0; {
		page.Limit = maxPage
		if !o.All {
			page.Limit = min(left, maxPage)
		}
		list, err := fetch(ctx, page)
		if err != nil {
			return false, err
		}
		if err := use(list.Data); err != nil {
			return false, err
		}
		if list.NextCursor == "" {
			return false, nil
		}
		page.Cursor = list.NextCursor
		left -= len(list.Data)
	}
	return true, nil
}

// printOne prints the last answer as JSON, or what it says as show does for people.
func printOne(std streams, api *caller, asJSON bool, show func(*output.Printer)) error {
	printer := output.New(std.out, asJSON)
	if asJSON {
		printer.Compact(api.answer())
	} else {
		show(printer)
	}
	return printer.Err()
}

// confirmation is the option of commands that ask before they delete.
type confirmation struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// confirm asks a person to repeat a name before what it names is deleted. Programs must say --yes.
func (c *confirmation) confirm(std streams, question, name string) error {
	if c.Yes {
		return nil
	}
	if !output.IsTerminal(std.in) {
		return cli.Option("yes", "must be given if standard input is not a terminal, because nobody can be asked")
	}
	fmt.Fprintf(std.err, "%s Type %s to go on: ", question, name)
	line, err := bufio.NewReader(std.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(line) != name {
		return fmt.Errorf("%s was not typed; nothing was deleted", name)
	}
	return nil
}

// pairs returns names and values as NAME=VALUE, sorted by name.
func pairs[V any](values map[string]V) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := fmt.Sprint(values[name])
		if number, ok := any(values[name]).(float64); ok {
			text = strconv.FormatFloat(number, 'f', -1, 64)
		}
		list = append(list, name+"="+text)
	}
	return strings.Join(list, ", ")
}

// field returns a field of plain text.
func field(name, text string) output.Field {
	return output.Field{Name: name, Cell: output.Cell{Text: text}}
}
