package test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

const (
	soakPause     = time.Minute // between two faults, in a long run
	soakRetention = "1m"
	soakSamples   = 12 // from which on a run is long enough to tell whether something grows
)

// soak is nodes under steady load, to which something happens again and again. The first node is never started anew, so that whatever
// it does not give back adds up.
type soak struct {
	*cluster
	round   int
	turn    int // how often each fault has come
	samples []soakSample
}

// soakSample is what the first node and the database use, and how long an event took.
type soakSample struct {
	memory, files, goroutines, database, latency float64
}

// TestSoak runs nodes for as long as BELLWIRE_SOAK says, such as 4h, with a fault every minute: make soak. By default each fault comes
// once. Nothing acknowledged may be lost or come out of order, and nothing may grow.
func TestSoak(t *testing.T) {
	t.Parallel()
	duration := soakDuration(t)
	s := &soak{cluster: startCluster(t, 3, 0.1, serverOfItsOwn, func(c *cluster) { c.args = append(c.args, "--retention", soakRetention) })}
	for stream := range clusterStreams {
		s.run(stream, 1<<30)
	}
	began := time.Now()
	for s.round = 0; s.round < len(soakFaults) || time.Since(began) < duration; s.round++ {
		fault := soakFaults[s.round%len(soakFaults)]
		s.turn = s.round / len(soakFaults)
		next := time.Now().Add(min(soakPause, duration))
		fault.happens(s)
		s.flows()
		if duration > 0 {
			time.Sleep(time.Until(next)) // the load goes on meanwhile
		}
		s.sample(fault.name)
	}
	s.finish()
	s.flat()
}

// soakDuration returns how long the test runs. 0: each fault comes once.
func soakDuration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BELLWIRE_SOAK")
	if text == "" {
		return 0
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration <= 0 {
		t.Fatalf("BELLWIRE_SOAK is %q, not a time such as 4h", text)
	}
	return duration
}

// soakFaults are what happens, in turn.
var soakFaults = []struct {
	name    string
	happens func(s *soak)
}{
	{"a node is killed", (*soak).kill},
	{"receivers fail", (*soak).failReceivers},
	{"endpoints, keys and tenants change", (*soak).churn},
	{"a node is restarted", (*soak).restart},
	{"a schema changes", (*soak).changeSchema},
	{"PostgreSQL is restarted", (*soak).restartDatabase},
}

// place returns one of the nodes that may be started anew.
func (s *soak) place() int { return 1 + s.turn%(len(s.nodes)-1) }

func (s *soak) kill() {
	place := s.place()
	s.killNode(place, fmt.Sprintf("node%d", place))
}

func (s *soak) restart() {
	place := s.place()
	s.skip(place)
	s.nodes[place].terminate()
	s.replace(place, s.start(fmt.Sprintf("node%d", place)))
	s.skip(-1)
}

func (s *soak) failReceivers() {
	l := s.requests.ledger
	set := func(rate float64) (failed int, before float64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		before, l.failRate = l.failRate, rate
		return l.failed, before
	}
	failed, usual := set(1)
	eventually(s.t, "every receiver has failed", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.failed >= failed+2*clusterStreams
	})
	set(usual)
}

// churn changes configuration on one node while the others use it.
func (s *soak) churn() {
	n := s.nodes[0]
	tenant := fmt.Sprintf("churn-%d", s.round)
	n.call("POST", "/tenants", fmt.Sprintf(`{"id": %q}`, tenant), nil)
	var endpoint struct{ ID string }
	n.call("POST", "/tenants/"+tenant+"/endpoints", `{"url": "http://127.0.0.1:9/never", "events": ["*"], "status": "paused"}`, &endpoint)
	for i := range 3 {
		n.call("PATCH", "/tenants/"+tenant+"/endpoints/"+endpoint.ID, fmt.Sprintf(`{"description": "change %d", "max_in_flight": %d}`, i, i+1), nil)
	}
	var key struct{ ID string }
	n.call("POST", "/tenants/"+tenant+"/keys", `{"role": "tenant-read"}`, &key)
	n.call("DELETE", "/tenants/"+tenant+"/keys/"+key.ID, "", nil)
	n.call("DELETE", "/tenants/"+tenant, "", nil)
}

func (s *soak) changeSchema() {
	most := 1_000_000_000 + s.round
	for stream := range clusterStreams {
		s.nodes[0].call("PUT", fmt.Sprintf("/event-types/stream.%d", stream),
			fmt.Sprintf(`{"schema": {"type": "object", "properties": {"n": {"type": "integer", "maximum": %d}}, "required": ["n"]}}`, most), nil)
	}
}

func (s *soak) restartDatabase() {
	if err := s.database.Crash(); err != nil {
		s.t.Fatal(err)
	}
	s.disturbs()
	eventually(s.t, "publishers are told to try again later", s.refuses)
	if err := s.database.Restart(); err != nil {
		s.t.Fatal(err)
	}
	s.disturbs()
}

var soakMetrics = map[string]*regexp.Regexp{
	"memory":     regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`),
	"files":      regexp.MustCompile(`(?m)^process_open_fds (\S+)$`),
	"goroutines": regexp.MustCompile(`(?m)^go_goroutines (\S+)$`),
}

// sample looks at the first node and at the database.
func (s *soak) sample(after string) {
	s.t.Helper()
	page := s.metrics()
	value := func(name string) float64 {
		found := soakMetrics[name].FindSubmatch(page)
		if found == nil {
			s.t.Fatalf("/metrics does not have %s", soakMetrics[name])
		}
		n, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	now := soakSample{
		memory: value("memory"), files: value("files"), goroutines: value("goroutines"), database: s.stored(), latency: s.flows().Seconds(),
	}
	s.samples = append(s.samples, now)
	s.t.Logf("round %d, %s: %.0f MiB, %.0f files, %.0f goroutines; %.1f MiB of events; every stream went on within %.2f s",
		s.round, after, now.memory/(1<<20), now.files, now.goroutines, now.database/(1<<20), now.latency)
}

func (s *soak) metrics() []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.nodes[0].url+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := apiClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("/metrics answered %d: %v", resp.StatusCode, err)
	}
	return page
}

// stored returns the bytes of what retention removes. Publishers' ids are kept for a week, and grow.
func (s *soak) stored() (bytes float64) {
	s.t.Helper()
	err := s.database.pool.QueryRow(s.t.Context(), `SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class
		WHERE relnamespace = 'bellwire'::regnamespace AND relkind = 'r' AND relname ~ '^(events|deliveries|attempts)'`).Scan(&bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	return bytes
}

// flat checks that the last third of a long run uses no more than the third before it.
func (s *soak) flat() {
	third := len(s.samples) / 3
	if len(s.samples) < soakSamples {
		return
	}
	median := func(samples []soakSample, of func(soakSample) float64) float64 {
		var all []float64
		for _, sample := range samples {
			all = append(all, of(sample))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	for _, c := range []struct {
		name  string
		of    func(soakSample) float64
		slack float64 // beyond a quarter more
	}{
		{"bytes of memory", func(x soakSample) float64 { return x.memory }, 32 << 20},
		{"open files", func(x soakSample) float64 { return x.files }, 20},
		{"goroutines", func(x soakSample) float64 { return x.goroutines }, 50},
		{"bytes of events", func(x soakSample) float64 { return x.database }, 16 << 20},
		{"seconds until every stream went on", func(x soakSample) float64 { return x.latency }, 2},
	} {
		before, after := median(s.samples[third:2*third], c.of), median(s.samples[len(s.samples)-third:], c.of)
		if after > 1.25*before+c.slack {
			s.t.Errorf("%.4g %s in the last third of the run, and %.4g in the third before it", after, c.name, before)
		}
	}
}
