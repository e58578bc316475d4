package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The list of licences has each module that is linked into the program, with a licence that is known.
func TestLicenses(t *testing.T) {
	t.Parallel()
	text := output(t, []string{"GOWORK="}, "deploy/licenses")
	listed := make(map[string]bool)
	for _, found := range regexp.MustCompile(`(?m)^======== (\S+) (v\S+) \((Apache-2\.0|BSD-[23]-Clause|ISC|MIT|MPL-2\.0)\)$`).FindAllStringSubmatch(text, -1) {
		listed[found[1]+" "+found[2]] = true
	}
	linked := regexp.MustCompile(`(?m)^\s+dep\s+(\S+)\s+(v\S+)`).FindAllStringSubmatch(output(t, nil, "go", "version", "-m", binary), -1)
	if len(linked) < 30 {
		t.Errorf("the program has %d modules", len(linked))
	}
	for _, m := range linked {
		if !listed[m[1]+" "+m[2]] && !strings.HasPrefix(m[1], "github.com/bellwire/") {
			t.Errorf("the licence of %s %s is not listed", m[1], m[2])
		}
	}
	if !strings.Contains(text, "======== Go's standard library") || !strings.Contains(text, "react ") {
		t.Error("Go's standard library or the packages of the pages are not listed")
	}
}

// A module whose licence is unknown, or has none, fails the release.
func TestUnknownLicense(t *testing.T) {
	t.Parallel()
	for name, license := range map[string]string{"none": "", "unknown": "You may use this on Sundays."} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if license != "" {
				if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte(license), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tools := filepath.Join(dir, "bin")
			if err := os.Mkdir(tools, 0o700); err != nil {
				t.Fatal(err)
			}
			fake := "#!/bin/sh\n[ \"$1\" != env ] || { case $2 in GOROOT) exec " + goCommand(t) + " env GOROOT ;; *) echo go1 ;; esac; exit; }\necho 'example.com/a|v1.0.0|" + dir + "'\n"
			if err := os.WriteFile(filepath.Join(tools, "go"), []byte(fake), 0o700); err != nil {
				t.Fatal(err)
			}
			_, said, err := start(t.Context(), []string{"PATH=" + tools + ":" + os.Getenv("PATH")}, "deploy/licenses")
			if err == nil || !strings.Contains(said, "the licence of example.com/a v1.0.0 is unknown") {
				t.Errorf("it ended with %v: %s", err, said)
			}
		})
	}
}

// goCommand returns the path of go.
func goCommand(t *testing.T) string {
	t.Helper()
	return filepath.Join(strings.TrimSpace(output(t, nil, "go", "env", "GOROOT")), "bin", "go")
}
