//go:build unix

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// visit makes a request over a connection of its own, and repeats it if the connection breaks off.
func (s *server) visit(method, path, key, body string) (status int, answer string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	// A full server closes the connection of a client that has not authenticated in its first tenth of a second. On a busy machine that
	// can be too short for one that does so at once.
	for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); {
		if r.Body, err = r.GetBody(); err != nil {
			s.t.Fatal(err)
		}
		resp, err = client.Do(r)
	}
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
		return 0, ""
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp.StatusCode, string(content)
}

// makeKey makes a key of a tenant, and the tenant.
func (s *server) makeKey(tenant, role string) string {
	s.t.Helper()
	if status, answer, err := s.do("POST", "/tenants", fmt.Appendf(nil, `{"id": %q}`, tenant)); err != nil || status != http.StatusCreated && status != http.StatusConflict {
		s.t.Fatal(status, string(answer), err)
	}
	var made struct{ Secret string }
	s.call("POST", "/tenants/"+tenant+"/keys", `{"role": "`+role+`"}`, &made)
	return made.Secret
}

// Clients without a key cannot use up the connections that others need, and neither can one tenant with a key.
func TestConnectionsThatAreHeldMakeRoom(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	const files, slots = 256, 64
	s := launch(t, withFiles(files, serve(t.TempDir(), local...)))
	s.addType("ping")
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	hostile := s.makeKey("hostile", "tenant")
	address := strings.TrimPrefix(s.url, "http://")
	signed := func(at time.Time) string {
		return "POST /api/v4/accounts/123456789012/webhooks HTTP/1.1\r\nHost: x\r\nAuthorization: " +
			fmt.Sprintf(`Hmac id="api_%032x", nonce="n", timestamp="%d", response="%064x"`, 1, at.Unix(), 2) +
			"\r\nContent-Length: 100000\r\n\r\n{"
	}
	for _, attack := range []struct{ name, text string }{
		{"silence", ""},
		{"a header that does not end", "GET / HTTP/1.1\r\nX: "},
		{"a body that does not end, signed as bluefin's are", signed(time.Now())},
		{"a body that does not end, without a key", requestOf("POST", publish, "", "Content-Length: 100000\r\n", "{")},
		{"a body that does not end, with an unknown key", requestOf("POST", publish, "bwk_x", chunked, "1\r\n{\r\n")},
		{"a body that does not end, of a tenant", requestOf("POST", "/tenants/hostile/endpoints", hostile, "Content-Length: 100000\r\n", "{")},
	} {
		t.Run(attack.name, func(t *testing.T) {
			stop := make(chan struct{})
			var holding sync.WaitGroup
			for range 3 * slots {
				holding.Go(func() { drip(address, attack.text, stop) })
			}
			for range 20 {
				if status, answer := s.visit("GET", "/readyz", "", ""); status != http.StatusOK {
					t.Errorf("%s: /readyz is answered %d %s", attack.name, status, answer)
				}
				if status, answer := s.visit("POST", "/api/v1"+publish, adminKey, `{"type":"ping","data":1}`); status != http.StatusAccepted {
					t.Errorf("%s: a publish is answered %d %s", attack.name, status, answer)
				}
			}
			close(stop)
			holding.Wait()
		})
	}
}

// A tenant whose clients request large lists and do not read them uses bounded memory, and others still get their answers.
func TestUnreadAnswersAreBounded(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir())
	s.addType("ping")
	reader, neighbour := s.makeKey("hostile", "tenant-read"), s.makeKey("acme", "tenant-read")
	event := `{"type":"ping","data":{"text":"` + strings.Repeat("x", 900<<10) + `"}}`
	for _, tenant := range []string{"hostile", "acme"} {
		for range 8 {
			s.call("POST", "/tenants/"+tenant+"/events", event, nil)
		}
	}
	address := strings.TrimPrefix(s.url, "http://")
	var unread []net.Conn
	defer func() {
		for _, c := range unread {
			c.Close()
		}
	}()
	const lists = 2
	for i := range 60 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		unread = append(unread, c)
		text := requestOf("GET", "/tenants/hostile/events?limit=250", reader, "", "")
		if i%lists == 1 {
			text = strings.Replace(text, "/api/v1/tenants/hostile/events?limit=250", "/v1/events?limit=100", 1)
			text = strings.Replace(text, "Host: x\r\n", "Host: x\r\nLMG-Data-Privacy-Access-Principal: p\r\nLMG-Data-Privacy-Access-Justification: j\r\n", 1)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the tenant is refused more", func() bool {
		status, answer := s.visit("GET", "/api/v1/tenants/hostile/events?limit=250", reader, "")
		var problem struct{ Code string }
		if status == http.StatusOK {
			return false
		}
		if err := json.Unmarshal([]byte(answer), &problem); err != nil || status != http.StatusTooManyRequests || problem.Code != "rate_limited" {
			t.Fatalf("%d %.300s", status, answer)
		}
		return true
	})
	for range 5 {
		if status, answer := s.visit("GET", "/api/v1/tenants/acme/events?limit=250", neighbour, ""); status != http.StatusOK {
			t.Errorf("a neighbour's list is answered %d %.300s", status, answer)
		}
		if status, answer := s.visit("GET", "/readyz", "", ""); status != http.StatusOK {
			t.Errorf("/readyz is answered %d %s", status, answer)
		}
	}
	if resident := s.resident(); resident > 400<<20 {
		t.Errorf("%d MiB are resident", resident>>20)
	} else {
		t.Logf("%d MiB are resident", resident>>20)
	}
}
