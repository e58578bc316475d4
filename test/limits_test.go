package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Limits of the server hold for tenants without values of their own, and these for those with them, also after a restart.
func TestLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := append(local, "--limit", "endpoints=2,publish_rate=0.001", "--limit", "keys=1")
	s := startServer(t, dir, args...)
	s.addType("card.created")
	s.call("POST", "/tenants", `{"id": "plain"}`, nil)
	s.call("POST", "/tenants", `{"id": "large", "limits": {"endpoints": 3, "min_retry_delay": "2s"}}`, nil)
	create := func(tenant string) (status int, answer string) {
		t.Helper()
		status, body, err := s.do("POST", "/tenants/"+tenant+"/endpoints", []byte(`{"url": "https://example.com", "events": ["*"]}`))
		if err != nil {
			t.Fatal(err)
		}
		return status, string(body)
	}
	for tenant, most := range map[string]int{"plain": 2, "large": 3} {
		for range most {
			if status, answer := create(tenant); status != 201 {
				t.Fatalf("%s: %d %s", tenant, status, answer)
			}
		}
		status, answer := create(tenant)
		if status != 409 || !strings.Contains(answer, fmt.Sprintf(`the tenant has %d endpoints, and the limit \"endpoints\" allows %[1]d`, most)) {
			t.Errorf("%s: %d %s", tenant, status, answer)
		}
	}
	s.terminate()

	s = startServer(t, dir, args...)
	s.call("PATCH", "/tenants/plain", `{"limits": {"endpoints": 3}}`, nil)
	s.call("PATCH", "/tenants/large", `{"limits": {"endpoints": null}}`, nil)
	if status, answer := create("plain"); status != 201 {
		t.Errorf("after its limit was raised: %d %s", status, answer)
	}
	var large struct {
		Limits    map[string]any `json:"limits"`
		Effective map[string]any `json:"effective_limits"`
	}
	s.call("GET", "/tenants/large", "", &large)
	if fmt.Sprint(large.Limits) != "map[min_retry_delay:2s]" || large.Effective["endpoints"] != 2.0 || large.Effective["min_retry_delay"] != "2s" || large.Effective["keys"] != 1.0 {
		t.Errorf("the limits are %+v", large)
	}
	s.refusesPublishes("large", 1000)
	s.terminate()
}

// refusesPublishes expects that a tenant may publish so many events, and then is told to wait.
func (s *server) refusesPublishes(tenant string, most int) {
	s.t.Helper()
	batch := `{"events": [` + strings.Repeat(`{"type": "card.created", "data": 1},`, most-1) + `{"type": "card.created", "data": 1}]}`
	s.call("POST", "/tenants/"+tenant+"/events/batch", batch, nil)
	status, answer, err := s.do("POST", "/tenants/"+tenant+"/events", []byte(`{"type": "card.created", "data": 1}`))
	var problem struct{ Code, Detail string }
	if err != nil || json.Unmarshal(answer, &problem) != nil || status != 429 || problem.Code != "rate_limited" || !strings.Contains(problem.Detail, "publish_rate") {
		s.t.Errorf("one more event is answered %d %s, %v", status, answer, err)
	}
}

// A limit that cannot be ends the start, wherever it was given, and the message names the option and the range.
func TestBadLimits(t *testing.T) {
	t.Parallel()
	const bad = "endpoints must be a whole number between 1 and 65,536"
	for name, give := range map[string]func(*exec.Cmd){
		"flag":     func(c *exec.Cmd) { c.Args = append(c.Args, "--limit", "endpoints=0") },
		"variable": func(c *exec.Cmd) { c.Env = append(os.Environ(), "BELLWIRE_LIMITS=keys=5,endpoints=0") },
		"file": func(c *exec.Cmd) {
			if err := os.WriteFile(filepath.Join(c.Dir, "bellwire.yaml"), []byte("limit:\n  keys: 5\n  endpoints: 0\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		cmd := exec.CommandContext(t.Context(), binary, "serve", "--listen", "127.0.0.1:0")
		cmd.Dir = t.TempDir()
		give(cmd)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "--limit (BELLWIRE_LIMITS)") || !strings.Contains(string(out), bad) {
			t.Errorf("%s: %v\n%.500s", name, err, out)
		}
	}
}

// A tenant that exceeds its rate is refused in every dialect, with the time after which to try again.
func TestRequestRateInAllDialects(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), "--bluefin-basic", "--limit", "request_rate=0.001")
	for i, path := range []string{
		"/api/v1/tenants/{tenant}/endpoints", "/lending/events/counterparty.merged/endpoints", "/api/v0.1/webhooks", "/webhooks",
		"/v1/webhooks", "/api/v4/accounts/{tenant}/webhooks",
	} {
		t.Run(path, func(t *testing.T) {
			tenant := fmt.Sprintf("%012d", i)
			s.call("POST", "/tenants", `{"id": "`+tenant+`"}`, nil)
			var key struct{ ID, Secret string }
			s.call("POST", "/tenants/"+tenant+"/keys", `{"role": "tenant"}`, &key)
			ask := func() (status int, retryAfter, body string) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+strings.ReplaceAll(path, "{tenant}", tenant), nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = http.Header{
					"Authorization": {"Bearer " + key.Secret}, "Identity": {key.ID},
					"Lmg-Data-Privacy-Access-Principal": {"someone"}, "Lmg-Data-Privacy-Access-Justification": {"a test"},
				}
				if strings.HasPrefix(path, "/api/v4") {
					r.SetBasicAuth(key.ID, key.Secret)
				}
				response, err := apiClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				answer, err := io.ReadAll(response.Body)
				if err != nil {
					t.Fatal(err)
				}
				return response.StatusCode, response.Header.Get("Retry-After"), string(answer)
			}
			if status, _, body := ask(); status == 401 || status == 429 {
				t.Errorf("%s: the first request is answered %d: %s", path, status, body)
			}
			status, retryAfter, body := ask()
			says := "too many requests" // vendors have no names for Bellwire's limits
			if strings.HasPrefix(path, "/api/v1/") {
				says = `the limit \"request_rate\"`
			}
			if seconds, err := strconv.Atoi(retryAfter); status != 429 || err != nil || seconds < 900 || seconds > 1000 || !json.Valid([]byte(body)) || !strings.Contains(body, says) {
				t.Errorf("%s: the second is answered %d, Retry-After %q: %s", path, status, retryAfter, body)
			}
		})
	}
	s.terminate()
}
