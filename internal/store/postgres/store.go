// Package postgres stores everything in a PostgreSQL database that any number of nodes can share.
//
// Each operation is one transaction of a few round trips, however many rows it concerns: arrays are sent, and rows come
// back. No operation but Watch needs a session, so all others work through a pooler in transaction mode.
package postgres

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
	"github.com/bellwire/bellwire/internal/store/postgres/lease"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Options are the options of Open. The zero value is right for production.
type Options struct {
	// Connections bounds all connections of the store, of which one is for leases and one for Watch; 0: 18.
	Connections int
	// IdleFor is how long an unused connection stays open; 0: a minute. Other nodes may wait for its slot.
	IdleFor time.Duration
	// Timeout bounds each transaction, including its wait for a connection; 0: 10 s.
	Timeout time.Duration
	// StatisticsKept is how long statistics are kept.
	StatisticsKept bellwire.StatisticsKept
	// LeaseTerm is how long a node holds its shards without renewing; 0: 6 s.
	LeaseTerm time.Duration
	// DirectURL is where Watch connects if the store's URL leads to a pooler, which cannot pass on notifications.
	// Empty: the store's URL.
	DirectURL string
	// PollEvery is how often Watch polls for changes of configuration whose notification was lost; 0: 15 s.
	PollEvery time.Duration
	// PartitionWidth is the time that a partition spans; 0: a week. It applies to partitions yet to be made.
	PartitionWidth time.Duration
	// Version, StartedAt and DialectFiles are what Nodes says of this process to other nodes.
	Version      string
	StartedAt    time.Time
	DialectFiles string
	// Migrating is called before the schema of a database with data is changed, with the migrations that have run and those that
	// will have; nil: nothing is.
	Migrating func(from, to int)
	// NoSync accepts a server that acknowledges commits before they are durable. For tests only.
	NoSync bool
	// Logger gets warnings about what works less well than it could; nil: none.
	Logger *slog.Logger
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
}

func (o *Options) fill(databaseURL string) {
	if o.Connections <= 0 {
		o.Connections = Connections
	}
	if o.IdleFor <= 0 {
		o.IdleFor = time.Minute
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.LeaseTerm <= 0 {
		o.LeaseTerm = 6 * time.Second
	}
	if o.DirectURL == "" {
		o.DirectURL = databaseURL
	}
	if o.PollEvery <= 0 {
		o.PollEvery = 15 * time.Second
	}
	if o.PartitionWidth <= 0 {
		o.PartitionWidth = 7 * 24 * time.Hour
	}
	if o.Migrating == nil {
		o.Migrating = func(int, int) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Store is a bellwire.Store in a PostgreSQL database.
type Store struct {
	options   Options
	location  string // the URL without its password, for messages
	pool      *pool
	lists     *part       // of the pool, for lists and look-ups of callers
	lookups   *part       // of the pool, for keys and configuration
	calls     *share.Gate // of changes that callers make
	leasePool *leasePool
	pooled    bool     // the URL leads to a pooler, so there are no sessions
	version   int      // of the server, such as 150018
	instance  [16]byte // identifies this process, also among those that have had its node's name
	notifier  *notifier
	address   atomic.Pointer[string] // at which this process takes forwarded deliveries

	renewing sync.Mutex
	peers    lease.Peers            // guarded by renewing, like the next two
	known    map[string]bool        // nodes that this process has renewed leases for
	held     [bellwire.Shards]int64 // the epochs in which this process has shards
	owned    atomic.Pointer[bellwire.Leases]

	claimLock sync.Mutex
	pending   pendingCommits
	heldIDs   heldIDs
	growth    growth

	polls   sync.Once // guards the warning that Watch polls
	watched watched   // guarded by Watch, which runs once at a time

	turn   atomic.Int64 // the tenant after which Unmatched continues
	fanned atomic.Int64 // the tenant that FanOut served last

	retention retention
	past      pastPartition

	closed atomic.Bool
}

var (
	_ bellwire.Store  = (*Store)(nil)
	_ bellwire.Outbox = (*Store)(nil)
)

// Open connects to the database that a postgres:// URL names, and brings its schema up to date. Its error has
// CodeUnavailable if that cannot be done now, or if the database was written by a newer Bellwire.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	o.fill(databaseURL)
	s := &Store{options: o, location: Shown(databaseURL), known: make(map[string]bool)}
	s.retention.most = defaultSurvivorBounds
	s.address.Store(new(string))
	if _, err := rand.Read(s.instance[:]); err != nil {
		return nil, err
	}
	s.owned.Store(new(bellwire.Leases))
	for _, u := range []string{databaseURL, o.DirectURL} {
		if err := CheckURL(u); err != nil {
			return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database URL %s", err)
		}
	}
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil { // its text may show the password
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database URL %s has an invalid parameter", s.location)
	}
	configure(config.ConnConfig)
	if err := s.probe(ctx, config.ConnConfig); err != nil {
		return nil, s.explain(err, config.ConnConfig)
	}
	s.chooseMode(config.ConnConfig, databaseURL)
	config.AfterConnect = s.connected
	config.MaxConnIdleTime, config.HealthCheckPeriod = s.options.IdleFor, s.options.IdleFor/4
	if err := s.openPools(ctx, config); err != nil {
		return nil, s.translate(err)
	}
	if err := s.prepare(ctx); err != nil {
		s.closePools()
		return nil, s.explain(err, config.ConnConfig)
	}
	s.notifier = startNotifier(s.sendNotifications, s.options.Logger)
	return s, nil
}

// openPools divides the connections.
func (s *Store) openPools(ctx context.Context, config *pgxpool.Config) (err error) {
	work, lists := max(s.options.Connections-reserved, 1), Lists(s.options.Connections)
	own := 0
	if work >= leastForLists {
		own = lists
	}
	if s.pool, err = newPool(ctx, config, work-own); err != nil {
		return err
	}
	s.calls = share.NewGate(limits.ChangeConnections(work), limits.ChangesOf)
	s.lists, s.lookups = newPart(s.pool, lists), newPart(s.pool, max(work/2, 1))
	if own > 0 {
		from, err := newListPool(ctx, config, s.pool, own)
		if err != nil {
			s.pool.Close()
			return err
		}
		s.lists = newPart(from, lists)
	}
	if s.leasePool, err = newLeasePool(ctx, config, s); err != nil {
		s.pool.Close()
	}
	return err
}

func (s *Store) closePools() {
	s.pool.Close()
	s.leasePool.Close()
}

// configure sets up any connection.
func configure(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	for name, value := range startParameters {
		c.RuntimeParams[name] = value
	}
}

// startParameters are those that poolers accept when a client connects, and keep separate for each client. The driver needs
// the first two before it can send a statement.
var startParameters = map[string]string{
	"client_encoding": "UTF8", "standard_conforming_strings": "on", "DateStyle": "ISO", "TimeZone": "UTC", "application_name": "bellwire",
}

// connected makes times be read in UTC, and sets the session up.
func (s *Store) connected(ctx context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	if s.pooled {
		return nil
	}
	return s.setUp(ctx, conn)
}

func (s *Store) prepare(ctx context.Context) error {
	conn, err := s.leasePool.borrow(ctx) // before other work takes the last connection
	if err != nil {
		return err
	}
	s.leasePool.release(conn)
	if err := s.checkSession(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.startWatched(ctx); err != nil {
		return err
	}
	return s.makePartitions(ctx, s.options.Now())
}

// Check returns an error if the database cannot be read and written, by doing both, or if a newer node has changed it so that this
// build can use it no more.
func (s *Store) Check(ctx context.Context) error {
	return s.write(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO bellwire.meta (name, number) VALUES ('checks', 1) ON CONFLICT (name) DO UPDATE SET number = meta.number + 1`); err != nil {
			return err
		}
		return tx.usable(s.location)
	})
}

// usable returns an error if a newer node has changed the schema so that this build can use it no more.
func (t *tx) usable(location string) error {
	var recorded rules.Schema
	if err := t.row("SELECT number FROM bellwire.meta WHERE name = 'schema'").Scan(&recorded.Oldest); err != nil {
		return err
	}
	_, err := recorded.Pending(location, len(migrationFiles()))
	return err
}

// Close waits for operations in progress, and closes the connections. Later operations return CodeUnavailable.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.notifier.close()
		s.closePools()
	}
	return nil
}
