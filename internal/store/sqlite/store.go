// Package sqlite keeps everything in one SQLite file, for one process.
//
// One goroutine writes. What callers want written while a transaction is being committed is merged into the
// next one, so that many of them share an fsync. Readers run beside it, on a few connections of their own.
package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Options configure a Store. The zero value is right for production.
type Options struct {
	// NoSync leaves out the fsync of each commit: a power loss may lose what was answered. For tests only.
	NoSync bool
	// Readers is how many reads run at the same time, but for what callers look up; 0: 4.
	Readers int
	// Lists is how many reads run at the same time for what callers look up; 0: limits.Reads.
	Lists int
	// ReadTimeout bounds one read with its waiting, so that it cannot keep the log from being reused; 0: 10 s.
	ReadTimeout time.Duration
	// StatisticsKept is how long statistics are kept.
	StatisticsKept bellwire.StatisticsKept
	// Now is the wall clock; nil: time.Now. Tests make it jump.
	Now func() time.Time
	// New is asked before a new database is made at path, where there is none or an empty one. Its error ends Open; nil: it
	// is always made.
	New func(path string) error
	// NoUpgradeCopy leaves out the copy of the database that is made before its schema is changed.
	NoUpgradeCopy bool
	// Migrating is called before the schema of a database with data is changed, with the migrations that have run and those that
	// will have; nil: nothing is.
	Migrating func(from, to int)
	// Logger gets the messages for the operator; nil: they are discarded.
	Logger *slog.Logger

	busyWait   time.Duration                                  // 0: the constant
	startCheck time.Duration                                  // 0: the constant
	longLog    uint32                                         // 0: the constant
	began      func()                                         // called when the checkpointer begins
	seen       func(sql string)                               // called with each statement that is prepared
	fails      func(sql string) error                         // called before each statement of the writer
	around     func(write func() error) error                 // called instead of each write
	runs       func(w *writer, run func(*writer) error) error // called instead of each run of a write
}

// Store is a bellwire.Store on an SQLite file. It owns all shards, in an epoch that grows each time the file
// is opened, so that what a process before it had taken into memory is free again.
type Store struct {
	path    string
	file    *databaseFile
	options Options
	damage  atomic.Pointer[bellwire.Error] // what was found wrong with the database; nil: nothing

	queue        chan *write
	writer       *writer
	lists        *readers // for what callers look up
	readers      *readers // for everything else
	checkpointer *checkpointer
	done         sync.WaitGroup

	leases    leases
	open      atomic.Int64 // deliveries that are open
	counted   atomic.Int64 // events and attempts that are counted in memory only
	retention retention
	rollups   sync.Mutex    // held by RollUp
	announced chan struct{} // capacity 1: operational events were kept

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
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Lists <= 0 {
		o.Lists = limits.Reads
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.New == nil {
		o.New = func(string) error { return nil }
	}
	if o.Migrating == nil {
		o.Migrating = func(int, int) {}
	}
	if o.startCheck <= 0 {
		o.startCheck = startCheck
	}
	if o.busyWait <= 0 {
		o.busyWait = busyWait
	}
	if o.longLog == 0 {
		o.longLog = longLog
	}
	file, err := openDatabaseFile(path, o.New)
	if err != nil {
		return nil, err
	}
	s := &Store{path: file.path, file: file, options: o, queue: make(chan *write, maxQueued), announced: make(chan struct{}, 1)}
	if err := s.start(ctx); err != nil {
		_ = s.release() // what went wrong first says more
		return nil, s.translateAtStart(err)
	}
	return s, nil
}

// start opens the connections and begins to serve.
func (s *Store) start(ctx context.Context) error {
	if err := s.inspect(ctx); err != nil {
		return err
	}
	w, err := s.openWriter(ctx)
	if err != nil {
		return err
	}
	s.writer = w
	if s.readers, err = s.openReaders(s.options.Readers); err != nil {
		return err
	}
	if s.lists, err = s.openReaders(s.options.Lists); err != nil {
		return err
	}
	if s.checkpointer, err = s.openCheckpointer(); err != nil {
		return err
	}
	if err := s.file.settle(); err != nil {
		return err
	}
	if n := names(s.file.used[0].info); n > 1 {
		s.options.Logger.Warn("the database file has several names (hard links): it must always be opened by the same one, "+
			"because its log is beside that name", "database", s.path, "names", n)
	}
	s.done.Go(w.serve)
	go s.checkpointer.serve()
	return nil
}

// openWriter opens the writer's connection, brings the schema up to date and begins an epoch.
func (s *Store) openWriter(ctx context.Context) (*writer, error) {
	c, err := s.connect(writerCache)
	if err != nil {
		return nil, err
	}
	c.ballast()
	w := &writer{db: *c, store: s}
	w.fails = s.options.fails
	w.refs.forget()
	if err := w.bounded(ctx, func(*db) error { return s.prepare(ctx, w) }); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	return w, nil
}

func (s *Store) prepare(ctx context.Context, w *writer) error {
	if err := w.migrate(ctx); err != nil {
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
	if err := w.countAgain(); err != nil {
		return err
	}
	open, _, err := w.query(sqlCountOpen).scalar()
	s.open.Store(open)
	return err
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

// How long a connection waits while another program holds the database locked. Once the writer has waited that long it
// waits only shortly, until the database is free again, so that publishers behind are answered soon.
const (
	busyWait  = 5 * time.Second
	busyAgain = 100 * time.Millisecond
)

// connect opens a connection whose page cache is bounded.
func (s *Store) connect(cacheKiB int) (*db, error) {
	conn, err := sqlite.OpenConn(s.path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(s.options.busyWait)
	c := &db{conn: conn, queries: make(map[string]*query), seen: s.options.seen}
	if err := c.configure(cacheKiB, s.options); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// Check reads and writes the database.
func (s *Store) Check(ctx context.Context) error {
	if err := s.sound(); err != nil {
		return err
	}
	err := s.read(ctx, func(c *db) error {
		_, _, err := c.query("SELECT value FROM meta WHERE name = 'epoch'").scalar()
		return err
	})
	if err != nil {
		return err
	}
	if err := s.checkpointer.err(); err != nil {
		return err
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
	for _, r := range s.allReaders() {
		errs = append(errs, r.close())
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
	errs = append(errs, s.file.close())
	if err := errors.Join(errs...); err != nil {
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "the database %s could not be closed cleanly", s.path)
	}
	return nil
}
