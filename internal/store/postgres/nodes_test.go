package postgres

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestTell: a message reaches other nodes, and not its sender.
func TestTell(t *testing.T) {
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
	there := openAt(t, here.url, here.options)
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
