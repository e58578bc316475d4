package httpx

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// pipes is a listener whose connections are made of net.Pipe.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// testServer is a server that keeps so many connections, in a bubble of synctest. A request's header Owner says who it is
// from; without one it is not confirmed.
type testServer struct {
	t       *testing.T
	pipes   *pipes
	server  *Server
	inside  chan string   // gets the path of a request that waits
	release chan struct{} // lets one of them go on
	failed  chan error    // gets how the reading of a body ended
}

func newTestServer(t *testing.T, most int) *testServer {
	s := &testServer{
		t: t, pipes: &pipes{conns: make(chan net.Conn), done: make(chan struct{})},
		inside: make(chan string, 1000), release: make(chan struct{}), failed: make(chan error, 1000),
	}
	s.server = NewServer("", most, Observe(slog.New(slog.DiscardHandler), http.HandlerFunc(s.serve)))
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.server.Serve(s.pipes) })
	t.Cleanup(func() {
		s.server.Close()
		serving.Wait()
		time.Sleep(time.Second) // net/http leaves clients a moment to read a refusal
	})
	return s
}

func (s *testServer) serve(w http.ResponseWriter, r *http.Request) {
	if owner := r.Header.Get("Owner"); owner != "" {
		if err := Confirm(r, owner); err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	if r.URL.Path == "/refuse" {
		s.refuse(w, r, bellwire.Errorf(bellwire.CodeUnauthenticated, "no"))
		return
	}
	if r.URL.Path == "/room" {
		status := http.StatusOK
		if !share.HasRoom(r.Context()) {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
		return
	}
	if r.ContentLength != 0 {
		_, err := ReadBody(r, 4<<20)
		s.failed <- err
		if err != nil {
			s.refuse(w, r, err)
			return
		}
	}
	var size int
	fmt.Sscanf(r.URL.Query().Get("size"), "%d", &size)
	if err := Charge(w, size); err != nil {
		s.refuse(w, r, err)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/wait") {
		s.inside <- r.URL.Path
		select {
		case <-s.release:
		case <-s.pipes.done:
		}
	}
	if _, err := w.Write(make([]byte, size)); err != nil {
		s.failed <- err
	}
}

func (s *testServer) refuse(w http.ResponseWriter, r *http.Request, err error) {
	Refuse(w, r)
	status := map[bellwire.Code]int{bellwire.CodeRateLimited: 429, bellwire.CodeUnauthenticated: 401, bellwire.CodeCanceled: 408}
	w.WriteHeader(status[bellwire.CodeOf(err)])
}

// testClient is the end of a connection that a client has.
type testClient struct {
	net.Conn
	t    *testing.T
	read *bufio.Reader
}

// connect has a client connect. It may find that it is turned away.
func (s *testServer) connect() *testClient {
	s.t.Helper()
	ours, theirs := net.Pipe()
	s.pipes.conns <- theirs
	s.t.Cleanup(func() { ours.Close() })
	return &testClient{ours, s.t, bufio.NewReader(ours)}
}

// ask sends a request, of which the body may be missing.
func (v *testClient) ask(method, path, owner, more string) *testClient {
	v.t.Helper()
	if owner != "" {
		owner = "Owner: " + owner + "\r\n"
	}
	if more == "" {
		more = "\r\n"
	}
	if _, err := io.WriteString(v, method+" "+path+" HTTP/1.1\r\nHost: x\r\n"+owner+more); err != nil {
		v.t.Error(err)
	}
	synctest.Wait()
	return v
}

// answered returns the status of the answer, and reads all of it.
func (v *testClient) answered() int {
	v.t.Helper()
	resp, err := http.ReadResponse(v.read, nil)
	if err != nil {
		v.t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		v.t.Error(err)
	}
	synctest.Wait()
	return resp.StatusCode
}

// closed reports whether the server has closed the connection.
func (v *testClient) closed() bool {
	v.t.Helper()
	if err := v.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return true
	}
	defer v.SetReadDeadline(time.Time{})
	_, err := v.read.Peek(1)
	return errors.Is(err, io.EOF)
}

const body = "Content-Length: 1000000\r\n\r\n{" // the beginning of one

// Whoever holds connections without being known makes room for others, the first one first: who says nothing, whose header
// does not end, whose body does not, and who only waits.
func TestUnauthenticatedConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 5)
		known := s.connect().ask("GET", "/wait", "acme", "")
		if path := <-s.inside; path != "/wait" {
			t.Fatal(path)
		}
		strangers := []*testClient{
			s.connect(),
			s.connect().ask("GET", "/", "", "X: "),
			s.connect().ask("POST", "/", "", body),
			s.connect().ask("GET", "/wait", "", ""),
		}
		for i, stranger := range strangers {
			if stranger.closed() {
				t.Errorf("stranger %d was closed while there was room", i)
			}
			if status := s.connect().ask("GET", "/", "other", "").answered(); status != 200 {
				t.Errorf("with stranger %d in the way: %d", i, status)
			}
			if !stranger.closed() {
				t.Errorf("stranger %d did not make room", i)
			}
		}
		for range 2 {
			s.release <- struct{}{}
		}
		if status := known.answered(); status != 200 {
			t.Errorf("the one who is known: %d", status)
		}
	})
}

// Many who come at the same time do not push out one who says who it is within a moment. They wait for room.
func TestNewConnectionsHaveTheirGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 4)
		start := time.Now()
		v := s.connect()
		var crowd sync.WaitGroup
		for range 40 {
			crowd.Go(func() { s.connect() })
		}
		time.Sleep(grace / 2)
		if status := v.ask("GET", "/", "acme", "").answered(); status != 200 {
			t.Error(status)
		}
		crowd.Wait()
		if took := time.Since(start); took < 9*grace || took > 14*grace {
			t.Errorf("40 on 3 or 4 connections came in within %s", took)
		}
		if v.closed() {
			t.Error("it made room, though others did who are nobody")
		}
	})
}

// One owner can have requests on half of the connections. Those of others are served, also when it has so many and strangers
// hold the rest, and a reserve is for those who have none.
func TestRequestsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 32)
		var held []*testClient
		fill := func(owner string, want int) {
			t.Helper()
			n := 0
			for v := s.connect().ask("GET", "/wait", owner, ""); len(s.inside) > 0; v = s.connect().ask("GET", "/wait", owner, "") {
				<-s.inside
				held = append(held, v)
				n++
			}
			if n != want {
				t.Errorf("%s has %d requests under way, want %d", owner, n, want)
			}
			// It is told before its body is read.
			if status := s.connect().ask("POST", "/wait", owner, body).answered(); status != 429 || len(s.failed) > 0 {
				t.Errorf("%s: %d", owner, status)
			}
		}
		fill("many", 16)
		fill("more", 8)
		fill("others", 4)
		fill("last", 2)
		for range 40 {
			s.connect()
		}
		for i := range 2 { // the reserve
			held = append(held, s.connect().ask("GET", "/wait", fmt.Sprint("new", i), ""))
			<-s.inside
		}
		for _, v := range held {
			s.release <- struct{}{}
			if status := v.answered(); status != 200 {
				t.Error(status)
			}
		}
		fill("many", 16) // nothing is left of before
	})
}

// Connections that are kept for the next request are divided, too: those beyond an owner's share make room like strangers'.
func TestIdleConnectionsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 8)
		neighbour := s.connect().ask("GET", "/", "neighbour", "")
		neighbour.answered()
		for range 100 {
			s.connect().ask("GET", "/", "many", "").answered()
		}
		if neighbour.closed() {
			t.Fatal("the neighbour's connection made room")
		}
		if status := neighbour.ask("GET", "/", "neighbour", "").answered(); status != 200 {
			t.Error(status)
		}
	})
}

// Idle connections of known callers are kept for the next request, those of others only for seconds.
func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 10)
		known, stranger, silent := s.connect(), s.connect(), s.connect()
		known.ask("GET", "/", "acme", "").answered()
		stranger.ask("GET", "/", "", "").answered()
		time.Sleep(ReadTimeout)
		if known.closed() || stranger.closed() || silent.closed() {
			t.Errorf("after %s: known %t, stranger %t, silent %t", ReadTimeout, known.closed(), stranger.closed(), silent.closed())
		}
		time.Sleep(Patience)
		if known.closed() || !stranger.closed() || silent.closed() {
			t.Errorf("after %s more: known %t, stranger %t, silent %t", Patience, known.closed(), stranger.closed(), silent.closed())
		}
		time.Sleep(SilenceTimeout)
		if known.closed() || !silent.closed() {
			t.Errorf("after %s more: known %t, silent %t", SilenceTimeout, known.closed(), silent.closed())
		}
		time.Sleep(IdleTimeout)
		if !known.closed() {
			t.Errorf("it is kept for longer than %s", IdleTimeout)
		}
	})
}

// A client may connect long before it sends its request, as browsers do, but a header that has begun must end within ReadTimeout.
func TestFirstRequestsMayBeLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 10)
		late, slow, slower := s.connect(), s.connect(), s.connect()
		time.Sleep(time.Minute)
		if status := late.ask("GET", "/", "", "").answered(); status != 200 {
			t.Errorf("a request a minute after its connection: %d", status)
		}
		slow.ask("GET", "/", "", "X: ")
		slower.ask("GET", "/", "", "X: ")
		time.Sleep(ReadTimeout - time.Second)
		if _, err := io.WriteString(slow, "y\r\n\r\n"); err != nil {
			t.Error(err)
		}
		if status := slow.answered(); status != 200 {
			t.Errorf("a slow header: %d", status)
		}
		time.Sleep(time.Second)
		if !slower.closed() {
			t.Errorf("a header that does not end within %s", ReadTimeout)
		}
	})
}

// A body must arrive within seconds, and gets more time as it arrives. The body of a caller that is not confirmed must
// arrive within ReadTimeout.
func TestDribbledBodies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, owner string
		piece       int // bytes each second
		want        time.Duration
	}{
		{"a stranger's", "", 100_000, ReadTimeout},
		{"a byte a second", "acme", 1, Patience},
		{"nothing", "acme", 0, Patience},
		{"slow and steady", "acme", bodyRate, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, 10)
				v := s.connect().ask("POST", "/", test.owner, body)
				start := time.Now()
				var sending sync.WaitGroup
				sending.Go(func() {
					for sent := 1; sent < 1_000_000; sent += test.piece {
						time.Sleep(time.Second)
						if _, err := v.Write(make([]byte, min(test.piece, 1_000_000-sent))); err != nil {
							return
						}
					}
				})
				err, took := <-s.failed, time.Since(start)
				go v.answered()
				if test.want == 0 && err != nil || test.want != 0 && (bellwire.CodeOf(err) != bellwire.CodeCanceled || took != test.want) {
					t.Errorf("%s: %v after %s, want %s", test.name, err, took, test.want)
				}
				time.Sleep(10 * Patience)
				v.Close()
				sending.Wait()
			})
		})
	}
}

// A client that does not read an answer is disconnected, and one that reads slowly gets all of it.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 10)
		s.connect().ask("GET", "/?size=1000000", "acme", "")
		start := time.Now()
		if err := <-s.failed; err == nil || time.Since(start) != Patience {
			t.Errorf("cut off after %s: %v", time.Since(start), err)
		}
		slow := s.connect().ask("GET", "/?size=200000", "acme", "")
		start = time.Now()
		read := 0
		for buffer := make([]byte, 1000); read < 200_000; {
			time.Sleep(Patience / 2)
			n, err := slow.Read(buffer)
			if read += n; err != nil {
				t.Fatalf("after %d bytes: %v", read, err)
			}
		}
		if took := time.Since(start); took < 10*Patience {
			t.Errorf("it was not slow: %s", took)
		}
	})
}

// What answers hold is divided among owners, until they have been read.
func TestAnswersAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 4 << 20
		s := newTestServer(t, 100)
		path := fmt.Sprint("/wait?size=", size)
		var held []*testClient
		for range 100 {
			v := s.connect().ask("GET", path, "greedy", "")
			if v.closed() || v.read.Buffered() > 0 {
				if status := v.answered(); status != 429 {
					t.Error(status)
				}
				break
			}
			held = append(held, v)
		}
		if len(held) != limits.AnswerBytes/2/(size-limits.UncountedBytes) {
			t.Errorf("one owner has %d answers of 4 MiB", len(held))
		}
		for owner, status := range map[string]int{"greedy": 204, "frugal": 200} {
			if got := s.connect().ask("GET", "/room", owner, "").answered(); got != status {
				t.Errorf("room for %s: %d, want %d", owner, got, status)
			}
		}
		other := s.connect().ask("GET", path, "other", "")
		for range len(held) + 1 {
			<-s.inside
			s.release <- struct{}{}
		}
		if status := other.answered(); status != 200 {
			t.Errorf("another's: %d", status)
		}
		for _, v := range held {
			if status := v.answered(); status != 200 {
				t.Error(status)
			}
		}
		if free := s.server.connections.answers.Free(); free != limits.AnswerBytes {
			t.Errorf("%d bytes are free, of %d", free, limits.AnswerBytes)
		}
	})
}

// What bodies hold is divided among owners, while the requests are served. Those of callers who have not proved who they
// are take nothing from who they may be.
func TestBodiesAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 3 << 20
		s := newTestServer(t, 200)
		text := fmt.Sprintf("Content-Length: %d\r\n\r\n", size) + strings.Repeat(" ", size)
		send := func(owner string) *testClient {
			v := s.connect()
			synctest.Wait()
			go func() { // a refusal comes before all of it
				_, _ = io.WriteString(v, "POST /wait HTTP/1.1\r\nHost: x\r\nOwner: "+owner+"\r\n"+text)
			}()
			synctest.Wait()
			return v
		}
		var held []*testClient
		for range 100 {
			v := send("greedy")
			if v.closed() || v.read.Buffered() > 0 {
				if status := v.answered(); status != 429 {
					t.Error(status)
				}
				break
			}
			held = append(held, v)
		}
		if len(held) != limits.RequestBytes/2/(size-limits.UncountedBytes) {
			t.Errorf("one owner has %d bodies of 3 MiB", len(held))
		}
		held = append(held, send("other"))
		for range held {
			<-s.inside
			s.release <- struct{}{}
		}
		for _, v := range held {
			if status := v.answered(); status != 200 {
				t.Error(status)
			}
		}
		if free := s.server.connections.bodies.Free(); free != limits.RequestBytes {
			t.Errorf("%d bytes are free, of %d", free, limits.RequestBytes)
		}
	})
}

// A refusal waits for a body no longer than a client takes that has it at hand.
func TestRefusalsDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, 10)
		start := time.Now()
		v := s.connect().ask("POST", "/refuse", "", body)
		if status := v.answered(); status != 401 || time.Since(start) != maxRefusal {
			t.Errorf("%d after %s", status, time.Since(start))
		}
		time.Sleep(time.Second)
		if !v.closed() {
			t.Error("the connection is kept")
		}
		v = s.connect().ask("POST", "/refuse", "", "Content-Length: 3\r\n\r\n{ }")
		if status := v.answered(); status != 401 {
			t.Error(status)
		}
		if status := v.ask("GET", "/", "acme", "").answered(); status != 200 {
			t.Errorf("the next request on it: %d", status)
		}
	})
}

// Whatever clients do, the books agree with the connections, and no owner has more than its share.
func TestConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "most")
		cs := newConnections(most)
		var all []*connection
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if len(all) == 0 || rapid.Bool().Draw(t, "another") {
				ours, theirs := net.Pipe()
				theirs.Close()
				c := &connection{Conn: ours, all: cs}
				cs.changed(c, http.StateNew)
				all = append(all, c)
				continue
			}
			i := rapid.IntRange(0, len(all)-1).Draw(t, "which")
			c := all[i]
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				cs.confirm(c, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "owner"))
			case 1:
				cs.answered(c)
			case 2:
				cs.changed(c, http.StateClosed)
				all = append(all[:i], all[i+1:]...)
			}
			var serving, resting int64
			for name, o := range cs.owners {
				serving += o.serving
				resting += o.resting
				if o.serving+o.resting == 0 || o.name != name {
					t.Fatalf("%+v is kept as %q", o, name)
				}
			}
			if serving != cs.serving || resting != cs.resting || int(resting) != cs.idle.Len() ||
				cs.open != serving+resting+int64(cs.unowned.Len()) || cs.open > cs.most {
				t.Fatalf("%d open, %d serving, %d resting, of %d; by owner %d and %d; %d nobody's",
					cs.open, cs.serving, cs.resting, cs.most, serving, resting, cs.unowned.Len())
			}
		}
		for _, c := range all {
			cs.changed(c, http.StateClosed)
		}
		if cs.open != 0 || len(cs.owners) != 0 {
			t.Fatalf("in the end %d are open, of %d owners", cs.open, len(cs.owners))
		}
	})
}

// A connection that finds all others serving requests is told so, and clients read it although their request is not.
func TestConnectionsAreTurnedAway(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer("", 1, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := Confirm(r, "owner"); err != nil {
			t.Error(err)
		}
		inside <- struct{}{}
		<-release
	}))
	var serving, asking sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listening) })
	defer serving.Wait()
	defer server.Close()
	defer asking.Wait()
	address := listening.Addr().String()
	asking.Go(func() {
		if resp, err := http.Get("http://" + address); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("the request that is served: %v, %v", resp, err)
		}
	})
	<-inside
	defer close(release)
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("after %q: %v", request, err)
		}
		var problem struct {
			Code   string
			Status int
		}
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(resp.Body); err != nil || len(strings.TrimSpace(string(rest))) > 0 {
			t.Errorf("the length does not fit: %q, %v", rest, err)
		}
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" || problem.Status != 503 || problem.Code != string(bellwire.CodeUnavailable) {
			t.Errorf("after %q: %d %v %v", request, resp.StatusCode, resp.Header, problem)
		}
	}
}
