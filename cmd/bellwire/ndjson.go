package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/suggest"
)

// Limits of one batch. The server accepts 1000 events and 16 MiB.
const (
	batchEvents = 500
	batchBytes  = 8 << 20
)

// maxLine is the maximum length of a line: an event's data and the fields around it.
const maxLine = maxMaxEventBytes + 64<<10

// line is one event of an NDJSON file.
type line struct {
	Type       string          `json:"type"`
	Data       json.RawMessage `json:"data"`
	ID         string          `json:"id"`
	OccurredAt time.Time       `json:"occurred_at"`
	DeliverAt  time.Time       `json:"deliver_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	Key        string          `json:"ordering_key"`
}

// lineForm says what a line must be.
const lineForm = `must be an event, such as {"type": …, "data": …}`

// lineFields are the names of a line's fields.
var lineFields = []string{"type", "data", "id", "occurred_at", "deliver_at", "expires_at", "ordering_key"}

// batch is the events of one request.
type batch struct {
	events []client.Publication
	lines  []int // number of the line of each event
	bytes  int
}

// publishing publishes the events of an NDJSON file.
type publishing struct {
	command    *publishCommand
	api        *client.Client
	out        io.Writer
	batch      batch
	published  int
	duplicates int
	unsure     bool // whether the events of the batch that failed were published is not known
}

func (c *publishCommand) publishLines(ctx context.Context, api *client.Client, in io.Reader, name string, size int64, std streams) error {
	progress := progressOf("publishing", std.err, size)
	p := &publishing{command: c, api: api, out: std.out}
	err := p.run(ctx, io.TeeReader(in, progress))
	progress.Close()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, p.before())
	}
	_, err = fmt.Fprintln(std.err, p.summary(name))
	return err
}

// run publishes all events before the first faulty line.
func (p *publishing) run(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	number := 0
	for lines.Scan() {
		number++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		event, err := p.command.event(text)
		if err != nil {
			// The events before it are published, as if the file ended here.
			return errors.Join(p.flush(ctx), fmt.Errorf("line %d: %w", number, err))
		}
		if b := &p.batch; len(b.events) == batchEvents || b.bytes+len(text) > batchBytes {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
		p.batch.add(event, number, len(text))
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("must have at most %d bytes", maxLine)
	}
	if err != nil {
		err = fmt.Errorf("line %d: %w", number+1, err)
	}
	return errors.Join(p.flush(ctx), err)
}

func (b *batch) add(event client.Publication, line, size int) {
	b.events, b.lines, b.bytes = append(b.events, event), append(b.lines, line), b.bytes+size
}

func (c *publishCommand) event(text []byte) (client.Publication, error) {
	in, err := parseLine(text)
	if err != nil {
		return client.Publication{}, err
	}
	if in.Type == "" {
		in.Type = c.Type
	}
	switch {
	case in.Type == "":
		return client.Publication{}, errors.New("type is required; give it in the line, or with --type for all lines")
	case in.Data == nil:
		return client.Publication{}, errors.New("data is required")
	}
	return client.Publication{
		Type: in.Type, Data: in.Data, ID: in.ID, OccurredAt: in.OccurredAt, DeliverAt: in.DeliverAt, ExpiresAt: in.ExpiresAt, OrderingKey: in.Key,
	}, nil
}

// parseLine parses the JSON of one event. text has no space around it.
func parseLine(text []byte) (in line, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return in, explainLine(text, err)
	}
	if decoder.InputOffset() < int64(len(text)) {
		return in, errors.New("must be one JSON value")
	}
	return in, nil
}

// explainLine returns the error of decoding a line in the words of its writer.
func explainLine(text []byte, err error) error {
	var (
		wrongType *json.UnmarshalTypeError
		wrongTime *time.ParseError
		syntax    *jsontext.SyntacticError
		fields    map[string]json.RawMessage
	)
	reader := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	switch {
	case errors.As(reader.SkipValue(), &syntax):
		fault := httpx.ExplainSyntax(text, syntax)
		return fmt.Errorf("is not JSON: %s at column %d", fault.Problem, fault.Column)
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Errorf("%s must not be a JSON %s", wrongType.Field, wrongType.Value)
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s, but is a JSON %s", lineForm, wrongType.Value)
	case errors.As(err, &wrongTime) && json.Unmarshal(text, &fields) == nil:
		return fmt.Errorf("%s must be an RFC 3339 time, such as 2026-01-31T12:30:00Z", wrongTimeOf(fields))
	case json.Unmarshal(text, &fields) == nil:
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			// encoding/json ignores the case of names.
			if !slices.ContainsFunc(lineFields, func(known string) bool { return strings.EqualFold(known, name) }) {
				return fmt.Errorf("%s is not a known field%s", name, suggest.DidYouMean(name, lineFields))
			}
		}
	}
	return errors.New(lineForm)
}

// wrongTimeOf returns the name of the first field that must be a time and is not.
func wrongTimeOf(fields map[string]json.RawMessage) string {
	for _, name := range []string{"deliver_at", "expires_at"} {
		var at time.Time
		if raw := fields[name]; raw != nil && json.Unmarshal(raw, &at) != nil {
			return name
		}
	}
	return "occurred_at"
}

// flush publishes and empties the batch.
func (p *publishing) flush(ctx context.Context) error {
	b := &p.batch
	if len(b.events) == 0 {
		return nil
	}
	receipts, err := p.api.PublishBatch(ctx, p.command.Tenant, b.events)
	if err != nil {
		var refusal *client.Error
		p.unsure = !errors.As(err, &refusal) || refusal.Status >= http.StatusInternalServerError || errors.Is(err, client.ErrUncertain)
		return b.blame(err)
	}
	p.published += len(receipts)
	for _, receipt := range receipts {
		if receipt.Duplicate {
			p.duplicates++
		}
	}
	*b = batch{events: b.events[:0], lines: b.lines[:0]}
	return p.command.print(p.out, receipts...)
}

// before reports what was published before the failure.
func (p *publishing) before() string {
	switch {
	case p.unsure:
		return eventsBefore(p.published) + " published; whether those of these lines were is not known: publish them again only if they have ids"
	case p.published == 0:
		return "nothing was published"
	}
	return eventsBefore(p.published) + " published, nothing else"
}

// eventsBefore returns a count of events with its verb.
func eventsBefore(n int) string {
	if n == 1 {
		return "1 event before was"
	}
	return fmt.Sprintf("%d events before were", n)
}

// summary reports what was published in all.
func (p *publishing) summary(name string) string {
	switch {
	case p.published == 0:
		return "published 0 events: " + name + " is empty"
	case p.published == 1 && p.duplicates == 0:
		return "published 1 event"
	case p.duplicates > 0:
		return fmt.Sprintf("published %d events, %d of which existed already", p.published, p.duplicates)
	}
	return fmt.Sprintf("published %d events", p.published)
}

// blame adds the number of the faulty line, if the server names one.
func (b *batch) blame(err error) error {
	first, last := b.lines[0], b.lines[len(b.lines)-1]
	var problem *client.Error
	if index := -1; errors.As(err, &problem) {
		if n, _ := fmt.Sscanf(problem.Field, "events[%d]", &index); n == 1 && index >= 0 && index < len(b.lines) {
			return fmt.Errorf("line %d: %w; lines %d to %d are refused together", b.lines[index], err, first, last)
		}
	}
	return fmt.Errorf("lines %d to %d: %w", first, last, err)
}
