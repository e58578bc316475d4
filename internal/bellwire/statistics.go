package bellwire

import (
	"cmp"
	"time"
)

// Interval is the length of time that a row of statistics is about.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
)

// Intervals lists all intervals, the shortest first.
var Intervals = []Interval{Minute, Hour, Day}

// Length returns how long the interval is.
func (i Interval) Length() time.Duration {
	switch i {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	}
	return 24 * time.Hour
}

// Begin returns when the interval begins that includes t, in UTC.
func (i Interval) Begin(t time.Time) time.Time { return t.UTC().Truncate(i.Length()) }

// Number returns the number under which the interval is stored.
func (i Interval) Number() int64 {
	switch i {
	case Minute:
		return 0
	case Hour:
		return 1
	}
	return 2
}

// StatisticsKept is how long statistics are kept, by interval. A zero duration stands for the default.
type StatisticsKept struct{ Minutes, Hours, Days time.Duration }

// Of returns how long statistics of an interval are kept.
func (k StatisticsKept) Of(i Interval) time.Duration {
	const day = 24 * time.Hour
	switch i {
	case Minute:
		return cmp.Or(k.Minutes, 2*day)
	case Hour:
		return cmp.Or(k.Hours, 60*day)
	}
	return cmp.Or(k.Days, 730*day)
}

// Dimension is a property by which statistics are split.
type Dimension string

// The dimensions.
const (
	ByEndpoint Dimension = "endpoint"
	ByType     Dimension = "type"
	ByOutcome  Dimension = "outcome"
	ByDialect  Dimension = "dialect"
	ByTenant   Dimension = "tenant" // only of all tenants
)

// Dimensions lists all dimensions of a tenant's statistics.
var Dimensions = []Dimension{ByEndpoint, ByType, ByOutcome, ByDialect}

// MaxTenantRows is the most stored rows from which Statistics answers a question by tenant: one for each tenant and interval.
const MaxTenantRows = 20_000

// StatisticsFilter selects statistics.
type StatisticsFilter struct {
	Tenant       string // empty: of all tenants together
	Since, Until time.Time
	Interval     Interval
	By           []Dimension
}

// StatisticsGroup is what a row of statistics counts. Only the dimensions that were asked for are not empty.
type StatisticsGroup struct {
	Tenant   string
	Endpoint string
	Type     string
	Dialect  string
	Outcome  Outcome
	Others   bool // the groups that are too small, or too many, to have rows of their own
}

// Counted is what statistics count: an attempt, or an event if it has no endpoint.
type Counted struct {
	At       time.Time
	Tenant   string
	Endpoint string
	Type     string
	Outcome  Outcome
	Took     time.Duration
}

// StatisticsRow counts the attempts that ended, and the events that were accepted, in one interval. Tests are not counted.
type StatisticsRow struct {
	At time.Time // when the interval began
	StatisticsGroup
	Attempts  uint64
	Succeeded uint64        // attempts that were acknowledged
	Published uint64        // events; only of rows that are split by nothing or by type
	P50, P99  time.Duration // of the attempts, wrong by less than 5 %
}
