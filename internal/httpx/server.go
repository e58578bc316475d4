package httpx

import (
	"net/http"
	"time"
)

// The limits of the HTTP server. They bound what a slow or hostile client can hold.
const (
	ReadHeaderTimeout = 10 * time.Second
	ReadTimeout       = time.Minute     // a whole request: 16 MiB over a slow line
	WriteTimeout      = 2 * time.Minute // from the end of the request's header to the end of the answer
	IdleTimeout       = 2 * time.Minute // between requests of one connection
	MaxHeaderBytes    = 32 << 10        // line and headers of a request
)

// NewServer makes a server with these limits. It keeps at most so many connections. It is not started; nobody else may set
// its ConnState and ConnContext.
func NewServer(addr string, connections int, handler http.Handler) *http.Server {
	server := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeaderBytes,
	}
	limit(server, connections)
	return server
}
