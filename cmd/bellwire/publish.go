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
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/cli"
)

type publishCommand struct {
	tenantConnection
	Type   string `placeholder:"NAME" complete:"event-type" help:"Event type. With --ndjson, the default for lines without one."`
	Data   string `xor:"source" verbatim:"" placeholder:"JSON" help:"The event's data."`
	File   string `xor:"source" placeholder:"FILE" help:"File with the event's data, or with --ndjson, with the events. Default: standard input."`
	ID     string `name:"id" placeholder:"ID" help:"Your idempotency key: publishing with the same key again creates no second event."`
	NDJSON bool   `name:"ndjson" help:"Publish many events, one JSON object per line with type, data, and optionally id, occurred_at, deliver_at, expires_at and ordering_key."`

	DeliverAt cli.ComingMoment `placeholder:"TIME" help:"Deliver the event at this time: 2026-01-31T12:30:00Z, 2026-01-31, or 24h for in 24 hours."`
	ExpiresAt cli.ComingMoment `placeholder:"TIME" help:"Send nothing from this time on."`

	OrderingKey string `placeholder:"KEY" help:"Endpoints with the ordering key get events with the same ordering key one after the other."`

	JSON bool `name:"json" help:"Print the server's answer, one JSON object per event, instead of the event's id."`
}

// Help is shown below the options.
func (c *publishCommand) Help() string {
	return `Data is published byte for byte. Lines are published in batches, each all or nothing. After a failed batch, which is named,
nothing more is published. If lines have ids, the whole file can safely be published again.

  bellwire publish --tenant acme --type card.created --data '{"id": 1}'
  bellwire publish --tenant acme --type card.created < card.json
  bellwire publish --tenant acme --type card.expiring --data '{"id": 1}' --deliver-at 7d --expires-at 8d
  bellwire publish --tenant acme --ndjson --file events.ndjson`
}

// Validate refuses options that do not fit together. Kong calls it.
func (c *publishCommand) Validate() error {
	switch {
	case c.NDJSON && c.Data != "":
		return cli.Usagef("--ndjson: must not be given together with --data; use --file or standard input")
	case c.NDJSON && c.ID != "":
		return cli.Usagef("--id: must not be given together with --ndjson; give each line an id")
	case c.NDJSON && !(c.DeliverAt.IsZero() && c.ExpiresAt.IsZero()):
		return cli.Usagef("--deliver-at, --expires-at: must not be given together with --ndjson; give each line deliver_at and expires_at")
	case c.NDJSON && c.OrderingKey != "":
		return cli.Usagef("--ordering-key: must not be given together with --ndjson; give each line an ordering_key")
	case !c.NDJSON && c.Type == "":
		return cli.Usagef("--type: must be given to publish one event")
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
	in, name, size := std.in, "standard input", int64(-1)
	if c.File != "" {
		file, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("--file: %w", err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in, name = file, c.File
	}
	text, err := withoutMark(in)
	if err != nil {
		return fmt.Errorf("%s %w; nothing was published", name, err)
	}
	if c.NDJSON {
		return c.publishLines(ctx, api, text, name, size, std)
	}
	data, err := io.ReadAll(io.LimitReader(text, maxMaxEventBytes+1))
	switch data = bytes.TrimSpace(data); {
	case err != nil:
		return err
	case len(data) == 0:
		return fmt.Errorf("%s is empty; nothing was published", name)
	case len(data) > maxMaxEventBytes:
		return fmt.Errorf("%s has more than %d bytes, the maximum for an event's data; nothing was published", name, maxMaxEventBytes)
	}
	return c.publishOne(ctx, api, data, std.out)
}

// withoutMark skips the byte order mark that some programs write before UTF-8, and refuses UTF-16.
func withoutMark(in io.Reader) (io.Reader, error) {
	text := bufio.NewReader(in)
	head, err := text.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := text.Discard(3)
		return text, err
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("is UTF-16 text, but JSON must be UTF-8")
	}
	return text, nil
}

func (c *publishCommand) publishOne(ctx context.Context, api *client.Client, data []byte, out io.Writer) error {
	if !json.Valid(data) {
		return errors.New("data must be one JSON value; nothing was published")
	}
	receipt, err := api.Publish(ctx, c.Tenant, client.Publication{
		Type: c.Type, Data: data, ID: c.ID, DeliverAt: c.DeliverAt.Time, ExpiresAt: c.ExpiresAt.Time, OrderingKey: c.OrderingKey,
	})
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

// progressOf shows a progress bar if w is a terminal.
func progressOf(what string, w io.Writer, size int64) *progress {
	if !isTerminal(w) {
		w = io.Discard
	}
	return &progress{what: what, bar: progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription(what), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(progressEvery))}
}

const progressEvery = 100 * time.Millisecond // between two updates

// progress is a progress bar that counts lines, too.
type progress struct {
	mu    sync.Mutex // an HTTP client writes in a goroutine of its own
	what  string
	bar   *progressbar.ProgressBar
	lines int
	shown time.Time // when the lines were last shown
}

// Write adds what was transferred.
func (p *progress) Write(part []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines += bytes.Count(part, []byte("\n"))
	if now := time.Now(); now.Sub(p.shown) >= progressEvery {
		p.shown = now
		p.bar.Describe(fmt.Sprintf("%s, %s", p.what, counted(p.lines, "line")))
	}
	return p.bar.Write(part)
}

// Clear removes the bar until the next Write, so that a line can be printed in its place.
func (p *progress) Clear() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bar.Clear()
}

// Close removes the bar.
func (p *progress) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bar.Close()
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
