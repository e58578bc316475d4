package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

// frequentRetries has an endpoint retry often, for as long as any test takes.
func frequentRetries(ep *bellwire.Endpoint) {
	ep.Retry = bellwire.RetryPolicy{
		Initial: bellwire.Duration(10 * time.Second), Factor: 2,
		MaxInterval: bellwire.Duration(time.Minute), MaxElapsed: bellwire.Duration(24 * time.Hour),
	}
}

// customers are receivers of which each is in another state when the clock jumps.
type customers struct {
	w       *world
	release chan struct{} // closed: what hangs is answered, and what was down is up
	all     []*customer
}

type customer struct {
	*receiver
	endpoint *bellwire.Endpoint

	mu   sync.Mutex
	acks map[string]int // acknowledgements by event
}

// add makes a customer that answers as the function says, and counts the deliveries that it acknowledges.
func (c *customers) add(name string, status func(n int, r *http.Request) int, change ...func(*bellwire.Endpoint)) {
	one := &customer{acks: map[string]int{}}
	one.receiver = c.w.receiver(name, func(n int, rw http.ResponseWriter, r *http.Request) {
		code := status(n, r)
		if code < 300 && r.Context().Err() == nil {
			one.mu.Lock()
			one.acks[r.Header.Get("Webhook-Id")]++
			one.mu.Unlock()
		}
		rw.WriteHeader(code)
	})
	one.endpoint = c.w.endpoint(name, append([]func(*bellwire.Endpoint){frequentRetries}, change...)...)
	c.all = append(c.all, one)
}

func (c *customers) released() bool {
	select {
	case <-c.release:
		return true
	default:
		return false
	}
}

// down answers 500 until the release.
func (c *customers) down(int, *http.Request) int {
	if c.released() {
		return 200
	}
	return 500
}

// hang does not answer until the release.
func (c *customers) hang(_ int, r *http.Request) int {
	select {
	case <-c.release:
	case <-r.Context().Done():
	}
	return 200
}

// newCustomers makes one customer of each kind.
func newCustomers(w *world) *customers {
	c := &customers{w: w, release: make(chan struct{})}
	fine := func(int, *http.Request) int { return 200 }
	third := func(n int, _ *http.Request) int { return []int{500, 200, 200}[n%3] }
	c.add("quick", fine)
	c.add("hanging", c.hang, func(ep *bellwire.Endpoint) { ep.MaxInFlight = 1 })
	c.add("down", c.down)
	c.add("flaky", third)
	c.add("limited", third, func(ep *bellwire.Endpoint) { ep.RateLimit = 2 })
	c.add("fifo", third, fifo)
	c.add("fifo-down", c.down, fifo)
	c.add("paused", fine, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
	c.add("paused-fifo", fine, fifo, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
	return c
}

// recover restores everything that was down or paused.
func (c *customers) recover() {
	close(c.release)
	for _, one := range c.all {
		if one.endpoint.Status == bellwire.EndpointPaused {
			c.w.update(one.endpoint.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		}
	}
}

// faults returns the differences between the published events and the received ones.
func (c *customers) faults(ids []string) []string {
	var faults []string
	for _, one := range c.all {
		one.mu.Lock()
		for _, id := range ids {
			if n := one.acks[id]; n != 1 {
				faults = append(faults, fmt.Sprintf("%s acknowledged %s %d times", one.name, id, n))
			}
		}
		one.mu.Unlock()
		if one.endpoint.Ordering != bellwire.OrderingFIFO {
			continue
		}
		if diff := cmp.Diff(ids, one.ids()); diff != "" {
			faults = append(faults, fmt.Sprintf("%s: order of first receipt (-want +got):\n%s", one.name, diff))
		}
	}
	return faults
}

// small has lanes spill early.
func small(w *world) {
	w.stop()
	w.config.MaxQueued = 60
	w.start()
}

// jumps are what happens to the clock, with the time that passes after each.
var jumps = map[string][]time.Duration{
	"forward":          {time.Hour},
	"back":             {-time.Hour},
	"forward and back": {time.Hour, -time.Hour},
	"back and forward": {-time.Hour, time.Hour},
}

// The clock jumps by an hour while deliveries are in flight, retrying, spilled, held up in order, paused and behind an
// open breaker, with and without a crash: each arrives once and in order, none later than the jump and its delay.
func TestClockJumps(t *testing.T) {
	testenv.Long(t)
	for name, steps := range jumps {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crash %v", name, crash), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					small(w)
					c := newCustomers(w)
					ids := texts(w.publish(20))
					w.pass(3 * time.Minute) // the breaker of the one that is down opens
					if w.engine.Stats().OpenBreakers == 0 {
						t.Error("no breaker is open")
					}
					for _, by := range steps {
						ids = append(ids, texts(w.publish(5))...)
						if crash {
							w.pass(0)
							w.crash() // with a request in flight that is not answered
						}
						w.jump(by)
						if crash {
							w.start()
						}
						ids = append(ids, texts(w.publish(5))...)
						w.pass(time.Minute)
					}
					c.recover()
					w.pass(time.Hour + 15*time.Minute)
					for _, fault := range c.faults(ids) {
						t.Error(fault)
					}
				})
			})
		}
	}
}

// New events go out at once, whatever the clock has done, also those that were written before a jump and are found
// after it.
func TestClockSetBackDelaysNothingNew(t *testing.T) {
	for name, order := range map[string]func(*bellwire.Endpoint){"unordered": func(*bellwire.Endpoint) {}, "fifo": fifo} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				small(w)
				r := w.receiver("a", answers(200))
				compare := func(when string, want []bellwire.EventID) {
					sent, got := texts(want), r.ids()
					if name == "unordered" {
						slices.Sort(sent)
						slices.Sort(got)
					}
					if diff := cmp.Diff(sent, got); diff != "" {
						t.Errorf("%s (-want +got):%s", when, diff)
					}
				}
				pause := func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused }
				resume := func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled }
				ep := w.endpoint("a", order)
				w.update(ep.ID, pause)
				ids := w.publish(100)
				w.jump(-time.Hour)
				w.update(ep.ID, resume)
				w.pass(time.Second)
				compare("a second after the endpoint was resumed", ids)
				w.update(ep.ID, pause)
				ids = append(ids, w.publish(100)...)
				w.update(ep.ID, resume)
				w.crash()
				w.jump(-time.Hour)
				w.start()
				w.pass(time.Second)
				ids = append(ids, w.publish(10)...)
				w.pass(time.Second)
				compare("a second after a restart", ids)
			})
		})
	}
}

// While the process runs, a jump shifts the retries of before it no further than to where the clock says.
func TestClockJumpsShiftRetries(t *testing.T) {
	for name, c := range map[string]struct{ jump, least, most time.Duration }{
		"forward": {time.Hour, 0, 2 * time.Hour},
		"back":    {-time.Hour, 2 * time.Hour, 3*time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", answers(500, 200))
				w.endpoint("a", func(ep *bellwire.Endpoint) {
					ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(2 * time.Hour), Count: 1}
				})
				w.publish(1)
				w.pass(time.Minute)
				w.jump(c.jump)
				w.pass(4 * time.Hour)
				got := r.got()
				if len(got) != 2 {
					t.Fatal("attempts:", len(got))
				}
				if after := got[1].at.Sub(got[0].at); after < c.least || after > c.most {
					t.Errorf("the retry came after %s, want %s to %s", after, c.least, c.most)
				}
			})
		})
	}
}

// step is one jump of the clock, with actions before and after it.
type step struct {
	pass    time.Duration
	publish int
	crash   bool
	jump    time.Duration
}

func drawStep(t *rapid.T) step {
	return step{
		pass:    time.Duration(rapid.IntRange(0, 200).Draw(t, "pass")) * time.Second,
		publish: rapid.IntRange(0, 10).Draw(t, "publish"),
		crash:   rapid.IntRange(0, 3).Draw(t, "crash") == 0,
		jump:    time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "jump")) * time.Second,
	}
}

// After any jumps of the clock, published events arrive once and in order, and nothing is stuck.
func TestClockJumpsAtRandom(t *testing.T) {
	plans := rapid.SliceOfN(rapid.Custom(drawStep), 1, 4)
	for seed := range 4 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				small(w)
				c := newCustomers(w)
				ids := texts(w.publish(20))
				earliest, latest := time.Duration(0), time.Duration(0)
				plan := plans.Example(seed)
				for _, s := range plan {
					w.pass(s.pass)
					ids = append(ids, texts(w.publish(s.publish))...)
					if s.crash {
						w.pass(0) // what was acknowledged is recorded
						w.crash()
					}
					w.jump(s.jump)
					if s.crash {
						w.start()
					}
					ahead := time.Duration(w.ahead.Load())
					earliest, latest = min(earliest, ahead), max(latest, ahead)
				}
				c.recover()
				w.pass(latest - earliest + 15*time.Minute)
				for _, fault := range c.faults(ids) {
					t.Errorf("%+v: %s", plan, fault)
				}
			})
		})
	}
}
