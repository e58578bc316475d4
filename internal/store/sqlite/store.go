// Package sqlite keeps everything in one SQLite file, for one process.
//
// One goroutine writes. What callers want written while a transaction is being committed is merged into the
// next one, so that many of them share an fsync. Readers run beside it, on a few connections of their own.
package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire"
)

// Options are what Open can be told. The zero value is right for production.
type Options struct {
	// NoSync leaves out the fsync of each commit: a power loss may lose what was answered. For tests only.
	NoSync bool
	// Readers is how many reads run at the same time; 0: 4.
	Readers int
	// ReadTimeout bounds one read with its waiting, so that it cannot keep the log from being reused; 0: 10 s.
	ReadTimeout time.Duration
	// Now is the wall clock; nil: time.Now. Tests make it jump.
	Now func() time.Time

	longLog uint32           // 0: the constant
	began   func()           // called when the checkpointer begins
	seen    func(sql string) // told of each statement that is prepared
}

// Store is a bellwire.Store on an SQLite file. It owns all shards, in an epoch that grows each time the file
// is opened, so that what a process before it had taken into memory is free again.
type Store struct {
	path    string
	options Options
	lock    *flock.Flock

	queue        chan *write
	writer       *writer
	readers      *readers
	checkpointer *checkpointer
	done         sync.WaitGroup

	leases    leases
	open      atomic.Int64 // deliveries that are open
	retention retention

	closing sync.RWMutex
	closed  bool
}

var _ bellwire.Store = (*Store)(nil)

// Open opens the database at path, and makes it if it is not there. Its error has CodeUnavailable if another
// process has the database open, if it was written by a newer Bellwire, or if it cannot be opened at all, and
// CodeNoSpace if its disk is full.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if err := checkLibrary(linked()); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, err, "The path of the database %q is no good.", path)
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.longLog == 0 {
		o.longLog = longLog
	}
	s := &Store{path: path, options: o, queue: make(chan *write, maxQueued)}
	if err := s.acquire(); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		_ = s.release() // what went wrong first says more
		if err = s.translate(err); bellwire.CodeOf(err) == bellwire.CodeNoSpace {
			err = bellwire.Wrap(bellwire.CodeNoSpace, errors.Unwrap(err),
				"There is no room for the database %s. Make room on its disk, and start again.", s.path)
		}
		return nil, err
	}
	return s, nil
}

// acquire takes the lock that keeps other processes out.
func (s *Store) acquire() error {
	s.lock = flock.New(s.path+"-lock", flock.SetPermissions(0o600))
	held, err := s.lock.TryLock()
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"The database %s cannot be opened. Its folder must exist and be writable.", s.path)
	}
	if !held {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"The database %s is in use by another process, which holds %s-lock. End that process, or choose another database.",
			s.path, s.path)
	}
	return nil
}

// start opens the connections and begins to serve.
func (s *Store) start(ctx context.Context) error {
	w, err := s.openWriter(ctx)
	if err != nil {
		return err
	}
	s.writer = w
	if s.readers, err = s.openReaders(); err != nil {
		return err
	}
	if s.checkpointer, err = s.openCheckpointer(); err != nil {
		return err
	}
	s.done.Go(w.serve)
	go s.checkpointer.serve()
	return nil
}

// openWriter opens the writer's connection, brings the schema up to date and begins an epoch.
func (s *Store) openWriter(ctx context.Context) (*writer, error) {
	if err := s.create(); err != nil {
		return nil, err
	}
	c, err := s.connect(writerCache)
	if err != nil {
		return nil, err
	}
	c.ballast()
	w := &writer{db: *c, store: s}
	w.refs.forget()
	if err := w.bounded(ctx, func(*db) error { return s.prepare(w) }); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	return w, nil
}

func (s *Store) prepare(w *writer) error {
	if err := w.migrate(); err != nil {
		return err
	}
	epoch, _, err := w.query(sqlNextEpoch).scalar()
	if err != nil {
		return err
	}
	s.leases.epoch.Store(epoch)
	if w.clock, _, err = w.query(sqlClock).scalar(); err != nil {
		return err
	}
	open, _, err := w.query(sqlCountOpen).scalar()
	s.open.Store(open)
	return err
}

// magic is how every SQLite database begins.
const magic = "SQLite format 3\x00"

// create makes the file, for its owner only, because SQLite would let all read it. It refuses a file that is something
// else: SQLite takes a short one for an empty database, and would write over it.
func (s *Store) create() error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err,
			"The database %s cannot be opened. It must be writable for the user that Bellwire runs as, and so must its file system.",
			s.path)
	}
	defer f.Close() // nothing is written through it
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	switch {
	case err == io.EOF: // it is new
		return nil
	case err != nil && err != io.ErrUnexpectedEOF:
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "The database %s cannot be read.", s.path)
	case string(head[:n]) != magic:
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"The file %s is damaged or not a database. Restore it from a backup, or choose another file.", s.path)
	}
	return nil
}

// Memory for pages, in KiB. The library's allocator takes twice as much, because a page with its
// administration is a little more than a power of two.
const (
	writerCache = 24 << 10
	readerCache = 1 << 10
)

// ballast holds on to one piece of memory of the size that SQLite needs whenever it splits a page. The library's
// allocator would otherwise get it from the kernel and give it back each time: a seventh of a write's cost.
func (c *db) ballast() { c.query("SELECT ?").blob(make([]byte, 12<<10)) }

// connect opens a connection whose page cache is bounded.
func (s *Store) connect(cacheKiB int) (*db, error) {
	conn, err := sqlite.OpenConn(s.path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(10 * time.Second)
	c := &db{conn: conn, queries: make(map[string]*query), seen: s.options.seen}
	if err := c.configure(cacheKiB, s.options); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// Check tells whether the database can be read and written, by doing both.
func (s *Store) Check(ctx context.Context) error {
	err := s.read(ctx, func(c *db) error {
		_, _, err := c.query("SELECT value FROM meta WHERE name = 'epoch'").scalar()
		return err
	})
	if err != nil {
		return err
	}
	if err := s.checkpointer.err(); err != nil {
		return s.translate(err)
	}
	return s.write(ctx, func(w *writer) error {
		// A value that stays as it is would not be written at all.
		return w.exec("INSERT INTO meta (name, value) VALUES ('checks', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")
	})
}

// Close executes what is queued, and closes the database. What is called afterwards answers CodeUnavailable.
func (s *Store) Close() error {
	s.closing.Lock()
	closed := s.closed
	s.closed = true
	s.closing.Unlock()
	if closed {
		return nil
	}
	s.checkpointer.stop()
	close(s.queue)
	s.done.Wait()
	return s.release()
}

// release closes what is open, the writer last: with it SQLite empties its log into the database.
func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.close())
	}
	if s.checkpointer != nil {
		errs = append(errs, s.checkpointer.conn.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.conn.Close())
	}
	if s.checkpointer != nil {
		errs = append(errs, s.checkpointer.index.Close())
	}
	errs = append(errs, s.lock.Close())
	if err := errors.Join(errs...); err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "The database %s could not be closed cleanly.", s.path)
	}
	return nil
}
