package httpx_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/httpx"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	half := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	leap := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-31T12:30:00Z":        half,
		"2026-01-31t12:30:00z":        half,
		"2026-01-31T13:30:00+01:00":   half,
		"2026-01-31t13:30:00.5+01:00": half.Add(time.Second / 2),
		"2016-12-31T23:59:60Z":        leap,
		"2016-12-31t23:59:60.25z":     leap.Add(time.Second / 4),
		"2017-01-01T00:59:60+01:00":   leap,
		// None of these is a time.
		"":                           {},
		"yesterday":                  {},
		"2026-01-31":                 {},
		"2026-01-31 12:30:00Z":       {},
		"2026-01-31T12:30:00":        {},
		"2026-01-31T12:30:60Z":       {},
		"2016-12-31T23:59:61Z":       {},
		"2016-12-31T23:59:60":        {},
		"2016-12-31T23:59:60.25.25z": {},
		"2026-02-30T12:30:00Z":       {},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := httpx.ParseTime(text)
			if !got.Equal(want) || (err != nil) != want.IsZero() {
				t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
			}
		})
	}
}
