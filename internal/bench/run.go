package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/client"
)

const (
	adminKey     = "bench-admin-key-bench-admin-key"
	eventType    = "bench.event"
	runTimeout   = 30 * time.Minute // for one run
	pollInterval = 20 * time.Millisecond
)

// benchmark is one run.
type benchmark struct {
	options  *Options
	dir      string // for temporary files
	receiver *process
	servers  []*process
	peak     int64 // maximum memory of the servers that have ended
	client   *http.Client
	tenants  [][]*url.URL // where to publish, by server and tenant
	ids      []string     // of the endpoints
	recorded int          // successes that the running servers have recorded or will record
}

func (b *benchmark) run(ctx context.Context) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	baseline, err := b.baseline(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	if b.options.Stored > 0 {
		if err := b.fill(ctx); err != nil {
			return nil, err
		}
	}
	report := newReport(b.options, baseline)
	if b.options.Pages {
		if report.Pages, err = b.pages(ctx); err != nil {
			return nil, err
		}
	}
	if b.options.Flood {
		return report, b.flood(ctx, report)
	}
	if b.options.Nodes > 1 {
		if _, err := b.owners(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.plain(ctx, report); err != nil {
		return report, err
	}
	switch {
	case b.options.Backlog > 0:
		return report, b.backlog(ctx, report)
	case b.options.comparesNodes():
		return report, b.nodes(ctx, report)
	}
	return report, nil
}

// plain publishes all events and waits until their deliveries are recorded.
func (b *benchmark) plain(ctx context.Context, report *Report) error {
	before, err := b.usage(ctx)
	if err != nil {
		return err
	}
	all := b.load(0, b.options.Events)
	started := time.Now()
	if err := b.publish(ctx, all); err != nil {
		return err
	}
	published := time.Since(started)
	if err := b.wait(ctx, all); err != nil {
		return err
	}
	recorded := time.Since(started)
	after, err := b.usage(ctx)
	if err != nil {
		return err
	}
	seen, err := b.seen(ctx, all.first, all.end)
	if err != nil {
		return err
	}
	report.received(b.expected(all), seen)
	report.rates(all.published(), published, recorded, seen.Received, seen.Last.Sub(started))
	report.used(before, after, all.published())
	report.Latencies = seen.Latencies
	return nil
}

// baseline measures how many bodies a second a bare client posts to the receiver.
func (b *benchmark) baseline(ctx context.Context) (float64, error) {
	to, err := url.Parse(b.receiver.url + "/baseline")
	if err != nil {
		return 0, err
	}
	body := bytes.Repeat([]byte("x"), b.options.Size)
	var posted atomic.Int64
	started := time.Now()
	err = parallel(b.options.Publishers, func() error {
		p := newPoster(ctx, b.client)
		for time.Since(started) < b.options.Baseline {
			if err := p.post(to, body, http.StatusNoContent); err != nil {
				return err
			}
			posted.Add(1)
		}
		return nil
	})
	return float64(posted.Load()) / time.Since(started).Seconds(), err
}

// prepare creates the customers and sends their secrets to the receiver.
func (b *benchmark) prepare(ctx context.Context) error {
	api, err := client.New(b.servers[0].url, adminKey, client.WithHTTPClient(b.client))
	if err != nil {
		return err
	}
	if _, err := api.PutEventType(ctx, client.EventType{Name: eventType}); err != nil {
		return err
	}
	plan := receiverPlan{Events: b.options.room(), Secrets: make([]string, b.options.customers())}
	b.ids = make([]string, len(plan.Secrets))
	var next atomic.Int64
	err = parallel(b.options.Publishers, func() error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(plan.Secrets) {
				return nil
			}
			endpoint, err := b.subscribe(ctx, api, i)
			if err != nil {
				return err
			}
			b.ids[i], plan.Secrets[i] = endpoint.ID, endpoint.Secret
		}
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return b.tell(ctx, "/plan", body)
}

// subscribe creates a customer with an endpoint.
func (b *benchmark) subscribe(ctx context.Context, api *client.Client, n int) (*client.Endpoint, error) {
	if _, err := api.CreateTenant(ctx, client.Tenant{ID: tenantID(n)}); err != nil {
		return nil, err
	}
	to := fmt.Sprintf("%s/%s/%d", b.receiver.url, b.options.kind(n), n)
	in := client.EndpointInput{URL: &to, Events: []string{eventType}}
	if b.options.Backlog > 0 {
		in.Retry = &client.RetryPolicy{Interval: backlogInterval, Count: backlogRetries}
	}
	if b.options.Keys > 0 {
		in.Ordering = client.Ptr(client.OrderingKey)
	}
	return api.CreateEndpoint(ctx, tenantID(n), in)
}

// tell posts to the receiver.
func (b *benchmark) tell(ctx context.Context, path string, body []byte) error {
	to, err := url.Parse(b.receiver.url + path)
	if err != nil {
		return err
	}
	return newPoster(ctx, b.client).post(to, body, http.StatusNoContent)
}

// wait waits until all expected deliveries of a load have been recorded.
func (b *benchmark) wait(ctx context.Context, l *load) error {
	b.recorded += b.expected(l)
	for {
		done, err := b.metric(ctx, succeeded)
		if err != nil {
			return err
		}
		if int(done) >= b.recorded {
			return nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("only %.0f of %d deliveries were recorded: %w", done, b.recorded, ctx.Err())
		}
	}
}

// Metrics of the server.
var (
	succeeded  = regexp.MustCompile(`(?m)^bellwire_delivery_seconds_count\{status="succeeded"\} (\S+)$`)
	processors = regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)$`)
	resident   = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`)
)

// metric returns the sum of a metric over the servers. A server without the metric counts as 0.
func (b *benchmark) metric(ctx context.Context, name *regexp.Regexp) (sum float64, err error) {
	for _, server := range b.servers {
		page, err := b.get(ctx, server.url+"/metrics")
		if err != nil {
			return 0, err
		}
		found := name.FindSubmatch(page)
		if found == nil {
			continue
		}
		n, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// processTimes are the CPU times of the processes.
type processTimes struct{ publisher, server, receiver time.Duration }

func (b *benchmark) usage(ctx context.Context) (*processTimes, error) {
	server, err := b.metric(ctx, processors)
	if err != nil {
		return nil, err
	}
	seen, err := b.seen(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	return &processTimes{publisher: usedCPU(), server: time.Duration(server * float64(time.Second)), receiver: seen.CPU}, nil
}

func (b *benchmark) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// seen asks the receiver which of the events with the given numbers it got.
func (b *benchmark) seen(ctx context.Context, first, end int) (*sighting, error) {
	page, err := b.get(ctx, fmt.Sprintf("%s/seen?first=%d&end=%d", b.receiver.url, first, end))
	if err != nil {
		return nil, err
	}
	seen := new(sighting)
	return seen, json.Unmarshal(page, seen)
}
