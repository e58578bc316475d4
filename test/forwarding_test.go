package test

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// relay stands between nodes: what they send to one of them goes through it.
type relay struct {
	t        *testing.T
	target   string
	listener net.Listener

	mu    sync.Mutex
	state relayState
	conns map[net.Conn]bool
	lost  map[net.Conn]bool // what they send goes nowhere
}

type relayState int

const (
	passing  relayState = iota
	refusing            // connections are closed
	silent              // connections stay open, and what is sent goes nowhere
)

// startRelay starts a relay to an address that is free now.
func startRelay(t *testing.T) *relay {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, target: free.Addr().String(), conns: make(map[net.Conn]bool), lost: make(map[net.Conn]bool)}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := r.listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = r.listener.Close()
		r.set(refusing)
		running.Wait()
	})
	return r
}

// set changes what happens to connections, those that are open included.
func (r *relay) set(state relayState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = state
	for conn := range r.conns {
		r.treat(conn)
	}
}

// treat does to a connection what the state demands.
func (r *relay) treat(conn net.Conn) {
	switch r.state {
	case refusing:
		_ = conn.Close()
	case silent:
		r.lost[conn] = true // for ever, because a part of it is missing
	}
}

// track keeps a connection until its return value is called.
func (r *relay) track(conn net.Conn) (forget func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = true
	r.treat(conn)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		_ = conn.Close()
		delete(r.conns, conn)
		delete(r.lost, conn)
	}
}

func (r *relay) serve(conn net.Conn) {
	defer r.track(conn)()
	onward, err := net.Dial("tcp", r.target)
	if err != nil {
		return // the node is not running
	}
	defer r.track(onward)()
	var back sync.WaitGroup
	back.Go(func() { r.pass(conn, onward) })
	r.pass(onward, conn)
	back.Wait()
}

// pass copies until one side ends, and then ends the other.
func (r *relay) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		r.mu.Lock()
		lost := r.lost[from]
		r.mu.Unlock()
		if lost {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// forwardCounts matches the counters of forwarded deliveries, and of those that were not forwarded.
var (
	forwardedCount    = regexp.MustCompile(`(?m)^bellwire_forwarded_deliveries_total (\d+)$`)
	notForwardedCount = regexp.MustCompile(`(?m)^bellwire_not_forwarded_deliveries_total{.*} (\d+)$`)
)

// total returns the sum of a metric over servers.
func total(metric *regexp.Regexp, servers ...*server) (sum int) {
	for _, s := range servers {
		_, page := s.get("/metrics")
		for _, found := range metric.FindAllStringSubmatch(page, -1) {
			n, _ := strconv.Atoi(found[1])
			sum += n
		}
	}
	return sum
}

// Nodes under load cannot reach each other, though all of them reach the database: connections are refused, or nothing arrives on
// them. Every event comes, once and in order, through the database meanwhile, and is forwarded again afterwards.
func TestNodesDoNotReachEachOther(t *testing.T) {
	t.Parallel()
	relays := make(map[string]*relay)
	c := startCluster(t, 3, 0.2, func(c *cluster) {
		c.listen = func(name string) []string {
			relays[name] = startRelay(t)
			return []string{"--node-listen", relays[name].target, "--node-address", relays[name].listener.Addr().String()}
		}
	})
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	forwarded := 0
	again := func() bool { return total(forwardedCount, c.nodes...) > forwarded }
	eventually(t, "deliveries are forwarded", again)
	for _, cut := range []struct {
		state relayState
		nodes []string
	}{
		{silent, []string{"node1"}}, {refusing, []string{"node0", "node1", "node2"}},
	} {
		for _, name := range cut.nodes {
			relays[name].set(cut.state)
		}
		missed := total(notForwardedCount, c.nodes...)
		eventually(t, "deliveries go through the database", func() bool { return total(notForwardedCount, c.nodes...) > missed })
		c.flows()
		for _, r := range relays {
			r.set(passing)
		}
		forwarded = total(forwardedCount, c.nodes...)
		eventually(t, "deliveries are forwarded again", again)
	}
	c.finish()
}

// Nodes are restarted one after the other under load, and one of them takes no forwarded deliveries: nothing is sent again.
func TestRollingRestartWithoutNodeListen(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3, 0, func(c *cluster) {
		listens := c.listen
		c.listen = func(name string) []string {
			if name == "node1" {
				return nil
			}
			return listens(name)
		}
	})
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	for place, s := range c.nodes {
		c.flows()
		c.skip(place)
		s.terminate()
		c.replace(place, c.start(fmt.Sprintf("node%d", place)))
		c.skip(-1)
		eventually(t, "the shards are spread again", c.spread)
	}
	c.flows()
	c.finish()
}

// What an event costs the database is the same on one node and on three, whichever is asked: transactions that write its rows,
// and their part of the write-ahead log. Leases, statistics, vacuum and images of whole pages go by time and are not counted.
func TestCostOfAnEventOnSeveralNodes(t *testing.T) {
	t.Parallel()
	const events, endpoints = 40, 12
	database, option := startPostgres(t)
	conn, err := pgx.Connect(t.Context(), database.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	count := func(sql string) (n int64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	dir := t.TempDir()
	start := func(name string) *server {
		return startServer(t, dir, append([]string{option, "--node", name, "--node-listen", "127.0.0.1:0"}, local...)...)
	}
	all := []*server{start("a")}
	r := startReceiver(t, 0)
	all[0].call("POST", "/tenants", `{"id": "acme"}`, nil)
	for i := range endpoints {
		all[0].addType(fmt.Sprintf("type%d", i))
		all[0].call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["type%d"]}`, r.url, i), nil)
	}
	// publish publishes events one after the other, so that each is stored and recorded by itself.
	publish := func(n int) {
		t.Helper()
		for i := range n {
			done := count("SELECT count(*) FROM bellwire.attempts")
			if _, err := all[i%len(all)].publish(fmt.Sprintf("type%d", (i/len(all))%endpoints), []byte(`{"n": 1}`)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the delivery is recorded", func() bool { return count("SELECT count(*) FROM bellwire.attempts") > done })
		}
	}
	if _, err := conn.Exec(t.Context(), "CREATE EXTENSION pg_walinspect"); err != nil {
		t.Fatal(err)
	}
	measure := func() (transactions, log int64) {
		t.Helper()
		var from string
		if err := conn.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&from); err != nil {
			t.Fatal(err)
		}
		publish(events)
		if err := conn.QueryRow(t.Context(), sqlLogOfEvents, from).Scan(&transactions, &log); err != nil {
			t.Fatal(err)
		}
		return transactions, log
	}
	publish(endpoints)
	oneTransactions, oneLog := measure()

	all = append(all, start("b"), start("c"))
	eventually(t, "all nodes have their share", func() bool { return len(database.held(t)) == len(all) })
	eventually(t, "all nodes reach each other", func() bool {
		forwarded, missed := total(forwardedCount, all...), total(notForwardedCount, all...)
		publish(endpoints * len(all))
		return total(forwardedCount, all...)-forwarded >= endpoints && total(notForwardedCount, all...) == missed
	})
	threeTransactions, threeLog := measure()
	t.Logf("an event takes %.2f transactions and %d bytes of log on one node, and %.2f and %d on three",
		float64(oneTransactions)/events, oneLog/events, float64(threeTransactions)/events, threeLog/events)
	if float64(threeTransactions) > 1.1*float64(oneTransactions) || float64(threeLog) > 1.25*float64(oneLog) {
		t.Error("it costs more on three nodes")
	}
}

// sqlLogOfEvents counts the transactions that wrote rows of events after a position in the write-ahead log, and the bytes of their
// records there.
const sqlLogOfEvents = `
WITH written AS (
	SELECT pg_relation_filenode(r.oid)::text AS node
	FROM pg_class r
	LEFT JOIN pg_index i ON i.indexrelid = r.oid
	JOIN pg_class t ON t.oid = coalesce(i.indrelid, r.oid)
	WHERE t.relnamespace = 'bellwire'::regnamespace AND r.relkind IN ('r', 'i')
		AND t.relname ~ '^(events|idempotency_keys|deliveries|attempts)'
)
SELECT count(DISTINCT xid::text), sum(record_length - fpi_length)::bigint
FROM pg_get_wal_records_info_till_end_of_wal($1::pg_lsn)
WHERE xid <> '0' AND substring(block_ref FROM 'rel \d+/\d+/(\d+)') IN (SELECT node FROM written)`
