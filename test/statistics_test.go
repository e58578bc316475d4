package test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// Servers are killed while they store and while they move what they have stored into the statistics. In the end these equal what
// is stored, event by event and attempt by attempt.
func TestStatisticsSurviveKills(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killWhileCounting(t, func() *server { return startServer(t, dir, local...) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		_, option := newDatabase(t)
		dir := t.TempDir()
		start := func() *server { return startServer(t, dir, append([]string{option}, local...)...) }
		other := start() // it moves statistics too
		killWhileCounting(t, start)
		other.terminate()
	})
}

func killWhileCounting(t *testing.T, start func() *server) {
	s := start()
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("load")
	for round := range 3 {
		l := startLoad(s, fmt.Sprint("round", round), 300)
		l.awaitEnough(t)
		s.kill()
		l.finished.Wait()
		for range 3 { // each server begins at once to move what the ones before it have left
			s = start()
			s.kill()
		}
		s = start()
	}
	var events, attempts int
	eventually(t, "everything is delivered", func() bool {
		var delivered int
		delivered, attempts = s.countDeliveries()
		events = count(s, "events", func(struct{}) {})
		return delivered == events
	})
	s.terminate() // all results are recorded
	s = start()
	_, attempts = s.countDeliveries()
	eventually(t, "the statistics equal what is stored", func() bool {
		var answer struct {
			Data []struct{ Attempts, Published int }
		}
		s.call("GET", "/tenants/acme/statistics?interval=day", "", &answer)
		published, attempted := 0, 0
		for _, row := range answer.Data {
			published, attempted = published+row.Published, attempted+row.Attempts
		}
		if published > events || attempted > attempts {
			t.Fatalf("%d events and %d attempts are counted, %d and %d are stored", published, attempted, events, attempts)
		}
		return published == events && attempted == attempts
	})
	s.terminate()
}

// countDeliveries counts the tenant's deliveries that have succeeded, and the attempts of all.
func (s *server) countDeliveries() (succeeded, attempts int) {
	type delivery struct {
		Status       string
		AttemptCount int `json:"attempt_count"`
	}
	count(s, "deliveries", func(d delivery) {
		attempts += d.AttemptCount
		if d.Status == "succeeded" {
			succeeded++
		}
	})
	return succeeded, attempts
}

// count calls each with all items of a list of the tenant's, and returns their number.
func count[T any](s *server, list string, each func(T)) (total int) {
	s.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Data []T
			Next string `json:"next_cursor"`
		}
		s.call("GET", "/tenants/acme/"+list+"?limit=250&cursor="+url.QueryEscape(cursor), "", &page)
		for _, item := range page.Data {
			each(item)
		}
		total += len(page.Data)
		if cursor = page.Next; cursor == "" {
			return total
		}
	}
}
