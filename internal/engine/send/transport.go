package send

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

// Bounds on connections and on what a receiver may send.
const (
	idleTimeout        = 60 * time.Second
	maxResponseHeaders = 64 << 10
	readBody           = 64 << 10
	// bodyTimeout bounds the wait for the body of an answer, because the status alone decides.
	bodyTimeout = 3 * time.Second
	keepAlive   = 30 * time.Second
	// aloneTimeout closes the connection of a test that became idle only after its transport was closed.
	aloneTimeout = time.Second
	// connectTimeout bounds a dial and a handshake, which outlive the attempt that started them. It is also the interval of pings
	// on a kept connection.
	connectTimeout = 15 * time.Second
)

// dialFunc opens a connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// transport sends requests. The context of a request has the one deadline that covers all of it.
type transport struct {
	kept  http.RoundTripper // reuses connections
	fresh http.RoundTripper // opens a new connection for each request, and says that it will close it
	// alone returns a transport for one request. The request opens a new connection and looks like any other.
	alone func() *http.Transport
}

// newTransport returns a transport that keeps up to idlePerHost idle connections to each host, and up to idle in all.
func newTransport(dial dialFunc, idlePerHost, idle int, config *tls.Config) *transport {
	kept, fresh := newHTTP(dial, idlePerHost, config), newHTTP(dial, idlePerHost, config)
	kept.MaxIdleConns = idle
	fresh.DisableKeepAlives = true
	return &transport{kept: kept, fresh: fresh, alone: func() *http.Transport {
		h := newHTTP(dial, 1, config)
		h.IdleConnTimeout = aloneTimeout
		return h
	}}
}

// CloseIdleConnections closes the connections that no attempt uses.
func (t *transport) CloseIdleConnections() {
	for _, half := range []http.RoundTripper{t.kept, t.fresh} {
		if c, ok := half.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

// newRequest returns the request of an attempt. The transport changes neither URL nor body.
func newRequest(ctx context.Context, target *url.URL, body []byte) *http.Request {
	r := emptyRequest.WithContext(ctx) // the only way to give it a context, and a copy
	r.URL, r.Host, r.Header = target, target.Host, make(http.Header, 8)
	r.Body, r.GetBody, r.ContentLength = readerOf(body), refuseBody, int64(len(body))
	return r
}

var emptyRequest = http.Request{Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

func readerOf(body []byte) io.ReadCloser {
	if len(body) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(body))
}

var errUntaken = errors.New("the endpoint did not take the request")

// refuseBody is a request's GetBody. net/http calls it to repeat a request: over HTTP/2 when the receiver says that it did not
// process the request, else when nothing was written, or when a header of the endpoint marks the request as idempotent. It
// repeats without limit, so refuseBody fails, and post decides instead.
func refuseBody() (io.ReadCloser, error) { return nil, errUntaken }

// post sends the request. It sends it once more over a new connection if the receiver certainly did not get or process it: the
// kept connection was closed before anything was written, or the receiver says so over HTTP/2 (RFC 9113, 8.7).
func (t *transport) post(first http.RoundTripper, req *http.Request, body []byte, tr *trace) (*http.Response, error) {
	resp, err := first.RoundTrip(req)
	if err == nil || !tr.unsent(err) || req.Context().Err() != nil {
		return resp, err
	}
	tr.startOver()
	second := req.Clone(req.Context())
	delete(second.Header, "Connection") // set for an old connection
	second.Body = readerOf(body)
	tr.header = second.Header
	return t.fresh.RoundTrip(second)
}

func newHTTP(dial dialFunc, idlePerHost int, config *tls.Config) *http.Transport {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.GetClientCertificate = noCertificate
	return &http.Transport{
		Proxy: nil, // a proxy would resolve names behind the guard's back
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(dialContext(ctx), network, address)
			if err != nil {
				return nil, err
			}
			return newConn(c), nil
		},
		TLSClientConfig:     config,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: connectTimeout,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: connectTimeout,
			PingTimeout:     connectTimeout,
			// Without this, a peer that reads nothing would hold its connection's memory forever.
			WriteByteTimeout: connectTimeout,
			// Received data stays in memory until it is read, and no more than readBody is read.
			MaxReceiveBufferPerStream:     readBody,
			MaxReceiveBufferPerConnection: bellwire.DefaultMaxInFlight * readBody,
		},
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // a compressed answer stays as small as it came
		MaxResponseHeaderBytes: maxResponseHeaders,
		WriteBufferSize:        4 << 10,
		ReadBufferSize:         4 << 10,
	}
}

// guardedDialer returns a dialFunc that dials only addresses that the guard allows.
func guardedDialer(guard *destination.Guard) dialFunc {
	return guarded(newDialer(guard), new(lookups))
}

// guarded returns a dialFunc whose errors include shortages of this node in name resolution.
func guarded(dialer *net.Dialer, names *lookups) dialFunc {
	dialer.Resolver = names.resolver()
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		began := time.Now()
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, names.cause(err, began)
		}
		return conn, nil
	}
}

// newDialer returns a dialer. Without a guard it dials public addresses only.
func newDialer(guard *destination.Guard) *net.Dialer {
	if guard == nil {
		guard = destination.New(destination.Config{})
	}
	return &net.Dialer{Control: guard.Control, KeepAlive: keepAlive, Timeout: connectTimeout}
}
