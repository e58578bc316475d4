package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// TestOnCallCommands runs every command of docs/on-call.md on a server with one tenant, whose endpoint nobody answers.
func TestOnCallCommands(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), local...)
	dir := t.TempDir()
	bellwire := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "BELLWIRE_SERVER=" + s.url, "BELLWIRE_KEY=" + s.key}
		out, err := cmd.CombinedOutput()
		if err != nil && args[0] != "probe" && args[0] != "verify" { // nobody answers a probe, and the request is a forgery
			t.Errorf("bellwire %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	id := func(prefix, text string) string { return regexp.MustCompile(prefix + "_[0-9a-f]+").FindString(text) }

	if err := os.WriteFile(filepath.Join(dir, "request.http"), []byte("Webhook-Id: evt_1\n\n{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	bellwire("tenants", "create", "acme")
	bellwire("event-types", "put", "card.created")
	endpoint := id("ep", bellwire("endpoints", "create", "--tenant", "acme", "--url", "http://127.0.0.1:9/", "--events", "*"))
	values := strings.NewReplacer(
		"ENDPOINT", endpoint,
		"JOB", id("job", bellwire("replay", "--tenant", "acme", "--endpoint", endpoint, "--since", "1h")),
		"EVENT", id("evt", bellwire("publish", "--tenant", "acme", "--type", "card.created", "--id", "order-42", "--data", "1")),
		"DELIVERY", id("dlv", bellwire("deliveries", "list", "--tenant", "acme")),
		"KEY", id("key", bellwire("keys", "create", "--tenant", "acme", "--role", "tenant-read")),
		"http://127.0.0.1:8080", s.url,
		"--status missing --watch", "--status missing",
		"tenants delete acme", "tenants delete acme --yes",
	)
	ran := 0
	for _, row := range regexp.MustCompile(`(?m)^\| .+ \|$`).FindAllString(string(mustRead(t, "../docs/on-call.md")), -1) {
		for _, found := range regexp.MustCompile("`bellwire ([^`]+)`").FindAllStringSubmatch(row, -1) {
			command := values.Replace(found[1])
			if strings.HasPrefix(command, "tail ") {
				continue // it goes on until somebody ends it; the scripts test it
			}
			bellwire(strings.Fields(command)...)
			ran++
		}
	}
	if ran < 20 {
		t.Errorf("only %d commands were found", ran)
	}
}
