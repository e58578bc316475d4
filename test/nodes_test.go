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

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/pgtest"
)

const (
	fleetStreams   = 8  // of the ledger's; each has an endpoint, and every other one is FIFO
	fleetInFlight  = 4  // what an endpoint allows
	fleetBacklog   = 50 // events of a stream that wait at most: one in order is slower than its publisher when many fail
	publishTimeout = 2 * time.Second
)

// fleet is several nodes on one database, under load that goes to any of them.
type fleet struct {
	t        *testing.T
	database *pgtest.Server
	dir      string
	args     []string
	witness  *witness

	mu         sync.Mutex
	nodes      []*server
	still      int         // the place of one that does not answer; -1: all do
	disturbed  []time.Time // when something was done that may have things repeated
	publishers sync.WaitGroup
	stop       chan struct{}
}

// witness is the receiver of several nodes. Beyond the ledger, it records when each request arrived.
type witness struct {
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

func (w *witness) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
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

// startFleet starts nodes and makes an endpoint for each stream. No stream runs yet.
func startFleet(t *testing.T, nodes int, failRate float64) *fleet {
	t.Helper()
	database, option := startPostgres(t)
	f := &fleet{
		t: t, database: database, dir: t.TempDir(), args: append([]string{option}, local...), stop: make(chan struct{}), still: -1,
		witness: &witness{
			ledger: newLedger(t, fleetStreams, failRate), delay: 3 * time.Millisecond,
			acknowledged: make(map[string]time.Time), inside: make(map[string]int), most: make(map[string]int),
		},
	}
	receiver := httptest.NewServer(f.witness)
	t.Cleanup(receiver.Close)
	for i := range nodes {
		f.nodes = append(f.nodes, f.start(fmt.Sprintf("node%d", i)))
	}
	s := f.nodes[0]
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	for i := range fleetStreams {
		ordering := [...]string{"fifo", "none"}[i%2]
		s.addType(fmt.Sprintf("stream.%d", i))
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(
			`{"url": "%s/%d", "events": ["stream.%d"], "ordering": %q, "max_in_flight": %d, "retry": {"initial": "20ms", "factor": 1.1, "max_interval": "1s", "max_elapsed": "1h"}}`,
			receiver.URL, i, i, ordering, fleetInFlight), nil)
	}
	eventually(t, "all nodes have their share", func() bool { return f.spread() })
	return f
}

// start starts a node under a name.
func (f *fleet) start(name string) *server {
	f.t.Helper()
	return startServer(f.t, f.dir, append([]string{"--node", name, "--node-listen", "127.0.0.1:0"}, f.args...)...)
}

// held returns how many shards each node holds.
func (f *fleet) held() map[string]int {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.database.URL("postgres"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(f.t.Context())
	rows, err := conn.Query(f.t.Context(), "SELECT node, count(*) FROM bellwire.shards WHERE node IS NOT NULL GROUP BY node")
	if err != nil {
		f.t.Fatal(err)
	}
	held := make(map[string]int)
	var (
		name string
		n    int
	)
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { held[name] = n; return nil }); err != nil {
		f.t.Fatal(err)
	}
	return held
}

// spread reports whether the shards are spread evenly over all nodes.
func (f *fleet) spread() bool {
	held := f.held()
	total, least, most := 0, 256, 0
	for _, n := range held {
		total, least, most = total+n, min(least, n), max(most, n)
	}
	return len(held) == len(f.nodes) && total == 256 && most-least <= 1
}

// any returns a node that answers.
func (f *fleet) any() *server {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if place := f.witness.random.IntN(len(f.nodes)); place != f.still {
			return f.nodes[place]
		}
	}
}

// skip has publishers skip one node, or none if place is -1.
func (f *fleet) skip(place int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.still = place
}

// replace makes the publishers use another process.
func (f *fleet) replace(place int, s *server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[place] = s
}

// disturbs records that attempts that are in flight now may be repeated.
func (f *fleet) disturbs() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disturbed = append(f.disturbed, time.Now())
}

// run publishes a stream until stop, or up to a number of events, each time on another node and with the same id until it
// is acknowledged.
func (f *fleet) run(stream, limit int) {
	f.publishers.Go(func() {
		for n := 0; n < limit; n++ {
			body := fmt.Appendf(nil, `{"type": "stream.%d", "id": "%d-%d", "data": {"n": %d}}`, stream, stream, n, n)
			for !f.accepted(f.any(), body) {
				if !f.pause() {
					return // nobody knows of this one, which may or may not come
				}
			}
			for f.behind(stream, n+1) > fleetBacklog {
				if !f.pause() {
					return
				}
			}
			if !f.pause() {
				return
			}
		}
	})
}

// behind records that this many events of a stream are acknowledged, and returns how many of them have not arrived yet.
func (f *fleet) behind(stream, acked int) int {
	l := f.witness.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[stream] = acked
	return acked - len(l.done[stream])
}

// pause lets the nodes have some of the machine, and reports whether to continue.
func (f *fleet) pause() bool {
	select {
	case <-f.stop:
		return false
	case <-time.After(5 * time.Millisecond):
		return true
	}
}

// accepted publishes, and gives up on a node as soon as a publisher that knows other nodes would.
func (f *fleet) accepted(s *server, body []byte) bool {
	ctx, cancel := context.WithTimeout(f.t.Context(), publishTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/tenants/acme/events", bytes.NewReader(body))
	if err != nil {
		f.t.Error(err)
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
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "":
		f.t.Error("503 came without Retry-After")
	case resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusServiceUnavailable:
		f.t.Errorf("a publish was answered %d", resp.StatusCode)
	}
	return resp.StatusCode == http.StatusAccepted
}

// flows waits until each stream has received an event that was published after the call, and returns how long that took.
func (f *fleet) flows() time.Duration {
	f.t.Helper()
	start := time.Now()
	l := f.witness.ledger
	l.mu.Lock()
	acked := slices.Clone(l.acked)
	l.mu.Unlock()
	eventually(f.t, "every stream goes on", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for stream := range fleetStreams {
			if !l.done[stream][acked[stream]+1] {
				return false
			}
		}
		return true
	})
	return time.Since(start)
}

// finish stops the publishers, waits for events that have not arrived, stops the nodes, and checks the ledger.
func (f *fleet) finish() {
	t := f.t
	t.Helper()
	select {
	case <-f.stop:
	default:
		close(f.stop)
	}
	f.publishers.Wait()
	if missing := f.witness.await(2 * patience); missing > 0 {
		t.Fatalf("%d acknowledged events never came; the shards are held by %v", missing, f.held())
	}
	for _, s := range f.nodes {
		s.terminate()
	}
	f.witness.judge(t)
	f.explain()
}

// explain checks that each repeated attempt has a reason: it was in flight, or its result was being recorded, when a node
// ended.
func (f *fleet) explain() {
	const window = 2 * time.Second
	unexplained := 0
	for _, r := range f.witness.repeats {
		explained := false
		for _, at := range f.disturbed {
			explained = explained || r.acknowledged.After(at.Add(-window)) && r.acknowledged.Before(at.Add(window))
		}
		if !explained {
			unexplained++
		}
	}
	if unexplained > 0 {
		f.t.Errorf("%d of %d repeats were not under way when a node ended", unexplained, len(f.witness.repeats))
	}
	for stream := range fleetStreams {
		path := "/" + strconv.Itoa(stream)
		allowed := [...]int{1, fleetInFlight}[stream%2]
		if most := f.witness.most[path]; most > allowed {
			f.t.Errorf("stream %d had %d requests at the same time, and allows %d", stream, most, allowed)
		}
	}
	f.t.Logf("%d repeats, each under way at one of %d disturbances", len(f.witness.repeats), len(f.disturbed))
}

// killNode kills a node, and starts another in its place under a name.
func (f *fleet) killNode(place int, name string) {
	f.disturbs()
	f.nodes[place].kill()
	f.replace(place, f.start(name))
}

// Three nodes under load, one of which is killed at any moment, and started again with its own name or another: nothing
// acknowledged is lost, and work goes on within seconds, the lease of a dead one included.
func TestNodesDie(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 3, 0.2)
	for stream := range fleetStreams {
		f.run(stream, 1<<30)
	}
	var longest [2]time.Duration
	for round := range max(rounds(t)/2, 2) {
		f.witness.moment(0, 800*time.Millisecond)
		place, name := f.witness.random.IntN(3), fmt.Sprintf("later%d", round)
		if round%2 == 0 {
			name = ""
			for flag, arg := range f.nodes[place].cmd.Args {
				if arg == "--node" {
					name = f.nodes[place].cmd.Args[flag+1]
				}
			}
		}
		f.killNode(place, name)
		longest[round%2] = max(longest[round%2], f.flows())
		eventually(t, "the shards are spread again", f.spread)
	}
	t.Logf("every stream went on within %v of a restart under the same name, and within %v of one under another",
		longest[0].Round(time.Millisecond), longest[1].Round(time.Millisecond))
	if longest[1] > 20*time.Second {
		t.Errorf("what a dead node owned was taken over after %v", longest[1])
	}
	f.finish()
}

// A node that is frozen under load for longer than its lease sends nothing of the shards that others have taken over when
// it continues, and its late results change nothing.
func TestNodeStandsStill(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 3, 0)
	for stream := range fleetStreams {
		f.run(stream, 1<<30)
	}
	f.flows()
	for range max(rounds(t)/4, 1) {
		f.witness.moment(0, 500*time.Millisecond)
		place := f.witness.random.IntN(3)
		name := fmt.Sprintf("node%d", place)
		f.disturbs()
		f.nodes[place].signal(syscall.SIGSTOP)
		f.skip(place)
		eventually(t, "others have taken over", func() bool { return f.held()[name] == 0 })
		took := f.flows()
		goesOn := time.Now()
		f.nodes[place].signal(syscall.SIGCONT)
		f.skip(-1)
		eventually(t, "it takes part again", f.spread)
		f.flows()
		late := 0
		f.witness.mu.Lock()
		for _, r := range f.witness.repeats {
			if r.at.After(goesOn) && r.acknowledged.Before(goesOn) {
				late++
			}
		}
		f.witness.mu.Unlock()
		if late > 0 {
			t.Errorf("it sent %d deliveries that others had made", late)
		}
		t.Logf("every stream went on %v after the take-over", took.Round(time.Millisecond))
	}
	f.finish()
}

// PostgreSQL is killed under the load of several nodes, or cuts all their connections: publishes are answered 503, nothing
// is lost, no node is declared dead, and work continues by itself within seconds.
func TestNodesLoseTheDatabase(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 2, 0.2)
	for stream := range fleetStreams {
		f.run(stream, 1<<30)
	}
	f.flows()
	var longest [2]time.Duration
	for round := range max(rounds(t)/2, 2) {
		f.witness.moment(0, 500*time.Millisecond)
		before := f.epochs()
		if round%2 == 0 {
			if err := f.database.Crash(); err != nil {
				t.Fatal(err)
			}
			f.disturbs()
			eventually(t, "publishers are told to try again later", func() bool { return f.refuses() })
			if err := f.database.Restart(); err != nil {
				t.Fatal(err)
			}
		} else if err := f.database.Exec(t.Context(),
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'bellwire'"); err != nil {
			t.Fatal(err)
		}
		f.disturbs()
		longest[round%2] = max(longest[round%2], f.flows())
		if after := f.epochs(); after != before {
			t.Errorf("shards changed their owner: epochs add up to %d after %d", after, before)
		}
	}
	t.Logf("every stream went on within %v of the database's return, and within %v of its cutting all connections",
		longest[0].Round(time.Millisecond), longest[1].Round(time.Millisecond))
	if longest[0] > 15*time.Second || longest[1] > 15*time.Second {
		t.Error("that is too long")
	}
	f.finish()
}

// epochs returns a number that grows with each change of an owner.
func (f *fleet) epochs() (sum int) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.database.URL("postgres"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(f.t.Context())
	if err := conn.QueryRow(f.t.Context(), "SELECT sum(epoch)::int FROM bellwire.shards").Scan(&sum); err != nil {
		f.t.Fatal(err)
	}
	return sum
}

// refuses reports whether a publish is answered 503.
func (f *fleet) refuses() bool {
	status, _, err := f.any().do("POST", "/tenants/acme/events", []byte(`{"type": "stream.0", "data": {"n": -1}}`))
	return err == nil && status == http.StatusServiceUnavailable
}

// orderedEvents is how many events TestOrderAcrossNodes publishes.
func orderedEvents(t *testing.T) int { return fromEnvironment(t, "BELLWIRE_ORDERED_EVENTS", 600) }

// Ordered events are published through both of two nodes, either of which is killed in between: the order of first
// receipts is that of publishing, always.
func TestOrderAcrossNodes(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 2, 0.05)
	events := orderedEvents(t)
	f.run(0, events)
	published := func() int {
		l := f.witness.ledger
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
			time.Sleep(time.Millisecond) // between two looks
		}
		place := kill % 2
		f.killNode(place, fmt.Sprintf("node%d", place))
	}
	f.publishers.Wait()
	f.finish()
	if n := published(); n != events {
		t.Errorf("%d events were published", n)
	}
}

// Of two processes with the same name the later one has the shards, and the other says so and keeps out of the way.
func TestNodesOfOneName(t *testing.T) {
	t.Parallel()
	_, option := startPostgres(t)
	dir := t.TempDir()
	args := append([]string{option, "--node", "twin"}, local...)
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
	database, option := startPostgres(t)
	dir := t.TempDir()
	here := startServer(t, dir, append([]string{option, "--node", "here"}, local...)...)
	slow, quick := startReceiver(t, 9*time.Second), startReceiver(t, 0) // longer than a lease
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
	f := &fleet{t: t, database: database}
	start := time.Now()
	eventually(t, "all shards but one are handed over", func() bool { return f.held()["there"] == 255 })
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
	if handed > 5*time.Second {
		t.Error("that is too long")
	}
	there.kill() // it has a request to the slow one under way
}
