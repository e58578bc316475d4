package bellwire_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// about checks that err is nil, or an *Error with CodeInvalid about the given field.
func about(t *testing.T, what string, err error, field string) {
	t.Helper()
	var e *bellwire.Error
	switch {
	case err == nil && field == "":
	case !errors.As(err, &e) || e.Code != bellwire.CodeInvalid || e.Field != field || e.Message == "":
		t.Errorf("%.100s: got %v, want fault at %q", what, err, field)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"https://example.com", "http://example.com/", "HTTPS://EXAMPLE.COM/Path?a=b&c=%20", "https://example.com:8443/x",
		"http://127.0.0.1:8080/hook", "https://[2001:db8::1]:8443/", "https://example.com:443", "https://xn--mller-kva.example/",
		"https://example.com/a b/é", "https://example.com/?a={b}|c&d=%C3%A9",
		"https://example.com/" + strings.Repeat("a", bellwire.MaxURLLength-20),
	} {
		t.Run(fmt.Sprintf("%.60s", url), func(t *testing.T) {
			about(t, url, bellwire.CheckURL(url), "")
		})
	}
	for _, url := range []string{
		"", "example.com", "/hook", "//example.com/", "https:", "https://", "https:///hook", "https://:443/", "https:example.com", "http:/example.com",
		"ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "gopher://example.com/", "unix:///run/x.sock", "ws://example.com/",
		"https://user@example.com/", "https://user:hunter2@example.com/", "https://@example.com/", "https://example.com/#top",
		"https://example.com:0/", "https://example.com:65536/", "https://example.com:-1/", "https://example.com:http/",
		"https://example.com:99999999999999999999/", "https://example.com:22/", "http://example.com:25/", "http://example.com:6667/", "http://example.com:10080/",
		"https://exa mple.com/", "https://example.com/\n", "https://example.com/\x00", " https://example.com/", "https://[::1/", "https://%zz/",
		"https://example.com/?a b", "https://example.com/?é", "https://example.com/?a=\u00a0",
		"https://example.com/%zz", "https://example.com/" + strings.Repeat("a", bellwire.MaxURLLength-19),
	} {
		t.Run(fmt.Sprintf("%.60s", url), func(t *testing.T) {
			err := bellwire.CheckURL(url)
			about(t, url, err, "url")
			if err == nil {
				t.Errorf("%.100q is taken", url)
			} else if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes a password: %v", err)
			}
		})
	}
}

func TestCheckNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what  string
		check func(string) error
		field string
		good  []string
		bad   []string
	}{
		{
			"tenant", bellwire.CheckTenantID, "id",
			[]string{"a", "Z_9-", "123456789012", "-", strings.Repeat("x", 64)},
			[]string{"", strings.Repeat("x", 65), "a b", "a.b", "a/b", "ä", "a\n", "a\x00", "..", "a:b", "%61"},
		},
		{
			"event type", bellwire.CheckEventTypeName, "name",
			[]string{"a", "card.created", "ACCOUNT_UPDATER_BATCH_UPDATES", "a:b-c", strings.Repeat("x", 128)},
			[]string{"", strings.Repeat("x", 129), "card*", "a b", "a/b", "é", "a\n", "\"", "a\xff"},
		},
	} {
		for _, name := range tc.good {
			about(t, tc.what+" "+name, tc.check(name), "")
		}
		for _, name := range tc.bad {
			err := tc.check(name)
			about(t, tc.what+" "+name, err, tc.field)
			if err == nil {
				t.Errorf("%s %q is taken", tc.what, name)
			}
		}
	}
}

func TestCheckMetadataAndText(t *testing.T) {
	t.Parallel()
	entries := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprint(i)] = ""
		}
		return m
	}
	long := strings.Repeat("x", bellwire.MaxMetadataLength)
	for _, tc := range []struct {
		m    map[string]string
		good bool
	}{
		{nil, true}, {entries(bellwire.MaxMetadata), true}, {map[string]string{long: long}, true},
		{entries(bellwire.MaxMetadata + 1), false}, {map[string]string{"": "a"}, false},
		{map[string]string{long + "x": ""}, false}, {map[string]string{"a": long + "x"}, false},
	} {
		t.Run(fmt.Sprintf("%d entries", len(tc.m)), func(t *testing.T) {
			if err := bellwire.CheckMetadata(tc.m); (err == nil) != tc.good || err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%d entries: %v", len(tc.m), err)
			}
		})
	}
	about(t, "text", bellwire.CheckText("name", "four", 4), "")
	about(t, "text", bellwire.CheckText("name", "fives", 4), "name")
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for role, ofTenant := range map[bellwire.Role]bool{
		bellwire.RoleAdmin: false, bellwire.RolePublisher: false, bellwire.RoleTenant: true, bellwire.RoleTenantRead: true,
	} {
		t.Run(fmt.Sprint(role), func(t *testing.T) {
			if !role.Valid() || role.OfTenant() != ofTenant {
				t.Errorf("%s is valid: %t, of a tenant: %t", role, role.Valid(), role.OfTenant())
			}
		})
	}
	for _, role := range []bellwire.Role{"", "root", "Admin", "tenant-write"} {
		t.Run(fmt.Sprint(role), func(t *testing.T) {
			if role.Valid() || role.OfTenant() {
				t.Errorf("%q is taken", role)
			}
		})
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	e := &bellwire.Error{Code: bellwire.CodeInvalid, Field: "events[2]", Message: "is not known", Err: io.ErrUnexpectedEOF}
	if got, want := e.Error(), "events[2] is not known: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	for _, tc := range []struct {
		err  error
		want bellwire.Code
	}{
		{nil, ""},
		{io.EOF, bellwire.CodeInternal},
		{e, bellwire.CodeInvalid},
		{fmt.Errorf("while publishing: %w", e), bellwire.CodeInvalid},
		{errors.Join(io.EOF, e), bellwire.CodeInvalid},
		{bellwire.Errorf(bellwire.CodeTooLarge, "%d bytes", 5), bellwire.CodeTooLarge},
		{bellwire.Wrap(bellwire.CodeUnavailable, e, "no database"), bellwire.CodeUnavailable},
		{bellwire.NotFound("tenant", "acme"), bellwire.CodeNotFound},
	} {
		t.Run(fmt.Sprint(tc.err), func(t *testing.T) {
			if got := bellwire.CodeOf(tc.err); got != tc.want {
				t.Errorf("CodeOf(%v) = %q, want %q", tc.err, got, tc.want)
			}
		})
	}
	if got := bellwire.NotFound("tenant", "acme").Error(); got != `tenant "acme" does not exist` {
		t.Errorf("got %q", got)
	}
}

func TestShardsAreEven(t *testing.T) {
	t.Parallel()
	const each = 200
	var counts [bellwire.Shards]int
	random := rand.New(rand.NewPCG(1, 2))
	for i := range bellwire.Shards * each {
		// Ids as of one burst, which share many of their digits.
		id := fmt.Sprintf("ep_%012x7%03x%016x", 0x0198f2b4c1d2+i/4096, i%4096, random.Uint64()>>2|1<<63)
		counts[bellwire.ShardOf(id)]++
	}
	for shard, n := range counts {
		// Six standard deviations of an even spread.
		if n < each-85 || n > each+85 {
			t.Errorf("shard %d has %d endpoints, %d were expected", shard, n, each)
		}
	}
}

// The slots are in databases: they must never move.
func TestShardsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]int{"": 197, "a": 44, "ep_0198f2b4c1d27a3b8c4d5e6f70819203": 251} {
		if got := bellwire.ShardOf(endpoint); got != want {
			t.Errorf("ShardOf(%q) = %d, want %d", endpoint, got, want)
		}
	}
	var leases bellwire.Leases
	leases.Epochs[44] = 3
	if leases.Epoch("a") != 3 || leases.Epoch("") != 0 {
		t.Error("an endpoint is not in its shard's epoch")
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		cursor := bellwire.MakeCursor(key)
		if got, err := cursor.Key(len(key)); err != nil || !bytes.Equal(got, key) {
			t.Fatalf("%q gives %x, %v", cursor, got, err)
		}
		if _, err := cursor.Key(len(key) + 1); bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Fatalf("it is taken for a longer one: %v", err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("", 0)
	f.Add(string(bellwire.MakeCursor(make([]byte, 16))), 16)
	f.Add("AAAAAAAAAAAAAAAAAAAAAB", 16) // bits that stand for nothing
	f.Add("AAAA\nAAAA", 6)
	f.Add(base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe}), 2)
	f.Fuzz(func(t *testing.T, text string, size int) {
		key, err := bellwire.Cursor(text).Key(size)
		if err != nil {
			about(t, text, err, "cursor")
			return
		}
		if len(key) != size || string(bellwire.MakeCursor(key)) != text {
			t.Fatalf("%q of %d bytes gives %x", text, size, key)
		}
	})
}
