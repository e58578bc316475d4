package codec

import (
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// attempt holds the details of an attempt, which are only displayed. Its names are short because there is one row for each
// request. The timings must come first: when an attempt loses its details, both stores keep the text up to their end.
type attempt struct {
	Timings   [5]time.Duration  `json:"t"` // DNS, connect, TLS, first byte, total
	URL       string            `json:"u"`
	Headers   []bellwire.Header `json:"h,omitempty"`
	Cut       bool              `json:"c,omitempty"` // there were more headers
	BodyBytes int               `json:"b"`
	Response  *response         `json:"r,omitempty"`
	Dropped   bool              `json:"d,omitempty"` // only the timings are left
	BodyHash  []byte            `json:"s,omitempty"`
	Dialect   string            `json:"l,omitempty"`
	Version   int               `json:"v,omitempty"`
}

type response struct {
	Headers   []bellwire.Header `json:"h,omitempty"`
	Cut       bool              `json:"c,omitempty"` // there were more headers
	Truncated bool              `json:"x,omitempty"`
	Note      string            `json:"n,omitempty"`
}

// EncodeAttempts encodes the details of each result's attempt; nil where there was none. Stores call it before a transaction
// begins, so that no other transaction waits for it.
func EncodeAttempts(results []*bellwire.Result) [][]byte {
	encoded := make([][]byte, len(results))
	for i, r := range results {
		if r.Attempt != nil {
			encoded[i] = newAttempt(r.Attempt).encode()
		}
	}
	return encoded
}

func newAttempt(a *bellwire.Attempt) *attempt {
	t := a.Timings
	c := &attempt{
		Timings: [5]time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte, t.Total},
		URL:     a.Request.URL, Headers: a.Request.Headers, Cut: a.Request.HeadersTruncated, BodyBytes: a.Request.BodyBytes,
	}
	if h := &a.Request.BodyHash; *h != [32]byte{} {
		c.BodyHash = h[:]
	}
	c.Dialect, c.Version = a.Request.Dialect, a.Request.Version
	if r := a.Response; r != nil {
		c.Response = &response{Headers: r.Headers, Cut: r.HeadersTruncated, Truncated: r.Truncated, Note: r.Note}
	}
	return c
}

// DecodeAttempt decodes an attempt's details into it. If the attempt has a response, a.Response must not be nil.
func DecodeAttempt(a *bellwire.Attempt, encoded []byte) error {
	var c attempt
	if err := json.Unmarshal(encoded, &c); err != nil {
		return err
	}
	t := c.Timings
	a.Timings = bellwire.Timings{DNS: t[0], Connect: t[1], TLS: t[2], FirstByte: t[3], Total: t[4]}
	a.Request = bellwire.AttemptRequest{URL: c.URL, Headers: c.Headers, HeadersTruncated: c.Cut, BodyBytes: c.BodyBytes}
	copy(a.Request.BodyHash[:], c.BodyHash)
	a.Request.Dialect, a.Request.Version = c.Dialect, c.Version
	a.Dropped = c.Dropped
	if from, to := c.Response, a.Response; from != nil && to != nil {
		to.Headers, to.HeadersTruncated, to.Truncated, to.Note = from.Headers, from.Cut, from.Truncated, from.Note
	}
	return nil
}
