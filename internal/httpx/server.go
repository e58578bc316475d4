package httpx

import (
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// The limits of the HTTP server. They bound what a slow or hostile client can hold.
const (
	ReadTimeout    = 5 * time.Second // a request's header, and all of one whose caller is not confirmed
	IdleTimeout    = 2 * time.Minute // between requests of one connection, where the last had a confirmed caller
	MaxHeaderBytes = 32 << 10        // line and headers of a request

	// Patience is how long a confirmed caller may take to go on: with the body that it sends, and with the answer that
	// it reads. It is also how long a connection without such a caller is kept.
	Patience = 10 * time.Second
	// bodyRate is how many bytes of a body must come in each second beyond Patience.
	bodyRate = 16 << 10
)

// Bounds on what is written. The kernel's buffer is kept small, so that it takes a part of what a slow client is sent
// within Patience, and so that who reads nothing does not keep megabytes there.
const (
	writePiece  = 64 << 10
	writeBuffer = 128 << 10
)

// Server is an HTTP server with these limits.
type Server struct {
	*http.Server
	connections *connections
}

// NewServer makes a Server. It keeps at most so many connections. It is not started; nobody else may set its ConnState and
// ConnContext.
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

// Serve is http.Server's.
func (s *Server) Serve(l net.Listener) error {
	return s.Server.Serve(&listener{l, s.connections})
}

type listener struct {
	net.Listener
	connections *connections
}

// Accept waits for a connection, and for room for it.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(writeBuffer) // with the system's own it works, too
	}
	l.connections.admit()
	return &connection{Conn: conn, all: l.connections}, nil
}

// Write writes b, as long as the client takes something of it within Patience.
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

// CloseWrite ends what is sent, as net/http does before it closes a connection whose client may still be sending.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// wait gives a confirmed caller's body as much time as what has come of it is worth. Others' must have come by ReadTimeout.
func (c *connection) wait(arrived int) {
	if c == nil || !c.confirmed {
		return
	}
	if c.bodyStartedAt.IsZero() {
		c.bodyStartedAt = time.Now()
	}
	earned := time.Duration(arrived/bodyRate) * time.Second
	_ = c.SetReadDeadline(c.bodyStartedAt.Add(Patience + earned)) // a connection that is closed tells so when it is read
}

// SetReadDeadline is net.Conn's. net/http sets IdleTimeout by it: a connection that is nobody's is not kept that long.
func (c *connection) SetReadDeadline(t time.Time) error {
	if soon := time.Now().Add(Patience); t.After(soon) && c.all.nobody(c) {
		t = soon
	}
	return c.Conn.SetReadDeadline(t)
}

// hurry gives the rest of a body that is not taken the time of a refusal.
func (c *connection) hurry() { _ = c.SetReadDeadline(time.Now().Add(maxRefusal)) }
