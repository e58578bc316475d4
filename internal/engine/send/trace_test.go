package send

import (
	"net/netip"
	"testing"
)

// A name's owner can have it lead to any address, and has no more addresses of the victim's than the victim has.
func TestAddressesAreCountedByMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		t.Run(address, func(t *testing.T) {
			if got := network(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s is counted as %q, want %q", address, got, want)
			}
		})
	}
}
