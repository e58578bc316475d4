package send

import (
	"net/http"
	"testing"
	"time"
)

var retryAfterNow = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func TestReadsRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]time.Duration{
		"":                                   0,
		"120":                                2 * time.Minute,
		" 120 ":                              2 * time.Minute,
		"120.5":                              120*time.Second + 500*time.Millisecond,
		"0.25":                               250 * time.Millisecond,
		"0":                                  0,
		"3600":                               time.Hour,
		"3601":                               time.Hour,
		"9223372036854775808":                time.Hour,
		"99999999999999999999":               time.Hour,
		"Sun, 01 Mar 2026 12:10:00 GMT":      10 * time.Minute,
		"Sun, 1 Mar 2026 12:10:00 GMT":       10 * time.Minute,
		"Sun, 01 Mar 2026 12:10:00 UTC":      10 * time.Minute,
		"Sun, 01 Mar 2026 12:10:00 +0000":    10 * time.Minute,
		"Sun, 01 Mar 2026 13:10:00 +0100":    10 * time.Minute,
		"Sunday, 01-Mar-26 12:10:00 GMT":     10 * time.Minute,
		"Sunday, 1-Mar-26 12:10:00 UTC":      10 * time.Minute,
		"Sun, 01-Mar-2026 12:10:00 GMT":      10 * time.Minute,
		"Sun Mar  1 12:10:00 2026":           10 * time.Minute,
		"2026-03-01T12:10:00Z":               10 * time.Minute,
		"2026-03-01T13:10:00+01:00":          10 * time.Minute,
		"Fri, 01 Jan 9999 00:00:00 GMT":      time.Hour,
		"Sun, 01 Mar 2026 11:00:00 GMT":      0,
		"-5":                                 0,
		"-99999999999999999999":              0,
		"soon":                               0,
		"NaN":                                0,
		"Inf":                                0,
		"1e3":                                0,
		"0x10":                               0,
		"1.2.3":                              0,
		".":                                  0,
		"120, 60":                            0,
		"Sun, 01 Mar 2026 12:10:00 EST":      0, // another time here than there
		"Sun, 01 Mar 2026 25:00:00 GMT":      0,
		"Sun, 01 Mar 2026 12:10:00 GMT; x=1": 0,
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			if got := retryAfter(http.Header{"Retry-After": {text}}, retryAfterNow); got != want {
				t.Errorf("Retry-After: %q is read as %s, want %s", text, got, want)
			}
		})
	}
	if got := retryAfter(http.Header{}, retryAfterNow); got != 0 {
		t.Error("without the header:", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"120", "99999999999999999999", "1.5", "Sun, 1 Mar 2026 12:10:00 UTC", "Sun Mar  1 12:10:00 2026", "-1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := retryAfter(http.Header{"Retry-After": {text}}, retryAfterNow)
		if got < 0 || got > maxRetryAfter {
			t.Errorf("Retry-After: %q is read as %s", text, got)
		}
	})
}
