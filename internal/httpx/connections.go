package httpx

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// MaxConnections is how many connections a server keeps at the same time, where there are file descriptors for them. Each
// costs about 10 KiB.
const MaxConnections = 10_000

// connections bounds a server's connections. When there are too many, the one that has been without a request for
// the longest is closed, so that who only holds connections keeps out nobody who has something to ask. Those whose
// request is being answered are left alone; should all be of that kind, the newest is turned away.
type connections struct {
	most int

	mu      sync.Mutex
	all     map[net.Conn]*list.Element // nil: its request is being answered
	waiting list.List                  // of net.Conn, the longest without a request first
}

func newConnections(most int) *connections {
	return &connections{most: most, all: make(map[net.Conn]*list.Element)}
}

// limit has a server keep at most so many connections.
func limit(s *http.Server, most int) {
	c := newConnections(most)
	s.ConnState = c.changed
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.answering(r.Context().Value(connKey{}).(net.Conn))
		next.ServeHTTP(w, r)
	})
}

type connKey struct{}

// changed is a server's ConnState. That a connection is active says only that a byte has come.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	var surplus net.Conn
	c.mu.Lock()
	switch state {
	case http.StateNew:
		surplus = c.add(conn)
	case http.StateIdle:
		c.wait(conn)
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
	}
	c.mu.Unlock()
	if surplus != nil {
		surplus.Close() // net/http finds out by itself, and has nobody to tell either
	}
}

// add takes in a connection, and returns the one to close instead, if there is one too many.
func (c *connections) add(conn net.Conn) (surplus net.Conn) {
	if len(c.all) >= c.most {
		surplus = conn
		if longest := c.waiting.Front(); longest != nil {
			surplus = longest.Value.(net.Conn)
			c.remove(surplus)
		}
	}
	if surplus != conn {
		c.all[conn] = c.waiting.PushBack(conn)
	}
	return surplus
}

// wait puts a connection behind the others that have no request. It may be one of them, because net/http answers
// some requests by itself.
func (c *connections) wait(conn net.Conn) {
	switch place, known := c.all[conn]; {
	case place != nil:
		c.waiting.MoveToBack(place)
	case known:
		c.all[conn] = c.waiting.PushBack(conn)
	}
}

func (c *connections) remove(conn net.Conn) {
	if place := c.all[conn]; place != nil {
		c.waiting.Remove(place)
	}
	delete(c.all, conn)
}

// answering takes note that a request has come whole, but for its body.
func (c *connections) answering(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if place := c.all[conn]; place != nil {
		c.waiting.Remove(place)
		c.all[conn] = nil
	}
}
