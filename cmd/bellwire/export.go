package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
)

type exportCommand struct {
	connection
	File     string     `arg:"" placeholder:"FILE" help:"NDJSON file, which must not exist; - for standard output."`
	Secrets  bool       `help:"With the secrets of endpoints and of keys that sign requests. The audit log says so."`
	Tenant   string     `placeholder:"ID" complete:"tenant" help:"Only this tenant, and the event types."`
	Since    cli.Moment `placeholder:"TIME" help:"Only events since this time, and those of the hour before: 2026-01-31T12:30:00Z, 2026-01-31, or 24h for 24 hours ago."`
	NoEvents bool       `name:"no-events" help:"Without events."`
}

// Help is shown below the options.
func (c *exportCommand) Help() string {
	return `The file has what bellwire import takes: event types, keys, tenants, endpoints and events. Keys have the SHA-256 of their secret.
Without --secrets, endpoints lack their secrets, authentication and headers, and cannot be created from the file. Whoever can read a
file with secrets can forge deliveries: only its owner can.

  bellwire export platform.ndjson --secrets
  bellwire export new.ndjson --secrets --since 24h
  bellwire export - --no-events | less`
}

// Run exports.
func (c *exportCommand) Run(ctx context.Context, std streams) error {
	api, err := c.unrecorded()
	if err != nil {
		return err
	}
	if c.File == "-" {
		return c.write(ctx, api, std, std.out)
	}
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s exists; delete it first, or choose another name", c.File)
	}
	// A file under the name is a whole export.
	file, err := os.CreateTemp(filepath.Dir(c.File), filepath.Base(c.File)+".*.part") // readable by its owner only
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails after the renaming
	err = c.write(ctx, api, std, file)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.File)
}

func (c *exportCommand) write(ctx context.Context, api *client.Client, std streams, to io.Writer) error {
	body, err := api.Export(ctx, client.ExportOptions{Tenant: c.Tenant, Since: c.Since.Time, NoEvents: c.NoEvents, Secrets: c.Secrets})
	if err != nil {
		return err
	}
	defer body.Close()
	progress := progressOf("exporting", std.err, -1)
	var counts exportCounts
	err = counts.copy(to, io.TeeReader(body, progress))
	progress.Close()
	if err != nil {
		return fmt.Errorf("the export was not completed: %w", err)
	}
	_, err = io.WriteString(std.err, counts.summary())
	return err
}

// exportCounts counts what was exported.
type exportCounts struct {
	client.ImportCounts
	withoutSecrets client.ImportCounts
}

// copy copies lines, and counts them.
func (c *exportCounts) copy(to io.Writer, from io.Reader) error {
	in, out := bufio.NewReaderSize(from, 1<<20), bufio.NewWriter(to)
	begins := true // the next part is the begin of a line
	for {
		part, err := in.ReadSlice('\n')
		if begins && len(part) > 0 {
			c.count(part)
		}
		begins = err == nil
		if _, bad := out.Write(part); bad != nil {
			return bad
		}
		switch {
		case errors.Is(err, io.EOF):
			return out.Flush()
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// count counts a line. Only those of endpoints and keys, which are short, are parsed.
func (c *exportCounts) count(line []byte) {
	is := func(kind string) bool { return bytes.HasPrefix(line, []byte(`{"kind":"`+kind+`"`)) }
	var secret struct {
		LeftOut []string `json:"left_out"`
		HMAC    bool     `json:"hmac"`
		Secret  string   `json:"secret"`
	}
	switch {
	case is("event"):
		c.Events++
	case is("tenant"):
		c.Tenants++
	case is("event_type"):
		c.EventTypes++
	case is("endpoint"):
		c.Endpoints++
		if json.Unmarshal(line, &secret) == nil && len(secret.LeftOut) > 0 {
			c.withoutSecrets.Endpoints++
		}
	case is("key"):
		c.Keys++
		if json.Unmarshal(line, &secret) == nil && secret.HMAC && secret.Secret == "" {
			c.withoutSecrets.Keys++
		}
	}
}

// summary says what was exported, and what was left out.
func (c *exportCounts) summary() string {
	text := "exported: " + importCounts(c.ImportCounts) + "\n"
	var without []string
	if n := c.withoutSecrets.Endpoints; n > 0 {
		without = append(without, counted(n, "endpoint"))
	}
	if n := c.withoutSecrets.Keys; n > 0 {
		without = append(without, counted(n, "key")+" that can sign requests")
	}
	if len(without) > 0 {
		text += "left out: the secrets of " + strings.Join(without, " and of ") + ", which cannot be created from this export; add --secrets to have them\n"
	}
	return text
}
