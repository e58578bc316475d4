package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwire/bellwire/client"
)

const (
	benchKey     = "bench-admin-key-bench-admin-key"
	benchType    = "bench.event"
	benchTimeout = 10 * time.Minute // for one run
	benchPoll    = 20 * time.Millisecond
	processStart = 30 * time.Second
)

// Data is {"n":…,"t":…,"pad":"…"} with numbers of fixed width, so that the receiver reads them without parsing.
const (
	benchNumber  = 19 // digits
	minBenchData = len(`{"n":,"t":,"pad":""}`) + 2*benchNumber
	maxBenchData = 1 << 20
)

func appendBenchData(b []byte, n int, at time.Time, pad []byte) []byte {
	b = fmt.Appendf(b, `{"n":%0*d,"t":%0*d,"pad":"`, benchNumber, firstBenchNumber+n, benchNumber, at.UnixNano())
	return append(append(b, pad...), `"}`...)
}

// firstBenchNumber makes every number as wide as JSON allows without leading zeros.
const firstBenchNumber = 1_000_000_000_000_000_000

// benchmark is one run.
type benchmark struct {
	command  *benchCommand
	server   string
	receiver string
	client   *http.Client
}

func newBenchClient(publishers int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: publishers, MaxIdleConns: publishers}}
}

func (b *benchmark) run(ctx context.Context) (*benchReport, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	baseline, err := b.baseline(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	started := time.Now()
	if err := b.publish(ctx, started); err != nil {
		return nil, err
	}
	published := time.Since(started)
	if err := b.wait(ctx); err != nil {
		return nil, err
	}
	recorded := time.Since(started)
	seen, err := b.seen(ctx)
	if err != nil {
		return nil, err
	}
	return newBenchReport(b.command, baseline, published, recorded, started, seen), nil
}

// baseline measures how many bodies a second a bare client posts to the receiver.
func (b *benchmark) baseline(ctx context.Context) (float64, error) {
	body := bytes.Repeat([]byte("x"), b.command.Size)
	var posted atomic.Int64
	started := time.Now()
	err := b.each(func(int) error {
		for time.Since(started) < b.command.Baseline {
			if err := b.post(ctx, b.receiver+"/baseline", body, http.StatusNoContent); err != nil {
				return err
			}
			posted.Add(1)
		}
		return nil
	})
	return float64(posted.Load()) / time.Since(started).Seconds(), err
}

// each runs f in as many goroutines as there are publishers.
func (b *benchmark) each(f func(publisher int) error) error {
	var group errgroup.Group
	for i := range b.command.Publishers {
		group.Go(func() error { return f(i) })
	}
	return group.Wait()
}

func (b *benchmark) post(ctx context.Context, url string, body []byte, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+benchKey)
	response, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != want {
		return fmt.Errorf("%s answered %s: %s", url, response.Status, answer)
	}
	return nil
}

func benchTenant(endpoint int) string { return "bench-" + strconv.Itoa(endpoint) }

// kind says how an endpoint behaves. The kinds are spread evenly.
func (c *benchCommand) kind(endpoint int) string {
	place := float64(endpoint*7919%c.Endpoints) / float64(c.Endpoints)
	switch {
	case place < c.Hanging:
		return "hanging"
	case place < c.Hanging+c.Failing:
		return "failing"
	case place < c.Hanging+c.Failing+c.Slow:
		return "slow"
	}
	return "healthy"
}

// acknowledges tells whether deliveries to the endpoint are expected to arrive.
func (c *benchCommand) acknowledges(endpoint int) bool {
	kind := c.kind(endpoint)
	return kind == "healthy" || kind == "slow"
}

// expected counts the deliveries that must arrive.
func (c *benchCommand) expected() int {
	n := 0
	for i := range c.Events {
		if c.acknowledges(c.target(i)) {
			n++
		}
	}
	return n
}

// target says which endpoint gets an event: they take turns, batch by batch.
func (c *benchCommand) target(event int) int { return event / c.Batch % c.Endpoints }

// prepare makes the customers and tells the receiver their secrets.
func (b *benchmark) prepare(ctx context.Context) error {
	api, err := client.New(b.server, benchKey, client.WithHTTPClient(b.client))
	if err != nil {
		return err
	}
	if _, err := api.PutEventType(ctx, client.EventType{Name: benchType}); err != nil {
		return err
	}
	plan := benchPlan{Events: b.command.Events, Secrets: make([]string, b.command.Endpoints)}
	var next atomic.Int64
	err = b.each(func(int) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= b.command.Endpoints {
				return nil
			}
			if _, err := api.CreateTenant(ctx, client.Tenant{ID: benchTenant(i)}); err != nil {
				return err
			}
			url := fmt.Sprintf("%s/%s/%d", b.receiver, b.command.kind(i), i)
			endpoint, err := api.CreateEndpoint(ctx, benchTenant(i), client.EndpointInput{URL: &url, Events: []string{benchType}})
			if err != nil {
				return err
			}
			plan.Secrets[i] = endpoint.Secret
		}
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return b.post(ctx, b.receiver+"/plan", body, http.StatusNoContent)
}

// publish publishes all events, at the wanted rate if there is one.
func (b *benchmark) publish(ctx context.Context, started time.Time) error {
	c := b.command
	pad := bytes.Repeat([]byte("x"), c.Size-minBenchData)
	var next atomic.Int64
	return b.each(func(int) error {
		var body []byte
		for {
			first := int(next.Add(int64(c.Batch))) - c.Batch
			if first >= c.Events {
				return nil
			}
			if c.Rate > 0 {
				time.Sleep(time.Until(started.Add(time.Duration(first) * time.Second / time.Duration(c.Rate))))
			}
			url := b.server + "/api/v1/tenants/" + benchTenant(c.target(first)) + "/events"
			body = body[:0]
			if c.Batch == 1 {
				body = appendBenchEvent(body, first, pad)
			} else {
				url += "/batch"
				body = appendBenchBatch(body, first, min(first+c.Batch, c.Events), pad)
			}
			if err := b.post(ctx, url, body, http.StatusAccepted); err != nil {
				return err
			}
		}
	})
}

func appendBenchEvent(b []byte, n int, pad []byte) []byte {
	b = append(b, `{"type":"`+benchType+`","data":`...)
	return append(appendBenchData(b, n, time.Now(), pad), '}')
}

func appendBenchBatch(b []byte, first, end int, pad []byte) []byte {
	b = append(b, `{"events":[`...)
	for n := first; n < end; n++ {
		if n > first {
			b = append(b, ',')
		}
		b = appendBenchEvent(b, n, pad)
	}
	return append(b, "]}"...)
}

// succeeded finds the number of recorded successes in the server's metrics.
var succeeded = regexp.MustCompile(`(?m)^bellwire_delivery_seconds_count\{status="succeeded"\} (\S+)$`)

// wait waits until all that is expected is recorded as delivered.
func (b *benchmark) wait(ctx context.Context) error {
	expected := float64(b.command.expected())
	for {
		page, err := b.get(ctx, b.server+"/metrics")
		if err != nil {
			return err
		}
		done := 0.0
		if found := succeeded.FindSubmatch(page); found != nil {
			if done, err = strconv.ParseFloat(string(found[1]), 64); err != nil {
				return err
			}
		}
		if done >= expected {
			return nil
		}
		select {
		case <-time.After(benchPoll):
		case <-ctx.Done():
			return fmt.Errorf("only %.0f of %.0f deliveries were recorded: %w", done, expected, ctx.Err())
		}
	}
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

// seen asks the receiver what it really got.
func (b *benchmark) seen(ctx context.Context) (*benchSeen, error) {
	page, err := b.get(ctx, b.receiver+"/seen")
	if err != nil {
		return nil, err
	}
	seen := new(benchSeen)
	return seen, json.Unmarshal(page, seen)
}

// process is this program, run again with another command.
type process struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
	lines sync.WaitGroup
}

// addresses is what a started process prints its address in: a line of its own, or a log record.
var addresses = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startProcess starts a command and waits until it says where it listens. It ends with stop, or when its standard
// input is closed because this process has died.
func startProcess(ctx context.Context, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, args...)}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan string, 1)
	var last string
	p.lines.Go(func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			last = lines.Text()
			if url := addresses.FindString(last); url != "" {
				select {
				case found <- url:
				default:
				}
			}
		}
		close(found)
	})
	ctx, cancel := context.WithTimeout(ctx, processStart)
	defer cancel()
	select {
	case url, ok := <-found:
		if ok {
			p.url = url
			return p, nil
		}
		return nil, errors.Join(fmt.Errorf("%s did not start: %s", args[0], last), p.stop())
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", args[0], ctx.Err()), p.stop())
	}
}

// stop ends the process as an operator would.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.stdin.Close() // it may have ended by itself
	p.lines.Wait()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s ended badly: %w", p.cmd.Args[1], err)
	}
	return nil
}
