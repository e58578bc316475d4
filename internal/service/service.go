// Package service holds the use cases of Bellwire: authorization, validation and idempotency. It is the
// only door to the system for every front end, so that no front end can forget a rule.
//
// Every method takes a Caller, which Authenticate or a front end's own proof of identity yields, and
// returns an *bellwire.Error when it refuses.
package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Bounds that hold for every installation.
const (
	MaxBatchEvents       = limits.MaxBatchEvents
	MaxBatchBytes        = 16 << 20 // of data, all events of a batch together
	DefaultMaxEventBytes = 1 << 20  // of one event's data

	DefaultAuditRetention = 365 * 24 * time.Hour
)

// Engine takes events and delivers them. *engine.Engine is one.
type Engine interface {
	// Publish stores the events with their deliveries. CodeStale: the catalogue has changed since
	// p.OperatorRevision; check again and repeat.
	Publish(ctx context.Context, p *engine.Publication) ([]engine.Receipt, error)
	// Test makes an event for one endpoint only, with one attempt.
	Test(ctx context.Context, tenant, endpoint string, d engine.Draft) (bellwire.EventID, bellwire.DeliveryID, error)
	// Refresh says that the endpoint's configuration changed, or that something is to be done for it.
	Refresh(endpoint string)
	// Forget says that a delivery was canceled.
	Forget(endpoint string, id bellwire.DeliveryID)
}

// Keyring seals what the store must not see.
type Keyring interface {
	directory.Keyring
	SealCredentials(endpoint string, c *bellwire.Credentials) ([]byte, error)
	SealKeySecret(id bellwire.KeyID, secret string) ([]byte, error)
	OpenKeySecret(id bellwire.KeyID, sealed []byte) (string, error)
	MaySeal(ctx context.Context, store bellwire.Secrets) error
	SealCursor(list string, c bellwire.Cursor) ([]byte, error)
	OpenCursor(list string, sealed []byte) (bellwire.Cursor, error)
}

// Config is what a Service is made of. Store, Directory, Engine, Keyring and Dialects are required.
type Config struct {
	Store          bellwire.Store
	Directory      *directory.Directory
	Engine         Engine
	Keyring        Keyring
	Dialects       map[string]bellwire.Dialect // by name
	DefaultDialect string                      // "standard" if empty
	AdminKey       string                      // the operator's configured key; empty: none
	Guard          *destination.Guard          // what addresses an endpoint's URL may name; nil: any, which is looked at when it is dialled
	Shared         bool                        // other nodes change the store's configuration too
	MaxEventBytes  int                         // DefaultMaxEventBytes if 0
	AuditRetention time.Duration               // how long entries of the audit log are kept; DefaultAuditRetention if 0
	Reads          int                         // that callers ask for, at the same time; limits.Reads if 0
	Sandbox        bool                        // tenants may trigger events as in the vendors' tutorials
	Logger         *slog.Logger                // told about configuration changes; nil: nobody is
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	store          bellwire.Store
	directory      *directory.Directory
	engine         Engine
	keyring        Keyring
	dialects       map[string]bellwire.Dialect
	defaultDialect string
	guard          *destination.Guard
	adminHash      *[sha256.Size]byte // nil: no admin key is configured
	shared         bool
	maxEventBytes  int
	auditRetention time.Duration
	audited        *share.Rates // requests that the audit log keeps, by key
	warned         *share.Rates // warnings, by what they are about
	sandbox        bool
	logger         *slog.Logger
	locks          *tenantLocks
	readers        *share.Gate
	rates          map[*limits.Limit]*share.Rates
	stored         *storedEvents
}

// New makes a Service. It refuses a default dialect that is not there.
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
		audited:        share.NewRates(),
		warned:         share.NewRates(),
		sandbox:        c.Sandbox,
		logger:         c.Logger,
		locks:          newTenantLocks(),
		readers:        share.NewGate(cmp.Or(c.Reads, limits.Reads), limits.ReadsOf),
		rates:          newRates(),
		stored:         newStoredEvents(),
	}
	if s.store == nil || s.directory == nil || s.engine == nil || s.keyring == nil {
		return nil, errors.New("service: Store, Directory, Engine and Keyring are required")
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

// Sandbox tells whether tenants may trigger events as in the vendors' tutorials.
func (s *Service) Sandbox() bool { return s.sandbox }

// MaxEventBytes is the most bytes that one event's data may have, so that front ends can stop reading.
func (s *Service) MaxEventBytes() int { return s.maxEventBytes }

// changed logs a configuration change: who did what to which thing. It is never given a secret.
func (s *Service) changed(ctx context.Context, c Caller, action string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("action", action), slog.String("by", c.name()), slog.String("role", string(c.Role)))
	s.logger.LogAttrs(ctx, slog.LevelInfo, "configuration changed", attrs...)
}
