// Package lease decides which shards a node keeps, takes and gives away, from a table that a transaction has read. It
// does no I/O.
package lease

import (
	"cmp"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Table holds the nodes and the owners of all shards, as one transaction sees them.
type Table struct {
	Nodes  map[string]NodeState
	Shards [bellwire.Shards]Shard
}

// NodeState is what the table and this process's observation say of a node.
type NodeState struct {
	Instance [16]byte // the process that last renewed
	Leaving  bool     // it is draining and gets no more shards
	Dead     bool     // it has stopped renewing
	Address  string   // at which it takes forwarded deliveries; empty: it takes none
}

// Shard is the ownership of one shard.
type Shard struct {
	Owner string // empty: none
	Giver string // the node that gave it away, if there is no owner; empty: none
	Epoch int64
}

// Node is the node that renews its leases, as this process knows it.
type Node struct {
	Name     string
	Instance [16]byte
	Held     [bellwire.Shards]int64 // the epochs in which this process knows that it holds shards
}

// Plan is what a renewal does.
type Plan struct {
	Joins    bool                   // the process renews for the first time under its name
	Replaces bool                   // another process of that name did so before
	Nodes    int                    // live nodes that do not leave, and this one
	Keep     [bellwire.Shards]int64 // the epochs of the shards that the node keeps
	Surplus  []int                  // those of them that it must hand over
	Take     []int                  // free shards that it takes, each in a new epoch
	Give     []int                  // shards that are its own in the table only, and that it does not take
	Forget   []string               // nodes that have died
}

// Lives reports whether a node is known and has not died.
func (t *Table) Lives(node string) bool {
	n, known := t.Nodes[node]
	return known && !n.Dead
}

// Peers returns the other live nodes, with the shards that they own.
func (t *Table) Peers(me string) []bellwire.Peer {
	var peers []bellwire.Peer
	for _, id := range slices.Sorted(maps.Keys(t.Nodes)) {
		n := t.Nodes[id]
		if id == me || n.Dead {
			continue
		}
		p := bellwire.Peer{Name: id, Instance: n.Instance, Address: n.Address}
		for i, s := range t.Shards {
			if s.Owner == id {
				p.Epochs[i] = s.Epoch
			}
		}
		peers = append(peers, p)
	}
	return peers
}

// Plan decides what a renewal of me does: it keeps what it holds, and takes free shards up to its share. The shards of
// dead nodes are free.
//
// So are shards that are the node's in an epoch that this process does not know: an earlier process had them, or a
// renewal took them and its answer was lost. They get a new epoch even so, because deliveries that were claimed in the
// old one would never be free again.
func (t *Table) Plan(me Node) Plan {
	before, known := t.Nodes[me.Name]
	p := Plan{Joins: before.Instance != me.Instance}
	p.Replaces = known && p.Joins
	if p.Joins {
		me.Held = [bellwire.Shards]int64{}
	}
	var held, unknown, free []int
	for i, s := range t.Shards {
		switch {
		case s.Owner == me.Name && s.Epoch == me.Held[i]:
			held = append(held, i)
			p.Keep[i] = s.Epoch
		case s.Owner == me.Name:
			unknown, free = append(unknown, i), append(free, i)
		case !t.Lives(s.Owner):
			free = append(free, i)
		}
	}
	share, nodes := t.share(me.Name, p.Joins)
	p.Nodes = nodes
	p.Surplus = held[min(share, len(held)):]
	p.Take = free[:min(max(share-len(held), 0), len(free))]
	p.Give = slices.DeleteFunc(unknown, func(i int) bool { return slices.Contains(p.Take, i) })
	for id, n := range t.Nodes {
		if n.Dead && id != me.Name {
			p.Forget = append(p.Forget, id)
		}
	}
	slices.Sort(p.Forget)
	return p
}

// share returns how many shards a node should have: as many as the others, give or take one. The nodes that hold most
// keep one more, so that no shard moves without need. It also returns how many nodes share.
func (t *Table) share(me string, joins bool) (share, nodes int) {
	held := make(map[string]int)
	for _, s := range t.Shards {
		held[s.Owner]++
	}
	if joins {
		held[me] = 0
	}
	staying := make([]string, 0, len(t.Nodes)+1)
	for id, n := range t.Nodes {
		if id != me && !n.Dead && !n.Leaving {
			staying = append(staying, id)
		}
	}
	if t.Nodes[me].Leaving && !joins {
		return 0, len(staying) + 1
	}
	staying = append(staying, me)
	slices.SortFunc(staying, func(a, b string) int {
		return cmp.Or(cmp.Compare(held[b], held[a]), cmp.Compare(a, b))
	})
	share = bellwire.Shards / len(staying)
	if slices.Index(staying, me) < bellwire.Shards%len(staying) {
		share++
	}
	return share, len(staying)
}

// Origin returns which node a shard that node takes comes from, and why. The caller counts Takeover.Shards.
func (t *Table) Origin(shard int, node string) bellwire.Takeover {
	switch s := t.Shards[shard]; {
	case s.Owner == node:
		return bellwire.Takeover{From: node, Why: bellwire.TakeoverRestarted}
	case s.Owner != "":
		return bellwire.Takeover{From: s.Owner, Why: bellwire.TakeoverExpired}
	case s.Giver != "":
		return bellwire.Takeover{From: s.Giver, Why: bellwire.TakeoverHanded}
	}
	return bellwire.Takeover{Why: bellwire.TakeoverUnowned}
}
