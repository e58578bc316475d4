package test

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// previousRelease names the commit of the release before this one. CONTRIBUTING.md says when it changes.
const previousRelease = "previous-release"

// release is a built release.
type release struct {
	program    string
	migrations int
}

// previous returns the release before this one, built from the history of the repository. In a copy without that history, this
// release stands in for it, and the test says so.
func previous(t *testing.T) release {
	t.Helper()
	testenv.Needs(t, "the history of the repository")
	built, err := buildPrevious()
	if errors.Is(err, errNoHistory) {
		t.Logf("this release stands in for the one before it: %v", err)
		migrations, err := countMigrations("..")
		if err != nil {
			t.Fatal(err)
		}
		return release{program: binary, migrations: migrations}
	}
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// errNoHistory is the error of a commit that is not in this copy of the repository, and cannot be fetched.
var errNoHistory = errors.New("no history")

// buildPrevious builds it beside the built bellwire.
var buildPrevious = sync.OnceValues(func() (built release, err error) {
	text, err := os.ReadFile(previousRelease)
	if err != nil {
		return built, err
	}
	commit := strings.TrimSpace(string(text))
	if err := fetchCommit(commit); err != nil {
		return built, err
	}
	source := filepath.Join(filepath.Dir(binary), "previous")
	if err := extract(commit, source); err != nil {
		return built, err
	}
	if built.migrations, err = countMigrations(source); err != nil {
		return built, err
	}
	program := filepath.Join(filepath.Dir(binary), "bellwire-previous")
	// Built like this, nothing depends on where the files are, so that the next run finds all packages in the cache.
	build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-X main.version=previous", "-o", program, "./cmd/bellwire")
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=")
	if output, err := build.CombinedOutput(); err != nil {
		return built, fmt.Errorf("the previous release %s cannot be built: %w\n%s", commit, err, output)
	}
	built.program = program
	return built, os.RemoveAll(source)
})

// countMigrations returns how many migrations a source tree contains.
func countMigrations(top string) (int, error) {
	files, err := filepath.Glob(filepath.Join(top, "internal/store/sqlite/migrations/*.sql"))
	return len(files), err
}

// fetchCommit fetches a commit that a shallow clone lacks.
func fetchCommit(commit string) error {
	if git("cat-file", "-e", commit+"^{commit}") == nil {
		return nil
	}
	if err := git("fetch", "--depth=1", "origin", commit); err != nil {
		return fmt.Errorf("%w: the commit in test/%s is not in this clone, and cannot be fetched; run \"git fetch --unshallow\", "+
			"or clone the repository if this is a source archive: %w", errNoHistory, previousRelease, err)
	}
	return nil
}

func git(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, output)
	}
	return nil
}

// extract writes the files of a commit into a new folder.
func extract(commit, folder string) (err error) {
	top, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), "git", "-C", top, "archive", "--format=tar", commit)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			cmd.Process.Kill() // its pipe is full
		}
		err = errors.Join(err, cmd.Wait())
	}()
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for r := tar.NewReader(out); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(filepath.Clean(header.Name), 0o700)
		case tar.TypeReg:
			err = writeTo(root, header.Name, r)
		}
		if err != nil {
			return err
		}
	}
}

func writeTo(root *os.Root, name string, content io.Reader) error {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// Two nodes under load are replaced one by one, by the next release and back: nothing is lost, repeated or refused, and whichever
// releases run beside each other, what one is told holds on the other.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	old := previous(t).program
	c := startCluster(t, 2, 0.2, serverOfItsOwn, func(c *cluster) { c.program, c.strict = old, true })
	for stream := range clusterStreams {
		c.run(stream, 1<<30)
	}
	c.flows()
	for step, to := range []struct {
		place   int
		program string
	}{{0, binary}, {1, binary}, {1, old}, {0, old}} {
		c.program = to.program
		c.skip(to.place) // as a load balancer does, once the node says that it ends
		c.nodes[to.place].terminate()
		c.replace(to.place, c.start(fmt.Sprintf("node%d", to.place)))
		c.skip(-1)
		eventually(t, "both nodes have their share", c.spread)
		c.agrees(step)
		if step == 0 && old != binary {
			c.refusesVersions()
		}
		c.flows()
	}
	c.finish()
}

// agrees changes an endpoint on each node, and reads it on the other.
func (c *cluster) agrees(step int) {
	c.t.Helper()
	var list struct{ Data []struct{ ID string } }
	c.nodes[0].call("GET", "/tenants/acme/endpoints", "", &list)
	path := "/tenants/acme/endpoints/" + list.Data[0].ID
	for place, s := range c.nodes {
		want := fmt.Sprintf("changed in step %d by node %d", step, place)
		s.call("PATCH", path, fmt.Sprintf(`{"description": %q}`, want), nil)
		for _, other := range c.nodes {
			var got struct{ Description string }
			other.call("GET", path, "", &got)
			if got.Description != want {
				c.t.Errorf("the endpoint is %q, want %q", got.Description, want)
			}
		}
	}
}

// refusesVersions asks the new node for a version of an event type, while the old one would send it to all endpoints.
func (c *cluster) refusesVersions() {
	c.t.Helper()
	const name = "upgrade.versioned"
	c.nodes[0].addType(name)
	status, answer, err := c.nodes[0].do("POST", "/event-types/"+name+"/versions", []byte(`{"converter": "data"}`))
	if err != nil {
		c.t.Fatal(err)
	}
	var problem struct{ Code, Detail, Hint string }
	if err := json.Unmarshal(answer, &problem); err != nil {
		c.t.Fatalf("%s: %v", answer, err)
	}
	if status != 409 || problem.Code != "conflict" || !strings.Contains(problem.Detail, "node1 runs another release") || problem.Hint != "Upgrade all nodes first." {
		c.t.Errorf("a version beside an older release: %d %s", status, answer)
	}
	var kind struct{ Version int }
	c.nodes[0].call("GET", "/event-types/"+name, "", &kind)
	if kind.Version != 1 {
		c.t.Errorf("the type has version %d", kind.Version)
	}
}

// An SQLite database is copied before the next release changes it, and the previous release can use both.
func TestUpgradeOfSQLite(t *testing.T) {
	t.Parallel()
	old := previous(t)
	dir := t.TempDir()
	r := newLedger(t, 1, 0)
	receiver := httptest.NewServer(r)
	t.Cleanup(receiver.Close)
	start := func(program string, args ...string) *server {
		cmd := serve(dir, append(local, args...)...)
		cmd.Path = program
		return launch(t, cmd)
	}
	s := start(old.program)
	s.subscribe(receiver.URL + "/0")
	s.addType("a")
	first, err := s.publish("a", []byte(`{"n": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	s.terminate()
	migrations, err := countMigrations("..")
	if err != nil {
		t.Fatal(err)
	}
	for i, program := range []string{binary, old.program} {
		s := start(program)
		copies, err := filepath.Glob(filepath.Join(dir, "bellwire.db.before-schema-*"))
		if err != nil || len(copies) != min(1, migrations-old.migrations) || i == 0 && len(copies) == 1 && !strings.Contains(s.logged(), copies[0]) {
			t.Errorf("the copies are %q, %v; the log says\n%s", copies, err, s.logged())
		}
		s.call("GET", "/tenants/acme/events/"+first, "", nil)
		if _, err := s.publish("a", fmt.Appendf(nil, `{"n": %d}`, i+1)); err != nil {
			t.Error(err)
		}
		s.terminate()
	}
}
