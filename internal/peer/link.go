package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// link is the connection to a node that takes deliveries from this one.
type link struct {
	links    *Links
	name     string
	instance [16]byte
	address  string
	ctx      context.Context
	cancel   context.CancelFunc

	failures int // in a row

	up    atomic.Bool
	stamp atomic.Int64

	mu       sync.Mutex
	waiting  []*sending
	batches  []*batch // without an answer, in the order of their numbers
	last     uint64   // number of the last batch on this connection
	wake     chan struct{}
	answered chan struct{} // capacity 1: something was answered
}

// sending is deliveries on their way.
type sending struct {
	forward  *bellwire.Forward
	answered func([]bellwire.Disposition)
}

// batch is what one frame holds.
type batch struct {
	number uint64
	sent   time.Time
	items  []*sending
}

func newLink(l *Links, p *bellwire.Peer) *link {
	k := &link{
		links: l, name: p.Name, instance: p.Instance, address: p.Address, wake: make(chan struct{}, 1), answered: make(chan struct{}, 1),
	}
	k.ctx, k.cancel = context.WithCancel(l.ctx)
	return k
}

// push queues deliveries, and reports whether the node can be reached. The caller bounds how much waits.
func (k *link) push(s *sending) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.up.Load() {
		return false
	}
	k.waiting = append(k.waiting, s)
	return true
}

// flush has what waits sent.
func (k *link) flush() {
	k.mu.Lock()
	waiting := len(k.waiting) > 0
	k.mu.Unlock()
	if waiting {
		poke(k.wake)
	}
}

// drain waits until everything is answered, or until ctx ends.
func (k *link) drain(ctx context.Context) {
	k.flush()
	for {
		k.mu.Lock()
		left := len(k.waiting) + len(k.batches)
		k.mu.Unlock()
		if left == 0 || !k.up.Load() {
			return
		}
		select {
		case <-k.answered:
		case <-ctx.Done():
			return
		}
	}
}

// unreachable is the number of failures in a row after which a node counts as unreachable. One is usual when nodes start and end.
const unreachable = 3

// run keeps a connection until the node is gone.
func (k *link) run() {
	for k.ctx.Err() == nil {
		reached, err := k.serve()
		if k.ctx.Err() != nil {
			return
		}
		if reached {
			k.failures = 0
		}
		if k.failures++; k.failures == unreachable {
			k.links.config.Logger.Warn("another node cannot be reached; deliveries go to it through the database, which takes longer",
				"node", k.name, "address", k.address, "error", err)
		}
		pause := redialPause
		if k.failures == 1 { // a node that has just started may not know this one yet
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-k.ctx.Done():
		}
	}
}

// serve connects, and sends what is pushed until the connection breaks. It reports whether the node was reached.
func (k *link) serve() (reached bool, err error) {
	conn, in, err := k.connect()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(k.ctx)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	level := slog.LevelDebug
	if k.failures >= unreachable {
		level = slog.LevelInfo
	}
	k.links.config.Logger.Log(ctx, level, "another node is connected", "node", k.name, "address", k.address)
	k.mu.Lock()
	k.last = 0
	k.mu.Unlock()
	k.up.Store(true)
	var writing sync.WaitGroup
	var writeErr error
	writing.Go(func() {
		defer cancel()
		writeErr = k.write(ctx, conn)
	})
	err = k.read(conn, in)
	cancel()
	_ = conn.Close()
	writing.Wait()
	k.fail()
	if writeErr != nil && !errors.Is(writeErr, context.Canceled) {
		err = writeErr
	}
	return true, err
}

// connect connects, and waits for the first tick.
func (k *link) connect() (conn net.Conn, in *bufio.Reader, err error) {
	ctx, cancel := context.WithTimeout(k.ctx, helloTimeout)
	defer cancel()
	raw, err := k.links.config.Dial(ctx, k.address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	secure := tls.Client(raw, k.links.tls)
	in = bufio.NewReaderSize(secure, 16<<10)
	if err := k.greet(secure, in); err != nil {
		_ = raw.Close()
		return nil, nil, err
	}
	if !stop() {
		return nil, nil, ctx.Err()
	}
	return secure, in, nil
}

func (k *link) greet(conn net.Conn, in io.Reader) error {
	k.links.mu.RLock()
	h := &hello{version: version, name: k.links.config.Node, from: k.links.self, to: k.instance}
	k.links.mu.RUnlock()
	if _, err := conn.Write(endFrame(append(beginFrame(nil, kindHello), h.encode()...), 0)); err != nil {
		return err
	}
	kind, frame, err := readFrame(in, nil, maxHello)
	if err != nil {
		return err
	}
	return k.tick(kind, frame)
}

// tick reads a tick, and keeps the other node's clock.
func (k *link) tick(kind byte, frame []byte) error {
	r := &reader{rest: frame}
	stamp := r.signed()
	if kind != kindTick || r.bad {
		return errMalformed
	}
	k.stamp.Store(stamp)
	return nil
}

// read reads ticks and answers until the connection breaks.
func (k *link) read(conn net.Conn, in io.Reader) error {
	var buffer []byte
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silentFor)); err != nil {
			return err
		}
		kind, frame, err := readFrame(in, buffer, maxFrame)
		if err != nil {
			return err
		}
		buffer = frame
		if kind == kindAnswer {
			err = k.answer(frame)
		} else {
			err = k.tick(kind, frame)
		}
		if err != nil {
			return err
		}
	}
}

// answer passes on what was done with a batch. Batches are answered in their order.
func (k *link) answer(frame []byte) error {
	number, stamp, dispositions, err := parseAnswer(frame)
	if err != nil {
		return err
	}
	k.stamp.Store(stamp)
	k.mu.Lock()
	if len(k.batches) == 0 || k.batches[0].number != number || len(k.batches[0].items) != len(dispositions) {
		k.mu.Unlock()
		return errMalformed
	}
	b := k.batches[0]
	k.batches = k.batches[1:]
	k.mu.Unlock()
	for i, s := range b.items {
		s.answered(dispositions[i])
	}
	poke(k.answered)
	return nil
}

// errNoAnswer is the error of a connection whose other side does not answer.
var errNoAnswer = errors.New("the other node has not answered in time")

// write writes batches until ctx ends. It gives up the connection if a batch gets no answer.
func (k *link) write(ctx context.Context, conn net.Conn) error {
	look := time.NewTicker(answerWithin / 4)
	defer look.Stop()
	var buffer []byte
	for {
		b := k.next()
		if b == nil {
			select {
			case <-k.wake:
			case <-look.C:
				if k.overdue() {
					return errNoAnswer
				}
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		forwards := make([]*bellwire.Forward, len(b.items))
		for i, s := range b.items {
			forwards[i] = s.forward
		}
		buffer = endFrame(appendBatch(beginFrame(buffer[:0], kindOf(forwards)), b.number, forwards), 0)
		if err := conn.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
			return err
		}
		if _, err := conn.Write(buffer); err != nil {
			return err
		}
		if cap(buffer) > 2*batchBytes {
			buffer = nil
		}
	}
}

// next takes what waits into the next batch.
func (k *link) next() *batch {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, bytes := 0, 0
	for n < len(k.waiting) && n < batchForwards && bytes < batchBytes {
		f := k.waiting[n].forward
		bytes += len(f.Event.Data) + deliveryBytes*len(f.Deliveries)
		n++
	}
	if n == 0 {
		return nil
	}
	k.last++
	b := &batch{number: k.last, sent: time.Now(), items: k.waiting[:n:n]}
	if k.waiting = k.waiting[n:]; len(k.waiting) == 0 {
		k.waiting = nil
	}
	k.batches = append(k.batches, b)
	return b
}

func (k *link) overdue() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.batches) > 0 && time.Since(k.batches[0].sent) > answerWithin
}

// fail gives up what has no answer.
func (k *link) fail() {
	k.mu.Lock()
	k.up.Store(false)
	var lost []*sending
	for _, b := range k.batches {
		lost = append(lost, b.items...)
	}
	lost = append(lost, k.waiting...)
	k.batches, k.waiting = nil, nil
	k.mu.Unlock()
	for _, s := range lost {
		s.answered(nil)
	}
	poke(k.answered)
}

// poke signals a channel of capacity 1 without waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
