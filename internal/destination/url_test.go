package destination_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
)

func TestNormalizeURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		// The given parts are kept.
		"https://example.com/":                                 "https://example.com/",
		"https://example.com":                                  "https://example.com",
		"https://example.com?x":                                "https://example.com?x",
		"HTTPS://example.com:8443/Path/%7e/a+b;c//../?Q=%20&r": "HTTPS://example.com:8443/Path/%7e/a+b;c//../?Q=%20&r",
		"https://example.com/ü/BÜCHER.example":                 "https://example.com/ü/BÜCHER.example",
		"https://example.com./x":                               "https://example.com./x",
		"https://my_service:8080/x":                            "https://my_service:8080/x",
		"http://127.1/":                                        "http://127.1/",
		"http://[2001:DB8::1]:80/X":                            "http://[2001:DB8::1]:80/X",
		"http://[fe80::1%25eth0]/":                             "http://[fe80::1%25eth0]/",
		"http://[::ffff:8.8.8.8]/":                             "http://[::ffff:8.8.8.8]/",
		"https://xn--bcher-kva.example/":                       "https://xn--bcher-kva.example/",
		"https://a-very--long.example/":                        "https://a-very--long.example/",
		// The host is written as it is looked up.
		"https://EXAMPLE.com/Path":           "https://example.com/Path",
		"https://Example.COM:443?A=B":        "https://example.com:443?A=B",
		"https://BÜCHER.example/x":           "https://xn--bcher-kva.example/x",
		"https://bu\u0308cher.example:444/x": "https://xn--bcher-kva.example:444/x",
		"https://XN--BCHER-KVA.example/":     "https://xn--bcher-kva.example/",
		"https://例。jp/x":                     "https://xn--fsq.jp/x",
		"https://b%C3%BCcher.example/":       "https://xn--bcher-kva.example/",
		"https://faß.de/":                    "https://xn--fa-hia.de/",
		"http://１２７．０．０．１:80/":               "http://127.0.0.1:80/",
		// White space around it is dropped.
		" https://example.com/hook ":           "https://example.com/hook",
		"\t\r\nhttps://example.com/hook?a\r\n": "https://example.com/hook?a",
		"\ufeffhttps://example.com/hook":       "https://example.com/hook",
		"https://example.com/hook\u00a0":       "https://example.com/hook",
		"https://example.com/a\u200cb\u200b":   "https://example.com/a\u200cb",
	} {
		t.Run(raw, func(t *testing.T) {
			got, err := destination.NormalizeURL(raw)
			if err != nil || got != want {
				t.Errorf("%q becomes %q, %v; want %q", raw, got, err, want)
			}
			if again, err := destination.NormalizeURL(got); err != nil || again != got {
				t.Errorf("%q becomes %q, %v the second time", got, again, err)
			}
		})
	}
	for _, raw := range []string{
		"", " ", "https://", "https://a b/", "https://xn--a.example/", "https://xn--0.example/", "https://-ü.example/", "https://\u200d.example/",
		"https://" + strings.Repeat("ü", 70) + ".example/", "https://example.com/\u00a0?\u00a0x", "ftp://example.com/", "https://ü..example/",
	} {
		t.Run(raw, func(t *testing.T) {
			if got, err := destination.NormalizeURL(raw); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%q becomes %q, %v", raw, got, err)
			}
		})
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	g := destination.New(destination.Config{Allow: prefixes("10.20.0.0/16", "::1/128")})
	for _, c := range []struct {
		hosts string
		taken bool
	}{
		{"example.com 8.8.8.8 134744072 010.8.8.8 8.8 0x8.0x8.0x8.0x8 [2606:4700::1] [64:ff9b::8.8.8.8] 10.20.0.1 0xa140001 localhost LOCALHOST. a.localhost [::1] 1.2.3.4.5 256.1.1.1 0x.example 10.example metadata.google.internal", true},
		{"127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7F.1 017700000001 0177.0.0.1 127.0.0.1. 0 0x 0.0.0.0 10.0.0.1 10.1 167772161 192.168.0.1 169.254.169.254 " +
			"168.63.129.16 2822734096 [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [fe80::1%25eth0] [fd00::1] [64:ff9b::127.0.0.1] [2002:7f00:1::] 255.255.255.255 100.100.100.200", false},
	} {
		for host := range strings.FieldsSeq(c.hosts) {
			normalized, err := destination.NormalizeURL("http://" + host + ":8080/x")
			if err == nil {
				err = g.CheckURL(normalized)
			}
			if (err == nil) != c.taken || err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
}

// FuzzNormalizeURL: normalizing twice changes nothing more, and only the host may differ from the input.
func FuzzNormalizeURL(f *testing.F) {
	for _, raw := range []string{"https://BÜCHER.example:1/a?b", " http://a/ ", "https://xn--fa-hia.de", "http://0x7f.1/", "http://[::1]:2/%zz", "http://a:/"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := destination.NormalizeURL(raw)
		if err != nil {
			return
		}
		if again, err := destination.NormalizeURL(got); err != nil || again != got {
			t.Fatalf("%q becomes %q, then %q, %v", raw, got, again, err)
		}
		before, err1 := url.Parse(strings.TrimFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }))
		after, err2 := url.Parse(got)
		if err1 != nil || err2 != nil || before.Path != after.Path || before.RawQuery != after.RawQuery || before.Port() != after.Port() || before.Scheme != after.Scheme {
			t.Fatalf("%q becomes %q: %v, %v", raw, got, err1, err2)
		}
	})
}
