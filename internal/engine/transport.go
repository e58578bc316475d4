package engine

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/bellwire/bellwire"
)

// Bounds on connections and on what a receiver may send.
const (
	maxIdle            = 2048 // connections kept open in all
	idleTimeout        = 60 * time.Second
	maxResponseHeaders = 64 << 10
	readBody           = 64 << 10
	keepAlive          = 30 * time.Second
	// A dial and a handshake go on after the attempt that began them, so they have a bound of their own. A
	// connection that is kept is asked as often whether it is still there.
	connectTimeout = 15 * time.Second
)

// dialFunc opens a connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport makes the HTTP client's lower half. Each attempt brings the one deadline that covers all of it.
func newTransport(dial dialFunc, idlePerHost int, config *tls.Config) *http.Transport {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return &http.Transport{
		Proxy:               nil, // a proxy would resolve names behind the guard's back
		DialContext:         fenced(dial),
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
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // a compressed answer stays as small as it came
		MaxResponseHeaderBytes: maxResponseHeaders,
		WriteBufferSize:        4 << 10,
		ReadBufferSize:         4 << 10,
	}
}

// guardedDialer dials only what the guard lets through.
func guardedDialer(allowed []netip.Prefix) dialFunc { return newDialer(allowed).DialContext }

func newDialer(allowed []netip.Prefix) *net.Dialer {
	return &net.Dialer{Control: newGuard(allowed).control, KeepAlive: keepAlive, Timeout: connectTimeout}
}
