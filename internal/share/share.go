// Package share divides what all owners have in common, so that none of them can take it from the others. An owner is
// mostly a tenant.
//
// A Pool divides units that are held for a while, such as bytes of memory or requests in flight. A Gate lets so many in at
// a time and has the others wait, owner by owner. Rates bound how often each owner may do something.
package share

import "sync"

// Fits reports whether an owner who holds so many units may take n more, when so many are free. Who holds nothing may take
// what is free. Who holds something must leave as much free as it then holds, and at least the reserve: so one owner never
// has more than half, and the reserve is for those who have nothing yet.
func Fits(held, n, free, reserve int64) bool {
	if n > free {
		return false
	}
	return held == 0 || free-n >= max(held+n, reserve)
}

// Pool is the units of one resource, divided by Fits. It is safe for concurrent use.
type Pool struct {
	total, reserve int64

	mu   sync.Mutex
	free int64
	held map[string]int64 // by owner; only those who hold something
}

// NewPool makes a Pool of so many units, of which the reserve is for owners who hold nothing.
func NewPool(total, reserve int64) *Pool {
	return &Pool{total: total, reserve: reserve, free: total, held: make(map[string]int64)}
}

// Take takes n units for an owner, and reports whether it may have them now. It never takes a part of them.
func (p *Pool) Take(owner string, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !Fits(p.held[owner], n, p.free, p.reserve) {
		return false
	}
	p.free -= n
	if n > 0 {
		p.held[owner] += n
	}
	return true
}

// Give gives back n units that an owner has taken.
func (p *Pool) Give(owner string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > p.held[owner] {
		panic("share: an owner gave back more than it has")
	}
	p.free += n
	if p.held[owner] -= n; p.held[owner] == 0 {
		delete(p.held, owner)
	}
}

// Free returns how many units nobody has.
func (p *Pool) Free() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free
}
