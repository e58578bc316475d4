package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/output"
)

type importCommand struct {
	connection
	File   string `arg:"" placeholder:"FILE" help:"NDJSON file; - for standard input."`
	DryRun bool   `name:"dry-run" help:"Check all lines, and change nothing."`
	JSON   bool   `name:"json" help:"Print the server's report as JSON, after its faults, each in a line of its own."`
}

// Help is shown below the options.
func (c *importCommand) Help() string {
	return `Each line is an object with a kind: tenant, key, event_type, endpoint or event; docs/moving-in.md describes them. Events are
history: they are listed and can be replayed, and are sent to nobody. All lines are checked before anything changes, and nothing
that exists is changed: after an interruption, import the same file again. Standard input of more than 16 MiB is imported as it
comes, up to the first fault.

  bellwire import platform.ndjson --dry-run
  bellwire import platform.ndjson
  zcat platform.ndjson.gz | bellwire import -`
}

// errFaults is returned for a file whose faults have been printed.
var errFaults = errors.New("nothing was imported; correct these lines first")

// Run imports.
func (c *importCommand) Run(ctx context.Context, std streams) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if c.File == "-" {
		return c.run(ctx, api, std, std.in, -1, c.DryRun)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return c.run(ctx, api, std, file, -1, c.DryRun)
	}
	if !c.DryRun {
		checked, err := c.check(ctx, api, std, file, info.Size())
		if err != nil {
			return err
		}
		if checked.FaultCount > 0 {
			return c.print(std, checked, true)
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return c.run(ctx, api, std, file, info.Size(), c.DryRun)
}

func (c *importCommand) run(ctx context.Context, api *client.Client, std streams, in io.Reader, size int64, dryRun bool) error {
	send := c.send
	if dryRun {
		send = c.check
	}
	report, err := send(ctx, api, std, in, size)
	if err != nil {
		return err
	}
	return c.print(std, report, dryRun)
}

// send imports the lines with a progress bar.
func (c *importCommand) send(ctx context.Context, api *client.Client, std streams, in io.Reader, size int64) (*client.ImportReport, error) {
	progress := progressOf("importing", std.err, size)
	defer progress.Close()
	report, err := api.Import(ctx, io.TeeReader(in, progress), false)
	if _, said := errors.AsType[*client.Error](err); err != nil && !said {
		err = fmt.Errorf("%w\nimport the same file again to go on: what is there already stays as it is", err)
	}
	return report, err
}

// check checks the lines with a progress bar, and prints each fault when it is found.
func (c *importCommand) check(ctx context.Context, api *client.Client, std streams, in io.Reader, size int64) (*client.ImportReport, error) {
	progress := progressOf("checking", std.err, size)
	defer progress.Close()
	return api.CheckImport(ctx, io.TeeReader(in, progress), func(fault client.ImportFault) error {
		if err := progress.Clear(); err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.out).Encode(fault)
		}
		_, err := io.WriteString(std.out, faultLine(fault))
		return err
	})
}

// faultLine says what is wrong with a line.
func faultLine(fault client.ImportFault) string {
	text := fault.Message
	if fault.Field != "" {
		text = fault.Field + " " + text
	}
	return fmt.Sprintf("line %d: %s\n", fault.Line, text)
}

// print prints a report, after its faults. Faults are an error.
func (c *importCommand) print(std streams, r *client.ImportReport, dryRun bool) error {
	if c.JSON {
		if err := json.NewEncoder(std.out).Encode(r); err != nil {
			return err
		}
	} else if _, err := io.WriteString(std.out, importSummary(r, dryRun)); err != nil {
		return err
	}
	if r.FaultCount > 0 {
		return errFaults
	}
	return nil
}

// importSummary says what an import has done.
func importSummary(r *client.ImportReport, dryRun bool) string {
	var b strings.Builder
	if r.FaultCount > 0 {
		fmt.Fprintf(&b, "%s\n", counted(r.FaultCount, "fault"))
	}
	created := "created"
	if dryRun {
		created = "to be created"
	}
	fmt.Fprintf(&b, "%s: %s\nunchanged: %s\n", created, importCounts(r.Created), importCounts(r.Unchanged))
	if r.PastRetention > 0 {
		from := ""
		if r.RetainedSince != nil {
			from = "from before " + output.Time(*r.RetainedSince) + " or "
		}
		fmt.Fprintf(&b, "past retention: %s %solder than the event_retention of their tenants, which the next clean-up deletes, within minutes; "+
			"to keep them, start the server with a longer --retention, or raise the limit, before you import\n", counted(r.PastRetention, "event"), from)
	}
	return b.String()
}

func importCounts(c client.ImportCounts) string {
	return strings.Join([]string{
		counted(c.Tenants, "tenant"), counted(c.Keys, "key"), counted(c.EventTypes, "event type"), counted(c.Endpoints, "endpoint"), counted(c.Events, "event"),
	}, ", ")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
