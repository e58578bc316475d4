package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// version is that of the packages that the tests build.
const version = "0.1.0-test"

var (
	root   string // the repository
	binary string // built as a release is
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if root, err = filepath.Abs(".."); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "bellwire-deploy-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bellwire")
	if err := build(root, binary); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// build builds Bellwire from a copy of the repository, with the flags of .goreleaser.yaml and of the Dockerfile.
func build(source, target string) error {
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version+" -X main.commit=abc", "-o", target, "./cmd/bellwire")
	command.Dir = source
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, output)
	}
	return nil
}

// output runs a command in the repository and returns its standard output. The test fails if the command does.
func output(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, errors, err := start(t.Context(), env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errors)
	}
	return out
}

// start runs a command in the repository and returns what it wrote.
func start(ctx context.Context, env []string, name string, args ...string) (out, errors string, err error) {
	var stdout, stderr strings.Builder
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = root
	command.Env = append(os.Environ(), env...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	return stdout.String(), stderr.String(), err
}
