// Package directory caches the configuration in the memory of this node: tenants with their endpoints ready for sending, the
// catalogue with its schemas compiled, and keys. Cached values are immutable. They stay until they are forgotten; then only the
// changes are read. A cache miss always reads the store, so only the store can answer that something does not exist.
package directory

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Keyring opens sealed credentials.
type Keyring interface {
	OpenCredentials(endpoint string, sealed []byte) (*bellwire.Credentials, error)
}

// Config configures a Directory.
type Config struct {
	Store    bellwire.Configuration
	Keyring  Keyring
	Dialects map[string]bellwire.Dialect // by name
	Limits   *bellwire.Limits            // for tenants without values of their own; nil means the defaults
	Settings bellwire.SettingsByDialect  // for tenants without settings of their own
	Logger   *slog.Logger                // for endpoints that cannot be served; nil means none
}

// Directory is the cache. It is safe for concurrent use. Its lock is not held during loads.
type Directory struct {
	store    bellwire.Configuration
	lookups  *Lookups[bellwire.KeyID]
	keyring  Keyring
	dialects map[string]bellwire.Dialect
	limits   *bellwire.Limits
	logger   *slog.Logger
	loads    *share.Gate // loads of tenants' endpoints, which are the most expensive
	checks   *share.Gate // checks of data, and filters, that take long
	programs programs    // compiled filters

	mu        sync.Mutex
	flights   flights
	owners    owners
	catalogue *Catalogue // as last read; a load starts from it, even if it was forgotten
	current   bool       // catalogue was not forgotten since it was read
}

// New returns an empty Directory.
func New(c Config) *Directory {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Limits == nil {
		c.Limits = limits.Default()
	}
	if len(c.Settings) > 0 {
		held := *c.Limits
		held.Settings = &c.Settings
		c.Limits = &held
	}
	return &Directory{
		store:    c.Store,
		lookups:  NewLookups[bellwire.KeyID]("key"),
		keyring:  c.Keyring,
		dialects: c.Dialects,
		limits:   c.Limits,
		logger:   c.Logger,
		loads:    share.NewGate(limits.ConfigurationLoads, waitingLoads),
		checks:   share.NewGate(checkPlaces(), limits.WaitingChecks),
		flights:  newFlights(),
		owners:   newOwners(),
	}
}

// waitingLoads is the most loads of one tenant that wait. Callers share a load, so there is rarely more than one.
const waitingLoads = 2

// There are two kinds of names. Things are forgotten by the name of their owner, which is a tenant's id or operator, or by
// endpointName. Loads have the name of what they read: "tenant/acme", "limits/acme", "catalogue/", "endpoints/" with the ids of several, endpointName or keyName. The
// two cannot be confused, because ids of tenants have no slash.
const operator = ""

func endpointName(id string) string    { return "endpoint/" + id }
func keyName(id bellwire.KeyID) string { return "key/" + id.String() }

// Tenant returns a tenant with its endpoints.
func (d *Directory) Tenant(ctx context.Context, id string) (*Tenant, error) {
	d.mu.Lock()
	if o := d.owners.get(id); o != nil && o.current {
		defer d.mu.Unlock()
		return o.tenant, nil
	}
	return found[*Tenant](ctx, d, "tenant/"+id, d.flights.last(id), func(ctx context.Context, begin func() uint64) (any, error) {
		return d.loadTenant(ctx, id, begin)
	})
}

// loadTenant reads the changes of a tenant since it was last read. Tenants take turns.
func (d *Directory) loadTenant(ctx context.Context, id string, begin func() uint64) (*Tenant, error) {
	leave, err := d.loads.Enter(ctx, id)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, leftError(context.Cause(ctx))
	case err != nil:
		return nil, err
	}
	defer leave()
	began := begin()
	t, changed, err := d.readTenant(ctx, id, d.lastTenant(id))
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := d.flights.last(id) <= began
	if o := d.owners.byID[id]; o != nil && fresh && bellwire.CodeOf(err) == bellwire.CodeNotFound {
		d.owners.remove(o)
	}
	if err != nil {
		return nil, err
	}
	o := d.owners.add(id)
	if o.tenant != nil && o.tenant.Revision > t.Revision {
		return t, nil
	}
	o.current = fresh
	d.owners.keepTenant(o, t, changed)
	return t, nil
}

// lastTenant returns a tenant as it was last read, or nil if it is not cached.
func (d *Directory) lastTenant(id string) *Tenant {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.owners.get(id); o != nil {
		return o.tenant
	}
	return nil
}

// readTenant reads the tenant. It returns also those of its endpoints that differ from the last one, which is nil to read all.
func (d *Directory) readTenant(ctx context.Context, id string, last *Tenant) (*Tenant, []*member, error) {
	since := int64(0) // the revision after which changes are read; 0 reads everything
	if last != nil {
		since = last.Revision
	}
	changes, err := d.store.EndpointsSince(ctx, id, since)
	if err != nil {
		return nil, nil, err
	}
	t, changed, err := d.newTenant(ctx, changes, last)
	if err != nil || len(t.members) == changes.Total || changes.Since == 0 {
		return t, changed, err
	}
	return d.readTenant(ctx, id, nil) // the store no longer lists an endpoint that was deleted since: read everything
}

// Target returns an endpoint ready for sending. It also returns disabled and deleted ones; the Renderer of a deleted one returns
// an error.
func (d *Directory) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	target, tenant := d.cachedTarget(endpoint)
	if tenant != "" {
		// Reading the changes of its tenant brings all its endpoints up to date at once.
		if _, err := d.Tenant(ctx, tenant); err != nil {
			return nil, err
		}
		target, _ = d.cachedTarget(endpoint)
	}
	if target != nil {
		return target, nil
	}
	d.mu.Lock()
	f := d.join(ctx, endpointName(endpoint), d.flights.moment, func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
		ep, err := d.store.Endpoint(ctx, endpoint)
		if err != nil {
			return nil, err
		}
		return d.keepTarget(ctx, ep, began)
	})
	d.mu.Unlock()
	return wait[*bellwire.Target](ctx, f)
}

// keepTarget prepares an endpoint that was read alone, and keeps it unless it was forgotten since the load began.
func (d *Directory) keepTarget(ctx context.Context, ep *bellwire.Endpoint, began uint64) (*bellwire.Target, error) {
	held, err := d.Limits(ctx, ep.Tenant)
	if err != nil {
		return nil, err
	}
	m, err := d.newMember(ctx, ep, held)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flights.last(ep.Tenant, endpointName(ep.ID)) <= began {
		d.owners.keepSingle(d.owners.add(ep.Tenant), m)
	}
	return m.target, nil
}

// Prefetch reads those of the endpoints that are not cached, all at once, so that Target need not read them one by one. Target
// returns the errors of single endpoints.
func (d *Directory) Prefetch(ctx context.Context, endpoints []string) error {
	missing := slices.DeleteFunc(slices.Clone(endpoints), d.isCached)
	if len(missing) < 2 {
		return nil
	}
	d.mu.Lock()
	f := d.join(ctx, "endpoints/"+strings.Join(missing, ","), d.flights.moment, func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
		found, err := d.store.EndpointsByID(ctx, missing)
		if err != nil {
			return nil, err
		}
		for _, ep := range found {
			_, _ = d.keepTarget(ctx, ep, began) // Target returns the error
		}
		return nil, nil
	})
	d.mu.Unlock()
	_, err := wait[any](ctx, f)
	return err
}

// isCached reports whether an endpoint is cached, even if it is out of date.
func (d *Directory) isCached(endpoint string) bool {
	target, tenant := d.cachedTarget(endpoint)
	return target != nil || tenant != ""
}

// cachedTarget returns a cached endpoint. If it is out of date, it returns the tenant to read instead. It returns neither if the
// endpoint is not cached.
func (d *Directory) cachedTarget(endpoint string) (target *bellwire.Target, tenant string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.owners.endpoints[endpoint]
	if o == nil {
		return nil, ""
	}
	d.owners.touch(o)
	if o.tenant != nil {
		if m := o.tenant.byID[endpoint]; m != nil && o.current {
			return m.target, ""
		}
	}
	if m := o.singles[endpoint]; m != nil {
		return m.target, ""
	}
	if o.tenant == nil || o.current {
		return nil, ""
	}
	return nil, o.id
}

// Key returns a key.
func (d *Directory) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	d.mu.Lock()
	if o := d.owners.keys[id]; o != nil {
		defer d.mu.Unlock()
		d.owners.touch(o)
		return o.keys[id], nil
	}
	return found[*bellwire.Key](ctx, d, keyName(id), d.flights.moment, func(ctx context.Context, begin func() uint64) (key any, err error) {
		err = d.lookups.Find(ctx, id, func() (err error) {
			key, err = d.loadKey(ctx, id, begin())
			return err
		})
		return key, err
	})
}

// loadKey reads a key, and keeps it unless it was forgotten since the load began.
func (d *Directory) loadKey(ctx context.Context, id bellwire.KeyID, began uint64) (*bellwire.Key, error) {
	key, err := d.store.Key(ctx, id)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flights.last(key.Tenant) <= began {
		d.owners.keepKey(d.owners.add(key.Tenant), key)
	}
	return key, nil
}

// KeyChanged reads a key again, and reports whether another node has deleted or replaced it since; then it is forgotten. proven says
// that the caller has its secret: for others, keys are read a few at a time.
func (d *Directory) KeyChanged(ctx context.Context, key *bellwire.Key, proven bool) (changed bool, err error) {
	var stored *bellwire.Key
	read := func() (err error) {
		stored, err = d.store.Key(ctx, key.ID)
		return err
	}
	if proven {
		err = read()
	} else {
		err = d.lookups.FindUnproven(ctx, read)
	}
	switch {
	case err == nil && stored.Same(key):
		return false, nil
	case err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound:
		return false, err
	}
	d.ForgetTenant(key.Tenant)
	return true, nil
}

// Catalogue returns all event types.
func (d *Directory) Catalogue(ctx context.Context) (*Catalogue, error) {
	d.mu.Lock()
	if d.current {
		defer d.mu.Unlock()
		return d.catalogue, nil
	}
	f := d.join(ctx, "catalogue/", d.flights.last(operator), func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
		d.mu.Lock()
		last := d.catalogue
		d.mu.Unlock()
		since := int64(0) // reads everything
		if last != nil {
			since = last.Revision
		}
		changes, err := d.store.CatalogueSince(ctx, since)
		if err != nil {
			return nil, err
		}
		c := d.newCatalogue(ctx, changes, last)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.catalogue == nil || d.catalogue.Revision <= c.Revision {
			d.catalogue, d.current = c, d.flights.last(operator) <= began
			d.forgetOwner(operator) // cached operator keys must not be older than the catalogue, whose revision publishes are checked against
		}
		return c, nil
	})
	d.mu.Unlock()
	return wait[*Catalogue](ctx, f)
}

// ForgetTenant makes the next caller read the changes of a tenant, its endpoints and its keys. It must be called after a change.
func (d *Directory) ForgetTenant(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetOwner(id)
}

// ForgetTenantAt is ForgetTenant for a caller whose revision the store reported as stale. It does nothing if a later revision was
// read in the meantime.
func (d *Directory) ForgetTenantAt(id string, revision int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.owners.byID[id]; o == nil || o.tenant == nil || o.tenant.Revision <= revision {
		d.forgetOwner(id)
	}
}

// ForgetEndpoint makes the next caller read an endpoint, and the changes of the tenant that has it in the cache.
func (d *Directory) ForgetEndpoint(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := []string{endpointName(id)}
	if o := d.owners.endpoints[id]; o != nil {
		names = append(names, o.id)
		d.expire(o)
	}
	d.flights.forget(names...)
}

// ForgetCatalogue makes the next caller read the operator's configuration: event types and operator keys.
func (d *Directory) ForgetCatalogue() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = false
	d.forgetOwner(operator)
}

// ForgetCatalogueAt is ForgetCatalogue for a caller whose revision the store reported as stale. It does nothing if a later
// revision was read in the meantime.
func (d *Directory) ForgetCatalogueAt(revision int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.catalogue == nil || d.catalogue.Revision <= revision {
		d.current = false
		d.forgetOwner(operator)
	}
}

// forgetOwner makes the next caller read all of an owner. d.mu is held.
func (d *Directory) forgetOwner(id string) {
	d.flights.forget(id)
	if o := d.owners.byID[id]; o != nil {
		d.expire(o)
	}
}

// expire marks an owner as out of date, and drops the parts that cannot be updated with changes. d.mu is held.
func (d *Directory) expire(o *owner) {
	o.current = false
	d.owners.dropParts(o)
}
