package archtest

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
)

// TestSQLiteHasItsOwnLibc holds modernc.org/libc at the version that the linked modernc.org/sqlite asks for. SQLite is
// translated for one version of that library and can fail in any way on another, but Go's version selection takes
// the highest that anybody asks for. Source: modernc.org/sqlite's documentation, "Fragile modernc.org/libc dependency".
func TestSQLiteHasItsOwnLibc(t *testing.T) {
	t.Parallel()
	const libc = "modernc.org/libc"
	var sqlite struct{ GoMod string }
	read(t, &sqlite, "go", "list", "-m", "-json", "modernc.org/sqlite")
	var asked struct {
		Require []struct{ Path, Version string }
	}
	read(t, &asked, "go", "mod", "edit", "-json", sqlite.GoMod)
	i := slices.IndexFunc(asked.Require, func(r struct{ Path, Version string }) bool { return r.Path == libc })
	if i < 0 {
		t.Fatalf("modernc.org/sqlite does not require %s; this test must be changed", libc)
	}
	var linked struct{ Version string }
	read(t, &linked, "go", "list", "-m", "-json", libc)
	if linked.Version != asked.Require[i].Version {
		t.Errorf("%s is at %s; modernc.org/sqlite was made with %s", libc, linked.Version, asked.Require[i].Version)
	}
}

// read runs a command and decodes its output, which is JSON.
func read(t *testing.T, into any, command string, args ...string) {
	t.Helper()
	out, err := exec.Command(command, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", command, args, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatal(err)
	}
}
