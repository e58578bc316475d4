package postgres

import (
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// One caller makes many changes that wait for a lock. They have some of the connections, and not the last of those that are for changes.
func TestCallersLeaveConnections(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{Timeout: patience})
	holder := connect(t, s.url)
	run1(t, holder, "BEGIN; SELECT FROM bellwire.meta WHERE name = 'schema' FOR UPDATE")
	by := func(owner string, f func(*tx) error) error {
		return s.write(share.WithCaller(t.Context(), func() share.Caller { return share.Caller{Owner: owner} }), f)
	}
	var crowd sync.WaitGroup
	for range 2 * s.options.Connections {
		crowd.Go(func() {
			err := by("crowd", func(tx *tx) error { return tx.lock("schema") })
			if err != nil && bellwire.CodeOf(err) != bellwire.CodeRateLimited { // it waited too long, on a busy machine
				t.Error(err)
			}
		})
	}
	places := limits.ChangeConnections(s.options.Connections-reserved) - 1
	waiting := func() int {
		return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
	}
	waitFor(t, func() bool { return waiting() >= places })
	publish(t, s, publication(t, s, "acme"))
	check(t, by("other", func(tx *tx) error { return tx.exec("SELECT 1") }))
	if n := waiting(); n > places {
		t.Errorf("the crowd has %d connections, want %d", n, places)
	}
	run1(t, holder, "ROLLBACK")
	crowd.Wait()
}
