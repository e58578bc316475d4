package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
	"github.com/bellwire/bellwire/receive"
)

// cellRouter is the proxy of docs/scaling.md: it sends what is about a tenant to the tenant's cell.
type cellRouter struct {
	*httputil.ReverseProxy
	usual *url.URL

	mu     sync.Mutex
	cells  map[string]*url.URL // of tenants that are not in the usual one
	moving map[string]bool     // tenants whose requests are answered 503
}

var tenantInPath = regexp.MustCompile(`^/api/v1/tenants/([A-Za-z0-9_-]+)`)

func startRouter(t *testing.T, usual *server) (*cellRouter, *server) {
	t.Helper()
	r := &cellRouter{usual: cellURL(t, usual), cells: make(map[string]*url.URL), moving: make(map[string]bool)}
	r.ReverseProxy = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		cell, _ := r.find(p.In.URL.Path)
		p.SetURL(cell)
	}}
	front := httptest.NewServer(r)
	t.Cleanup(front.Close)
	return r, &server{t: t, url: front.URL, key: adminKey}
}

func cellURL(t *testing.T, s *server) *url.URL {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// find returns the cell for a path, and whether its tenant is being moved.
func (r *cellRouter) find(path string) (cell *url.URL, moving bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tenant := ""
	if found := tenantInPath.FindStringSubmatch(path); found != nil {
		tenant = found[1]
	}
	if cell = r.cells[tenant]; cell == nil {
		cell = r.usual
	}
	return cell, r.moving[tenant]
}

func (r *cellRouter) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if _, moving := r.find(req.URL.Path); moving {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.ReverseProxy.ServeHTTP(w, req)
}

func (r *cellRouter) hold(tenant string, moving bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moving[tenant] = moving
}

func (r *cellRouter) assign(tenant string, cell *url.URL) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cells[tenant] = cell
}

// A tenant is moved from one cell to another while its endpoint fails, as docs/scaling.md describes: what was delivered stays
// delivered, what was open arrives from the new cell under the same ids, keys and secrets go on, and other tenants notice nothing.
func TestTenantMovesToAnotherCell(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	from, to := startServer(t, t.TempDir(), local...), startServer(t, t.TempDir(), local...)
	router, front := startRouter(t, from)
	var failing sync.Map // paths
	in := openInbox(t, func(path, _ string, _ int) int {
		if _, fails := failing.Load(path); fails {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	front.call("PUT", "/event-types/order.paid", `{}`, nil)
	var endpoint struct{ ID, Secret string }
	for _, tenant := range []string{"other", "acme"} { // acme's endpoint is the last
		front.call("POST", "/tenants", fmt.Sprintf(`{"id": %q}`, tenant), nil)
		front.call("POST", "/tenants/"+tenant+"/endpoints", fmt.Sprintf(
			`{"url": "%s/%s", "events": ["*"], "retry": {"interval": "1h", "count": 5}}`, in.url, tenant), &endpoint)
	}
	var key struct{ Secret string }
	front.call("POST", "/tenants/acme/keys", `{"role": "tenant"}`, &key)
	publish := func(tenant, id string) (duplicate bool) {
		var receipt struct{ Duplicate bool }
		front.call("POST", "/tenants/"+tenant+"/events", fmt.Sprintf(`{"type": "order.paid", "id": %[1]q, "data": {"id": %[1]q}}`, id), &receipt)
		return receipt.Duplicate
	}
	status := func(s *server, status string) int { return len(deliveriesOf(t, s, "acme", "status="+status)) }
	command := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	cell := func(s *server, args ...string) []string { return append(args, "--server", s.url, "--key", adminKey) }

	for i := range 3 {
		publish("acme", fmt.Sprintf("delivered-%d", i))
	}
	eventually(t, "the first events are delivered", func() bool { return status(from, "succeeded") == 3 })
	failing.Store("/acme", true)
	for i := range 3 {
		publish("acme", fmt.Sprintf("open-%d", i))
	}
	eventually(t, "the others have failed once", func() bool { return status(from, "retrying") == 3 })

	// The move.
	dir := t.TempDir()
	first, second := filepath.Join(dir, "acme.ndjson"), filepath.Join(dir, "acme-later.ndjson")
	command(cell(from, "export", first, "--tenant", "acme", "--secrets")...)
	command(cell(to, "import", first)...)
	publish("acme", "during-the-move")
	eventually(t, "that one has failed, too", func() bool { return status(from, "retrying") == 4 })
	router.hold("acme", true)
	if code, _, err := front.do("POST", "/tenants/acme/events", []byte(`{}`)); err != nil || code != http.StatusServiceUnavailable {
		t.Errorf("a publish during the switch was answered %d, %v", code, err)
	}
	if publish("other", "meanwhile") {
		t.Error("another tenant's event is a duplicate")
	}
	command(cell(from, "export", second, "--tenant", "acme", "--secrets", "--since", "1h")...)
	command(cell(to, "import", second)...)
	var oldest struct {
		Data []struct {
			CreatedAt string `json:"created_at"`
		}
	}
	from.call("GET", "/tenants/acme/events?key=open-0", "", &oldest)
	command(cell(from, "deliveries", "cancel", "--tenant", "acme", "--endpoint", endpoint.ID, "--all", "--watch")...)
	router.assign("acme", cellURL(t, to))
	router.hold("acme", false)
	failing.Delete("/acme")
	command(cell(to, "replay", "--tenant", "acme", "--endpoint", endpoint.ID, "--since", oldest.Data[0].CreatedAt, "--status", "missing")...)
	eventually(t, "what was open is delivered", func() bool { return status(to, "succeeded") == 4 })
	from.call("DELETE", "/tenants/acme", "", nil)

	if !publish("acme", "delivered-0") {
		t.Error("an event from before the move was published again")
	}
	publish("acme", "after")
	eventually(t, "the new cell delivers", func() bool { return status(front, "succeeded") == 5 })
	asTenant := &server{t: t, url: front.url, key: key.Secret}
	if got := status(asTenant, "succeeded"); got != 5 {
		t.Errorf("the tenant's own key finds %d deliveries in the new cell", got)
	}
	verifyMoved(t, in, endpoint.Secret)
	eventually(t, "the other tenant's event is delivered", func() bool { return len(in.bodies("/other")) == 1 })
	from.terminate()
	to.terminate()
}

// verifyMoved checks that each of acme's events came, was acknowledged once, and is signed with the secret from before the move.
func verifyMoved(t *testing.T, in *inbox, secret string) {
	t.Helper()
	verifier, err := receive.Standard(secret)
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := make(map[string]int)
	for _, hits := range in.at("/acme") {
		for _, h := range hits {
			if _, err := verifier.Verify(h.header, []byte(h.body)); err != nil {
				t.Errorf("%s: %v", h.body, err)
			}
			if h.answered == http.StatusOK {
				acknowledged[h.header.Get("webhook-id")]++
			}
		}
	}
	if len(acknowledged) != 8 {
		t.Errorf("%d events were acknowledged, want 8", len(acknowledged))
	}
	for id, n := range acknowledged {
		if n != 1 {
			t.Errorf("event %s was acknowledged %d times", id, n)
		}
	}
}
