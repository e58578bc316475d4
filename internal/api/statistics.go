package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagStatistics = "Statistics"

// statistics are statistics on the wire.
type statistics struct {
	Interval bellwire.Interval `json:"interval" enum:"minute,hour,day"`
	Since    time.Time         `json:"since" doc:"When the first interval begins."`
	Until    time.Time         `json:"until"`
	Others   bool              `json:"others" doc:"Whether groups were taken together because there are too many. Their rows have others too."`
	Data     []statisticsRow   `json:"data" doc:"Oldest first. An interval in which nothing happened has no row."`
}

// statisticsRow is what one group did in one interval.
type statisticsRow struct {
	At        time.Time        `json:"at" example:"2026-01-31T12:00:00Z" doc:"When the interval begins, in UTC."`
	Tenant    string           `json:"tenant,omitempty" doc:"With by=tenant."`
	Endpoint  string           `json:"endpoint,omitempty" doc:"With by=endpoint."`
	Type      string           `json:"type,omitempty" doc:"With by=type."`
	Dialect   string           `json:"dialect,omitempty" doc:"With by=dialect."`
	Outcome   bellwire.Outcome `json:"outcome,omitempty" doc:"With by=outcome: the outcome of the attempts."`
	Others    bool             `json:"others,omitempty" doc:"The row counts what has no row of its own, because there are too many groups."`
	Attempts  uint64           `json:"attempts" doc:"Attempts that ended, without those of tests."`
	Succeeded uint64           `json:"succeeded" doc:"Attempts that were acknowledged."`
	Failed    uint64           `json:"failed" doc:"All other attempts."`
	P50       *float64         `json:"p50_ms" nullable:"true" doc:"The time that half of the attempts did not exceed, in milliseconds, wrong by less than 5 %. null if there were none."`
	P99       *float64         `json:"p99_ms" nullable:"true" doc:"The time that 99 of 100 attempts did not exceed, in milliseconds."`
	Published *uint64          `json:"published" nullable:"true" doc:"Events that were accepted, without those of tests. null if by has endpoint, dialect or outcome, because an event has none."`
}

func wireStatistics(f *bellwire.StatisticsFilter, rows []bellwire.StatisticsRow) statistics {
	wire := statistics{Interval: f.Interval, Since: f.Since, Until: f.Until, Data: make([]statisticsRow, len(rows))}
	published := !slices.ContainsFunc(f.By, func(d bellwire.Dimension) bool { return d != bellwire.ByType && d != bellwire.ByTenant })
	for i := range rows {
		r := &rows[i]
		row := statisticsRow{
			At: r.At, Tenant: r.Tenant, Endpoint: r.Endpoint, Type: r.Type, Dialect: r.Dialect, Outcome: r.Outcome, Others: r.Others,
			Attempts: r.Attempts, Succeeded: r.Succeeded, Failed: r.Attempts - r.Succeeded,
		}
		if r.Attempts > 0 {
			row.P50, row.P99 = new(milliseconds(r.P50)), new(milliseconds(r.P99))
		}
		if published {
			row.Published = &r.Published
		}
		wire.Others = wire.Others || r.Others
		wire.Data[i] = row
	}
	return wire
}

// StatisticsQuery selects statistics on the wire.
type StatisticsQuery struct {
	Since    string `query:"since" example:"2026-01-01T00:00:00Z" doc:"From the interval on that includes this time. By default an hour before until for minutes, a day for hours, 30 days for days."`
	Until    string `query:"until" example:"2026-02-01T00:00:00Z" doc:"Only intervals that begin before this time; by default now."`
	Interval string `query:"interval" enum:"minute,hour,day" doc:"The time that a row is about. Without it, one that suits the selected time, and that is still kept. Minutes are kept for 2 days, hours for 60 days, days for 2 years, unless the server is configured otherwise."`
	By       string `query:"by" maxLength:"100" example:"endpoint,outcome" doc:"What to split rows by: any of endpoint, type, outcome and dialect, separated by commas; for the statistics of all tenants also tenant."`
}

func (q *StatisticsQuery) filter(tenant string) (*bellwire.StatisticsFilter, error) {
	since, badSince := parseTime("since", withPlus(q.Since))
	until, badUntil := parseTime("until", withPlus(q.Until))
	if err := bellwire.Join(badSince, badUntil); err != nil {
		return nil, err
	}
	f := &bellwire.StatisticsFilter{Tenant: tenant, Since: since, Until: until, Interval: bellwire.Interval(q.Interval)}
	if q.By != "" {
		for name := range strings.SplitSeq(q.By, ",") {
			f.By = append(f.By, bellwire.Dimension(strings.TrimSpace(name)))
		}
	}
	return f, nil
}

// backlog is what is open, on the wire.
type backlog struct {
	Waiting           int        `json:"waiting" doc:"Deliveries that wait, to all endpoints together. If there are very many, an estimate."`
	OldestDueAt       *time.Time `json:"oldest_due_at" nullable:"true" doc:"Since when the one that waits longest has been due; null if none is due."`
	Deferred          int        `json:"deferred" doc:"Those of them that are still being stored, because their event has many recipients."`
	Unmatched         int        `json:"unmatched" doc:"Events that were published inside the database and are not matched to endpoints yet."`
	OldestUnmatchedAt *time.Time `json:"oldest_unmatched_at" nullable:"true" doc:"When the first of these was published; null if there is none."`
	CountedAt         time.Time  `json:"counted_at" doc:"When all of this was counted."`
}

func wireBacklog(b *bellwire.Backlog) backlog {
	return backlog{
		Waiting: b.Open, OldestDueAt: timeOrNull(b.Oldest), Deferred: b.FanOut,
		Unmatched: b.Unmatched, OldestUnmatchedAt: timeOrNull(b.OldestUnmatched), CountedAt: b.CountedAt.UTC(),
	}
}

func (a *api) statistics() {
	route(a, service.Manage, huma.Operation{
		OperationID: "get-backlog", Method: http.MethodGet, Path: "/backlog", Tags: []string{tagStatistics},
		Summary:     "Get what waits",
		Description: "For admin keys. Counts the deliveries that wait, of all tenants together. With many endpoints, a count takes long, and the answer is an earlier one, at most ten minutes old.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[backlog], error) {
		b, err := a.svc.Backlog(ctx, c)
		return answer(b, err, wireBacklog)
	})

	count := func(ctx context.Context, c service.Caller, tenant string, q *StatisticsQuery) (*output[statistics], error) {
		f, err := q.filter(tenant)
		if err != nil {
			return nil, err
		}
		rows, err := a.svc.Statistics(ctx, c, f)
		if err != nil {
			return nil, err
		}
		return &output[statistics]{Body: wireStatistics(f, rows)}, nil
	}

	type ofTenant struct {
		InTenant
		StatisticsQuery
	}
	route(a, service.Read, huma.Operation{
		OperationID: "get-tenant-statistics", Method: http.MethodGet, Path: "/tenants/{tenant}/statistics", Tags: []string{tagStatistics},
		Summary:     "Get a tenant's statistics",
		Description: "Counts events and attempts by minute, hour or day, ten seconds late.",
	}, func(ctx context.Context, c service.Caller, in *ofTenant) (*output[statistics], error) {
		return count(ctx, c, in.Tenant, &in.StatisticsQuery)
	})
	type ofAll struct {
		Tenant string `query:"tenant" doc:"Only events and attempts of this tenant."`
		StatisticsQuery
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "get-statistics", Method: http.MethodGet, Path: "/statistics", Tags: []string{tagStatistics},
		Summary: "Get the statistics of all tenants",
		Description: "For admin keys. Counts the events and attempts of all tenants together, also of deleted ones. With by=tenant, tenants have rows of their own, " +
			"and deleted ones have none.",
	}, func(ctx context.Context, c service.Caller, in *ofAll) (*output[statistics], error) {
		return count(ctx, c, in.Tenant, &in.StatisticsQuery)
	})
}
