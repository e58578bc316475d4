// Package share divides shared resources among owners, so that no owner can take them from the others. Owners are mostly tenants.
//
// A Pool divides units that are held for a while, such as bytes of memory or requests in flight. A Gate bounds how many callers
// proceed at a time, and lets the others wait fairly. Rates bound how often each owner does something.
package share

import "sync"

// Fits reports whether an owner that holds the given number of units may take n more of the free ones. An owner that holds none may
// take all free units. Otherwise it must leave as many free as it then holds, and at least the reserve. So no owner has more than
// half, and the reserve is for owners without units.
func Fits(held, n, free, reserve int64) bool {
	if n > free {
		return false
	}
	return held == 0 || free-n >= max(held+n, reserve)
}

// Pool divides the units of a resource by Fits. It is safe for concurrent use.
type Pool struct {
	reserve int64

	mu   sync.Mutex
	free int64
	held map[string]int64 // by owner; only owners with units
}

// NewPool returns a Pool of total units, of which reserve are for owners without units.
func NewPool(total, reserve int64) *Pool {
	return &Pool{reserve: reserve, free: total, held: make(map[string]int64)}
}

// Take takes n units for an owner, all or none, and reports whether it did.
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

// Fits reports whether Take would take n units for an owner.
func (p *Pool) Fits(owner string, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Fits(p.held[owner], n, p.free, p.reserve)
}

// Give returns n units of an owner.
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

// Free returns the number of free units. Only tests use it.
func (p *Pool) Free() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free
}
