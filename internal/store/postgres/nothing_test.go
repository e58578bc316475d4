package postgres

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// A publish that is repeated, or refused, writes no commit, for which it would wait for the disk.
func TestRepeatedPublishesCommitNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	first := publication(t, s, "acme")
	first.Event.IdempotencyKey = "k"
	publish(t, s, first)
	again := *first
	again.Event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
	unknown := *first
	unknown.Event.Tenant, unknown.Event.ID = "nobody", bellwire.NewID[bellwire.EventKind](time.Now())
	results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{&again}}, {Events: []*bellwire.NewEvent{&unknown}}})
	check(t, err)
	if r := results[0]; r.Err != nil || !r.Events[0].Duplicate || r.Events[0].ID != first.Event.ID {
		t.Errorf("the repeated publish: %+v", r)
	}
	refused(t, results[1].Err, bellwire.CodeNotFound, "nobody")
	if end := lastEnd(t, s, "acme"); end != "aborted" {
		t.Errorf("it was %s", end)
	}
}

// The try before may have stored an event without having waited for the disk.
func TestRepeatedTriesCommit(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	publish(t, s, e)
	publish(t, s, e)
	if end := lastEnd(t, s, "acme"); end != "committed" {
		t.Errorf("it was %s", end)
	}
	if n := count1(t, s, "SELECT count(*) FROM bellwire.events"); n != 1 {
		t.Errorf("there are %d events", n)
	}
}

// lastEnd returns how the transaction ended that has locked the row of a tenant last.
func lastEnd(t *testing.T, s testStore, tenant string) (end string) {
	t.Helper()
	check(t, s.read(t.Context(), func(tx *tx) error {
		return tx.row("SELECT pg_xact_status(xmax::text::xid8) FROM bellwire.tenants WHERE id = $1", tenant).Scan(&end)
	}))
	return end
}
