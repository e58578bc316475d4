package send

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// permitted is a plain renderer to an endpoint that must allow deliveries.
type permitted struct {
	plain
	permission *bellwire.Permission
}

func (p permitted) Permission() *bellwire.Permission { return p.permission }

// Nothing is posted before the endpoint has allowed it, and it is asked once.
func TestEndpointsAreAskedForPermission(t *testing.T) {
	t.Parallel()
	const origin = "hooks.example.com"
	for name, c := range map[string]struct {
		allowed string // the header of the answer to OPTIONS
		status  int
		want    []string // the methods of three attempts' requests
	}{
		"the origin":     {"Hooks.Example.com", http.StatusOK, []string{"OPTIONS", "POST", "POST", "POST"}},
		"any, and 405":   {"*", http.StatusMethodNotAllowed, []string{"OPTIONS", "POST", "POST", "POST"}},
		"another origin": {"example.com", http.StatusOK, []string{"OPTIONS", "OPTIONS", "OPTIONS"}},
		"nothing":        {"", http.StatusNoContent, []string{"OPTIONS", "OPTIONS", "OPTIONS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				mu      sync.Mutex
				methods []string
			)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				methods = append(methods, r.Method)
				mu.Unlock()
				if r.Method == http.MethodPost {
					return
				}
				if got := r.Header.Get("WebHook-Request-Origin"); got != origin || r.Header.Get("X-Key") != "secret" || r.ContentLength != 0 {
					t.Errorf("it is asked by %q with %v", got, r.Header)
				}
				if c.allowed != "" {
					w.Header().Set("WebHook-Allowed-Origin", c.allowed)
				}
				w.WriteHeader(c.status)
			}))
			t.Cleanup(s.Close)
			transport := newTransport(guardedDialer(loopback), 1, 1, nil)
			t.Cleanup(transport.CloseIdleConnections)
			granted := len(c.want) == 4
			renderer := permitted{permission: bellwire.NewPermission(origin)}
			for range 3 {
				r := attemptOver(transport, s.URL, func(target *bellwire.Target) {
					target.Renderer = renderer
					target.Headers = []bellwire.Header{{Name: "X-Key", Value: "secret"}}
				})
				if (r.Verdict == bellwire.Acknowledged) != granted {
					t.Fatalf("%v: %s", r.Verdict, r.Attempt.Error)
				}
				if !granted {
					checkCause(t, r.Attempt, bellwire.OutcomeStatus, "has no header WebHook-Allowed-Origin with hooks.example.com or *")
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(methods, c.want) {
				t.Errorf("got %v, want %v", methods, c.want)
			}
		})
	}
}

// An endpoint that cannot be asked fails the attempt for the reason why.
func TestEndpointsThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	r := attempt(t, guardedDialer(loopback), nil, s.URL, func(target *bellwire.Target) {
		target.Renderer = permitted{permission: bellwire.NewPermission("hooks.example.com")}
	})
	checkCause(t, r.Attempt, bellwire.OutcomeConnect, "it was asked with OPTIONS whether it allows deliveries")
}

// An endpoint is asked for its rate_limit, in requests a minute.
func TestEndpointsAreAskedForTheirRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit float64
		want  string
	}{{0, ""}, {2.5, "150"}, {0.001, "1"}, {1_000_000, "60000000"}} {
		asked := make(chan string, 2)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WebHook-Allowed-Origin", "*")
			w.Header().Set("WebHook-Allowed-Rate", "90")
			if r.Method == http.MethodOptions {
				asked <- r.Header.Get("WebHook-Request-Rate")
			}
		}))
		t.Cleanup(s.Close)
		p := bellwire.NewPermission("hooks.example.com")
		r := attempt(t, guardedDialer(loopback), nil, s.URL, func(target *bellwire.Target) {
			target.Renderer, target.Endpoint.RateLimit = permitted{permission: p}, c.limit
		})
		if got := <-asked; got != c.want || r.Verdict != bellwire.Acknowledged || p.Grant().Rate != 90 {
			t.Errorf("a rate limit of %g: it is asked for %q, want %q; the attempt %v; granted %+v", c.limit, got, c.want, r.Verdict, p.Grant())
		}
	}
}
