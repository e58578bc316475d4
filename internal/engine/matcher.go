package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Times of the matcher.
const (
	matchEvery  = time.Second            // a look without being woken: notices can be lost
	deferFor    = time.Minute            // how long an event waits that could not be matched
	attendEvery = time.Second            // how often is decided whether publishers need to wake the matcher
	attendFor   = 3 * attendEvery        // for how long they need not; the matcher attends as long again, for what is being committed
	attendPause = 10 * time.Millisecond  // between looks meanwhile
	attendFrom  = 50                     // events a second
	fewWaiting  = 100                    // events that a look brings
	lookShare   = 4                      // a look may take one part in so many of the time
	matchTurn   = 250 * time.Millisecond // how long the events of one tenant are checked at a time
	patience    = 50 * time.Millisecond  // how long a look waits for those who are being matched
)

// Bounds on what is being matched.
const (
	maxMatching      = 64       // tenants
	maxMatchingBytes = 32 << 20 // of data
)

// matcher takes the events that were published inside the database, and has them matched and stored as all others are.
// Each tenant's events are one node's at a time. Should two nodes match the same events, as when one has stood
// still, the store takes them once; and because each takes the first that wait, also in the right order. Tenants are matched
// beside each other, and one that takes long holds up no other.
type matcher struct {
	engine *Engine
	inbox  bellwire.Outbox
	wake   chan struct{} // capacity 1

	matching sync.WaitGroup
	ended    chan struct{} // capacity 1: a tenant's events are done

	mu    sync.Mutex
	busy  map[string]int // tenants that are being matched, with the bytes of their events
	bytes int            // of all of them
	count int            // events that were matched since

	since    time.Time     // of the count
	attended time.Time     // until when the matcher looks without being woken
	looked   time.Duration // how long the last look took, if it brought little
}

func newMatcher(e *Engine, inbox bellwire.Outbox) *matcher {
	return &matcher{engine: e, inbox: inbox, wake: make(chan struct{}, 1), ended: make(chan struct{}, 1), busy: make(map[string]int)}
}

// run matches until ctx ends.
func (m *matcher) run(ctx context.Context) {
	defer m.matching.Wait()
	for ctx.Err() == nil {
		found, err := m.round(ctx)
		m.attend(ctx)
		switch {
		case err != nil:
			m.failed(ctx, err)
			sleep(ctx, claimerPause)
		case found == 0:
			m.rest(ctx)
		}
	}
}

// rest waits until there may be something to match.
func (m *matcher) rest(ctx context.Context) {
	pause := matchEvery
	if time.Now().Before(m.attended) {
		pause = attendPause
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.wake:
	case <-m.ended:
	case <-ctx.Done():
	}
}

// attend looks at how much is matched. While it is much, publishers are told that the matcher looks by itself.
func (m *matcher) attend(ctx context.Context) {
	now := time.Now()
	passed := now.Sub(m.since)
	if passed < attendEvery {
		return
	}
	m.mu.Lock()
	much := float64(m.count) >= attendFrom*passed.Seconds()
	m.since, m.count = now, 0
	m.mu.Unlock()
	if !much {
		return
	}
	m.attended = now.Add(2 * attendFor) // also if that fails: it may have been done
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := m.inbox.Attend(ctx, m.engine.node, attendFor); err != nil {
		m.engine.observer.StoreFailed("attend to publishers", err)
	}
}

// round begins to match what waits, and returns how many events that is. It waits for a moment until they are done, so that
// whoever is quick is looked for together the next time.
func (m *matcher) round(ctx context.Context) (found int, err error) {
	busy, full := m.underWay()
	if full {
		return 0, nil
	}
	waiting, err := m.look(ctx, busy)
	if err != nil {
		return 0, err
	}
	var tenants sync.WaitGroup
	for tenant, groups := range byTenant(waiting) {
		m.begin(tenant, groups)
		tenants.Add(1)
		m.matching.Go(func() {
			defer tenants.Done()
			m.matchAll(ctx, tenant, groups)
		})
	}
	m.await(ctx, &tenants)
	return len(waiting), nil
}

// await waits until those of a round are done, but no longer than a moment.
func (m *matcher) await(ctx context.Context, tenants *sync.WaitGroup) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	m.matching.Go(func() {
		tenants.Wait()
		cancel()
	})
	<-ctx.Done()
}

// underWay returns the tenants that are being matched, and whether they are as many as there may be.
func (m *matcher) underWay() (tenants []string, full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.busy)), len(m.busy) >= maxMatching || m.bytes >= maxMatchingBytes
}

func (m *matcher) begin(tenant string, groups [][]bellwire.Unmatched) {
	bytes := 0
	for _, group := range groups {
		for i := range group {
			bytes += len(group[i].Event.Data)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy[tenant] = bytes
	m.bytes += bytes
}

func (m *matcher) end(tenant string, matched int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes -= m.busy[tenant]
	delete(m.busy, tenant)
	m.count += matched
	poke(m.ended)
}

// matchAll matches what waits of a tenant. If that fails, the tenant waits for a moment.
func (m *matcher) matchAll(ctx context.Context, tenant string, groups [][]bellwire.Unmatched) {
	var (
		all     sync.WaitGroup
		matched atomic.Int64
		failed  atomic.Bool
	)
	for _, group := range groups {
		all.Go(func() { // together, so that the intake stores them together
			n, err := m.match(ctx, group)
			matched.Add(int64(n))
			if err != nil {
				m.failed(ctx, err)
				failed.Store(true)
			}
		})
	}
	all.Wait()
	if failed.Load() {
		sleep(ctx, appendPause)
	}
	m.end(tenant, int(matched.Load()))
}

// look reads what waits. That is dear where the database cannot clean up, because a transaction is open for long: then
// it is done less often.
func (m *matcher) look(ctx context.Context, busy []string) ([]bellwire.Unmatched, error) {
	if m.looked > attendPause {
		sleep(ctx, min((lookShare-1)*m.looked, matchEvery))
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	started := time.Now()
	waiting, err := m.inbox.Unmatched(ctx, m.engine.scheduler.owned(), busy)
	m.looked = 0
	if len(waiting) < fewWaiting { // more take their time by themselves
		m.looked = time.Since(started)
	}
	return waiting, err
}

func (m *matcher) failed(ctx context.Context, err error) {
	if ctx.Err() == nil && bellwire.CodeOf(err) != bellwire.CodeRateLimited { // then the tenant has enough to be stored first
		m.engine.observer.StoreFailed("match events", err)
	}
}

// byTenant groups each tenant's events. One that was deferred stands alone.
func byTenant(waiting []bellwire.Unmatched) map[string][][]bellwire.Unmatched {
	tenants := make(map[string][][]bellwire.Unmatched)
	start := 0
	for i := range waiting {
		tenant := waiting[i].Event.Tenant
		if i+1 < len(waiting) && !waiting[i+1].Again && waiting[i+1].Event.Tenant == tenant {
			continue
		}
		tenants[tenant] = append(tenants[tenant], waiting[start:i+1])
		start = i + 1
	}
	return tenants
}

// match matches and stores the first of some events of a tenant, as many as it has time for, and returns how many. Where
// that fails by a fault of ours, the event at fault is put aside.
func (m *matcher) match(ctx context.Context, waiting []bellwire.Unmatched) (matched int, err error) {
	started := time.Now()
	matched, err = m.publish(ctx, waiting)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return len(waiting), nil // the tenant was deleted, and the store forgets what waits
	case bellwire.CodeOf(err) != bellwire.CodeInternal:
		return matched, err
	case len(waiting) == 1:
		return 1, m.putAside(ctx, waiting[0].Event, err)
	}
	for i := range waiting {
		if i > 0 && time.Since(started) > matchTurn {
			return i, nil
		}
		if _, err := m.match(ctx, waiting[i:i+1]); err != nil {
			return i, err // those behind it keep their place
		}
	}
	return len(waiting), nil
}

func (m *matcher) putAside(ctx context.Context, e *bellwire.Event, reason error) error {
	m.engine.observer.StoreFailed("match an event", reason)
	m.engine.logger.ErrorContext(ctx, "event cannot be matched; it is tried again later",
		"event", e.ID.String(), "tenant", e.Tenant, "type", e.Type, "error", reason.Error())
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return m.inbox.DeferUnmatched(ctx, e.ID, "It could not be matched yet: "+messageOf(reason), deferFor)
}

// publish stores the first of some events of one tenant with their deliveries, and returns how many. If the catalogue has
// changed in between, it is read anew, and what it says then holds.
func (m *matcher) publish(ctx context.Context, waiting []bellwire.Unmatched) (matched int, err error) {
	s, err := m.submission(ctx, waiting)
	if err != nil {
		return 0, err
	}
	tenant := waiting[0].Event.Tenant
	if err = m.engine.submitMatched(ctx, tenant, s); bellwire.CodeOf(err) != bellwire.CodeStale {
		return len(s.events), err
	}
	m.engine.directory.ForgetCatalogueAt(s.append.OperatorRevision)
	if s, err = m.submission(ctx, waiting); err != nil {
		return 0, err
	}
	s.append.OperatorRevision = 0
	return len(s.events), m.engine.submitMatched(ctx, tenant, s)
}

// submission checks events as long as the turn lasts, one at least.
func (m *matcher) submission(ctx context.Context, waiting []bellwire.Unmatched) (*submission, error) {
	fit, revision, err := m.engine.directory.Schemas(ctx, waiting[0].Event.Tenant)
	if err != nil {
		return nil, err
	}
	s := &submission{append: bellwire.Append{OperatorRevision: revision}, done: make(chan struct{}, 1)}
	started := time.Now()
	for i := range waiting {
		if i > 0 && time.Since(started) > matchTurn {
			break
		}
		e := bellwire.NewEvent{Event: *waiting[i].Event, Unmatched: true}
		if e.Event.Problem, err = misfit(fit, &e.Event); err != nil {
			return nil, err
		}
		s.events = append(s.events, e)
		s.bytes += len(e.Event.Data)
	}
	s.targets = make([][]*bellwire.Target, len(s.events))
	return s, nil
}

// misfit says why an event's data does not fit its type's schema; empty: it does. That nobody looked at the data before
// it was committed must not end the process.
func misfit(fit func(eventType string, data []byte) error, e *bellwire.Event) (problem string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = bellwire.Wrap(bellwire.CodeInternal, fmt.Errorf("%v", p), "Its data could not be checked against the schema of event type %q.", e.Type)
		}
	}()
	refusal := fit(e.Type, e.Data)
	if bellwire.CodeOf(refusal) != bellwire.CodeInvalid {
		return "", refusal
	}
	return messageOf(refusal), nil
}

// messageOf returns what people may read of an error, with the field that it is about.
func messageOf(err error) string {
	var known *bellwire.Error
	if !errors.As(err, &known) {
		return "an internal error occurred"
	}
	return known.Summary()
}
