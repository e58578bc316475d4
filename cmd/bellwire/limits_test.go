package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/limits"
)

// Limits come from flags and from the file in either form, with the units that their values have.
func TestLimits(t *testing.T) {
	t.Parallel()
	want := limits.Default()
	want.Endpoints, want.ConfigurationBytes, want.MinRetryDelay, want.PublishRate, want.TestRate = 5000, 8<<20, 500*time.Millisecond, 0.5, 0
	list := "endpoints=5000,configuration_bytes = 8MiB, min_retry_delay=500ms,publish_rate=0.5,test_rate=0"
	mapping := "limit:\n  endpoints: 5000\n  configuration_bytes: 8MiB\n  min_retry_delay: 500ms\n  publish_rate: 0.5\n  test_rate: 0\n"
	flags := []string{"serve"}
	for _, pair := range strings.Split(list, ",") {
		flags = append(flags, "--limit", pair)
	}
	for name, read := range map[string]func() (*settings, error){
		"flags":    func() (*settings, error) { return parse(t, flags...) },
		"one flag": func() (*settings, error) { return parse(t, "serve", "--limit", list) },
		"list":     func() (*settings, error) { return configured(t, "limit: ["+list+"]\n") },
		"text":     func() (*settings, error) { return configured(t, "limit: "+list+"\n") },
		"mapping":  func() (*settings, error) { return configured(t, mapping) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := read()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if diff := cmp.Diff(want, s.limits()); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", name, diff)
			}
		})
	}
	for _, none := range []string{"limit:\n", "limit: {}\n", "limit: []\n", "limit: {endpoints: }\n"} {
		t.Run(none, func(t *testing.T) {
			s, err := configured(t, none)
			if err != nil {
				t.Errorf("%q: %v", none, err)
			} else if diff := cmp.Diff(limits.Default(), s.limits()); diff != "" {
				t.Errorf("%q: (-want +got)\n%s", none, diff)
			}
		})
	}
}

func TestBadLimits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"endpoints":                     `"endpoints" must be NAME=VALUE`,
		"endpoints=5,000":               "without commas",
		"endpoints=":                    "endpoints must be a whole number between 1 and 65,536",
		"endpoints=0":                   "endpoints must be a whole number between 1 and 65,536",
		"endpoints=65537":               "endpoints must be a whole number between 1 and 65,536",
		"endpoints=1.5":                 "endpoints must be a whole number between 1 and 65,536",
		"publish_rate=-1":               "publish_rate must be a number between 0.001 and 1,000,000, or 0 for no limit",
		"publish_rate=NaN":              "publish_rate must be a number between 0.001 and 1,000,000, or 0 for no limit",
		"publish_rate=+Inf":             "publish_rate must be a number between 0.001 and 1,000,000, or 0 for no limit",
		"configuration_bytes=1KiB":      "configuration_bytes must be a number of bytes between 256KiB and 256MiB",
		"min_retry_delay=2":             "min_retry_delay must be a time between 1ms and 1h",
		"min_retry_delay=0s":            "min_retry_delay must be a time between 1ms and 1h",
		"endpoint=5":                    `limit "endpoint" does not exist; known limits are endpoints, `,
		"event_retention=7d":            "event_retention must be set with --retention",
		"endpoints=1,endpoints=2":       "endpoints must be given once",
		"endpoints=1,publish_rate=none": "publish_rate must be",
	} {
		t.Run(value, func(t *testing.T) {
			_, err := parse(t, "serve", "--limit", value)
			if err == nil || !strings.Contains(err.Error(), "--limit") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", value, err, want)
			}
		})
	}
	for _, text := range []string{"limit: {endpoints: [1]}\n", "limit: [{endpoints: 1}]\n", "limit: {endpoints: 0}\n", "listen: {a: b}\n"} {
		t.Run(text, func(t *testing.T) {
			if _, err := configured(t, text); err == nil {
				t.Errorf("%q is taken", text)
			}
		})
	}
}

// The help names every limit.
func TestHelpNamesLimits(t *testing.T) {
	t.Parallel()
	options := make(map[string]string)
	for _, node := range model(t).Children {
		for _, flag := range node.Flags {
			if node.Name == "serve" {
				options[flag.Name] = flag.Help
			}
		}
	}
	for _, name := range limits.Names(false) {
		if !strings.Contains(options["limit"], name) {
			t.Errorf("the help of --limit does not name %s", name)
		}
	}
}

// A tenant can have a value of a limit that the server has another option for.
func TestRetentionOfATenant(t *testing.T) {
	t.Parallel()
	var v limitValue
	if err := v.UnmarshalText([]byte("event_retention=7d")); err != nil || v.limit != limits.EventRetention || v.wire() != "168h0m0s" {
		t.Errorf("%+v, %v", v, err)
	}
}
