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
	"strings"
	"sync"
	"testing"
)

// blabbing answers each delivery, and sends the headers that it got behind the answer, where nobody expects anything.
func blabbing(t *testing.T) (url string) {
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

// Nothing is logged past the log that was asked for, at any level, and nothing in it is what a receiver or a client sent.
func TestOnlyTheServerWritesItsLog(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f0b61"
	s := startServer(t, t.TempDir(), "--allow-network", "127.0.0.0/8", "--log-level", "debug")
	s.addType("ping")
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/acme/endpoints",
		fmt.Sprintf(`{"url": %q, "events": ["*"], "auth": {"type": "bearer", "token": %q}}`, blabbing(t), canary), nil)
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
	eventually(t, "net/http's message is noted", func() bool { return strings.Contains(s.logged(), "a library logged a message") })
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
func TestMissingRootCertificatesAreTold(t *testing.T) {
	t.Parallel()
	const told = "no root certificates"
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
