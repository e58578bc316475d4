package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/cli"
	"github.com/bellwire/bellwire/internal/doctor"
)

// parse reads a command line. It returns the options of serve, which are zero for other commands.
func parse(t *testing.T, args ...string) (*settings, error) {
	t.Helper()
	parser := parsers.take(t)
	defer parsers.give(parser)
	root := parser.Model.Node
	_, err := parser.Parse(cli.WithoutEmptyOptions(args, root))
	s := root.Target.Addr().Interface().(*commands).Serve.settings
	return &s, err
}

// parsers are those of command lines that are not in use: making one takes much longer than reading a command line with it.
var parsers parserPool

type parserPool struct {
	mu   sync.Mutex
	free []*kong.Kong
}

// take returns a parser whose commands are as those of a new one.
func (p *parserPool) take(t *testing.T) *kong.Kong {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.free) - 1; last >= 0 {
		parser := p.free[last]
		p.free = p.free[:last]
		return parser
	}
	parser, err := newParser(streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func (p *parserPool) give(parser *kong.Kong) {
	*parser.Model.Node.Target.Addr().Interface().(*commands) = commands{}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, parser)
}

// configured reads the command line of a serve with a configuration file.
func configured(t *testing.T, text string) (*settings, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwire.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return parse(t, "serve", "--config", path)
}

const goodKey = "a-key-of-good-length"

// White space around a value is removed, whatever the option and the source of the value.
func TestWhiteSpaceAroundValues(t *testing.T) {
	t.Parallel()
	for _, space := range []string{"\n", "\r\n", " ", "\t", "\u00a0"} {
		t.Run(space, func(t *testing.T) {
			want, err := parse(t, "serve", "--admin-key", goodKey, "--database-url", "sqlite://other.db", "--keyset-file", "other.keyset",
				"--allow-network", "10.0.0.0/8", "--allow-network", "127.0.0.0/8", "--dialects", "lemon,atelio", "--log-format", "json",
				"--drain-timeout", "5s", "--max-event-bytes", "100", "--sandbox=true")
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(t, "serve", "--admin-key", goodKey+space, "--database-url", space+"sqlite://other.db"+space,
				"--keyset-file", "other.keyset"+space, "--allow-network", "10.0.0.0/8,"+space+"127.0.0.0/8"+space,
				"--dialects", "lemon"+space+",atelio", "--log-format", "json"+space, "--drain-timeout", "5s"+space,
				"--max-event-bytes", space+"100", "--sandbox=true"+space)
			if err != nil {
				t.Errorf("%q: %v", space, err)
				return
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{}, databaseURL{}), cmp.Comparer(sameNetwork)); diff != "" {
				t.Errorf("%q: (-without +with)\n%s", space, diff)
			}
		})
	}
}

func sameNetwork(a, b network) bool { return a.Prefix == b.Prefix }

// A block of YAML ends with a line's end.
func TestWhiteSpaceInTheFile(t *testing.T) {
	t.Parallel()
	s, err := configured(t, "admin-key: |\n  "+goodKey+"\ndatabase-url: >\n  sqlite://other.db\nallow-network: [' 10.0.0.0/8', '']\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.AdminKey != goodKey || s.DatabaseURL.path != "other.db" || len(s.AllowNetwork) != 1 {
		t.Errorf("%+v", s)
	}
}

// Wrong values are refused with the option's name and without the value, which can be a secret.
func TestInvalidAdminKeys(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"hunter2hunter2\nhunter2":   "U+000A",
		"hunter2hunter2\x00hunter2": "U+0000",
		"\ufeffhunter2hunter2":      "U+FEFF",
		"hunter2\u200bhunter2hunt":  "U+200B",
		`"hunter2hunter2hunter2"`:   "quotes",
		`'hunter2hunter2hunter2'`:   "quotes",
		" “hunter2hunter2hunter2” ": "quotes",
		"hunter2hunter2hunter2\xe9": "UTF-8",
		"hunter2":                   "at least 16 characters",
	} {
		t.Run(value, func(t *testing.T) {
			_, err := parse(t, "serve", "--admin-key", value)
			if err == nil || !strings.Contains(err.Error(), "--admin-key") || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %s", value, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the value: %v", err)
			}
		})
	}
}

// Every option of every command and every argument is read through tidy.
func TestAllValuesAreTidied(t *testing.T) {
	t.Parallel()
	var look func(node *kong.Node)
	look = func(node *kong.Node) {
		for _, v := range node.Values() {
			if _, ok := v.Mapper.(cli.TidyMapper); !ok {
				t.Errorf("%s of %s is read as it comes", v.ShortSummary(), node.FullPath())
			}
		}
		for _, child := range node.Children {
			look(child)
		}
	}
	look(model(t))
}

// Options of the server that have an empty value count as not given.
func TestEmptyMeansUnset(t *testing.T) {
	t.Parallel()
	want, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	same := func(t *testing.T, got *settings, err error) {
		t.Helper()
		options := []cmp.Option{cmp.AllowUnexported(settings{}, databaseURL{}), cmp.Comparer(sameNetwork)}
		if diff := cmp.Diff(want, got, options...); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	flags := serverFlags(t)
	t.Run("with an equals sign", func(t *testing.T) {
		args := []string{"serve"}
		for _, flag := range flags {
			args = append(args, "--"+flag.Name+"=")
		}
		got, err := parse(t, args...)
		same(t, got, err)
	})
	t.Run("as an argument", func(t *testing.T) {
		args := []string{"serve"}
		for _, flag := range flags {
			if !flag.IsBool() {
				args = append(args, "--"+flag.Name, " ")
			}
		}
		got, err := parse(t, append(args, "--sandbox=no")...)
		same(t, got, err)
	})
	for _, empty := range []string{"", "''", "' '", "~", "[]", "['']"} {
		t.Run("in the file/"+empty, func(t *testing.T) {
			var file strings.Builder
			for _, flag := range flags {
				if flag.Name != "config" && (flag.IsSlice() || !strings.HasPrefix(empty, "[")) {
					fmt.Fprintf(&file, "%s: %s\n", flag.Name, empty)
				}
			}
			got, err := configured(t, file.String())
			same(t, got, err)
		})
	}
}

// serverFlags returns the flags of serve that can also be variables.
func serverFlags(t *testing.T) []*kong.Flag {
	t.Helper()
	var flags []*kong.Flag
	for _, node := range model(t).Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			if len(flag.Envs) > 0 {
				flags = append(flags, flag)
			}
		}
	}
	if len(flags) == 0 {
		t.Fatal("serve has no flags")
	}
	return flags
}

// Options without a variable cannot be given elsewhere: an empty value is a script's mistake.
func TestEmptyValuesOfCommands(t *testing.T) {
	t.Parallel()
	publish := []string{"publish", "--key", goodKey, "--type", "a"}
	for _, args := range [][]string{
		append(publish, "--tenant", "acme", "--data", ""),
		append(publish, "--tenant", "acme", "--data="),
		append(publish, "--tenant", "acme", "--data", " \n"),
		append(publish, "--tenant", "acme", "--file", ""),
		{"keys", "delete", "--key", goodKey, "--tenant", "", "key_1"},
		{"keys", "delete", "--key", goodKey, ""},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			if _, err := parse(t, args...); err == nil || !strings.Contains(err.Error(), "the value is empty") {
				t.Errorf("%q: %v", args, err)
			}
		})
	}
}

// JSON is published as it is given, and may stand in quotes; bytes that are no UTF-8 would be changed on the way.
func TestDataIsVerbatim(t *testing.T) {
	t.Parallel()
	for data, good := range map[string]bool{`"text"`: true, " [1,\n2] ": true, "-1": true, "\"\xe9\"": false} {
		t.Run(data, func(t *testing.T) {
			_, err := parse(t, "publish", "--key", goodKey, "--tenant", "acme", "--type", "a", "--data", data)
			if good != (err == nil) || err != nil && !strings.Contains(err.Error(), "--data: the value must be UTF-8") {
				t.Errorf("%q: %v", data, err)
			}
		})
	}
	const keyset = "{\n  \"primaryKeyId\": 1\n}\n"
	if s, err := parse(t, "serve", "--keyset", keyset); err != nil || s.Keyset != keyset {
		t.Errorf("the keyset is %q (%v)", s.Keyset, err)
	}
}

// A negative value is passed to the option, whose error says what it must be.
func TestNegativeValues(t *testing.T) {
	t.Parallel()
	if _, err := parse(t, "serve", "--drain-timeout", "-1s"); err == nil || !strings.Contains(err.Error(), "--drain-timeout: must be longer than 0s") {
		t.Error(err)
	}
}

// A number that is none is refused in the option's own words.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ option, value, want string }{
		{"--database-connections", "many", `--database-connections: "many" must be a whole number`},
		{"--database-connections", "1.5", `"1.5" must be a whole number`},
		{"--database-connections", "99999999999999999999", "must be a whole number"},
	} {
		if _, err := parse(t, "serve", c.option, c.value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.option, c.value, err, c.want)
		}
	}
	if _, err := parse(t, "listen", "--fail-rate", "often"); err == nil || !strings.Contains(err.Error(), `--fail-rate: "often" must be a number`) {
		t.Error(err)
	}
}

// Dialects that deliver this server's URL need one that can be called.
func TestUnspecifiedAddressNeedsPublicURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:8080", "[::]:8080", ":8080", "[::ffff:0.0.0.0]:80"} {
		t.Run(address, func(t *testing.T) {
			_, err := parse(t, "serve", "--listen", address)
			if err == nil || !strings.Contains(err.Error(), "akkuro and bluefin") || !strings.Contains(err.Error(), "--dialects") {
				t.Errorf("%s: %v", address, err)
			}
			for _, way := range [][]string{{"--public-url", "https://webhooks.example.com"}, {"--dialects", "standard"}, {"--dialects", "lemon,atelio"}} {
				if _, err := parse(t, append([]string{"serve", "--listen", address}, way...)...); err != nil {
					t.Errorf("%s %q: %v", address, way, err)
				}
			}
			if _, err := parse(t, "serve", "--listen", address, "--dialects", "lemon,bluefin"); err == nil || strings.Contains(err.Error(), "akkuro") {
				t.Errorf("%s: %v", address, err)
			}
		})
	}
	for _, address := range []string{"127.0.0.1:8080", "10.1.2.3:80", "bellwire.internal:80", "[::1]:80"} {
		t.Run(address, func(t *testing.T) {
			if _, err := parse(t, "serve", "--listen", address); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		})
	}
}

// Paths are put behind the public URL, and customers are given it.
func TestPublicURL(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"webhooks.example.com", "ftp://a.example", "https://", "https://:8080", "http://0.0.0.0:8080", "http://[::]:8080", "http://[::ffff:0.0.0.0]",
		"https://user:hunter2@a.example", "https://a.example/?a=b", "https://a.example?", "https://a.example/#b", "https://a.example/%zz",
	} {
		t.Run(text, func(t *testing.T) {
			if _, err := parse(t, "serve", "--public-url", text); err == nil || !strings.Contains(err.Error(), "--public-url") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
	for _, text := range []string{"https://a.example", "https://a.example/", "http://10.1.2.3:8080/hooks", "http://[::1]:8080"} {
		t.Run(text, func(t *testing.T) {
			if _, err := parse(t, "serve", "--public-url", text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
}

// A misspelt key is reported with the one that was probably meant.
func TestUnknownKey(t *testing.T) {
	t.Parallel()
	_, err := configured(t, "database_url: sqlite://a.db\n")
	if err == nil || !strings.Contains(err.Error(), "database_url (did you mean database-url?)") || strings.Contains(err.Error(), "cpu-profile") {
		t.Error(err)
	}
}

// A proposal can be pasted as it is.
func TestProposalsCanBePasted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run([]string{"serve", "--retenion", "1h"}, streams{out: &out, err: &out}); code != exitUsage || !strings.Contains(out.String(), `did you mean "--retention"?`) {
		t.Errorf("%d: %s", code, &out)
	}
}

func TestProxyVariables(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"HTTP_PROXY": "http://user:secret@proxy:3128", "https_proxy": "proxy", "ALL_PROXY": " ", "NO_PROXY": "x"}
	got := doctor.ProxyVariables(func(name string) string { return environment[name] })
	if diff := cmp.Diff([]string{"HTTP_PROXY", "https_proxy"}, got); diff != "" {
		t.Error(diff)
	}
}
