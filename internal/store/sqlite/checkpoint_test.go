package sqlite

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNothingIsLostToTheCheckpointer has several callers write with a log so short that it begins anew all the time.
// No checkpoint begins where all is copied, and all that was acknowledged is there afterwards.
func TestNothingIsLostToTheCheckpointer(t *testing.T) {
	t.Parallel()
	duration := 2 * time.Second
	if testing.Short() {
		duration = time.Second / 4
	}
	path := filepath.Join(t.TempDir(), "bellwire.db")
	var s *Store
	var rounds, idle atomic.Int64
	s, err := Open(t.Context(), path, Options{NoSync: true, longLog: 64, began: func() {
		rounds.Add(1)
		if logOf(t, s).copied() {
			idle.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var callers sync.WaitGroup
	var acknowledged atomic.Int64
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				err := s.write(t.Context(), func(w *writer) error {
					return w.exec("INSERT INTO meta (name, value) VALUES (hex(randomblob(16)), randomblob(200))")
				})
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	callers.Wait()
	if rounds.Load() < 10 || idle.Load() > 0 {
		t.Errorf("of %d checkpoints %d began where all was copied", rounds.Load(), idle.Load())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	checkIntegrity(t, s)
	if left, _ := scalar(t, s, "SELECT count(*) FROM meta WHERE length(name) = 32"); left != acknowledged.Load() {
		t.Errorf("%d rows are left of %d", left, acknowledged.Load())
	}
}

// logState is the state of the write-ahead log according to its index.
type logState struct{ length, backfilled uint32 }

func (l logState) copied() bool { return l.length == l.backfilled }

func logOf(t *testing.T, s *Store) logState {
	t.Helper()
	var header [100]byte
	if _, err := s.checkpointer.index.ReadAt(header[:], 0); err != nil {
		t.Error(err)
	}
	return logState{length: binary.NativeEndian.Uint32(header[16:]), backfilled: binary.NativeEndian.Uint32(header[96:])}
}
