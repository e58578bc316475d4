package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	relaySenders = 64      // requests in flight
	relayGroup   = 400     // records that share an fsync
	relayQueue   = 1 << 13 // records that wait to be written
	relayRoom    = 1 << 20 // deliveries that wait to be sent
)

// relay is the least that a durable sender of webhooks can do with Go's HTTP library: it appends a publish to a file, with one fsync
// for each group, answers, signs, posts, and appends the outcome. It has no index, looks nothing up and retries nothing. It understands the
// publishers' bodies only.
type relay struct {
	log     *os.File
	client  *http.Client
	secret  []byte
	records chan relayRecord
	jobs    chan relayJob
	sent    atomic.Int64 // outcomes that are recorded
	failed  chan error   // capacity 1

	mu   sync.RWMutex
	urls map[string]string // by tenant
}

// relayRecord is a line of the log.
type relayRecord struct {
	line []byte
	done chan struct{} // capacity 1; nil: it is an outcome, for which nobody waits
}

type relayJob struct{ url, eventType, data string }

// Relay is the second baseline of a benchmark, in a process of its own. It writes its address to errOut and works until in ends.
func Relay(ctx context.Context, in io.Reader, errOut io.Writer, log string) error {
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	r := &relay{
		log: file, secret: make([]byte, 32), urls: make(map[string]string), failed: make(chan error, 1),
		records: make(chan relayRecord, relayQueue), jobs: make(chan relayJob, relayRoom),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: relaySenders, MaxIdleConns: relaySenders, DisableCompression: true}},
	}
	_, _ = rand.Read(r.secret) // it never fails
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, file.Close())
	}
	server := &http.Server{Handler: r.routes()}
	go r.write() // until the process ends, as all that follows
	for range relaySenders {
		go r.send()
	}
	go func() { r.fail(server.Serve(listener)) }()
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, in); close(gone) }()
	fmt.Fprintf(errOut, "http://%s\n", listener.Addr())
	select {
	case err = <-r.failed:
	case <-gone:
	case <-ctx.Done():
	}
	return errors.Join(err, server.Close())
}

// fail ends the relay.
func (r *relay) fail(err error) {
	select {
	case r.failed <- err:
	default:
	}
}

func (r *relay) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/v1/event-types/{name}", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusCreated, struct{}{}) })
	mux.HandleFunc("POST /api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusCreated, struct{}{}) })
	mux.HandleFunc("POST /api/v1/tenants/{tenant}/endpoints", r.subscribe)
	mux.HandleFunc("POST /api/v1/tenants/{tenant}/events", func(w http.ResponseWriter, req *http.Request) { r.publish(w, req, r.take) })
	mux.HandleFunc("POST /api/v1/tenants/{tenant}/events/batch", func(w http.ResponseWriter, req *http.Request) { r.publish(w, req, r.takeBatch) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { // as a server names them
		_, _ = fmt.Fprintf(w, "bellwire_delivery_seconds_count{status=\"succeeded\"} %d\nprocess_cpu_seconds_total %g\n", r.sent.Load(), usedCPU().Seconds())
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the other side notices an incomplete answer
}

func (r *relay) subscribe(w http.ResponseWriter, req *http.Request) {
	var endpoint struct {
		URL string `json:"url"`
	}
	if err := json.NewDecoder(req.Body).Decode(&endpoint); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.urls[req.PathValue("tenant")] = endpoint.URL
	r.mu.Unlock()
	answer(w, http.StatusCreated, map[string]string{"id": "relay", "secret": "whsec_" + base64.StdEncoding.EncodeToString(r.secret)})
}

// publish stores a body, hands its events over to be sent, and answers.
func (r *relay) publish(w http.ResponseWriter, req *http.Request, take func(url string, body []byte)) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the publisher is gone
	}
	r.mu.RLock()
	url := r.urls[req.PathValue("tenant")]
	r.mu.RUnlock()
	done := make(chan struct{}, 1)
	r.records <- relayRecord{body, done}
	<-done
	take(url, body)
	answer(w, http.StatusAccepted, struct{}{})
}

// take hands over an event in the form of appendEvent, without an ordering key.
func (r *relay) take(url string, event []byte) {
	_, rest, _ := bytes.Cut(event, []byte(`{"type":"`))
	name, data, found := bytes.Cut(rest, []byte(`","data":`))
	if !found {
		r.fail(fmt.Errorf("unexpected event %.100q", event))
		return
	}
	r.jobs <- relayJob{url, string(name), string(data[:len(data)-1])}
}

// takeBatch hands over the events of a body in the form of appendBatch.
func (r *relay) takeBatch(url string, body []byte) {
	events := body[len(`{"events":[`) : len(body)-len("]}")]
	for more := true; more; {
		end := bytes.Index(events, []byte(`},{"type":`))
		if more = end >= 0; more {
			r.take(url, events[:end+1])
			events = events[end+2:]
		}
	}
	r.take(url, events)
}

// write appends records, as many as there are with one fsync.
func (r *relay) write() {
	var (
		group []relayRecord
		text  []byte
	)
	for {
		group = r.gather(group[:0])
		text = text[:0]
		for _, record := range group {
			text = append(append(text, record.line...), '\n')
		}
		_, err := r.log.Write(text)
		if err == nil {
			err = r.log.Sync()
		}
		if err != nil {
			r.fail(err)
			return
		}
		for _, record := range group {
			if record.done == nil {
				r.sent.Add(1)
			} else {
				record.done <- struct{}{}
			}
		}
		clear(group)
	}
}

// gather waits for a record and takes those that wait with it.
func (r *relay) gather(group []relayRecord) []relayRecord {
	group = append(group, <-r.records)
	for len(group) < relayGroup {
		select {
		case record := <-r.records:
			group = append(group, record)
		default:
			return group
		}
	}
	return group
}

// send signs and posts deliveries, and records their outcomes.
func (r *relay) send() {
	for job := range r.jobs {
		now := time.Now()
		id, at := "msg_"+rand.Text(), strconv.FormatInt(now.Unix(), 10)
		body := fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":%s}`, job.eventType, now.UTC().Format(time.RFC3339Nano), job.data)
		mac := hmac.New(sha256.New, r.secret)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		status, err := r.post(job.url, body, map[string]string{
			"Content-Type": "application/json", "Webhook-Id": id, "Webhook-Timestamp": at, "Webhook-Signature": signature,
		})
		if err == nil && status != http.StatusNoContent {
			err = &unexpectedStatus{url: job.url, status: status}
		}
		if err != nil {
			r.fail(err)
			return
		}
		r.records <- relayRecord{line: fmt.Appendf(nil, `{"id":%q,"status":%d,"at":%q,"attempt":1}`, id, status, at)}
	}
}

func (r *relay) post(url string, body []byte, headers map[string]string) (status int, err error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// relayReport compares the server with a relay that got the same events in the same run.
type relayReport struct {
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	CPU                 float64 `json:"cpu_us_per_event"`
	Rate                float64 `json:"rate_ratio"` // of the server's deliveries to the relay's
	Cost                float64 `json:"cpu_ratio"`  // of the server's CPU for an event to the relay's
}

// relayed publishes all events to a relay instead of a server.
func (o *Options) relayed(ctx context.Context, dir string, b *benchmark) (report *relayReport, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	args := append([]string{"bench-relay", "--log", filepath.Join(dir, "relay.log")}, o.profile("relay")...)
	p, err := startProcess(ctx, args...)
	if err != nil {
		return nil, err
	}
	through := &benchmark{options: o, dir: dir, receiver: b.receiver, client: b.client, servers: []*process{p}}
	defer func() { err = errors.Join(err, through.stop()) }()
	urls, err := o.publishURLs(p.url)
	if err != nil {
		return nil, err
	}
	through.tenants = append(through.tenants, urls)
	if err := through.prepare(ctx); err != nil {
		return nil, err
	}
	r := newReport(o, 1)
	if err := errors.Join(through.plain(ctx, r), r.fault()); err != nil {
		return nil, err
	}
	return &relayReport{DeliveriesPerSecond: r.DeliveriesPerSecond, CPU: r.ServerCPU}, nil
}

// compare adds the ratios to a run with the server.
func (r *relayReport) compare(server *Report) {
	r.Rate, r.Cost = server.DeliveriesPerSecond/r.DeliveriesPerSecond, server.ServerCPU/r.CPU
}

func (r *relayReport) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `  relay               %10s   %.0f µs of CPU for each event; the server has %.2f of its rate for %.2f of its CPU
`, perSecond(r.DeliveriesPerSecond), r.CPU, r.Rate, r.Cost)
	return err
}
