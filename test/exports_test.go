package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
)

// relocation is a platform that moves from one server to another, with a customer who has endpoints of all dialects.
type relocation struct {
	*account
	inbox     *inbox
	endpoints []*subscription
	rotated   string   // id of an endpoint whose secret was rotated a moment ago
	secrets   []string // that it signs with
	update    string   // id of an update of Bluefin's
	beside    int      // events that were published beside the rounds
}

// A server with all dialects, history, rotated secrets, and paused and disabled endpoints moves from SQLite to PostgreSQL and back.
// What is exported is what was imported, and the vendors' clients and receivers notice nothing.
func TestMoveFromSQLiteToPostgresAndBack(t *testing.T) {
	t.Parallel()
	_, postgres := newDatabase(t)
	m := settle(t, startServer(t, t.TempDir(), everyDialect...))
	m.publishAll(1)
	m.findUpdate()
	for i, next := range [][]string{append([]string{postgres}, everyDialect...), everyDialect} {
		file := m.export()
		before, place := m.reads(), m.lemonPage("sort=asc&limit=7")
		m.server.terminate()
		m.server = startServer(t, t.TempDir(), next...)
		m.moveIn(file)
		m.sameBytes(file, m.export())
		after := m.reads()
		for name, want := range before {
			if after[name] != want {
				t.Errorf("move %d: %s answers\n%s\nbefore\n%s", i, name, after[name], want)
			}
		}
		if got := m.lemonPages("cursor=" + url.QueryEscape(place.next)); before["the rest of lemon's events"] != got {
			t.Errorf("move %d: lemon's cursor leads to\n%s\nbefore\n%s", i, got, before["the rest of lemon's events"])
		}
		m.staysDuplicate()
		m.publishAll(i + 2)
		m.verifyRotated()
	}
	m.server.terminate()
}

// A platform moves as docs/moving-in.md says, without an event lost: the old server works while the new one takes what it has, and the
// vendors' clients read and their receivers verify before, during and after.
func TestMoveWhileTheOldServerWorks(t *testing.T) {
	t.Parallel()
	_, postgres := newDatabase(t)
	m := settle(t, startServer(t, t.TempDir(), everyDialect...))
	m.publishAll(1)
	m.findUpdate()

	began := time.Now()
	publishing := m.publishBeside()
	first := m.export()
	during := m.reads()
	before := m.server
	after := startServer(t, t.TempDir(), append([]string{postgres}, everyDialect...)...)
	m.server = after
	m.moveIn(first)
	m.beside = publishing.end() + 1
	m.server = before
	m.server.call("POST", "/tenants/"+m.id+"/events", fmt.Sprintf(`{"type": %q, "id": "last", "data": {"last": true}}`, settlement), nil)
	m.deliveredAll(1)
	for _, status := range []string{"pending", "retrying"} {
		// The paused endpoint has deliveries that wait; all others are done.
		eventually(t, "nothing is "+status, func() bool {
			return !slices.ContainsFunc(deliveriesOf(t, m.server, m.id, "status="+status), func(d shownDelivery) bool {
				return slices.ContainsFunc(m.endpoints, func(ep *subscription) bool { return ep.id == d.Endpoint })
			})
		})
	}
	want := m.reads()
	if during["the secret of /standard"] != want["the secret of /standard"] || during["azakaw's configuration"] != want["azakaw's configuration"] {
		t.Error("while the server was exported, its clients read something else")
	}
	second := m.export("--since", began.UTC().Format(time.RFC3339Nano))
	m.server.terminate()

	m.server = after
	if said := m.command("import", second); !strings.Contains(said, "created: 0 tenants, 0 keys, 0 event types, 0 endpoints") || strings.Contains(said, " 0 events\nunchanged") {
		t.Errorf("the second import says %s", said)
	}
	got := m.reads()
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s answers\n%s\nbefore\n%s", name, got[name], text)
		}
	}
	m.staysDuplicate()
	m.publishAll(2)
	m.verifyRotated()
	m.server.terminate()
}

// besides publishes events until it ends.
type besides struct {
	stop  chan struct{}
	count chan int
}

// publishBeside publishes events one after the other, at most 200.
func (m *relocation) publishBeside() *besides {
	b, s := &besides{make(chan struct{}), make(chan int, 1)}, m.server
	go func() {
		n := 0
		defer func() { b.count <- n }()
		for ; n < 200; n++ {
			select {
			case <-b.stop:
				return
			default:
			}
			status, answer, err := s.do("POST", "/tenants/"+m.id+"/events", fmt.Appendf(nil, `{"type": %q, "id": "beside-%d", "data": {"beside": %d}}`, settlement, n, n))
			if err != nil || status != http.StatusAccepted {
				m.t.Errorf("a publish during the move is answered %d %s, %v", status, answer, err)
				return
			}
		}
	}()
	return b
}

// end returns how many events were published.
func (b *besides) end() int {
	close(b.stop)
	return <-b.count
}

// settle makes what is moved.
func settle(t *testing.T, s *server) *relocation {
	t.Helper()
	m := &relocation{account: openAccount(t, s), inbox: openInbox(t, nil)}
	for _, v := range vendors {
		m.endpoints = append(m.endpoints, m.subscribe(v, m.inbox, "/"+v.name, settlement))
	}
	m.endpoints = append(m.endpoints, m.subscribe(vendorOf("bluefin"), m.inbox, "/updates", updates))
	s.call("PUT", "/event-types/"+cards, `{"group": "cards", "schema": {"type": "object"}, "example": {"n": 1.50}}`, nil)
	s.call("PATCH", "/tenants/"+m.id, `{"name": "Acme", "metadata": {"b": "1", "a": "2"}, "limits": {"endpoints": 50, "event_retention": "29d"},
		"dialects": {"azakaw": {"timeout": "20s", "auth": {"type": "api_key", "header": "X-Default", "key": "of-the-tenant"}}}}`, nil)
	s.call("POST", "/tenants/"+m.id+"/keys", `{"role": "tenant-read", "name": "viewer"}`, nil)
	s.call("POST", "/keys", `{"role": "publisher", "expires_at": "2099-01-01T00:00:00Z"}`, nil)
	s.call("POST", "/tenants", `{"id": "second"}`, nil)
	for _, body := range []string{
		object("url", m.inbox.url+"/paused", "events", []string{"*"}, "status", "paused"),
		object("url", m.inbox.url+"/disabled", "events", []string{cards}, "status", "disabled", "ordering", "key", "description", "line\nbreak"),
		object("url", m.inbox.url+"/filtered", "events", []string{cards}, "filter", "data.n > 100", "ordering", "fifo", "rate_limit", 50.5,
			"auth", map[string]string{"type": "basic", "username": "u", "password": "p"}, "headers", map[string]string{"X-B": "1", "X-A": "2"}),
	} {
		s.call("POST", "/tenants/"+m.id+"/endpoints", body, nil)
	}
	var made struct{ ID, Secret string }
	s.call("POST", "/tenants/"+m.id+"/endpoints", object("url", m.inbox.url+"/rotated", "events", []string{settlement}, "signing", "both"), &made)
	m.rotated, m.secrets = made.ID, []string{made.Secret}
	s.call("POST", "/tenants/"+m.id+"/endpoints/"+made.ID+"/secret/rotate", `{"overlap": "24h"}`, &made)
	m.secrets = append(m.secrets, made.Secret)
	return m
}

// publishAll publishes events for all endpoints, and waits until each was delivered and has stood the vendor's test. round makes them
// different.
func (m *relocation) publishAll(round int) {
	m.t.Helper()
	for i := range eventsOfRound {
		m.server.call("POST", "/tenants/"+m.id+"/events", fmt.Sprintf(`{"type": %q, "id": "round-%d-%d", "ordering_key": "k",
			"data": {"n":	%d.0,
"round": %d, "text": "\u00e9 é"}}`, settlement, round, i, i, round), nil)
	}
	m.server.call("POST", "/tenants/"+m.id+"/events", fmt.Sprintf(`{"type": %q, "data": {"updates": [{"id": "auru_%032x", "newExpiry": "1230"}]}}`, updates, round), nil)
	m.deliveredAll(round)
}

// eventsOfRound is how many events of the type settlement a round of publishAll has.
const eventsOfRound = 10

// deliveredAll waits until all that was published has been delivered, and checks it as the vendors' receivers do.
func (m *relocation) deliveredAll(round int) {
	m.t.Helper()
	for _, ep := range m.endpoints {
		want := eventsOfRound*round + m.beside
		if ep.path == "/updates" {
			want = round
		}
		if ep.path == "/azakaw" { // gets all types
			want += round
		}
		eventually(m.t, fmt.Sprintf("%d deliveries to %s are acknowledged", want, ep.path), func() bool { return m.inbox.acknowledged(ep) >= want })
		for _, hits := range m.inbox.at(ep.path) {
			for _, h := range hits {
				if _, err := ep.check(h); err != nil {
					m.t.Errorf("round %d: %s: %v", round, ep.path, err)
				}
			}
		}
	}
}

// findUpdate remembers an update that Bluefin's customer was told of.
func (m *relocation) findUpdate() {
	m.t.Helper()
	for _, body := range m.inbox.bodies("/updates") {
		m.update = member(m.t, body, "payload", "updateId")
	}
}

// verifyRotated checks that the last delivery is signed with both secrets.
func (m *relocation) verifyRotated() {
	m.t.Helper()
	eventually(m.t, "the endpoint with two secrets got all", func() bool { return len(m.inbox.bodies("/rotated")) == len(m.inbox.bodies("/standard")) })
	bodies := m.inbox.bodies("/rotated")
	h := m.inbox.at("/rotated")[bodies[len(bodies)-1]][0]
	for i, secret := range m.secrets {
		verifier, err := receive.Standard(secret)
		if err == nil {
			_, err = verifier.Verify(h.header, []byte(h.body))
		}
		if err != nil {
			m.t.Errorf("secret %d does not verify %v: %v", i, h.header, err)
		}
	}
}

// staysDuplicate publishes what was published before the moves.
func (m *relocation) staysDuplicate() {
	m.t.Helper()
	var receipt struct{ Duplicate bool }
	m.server.call("POST", "/tenants/"+m.id+"/events", fmt.Sprintf(`{"type": %q, "id": "round-1-0", "data": {"n":	0.0,
"round": 1, "text": "\u00e9 é"}}`, settlement), &receipt)
	if !receipt.Duplicate {
		m.t.Error("an event from before the move was published again")
	}
}

var healthMembers = regexp.MustCompile(`,"health":\{[^{}]*\}`)

// reads returns the answers of the management APIs, by what was asked.
func (m *relocation) reads() map[string]string {
	m.t.Helper()
	all := make(map[string]string)
	read := func(v *vendor, name, target string) {
		all[name] = healthMembers.ReplaceAllString(m.must(v, "GET", target, ""), "")
	}
	for _, v := range vendors {
		read(v, "the list of "+v.name, v.list(m.account, settlement))
	}
	for _, ep := range m.endpoints {
		read(vendorOf("standard"), "the secret of "+ep.path, "/api/v1/tenants/"+m.id+"/endpoints/"+ep.id+"/secret")
		switch ep.vendor.name {
		case "akkuro":
			read(ep.vendor, "akkuro's token", "/payconex/events/"+settlement+"/token/"+ep.id)
			read(ep.vendor, "akkuro's event types", "/payconex/events/event-types")
		case "azakaw":
			read(ep.vendor, "azakaw's configuration", "/webhooks/"+ep.id)
		case "bluefin":
			read(ep.vendor, "bluefin's webhook "+ep.path, bluefinPath(m.account)+"/"+ep.id)
		}
	}
	read(vendorOf("standard"), "the secret of the rotated one", "/api/v1/tenants/"+m.id+"/endpoints/"+m.rotated+"/secret")
	read(vendorOf("bluefin"), "bluefin's update", "/api/v4/accounts/"+m.id+"/account-updater/updates/"+m.update)
	all["lemon's events, newest first"] = m.lemonPages("limit=3")
	all["lemon's events, oldest first"] = m.lemonPages("limit=3&sort=asc")
	all["the rest of lemon's events"] = m.lemonPages("cursor=" + url.QueryEscape(m.lemonPage("sort=asc&limit=7").next))
	return all
}

// lemonEvents is a page of lemon's events.
type lemonEvents struct{ text, next string }

func (m *relocation) lemonPage(query string) (page lemonEvents) {
	m.t.Helper()
	page.text = m.must(vendorOf("lemon"), "GET", "/v1/events?"+query, "")
	var answer struct {
		Pagination struct {
			Next string `json:"next_cursor"`
		}
	}
	if err := json.Unmarshal([]byte(page.text), &answer); err != nil {
		m.t.Fatalf("%s: %v", page.text, err)
	}
	page.next = answer.Pagination.Next
	return page
}

// lemonPages returns a page with all that follow it.
func (m *relocation) lemonPages(query string) string {
	m.t.Helper()
	var all strings.Builder
	for {
		page := m.lemonPage(query)
		all.WriteString(page.text + "\n")
		if page.next == "" {
			return all.String()
		}
		query = "cursor=" + url.QueryEscape(page.next)
	}
}

// command runs bellwire with the server's key, and returns what it says.
func (m *relocation) command(args ...string) string {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), binary, append(args, "--server", m.server.url, "--key", m.server.key)...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%v: %v\n%s", args, err, said)
	}
	return string(said)
}

// export exports the server, and returns the file.
func (m *relocation) export(options ...string) string {
	m.t.Helper()
	file := filepath.Join(m.t.TempDir(), "platform.ndjson")
	if said := m.command(append([]string{"export", file, "--secrets"}, options...)...); !strings.Contains(said, "exported: 2 tenants, 3 keys, 3 event types, 11 endpoints") || strings.Contains(said, "left out") {
		m.t.Errorf("export says %s", said)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		m.t.Errorf("the file with the secrets is %v, %v", info, err)
	}
	return file
}

func (m *relocation) moveIn(file string) {
	m.t.Helper()
	if said := m.command("import", file); !strings.Contains(said, "created: 2 tenants, 3 keys, 3 event types, 11 endpoints") {
		m.t.Errorf("import says %s", said)
	}
	if said := m.command("import", file); !strings.Contains(said, "unchanged: 2 tenants, 3 keys, 3 event types, 11 endpoints") || !strings.Contains(said, "created: 0 tenants, 0 keys, 0 event types, 0 endpoints, 0 events") {
		m.t.Errorf("the second import says %s", said)
	}
}

// sameBytes compares files line by line.
func (m *relocation) sameBytes(want, got string) {
	m.t.Helper()
	wants, gots := strings.Split(string(mustRead(m.t, want)), "\n"), strings.Split(string(mustRead(m.t, got)), "\n")
	for i := range max(len(wants), len(gots)) {
		line := func(all []string) string {
			if i < len(all) {
				return all[i]
			}
			return "nothing"
		}
		if line(wants) != line(gots) {
			m.t.Fatalf("line %d of the export is\n%s\nand was\n%s", i+1, line(gots), line(wants))
		}
	}
}

// TestMovingInCommands runs the commands of docs/moving-in.md, one after the other.
func TestMovingInCommands(t *testing.T) {
	t.Parallel()
	page := string(mustRead(t, "../docs/moving-in.md"))
	in := openInbox(t, nil)
	dir := t.TempDir()
	var platform, history strings.Builder
	for _, block := range regexp.MustCompile("(?s)```ndjson\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			to := &platform
			if strings.HasPrefix(line, `{"kind": "event",`) {
				to = &history
			}
			to.WriteString(strings.ReplaceAll(line, "https://example.com", in.url))
		}
	}
	for name, text := range map[string]string{"platform.ndjson": platform.String(), "history.ndjson": history.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, t.TempDir(), local...)
	_, section, found := strings.Cut(page, "\n## From another system\n")
	blocks := regexp.MustCompile("(?s) ```sh\n(.*?) ```").FindAllStringSubmatch(section, -1)
	if !found || len(blocks) < 5 {
		t.Fatalf("docs/moving-in.md has %d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", block[1])
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + dir, "BELLWIRE_SERVER=" + s.url, "BELLWIRE_KEY=" + s.key}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", block[1], err, out)
		}
	}
	if got := len(in.bodies("/hooks")); got != 1 {
		t.Errorf("the endpoint got %d requests, and not the probe alone", got)
	}
	if status := (&account{t: t, server: s, id: "acme"}).endpoint("we_1N3kQ2").Status; status != "paused" {
		t.Errorf("the endpoint is %s", status)
	}
}
