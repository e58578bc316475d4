package codec

import (
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// attempt holds the details of an attempt, which are only displayed. Its names are short because there is one row for each
// request. The timings must come first: when an attempt loses its details, both stores keep the text up to their end.
//
// Names differ by more than their case, because encoding/json finds a field by either.
type attempt struct {
	Timings   [5]time.Duration  `json:"t"` // DNS, connect, TLS, first byte, total
	URL       string            `json:"u"`
	Headers   []string          `json:"q,omitempty"` // names and values in turn
	Older     []bellwire.Header `json:"h,omitempty"` // the headers, as builds before wrote them
	Cut       bool              `json:"c,omitempty"` // there were more headers
	BodyBytes int               `json:"b"`
	Response  *response         `json:"r,omitempty"`
	Dropped   bool              `json:"d,omitempty"` // only the timings are left
	BodyHash  []byte            `json:"s,omitempty"`
	Dialect   string            `json:"l,omitempty"`
	Version   int               `json:"v,omitempty"`
}

type response struct {
	Headers   []string          `json:"q,omitempty"` // names and values in turn
	Older     []bellwire.Header `json:"h,omitempty"` // the headers, as builds before wrote them
	Cut       bool              `json:"c,omitempty"` // there were more headers
	Truncated bool              `json:"x,omitempty"`
	Note      string            `json:"n,omitempty"`
}

// EncodeAttempts encodes the details of each result's attempt; nil where there was none. Stores call it before a transaction
// begins, so that no other transaction waits for it.
func EncodeAttempts(results []*bellwire.Result) [][]byte {
	size := 0
	for _, r := range results {
		if r.Attempt != nil {
			size += sizeOf(r.Attempt)
		}
	}
	e := encoder{text: make([]byte, 0, size)} // for all of them
	encoded := make([][]byte, len(results))
	for i, r := range results {
		if r.Attempt != nil {
			start := len(e.text)
			e.attempt(r.Attempt)
			encoded[i] = e.text[start:len(e.text):len(e.text)]
		}
	}
	return encoded
}

// DecodeAttempt decodes an attempt's details into it. If the attempt has a response, a.Response must not be nil.
func DecodeAttempt(a *bellwire.Attempt, encoded []byte) error {
	var c attempt
	if err := json.Unmarshal(encoded, &c); err != nil {
		return err
	}
	t := c.Timings
	a.Timings = bellwire.Timings{DNS: t[0], Connect: t[1], TLS: t[2], FirstByte: t[3], Total: t[4]}
	a.Request = bellwire.AttemptRequest{URL: c.URL, Headers: headersOf(c.Headers, c.Older), HeadersTruncated: c.Cut, BodyBytes: c.BodyBytes}
	copy(a.Request.BodyHash[:], c.BodyHash)
	a.Request.Dialect, a.Request.Version = c.Dialect, c.Version
	a.Dropped = c.Dropped
	if from, to := c.Response, a.Response; from != nil && to != nil {
		to.Headers, to.HeadersTruncated, to.Truncated, to.Note = headersOf(from.Headers, from.Older), from.Cut, from.Truncated, from.Note
	}
	return nil
}

// headersOf returns headers in whichever form they were stored.
func headersOf(list []string, older []bellwire.Header) []bellwire.Header {
	if len(list) == 0 {
		return older
	}
	headers := make([]bellwire.Header, len(list)/2)
	for i := range headers {
		headers[i] = bellwire.Header{Name: list[2*i], Value: list[2*i+1]}
	}
	return headers
}
