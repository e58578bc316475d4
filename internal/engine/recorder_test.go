package engine

import (
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// Results of one tenant and of others are recorded in turn, and no batch is large.
func TestResultsAreRecordedInTurn(t *testing.T) {
	t.Parallel()
	rec := New(Config{}).recorder
	push := func(tenant string, size int) {
		rec.record(&result{Result: lanes.Result{Task: &lanes.Task{Delivery: bellwire.Delivery{Tenant: tenant}}, Size: size}})
	}
	for range 1000 {
		push("many", 10_000)
	}
	push("one", 100)
	results, _, _ := rec.next()
	bytes := 0
	for _, r := range results {
		bytes += r.Size
	}
	if len(results) < 2 || results[1].Task.Delivery.Tenant != "one" {
		t.Errorf("the other tenant's result is not the second of %d", len(results))
	}
	if bytes > maxRecordedBytes+10_000 {
		t.Errorf("a group of %d bytes", bytes)
	}
	for range 300 {
		push("few", 1)
	}
	for i := 0; i < 1000; i++ {
		results, _, _ := rec.next()
		if len(results) == 0 {
			return
		}
		if len(results) > maxRecorded {
			t.Errorf("a group of %d", len(results))
		}
	}
	t.Error("it never ends")
}
