package hostile

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Result is the effect of a scenario on the neighbour.
type Result struct {
	Scenario string   `json:"scenario"`
	Meaning  string   `json:"meaning"`
	Calm     *Figures `json:"calm"`     // just before the attack, on the same servers
	Attacked *Figures `json:"attacked"` // during it
	Answers  *Answers `json:"answers"`  // to the attacker

	ServerMemory int64   `json:"server_peak_bytes"` // of the largest server
	ServerCPU    float64 `json:"server_cores"`      // average number of busy processors of the servers during the attack
	AttackerCPU  float64 `json:"attacker_cores"`
	Growth       int64   `json:"database_growth_bytes"`

	Verdicts []Verdict `json:"verdicts"`
}

// Bounds of the effect on a neighbour.
const (
	mostTimes     = 2         // the duration when calm
	mostMore      = 50.0      // ms that the 99th percentile may exceed that
	mostWorst     = 1000.0    // ms
	mostMemory    = 400 << 20 // bytes
	retryLateness = "retry lateness"
)

// Verdict compares one figure with its bound.
type Verdict struct {
	Figure   string  `json:"figure"`
	Calm     float64 `json:"calm"`
	Attacked float64 `json:"attacked"`
	Ratio    float64 `json:"ratio,omitempty"` // attacked to calm
	Bound    float64 `json:"bound"`
	Missed   bool    `json:"missed"`
}

// Evaluate compares the figures with the bounds.
func (r *Result) Evaluate() {
	r.Verdicts = nil
	calm, attacked := r.Calm, r.Attacked
	r.compare("publish answer", calm.Publish, attacked.Publish)
	r.compare("delivery", calm.Delivery, attacked.Delivery)
	// When calm, lateness is the accuracy of a timer over few retries, which is nothing to compare with.
	r.atMost(retryLateness+" worst", calm.Retry.Worst, attacked.Retry.Worst, mostWorst)
	r.compare("lists", calm.Lists, attacked.Lists)
	r.atMost("newcomer's delivery worst", calm.Newcomer.Worst, attacked.Newcomer.Worst, mostWorst)
	r.atMost("newcomer's sign-up worst", calm.SignUp.Worst, attacked.SignUp.Worst, mostWorst)
	r.atMost("share not ready", 1-calm.Ready, 1-attacked.Ready, 0)
	r.atMost("refused", float64(sum(calm.Refused)), float64(sum(attacked.Refused)), 0)
	r.atMost("not delivered", float64(calm.Missing), float64(attacked.Missing), 0)
	r.atMost("memory", 0, float64(r.ServerMemory), mostMemory)
}

func (r *Result) compare(what string, calm, attacked Spread) {
	r.atMost(what+" p50", calm.P50, attacked.P50, mostTimes*calm.P50)
	r.atMost(what+" p99", calm.P99, attacked.P99, mostTimes*calm.P99+mostMore)
	r.atMost(what+" worst", calm.Worst, attacked.Worst, mostWorst)
}

func (r *Result) atMost(figure string, calm, attacked, bound float64) {
	v := Verdict{Figure: figure, Calm: calm, Attacked: attacked, Bound: bound, Missed: attacked > bound}
	if calm > 0 {
		v.Ratio = attacked / calm
	}
	r.Verdicts = append(r.Verdicts, v)
}

// Missed returns the figures that exceed their bounds.
func (r *Result) Missed() (figures []string) {
	for _, v := range r.Verdicts {
		if v.Missed {
			figures = append(figures, v.Figure)
		}
	}
	return figures
}

// Print writes the result for people, with a star at figures that exceed their bounds.
func (r *Result) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n", r.Scenario, r.Meaning)
	fmt.Fprintf(&b, "  %-20s %27s  %27s  %20s\n", "ms: p50, p99, worst", "calm", "attacked", "times as long")
	calm, attacked := r.Calm, r.Attacked
	r.printSpread(&b, "publish answer", calm.Publish, attacked.Publish)
	r.printSpread(&b, "delivery", calm.Delivery, attacked.Delivery)
	r.printSpread(&b, retryLateness, calm.Retry, attacked.Retry)
	r.printSpread(&b, "lists", calm.Lists, attacked.Lists)
	r.printSpread(&b, "newcomer's delivery", calm.Newcomer, attacked.Newcomer)
	r.printSpread(&b, "newcomer's sign-up", calm.SignUp, attacked.SignUp)
	r.printSpread(&b, "machine's own delay", calm.Waking, attacked.Waking)
	fmt.Fprintf(&b, "  ready %.1f %%%s%s, refused %d%s%s, not delivered %d%s; memory %d MiB%s, database %+.1f MiB; CPUs: server %.2f, attacker %.2f\n",
		100*attacked.Ready, counts(notReady(attacked.Probes)), r.star("share not ready"), sum(attacked.Refused), counts(attacked.Refused), r.star("refused"),
		attacked.Missing, r.star("not delivered"), r.ServerMemory>>20, r.star("memory"), float64(r.Growth)/(1<<20), r.ServerCPU, r.AttackerCPU)
	fmt.Fprintf(&b, "  the attacker was answered%s\n", counts(r.Answers.Counts))
	if attacked.Example != "" {
		fmt.Fprintf(&b, "  a refusal: %s\n", attacked.Example)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// notReady returns the probes with other answers than ready.
func notReady(probes map[string]int) map[string]int {
	others := maps.Clone(probes)
	delete(others, isReady)
	return others
}

func (r *Result) printSpread(b *strings.Builder, what string, calm, attacked Spread) {
	times := "-"
	if calm.P50 > 0 && calm.P99 > 0 {
		times = fmt.Sprintf("%.1f, %.1f", attacked.P50/calm.P50, attacked.P99/calm.P99)
	}
	fmt.Fprintf(b, "  %-20s %8.1f %8.1f %8.1f   %8.1f%s %8.1f%s %8.1f%s  %17s\n", what, calm.P50, calm.P99, calm.Worst,
		attacked.P50, r.star(what+" p50"), attacked.P99, r.star(what+" p99"), attacked.Worst, r.star(what+" worst"), times)
}

// star returns a star for a figure that exceeds its bound.
func (r *Result) star(figure string) string {
	if slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v.Figure == figure && v.Missed }) {
		return "*"
	}
	return " "
}

// counts lists the counts by name.
func counts(of map[string]int) string {
	if len(of) == 0 {
		return ""
	}
	var parts []string
	for what, n := range of {
		parts = append(parts, fmt.Sprintf("%s: %d", what, n))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
