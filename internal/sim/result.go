package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/bellwire/bellwire/internal/output"
)

// Result is what a simulation of one cell found. Its JSON is for other programs.
type Result struct {
	Offered    float64 `json:"offered_per_second"` // events
	Accepted   float64 `json:"accepted_per_second"`
	Delivered  float64 `json:"delivered_per_second"` // deliveries that were acknowledged
	KeepsUp    bool    `json:"keeps_up"`             // whether no backlog grows
	Bottleneck string  `json:"bottleneck"`           // what is used most

	Publish   latencies `json:"publish"` // from a publisher's first try to the answer
	Receipt   latencies `json:"receipt"` // from there to the request that is acknowledged
	NodeCPU   float64   `json:"node_cpu"`
	Database  float64   `json:"database_cpu"`
	Log       float64   `json:"log"`
	LogMBs    float64   `json:"log_mb_per_second"`
	PerEvent  float64   `json:"transactions_per_event"`
	GroupSize float64   `json:"events_per_group"`
	InFlight  int       `json:"most_requests_in_flight"`

	Refused  int `json:"refused_publishes"`
	Repeated int `json:"repeated_requests"`
	Waiting  int `json:"most_waiting_at_publishers"` // events
	Open     int `json:"most_open_deliveries"`       // to receivers that acknowledge
	Left     int `json:"left_at_the_end"`            // of both

	Faults   []faultResult `json:"faults"`
	Platform platform      `json:"platform"`
}

type latencies struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func (h *histogram) latencies() latencies {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return latencies{P50: ms(h.percentile(0.5)), P99: ms(h.percentile(0.99)), Max: ms(h.longest)}
}

// faultResult is what a fault has cost.
type faultResult struct {
	Fault
	Settled        bool    `json:"settled"`
	SettledSeconds float64 `json:"settled_seconds"` // from its begin until the backlog is as small as before
}

// platform is all cells together.
type platform struct {
	Cells         int     `json:"cells"`
	Rate          float64 `json:"rate"`
	Nodes         int     `json:"nodes"`
	NodeCores     int     `json:"node_cores"`
	DatabaseCores int     `json:"database_cores"`
	Affected      float64 `json:"affected"` // share of the traffic in cells with faults
}

// result returns what was measured.
func (c *cell) result() *Result {
	s, st := c.scenario, c.stats
	seconds := time.Duration(s.Duration).Seconds()
	r := &Result{
		Offered: float64(st.offered) / seconds, Accepted: float64(st.accepted) / seconds, Delivered: float64(st.acknowledgements) / seconds,
		Publish: st.publish.latencies(), Receipt: st.receipts.latencies(),
		Database: c.database.cpu.utilization(), Log: c.database.log.utilization(), LogMBs: float64(c.database.log.written) / seconds / 1e6,
		PerEvent:  float64(c.database.transactions) / float64(max(st.accepted, 1)),
		GroupSize: float64(st.grouped) / float64(max(st.groups, 1)), InFlight: st.mostInFlight,
		Refused: st.refused, Repeated: st.repeated, Left: c.waiting + c.healthy, Faults: []faultResult{},
		Platform: platform{
			Cells: s.Cells, Nodes: s.Cells * s.Cell.Nodes, NodeCores: s.Cells * s.Cell.Nodes * s.Cell.NodeCores,
			DatabaseCores: s.Cells * s.Cell.DatabaseCores, Affected: float64(s.Affected) / float64(s.Cells),
		},
	}
	r.Platform.Rate = r.Offered * float64(s.Cells)
	for _, n := range c.nodes {
		r.NodeCPU += n.cpu.utilization() / float64(len(c.nodes))
	}
	for _, at := range st.samples {
		r.Waiting, r.Open = max(r.Waiting, at.waiting), max(r.Open, at.open)
	}
	for _, f := range s.Faults {
		until := s.Duration
		for _, other := range s.Faults {
			if other.At > f.At {
				until = min(until, other.At)
			}
		}
		settled, ok := st.settled(time.Duration(f.At), time.Duration(until))
		r.Faults = append(r.Faults, faultResult{Fault: f, Settled: ok, SettledSeconds: settled.Seconds()})
	}
	r.KeepsUp = c.keepsUp()
	r.Bottleneck = r.bottleneck(c)
	return r
}

// keepsUp reports whether what waits grows by less than a hundredth of what is published.
func (c *cell) keepsUp() bool {
	samples := c.stats.samples
	sum := func(of []sample) (all int) {
		for _, at := range of {
			all += at.backlog()
		}
		return all
	}
	third := max(len(samples)/3, 1)
	grown := float64(sum(samples[len(samples)-third:])-sum(samples[:third])) / float64(third)
	return grown <= 0.01*float64(c.stats.offered)+10
}

// bottleneck returns what is used most.
func (r *Result) bottleneck(c *cell) string {
	if c.shared != nil {
		return "the machine's CPU"
	}
	most, name := 0.0, ""
	for _, of := range []struct {
		used float64
		name string
	}{{r.NodeCPU, "CPU of the nodes"}, {r.Database, "CPU of PostgreSQL"}, {r.Log, "PostgreSQL's log device"}} {
		if of.used > most {
			most, name = of.used, of.name
		}
	}
	if !r.KeepsUp && most < 0.9 {
		return "waiting: an endpoint's max_in_flight, or a tenant's transactions one after the other"
	}
	return name
}

// Print prints results of one scenario at several rates, or of one.
func Print(w io.Writer, s *Scenario, results []*Result) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", cmp.Or(s.Description, "a scenario without a description")); err != nil {
		return err
	}
	p := output.New(w, false)
	table := output.NewTable(p, columns())
	for _, r := range results {
		table.Add(r)
	}
	table.Flush()
	if err := p.Err(); err != nil {
		return err
	}
	last := results[len(results)-1]
	return last.print(w)
}

func columns() []output.Column[*Result] {
	text := output.Text[*Result]
	percent := func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
	pair := func(l latencies) string { return fmt.Sprintf("%.1f, %.1f", l.P50, l.P99) }
	return []output.Column[*Result]{
		text("EVENTS/S", func(r *Result) string { return humanize.Comma(int64(r.Offered)) }),
		text("DELIVERED/S", func(r *Result) string { return humanize.Comma(int64(r.Delivered)) }),
		text("PUBLISH MS", func(r *Result) string { return pair(r.Publish) }),
		text("RECEIPT MS", func(r *Result) string { return pair(r.Receipt) }),
		text("NODES", func(r *Result) string { return percent(r.NodeCPU) }),
		text("POSTGRES", func(r *Result) string { return percent(r.Database) }),
		text("LOG", func(r *Result) string { return percent(r.Log) }),
		text("LOG MB/S", func(r *Result) string { return fmt.Sprintf("%.0f", r.LogMBs) }),
		text("IN FLIGHT", func(r *Result) string { return humanize.Comma(int64(r.InFlight)) }),
		text("KEEPS UP", func(r *Result) string {
			if r.KeepsUp {
				return "yes"
			}
			return "no"
		}),
		text("LIMIT", func(r *Result) string { return r.Bottleneck }),
	}
}

func (r *Result) print(w io.Writer) error {
	lines := ""
	if p := r.Platform; p.Cells > 1 {
		lines += fmt.Sprintf("platform   %s cells: %s events/s, %s nodes with %s cores, PostgreSQL with %s cores\n", humanize.Comma(int64(p.Cells)),
			humanize.Comma(int64(p.Rate)), humanize.Comma(int64(p.Nodes)), humanize.Comma(int64(p.NodeCores)), humanize.Comma(int64(p.DatabaseCores)))
	}
	for _, f := range r.Faults {
		lasts, after := "to the end", "a backlog was left"
		if f.For > 0 {
			lasts = "for " + f.For.String()
		}
		if f.Settled {
			after = fmt.Sprintf("no backlog %.1f s after its begin", f.SettledSeconds)
		}
		lines += fmt.Sprintf("fault      %s, at %s %s: %s\n", f.Kind, f.At, lasts, after)
	}
	if len(r.Faults) > 0 {
		lines += fmt.Sprintf("backlog    at most %s events at publishers and %s open deliveries of each cell with the fault; %s requests repeated\n",
			humanize.Comma(int64(r.Waiting)), humanize.Comma(int64(r.Open)), humanize.Comma(int64(r.Repeated)))
		if r.Platform.Affected > 0 {
			lines += fmt.Sprintf("share      %.1f %% of all traffic is in the cells with the fault\n", 100*r.Platform.Affected)
		}
	}
	if lines != "" {
		lines = "\n" + lines
	}
	_, err := io.WriteString(w, lines)
	return err
}

// PrintJSON prints results for programs.
func PrintJSON(w io.Writer, results []*Result) error {
	for _, r := range results {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return err
		}
	}
	return nil
}
