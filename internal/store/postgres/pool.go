package postgres

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/bellwire/bellwire/internal/limits"
)

// Connections is the default number of connections of a node: one for leases, one for notifications, the rest for work.
// MinConnections is the least.
const (
	Connections    = 18
	MinConnections = 3
	reserved       = 2
	// leastForLists is the least number of connections for work of which lists have some of their own.
	leastForLists = 8
)

// RecordEvery is how long results of attempts gather before they are recorded together. On three nodes a third as many come to
// each in that time, and each transaction costs the server as much as several results.
const RecordEvery = 20 * time.Millisecond

// Lists returns how many lists and look-ups a node with so many connections runs at the same time.
func Lists(connections int) int { return limits.ReadConnections(max(connections-reserved, 1)) }

const (
	// forever is the lifetime of the connection for leases: a new one might find no free slot.
	forever = 100 * 365 * 24 * time.Hour
	// shortage is how long the pool opens no further connection after the server refused one.
	shortage = 5 * time.Second
	// roomPause is the time that a server needs to end a closed connection.
	roomPause = 100 * time.Millisecond
)

// lender lends connections.
type lender interface {
	borrow(ctx context.Context) (*pgxpool.Conn, error)
	release(conn *pgxpool.Conn)
}

// pool lends the connections for work. If the server refuses another one, callers wait for one that is open.
type pool struct {
	*pgxpool.Pool
	turns *semaphore.Weighted // one for each connection that may be open
	short atomic.Int64        // until when the server is taken to have no free connection, in Unix nanoseconds
	lists *pgxpool.Pool       // the connections that lists have of their own; nil: none
}

// newPool returns a pool of at most so many connections, which are opened when they are borrowed.
func newPool(ctx context.Context, config *pgxpool.Config, most int) (*pool, error) {
	config = config.Copy()
	config.MaxConns, config.MinConns = int32(most), 0
	connections, err := pgxpool.NewWithConfig(ctx, config)
	return &pool{Pool: connections, turns: semaphore.NewWeighted(int64(most))}, err
}

// Close closes the connections, also those of lists.
func (p *pool) Close() {
	if p.lists != nil {
		p.lists.Close()
	}
	p.Pool.Close()
}

func (p *pool) borrow(ctx context.Context) (*pgxpool.Conn, error) {
	var full error
	for {
		if err := p.turns.Acquire(ctx, 1); err != nil {
			return nil, cmp.Or(full, err)
		}
		conn, err := p.Acquire(ctx)
		if err == nil {
			return conn, nil
		}
		if !isFull(err) {
			p.turns.Release(1)
			return nil, err
		}
		full = err
		p.shorten()
		p.withhold()
	}
}

func (p *pool) release(conn *pgxpool.Conn) {
	conn.Release()
	p.turns.Release(1)
}

// shorten has lists give their own connections back, and do without for a while. It reports whether they had any to spare.
func (p *pool) shorten() bool {
	p.short.Store(time.Now().Add(time.Minute).UnixNano())
	if p.lists == nil || p.lists.Stat().IdleConns() == 0 {
		return false
	}
	p.lists.Reset()
	return true
}

// listPool lends connections to lists: a few of its own, each of which soon has the plans of all lists. The server loads what it
// plans with into each connection, so a list on a connection that has done other work takes many times as long. While the server has
// no further connections, lists share those for work.
type listPool struct {
	*pgxpool.Pool
	work *pool
}

const ofLists = "of lists" // a key of a connection's custom data

// newListPool takes some of the connections that the pool has for work.
func newListPool(ctx context.Context, config *pgxpool.Config, work *pool, most int) (*listPool, error) {
	config = config.Copy()
	config.MaxConns, config.MinConns = int32(most), 0
	connected := config.AfterConnect
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		conn.PgConn().CustomData()[ofLists] = true
		return connected(ctx, conn)
	}
	connections, err := pgxpool.NewWithConfig(ctx, config)
	work.lists = connections
	return &listPool{connections, work}, err
}

func (p *listPool) borrow(ctx context.Context) (*pgxpool.Conn, error) {
	if time.Now().UnixNano() < p.work.short.Load() {
		return p.work.borrow(ctx)
	}
	conn, err := p.Acquire(ctx)
	if isFull(err) {
		p.work.shorten()
		return p.work.borrow(ctx)
	}
	return conn, err
}

func (p *listPool) release(conn *pgxpool.Conn) {
	if conn.Conn().PgConn().CustomData()[ofLists] == nil {
		p.work.release(conn)
		return
	}
	conn.Release()
}

// part lends some of the connections, so that the rest remains for other work.
type part struct {
	lender
	turns *semaphore.Weighted
}

func newPart(of lender, connections int) *part {
	return &part{of, semaphore.NewWeighted(int64(connections))}
}

func (p *part) borrow(ctx context.Context) (*pgxpool.Conn, error) {
	if err := p.turns.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	conn, err := p.lender.borrow(ctx)
	if err != nil {
		p.turns.Release(1)
	}
	return conn, err
}

func (p *part) release(conn *pgxpool.Conn) {
	p.lender.release(conn)
	p.turns.Release(1)
}

// withhold keeps a turn back for a while, so that there are no more turns than open connections.
func (p *pool) withhold() { time.AfterFunc(shortage, func() { p.turns.Release(1) }) }

// isFull reports whether the server, or a pooler before it, refused a connection because it has too many.
func isFull(err error) bool {
	var connecting *pgconn.ConnectError
	return isState(err, "53300") || errors.As(err, &connecting) && isState(err, "08P01") // too_many_connections; PgBouncer's only code
}

// leasePool lends the one connection for leases, so that no other work delays their renewal.
type leasePool struct {
	*pgxpool.Pool
	store *Store
}

func newLeasePool(ctx context.Context, config *pgxpool.Config, s *Store) (*leasePool, error) {
	config = config.Copy()
	config.MaxConns, config.MinConns = 1, 0
	config.MaxConnLifetime, config.MaxConnIdleTime = forever, forever
	connections, err := pgxpool.NewWithConfig(ctx, config)
	return &leasePool{connections, s}, err
}

func (p *leasePool) borrow(ctx context.Context) (*pgxpool.Conn, error) {
	return connectMakingRoom(ctx, p.store, p.Acquire)
}

func (p *leasePool) release(conn *pgxpool.Conn) { conn.Release() }

// connectMakingRoom connects. If the server has too many connections, it closes one that is for work and tries again.
func connectMakingRoom[T any](ctx context.Context, s *Store, connect func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	for {
		conn, err := connect(ctx)
		if !isFull(err) || !s.makeRoom(ctx) || !sleep(ctx, roomPause) {
			return conn, err
		}
	}
}

// makeRoom closes a connection for work, and reports whether there was one.
func (s *Store) makeRoom(ctx context.Context) bool {
	if s.pool.shorten() {
		return true
	}
	if s.pool.Stat().TotalConns() == 0 {
		return false
	}
	conn, err := s.pool.borrow(ctx)
	if err != nil {
		return false
	}
	hangUp(ctx, conn.Conn())
	conn.Release()
	s.pool.withhold() // or the next borrower would open it again
	return true
}
