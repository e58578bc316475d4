package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a writer that blocks until it is released, and fails while err is set.
type stuck struct {
	mu       sync.Mutex
	released chan struct{}
	err      error
	written  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.released
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	return s.written.Write(p)
}

func (s *stuck) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Lines that a stuck reader leaves no room for are dropped, counted, and reported behind the lines before them.
func TestLogWriterDropsLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{released: make(chan struct{})}
		l := NewLogWriter(out, FormatText)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		l.Write([]byte("first\n"))
		synctest.Wait() // the first line is being written
		const fit, beyond = maxPending / 1024, 7
		for range fit + beyond {
			l.Write(line)
		}
		if got := l.Dropped(); got != beyond {
			t.Errorf("%d lines are dropped, want %d", got, beyond)
		}
		close(out.released)
		synctest.Wait()
		l.Write([]byte("last\n"))
		l.Close(t.Context())
		got := out.written.String()
		if want := fmt.Sprintf("level=WARN msg=\"log lines dropped\" count=%d\nlast\n", beyond); !strings.HasSuffix(got, want) ||
			!strings.HasPrefix(got, "first\n") || strings.Count(got, string(line)) != fit {
			t.Errorf("%d bytes are written, %d of the lines, and at the end %q", len(got), strings.Count(got, string(line)), got[max(0, len(got)-100):])
		}
		if l.Write(line); l.Dropped() != beyond+1 {
			t.Error("a line after Close is not counted as dropped")
		}
	})
}

// Lines that cannot be written are counted, and reported once others can be.
func TestLogWriterCountsFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{released: make(chan struct{}), err: errors.New("broken pipe")}
		close(out.released)
		l := NewLogWriter(out, FormatJSON)
		for range 3 {
			l.Write([]byte("lost\n"))
			synctest.Wait()
		}
		if got := l.Dropped(); got != 3 {
			t.Errorf("%d lines are dropped, want 3", got)
		}
		out.fail(nil)
		l.Write([]byte("kept\n"))
		l.Close(t.Context())
		if got := out.written.String(); !strings.HasPrefix(got, "kept\n") || !strings.Contains(got, `"msg":"log lines dropped","count":3`) {
			t.Errorf("written: %s", got)
		}
	})
}

// Close does not wait longer than its context for a reader that does not read.
func TestLogWriterCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{released: make(chan struct{})}
		l := NewLogWriter(out, FormatText)
		l.Write([]byte("a\n"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l.Close(ctx)
		if ctx.Err() == nil {
			t.Error("it did not wait for the line")
		}
		close(out.released)
		l.Close(t.Context())
		if out.written.String() != "a\n" {
			t.Errorf("written: %q", &out.written)
		}
	})
}
