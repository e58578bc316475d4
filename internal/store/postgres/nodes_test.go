package postgres

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestMessagesReachOtherNodes: a message reaches other nodes, and not its sender.
func TestMessagesReachOtherNodes(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	own, others := watch(t, there), watch(t, here)
	text := `{"n":"` + strings.Repeat("x", bellwire.MaxTold-8) + `"}`
	is := func(n bellwire.Notification) bool { return string(n.Told) == text }
	heard, echo := others.heard(is), own.heard(is)
	check(t, there.Tell(t.Context(), []byte(text)))
	waitFor(t, heard)
	marked := own.heard(ofTenant("marker"))
	check(t, here.tell(t.Context(), message{Tenant: "marker"}))
	waitFor(t, marked)
	if echo() {
		t.Error("the sender gets its own message")
	}
}

// TestNodes: each node lists both, with their shards, and how long ago the other renewed its leases.
func TestNodes(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	described := here.options
	described.Version, described.StartedAt, described.DialectFiles = "1.2.3", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "f00d"
	there := openAt(t, here.url, described)
	renew(t, here, "a")
	renew(t, there, "b")
	yield(t, here, "a")
	epochs := renew(t, there, "b")
	check(t, there.HandOver(t.Context(), "b", nil, true))
	nodes, err := here.Nodes(t.Context())
	check(t, err)
	if len(nodes) != 2 || nodes[0].Name != "a" || nodes[1].Name != "b" {
		t.Fatalf("the nodes are %+v", nodes)
	}
	a, b := nodes[0], nodes[1]
	if a.Shards != bellwire.Shards/2 || b.Shards != bellwire.Shards/2 || b.Epoch != slices.Max(epochs.Epochs[:]) || b.Epoch <= a.Epoch {
		t.Errorf("they own %+v and %+v", a, b)
	}
	if a.Version != "" || !a.StartedAt.IsZero() || b.Version != "1.2.3" || !b.StartedAt.Equal(described.StartedAt) ||
		a.DialectFiles != "" || b.DialectFiles != "f00d" {
		t.Errorf("they say of themselves %+v and %+v", a, b)
	}
	if a.Leaving || !b.Leaving || !a.Alive() || !b.Alive() || b.Term == 0 {
		t.Errorf("they are %+v and %+v", a, b)
	}
	renew(t, here, "a") // it observes the count of b, which stands still from now on
	nodes, err = here.Nodes(t.Context())
	check(t, err)
	if len(nodes) != 2 || nodes[1].Age <= 0 {
		t.Errorf("the nodes are %+v later", nodes)
	}
}

// TestSessionsEndOnAllNodes: what one node ends, another does not find any more.
func TestSessionsEndOnAllNodes(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	at := time.Now().UTC().Truncate(time.Microsecond)
	key := &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](at), Role: bellwire.RoleAdmin, CreatedAt: at}
	check(t, here.CreateKey(t.Context(), key))
	for name, end := range map[string]func(*bellwire.Session) error{
		"deleted": func(s *bellwire.Session) error { return there.DeleteSession(t.Context(), s.Kind, "", s.ID) },
		"its key": func(*bellwire.Session) error { return there.DeleteKey(t.Context(), "", key.ID) },
	} {
		s := &bellwire.Session{
			ID: bellwire.NewID[bellwire.SessionIDKind](at), Kind: bellwire.SessionConsole, Key: key.ID, Code: [32]byte{1}, CodeExpiresAt: at.Add(time.Hour),
			CreatedAt: at, ExpiresAt: at.Add(time.Hour),
		}
		if name == "deleted" {
			s.Key = bellwire.KeyID{}
		}
		check(t, here.CreateSession(t.Context(), s, 10))
		x := &bellwire.Exchange{Session: s.ID, Kind: s.Kind, Code: s.Code, Token: [32]byte{2}, At: at}
		_, err := there.ExchangeSession(t.Context(), x)
		check(t, err)
		if _, err := here.ExchangeSession(t.Context(), x); bellwire.CodeOf(err) != bellwire.CodeConflict {
			t.Errorf("%s: exchanged again: %v", name, err)
		}
		check(t, end(s))
		if _, err := here.Session(t.Context(), s.ID); bellwire.CodeOf(err) != bellwire.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCancellationsAreTold: the owner of an endpoint hears which of its deliveries others cancel, one or many, and nobody hears of
// those that it cancels itself.
func TestCancellationsAreTold(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	e := publication(t, there, "acme")
	renew(t, here, "here")
	owner, other := watch(t, here), watch(t, there)
	const many = maxCanceled + 2
	var (
		deliveries []bellwire.DeliveryID
		events     bellwire.Append
	)
	for range many + 2 {
		next := *e
		next.Event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
		next.Deliveries = []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(next.Event.ID, 0), Endpoint: "ep_acme"}}
		deliveries, events.Events = append(deliveries, next.Deliveries[0].ID), append(events.Events, &next)
	}
	results, err := there.AppendEvents(t.Context(), []*bellwire.Append{&events})
	check(t, err)
	check(t, results[0].Err)
	told := func(l *listener, ids []bellwire.DeliveryID) func() bool {
		return func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			names := make(map[bellwire.DeliveryID]bool)
			for _, n := range l.notices {
				for _, id := range n.Canceled {
					names[id] = slices.Equal(n.Endpoints, []string{"ep_acme"})
				}
			}
			return !slices.ContainsFunc(ids, func(id bellwire.DeliveryID) bool { return !names[id] })
		}
	}
	_, err = there.CancelDelivery(t.Context(), "acme", deliveries[0], bellwire.ReasonCanceledOnRequest, time.Now())
	check(t, err)
	waitFor(t, told(owner, deliveries[:1]))

	now := bellwire.StoredTime(time.Now())
	job := &bellwire.Job{
		ID: bellwire.NewID[bellwire.JobIDKind](now), Tenant: "acme", Kind: bellwire.JobCancel, State: bellwire.JobRunning, CreatedAt: now, UpdatedAt: now,
		Params: bellwire.JobParams{Endpoint: "ep_acme", Until: now.Add(time.Hour), Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending}},
	}
	check(t, there.CreateJob(t.Context(), job, bellwire.JobBounds{OfTenant: 1, InAll: 1}))
	step := &bellwire.JobStep{Job: job, Endpoint: "ep_acme", Now: now}
	for _, id := range deliveries[1 : many+1] {
		step.Items = append(step.Items, bellwire.JobItem{Delivery: id})
	}
	progress, err := there.AdvanceJob(t.Context(), step)
	check(t, err)
	if len(progress.Deliveries) != many {
		t.Fatalf("the job has canceled %d", len(progress.Deliveries))
	}
	waitFor(t, told(owner, deliveries[1:many+1]))

	_, err = here.CancelDelivery(t.Context(), "acme", deliveries[many+1], bellwire.ReasonCanceledOnRequest, time.Now())
	check(t, err)
	marked := other.heard(ofTenant("marker"))
	check(t, here.tell(t.Context(), message{Tenant: "marker"}))
	waitFor(t, marked)
	if told(other, deliveries[many+1:])() {
		t.Error("the owner tells others what it cancels")
	}
}

// TestPeers: each node learns with its leases where the others take deliveries, and in which epochs they own what.
func TestPeers(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	here.SetAddress("10.0.0.1:7000")
	renew(t, here, "a")
	renew(t, there, "b")
	yield(t, here, "a")
	theirs := renew(t, there, "b")
	mine := renew(t, here, "a")
	if len(theirs.Peers) != 1 || len(mine.Peers) != 1 {
		t.Fatalf("%d and %d peers", len(theirs.Peers), len(mine.Peers))
	}
	a, b := theirs.Peers[0], mine.Peers[0]
	if a.Name != "a" || a.Address != "10.0.0.1:7000" || a.Instance != mine.Instance || a.Epochs != mine.Epochs {
		t.Errorf("the first is %+v, with the leases %+v", a, mine)
	}
	if b.Name != "b" || b.Address != "" || b.Instance != theirs.Instance || b.Epochs != theirs.Epochs {
		t.Errorf("the second is %+v, with the leases %+v", b, theirs)
	}
}

// TestForwardedIsNotAnnounced: nobody is notified of what is stored to be forwarded, unless it may not have arrived.
func TestForwardedIsNotAnnounced(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	leases := renew(t, here, "here")
	others := watch(t, here)
	silent, loud := publication(t, there, "silent"), publication(t, there, "loud")
	named, lost := others.heard(namesEndpoint("ep_silent")), others.heard(func(n bellwire.Notification) bool {
		return n.Search && slices.Contains(n.Endpoints, "ep_silent")
	})
	heard := others.heard(namesEndpoint("ep_loud"))
	silent.Deliveries[0].Epoch = -leases.Epoch("ep_silent")
	publish(t, there, silent)
	publish(t, there, loud)
	waitFor(t, heard)
	if named() {
		t.Error("its owner is notified of what is forwarded to it")
	}
	there.RequestSearch([]string{"ep_silent"})
	waitFor(t, lost)
}
