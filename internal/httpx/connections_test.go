package httpx

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// limited starts a server that keeps so many connections, and whose answers to /wait come when the test lets them.
func limited(t *testing.T, most int) (address string, inside <-chan struct{}, release chan<- struct{}) {
	t.Helper()
	entered, let := make(chan struct{}), make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			entered <- struct{}{}
			<-let
		}
	})}
	limit(s, most)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-served })
	return l.Addr().String(), entered, let
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Error(err)
	}
}

func answered(t *testing.T, c net.Conn) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
}

func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error("the connection is still open")
	}
}

// Connections that ask nothing make room, the longest idle first, and one whose request is answered never does.
func TestConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	address, inside, release := limited(t, 3)
	busy := connect(t, address)
	ask(t, busy, "/wait")
	<-inside
	silent, served := connect(t, address), connect(t, address)
	ask(t, served, "/") // so both have been taken in, and this one has had its answer last
	answered(t, served)

	next := connect(t, address)
	ask(t, next, "/")
	answered(t, next)
	closed(t, silent)
	ask(t, served, "/")
	answered(t, served)

	release <- struct{}{}
	answered(t, busy)
}

// When all are being answered the newest is turned away.
func TestTooManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	address, inside, release := limited(t, 2)
	first, second := connect(t, address), connect(t, address)
	for _, c := range []net.Conn{first, second} {
		ask(t, c, "/wait")
		<-inside
	}
	closed(t, connect(t, address))
	release <- struct{}{}
	release <- struct{}{}
	answered(t, first)
	answered(t, second)
}

// Nothing is remembered of connections that are gone, also when net/http has answered by itself.
func TestConnectionsAreForgotten(t *testing.T) {
	t.Parallel()
	c := newConnections(10)
	ours, theirs := net.Pipe()
	defer theirs.Close()
	for _, state := range []http.ConnState{http.StateNew, http.StateActive, http.StateIdle, http.StateActive, http.StateIdle} {
		c.changed(ours, state)
		if len(c.all) != 1 || c.waiting.Len() != 1 {
			t.Errorf("after %s: %d known, %d waiting", state, len(c.all), c.waiting.Len())
		}
	}
	c.answering(ours)
	c.changed(ours, http.StateClosed)
	if len(c.all) != 0 || c.waiting.Len() != 0 {
		t.Errorf("after the end: %d known, %d waiting", len(c.all), c.waiting.Len())
	}
}
