package client

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Interval is the time that a row of statistics is about.
type Interval string

// The intervals.
const (
	Minute Interval = "minute" // kept for 2 days
	Hour   Interval = "hour"   // kept for 60 days
	Day    Interval = "day"    // kept for 2 years
)

// Dimension is a property by which statistics are split.
type Dimension string

// The dimensions.
const (
	ByTenant   Dimension = "tenant" // only of all tenants
	ByEndpoint Dimension = "endpoint"
	ByType     Dimension = "type"
	ByOutcome  Dimension = "outcome"
	ByDialect  Dimension = "dialect"
)

// StatisticsFilter selects statistics. Zero fields select the last 24 hours, by hour. Without an interval, rows are of one that suits
// the time, and that is still kept.
type StatisticsFilter struct {
	Since, Until time.Time
	Interval     Interval
	By           []Dimension
}

// Statistics count events and attempts by time.
type Statistics struct {
	Interval Interval        `json:"interval"`
	Since    time.Time       `json:"since"`
	Until    time.Time       `json:"until"`
	Others   bool            `json:"others"` // groups were taken together because there are too many
	Data     []StatisticsRow `json:"data"`   // oldest first; an interval in which nothing happened has no row
}

// StatisticsRow is what one group did in one interval. Only the dimensions that the statistics are split by are not empty.
type StatisticsRow struct {
	At        time.Time `json:"at"` // when the interval begins
	Tenant    string    `json:"tenant"`
	Endpoint  string    `json:"endpoint"`
	Type      string    `json:"type"`
	Dialect   string    `json:"dialect"`
	Outcome   Outcome   `json:"outcome"`
	Others    bool      `json:"others"` // the row counts the groups without a row of their own
	Attempts  int64     `json:"attempts"`
	Succeeded int64     `json:"succeeded"`
	Failed    int64     `json:"failed"`
	P50       *float64  `json:"p50_ms"`    // nil if there were no attempts
	P99       *float64  `json:"p99_ms"`    // nil if there were no attempts
	Published *int64    `json:"published"` // nil if split by endpoint, dialect or outcome
}

// Statistics counts the events and attempts of a tenant, or of all tenants together if tenant is empty.
func (c *Client) Statistics(ctx context.Context, tenant string, f StatisticsFilter) (*Statistics, error) {
	by := make([]string, len(f.By))
	for i, d := range f.By {
		by[i] = string(d)
	}
	values := filter("interval", string(f.Interval), "by", strings.Join(by, ","))
	if !f.Since.IsZero() {
		values.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		values.Set("until", f.Until.Format(time.RFC3339Nano))
	}
	at := path("statistics")
	if tenant != "" {
		at = inTenant(tenant, "statistics")
	}
	if len(values) > 0 {
		at += "?" + values.Encode()
	}
	return fetch[Statistics](ctx, c, http.MethodGet, at, nil)
}

// Backlog is what waits, of all tenants together.
type Backlog struct {
	Waiting           int        `json:"waiting"`             // deliveries; an estimate if there are very many
	OldestDueAt       *time.Time `json:"oldest_due_at"`       // nil if none is due
	Deferred          int        `json:"deferred"`            // those of them that are still being stored
	Unmatched         int        `json:"unmatched"`           // events that were published inside the database
	OldestUnmatchedAt *time.Time `json:"oldest_unmatched_at"` // nil if there is none
	CountedAt         time.Time  `json:"counted_at"`          // when all of this was counted
}

// Backlog counts what waits. Only admin keys can do this.
func (c *Client) Backlog(ctx context.Context) (*Backlog, error) {
	return fetch[Backlog](ctx, c, http.MethodGet, path("backlog"), nil)
}
