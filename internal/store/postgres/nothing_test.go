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
	// The row of the tenant was locked last by that transaction.
	if n := count1(t, s, "SELECT count(*) FROM bellwire.tenants WHERE id = 'acme' AND pg_xact_status(xmax::text::xid8) = 'aborted'"); n != 1 {
		t.Error("it was committed")
	}
}
