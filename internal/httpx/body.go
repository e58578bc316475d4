package httpx

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// firstRead is the largest buffer that is allocated before any of a body has arrived, so that announcing a large body does not by
// itself cost memory.
const firstRead = 64 << 10

// maxDrain is the maximum size of a refused body that is read and discarded. Otherwise, a client that writes its whole body before
// it reads would see a broken connection instead of the response.
const maxDrain = 64 << 20

// ReadBody reads the whole body of a request into memory of its own, so that parts of it can be retained. Its errors have
// CodeUnsupportedEncoding for a compressed body, CodeTooLarge for more than limit bytes, CodeRateLimited if the caller has too many
// bytes in transit, CodeCanceled for an incomplete body, or CodeMalformed. The caller should be confirmed or claimed before: until
// then, a body must arrive quickly, and all such bodies share the memory of one owner.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if coding := contentCoding(r); coding != "" && r.ContentLength != 0 {
		drainUnlessExpected(r)
		return nil, bellwire.Errorf(CodeUnsupportedEncoding, "a body with the Content-Encoding %.32q cannot be read; send it uncompressed, without that header", coding)
	}
	if r.ContentLength > limit {
		drainUnlessExpected(r)
		return nil, tooLarge(limit)
	}
	size := r.ContentLength
	if size < 0 { // chunked: unknown
		size = 512
	}
	c := connectionOf(r)
	first := int(min(size, firstRead)) + 1 // one more byte, to see the end without growing
	if err := c.holdBody(first); err != nil {
		c.hurry()
		drainUnlessExpected(r)
		return nil, err
	}
	body := make([]byte, 0, first)
	for {
		c.wait(len(body))
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			drain(r, maxDrain)
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, unread(r, err)
		case len(body) == cap(body):
			more := room(len(body), size)
			if err := c.holdBody(more); err != nil {
				c.hurry()
				drain(r, refusedBytes)
				return nil, err
			}
			body = append(make([]byte, 0, more), body...)
		}
	}
}

// contentCoding returns the body's first coding that is not identity, empty if there is none.
func contentCoding(r *http.Request) string {
	for _, line := range r.Header["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return coding
			}
		}
	}
	return ""
}

// room returns the next size of a full buffer: twice as much, or the announced size if that is less. So little is copied, and
// memory follows what has arrived.
func room(filled int, announced int64) int {
	if int64(filled) <= announced {
		return int(min(int64(2*filled), announced+1))
	}
	return 2 * filled
}

// Bounds on what is read of the body of a refused request: as much as a client on a good connection sends at once.
const (
	maxRefusal   = 500 * time.Millisecond
	refusedBytes = 16 << 20
)

// Refuse discards the rest of a request's body, within bounds, so that a client that writes its whole body before it reads gets
// the response. It must be called before a refusal is written.
func Refuse(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 || r.Header.Get("Expect") != "" {
		return
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(maxRefusal)); err != nil {
		return // a connection without deadlines is not read any further
	}
	if !drain(r, refusedBytes) {
		w.Header().Set("Connection", "close")
	}
}

// drainUnlessExpected drains the request, unless the client waits for 100 Continue and has sent nothing yet.
func drainUnlessExpected(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		drain(r, maxDrain)
	}
}

// drain discards up to most bytes of a body, and reports whether that was all. Errors do not matter, because the body is
// refused.
func drain(r *http.Request, most int64) bool {
	_, err := io.CopyN(io.Discard, r.Body, most)
	return errors.Is(err, io.EOF)
}

func tooLarge(limit int64) error {
	return bellwire.Errorf(bellwire.CodeTooLarge, "the body must have at most %s bytes", bellwire.Number(limit))
}

func unread(r *http.Request, err error) error {
	var (
		known   *bellwire.Error
		timeout net.Error
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &timeout) && timeout.Timeout():
		return bellwire.Wrap(bellwire.CodeCanceled, err, "the body did not arrive in time")
	case r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return bellwire.Wrap(bellwire.CodeCanceled, err, "the connection ended before the body did")
	}
	return bellwire.Wrap(bellwire.CodeMalformed, err, "the body could not be read, because its transfer encoding is broken")
}
