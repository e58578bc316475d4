package hostile

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// receiver has the hostile tenant's endpoints. The path of an endpoint selects its behaviour.
type receiver struct {
	http   *http.Server
	url    string       // of the endpoints that speak HTTP
	silent net.Listener // of the endpoint that accepts connections and never reads
	groups sync.WaitGroup

	received atomic.Int64 // requests that were acknowledged at once
}

func startReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	r := &receiver{url: "http://" + listener.Addr().String(), silent: silent}
	r.http = &http.Server{Handler: r.misbehaving()}
	r.groups.Go(func() { _ = r.http.Serve(listener) }) // returns when closed
	r.groups.Go(r.accept)
	return r, nil
}

func (r *receiver) close() error {
	err := errors.Join(r.silent.Close(), r.http.Close())
	r.groups.Wait()
	return err
}

// at returns the URL of an endpoint with the given behaviour.
func (r *receiver) at(kind string) string { return r.url + "/" + kind }

// unread returns the URL of an endpoint that accepts connections and never reads.
func (r *receiver) unread() string { return "http://" + r.silent.Addr().String() + "/" }

// accept keeps connections open without reading from them.
func (r *receiver) accept() {
	var held []net.Conn
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	for {
		conn, err := r.silent.Accept()
		if err != nil {
			return
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096) // without it the attack is only weaker
		}
		held = append(held, conn)
	}
}

// failing is the largest body of an answer that the server keeps.
var failing = []byte(strings.Repeat("failure ", 8<<10/8))

// misbehaving serves the behaviours.
func (r *receiver) misbehaving() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		r.received.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/hang", hang)
	mux.HandleFunc("/fail", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(failing)
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/redirect")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return // the connection is gone
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	})
	mux.HandleFunc("/endless", endless)
	return mux
}

// hang reads a request and never answers.
func hang(_ http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body) // otherwise a closed connection goes unnoticed
	<-req.Context().Done()
}

// endless acknowledges with a body that never ends.
func endless(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	control := http.NewResponseController(w)
	for sleep(req.Context(), 200*time.Millisecond) {
		if _, err := w.Write(failing[:8]); err != nil || control.Flush() != nil {
			return
		}
	}
}
