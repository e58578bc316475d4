package postgres

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
)

// Of several nodes, one that stores events holds no locks while it waits for the disk, and answers when the disk has them. What a
// publisher gave an id is seen by nobody before.
func TestLocksAreReleasedBeforeTheDiskHasAll(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	own, err := pgtest.Start()
	check(t, err)
	defer own.Stop()
	s := openAt(t, own.URL("postgres"), Options{NoSync: true, Timeout: patience})
	plain, keyed := publication(t, s, "plain"), publication(t, s, "keyed")
	keyed.Event.IdempotencyKey = "k"
	alone := publication(t, s, "alone")
	renew(t, s, "a")

	// A commit now waits for a standby that never comes, as for a disk that is slow.
	slow := func(standbys string) {
		t.Helper()
		check(t, own.Exec(t.Context(), fmt.Sprintf("ALTER SYSTEM SET synchronous_standby_names = '%s'", standbys)))
		check(t, own.Exec(t.Context(), "SELECT pg_reload_conf()"))
		waitFor(t, func() bool {
			return count1(t, s, "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = $1", standbys) == 1
		})
	}
	stored := make(map[string]chan error)
	store := func(e *bellwire.NewEvent) {
		done := make(chan error, 1)
		stored[e.Event.Tenant] = done
		go func() {
			_, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
			done <- err
		}()
	}
	waiting := func(n int) func() bool {
		return func() bool {
			return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == n
		}
	}
	seen := func(e *bellwire.NewEvent) bool {
		return count1(t, s, "SELECT count(*) FROM bellwire.events WHERE id = $1", [16]byte(e.Event.ID)) == 1
	}
	locked := func(e *bellwire.NewEvent) bool {
		err := s.write(t.Context(), func(tx *tx) error {
			if err := tx.exec("SELECT FROM bellwire.clocks c JOIN bellwire.tenants t ON t.n = c.tenant WHERE t.id = $1 FOR UPDATE OF c NOWAIT", e.Event.Tenant); err != nil {
				return err
			}
			return errNothing
		})
		if !errors.Is(err, errNothing) && !isState(err, "55P03") {
			t.Error(err)
		}
		return !errors.Is(err, errNothing)
	}

	others := *alone
	others.Event.ID, others.Deliveries = bellwire.NewID[bellwire.EventKind](time.Now()), nil
	publish(t, s, &others) // so that the tenant has a clock
	slow("nobody")
	store(alone)
	waitFor(t, waiting(1))
	if seen(alone) || !locked(alone) {
		t.Error("without other nodes, it is seen before the disk has it")
	}
	slow("")
	check(t, <-stored["alone"])

	b := openAt(t, s.url, s.options)
	renew(t, b, "b")
	if l := renew(t, s, "a"); l.Nodes != 2 {
		t.Fatalf("there are %d nodes", l.Nodes)
	}
	slow("nobody")
	store(plain)
	store(keyed)
	waitFor(t, waiting(2))
	if !seen(plain) || locked(plain) {
		t.Error("another node would wait for the disk, too")
	}
	if seen(keyed) {
		t.Error("a repetition would be answered before the disk has the event")
	}
	select {
	case err := <-stored["plain"]:
		t.Errorf("it was answered before the disk has it: %v", err)
	default:
	}
	slow("")
	check(t, <-stored["plain"])
	check(t, <-stored["keyed"])
}
