package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"
)

// Endpoints retry so often that a backlog is due soon after they come back, and so many times that no delivery is given
// up before; their circuit breakers open after a minute, and are closed again by the restart.
const (
	backlogInterval = 5 * time.Second
	backlogRetries  = 100
)

// backlogReport tells how a backlog is built, survives a restart and is delivered.
type backlogReport struct {
	Deliveries         int     `json:"deliveries"`
	PublishesPerSecond float64 `json:"publishes_per_second"` // while no endpoint answers well
	Resident           int64   `json:"resident_bytes"`       // of the server with the backlog
	StopSeconds        float64 `json:"stop_seconds"`         // from SIGTERM to the end
	StartSeconds       float64 `json:"start_seconds"`        // from start to ready
	DrainedPerSecond   float64 `json:"drained_per_second"`   // recorded, from when the endpoints are well again
	DrainedRatio       float64 `json:"drained_ratio"`        // to what was recorded of fresh publishes before
}

// backlog publishes while no endpoint answers well, restarts the server, and lets the endpoints come back.
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

// restart stops the server and starts it again, until it is ready.
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
			return fmt.Errorf("the server does not become ready: %w", ctx.Err())
		}
	}
}

func (r *backlogReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
  backlog             %10s   deliveries, published at %s while no endpoint answered well
  memory              %10s   of the server then
  restart             %8.2f s   from start to ready; it ended in %.2f s
  drained             %10s   %.2f of the rate of fresh publishes
`,
		humanize.Comma(int64(r.Deliveries)), perSecond(r.PublishesPerSecond), humanize.IBytes(uint64(r.Resident)),
		r.StartSeconds, r.StopSeconds, perSecond(r.DrainedPerSecond), r.DrainedRatio)
	return err
}
