package service_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// Without an interval, rows are as short as suits the selected time, but never such as are deleted by then.
func TestStatisticsChooseAnIntervalThatIsKept(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	defaults := newEnv(t)
	longer := newEnv(t, func(c *service.Config) {
		c.StatisticsKept = bellwire.StatisticsKept{Minutes: 4 * day, Hours: 365 * day}
	})
	shortest := newEnv(t, func(c *service.Config) {
		c.StatisticsKept = bellwire.StatisticsKept{Minutes: time.Hour, Hours: day, Days: day}
	})
	for name, c := range map[string]struct {
		of           *env
		since, until time.Duration // ago; 0: not given
		want         bellwire.Interval
		span         time.Duration // with since 0
	}{
		"no time":                        {of: defaults, want: bellwire.Hour, span: day},
		"two hours of a day ago":         {of: defaults, since: day, until: day - 2*time.Hour, want: bellwire.Minute},
		"two hours of three days ago":    {of: defaults, since: 3 * day, until: 3*day - 2*time.Hour, want: bellwire.Hour},
		"two hours of 100 days ago":      {of: defaults, since: 100 * day, until: 100*day - 2*time.Hour, want: bellwire.Day},
		"a week of 30 days ago":          {of: defaults, since: 30 * day, until: 23 * day, want: bellwire.Hour},
		"a week of 61 days ago":          {of: defaults, since: 61 * day, until: 54 * day, want: bellwire.Day},
		"until 30 days ago":              {of: defaults, until: 30 * day, want: bellwire.Hour, span: day},
		"until 100 days ago":             {of: defaults, until: 100 * day, want: bellwire.Day, span: 30 * day},
		"what nothing is kept of":        {of: defaults, since: 1000 * day, until: 999 * day, want: bellwire.Day},
		"of three days ago, kept long":   {of: longer, since: 3 * day, until: 3*day - 2*time.Hour, want: bellwire.Minute},
		"of 100 days ago, kept long":     {of: longer, until: 100 * day, want: bellwire.Hour, span: day},
		"no time, kept short":            {of: shortest, want: bellwire.Hour, span: day},
		"the last two hours, kept short": {of: shortest, since: 2 * time.Hour, want: bellwire.Hour},
	} {
		f := bellwire.StatisticsFilter{}
		now := time.Now()
		if c.since > 0 {
			f.Since = now.Add(-c.since)
		}
		if c.until > 0 {
			f.Until = now.Add(-c.until)
		}
		if _, err := c.of.Statistics(t.Context(), admin, &f); err != nil || f.Interval != c.want {
			t.Errorf("%s: each %s, %v; want %s", name, f.Interval, err, c.want)
		} else if want := f.Interval.Begin(f.Until.Add(-c.span)); c.since == 0 && !f.Since.Equal(want) {
			t.Errorf("%s: since %s, want %s", name, f.Since, want)
		}
	}
}
