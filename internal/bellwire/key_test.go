package bellwire_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Two keys are the same if neither their secret nor their rights differ; names and times of use do not count.
func TestSameKeys(t *testing.T) {
	t.Parallel()
	at := time.Now()
	key := bellwire.Key{ID: bellwire.KeyID{1}, Tenant: "acme", Role: bellwire.RoleTenant, Scopes: "a", Hash: [32]byte{1}, Sealed: []byte("1"), ExpiresAt: at}
	for name, c := range map[string]struct {
		change func(k *bellwire.Key)
		same   bool
	}{
		"nothing":          {func(*bellwire.Key) {}, true},
		"name":             {func(k *bellwire.Key) { k.Name = "other" }, true},
		"last use":         {func(k *bellwire.Key) { k.LastUsedAt = at }, true},
		"sealed again":     {func(k *bellwire.Key) { k.Sealed = []byte("2") }, true},
		"zone":             {func(k *bellwire.Key) { k.ExpiresAt = at.UTC() }, true},
		"id":               {func(k *bellwire.Key) { k.ID[0]++ }, false},
		"tenant":           {func(k *bellwire.Key) { k.Tenant = "other" }, false},
		"role":             {func(k *bellwire.Key) { k.Role = bellwire.RoleTenantRead }, false},
		"scopes":           {func(k *bellwire.Key) { k.Scopes = "" }, false},
		"secret":           {func(k *bellwire.Key) { k.Hash[0]++ }, false},
		"no sealed secret": {func(k *bellwire.Key) { k.Sealed = nil }, false},
		"expiry":           {func(k *bellwire.Key) { k.ExpiresAt = at.Add(1) }, false},
	} {
		other := key
		c.change(&other)
		if got := key.Same(&other); got != c.same {
			t.Errorf("with another %s: %v, want %v", name, got, c.same)
		}
	}
}
