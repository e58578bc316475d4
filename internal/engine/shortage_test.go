package engine_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// shortage lets a world's dialer fail.
type shortage struct {
	bellwire.NopObserver
	mu     sync.Mutex
	errno  syscall.Errno // 0: dial
	only   string        // the host that cannot be dialled; empty: none can
	takes  time.Duration // until a dial fails
	dials  int
	faults map[string]int
}

func (s *shortage) set(errno syscall.Errno, only string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errno, s.only, s.dials = errno, only, 0
}

func (s *shortage) failed() (dials int, faults map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials, s.faults
}

func (s *shortage) NodeFailed(kind string, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[kind]++
}

// inShortage runs a test in a world whose dialer can fail.
func inShortage(t *testing.T, test func(t *testing.T, w *world, s *shortage)) {
	inWorld(t, func(t *testing.T, w *world) {
		s := &shortage{faults: map[string]int{}}
		w.stop()
		w.config.Observer = s
		w.dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
			s.mu.Lock()
			errno, takes, fails := s.errno, s.takes, s.errno != 0 && (s.only == "" || s.only+".test:80" == address)
			if fails {
				s.dials++
			}
			s.mu.Unlock()
			if fails {
				time.Sleep(takes)
				to := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}
				return nil, &net.OpError{Op: "dial", Net: network, Addr: to, Err: os.NewSyscallError("socket", errno)}
			}
			return w.dial(ctx, network, address)
		}
		w.start()
		test(t, w, s)
	})
}

// A shortage on the node costs a delivery only time: it uses up no attempt and no retry, and does not count as a failure of
// the endpoint. It does not keep the node busy either.
func TestShortagesCostNothing(t *testing.T) {
	for kind, errno := range map[string]syscall.Errno{
		"descriptors": syscall.EMFILE, "memory": syscall.ENOBUFS, "ports": syscall.EADDRNOTAVAIL,
	} {
		for name, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
			t.Run(kind+", "+name, func(t *testing.T) {
				inShortage(t, func(t *testing.T, w *world, s *shortage) {
					r := w.receiver("a", answers(200))
					ep := w.endpoint("a", change, func(ep *bellwire.Endpoint) { ep.Retry = bellwire.RetryPolicy{} })
					s.set(errno, "")
					ids := texts(w.publish(20))
					_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
					must(t, err)
					w.pass(10 * time.Minute)
					dials, faults := s.failed()
					if dials < 20 || dials > 200 || faults[kind] != dials || len(faults) != 1 {
						t.Error("dials in ten minutes:", dials, faults)
					}
					for _, d := range w.deliveries(ep.ID) {
						if d.Status != bellwire.DeliveryPending || d.Attempts != 0 || d.Retries != 0 {
							t.Fatalf("%+v", d)
						}
					}
					if got := w.engine.Stats(); got.OpenBreakers != 0 || got.InFlight != 0 {
						t.Errorf("%+v", got)
					}
					s.set(0, "")
					w.pass(time.Minute)
					if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 21 {
						t.Error("a minute after:", got)
					}
					got := slices.DeleteFunc(r.ids(), func(id string) bool { return !slices.Contains(ids, id) })
					if name != "in order" {
						slices.Sort(got)
						slices.Sort(ids)
					}
					if diff := cmp.Diff(ids, got); diff != "" {
						t.Error("received (-want +got):", diff)
					}
				})
			})
		}
	}
}

// Requests to one endpoint that fail at the same time cause one pause, not a pause that doubles with each.
func TestConcurrentFailuresCauseOnePause(t *testing.T) {
	inShortage(t, func(t *testing.T, w *world, s *shortage) {
		s.takes = 10 * time.Millisecond
		w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond) // so that the window is used up, and grows
			rw.Header().Set("Connection", "close")
		})
		ep := w.endpoint("a")
		w.publish(200)
		w.pass(10 * time.Second)
		s.set(syscall.EADDRNOTAVAIL, "")
		w.publish(40)
		w.pass(500 * time.Millisecond)
		if dials, _ := s.failed(); dials < 10 {
			t.Error("requests that failed:", dials)
		}
		s.set(0, "")
		w.pass(2 * time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 240 {
			t.Error("two seconds after:", got)
		}
	})
}

// A retry that the node cannot make is not used up.
func TestShortageKeepsRetries(t *testing.T) {
	inShortage(t, func(t *testing.T, w *world, s *shortage) {
		r := w.receiver("a", func(n int, rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Connection", "close")
			answers(500, 200)(n, rw, r)
		})
		ep := w.endpoint("a", every(10*time.Second, 1))
		w.publish(1)
		w.pass(time.Second)
		s.set(syscall.EMFILE, "")
		w.pass(time.Minute)
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliveryRetrying || d.Retries != 1 || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
		s.set(0, "")
		w.pass(time.Minute)
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliverySucceeded || d.Attempts != 2 || len(r.got()) != 2 {
			t.Errorf("%d requests, %+v", len(r.got()), d)
		}
	})
}

// Ports run out for one receiver: others' deliveries do not wait for it.
func TestNoPortsForOneReceiver(t *testing.T) {
	inShortage(t, func(t *testing.T, w *world, s *shortage) {
		good := w.receiver("good", answers(200))
		w.receiver("bad", answers(200))
		w.endpoint("good")
		w.endpoint("bad")
		s.set(syscall.EADDRNOTAVAIL, "bad")
		for n := 1; n <= 20; n++ {
			w.publish(1)
			w.pass(10 * time.Millisecond)
			if got := len(good.got()); got != n {
				t.Fatal("of", n, "events the other endpoint got", got)
			}
		}
	})
}

// unusable is a directory that cannot make endpoints ready.
type unusable struct {
	engine.Directory
	until time.Time
}

func (u *unusable) Target(ctx context.Context, endpoint string) (*bellwire.Target, error) {
	t, err := u.Directory.Target(ctx, endpoint)
	return u.unready(t), err
}

func (u *unusable) Subscriptions(ctx context.Context, tenant string) (bellwire.Subscriptions, int64, error) {
	subscriptions, revision, err := u.Directory.Subscriptions(ctx, tenant)
	if err != nil {
		return nil, 0, err
	}
	return unreadySubscriptions{subscriptions, u}, revision, nil
}

// unreadySubscriptions are subscriptions of endpoints that are not ready.
type unreadySubscriptions struct {
	bellwire.Subscriptions
	by *unusable
}

func (s unreadySubscriptions) Recipients(ctx context.Context, events []bellwire.NewEvent, targets [][]*bellwire.Target, o bellwire.Observer) error {
	if err := s.Subscriptions.Recipients(ctx, events, targets, o); err != nil {
		return err
	}
	for i := range targets {
		targets[i] = slices.Clone(targets[i])
		for k := range targets[i] {
			targets[i][k] = s.by.unready(targets[i][k])
		}
	}
	return nil
}

func (u *unusable) unready(t *bellwire.Target) *bellwire.Target {
	if t == nil {
		return nil
	}
	other := *t
	other.Renderer = &closed{t.Renderer, u.until}
	return &other
}

// closed is the renderer of an endpoint whose secrets do not open for a while.
type closed struct {
	bellwire.Renderer
	until time.Time
}

func (c *closed) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	if time.Now().Before(c.until) {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the endpoint cannot be served on this server now")
	}
	return c.Renderer.AppendBody(dst, m)
}

// An endpoint that this node cannot serve has its deliveries wait, as if it were paused.
func TestUnusableConfigurationCostsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.stop()
		w.around = func(d engine.Directory) engine.Directory { return &unusable{d, time.Now().Add(time.Hour)} }
		w.start()
		w.receiver("a", answers(200))
		ep := w.endpoint("a")
		w.publish(200)
		w.pass(50 * time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryPending] != 200 {
			t.Error("before:", got)
		}
		w.pass(11 * time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 200 {
			t.Error("after:", got)
		}
	})
}
