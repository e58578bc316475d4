package send

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// breakingServer is a receiver that answers requests over connections that it keeps, until one comes that it breaks on, and
// counts those.
type breakingServer struct {
	url    string
	config *tls.Config
	broken atomic.Int32 // requests that it broke on, also those of which it saw the beginning only

	mu    sync.Mutex
	conns []net.Conn
	held  chan struct{} // closed: answers go out
}

// breaking is the value of the header X-Mark at which a breakingServer breaks the connection.
const breaking = "break"

// newBreakingServer makes a receiver of HTTP/1.1 that leaves the connection to do when the head of a marked request has come.
func newBreakingServer(t *testing.T, secure bool, do func(c net.Conn, r *bufio.Reader, head *http.Request)) *breakingServer {
	t.Helper()
	w := &breakingServer{held: make(chan struct{})}
	cert, pool := certificate(t, "127.0.0.1", time.Now().Add(time.Hour))
	serve := func(c net.Conn) {
		w.mu.Lock()
		w.conns = append(w.conns, c)
		w.mu.Unlock()
		top := c
		if secure {
			top = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		}
		r := bufio.NewReader(top)
		for {
			head, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if head.Header.Get("X-Mark") == breaking {
				w.broken.Add(1)
				do(top, r, head)
				return
			}
			_, _ = io.Copy(io.Discard, head.Body)
			<-w.held
			write("HTTP/1.1 204 No Content\r\n\r\n")(top)
		}
	}
	w.url = accepting(t, serve)
	if secure {
		w.url = strings.Replace(w.url, "http:", "https:", 1)
		w.config = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(w.closeAll)
	return w
}

func (w *breakingServer) closeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

func (w *breakingServer) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

// warm leaves so many idle connections.
func (w *breakingServer) warm(t *testing.T, transport *transport, idle int) {
	t.Helper()
	var all sync.WaitGroup
	for range idle {
		all.Go(func() {
			if r := attemptOver(transport, w.url, longTimeout); r.Verdict != bellwire.Acknowledged {
				t.Error(r.Attempt.Error)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); w.open() < idle; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connections are not there")
		}
	}
	close(w.held)
	all.Wait()
}

// marked makes an attempt whose body has the given number of bytes, and at whose header a breakingServer breaks the connection.
func marked(body int) func(*bellwire.Target) {
	return func(target *bellwire.Target) {
		target.Renderer = bulky{bytes: body}
		target.Headers = []bellwire.Header{{Name: "X-Mark", Value: breaking}}
	}
}

// readBodyOf waits for the whole request.
func readBodyOf(head *http.Request) { _, _ = io.Copy(io.Discard, head.Body) }

// bottom is the TCP connection.
func bottom(c net.Conn) net.Conn {
	if secure, ok := c.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c
}

// ends are the ways in which a connection can end.
var ends = map[string]func(net.Conn){
	"FIN": func(c net.Conn) { c.Close() },
	"RST": func(c net.Conn) { reset(bottom(c)); bottom(c).Close() },
}

// breaks are the moments at which a receiver can break off a request that it has begun to read.
var breaks = map[string]struct {
	body int
	do   func(c net.Conn, head *http.Request)
	want []bellwire.Outcome
}{
	"in the request":       {mebibytes, func(net.Conn, *http.Request) {}, []bellwire.Outcome{bellwire.OutcomeReset}},
	"after the request":    {10, func(_ net.Conn, head *http.Request) { readBodyOf(head) }, []bellwire.Outcome{bellwire.OutcomeReset}},
	"in the answer's head": {10, answerPart("HTTP/1.1 200 OK\r\nX-Cut: sh"), []bellwire.Outcome{bellwire.OutcomeReset}},
	"in a 1xx":             {10, answerPart(earlyHints), []bellwire.Outcome{bellwire.OutcomeReset}},
	"with garbage":         {10, answerPart("hello\r\n"), []bellwire.Outcome{bellwire.OutcomeProtocol, bellwire.OutcomeReset}},
	"in a failure's body":  {10, answerPart("HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc"), []bellwire.Outcome{bellwire.OutcomeStatus}},
	"with a time-out":      {10, answerPart("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), []bellwire.Outcome{bellwire.OutcomeStatus, bellwire.OutcomeReset}},
}

func answerPart(text string) func(net.Conn, *http.Request) {
	return func(c net.Conn, head *http.Request) {
		readBodyOf(head)
		write(text)(c)
	}
}

// One attempt is one request, however the connection breaks, and however many others are there to send it on.
func TestOneAttemptIsOneRequest(t *testing.T) {
	t.Parallel()
	for name, b := range breaks {
		for how, end := range ends {
			for _, secure := range []bool{false, true} {
				for _, idle := range []int{0, 1, 8} {
					for _, key := range []bool{false, true} {
						t.Run(strings.Join([]string{name, how, map[bool]string{true: "TLS"}[secure], string(rune('0' + idle)), map[bool]string{true: "keyed"}[key]}, "/"), func(t *testing.T) {
							t.Parallel()
							w := newBreakingServer(t, secure, func(c net.Conn, _ *bufio.Reader, head *http.Request) {
								b.do(c, head)
								end(c)
							})
							transport := newTransport(guardedDialer(loopback), 16, 64, w.config)
							t.Cleanup(transport.CloseIdleConnections)
							w.warm(t, transport, idle)
							r := attemptOver(transport, w.url, marked(b.body), longTimeout, func(target *bellwire.Target) {
								if key { // the endpoint's own header, which net/http takes for a leave to repeat
									target.Headers = append(target.Headers, bellwire.Header{Name: "Idempotency-Key", Value: "k"})
								}
							})
							if n := w.broken.Load(); n != 1 {
								t.Errorf("the receiver saw %d requests of one attempt", n)
							}
							known := false
							for _, want := range b.want {
								known = known || r.Attempt.Outcome == want
							}
							if !known || r.Verdict != bellwire.Failed {
								t.Errorf("outcome %q (%s)", r.Attempt.Outcome, r.Attempt.Error)
							}
						})
					}
				}
			}
		}
	}
}

// A receiver that closes its idle connections between two deliveries makes no failed attempt, and gets one request.
func TestClosedIdleConnections(t *testing.T) {
	t.Parallel()
	for how, end := range ends {
		for _, secure := range []bool{false, true} {
			for _, idle := range []int{1, 8} {
				t.Run(strings.Join([]string{how, map[bool]string{true: "TLS"}[secure], string(rune('0' + idle))}, "/"), func(t *testing.T) {
					t.Parallel()
					w := newBreakingServer(t, secure, func(c net.Conn, _ *bufio.Reader, head *http.Request) {
						readBodyOf(head)
						write("HTTP/1.1 204 No Content\r\n\r\n")(c)
					})
					transport := newTransport(guardedDialer(loopback), 16, 64, w.config)
					t.Cleanup(transport.CloseIdleConnections)
					w.warm(t, transport, idle)
					w.mu.Lock()
					for _, c := range w.conns {
						end(c)
					}
					w.mu.Unlock()
					r := attemptOver(transport, w.url, marked(10), longTimeout)
					if n := w.broken.Load(); n != 1 || r.Verdict != bellwire.Acknowledged {
						t.Errorf("%d requests; %s", n, r.Attempt.Error)
					}
				})
			}
		}
	}
}

// A receiver that keeps its connections gets many deliveries on each: no more are dialed than there are requests at a time.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	const atATime, each = 4, 25
	var accepted, served atomic.Int32
	s := accepting(t, func(c net.Conn) {
		accepted.Add(1)
		r := bufio.NewReader(c)
		for {
			head, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			readBodyOf(head)
			served.Add(1)
			write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(c)
		}
	})
	transport := newTransport(guardedDialer(loopback), atATime, 64, nil)
	t.Cleanup(transport.CloseIdleConnections)
	var senders sync.WaitGroup
	for range atATime {
		senders.Go(func() {
			for range each {
				if r := attemptOver(transport, s, longTimeout); r.Verdict != bellwire.Acknowledged {
					t.Error(r.Attempt.Error)
				}
			}
		})
	}
	senders.Wait()
	// An attempt can end before its connection is back among the idle ones, and the next one dials then.
	if n := accepted.Load(); served.Load() != atATime*each || n > 3*atATime {
		t.Errorf("%d requests came on %d connections, %d at a time", served.Load(), n, atATime)
	}
}

// No proxy of the environment resolves names where the guard does not see them.
func TestProxiesAreNotUsed(t *testing.T) {
	t.Parallel()
	transport := newTransport(guardedDialer(loopback), 1, 1, nil)
	for name, h := range map[string]http.RoundTripper{"kept": transport.kept, "fresh": transport.fresh, "alone": transport.alone()} {
		if h.(*http.Transport).Proxy != nil {
			t.Errorf("the transport for %s connections has a proxy", name)
		}
	}
}

// A receiver that says how long it keeps an idle connection is not sent anything on one for which that is over.
func TestKeepAliveTimeIsKept(t *testing.T) {
	t.Parallel()
	var late atomic.Int32
	s := accepting(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for n := 0; ; n++ {
			head, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			readBodyOf(head)
			if n > 0 {
				late.Add(1)
			}
			write("HTTP/1.1 200 OK\r\nKeep-Alive: max=100, Timeout=1\r\nContent-Length: 0\r\n\r\n")(c)
		}
	})
	transport := newTransport(guardedDialer(loopback), 4, 64, nil)
	t.Cleanup(transport.CloseIdleConnections)
	for range 4 {
		if r := attemptOver(transport, s, longTimeout); r.Verdict != bellwire.Acknowledged {
			t.Error(r.Attempt.Error)
		}
	}
	if n := late.Load(); n > 0 {
		t.Errorf("%d requests came on a connection that was about to be closed", n)
	}
}

// newHTTP2BreakingServer counts the requests that come over HTTP/2, and answers each as the script says: the n-th with the n-th
// entry, and those after the last with the last.
func newHTTP2BreakingServer(t *testing.T, script ...func(c net.Conn, stream uint32) bool) (url string, config *tls.Config, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	url, config = h2(t, hostile{unread: true, serve: func(c net.Conn) {
		write(hello)(c)
		if _, err := io.CopyN(io.Discard, c, int64(len(preface))); err != nil {
			return
		}
		for {
			kind, stream, _, err := readFrame(c)
			if err != nil {
				return
			}
			if kind != frameHeaders {
				continue
			}
			n := int(requests.Add(1))
			if !script[min(n, len(script))-1](c, stream) {
				return
			}
		}
	}})
	return url, config, requests
}

// sendFrames answers a stream with frames and goes on.
func sendFrames(frames func(stream uint32) string) func(net.Conn, uint32) bool {
	return func(c net.Conn, stream uint32) bool {
		write(frames(stream))(c)
		return true
	}
}

// sendAndHangUp answers a stream with frames and closes the connection.
func sendAndHangUp(frames func(stream uint32) string) func(net.Conn, uint32) bool {
	return func(c net.Conn, stream uint32) bool {
		write(frames(stream))(c)
		return false
	}
}

func resetWith(code uint32) func(uint32) string {
	return func(stream uint32) string { return frame(frameReset, 0, stream, word(code)) }
}

// goesAway returns a GOAWAY whose last stream is the request's minus before. Only streams up to the last may have been processed.
func goesAway(before, code uint32) func(uint32) string {
	return func(stream uint32) string { return frame(frameGoAway, 0, 0, word(stream-before)+word(code)) }
}

func TestOneAttemptIsOneRequestOverHTTP2(t *testing.T) {
	t.Parallel()
	const flagEndStream, refusedStream, internalError, cancel = 1, 7, 2, 8
	good := sendFrames(func(stream uint32) string {
		return frame(frameHeaders, flagEndHeaders|flagEndStream, stream, status200)
	})
	nothing := func(uint32) string { return "" }
	one := []func(net.Conn, uint32) bool(nil)
	for name, c := range map[string]struct {
		script   []func(net.Conn, uint32) bool
		requests int32
		want     bellwire.Outcome
	}{
		"good":                    {append(one, good), 1, bellwire.OutcomeOK},
		"hangs up":                {append(one, sendAndHangUp(nothing)), 1, bellwire.OutcomeReset},
		"resets, internal error":  {append(one, sendFrames(resetWith(internalError))), 1, bellwire.OutcomeReset},
		"resets, canceled":        {append(one, sendFrames(resetWith(cancel))), 1, bellwire.OutcomeReset},
		"goes away, may have it":  {append(one, sendAndHangUp(goesAway(0, 0))), 1, bellwire.OutcomeReset},
		"goes away with an error": {append(one, sendAndHangUp(goesAway(0, internalError))), 1, bellwire.OutcomeReset},
		"breaks off its answer": {append(one, sendAndHangUp(func(stream uint32) string {
			return frame(frameHeaders, 0, stream, status200)
		})), 1, bellwire.OutcomeReset},

		// The receiver says itself that it did not process the request (RFC 9113, 8.7): once more, and no more.
		"refuses":                   {append(one, sendFrames(resetWith(refusedStream))), 2, bellwire.OutcomeReset},
		"refuses once":              {append(one, sendFrames(resetWith(refusedStream)), good), 2, bellwire.OutcomeOK},
		"goes away without it":      {append(one, sendAndHangUp(goesAway(1, 0))), 2, bellwire.OutcomeReset},
		"goes away without it once": {append(one, sendAndHangUp(goesAway(1, 0)), good), 2, bellwire.OutcomeOK},

		// On a connection that has served others.
		"second hangs up":           {append(one, good, sendAndHangUp(nothing)), 2, bellwire.OutcomeReset},
		"second is reset":           {append(one, good, sendFrames(resetWith(internalError))), 2, bellwire.OutcomeReset},
		"second is refused":         {append(one, good, sendFrames(resetWith(refusedStream))), 3, bellwire.OutcomeReset},
		"second is refused once":    {append(one, good, sendFrames(resetWith(refusedStream)), good), 3, bellwire.OutcomeOK},
		"second goes away":          {append(one, good, sendAndHangUp(goesAway(2, 0)), good), 3, bellwire.OutcomeOK},
		"second goes away in error": {append(one, good, sendAndHangUp(goesAway(2, internalError)), good), 3, bellwire.OutcomeOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, config, requests := newHTTP2BreakingServer(t, c.script...)
			transport := newTransport(guardedDialer(loopback), 16, 64, config)
			t.Cleanup(transport.CloseIdleConnections)
			if strings.HasPrefix(name, "second") {
				if r := attemptOver(transport, url, longTimeout); r.Verdict != bellwire.Acknowledged {
					t.Fatal(r.Attempt.Error)
				}
			}
			r := attemptOver(transport, url, longTimeout, func(target *bellwire.Target) {
				target.Headers = []bellwire.Header{{Name: "Idempotency-Key", Value: "k"}}
			})
			if n := requests.Load(); n != c.requests {
				t.Errorf("the receiver saw %d requests, want %d", n, c.requests)
			}
			if r.Attempt.Outcome != c.want {
				t.Errorf("outcome %q (%s), want %q", r.Attempt.Outcome, r.Attempt.Error, c.want)
			}
		})
	}
}

// A receiver that ends an idle connection of HTTP/2 makes no failed attempt, and gets one request.
func TestClosedIdleHTTP2Connections(t *testing.T) {
	t.Parallel()
	const flagEndStream = 1
	for name, end := range map[string]func(net.Conn){
		"silently": func(c net.Conn) { bottom(c).Close() },
		"RST":      func(c net.Conn) { reset(bottom(c)); bottom(c).Close() },
		"GOAWAY":   func(c net.Conn) { write(goAway)(c) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				mu    sync.Mutex
				last  net.Conn
				ended = map[net.Conn]bool{}
				taken int
			)
			url, config, _ := newHTTP2BreakingServer(t, func(c net.Conn, stream uint32) bool {
				mu.Lock()
				defer mu.Unlock()
				if ended[c] {
					return true // what comes after a GOAWAY is not looked at
				}
				last, taken = c, taken+1
				write(frame(frameHeaders, flagEndHeaders|flagEndStream, stream, status200))(c)
				return true
			})
			transport := newTransport(guardedDialer(loopback), 4, 64, config)
			t.Cleanup(transport.CloseIdleConnections)
			for n := range 10 {
				r := attemptOver(transport, url, longTimeout)
				mu.Lock()
				if r.Verdict != bellwire.Acknowledged || taken != n+1 {
					t.Errorf("%d requests were taken; %s", taken, r.Attempt.Error)
				}
				ended[last] = true
				end(last)
				mu.Unlock()
			}
		})
	}
}

// What is sent once more is all there.
func TestRepeatedRequestIsWhole(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 4)
	w := newBreakingServer(t, false, func(c net.Conn, _ *bufio.Reader, head *http.Request) {
		body, err := io.ReadAll(head.Body)
		if err != nil {
			t.Error(err)
		}
		got <- body
		write("HTTP/1.1 204 No Content\r\n\r\n")(c)
	})
	transport := newTransport(guardedDialer(loopback), 4, 64, nil)
	t.Cleanup(transport.CloseIdleConnections)
	w.warm(t, transport, 2)
	w.closeAll()
	r := attemptOver(transport, w.url, marked(mebibytes), longTimeout)
	if r.Verdict != bellwire.Acknowledged || r.Attempt.Timings.Connect <= 0 || r.Attempt.Timings.FirstByte <= 0 {
		t.Errorf("%s, timings %+v", r.Attempt.Error, r.Attempt.Timings)
	}
	if body := <-got; !bytes.Equal(body, make([]byte, mebibytes)) {
		t.Errorf("%d bytes came", len(body))
	}
}
