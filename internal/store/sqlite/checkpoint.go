package sqlite

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
)

// longLog is the length of the write-ahead log, in pages, from which on new reads wait until it can begin
// anew. From a quarter of it on it is copied into the database.
const longLog = 16 << 10

// checkpointer copies the log into the database beside the writer, so that a commit costs one fsync and no
// more. SQLite's own checkpoints would make some commits wait for them.
//
// The log begins anew once all of it is copied and no reader uses it. While the writer appends, a part is always left, so the
// writer copies that last part itself, between two transactions.
//
// No checkpoint may begin while all of the log is copied, because the next commit could begin the log anew during it. So
// only the writer's goroutine asks for a checkpoint, and at the end of a round it withdraws what it asked for meanwhile.
type checkpointer struct {
	*db
	store  *Store
	work   chan struct{}   // the log is long
	finish chan chan error // asks the writer to end the round
	quit   chan struct{}
	ended  chan struct{}
	failed atomic.Pointer[error] // what the last round failed with

	index *os.File // the log's index, which tells its length

	// Of the writer's goroutine.
	last  uint32 // the length when the writer looked last
	start uint32 // the length from which there is work
}

func (s *Store) openCheckpointer() (*checkpointer, error) {
	c, err := s.connect(readerCache)
	if err != nil {
		return nil, err
	}
	index, err := os.Open(s.path + "-shm")
	if err != nil {
		return nil, errors.Join(err, c.conn.Close())
	}
	p := &checkpointer{
		db: c, store: s, index: index,
		work: make(chan struct{}, 1), finish: make(chan chan error),
		quit: make(chan struct{}), ended: make(chan struct{}),
	}
	p.start = p.soft()
	return p, nil
}

// soft is the length from which on the log is copied.
func (p *checkpointer) soft() uint32 { return p.store.options.longLog / 4 }

// wake is called by the writer after each transaction.
func (p *checkpointer) wake() {
	length := p.length()
	if length < p.last {
		p.start = p.soft() // it has begun anew
	}
	p.last = length
	if length < p.start {
		return
	}
	select {
	case p.work <- struct{}{}:
	default:
	}
}

// end is called by the writer between two transactions. It copies what is left, and waits for the log to grow again.
func (p *checkpointer) end(w *writer) error {
	err := w.checkpoint()
	select {
	case <-p.work:
	default:
	}
	p.start = p.length() + p.soft()
	return err
}

// length reads mxFrame from the log's index (sqlite.org/walformat.html, "WAL-Index File Format"), because
// the library does not offer SQLite's hook for it. If it cannot be read, the log counts as long.
func (p *checkpointer) length() uint32 {
	var frame [4]byte
	if _, err := p.index.ReadAt(frame[:], 16); err != nil {
		return p.store.options.longLog
	}
	return binary.NativeEndian.Uint32(frame[:])
}

func (p *checkpointer) serve() {
	defer close(p.ended)
	for {
		select {
		case <-p.work:
			p.note(p.run())
		case <-p.quit:
			return
		}
	}
}

func (p *checkpointer) stop() {
	close(p.quit)
	<-p.ended
}

// run copies the bulk while the writer goes on, and then has the writer copy the rest. If the log has become
// too long all the same, because some read was always in it, it keeps new reads away for that moment.
func (p *checkpointer) run() error {
	if began := p.store.options.began; began != nil {
		began()
	}
	if err := p.checkpoint(); err != nil {
		return err
	}
	if p.length() >= p.store.options.longLog {
		for _, r := range p.store.allReaders() {
			taken := r.all()
			defer r.release(taken)
		}
	}
	answer := make(chan error, 1)
	p.finish <- answer
	return <-answer
}

func (p *checkpointer) note(err error) {
	if err == nil {
		p.failed.Store(nil)
		return
	}
	err = p.store.translate(err)
	p.failed.Store(&err)
}

// err returns why the log cannot be copied at present.
func (p *checkpointer) err() error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// checkpoint copies as much of the log as it can without waiting for readers.
func (c *db) checkpoint() error {
	return c.exec("PRAGMA wal_checkpoint(PASSIVE)")
}
