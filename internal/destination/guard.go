// Package destination says where deliveries may go: which URLs an endpoint may have, and which addresses may be reached.
// Registration and dialling ask the same Guard.
package destination

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrBlocked is what an address is refused with.
var ErrBlocked = errors.New("deliveries may not reach this address")

// Config says what a Guard lets through beyond the public addresses, and what it refuses of these.
type Config struct {
	Allow []netip.Prefix
	Deny  []netip.Prefix // wins over Allow
	// Own returns the node's own addresses, which are refused unless they are in Allow; nil: none.
	Own func() []netip.Addr
}

// Guard decides which addresses deliveries may reach. It is asked for each address that is really dialled, after name
// resolution, so that a name which resolves to several addresses or changes them is no way in.
type Guard struct {
	allow, deny []netip.Prefix
	own         func() []netip.Addr
	public      *ssrf.Guardian
}

// New makes a Guard.
func New(c Config) *Guard {
	if c.Own == nil {
		c.Own = func() []netip.Addr { return nil }
	}
	return &Guard{
		allow: plainPrefixes(c.Allow), deny: plainPrefixes(c.Deny), own: c.Own,
		public: ssrf.New(
			ssrf.WithAnyPort(), // ports are checked when an endpoint is registered
			// Multicast is in no special-purpose registry, and no webhook listens there.
			ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("224.0.0.0/4")),
		),
	}
}

// services are those of clouds that every machine in them can reach, and that tell it secrets or take its orders. Some
// have public addresses. They are allowed only by a prefix that is theirs alone, so that no wide one opens them by mistake.
var services = []netip.Addr{
	netip.MustParseAddr("168.63.129.16"),   // Azure: WireServer
	netip.MustParseAddr("169.254.169.254"), // metadata in most clouds
	netip.MustParseAddr("169.254.170.2"),   // AWS: credentials of ECS tasks
	netip.MustParseAddr("169.254.170.23"),  // AWS: credentials of EKS pods
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud: metadata
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud: metadata
	netip.MustParseAddr("fd00:ec2::254"),   // AWS: metadata
	netip.MustParseAddr("fd00:ec2::23"),    // AWS: credentials of EKS pods
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud: metadata
}

// Check refuses an address that deliveries may not reach, with an ErrBlocked.
func (g *Guard) Check(addr netip.Addr) error {
	if g.allows(addr.WithZone("").Unmap()) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBlocked, addr)
}

// Control is a net.Dialer's Control.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s is not TCP", ErrBlocked, network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	}
	return g.Check(target.Addr())
}

func (g *Guard) allows(addr netip.Addr) bool {
	if within(g.deny, addr) {
		return false
	}
	inner := embedded(addr)
	for _, v4 := range inner {
		if !g.allows(v4) {
			return false
		}
	}
	switch {
	case nat64.Contains(addr):
		// It is for public addresses (RFC 6052, 3.1). A private one behind it is the gateway's, and not what was allowed here.
		return g.public.SafeAddr(inner[0]) == nil || within(g.allow, addr)
	case slices.Contains(services, addr):
		return slices.Contains(g.allow, netip.PrefixFrom(addr, addr.BitLen()))
	case within(g.allow, addr):
		return true
	case slices.Contains(g.own(), addr):
		return false
	}
	return g.public.SafeAddr(addr) == nil
}

// Prefixes of IPv6 whose addresses lead to an IPv4 address.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")      // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")      // RFC 4380
	compatible = netip.MustParsePrefix("::/96")          // RFC 4291, 2.5.5.1
)

// embedded returns the IPv4 addresses that an IPv6 address leads to.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	last := netip.AddrFrom4([4]byte(b[12:]))
	switch {
	case nat64.Contains(addr):
		return []netip.Addr{last}
	case nat64Local.Contains(addr):
		// A network chooses a prefix in it. In the form for one of 48 bits, the address has nothing behind it.
		if b[8] == 0 && [5]byte(b[11:]) == [5]byte{} {
			return []netip.Addr{netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})}
		}
		return []netip.Addr{last}
	case sixToFour.Contains(addr):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case teredo.Contains(addr): // its server, and its client in disguise
		return []netip.Addr{netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case compatible.Contains(addr) && addr != netip.IPv6Unspecified() && addr != netip.IPv6Loopback():
		return []netip.Addr{last}
	}
	return nil
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// plainPrefixes writes prefixes of IPv4 addresses in IPv6 as those of IPv4.
func plainPrefixes(prefixes []netip.Prefix) []netip.Prefix {
	plain := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		plain[i] = p.Masked()
	}
	return plain
}
