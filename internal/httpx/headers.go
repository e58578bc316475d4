package httpx

import (
	"container/list"
	"fmt"
	"io"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// headers bounds the memory for the headers of requests whose caller is not confirmed. When there is too much of them, the
// connection makes room that began with its own the longest ago: who sends a header at once is not kept waiting by those who
// do not. connections.mu guards it.
type headers struct {
	bytes   int
	holding list.List // of *connection: those that hold some of bytes, the one that began the longest ago first
}

// header is what a connection holds of headers. connections.mu guards it.
type header struct {
	reading bool // a request's header is coming, or is awaited
	blank   bool // its last line has nothing in it so far
	lines   int
	bytes   int // of memory, about
	place   *list.Element
}

const (
	lineBytes = 48 // what a line of a header costs beside its text
	maxLines  = limits.HeaderLines
)

// tooManyLines is the answer to a header of more. net/http has none for it.
var tooManyLines = fmt.Appendf(nil, "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+
	"the header of a request must have at most %d lines\n", maxLines)

// charged returns what of a header is counted.
func (h *header) charged() int { return max(0, h.bytes-limits.UncountedHeaderBytes) }

// add counts what has come of a header, until it ends.
func (h *header) add(b []byte) {
	h.bytes += len(b)
	for _, ch := range b {
		switch {
		case ch == '\n' && h.blank:
			h.reading = false
			return
		case ch == '\n':
			h.blank = true
			h.lines++
			h.bytes += lineBytes
		case ch != '\r':
			h.blank = false
		}
	}
}

// Read reads from the client.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n == 0 {
		return n, err
	}
	late, refused := c.all.arrived(c, b[:n])
	for _, l := range late {
		l.Close() // net/http finds out by itself
	}
	if refused {
		c.refuseHeader()
		return 0, io.EOF
	}
	return n, err
}

// refuseHeader answers a header of too many lines, and takes in what is left of it for a moment: what stayed unread would
// reset the connection, and the client would not see the answer. Errors do not matter: the client may be gone.
func (c *connection) refuseHeader() {
	_ = c.SetDeadline(time.Now().Add(maxRefusal))
	_, _ = c.Conn.Write(tooManyLines)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, c.Conn, refusedBytes)
}

// arrived counts what has come of a header. It returns the connections to close for it, and whether it has too many lines.
func (cs *connections) arrived(c *connection, b []byte) (late []*connection, refused bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	h := &c.header
	if !h.reading {
		return nil, false
	}
	before, grown := h.charged(), *h
	grown.add(b)
	if grown.lines > maxLines {
		return nil, true
	}
	*h = grown
	if h.charged() == before {
		return nil, false
	}
	if h.place == nil {
		h.place = cs.headers.holding.PushBack(c)
	}
	cs.headers.bytes += h.charged() - before
	for cs.headers.bytes > limits.HeaderBytes {
		first := cs.headers.holding.Front().Value.(*connection)
		cs.remove(first)
		late = append(late, first)
	}
	return late, false
}

// beginHeader gives back a header whose request was answered, and waits for the next one.
func (cs *connections) beginHeader(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.dropHeader(c)
	c.header.reading = c.place != nil // it is closed otherwise
}

// endHeader notes that all of a header has come. What comes now is the body.
func (cs *connections) endHeader(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.header.reading = false
	c.headerBytes = c.header.charged()
}

// dropHeader gives back what a connection holds of headers. cs.mu is held.
func (cs *connections) dropHeader(c *connection) {
	if h := &c.header; h.place != nil {
		cs.headers.bytes -= h.charged()
		cs.headers.holding.Remove(h.place)
	}
	c.header = header{}
}
