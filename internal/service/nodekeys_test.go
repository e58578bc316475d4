package service_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/testenv"
)

// role returns the role of the key with a secret, or the code of the error.
func (n node) role(secret string) string {
	c, err := n.Authenticate(n.t.Context(), secret)
	return cmp.Or(string(bellwire.CodeOf(err)), string(c.Role))
}

// signed returns the code of the error for a request that is signed with a secret.
func (n node) signed(id bellwire.KeyID, secret, nonce string) string {
	claim, err := n.ClaimSigned(n.t.Context(), service.SignedRequest{Key: id.String(), Nonce: nonce, At: time.Now()})
	if err == nil {
		_, err = claim.Prove(n.t.Context(), func(of string) bool { return of == secret })
	}
	return string(bellwire.CodeOf(err))
}

// A key that one node makes, or replaces by another with its id or its secret, counts at once on another node that was asked for it
// before and was told nothing.
func TestReplacedKeysCountOnOtherNodes(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	id, other := bellwire.KeyID{1}, bellwire.KeyID{2}
	with := func(letter string) string {
		return "bwk_" + hex.EncodeToString(id[:]) + "_" + strings.Repeat(letter, 43)
	}
	const old, next, foreign = "A", "E", "sk_live_1234567890"
	const tenantKey, readKey, publisherKey = bellwire.RoleTenant, bellwire.RoleTenantRead, bellwire.RolePublisher
	role := func(secret string) func(node, int) string {
		return func(there node, _ int) string { return there.role(secret) }
	}
	publish := func(secret string) func(node, int) string {
		return func(there node, _ int) string { return there.publish(secret, "acme", "order.created", `{}`) }
	}
	watch := func(secret string) func(node, int) string {
		var watching service.Caller
		return func(there node, n int) string {
			if n == 1 {
				var err error
				watching, err = there.Authenticate(there.t.Context(), secret)
				must(there.t, err)
			}
			return string(bellwire.CodeOf(there.StillValid(there.t.Context(), watching)))
		}
	}
	signed := func(secret string) func(node, int) string {
		return func(there node, n int) string { return there.signed(id, secret, fmt.Sprint(n)) }
	}
	for _, c := range []struct {
		name          string
		before, after service.NewKey
		ask           func(there node, n int) string
		was, is       string
	}{
		{"made, with a chosen secret", service.NewKey{}, service.NewKey{Secret: with(old), Role: tenantKey}, role(with(old)), "unauthenticated", "tenant"},
		{"made, with a foreign secret", service.NewKey{}, service.NewKey{Secret: foreign, Role: tenantKey}, role(foreign), "unauthenticated", "tenant"},
		{"made for publishing", service.NewKey{}, service.NewKey{Secret: with(old), Role: publisherKey}, publish(with(old)), "unauthenticated", "1"},
		{"made for signing", service.NewKey{}, service.NewKey{Secret: with(old), Role: tenantKey, HMAC: true}, signed(with(old)), "unauthenticated", ""},
		{"its old secret", service.NewKey{Secret: with(old), Role: tenantKey}, service.NewKey{Secret: with(next), Role: tenantKey}, role(with(old)), "tenant", "unauthenticated"},
		{"its new secret", service.NewKey{Secret: with(old), Role: tenantKey}, service.NewKey{Secret: with(next), Role: tenantKey}, role(with(next)), "unauthenticated", "tenant"},
		{"its role", service.NewKey{Secret: with(old), Role: tenantKey}, service.NewKey{Secret: with(old), Role: readKey}, role(with(old)), "tenant", "tenant-read"},
		{"its old secret, publishing", service.NewKey{Secret: with(old), Role: publisherKey}, service.NewKey{Secret: with(next), Role: publisherKey}, publish(with(old)), "1", "unauthenticated"},
		{"its new secret, publishing", service.NewKey{Secret: with(old), Role: publisherKey}, service.NewKey{Secret: with(next), Role: publisherKey}, publish(with(next)), "unauthenticated", "1"},
		{"its role, publishing", service.NewKey{Secret: with(old), Role: readKey}, service.NewKey{Secret: with(old), Role: publisherKey}, publish(with(old)), "forbidden", "1"},
		{"its old secret, signing", service.NewKey{Secret: with(old), Role: tenantKey, HMAC: true}, service.NewKey{Secret: with(next), Role: tenantKey, HMAC: true}, signed(with(old)), "", "unauthenticated"},
		{"its new secret, signing", service.NewKey{Secret: with(old), Role: tenantKey, HMAC: true}, service.NewKey{Secret: with(next), Role: tenantKey, HMAC: true}, signed(with(next)), "unauthenticated", ""},
		{"whether it can sign", service.NewKey{Secret: with(old), Role: tenantKey}, service.NewKey{Secret: with(old), Role: tenantKey, HMAC: true}, signed(with(old)), "unauthenticated", ""},
		{"its role, while it watches", service.NewKey{Secret: with(old), Role: tenantKey}, service.NewKey{Secret: with(old), Role: readKey}, watch(with(old)), "", "unauthenticated"},
		{"a foreign secret of another key", service.NewKey{ID: id, Secret: foreign, Role: tenantKey}, service.NewKey{ID: other, Secret: foreign, Role: readKey}, role(foreign), "tenant", "tenant-read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodes := pair(t)
			here, there := nodes[0], nodes[1]
			here.tenant("acme")
			here.endpoint("acme")
			owner := func(key service.NewKey) string {
				if key.Role == publisherKey {
					return ""
				}
				return "acme"
			}
			if c.before.Role != "" {
				_, _, err := here.CreateKey(t.Context(), admin, owner(c.before), c.before)
				must(t, err)
			}
			asked := 0
			ask := func(want string) {
				t.Helper()
				for range 2 { // the second time from what it knows
					asked++
					if got := c.ask(there, asked); got != want {
						t.Errorf("time %d: %q, want %q", asked, got, want)
					}
				}
			}
			ask(c.was)
			if c.before.Role != "" {
				must(t, here.DeleteKey(t.Context(), admin, owner(c.before), id))
			}
			_, _, err := here.CreateKey(t.Context(), admin, owner(c.after), c.after)
			must(t, err)
			ask(c.is)
		})
	}
}
