package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const sqlPublish = "SELECT bellwire.publish($1, $2, $3, $4)"

// platform is a program with data of its own in the store's database.
type platform struct {
	*pgx.Conn
	t *testing.T
}

// executor is a connection or a transaction.
type executor interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func newPlatform(t *testing.T, s testStore) *platform {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.url)
	check(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the test may have ended it
	return &platform{conn, t}
}

// published publishes, which must succeed, and returns the event's id.
func (p *platform) published(in executor, tenant, eventType, data string, id any) bellwire.EventID {
	p.t.Helper()
	var text string
	check(p.t, in.QueryRow(p.t.Context(), sqlPublish, tenant, eventType, data, id).Scan(&text))
	event, err := bellwire.ParseID[bellwire.EventKind](text)
	check(p.t, err)
	return event
}

func (p *platform) begin() pgx.Tx {
	p.t.Helper()
	tx, err := p.Begin(p.t.Context())
	check(p.t, err)
	return tx
}

// newInbox opens a store that has the tenant "acme" and the event types "order.paid" and "old", which is archived.
func newInbox(t *testing.T) testStore {
	t.Helper()
	s := newStore(t, Options{})
	addTenant(t, s, "acme")
	for _, e := range []*bellwire.EventType{{Name: "order.paid"}, {Name: "old", Archived: true}} {
		_, err := s.PutEventType(t.Context(), e)
		check(t, err)
	}
	renew(t, s, "a")
	return s
}

func addTenant(t *testing.T, s testStore, id string) {
	t.Helper()
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: id, CreatedAt: time.Now()}))
}

// unmatched returns what waits, by the node "a".
func unmatched(t *testing.T, s testStore) []bellwire.Unmatched {
	t.Helper()
	waiting, err := s.Unmatched(t.Context(), s.owned.Load(), nil)
	check(t, err)
	return waiting
}

func idsOf(waiting []bellwire.Unmatched) []bellwire.EventID {
	var ids []bellwire.EventID
	for _, u := range waiting {
		ids = append(ids, u.Event.ID)
	}
	return ids
}

// matched makes an append of what waits, with a delivery to the endpoint if that is not empty.
func matched(waiting []bellwire.Unmatched, endpoint string) *bellwire.Append {
	a := new(bellwire.Append)
	for _, u := range waiting {
		e := &bellwire.NewEvent{Event: *u.Event, Unmatched: true}
		if endpoint != "" {
			e.Deliveries = []bellwire.NewDelivery{{ID: bellwire.NewID[bellwire.DeliveryKind](time.Now()), Endpoint: endpoint, Ordered: true}}
		}
		a.Events = append(a.Events, e)
	}
	return a
}

func appendOne(t *testing.T, s testStore, a *bellwire.Append) bellwire.AppendResult {
	t.Helper()
	results, err := s.AppendEvents(t.Context(), []*bellwire.Append{a})
	check(t, err)
	return results[0]
}

func count1(t *testing.T, s testStore, sql string, args ...any) (n int) {
	t.Helper()
	check(t, s.read(t.Context(), func(tx *tx) error { return tx.row(sql, args...).Scan(&n) }))
	return n
}

func TestPublishFollowsItsTransaction(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)

	tx := p.begin()
	lost := p.published(tx, "acme", "order.paid", `{"n": 1}`, "k")
	if waiting := unmatched(t, s); len(waiting) > 0 {
		t.Error("what is not committed waits to be matched")
	}
	check(t, tx.Rollback(t.Context()))

	before := time.Now().Add(-time.Second)
	tx = p.begin()
	first := p.published(tx, "acme", "order.paid", " {\"n\": 1.0, \"n\": \"\\u0000\\ud800é\"}\n", "k")
	savepoint, err := tx.Begin(t.Context())
	check(t, err)
	undone := p.published(savepoint, "acme", "order.paid", "2", "k2")
	check(t, savepoint.Rollback(t.Context()))
	second := p.published(tx, "acme", "order.paid", "null", nil)
	check(t, tx.Commit(t.Context()))

	waiting := unmatched(t, s)
	want := []bellwire.Unmatched{
		{Event: &bellwire.Event{ID: first, Tenant: "acme", Type: "order.paid", Data: []byte(`{"n": 1.0, "n": "\u0000\ud800é"}`), IdempotencyKey: "k"}},
		{Event: &bellwire.Event{ID: second, Tenant: "acme", Type: "order.paid", Data: []byte("null")}},
	}
	for i, u := range waiting {
		made, at := u.Event.ID.Time(), u.Event.CreatedAt
		if made != at.Truncate(time.Millisecond) || at.Before(before) || at.After(time.Now().Add(time.Second)) || u.Event.ID[6]>>4 != 7 || u.Event.ID[8]>>6 != 2 {
			t.Errorf("event %d has the id %s and was taken at %v", i, u.Event.ID, at)
		}
		u.Event.CreatedAt = time.Time{}
	}
	if diff := cmp.Diff(want, waiting); diff != "" {
		t.Error(diff)
	}
	if e, err := s.Event(t.Context(), "acme", first); err != nil || e.IdempotencyKey != "k" || e.Deliveries != 0 {
		t.Errorf("the event cannot be looked up before it is matched: %v, %v", e, err)
	}
	for _, id := range []bellwire.EventID{lost, undone} {
		if _, err := s.Event(t.Context(), "acme", id); bellwire.CodeOf(err) != bellwire.CodeNotFound {
			t.Errorf("what was rolled back is there: %v", err)
		}
	}
	p.published(p, "acme", "order.paid", "3", "k2") // its id is free again
	digests, err := s.Digests(t.Context(), "acme", []string{"k"})
	check(t, err)
	if want := sha256.Sum256([]byte("order.paid\x00" + `{"n": 1.0, "n": "\u0000\ud800é"}`)); digests["k"] != want {
		t.Errorf("the digest is %x, want %x", digests["k"], want)
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	check(t, s.LimitEvents(t.Context(), 100))
	_, err := s.PutEventType(t.Context(), &bellwire.EventType{Name: bellwire.OperationalTypes[0]})
	check(t, err)
	addTenant(t, s, "gone")
	check(t, s.DeleteTenant(t.Context(), "gone", time.Now()))
	p := newPlatform(t, s)
	p.published(p, "acme", "order.paid", "1", "used")
	long := strings.Repeat("é", 129)
	for name, c := range map[string]struct {
		tenant, eventType, data, id any
		state, column, message      string
	}{
		"no tenant":          {nil, "order.paid", "1", nil, "WH404", "tenant", "tenant"},
		"unknown tenant":     {"nobody", "order.paid", "1", nil, "WH404", "tenant", `tenant "nobody" does not exist`},
		"deleted tenant":     {"gone", "order.paid", "1", nil, "WH404", "tenant", `tenant "gone" does not exist`},
		"no type":            {"acme", nil, "1", nil, "WH422", "type", "type is required"},
		"empty type":         {"acme", "", "1", nil, "WH422", "type", "type must be a string that is not empty"},
		"reserved type":      {"acme", bellwire.OperationalTypes[0], "1", nil, "WH422", "type", `type must not begin with "bellwire.", which is reserved`},
		"unknown type":       {"acme", "order.lost", "1", nil, "WH422", "type", `type "order.lost" is not a known event type`},
		"archived type":      {"acme", "old", "1", nil, "WH422", "type", `type "old" is archived; events of this type cannot be published`},
		"no data":            {"acme", "order.paid", nil, nil, "WH422", "data", "data is required; it may be null"},
		"empty data":         {"acme", "order.paid", "", nil, "WH400", "data", "data must be valid JSON"},
		"no JSON":            {"acme", "order.paid", `{"a": 01}`, nil, "WH400", "data", "data must be valid JSON"},
		"no JSON at the end": {"acme", "order.paid", `{} x`, nil, "WH400", "data", "data must be valid JSON"},
		"a byte order mark":  {"acme", "order.paid", "\ufeff1", nil, "WH400", "data", "data must be valid JSON"},
		"too large":          {"acme", "order.paid", `"` + strings.Repeat("é", 50) + `"`, nil, "WH413", "data", "data must have at most 100 bytes, but has 102"},
		"empty id":           {"acme", "order.paid", "1", "", "WH422", "id", "id must be a string that is not empty"},
		"long id":            {"acme", "order.paid", "1", long, "WH422", "id", "id must have at most 128 characters"},
		"bad id":             {"acme", "order.paid", "1", "a\tb", "WH422", "id", "id must have printable characters only"},
		"other data":         {"acme", "order.paid", "1.0", "used", "WH409", "id", `id "used" was used before, with another type or other data`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Exec(t.Context(), sqlPublish, c.tenant, c.eventType, c.data, c.id)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != c.state || refused.ColumnName != c.column || !strings.HasPrefix(refused.Message, c.message) {
				t.Errorf("%s: got %+v, want %s of %s that says %q", name, refused, c.state, c.column, c.message)
			}
		})
	}
	if waiting := unmatched(t, s); len(waiting) != 1 {
		t.Errorf("%d events wait, want the one that was taken", len(waiting))
	}
	if n := count1(t, s, "SELECT count(*) FROM bellwire.idempotency_keys"); n != 1 {
		t.Errorf("%d ids are known", n)
	}
}

func TestPublishTakesWhatFits(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	check(t, s.LimitEvents(t.Context(), 1<<20))
	p := newPlatform(t, s)
	for name, c := range map[string][2]any{
		"the largest":  {`"` + strings.Repeat("a", 1<<20-2) + `"`, nil},
		"space around": {" \r\n\t\"" + strings.Repeat("b", 1<<20-2) + "\" ", nil},
		"a long id":    {"1", strings.Repeat("é", 128)},
		"a large one":  {`1E400`, "x"},
		"nested":       {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), nil},
	} {
		t.Run(name, func(t *testing.T) {
			id := p.published(p, "acme", "order.paid", c[0].(string), c[1])
			e, err := s.Event(t.Context(), "acme", id)
			check(t, err)
			if want := strings.Trim(c[0].(string), " \r\n\t"); string(e.Data) != want {
				t.Errorf("%s: it was not kept as it is", name)
			}
		})
	}
	_, err := p.Exec(t.Context(), sqlPublish, "acme", "order.paid", strings.Repeat("[", 1<<19)+strings.Repeat("]", 1<<19), nil)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "WH400" || refused.Message != "data is nested too deeply" {
		t.Errorf("deep nesting is answered %v", err)
	}
}

// TestPublishIDsAreThoseOfHTTP compares the two rules for printable ids: the database accepts every character that Go
// prints, and beyond those only characters that Go's version of Unicode does not know.
func TestPublishIDsAreThoseOfHTTP(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	const surrogate, afterSurrogates = 0xD800, 0xE000      // chr refuses what is between them
	const unassigned, afterUnassigned = 0x4_0000, 0xE_0000 // of these planes, where Unicode has assigned nothing, few are asked for
	const step = 97
	var answers string // one letter for each rune from 1 on, in one row, because a million rows take long
	check(t, p.QueryRow(t.Context(), `SELECT string_agg(CASE WHEN n BETWEEN $1 AND $2 - 1 THEN '-' WHEN n BETWEEN $4 AND $5 - 1 AND n % $6 <> 0 THEN '-' WHEN bellwire.is_printable(chr(n)) THEN 'y' ELSE 'n' END, '' ORDER BY n)
		FROM generate_series(1, $3::int) n`, surrogate, afterSurrogates, unicode.MaxRune, unassigned, afterUnassigned, step).Scan(&answers))
	if len(answers) != unicode.MaxRune {
		t.Fatalf("got %d answers, want %d", len(answers), unicode.MaxRune)
	}
	for i, answer := range []byte(answers) {
		r, printable := rune(i+1), answer == 'y'
		if r >= surrogate && r < afterSurrogates || r >= unassigned && r < afterUnassigned && r%step != 0 {
			continue
		}
		want := unicode.IsPrint(r) && r != unicode.ReplacementChar
		if printable != want && (!printable || r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Z)) {
			t.Errorf("%U is printable: %v", r, printable)
		}
	}
}

func TestPublishAgain(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p, other := newPlatform(t, s), newPlatform(t, s)

	tx := p.begin()
	first := p.published(tx, "acme", "order.paid", "1", "k")
	if again := p.published(tx, "acme", "order.paid", " 1 ", "k"); again != first {
		t.Error("in the same transaction it is published twice")
	}
	answers := make(chan bellwire.EventID, 1)
	go func() { answers <- other.published(other, "acme", "order.paid", "1", "k") }()
	waitFor(t, func() bool {
		return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%bellwire.publish%'") == 1
	})
	check(t, tx.Commit(t.Context()))
	if again := <-answers; again != first {
		t.Error("while it is being published elsewhere it is published twice")
	}

	tx = p.begin()
	p.published(tx, "acme", "order.paid", "2", "undone")
	go func() { answers <- other.published(other, "acme", "order.paid", "3", "undone") }()
	check(t, tx.Rollback(t.Context()))
	<-answers

	// What was taken once stays taken, also when its type is gone.
	check(t, s.DeleteEventType(t.Context(), "order.paid"))
	if again := p.published(p, "acme", "order.paid", "1", "k"); again != first {
		t.Error("without its type it is published twice")
	}
	if n := len(unmatched(t, s)); n != 2 {
		t.Errorf("%d events wait, want 2", n)
	}
}

// What strings mean is for each session to say, but not to the function.
func TestPublishWithOtherStrings(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	first := p.published(p, "acme", "order.paid", "1", "order-1")
	other := newPlatform(t, s)
	_, err := other.Exec(t.Context(), "SET standard_conforming_strings = off")
	check(t, err)
	if again := other.published(other, "acme", "order.paid", "1", "order-1"); again != first {
		t.Errorf("it was published again, as %s", again)
	}
}

func TestPublishAtHigherIsolation(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p, other := newPlatform(t, s), newPlatform(t, s)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		key := "k" + string(level)
		tx, err := p.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
		check(t, err)
		p.published(tx, "acme", "order.paid", "1", nil) // the snapshot is of now
		other.published(other, "acme", "order.paid", "1", key)
		_, err = tx.Exec(t.Context(), sqlPublish, "acme", "order.paid", "1", key)
		if !isState(err, "40001") {
			t.Errorf("%s: what was published meanwhile is answered %v, want a serialization failure", level, err)
		}
		check(t, tx.Rollback(t.Context()))
	}
}

func TestUnmatchedAreStoredOnce(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme", CreatedAt: time.Now(), Ordering: bellwire.OrderingFIFO}, bellwire.ChangeNote{}))
	for n := range 3 {
		p.published(p, "acme", "order.paid", fmt.Sprint(n), fmt.Sprint("k", n))
	}
	waiting := unmatched(t, s)
	waiting[1].Event.Problem = "does not match the schema"
	ours, others := matched(waiting, "ep"), matched(waiting[:2], "ep")
	ours.Events[1].Deliveries = nil

	stored := appendOne(t, s, ours)
	check(t, stored.Err)
	for i, e := range stored.Events {
		if e.Duplicate || e.ID != waiting[i].Event.ID || e.Deliveries != len(ours.Events[i].Deliveries) {
			t.Errorf("event %d was stored as %+v", i, e)
		}
	}
	if diff := cmp.Diff([]int64{1}, stored.Events[0].Sequences); diff != "" {
		t.Error(diff)
	}
	// The answer was lost, and the same is appended again; and another node had the same events in mind.
	if diff := cmp.Diff(stored, appendOne(t, s, ours)); diff != "" {
		t.Errorf("repeated, it is answered (-first +again):\n%s", diff)
	}
	late := appendOne(t, s, others)
	check(t, late.Err)
	if !late.Events[0].Duplicate {
		t.Errorf("another node's is answered %+v", late.Events[0])
	}
	if n := count1(t, s, "SELECT count(*) FROM bellwire.deliveries"); n != 2 {
		t.Errorf("there are %d deliveries, want 2", n)
	}
	if left := unmatched(t, s); len(left) != 0 {
		t.Errorf("%d events still wait", len(left))
	}
	e, err := s.Event(t.Context(), "acme", waiting[1].Event.ID)
	check(t, err)
	if diff := cmp.Diff(waiting[1].Event, e); diff != "" {
		t.Error(diff)
	}
	list, err := s.Events(t.Context(), bellwire.EventFilter{Tenant: "acme"}, bellwire.Page{Limit: 10})
	check(t, err)
	if len(list.Items) != 3 || list.Items[1].Problem != "does not match the schema" || list.Items[0].Problem != "" {
		t.Errorf("the list has %d events", len(list.Items))
	}

	// A publish over HTTP with the same id is a duplicate, and knows of the deliveries.
	e.ID, e.Deliveries = bellwire.NewID[bellwire.EventKind](time.Now()), 0
	*e = *waiting[0].Event
	again := &bellwire.NewEvent{Event: *e, Digest: sha256.Sum256([]byte("order.paid\x000"))}
	again.Event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
	answer := appendOne(t, s, &bellwire.Append{Events: []*bellwire.NewEvent{again}})
	check(t, answer.Err)
	if want := (bellwire.AppendedEvent{ID: waiting[0].Event.ID, Duplicate: true, Deliveries: 1}); !cmp.Equal(want, answer.Events[0]) {
		t.Errorf("published again it is answered %+v", answer.Events[0])
	}
	again.Digest[0]++
	refused(t, appendOne(t, s, &bellwire.Append{Events: []*bellwire.NewEvent{again}}).Err, bellwire.CodeConflict, "was used before")
}

// TestUnmatchedConcurrently has two nodes match the same events at the same time, again and again.
func TestUnmatchedConcurrently(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	const events = 500
	open := p.begin()
	var want []bellwire.EventID
	for n := range events {
		want = append(want, p.published(open, "acme", "order.paid", fmt.Sprint(n), fmt.Sprint("k", n)))
	}
	check(t, open.Commit(t.Context()))
	stored := make(chan int)
	for range 2 {
		go func() {
			total := 0
			defer func() { stored <- total }()
			for {
				waiting, err := s.Unmatched(t.Context(), s.owned.Load(), nil)
				if err != nil || len(waiting) == 0 {
					return
				}
				results, err := s.AppendEvents(t.Context(), []*bellwire.Append{matched(waiting[:min(40, len(waiting))], "ep")})
				if err != nil || results[0].Err != nil {
					t.Error(err, results)
					return
				}
				for _, e := range results[0].Events {
					if !e.Duplicate {
						total++
					}
				}
			}
		}()
	}
	if total := <-stored + <-stored; total != events {
		t.Errorf("%d events were stored, want %d", total, events)
	}
	var got []bellwire.EventID
	check(t, s.read(t.Context(), func(tx *tx) (err error) {
		rows, err := pgx.CollectRows(tx.query("SELECT event FROM bellwire.deliveries ORDER BY sequence"), pgx.RowTo[[16]byte])
		for _, id := range rows {
			got = append(got, id)
		}
		return err
	}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the order is another (-published +stored):\n%.500s", diff)
	}
}

func TestUnmatchedTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	for _, tenant := range []string{"b", "c"} {
		addTenant(t, s, tenant)
	}
	_, err := p.Exec(t.Context(), `SELECT bellwire.publish('acme', 'order.paid', n::text) FROM generate_series(1, 1000) n`)
	check(t, err)
	large := `"` + strings.Repeat("x", 1<<20-2) + `"`
	for range 10 {
		p.published(p, "b", "order.paid", large, nil)
	}
	last := p.published(p, "c", "order.paid", "1", nil)

	turns := make(map[string]int)
	for !turnOf(turns, unmatched(t, s), last) {
		if turns["acme"] > 500 || turns["b"] > 9 {
			t.Fatalf("c waits behind %v", turns)
		}
	}
	everything := 0
	for range 20 {
		waiting := unmatched(t, s)
		if len(waiting) == 0 {
			break
		}
		everything += len(waiting)
		check(t, appendOne(t, s, matched(ofOneTenant(waiting), "")).Err)
	}
	if n := count1(t, s, "SELECT count(*) FROM bellwire.events"); n != 1011 {
		t.Errorf("%d events were stored of %d", n, everything)
	}
}

// turnOf returns the number of waiting events, and whether the event is one of them.
func turnOf(turns map[string]int, waiting []bellwire.Unmatched, event bellwire.EventID) bool {
	for _, u := range waiting {
		turns[u.Event.Tenant]++
		if u.Event.ID == event {
			return true
		}
	}
	return false
}

// ofOneTenant returns those that can go into one append.
func ofOneTenant(waiting []bellwire.Unmatched) []bellwire.Unmatched {
	for i, u := range waiting {
		if u.Event.Tenant != waiting[0].Event.Tenant {
			return waiting[:i]
		}
	}
	return waiting
}

func TestUnmatchedOfOtherNodes(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	p.published(p, "acme", "order.paid", "1", nil)
	waiting, err := s.Unmatched(t.Context(), new(bellwire.Leases), nil)
	check(t, err)
	if len(waiting) > 0 {
		t.Error("a node without shards matches")
	}
}

func TestUnmatchedOfDeletedTenants(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	addTenant(t, s, "gone")
	tx := p.begin()
	late := p.published(tx, "gone", "order.paid", "1", "late")
	early := newPlatform(t, s)
	early.published(early, "gone", "order.paid", "1", "early")
	kept := early.published(early, "acme", "order.paid", "1", "kept")
	stale := unmatched(t, s)
	check(t, s.DeleteTenant(t.Context(), "gone", time.Now()))
	if r := appendOne(t, s, matched(stale[len(stale)-1:], "")); bellwire.CodeOf(r.Err) != bellwire.CodeNotFound {
		t.Errorf("matched after its tenant was deleted it is answered %v", r.Err)
	}
	if got := idsOf(unmatched(t, s)); !cmp.Equal(got, []bellwire.EventID{kept}) {
		t.Errorf("%v wait", got)
	}
	for {
		n, err := s.Purge(t.Context(), time.Now().Add(time.Hour), time.Time{}, 100)
		check(t, err)
		if n == 0 {
			break
		}
	}
	// The transaction that was open all the time comes last, when even the tenant's row is gone.
	check(t, tx.Commit(t.Context()))
	if got := idsOf(unmatched(t, s)); !cmp.Equal(got, []bellwire.EventID{kept}) {
		t.Errorf("%v wait, %v is of no tenant", got, late)
	}
	if n := count1(t, s, "SELECT (SELECT count(*) FROM bellwire.unmatched) + (SELECT count(*) FROM bellwire.idempotency_keys)"); n != 2 {
		t.Errorf("%d rows are left, want those of the one event", n)
	}
}

func TestUnmatchedCanBeDeferred(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	first := p.published(p, "acme", "order.paid", "1", nil)
	second := p.published(p, "acme", "order.paid", "2", nil)
	check(t, s.PostponeUnmatched(t.Context(), first, "could not be matched yet", time.Hour))
	if got := idsOf(unmatched(t, s)); !cmp.Equal(got, []bellwire.EventID{second}) {
		t.Errorf("%v wait", got)
	}
	e, err := s.Event(t.Context(), "acme", first)
	check(t, err)
	if e.Problem != "could not be matched yet" {
		t.Errorf("its problem is %q", e.Problem)
	}
	check(t, s.PostponeUnmatched(t.Context(), first, "could not be matched yet", 0))
	waiting := unmatched(t, s)
	if len(waiting) != 2 || !waiting[1].Again || waiting[1].Event.ID != first || waiting[0].Again {
		t.Errorf("after its time %v wait", waiting)
	}
	b, err := s.Backlog(t.Context())
	check(t, err)
	if b.Unmatched != 2 || !b.OldestUnmatched.Equal(e.CreatedAt) {
		t.Errorf("%d wait since %v", b.Unmatched, b.OldestUnmatched)
	}
	check(t, appendOne(t, s, matched(waiting, "")).Err)
	if b, err = s.Backlog(t.Context()); err != nil || b.Unmatched != 0 || !b.OldestUnmatched.IsZero() {
		t.Errorf("afterwards %+v: %v", b, err)
	}
}

// TestPublishWakes listens as a node does. While the node polls anyway, no notification is sent.
func TestPublishWakes(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p, ear := newPlatform(t, s), newPlatform(t, s)
	_, err := ear.Exec(t.Context(), "LISTEN bellwire")
	check(t, err)
	heard := func() (notices []string) {
		_, err := p.Exec(t.Context(), "NOTIFY bellwire, 'end'")
		check(t, err)
		for {
			n, err := ear.WaitForNotification(t.Context())
			check(t, err)
			if n.Payload == "end" {
				return notices
			}
			notices = append(notices, n.Payload)
		}
	}
	tx := p.begin()
	for n := range 1000 {
		p.published(tx, "acme", "order.paid", fmt.Sprint(n), nil)
	}
	check(t, tx.Commit(t.Context()))
	if got := heard(); !cmp.Equal(got, []string{`{"u":true}`}) {
		t.Errorf("heard %q of a transaction with many", got)
	}
	check(t, s.AnnouncePolling(t.Context(), "another", time.Hour))
	p.published(p, "acme", "order.paid", "1", nil)
	if len(heard()) != 1 {
		t.Error("the wrong node polls, and the right one is not woken")
	}
	check(t, s.AnnouncePolling(t.Context(), "a", time.Hour))
	p.published(p, "acme", "order.paid", "1", nil)
	if got := heard(); len(got) != 0 {
		t.Errorf("heard %q of the node that polls", got)
	}
	check(t, s.AnnouncePolling(t.Context(), "a", -2*time.Hour))
	p.published(p, "acme", "order.paid", "1", nil)
	if len(heard()) != 1 {
		t.Error("the node polls no longer, and is not woken")
	}
	check(t, s.AnnouncePolling(t.Context(), "b", time.Hour))
	if n := count1(t, s, "SELECT count(*) FROM bellwire.attendance"); n != 2 {
		t.Errorf("%d nodes poll, want the two whose time has not long passed", n)
	}
}

// TestPublishDelaysNoOthers leaves a transaction open, and does what Bellwire does meanwhile.
func TestPublishDelaysNoOthers(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	p := newPlatform(t, s)
	tx := p.begin()
	p.published(tx, "acme", "order.paid", "1", "k")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check(t, s.makePartitions(ctx, time.Now().Add(10_000*time.Hour)))
	check(t, s.CreateEndpoint(ctx, &bellwire.Endpoint{ID: "ep2", Tenant: "acme", CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	_, err := s.PutEventType(ctx, &bellwire.EventType{Name: "order.paid"})
	check(t, err)
	check(t, s.DeleteEventType(ctx, "order.paid"))
	renew(t, s, "a")
	at := time.Now()
	results, err := s.AppendEvents(ctx, []*bellwire.Append{{Events: []*bellwire.NewEvent{{Event: bellwire.Event{
		ID: bellwire.NewID[bellwire.EventKind](at), Tenant: "acme", Type: "a", IdempotencyKey: "k2", Data: []byte("1"), CreatedAt: at,
	}}}}})
	check(t, err)
	check(t, results[0].Err)
	_, err = s.Purge(ctx, time.Now(), time.Time{}, 100)
	check(t, err)
	check(t, s.DeleteTenant(ctx, "acme", time.Now()))
	check(t, tx.Rollback(t.Context()))
}

// keyedAppend returns an append of an event with an id; "": it has none.
func keyedAppend(tenant, id string) *bellwire.Append {
	return &bellwire.Append{Events: []*bellwire.NewEvent{{
		Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](time.Now()), Tenant: tenant, Type: "order.paid", Data: []byte("1"),
			IdempotencyKey: id, CreatedAt: time.Now(),
		},
		Digest: sha256.Sum256([]byte("order.paid\x001")),
	}}}
}

// standingClock stands still until it is moved.
type standingClock struct{ since atomic.Int64 }

func newStandingClock() *standingClock {
	c := new(standingClock)
	c.since.Store(time.Now().UnixNano())
	return c
}

func (c *standingClock) now() time.Time { return time.Unix(0, c.since.Load()) }

func (c *standingClock) move(d time.Duration) { c.since.Add(int64(d)) }

// heldInbox returns an inbox with another tenant, "umbrella", and an open transaction that holds so many ids of "acme": k0, k1, …
func heldInbox(t *testing.T, ids int, through func(url string) string, now func() time.Time) (s testStore, open pgx.Tx) {
	t.Helper()
	direct := newInbox(t)
	addTenant(t, direct, "umbrella")
	o := direct.options
	o.Now = now
	s = openAt(t, through(direct.url), o)
	open = newPlatform(t, direct).begin()
	_, err := open.Exec(t.Context(), "SELECT bellwire.publish('acme', 'order.paid', '1', 'k' || n) FROM generate_series(0, $1::int - 1) n", ids)
	check(t, err)
	return s, open
}

// TestPublishHoldsItsID publishes over HTTP, in a batch with others, an id that an open transaction is publishing.
func TestPublishHoldsItsID(t *testing.T) {
	t.Parallel()
	clock := newStandingClock()
	s, open := heldInbox(t, 1, directly, clock.now)
	appends := []*bellwire.Append{keyedAppend("acme", "a"), keyedAppend("acme", "k0"), keyedAppend("acme", ""), keyedAppend("umbrella", "k0")}
	appends[0].Events = append(appends[0].Events, keyedAppend("acme", "b").Events...)
	appends = append(appends, &bellwire.Append{Events: append(keyedAppend("acme", "c").Events, keyedAppend("acme", "k0").Events...)})
	results, err := s.AppendEvents(t.Context(), appends)
	check(t, err)
	wantHeld(t, appends, results, 1, 4)

	// It is refused without asking the database again.
	away, cancel := context.WithCancel(t.Context())
	cancel()
	results, err = s.AppendEvents(away, appends[1:2])
	check(t, err)
	wantHeld(t, appends[1:2], results, 0)

	check(t, open.Rollback(t.Context()))
	clock.move(heldFor)
	if r := appendOne(t, s, appends[1]); r.Err != nil || r.Events[0].Duplicate {
		t.Errorf("when the transaction has ended it is answered %+v", r)
	}
}

// wantHeld checks that the appends with the indexes were refused, and all others stored.
func wantHeld(t *testing.T, appends []*bellwire.Append, results []bellwire.AppendResult, held ...int) {
	t.Helper()
	for n, r := range results {
		switch {
		case !slices.Contains(held, n):
			if r.Err != nil || r.Events[0].ID != appends[n].Events[0].Event.ID {
				t.Errorf("append %d was answered %+v", n, r)
			}
		default:
			refused(t, r.Err, bellwire.CodeUnavailable, "in use by an open transaction")
			if e := new(bellwire.Error); !errors.As(r.Err, &e) || e.RetryAfter != heldFor {
				t.Errorf("append %d is to be repeated after %v", n, e.RetryAfter)
			}
		}
	}
}

func directly(url string) string { return url }

// TestPublishHoldsManyIDs publishes many such ids with those of another tenant, which has its answer in the time that the engine
// gives the store.
func TestPublishHoldsManyIDs(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(string) string{"direct": directly, "pooled": pooler.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const many = 100
			s, _ := heldInbox(t, many, through, newStandingClock().now)
			var (
				appends []*bellwire.Append
				held    []int
			)
			for n := range many {
				held = append(held, len(appends))
				appends = append(appends, keyedAppend("acme", fmt.Sprint("k", n)), keyedAppend("umbrella", fmt.Sprint("k", n)))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			results, err := s.AppendEvents(ctx, appends)
			check(t, err)
			wantHeld(t, appends, results, held...)
		})
	}
}

// TestPublishHoldsTooManyIDs has no time to find out which ids are held. Whatever has none is stored.
func TestPublishHoldsTooManyIDs(t *testing.T) {
	t.Parallel()
	clock := newStandingClock()
	s, _ := heldInbox(t, 1, directly, func() time.Time {
		clock.move(heldTryFor)
		return clock.now()
	})
	appends := []*bellwire.Append{keyedAppend("acme", "a"), keyedAppend("acme", "k0"), keyedAppend("umbrella", "")}
	results, err := s.AppendEvents(t.Context(), appends)
	check(t, err)
	wantHeld(t, appends, results, 0, 1)
}

// TestHeldIDsAreForgotten bounds what is remembered.
func TestHeldIDsAreForgotten(t *testing.T) {
	t.Parallel()
	var h heldIDs
	now := time.Now()
	for n := range maxHeldIDs + 1 {
		h.add(publisherID{"acme", fmt.Sprint(n)}, now)
	}
	if n := len(h.now(now)); n != maxHeldIDs {
		t.Errorf("%d ids are remembered", n)
	}
	if n := len(h.now(now.Add(heldFor))); n != 0 {
		t.Errorf("later %d ids are remembered", n)
	}
}

// TestPlansOfUnmatched makes many events wait, and checks how the next ones are found.
func TestPlansOfUnmatched(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.unmatched (event, tenant, type, created_at, retry_at, data)
			SELECT gen_random_uuid(), n % 100, 'a', now(), CASE WHEN n % 3 = 0 THEN now() END, '' FROM generate_series(1, 20000) n`)
	}))
	epochs, ids, counts := make([]int64, 256), make([][16]byte, 100), make([]int32, 100)
	for sql, args := range map[string][]any{
		sqlUnmatched:      {epochs, int64(0), maxTurns, maxTurn, int64(maxMatchBytes), maxMatching, []string{"acme"}, int64(maxTurnBytes)},
		sqlUnmatchedAgain: {epochs, maxRetried, []string{"acme"}},
		sqlHoldUnmatched:  {ids},
		sqlEndUnmatched:   {ids, counts},
		sqlDropUnmatched:  {ids},
		sqlDefer:          {ids[0], time.Minute, ""},
		sqlCountUnmatched: {maxCounted},
	} {
		t.Run(sql, func(t *testing.T) {
			plan := strings.Join(planFor(t, s, sql, args), "\n")
			for _, table := range []string{"unmatched", "idempotency_keys"} {
				if sql != sqlCountUnmatched && strings.Contains(plan, "Seq Scan on "+table) {
					t.Errorf("%s\nreads all of %s:\n%s", sql, table, plan)
				}
			}
		})
	}
}

// TestPublisherRole gives a role the rights of docs/transactional-publish.md, and checks what it may do.
func TestPublisherRole(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	role := "publisher_" + p.Config().Database // roles are the whole server's
	for _, sql := range []string{
		"CREATE ROLE " + role + " NOLOGIN",
		"GRANT USAGE ON SCHEMA bellwire TO " + role,
		"GRANT EXECUTE ON FUNCTION bellwire.publish TO " + role,
		"SET ROLE " + role,
	} {
		_, err := p.Exec(t.Context(), sql)
		check(t, err)
	}
	p.published(p, "acme", "order.paid", "1", "k")
	// The role must not be able to replace objects that the function uses.
	_, err := p.Exec(t.Context(), `CREATE TEMP TABLE tenants (id text, n bigint, deleted_at timestamptz);
		SET search_path = pg_temp, public, bellwire`, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	p.published(p, "acme", "order.paid", "2", nil)
	rows, err := p.Query(t.Context(), `
		SELECT c.oid::regclass::text || ' ' || right_ FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) right_
			WHERE c.relnamespace = 'bellwire'::regnamespace AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, right_)
		UNION ALL SELECT oid::regclass::text FROM pg_class
			WHERE relnamespace = 'bellwire'::regnamespace AND CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, 'USAGE,SELECT,UPDATE') END
		UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'bellwire'::regnamespace AND has_function_privilege(oid, 'EXECUTE')`)
	check(t, err)
	may, err := pgx.CollectRows(rows, pgx.RowTo[string])
	check(t, err)
	if diff := cmp.Diff([]string{"publish(text,text,text,text,timestamp with time zone,timestamp with time zone,text)"}, may); diff != "" {
		t.Errorf("the role may (-want +got):\n%s", diff)
	}
	_, err = p.Exec(t.Context(), "RESET ROLE; DROP OWNED BY "+role+"; DROP ROLE "+role, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
}
