package rollup

import (
	"cmp"
	"iter"
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

// maxRows bounds the rows of an answer, without those of the others.
const maxRows = 20_000

// Answer returns the rows for stored views in the order of their times. If there are many groups, only the largest have rows of
// their own, the same at all times. The others are taken together.
func Answer(by []bellwire.Dimension, stored []Stored) ([]bellwire.StatisticsRow, error) {
	kept, err := largest(by, stored)
	if err != nil {
		return nil, err
	}
	var rows []bellwire.StatisticsRow
	for ofOneTime := range byTime(stored) {
		at, err := answerAt(by, kept, ofOneTime)
		if err != nil {
			return nil, err
		}
		rows = append(rows, at...)
	}
	return rows, nil
}

// byTime returns stored views in parts, each of one time.
func byTime(stored []Stored) iter.Seq[[]Stored] {
	return func(yield func([]Stored) bool) {
		for len(stored) > 0 {
			n := 1
			for n < len(stored) && stored[n].At.Equal(stored[0].At) {
				n++
			}
			if !yield(stored[:n]) {
				return
			}
			stored = stored[n:]
		}
	}
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
			if !g.Others && !kept[whole(g)] {
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

// whole returns the group of which g is the part with one outcome. Groups have rows of their own with all their outcomes, or not at
// all: otherwise failures, which are few, would be among the others.
func whole(g bellwire.StatisticsGroup) bellwire.StatisticsGroup {
	g.Outcome = ""
	return g
}

// largest returns the groups that have rows of their own: as many as maxRows permits, and of tenants, which no bucket bounds, MaxGroups.
func largest(by []bellwire.Dimension, stored []Stored) (map[bellwire.StatisticsGroup]bool, error) {
	weights, rows := make(map[bellwire.StatisticsGroup]uint64), make(map[bellwire.StatisticsGroup]int)
	for ofOneTime := range byTime(stored) {
		if err := weigh(by, ofOneTime, weights, rows); err != nil {
			return nil, err
		}
	}
	order := slices.SortedFunc(maps.Keys(weights), func(a, b bellwire.StatisticsGroup) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), compareGroups(a, b))
	})
	if slices.Contains(by, bellwire.ByTenant) {
		order = order[:min(MaxGroups, len(order))]
	}
	kept, total := make(map[bellwire.StatisticsGroup]bool), 0
	for _, g := range order {
		if total += rows[g]; total > maxRows {
			break
		}
		kept[g] = true
	}
	return kept, nil
}

// weigh adds what the groups of stored views of one time count, and how many rows of their own they would have.
func weigh(by []bellwire.Dimension, stored []Stored, weights map[bellwire.StatisticsGroup]uint64, rows map[bellwire.StatisticsGroup]int) error {
	seen := make(map[bellwire.StatisticsGroup]bool)
	for _, s := range stored {
		v, err := decodeView(s.View)
		if err != nil {
			return err
		}
		project(s.Tenant, v, by, func(g bellwire.StatisticsGroup, published uint64, durations sketch, _ uint64) {
			if g.Others {
				return
			}
			weights[whole(g)] += published + durations.count()
			if !seen[g] {
				seen[g] = true
				rows[whole(g)]++
			}
		})
	}
	return nil
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
