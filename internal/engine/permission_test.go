package engine_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
)

// asking is the dialect standard, with endpoints that must allow deliveries.
type asking struct{ standard.Dialect }

type askingRenderer struct {
	bellwire.Renderer
	permission *bellwire.Permission
}

func (r askingRenderer) Permission() *bellwire.Permission { return r.permission }

func (d asking) Bind(ep *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	r, err := d.Dialect.Bind(ep, c)
	return askingRenderer{r, bellwire.NewPermission("hooks.test")}, err
}

// allows makes a handler that allows deliveries at a rate.
func allows(rate string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, rw http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodOptions {
			rw.Header().Set("WebHook-Allowed-Origin", "*")
			rw.Header().Set("WebHook-Allowed-Rate", rate)
		}
	}
}

// posts returns when deliveries came, and how often the endpoint was asked.
func (r *receiver) posts() (at []time.Time, asked int) {
	for _, g := range r.got() {
		if g.id == "" {
			asked++
		} else {
			at = append(at, g.at)
		}
	}
	return at, asked
}

// An endpoint gets no more than it has allowed, from the first delivery on, and a day later what it allows then.
func TestRateThatAnEndpointAllows(t *testing.T) {
	for name, c := range map[string]struct {
		allowed string
		own     float64 // the endpoint's rate_limit
		within  int     // deliveries within the first ten seconds
		stored  int
	}{
		"sixty a minute":         {"60", 0, 10, 60},
		"six a minute":           {"6", 0, 1, 6},
		"any number":             {"*", 0, 50, 0},
		"less of its own":        {"60", 0.5, 5, 60},
		"more of its own":        {"60", 100, 10, 60},
		"any, less of its own":   {"*", 1, 10, 0},
		"more than is possible":  {"18446744073709551615", 0, 50, 60_000_000},
		"not even one a second ": {"1", 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", allows(c.allowed))
				ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Dialect, ep.RateLimit = "asking", c.own })
				w.publish(50)
				w.pass(10*time.Second - time.Millisecond)
				at, asked := r.posts()
				if len(at) != c.within || asked != 1 {
					t.Errorf("it got %d deliveries in ten seconds, want %d, and was asked %d times", len(at), c.within, asked)
				}
				if why, _ := w.engine.Blocked(ep.ID, bellwire.TriggerSchedule); len(at) < 50 && why != bellwire.WaitRateLimit {
					t.Errorf("the others wait for %q", why)
				}
				all, err := w.store.Health(t.Context(), []string{ep.ID}, 1)
				must(t, err)
				if g := all[0].Granted; g.Rate != c.stored || g.At.IsZero() {
					t.Errorf("what it allows is stored as %+v", g)
				}
			})
		})
	}
}

func TestPermissionsAreRenewed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", allows("6"))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Dialect = "asking" })
		w.publish(1)
		w.pass(time.Second)
		r.now(allows("*"))
		w.publish(3)
		w.pass(time.Minute)
		if at, asked := r.posts(); len(at) != 4 || asked != 1 {
			t.Errorf("it got %d deliveries on the first day, and was asked %d times", len(at), asked)
		}
		w.pass(bellwire.PermissionLasts)
		w.publish(20)
		w.pass(time.Second)
		if at, asked := r.posts(); len(at) != 24 || asked != 2 {
			t.Errorf("it got %d deliveries, and was asked %d times", len(at), asked)
		}
		r.now(func(_ int, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusMethodNotAllowed) })
		w.pass(bellwire.PermissionLasts)
		w.publish(1)
		w.pass(time.Second)
		if at, _ := r.posts(); len(at) != 24 {
			t.Errorf("it got %d deliveries, one of them after it withdrew its permission", len(at))
		}
		if d := w.deliveries(ep.ID); d[len(d)-1].Status != bellwire.DeliveryRetrying {
			t.Errorf("the last delivery is %s", d[len(d)-1].Status)
		}
	})
}
