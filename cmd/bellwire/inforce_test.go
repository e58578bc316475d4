package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/service"
)

// inForceAfter returns the settings of a command line, by name.
func inForceAfter(t *testing.T, args ...string) map[string]service.Setting {
	t.Helper()
	parser, err := newParser(streams{})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string]service.Setting)
	for _, s := range inForce(parsed) {
		settings[s.Name] = s
	}
	return settings
}

// secretWords are words in names of options whose values must not be shown.
var secretWords = regexp.MustCompile(`(^|-)(key|keyset|secret|password|passphrase|token|credentials)$`)

// TestSecretSettings walks all options of the server. Each with a secret's name is a secret, and no secret's value is listed.
func TestSecretSettings(t *testing.T) {
	t.Parallel()
	const canary = "hunter2hunter2hunter2"
	values := map[string]string{ // of options that do not take any text
		"database-url": "postgres://user:" + canary + "@host/base?sslpassword=" + canary, "database-direct-url": "postgres://user:" + canary + "@host/base",
		"otlp-endpoint": "http://user:" + canary + "@collector/?token=" + canary, "akkuro-jwks-url": "https://user:" + canary + "@keys.example/?token=" + canary,
		"smtp-url": "smtp://user:" + canary + "@mail.example",
	}
	for _, flag := range serveFlags(t) {
		secret, value := secretWords.MatchString(flag), values[flag]
		if secret {
			value = canary
		}
		if value == "" {
			continue
		}
		args := []string{"--" + flag, value}
		switch flag {
		case "database-direct-url":
			args = append(args, "--database-url", values["database-url"])
		case "akkuro-jwks-url", "akkuro-jwt-secret":
			args = append(args, "--akkuro-jwt-audience", "bellwire")
		case "azakaw-jwks-url", "azakaw-jwt-secret":
			args = append(args, "--azakaw-jwt-audience", "bellwire")
		}
		s := inForceAfter(t, args...)[flag]
		if !s.Set || s.Secret != secret || secret && s.Value != "" || strings.Contains(s.Value, canary) || s.Source != service.SettingFlag {
			t.Errorf("--%s is listed as %+v", flag, s)
		}
	}
}

// serveFlags returns the names of the server's options.
func serveFlags(t *testing.T) (names []string) {
	t.Helper()
	for _, node := range model(t).Children {
		if node.Name != "serve" {
			continue
		}
		for _, flag := range node.Flags {
			names = append(names, flag.Name)
		}
	}
	if !slices.Contains(names, "admin-key") || !slices.Contains(names, "akkuro-jwt-secret") || !slices.Contains(names, "keyset") {
		t.Fatalf("only %v", names)
	}
	return names
}

// TestSourcesOfSettings gives options in each way. Flags win over the environment, and that over the file.
func TestSourcesOfSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bellwire.yaml")
	text := "retention: 48h\nlog-level: debug\nlimit: {endpoints: 7, configuration_bytes: 8MiB}\nallow-network: [10.0.0.0/8, 127.0.0.1/8]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BELLWIRE_LOG_LEVEL", "warn")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
	settings := inForceAfter(t, "--config", path, "--max-event-bytes", "524288", "--smtp-url", "smtps://mail.example")
	got := make(map[string][2]string)
	for _, name := range []string{
		"retention", "log-level", "limit", "allow-network", "otlp-endpoint", "max-event-bytes", "listen", "database-url", "sandbox", "node", "drain-delay", "smtp-url", "alert-email",
	} {
		got[name] = [2]string{settings[name].Value, string(settings[name].Source)}
	}
	want := map[string][2]string{
		"retention": {"48h", "file"}, "log-level": {"warn", "environment"}, "limit": {"configuration_bytes=8MiB, endpoints=7", "file"},
		"allow-network": {"10.0.0.0/8, 127.0.0.0/8", "file"}, "otlp-endpoint": {"http://collector:4318", "environment"},
		"max-event-bytes": {"512KiB", "flag"}, "listen": {"127.0.0.1:8080", "default"}, "database-url": {"sqlite://bellwire.db", "default"},
		"smtp-url": {"smtps://mail.example:465", "flag"}, "alert-email": {"", "default"}, "sandbox": {"false", "default"}, "node": {"", "default"}, "drain-delay": {"0s", "default"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
