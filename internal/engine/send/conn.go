package send

import (
	"crypto/tls"
	"math"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxConnAge bounds how long a connection is used, so that a receiver's move in DNS is followed. The request that
	// finds the connection this old is the last one on it; one that nobody uses ends after idleTimeout.
	maxConnAge = 2 * time.Minute
	// keepAliveMargin is subtracted from the receiver's keep-alive timeout: a request that crosses the close on the wire
	// is lost.
	keepAliveMargin = time.Second
)

// conn is a connection to a receiver. It keeps track of how long it can be used, and asks the fence of the attempt that
// it serves before each write.
type conn struct {
	net.Conn
	socket   syscall.RawConn // nil: there is none
	made     time.Time
	closesAt atomic.Int64 // when the receiver closes it if it stays idle, in nanoseconds since 1970; 0: it did not say
	retired  atomic.Bool  // the receiver was asked to close it
	written  atomic.Int64 // bytes
	read     atomic.Int64 // bytes
	lease    atomic.Pointer[leaseCheck]
}

func newConn(inner net.Conn) *conn {
	c := &conn{Conn: inner, made: time.Now()}
	if s, ok := inner.(syscall.Conn); ok {
		c.socket, _ = s.SyscallConn() // without it the connection is not looked at
	}
	return c
}

// connOf returns the connection below TLS, nil if it is of another kind, and reports whether HTTP/2 runs over it, where
// several requests share one.
func connOf(top net.Conn) (c *conn, shared bool) {
	if secure, ok := top.(*tls.Conn); ok {
		shared = secure.ConnectionState().NegotiatedProtocol == "h2"
		top = secure.NetConn()
	}
	c, _ = top.(*conn)
	return c, shared
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if l := c.lease.Load(); l != nil && !l.ok() {
		return 0, errLeaseLost
	}
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// stale reports whether a connection that was idle is no longer good for a request. What arrives on an idle one of
// HTTP/1.1 is no answer to anything; over HTTP/2 it may be the business of others.
func (c *conn) stale(now time.Time, shared bool) bool {
	closesAt := c.closesAt.Load()
	if c.retired.Load() && !shared || closesAt > 0 && now.UnixNano() > closesAt {
		return true
	}
	if c.socket == nil {
		return false
	}
	arrived, ended := peek(c.socket)
	return ended || arrived && !shared
}

// keptFor reads how long the receiver keeps the connection while it is idle, from a header like
// "Keep-Alive: timeout=5, max=100".
func (c *conn) keptFor(header string, now time.Time) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds < 0 || !strings.EqualFold(name, "timeout") {
			continue
		}
		kept := min(time.Duration(min(seconds, math.MaxInt32))*time.Second, idleTimeout)
		c.closesAt.Store(now.Add(kept - keepAliveMargin).UnixNano())
	}
}
