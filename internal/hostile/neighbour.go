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

// What a neighbour does. It is a modest customer: 100 events a second are a hundredth of what the server can take, so
// that what it waits for is the others.
const (
	publishEach   = 10 * time.Millisecond
	retryShare    = 20 // one in so many events needs a second attempt
	listEach      = 100 * time.Millisecond
	probeEach     = 200 * time.Millisecond
	newcomerFirst = 300 * time.Millisecond
	newcomerEach  = time.Second
	publishBytes  = 500
	retryDelay    = time.Second // the shortest that any server allows

	// mostWaiting is how many publishes wait for their answer at most. A stall of five seconds is seen whole; of a longer one
	// the first publishes tell.
	mostWaiting = 512
	// requestTimeout is after how long the neighbour gives a request up. It is longer than anything was seen to stall.
	requestTimeout = 60 * time.Second
	// probeTimeout is what load balancers allow.
	probeTimeout = 2 * time.Second
)

// Neighbour is a tenant that does nothing special: its platform publishes to it, one event after the other, and it looks at its
// lists. Beside it newcomers appear, and a load balancer asks for readiness.
type Neighbour struct {
	target   Target
	client   *http.Client
	strange  *http.Client // each request has a connection of its own
	server   *http.Server
	url      string // of the receiver
	serving  sync.WaitGroup
	key      string // of the neighbour, to read
	turn     atomic.Int64
	arrivals arrivals
}

// NewNeighbour makes the tenant and its endpoints.
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
	n.serving.Go(func() { _ = n.server.Serve(listener) }) // it ends with Close
	if err := n.settle(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the neighbour could not be made: %w", err), n.Close())
	}
	return n, nil
}

// Close ends its receiver.
func (n *Neighbour) Close() error {
	n.client.CloseIdleConnections()
	err := n.server.Close()
	n.serving.Wait()
	return err
}

// URL is where its receiver is.
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

// call makes a request of the native API, as the platform unless another key is given.
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

// refusal is a request that was not answered well.
type refusal struct {
	what string // the status, or what came instead of one
	why  string
}

func (r *refusal) Error() string { return r.what + ": " + r.why }

// arrival is what is known of an event.
type arrival struct {
	published, first, done time.Time // done is its first acknowledged request, first the one before that failed
}

// arrivals are those of a phase, by number.
type arrivals struct {
	mu     sync.Mutex
	events map[int]*arrival
	last   int
}

// publishing notes that an event is about to be published, and returns its number.
func (a *arrivals) publishing() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.events[a.last] = &arrival{published: time.Now()}
	return a.last
}

// forget takes an event away that was not accepted.
func (a *arrivals) forget(number int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.events, number)
}

// came notes a request, and reports whether it is to be acknowledged.
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

// waiting is how many have not arrived yet.
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

// take returns the events there are and begins anew.
func (a *arrivals) take() map[int]*arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := maps.Clone(a.events)
	clear(a.events)
	return events
}

// routes receive what is delivered.
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
		return // it broke off, and comes again
	}
	if !n.arrivals.came(message.Data.N, retried) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Live lives for a while, waits until everything has arrived, but not longer than patience, and says how it was.
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

// life is a phase of the neighbour's.
type life struct {
	*Neighbour
	figures *record
}

// every starts f again and again, also when the one before has not ended, and returns when all have.
func (l *life) every(ctx context.Context, first, each time.Duration, f func(i int)) {
	var group sync.WaitGroup
	defer group.Wait()
	due := time.Now().Add(first)
	for i := 0; sleep(ctx, time.Until(due)); i++ {
		group.Go(func() { f(i) })
		due = due.Add(each)
	}
}

// publishSteadily publishes one event at each time, as long as not too many have to wait.
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

// publish publishes one event, and returns how long its answer took.
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

// list reads one of the neighbour's lists, with its own key.
func (l *life) list(ctx context.Context, i int) {
	paths := []string{"/events", "/deliveries", "/endpoints", "/deliveries?status=retrying"}
	began := time.Now()
	_, err := l.call(ctx, l.client, call{method: "GET", path: "/tenants/" + neighbour + paths[i%len(paths)], key: l.key})
	l.figures.request(&l.figures.lists, time.Since(began), err)
}

// newcomer is a customer who signs up: a tenant, an endpoint, its first event. It knows nobody and nobody knows it, so it comes over
// new connections.
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

// isReady is how a server answers a probe that can take work.
const isReady = "200"

// probe asks a server whether it is ready, as a load balancer does.
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
