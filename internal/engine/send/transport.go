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
	// The status decides, so the rest of an answer is waited for only so long.
	bodyTimeout = 3 * time.Second
	keepAlive   = 30 * time.Second
	// A dial and a handshake go on after the attempt that began them, so they have a bound of their own. A
	// connection that is kept is asked as often whether it is still there.
	connectTimeout = 15 * time.Second
)

// dialFunc opens a connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// transport is the HTTP client's lower half. Each attempt brings the one deadline that covers all of it.
type transport struct {
	kept  http.RoundTripper // uses connections again
	fresh http.RoundTripper // makes a new connection for each request
}

// newTransport returns a transport that keeps up to idlePerHost idle connections to each host, and up to idle in all.
func newTransport(dial dialFunc, idlePerHost, idle int, config *tls.Config) *transport {
	kept, fresh := newHTTP(dial, idlePerHost, config), newHTTP(dial, idlePerHost, config)
	kept.MaxIdleConns = idle
	fresh.DisableKeepAlives = true
	return &transport{kept: kept, fresh: fresh}
}

// CloseIdleConnections closes the connections that no attempt uses.
func (t *transport) CloseIdleConnections() {
	for _, half := range []http.RoundTripper{t.kept, t.fresh} {
		if c, ok := half.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

// newRequest makes the request of an attempt. The transport changes neither URL nor body.
func newRequest(ctx context.Context, target *url.URL, body []byte) *http.Request {
	r := http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, 8), Body: readerOf(body), GetBody: refuseBody, ContentLength: int64(len(body)),
	}
	return r.WithContext(ctx)
}

func readerOf(body []byte) io.ReadCloser {
	if len(body) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(body))
}

var errUntaken = errors.New("the endpoint did not take the request")

// refuseBody is a request's GetBody, by which net/http asks for the body once more: over HTTP/2 when the receiver said
// that it did not process the request, else when nothing was written or when a header of the endpoint's own calls the
// request idempotent. net/http repeats as often as it likes, so it gets nothing, and post decides.
func refuseBody() (io.ReadCloser, error) { return nil, errUntaken }

// post sends the request, and once more over a new connection if it is certain that the receiver did not get to see it or
// did not process it: the kept connection was closed before anything was written, or the receiver says so in the words of
// HTTP/2 (RFC 9113, 8.7).
func (t *transport) post(req *http.Request, body []byte, tr *trace) (*http.Response, error) {
	resp, err := t.kept.RoundTrip(req)
	if err == nil || !tr.unsent(err) || req.Context().Err() != nil {
		return resp, err
	}
	tr.again()
	second := req.Clone(req.Context())
	delete(second.Header, "Connection") // an old connection may have got it
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
			c, err := dial(ctx, network, address)
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
			// A peer that reads nothing would otherwise hold its connection's memory for good.
			WriteByteTimeout: connectTimeout,
			// What nobody has read yet stays in memory. More than readBody nobody reads.
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

// guardedDialer dials only what the guard lets through.
func guardedDialer(guard *destination.Guard) dialFunc {
	return guarded(newDialer(guard), new(lookups))
}

// guarded returns a dialFunc whose errors tell a shortage of the node, also one that name resolution met.
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

// newDialer returns a dialer. Without a guard it reaches public addresses only.
func newDialer(guard *destination.Guard) *net.Dialer {
	if guard == nil {
		guard = destination.New(destination.Config{})
	}
	return &net.Dialer{Control: guard.Control, KeepAlive: keepAlive, Timeout: connectTimeout}
}
