package directory

import (
	"container/list"
	"math/bits"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on the cache, in addition to limits.CachedConfiguration.
const (
	maxOwners     = 16_000
	maxOwnersKeys = 1000 // of one tenant, or of the operator
	maxSingles    = 1000 // of one tenant; see owner.singles
	ownerBytes    = 512
	keyBytes      = 512
	idleFor       = 10 * time.Minute // entries that were not used for so long are evicted first
)

// owner is the cached configuration of a tenant or of the operator.
type owner struct {
	id      string // empty: the operator
	tenant  *Tenant
	current bool // tenant is up to date, as far as this node knows; otherwise a load starts from it
	// The parts that were read alone. They are dropped when anything of the owner is forgotten.
	limits  *bellwire.Limits // nil if not cached
	keys    map[bellwire.KeyID]*bellwire.Key
	singles map[string]*member

	bytes   int
	used    time.Time
	class   int
	element *list.Element // in its class
}

// owners are all cached owners. d.mu guards them.
type owners struct {
	byID      map[string]*owner
	endpoints map[string]*owner // of their tenants and singles
	keys      map[bellwire.KeyID]*owner
	bytes     int
	// classes are the owners by the logarithm of their size, the most recently used ones first.
	classes [bits.UintSize]list.List
}

func newOwners() owners {
	return owners{byID: make(map[string]*owner), endpoints: make(map[string]*owner), keys: make(map[bellwire.KeyID]*owner)}
}

// get returns an owner, or nil if nothing of it is cached.
func (c *owners) get(id string) *owner {
	o := c.byID[id]
	if o != nil {
		c.touch(o)
	}
	return o
}

// add returns an owner, and creates it if it does not exist.
func (c *owners) add(id string) *owner {
	if o := c.get(id); o != nil {
		return o
	}
	o := &owner{id: id, bytes: ownerBytes, keys: make(map[bellwire.KeyID]*bellwire.Key), singles: make(map[string]*member)}
	c.byID[id] = o
	c.bytes += o.bytes
	c.touch(o)
	return o
}

// touch records that an owner was used.
func (c *owners) touch(o *owner) {
	o.used = time.Now()
	class := bits.Len(uint(o.bytes))
	if o.element != nil && o.class == class {
		c.classes[class].MoveToFront(o.element)
		return
	}
	c.unlist(o)
	o.class, o.element = class, c.classes[class].PushFront(o)
}

func (c *owners) unlist(o *owner) {
	if o.element != nil {
		c.classes[o.class].Remove(o.element)
		o.element = nil
	}
}

// grow adds to the size of an owner, and evicts others if the cache is full. bytes can be negative. An owner that exceeds the
// whole cache by itself is evicted at once.
func (c *owners) grow(o *owner, bytes int) {
	o.bytes += bytes
	c.bytes += bytes
	c.touch(o)
	for c.bytes > limits.CachedConfiguration || len(c.byID) > maxOwners {
		victim := c.victim()
		if victim == nil {
			return
		}
		c.remove(victim)
	}
}

// victim returns the owner to evict: the least recently used one if it was idle for idleFor, and otherwise one of the largest, so
// that no tenant loses configuration in use to a larger one.
func (c *owners) victim() *owner {
	var oldest, largest *owner
	for class := range c.classes {
		last := c.classes[class].Back()
		if last == nil {
			continue
		}
		largest = last.Value.(*owner)
		if oldest == nil || largest.used.Before(oldest.used) {
			oldest = largest
		}
	}
	if oldest != nil && time.Since(oldest.used) >= idleFor {
		return oldest
	}
	return largest
}

// remove drops an owner.
func (c *owners) remove(o *owner) {
	c.dropParts(o)
	if o.tenant != nil {
		for _, m := range o.tenant.members {
			c.dropEndpoint(o, m.target.Endpoint.ID)
		}
	}
	c.bytes -= o.bytes
	c.unlist(o)
	delete(c.byID, o.id)
}

func (c *owners) dropEndpoint(o *owner, id string) {
	if c.endpoints[id] == o {
		delete(c.endpoints, id)
	}
}

// dropParts drops the parts that were read alone.
func (c *owners) dropParts(o *owner) {
	for id := range o.keys {
		delete(c.keys, id)
	}
	freed := keyBytes * len(o.keys)
	for id, m := range o.singles {
		freed += m.bytes
		if o.tenant == nil || o.tenant.byID[id] == nil {
			c.dropEndpoint(o, id)
		}
	}
	clear(o.keys)
	clear(o.singles)
	o.limits = nil
	o.bytes -= freed
	c.bytes -= freed
}

// keepTenant caches a tenant. changed are those of its endpoints that differ from the cached ones.
func (c *owners) keepTenant(o *owner, t *Tenant, changed []*member) {
	before := 0
	if o.tenant != nil {
		before = o.tenant.bytes
		for _, m := range o.tenant.members {
			if id := m.target.Endpoint.ID; t.byID[id] == nil && o.singles[id] == nil {
				c.dropEndpoint(o, id)
			}
		}
	}
	for _, m := range changed {
		c.endpoints[m.target.Endpoint.ID] = o
	}
	o.tenant = t
	if o.current {
		o.limits = t.limits
	}
	c.grow(o, t.bytes-before)
}

func (c *owners) keepKey(o *owner, key *bellwire.Key) {
	if len(o.keys) >= maxOwnersKeys {
		c.dropParts(o)
	}
	before := len(o.keys)
	o.keys[key.ID] = key
	c.keys[key.ID] = o
	c.grow(o, keyBytes*(len(o.keys)-before))
}

func (c *owners) keepSingle(o *owner, m *member) {
	if len(o.singles) >= maxSingles {
		c.dropParts(o)
	}
	id := m.target.Endpoint.ID
	more := m.bytes
	if before := o.singles[id]; before != nil {
		more -= before.bytes
	}
	o.singles[id] = m
	c.endpoints[id] = o
	c.grow(o, more)
}
