package lease

import (
	"sync"
	"time"
)

// Peers detects nodes that have stopped renewing, by this process's monotonic clock alone. The zero value is ready. It is safe
// for concurrent use.
type Peers struct {
	mu   sync.Mutex
	seen map[string]peer
}

// peer is what was observed of a node.
type peer struct {
	renewals int64
	since    time.Time // when the count was first seen
	last     time.Time // when it was last seen
}

// Observe records how often a node has renewed, and reports whether it is dead: whether that count has not changed for a
// whole term, while it was observed at least twice a term. After a longer gap, in which the database or this process was
// away, the term begins anew: the other nodes could not renew either.
func (p *Peers) Observe(node string, renewals int64, now time.Time, term time.Duration) (dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = make(map[string]peer)
	}
	seen, known := p.seen[node]
	if !known || seen.renewals != renewals || now.Sub(seen.last) > term/2 {
		seen = peer{renewals: renewals, since: now}
	}
	seen.last = now
	p.seen[node] = seen
	return now.Sub(seen.since) > term
}

// Age returns how long ago a node was seen to renew, if its count is the given one. A count that is new was renewed just now.
func (p *Peers) Age(node string, renewals int64, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seen, known := p.seen[node]; known && seen.renewals == renewals {
		return now.Sub(seen.since)
	}
	return 0
}

// Retain forgets all nodes that are not in the table.
func (p *Peers) Retain(t *Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.seen {
		if _, known := t.Nodes[id]; !known {
			delete(p.seen, id)
		}
	}
}
