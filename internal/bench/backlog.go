package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"
)

// Endpoints retry so often that a backlog is due soon after they recover, and so many times that no delivery is exhausted
// before. Their circuit breakers open after a minute, and the restart closes them.
const (
	backlogInterval = 5 * time.Second
	backlogRetries  = 100
)

// backlogReport measures how a backlog grows, survives a restart and is delivered.
type backlogReport struct {
	Deliveries         int     `json:"deliveries"`
	PublishesPerSecond float64 `json:"publishes_per_second"` // while no endpoint succeeds
	Resident           int64   `json:"resident_bytes"`       // of the server with the backlog
	StopSeconds        float64 `json:"stop_seconds"`         // from SIGTERM to the end
	StartSeconds       float64 `json:"start_seconds"`        // from start to ready
	DrainedPerSecond   float64 `json:"drained_per_second"`   // recorded after the endpoints recover
	DrainedRatio       float64 `json:"drained_ratio"`        // to the rate of fresh publishes before
}

// backlog publishes while no endpoint succeeds, restarts the server, and lets the endpoints recover.
func (b *benchmark) backlog(ctx context.Context, report *Report) error {
	o := b.options
	r := &backlogReport{}
	report.Backlog = r
	if err := b.tell(ctx, "/away", nil); err != nil {
		return err
	}
	backlog := b.load(o.Events, o.room())
	started := time.Now()
	if err := b.publish(ctx, backlog); err != nil {
		return err
	}
	r.Deliveries = b.expected(backlog)
	r.PublishesPerSecond = float64(backlog.published()) / time.Since(started).Seconds()
	if err := b.restart(ctx, r); err != nil {
		return err
	}
	if err := b.tell(ctx, "/back", nil); err != nil {
		return err
	}
	started = time.Now()
	if err := b.wait(ctx, backlog); err != nil {
		return err
	}
	r.DrainedPerSecond = float64(r.Deliveries) / time.Since(started).Seconds()
	r.DrainedRatio = r.DrainedPerSecond / report.RecordedPerSecond
	seen, err := b.seen(ctx, backlog.first, backlog.end)
	if err != nil {
		return err
	}
	report.received(r.Deliveries, seen)
	return nil
}

// restart restarts the server and waits until it is ready.
func (b *benchmark) restart(ctx context.Context, r *backlogReport) error {
	memory, err := b.metric(ctx, resident)
	if err != nil {
		return err
	}
	r.Resident = int64(memory)
	began := time.Now()
	if err := b.stop(); err != nil {
		return err
	}
	r.StopSeconds = time.Since(began).Seconds()
	began = time.Now()
	if err := b.start(ctx); err != nil {
		return err
	}
	if err := b.ready(ctx); err != nil {
		return err
	}
	r.StartSeconds = time.Since(began).Seconds()
	return nil
}

// ready waits until the server can take work.
func (b *benchmark) ready(ctx context.Context) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.servers[0].url+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := b.client.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
		if response.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("server not ready: %w", ctx.Err())
		}
	}
}

func (r *backlogReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
  backlog             %10s   deliveries, published at %s while no endpoint succeeded
  memory              %10s   of the server then
  restart             %8.2f s   from start to ready; it ended in %.2f s
  drained             %10s   %.2f of the rate of fresh publishes
`,
		humanize.Comma(int64(r.Deliveries)), perSecond(r.PublishesPerSecond), humanize.IBytes(uint64(r.Resident)),
		r.StartSeconds, r.StopSeconds, perSecond(r.DrainedPerSecond), r.DrainedRatio)
	return err
}
