package web_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/testenv"
)

// binary is the built bellwire.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the binary, and installs the npm packages unless they are there. Under -short no test needs them.
func run(m *testing.M) int {
	flag.Parse()
	if err := testenv.Uncached(); err != nil {
		return fail(err)
	}
	if testing.Short() {
		return m.Run()
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} { // test/run sets them, but the binary must choose its own
		if err := os.Unsetenv(name); err != nil {
			return fail(err)
		}
	}
	dir, err := os.MkdirTemp("", "bellwire-web-test-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bellwire")
	// Built as make build does, it shares what that compiles.
	if err := command("env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", binary, "../cmd/bellwire"); err != nil {
		return fail(err)
	}
	if err := installPackages(); err != nil {
		return fail(err)
	}
	return m.Run()
}

func installPackages() error {
	wanted, err := os.Stat("package-lock.json")
	if err != nil {
		return err
	}
	installed, err := os.Stat("node_modules/.package-lock.json")
	if err == nil && !installed.ModTime().Before(wanted.ModTime()) {
		return nil
	}
	return command("npm", "ci", "--ignore-scripts")
}

func command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestBrowser has Chromium use the console and the portal of the built binary. The tests are in the folder e2e. Only those
// that fail are printed.
func TestBrowser(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "chromium, node, npm and PostgreSQL")
	database, err := pgtest.Start(pgtest.Durable...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	environment := "BELLWIRE_POSTGRES=" + database.URL("postgres")
	must(t, []string{environment}, "node_modules/.bin/vitest", "run", "--project", "e2e", "--reporter", "./e2e/reporter.ts")
}

// TestPagesAreBuilt builds the pages again, and the types of the API that they use, and compares them with those in the
// repository.
func TestPagesAreBuilt(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "node and npm")
	dir := t.TempDir()
	types, dist := filepath.Join(dir, "schema.d.ts"), filepath.Join(dir, "dist")
	must(t, nil, "node", "scripts/types.mjs", types)
	must(t, nil, "node", "scripts/build.mjs", dist)
	must(t, nil, "npm", "run", "check")
	must(t, nil, "npm", "test")
	if string(read(t, types)) != string(read(t, "src/api/schema.d.ts")) {
		t.Error("web/src/api/schema.d.ts is not what the server says of itself: run make web")
	}
	built, committed := filesIn(t, dist), filesIn(t, "dist")
	if !slices.Equal(built, committed) {
		t.Fatalf("web/dist has other files than its sources give: run make web\nbuilt:     %q\ncommitted: %q", built, committed)
	}
	for _, name := range built {
		if string(read(t, filepath.Join(dist, name))) != string(read(t, filepath.Join("dist", name))) {
			t.Errorf("web/dist/%s is not what its sources give: run make web", name)
		}
	}
}

// must runs a program with the built binary and more of an environment. What it prints is shown if it fails.
func must(t *testing.T, environment []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
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
