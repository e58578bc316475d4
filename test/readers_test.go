package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestReadersOfOneTenant reads more lists of one tenant at the same time than may wait. The excess is refused, and others
// are not affected: another tenant can read, keys are still checked, and the server stays ready.
func TestReadersOfOneTenant(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "--log-level=info" },
		"PostgreSQL": func(t *testing.T) string { _, option := newDatabase(t); return option },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, t.TempDir(), append(local, option(t), "--limit", "request_rate=0,test_rate=0,change_rate=0")...)
			s.addType("card.created")
			keys := make(map[string]string)
			for _, tenant := range []string{"crowd", "other"} {
				var key struct{ Secret string }
				s.call("POST", "/tenants", fmt.Sprintf(`{"id": %q}`, tenant), nil)
				s.call("POST", "/tenants/"+tenant+"/keys", `{"role": "tenant-read"}`, &key)
				keys[tenant] = key.Secret
			}
			for range 50 { // each leaves something behind
				var ep struct{ ID string }
				s.call("POST", "/tenants/crowd/endpoints", `{"url": "http://127.0.0.1:9", "events": ["*"]}`, &ep)
				s.call("POST", "/tenants/crowd/endpoints/"+ep.ID+"/test", `{}`, nil)
				s.call("DELETE", "/tenants/crowd/endpoints/"+ep.ID, "", nil)
			}
			var (
				crowd         sync.WaitGroup
				read, refused atomic.Int64
				over          = make(chan struct{})
			)
			for range 150 {
				crowd.Go(func() {
					for {
						select {
						case <-over:
							return
						default:
						}
						switch status, problem := s.list(keys["crowd"], "crowd"); {
						case status == http.StatusOK:
							read.Add(1)
						case status == http.StatusTooManyRequests && problem == "rate_limited":
							refused.Add(1)
							time.Sleep(100 * time.Millisecond) // or they would do nothing but ask
						default:
							t.Errorf("one of the crowd is answered %d %s", status, problem)
							return
						}
					}
				})
			}
			eventually(t, "some of the crowd read, and others are refused", func() bool { return read.Load() > 20 && refused.Load() > 20 })
			for range 10 {
				if status, problem := s.list(keys["other"], "other"); status != http.StatusOK {
					t.Errorf("another tenant is answered %d %s", status, problem)
				}
				if status, problem := s.list("bwk_"+strings.Repeat("0", 32)+"_"+strings.Repeat("x", 43), "other"); status != http.StatusUnauthorized {
					t.Errorf("an unknown key is answered %d %s", status, problem)
				}
				if response, err := http.Get(s.url + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
					t.Errorf("readiness: %v, %v", response, err)
				} else {
					response.Body.Close()
				}
			}
			close(over)
			crowd.Wait()
			s.terminate()
		})
	}
}

// listClient keeps a connection for each of a crowd.
var listClient = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 200}}

// list reads a list of deliveries, and returns the status and the problem's code. Who is refused is told when to come again.
func (s *server) list(key, tenant string) (status int, code string) {
	s.t.Helper()
	request, err := http.NewRequest("GET", s.url+"/api/v1/tenants/"+tenant+"/deliveries", nil)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := listClient.Do(request)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	var problem struct{ Code string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		s.t.Error(err)
	}
	if response.StatusCode == http.StatusTooManyRequests && response.Header.Get("Retry-After") == "" {
		s.t.Error("a refusal does not say when to come again")
	}
	return response.StatusCode, problem.Code
}
