// Package destination decides where deliveries may go: which URLs endpoints may have, and which addresses may be dialed. One Guard is
// used for registration and for dialing.
package destination

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrBlocked is the error for addresses that deliveries must not reach.
var ErrBlocked = errors.New("deliveries may not reach this address")

// Config configures a Guard, which by default allows all public addresses and no others.
type Config struct {
	Allow []netip.Prefix
	Deny  []netip.Prefix // takes precedence over Allow
	// Own returns the node's own addresses, which are refused unless they are in Allow; nil for none.
	Own func() []netip.Addr
}

// Guard decides which addresses deliveries may reach. It checks each address that is dialed, after name resolution, so that names
// with several or changing addresses cannot bypass it.
type Guard struct {
	allow, deny []netip.Prefix
	own         func() []netip.Addr
	public      *ssrf.Guardian
}

// New returns a Guard.
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

// services are the metadata and control services of clouds, which give machines secrets. Some have public addresses. A service is
// allowed only by a prefix of its address alone, so that no wider prefix allows it by mistake.
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

// Check returns an error that wraps ErrBlocked for an address that deliveries must not reach.
func (g *Guard) Check(addr netip.Addr) error {
	if g.allows(addr.WithZone("").Unmap()) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrBlocked, addr)
}

// Control is the Control function for a net.Dialer.
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
		// The prefix is for public addresses (RFC 6052, 3.1). A private one in it is in the gateway's network, not in an allowed one.
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

// IPv6 prefixes whose addresses lead to an IPv4 address.
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
		// A network uses a prefix in it. An address with a 48-bit prefix has zeros at its end.
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

// plainPrefixes converts prefixes of IPv4-mapped IPv6 addresses to IPv4.
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
