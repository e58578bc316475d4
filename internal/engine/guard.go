package engine

import (
	"errors"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// guard decides which addresses deliveries may reach. It is asked for each address that is really dialled,
// after name resolution, so that a name which resolves to several addresses or changes them is no way in.
type guard struct {
	inner *ssrf.Guardian
}

func newGuard(allowed []netip.Prefix) *guard {
	var v4, v6 []netip.Prefix
	for _, p := range allowed {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return &guard{ssrf.New(
		ssrf.WithAnyPort(), // ports are checked when an endpoint is registered
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		// Multicast is in no special-purpose registry, and no webhook listens there.
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("224.0.0.0/4")),
	)}
}

// control is a net.Dialer's Control.
func (g *guard) control(network, address string, conn syscall.RawConn) error {
	return g.inner.Safe(network, address, conn)
}

// blocked tells whether err is a refusal by a guard.
func blocked(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedNetwork)
}
