// Package columns has what both engines keep in the same form, and what they make of it in the same way: columns of JSON, the
// numbers of states, what cursors stand for, and which endpoints are due.
package columns

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// JSON writes a value.
func JSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "It could not be written as JSON.")
	}
	return string(b), nil
}

// Tenant are the columns of a tenant that are kept as JSON.
type Tenant struct {
	Metadata, Limits string
}

// OfTenant writes a tenant's columns.
func OfTenant(t *bellwire.Tenant) (c Tenant, err error) {
	if c.Metadata, err = JSON(t.Metadata); err != nil {
		return c, err
	}
	c.Limits, err = JSON(t.Limits)
	return c, err
}

// Endpoint are the columns of an endpoint that are kept as JSON.
type Endpoint struct {
	Events, Retry, Metadata, Extra string
}

// OfEndpoint writes an endpoint's columns.
func OfEndpoint(ep *bellwire.Endpoint) (c Endpoint, err error) {
	for _, column := range []struct {
		text  *string
		value any
	}{{&c.Events, ep.Events}, {&c.Retry, ep.Retry}, {&c.Metadata, ep.Metadata}, {&c.Extra, ep.Extra}} {
		if *column.text, err = JSON(column.value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// attempt are the parts of an attempt that are only ever shown. Their names are short because there is one
// of these for each request made. The timings must come first: they are what both engines leave of the text when an attempt
// loses its details.
type attempt struct {
	Timings   [5]time.Duration  `json:"t"` // DNS, connect, TLS, first byte, total
	URL       string            `json:"u"`
	Headers   []bellwire.Header `json:"h,omitempty"`
	Cut       bool              `json:"c,omitempty"` // there were more headers
	BodyBytes int               `json:"b"`
	Response  *response         `json:"r,omitempty"`
	Dropped   bool              `json:"d,omitempty"` // the timings are all that is left
}

type response struct {
	Headers   []bellwire.Header `json:"h,omitempty"`
	Cut       bool              `json:"c,omitempty"` // there were more headers
	Truncated bool              `json:"x,omitempty"`
	Note      string            `json:"n,omitempty"`
}

// OfAttempts writes the details of each result's attempt; nil where there was none. It is done before a transaction
// begins, so that nobody waits for it.
func OfAttempts(results []*bellwire.Result) ([][]byte, error) {
	encoded := make([][]byte, len(results))
	for i, r := range results {
		if r.Attempt == nil {
			continue
		}
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false) // nobody reads it as HTML, and one character would become six
		if err := enc.Encode(ofAttempt(r.Attempt)); err != nil {
			return nil, bellwire.Wrap(bellwire.CodeInternal, err, "The attempt %s could not be written as JSON.", r.Attempt.ID)
		}
		encoded[i] = bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	}
	return encoded, nil
}

// Dropped returns which attempt of a result's delivery loses its details when the result's own is stored under the number;
// 0: none.
func Dropped(r *bellwire.Result, number int64) int64 {
	return int64(bellwire.DroppedAttempt(int(number), r.WholeAttempts))
}

func ofAttempt(a *bellwire.Attempt) *attempt {
	t := a.Timings
	c := &attempt{
		Timings: [5]time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte, t.Total},
		URL:     a.Request.URL, Headers: a.Request.Headers, Cut: a.Request.HeadersTruncated, BodyBytes: a.Request.BodyBytes,
	}
	if r := a.Response; r != nil {
		c.Response = &response{Headers: r.Headers, Cut: r.HeadersTruncated, Truncated: r.Truncated, Note: r.Note}
	}
	return c
}

// FillAttempt reads an attempt's details into it. Its response, if it has one, is there already.
func FillAttempt(a *bellwire.Attempt, encoded []byte) error {
	var c attempt
	if err := json.Unmarshal(encoded, &c); err != nil {
		return err
	}
	t := c.Timings
	a.Timings = bellwire.Timings{DNS: t[0], Connect: t[1], TLS: t[2], FirstByte: t[3], Total: t[4]}
	a.Request = bellwire.AttemptRequest{URL: c.URL, Headers: c.Headers, HeadersTruncated: c.Cut, BodyBytes: c.BodyBytes}
	a.Dropped = c.Dropped
	if from, to := c.Response, a.Response; from != nil && to != nil {
		to.Headers, to.HeadersTruncated, to.Truncated, to.Note = from.Headers, from.Cut, from.Truncated, from.Note
	}
	return nil
}
