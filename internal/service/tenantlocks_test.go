package service

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// However many changes of a tenant wait, one that shares its gate is next but one.
func TestTurnsOfTenantsThatShareAGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newTenantLocks()
		const busy = "busy"
		var other string
		for i := 0; other == "" || locks.gate(other) != locks.gate(busy); i++ {
			other = fmt.Sprint("other", i)
		}
		var (
			all   sync.WaitGroup
			order []string
		)
		change := func(tenant string) {
			all.Go(func() {
				end, err := locks.lock(t.Context(), tenant)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, tenant)
				end()
			})
			synctest.Wait()
		}
		end, err := locks.lock(t.Context(), busy)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			change(busy)
		}
		change(other)
		end()
		all.Wait()
		if at := slices.Index(order, other); at > 1 {
			t.Errorf("it came after %d changes of another tenant", at)
		}
	})
}
