package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzConfigFile: whatever is in the file, the command line is read or refused with a usage error, which does not
// repeat values, because they can be secrets.
func FuzzConfigFile(f *testing.F) {
	for _, seed := range []string{
		"", "listen: 127.0.0.1:1\n", "allow-network: [10.0.0.0/8, fd00::/8]\n", "admin-key: hunter2-hunter2\nlisten: [a, b]\n",
		"a: &a [*a]\n", "- 1\n", "max-event-bytes: 1e3\n", "\x00", "? {a: b}\n: c\n", "<<: {listen: x}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "bellwire.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		parser, err := newParser(streams{out: &out, err: &out})
		if err != nil {
			t.Fatal(err)
		}
		_, err = parser.Parse([]string{"serve", "--config", path})
		if err == nil {
			return
		}
		if errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
