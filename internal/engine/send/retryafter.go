package send

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long a receiver can delay deliveries with its Retry-After header.
const maxRetryAfter = time.Hour

// retryAfter reads the Retry-After header (RFC 9110, 10.2.3), in seconds or as a date. A longer wait counts as maxRetryAfter. A
// date in the past, or a value that cannot be read, counts as 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0 // as in most answers
	}
	if seconds, ok := readSeconds(text); ok {
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	date, ok := readDate(text)
	if !ok {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

// readSeconds reads a decimal number, with or without a fraction.
func readSeconds(text string) (float64, bool) {
	if text == "" || text[0] == '.' || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if seconds > 0 {
		return seconds, true // also if it is out of range: then it is infinite
	}
	return 0, err == nil
}

// dateLayouts are the forms that dates have in HTTP headers, with an offset in place of a zone's name: RFC 9110's own,
// its two obsolete ones (RFC 850 and asctime), that of cookies, and RFC 3339. A day may have one digit.
var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -0700",
	"Monday, 2-Jan-06 15:04:05 -0700",
	"Mon, 2-Jan-2006 15:04:05 -0700",
	time.ANSIC,
	time.RFC3339,
}

// readDate reads a date in one of the layouts. Other zones than UTC must be given as an offset: their names stand for
// different times in different places.
func readDate(text string) (time.Time, bool) {
	for _, name := range []string{" GMT", " UTC", " UT", " Z"} {
		if rest, found := strings.CutSuffix(text, name); found {
			text = rest + " +0000"
			break
		}
	}
	for _, layout := range dateLayouts {
		if date, err := time.Parse(layout, text); err == nil {
			return date, true
		}
	}
	return time.Time{}, false
}
