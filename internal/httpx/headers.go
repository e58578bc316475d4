package httpx

import (
	"container/list"
	"fmt"
	"io"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// headers bounds the memory for headers of requests whose caller is not confirmed. When it is used up, the connection whose header
// began first is closed, so that slow senders do not hinder fast ones. It is guarded by connections.mu.
type headers struct {
	bytes   int
	holding list.List // of *connection with charged bytes; the one whose header began first is first
}

// header counts the header of a connection's request. It is guarded by connections.mu.
type header struct {
	reading bool // a header is being received or expected
	blank   bool // the current line is empty so far
	lines   int
	bytes   int // of memory, approximately
	element *list.Element
}

const (
	lineBytes = 48 // memory for a line in addition to its text
	maxLines  = limits.HeaderLines
)

// tooManyLines is the response to a header with more than maxLines, for which net/http has none.
var tooManyLines = fmt.Appendf(nil, "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+
	"the header of a request must have at most %d lines\n", maxLines)

// charged returns the counted size of a header.
func (h *header) charged() int { return max(0, h.bytes-limits.UncountedHeaderBytes) }

// add counts received bytes until the header ends.
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
	if !c.begun {
		c.begun = true
		_ = c.SetReadDeadline(time.Now().Add(ReadTimeout)) // a closed connection fails when it is read
	}
	late, refused := c.all.arrived(c, b[:n])
	for _, l := range late {
		l.Close() // net/http notices it
	}
	if refused {
		c.refuseHeader()
		return 0, io.EOF
	}
	return n, err
}

// refuseHeader responds to a header with too many lines, and discards the rest of it for a moment, because unread data would reset
// the connection before the client sees the response. Errors do not matter, because the client may be gone.
func (c *connection) refuseHeader() {
	_ = c.SetDeadline(time.Now().Add(maxRefusal))
	_, _ = c.Conn.Write(tooManyLines)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, c.Conn, refusedBytes)
}

// arrived counts received bytes of a header. It returns the connections to be closed for it, and whether it has too many lines.
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
	if h.element == nil {
		h.element = cs.headers.holding.PushBack(c)
	}
	cs.headers.bytes += h.charged() - before
	for cs.headers.bytes > limits.HeaderBytes {
		first := cs.headers.holding.Front().Value.(*connection)
		cs.remove(first)
		late = append(late, first)
	}
	return late, false
}

// beginHeader releases the header of a request that has been served, and expects the next one.
func (cs *connections) beginHeader(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.dropHeader(c)
	c.header.reading = c.element != nil // otherwise it is closed
}

// endHeader records the end of a header. What follows is the body.
func (cs *connections) endHeader(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.header.reading = false
	c.headerBytes = c.header.charged()
}

// dropHeader releases the header of a connection. The caller must hold cs.mu.
func (cs *connections) dropHeader(c *connection) {
	if h := &c.header; h.element != nil {
		cs.headers.bytes -= h.charged()
		cs.headers.holding.Remove(h.element)
	}
	c.header = header{}
}
