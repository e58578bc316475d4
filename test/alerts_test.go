package test

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// mailServer takes e-mails on loopback.
type mailServer struct {
	listener net.Listener
	mu       sync.Mutex
	messages []email
	taken    func(email) // runs before the server says that it has taken one
}

// email is an e-mail as it came.
type email struct{ from, to, text string }

func startMailServer(t *testing.T, taken func(email)) *mailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{listener: listener, taken: taken}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			done.Go(func() { m.serveConn(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		done.Wait()
	})
	return m
}

func (m *mailServer) serveConn(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	answer := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	answer("220 mail.test")
	lines := bufio.NewScanner(conn)
	var e email
	for lines.Scan() {
		verb, argument, _ := strings.Cut(lines.Text(), ":")
		switch verb {
		case "MAIL FROM":
			e.from = strings.Trim(strings.Fields(argument)[0], "<>")
		case "RCPT TO":
			e.to = strings.Trim(argument, "<>")
		case "DATA":
			answer("354 go on")
			for lines.Scan() && lines.Text() != "." {
				e.text += lines.Text() + "\n"
			}
			m.mu.Lock()
			m.messages = append(m.messages, e)
			m.mu.Unlock()
			m.taken(e)
		}
		answer("250 ok")
	}
}

func (m *mailServer) got() []email {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]email(nil), m.messages...)
}

// The node that sends alerts is killed after the mail server has read the e-mail. The other one sends it again, and only once: an
// alert is sent at least once.
func TestAlertEmailSurvivesKill(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	database, option := newDatabase(t)
	var (
		dir   = t.TempDir()
		nodes = make(map[string]*server) // by the address that their e-mails come from
		first sync.Once
	)
	ready := make(chan struct{})
	mails := startMailServer(t, func(e email) {
		<-ready
		first.Do(func() {
			_ = nodes[e.from].cmd.Process.Kill()
			<-nodes[e.from].exited
		})
	})
	for i := range 2 {
		from := fmt.Sprintf("node%d@example.com", i)
		nodes[from] = startServer(t, dir, append([]string{
			option, "--node", fmt.Sprint("node", i), "--smtp-url", "smtp://" + mails.listener.Addr().String(), "--smtp-from", from,
			"--alert-email", "ops@example.com",
		}, local...)...)
	}
	close(ready)
	s := nodes["node0@example.com"]
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/acme/endpoints", `{"id": "ep", "url": "http://127.0.0.1:9/", "events": ["*"]}`, nil)
	s.call("PATCH", "/tenants/acme/endpoints/ep", `{"status": "disabled"}`, nil)

	// An alert waits for a minute before it is sent.
	if _, err := database.pool.Exec(t.Context(), "UPDATE bellwire.alerts SET at = at - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the e-mail is recorded", func() bool {
		var recorded bool
		err := database.pool.QueryRow(t.Context(),
			"SELECT bool_and(sent_at IS NOT NULL) AND NOT EXISTS (SELECT FROM bellwire.alerts) FROM bellwire.alert_addresses").Scan(&recorded)
		if err != nil {
			t.Fatal(err)
		}
		return recorded
	})
	got := mails.got()
	if len(got) != 2 || got[0].from == got[1].from {
		t.Fatalf("got %d e-mails, want one of each node: %+v", len(got), got)
	}
	for _, e := range got {
		if e.to != "ops@example.com" || !strings.Contains(e.text, "Subject: Bellwire: 1 endpoint disabled\n") || !strings.Contains(e.text, "disabled by a request") {
			t.Errorf("got the e-mail %+v", e)
		}
	}
	nodes[got[1].from].terminate()
}

// A test e-mail goes to each address at once, and the mail server's answer is shown, without the password.
func TestTestEmail(t *testing.T) {
	t.Parallel()
	mails := startMailServer(t, func(email) {})
	s := startServer(t, t.TempDir(), append([]string{
		"--smtp-url", "smtp://" + mails.listener.Addr().String(), "--smtp-from", "bellwire@example.com", "--alert-email", "ops@example.com",
	}, local...)...)
	run := func() string {
		cmd := exec.CommandContext(t.Context(), binary, "alerts", "test")
		cmd.Env = []string{"HOME=" + t.TempDir(), "BELLWIRE_SERVER=" + s.url, "BELLWIRE_KEY=" + s.key}
		out, _ := cmd.CombinedOutput() // whether it fails, what it says shows
		return string(out)
	}
	if out := run(); !regexp.MustCompile(`(?m)^ops@example\.com +sent +.*ok`).MatchString(out) {
		t.Errorf("it says:\n%s", out)
	}
	got := mails.got()
	if len(got) != 1 || got[0].from != "bellwire@example.com" || got[0].to != "ops@example.com" || !strings.Contains(got[0].text, "Subject: Bellwire: test") {
		t.Errorf("got %+v", got)
	}
	if out := run(); !strings.Contains(out, "rate_limited") {
		t.Errorf("the second one says:\n%s", out)
	}
}
