package httpx

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// reserved is the part of all connections that is kept for owners who have no request under way.
const reserved = 16

// grace is how long a connection has that nobody is confirmed on, before it makes room: a client that says at once who it is
// must not be pushed out by many that come at the same time. These wait to be taken in.
const grace = 100 * time.Millisecond

// connections bounds a server's connections, and divides among owners those on which a request is served. Until its caller
// is confirmed, a request's connection belongs to nobody. When there are too many, one of those makes room, the one that was
// used the longest ago, and then one that only waits for the next request of its owner.
type connections struct {
	most, reserve   int64
	bodies, answers *share.Pool // of bytes

	mu      sync.Mutex
	open    int64
	serving int64 // of open, with a request whose caller is confirmed
	resting int64 // of open, in idle
	owners  map[string]*owner
	nobodys list.List // of *connection: first to make room, the one that was used the longest ago first
	headers headers
	idle    list.List // of *connection: between two requests of their owner, the one that was used the longest ago first

	room chan struct{} // gets one when a connection has gone
}

// owner is what one owner has of the connections.
type owner struct {
	name             string
	serving, resting int64
}

func newConnections(most int) *connections {
	return &connections{
		most: int64(most), reserve: int64(most / reserved),
		bodies:  share.NewPool(limits.RequestBytes, limits.RequestBytesReserve),
		answers: share.NewPool(limits.AnswerBytes, limits.AnswerBytesReserve),
		owners:  make(map[string]*owner),
		room:    make(chan struct{}, 1),
	}
}

// connection is a connection of a server, with what the request on it holds.
type connection struct {
	net.Conn
	all *connections

	// These are guarded by all.mu.
	place  *list.Element // in nobodys or idle; nil: a confirmed request is served, or it is closed
	owner  *owner        // nil: nobody
	since  time.Time     // when it came into nobodys
	header header

	// These are the handler's.
	confirmed     bool
	payer         string // who is charged for what follows
	body, answer  int64  // bytes that are held
	headerBytes   int    // that its owner is charged for with the body
	bodyStartedAt time.Time
}

type connKey struct{}

// connectionOf returns the connection that a request came by, nil if it was not by one of a Server.
func connectionOf(r *http.Request) *connection {
	c, _ := r.Context().Value(connKey{}).(*connection)
	return c
}

// limit has a server keep to these bounds. Its listener must be wrapped by wrap.
func (cs *connections) limit(s *http.Server) {
	s.ConnState = cs.changed
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := connectionOf(r)
		cs.endHeader(c)
		defer cs.answered(c)
		next.ServeHTTP(w, r)
	})
}

// changed is a server's ConnState.
func (cs *connections) changed(conn net.Conn, state http.ConnState) {
	c := conn.(*connection)
	switch state {
	case http.StateNew:
		if surplus := cs.add(c); surplus != nil {
			surplus.Close() // net/http finds out by itself, and has nobody to tell either
		}
	case http.StateIdle:
		cs.beginHeader(c)
	case http.StateClosed, http.StateHijacked:
		cs.mu.Lock()
		cs.remove(c)
		cs.mu.Unlock()
	}
}

// add takes in a connection, and returns the one to close instead, if there is one too many.
func (cs *connections) add(c *connection) (surplus *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open >= cs.most {
		first := cs.nobodys.Front()
		if first == nil {
			first = cs.idle.Front()
		}
		if first == nil {
			return c // each is of another owner, and serves a request
		}
		surplus = first.Value.(*connection)
		cs.remove(surplus)
	}
	cs.open++
	cs.disown(c)
	c.header.reading = true
	return surplus
}

// disown puts a connection last among those that are nobody's. cs.mu is held.
func (cs *connections) disown(c *connection) {
	c.place, c.since = cs.nobodys.PushBack(c), time.Now()
}

// admit waits until there is room for one more connection, or one that has had its grace.
func (cs *connections) admit() {
	for {
		wait := cs.full()
		if wait <= 0 {
			return
		}
		select {
		case <-time.After(wait):
		case <-cs.room:
		}
	}
}

// full returns how long it will be until one more connection can be taken in.
func (cs *connections) full() time.Duration {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	first := cs.nobodys.Front()
	if cs.open < cs.most || first == nil {
		return 0
	}
	return grace - time.Since(first.Value.(*connection).since)
}

// remove forgets a connection. cs.mu is held.
func (cs *connections) remove(c *connection) {
	if c.place == nil && c.owner == nil {
		return // it made room, or was turned away
	}
	cs.leave(c)
	cs.dropHeader(c)
	cs.open--
	select {
	case cs.room <- struct{}{}:
	default: // it is known already
	}
}

// leave takes a connection from its list and its owner. cs.mu is held.
func (cs *connections) leave(c *connection) {
	o := c.owner
	switch {
	case o == nil:
		cs.nobodys.Remove(c.place)
	case c.place == nil:
		o.serving--
		cs.serving--
	default:
		cs.idle.Remove(c.place)
		o.resting--
		cs.resting--
	}
	c.place, c.owner = nil, nil
	if o != nil && o.serving+o.resting == 0 {
		delete(cs.owners, o.name)
	}
}

// confirm gives a connection to the owner of the request on it, and reports whether that may have one more.
func (cs *connections) confirm(c *connection, name string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.place == nil {
		return c.owner != nil // it is confirmed, or was closed meanwhile
	}
	o := cs.owners[name]
	if o == nil {
		o = &owner{name: name}
	}
	fits := share.Fits(o.serving, 1, cs.most-cs.serving, cs.reserve)
	cs.leave(c)
	if !fits {
		cs.disown(c)
		return false
	}
	cs.dropHeader(c)
	cs.owners[name] = o
	o.serving++
	cs.serving++
	c.owner = o
	return true
}

// rest puts a connection whose request was served behind the others that wait for one. What an owner has beyond its share
// of all connections is nobody's.
func (cs *connections) rest(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	o := c.owner
	if c.place == nil && o == nil {
		return // it is closed
	}
	cs.leave(c)
	if o == nil || !share.Fits(o.serving+o.resting, 1, cs.most-cs.serving-cs.resting, cs.reserve) {
		cs.disown(c)
		return
	}
	cs.owners[o.name] = o
	o.resting++
	cs.resting++
	c.owner, c.place = o, cs.idle.PushBack(c)
}

// nobody reports whether a connection is nobody's.
func (cs *connections) nobody(c *connection) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return c.owner == nil
}

// answered gives back what a request held.
func (cs *connections) answered(c *connection) {
	if c.body > 0 {
		cs.bodies.Give(c.payer, c.body)
	}
	if c.answer > 0 {
		cs.answers.Give(c.payer, c.answer)
	}
	c.confirmed, c.payer, c.body, c.answer, c.headerBytes, c.bodyStartedAt = false, "", 0, 0, 0, time.Time{}
	cs.rest(c)
}

// Confirm says that a request's caller is known, and who is charged for what the request holds. CodeRateLimited: too
// many of the owner's requests are under way. A handler calls it before it reads the body.
func Confirm(r *http.Request, owner string) error {
	c := connectionOf(r)
	if c == nil {
		return nil
	}
	if !c.all.confirm(c, owner) {
		return tooMuch("too many of your requests are in progress; send fewer at the same time, and try again shortly")
	}
	c.confirmed = true
	claimed := c.pays(owner)
	return c.holdBody(claimed)
}

// Claim says who a request's caller may be, if only its body can tell: the claimed owner is charged for that as if it were
// another one, so that nobody can use up the share of somebody else.
func Claim(r *http.Request, owner string) {
	if c := connectionOf(r); c != nil {
		c.pays("claimed " + owner)
	}
}

// pays has another owner pay for the request, and returns how many bytes the one before had paid for.
func (c *connection) pays(owner string) (bytes int) {
	if c.body > 0 {
		c.all.bodies.Give(c.payer, c.body)
		bytes = int(c.body) + limits.UncountedBytes - c.headerBytes
	}
	c.payer, c.body = owner, 0
	return bytes
}

// holdBody charges the caller for so many bytes of the request's body in all, and for its header.
func (c *connection) holdBody(bytes int) error {
	if c == nil || !grow(c.all.bodies, c.payer, &c.body, c.headerBytes+bytes) {
		return nil
	}
	return tooMuch("too many bytes of your requests are in transit; send fewer large ones at the same time, and try again shortly")
}

// Charge charges the caller for an answer of so many bytes, until it has been sent: who does not read what it asks for
// keeps it in memory. CodeRateLimited: its answers have too many. It is called as soon as the size is known, and can be
// called again with a larger one.
func Charge(w http.ResponseWriter, bytes int) error {
	rec, ok := w.(*recorder)
	if !ok || rec.conn == nil || !grow(rec.conn.all.answers, rec.conn.payer, &rec.conn.answer, bytes) {
		return nil
	}
	return tooMuch("too many bytes of responses to you are in transit; read them, or ask for smaller pages, and try again shortly")
}

// grow takes what is missing to bytes in all, less those that are not counted, and reports whether the payer may not.
func grow(pool *share.Pool, payer string, held *int64, bytes int) (refused bool) {
	more := int64(bytes) - limits.UncountedBytes - *held
	if more <= 0 {
		return false
	}
	if !pool.Take(payer, more) {
		return true
	}
	*held += more
	return false
}

func tooMuch(message string) error {
	return &bellwire.Error{Code: bellwire.CodeRateLimited, Message: message, RetryAfter: time.Second}
}
