package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// Report is the result of a run. Its JSON is for other programs.
type Report struct {
	Events     int     `json:"events"`
	Size       int     `json:"size"`
	Publishers int     `json:"publishers"`
	Batch      int     `json:"batch"`
	Endpoints  int     `json:"endpoints"`
	Stored     int     `json:"stored"`
	Baseline   float64 `json:"baseline_per_second"`

	PublishesPerSecond  float64 `json:"publishes_per_second"`  // events acknowledged
	DeliveriesPerSecond float64 `json:"deliveries_per_second"` // received, until the last one
	RecordedPerSecond   float64 `json:"recorded_per_second"`   // until the last one was recorded
	Ratio               float64 `json:"ratio"`                 // of deliveries to the baseline

	Expected  int       `json:"expected"`
	Received  int       `json:"received"`
	Repeated  int       `json:"repeated"`
	Unsigned  int       `json:"unsigned"`
	Latencies []float64 `json:"latency_ms"` // p50, p90, p99, p99.9, maximum: from publish to receipt

	PublisherCPU float64 `json:"publisher_cpu_us_per_event"`
	ServerCPU    float64 `json:"server_cpu_us_per_event"`
	ReceiverCPU  float64 `json:"receiver_cpu_us_per_event"`
	ServerMemory int64   `json:"server_peak_bytes"`

	Relay   *relayReport   `json:"relay,omitempty"`
	Flood   *floodReport   `json:"flood,omitempty"`
	Nodes   *nodesReport   `json:"nodes,omitempty"`
	Backlog *backlogReport `json:"backlog,omitempty"`
	Pages   pageReport     `json:"pages,omitempty"`
}

func newReport(o *Options, baseline float64) *Report {
	return &Report{
		Events: o.Events, Size: o.Size, Publishers: o.Publishers, Batch: o.Batch, Endpoints: o.Endpoints,
		Stored: o.Stored, Baseline: baseline,
	}
}

// received adds the numbers of expected and received deliveries.
func (r *Report) received(expected int, seen *sighting) {
	r.Expected += expected
	r.Received += seen.Received
	r.Repeated, r.Unsigned = seen.Repeated, seen.Unsigned
}

// rates adds the rates of publishing, recording and delivery.
func (r *Report) rates(events int, published, recorded time.Duration, delivered int, arrived time.Duration) {
	r.PublishesPerSecond = float64(events) / published.Seconds()
	r.RecordedPerSecond = float64(delivered) / recorded.Seconds()
	r.DeliveriesPerSecond = float64(delivered) / arrived.Seconds()
	r.Ratio = r.DeliveriesPerSecond / r.Baseline
}

// used adds the CPU time of the processes for each of the given number of events.
func (r *Report) used(before, after *processTimes, events int) {
	each := func(before, after time.Duration) float64 {
		return float64((after - before).Microseconds()) / float64(events)
	}
	r.PublisherCPU = each(before.publisher, after.publisher)
	r.ServerCPU = each(before.server, after.server)
	r.ReceiverCPU = each(before.receiver, after.receiver)
}

// reportedPercentiles are reported for all durations.
var reportedPercentiles = []float64{0.5, 0.9, 0.99, 0.999, 1}

// percentiles returns the reported percentiles in milliseconds. It sorts the durations.
func percentiles(durations []time.Duration) []float64 {
	slices.Sort(durations)
	found := make([]float64, len(reportedPercentiles))
	for i, p := range reportedPercentiles {
		if n := len(durations); n > 0 {
			found[i] = float64(durations[min(int(p*float64(n)), n-1)].Microseconds()) / 1000
		}
	}
	return found
}

// fault returns an error if deliveries are missing or could not be verified.
func (r *Report) fault() error {
	if r.Received >= r.Expected && r.Unsigned == 0 {
		return nil
	}
	return fmt.Errorf("%[2]d of %[1]d deliveries arrived, %[3]d with invalid signatures", r.Expected, r.Received, r.Unsigned)
}

// counted returns a number with its noun, which has a regular plural.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}

func (r *Report) print(w io.Writer, o *Options) error {
	if o.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	milliseconds := func(i int) string { return fmt.Sprintf("%.1f ms", r.Latencies[i]) }
	if _, err := fmt.Fprintf(w, `
  bare HTTP client    %10s   %d bytes, %d at a time: what this machine can do
  published           %10s   %s, %s in a publish, %s
  delivered           %10s   %.2f of the bare client
  recorded            %10s
  publish to receipt  %10s   p90 %s, p99 %s, p99.9 %s, maximum %s
  CPU for each event  %7.0f µs   of the server; %.0f of the publishers, %.0f of the receiver
  memory              %10s   of the server at its peak
  received            %10s   of %s; %d repeated, %d with invalid signatures
`,
		perSecond(r.Baseline), r.Size, r.Publishers,
		perSecond(r.PublishesPerSecond), counted(r.Events, "event"), humanize.Comma(int64(r.Batch)), counted(r.Endpoints, "endpoint"),
		perSecond(r.DeliveriesPerSecond), r.Ratio,
		perSecond(r.RecordedPerSecond),
		milliseconds(0), milliseconds(1), milliseconds(2), milliseconds(3), milliseconds(4),
		r.ServerCPU, r.PublisherCPU, r.ReceiverCPU, humanize.IBytes(uint64(r.ServerMemory)),
		humanize.Comma(int64(r.Received)), humanize.Comma(int64(r.Expected)), r.Repeated, r.Unsigned); err != nil {
		return err
	}
	if r.Relay != nil {
		if err := r.Relay.print(w); err != nil {
			return err
		}
	}
	if r.Pages != nil {
		if err := r.Pages.print(w); err != nil {
			return err
		}
	}
	if o.DatabaseURL != "" {
		return r.printNodes(w, o)
	}
	if r.Flood != nil {
		return r.Flood.print(w)
	}
	if r.Backlog != nil {
		return r.Backlog.print(w)
	}
	return nil
}

func perSecond(rate float64) string { return humanize.Comma(int64(rate)) + "/s" }
