package output

import (
	"fmt"
	"time"
)

// Time returns a time for people, in UTC so that it reads the same everywhere, or "" for the zero time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// TimePtr is Time for a time that can be nil.
func TimePtr(t *time.Time) string {
	if t == nil {
		return ""
	}
	return Time(*t)
}

// Duration returns a length of time in its one or two largest units: 45s, 3m20s, 5h, 2d4h.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return pair(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return pair(d, time.Hour, "h", time.Minute, "m")
	}
	return pair(d, day, "d", time.Hour, "h")
}

func pair(d, large time.Duration, largeUnit string, small time.Duration, smallUnit string) string {
	text := fmt.Sprintf("%d%s", d/large, largeUnit)
	if rest := d % large / small; rest > 0 {
		text += fmt.Sprintf("%d%s", rest, smallUnit)
	}
	return text
}

// Ago returns how long before now t was, or how long after.
func Ago(t, now time.Time) string {
	if t.After(now) {
		return "in " + Duration(t.Sub(now))
	}
	return Duration(now.Sub(t)) + " ago"
}
