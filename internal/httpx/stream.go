package httpx

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// StreamBody returns a reader of a request's body of any size, for handlers that keep only a part of it in memory. bytes is the size of
// that part, which is charged to the caller. Each read waits for at most Patience. The errors of the reader are *bellwire.Errors.
func StreamBody(w http.ResponseWriter, r *http.Request, bytes int) (io.Reader, error) {
	if coding := contentCoding(r); coding != "" && r.ContentLength != 0 {
		return nil, bellwire.Errorf(CodeUnsupportedEncoding, "a body with the Content-Encoding %.32q cannot be read; send it uncompressed, without that header", coding)
	}
	if err := connectionOf(r).holdBody(bytes); err != nil {
		return nil, err
	}
	return &bodyStream{r: r, control: http.NewResponseController(w)}, nil
}

type bodyStream struct {
	r       *http.Request
	control *http.ResponseController
}

// Read reads some of the body. The handler may take its time between two reads: only the client's pauses count.
func (b *bodyStream) Read(p []byte) (int, error) {
	// Only a connection without deadlines cannot have one.
	_ = b.control.SetReadDeadline(time.Now().Add(Patience))
	n, err := b.r.Body.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{}) // the handler may take longer than the server's ReadTimeout
		return n, io.EOF
	}
	return n, unread(b.r, err)
}
