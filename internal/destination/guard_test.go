package destination_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/destination"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func own() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("203.0.114.7"), netip.MustParseAddr("2606:4700::7"), netip.MustParseAddr("10.0.0.7")}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	guards := map[string]*destination.Guard{
		"default":      destination.New(destination.Config{Own: own}),
		"private":      destination.New(destination.Config{Allow: prefixes("10.0.0.0/8", "fd00::/8", "127.0.0.1/32", "::ffff:192.168.0.0/112"), Own: own}),
		"all":          destination.New(destination.Config{Allow: prefixes("0.0.0.0/0", "::/0"), Own: own}),
		"denied":       destination.New(destination.Config{Allow: prefixes("10.0.0.0/8"), Deny: prefixes("10.1.0.0/16", "8.8.8.0/24", "2606:4700::/32", "::ffff:9.9.9.0/120"), Own: own}),
		"no NAT64":     destination.New(destination.Config{Deny: prefixes("64:ff9b::/96")}),
		"NAT64":        destination.New(destination.Config{Allow: prefixes("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")}),
		"one of Azure": destination.New(destination.Config{Allow: prefixes("168.63.129.16/32")}),
	}
	for _, c := range []struct {
		guard     string
		reachable string
		blocked   string
	}{
		{
			"default",
			"8.8.8.8 1.1.1.1 93.184.216.34 223.255.255.254 11.0.0.1 172.15.255.255 172.32.0.1 192.167.0.1 192.169.0.1 100.63.255.255 100.128.0.1 168.63.129.15 " +
				"2606:4700::1111 2001:4860:4860::8888 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808 64:ff9b::8.8.8.8",
			"0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 " +
				"192.0.0.1 192.0.0.192 192.0.2.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 203.0.114.7 " +
				":: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:168.63.129.16 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 ff02::1 2001:db8::1 2606:4700::7 " +
				"64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::168.63.129.16 64:ff9b::203.0.114.7 64:ff9b:1::8.8.8.8 64:ff9b:1::7f00:1 2002:7f00:1:: 2002:808:808:: 2001::1 100::1 5f00::1 4000::1",
		},
		{
			"private",
			"10.0.0.1 10.0.0.7 fd00::1 fd00::1%eth0 127.0.0.1 ::ffff:127.0.0.1 192.168.1.1 ::ffff:192.168.1.1 64:ff9b::8.8.8.8 8.8.8.8",
			"127.0.0.2 ::1 fc00::1 172.16.0.1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 203.0.114.7 2606:4700::7 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 169.254.169.254",
		},
		{
			"all",
			"0.0.0.0 10.0.0.1 127.0.0.1 ::1 fe80::1 169.254.1.1 203.0.114.7 64:ff9b:1::10.0.0.1 2002:a00:1::",
			"168.63.129.16 169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 " +
				"64:ff9b::169.254.169.254 64:ff9b:1::169.254.169.254 2002:a9fe:a9fe:: 2001::5601:5601",
		},
		{
			"denied",
			"10.0.0.1 10.2.0.1 8.8.4.4 64:ff9b::8.8.4.4",
			"10.1.0.1 8.8.8.8 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b::10.1.0.1 2606:4700::1 2606:4700::1%x 9.9.9.9 127.0.0.1",
		},
		{"no NAT64", "8.8.8.8", "64:ff9b::8.8.8.8"},
		{
			"NAT64",
			"64:ff9b::8.8.8.8 64:ff9b:1::8.8.8.8 64:ff9b:1:808:8:800:: 2002:808:808::1 2001:0:808:808::f7f7:f7f7",
			"64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::7f00:1 64:ff9b:1:7f00:0:100:: 2002:7f00:1::1 2001:0:808:808::80ff:fffe 2001:0:7f00:1::f7f7:f7f7 ::7f00:1",
		},
		{"one of Azure", "168.63.129.16 64:ff9b::168.63.129.16", "169.254.169.254 10.0.0.1"},
	} {
		t.Run(c.guard, func(t *testing.T) {
			for want, list := range map[bool]string{true: c.reachable, false: c.blocked} {
				for text := range strings.FieldsSeq(list) {
					addr, err := netip.ParseAddr(text)
					if err != nil {
						t.Fatal(err)
					}
					err = guards[c.guard].Check(addr)
					if (err == nil) != want || err != nil && !errors.Is(err, destination.ErrBlocked) {
						t.Errorf("%s: %s: %v", c.guard, text, err)
					}
				}
			}
		})
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	g := destination.New(destination.Config{})
	for target, want := range map[[2]string]bool{
		{"tcp4", "8.8.8.8:443"}: true, {"tcp6", "[2606:4700::1]:443"}: true,
		{"udp4", "8.8.8.8:443"}: false, {"tcp4", "8.8.8.8"}: false, {"tcp4", "10.0.0.1:80"}: false, {"unix", "/x"}: false,
	} {
		t.Run(fmt.Sprint(target), func(t *testing.T) {
			if err := g.Control(target[0], target[1], nil); (err == nil) != want || err != nil && !errors.Is(err, destination.ErrBlocked) {
				t.Errorf("%v: %v", target, err)
			}
		})
	}
}

func TestNodeAddresses(t *testing.T) {
	t.Parallel()
	addresses := destination.NodeAddresses()
	first := addresses()
	if len(first) == 0 || len(addresses()) != len(first) {
		t.Errorf("this machine has %v, then %v", first, addresses())
	}
	for _, addr := range first {
		if addr.Zone() != "" || addr.Is4In6() {
			t.Errorf("%s is not in its plain form", addr)
		}
	}
}

// FuzzCheck: whatever form an address has, it is not reachable if the IPv4 address in it is not.
func FuzzCheck(f *testing.F) {
	for _, v4 := range []uint32{0x7f000001, 0x0a000001, 0x08080808, 0xa83f8110, 0xa9fea9fe} {
		f.Add(v4, uint64(1))
	}
	g := destination.New(destination.Config{Allow: prefixes("::/0"), Deny: prefixes("8.8.0.0/16")})
	plain := destination.New(destination.Config{Deny: prefixes("8.8.0.0/16")})
	f.Fuzz(func(t *testing.T, v4 uint32, rest uint64) {
		b := [4]byte{byte(v4 >> 24), byte(v4 >> 16), byte(v4 >> 8), byte(v4)}
		want := plain.Check(netip.AddrFrom4(b)) == nil
		mapped := netip.AddrFrom4(b).As16()
		well := [16]byte{0, 0x64, 0xff, 0x9b, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
		if got := g.Check(netip.AddrFrom16(well)) == nil; got != want {
			t.Errorf("%v through NAT64: %t, want %t", b, got, want)
		}
		if got := g.Check(netip.AddrFrom16(mapped)) == nil; got != want {
			t.Errorf("%v mapped: %t, want %t", b, got, want)
		}
		six := [16]byte{0x20, 2, b[0], b[1], b[2], b[3]}
		for i := range 8 {
			six[8+i] = byte(rest >> (8 * i))
		}
		if got := g.Check(netip.AddrFrom16(six)) == nil; got != want {
			t.Errorf("%v by 6to4: %t, want %t", b, got, want)
		}
	})
}
