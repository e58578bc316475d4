package test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// TestBrowser has Chromium use the console and the portal of the built binary. The tests are in web/e2e.
func TestBrowser(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "chromium, node and npm")
	here, there, _ := startPair(t)
	nodes, err := json.Marshal(map[string]string{"here": here.url, "there": there.url, "key": adminKey})
	if err != nil {
		t.Fatal(err)
	}
	inWeb(t, []string{"BELLWIRE_NODES=" + string(nodes)}, "npm", "run", "e2e")
}

// TestPagesAreBuilt builds the pages again, and the types of the API that they use, and compares them with those in the
// repository.
func TestPagesAreBuilt(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "node and npm")
	dir := t.TempDir()
	types, dist := filepath.Join(dir, "schema.d.ts"), filepath.Join(dir, "dist")
	inWeb(t, nil, "node", "scripts/types.mjs", types)
	inWeb(t, nil, "node", "scripts/build.mjs", dist)
	inWeb(t, nil, "npm", "run", "check")
	inWeb(t, nil, "npm", "test")
	if string(read(t, types)) != string(read(t, "../web/src/api/schema.d.ts")) {
		t.Error("web/src/api/schema.d.ts is not what the server says of itself: run make web")
	}
	built, committed := filesIn(t, dist), filesIn(t, "../web/dist")
	if !slices.Equal(built, committed) {
		t.Fatalf("web/dist has other files than its sources give: run make web\nbuilt:     %q\ncommitted: %q", built, committed)
	}
	for _, name := range built {
		if string(read(t, filepath.Join(dist, name))) != string(read(t, filepath.Join("../web/dist", name))) {
			t.Errorf("web/dist/%s is not what its sources give: run make web", name)
		}
	}
}

// inWeb runs a command in the folder web, with the built binary and more of an environment.
func inWeb(t *testing.T, environment []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "../web"
	cmd.Env = append(append(os.Environ(), "BELLWIRE_BINARY="+binary, "NO_COLOR=1"), environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops its own server and browser
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// filesIn returns the names of all files below a folder, in order.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
