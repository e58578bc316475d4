package service_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/testenv"
)

// node is one of several services on a store, with an engine and a directory of its own. It hears nothing of the others.
type node struct {
	*env
}

// pair makes two nodes on one store. Nothing that is sent arrives.
func pair(t *testing.T) [2]node {
	t.Helper()
	first := newEnv(t)
	var nodes [2]node
	for i := range nodes {
		known := directory.New(directory.Config{Store: first.store, Keyring: first.keyring, Dialects: map[string]bellwire.Dialect{standard.Name: standard.Dialect{}}})
		e := engine.New(engine.Config{
			Store: first.store, Directory: known, Node: fmt.Sprint("node", i),
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("there is no network") },
		})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := e.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		c := first.config
		c.Directory, c.Engine, c.Shared = known, e, true
		s, err := service.New(c)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = node{&env{Service: s, t: t, config: c, store: first.store, keyring: first.keyring}}
	}
	return nodes
}

// publish publishes with a key, and returns the number of deliveries or the code of the error.
func (n node) publish(secret, tenant, eventType, data string) string {
	n.t.Helper()
	c, err := n.AuthenticatePublisher(n.t.Context(), secret)
	if err != nil {
		return string(bellwire.CodeOf(err))
	}
	r, err := n.Publish(n.t.Context(), c, tenant, service.Draft{Type: eventType, Data: []byte(data)})
	if err != nil {
		return string(bellwire.CodeOf(err))
	}
	list, err := n.Deliveries(n.t.Context(), admin, bellwire.DeliveryFilter{Tenant: tenant, Event: r.Event}, bellwire.Page{})
	if err != nil {
		n.t.Fatal(err)
	}
	return fmt.Sprint(len(list.Items))
}

// enter returns the result of a request with a key that may not publish.
func (n node) requireTenant(secret string) string {
	_, err := n.Authenticate(n.t.Context(), secret)
	return string(bellwire.CodeOf(err))
}

// change is something that one node does and that counts on another the moment it is done.
type change struct {
	name string
	// prepare sets up the configuration, and returns the expected result of a publish or request on the other node.
	prepare func(here node, tenant string) (look func(there node) string)
	do      func(here node, tenant string)
	before  string
	after   string
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// changes are about a tenant with a name of its own, a type that is named like it, and one endpoint for all events.
func changes() []change {
	const fits, misfit = `{"amount": 1}`, `{"amount": "one"}`
	var ( // of the case that runs; cases run one after the other
		id     bellwire.KeyID
		secret string
		ep     *service.Endpoint
	)
	key := func(ofTenant bool, role bellwire.Role) func(node, string) {
		return func(here node, tenant string) {
			if !ofTenant {
				tenant = ""
			}
			made, s, err := here.CreateKey(here.t.Context(), admin, tenant, service.NewKey{Role: role})
			must(here.t, err)
			id, secret = made.ID, s
		}
	}
	publishing := func(data string) func(node, string) func(node) string {
		return func(here node, tenant string) func(node) string {
			key(false, bellwire.RolePublisher)(here, tenant)
			ep = here.endpoint(tenant)
			with := secret
			return func(there node) string { return there.publish(with, tenant, "order."+tenant, data) }
		}
	}
	update := func(in service.EndpointInput) func(node, string) {
		return func(here node, tenant string) {
			_, err := here.UpdateEndpoint(here.t.Context(), admin, tenant, ep.ID, in)
			must(here.t, err)
		}
	}
	put := func(in service.EventTypeInput) func(node, string) {
		return func(here node, tenant string) { here.putType("order."+tenant, in) }
	}
	return []change{
		{"endpoint made", publishing(fits), func(here node, tenant string) { here.endpoint(tenant) }, "1", "2"},
		{"endpoint wants other events", publishing(fits), update(service.EndpointInput{Events: &[]string{"other*"}}), "1", "0"},
		{"endpoint disabled", publishing(fits), update(service.EndpointInput{Status: new(bellwire.EndpointDisabled)}), "1", "0"},
		{"endpoint deleted", publishing(fits), func(here node, tenant string) {
			must(here.t, here.DeleteEndpoint(here.t.Context(), admin, tenant, ep.ID))
		}, "1", "0"},
		{"type archived", publishing(fits), put(service.EventTypeInput{Archived: true}), "1", "invalid"},
		{"type with another schema", publishing(misfit), put(service.EventTypeInput{Schema: []byte(orderSchema)}), "1", "invalid"},
		{"type deleted", publishing(fits), func(here node, tenant string) {
			must(here.t, here.DeleteEventType(here.t.Context(), admin, "order."+tenant))
		}, "1", "invalid"},
		{"type made", func(here node, tenant string) func(node) string {
			look := publishing(fits)(here, tenant)
			must(here.t, here.DeleteEventType(here.t.Context(), admin, "order."+tenant))
			return look
		}, put(service.EventTypeInput{}), "invalid", "1"},
		{"tenant deleted", publishing(fits), func(here node, tenant string) {
			must(here.t, here.DeleteTenant(here.t.Context(), admin, tenant))
		}, "1", "not_found"},
		{"tenant made again", publishing(fits), func(here node, tenant string) {
			must(here.t, here.DeleteTenant(here.t.Context(), admin, tenant))
			here.tenant(tenant)
		}, "1", "0"},
		{"tenant made", func(here node, tenant string) func(node) string {
			look := publishing(fits)(here, tenant)
			must(here.t, here.DeleteTenant(here.t.Context(), admin, tenant))
			return look
		}, func(here node, tenant string) { here.tenant(tenant) }, "not_found", "0"},
		{"publisher's key deleted", publishing(fits), func(here node, _ string) {
			must(here.t, here.DeleteKey(here.t.Context(), admin, "", id))
		}, "1", "unauthenticated"},
		{"admin's key deleted, for a publish", func(here node, tenant string) func(node) string {
			here.endpoint(tenant)
			key(false, bellwire.RoleAdmin)(here, tenant)
			with := secret
			return func(there node) string { return there.publish(with, tenant, "order."+tenant, fits) }
		}, func(here node, _ string) { must(here.t, here.DeleteKey(here.t.Context(), admin, "", id)) }, "1", "unauthenticated"},
		{"admin's key deleted", func(here node, tenant string) func(node) string {
			key(false, bellwire.RoleAdmin)(here, tenant)
			with := secret
			return func(there node) string { return there.requireTenant(with) }
		}, func(here node, _ string) { must(here.t, here.DeleteKey(here.t.Context(), admin, "", id)) }, "", "unauthenticated"},
		{"tenant's key deleted", func(here node, tenant string) func(node) string {
			key(true, bellwire.RoleTenant)(here, tenant)
			with := secret
			return func(there node) string { return there.requireTenant(with) }
		}, func(here node, tenant string) { must(here.t, here.DeleteKey(here.t.Context(), admin, tenant, id)) }, "", "unauthenticated"},
		{"tenant deleted with its keys", func(here node, tenant string) func(node) string {
			key(true, bellwire.RoleTenant)(here, tenant)
			with := secret
			return func(there node) string { return there.requireTenant(with) }
		}, func(here node, tenant string) { must(here.t, here.DeleteTenant(here.t.Context(), admin, tenant)) }, "", "unauthenticated"},
		{"keys made", func(node, string) func(node) string {
			return func(there node) string { return there.requireTenant(secret) }
		}, func(here node, tenant string) {
			key(true, bellwire.RoleTenantRead)(here, tenant)
		}, "unauthenticated", ""},
	}
}

// TestChangesCountOnOtherNodes changes something on one node, and publishes or asks on another that knew it as it was and
// was told nothing. Each is done in both directions.
func TestChangesCountOnOtherNodes(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	for direction := range 2 {
		for _, c := range changes() {
			t.Run(fmt.Sprintf("%s, from node %d", c.name, direction), func(t *testing.T) {
				nodes := pair(t)
				here, there := nodes[direction], nodes[1-direction]
				const tenant = "acme"
				here.tenant(tenant)
				here.putType("order."+tenant, service.EventTypeInput{})
				here.putType("other", service.EventTypeInput{})
				look := c.prepare(here, tenant)
				for range 2 { // the second time from what it knows
					if got := look(there); got != c.before {
						t.Fatalf("before the change it is answered %q, want %q", got, c.before)
					}
				}
				c.do(here, tenant)
				for range 2 {
					if got := look(there); got != c.after {
						t.Errorf("after the change it is answered %q, want %q", got, c.after)
					}
				}
			})
		}
	}
}
