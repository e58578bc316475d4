package sqlite

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// work is what the writer did.
type work struct{ statements, steps int }

// working returns what the writer does for f.
func working(t *testing.T, s *Store, f func()) (done work) {
	t.Helper()
	read := func() (done work) {
		check(t, s.write(t.Context(), func(w *writer) error {
			tls := (*libc.TLS)(reflect.ValueOf(w.conn).Elem().FieldByName("tls").UnsafePointer())
			for _, q := range w.queries {
				stmt := uintptr(reflect.ValueOf(q.stmt).Elem().FieldByName("stmt").Uint())
				done.statements += int(lib.Xsqlite3_stmt_status(tls, stmt, lib.SQLITE_STMTSTATUS_RUN, 1))
				done.steps += int(lib.Xsqlite3_stmt_status(tls, stmt, lib.SQLITE_STMTSTATUS_VM_STEP, 1))
			}
			return nil
		}))
		return done
	}
	f() // prepares the statements
	read()
	f()
	return read()
}

// keyedStore has the endpoints "plain" and "keyed". Its functions publish an event and deliver it.
func keyedStore(t *testing.T) (s *Store, leases *bellwire.Leases, publish func(endpoint, key string, taken bool) bellwire.NewDelivery, succeed func(bellwire.NewDelivery, string)) {
	t.Helper()
	s = openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	leases, err := s.RenewLeases(t.Context(), "node")
	check(t, err)
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	for id, ordering := range map[string]bellwire.Ordering{"plain": bellwire.OrderingNone, "keyed": bellwire.OrderingKey} {
		check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: id, Tenant: "acme", Ordering: ordering}, bellwire.ChangeNote{}))
	}
	publish = func(endpoint, key string, taken bool) bellwire.NewDelivery {
		now := bellwire.StoredTime(time.Now())
		id := bellwire.NewID[bellwire.EventKind](now)
		keyed := endpoint == "keyed" && key != ""
		d := bellwire.NewDelivery{ID: bellwire.DeliveryOf(id, 0), Endpoint: endpoint, Ordered: keyed, Keyed: keyed}
		if taken {
			d.Epoch = leases.Epoch(endpoint)
		}
		results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{{
			Event:      bellwire.Event{ID: id, Tenant: "acme", Type: "a", Data: []byte("1"), CreatedAt: now, OrderingKey: key},
			Deliveries: []bellwire.NewDelivery{d},
		}}}})
		check(t, err)
		check(t, results[0].Err)
		return d
	}
	succeed = func(d bellwire.NewDelivery, key string) {
		now := time.Now()
		r := &bellwire.Result{
			Attempt:  &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](now), Delivery: d.ID, Trigger: bellwire.TriggerSchedule, StartedAt: now},
			Delivery: d.ID, Epoch: d.Epoch, Trigger: bellwire.TriggerSchedule, EndedAt: now, Endpoint: d.Endpoint,
			Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
		}
		if d.Keyed {
			r.Key = bellwire.HashOrderingKey(key)
		}
		_, err := s.RecordResults(t.Context(), []*bellwire.Result{r})
		check(t, err)
	}
	return s, leases, publish, succeed
}

// An endpoint without an order pays nothing for ordering keys. One that is ordered by key pays for a number, a look at its key, and
// another one when the delivery has ended.
func TestStatementsOfOrderingKeys(t *testing.T) {
	t.Parallel()
	s, _, publish, succeed := keyedStore(t)
	count := func(endpoint, key string) int {
		return working(t, s, func() { succeed(publish(endpoint, key, true), key) }).statements
	}
	without := count("plain", "")
	for name, c := range map[string]struct {
		endpoint, key string
		more          int
	}{
		"an endpoint without order, and a key": {"plain", "a", 0},
		"an endpoint by key, and no key":       {"keyed", "", 0},
		"an endpoint by key, and a key":        {"keyed", "a", 3},
	} {
		if n := count(c.endpoint, c.key); n != without+c.more {
			t.Errorf("%s: %d statements, want %d and %d more", name, n, without, c.more)
		}
	}
}

// The work for a key does not grow with what waits behind other keys, nor with what waits behind its own.
func TestStuckKeysCostNothing(t *testing.T) {
	t.Parallel()
	s, leases, publish, succeed := keyedStore(t)
	stuck := 0
	pile := func(until int) {
		for ; stuck < until; stuck++ {
			publish("keyed", "stuck", stuck == 0)
			publish("keyed", fmt.Sprint("other ", stuck), true)
		}
	}
	claims := []bellwire.Claim{{Endpoint: "keyed", Epoch: leases.Epoch("keyed"), Limit: 10, MaxBytes: 1 << 20}}
	writes := map[string]func(){
		"another key": func() { succeed(publish("keyed", "a", true), "a") },
		"its own key": func() { publish("keyed", "stuck", false) },
		"the next of a key": func() {
			first := publish("keyed", "b", true)
			publish("keyed", "b", false)
			succeed(first, "b")
			results, err := s.ClaimDue(t.Context(), time.Now(), claims)
			check(t, err)
			if len(results[0].Due) != 1 {
				t.Fatalf("%d deliveries are claimed, want 1", len(results[0].Due))
			}
			d := results[0].Due[0].Delivery
			succeed(bellwire.NewDelivery{ID: d.ID, Endpoint: "keyed", Epoch: d.Epoch, Keyed: true}, "b")
		},
	}
	reads := map[string]func(){
		"what is due": func() { _, err := storetest.DueEndpoints(t.Context(), s, leases); check(t, err) },
		"what is ahead": func() {
			_, err := s.FirstOfKeys(t.Context(), []*bellwire.Delivery{{Endpoint: "keyed", Key: bellwire.HashOrderingKey("stuck"), Behind: true}})
			check(t, err)
		},
	}
	measure := func() map[string]int {
		steps := make(map[string]int)
		for name, f := range writes {
			steps[name] = working(t, s, f).steps
		}
		for name, f := range reads {
			steps[name] = countSteps(s, f)
		}
		return steps
	}
	pile(20)
	few := measure()
	pile(1500)
	for name, steps := range measure() {
		if name == "what is due" || name == "the next of a key" {
			continue // which pass over what is in memory
		}
		if steps > 3*few[name]/2 {
			t.Errorf("%s: %d steps while 20 wait, %d while 1500 do", name, few[name], steps)
		}
	}
}
