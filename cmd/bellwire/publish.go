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
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/bellwire/bellwire/client"
)

type publishCommand struct {
	connection
	Tenant string `required:"" placeholder:"ID" help:"Tenant whose endpoints are to hear of it."`
	Type   string `placeholder:"NAME" help:"Event type. With --ndjson it is the default for lines without one."`
	Data   string `xor:"source" verbatim:"" placeholder:"JSON" help:"The event's data."`
	File   string `xor:"source" placeholder:"FILE" help:"File with the event's data, or with --ndjson the events. Default: standard input."`
	ID     string `name:"id" placeholder:"ID" help:"Idempotency key of your own: publishing it again makes no second event."`
	NDJSON bool   `name:"ndjson" help:"Publish many events, one JSON object a line: type, data, and if wanted id and occurred_at."`
	JSON   bool   `name:"json" help:"Print what the server answered, one JSON object for each event, and not only the event's id."`
}

// Help is shown below the options.
func (c *publishCommand) Help() string {
	return `Data is published byte for byte. Lines are published in batches, each all or nothing; when one fails it is named, and
nothing after it is published. Give lines ids, and the whole file can be published again.

  bellwire publish --tenant acme --type card.created --data '{"id": 1}'
  bellwire publish --tenant acme --type card.created < card.json
  bellwire publish --tenant acme --ndjson --file events.ndjson`
}

// Validate is called by kong.
func (c *publishCommand) Validate() error {
	switch {
	case c.NDJSON && c.Data != "":
		return usagef("--ndjson: lines come from --file or standard input, not from --data")
	case c.NDJSON && c.ID != "":
		return usagef("--id: with --ndjson each line has its own")
	case !c.NDJSON && c.Type == "":
		return usagef("--type: it is needed to publish one event")
	}
	return nil
}

// Run publishes.
func (c *publishCommand) Run(ctx context.Context, std streams) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if c.Data != "" {
		return c.publishOne(ctx, api, []byte(c.Data), std.out)
	}
	in, size := std.in, int64(-1)
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("--file: %w", err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = file
	}
	if c.NDJSON {
		return c.publishLines(ctx, api, in, size, std)
	}
	data, err := io.ReadAll(io.LimitReader(in, maxMaxEventBytes+1))
	if err != nil {
		return err
	}
	return c.publishOne(ctx, api, bytes.TrimSpace(data), std.out)
}

func (c *publishCommand) publishOne(ctx context.Context, api *client.Client, data []byte, out io.Writer) error {
	if !json.Valid(data) {
		return errors.New("the data is not one JSON value; nothing was published")
	}
	receipt, err := api.Publish(ctx, c.Tenant, client.Publication{Type: c.Type, Data: data, ID: c.ID})
	if err != nil {
		return err
	}
	return c.print(out, receipt)
}

func (c *publishCommand) print(out io.Writer, receipts ...client.Receipt) error {
	for _, receipt := range receipts {
		var err error
		if c.JSON {
			err = json.NewEncoder(out).Encode(receipt)
		} else {
			_, err = fmt.Fprintln(out, receipt.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// What goes into one batch. The server takes 1000 events and 16 MiB.
const (
	batchEvents = 500
	batchBytes  = 8 << 20
)

// line is one event of an NDJSON file.
type line struct {
	Type       string          `json:"type"`
	Data       json.RawMessage `json:"data"`
	ID         string          `json:"id"`
	OccurredAt time.Time       `json:"occurred_at"`
}

// batch is what is published at once.
type batch struct {
	events []client.Publication
	lines  []int // the line that each event stood on
	bytes  int
}

func (c *publishCommand) publishLines(ctx context.Context, api *client.Client, in io.Reader, size int64, std streams) error {
	progress := progressOn(std.err, size)
	defer progress.Close()
	lines := bufio.NewScanner(io.TeeReader(in, progress))
	lines.Buffer(make([]byte, 64<<10), maxMaxEventBytes+64<<10)
	var b batch
	number := 0
	for lines.Scan() {
		number++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		event, err := c.event(text)
		if err != nil {
			// What stands before it is good, and is published as if the file ended here.
			return errors.Join(c.flush(ctx, api, &b, std.out), fmt.Errorf("line %d: %w", number, err))
		}
		if len(b.events) == batchEvents || b.bytes+len(text) > batchBytes {
			if err := c.flush(ctx, api, &b, std.out); err != nil {
				return err
			}
		}
		b.events, b.lines, b.bytes = append(b.events, event), append(b.lines, number), b.bytes+len(text)
	}
	if err := lines.Err(); err != nil {
		return errors.Join(c.flush(ctx, api, &b, std.out), fmt.Errorf("line %d: %w", number+1, err))
	}
	return c.flush(ctx, api, &b, std.out)
}

func (c *publishCommand) event(text []byte) (client.Publication, error) {
	var in line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return client.Publication{}, fmt.Errorf("it is not an event, such as {\"type\": …, \"data\": …}: %w", err)
	}
	if decoder.More() {
		return client.Publication{}, errors.New("there is more than one JSON value on it")
	}
	if in.Type == "" {
		in.Type = c.Type
	}
	if in.Type == "" || in.Data == nil {
		return client.Publication{}, errors.New("an event has a type and data")
	}
	return client.Publication{Type: in.Type, Data: in.Data, ID: in.ID, OccurredAt: in.OccurredAt}, nil
}

// flush publishes a batch and empties it.
func (c *publishCommand) flush(ctx context.Context, api *client.Client, b *batch, out io.Writer) error {
	if len(b.events) == 0 {
		return nil
	}
	receipts, err := api.PublishBatch(ctx, c.Tenant, b.events)
	if err != nil {
		return b.blame(err)
	}
	*b = batch{events: b.events[:0], lines: b.lines[:0]}
	return c.print(out, receipts...)
}

// blame says which line a batch failed for, if the server names one.
func (b *batch) blame(err error) error {
	first, last := b.lines[0], b.lines[len(b.lines)-1]
	var problem *client.Error
	if index := -1; errors.As(err, &problem) {
		if n, _ := fmt.Sscanf(problem.Field, "events[%d]", &index); n == 1 && index >= 0 && index < len(b.lines) {
			return fmt.Errorf("line %d: %w; nothing of lines %d to %d was published", b.lines[index], err, first, last)
		}
	}
	return fmt.Errorf("lines %d to %d: %w", first, last, err)
}

// progressOn shows a progress bar if w is a terminal.
func progressOn(w io.Writer, size int64) io.WriteCloser {
	if !isTerminal(w) {
		w = io.Discard
	}
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("publishing"), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
}

// isTerminal tells whether a person watches.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
