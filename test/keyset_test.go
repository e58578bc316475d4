package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// rotationSteps returns the commands of a rotation below a heading of the page, as they are documented.
func rotationSteps(t *testing.T, heading string) []string {
	t.Helper()
	_, section, found := strings.Cut(string(mustRead(t, "../docs/keyset.md")), heading+"\n")
	if !found {
		t.Fatalf("docs/keyset.md has no %q", heading)
	}
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(section)
	if block == nil {
		t.Fatalf("docs/keyset.md has no commands below %q", heading)
	}
	return strings.Split(strings.TrimSpace(block[1]), "\n")
}

// keyset runs a keyset command in a directory, and returns its output.
func keyset(t *testing.T, dir, database string, args ...string) string {
	t.Helper()
	out, err := tryKeyset(dir, database, args...)
	if err != nil {
		t.Fatalf("keyset %s: %v\n%s", args, err, out)
	}
	return out
}

func tryKeyset(dir, database string, args ...string) (string, error) {
	cmd := exec.Command(binary, append([]string{"keyset"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BELLWIRE_DATABASE_URL="+database)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// keysIn returns how many keys "keyset show" lists, and the primary one.
func keysIn(t *testing.T, dir string) (n int, primary string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(keyset(t, dir, "", "show")), "\n")[1:]
	for _, line := range lines {
		if strings.Contains(line, "primary") {
			primary = strings.Fields(line)[0]
		}
	}
	return len(lines), primary
}

// refusesToStart checks that a server ends with an error about the keyset.
func refusesToStart(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !regexp.MustCompile(`sealed with another keyset|was taken out of use`).Match(out) {
		t.Errorf("it ends with %v:\n%s", err, out)
	}
}

// createSecrets creates secrets of every kind, and returns a check that they are unchanged.
func createSecrets(t *testing.T, s *server, url string) func(*server) {
	t.Helper()
	ep := s.subscribe(url)
	s.addType("card.created")
	var key struct{ ID, Secret string }
	s.call("POST", "/tenants/acme/keys", `{"role": "tenant", "hmac": true}`, &key)
	return func(s *server) {
		t.Helper()
		var shown struct{ Secret string }
		s.call("GET", "/tenants/acme/endpoints/"+ep.ID+"/secret", "", &shown)
		if shown.Secret != ep.Secret {
			t.Error("the endpoint's secret is another")
		}
	}
}

// TestKeysetRotationOfASingleServer runs the documented commands on SQLite.
func TestKeysetRotationOfASingleServer(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	dir := t.TempDir()
	database := "sqlite://" + filepath.Join(dir, "bellwire.db")
	receiver := startReceiver(t, 0)
	s := startServer(t, dir, local...)
	if !strings.Contains(s.logged(), "keep a copy") {
		t.Errorf("nothing is said of the new keyset:\n%s", s.logged())
	}
	unchanged := createSecrets(t, s, receiver.url)
	s.terminate()
	old := mustRead(t, filepath.Join(dir, "bellwire.keyset"))
	_, before := keysIn(t, dir)

	for _, step := range rotationSteps(t, "### A single server") {
		args := strings.Fields(strings.TrimPrefix(step, "bellwire keyset "))
		said := keyset(t, dir, database, args...)
		t.Logf("$ %s\n%s", step, said)
		if args[0] != "rotate" && !strings.Contains(said, "the database "+strings.TrimPrefix(database, "sqlite://")+" ") {
			t.Errorf("%s does not say which database it is about", step)
		}
		if args[0] == "rotate" {
			if out, err := tryKeyset(dir, database, "prune"); err == nil || !strings.Contains(out, "keyset reseal") {
				t.Errorf("what is still needed is taken out: %v\n%s", err, out)
			}
		}
		running := startServer(t, dir, local...) // every step leaves something that works
		unchanged(running)
		running.terminate()
	}
	if n, now := keysIn(t, dir); n != 1 || now == before {
		t.Errorf("there are %d keys, and the primary one is %s, was %s", n, now, before)
	}
	s = startServer(t, dir, local...)
	unchanged(s)
	id, err := s.publish("card.created", []byte(`{"id": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	receiver.await(t, []string{id})
	s.terminate()

	// The old keyset is of no use any more, whichever way it comes.
	if err := os.Rename(filepath.Join(dir, "bellwire.keyset"), filepath.Join(dir, "new.keyset")); err != nil {
		t.Fatal(err)
	}
	stale := serve(dir)
	stale.Env = append(os.Environ(), "BELLWIRE_KEYSET="+string(old))
	refusesToStart(t, stale)
	variable := serve(dir, local...)
	variable.Env = append(os.Environ(), "BELLWIRE_KEYSET="+string(mustRead(t, filepath.Join(dir, "new.keyset"))))
	s = launch(t, variable)
	unchanged(s)
	s.terminate()
	if _, err := os.Stat(filepath.Join(dir, "bellwire.keyset")); err == nil {
		t.Error("a file was made although the keyset is in a variable")
	}
}

// TestKeysetRotationOfSeveralNodes runs the documented commands on PostgreSQL, on two nodes under load.
func TestKeysetRotationOfSeveralNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, 0.02)
	database := c.database.url
	if made := c.nodes[0].logged() + c.nodes[1].logged(); !regexp.MustCompile(`"WARN","msg":"keyset created`).MatchString(made) {
		t.Errorf("nothing is said aloud of the new keyset:\n%s", made)
	}
	file := filepath.Join(c.dir, "bellwire.keyset")
	old := mustRead(t, file)
	_, before := keysIn(t, c.dir)
	for stream := range clusterStreams {
		c.run(stream, math.MaxInt)
	}
	restart := func(step string) {
		for place, s := range c.nodes {
			c.skip(place)
			c.disturbs()
			s.terminate()
			c.replace(place, c.start(fmt.Sprintf("node%d", place)))
			c.skip(-1)
		}
		t.Logf("%s: flows again after %v", step, c.flows().Round(time.Millisecond))
	}
	changes := changeEndpoints(c)
	for _, step := range rotationSteps(t, "### Several nodes on PostgreSQL") {
		args, isCommand := strings.CutPrefix(step, "bellwire keyset ")
		if !isCommand {
			restart(step)
			continue
		}
		t.Logf("$ %s\n%s", step, keyset(t, c.dir, database, args))
	}
	changes()
	if n, now := keysIn(t, c.dir); n != 1 || now == before {
		t.Errorf("there are %d keys, and the primary one is %s, was %s", n, now, before)
	}
	stale := filepath.Join(c.dir, "old.keyset")
	if err := os.WriteFile(stale, old, 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, serve(c.dir, append([]string{"--keyset-file", stale}, c.args...)...))
	c.finish()
}

// changeEndpoints makes, changes and reads endpoints until it is told to end. None may be refused, nor lose its secret.
func changeEndpoints(c *cluster) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		var ep, shown endpoint
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond): // leaves some of the machine to the nodes
			}
			s := c.any()
			if ep.ID == "" {
				if done(c, s, "POST", "/tenants/acme/endpoints", `{"url": "https://example.com/", "events": ["nothing.*"]}`, &ep) {
					continue
				}
				ep.ID = ""
				continue
			}
			done(c, s, "PATCH", "/tenants/acme/endpoints/"+ep.ID, fmt.Sprintf(`{"description": "%d", "headers": {"X-N": "%d"}}`, n, n), nil)
			if done(c, s, "GET", "/tenants/acme/endpoints/"+ep.ID+"/secret", "", &shown) && shown.Secret != ep.Secret {
				c.t.Errorf("the secret of %s is another", ep.ID)
			}
			if n%10 == 9 {
				ep = endpoint{}
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// done makes a request of a node that may be about to end, and reports whether it was answered.
func done(c *cluster, s *server, method, path, body string, out any) bool {
	status, answer, err := s.do(method, path, []byte(body))
	if err != nil || status == http.StatusServiceUnavailable {
		return false
	}
	if status >= 300 {
		c.t.Errorf("%s %s answered %d: %s", method, path, status, answer)
		return false
	}
	return out == nil || unmarshal(c.t, answer, out)
}

func unmarshal(t *testing.T, text []byte, out any) bool {
	if err := json.Unmarshal(text, out); err != nil {
		t.Errorf("%s: %v", text, err)
		return false
	}
	return true
}

// TestKeysetThatANodeDoesNotHave: deliveries whose secrets a running node cannot open wait until it has the keyset, and
// none of them ends.
func TestKeysetThatANodeDoesNotHave(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	dir := t.TempDir()
	args := append([]string{option, "--node", "a"}, local...)
	s := startServer(t, dir, args...)
	receiver := startReceiver(t, 0)
	ep := s.subscribe(receiver.url)
	receiver.await(t, []string{s.publishCard(`1`)})

	// The operator forgets to restart it.
	keyset(t, dir, database.url, "rotate")
	keyset(t, dir, database.url, "reseal")
	// It looks at the endpoint again, because a node that has the keyset has changed it.
	other := startServer(t, dir, append([]string{option, "--node", "b"}, local...)...)
	other.call("PATCH", "/tenants/acme/endpoints/"+ep.ID, `{"description": "sealed with the new key"}`, nil)
	other.terminate()
	id := s.publishCard(`2`)
	var list struct {
		Data []struct {
			Status   string
			Attempts int
		}
	}
	look := func() {
		t.Helper()
		s.call("GET", "/tenants/acme/deliveries?event="+id, "", &list)
		if len(list.Data) != 1 || list.Data[0].Status == "exhausted" || list.Data[0].Attempts > 0 {
			t.Fatalf("the deliveries are %+v", list.Data)
		}
	}
	eventually(t, "the node says that it cannot open the secrets", func() bool {
		look()
		return strings.Contains(s.logged(), "cannot be opened on this server")
	})
	if status, answer, err := s.do("GET", "/tenants/acme/deliveries?event="+id, nil); err != nil || status != http.StatusOK || bytes.Contains(answer, []byte("keyset")) {
		t.Errorf("the tenant is told: %d %s, %v", status, answer, err)
	}
	s.terminate()
	s = startServer(t, dir, args...)
	receiver.await(t, []string{id})
	keyset(t, dir, database.url, "reseal") // what the node sealed with the old key
	keyset(t, dir, database.url, "prune")
	s.terminate()
	s = startServer(t, dir, args...)
	receiver.await(t, []string{s.publishCard(`3`)})
	s.terminate()
}

// TestKeysetPrunedTooEarly: a node that the operator forgot to restart seals nothing with a key that was taken out, and
// none starts with a keyset that would.
func TestKeysetPrunedTooEarly(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	dir := t.TempDir()
	args := append([]string{option, "--node", "a"}, local...)
	startServer(t, dir, args...).terminate()
	keyset(t, dir, database.url, "add")
	s := startServer(t, dir, args...)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	const body = `{"url": "https://example.com/", "events": ["*"]}`
	s.call("POST", "/tenants/acme/endpoints", body, nil)
	added := mustRead(t, filepath.Join(dir, "bellwire.keyset"))
	for _, step := range []string{"promote", "reseal", "prune"} {
		keyset(t, dir, database.url, step)
	}
	for _, what := range []struct{ path, body string }{
		{"/tenants/acme/endpoints", body},
		{"/tenants/acme/keys", `{"role": "tenant", "hmac": true}`},
	} {
		if status, answer, err := s.do("POST", what.path, []byte(what.body)); err != nil || status != http.StatusServiceUnavailable || bytes.Contains(answer, []byte("keyset")) {
			t.Errorf("a secret is sealed with the old key: %s: %d %s, %v", what.path, status, answer, err)
		}
	}
	if !strings.Contains(s.logged(), "was taken out of use") {
		t.Errorf("the log does not say why:\n%s", s.logged())
	}
	s.terminate()
	stale := filepath.Join(dir, "added.keyset")
	if err := os.WriteFile(stale, added, 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, serve(dir, append([]string{"--keyset-file", stale}, args...)...))
	none := filepath.Join(dir, "none.keyset")
	if out, err := serve(dir, append([]string{"--keyset-file", none}, args...)...).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("keyset "+none)) {
		t.Errorf("without the keyset: %v\n%s", err, out)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a keyset is left that does not belong to the database")
	}
	s = startServer(t, dir, args...)
	s.call("POST", "/tenants/acme/endpoints", body, nil)
	s.terminate()
}
