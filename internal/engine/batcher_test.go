package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

func submissionOf(tenant string, events int) *submission {
	s := &submission{events: make([]bellwire.NewEvent, events)}
	for i := range s.events {
		s.events[i].Event.Tenant = tenant
	}
	return s
}

// TestBatcherServesTenantsAlike lets tenants wait with as many batches as they like, of any size: what each of them has
// had stored, in events, stays within a turn and two batches of the others, however much one had stored while it was alone, and
// nothing changes its place or is forgotten.
func TestBatcherServesTenantsAlike(t *testing.T) {
	t.Parallel()
	const largest = 200
	rapid.Check(t, func(t *rapid.T) {
		b := newBatcher(batcherDeps{}, ordinaryBytes)
		tenants := rapid.IntRange(2, 5).Draw(t, "tenants")
		waiting := make(map[string][]*submission)
		for i := range rapid.IntRange(0, 50).Draw(t, "batches of one tenant alone") {
			s := submissionOf("tenant-0", largest)
			if err := b.push(s); err != nil {
				t.Fatal(err)
			}
			waiting["tenant-0"] = []*submission{s}
			if i > 0 {
				b.pop(time.Time{})
			}
		}
		for n := range tenants {
			tenant := fmt.Sprint("tenant-", n)
			for range rapid.IntRange(1, 50).Draw(t, "batches") {
				s := submissionOf(tenant, rapid.IntRange(1, largest).Draw(t, "events"))
				if err := b.push(s); err != nil {
					t.Fatal(err)
				}
				waiting[tenant] = append(waiting[tenant], s)
			}
		}
		served := make(map[string]int)
		for s := b.pop(time.Time{}); s != nil; s = b.pop(time.Time{}) {
			tenant := s.events[0].Event.Tenant
			if waiting[tenant][0] != s {
				t.Fatal("a submission was overtaken by a later one of its tenant")
			}
			served[tenant] += len(s.events)
			if waiting[tenant] = waiting[tenant][1:]; len(waiting[tenant]) == 0 {
				delete(waiting, tenant)
			}
			for other := range waiting {
				if served[tenant]-served[other] > 2*largest+tenantQuantum {
					t.Fatalf("%s has had %d events while %s waits with %d", tenant, served[tenant], other, served[other])
				}
			}
		}
		if len(waiting) > 0 || len(b.tenants) > 0 || b.all != (amount{}) {
			t.Fatalf("left behind: %v, %v, %v", waiting, b.tenants, b.all)
		}
	})
}

// TestIntakeIsShared publishes and stores at random for several tenants. A tenant with nothing waiting is refused only if
// all memory is in use, with CodeUnavailable. A tenant with something waiting is refused if it would exceed its share or
// need the reserve, with CodeRateLimited.
func TestIntakeIsShared(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newBatcher(batcherDeps{}, ordinaryBytes)
		held := make(map[string]amount)
		var all amount
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				if s := b.pop(time.Time{}); s != nil {
					tenant := s.events[0].Event.Tenant
					a := held[tenant]
					a.add(s, -1)
					held[tenant] = a
					all.add(s, -1)
				}
				continue
			}
			s := submissionOf(fmt.Sprint("tenant-", rapid.IntRange(1, 6).Draw(t, "tenant")), 1)
			s.bytes = rapid.IntRange(1, 16<<20).Draw(t, "bytes")
			tenant := s.events[0].Event.Tenant
			before, free := held[tenant], limits.BatcherBytes-all.bytes
			after, left := before.bytes+s.bytes, free-s.bytes
			err := b.push(s)
			switch code := bellwire.CodeOf(err); {
			case err == nil && before.submissions > 0 && (after > left || left < limits.BatcherBytesReserve):
				t.Errorf("a tenant with %d bytes got %d more: %d are left", before.bytes, s.bytes, left)
			case err != nil && before.submissions > 0 && (code != bellwire.CodeRateLimited || after <= left && left >= limits.BatcherBytesReserve):
				t.Errorf("a tenant with %d bytes was refused %d of %d: %v", before.bytes, s.bytes, free, err)
			case err != nil && before.submissions == 0 && (code != bellwire.CodeUnavailable || left >= 0):
				t.Errorf("a tenant with nothing was refused %d of %d: %v", s.bytes, free, err)
			}
			if err == nil {
				before.add(s, 1)
				held[tenant] = before
				all.add(s, 1)
			}
			if b.all != all {
				t.Fatalf("%+v wait, want %+v", b.all, all)
			}
		}
	})
}

// A tenant may have half of the places, and others the rest.
func TestIntakeIsBounded(t *testing.T) {
	t.Parallel()
	b := newBatcher(batcherDeps{}, ordinaryBytes)
	push := func(tenant string) bellwire.Code { return bellwire.CodeOf(b.push(submissionOf(tenant, 1))) }
	taken := 0
	for push("flood") == "" {
		taken++
	}
	if taken != limits.BatcherPublications/2 {
		t.Errorf("%d publications of one tenant were taken", taken)
	}
	for i := range limits.BatcherPublications / 2 {
		if code := push(fmt.Sprint("tenant", i)); code != "" {
			t.Fatalf("the first publication of tenant %d was refused: %s", i, code)
		}
	}
	if flood, other := push("flood"), push("other"); flood != bellwire.CodeRateLimited || other != bellwire.CodeUnavailable {
		t.Errorf("when all is full, who fills it is answered %q, and who has nothing %q", flood, other)
	}
	for b.pop(time.Time{}) != nil {
	}
	if b.all != (amount{}) || len(b.tenants) != 0 {
		t.Errorf("after all was taken out: %+v, %d tenants", b.all, len(b.tenants))
	}
}

// While others wait, a group is short, in deliveries too; those that follow their events do not count.
func TestSharedGroupsAreShort(t *testing.T) {
	t.Parallel()
	b := newBatcher(batcherDeps{}, ordinaryBytes)
	const each = 300
	for range 20 {
		s := submissionOf("many", 1)
		s.targets = [][]*bellwire.Target{make([]*bellwire.Target, each)}
		if err := b.push(s); err != nil {
			t.Fatal(err)
		}
	}
	wide := submissionOf("wide", 1)
	wide.targets = [][]*bellwire.Target{make([]*bellwire.Target, 10*limits.FanOutFrom)}
	if err := b.push(wide); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range b.takeGroup(nil) {
		if !s.wide() {
			total += s.deliveries()
		}
	}
	if total == 0 || total >= limits.SharedGroupDeliveries+each {
		t.Errorf("a group has %d deliveries", total)
	}
}

// steadyStore takes the same time for each group, and counts the groups that have events of each tenant.
type steadyStore struct {
	Store
	takes  time.Duration
	groups map[string]int
}

func (s *steadyStore) AppendEvents(_ context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	time.Sleep(s.takes)
	results, tenants := make([]bellwire.AppendResult, len(appends)), make(map[string]bool)
	for i, a := range appends {
		results[i].Events = make([]bellwire.AppendedEvent, len(a.Events))
		tenants[a.Events[0].Event.Tenant] = true
	}
	for tenant := range tenants {
		s.groups[tenant]++
	}
	return results, nil
}

// publishers publish single events for a while, and return for each tenant how many were stored in that time, in how many groups, and
// the longest that one waited. A publisher publishes the next event when the one before is stored.
func publishers(t *testing.T, takes, during time.Duration, each map[string]int) (stored, groups map[string]int, longest map[string]time.Duration) {
	scheduler := lanes.New(lanes.Config{
		MaxInFlight: 1, MaxQueued: 1, MaxBytes: 1, Start: func(*lanes.Task) {}, Release: func([]*lanes.Task) {}, WakeClaimer: func() {},
	})
	store := &steadyStore{takes: takes, groups: make(map[string]int)}
	b := newBatcher(batcherDeps{
		store: store, scheduler: scheduler, observer: bellwire.NopObserver{}, clock: time.Now, ids: new(bellwire.Sequence), deferred: func() {}, forwarder: new(forwarder),
		commits: new(commitTimer),
	}, ordinaryBytes)
	var running, publishing sync.WaitGroup
	running.Go(func() { b.run(t.Context()) })
	var mu sync.Mutex
	stored, longest = make(map[string]int), make(map[string]time.Duration)
	end := time.Now().Add(during)
	for tenant, n := range each {
		for range n {
			publishing.Go(func() {
				for time.Now().Before(end) {
					s := submissionOf(tenant, 1)
					s.targets, s.done = make([][]*bellwire.Target, 1), make(chan struct{}, 1)
					began := time.Now()
					if err := b.submit(t.Context(), s); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					stored[tenant]++
					longest[tenant] = max(longest[tenant], time.Since(began))
					mu.Unlock()
				}
			})
		}
	}
	publishing.Wait()
	b.close()
	running.Wait()
	return stored, store.groups, longest
}

// A tenant that publishes faster than its events are stored one by one lets them gather, if others publish too: then others wait for
// fewer of its groups. Alone it never waits, nor does one that publishes one event after the other, and what is enough for a turn does not.
func TestBusyTenantsRest(t *testing.T) {
	t.Parallel()
	const takes, during = 2 * time.Millisecond, 2 * time.Second
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, groups, longest := publishers(t, takes, during, map[string]int{"busy": 3})
			if n := groups["busy"]; n < int(during/takes) {
				t.Errorf("there were %d groups in the time of %d", n, during/takes)
			}
			if longest["busy"] > 2*takes {
				t.Errorf("an event was stored after %v", longest["busy"])
			}
		})
	})
	t.Run("beside another", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			const slots = int(during / takes)
			stored, groups, longest := publishers(t, takes, during, map[string]int{"busy": 3, "other": 1})
			if n := groups["busy"]; n > slots*6/10 {
				t.Errorf("%d of %d groups have events of the busy tenant", n, slots)
			}
			if n := stored["busy"]; n < slots*3/2*9/10 {
				t.Errorf("%d events of the busy tenant were stored, want as many as without a rest, %d", n, slots*3/2)
			}
			if longest["other"] > 2*takes {
				t.Errorf("an event of the other tenant was stored after %v", longest["other"])
			}
		})
	})
	t.Run("enough", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			q := newBatchQueue(ordinaryBytes)
			publish := func(tenant string, events int) {
				t.Helper()
				for range events {
					s := submissionOf(tenant, 1)
					s.targets = make([][]*bellwire.Target, 1)
					if err := q.push(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			taken := func(want int) (group []*submission) {
				t.Helper()
				if group = q.takeGroup(nil); len(group) != want {
					t.Fatalf("a group has %d events, want %d", len(group), want)
				}
				return group
			}
			publish("other", 1)
			publish("busy", 1)
			group := taken(2)
			publish("busy", 1)
			q.delayNext(group, takes)
			publish("busy", limits.GatherEvents-2)
			taken(0)
			publish("busy", 1)
			group = taken(limits.GatherEvents)

			publish("busy", 1)
			q.delayNext(group, takes)
			taken(0)
			time.Sleep(takes)
			taken(1)
		})
	})
	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, _, longest := publishers(t, takes, during, map[string]int{"a": 1, "b": 1})
			for tenant, d := range longest {
				if d > 2*takes {
					t.Errorf("an event of %s was stored after %v", tenant, d)
				}
			}
		})
	})
}
