// Package directory is the configuration as this node knows it: tenants with their endpoints made ready
// for sending, the catalogue with its schemas compiled, and keys. What it hands out is immutable and
// cached until it is forgotten; what is not in the cache is asked of the store, so that a miss is never an
// answer by itself.
package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on what is cached. Targets are the most of it: some 1.5 KiB each.
const (
	maxTenants = 16_000
	maxTargets = 100_000
	maxKeys    = 16_000
)

// loadTimeout bounds a load, which goes on for the others who wait for it when its first caller leaves.
const loadTimeout = 10 * time.Second

// Keyring opens what was sealed for the store.
type Keyring interface {
	OpenCredentials(endpoint string, sealed []byte) (*bellwire.Credentials, error)
}

// Config is what a Directory is made of.
type Config struct {
	Store    bellwire.Configuration
	Keyring  Keyring
	Dialects map[string]bellwire.Dialect // by name
	Limits   *bellwire.Limits            // of tenants without values of their own; nil: the defaults
	Logger   *slog.Logger                // told about endpoints that cannot be served; nil: nobody is
}

// Directory is the cache. It is safe for concurrent use.
type Directory struct {
	store    bellwire.Configuration
	keyring  Keyring
	dialects map[string]bellwire.Dialect
	limits   *bellwire.Limits
	logger   *slog.Logger
	flights  singleflight.Group

	mu sync.Mutex
	// generation grows with each Forget. What was read in an earlier one may be older than what was
	// forgotten: it answers those who asked before, and is neither kept nor shared with those who ask after.
	generation uint64
	tenants    *simplelru.LRU[string, *scope]
	operator   *scope
	targets    *simplelru.LRU[string, held[*bellwire.Target]]
	keys       *simplelru.LRU[bellwire.KeyID, held[*bellwire.Key]]
	catalogue  *Catalogue // as it was last read, also when it was forgotten since: its schemas may still do
	current    bool       // catalogue was not forgotten
}

// scope is a tenant, or the operator, whose things are forgotten together.
type scope struct {
	gone   bool
	tenant *Tenant          // nil: only parts of it are cached
	limits *bellwire.Limits // nil: they are not cached
}

type held[V any] struct {
	value V
	scope *scope
}

// New makes an empty Directory.
func New(c Config) *Directory {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Limits == nil {
		c.Limits = limits.Default()
	}
	return &Directory{
		store:    c.Store,
		keyring:  c.Keyring,
		dialects: c.Dialects,
		limits:   c.Limits,
		logger:   c.Logger,
		tenants:  newLRU(maxTenants, func(_ string, s *scope) { s.gone = true }),
		operator: &scope{},
		targets:  newLRU[string, held[*bellwire.Target]](maxTargets, nil),
		keys:     newLRU[bellwire.KeyID, held[*bellwire.Key]](maxKeys, nil),
	}
}

func newLRU[K comparable, V any](size int, evicted func(K, V)) *simplelru.LRU[K, V] {
	lru, err := simplelru.NewLRU(size, evicted)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return lru
}

// Tenant returns a tenant with its endpoints. CodeNotFound is always the store's own answer.
func (d *Directory) Tenant(ctx context.Context, id string) (*Tenant, error) {
	cached, generation := d.cachedTenant(id)
	if cached != nil {
		return cached, nil
	}
	return once(ctx, d, "tenant", generation, id, func(ctx context.Context) (*Tenant, error) {
		if cached, _ := d.cachedTenant(id); cached != nil {
			return cached, nil // another load ended between the look at the cache and this one
		}
		row, endpoints, err := d.store.TenantEndpoints(ctx, id)
		if err != nil {
			return nil, err
		}
		t, err := d.newTenant(ctx, row, endpoints)
		if err != nil {
			return nil, err
		}
		d.keep(generation, func() {
			s := d.scope(id)
			s.tenant, s.limits = t, t.limits
			for _, target := range t.targets {
				d.targets.Add(target.Endpoint.ID, held[*bellwire.Target]{target, s})
			}
		})
		return t, nil
	})
}

// cachedTenant returns the tenant if it is cached, nil otherwise, and the generation that this is true in.
func (d *Directory) cachedTenant(id string) (*Tenant, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, known := d.tenants.Get(id); known {
		return s.tenant, d.generation
	}
	return nil, d.generation
}

// Target returns any endpoint made ready for sending, disabled and deleted ones too; nothing can be
// rendered for a deleted one.
func (d *Directory) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	d.mu.Lock()
	h, known := d.targets.Get(endpoint)
	known = known && !h.scope.gone
	generation := d.generation
	d.mu.Unlock()
	if known {
		return h.value, nil
	}
	return once(ctx, d, "target", generation, endpoint, func(ctx context.Context) (*bellwire.Target, error) {
		ep, err := d.store.Endpoint(ctx, endpoint)
		if err != nil {
			return nil, err
		}
		bounds, err := d.Limits(ctx, ep.Tenant)
		if err != nil {
			return nil, err
		}
		target := d.newTarget(ctx, ep, bounds)
		d.keep(generation, func() {
			d.targets.Add(endpoint, held[*bellwire.Target]{target, d.scope(ep.Tenant)})
		})
		return target, nil
	})
}

// Key returns a key. CodeNotFound is always the store's own answer.
func (d *Directory) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	d.mu.Lock()
	h, known := d.keys.Get(id)
	known = known && !h.scope.gone
	generation := d.generation
	d.mu.Unlock()
	if known {
		return h.value, nil
	}
	return once(ctx, d, "key", generation, id.String(), func(ctx context.Context) (*bellwire.Key, error) {
		key, err := d.store.Key(ctx, id)
		if err != nil {
			return nil, err
		}
		d.keep(generation, func() {
			d.keys.Add(id, held[*bellwire.Key]{key, d.scope(key.Tenant)})
		})
		return key, nil
	})
}

// Catalogue returns all event types.
func (d *Directory) Catalogue(ctx context.Context) (*Catalogue, error) {
	d.mu.Lock()
	last, current := d.catalogue, d.current
	generation := d.generation
	d.mu.Unlock()
	if current {
		return last, nil
	}
	return once(ctx, d, "catalogue", generation, "", func(ctx context.Context) (*Catalogue, error) {
		types, revision, err := d.store.Catalogue(ctx)
		if err != nil {
			return nil, err
		}
		c := d.newCatalogue(ctx, types, revision, last)
		d.keep(generation, func() {
			d.catalogue, d.current = c, true
			d.forgetOperator() // what is kept of it is never older than the catalogue, whose revision publishes are held to
		})
		return c, nil
	})
}

// ForgetTenant drops what is known of a tenant: itself, its endpoints and its keys. It is called after a
// change and on CodeStale.
func (d *Directory) ForgetTenant(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generation++
	d.tenants.Remove(id)
}

// ForgetEndpoint drops what is known of an endpoint, and of the tenant it is cached for.
func (d *Directory) ForgetEndpoint(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generation++
	if h, known := d.targets.Peek(id); known {
		d.tenants.Remove(h.value.Endpoint.Tenant)
		d.targets.Remove(id)
	}
}

// ForgetCatalogue drops what is known of the operator's configuration: event types and operator keys.
func (d *Directory) ForgetCatalogue() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = false
	d.forgetOperator()
}

// forgetOperator drops the operator's keys. d.mu is held.
func (d *Directory) forgetOperator() {
	d.generation++
	d.operator.gone = true
	d.operator = &scope{}
}

// scope returns that of a tenant, or the operator's if tenant is empty. d.mu is held.
func (d *Directory) scope(tenant string) *scope {
	if tenant == "" {
		return d.operator
	}
	s, known := d.tenants.Get(tenant)
	if !known {
		s = &scope{}
		d.tenants.Add(tenant, s)
	}
	return s
}

// keep runs add under d.mu, unless something was forgotten since the generation.
func (d *Directory) keep(generation uint64, add func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.generation == generation {
		add()
	}
}

// once runs one load for all who want the same thing in the same generation. A caller who leaves does not
// end it for the others.
func once[V any](ctx context.Context, d *Directory, kind string, generation uint64, id string, load func(context.Context) (V, error)) (V, error) {
	flight := fmt.Sprintf("%s/%d/%s", kind, generation, id)
	result := d.flights.DoChan(flight, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		return load(ctx)
	})
	select {
	case r := <-result:
		v, _ := r.Val.(V)
		return v, r.Err
	case <-ctx.Done():
		var none V
		return none, leftError(ctx.Err())
	}
}

func leftError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return bellwire.Wrap(bellwire.CodeUnavailable, err, "The configuration could not be read in time; try again.")
	}
	return bellwire.Wrap(bellwire.CodeCanceled, err, "The caller left before the configuration was read.")
}
