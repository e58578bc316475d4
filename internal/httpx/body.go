package httpx

import (
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/bellwire/bellwire"
)

// firstRead is how much room a body gets before any of it has arrived: a header that promises a lot must
// not by itself cost memory.
const firstRead = 64 << 10

// ReadBody reads a request's whole body into memory of its own, so that parts of it can be kept. Its
// errors have CodeTooLarge over limit bytes, CodeCanceled if the rest never came, or CodeMalformed.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	size := r.ContentLength
	if size < 0 { // chunked: unknown
		size = 512
	}
	body := make([]byte, 0, min(size, firstRead)+1) // one more byte to see the end without growing
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, unread(r, err)
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

func tooLarge(limit int64) error {
	return bellwire.Errorf(bellwire.CodeTooLarge, "The body is over the limit of %d bytes.", limit)
}

func unread(r *http.Request, err error) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return bellwire.Wrap(bellwire.CodeCanceled, err, "The body did not arrive in time.")
	case r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return bellwire.Wrap(bellwire.CodeCanceled, err, "The connection ended before the body did.")
	}
	return bellwire.Wrap(bellwire.CodeMalformed, err, "The body could not be read; its transfer encoding is broken.")
}
