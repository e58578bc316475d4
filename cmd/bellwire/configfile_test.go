package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfigFile: whatever stands beside a secret in the file, the command line is read or refused with a usage error,
// which does not repeat the secret.
func FuzzConfigFile(f *testing.F) {
	for _, seed := range []string{
		"", "listen: 127.0.0.1:1\n", "allow-network: [10.0.0.0/8, fd00::/8]\n", "listen: [a, b]\n", "  - b\n", "  more\n",
		"a: &a [*a]\n", "- 1\n", "max-event-bytes: 1e3\n", "\x00", "? {a: b}\n: c\n", "<<: {listen: x}\n", "admin-key: again\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := parseConfigFile(t, "admin-key: hunter2-hunter2\n"+string(text))
		if err == nil {
			return
		}
		if errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "hunter2-hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// TestConfigFileErrorsKeepValues: a value of the wrong shape is refused without repeating it, since it can be a secret.
func TestConfigFileErrorsKeepValues(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a list": "admin-key: [hunter2, b]\n", "a map": "admin-key: {a: hunter2}\n", "a list for an address": "listen: [hunter2, b]\n",
		"no options": "- hunter2\n", "an open quote": "admin-key: 'hunter2\n",
	} {
		t.Run(name, func(t *testing.T) {
			err := parseConfigFile(t, text)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v", text, err)
			}
		})
	}
}

// TestConfigFileIsOneDocument: options in a second document would be left out without a word.
func TestConfigFileIsOneDocument(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"log-level: info\n---\nlog-level: debug\n", "log-level: info\n---\n: [\n", "---\n---\nlog-level: debug\n"} {
		if err := parseConfigFile(t, text); err == nil || !strings.Contains(err.Error(), "one YAML document") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\nlog-level: info\n", "log-level: info\n...\n", "\ufefflog-level: info\r\n"} {
		t.Run(text, func(t *testing.T) {
			if err := parseConfigFile(t, text); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		})
	}
}

// parseConfigFile reads the command line of a serve whose configuration file holds text.
func parseConfigFile(t *testing.T, text string) error {
	path := filepath.Join(t.TempDir(), "bellwire.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	parser := parsers.take(t)
	defer parsers.give(parser)
	_, err := parser.Parse([]string{"serve", "--config", path})
	return err
}
