package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/live"
)

// TestMain sees to it that no test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a hub with what its engine reports.
type node struct {
	*live.Hub
	observer bellwire.Observer
	made     int
	told     atomic.Int64 // messages to other nodes
}

// nodes returns hubs that tell each other everything, and run until the test ends.
func nodes(t *testing.T, names ...string) (all []*node) {
	for _, name := range names {
		n := new(node)
		c := live.Config{Node: name}
		if len(names) > 1 {
			c.Tell = func(_ context.Context, message []byte) error {
				if len(message) > bellwire.MaxTold || !json.Valid(message) {
					t.Errorf("a message of %d bytes", len(message))
				}
				n.told.Add(1)
				for _, other := range all {
					if other != n {
						other.Told(message)
					}
				}
				return nil
			}
		}
		n.Hub = live.New(c)
		n.observer = n.Observer(bellwire.NopObserver{})
		all = append(all, n)
	}
	for _, n := range all {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); n.Run(ctx) }()
		t.Cleanup(func() { stop(); <-done })
	}
	synctest.Wait()
	return all
}

// attempt reports an attempt of a tenant, and returns its id.
func (n *node) attempt(tenant string, outcome bellwire.Outcome) string {
	n.made++
	a := &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](time.Now()), Number: n.made, Outcome: outcome, StartedAt: time.Now()}
	if outcome == bellwire.OutcomeStatus || outcome == bellwire.OutcomeOK {
		a.Response = &bellwire.AttemptResponse{Status: map[bellwire.Outcome]int{bellwire.OutcomeOK: 200, bellwire.OutcomeStatus: 503}[outcome]}
	}
	n.observer.Attempted(a, &bellwire.Endpoint{ID: "ep_" + tenant, Tenant: tenant, Dialect: "standard"}, &bellwire.Delivery{EventType: "invoice.paid"})
	return a.ID.String()
}

func watch(t *testing.T, n *node, f live.Filter, last string) *live.Stream {
	t.Helper()
	s, err := n.Watch(f, "owner of "+f.Tenant, last)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	synctest.Wait()
	return s
}

// later lets ticks pass, and returns what is new in the stream.
func later(s *live.Stream, after time.Duration) (ids []string, b live.Batch) {
	time.Sleep(after)
	synctest.Wait()
	b = s.Take()
	for _, a := range b.Attempts {
		ids = append(ids, a.ID)
	}
	return ids, b
}

func TestFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		n.attempt("acme", bellwire.OutcomeOK) // before anybody watches
		streams := map[string]*live.Stream{}
		for name, f := range map[string]live.Filter{
			"all": {}, "acme": {Tenant: "acme"}, "nobody": {Tenant: "nobody"}, "endpoint": {Endpoint: "ep_other"}, "failed": {Outcome: live.Failed},
			"timeout": {Outcome: bellwire.OutcomeTimeout}, "503": {Status: 503}, "type": {Type: "invoice.*"}, "other type": {Type: "card.*"}, "dialect": {Dialect: "lemon"},
		} {
			streams[name] = watch(t, n, f, "")
		}
		ok, status, timeout := n.attempt("acme", bellwire.OutcomeOK), n.attempt("other", bellwire.OutcomeStatus), n.attempt("acme", bellwire.OutcomeTimeout)
		time.Sleep(live.Tick)
		synctest.Wait()
		for name, want := range map[string][]string{
			"all": {ok, status, timeout}, "acme": {ok, timeout}, "nobody": nil, "endpoint": {status}, "failed": {status, timeout},
			"timeout": {timeout}, "503": {status}, "type": {ok, status, timeout}, "other type": nil, "dialect": nil,
		} {
			if got, _ := later(streams[name], 0); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

// TestNodes: who watches at one node sees the attempts of all, and the numbers of all.
func TestNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := nodes(t, "a", "b", "c")
		s := watch(t, all[0], live.Filter{Tenant: "acme"}, "")
		operator := watch(t, all[0], live.Filter{}, "")
		time.Sleep(live.Tick)
		synctest.Wait()
		var want []string
		for _, n := range all {
			want = append(want, n.attempt("acme", bellwire.OutcomeOK))
			n.attempt("other", bellwire.OutcomeReset)
			n.observer.Appended(2, 1, 0)
		}
		ids, b := later(s, 2*time.Second)
		slices.Sort(ids)
		slices.Sort(want)
		if !slices.Equal(ids, want) || b.Sampled > 0 || b.Dropped > 0 {
			t.Errorf("%v, want %v", ids, want)
		}
		_, b = later(operator, 0)
		if len(b.Attempts) != 6 {
			t.Errorf("an operator sees %d attempts", len(b.Attempts))
		}
		// After the streams are closed, nodes stop telling each other after a while.
		s.Close()
		operator.Close()
		time.Sleep(time.Minute)
		synctest.Wait()
		all[1].attempt("acme", bellwire.OutcomeOK)
		again := watch(t, all[0], live.Filter{Tenant: "acme"}, "")
		if ids, _ := later(again, time.Second); len(ids) > 0 {
			t.Errorf("%v was told though nobody watched", ids)
		}
	})
}

// However fast streams come and go, a node tells others at most once a tick, and only of what they have not been told lately.
func TestStreamsThatComeAndGo(t *testing.T) {
	const streams = 100
	for name, c := range map[string]struct {
		filter func(i int) live.Filter
		most   int
	}{
		"one filter": {func(int) live.Filter { return live.Filter{Tenant: "acme"} }, 1},
		"another filter each": {
			func(i int) live.Filter { return live.Filter{Tenant: fmt.Sprint(i)} }, int(streams*10*time.Millisecond/live.Tick) + 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := nodes(t, "a", "b")
				for i := range streams {
					s := watch(t, all[0], c.filter(i), "")
					time.Sleep(10 * time.Millisecond)
					s.Close()
				}
				synctest.Wait()
				if n := int(all[0].told.Load()); n == 0 || n > c.most {
					t.Errorf("%d messages of %d streams, want at most %d", n, streams, c.most)
				}
				last := watch(t, all[0], c.filter(streams), "")
				time.Sleep(live.Tick)
				synctest.Wait()
				id := all[1].attempt(c.filter(streams).Tenant, bellwire.OutcomeOK)
				if ids, _ := later(last, time.Second); !slices.Equal(ids, []string{id}) {
					t.Errorf("%v, want %s", ids, id)
				}
			})
		})
	}
}

func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := nodes(t, "a", "b")
		tenant, operator := watch(t, all[0], live.Filter{Tenant: "acme"}, ""), watch(t, all[0], live.Filter{}, "")
		var sums [2]live.Counters
		published := 0
		for tick := range 20 {
			for i, n := range all {
				if tick >= 8 {
					break
				}
				n.attempt("acme", bellwire.OutcomeOK)
				n.attempt([]string{"acme", "other"}[i], bellwire.OutcomeTLS)
				n.observer.Appended(3, 3, 0)
			}
			time.Sleep(live.Tick)
			for i, s := range []*live.Stream{tenant, operator} {
				_, b := later(s, 0)
				if b.Counters == nil {
					continue
				}
				var c live.Counters
				if err := json.Unmarshal(*b.Counters, &c); err != nil || (c.Published != nil) != (i == 1) {
					t.Fatalf("%s: %v", *b.Counters, err)
				}
				if i == 1 {
					published += *c.Published
				}
				sums[i].Attempts, sums[i].Succeeded, sums[i].Failed = sums[i].Attempts+c.Attempts, sums[i].Succeeded+c.Succeeded, sums[i].Failed+c.Failed
			}
		}
		if want := [2]live.Counters{{Attempts: 24, Succeeded: 16, Failed: 8}, {Attempts: 32, Succeeded: 16, Failed: 16}}; sums != want || published != 48 {
			t.Errorf("%+v, want %+v; %d published", sums, want, published)
		}
	})
}

// TestManyAttempts: of a flood, a part is shown, and the number of the others is told. The flood of one tenant leaves nothing out of
// another's stream, and none of the many streams of a tenant leaves out what others select.
func TestManyAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := nodes(t, "a", "b")
		const flood = 1000
		streams := map[string]*live.Stream{}
		for i, n := range all {
			for name, f := range map[string]live.Filter{"all": {}, "acme": {Tenant: "acme"}, "rare": {Tenant: "rare"}, "failed": {Outcome: live.Failed}} {
				streams[fmt.Sprint(name, " at ", i)] = watch(t, n, f, "")
			}
		}
		for i := range 30 {
			watch(t, all[1], live.Filter{Tenant: "acme", Type: strings.Repeat("i", i%8) + "*", Status: 200 * (i % 2)}, "")
			watch(t, all[1], live.Filter{Tenant: fmt.Sprint("tenant-", i)}, "")
			watch(t, all[1], live.Filter{Tenant: "acme", Type: strings.Repeat("x", 10_000)}, "")
		}
		time.Sleep(live.Tick)
		synctest.Wait()
		for _, s := range streams {
			s.Take()
		}
		for i := range flood {
			all[0].attempt("acme", bellwire.OutcomeOK)
			all[0].attempt(fmt.Sprint("tenant-", i%30), bellwire.OutcomeOK)
		}
		id := all[0].attempt("rare", bellwire.OutcomeReset)
		time.Sleep(4 * live.Tick)
		synctest.Wait()
		for name, s := range streams {
			ids, b := later(s, 0)
			want := map[string]int{"acme": flood, "all": 2*flood + 1}[strings.Fields(name)[0]]
			if n := len(ids); want > 0 && (n == 0 || n > limits.LivePerSecond || n+b.Sampled != want || b.Dropped > 0) {
				t.Errorf("%s: %d attempts, %d left out, want %d in all", name, n, b.Sampled, want)
			}
			if want == 0 && (!slices.Equal(ids, []string{id}) || b.Sampled > 0) {
				t.Errorf("%s: %v, %d left out", name, ids, b.Sampled)
			}
		}
	})
}

// TestFloodOfOneTenant: what is more than a node can have in memory in a tick is left out of the stream of the tenant that makes it.
func TestFloodOfOneTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		loud, rare := watch(t, n, live.Filter{Tenant: "acme"}, ""), watch(t, n, live.Filter{Tenant: "rare"}, "")
		const flood = 20_000
		for range flood {
			n.attempt("acme", bellwire.OutcomeOK)
		}
		id := n.attempt("rare", bellwire.OutcomeOK)
		if ids, b := later(rare, live.Tick); !slices.Equal(ids, []string{id}) || b.Sampled > 0 {
			t.Errorf("the rare one: %v, %d left out", ids, b.Sampled)
		}
		if ids, b := later(loud, 0); len(ids) == 0 || len(ids)+b.Sampled != flood {
			t.Errorf("%d attempts, %d left out of %d", len(ids), b.Sampled, flood)
		}
	})
}

// TestCountersOfManyTenants: the numbers of many tenants that are watched at another node need several messages.
func TestCountersOfManyTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := nodes(t, "a", "b")
		const tenants = 300
		var streams []*live.Stream
		for i := range tenants {
			streams = append(streams, watch(t, all[0], live.Filter{Tenant: fmt.Sprint(strings.Repeat("t", 50), i)}, ""))
		}
		time.Sleep(live.Tick)
		synctest.Wait()
		for i := range tenants {
			all[1].attempt(fmt.Sprint(strings.Repeat("t", 50), i), bellwire.OutcomeOK)
		}
		counted := 0
		for range 2 * time.Second / live.Tick {
			time.Sleep(live.Tick)
			synctest.Wait()
			for _, s := range streams {
				var c live.Counters
				if b := s.Take(); b.Counters != nil && json.Unmarshal(*b.Counters, &c) == nil {
					counted += c.Attempts
				}
			}
		}
		if counted != tenants {
			t.Errorf("the attempts of %d tenants were counted, of %d", counted, tenants)
		}
	})
}

// TestSlowWatchers: what a watcher does not take is bounded, and counted.
func TestSlowWatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		s := watch(t, n, live.Filter{}, "")
		total := 0
		for range 40 {
			for range 50 {
				n.attempt("acme", bellwire.OutcomeOK)
				total++
			}
			time.Sleep(live.Tick)
		}
		_, b := later(s, live.Tick)
		if len(b.Attempts) > 4*limits.LivePerSecond || b.Dropped == 0 || len(b.Attempts)+b.Dropped+b.Sampled != total {
			t.Errorf("%d attempts, %d dropped, %d sampled of %d", len(b.Attempts), b.Dropped, b.Sampled, total)
		}
	})
}

// TestResume: a watcher who comes back gets what it missed, or is told that something may be missing.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		s := watch(t, n, live.Filter{Tenant: "acme"}, "")
		first := n.attempt("acme", bellwire.OutcomeOK)
		if ids, _ := later(s, live.Tick); !slices.Equal(ids, []string{first}) {
			t.Fatal(ids)
		}
		s.Close()
		second := n.attempt("acme", bellwire.OutcomeOK)
		n.attempt("other", bellwire.OutcomeOK)
		time.Sleep(5 * time.Second)
		back := watch(t, n, live.Filter{Tenant: "acme"}, first)
		if ids, b := later(back, 0); !slices.Equal(ids, []string{second}) || b.Gap {
			t.Errorf("%v, %v", ids, b.Gap)
		}
		back.Close()
		time.Sleep(time.Hour)
		late := watch(t, n, live.Filter{Tenant: "acme"}, second)
		if ids, b := later(late, 0); len(ids) > 0 || !b.Gap {
			t.Errorf("%v, %v", ids, b.Gap)
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		var open []*live.Stream
		for range limits.LiveStreamsOf {
			open = append(open, watch(t, n, live.Filter{Tenant: "acme"}, ""))
		}
		if _, err := n.Watch(live.Filter{Tenant: "acme"}, "owner of acme", ""); bellwire.CodeOf(err) != bellwire.CodeRateLimited {
			t.Error(err)
		}
		watch(t, n, live.Filter{Tenant: "other"}, "")
		open[0].Close()
		watch(t, n, live.Filter{Tenant: "acme"}, "")
		n.Close()
		select {
		case <-open[1].Ended():
		default:
			t.Error("a stream outlives its hub")
		}
		if _, err := n.Watch(live.Filter{}, "x", ""); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Error(err)
		}
	})
}

// However many tenants have as many streams as they may, one without any gets some, and so does an operator.
func TestStreamsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		for tenant := range 20 {
			for range limits.LiveStreamsOf {
				s, err := n.Watch(live.Filter{Tenant: fmt.Sprint(tenant)}, fmt.Sprint(tenant), "")
				if err != nil {
					break
				}
				t.Cleanup(s.Close)
			}
		}
		watch(t, n, live.Filter{Tenant: "acme"}, "")
		watch(t, n, live.Filter{}, "")
	})
}

// TestInvalidMessages: a message that no node sends changes nothing.
func TestInvalidMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodes(t, "a")[0]
		s := watch(t, n, live.Filter{}, "")
		for _, message := range []string{"", "x", "{}", `{"n":"a","a":[{"tenant":"acme"}]}`, `{"n":"b","a":[{"id":1}]}`, fmt.Sprintf(`{"n":"b","k":%s}`, strings.Repeat("9", 30))} {
			n.Told([]byte(message))
		}
		if ids, _ := later(s, live.Tick); len(ids) > 0 {
			t.Error(ids)
		}
	})
}
