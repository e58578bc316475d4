// Package storetest is the suite that every implementation of bellwire.Store passes. It uses that interface only. What an
// implementation alone can do, such as being opened again, tests reach through Hooks.
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Open makes a store that is empty, and closes it when the test ends.
type Open func(t *testing.T) bellwire.Store

// Hooks do for the suite what the interface of a store cannot. Tests whose hook is nil are left out.
type Hooks struct {
	// Reopen closes the store and opens its database again, as a process does that is started anew.
	Reopen func(t *testing.T, s bellwire.Store) bellwire.Store
	// Crash opens what would be found if the process and the machine died at this moment. s goes on.
	Crash func(t *testing.T, s bellwire.Store) bellwire.Store
	// Fill takes all room away from the store, and gives it back.
	Fill func(t *testing.T, s bellwire.Store) (empty func())
	// Plans checks how the store executes its statements, after all verbs were called.
	Plans func(t *testing.T, s bellwire.Store)
	// Begin begins so many of the operator's idempotent requests, as BeginRequest does one by one.
	Begin func(t *testing.T, s bellwire.Store, requests int, at time.Time)
	// Brief leaves out operations at random and tests of bounds, which take thousands of operations.
	Brief bool
	// Only names the parts to run, such as "Claim" or "Retention/KeepsIdsForTheirWindow". Empty means all.
	Only []string
}

// runs reports whether a part of the suite is to run.
func (h Hooks) runs(test test) bool {
	if test.need != nil && !test.need(h) {
		return false
	}
	group, _, _ := strings.Cut(test.name, "/")
	return len(h.Only) == 0 || slices.Contains(h.Only, group) || slices.Contains(h.Only, test.name)
}

// test is one part of the suite.
type test struct {
	name string
	run  func(w *world)
	need func(h Hooks) bool // nil: no hook
}

// Run runs the suite.
func Run(t *testing.T, open Open, hooks Hooks) {
	for _, group := range [][]test{
		configurationTests, sessionTests, historyTests, appendTests, orderingTests, scheduleTests, clockTests, fanoutTests, claimTests, forwardTests, recordTests, healthTests, statisticsTests, manualTests, jobTests, bulkJobTests, operationalTests, alertTests, eraseTests, endTests, journalTests, pendingTests,
		auditTests, idempotencyTests, bytesTests, purgeTests, retentionTests, importTests, concurrencyTests, modelTests, crashTests, planTests,
	} {
		for _, test := range group {
			if !hooks.runs(test) {
				continue
			}
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(newWorld(t, open(t), hooks))
			})
		}
	}
}

// needs for tests.
func reopens(h Hooks) bool  { return h.Reopen != nil }
func crashes(h Hooks) bool  { return h.Crash != nil }
func fills(h Hooks) bool    { return h.Fill != nil }
func thorough(h Hooks) bool { return !h.Brief }

// world is a store with a clock, and short ways to do what tests do often. What it does must succeed.
type world struct {
	rapid.TB
	t      *testing.T
	ctx    context.Context
	store  bellwire.Store
	hooks  Hooks
	now    time.Time
	ids    *bellwire.Sequence
	leases *bellwire.Leases
	count  int // of what was given a name
}

func newWorld(t *testing.T, s bellwire.Store, hooks Hooks) *world {
	w := &world{
		TB: t, t: t, ctx: t.Context(), store: s, hooks: hooks, ids: new(bellwire.Sequence),
		now: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
	}
	w.lease()
	return w
}

// lease takes all shards.
func (w *world) lease() {
	w.Helper()
	leases, err := w.store.RenewLeases(w.ctx, "node")
	w.check(err)
	w.leases = leases
}

func (w *world) reopen() {
	w.Helper()
	w.store = w.hooks.Reopen(w.t, w.store)
	w.lease()
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused expects an error of the given code.
func (w *world) refused(err error, code bellwire.Code) {
	w.Helper()
	if bellwire.CodeOf(err) != code {
		w.Fatalf("got the error %v, want one with the code %q", err, code)
	}
	if e, ok := err.(*bellwire.Error); !ok || e.Message == "" {
		w.Errorf("got %#v, want an *Error with a message", err)
	}
}

// equal expects the same value, where nil and empty are the same.
func (w *world) equal(what string, got, want any) {
	w.Helper()
	if reflect.DeepEqual(got, want) {
		return // cmp explains better, and takes its time
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// tick lets time pass.
func (w *world) tick(d time.Duration) time.Time {
	w.now = w.now.Add(d)
	return w.now
}

func (w *world) name(kind string) string {
	w.count++
	return fmt.Sprintf("%s%d", kind, w.count)
}

func (w *world) tenant() *bellwire.Tenant {
	w.Helper()
	t := &bellwire.Tenant{ID: w.name("tenant"), CreatedAt: w.now, UpdatedAt: w.now}
	w.check(w.store.CreateTenant(w.ctx, t))
	return t
}

// endpoint adds an endpoint to the tenant, after changing it.
func (w *world) endpoint(t *bellwire.Tenant, change ...func(*bellwire.Endpoint)) *bellwire.Endpoint {
	w.Helper()
	ep := w.newEndpoint(t.ID)
	for _, f := range change {
		f(ep)
	}
	w.check(w.store.CreateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	return ep
}

// newEndpoint returns an endpoint that has a value in every field that its creator sets, so that a store which does not keep
// one of them is found out.
func (w *world) newEndpoint(tenant string) *bellwire.Endpoint {
	ep := &bellwire.Endpoint{
		ID: w.name("ep"), Tenant: tenant, URL: "https://example.com/hook", Description: "A test.", Dialect: "standard",
		Events: []string{"order.*", "ping"}, Filter: "data.amount > 100", OnError: bellwire.OnErrorSkip, Retry: bellwire.StandardRetryPolicy(), RateLimit: 2.5, MaxInFlight: 8,
		Timeout: 20 * time.Second, AutoDisableAfter: 100 * time.Hour,
		Ordering: bellwire.OrderingNone, Signing: bellwire.SigningBoth, Status: bellwire.EndpointEnabled,
		StatusReason: "because", Metadata: map[string]string{"a": "b"}, Extra: map[string]string{"path": "/x"},
		Versions: map[string]bellwire.Version{"order.paid": {Number: 2, Since: 3}},
		Sealed:   []byte{0, 1, 2, 0xff}, CreatedAt: w.now, UpdatedAt: w.now,
	}
	set := reflect.ValueOf(ep).Elem()
	for _, field := range reflect.VisibleFields(set.Type()) {
		if set.FieldByIndex(field.Index).IsZero() && field.Name != "Revision" && field.Name != "Catalogue" && field.Name != "Deleted" {
			w.Fatalf("newEndpoint must set %s, so that the tests see whether it is kept", field.Name)
		}
	}
	return ep
}

func fifo(ep *bellwire.Endpoint)  { ep.Ordering = bellwire.OrderingFIFO }
func byKey(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingKey }

// delivery makes a free delivery of the event to the endpoint, in the order that the endpoint keeps.
func delivery(e *bellwire.NewEvent, ep *bellwire.Endpoint) bellwire.NewDelivery {
	keyed := ep.Ordering == bellwire.OrderingKey && e.Event.OrderingKey != ""
	return bellwire.NewDelivery{
		ID: bellwire.DeliveryOf(e.Event.ID, len(e.Deliveries)), Endpoint: ep.ID,
		Ordered: ep.Ordering == bellwire.OrderingFIFO || keyed, Keyed: keyed,
	}
}

// event makes an event with a free delivery to each endpoint.
func (w *world) event(tenant string, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	e := &bellwire.NewEvent{Event: bellwire.Event{
		ID: bellwire.Next[bellwire.EventKind](w.ids, w.now), Tenant: tenant, Type: "order.paid", Version: bellwire.Version{Number: 2, Since: 1 << 40},
		Data: []byte(`{"n": 1.0}`), CreatedAt: w.now,
	}}
	for _, ep := range endpoints {
		e.Deliveries = append(e.Deliveries, delivery(e, ep))
	}
	return e
}

// together makes an append at whatever revision the configuration is.
func together(events ...*bellwire.NewEvent) *bellwire.Append {
	return &bellwire.Append{Events: events}
}

// append stores appends, all of which must be accepted, and returns what became of their events. Those that are stored
// get their times.
func (w *world) append(appends ...*bellwire.Append) []bellwire.AppendedEvent {
	w.Helper()
	results, err := w.store.AppendEvents(w.ctx, appends)
	w.check(err)
	if len(results) != len(appends) {
		w.Fatalf("got %d results for %d appends", len(results), len(appends))
	}
	var events []bellwire.AppendedEvent
	for i, r := range results {
		w.check(r.Err)
		events = append(events, r.Events...)
		for k, e := range appends[i].Events {
			if !r.Events[k].Duplicate {
				e.Event.CreatedAt = r.Events[k].CreatedAt
			}
		}
	}
	return events
}

// publish stores an event with a free delivery to each endpoint.
func (w *world) publish(endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	w.Helper()
	e := w.event(endpoints[0].Tenant, endpoints...)
	w.append(together(e))
	return e
}

// claim takes up to limit deliveries of an endpoint.
func (w *world) claim(ep *bellwire.Endpoint, limit int) bellwire.ClaimResult {
	w.Helper()
	results, err := w.store.ClaimDue(w.ctx, w.now, []bellwire.Claim{{
		Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: limit, ManualLimit: 100, MaxBytes: 1 << 20,
		Ordered: ep.Ordering == bellwire.OrderingFIFO,
	}})
	w.check(err)
	if len(results) != 1 {
		w.Fatalf("got %d results for 1 claim", len(results))
	}
	return results[0]
}

// take claims the one delivery that is due at an endpoint.
func (w *world) take(ep *bellwire.Endpoint) bellwire.Delivery {
	w.Helper()
	r := w.claim(ep, 10)
	if len(r.Due) != 1 {
		w.Fatalf("%d deliveries are due, want 1", len(r.Due))
	}
	return r.Due[0].Delivery
}

// attempt makes an attempt of a delivery that came to nothing.
func (w *world) attempt(d bellwire.DeliveryID) *bellwire.Attempt {
	return &bellwire.Attempt{
		ID: bellwire.Next[bellwire.AttemptKind](w.ids, w.now), Delivery: d, Trigger: bellwire.TriggerSchedule,
		StartedAt: w.now, Outcome: bellwire.OutcomeConnect, Error: "no connection could be made",
	}
}

// result returns the result of a scheduled attempt.
func (w *world) result(d bellwire.Delivery, t bellwire.Transition) *bellwire.Result {
	return &bellwire.Result{
		Attempt: w.attempt(d.ID), Delivery: d.ID, Trigger: bellwire.TriggerSchedule, Epoch: d.Epoch,
		Key: d.Key, Transition: t, EndedAt: w.now, Endpoint: d.Endpoint, RestartedAt: d.RestartedAt,
	}
}

func (w *world) record(results ...*bellwire.Result) []bellwire.Recorded {
	w.Helper()
	recorded, err := w.store.RecordResults(w.ctx, results)
	w.check(err)
	if len(recorded) != len(results) {
		w.Fatalf("got %d answers for %d results", len(recorded), len(results))
	}
	return recorded
}

// load reads a delivery.
func (w *world) load(tenant string, id bellwire.DeliveryID) *bellwire.Delivery {
	w.Helper()
	d, err := w.store.Delivery(w.ctx, tenant, id)
	w.check(err)
	return d
}

// disable disables an endpoint, whatever state of it the caller knows.
func (w *world) disable(ep *bellwire.Endpoint) {
	w.Helper()
	now, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	now.Status = bellwire.EndpointDisabled
	w.check(w.store.UpdateEndpoint(w.ctx, now, bellwire.ChangeNote{}))
}

func (w *world) attempts(id bellwire.DeliveryID) []*bellwire.Attempt {
	w.Helper()
	attempts, err := w.store.Attempts(w.ctx, id, 1000)
	w.check(err)
	return attempts
}

func (w *world) backlog() *bellwire.Backlog {
	w.Helper()
	before := time.Now()
	b, err := w.store.Backlog(w.ctx)
	w.check(err)
	if b.CountedAt.Before(before) || b.CountedAt.After(time.Now()) {
		w.Errorf("the backlog was counted at %s, want a time after %s", b.CountedAt, before)
	}
	b.CountedAt = time.Time{}
	return b
}

// due returns the due deliveries of the endpoint, without their tenant, which it checks.
func (w *world) due(endpoint string) bellwire.DueEndpoint {
	w.Helper()
	return w.dueIn(w.allDue(), endpoint)
}

func (w *world) allDue() []bellwire.DueEndpoint {
	w.Helper()
	all, err := DueEndpoints(w.ctx, w.store, w.leases)
	w.check(err)
	return all
}

// DueEndpoints returns all that a store finds due, each endpoint once.
func DueEndpoints(ctx context.Context, store bellwire.Store, leases *bellwire.Leases) ([]bellwire.DueEndpoint, error) {
	all := new(rules.Due)
	err := store.DueEndpoints(ctx, leases, func(part []bellwire.DueEndpoint) {
		for _, d := range part {
			all.Add(d.Endpoint, d.Tenant, d.At, d.Manual)
		}
	})
	return all.All, err
}

// dueIn returns the entry of an endpoint, without its tenant.
func (w *world) dueIn(all []bellwire.DueEndpoint, endpoint string) bellwire.DueEndpoint {
	w.Helper()
	found := bellwire.DueEndpoint{Endpoint: endpoint}
	seen := false
	for _, d := range all {
		if d.Endpoint != endpoint {
			continue
		}
		if seen || d == found {
			w.Fatalf("the endpoint is named twice, or for nothing: %+v", all)
		}
		ep, err := w.store.Endpoint(w.ctx, endpoint)
		w.check(err)
		w.equal("whose it is", d.Tenant, ep.Tenant)
		d.Tenant = ""
		found, seen = d, true
	}
	return found
}

// nothingDue expects that the endpoint has nothing to claim.
func (w *world) nothingDue(endpoint string) {
	w.Helper()
	w.equal("what is due", w.due(endpoint), bellwire.DueEndpoint{Endpoint: endpoint})
}

// The transitions that tests use.
var (
	success = bellwire.Transition{Status: bellwire.DeliverySucceeded}
	spent   = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonRetriesSpent}
	gone    = bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointGone}
)

func retryIn(d time.Duration) bellwire.Transition {
	return bellwire.Transition{Status: bellwire.DeliveryRetrying, Delay: d}
}

// nothing is an empty list of deliveries.
var nothing []bellwire.DeliveryID

// idsOf returns the ids of claimed deliveries.
func idsOf(claimed []bellwire.Claimed) []bellwire.DeliveryID {
	var ids []bellwire.DeliveryID
	for _, c := range claimed {
		ids = append(ids, c.Delivery.ID)
	}
	return ids
}
