package bench

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// floodReport compares steady customers alone with the same customers while another one floods the server.
type floodReport struct {
	Rate    int          `json:"rate"` // events a second of the steady customers
	Alone   steadyReport `json:"alone"`
	Flooded steadyReport `json:"flooded"`

	LatencyP50 float64 `json:"latency_p50_ratio"` // flooded to alone
	LatencyP99 float64 `json:"latency_p99_ratio"`
	AnswerP50  float64 `json:"answer_p50_ratio"`
	AnswerP99  float64 `json:"answer_p99_ratio"`

	FloodPerSecond float64 `json:"flood_publishes_per_second"` // events acknowledged
	Refused        int64   `json:"flood_refused"`              // publishes of the flood answered 503
}

// steadyReport has percentiles as Report does.
type steadyReport struct {
	Latencies []float64 `json:"latency_ms"` // from publish to receipt
	Answers   []float64 `json:"answer_ms"`  // from publish to its answer
}

// floodRoom returns more events than a flood can publish beside the steady ones.
func (o *Options) floodRoom() int {
	const fastest = 50_000 // events a second
	return (o.Events/max(o.Rate, 1)+1)*fastest + o.Batch
}

// flood publishes steadily, first alone and then while another customer floods the server.
func (b *benchmark) flood(ctx context.Context, report *Report) error {
	o := b.options
	r := &floodReport{Rate: o.Rate}
	report.Flood = r
	alone := b.steady(0)
	if err := b.publish(ctx, alone); err != nil {
		return err
	}
	if err := b.wait(ctx, alone); err != nil {
		return err
	}
	before, err := b.usage(ctx)
	if err != nil {
		return err
	}
	steady, flood := b.steady(o.Events), b.load(2*o.Events, o.room())
	flood.rate, flood.target = 0, func(int) int { return o.Endpoints }
	started := time.Now()
	var group errgroup.Group
	group.Go(func() error { return b.publish(ctx, flood) })
	group.Go(func() error {
		defer flood.stopped.Store(true)
		return b.publish(ctx, steady)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	published := time.Since(started)
	for _, l := range []*load{steady, flood} {
		if err := b.wait(ctx, l); err != nil {
			return err
		}
	}
	recorded := time.Since(started)
	after, err := b.usage(ctx)
	if err != nil {
		return err
	}
	r.FloodPerSecond, r.Refused = float64(flood.published())/published.Seconds(), flood.refused.Load()
	if err := b.compare(ctx, r, alone, steady); err != nil {
		return err
	}
	report.used(before, after, steady.published()+flood.published())
	seen, err := b.seen(ctx, 0, o.room())
	if err != nil {
		return err
	}
	report.received(b.expected(alone)+b.expected(steady)+b.expected(flood), seen)
	report.rates(steady.published()+flood.published(), published, recorded, b.expected(steady)+b.expected(flood), seen.Last.Sub(started))
	report.Latencies = r.Flooded.Latencies
	return nil
}

// steady returns the load of the steady customers: single events.
func (b *benchmark) steady(first int) *load {
	l := b.load(first, first+b.options.Events)
	l.batch = 1
	return l
}

// compare measures the effect of the flood on the steady publishes.
func (b *benchmark) compare(ctx context.Context, r *floodReport, alone, flooded *load) (err error) {
	if r.Alone, err = b.steadyReport(ctx, alone); err != nil {
		return err
	}
	if r.Flooded, err = b.steadyReport(ctx, flooded); err != nil {
		return err
	}
	r.LatencyP50, r.LatencyP99 = grown(r.Alone.Latencies, r.Flooded.Latencies)
	r.AnswerP50, r.AnswerP99 = grown(r.Alone.Answers, r.Flooded.Answers)
	return nil
}

func (b *benchmark) steadyReport(ctx context.Context, l *load) (steadyReport, error) {
	seen, err := b.seen(ctx, l.first, l.end)
	if err != nil {
		return steadyReport{}, err
	}
	return steadyReport{Latencies: seen.Latencies, Answers: percentiles(l.answers)}, nil
}

// grown returns the growth of the median and the 99th percentile, as factors.
func grown(before, after []float64) (p50, p99 float64) {
	return after[0] / before[0], after[2] / before[2]
}

func (r *floodReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
  flood               %10s   published; %d refusals
  steady, alone       %7.1f ms   p99 %.1f ms from publish to receipt; answered in %.1f ms, p99 %.1f ms
  steady, flooded     %7.1f ms   p99 %.1f ms from publish to receipt; answered in %.1f ms, p99 %.1f ms
  times as long       %10.1f   p99 %.1f from publish to receipt; answered %.1f, p99 %.1f
`,
		perSecond(r.FloodPerSecond), r.Refused,
		r.Alone.Latencies[0], r.Alone.Latencies[2], r.Alone.Answers[0], r.Alone.Answers[2],
		r.Flooded.Latencies[0], r.Flooded.Latencies[2], r.Flooded.Answers[0], r.Flooded.Answers[2],
		r.LatencyP50, r.LatencyP99, r.AnswerP50, r.AnswerP99)
	return err
}
