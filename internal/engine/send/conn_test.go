package send

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
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
				transport := newTransport(l.dial, 64, 64, config)
				for began := time.Now(); time.Since(began) < lasts; time.Sleep(every) {
					serving.Go(func() {
						if r := attemptOver(transport, url, longTimeout); r.Verdict != bellwire.Acknowledged {
							t.Error(r.Attempt.Error)
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

// What is dialled, TLS's server name and the Host header are one name, also where the URL's is not in ASCII.
func TestOneNameForDialTLSAndHost(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://BÜCHER.example/a?b=c":  "xn--bcher-kva.example",
		"https://bu\u0308cher.example/": "xn--bcher-kva.example", // not composed
		"https://例。jp/":                 "xn--fsq.jp",
		"https://Example.COM/":          "example.com",
		"https://xn--BCHER-KVA.example": "xn--bcher-kva.example",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			normalized, err := destination.NormalizeURL(raw)
			if err != nil {
				t.Fatal(err)
			}
			seen := make(chan string, 2)
			cert, pool := certificate(t, want, time.Now().Add(time.Hour))
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Host }))
			s.TLS = &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				seen <- hello.ServerName
				return &cert, nil
			}}
			s.StartTLS()
			t.Cleanup(s.Close)
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != want+":443" {
					t.Errorf("%s was dialled", address)
				}
				return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			}
			if r := attempt(t, dial, &tls.Config{RootCAs: pool}, normalized, longTimeout); r.Verdict != bellwire.Acknowledged {
				t.Fatal(r.Attempt.Error)
			}
			if name, host := <-seen, <-seen; name != want || host != want {
				t.Errorf("server name %q, Host %q, want %q", name, host, want)
			}
		})
	}
}
