package service_test

import (
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestStoreUses: a use is stored once it is asked for, and not before, however often the key is used.
func TestStoreUses(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	secret := e.key(e.tenant("acme"), bellwire.RoleTenant)
	caller, err := e.Authenticate(t.Context(), secret)
	wantCode(t, err, "", "")
	used := func() bool {
		key, err := e.store.Store.Key(t.Context(), caller.Key)
		wantCode(t, err, "", "")
		return !key.LastUsedAt.IsZero()
	}
	if used() {
		t.Error("a request has stored the use of its key")
	}
	wantCode(t, e.StoreUses(t.Context()), "", "")
	if !used() {
		t.Error("the use is not stored")
	}
}
