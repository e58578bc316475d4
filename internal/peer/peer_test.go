package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// network connects nodes with pipes.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipes
	between   func(net.Conn) net.Conn // what the node that connects gets; nil: the pipe
}

type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (n *network) listen(address string) *pipes {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = make(map[string]*pipes)
	}
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[address] = p
	return p
}

func (n *network) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	p, between := n.listeners[address], n.between
	n.mu.Unlock()
	if p == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		if between != nil {
			return between(ours), nil
		}
		return ours, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// node is a node of the tests.
type node struct {
	*Links
	instance [16]byte
	log      *bytes.Buffer

	mu  sync.Mutex
	got []*bellwire.Forward
}

func (n *node) received() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.got)
}

// node starts a node, which accepts everything.
func (n *network) node(t *testing.T, name string, seeds ...[32]byte) *node {
	t.Helper()
	me := &node{instance: [16]byte{name[0]}, log: new(bytes.Buffer)}
	links, err := New(Config{Node: name, Seeds: seeds, Listens: true, Logger: slog.New(slog.NewTextHandler(me.log, nil)), Dial: n.dial})
	if err != nil {
		t.Fatal(err)
	}
	me.Links = links
	began := time.Now()
	links.Handle(func(forwards []*bellwire.Forward) [][]bellwire.Disposition {
		me.mu.Lock()
		defer me.mu.Unlock()
		me.got = append(me.got, forwards...)
		answers := make([][]bellwire.Disposition, len(forwards))
		for i, f := range forwards {
			for range f.Deliveries {
				answers[i] = append(answers[i], bellwire.Accepted)
			}
		}
		return answers
	}, func() int64 { return time.Since(began).Milliseconds() })
	listener := n.listen(name)
	go func() { _ = links.Serve(listener) }()
	return me
}

// connectAll lets nodes know each other.
func connectAll(nodes ...*node) {
	for _, me := range nodes {
		var peers []bellwire.Peer
		for _, other := range nodes {
			if other != me {
				peers = append(peers, bellwire.Peer{Name: other.config.Node, Instance: other.instance, Address: other.config.Node})
			}
		}
		me.SetPeers(me.instance, peers)
	}
}

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func closeAll(nodes ...*node) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, n := range nodes {
		n.Close(ctx)
	}
}

// forward returns deliveries with everything that there can be.
func forward() *bellwire.Forward {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)
	return &bellwire.Forward{
		Event: &bellwire.Event{
			ID: bellwire.EventID{1, 2}, Tenant: "acme", Type: "ping", Version: bellwire.Version{Number: 3, Since: 9}, Data: []byte(`{"a":1}`), IdempotencyKey: "key", OccurredAt: at.Add(-time.Hour),
			DeliverAt: at.Add(time.Second), ExpiresAt: at.Add(time.Minute), CreatedAt: at, Test: true, Deliveries: 3, Problem: "none", OrderingKey: "order",
			Trace: &bellwire.Trace{ID: [16]byte{1}, Span: [8]byte{2}, Parent: [8]byte{3}, Flags: 1},
		},
		At: at, Stamp: 12345,
		Deliveries: []bellwire.ForwardedDelivery{
			{ID: bellwire.DeliveryID{3}, Endpoint: "ep_1", Revision: 4, Epoch: 5, Sequence: 6}, {ID: bellwire.DeliveryID{4}, Endpoint: "ep_2", Keyed: true},
		},
	}
}

var ours, theirs = [32]byte{1}, [32]byte{2}

// Deliveries arrive as they were sent, on one connection, and are answered.
func TestForwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := new(network)
		a, b := net.node(t, "a", ours), net.node(t, "b", theirs, ours) // the other node has a new primary key already
		connectAll(a, b)
		pass(3 * time.Second)
		if _, reachable := b.Heard(a.instance); reachable {
			t.Error("a node without the key of the other one is connected to it")
		}
		closeAll(a, b)
		a, b = net.node(t, "a", ours, theirs), net.node(t, "b", theirs, ours)
		connectAll(a, b)
		pass(3 * time.Second)
		stamp, reachable := a.Heard(b.instance)
		if !reachable || stamp < 1000 {
			t.Fatalf("the other node is reachable: %t, at %d", reachable, stamp)
		}
		var answers [][]bellwire.Disposition
		for range 1000 {
			a.Send(b.instance, forward(), func(d []bellwire.Disposition) { answers = append(answers, d) })
		}
		a.Flush()
		pass(time.Second / 2)
		if len(answers) != 1000 || len(answers[999]) != 2 || answers[0][1] != bellwire.Accepted || b.received() != 1000 {
			t.Fatalf("%d were received, and %d answered", b.received(), len(answers))
		}
		if diff := cmp.Diff(forward(), b.got[0]); diff != "" {
			t.Error("sent and received (-want +got):", diff)
		}
		if a.log.Len()+b.log.Len() > 0 {
			t.Errorf("the logs say:\n%s%s", a.log, b.log)
		}
		closeAll(a, b)
	})
}

// A stranger gets nowhere: not without a key, and not with the keyset but from another database.
func TestUnauthenticatedPeersAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := new(network)
		a := net.node(t, "a", ours)
		connectAll(a)
		for name, seed := range map[string][32]byte{"without the key": theirs, "of another database": ours} {
			s := net.node(t, "other", seed)
			s.SetPeers(s.instance, []bellwire.Peer{{Name: "a", Instance: a.instance, Address: "a"}})
			pass(10 * time.Second)
			if _, reachable := s.Heard(a.instance); reachable {
				t.Errorf("a node %s is connected", name)
			}
			answered := false
			s.Send(a.instance, forward(), func(d []bellwire.Disposition) { answered = d == nil })
			if !answered || a.received() > 0 {
				t.Errorf("a node %s is answered: %t, and %d were received", name, !answered, a.received())
			}
			if n := strings.Count(s.log.String(), "another node cannot be reached"); n != 1 {
				t.Errorf("the log says %d times that a node cannot be reached:\n%s", n, s.log)
			}
			closeAll(s)
		}
		conn, err := net.dial(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		plain := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // #nosec G402 -- what a stranger does
		_ = plain.Handshake()
		if _, err := io.ReadAll(plain); err == nil {
			t.Error("a connection without a certificate is served")
		}
		silent, err := net.dial(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := io.ReadAll(silent); err != nil || time.Since(began) > helloTimeout {
			t.Errorf("a silent connection was held for %s: %v", time.Since(began), err)
		}
		closeAll(a)
	})
}

// stuck is a connection on which nothing arrives any more once it is stuck.
type stuck struct {
	net.Conn
	now chan struct{} // closed: it is stuck
}

func (s *stuck) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	select {
	case <-s.now:
		_, err := io.Copy(io.Discard, s.Conn) // until its deadline, or its end
		return 0, errors.Join(err, io.EOF)
	default:
		return n, err
	}
}

// What gets no answer is given up after a moment, and nothing is sent on that connection any more.
func TestConnectionWithoutAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		half := make(chan struct{})
		net := &network{between: func(c net.Conn) net.Conn { return &stuck{c, half} }}
		a, b := net.node(t, "a", ours), net.node(t, "b", ours)
		connectAll(a, b)
		pass(3 * time.Second)
		close(half)
		began := time.Now()
		var after time.Duration
		a.Send(b.instance, forward(), func(d []bellwire.Disposition) {
			if d == nil {
				after = time.Since(began)
			}
		})
		a.Flush()
		pass(5 * time.Second)
		if after == 0 || after > 2*answerWithin {
			t.Errorf("given up after %s", after)
		}
		closeAll(a, b)
	})
}

// A node that ends gives up what it has not sent, and the other one goes on with its next process.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := new(network)
		a, b := net.node(t, "a", ours), net.node(t, "b", ours)
		connectAll(a, b)
		pass(3 * time.Second)
		closeAll(b)
		pass(time.Second)
		if _, reachable := a.Heard(b.instance); reachable {
			t.Error("a node that has ended is reachable")
		}
		connectAll(a)
		b = net.node(t, "b", ours)
		b.instance[1] = 1 // another process
		connectAll(a, b)
		pass(3 * time.Second)
		if _, reachable := a.Heard(b.instance); !reachable {
			t.Error("its next process is not reachable")
		}
		if a.log.Len() > 0 {
			t.Errorf("the log says:\n%s", a.log)
		}
		closeAll(a, b)
	})
}

func FuzzParseBatch(f *testing.F) {
	f.Add(appendBatch(nil, 7, []*bellwire.Forward{forward(), forward()}))
	f.Add([]byte{1, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, frame []byte) {
		number, forwards, err := parseBatch(frame)
		if err != nil {
			return
		}
		again, same, err := parseBatch(appendBatch(nil, number, forwards))
		if err != nil || again != number {
			t.Fatalf("what was read is written as %d: %v", again, err)
		}
		if diff := cmp.Diff(forwards, same); diff != "" {
			t.Error("written and read again (-want +got):", diff)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, 7, 1000, [][]bellwire.Disposition{{0, 1}, {2}}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		number, stamp, dispositions, err := parseAnswer(frame)
		if err != nil {
			return
		}
		if _, _, same, err := parseAnswer(appendAnswer(nil, number, stamp, dispositions)); err != nil || !cmp.Equal(dispositions, same) {
			t.Errorf("written and read again: %v, %v", same, err)
		}
	})
}

// A batch is taken once. One whose number is not above the last ends the connection.
func TestBatchesAreTakenOnce(t *testing.T) {
	t.Parallel()
	for _, second := range []uint64{1, 2} {
		var frames []byte
		for _, number := range []uint64{2, second} {
			at := len(frames)
			frames = endFrame(appendBatch(beginFrame(frames, kindBatch), number, []*bellwire.Forward{forward()}), at)
		}
		taken := 0
		l := &Links{
			receive: func([]*bellwire.Forward) [][]bellwire.Disposition { taken++; return nil },
			clock:   func() int64 { return 0 },
		}
		s := &session{links: l, in: bytes.NewReader(frames), wake: make(chan struct{}, 1)}
		if err := s.run(); !errors.Is(err, errMalformed) || taken != 1 {
			t.Errorf("batch %d after 2: got the error %v, and %d batches were taken", second, err, taken)
		}
	}
}
