package telemetry

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
)

const (
	// maxPending is how many bytes of log lines wait for a slow reader before lines are dropped.
	maxPending = 1 << 20
	// maxSpare is the largest buffer that is kept for later lines.
	maxSpare = 64 << 10
)

// LogWriter passes log lines on to another writer and never waits for it: a pipe whose reader has stopped reading must
// not stop the server. Lines wait in memory, up to a bound, and are dropped beyond it. Close ends the writing.
type LogWriter struct {
	out    io.Writer
	format string        // of the line about dropped lines
	ready  chan struct{} // receives a token when lines are pending; closed by Close
	done   chan struct{} // closed when all lines have been written

	mu       sync.Mutex
	closed   bool
	pending  []byte
	spare    []byte // the buffer to use after pending
	dropped  uint64
	reported uint64 // the part of dropped that the log itself reports
}

// NewLogWriter returns a LogWriter that writes to out. It reports dropped lines in the given format of NewLogger.
func NewLogWriter(out io.Writer, format string) *LogWriter {
	l := &LogWriter{out: out, format: format, ready: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

// Write takes one line, or drops it if too much is pending. It never fails.
func (l *LogWriter) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.pending) > 0 && len(l.pending)+len(line) > maxPending {
		l.dropped++
		return len(line), nil
	}
	l.pending = append(l.pending, line...)
	select {
	case l.ready <- struct{}{}:
	default:
	}
	return len(line), nil
}

// Dropped returns how many lines have been dropped or could not be written.
func (l *LogWriter) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Close waits until all pending lines have been written, or until ctx ends. Later lines are dropped.
func (l *LogWriter) Close(ctx context.Context) {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.ready)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-ctx.Done():
	}
}

// run writes pending lines until Close. It cannot be interrupted while out blocks.
func (l *LogWriter) run() {
	defer close(l.done)
	for range l.ready {
		for l.flush() {
		}
	}
}

// flush writes the pending lines, and reports the lines that were dropped after them. It returns false if nothing was
// pending, or if out failed.
func (l *LogWriter) flush() bool {
	l.mu.Lock()
	lines, unreported := l.pending, l.dropped-l.reported
	l.pending, l.spare = l.spare[:0], nil
	l.mu.Unlock()
	if len(lines) == 0 && unreported == 0 {
		return false
	}
	n, err := l.out.Write(lines)
	if err == nil && unreported > 0 {
		err = l.report(unreported)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.reported += unreported
	default:
		l.dropped += uint64(bytes.Count(lines[n:], []byte("\n")))
	}
	if cap(lines) <= maxSpare {
		l.spare = lines
	}
	return err == nil
}

// report writes a line about dropped lines.
func (l *LogWriter) report(dropped uint64) error {
	var line bytes.Buffer
	NewLogger(&line, l.format, slog.LevelWarn).Warn("log lines dropped", "count", dropped)
	_, err := l.out.Write(line.Bytes())
	return err
}
