package directory

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// costlyItems is a schema of lists of strings that takes hundreds of steps for each item.
func costlyItems() string {
	return `{"items": ` + strings.ReplaceAll(doubling(6, "allOf"), "#/$defs", "#/items/$defs") + `}`
}

// Short checks go ahead while all places for long ones are taken; long ones wait for their turn.
func TestLongChecksTakeTurns(t *testing.T) {
	t.Parallel()
	costly := compileType(t, costlyItems())
	long := []byte(`["a"` + strings.Repeat(`, "a"`, 100) + `, 1]`)
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		var leaves []func()
		for i := range checkPlaces() {
			leave, err := d.checks.Enter(t.Context(), string(rune('a'+i)))
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		check := func(data []byte, others ...int) error {
			checks := d.Checks("acme", append(others, len(data))...)
			defer checks.End()
			return checks.Validate(t.Context(), costly, data)
		}
		if err := check([]byte(`["a"]`)); err != nil {
			t.Errorf("a short one: %v", err)
		}
		done := make(chan error, 2)
		go func() { done <- check(long) }()                                    // many steps
		go func() { done <- check([]byte(`["a"]`), limits.ShortCheckBytes) }() // much data
		synctest.Wait()
		if len(done) > 0 {
			t.Error("a long one did not wait for a place")
		}
		for _, leave := range leaves {
			leave()
		}
		invalid := 0
		for range 2 {
			if err := <-done; bellwire.CodeOf(err) == bellwire.CodeInvalid {
				invalid++
			} else if err != nil {
				t.Error(err)
			}
		}
		if invalid != 1 {
			t.Errorf("%d of them do not fit, want 1", invalid)
		}
	})
}

// A large publication is read in its tenant's turn, and waits for it only so long; a small one is read at once.
func TestLargePublicationsAreReadInTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		for i := range checkPlaces() {
			if _, err := d.checks.Enter(t.Context(), string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
		end, err := d.BeginReading(t.Context(), "acme", limits.ShortCheckBytes)
		if err != nil {
			t.Errorf("a small one: %v", err)
		}
		end()
		if _, err := d.BeginReading(t.Context(), "acme", limits.ShortCheckBytes+1); bellwire.CodeOf(err) != bellwire.CodeRateLimited {
			t.Errorf("a large one: %v", err)
		}
	})
}

// The events of a batch may not take much more than one event may, however many there are; each alone may.
func TestABatchHasABudget(t *testing.T) {
	t.Parallel()
	costly := compileType(t, costlyItems())
	data := []byte(`["a"` + strings.Repeat(`, "a"`, 60) + `]`)
	sizes := make([]int, 1000)
	for i := range sizes {
		sizes[i] = len(data)
	}
	d := New(Config{})
	single := d.Checks("acme", len(data))
	err := single.Validate(t.Context(), costly, data)
	single.End()
	if err != nil {
		t.Fatal(err)
	}
	batch := d.Checks("acme", sizes...)
	defer batch.End()
	spent := 0
	for i := range sizes {
		before := batch.left
		err := batch.Validate(t.Context(), costly, data)
		spent += before - batch.left
		if err == nil {
			continue
		}
		var refused *bellwire.Error
		if !errors.As(err, &refused) || refused.Code != bellwire.CodeTooLarge || !strings.Contains(refused.Message, "smaller batches") {
			t.Errorf("event %d: %v", i, err)
		}
		if limit := limits.BatchSteps + len(data)*len(sizes)/4 + budgetOf(len(data)); spent > limit {
			t.Errorf("%d steps were made, of %d", spent, limit)
		}
		return
	}
	t.Errorf("all events were checked, in %d steps", spent)
}

// A load that may not wait is refused as such, and not as one whose caller has left.
func TestTooManyWaitingLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		var leaves []func()
		for i := range limits.ConfigurationLoads {
			leave, err := d.loads.Enter(t.Context(), string(rune('a'+i)))
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		for range waitingLoads {
			go func() {
				leave, err := d.loads.Enter(t.Context(), "acme")
				if err != nil {
					t.Error(err)
					return
				}
				leave()
			}()
		}
		synctest.Wait()
		if _, err := d.Tenant(t.Context(), "acme"); bellwire.CodeOf(err) != bellwire.CodeRateLimited {
			t.Errorf("got %v, want the code rate_limited", err)
		}
		for _, leave := range leaves {
			leave()
		}
		synctest.Wait()
	})
}
