// Package test holds black-box tests: they build the binary, run it as an operator would, and observe only its command
// line, its HTTP API and what receivers get.
package test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// binary is the built bellwire.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if err := moreInParallel(); err != nil {
		return fail(err)
	}
	if err := testenv.Uncached(); err != nil {
		return fail(err)
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} { // test/run sets them, but the binary must choose its own
		if err := os.Unsetenv(name); err != nil {
			return fail(err)
		}
	}
	dir, err := os.MkdirTemp("", "bellwire-test-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bellwire")
	if err := build(); err != nil {
		return fail(err)
	}
	if !testing.Short() {
		if err := installPackages(); err != nil {
			return fail(err)
		}
	}
	code := m.Run()
	if err := stopSharedPostgres(); err != nil {
		return fail(err)
	}
	return code
}

// build builds the binary as make build does, and as the previous release is built, so that the three share what they compile.
// Under -short it shares that with the tests instead.
func build() error {
	if testing.Short() {
		return command("go", "build", "-o", binary, "../cmd/bellwire")
	}
	return command("env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", binary, "../cmd/bellwire")
}

// moreInParallel runs more tests at a time than there are processors, unless the command line says how many: most of their
// time they wait, for the leases of dead nodes for example.
func moreInParallel() error {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
}

// installPackages installs the npm packages that deliveries are checked against, unless they are there. It fails on a machine
// without Node.
func installPackages() error {
	wanted, err := os.Stat("npm/package-lock.json")
	if err != nil {
		return err
	}
	installed, err := os.Stat("npm/node_modules/.package-lock.json")
	if err == nil && !installed.ModTime().Before(wanted.ModTime()) {
		return nil
	}
	return command("npm", "ci", "--prefix", "npm", "--ignore-scripts")
}

func command(name string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), name, args...)
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
