package destination

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// NormalizeURL returns an endpoint's URL as it is stored and used: without surrounding white space, and with its host in lower-case
// ASCII (RFC 5891), so that the dialed host, the TLS server name and the Host header are equal. Everything else stays unchanged. Its
// error has CodeInvalid and the field "url".
func NormalizeURL(raw string) (string, error) {
	raw = strings.TrimFunc(raw, blank)
	if err := bellwire.CheckURL(raw); err != nil {
		return "", err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", bellwire.Invalid("url", "must be an absolute http or https URL")
	}
	if strings.HasPrefix(u.Host, "[") {
		return raw, nil // an IPv6 address
	}
	host, err := NormalizeHost(u.Hostname())
	if err != nil {
		return "", err
	}
	start := strings.Index(raw, "://") + len("://")
	end := start + strings.IndexAny(raw[start:]+"/", "/?#")
	if port := strings.LastIndexByte(raw[start:end], ':'); port >= 0 {
		end = start + port
	}
	normalized := raw[:start] + host + raw[end:]
	return normalized, bellwire.CheckURL(normalized)
}

// blank reports whether a character is white space or invisible, such as the zero width space and the byte order mark, which copying
// can add to a URL.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// NormalizeHost returns the name of a host in lower-case ASCII. Its error has CodeInvalid and the field "url".
func NormalizeHost(host string) (string, error) {
	lower := strings.ToLower(host)
	if isASCII(host) && !strings.HasPrefix(lower, "xn--") && !strings.Contains(lower, ".xn--") {
		return lower, nil // even if it is not valid by IDNA, because internal networks use such names
	}
	name, rooted := strings.CutSuffix(host, ".")
	ascii, err := lookup.ToASCII(name)
	if err != nil || !utf8.ValidString(name) {
		return "", bellwire.Invalid("url", "must have a valid internationalized domain name as its host")
	}
	if rooted {
		ascii += "."
	}
	return ascii, nil
}

// lookup is idna.Lookup with checks of the length of names and labels.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// CheckURL refuses a normalized URL whose host is an address that deliveries must not reach, in any notation that some resolver
// accepts. The addresses of a name are checked when it is dialed. Its error has CodeInvalid and the field "url".
func (g *Guard) CheckURL(normalized string) error {
	u, err := url.Parse(normalized)
	if err != nil {
		return bellwire.Invalid("url", "must be an absolute http or https URL")
	}
	host := u.Hostname()
	addresses := addressesOf(host)
	if len(addresses) == 0 || slices.ContainsFunc(addresses, func(a netip.Addr) bool { return g.Check(a) == nil }) {
		return nil
	}
	return bellwire.Invalid("url", "must lead to a public address; %.64s is private, reserved or not allowed on this server", host)
}

// addressesOf returns the addresses of a host that is an address itself, or a name of this machine (RFC 6761).
func addressesOf(host string) []netip.Addr {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	if addr, ok := parseOldIPv4(name); ok {
		return []netip.Addr{addr}
	}
	return nil
}

// parseOldIPv4 parses an IPv4 address as the C library does: one to four numbers, decimal, octal or hexadecimal, of which the last
// fills the remaining bytes.
func parseOldIPv4(text string) (netip.Addr, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		n, ok := parseOldNumber(part)
		room := 1 // bytes
		if i == len(parts)-1 {
			room = 4 - i
		}
		if !ok || n >= 1<<(8*room) {
			return netip.Addr{}, false
		}
		sum = sum<<(8*room) | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

func parseOldNumber(text string) (uint64, bool) {
	if text == "" || strings.ContainsAny(text, "_+-") {
		return 0, false
	}
	base := 10
	switch {
	case strings.HasPrefix(text, "0x"):
		text, base = text[2:], 16
		if text == "" {
			return 0, true // as WHATWG's URL standard has it
		}
	case len(text) > 1 && text[0] == '0':
		text, base = text[1:], 8
	}
	n, err := strconv.ParseUint(text, base, 64)
	return n, err == nil
}
