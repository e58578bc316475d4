package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/receive"
)

// connect opens a connection as the platform has one, whose own tables are in the same database.
func connect(t *testing.T, database *database) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone
	return conn
}

// publishIn publishes inside a transaction, or on a connection by itself.
func publishIn(ctx context.Context, in interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, eventType, data string, id any) (event string, err error) {
	err = in.QueryRow(ctx, "SELECT bellwire.publish('acme', $1, $2, $3)", eventType, data, id).Scan(&event)
	return event, err
}

// startPair starts two nodes that share a database and work.
func startPair(t *testing.T) (here, there *server, database *database) {
	t.Helper()
	database, option := newDatabase(t)
	dir := t.TempDir()
	here = startServer(t, dir, append([]string{option}, local...)...)
	there = startServer(t, dir, append([]string{option}, local...)...)
	eventually(t, "both nodes have their share", func() bool { return len(database.held(t)) == 2 })
	return here, there, database
}

// What a platform publishes inside its own transaction is delivered if and only if that is committed.
func TestTransactionalPublish(t *testing.T) {
	t.Parallel()
	here, there, database := startPair(t)
	receiver := startReceiver(t, 0)
	ep := here.subscribe(receiver.url)
	here.addType("order.paid")
	platform := connect(t, database)
	if _, err := platform.Exec(t.Context(), "CREATE TABLE orders (n int PRIMARY KEY, event text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	order := func(n int, commit bool) (event string, took time.Duration) {
		tx, err := platform.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		event, err = publishIn(t.Context(), tx, "order.paid", fmt.Sprintf(`{"n": %d.0}`, n), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "INSERT INTO orders VALUES ($1, $2)", n, event); err != nil {
			t.Fatal(err)
		}
		if !commit {
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			return event, 0
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		committed := time.Now()
		// It is there at once, on each node.
		for _, node := range []*server{here, there} {
			node.call("GET", "/tenants/acme/events/"+event, "", nil)
		}
		receiver.await(t, []string{event})
		return event, time.Since(committed)
	}
	verifier, err := receive.Standard(ep.Secret)
	if err != nil {
		t.Fatal(err)
	}
	var all []time.Duration
	for n := range 40 {
		event, took := order(n, n%2 == 0)
		if n%2 == 1 {
			if status, _, err := here.do("GET", "/tenants/acme/events/"+event, nil); err != nil || status != http.StatusNotFound {
				t.Errorf("an event that was rolled back is answered %d: %v", status, err)
			}
			continue
		}
		all = append(all, took)
		first := receiver.snapshot()[event][0]
		delivery, err := verifier.Verify(first.header, first.body)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"n": %d.0}`, n); string(delivery.Data) != want || delivery.ID != event {
			t.Errorf("%s came as %s of %s", want, delivery.Data, delivery.ID)
		}
	}
	var orders int
	if err := platform.QueryRow(t.Context(), "SELECT count(*) FROM orders").Scan(&orders); err != nil || orders != len(receiver.snapshot()) {
		t.Errorf("%d orders were committed and %d came: %v", orders, len(receiver.snapshot()), err)
	}
	slices.Sort(all)
	t.Logf("from commit to receipt, with a look at both nodes in between: median %v, worst %v", all[len(all)/2], all[len(all)-1])
	if median := all[len(all)/2]; median > time.Second {
		t.Errorf("half of them took over %v from commit to receipt", median)
	}
}

// A publish over HTTP and one inside a transaction share their ids: an id used by one is a duplicate or a conflict for the
// other, and both refuse the same input with the same words.
func TestTransactionalPublishIsAsOverHTTP(t *testing.T) {
	t.Parallel()
	_, option := newDatabase(t)
	dir := t.TempDir()
	s := startServer(t, dir, option, "--max-event-bytes=100")
	database := optionURL(option)
	platform, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close(context.Background()) })
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/acme/endpoints", `{"url": "https://example.invalid", "events": ["*"]}`, nil)
	s.addType("order.paid")
	s.addType("old")
	s.call("PUT", "/event-types/old", `{"archived": true}`, nil)

	overHTTP := func(body string) (id string, duplicate bool) {
		var receipt struct {
			ID        string
			Duplicate bool
		}
		s.call("POST", "/tenants/acme/events", body, &receipt)
		return receipt.ID, receipt.Duplicate
	}
	first, _ := overHTTP(`{"type": "order.paid", "data": {"é": 1.0} , "id": "http"}`)
	if again, err := publishIn(t.Context(), platform, "order.paid", ` {"é": 1.0}`, "http"); err != nil || again != first {
		t.Errorf("over HTTP it was %s, then in SQL %s: %v", first, again, err)
	}
	if first, err = publishIn(t.Context(), platform, "order.paid", ` {"é": 1.0}`, "sql"); err != nil {
		t.Fatal(err)
	}
	if again, duplicate := overHTTP(`{"type": "order.paid", "data":{"é": 1.0}, "id": "sql"}`); again != first || !duplicate {
		t.Errorf("in SQL it was %s, then over HTTP %s", first, again)
	}

	for name, c := range map[string]struct{ tenant, eventType, data, id string }{
		"conflict":      {"acme", "order.paid", `1`, "http"},
		"unknown type":  {"acme", "order.lost", `1`, "x"},
		"archived type": {"acme", "old", `1`, "x"},
		"empty type":    {"acme", "", `1`, "x"},
		"no tenant":     {"nobody", "order.paid", `1`, "x"},
		"too large":     {"acme", "order.paid", `"` + strings.Repeat("é", 50) + `"`, "x"},
		"long id":       {"acme", "order.paid", `1`, strings.Repeat("é", 129)},
		"bad id":        {"acme", "order.paid", `1`, "\u200b"},
		"empty id":      {"acme", "order.paid", `1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"type": c.eventType, "data": json.RawMessage(c.data), "id": c.id})
			if err != nil {
				t.Fatal(err)
			}
			status, answer, err := s.do("POST", "/tenants/"+c.tenant+"/events", body)
			if err != nil {
				t.Fatal(err)
			}
			var problem struct{ Detail string }
			if err := json.Unmarshal(answer, &problem); err != nil {
				t.Fatal(err)
			}
			_, err = platform.Exec(t.Context(), "SELECT bellwire.publish($1, $2, $3, $4)", c.tenant, c.eventType, c.data, c.id)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != fmt.Sprint("WH", status) || refused.Message != problem.Detail {
				t.Errorf("%s: HTTP answers %d %q, SQL %v", name, status, problem.Detail, err)
			}
		})
	}
}

// optionURL returns the value of an option.
func optionURL(option string) string {
	_, value, _ := strings.Cut(option, "=")
	return value
}

// An event that does not match its schema is committed with its transaction: it is kept with a problem, and sent to nobody.
func TestTransactionalPublishOfInvalidData(t *testing.T) {
	t.Parallel()
	here, there, database := startPair(t)
	receiver := startReceiver(t, 0)
	here.subscribe(receiver.url)
	here.call("PUT", "/event-types/order.paid", `{"schema": {"type": "object", "required": ["amount"]}}`, nil)
	platform := connect(t, database)
	tx, err := platform.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, data := range []string{`{"sum": 1}`, `{"amount": 1}`} {
		event, err := publishIn(t.Context(), tx, "order.paid", data, nil)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	receiver.await(t, events[1:])
	var misfit, fit struct {
		Data       json.RawMessage
		Deliveries int
		Problem    string
	}
	there.call("GET", "/tenants/acme/events/"+events[0], "", &misfit)
	there.call("GET", "/tenants/acme/events/"+events[1], "", &fit)
	const want = `data.amount is required by the schema of event type "order.paid"`
	if misfit.Deliveries != 0 || string(misfit.Data) != `{"sum": 1}` || misfit.Problem != want {
		t.Errorf("what does not fit is shown as %+v", misfit)
	}
	if fit.Deliveries != 1 || fit.Problem != "" {
		t.Errorf("what fits is shown as %+v", fit)
	}
	if came := receiver.snapshot(); len(came) != 1 {
		t.Errorf("%d events came", len(came))
	}
	eventually(t, "nothing waits to be matched", func() bool {
		status, page := here.get("/metrics")
		return status == http.StatusOK && strings.Contains(page, "\nbellwire_unmatched_events 0\n") && strings.Contains(page, "\nbellwire_unmatched_age_seconds 0\n")
	})
}

// Two nodes match events that are published inside transactions, some of which are rolled back, and one of them is killed
// again and again: no committed event is lost or exists twice, and FIFO endpoints get them in order.
func TestChaosOfOutbox(t *testing.T) {
	t.Parallel()
	chaosOfOutbox(t, (*server).kill)
}

// One of the two is terminated again and again: all that, and nothing is sent again.
func TestChaosOfOutboxTerminated(t *testing.T) {
	t.Parallel()
	if l := chaosOfOutbox(t, (*server).terminate); l.again > 0 {
		t.Errorf("%d requests were repeated after a success", l.again)
	}
}

func chaosOfOutbox(t *testing.T, end func(*server)) *ledger {
	t.Helper()
	database, option := newDatabase(t)
	dir := t.TempDir()
	l := newLedger(t, chaosStreams, 0.2)
	receiver := httptest.NewServer(l)
	t.Cleanup(receiver.Close)
	start := func() *server { return startServer(t, dir, append([]string{option}, local...)...) }
	pair := []*server{start(), start()}
	pair[0].call("POST", "/tenants", `{"id": "acme"}`, nil)
	for i := range chaosStreams {
		pair[0].addType(fmt.Sprintf("stream.%d", i))
		pair[0].call("POST", "/tenants/acme/endpoints", fmt.Sprintf(
			`{"url": "%s/%d", "events": ["stream.%d"], "ordering": %q, "retry": {"initial": "20ms", "factor": 1.1, "max_interval": "1s", "max_elapsed": "1h"}}`,
			receiver.URL, i, i, [...]string{"fifo", "none"}[i%2]), nil)
	}
	var (
		publishers sync.WaitGroup
		stop       = make(chan struct{})
	)
	for i := range chaosStreams {
		conn := connect(t, database)
		publishers.Go(func() { l.commit(t, conn, i, stop) })
	}
	for n := range rounds(t) {
		delivered := l.delivered()
		eventually(t, "the nodes are at work", func() bool { return l.delivered() > delivered+100 })
		l.moment(0, 300*time.Millisecond)
		end(pair[n%2])
		pair[n%2] = start()
	}
	close(stop)
	publishers.Wait()
	if missing := l.await(2 * patience); missing > 0 {
		var unmatched, open int
		err := connect(t, database).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM bellwire.unmatched),
			(SELECT count(*) FROM bellwire.deliveries WHERE status <= 1)`).Scan(&unmatched, &open)
		t.Fatalf("%d committed events never came; %d are unmatched, %d deliveries are open: %v", missing, unmatched, open, err)
	}
	for _, s := range pair {
		s.terminate()
	}
	l.check(t)
	var events, deliveries, delivered int // each event is delivered once, and repeated where a node died before it could say so
	err := connect(t, database).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM bellwire.events), count(*), count(DISTINCT event)
		FROM bellwire.deliveries`).Scan(&events, &deliveries, &delivered)
	if err != nil || deliveries != events || delivered != events {
		t.Errorf("%d events have %d deliveries, and %d have one: %v", events, deliveries, delivered, err)
	}
	return l
}

// commit publishes one stream in transactions until stop is closed. Each third of them is rolled back, and made again.
func (l *ledger) commit(t *testing.T, conn *pgx.Conn, stream int, stop <-chan struct{}) {
	eventType := fmt.Sprintf("stream.%d", stream)
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(l.random.IntN(40)) * time.Millisecond):
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		next := n + 1 + l.random.IntN(3)
		for ; n < next && err == nil; n++ {
			_, err = publishIn(t.Context(), tx, eventType, fmt.Sprintf(`{"n": %d}`, n), fmt.Sprintf("%d-%d", stream, n))
		}
		end := tx.Commit
		if l.random.IntN(3) == 0 {
			end, n = tx.Rollback, l.committed(stream)
		}
		if err := errors.Join(err, end(t.Context())); err != nil {
			t.Error(err)
			return
		}
		for l.behind(stream, n) > clusterBacklog {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// delivered returns how many events were acknowledged by their receiver.
func (l *ledger) delivered() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, done := range l.done {
		n += len(done)
	}
	return n
}

// behind records that this many events of a stream are committed, and returns how many of them have not arrived yet.
func (l *ledger) behind(stream, committed int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[stream] = committed
	return committed - len(l.done[stream])
}

// committed returns how many events of a stream are.
func (l *ledger) committed(stream int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[stream]
}
