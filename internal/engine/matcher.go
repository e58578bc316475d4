package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bellwire/bellwire"
)

// Times of the matcher.
const (
	matchEvery  = time.Second           // a look without being woken: notices can be lost
	deferFor    = time.Minute           // how long an event waits that could not be matched
	attendEvery = time.Second           // how often is decided whether publishers need to wake the matcher
	attendFor   = 3 * attendEvery       // for how long they need not; the matcher attends as long again, for what is being committed
	attendPause = 10 * time.Millisecond // between looks meanwhile
	attendFrom  = 50                    // events a second
	fewWaiting  = 100                   // events that a look brings
	lookShare   = 4                     // a look may take one part in so many of the time
)

// matcher takes the events that were published inside the database, and has them matched and stored as all others are.
// Each tenant's events are one node's at a time. Should two nodes match the same events, as when one has stood
// still, the store takes them once; and because each takes the first that wait, also in the right order.
type matcher struct {
	engine *Engine
	inbox  bellwire.Inbox
	wake   chan struct{} // capacity 1

	since    time.Time     // of the count
	count    int           // events found
	attended time.Time     // until when the matcher looks without being woken
	looked   time.Duration // how long the last look took, if it brought little
}

func newMatcher(e *Engine, inbox bellwire.Inbox) *matcher {
	return &matcher{engine: e, inbox: inbox, wake: make(chan struct{}, 1)}
}

// run matches until ctx ends.
func (m *matcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		found, failed := m.round(ctx)
		m.attend(ctx, found)
		switch {
		case failed > 0 && found == 0:
			sleep(ctx, claimerPause)
		case failed > 0:
			sleep(ctx, appendPause) // for those that failed; the others feel it little
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
	case <-ctx.Done():
	}
}

// attend counts what is found. While it is much, publishers are told that the matcher looks by itself.
func (m *matcher) attend(ctx context.Context, found int) {
	m.count += found
	now := time.Now()
	passed := now.Sub(m.since)
	if passed < attendEvery {
		return
	}
	busy := float64(m.count) >= attendFrom*passed.Seconds()
	m.since, m.count = now, 0
	if !busy {
		return
	}
	m.attended = now.Add(2 * attendFor) // also if that fails: it may have been done
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := m.inbox.Attend(ctx, m.engine.node, attendFor); err != nil {
		m.engine.observer.StoreFailed("attend to publishers", err)
	}
}

// round matches what waits, within bounds. It returns how many events it was done with, and how many things failed.
func (m *matcher) round(ctx context.Context) (found, failed int) {
	waiting, err := m.look(ctx)
	if err != nil {
		m.failed(ctx, err)
		return 0, 1
	}
	groups := byTenant(waiting)
	failures := make([]error, len(groups))
	var tenants sync.WaitGroup
	for i, group := range groups {
		tenants.Go(func() { failures[i] = m.match(ctx, group) }) // together, so that the intake stores them together
	}
	tenants.Wait()
	for i, failure := range failures {
		if failure != nil {
			m.failed(ctx, failure)
			failed++
			continue
		}
		found += len(groups[i])
	}
	return found, failed
}

// look reads what waits. That is dear where the database cannot clean up, because a transaction is open for long: then
// it is done less often.
func (m *matcher) look(ctx context.Context) ([]bellwire.Unmatched, error) {
	if m.looked > attendPause {
		sleep(ctx, min((lookShare-1)*m.looked, matchEvery))
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	started := time.Now()
	waiting, err := m.inbox.Unmatched(ctx, m.engine.scheduler.owned())
	m.looked = 0
	if len(waiting) < fewWaiting { // more take their time by themselves
		m.looked = time.Since(started)
	}
	return waiting, err
}

func (m *matcher) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		m.engine.observer.StoreFailed("match events", err)
	}
}

// byTenant groups each tenant's events. One that was deferred stands alone.
func byTenant(waiting []bellwire.Unmatched) [][]bellwire.Unmatched {
	var groups [][]bellwire.Unmatched
	start := 0
	for i := range waiting {
		if i+1 < len(waiting) && !waiting[i+1].Again && waiting[i+1].Event.Tenant == waiting[i].Event.Tenant {
			continue
		}
		groups = append(groups, waiting[start:i+1])
		start = i + 1
	}
	return groups
}

// match matches and stores some events of a tenant. Where that fails by a fault of ours, the event at fault is put aside.
func (m *matcher) match(ctx context.Context, waiting []bellwire.Unmatched) error {
	err := m.publish(ctx, waiting)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return nil // the tenant was deleted, and the store forgets what waits
	case bellwire.CodeOf(err) != bellwire.CodeInternal:
		return err
	case len(waiting) == 1:
		return m.putAside(ctx, waiting[0].Event, err)
	}
	for i := range waiting {
		if err := m.match(ctx, waiting[i:i+1]); err != nil {
			return err // those behind it keep their place
		}
	}
	return nil
}

func (m *matcher) putAside(ctx context.Context, e *bellwire.Event, reason error) error {
	m.engine.observer.StoreFailed("match an event", reason)
	m.engine.logger.ErrorContext(ctx, "event cannot be matched; it is tried again later",
		"event", e.ID.String(), "tenant", e.Tenant, "type", e.Type, "error", reason.Error())
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return m.inbox.DeferUnmatched(ctx, e.ID, "It could not be matched yet: "+messageOf(reason), deferFor)
}

// publish stores events of one tenant with their deliveries, again if the catalogue has changed in between.
func (m *matcher) publish(ctx context.Context, waiting []bellwire.Unmatched) (err error) {
	for range staleTries {
		var s *submission
		if s, err = m.submission(ctx, waiting); err != nil {
			return err
		}
		err = m.engine.submitMatched(ctx, waiting[0].Event.Tenant, s)
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return err
		}
		m.engine.directory.ForgetCatalogue()
	}
	return err
}

func (m *matcher) submission(ctx context.Context, waiting []bellwire.Unmatched) (*submission, error) {
	fit, revision, err := m.engine.directory.Schemas(ctx)
	if err != nil {
		return nil, err
	}
	s := &submission{
		events: make([]bellwire.NewEvent, len(waiting)), targets: make([][]*bellwire.Target, len(waiting)),
		append: bellwire.Append{OperatorRevision: revision},
		done:   make(chan struct{}, 1),
	}
	for i := range waiting {
		e := &s.events[i]
		e.Event, e.Unmatched = *waiting[i].Event, true
		if e.Event.Problem, err = misfit(fit, &e.Event); err != nil {
			return nil, err
		}
		s.bytes += len(e.Event.Data)
	}
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
		return "A fault of the server."
	}
	said := *known
	said.Err = nil
	return said.Error()
}
