package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The neighbour is a modest customer: its 100 events a second are a hundredth of the server's capacity, so its delays are
// caused by others.
const (
	publishEach   = 10 * time.Millisecond
	retryShare    = 20 // one in this many events needs a second attempt
	listEach      = 100 * time.Millisecond
	probeEach     = 200 * time.Millisecond
	newcomerFirst = 300 * time.Millisecond
	newcomerEach  = time.Second
	publishBytes  = 500
	retryDelay    = time.Second // the shortest that all servers allow

	// mostWaiting is the maximum number of publishes that wait for an answer: enough to see a stall of five seconds whole.
	mostWaiting = 512
	// requestTimeout is longer than any stall that was measured.
	requestTimeout = 60 * time.Second
	// probeTimeout is common among load balancers.
	probeTimeout = 2 * time.Second
)

// Neighbour is an ordinary tenant: its platform publishes single events to it, and it reads its lists. New tenants
// sign up, and a load balancer probes readiness.
type Neighbour struct {
	target   Target
	client   *http.Client
	strange  *http.Client // with a new connection for each request
	server   *http.Server
	url      string // of the receiver
	serving  sync.WaitGroup
	key      string // of the role tenant-read
	turn     atomic.Int64
	arrivals arrivals
}

// NewNeighbour creates the tenant and its endpoints.
func NewNeighbour(ctx context.Context, t Target) (*Neighbour, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &Neighbour{
		target:   t,
		client:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: requestTimeout},
		strange:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: requestTimeout},
		url:      "http://" + listener.Addr().String(),
		arrivals: arrivals{events: make(map[int]*arrival)},
	}
	n.server = &http.Server{Handler: n.routes()}
	n.serving.Go(func() { _ = n.server.Serve(listener) }) // returns when closed
	if err := n.settle(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot create the neighbour: %w", err), n.Close())
	}
	return n, nil
}

// Close ends the receiver.
func (n *Neighbour) Close() error {
	n.client.CloseIdleConnections()
	err := n.server.Close()
	n.serving.Wait()
	return err
}

// URL returns the URL of the receiver.
func (n *Neighbour) URL() string { return n.url }

const (
	steadyType = "neighbour.steady"
	retryType  = "neighbour.retry"
	neighbour  = "neighbour"
)

func (n *Neighbour) settle(ctx context.Context) error {
	calls := []call{
		{method: "PUT", path: "/event-types/" + steadyType, body: mustJSON(object{})},
		{method: "PUT", path: "/event-types/" + retryType, body: mustJSON(object{})},
		{method: "POST", path: "/tenants", body: mustJSON(object{"id": neighbour})},
		endpointCall(neighbour, n.url+"/steady", steadyType),
		endpointCall(neighbour, n.url+"/retry", retryType),
	}
	for _, c := range calls {
		if _, err := n.call(ctx, n.client, c); err != nil {
			return err
		}
	}
	answer, err := n.call(ctx, n.client, call{method: "POST", path: "/tenants/" + neighbour + "/keys", body: mustJSON(object{"role": "tenant-read"})})
	if err != nil {
		return err
	}
	var key struct{ Secret string }
	if err := json.Unmarshal(answer, &key); err != nil {
		return err
	}
	n.key = key.Secret
	return nil
}

func endpointCall(tenant, url, eventType string) call {
	retries := make([]string, 20)
	for i := range retries {
		retries[i] = retryDelay.String()
	}
	return call{
		method: "POST", path: "/tenants/" + tenant + "/endpoints",
		body: mustJSON(object{"url": url, "events": []string{eventType}, "retry": object{"schedule": retries}}),
	}
}

// call calls the native API, with the platform's key unless c has another.
func (n *Neighbour) call(ctx context.Context, client *http.Client, c call) (answer []byte, err error) {
	server := n.target.Servers[int(n.turn.Add(1))%len(n.target.Servers)]
	request, err := http.NewRequestWithContext(ctx, c.method, server+"/api/v1"+c.path, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	key := c.key
	if key == "" {
		key = n.target.AdminKey
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, &refusal{what: failure(err), why: err.Error()}
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		return nil, &refusal{what: failure(err), why: err.Error()}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, &refusal{what: strconv.Itoa(response.StatusCode), why: fmt.Sprintf("%s %s: %.300s", c.method, c.path, answer)}
	}
	return answer, nil
}

// refusal is a request that failed.
type refusal struct {
	what string // the status, or the kind of failure
	why  string
}

func (r *refusal) Error() string { return r.what + ": " + r.why }

// arrival is the history of an event.
type arrival struct {
	published, first, done time.Time // done: the acknowledged request; first: the failed one before it
}

// arrivals are the events of a phase, by number.
type arrivals struct {
	mu     sync.Mutex
	events map[int]*arrival
	last   int
}

// publishing records an event before it is published, and returns its number.
func (a *arrivals) publishing() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.events[a.last] = &arrival{published: time.Now()}
	return a.last
}

// forget removes an event that was not accepted.
func (a *arrivals) forget(number int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.events, number)
}

// came records a request, and reports whether to acknowledge it.
func (a *arrivals) came(number int, retried bool) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	event := a.events[number]
	switch {
	case event == nil: // of an earlier phase
	case retried && event.first.IsZero():
		event.first = now
		return false
	case event.done.IsZero():
		event.done = now
	}
	return true
}

// waiting returns how many events have not arrived.
func (a *arrivals) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	count := 0
	for _, event := range a.events {
		if event.done.IsZero() {
			count++
		}
	}
	return count
}

// take returns all events and forgets them.
func (a *arrivals) take() map[int]*arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := maps.Clone(a.events)
	clear(a.events)
	return events
}

// routes serves the endpoints.
func (n *Neighbour) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/steady", func(w http.ResponseWriter, req *http.Request) { n.receive(w, req, false) })
	mux.HandleFunc("/retry", func(w http.ResponseWriter, req *http.Request) { n.receive(w, req, true) })
	mux.HandleFunc("/hang", hang)
	return mux
}

func (n *Neighbour) receive(w http.ResponseWriter, req *http.Request, retried bool) {
	var message struct{ Data struct{ N int } }
	if err := json.NewDecoder(req.Body).Decode(&message); err != nil {
		return // the request broke off and will be repeated
	}
	if !n.arrivals.came(message.Data.N, retried) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Live acts and measures for a while, waits at most patience for missing events, and returns the measurements.
func (n *Neighbour) Live(ctx context.Context, during, patience time.Duration) *Figures {
	l := &life{Neighbour: n, figures: new(record)}
	living, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	together(
		func() { l.publishSteadily(ctx, living) },
		func() { l.every(living, 0, listEach, func(i int) { l.list(ctx, i) }) },
		func() {
			l.every(living, newcomerFirst, newcomerEach, func(int) { l.newcomer(ctx) })
		},
		func() {
			l.every(living, 0, probeEach, func(int) {
				for _, server := range n.target.Servers {
					l.probe(ctx, server)
				}
			})
		},
	)
	for deadline := time.Now().Add(patience); n.arrivals.waiting() > 0 && time.Now().Before(deadline); {
		if !sleep(ctx, probeEach/10) {
			break
		}
	}
	return l.figures.figures(n.arrivals.take(), time.Now())
}

// life is one phase of a neighbour.
type life struct {
	*Neighbour
	figures *record
}

// every starts f at each interval, even while earlier calls run, and returns when all calls have returned.
func (l *life) every(ctx context.Context, first, each time.Duration, f func(i int)) {
	var group sync.WaitGroup
	defer group.Wait()
	due := time.Now().Add(first)
	for i := 0; sleep(ctx, time.Until(due)); i++ {
		group.Go(func() { f(i) })
		due = due.Add(each)
	}
}

// publishSteadily publishes one event at each interval, unless too many wait for an answer.
func (l *life) publishSteadily(ctx, living context.Context) {
	places := make(chan struct{}, mostWaiting)
	pad := padding(publishBytes)
	began := time.Now()
	l.every(living, 0, publishEach, func(i int) {
		l.figures.request(&l.figures.wakes, time.Since(began.Add(time.Duration(i)*publishEach)), nil)
		select {
		case places <- struct{}{}:
		default:
			return
		}
		defer func() { <-places }()
		eventType := steadyType
		if i%retryShare == retryShare-1 {
			eventType = retryType
		}
		took, err := l.publish(ctx, l.client, neighbour, eventType, pad)
		l.figures.request(&l.figures.publishes, took, err)
	})
}

// publish publishes one event, and returns the time until its answer.
func (l *life) publish(ctx context.Context, client *http.Client, tenant, eventType, pad string) (time.Duration, error) {
	number := l.arrivals.publishing()
	body := mustJSON(object{"type": eventType, "data": object{"n": number, "pad": pad}})
	began := time.Now()
	_, err := l.call(ctx, client, call{method: "POST", path: "/tenants/" + tenant + "/events", body: body})
	if err != nil {
		l.arrivals.forget(number)
	}
	return time.Since(began), err
}

// list reads one of the neighbour's lists.
func (l *life) list(ctx context.Context, i int) {
	paths := []string{"/events", "/deliveries", "/endpoints", "/deliveries?status=retrying"}
	began := time.Now()
	_, err := l.call(ctx, l.client, call{method: "GET", path: "/tenants/" + neighbour + paths[i%len(paths)], key: l.key})
	l.figures.request(&l.figures.lists, time.Since(began), err)
}

// newcomer signs up a customer, over new connections: it creates a tenant and an endpoint, and publishes an event.
func (l *life) newcomer(ctx context.Context) {
	tenant := "newcomer-" + strconv.Itoa(int(l.turn.Add(1)))
	began := time.Now()
	_, err := l.call(ctx, l.strange, call{method: "POST", path: "/tenants", body: mustJSON(object{"id": tenant})})
	if err == nil {
		_, err = l.call(ctx, l.strange, endpointCall(tenant, l.url+"/steady", steadyType))
	}
	if err != nil {
		l.figures.request(&l.figures.signUps, time.Since(began), err)
		return
	}
	l.figures.request(&l.figures.signUps, time.Since(began), nil)
	number := l.arrivals.publishing()
	l.figures.newcomer(number)
	body := mustJSON(object{"type": steadyType, "data": object{"n": number}})
	began = time.Now()
	if _, err = l.call(ctx, l.strange, call{method: "POST", path: "/tenants/" + tenant + "/events", body: body}); err != nil {
		l.arrivals.forget(number)
		l.figures.request(&l.figures.signUps, time.Since(began), err)
	}
}

// isReady is the answer of a server that can take work.
const isReady = "200"

// probe asks a server whether it is ready.
func (l *life) probe(ctx context.Context, server string) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	l.figures.probe(l.askReady(ctx, server))
}

func (l *life) askReady(ctx context.Context, server string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/readyz", nil)
	if err != nil {
		return failure(err)
	}
	response, err := l.strange.Do(request)
	if err != nil {
		return failure(err)
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err != nil {
		return failure(err)
	}
	return strconv.Itoa(response.StatusCode)
}
