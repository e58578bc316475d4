package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/cli"
)

// Finer statistics are not kept longer than coarser ones, and traces do not begin where they cannot be recorded.
func TestRefusedCombinations(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                         "",
		"--statistics-minutes 59m": "must be between 1h and 18250d (50 years)",
		"--statistics-hours 23h":   "must be between 24h and 18250d (50 years)",
		"--statistics-days 18251d": "must be between 24h and 18250d (50 years)",
		"--statistics-minutes 61d": "--statistics-hours: must not be shorter than --statistics-minutes",
		"--statistics-hours 731d":  "--statistics-days: must not be shorter than --statistics-hours",
		"--statistics-minutes 730d --statistics-hours 730d": "",
		"--trace-ratio 0.1":                                                              "must be given together with --otlp-endpoint",
		"--trace-ratio 1.1 --otlp-endpoint http://c":                                     "must be between 0 and 1",
		"--trace-ratio NaN --otlp-endpoint http://c":                                     "must be between 0 and 1",
		"--trace-ratio 0.1 --otlp-endpoint http://c":                                     "",
		"--alert-email ops@example.com":                                                  "--smtp-url: must be given together with --alert-email",
		"--alert-email ops@example.com --smtp-url smtp://m":                              "--smtp-from: must be given together with --alert-email",
		"--alert-email ops@example.com --smtp-url smtp://m --smtp-from a@b.example":      "",
		"--alert-email Ops<ops@example.com> --smtp-url smtp://m --smtp-from a@b.example": "must be an e-mail address such as ops@example.com",
		"--smtp-from x": "must be an e-mail address such as ops@example.com",
		"--alert-email a@b.example --alert-email a@b.example": "must not be given twice",
		"--smtp-url http://m":            "must be smtp://user:password@host:587",
		"--smtp-url smtp://u:p/x@m":      "must be smtp://user:password@host:587",
		"--smtp-url smtp://u@m":          "must have both a user name and a password",
		"--smtp-url smtps://u:p@m:465":   "",
		"--otlp-endpoint collector:4318": "must be an absolute http or https URL",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, append([]string{"serve"}, strings.Fields(args)...)...)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("refused as %v, want %q", err, want)
			}
		})
	}
}

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"sqlite://bellwire.db":                      "bellwire.db",
		"sqlite://./data/../bellwire.db":            "bellwire.db",
		"sqlite:///var/lib/bellwire/b.db":           "/var/lib/bellwire/b.db",
		"sqlite://with space/ünï.db":                "with space/ünï.db",
		"sqlite://":                                 "",
		"sqlite:///":                                "",
		"sqlite://dir/":                             "",
		"sqlite:// bellwire.db":                     "",
		`sqlite://"bellwire.db"`:                    "",
		"sqlite://bellwire.db?mode=ro":              "",
		"sqlite:bellwire.db":                        "",
		"bellwire.db":                               "",
		"":                                          "",
		"postgres://user:hunter2@host":              "",
		"postgres://user:hunter2@[/base":            "",
		"postgres://user:1/hunter2@h/base":          "",
		"postgres://user:p@w/hunter2@h/base":        "",
		"postgres://%2Fvar%2Frun%2Fpostgresql/base": "",
		"postgres://host/base?pool_max_conns=4":     "",
		"postgres://host/?sslmode=disable":          "",
		"mysql://user:hunter2@host/base":            "",
	} {
		t.Run(raw, func(t *testing.T) {
			var d databaseURL
			err := d.UnmarshalText([]byte(raw))
			if d.path != want || (err == nil) != (want != "") {
				t.Errorf("%q is the file %q (%v), want %q", raw, d.path, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the password: %v", err)
			}
		})
	}
}

func TestDatabaseURLOfPostgres(t *testing.T) {
	t.Parallel()
	for raw, shown := range map[string]string{
		"postgres://user:hunter2@host/base":                   "postgres://host/base",
		"postgresql://host:5433/base?password=hunter2":        "postgresql://host:5433/base",
		"postgres://user:hunter2@one,two:5433/base?a=b#":      "postgres://one,two:5433/base",
		"postgres:///base?host=/var/run/postgresql&user=user": "postgres:///base?host=/var/run/postgresql",
		"postgres://user:hunter2@host/?dbname=base":           "postgres://host/?dbname=base",
		"postgres://user:p%40w%2Fhunter2@host/base":           "postgres://host/base",
	} {
		t.Run(raw, func(t *testing.T) {
			d := databaseURL{path: "the default"}
			if err := d.UnmarshalText([]byte(raw)); err != nil || d.postgres != raw || d.path != "" || d.String() != shown {
				t.Errorf("%q is %q (%v), shown as %q, want %q", raw, d.postgres, err, d, shown)
			}
		})
	}
}

func TestKeysetIsBesideTheDatabase(t *testing.T) {
	t.Parallel()
	s := settings{storage: storage{DatabaseURL: databaseURL{path: "/var/lib/bellwire/bellwire.db"}}}
	if got, want := s.keysetPath(), filepath.FromSlash("/var/lib/bellwire/bellwire.keyset"); got != want {
		t.Errorf("the keyset is %s, want %s", got, want)
	}
	s.KeysetFile = "elsewhere"
	if got := s.keysetPath(); got != "elsewhere" {
		t.Errorf("the keyset is %s, not where it was put", got)
	}
}

func TestNetworkIsMasked(t *testing.T) {
	t.Parallel()
	var n network
	if err := n.UnmarshalText([]byte("10.1.2.3/8")); err != nil || n.String() != "10.0.0.0/8" {
		t.Errorf("10.1.2.3/8 is %s (%v), want 10.0.0.0/8", n, err)
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	environ := []string{
		"HOME=/root", "BELLWIRE_LISTEN=127.0.0.1:1", "BELLWIRE_ALLOW_NETWORK=10.0.0.0/8", "BELLWIRE_SECRET=hunter2",
		"BELLWIRE_KEY=hunter2", "BELLWIRE_ADMINKEY=hunter2", "BELLWIRE_LISTEN_ADDRESS=",
		// Kubernetes sets these for a service named bellwire.
		"BELLWIRE_SERVICE_HOST=10.0.0.1", "BELLWIRE_SERVICE_PORT=80", "BELLWIRE_SERVICE_PORT_HTTP=80", "BELLWIRE_PORT=tcp://10.0.0.1:80",
		"BELLWIRE_PORT_80_TCP=tcp://10.0.0.1:80", "BELLWIRE_PORT_80_TCP_ADDR=10.0.0.1",
	}
	want := []string{"BELLWIRE_ADMINKEY", "BELLWIRE_ALLOW_NETWORK"}
	if got := cli.UnknownVariables(model(t), environ); !slices.Equal(got, want) {
		t.Errorf("unknown are %q, want %q", got, want)
	}
}

// Every command's help can be printed, and shows an example of each command that has options of its own.
func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	parser, err := newParser(streams{out: &out, err: &out})
	if err != nil {
		t.Fatal(err)
	}
	exited := -1
	parser.Exit = func(code int) { exited = code }
	for _, node := range parser.Model.Children {
		if node.Hidden || node.Name == "version" {
			continue
		}
		out.Reset()
		exited = -1
		// kong would have ended the process after the help, so its later errors do not matter.
		parser.Parse([]string{node.Name, "--help"})
		if exited != exitOK || !strings.Contains(out.String(), "  bellwire "+node.Name) {
			t.Errorf("bellwire %s --help ended with %d and no example:\n%s", node.Name, exited, &out)
		}
	}
}
