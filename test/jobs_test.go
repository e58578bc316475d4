package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

const replayed = 1000 // events that an endpoint misses

// outage is a receiver that is down until it is repaired.
type outage struct {
	mu       sync.Mutex
	down     bool
	received map[string]int // by event, since it was repaired
}

func (o *outage) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	o.received[req.Header.Get("webhook-id")]++
}

func (o *outage) repair() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = false
}

// startOutage starts such a receiver.
func startOutage(t *testing.T) (o *outage, url string) {
	t.Helper()
	o = &outage{down: true, received: make(map[string]int)}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	return o, server.URL
}

// jobAnswer is a job, or the answer to a dry run.
type jobAnswer struct {
	ID, State, Error     string
	Total, Done, Skipped int
}

// replayUnder replays what an endpoint missed, and disturbs the server in the middle of it again and again. Each event gets one
// delivery more, with the id that it had, and arrives; the other endpoint gets nothing.
func replayUnder(t *testing.T, disturb disturbance, args ...string) {
	t.Helper()
	testenv.Long(t)
	dir := t.TempDir()
	args = append(args, local...)
	start := func() *server { return startServer(t, dir, args...) }
	s := start()
	broken, brokenURL := startOutage(t)
	other := startReceiver(t, 0)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("ping")
	var ep endpoint
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"], "retry": {"schedule": []}}`, brokenURL), &ep)
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"]}`, other.url), nil)
	ids := publishMany(s, replayed)
	count := func(path, body string) int {
		t.Helper()
		var answer jobAnswer
		s.call("POST", "/tenants/acme"+path, body, &answer)
		return answer.Total
	}
	const since = `"since": "2020-01-01T00:00:00Z"`
	failed := fmt.Sprintf(`{"endpoint": %q, %s, "dry_run": true}`, ep.ID, since)
	eventually(t, "all deliveries have failed", func() bool { return count("/replays", failed) == replayed })
	other.await(t, ids)
	broken.repair()

	var job jobAnswer
	s.call("POST", "/tenants/acme/replays", fmt.Sprintf(`{"endpoint": %q, %s, "rate": 500}`, ep.ID, since), &job)
	if job.Total != replayed {
		t.Fatalf("the job is about %d events", job.Total)
	}
	path := "/tenants/acme/jobs/" + job.ID
	read := func() jobAnswer {
		t.Helper()
		s.call("GET", path, "", &job)
		return job
	}
	for range rounds(t) {
		before := read().Done
		eventually(t, "the job makes progress", func() bool { return read().Done >= before+100 || job.State == "done" })
		s = disturb(s, start)
	}
	eventually(t, "the job is done", func() bool { return read().State == "done" })
	if job.Done != replayed || job.Skipped != 0 || job.Total != replayed {
		t.Errorf("the job has done %d and skipped %d of %d", job.Done, job.Skipped, job.Total)
	}
	eventually(t, "all events have arrived", func() bool {
		broken.mu.Lock()
		defer broken.mu.Unlock()
		return len(broken.received) == replayed
	})
	eventually(t, "each event counts as delivered", func() bool { return count("/replays", failed) == 0 })
	if n := countDeliveries(s, ep.ID); n != 2*replayed {
		t.Errorf("the endpoint has %d deliveries of %d events", n, replayed)
	}
	for id, requests := range other.snapshot() {
		if len(requests) != 1 {
			t.Errorf("the other endpoint got %s %d times", id, len(requests))
		}
	}
	s.terminate()
}

// publishMany publishes pings in batches, and returns their ids.
func publishMany(s *server, events int) (ids []string) {
	s.t.Helper()
	for len(ids) < events {
		batch := make([]string, min(500, events-len(ids)))
		for i := range batch {
			batch[i] = fmt.Sprintf(`{"type": "ping", "data": %d}`, len(ids)+i)
		}
		var taken struct{ Data []struct{ ID string } }
		s.call("POST", "/tenants/acme/events/batch", `{"events": [`+strings.Join(batch, ",")+`]}`, &taken)
		for _, e := range taken.Data {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// countDeliveries counts the deliveries of an endpoint, page by page.
func countDeliveries(s *server, endpoint string) (n int) {
	s.t.Helper()
	path := "/tenants/acme/deliveries?limit=250&endpoint=" + endpoint
	for cursor := ""; ; {
		var page struct {
			Data       []struct{ ID string }
			NextCursor *string `json:"next_cursor"`
		}
		s.call("GET", path+cursor, "", &page)
		n += len(page.Data)
		if page.NextCursor == nil {
			return n
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

// Kills in the middle of a replay skip no event and repeat none.
func TestReplaySurvivesKills(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	replayUnder(t, killed)
}

// The same when nodes die, and others go on with their jobs.
func TestReplaySurvivesNodes(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	disturb, end := killedBesideStandby(t, database)
	replayUnder(t, disturb, option)
	end()
}

// Enabling an endpoint again replays to it, and to nobody else, what failed and what was published while it was disabled, in one
// call.
func TestEnablingReplaysWhatWasMissed(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), local...)
	broken, brokenURL := startOutage(t)
	other := startReceiver(t, 0)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("ping")
	var ep struct {
		ID, Status string
		Replay     *jobAnswer
		Health     struct{ State string }
	}
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"], "retry": {"schedule": []}}`, brokenURL), &ep)
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"]}`, other.url), nil)
	path := "/tenants/acme/endpoints/" + ep.ID
	ids := publishMany(s, 20)
	eventually(t, "the endpoint fails", func() bool { s.call("GET", path, "", &ep); return ep.Health.State == "failing" })
	s.call("PATCH", path, `{"status": "disabled"}`, nil)
	ids = append(ids, publishMany(s, 20)...)
	other.await(t, ids)
	broken.repair()

	s.call("PATCH", path, `{"status": "enabled", "replay": "missed"}`, &ep)
	if ep.Status != "enabled" || ep.Replay == nil || ep.Replay.Total != len(ids) {
		t.Fatalf("the answer is %+v", ep)
	}
	var job jobAnswer
	eventually(t, "the job is done", func() bool {
		s.call("GET", "/tenants/acme/jobs/"+ep.Replay.ID, "", &job)
		return job.State == "done"
	})
	eventually(t, "all events have arrived", func() bool {
		broken.mu.Lock()
		defer broken.mu.Unlock()
		return len(broken.received) == len(ids)
	})
	for _, id := range ids {
		if broken.received[id] != 1 {
			t.Errorf("%s arrived %d times", id, broken.received[id])
		}
	}
	for id, requests := range other.snapshot() {
		if len(requests) != 1 {
			t.Errorf("the other endpoint got %s %d times", id, len(requests))
		}
	}
	s.terminate()
}
