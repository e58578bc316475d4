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
	// maxConnAge bounds the age of a connection, so that changes in DNS take effect. The request that finds a connection this
	// old is the last one on it. An unused connection ends after idleTimeout.
	maxConnAge = 2 * time.Minute
	// keepAliveMargin is subtracted from the receiver's keep-alive timeout, because a request that crosses the close on the wire
	// is lost.
	keepAliveMargin = time.Second
)

// conn is a connection to a receiver. It records how long it can be used, and checks the lease of the attempt that it serves
// before each write.
type conn struct {
	net.Conn
	socket   syscall.RawConn // nil: not a socket
	made     time.Time
	closesAt atomic.Int64 // when the receiver closes it if it is idle, in Unix nanoseconds; 0: not known
	retired  atomic.Bool  // whether the receiver was asked to close it
	written  atomic.Int64 // bytes
	read     atomic.Int64 // bytes
	lease    atomic.Pointer[leaseCheck]
}

func newConn(inner net.Conn) *conn {
	c := &conn{Conn: inner, made: time.Now()}
	if s, ok := inner.(syscall.Conn); ok {
		c.socket, _ = s.SyscallConn() // without a socket, stale does not peek
	}
	return c
}

// connOf returns the connection below TLS, or nil if it is not a conn, and reports whether requests share it, as over HTTP/2.
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

// stale reports whether a connection that was idle can no longer be used. Data that arrived on an idle connection makes it
// unusable over HTTP/1.1, where it answers no request; over HTTP/2 it may be for other requests.
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

// keptFor reads how long the receiver keeps an idle connection, from a header such as
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
