package directory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// keepOf keeps a tenant with so many endpoints of so many bytes.
func keepOf(c *owners, id string, endpoints, bytes int) {
	t := &Tenant{ID: id, byID: make(map[string]*member), bytes: tenantBytes}
	var members []*member
	for i := range endpoints {
		m := &member{target: &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: fmt.Sprint(id, "/", i), Tenant: id}}, bytes: bytes}
		t.add(m)
		members = append(members, m)
	}
	c.keepTenant(c.add(id), t, members)
}

// Large tenants are evicted for each other, and small ones stay in the cache.
func TestLargeTenantsMakeRoomFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newOwners()
		const small = 200
		for i := range small {
			keepOf(&c, fmt.Sprint("small", i), 3, 2000)
		}
		for i := range 20 {
			keepOf(&c, fmt.Sprint("large", i), 1000, limits.CachedConfiguration/5000)
			if c.bytes > limits.CachedConfiguration {
				t.Fatalf("%d bytes are kept", c.bytes)
			}
		}
		for i := range small {
			if c.byID[fmt.Sprint("small", i)] == nil {
				t.Fatalf("small%d had to go", i)
			}
		}
		if c.byID["large19"] == nil {
			t.Error("the last large one had to go for an earlier one")
		}
		time.Sleep(2 * idleFor)
		keepOf(&c, "large0", 1000, limits.CachedConfiguration/5000)
		for i := 1; i < 20; i++ {
			keepOf(&c, fmt.Sprint("large", i), 1000, limits.CachedConfiguration/5000)
		}
		for i := range small {
			if c.byID[fmt.Sprint("small", i)] != nil {
				t.Fatalf("small%d is kept though it was not used for long", i)
			}
		}
	})
}

// The counted bytes are those of the cached values, whatever is added and dropped.
func TestOwnersCountWhatTheyKeep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newOwners()
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			id := fmt.Sprint("t", rapid.IntRange(0, 3).Draw(t, "tenant"))
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				keepOf(&c, id, rapid.IntRange(0, 5).Draw(t, "endpoints"), 2000)
			case 1:
				c.keepKey(c.add(id), &bellwire.Key{ID: bellwire.KeyID{byte(rapid.IntRange(0, 3).Draw(t, "key")), id[1]}})
			case 2:
				single := fmt.Sprint(id, "/", rapid.IntRange(0, 7).Draw(t, "endpoint"))
				c.keepSingle(c.add(id), &member{target: &bellwire.Target{Endpoint: &bellwire.Endpoint{ID: single}}, bytes: 1000})
			case 3:
				if o := c.byID[id]; o != nil {
					c.dropParts(o)
				}
			case 4:
				if o := c.byID[id]; o != nil {
					c.remove(o)
				}
			}
			bytes, keys, listed := 0, 0, 0
			endpoints := make(map[string]bool)
			for _, o := range c.byID {
				bytes += ownerBytes + keyBytes*len(o.keys)
				keys += len(o.keys)
				for id, m := range o.singles {
					bytes += m.bytes
					endpoints[id] = true
				}
				if o.tenant != nil {
					bytes += o.tenant.bytes
					for id := range o.tenant.byID {
						endpoints[id] = true
					}
				}
			}
			for i := range c.classes {
				listed += c.classes[i].Len()
			}
			if c.bytes != bytes || len(c.keys) != keys || len(c.endpoints) != len(endpoints) || listed != len(c.byID) {
				t.Fatalf("%d bytes, %d keys, %d endpoints, %d tenants are counted; there are %d, %d, %d and %d",
					c.bytes, len(c.keys), len(c.endpoints), listed, bytes, keys, len(endpoints), len(c.byID))
			}
		}
	})
}
