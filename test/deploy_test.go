package test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// series are the label values of a server's metrics, by metric and label.
type series map[string]map[string]map[string]bool

var (
	sampleLine = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
	selector   = regexp.MustCompile(`(bellwire_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`([a-z_]+)(!?=)"([^"]*)"`)
	grouping   = regexp.MustCompile(`by \(([^)]*)\)`)
	metricName = regexp.MustCompile(`bellwire_[a-z_]+`)
	ruleExpr   = regexp.MustCompile(`(?m)^        expr: (.*)$`)
)

func parseSeries(page string) series {
	all := make(series)
	for _, line := range sampleLine.FindAllStringSubmatch(page, -1) {
		labels := all[line[1]]
		if labels == nil {
			labels = make(map[string]map[string]bool)
			all[line[1]] = labels
		}
		for _, pair := range labelPair.FindAllStringSubmatch(line[2], -1) {
			if labels[pair[1]] == nil {
				labels[pair[1]] = make(map[string]bool)
			}
			labels[pair[1]][pair[2]] = true
		}
	}
	return all
}

// faults returns what a query names that a server which has just started does not show. Prometheus adds some labels.
func (all series) faults(query string) (faults []string) {
	known := map[string]bool{"instance": true, "job": true, "namespace": true}
	for _, s := range selector.FindAllStringSubmatch(query, -1) {
		labels, found := all[s[1]]
		if !found {
			faults = append(faults, "no metric "+s[1])
			continue
		}
		for label := range labels {
			known[label] = true
		}
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if !labels[m[1]][m[3]] {
				faults = append(faults, s[1]+" has no "+m[1]+" "+m[3])
			}
		}
	}
	for _, by := range grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(by[1], ",") {
			if !known[strings.TrimSpace(label)] {
				faults = append(faults, "no label "+label)
			}
		}
	}
	return faults
}

// What the dashboard, the alerts and the documentation ask of Prometheus must be there from the start, or once the backlog has been
// counted for the first time.
func TestDeployedQueries(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), local...)
	var all series
	eventually(t, "the backlog is counted", func() bool {
		_, page := s.get("/metrics")
		all = parseSeries(page)
		return all["bellwire_backlog_count_age_seconds"] != nil
	})
	for name, queries := range map[string][]string{
		"alerts":        found(t, "../deploy/prometheus/bellwire.rules.yaml", ruleExpr),
		"dashboard":     dashboardQueries(t),
		"documentation": found(t, "../docs/metrics.md", regexp.MustCompile("(?m)^\\| [^|]*\\? \\| `([^`]*)`")),
	} {
		t.Run(name, func(t *testing.T) {
			if len(queries) < 5 {
				t.Fatalf("only %d queries are found", len(queries))
			}
			for _, query := range queries {
				if faults := all.faults(query); len(faults) > 0 {
					t.Errorf("%s: %s", query, strings.Join(faults, ", "))
				}
			}
		})
	}
	for query, want := range map[string]int{
		"bellwire_nothing": 1, `bellwire_shards_taken_total{reason="luck"}`: 1, "sum by (colour, instance) (bellwire_lanes)": 1, "sum(bellwire_lanes)": 0,
	} {
		if got := all.faults(query); len(got) != want {
			t.Errorf("%s has the faults %q", query, got)
		}
	}
	s.terminate()
}

// The file of alerts has those that the documentation lists, and no others.
func TestAlertsAreDocumented(t *testing.T) {
	t.Parallel()
	_, page, _ := strings.Cut(string(mustRead(t, "../docs/metrics.md")), "\n## What to alert on\n")
	page, _, _ = strings.Cut(page, "\n## ")
	documented := make(map[string]bool)
	for _, query := range regexp.MustCompile("(?m)^\\| [^|]*\\? \\| `([^`]*)`").FindAllStringSubmatch(page, -1) {
		documented[fmt.Sprint(metricName.FindAllString(query[1], -1))] = true
	}
	alerts := make(map[string]bool)
	for _, expr := range found(t, "../deploy/prometheus/bellwire.rules.yaml", ruleExpr) {
		alerts[fmt.Sprint(metricName.FindAllString(expr, -1))] = true
	}
	if diff := cmp.Diff(documented, alerts); diff != "" {
		t.Errorf("the documented alerts and those in the file are about different metrics (-documented +file):\n%s", diff)
	}
}

func found(t *testing.T, file string, pattern *regexp.Regexp) (queries []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
		queries = append(queries, m[1])
	}
	return queries
}

func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../deploy/grafana/bellwire.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}
