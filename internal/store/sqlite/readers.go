package sqlite

import (
	"context"
	"errors"
	"slices"
)

// readers are connections that read, each lent to one goroutine at a time.
type readers struct {
	idle chan *db
}

func (s *Store) openReaders(count int) (*readers, error) {
	r := &readers{idle: make(chan *db, count)}
	for range count {
		c, err := s.connect(readerCache)
		if err == nil {
			r.idle <- c
			err = c.exec("PRAGMA query_only = ON")
		}
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

// read lends f a connection. What f runs is broken off when ctx ends or the read takes too long.
func (s *Store) read(ctx context.Context, f func(*db) error) error { return s.lend(ctx, s.readers, f) }

// list is read for what callers look up. It has connections of its own: however slow it is, keys are found, and work goes on.
func (s *Store) list(ctx context.Context, f func(*db) error) error { return s.lend(ctx, s.lists, f) }

func (s *Store) lend(ctx context.Context, from *readers, f func(*db) error) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.ReadTimeout)
	defer cancel()
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	select {
	case c := <-from.idle:
		defer func() { from.idle <- c }()
		return s.translate(c.bounded(ctx, f))
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

// bounded runs f until ctx ends.
func (c *db) bounded(ctx context.Context, f func(*db) error) error {
	c.conn.SetInterrupt(ctx.Done())
	defer c.conn.SetInterrupt(nil)
	return f(c)
}

// snapshot has all statements of f see the same state.
func snapshot(f func(*db) error) func(*db) error {
	return func(c *db) error {
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := f(c)
		c.conn.SetInterrupt(nil) // the end must not be called off
		return errors.Join(err, c.exec("ROLLBACK"))
	}
}

// allReaders are the sets of readers that are open, those that may be busy for long first.
func (s *Store) allReaders() []*readers {
	return slices.DeleteFunc([]*readers{s.lists, s.readers}, func(r *readers) bool { return r == nil })
}

// all takes all connections out of use, after waiting for the reads under way. The caller gives them back.
func (r *readers) all() []*db {
	taken := make([]*db, 0, cap(r.idle))
	for range cap(r.idle) {
		taken = append(taken, <-r.idle)
	}
	return taken
}

func (r *readers) release(taken []*db) {
	for _, c := range taken {
		r.idle <- c
	}
}

// close closes the connections that are idle: all, once no read is under way.
func (r *readers) close() error {
	var errs []error
	for {
		select {
		case c := <-r.idle:
			errs = append(errs, c.conn.Close())
		default:
			return errors.Join(errs...)
		}
	}
}
