package service

import (
	"context"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Statistics returns statistics of f.Tenant, or of all tenants if that is empty. It fills in what f leaves out.
func (s *Service) Statistics(ctx context.Context, c Caller, f *bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error) {
	if err := authorizeStatistics(c, f.Tenant); err != nil {
		return nil, err
	}
	if err := checkStatistics(f, s.statisticsKept, now()); err != nil {
		return nil, err
	}
	reading, end, err := s.beginStatistics(ctx, c, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.Statistics(reading, *f)
}

// Backlog returns what is open, of all tenants together.
func (s *Service) Backlog(ctx context.Context, c Caller) (*bellwire.Backlog, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.backlog(reading)
}

func authorizeStatistics(c Caller, tenant string) error {
	if tenant == "" {
		return authorize(c, Manage)
	}
	return authorizeIn(c, Read, tenant)
}

func (s *Service) beginStatistics(ctx context.Context, c Caller, tenant string) (reading context.Context, end func(), err error) {
	if tenant == "" {
		return s.acquireRead(ctx, c)
	}
	return s.beginRead(ctx, c, Read, tenant)
}

// checkStatistics sets the defaults, and refuses what cannot be answered.
func checkStatistics(f *bellwire.StatisticsFilter, kept bellwire.StatisticsKept, now time.Time) error {
	var faults []error
	if f.Interval != "" && !slices.Contains(bellwire.Intervals, f.Interval) {
		faults = append(faults, bellwire.Invalid("interval", "must be %s", bellwire.OneOf(bellwire.Intervals)))
	}
	dimensions := slices.Clone(bellwire.Dimensions)
	if f.Tenant == "" {
		dimensions = append(dimensions, bellwire.ByTenant)
	}
	for i, d := range f.By {
		switch {
		case !slices.Contains(dimensions, d):
			faults = append(faults, bellwire.Invalid("by", "must be a comma-separated list of %s", bellwire.OneOf(dimensions)))
		case slices.Contains(f.By[:i], d):
			faults = append(faults, bellwire.Invalid("by", "must name each dimension once"))
		default:
			continue
		}
		break
	}
	if len(faults) > 0 {
		return bellwire.Join(faults...)
	}
	setStatisticsTime(f, kept, now)
	if !f.Since.Before(f.Until) {
		return bellwire.Invalid("since", "must be before until")
	}
	most := time.Duration(limits.StatisticsIntervals)
	if len(f.By) > 0 {
		most = limits.StatisticsSplitIntervals
	}
	if f.Until.Sub(f.Since) > most*f.Interval.Length() {
		return &bellwire.Error{
			Code: bellwire.CodeInvalid, Field: "since",
			Message: "must be at most " + bellwire.Number(int(most)) + " times the interval before until",
			Hint:    "Use a longer interval, or ask for less time.",
		}
	}
	return nil
}

// statisticsSpans are how much time is selected if none is asked for.
var statisticsSpans = map[bellwire.Interval]time.Duration{
	bellwire.Minute: time.Hour, bellwire.Hour: 24 * time.Hour, bellwire.Day: 30 * 24 * time.Hour,
}

// setStatisticsTime fills in the interval and the time. The first interval is selected whole.
func setStatisticsTime(f *bellwire.StatisticsFilter, kept bellwire.StatisticsKept, now time.Time) {
	if f.Until.IsZero() {
		f.Until = now
	}
	if f.Interval == "" {
		f.Interval = intervalFor(f, kept, now)
	}
	f.Since, f.Until = f.Interval.Begin(sinceOf(f, f.Interval)), f.Until.UTC()
}

// sinceOf returns when the time begins that f selects if its interval is i.
func sinceOf(f *bellwire.StatisticsFilter, i bellwire.Interval) time.Time {
	if f.Since.IsZero() {
		return f.Until.Add(-statisticsSpans[i])
	}
	return f.Since
}

// intervalFor returns the shortest interval that divides the time that f selects into a readable number of rows, and whose rows of that
// time are still kept. Days are the last resort.
func intervalFor(f *bellwire.StatisticsFilter, kept bellwire.StatisticsKept, now time.Time) bellwire.Interval {
	readable := readableInterval(f.Since, f.Until)
	for _, i := range bellwire.Intervals {
		if i.Length() >= readable.Length() && now.Sub(sinceOf(f, i)) <= kept.Of(i) {
			return i
		}
	}
	return bellwire.Day
}

// readableInterval returns the interval that divides a time into a readable number of rows.
func readableInterval(since, until time.Time) bellwire.Interval {
	switch span := until.Sub(since); {
	case since.IsZero():
		return bellwire.Hour
	case span <= 2*time.Hour:
		return bellwire.Minute
	case span <= 7*24*time.Hour:
		return bellwire.Hour
	}
	return bellwire.Day
}
