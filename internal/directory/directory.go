// Package directory is the configuration as this node knows it: tenants with their endpoints made ready
// for sending, the catalogue with its schemas compiled, and keys. What it hands out is immutable and cached until it is
// forgotten; then what has changed is read again. What is not in the cache is asked of the store, so that a miss is never
// an answer by itself.
package directory

import (
	"context"
	"log/slog"
	"sync"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

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

// Directory is the cache. It is safe for concurrent use. No load, and nothing else that takes long, is done under its lock.
type Directory struct {
	store    bellwire.Configuration
	keyring  Keyring
	dialects map[string]bellwire.Dialect
	limits   *bellwire.Limits
	logger   *slog.Logger
	loads    *share.Gate // loads of tenants' endpoints, which cost the most
	checks   *share.Gate // checks of data that take long

	mu        sync.Mutex
	flights   flights
	owners    owners
	catalogue *Catalogue // as it was last read, also when it was forgotten since: a load begins with it
	current   bool       // catalogue was not forgotten
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
		store:    newKeyLookups(c.Store),
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

// waitingLoads is how many loads of one tenant may wait: there is one at a time, as those who want the same wait together.
const waitingLoads = 2

// The names of what is forgotten and loaded, beside those of tenants, in which there is no slash.
const operator = ""

func endpointName(id string) string    { return "endpoint/" + id }
func keyName(id bellwire.KeyID) string { return "key/" + id.String() }

// Tenant returns a tenant with its endpoints. CodeNotFound is always the store's own answer.
func (d *Directory) Tenant(ctx context.Context, id string) (*Tenant, error) {
	d.mu.Lock()
	if o := d.owners.get(id); o != nil && o.current {
		defer d.mu.Unlock()
		return o.tenant, nil
	}
	f := d.join(ctx, "tenant/"+id, d.flights.last(id), func(ctx context.Context, begin func() uint64) (any, error) {
		return d.loadTenant(ctx, id, begin)
	})
	d.mu.Unlock()
	return wait[*Tenant](ctx, f)
}

// loadTenant reads what has changed of a tenant since it was last read. Tenants take turns.
func (d *Directory) loadTenant(ctx context.Context, id string, begin func() uint64) (*Tenant, error) {
	leave, err := d.loads.Enter(ctx, id)
	if err != nil {
		return nil, leftError(context.Cause(ctx))
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

// lastTenant returns a tenant as it was last read, nil if it is not cached.
func (d *Directory) lastTenant(id string) *Tenant {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.owners.get(id); o != nil {
		return o.tenant
	}
	return nil
}

// readTenant returns the tenant as it is now, and those of its endpoints that are not as they were in the last one.
func (d *Directory) readTenant(ctx context.Context, id string, last *Tenant) (*Tenant, []*member, error) {
	since := int64(0)
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
	return d.readTenant(ctx, id, nil) // the traces of a deleted endpoint are gone
}

// Target returns any endpoint made ready for sending, disabled and deleted ones too; nothing can be
// rendered for a deleted one.
func (d *Directory) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	target, tenant := d.cachedTarget(endpoint)
	if tenant != "" {
		// Once what has changed of its tenant is read, the endpoint is known, and so are all others.
		if _, err := d.Tenant(ctx, tenant); err != nil {
			return nil, err
		}
		target, _ = d.cachedTarget(endpoint)
	}
	if target != nil {
		return target, nil
	}
	d.mu.Lock()
	name := endpointName(endpoint)
	f := d.join(ctx, name, d.flights.moment, func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
		ep, err := d.store.Endpoint(ctx, endpoint)
		if err != nil {
			return nil, err
		}
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
		if d.flights.last(ep.Tenant, name) <= began {
			d.owners.keepSingle(d.owners.add(ep.Tenant), m)
		}
		return m.target, nil
	})
	d.mu.Unlock()
	return wait[*bellwire.Target](ctx, f)
}

// cachedTarget returns an endpoint if it is cached, or else the tenant that is to be read again, empty if the endpoint is not
// known to be one of a tenant that is cached.
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

// Key returns a key. CodeNotFound is always the store's own answer.
func (d *Directory) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	d.mu.Lock()
	if o := d.owners.keys[id]; o != nil {
		defer d.mu.Unlock()
		d.owners.touch(o)
		return o.keys[id], nil
	}
	f := d.join(ctx, keyName(id), d.flights.moment, func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
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
	})
	d.mu.Unlock()
	return wait[*bellwire.Key](ctx, f)
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
		types, revision, err := d.store.Catalogue(ctx)
		if err != nil {
			return nil, err
		}
		c := d.newCatalogue(ctx, types, revision, last)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.catalogue == nil || d.catalogue.Revision <= c.Revision {
			d.catalogue, d.current = c, d.flights.last(operator) <= began
			d.forgetOwner(operator) // what is kept of its keys is never older than the catalogue, whose revision publishes are held to
		}
		return c, nil
	})
	d.mu.Unlock()
	return wait[*Catalogue](ctx, f)
}

// ForgetTenant has a tenant, its endpoints and its keys read again, as far as they have changed. It is called after a
// change.
func (d *Directory) ForgetTenant(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetOwner(id)
}

// ForgetTenantAt is ForgetTenant for one who has found that a revision is not the tenant's any more. Where a later one is
// known already, nothing is forgotten: it was read after the caller asked for the earlier one.
func (d *Directory) ForgetTenantAt(id string, revision int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.owners.byID[id]; o == nil || o.tenant == nil || o.tenant.Revision <= revision {
		d.forgetOwner(id)
	}
}

// ForgetEndpoint has an endpoint read again, and the tenant that it is cached for.
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

// ForgetCatalogue has the operator's configuration read again: event types and operator keys.
func (d *Directory) ForgetCatalogue() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = false
	d.forgetOwner(operator)
}

// ForgetCatalogueAt is to ForgetCatalogue what ForgetTenantAt is to ForgetTenant.
func (d *Directory) ForgetCatalogueAt(revision int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.catalogue == nil || d.catalogue.Revision <= revision {
		d.current = false
		d.forgetOwner(operator)
	}
}

// forgetOwner has all of an owner read again. d.mu is held.
func (d *Directory) forgetOwner(id string) {
	d.flights.forget(id)
	if o := d.owners.byID[id]; o != nil {
		d.expire(o)
	}
}

// expire drops what cannot be brought up to date. d.mu is held.
func (d *Directory) expire(o *owner) {
	o.current = false
	d.owners.dropParts(o)
}
