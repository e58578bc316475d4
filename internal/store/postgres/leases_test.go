package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// count returns how many shards leases hold.
func count(l *bellwire.Leases) (n int) {
	for _, epoch := range l.Epochs {
		if epoch != 0 {
			n++
		}
	}
	return n
}

func renew(t *testing.T, s testStore, node string) *bellwire.Leases {
	t.Helper()
	l, err := s.RenewLeases(t.Context(), node)
	check(t, err)
	return l
}

// yield renews the leases, and releases the shards beyond the node's share.
func yield(t *testing.T, s testStore, node string) *bellwire.Leases {
	t.Helper()
	l := renew(t, s, node)
	check(t, s.HandOver(t.Context(), node, l.ToRelease, false))
	for _, shard := range l.ToRelease {
		l.Epochs[shard] = 0
	}
	return l
}

func TestLeasesAreShared(t *testing.T) {
	t.Parallel()
	a := newStore(t, Options{LeaseTerm: time.Hour})
	b := openAt(t, a.url, a.options)
	c := openAt(t, a.url, a.options)
	if n := count(renew(t, a, "a")); n != 256 {
		t.Fatalf("the first node has %d shards", n)
	}
	if n := count(renew(t, b, "b")); n != 0 {
		t.Fatalf("the second has %d before the first gave any", n)
	}
	if l := renew(t, a, "a"); count(l) != 256 || len(l.ToRelease) != 128 || l.Nodes != 2 {
		t.Fatalf("of %d shards %d are too many", count(l), len(l.ToRelease))
	}
	if n := count(renew(t, b, "b")); n != 0 {
		t.Fatalf("the second has %d before the first handed any over", n)
	}
	first := yield(t, a, "a")
	second := renew(t, b, "b")
	if count(first) != 128 || count(second) != 128 {
		t.Fatalf("two nodes have %d and %d shards", count(first), count(second))
	}
	for shard := range first.Epochs {
		if first.Epochs[shard] != 0 == (second.Epochs[shard] != 0) {
			t.Fatalf("the shard %d has two owners, or none", shard)
		}
		if second.Epochs[shard] == 1 {
			t.Fatalf("the shard %d changed its owner and not its epoch", shard)
		}
	}
	if n := renew(t, c, "c").Nodes; n != 3 {
		t.Fatalf("there are %d nodes", n)
	}
	again := yield(t, a, "a")
	for shard, epoch := range again.Epochs {
		if epoch != 0 && epoch != first.Epochs[shard] {
			t.Fatalf("the shard %d moved without need", shard)
		}
	}
	got := []int{count(again), count(yield(t, b, "b")), count(renew(t, c, "c"))}
	if slices.Max(got) > 86 || got[0]+got[1]+got[2] != 256 {
		t.Fatalf("three nodes have %v shards", got)
	}
	check(t, a.ReleaseLeases(t.Context(), "a"))
	if n := renew(t, b, "b").Nodes; n != 2 {
		t.Fatalf("two of three nodes are left, and there are %d", n)
	}
	if n := count(renew(t, b, "b")) + count(renew(t, c, "c")); n != 256 {
		t.Fatalf("after one has left the others have %d shards", n)
	}
}

// TestTakeoversAreExplained has shards change hands in every way.
func TestTakeoversAreExplained(t *testing.T) {
	t.Parallel()
	const term = 200 * time.Millisecond
	a := newStore(t, Options{LeaseTerm: term})
	took := func(when string, l *bellwire.Leases, want ...bellwire.Takeover) {
		t.Helper()
		if diff := cmp.Diff(want, l.Acquired); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	took("first of all", renew(t, a, "a"), bellwire.Takeover{Shards: 256, Why: bellwire.TakeoverUnowned})
	took("nothing is new", renew(t, a, "a"))
	b := openAt(t, a.url, a.options)
	renew(t, b, "b")
	yield(t, a, "a")
	took("handed over", renew(t, b, "b"), bellwire.Takeover{Shards: 128, From: "a", Why: bellwire.TakeoverHanded})
	again := openAt(t, a.url, a.options)
	took("started again", renew(t, again, "a"), bellwire.Takeover{Shards: 128, From: "a", Why: bellwire.TakeoverRestarted})
	check(t, again.ReleaseLeases(t.Context(), "a"))
	took("released", renew(t, b, "b"), bellwire.Takeover{Shards: 128, From: "a", Why: bellwire.TakeoverHanded})
	var taken *bellwire.Leases
	waitFor(t, func() bool { // b has died
		taken = renew(t, a, "c")
		return count(taken) > 0
	})
	took("expired", taken, bellwire.Takeover{Shards: 256, From: "b", Why: bellwire.TakeoverExpired})
}

// TestLeavingNodeGetsNoMore has a node give away one shard after the other.
func TestLeavingNodeGetsNoMore(t *testing.T) {
	t.Parallel()
	a := newStore(t, Options{LeaseTerm: time.Hour})
	b := openAt(t, a.url, a.options)
	renew(t, a, "a")
	renew(t, b, "b")
	yield(t, a, "a")
	renew(t, b, "b")
	check(t, a.HandOver(t.Context(), "a", []int{0, 1, 2}, true))
	left := renew(t, a, "a")
	if count(left) != 125 || len(left.ToRelease) != 125 {
		t.Fatalf("who leaves has %d shards, of which it may keep %d", count(left), count(left)-len(left.ToRelease))
	}
	if n := count(renew(t, b, "b")); n != 131 {
		t.Fatalf("who stays has %d shards", n)
	}
	fresh := openAt(t, a.url, a.options) // is started again while the old one drains
	if n := count(renew(t, fresh, "a")); n != 125 {
		t.Fatalf("who comes back has %d shards", n)
	}
	if l := renew(t, fresh, "a"); len(l.ToRelease) > 0 {
		t.Fatalf("who comes back is still taken to be leaving")
	}
}

func TestLeasesOfTheDeadAreTaken(t *testing.T) {
	t.Parallel()
	const term = 200 * time.Millisecond
	a := newStore(t, Options{LeaseTerm: term})
	b := openAt(t, a.url, a.options)
	old := renew(t, a, "a")
	start := time.Now()
	var taken *bellwire.Leases
	waitFor(t, func() bool {
		taken = renew(t, b, "b")
		return count(taken) > 0
	})
	if waited := time.Since(start); waited < term {
		t.Errorf("they were taken after %v", waited)
	}
	if count(taken) != 256 || taken.Epochs[7] != old.Epochs[7]+1 {
		t.Errorf("%d shards were taken, one in epoch %d after %d", count(taken), taken.Epochs[7], old.Epochs[7])
	}
	if back := renew(t, a, "a"); count(back) != 0 {
		t.Errorf("who came back has %d shards at once", count(back))
	}
}

// TestLeasesOutliveAnAbsence lets no node renew for long, as when the database was unavailable: no node is declared dead
// for that.
func TestLeasesOutliveAnAbsence(t *testing.T) {
	t.Parallel()
	const term = 100 * time.Millisecond
	a := newStore(t, Options{LeaseTerm: term})
	b := openAt(t, a.url, a.options)
	renew(t, a, "a")
	renew(t, b, "b")
	before := yield(t, a, "a")
	renew(t, b, "b")
	time.Sleep(3 * term) // there is nothing to wait for
	renew(t, b, "b")
	if after := renew(t, a, "a"); after.Epochs != before.Epochs {
		t.Error("shards have changed their owner")
	}
}

// TestLeasesOfAnOldProcess starts a node anew while its process before still runs, and then kills the new one.
func TestLeasesOfAnOldProcess(t *testing.T) {
	t.Parallel()
	old := newStore(t, Options{LeaseTerm: 300 * time.Millisecond})
	fresh := openAt(t, old.url, old.options)
	before, after := renew(t, old, "a"), renew(t, fresh, "a")
	if count(after) != 256 || after.Epochs[0] <= before.Epochs[0] {
		t.Fatalf("the new process has %d shards, in epoch %d after %d", count(after), after.Epochs[0], before.Epochs[0])
	}
	_, err := old.RenewLeases(t.Context(), "a")
	refused(t, err, bellwire.CodeConflict, "--node")
	check(t, old.HandOver(t.Context(), "a", []int{0, 1}, true))
	check(t, old.ReleaseLeases(t.Context(), "a"))
	if again := renew(t, fresh, "a"); again.Epochs != after.Epochs {
		t.Fatal("the old one gave away what it did not have")
	}
	waitFor(t, func() bool { // the new one is dead from here on
		leases, err := old.RenewLeases(t.Context(), "a")
		return err == nil && count(leases) == 256
	})
}

// TestStoppedNodeDelaysNoOthers stops a node in the middle of a claim and of a renewal, which keep rows locked: other nodes
// go on, and get those rows once the server has ended the transaction.
func TestStoppedNodeDelaysNoOthers(t *testing.T) {
	t.Parallel()
	const term = 200 * time.Millisecond
	dead := newStore(t, Options{LeaseTerm: term})
	other := openAt(t, dead.url, dead.options)
	renew(t, dead, "dead")
	for _, sql := range []string{
		"SELECT FROM bellwire.shards WHERE shard = 7 FOR SHARE",
		"SELECT FROM bellwire.meta WHERE name = 'leases' FOR UPDATE",
	} {
		stopped, err := dead.pool.Begin(t.Context())
		check(t, err)
		_, err = stopped.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 500; "+sql)
		check(t, err)
		waitFor(t, func() bool {
			leases := renew(t, other, "other")
			return count(leases) == 256 && leases.Epochs[7] != 0
		})
		_ = stopped.Rollback(t.Context()) // the server has ended it
	}
}

// TestClocksMayDiffer runs nodes whose clocks differ by a quarter of an hour: none is declared dead, and an event of one
// node is due at once on the other.
func TestClocksMayDiffer(t *testing.T) {
	t.Parallel()
	const apart, term = 7 * time.Minute, 400 * time.Millisecond
	fast := newStore(t, Options{LeaseTerm: term, Now: func() time.Time { return time.Now().Add(apart) }})
	slow := openAt(t, fast.url, Options{LeaseTerm: term, NoSync: true, Now: func() time.Time { return time.Now().Add(-apart) }})
	e := publication(t, fast, "acme")
	renew(t, fast, "fast")
	renew(t, slow, "slow")
	before := [2]*bellwire.Leases{yield(t, fast, "fast"), renew(t, slow, "slow")}
	for start := time.Now(); time.Since(start) < 2*term; time.Sleep(term / 8) { // they live on for longer than a lease
		if now := [2]*bellwire.Leases{renew(t, fast, "fast"), renew(t, slow, "slow")}; now[0].Epochs != before[0].Epochs || now[1].Epochs != before[1].Epochs {
			t.Fatal("shards have changed their owner")
		}
	}
	e.Event.CreatedAt = fast.options.Now()
	publish(t, fast, e)
	check(t, fast.ReleaseLeases(t.Context(), "fast"))
	leases := renew(t, slow, "slow")
	due, err := storetest.DueEndpoints(t.Context(), slow, leases)
	check(t, err)
	now := slow.options.Now()
	if len(due) != 1 || due[0].At.After(slow.options.Now()) {
		t.Fatalf("what is due is %+v at %v", due, now)
	}
	claimed, err := slow.ClaimDue(t.Context(), now, []bellwire.Claim{{Endpoint: "ep_acme", Epoch: leases.Epoch("ep_acme"), Limit: 10, ManualLimit: 100, MaxBytes: 100}})
	check(t, err)
	if len(claimed[0].Due) != 1 {
		t.Error("it cannot be claimed yet")
	}
}

// TestTransactionsEnd checks that the server ends transactions that a stopped node has begun.
func TestTransactionsEnd(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{LeaseTerm: 5 * time.Second})
	check(t, s.write(t.Context(), func(tx *tx) error {
		var setting string
		if err := tx.row("SHOW idle_in_transaction_session_timeout").Scan(&setting); err != nil {
			return err
		}
		if setting != "2500ms" {
			t.Errorf("a transaction may stand still for %s", setting)
		}
		return nil
	}))
}

// cluster is a set of nodes that join, leave, die and freeze at random. It tracks which node owns which shard by the
// results of the store.
type cluster struct {
	t    *testing.T
	url  string
	term time.Duration
	// patience is how long to wait until a node is found dead.
	patience time.Duration
	nodes    []*clusterNode
	count    int
	epochs   [bellwire.Shards]int64 // the highest that anybody was given
}

type clusterNode struct {
	name   string
	store  testStore
	leases *bellwire.Leases
	asked  time.Time
	yields bool // it hands over what it is asked for, as one does in which nothing is under way
}

func (c *cluster) join(rt *rapid.T) {
	if len(c.nodes) == 6 {
		return
	}
	c.count++
	n := &clusterNode{
		name:  fmt.Sprintf("node%d", rapid.IntRange(0, 9).Draw(rt, "name")),
		store: openAt(c.t, c.url, Options{NoSync: true, LeaseTerm: c.term, Connections: MinConnections}), yields: true,
	}
	for slices.ContainsFunc(c.nodes, func(other *clusterNode) bool { return other.name == n.name }) {
		n.name += "x"
	}
	c.nodes = append(c.nodes, n)
	c.renew(rt, n)
}

func (c *cluster) any(rt *rapid.T) *clusterNode {
	if len(c.nodes) == 0 {
		return nil
	}
	return c.nodes[rapid.IntRange(0, len(c.nodes)-1).Draw(rt, "node")]
}

func (c *cluster) forget(n *clusterNode) {
	c.nodes = slices.DeleteFunc(c.nodes, func(other *clusterNode) bool { return other == n })
	_ = n.store.Close() // its renewals end with it, whatever it has
}

// renew renews the leases of a node, and checks that they do not conflict with those of others.
func (c *cluster) renew(rt *rapid.T, n *clusterNode) {
	asked := time.Now()
	leases, err := n.store.RenewLeases(context.Background(), n.name)
	if err != nil {
		rt.Fatal(err)
	}
	before := n.leases
	n.leases, n.asked = leases, asked
	for shard, epoch := range leases.Epochs {
		if epoch == 0 || before != nil && before.Epochs[shard] == epoch {
			continue
		}
		if epoch <= c.epochs[shard] {
			rt.Fatalf("the shard %d was taken in epoch %d after %d", shard, epoch, c.epochs[shard])
		}
		c.epochs[shard] = epoch
		for _, other := range c.nodes {
			relies := other != n && other.leases != nil && other.leases.Epochs[shard] != 0 && asked.Before(other.asked.Add(c.term))
			if relies {
				rt.Fatalf("%s took the shard %d while %s relied on it", n.name, shard, other.name)
			}
		}
	}
	if n.yields && len(leases.ToRelease) > 0 {
		if err := n.store.HandOver(context.Background(), n.name, leases.ToRelease, false); err != nil {
			rt.Fatal(err)
		}
		for _, shard := range leases.ToRelease {
			leases.Epochs[shard] = 0
		}
	}
}

// settle has all renew until nothing has changed for long enough that the dead are found, and checks that the spread is
// even then. It must come to that.
func (c *cluster) settle(rt *rapid.T) {
	if len(c.nodes) == 0 {
		return
	}
	start := time.Now()
	for quiet := start; !c.settled() || time.Since(quiet) <= c.patience; {
		if time.Since(start) > patience {
			rt.Fatalf("the shards are not spread: %v", c.held())
		}
		before := c.owners()
		for _, n := range c.nodes {
			n.yields = true
			c.renew(rt, n)
		}
		if before != c.owners() {
			quiet = time.Now()
		}
	}
}

func (c *cluster) held() map[string]int {
	held := make(map[string]int)
	for _, n := range c.nodes {
		held[n.name] = count(n.leases)
	}
	return held
}

func (c *cluster) settled() bool {
	total, least, most := 0, bellwire.Shards, 0
	for _, n := range c.held() {
		total, least, most = total+n, min(least, n), max(most, n)
	}
	return total == bellwire.Shards && most-least <= 1
}

// TestLeasesAreExclusive checks the invariants while nodes come and go: a shard has at most one owner, each new
// owner has a new epoch, and without further changes the shards are spread evenly and stay.
func TestLeasesAreExclusive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := &cluster{t: t, url: server.NewDatabase(t, template), term: 100 * time.Millisecond, patience: 150 * time.Millisecond}
		defer func() {
			for _, n := range c.nodes {
				_ = n.store.Close() // the test is over
			}
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"join": c.join,
			"renew": func(rt *rapid.T) {
				if n := c.any(rt); n != nil {
					c.renew(rt, n)
				}
			},
			"renew all": func(rt *rapid.T) {
				for _, n := range c.nodes {
					c.renew(rt, n)
				}
			},
			"die": func(rt *rapid.T) {
				if n := c.any(rt); n != nil {
					c.forget(n)
				}
			},
			"leave": func(rt *rapid.T) {
				n := c.any(rt)
				if n == nil {
					return
				}
				if err := n.store.ReleaseLeases(context.Background(), n.name); err != nil {
					rt.Fatal(err)
				}
				c.forget(n)
			},
			"cling": func(rt *rapid.T) { // something is under way for long
				if n := c.any(rt); n != nil {
					n.yields = false
				}
			},
			"pass": func(rt *rapid.T) {
				time.Sleep(time.Duration(rapid.IntRange(1, int(c.term*3/2)).Draw(rt, "time"))) // it is what the test is about
			},
		})
		c.settle(rt)
	})
}

// TestMovesAreFew lets one node after another join and leave: a new node gets its share, a leaving node releases its
// shards, and no other shard moves.
func TestMovesAreFew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := &cluster{t: t, url: server.NewDatabase(t, template), term: time.Hour}
		defer func() {
			for _, n := range c.nodes {
				_ = n.store.Close() // the test is over
			}
		}()
		c.join(rt)
		for range rapid.IntRange(1, 6).Draw(rt, "changes") {
			before := c.owners()
			gone := ""
			if rapid.Bool().Draw(rt, "leaves") && len(c.nodes) > 1 {
				n := c.any(rt)
				gone = n.name
				if err := n.store.ReleaseLeases(context.Background(), n.name); err != nil {
					rt.Fatal(err)
				}
				c.forget(n)
			} else {
				c.join(rt)
			}
			c.settle(rt)
			after := c.owners()
			newcomer := c.nodes[len(c.nodes)-1].name
			for shard := range before {
				if before[shard] == after[shard] || before[shard] == gone || gone == "" && after[shard] == newcomer {
					continue
				}
				rt.Fatalf("the shard %d moved from %s to %s: %s", shard, before[shard], after[shard], cmp.Diff(before, after))
			}
		}
	})
}

// owners tells who holds each shard.
func (c *cluster) owners() (owners [bellwire.Shards]string) {
	for _, n := range c.nodes {
		for shard, epoch := range n.leases.Epochs {
			if epoch != 0 {
				owners[shard] = n.name
			}
		}
	}
	return owners
}

// TestHoldNamesTheOwner asks another node for the owner of an endpoint.
func TestHoldNamesTheOwner(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	leases := renew(t, s, "a")
	other := openAt(t, s.url, Options{NoSync: true})
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme"}, bellwire.ChangeNote{}))
	holdOf := func() *bellwire.Hold {
		holds, err := other.Holds(t.Context(), map[string]int64{"ep": 0})
		check(t, err)
		return holds["ep"]
	}
	hold := holdOf()
	if hold.Node != "a" || hold.Epoch != leases.Epoch("ep") {
		t.Errorf("the owner is %+v, want node a in epoch %d", hold, leases.Epoch("ep"))
	}
	check(t, s.ReleaseLeases(t.Context(), "a"))
	hold = holdOf()
	if hold.Node != "" {
		t.Errorf("the owner is %q, and it has left", hold.Node)
	}
}
