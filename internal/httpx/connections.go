package httpx

import (
	"container/list"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// reserved is the divisor for the part of all connections that is reserved for owners without a request.
const reserved = 16

// grace is the time that a new connection has until its caller is confirmed, before it can be closed to make room. It keeps many
// new connections, which wait to be accepted, from displacing clients that authenticate at once.
const grace = 100 * time.Millisecond

// connections bounds the connections of a server, and divides those that serve a request among their owners. A connection has no
// owner until the caller of its request is confirmed. When there are too many connections, the least recently used one without an
// owner is closed, or else one that is idle.
type connections struct {
	most, reserve   int64
	bodies, answers *share.Pool // of bytes

	mu      sync.Mutex
	open    int64
	serving int64 // of open: with a request whose caller is confirmed
	resting int64 // of open: in idle
	owners  map[string]*owner
	unowned list.List // of *connection, without an owner; the least recently used first
	headers headers
	idle    list.List // of *connection, between two requests of their owner; the least recently used first

	room chan struct{} // signaled when a connection has ended
}

// owner counts the connections of one owner.
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

// connection is a connection of a server, with the resources that its request holds.
type connection struct {
	net.Conn
	all *connections

	// Guarded by all.mu.
	element *list.Element // in unowned or idle; nil while a confirmed request is served, and when closed
	owner   *owner        // nil for none
	since   time.Time     // when it was put into unowned
	header  header

	caller atomic.Pointer[share.Caller] // nil until it is confirmed

	begun bool // a byte has been received; written before the first handler is called

	// Used by the handler only.
	confirmed     bool
	payer         string // the owner that is charged for the following
	body, answer  int64  // charged bytes
	headerBytes   int    // charged together with the body
	bodyStartedAt time.Time
}

type connKey struct{}

// connectionOf returns the connection of a request, nil if it is not one of a Server.
func connectionOf(r *http.Request) *connection {
	c, _ := r.Context().Value(connKey{}).(*connection)
	return c
}

// limit applies these bounds to a server, which must be started by Server.Serve.
func (cs *connections) limit(s *http.Server) {
	s.ConnState = cs.changed
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		c := conn.(*connection)
		return share.WithCaller(share.WithRoom(context.WithValue(ctx, connKey{}, c), c.hasRoom), c.callerNow)
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
		switch surplus := cs.add(c); surplus {
		case nil:
		case c:
			c.turnAway()
		default:
			surplus.Close() // net/http notices it
		}
	case http.StateIdle:
		cs.beginHeader(c)
	case http.StateClosed, http.StateHijacked:
		cs.mu.Lock()
		cs.remove(c)
		cs.mu.Unlock()
	}
}

// add adds a connection, and returns the one to be closed if there are too many.
func (cs *connections) add(c *connection) (surplus *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open >= cs.most {
		first := cs.unowned.Front()
		if first == nil {
			first = cs.idle.Front()
		}
		if first == nil {
			return c // all serve requests
		}
		surplus = first.Value.(*connection)
		cs.remove(surplus)
	}
	cs.open++
	cs.disown(c)
	c.header.reading = true
	return surplus
}

// noRoom is the answer to a connection while all others serve requests of confirmed callers.
const noRoom = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: 206\r\nRetry-After: 1\r\n" +
	"Connection: close\r\n\r\n" + `{"type":"/docs#error-unavailable","title":"Temporarily unavailable","status":503,"code":"unavailable",` +
	`"detail":"all connections of the server are serving requests; try again shortly, or reuse connections"}` + "\n"

// noRoomTimeout is how long the answer may take. It is sent at once to a client on TCP, because the connection's buffer is empty.
const noRoomTimeout = 10 * time.Millisecond

// turnAway answers a new connection that there is no room for, and closes it. Its request is not read, so that it holds nothing.
func (c *connection) turnAway() {
	_ = c.Conn.SetWriteDeadline(time.Now().Add(noRoomTimeout)) // a closed connection fails when it is written
	if _, err := io.WriteString(c.Conn, noRoom); err == nil {
		_ = c.CloseWrite() // Close ends it, too
	}
	c.Close()
}

// disown puts a connection last among those without an owner. The caller must hold cs.mu.
func (cs *connections) disown(c *connection) {
	c.element, c.since = cs.unowned.PushBack(c), time.Now()
}

// admit waits until there is room for another connection, or one whose grace has ended.
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

// full returns the time until another connection can be accepted.
func (cs *connections) full() time.Duration {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	first := cs.unowned.Front()
	if cs.open < cs.most || first == nil {
		return 0
	}
	return grace - time.Since(first.Value.(*connection).since)
}

// remove removes a connection. The caller must hold cs.mu.
func (cs *connections) remove(c *connection) {
	if c.element == nil && c.owner == nil {
		return // it was closed to make room
	}
	cs.leave(c)
	cs.dropHeader(c)
	cs.open--
	select {
	case cs.room <- struct{}{}:
	default: // signaled already
	}
}

// leave removes a connection from its list and its owner. The caller must hold cs.mu.
func (cs *connections) leave(c *connection) {
	o := c.owner
	switch {
	case o == nil:
		cs.unowned.Remove(c.element)
	case c.element == nil:
		o.serving--
		cs.serving--
	default:
		cs.idle.Remove(c.element)
		o.resting--
		cs.resting--
	}
	c.element, c.owner = nil, nil
	if o != nil && o.serving+o.resting == 0 {
		delete(cs.owners, o.name)
	}
}

// confirm assigns a connection to the owner of its request, and reports whether the owner may have another one.
func (cs *connections) confirm(c *connection, name string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.element == nil {
		return c.owner != nil // confirmed already, or closed
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

// rest makes a connection idle when its request has been served. Connections beyond the owner's share lose their owner.
func (cs *connections) rest(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	o := c.owner
	if c.element == nil && o == nil {
		return // closed
	}
	cs.leave(c)
	if o == nil || !share.Fits(o.serving+o.resting, 1, cs.most-cs.serving-cs.resting, cs.reserve) {
		cs.disown(c)
		return
	}
	cs.owners[o.name] = o
	o.resting++
	cs.resting++
	c.owner, c.element = o, cs.idle.PushBack(c)
}

// isUnowned reports whether a connection has no owner.
func (cs *connections) isUnowned(c *connection) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return c.owner == nil
}

// answered releases the resources of a request.
func (cs *connections) answered(c *connection) {
	if c.body > 0 {
		cs.bodies.Give(c.payer, c.body)
	}
	if c.answer > 0 {
		cs.answers.Give(c.payer, c.answer)
	}
	c.caller.Store(nil)
	c.confirmed, c.payer, c.body, c.answer, c.headerBytes, c.bodyStartedAt = false, "", 0, 0, 0, time.Time{}
	cs.rest(c)
}

// Confirm records that the caller of a request is authenticated, and which owner is charged for its resources. Its error has
// CodeRateLimited if the owner has too many requests in progress. A handler must call it before it reads the body.
func Confirm(r *http.Request, owner string) error {
	c := connectionOf(r)
	if c == nil {
		return nil
	}
	if !c.all.confirm(c, owner) {
		return tooMuch("too many of your requests are in progress; send fewer at the same time, and try again shortly")
	}
	c.confirmed = true
	c.caller.Store(&share.Caller{Owner: owner, Queue: r.PathValue("tenant")})
	claimed := c.pays(owner)
	return c.holdBody(claimed)
}

// callerNow returns the caller of the request that is served.
func (c *connection) callerNow() share.Caller {
	if caller := c.caller.Load(); caller != nil {
		return *caller
	}
	return share.Caller{}
}

// Claim records the unverified owner of a request that only its body can authenticate. The body is charged to a separate owner of
// that name, so that false claims do not use up the share of the real one.
func Claim(r *http.Request, owner string) {
	if c := connectionOf(r); c != nil {
		c.pays("claimed " + owner)
	}
}

// pays changes the owner that is charged for the request, and returns the number of bytes charged to the previous one.
func (c *connection) pays(owner string) (bytes int) {
	if c.body > 0 {
		c.all.bodies.Give(c.payer, c.body)
		bytes = int(c.body) + limits.UncountedBytes - c.headerBytes
	}
	c.payer, c.body = owner, 0
	return bytes
}

// holdBody charges the caller for the request's header, and for its body of the given total size.
func (c *connection) holdBody(bytes int) error {
	if c == nil || !grow(c.all.bodies, c.payer, &c.body, c.headerBytes+bytes) {
		return nil
	}
	return tooMuch("too many bytes of your requests are in transit; send fewer large ones at the same time, and try again shortly")
}

// Charge charges the caller for a response of the given size until it has been sent, because a caller that does not read its
// responses keeps them in memory. Its error has CodeRateLimited if the caller's responses have too many bytes. It should be called
// as soon as the size is known, and may be called again with a larger one.
func Charge(w http.ResponseWriter, bytes int) error {
	rec, ok := w.(*recorder)
	if !ok || rec.conn == nil || !grow(rec.conn.all.answers, rec.conn.payer, &rec.conn.answer, bytes) {
		return nil
	}
	return tooMuch("too many bytes of responses to you are in transit; read them, or ask for smaller pages, and try again shortly")
}

// hasRoom reports whether Charge would accept a large response. It must be called by the handler.
func (c *connection) hasRoom() bool { return c.all.answers.Fits(c.payer, limits.LargeAnswer) }

// grow charges the difference to the given total, except for uncounted bytes, and reports whether that was refused.
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
