package main

import (
	"testing"
	"time"
)

// TestClockThatJumps has the clock show more than has passed, less, and the right time again.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type step struct {
		running, shown, ahead time.Duration
	}
	for name, steps := range map[string][]step{
		"it runs":            {{0, 0, 0}, {time.Hour, time.Hour, 0}, {year, year, 0}},
		"it runs a bit fast": {{0, 0, 0}, {time.Minute, 90 * time.Second, 0}, {2 * time.Minute, 3 * time.Minute, 0}},
		"it jumps ahead":     {{0, 0, 0}, {time.Minute, year, year - time.Minute}, {time.Hour, year + time.Hour, year}},
		"it jumps twice":     {{0, 0, 0}, {time.Minute, time.Hour, 59 * time.Minute}, {time.Hour, year + time.Hour, year}},
		"it is set right":    {{0, 0, 0}, {time.Minute, year, year - time.Minute}, {time.Hour, time.Hour, 0}, {2 * time.Hour, 2 * time.Hour, 0}},
		"it is set back":     {{0, 0, 0}, {time.Minute, -year, 0}, {time.Hour, 59*time.Minute - year, 0}},
		"the jump sets it right": {
			{0, 0, 0}, {time.Minute, year, year - time.Minute}, {clockTrust - 1, year + clockTrust, year + 1}, {clockTrust, year + clockTrust, 0},
			{clockTrust + time.Hour, year + clockTrust + time.Hour, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c steadyClock
			for _, s := range steps {
				if ahead := c.ahead(start.Add(s.shown), s.running); ahead != s.ahead {
					t.Errorf("after %s it shows %s, and counts as %s ahead, want %s", s.running, s.shown, ahead, s.ahead)
				}
			}
		})
	}
}
