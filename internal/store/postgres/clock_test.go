package postgres

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestClockOfSeveralNodes stores events of the same tenants from two nodes at once, one with a clock that is an hour
// behind; some events are published inside the database. Each event of a tenant has a time of its own, in the order in
// which they were stored.
func TestClockOfSeveralNodes(t *testing.T) {
	t.Parallel()
	here := newInbox(t)
	p := newPlatform(t, here)
	there := openAt(t, here.url, here.options)
	check(t, here.CreateTenant(t.Context(), &bellwire.Tenant{ID: "other", CreatedAt: time.Now()}))

	const rounds, batch = 30, 4
	var (
		nodes sync.WaitGroup
		mu    sync.Mutex
		given = make(map[bellwire.EventID]time.Time)
	)
	keep := func(events []bellwire.AppendedEvent) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			given[e.ID] = e.CreatedAt
		}
	}
	now := time.Now().Truncate(time.Microsecond)
	for i, s := range []testStore{here, there} {
		var ids bellwire.Sequence
		at := now.Add(-time.Duration(i) * time.Hour)
		for range 2 {
			nodes.Go(func() {
				for n := range rounds {
					a := new(bellwire.Append)
					for range batch {
						a.Events = append(a.Events, &bellwire.NewEvent{Event: bellwire.Event{
							ID: bellwire.Next[bellwire.EventKind](&ids, at), Tenant: []string{"acme", "other"}[n%2],
							Type: "order.paid", Data: []byte("1"), CreatedAt: at,
						}})
					}
					results, err := s.AppendEvents(t.Context(), []*bellwire.Append{a})
					if err != nil || results[0].Err != nil {
						t.Errorf("%v, %v", err, results)
						return
					}
					keep(results[0].Events)
					for k := range results[0].Events[1:] {
						if !results[0].Events[k+1].CreatedAt.After(results[0].Events[k].CreatedAt) {
							t.Errorf("the times of a batch do not grow: %v", results[0].Events)
						}
					}
				}
			})
		}
	}
	for range rounds {
		tx := p.begin()
		p.published(tx, "acme", "order.paid", "1", nil)
		p.published(tx, "acme", "order.paid", "2", nil)
		check(t, tx.Commit(t.Context()))
		r := appendOne(t, here, matched(unmatched(t, here), ""))
		check(t, r.Err)
		keep(r.Events)
	}
	nodes.Wait()

	for tenant, want := range map[string]int{"acme": 2*rounds*batch + 2*rounds, "other": 2 * rounds * batch} {
		list, err := here.Events(t.Context(), bellwire.EventFilter{Tenant: tenant}, bellwire.Page{Limit: 1000})
		check(t, err)
		if len(list.Items) != want {
			t.Errorf("%s has %d events, want %d", tenant, len(list.Items), want)
		}
		var times []time.Time
		for _, e := range list.Items {
			times = append(times, e.CreatedAt)
			if !e.CreatedAt.Equal(given[e.ID]) {
				t.Errorf("the event's time is %v, and was answered as %v", e.CreatedAt, given[e.ID])
			}
		}
		slices.SortFunc(times, time.Time.Compare)
		if distinct := slices.Compact(times); len(distinct) != want {
			t.Errorf("%d events of %s have %d times", want, tenant, len(distinct))
		}
	}
}
