package httpx

import (
	"errors"
	"strings"
	"time"
)

var errNoLeapSecond = errors.New("there is no leap second at this time")

// ParseTime parses an RFC 3339 time, whose letters may be lower-case (5.6), and returns it in UTC. A leap second, 23:59:60 in UTC,
// becomes the second after it, as on clocks without leap seconds (5.7).
func ParseTime(text string) (time.Time, error) {
	upper := strings.ToUpper(text)
	const minute = len("2016-12-31T23:59:")
	leap := len(upper) > minute && strings.HasPrefix(upper[minute:], "60")
	if leap {
		upper = upper[:minute] + "59" + upper[minute+2:]
	}
	t, err := time.Parse(time.RFC3339Nano, upper)
	if err != nil || !leap {
		return t.UTC(), err
	}
	t = t.Add(time.Second).UTC()
	if second := t.Truncate(time.Second); !second.Equal(second.Truncate(24 * time.Hour)) {
		return time.Time{}, errNoLeapSecond
	}
	return t, nil
}
