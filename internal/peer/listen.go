package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Serve takes the deliveries of other nodes until the links are closed. It closes the listener.
func (l *Links) Serve(listener net.Listener) error {
	stop := context.AfterFunc(l.ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		switch {
		case l.ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // such as a lack of file descriptors
			l.pause()
			continue
		}
		select {
		case l.unauthenticated <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		l.mu.RLock()
		if l.closed {
			_ = conn.Close()
		} else {
			l.running.Go(func() { l.welcome(conn) })
		}
		l.mu.RUnlock()
	}
}

func (l *Links) pause() {
	select {
	case <-time.After(redialPause / 10):
	case <-l.ctx.Done():
	}
}

// welcome serves a connection once its other side has shown that it is a live node of the same database.
func (l *Links) welcome(raw net.Conn) {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	conn := tls.Server(raw, l.tls)
	in := bufio.NewReaderSize(conn, 64<<10)
	h, err := l.greeted(conn, in)
	<-l.unauthenticated
	if err != nil {
		l.config.Logger.Debug("connection of another node refused", "from", raw.RemoteAddr().String(), "error", err)
		_ = raw.Close()
		return
	}
	s := &session{links: l, conn: conn, in: in, wake: make(chan struct{}, 1)}
	var ticking sync.WaitGroup
	ticking.Go(func() {
		defer cancel()
		s.tick(ctx)
	})
	err = s.run()
	cancel()
	_ = raw.Close()
	ticking.Wait()
	if l.ctx.Err() == nil {
		l.config.Logger.Debug("connection of another node ended", "node", h.name, "error", err)
	}
}

// errUnknownNode is the error for a node that this one does not know yet, or that does not live.
var errUnknownNode = errors.New("the other side is no live node of this database")

func (l *Links) greeted(conn net.Conn, in io.Reader) (*hello, error) {
	if err := conn.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return nil, err
	}
	kind, frame, err := readFrame(in, nil, maxHello)
	if err != nil {
		return nil, err
	}
	h, err := parseHello(frame)
	switch {
	case err != nil:
		return nil, err
	case kind != kindHello || h.version != version:
		return nil, errMalformed
	case !l.knows(h):
		return nil, errUnknownNode
	}
	return h, conn.SetDeadline(time.Time{})
}

// session is a connection of another node.
type session struct {
	links *Links
	conn  net.Conn
	in    io.Reader
	last  uint64 // number of the last batch

	mu      sync.Mutex
	answers []byte        // frames to be sent
	wake    chan struct{} // capacity 1: there are answers
}

// tick sends answers, a moment after the first of them so that they go together, and tells the other node this one's clock: at
// once, and then at intervals.
func (s *session) tick(ctx context.Context) {
	timer := time.NewTicker(tickEvery)
	defer timer.Stop()
	var frames []byte
	for {
		at := len(frames)
		frames = endFrame(binary.AppendVarint(beginFrame(frames, kindTick), s.links.clock()), at)
		if s.write(frames) != nil {
			return
		}
		select {
		case <-timer.C:
		case <-s.wake:
			s.gather(ctx)
		case <-ctx.Done():
			return
		}
		frames = s.take(frames)
	}
}

// gather waits for more answers.
func (s *session) gather(ctx context.Context) {
	timer := time.NewTimer(answerPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take exchanges the answers that wait for an empty buffer.
func (s *session) take(empty []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames := s.answers
	s.answers = empty[:0]
	return frames
}

func (s *session) write(frames []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(silentFor)); err != nil {
		return err
	}
	_, err := s.conn.Write(frames)
	return err
}

// run takes batches until the connection breaks.
func (s *session) run() error {
	var buffer []byte
	for {
		kind, frame, err := readFrame(s.in, buffer, maxFrame)
		if err != nil {
			return err
		}
		number, forwards, err := parseBatch(frame)
		if err != nil || kind != kindBatch && kind != kindVersioned || number <= s.last {
			return errors.Join(errMalformed, err)
		}
		s.last = number
		if buffer = frame; cap(buffer) > 2*batchBytes {
			buffer = nil
		}
		s.answer(number, s.links.receive(forwards))
	}
}

// answer has an answer sent.
func (s *session) answer(number uint64, dispositions [][]bellwire.Disposition) {
	s.mu.Lock()
	at := len(s.answers)
	s.answers = endFrame(appendAnswer(beginFrame(s.answers, kindAnswer), number, s.links.clock(), dispositions), at)
	s.mu.Unlock()
	poke(s.wake)
}
