package service

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestGoneBy expects an estimate that grows with the events that are left, and is the least time if they are too many to count.
func TestGoneBy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 28, 2, 0, 0, 0, time.UTC)
	for events, want := range map[int]time.Duration{0: 2 * time.Minute, 30_000: 150 * time.Second, maxCountedLeft: 220 * time.Second} {
		at, exact := goneBy(&bellwire.DeletedTenant{Events: events}, now)
		if at != now.Add(want) || exact != (events < maxCountedLeft) {
			t.Errorf("%d events are gone by %s, exact: %v", events, at, exact)
		}
	}
}
