package postgres

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestImportsLeaveTheDefaultPartitionEmpty imports history that is older than all partitions.
func TestImportsLeaveTheDefaultPartitionEmpty(t *testing.T) {
	t.Parallel()
	s := openAt(t, server.NewDatabase(t, template), Options{NoSync: true})
	if err := s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	for _, year := range []int{2020, 1970, 2024} {
		at := time.Date(year, 5, 6, 7, 8, 9, 0, time.UTC)
		e := &bellwire.NewEvent{Event: bellwire.Event{ID: bellwire.NewID[bellwire.EventKind](at), Tenant: "acme", Type: "a", Data: []byte("1"), CreatedAt: at}}
		results, err := s.ImportEvents(t.Context(), []*bellwire.NewEvent{e}, false)
		if err != nil || results[0].State != bellwire.ImportCreated {
			t.Fatal(results, err)
		}
	}
	var events, inDefault int
	err := s.read(t.Context(), func(tx *tx) error {
		return tx.row("SELECT (SELECT count(*) FROM bellwire.events), (SELECT count(*) FROM bellwire.events_default)").Scan(&events, &inDefault)
	})
	if err != nil || events != 3 || inDefault != 0 {
		t.Errorf("%d events, %d of them in the default partition, %v", events, inDefault, err)
	}
	for _, table := range []partitionedTable{eventsTable, deliveriesTable, attemptsTable} {
		present, err := s.partitions(t.Context(), table)
		if err != nil || len(present) == 0 || present[0].begin != [16]byte{} {
			t.Errorf("the partitions of %s: %+v, %v", table.name, present, err)
		}
	}
}
