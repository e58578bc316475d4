package destination

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// ownAge is how long the node's addresses are cached.
const ownAge = time.Minute

// NodeAddresses returns a function that returns the addresses of this node's interfaces. They are cached for a minute, and longer if
// they cannot be read.
func NodeAddresses() func() []netip.Addr {
	var (
		mu    sync.Mutex
		known []netip.Addr
		read  time.Time
	)
	return func() []netip.Addr {
		mu.Lock()
		defer mu.Unlock()
		if !read.IsZero() && time.Since(read) < ownAge {
			return known
		}
		read = time.Now()
		addresses, err := net.InterfaceAddrs()
		if err != nil {
			return known
		}
		known = nil
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				known = append(known, prefix.Addr().WithZone("").Unmap())
			}
		}
		return known
	}
}
