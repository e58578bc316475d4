package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	clusterStreams  = 8  // of the ledger's; each has an endpoint, and every other one is FIFO
	clusterInFlight = 4  // what an endpoint allows
	clusterBacklog  = 50 // events of a stream that wait at most: one in order is slower than its publisher when many fail
	publishTimeout  = 2 * time.Second
	clusterPace     = 40 * time.Millisecond // between two events of a stream: all streams together keep each node at work
)

// cluster is several nodes on one database, under load that goes to any of them.
type cluster struct {
	t        *testing.T
	database *database
	dir      string
	args     []string
	listen   func(node string) []string // the options with which a node takes forwarded deliveries
	requests *requestLog
	postgres func(*testing.T) (*database, string)
	program  string // of the nodes to be started; empty: the built bellwire
	strict   bool   // every publish that is answered must be accepted
	pace     time.Duration

	mu         sync.Mutex
	nodes      []*server
	still      int         // the place of one that does not answer; -1: all do
	disturbed  []time.Time // when something was done that may have things repeated
	publishers sync.WaitGroup
	stop       chan struct{}
}

// requestLog is the receiver of several nodes. Beyond the ledger, it records when each request arrived.
type requestLog struct {
	*ledger
	delay time.Duration

	mu           sync.Mutex
	acknowledged map[string]time.Time // by event
	repeats      []repeat
	inside, most map[string]int // requests at the same time, by path
}

// repeat is a request for an event that was acknowledged before.
type repeat struct {
	event            string
	acknowledged, at time.Time
}

func (w *requestLog) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // its sender died in the middle: this is no delivery
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	id, path := req.Header.Get("webhook-id"), req.URL.Path
	w.mu.Lock()
	w.inside[path]++
	w.most[path] = max(w.most[path], w.inside[path])
	if before, known := w.acknowledged[id]; known {
		w.repeats = append(w.repeats, repeat{id, before, time.Now()})
	}
	w.mu.Unlock()
	select {
	case <-time.After(w.delay):
	case <-req.Context().Done():
	}
	answer := httptest.NewRecorder()
	w.ledger.ServeHTTP(answer, req)
	w.mu.Lock()
	w.inside[path]--
	if _, known := w.acknowledged[id]; !known && answer.Code < 300 {
		w.acknowledged[id] = time.Now()
	}
	w.mu.Unlock()
	rw.WriteHeader(answer.Code)
}

// serverOfItsOwn gives a cluster a database server that no other test uses.
func serverOfItsOwn(c *cluster) { c.postgres = startPostgres }

// startCluster starts nodes and makes an endpoint for each stream. No stream runs yet.
func startCluster(t *testing.T, nodes int, failRate float64, change ...func(*cluster)) *cluster {
	t.Helper()
	c := &cluster{
		t: t, dir: t.TempDir(), args: local, stop: make(chan struct{}), still: -1, postgres: newDatabase, pace: clusterPace,
		listen: func(string) []string { return []string{"--node-listen", "127.0.0.1:0"} },
		requests: &requestLog{
			ledger: newLedger(t, clusterStreams, failRate), delay: 3 * time.Millisecond,
			acknowledged: make(map[string]time.Time), inside: make(map[string]int), most: make(map[string]int),
		},
	}
	for _, f := range change {
		f(c)
	}
	var option string
	c.database, option = c.postgres(t)
	c.args = append([]string{option}, c.args...)
	receiver := httptest.NewServer(c.requests)
	t.Cleanup(receiver.Close)
	for i := range nodes {
		c.nodes = append(c.nodes, c.start(fmt.Sprintf("node%d", i)))
	}
	s := c.nodes[0]
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	for i := range clusterStreams {
		ordering := [...]string{"fifo", "none"}[i%2]
		s.addType(fmt.Sprintf("stream.%d", i))
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(
			`{"url": "%s/%d", "events": ["stream.%d"], "ordering": %q, "max_in_flight": %d, "retry": {"initial": "20ms", "factor": 1.1, "max_interval": "1s", "max_elapsed": "1h"}}`,
			receiver.URL, i, i, ordering, clusterInFlight), nil)
	}
	eventually(t, "all nodes have their share", func() bool { return c.spread() })
	return c
}

// start starts a node under a name.
func (c *cluster) start(name string) *server {
	c.t.Helper()
	cmd := serve(c.dir, slices.Concat([]string{"--node", name}, c.listen(name), c.args)...)
	if c.program != "" {
		cmd.Path = c.program
	}
	return launch(c.t, cmd)
}

// spread reports whether the shards are spread evenly over all nodes.
func (c *cluster) spread() bool {
	held := c.database.held(c.t)
	total, least, most := 0, 256, 0
	for _, n := range held {
		total, least, most = total+n, min(least, n), max(most, n)
	}
	return len(held) == len(c.nodes) && total == 256 && most-least <= 1
}

// any returns a node that answers.
func (c *cluster) any() *server {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if place := c.requests.random.IntN(len(c.nodes)); place != c.still {
			return c.nodes[place]
		}
	}
}

// skip has publishers skip one node, or none if place is -1.
func (c *cluster) skip(place int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.still = place
}

// replace makes the publishers use another process.
func (c *cluster) replace(place int, s *server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[place] = s
}

// disturbs records that attempts that are in flight now may be repeated.
func (c *cluster) disturbs() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disturbed = append(c.disturbed, time.Now())
}

// run publishes a stream until stop, or up to a number of events, each time on another node and with the same id until it
// is acknowledged.
func (c *cluster) run(stream, limit int) {
	c.publishers.Go(func() {
		for n := 0; n < limit; n++ {
			body := fmt.Appendf(nil, `{"type": "stream.%d", "id": "%d-%d", "data": {"n": %d}}`, stream, stream, n, n)
			for !c.accepted(c.any(), body) {
				if !c.pause() {
					return // nobody knows of this one, which may or may not come
				}
			}
			for c.behind(stream, n+1) > clusterBacklog {
				if !c.pause() {
					return
				}
			}
			if !c.pause() {
				return
			}
		}
	})
}

// behind records that this many events of a stream are acknowledged, and returns how many of them have not arrived yet.
func (c *cluster) behind(stream, acked int) int {
	l := c.requests.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[stream] = acked
	return acked - len(l.done[stream])
}

// pause lets the nodes have some of the machine, and reports whether to continue.
func (c *cluster) pause() bool {
	select {
	case <-c.stop:
		return false
	case <-time.After(c.pace):
		return true
	}
}

// accepted publishes, and gives up on a node as soon as a publisher that knows other nodes would.
func (c *cluster) accepted(s *server, body []byte) bool {
	ctx, cancel := context.WithTimeout(c.t.Context(), publishTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/tenants/acme/events", bytes.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return false
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	resp, err := apiClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false
	}
	switch {
	case resp.StatusCode != http.StatusAccepted && c.strict:
		c.t.Errorf("a publish was refused with %d", resp.StatusCode)
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "":
		c.t.Error("503 came without Retry-After")
	case resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusServiceUnavailable:
		c.t.Errorf("a publish was answered %d", resp.StatusCode)
	}
	return resp.StatusCode == http.StatusAccepted
}

// flows waits until each stream has received an event that was published after the call, and returns how long that took.
func (c *cluster) flows() time.Duration {
	c.t.Helper()
	start := time.Now()
	l := c.requests.ledger
	l.mu.Lock()
	acked := slices.Clone(l.acked)
	l.mu.Unlock()
	eventually(c.t, "every stream goes on", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for stream := range clusterStreams {
			if !l.done[stream][acked[stream]+1] {
				return false
			}
		}
		return true
	})
	return time.Since(start)
}

// finish stops the publishers, waits for events that have not arrived, stops the nodes, and checks the ledger.
func (c *cluster) finish() {
	t := c.t
	t.Helper()
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.publishers.Wait()
	if missing := c.requests.await(2 * patience); missing > 0 {
		t.Fatalf("%d acknowledged events never came; the shards are held by %v", missing, c.database.held(c.t))
	}
	for _, s := range c.nodes {
		s.terminate()
	}
	c.requests.check(t)
	c.explain()
}

// explain checks that each repeated attempt has a reason: it was in flight, or its result was being recorded, when a node
// ended.
func (c *cluster) explain() {
	const window = 2 * time.Second
	unexplained := 0
	for _, r := range c.requests.repeats {
		explained := false
		for _, at := range c.disturbed {
			explained = explained || r.acknowledged.After(at.Add(-window)) && r.acknowledged.Before(at.Add(window))
		}
		if !explained {
			unexplained++
		}
	}
	if unexplained > 0 {
		c.t.Errorf("%d of %d repeats were not under way when a node ended", unexplained, len(c.requests.repeats))
	}
	for stream := range clusterStreams {
		path := "/" + strconv.Itoa(stream)
		allowed := [...]int{1, clusterInFlight}[stream%2]
		if most := c.requests.most[path]; most > allowed {
			c.t.Errorf("stream %d had %d requests at the same time, and allows %d", stream, most, allowed)
		}
	}
	c.t.Logf("%d repeats, each under way at one of %d disturbances", len(c.requests.repeats), len(c.disturbed))
}

// killNode kills a node, and starts another in its place under a name.
func (c *cluster) killNode(place int, name string) {
	c.disturbs()
	c.nodes[place].kill()
	c.replace(place, c.start(name))
}

// Three nodes under load, one of which is killed at any moment, and started again with its own name or another: nothing
// acknowledged is lost, and work goes on, within seconds on an idle machine.
func TestNodesDie(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3, 0.2)
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	var longest [2]time.Duration
	for round := range max(rounds(t)/2, 2) {
		c.requests.moment(0, 800*time.Millisecond)
		place, name := c.requests.random.IntN(3), fmt.Sprintf("later%d", round)
		if round%2 == 0 {
			name = ""
			for flag, arg := range c.nodes[place].cmd.Args {
				if arg == "--node" {
					name = c.nodes[place].cmd.Args[flag+1]
				}
			}
		}
		c.killNode(place, name)
		longest[round%2] = max(longest[round%2], c.flows())
		eventually(t, "the shards are spread again", c.spread)
	}
	t.Logf("every stream went on within %v of a restart under the same name, and within %v of one under another",
		longest[0].Round(time.Millisecond), longest[1].Round(time.Millisecond))
	c.finish()
}

// A node that is frozen under load for longer than its lease sends nothing of the shards that others have taken over when
// it continues, and its late results change nothing.
func TestNodeStandsStill(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3, 0)
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	c.flows()
	for range max(rounds(t)/4, 1) {
		c.requests.moment(0, 500*time.Millisecond)
		place := c.requests.random.IntN(3)
		name := fmt.Sprintf("node%d", place)
		c.disturbs()
		c.nodes[place].signal(syscall.SIGSTOP)
		c.skip(place)
		eventually(t, "others have taken over", func() bool { return c.database.held(c.t)[name] == 0 })
		took := c.flows()
		goesOn := time.Now()
		c.nodes[place].signal(syscall.SIGCONT)
		c.skip(-1)
		eventually(t, "it takes part again", c.spread)
		c.flows()
		late := 0
		c.requests.mu.Lock()
		for _, r := range c.requests.repeats {
			if r.at.After(goesOn) && r.acknowledged.Before(goesOn) {
				late++
			}
		}
		c.requests.mu.Unlock()
		if late > 0 {
			t.Errorf("it sent %d deliveries that others had made", late)
		}
		t.Logf("every stream went on %v after the take-over", took.Round(time.Millisecond))
	}
	c.finish()
}

// PostgreSQL is killed under the load of several nodes, or cuts all their connections: publishes are answered 503, nothing
// is lost, no node is declared dead, and work continues by itself, within seconds on an idle machine.
func TestNodesLoseTheDatabase(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, 0.2, serverOfItsOwn)
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	c.flows()
	var longest [2]time.Duration
	for round := range max(rounds(t)/2, 2) {
		c.requests.moment(0, 500*time.Millisecond)
		before := c.epochs()
		if round%2 == 0 {
			if err := c.database.Crash(); err != nil {
				t.Fatal(err)
			}
			c.disturbs()
			eventually(t, "publishers are told to try again later", func() bool { return c.refuses() })
			if err := c.database.Restart(); err != nil {
				t.Fatal(err)
			}
		} else if err := c.database.Exec(t.Context(),
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'bellwire'"); err != nil {
			t.Fatal(err)
		}
		c.disturbs()
		longest[round%2] = max(longest[round%2], c.flows())
		if after := c.epochs(); after != before {
			t.Errorf("shards changed their owner: epochs add up to %d after %d", after, before)
		}
	}
	t.Logf("every stream went on within %v of the database's return, and within %v of its cutting all connections",
		longest[0].Round(time.Millisecond), longest[1].Round(time.Millisecond))
	c.finish()
}

// epochs returns a number that grows with each change of an owner.
func (c *cluster) epochs() (sum int) {
	c.t.Helper()
	if err := c.database.pool.QueryRow(c.t.Context(), "SELECT sum(epoch)::int FROM bellwire.shards").Scan(&sum); err != nil {
		c.t.Fatal(err)
	}
	return sum
}

// refuses reports whether a publish is answered 503.
func (c *cluster) refuses() bool {
	status, _, err := c.any().do("POST", "/tenants/acme/events", []byte(`{"type": "stream.0", "data": {"n": -1}}`))
	return err == nil && status == http.StatusServiceUnavailable
}

// orderedEvents is how many events TestOrderAcrossNodes publishes.
func orderedEvents(t *testing.T) int { return fromEnvironment(t, "BELLWIRE_ORDERED_EVENTS", 300) }

// Ordered events are published through both of two nodes, either of which is killed in between: the order of first
// receipts is that of publishing, always.
func TestOrderAcrossNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, 0.05, func(c *cluster) { c.pace /= 2 })
	events := orderedEvents(t)
	c.run(0, events)
	published := func() int {
		l := c.requests.ledger
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.acked[0]
	}
	const kills = 4
	for kill := 1; kill <= kills; kill++ {
		deadline := time.Now().Add(4 * patience)
		for published() < kill*events/(kills+1) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d events are published", published(), events)
			}
			time.Sleep(10 * time.Millisecond) // between two looks
		}
		place := kill % 2
		c.killNode(place, fmt.Sprintf("node%d", place))
	}
	c.publishers.Wait()
	c.finish()
	if n := published(); n != events {
		t.Errorf("%d events were published", n)
	}
}

// Of two processes with the same name the later one has the shards, and the other says so and keeps out of the way.
func TestNodesOfOneName(t *testing.T) {
	t.Parallel()
	_, option := newDatabase(t)
	dir := t.TempDir()
	args := append([]string{option, "--node", "same"}, local...)
	first, second := startServer(t, dir, args...), startServer(t, dir, args...)
	r := startReceiver(t, 0)
	first.subscribe(r.url)
	first.addType("load")
	eventually(t, "the first one says what is wrong", func() bool {
		return bytes.Contains([]byte(first.logged()), []byte("--node"))
	})
	var ids []string
	for _, s := range []*server{first, second} {
		id, err := s.publish("load", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for id, requests := range r.await(t, ids) {
		if len(requests) != 1 {
			t.Errorf("%s came %d times", id, len(requests))
		}
	}
	second.kill()
	id, err := first.publish("load", []byte("2"))
	if err != nil {
		t.Fatal(err)
	}
	r.await(t, []string{id}) // it takes over what the other one had
	first.terminate()
}

// A node drains while a receiver is slow: attempts in flight end and are not repeated, and the other node sends everything
// else at once.
func TestNodeHandsOver(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	dir := t.TempDir()
	here := startServer(t, dir, append([]string{option, "--node", "here"}, local...)...)
	slow, quick := startReceiver(t, 15*time.Second), startReceiver(t, 0) // longer than a lease
	here.call("POST", "/tenants", `{"id": "acme"}`, nil)
	here.addType("load")
	for _, url := range []string{slow.url, quick.url, quick.url, quick.url, quick.url} {
		here.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"]}`, url), nil)
	}
	first, err := here.publish("load", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	slow.await(t, []string{first})
	there := startServer(t, dir, append([]string{option, "--node", "there"}, local...)...)
	here.signal(syscall.SIGTERM)
	start := time.Now()
	eventually(t, "all shards but one are handed over", func() bool { return database.held(t)["there"] == 255 }) // the request is under way
	handed := time.Since(start)
	second, err := there.publish("load", []byte("2"))
	if err != nil {
		t.Fatal(err)
	}
	quick.await(t, []string{second})
	if err := here.wait(); err != nil {
		t.Errorf("the drained node ended with %v", err)
	}
	for id, requests := range slow.await(t, []string{first, second}) {
		if len(requests) != 1 {
			t.Errorf("%s came %d times", id, len(requests))
		}
	}
	t.Logf("the shards were handed over within %v", handed.Round(time.Millisecond))
	there.kill() // it has a request to the slow one under way
}
