package test

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// startEcho starts a receiver that answers each delivery, and then sends the Authorization header that it got, where HTTP expects
// no more bytes.
func startEcho(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				fmt.Fprintf(c, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nX-Echo: %s\r\n\r\n", req.Header.Get("Authorization"))
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return "http://" + l.Addr().String()
}

// At every level, all log lines have the configured format, and none contains text that a receiver or a client sent.
func TestOnlyTheServerWritesItsLog(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f0b61"
	s := startServer(t, t.TempDir(), "--allow-network", "127.0.0.0/8", "--log-level", "debug")
	s.addType("ping")
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/acme/endpoints",
		fmt.Sprintf(`{"url": %q, "events": ["*"], "auth": {"type": "bearer", "token": %q}}`, startEcho(t), canary), nil)
	for range 3 {
		if _, err := s.publish("ping", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		canary + "\r\n\r\n", "GET / HTTP/9." + canary + "\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n" + canary + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + canary + "\x00\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n" + canary + "\x01: b\r\n\r\n",
		requestOf("POST", "/api/v1/tenants/acme/events?q="+canary+";"+canary, canary, "X: "+canary+"\r\n"+sized(canary), canary),
		requestOf("POST", "/api/v1/tenants/acme/events", adminKey, "Content-Length: "+canary+"\r\n", canary),
		requestOf("POST", "/api/v1/tenants/acme/events", adminKey, "Transfer-Encoding: "+canary+"\r\n", canary),
		requestOf("POST", "/api/v1/tenants/acme/events", adminKey, sized(canary), canary),
		requestOf("POST", "/api/v1/tenants/acme/events", adminKey, sized(`{"type": "ping", "data": "`+canary), `{"type": "ping", "data": "`+canary),
	} {
		if _, _, err := s.send(text, true); err != nil {
			t.Logf("%.20q: %v", text, err) // some are not answered
		}
	}
	eventually(t, "the deliveries have succeeded", func() bool { return len(deliveriesOf(t, s, "acme", "status=succeeded&")) == 3 })
	eventually(t, "net/http's message is noted", func() bool { return strings.Contains(s.logged(), "library message withheld") })
	s.terminate()
	for line := range strings.Lines(s.logged()) {
		if strings.TrimSpace(line) != "" && !json.Valid([]byte(line)) {
			t.Errorf("this was not written by the server's own log: %s", line)
		}
		if strings.Contains(line, canary) {
			t.Errorf("this repeats what somebody sent: %s", line)
		}
	}
}

// In an image without root certificates no https endpoint can be reached, and the server says so at once.
func TestMissingRootCertificatesAreLogged(t *testing.T) {
	t.Parallel()
	const told = "no root certificates found"
	for _, missing := range []bool{true, false} {
		cmd := serve(t.TempDir())
		bundle := filepath.Join(t.TempDir(), "bundle.pem")
		if !missing {
			file, err := os.Create(bundle)
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewTLSServer(nil)
			if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}); err != nil {
				t.Fatal(err)
			}
			s.Close()
			file.Close()
		}
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+bundle, "SSL_CERT_DIR="+t.TempDir())
		s := launch(t, cmd)
		s.terminate()
		if said := strings.Contains(s.logged(), told); said != missing {
			t.Errorf("the bundle is missing: %v; that is told: %v", missing, said)
		}
	}
}

// A reader of the log that has stopped reading holds up neither the server nor its end. Lines that find no room are
// counted, and reported when it reads again.
func TestUnreadLog(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	for _, resumes := range []bool{true, false} {
		t.Run(fmt.Sprintf("resumes=%v", resumes), func(t *testing.T) {
			t.Parallel()
			s, unread := startUnread(t)
			dropped := regexp.MustCompile(`(?m)^bellwire_log_lines_dropped_total ([1-9]\d*)$`)
			// Each request logs a line with its path; together they are more than a pipe and the server's memory hold.
			for range 400 {
				if _, _, err := s.do("GET", "/tenants/"+strings.Repeat("x", 8<<10), nil); err != nil {
					t.Fatal(err)
				}
			}
			if _, metrics := s.get("/metrics"); !dropped.MatchString(metrics) {
				t.Error("no line was dropped")
			}
			s.subscribe("http://127.0.0.1:9/")
			if _, err := s.publish("ping", []byte(`{}`)); err != nil {
				t.Errorf("an event was refused: %v", err)
			}
			if !resumes {
				s.signal(syscall.SIGTERM)
				if err := s.wait(); err != nil {
					t.Errorf("the server ended with: %v", err)
				}
				return
			}
			go s.read(unread)
			eventually(t, "dropped lines are reported", func() bool { return strings.Contains(s.logged(), `"msg":"log lines dropped","count":`) })
			s.terminate()
			eventually(t, "the last line is written", func() bool { return strings.Contains(s.logged(), `"msg":"stopped"`) })
		})
	}
}

// startUnread starts a server whose log is read until it listens, and not any more.
func startUnread(t *testing.T) (s *server, unread *bufio.Reader) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := serve(t.TempDir(), "--log-level", "debug", "--drain-timeout", "2s", "--allow-network", "127.0.0.0/8")
	cmd.Stderr = writer
	s = &server{t: t, cmd: cmd, key: adminKey, exited: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	go func() { s.exited <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill() // it has ended already, if the test went well
		reader.Close()
	})
	unread = bufio.NewReader(reader)
	for s.url == "" {
		line, err := unread.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the server does not listen: %v", err)
		}
		var record struct{ Msg, Address string }
		if json.Unmarshal(line, &record) == nil && record.Msg == "listening" {
			s.url = "http://" + record.Address
		}
	}
	s.addType("ping")
	return s, unread
}

// read keeps the log.
func (s *server) read(log *bufio.Reader) {
	for {
		line, err := log.ReadBytes('\n')
		s.mu.Lock()
		s.log.Write(line)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}
