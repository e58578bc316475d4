package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// maxHeaders is the maximum number of headers of a request.
const maxHeaders = 1000

// ParseRequest reads a request as it is on the wire: perhaps a request line, headers, an empty line and the body. Unlike a
// server it accepts requests that are cut off or changed, because these are looked into.
func ParseRequest(text []byte) (http.Header, []byte, error) {
	header := make(http.Header)
	for number := 1; ; number++ {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return nil, nil, errors.New("request must have an empty line between its headers and its body")
		}
		text = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0:
			return header, wireBody(header, text), nil
		case number > maxHeaders:
			return nil, nil, fmt.Errorf("request must not have more than %d headers", maxHeaders)
		case number == 1 && bytes.Contains(line, []byte(" HTTP/")):
		case AddHeader(header, string(line)) != nil:
			return nil, nil, fmt.Errorf("line %d of the request must be a header, such as Webhook-Id: evt_1, or empty before the body", number)
		}
	}
}

// AddHeader adds a header that is given as a line, such as "Webhook-Id: evt_1". Its error is a predicate of the line.
func AddHeader(h http.Header, line string) error {
	name, value, found := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); !found || name == "" || strings.ContainsAny(name, " \t{}\"") {
		return errors.New(`must be NAME: VALUE, such as "Webhook-Id: evt_1"`)
	}
	h.Add(name, strings.TrimSpace(value))
	return nil
}

// wireBody returns the body of what follows the headers.
func wireBody(h http.Header, text []byte) []byte {
	if strings.EqualFold(h.Get("Transfer-Encoding"), "chunked") {
		if body, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(text))); err == nil {
			return body
		}
		return text // it was written down without its chunks
	}
	// White space after the body is the file's, not the request's.
	length, err := strconv.Atoi(h.Get("Content-Length"))
	if err == nil && length >= 0 && length < len(text) && len(bytes.TrimSpace(text[length:])) == 0 {
		return text[:length]
	}
	return text
}
