package cli

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Moment is a point in time that may be given as a time, as a date, or as how long ago it was.
type Moment struct{ time.Time }

// layouts are the forms of a time. Those without a zone mean UTC.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly}

// UnmarshalText reads 2026-01-31T12:30:00Z, 2026-01-31, or 24h, which means 24 hours ago.
func (m *Moment) UnmarshalText(text []byte) error {
	at, ok := parseMoment(string(text), time.Now())
	if !ok {
		return Usagef("%q must be a time such as 2026-01-31T12:30:00Z, a date such as 2026-01-31, or how long ago, such as 24h or 7d", text)
	}
	m.Time = at
	return nil
}

func parseMoment(text string, now time.Time) (time.Time, bool) {
	if ago, ok := bellwire.ParseDuration(text); ok && ago >= 0 {
		return now.Add(-ago).UTC(), true
	}
	return parseTime(text)
}

// ComingMoment is a point in time that may be given as a time, as a date, or as how far ahead it is.
type ComingMoment struct{ time.Time }

// UnmarshalText reads 2026-01-31T12:30:00Z, 2026-01-31, or 24h, which means in 24 hours.
func (m *ComingMoment) UnmarshalText(text []byte) error {
	at, ok := parseTime(string(text))
	if ahead, isDuration := bellwire.ParseDuration(string(text)); isDuration && ahead >= 0 {
		at, ok = time.Now().Add(ahead).UTC(), true
	}
	if !ok {
		return Usagef("%q must be a time such as 2026-01-31T12:30:00Z, a date such as 2026-01-31, or how far ahead, such as 24h or 7d", text)
	}
	m.Time = at
	return nil
}

func parseTime(text string) (time.Time, bool) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
