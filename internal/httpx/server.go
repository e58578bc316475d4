package httpx

import (
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// Limits of the HTTP server, which bound the resources of slow and hostile clients.
const (
	ReadTimeout    = 5 * time.Second // for a header from its first byte, and for the whole request while its caller is not confirmed
	IdleTimeout    = 2 * time.Minute // between requests of a connection with a confirmed caller
	MaxHeaderBytes = 32 << 10        // request line and headers

	// SilenceTimeout is the time for the first byte of a new connection. It is longer than the minute for which browsers keep a
	// connection that they have not used. The request of a busy one would fail on a connection that is closed before, because
	// browsers send requests again only on connections that have been idle.
	SilenceTimeout = 70 * time.Second

	// Patience is the longest pause of a confirmed caller in sending a body or reading a response. It is also the longest
	// time for which a connection without such a caller is kept.
	Patience = 10 * time.Second
	// bodyRate is the minimum rate of a body in bytes per second, after Patience.
	bodyRate = 16 << 10
)

// Bounds on writing. The kernel's buffer is small, so that a slow client frees a part of it within Patience, and a client that
// reads nothing does not keep megabytes in it.
const (
	writePiece  = 64 << 10
	writeBuffer = 128 << 10
)

// Server is an HTTP server with these limits.
type Server struct {
	*http.Server
	connections *connections
}

// NewServer returns a Server with the given maximum of connections. Its ConnState and ConnContext must not be changed.
func NewServer(addr string, connections int, handler http.Handler) *Server {
	s := &Server{
		Server: &http.Server{
			Addr:              addr,
			Handler:           handler,
			ReadHeaderTimeout: ReadTimeout,
			ReadTimeout:       ReadTimeout,
			IdleTimeout:       IdleTimeout,
			MaxHeaderBytes:    MaxHeaderBytes,
		},
		connections: newConnections(connections),
	}
	s.connections.limit(s.Server)
	return s
}

// Serve is like the method of http.Server.
func (s *Server) Serve(l net.Listener) error {
	return s.Server.Serve(&listener{l, s.connections})
}

type listener struct {
	net.Listener
	connections *connections
}

// Accept waits for a connection, and until there is room for it.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(writeBuffer) // the default works, too
	}
	l.connections.admit()
	return &connection{Conn: conn, all: l.connections}, nil
}

// Write writes b while the client accepts some of it within Patience.
func (c *connection) Write(b []byte) (written int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(b[written:min(len(b), written+writePiece)])
		written += n
		late := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case err != nil && (!late || n == 0):
			return written, err
		case written == len(b):
			return written, nil
		}
	}
}

// CloseWrite closes the sending side, as net/http does before it closes a connection whose client may still be sending.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// wait extends the deadline of a confirmed caller's body by the time that its received bytes have earned. Other bodies must arrive within ReadTimeout.
func (c *connection) wait(arrived int) {
	if c == nil || !c.confirmed {
		return
	}
	if c.bodyStartedAt.IsZero() {
		c.bodyStartedAt = time.Now()
	}
	earned := time.Duration(arrived/bodyRate) * time.Second
	_ = c.SetReadDeadline(c.bodyStartedAt.Add(Patience + earned)) // a closed connection fails when it is read
}

// SetReadDeadline changes two deadlines that net/http sets by it: that of a new connection's first header is extended until the
// header begins, and the IdleTimeout of connections without an owner is shortened.
func (c *connection) SetReadDeadline(t time.Time) error {
	if !c.begun {
		return c.Conn.SetReadDeadline(time.Now().Add(SilenceTimeout))
	}
	if soon := time.Now().Add(Patience); t.After(soon) && c.all.isUnowned(c) {
		t = soon
	}
	return c.Conn.SetReadDeadline(t)
}

// hurry limits the time for the rest of a refused body.
func (c *connection) hurry() { _ = c.SetReadDeadline(time.Now().Add(maxRefusal)) }
