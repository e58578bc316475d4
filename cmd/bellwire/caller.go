package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/client"
)

// caller calls a server, and remembers its last answer. Commands print that as JSON byte for byte, so that scripts see what
// the API says, including fields that this build does not know.
type caller struct {
	*client.Client
	answers *answers
}

// callTimeout is the maximum time of one call with its answer.
const callTimeout = time.Minute

// newCaller returns a caller for a server.
func newCaller(server, key string) (*caller, error) {
	recorded := &answers{next: http.DefaultTransport}
	made, err := client.New(server, key, client.WithHTTPClient(&http.Client{Transport: recorded, Timeout: callTimeout}))
	if err != nil {
		return nil, err
	}
	return &caller{made, recorded}, nil
}

// answer returns the body of the last answer.
func (c *caller) answer() json.RawMessage { return c.answers.last.Bytes() }

// items returns the items of the last answer, which is a page of a list.
func (c *caller) items() ([]json.RawMessage, error) {
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	err := json.Unmarshal(c.answer(), &page)
	return page.Data, err
}

// answers is a transport that remembers the body of the last answer.
type answers struct {
	next http.RoundTripper
	last bytes.Buffer
}

// RoundTrip makes a request.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a.last.Reset()
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(response.Body, &a.last), response.Body}
	return response, nil
}
