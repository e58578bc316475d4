package httpx

import (
	"bytes"
	"container/list"

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
	bytes   int  // of memory, about
	place   *list.Element
}

// lineBytes is what a line of a header costs beside its text.
const lineBytes = 48

// charged returns what of a header is counted.
func (h *header) charged() int { return max(0, h.bytes-limits.UncountedHeaderBytes) }

// Read reads from the client.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		for _, late := range c.all.arrived(c, b[:n]) {
			late.Close() // net/http finds out by itself
		}
	}
	return n, err
}

// arrived counts what has come of a header, and returns the connections to close for it.
func (cs *connections) arrived(c *connection, b []byte) (late []*connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	h := &c.header
	if !h.reading {
		return nil
	}
	before := h.charged()
	h.bytes += len(b) + lineBytes*bytes.Count(b, []byte("\n"))
	if h.charged() == before {
		return nil
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
	return late
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
