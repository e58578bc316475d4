package archtest

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
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

// maxDirect is the most modules of others that the program imports itself.
const maxDirect = 30

// docs/dependencies.md says of each module that this one requires directly why it is there, and whether it is in the program, which
// has few of them.
func TestDirectDependencies(t *testing.T) {
	t.Parallel()
	linked := importedModules(t)
	if len(linked) > maxDirect {
		t.Errorf("the program imports %d modules of others, and may import %d: %q", len(linked), maxDirect, linked)
	}
	want := make(map[string]string)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	read(t, &mod, "go", "mod", "edit", "-json", "../../go.mod")
	for _, r := range mod.Require {
		switch {
		case r.Indirect, strings.HasPrefix(r.Path, module):
		case slices.Contains(linked, r.Path):
			want[r.Path] = "program"
		default:
			want[r.Path] = "tests"
		}
	}
	got := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (program|tests) \\| .+ \\|$").FindAllStringSubmatch(contents(t, "../../docs/dependencies.md"), -1) {
		got[row[1]] = row[2]
	}
	for path, where := range want {
		if got[path] != where {
			t.Errorf("docs/dependencies.md must say why %s is there, in: %s", path, where)
		}
	}
	for path := range got {
		if want[path] == "" {
			t.Errorf("docs/dependencies.md has %s, which go.mod does not require directly", path)
		}
	}
}

// importedModules returns the modules of others that packages of this module import, if the program links these packages.
func importedModules(t *testing.T) []string {
	t.Helper()
	type dependency struct {
		ImportPath string
		Module     *struct {
			Path string
			Main bool
		}
		Imports []string
	}
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Module,Imports", module+"/cmd/bellwire").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules, imported := make(map[string]string), make(map[string]bool)
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var d dependency
		if err := decoder.Decode(&d); err != nil {
			t.Fatal(err)
		}
		if d.Module == nil {
			continue
		}
		if modules[d.ImportPath] = d.Module.Path; strings.HasPrefix(d.Module.Path, module) {
			for _, i := range d.Imports {
				imported[i] = true
			}
		}
	}
	var list []string
	for path := range imported {
		if m := modules[path]; m != "" && !strings.HasPrefix(m, module) && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	slices.Sort(list)
	return list
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
