package rollup

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Stored is a view of a bucket as it is stored.
type Stored struct {
	Tenant string // with bellwire.ByTenant
	At     time.Time
	View   []byte
}

// maxRows bounds the rows of an answer, and minGroups how few groups it then still has.
const (
	maxRows   = 20_000
	minGroups = 10
)

// Answer returns the rows for stored views in the order of their times. If there are many groups, only the largest have rows of
// their own, the same at all times. The others are taken together.
func Answer(by []bellwire.Dimension, stored []Stored) ([]bellwire.StatisticsRow, error) {
	kept, err := largest(by, stored)
	if err != nil {
		return nil, err
	}
	var rows []bellwire.StatisticsRow
	for len(stored) > 0 {
		n := 1
		for n < len(stored) && stored[n].At.Equal(stored[0].At) {
			n++
		}
		at, err := answerAt(by, kept, stored[:n])
		if err != nil {
			return nil, err
		}
		rows, stored = append(rows, at...), stored[n:]
	}
	return rows, nil
}

// answerAt returns the rows for stored views of one time.
func answerAt(by []bellwire.Dimension, kept map[bellwire.StatisticsGroup]bool, stored []Stored) (rows []bellwire.StatisticsRow, err error) {
	counts := make(map[bellwire.StatisticsGroup]*tally)
	for _, s := range stored {
		v, err := decodeView(s.View)
		if err != nil {
			return nil, err
		}
		project(s.Tenant, v, by, func(g bellwire.StatisticsGroup, published uint64, durations sketch, ok uint64) {
			if !g.Others && !kept[g] {
				g = bellwire.StatisticsGroup{Outcome: g.Outcome, Others: true}
			}
			counted := counts[g]
			if counted == nil {
				counted = new(tally)
				counts[g] = counted
			}
			counted.published += published
			counted.succeeded += ok
			counted.durations.merge(durations)
		})
	}
	for _, g := range slices.SortedFunc(maps.Keys(counts), compareGroups) {
		rows = append(rows, counts[g].row(stored[0].At, g))
	}
	return rows, nil
}

// tally is what a row counts.
type tally struct {
	published, succeeded uint64
	durations            sketch
}

func (t *tally) row(at time.Time, g bellwire.StatisticsGroup) bellwire.StatisticsRow {
	return bellwire.StatisticsRow{
		At: at, StatisticsGroup: g, Attempts: t.durations.count(), Succeeded: t.succeeded, Published: t.published,
		P50: t.durations.quantile(.5), P99: t.durations.quantile(.99),
	}
}

// largest returns the groups that have rows of their own.
func largest(by []bellwire.Dimension, stored []Stored) (map[bellwire.StatisticsGroup]bool, error) {
	weights, times := make(map[bellwire.StatisticsGroup]uint64), make(map[time.Time]bool)
	for _, s := range stored {
		v, err := decodeView(s.View)
		if err != nil {
			return nil, err
		}
		times[s.At] = true
		project(s.Tenant, v, by, func(g bellwire.StatisticsGroup, published uint64, durations sketch, _ uint64) {
			if !g.Others {
				weights[g] += published + durations.count()
			}
		})
	}
	order := slices.SortedFunc(maps.Keys(weights), func(a, b bellwire.StatisticsGroup) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), compareGroups(a, b))
	})
	most := max(minGroups, min(MaxGroups, maxRows/max(len(times), 1)))
	kept := make(map[bellwire.StatisticsGroup]bool)
	for _, g := range order[:min(most, len(order))] {
		kept[g] = true
	}
	return kept, nil
}

// project calls count for each group of a tenant's view, with only the given dimensions.
func project(tenant string, v view, by []bellwire.Dimension, count func(g bellwire.StatisticsGroup, published uint64, durations sketch, ok uint64)) {
	byOutcome := slices.Contains(by, bellwire.ByOutcome)
	for n, counted := range v {
		g := bellwire.StatisticsGroup{Tenant: tenant, Others: n.others && (slices.Contains(by, bellwire.ByEndpoint) || slices.Contains(by, bellwire.ByType))}
		if slices.Contains(by, bellwire.ByEndpoint) {
			g.Endpoint = n.endpoint
		}
		if slices.Contains(by, bellwire.ByType) {
			g.Type = n.eventType
		}
		if slices.Contains(by, bellwire.ByDialect) {
			g.Dialect = n.dialect
		}
		if counted.published > 0 && !byOutcome {
			count(g, counted.published, nil, 0)
		}
		for i, durations := range counted.durations {
			if len(durations) == 0 {
				continue
			}
			of, ok := g, uint64(0)
			if byOutcome {
				of.Outcome = outcomes[i]
			}
			if outcomes[i] == bellwire.OutcomeOK {
				ok = durations.count()
			}
			count(of, 0, durations, ok)
		}
	}
}

func compareGroups(a, b bellwire.StatisticsGroup) int {
	if a.Others != b.Others {
		if a.Others {
			return 1
		}
		return -1
	}
	return cmp.Or(
		strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Endpoint, b.Endpoint), strings.Compare(a.Type, b.Type), strings.Compare(a.Dialect, b.Dialect),
		cmp.Compare(a.Outcome, b.Outcome),
	)
}
