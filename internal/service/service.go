// Package service implements the use cases of Bellwire, with authorization, validation and idempotency. All front ends use the
// system through it, so that none can omit a rule.
//
// Most methods take a Caller, which Authenticate or a front end's own authentication provides, and return a *bellwire.Error when
// they refuse.
package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/live"
	"github.com/bellwire/bellwire/internal/share"
)

// Bounds and defaults.
const (
	MaxBatchEvents       = limits.MaxBatchEvents
	MaxBatchBytes        = limits.MaxBatchBytes
	DefaultMaxEventBytes = limits.DefaultMaxEventBytes

	DefaultAuditRetention = 365 * 24 * time.Hour
)

// Engine stores and delivers events. It is implemented by *engine.Engine.
type Engine interface {
	// Publish stores the events with their deliveries. CodeStale: the catalogue has changed since
	// p.OperatorRevision; check again and repeat.
	Publish(ctx context.Context, p *engine.Publication) ([]engine.Receipt, error)
	// Test creates an event that is delivered to one endpoint, in one attempt.
	Test(ctx context.Context, tenant, endpoint string, d engine.Draft) (bellwire.EventID, bellwire.DeliveryID, error)
	// Refresh reports that the configuration of an endpoint has changed, or that it has new work.
	Refresh(endpoint string)
	// Blocked returns what keeps this node from making the endpoint's next attempt with the trigger, and until when.
	Blocked(endpoint string, trigger bellwire.Trigger) (reason bellwire.WaitReason, until time.Time)
	// Forget reports that a delivery was canceled.
	Forget(endpoint string, id bellwire.DeliveryID)
	// Canceled counts deliveries to endpoints of a dialect that were canceled.
	Canceled(dialect string, deliveries int, cause bellwire.CancelCause)
	// ForgetEvent reports that the data of an event was erased, and its deliveries to the endpoint canceled.
	ForgetEvent(endpoint string, event bellwire.EventID)
	// Nodes returns how many live nodes there are, this one included.
	Nodes() int
	// LeaseAge returns how long ago this node renewed its leases; 0 if they do not end.
	LeaseAge() time.Duration
	// WakeJobs reports that a job was created or changed.
	WakeJobs()
	// Reach connects to the host of a URL as deliveries do, and sends nothing.
	Reach(ctx context.Context, target *url.URL) (*engine.Reached, error)
}

// Keyring encrypts what is secret from the store.
type Keyring interface {
	directory.Keyring
	SealCredentials(endpoint string, c *bellwire.Credentials) ([]byte, error)
	SealKeySecret(id bellwire.KeyID, secret string) ([]byte, error)
	OpenKeySecret(id bellwire.KeyID, sealed []byte) (string, error)
	SealAuth(tenant, dialect string, a *bellwire.Auth) ([]byte, error)
	OpenAuth(tenant, dialect string, sealed []byte) (*bellwire.Auth, error)
	MaySeal(ctx context.Context, store bellwire.Secrets) error
	SealAnswer(tenant, key string, body []byte) ([]byte, error)
	OpenAnswer(tenant, key string, sealed []byte) ([]byte, error)
	SealCursor(list string, c bellwire.Cursor) ([]byte, error)
	OpenCursor(list string, sealed []byte) (bellwire.Cursor, error)
}

// Config configures a Service. Store, Directory, Engine, Keyring and Dialects are required.
type Config struct {
	Store          bellwire.Store
	Directory      *directory.Directory
	Engine         Engine
	Keyring        Keyring
	Dialects       map[string]bellwire.Dialect // by name
	DefaultDialect string                      // "standard" if empty
	AdminKey       string                      // the configured admin key; empty for none
	Guard          *destination.Guard          // addresses that URLs of endpoints may have; nil to check them only when they are dialed
	Shared         bool                        // other nodes use the same store
	MaxEventBytes  int                         // 0 for DefaultMaxEventBytes
	AuditRetention time.Duration               // of entries in the audit log; 0 for DefaultAuditRetention
	Retention      time.Duration               // of events; 0: they are kept forever
	StatisticsKept bellwire.StatisticsKept     // as long as the store keeps them
	Reads          int                         // concurrent reads for callers; 0 for limits.Reads
	Backlog        Backlog                     // nil: the store's
	Live           *live.Hub                   // for people who watch; nil: nobody can
	Process        Process                     // that the service runs in
	Settings       []Setting                   // in force in that process
	Examine        Examine                     // of that process, its machine and its database; nil: nothing is examined
	Mailer         Mailer                      // of AlertAddresses
	AlertAddresses []string                    // that get alerts by e-mail; nil: none
	Sandbox        bool                        // tenants may trigger events as in the vendors' tutorials
	Logger         *slog.Logger                // for configuration changes; nil for none
}

// Backlog returns what is open in all. It may be a few seconds old.
type Backlog func(context.Context) (*bellwire.Backlog, error)

// Service implements the use cases. It is safe for concurrent use.
type Service struct {
	store          bellwire.Store
	directory      *directory.Directory
	engine         Engine
	keyring        Keyring
	dialects       map[string]bellwire.Dialect
	defaultDialect string
	guard          *destination.Guard
	adminHash      *[sha256.Size]byte // nil if no admin key is configured
	shared         bool
	maxEventBytes  int
	auditRetention time.Duration
	retention      time.Duration
	statisticsKept bellwire.StatisticsKept
	keyUses        uses[bellwire.KeyID]
	foreignKeys    *foreignKeys
	sessionUses    uses[bellwire.SessionID]
	sessions       *directory.Lookups[bellwire.SessionID]
	knownSessions  knownSessions
	trials         *share.Rates // of steps of filters that are tried, by tenant
	trialPlaces    *share.Gate
	audited        *share.Rates // requests that the audit log keeps, by key
	warned         *share.Rates // warnings, by what they are about
	process        Process
	settings       []Setting
	examine        Examine
	sandbox        bool
	backlog        Backlog
	live           *live.Hub
	logger         *slog.Logger
	locks          *tenantLocks
	readers        *share.Gate
	sends          *share.Gate // tests and manual retries
	probes         *share.Gate
	rates          map[*limits.Limit]*share.Rates
	stored         *storedEvents
	ranking        *ranking
	mailer         Mailer
	alertAddresses []string
	alertTests     alertTests
	importing      sync.Mutex // held while an import runs
	exporting      sync.Mutex // held while an export runs
}

// New returns a Service. It returns an error if the default dialect is not among the dialects.
func New(c Config) (*Service, error) {
	s := &Service{
		store:          c.Store,
		directory:      c.Directory,
		engine:         c.Engine,
		keyring:        c.Keyring,
		dialects:       c.Dialects,
		defaultDialect: c.DefaultDialect,
		guard:          c.Guard,
		shared:         c.Shared,
		maxEventBytes:  c.MaxEventBytes,
		auditRetention: c.AuditRetention,
		retention:      c.Retention,
		statisticsKept: c.StatisticsKept,
		audited:        share.NewRates(),
		warned:         share.NewRates(),
		foreignKeys:    newForeignKeys(),
		sessions:       directory.NewLookups[bellwire.SessionID]("session"),
		trials:         share.NewRates(),
		trialPlaces:    share.NewGate(limits.Trials, limits.TrialsOf),
		process:        c.Process,
		settings:       c.Settings,
		examine:        c.Examine,
		backlog:        c.Backlog,
		sandbox:        c.Sandbox,
		live:           c.Live,
		logger:         c.Logger,
		locks:          newTenantLocks(),
		readers:        share.NewGate(cmp.Or(c.Reads, limits.Reads), limits.ReadsOf),
		sends:          share.NewGate(limits.Sends(), limits.SendsOf),
		probes:         share.NewGate(limits.Probes, limits.ProbesOf),
		rates:          newRates(),
		stored:         newStoredEvents(),
		ranking:        newRanking(),
		mailer:         c.Mailer,
		alertAddresses: c.AlertAddresses,
	}
	if s.store == nil || s.directory == nil || s.engine == nil || s.keyring == nil {
		return nil, errors.New("service: Store, Directory, Engine and Keyring are required")
	}
	if s.backlog == nil {
		s.backlog = s.store.Backlog
	}
	if s.defaultDialect == "" {
		s.defaultDialect = "standard"
	}
	if s.maxEventBytes == 0 {
		s.maxEventBytes = DefaultMaxEventBytes
	}
	if s.auditRetention == 0 {
		s.auditRetention = DefaultAuditRetention
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.dialects[s.defaultDialect] == nil {
		return nil, bellwire.Invalid("dialects", "must include the default dialect %q", s.defaultDialect)
	}
	if c.AdminKey == "" {
		return s, nil
	}
	hash := sha256.Sum256([]byte(c.AdminKey))
	s.adminHash = &hash
	return s, nil
}

// Sandbox reports whether tenants may trigger events, as in the tutorials of vendors.
func (s *Service) Sandbox() bool { return s.sandbox }

// MaxEventBytes returns the maximum size of an event's data, so that front ends can stop reading larger bodies.
func (s *Service) MaxEventBytes() int { return s.maxEventBytes }

// changed logs a change of the configuration. attrs must not contain secrets.
func (s *Service) changed(ctx context.Context, c Caller, action string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("action", action), slog.String("by", c.name()), slog.String("role", string(c.Role)))
	if !c.Session.IsZero() {
		attrs = append(attrs, slog.String("in_session", c.Session.String()))
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "configuration changed", attrs...)
}
