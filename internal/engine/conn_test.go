package engine

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire"
)

// pipes is a listener for connections that dial makes of pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Under steady traffic, also where requests overlap at all times, no connection is used for much longer than
// maxConnAge, and no request is cut off when it ends. So a receiver's move in DNS is followed.
func TestConnectionsDoNotGrowOld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secure bool
		takes  time.Duration // an answer
	}{
		"HTTP/1.1":              {false, 10 * time.Millisecond},
		"HTTP/1.1, overlapping": {false, 3 * time.Second},
		"HTTP/2":                {true, 10 * time.Millisecond},
		"HTTP/2, overlapping":   {true, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const lasts, every = 10 * time.Minute, time.Second
				type born struct{}
				var (
					opened, requests atomic.Int32
					config           *tls.Config
				)
				l := newPipes()
				server := &http.Server{
					ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
						opened.Add(1)
						return context.WithValue(ctx, born{}, time.Now())
					},
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						requests.Add(1)
						if age := time.Since(r.Context().Value(born{}).(time.Time)); age > maxConnAge+2*(every+c.takes) {
							t.Errorf("a request came on a connection of %s", age)
						}
						time.Sleep(c.takes)
						_, _ = io.WriteString(w, "thanks")
					}),
					ErrorLog: log.New(io.Discard, "", 0),
				}
				url := "http://a.test/"
				var serving sync.WaitGroup
				if c.secure {
					cert, pool := certificate(t, "a.test", time.Now().Add(time.Hour))
					config, url = &tls.Config{RootCAs: pool}, "https://a.test/"
					server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
					serving.Go(func() { _ = server.ServeTLS(l, "", "") }) // ends with the listener
				} else {
					serving.Go(func() { _ = server.Serve(l) })
				}
				transport := newTransport(l.dial, 64, config)
				for began := time.Now(); time.Since(began) < lasts; time.Sleep(every) {
					serving.Go(func() {
						if r := attemptOver(transport, url, patient); r.verdict != bellwire.Acknowledged {
							t.Error(r.attempt.Error)
						}
					})
				}
				time.Sleep(2 * c.takes)
				if n, want := requests.Load(), int32(lasts/every); n != want {
					t.Errorf("%d requests came of %d attempts", n, want)
				}
				if n := opened.Load(); n < 5 || n > 5*5 {
					t.Errorf("%d connections were opened in %s", n, lasts)
				}
				transport.CloseIdleConnections()
				_ = server.Close()
				serving.Wait()
			})
		})
	}
}
