package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
)

// fence lets an attempt's request out only while its delivery is this node's to send. A node that is stopped for longer
// than its lease goes on in the middle of what it did, so the last moment before the request leaves is the one to look.
// An idle connection keeps the last one, so it holds nothing big.
type fence struct {
	mine     func(endpoint string, epoch int64) bool // whether this node owns the endpoint in the epoch
	endpoint string
	epoch    int64
	giveUp   context.CancelFunc // ends the attempt
	refused  atomic.Bool
}

var errFenced = errors.New("the delivery is another node's now")

// allows tells whether the request may go out.
func (f *fence) allows() bool {
	if f.mine(f.endpoint, f.epoch) {
		return true
	}
	f.refused.Store(true)
	return false
}

// guard stands before a connection that the transport has chosen for the request. Several share one of HTTP/2: there the
// request is stopped here or not at all.
func (f *fence) guard(conn net.Conn) {
	secure, isTLS := conn.(*tls.Conn)
	if isTLS {
		conn = secure.NetConn()
	}
	if isTLS && secure.ConnectionState().NegotiatedProtocol == "h2" {
		if !f.allows() {
			f.giveUp()
		}
		return
	}
	if c, ok := conn.(*fencedConn); ok {
		c.fence.Store(f)
	}
}

// fencedConn is a connection on which the fence of the attempt that it serves stands before each write.
type fencedConn struct {
	net.Conn
	fence atomic.Pointer[fence]
}

func (c *fencedConn) Write(p []byte) (int, error) {
	if f := c.fence.Load(); f != nil && !f.allows() {
		return 0, errFenced
	}
	return c.Conn.Write(p)
}

// fenced has connections fenced.
func fenced(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &fencedConn{Conn: conn}, nil
	}
}
