package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/receive"
)

// What another system had is imported from a file, and a past event is replayed to a receiver that knows the old secret.
func TestImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, "--allow-network", "127.0.0.0/8")
	in := startReceiver(t, 0)
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	file := filepath.Join(dir, "platform.ndjson")
	lines := strings.ReplaceAll(`{"kind": "tenant", "id": "acme"}
{"kind": "endpoint", "tenant": "acme", "id": "we_1", "url": "URL", "events": ["*"], "secret": "`+secret+`", "created_at": "2024-02-03T04:05:06Z"}
{"kind": "event", "tenant": "acme", "id": "old-1", "type": "invoice.paid", "data": {"total": 1.50}, "created_at": "2026-01-31T12:30:00Z"}
`, "URL", in.url)
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	say := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"import", "--server", s.url, "--key", s.key, file}, args...)...)
		var out, errors bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errors
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s%s", args, err, &out, &errors)
		}
		return out.String()
	}
	const counts = "1 tenant, 0 keys, 0 event types, 1 endpoint, 1 event"
	for _, c := range []struct{ args, want string }{
		{"--dry-run", "to be created: " + counts}, {"", "created: " + counts}, {"", "unchanged: " + counts},
	} {
		if said := say(strings.Fields(c.args)...); !strings.Contains(said, c.want) {
			t.Fatalf("import %s says %s", c.args, said)
		}
	}
	var events struct {
		Data []struct {
			ID        string
			CreatedAt string `json:"created_at"`
		}
	}
	s.call("GET", "/tenants/acme/events?key=old-1", "", &events)
	if len(events.Data) != 1 || events.Data[0].CreatedAt != "2026-01-31T12:30:00Z" {
		t.Fatalf("the event is listed as %+v", events)
	}
	s.call("POST", "/tenants/acme/replays", `{"endpoint": "we_1", "since": "2026-01-01T00:00:00Z", "status": "missing"}`, nil)
	verifier, err := receive.Standard(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range in.await(t, []string{events.Data[0].ID})[events.Data[0].ID] {
		if _, err := verifier.Verify(request.header, request.body); err != nil || !bytes.Contains(request.body, []byte(`{"total": 1.50}`)) {
			t.Errorf("the receiver got %s: %v", request.body, err)
		}
	}
}

// A dry run prints every fault, also where they are more than buffers take while the file is sent.
func TestImportPrintsEveryFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir)
	const faulty = 20_000
	var lines bytes.Buffer
	lines.WriteString(`{"kind": "tenant", "id": "acme"}` + "\n")
	for n := range faulty {
		fmt.Fprintf(&lines, `{"kind": "event", "tenant": "acme", "id": "old-%d", "type": "a b", "data": 1, "created_at": "2026-01-31T12:30:00Z"}`+"\n", n)
	}
	file := filepath.Join(dir, "platform.ndjson")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]string{{"--dry-run"}, {"--dry-run", "--json"}, nil} {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"import", "--server", s.url, "--key", s.key, file}, options...)...)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "nothing was imported") {
			t.Fatalf("%v: %v, %s", options, err, &said)
		}
		printed := out.String()
		for n := range faulty {
			want := fmt.Sprintf("line %d: type must have", n+2)
			if len(options) == 2 {
				want = fmt.Sprintf(`{"line":%d,"field":"type","message":"must`, n+2)
			}
			line, rest, _ := strings.Cut(printed, "\n")
			if !strings.HasPrefix(line, want) {
				t.Fatalf("%v: fault %d is %q, not %s", options, n, line, want)
			}
			printed = rest
		}
		for _, want := range []string{"20000 faults", `"fault_count":20000`} {
			if strings.HasPrefix(want, `"`) == (len(options) == 2) && !strings.Contains(printed, want) {
				t.Errorf("%v: %s\nwithout %s", options, printed, want)
			}
		}
	}
}
