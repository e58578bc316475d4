package rules_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const tenant = "acme"

func eventID(n int) bellwire.EventID { return bellwire.EventID{15: byte(n)} }

// event returns the nth event, with a delivery to an endpoint.
func event(n int) *bellwire.NewEvent {
	return &bellwire.NewEvent{
		Event:      bellwire.Event{ID: eventID(n), Tenant: tenant},
		Deliveries: []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(eventID(n), 0), Endpoint: "ep"}},
	}
}

func keyed(e *bellwire.NewEvent, key string, digest byte) *bellwire.NewEvent {
	e.Event.IdempotencyKey, e.Digest = key, [32]byte{digest}
	return e
}

func ordered(e *bellwire.NewEvent) *bellwire.NewEvent {
	e.Deliveries[0].Ordered = true
	return e
}

// wide returns the event with so many recipients in place of its delivery.
func wide(e *bellwire.NewEvent, recipients int) *bellwire.NewEvent {
	r := make(bellwire.Recipients, recipients)
	e.Deliveries, e.Recipients = nil, &r
	return e
}

func unmatched(e *bellwire.NewEvent) *bellwire.NewEvent {
	e.Unmatched = true
	return e
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	type facts = []rules.EventFacts
	toStore := func(n int) bellwire.AppendedEvent { return bellwire.AppendedEvent{ID: eventID(n), Deliveries: 1} }
	deferred := func(n, deliveries int) bellwire.AppendedEvent {
		return bellwire.AppendedEvent{ID: eventID(n), Deliveries: deliveries, Deferred: true}
	}
	known := func(n int, digest byte) *rules.KnownEvent {
		return &rules.KnownEvent{ID: eventID(n), Digest: [32]byte{digest}, Deliveries: 5}
	}
	duplicate := bellwire.AppendedEvent{ID: eventID(9), Duplicate: true, Deliveries: 5}
	stored := &rules.StoredEvent{CreatedAt: start, Deliveries: 1, Sequences: []int64{4}}
	answered := bellwire.AppendedEvent{ID: eventID(1), CreatedAt: start, Deliveries: 1, Sequences: []int64{4}}
	both := bellwire.Stale{Tenant: true, Catalogue: true}
	type events = []*bellwire.NewEvent
	for _, tc := range []struct {
		name    string
		events  events
		at      [2]int64 // the revisions of tenant and operator that it was decided on; the facts say 7 and 8
		most    int      // MaxDeferred
		waiting int
		facts   facts
		want    rules.Admission
		code    bellwire.Code
	}{
		{name: "one", events: events{event(1)}, want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1)}}}},
		{name: "at its revisions", at: [2]int64{7, 8}, events: events{event(1)}, want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1)}}}},
		{name: "stale tenant", at: [2]int64{6, 8}, events: events{event(1)}, code: bellwire.CodeStale,
			want: rules.Admission{Late: true, AppendResult: bellwire.AppendResult{Stale: bellwire.Stale{Tenant: true}}}},
		{name: "stale catalogue", at: [2]int64{7, 7}, events: events{event(1)}, code: bellwire.CodeStale,
			want: rules.Admission{Late: true, AppendResult: bellwire.AppendResult{Stale: bellwire.Stale{Catalogue: true}}}},
		{name: "both stale", at: [2]int64{8, 9}, events: events{event(1)}, code: bellwire.CodeStale,
			want: rules.Admission{Late: true, AppendResult: bellwire.AppendResult{Stale: both}}},
		{name: "stale before anything else", at: [2]int64{8, 9}, events: events{event(1)}, facts: facts{{MissingEndpoint: "ep"}}, code: bellwire.CodeStale,
			want: rules.Admission{Late: true, AppendResult: bellwire.AppendResult{Stale: both}}},
		{name: "missing endpoint", events: events{event(1), event(2)}, facts: facts{{}, {MissingEndpoint: "ep"}}, code: bellwire.CodeNotFound},

		{name: "known key", events: events{keyed(event(1), "k", 1)}, facts: facts{{Known: known(9, 1)}},
			want: rules.Admission{AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{duplicate}}}},
		{name: "key of another publication", events: events{event(2), keyed(event(1), "k", 1)}, facts: facts{{}, {Known: known(9, 2)}}, code: bellwire.CodeConflict},
		{name: "its own key", events: events{keyed(event(1), "k", 1)}, facts: facts{{Known: known(1, 1)}},
			want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1)}}}},
		{name: "a key twice", events: events{keyed(event(1), "k", 1), event(2), keyed(event(3), "k", 1)}, facts: facts{{}, {}, {}},
			want: rules.Admission{Store: []int{0, 1}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{
				toStore(1), toStore(2), {ID: eventID(1), Duplicate: true, Deliveries: 1},
			}}}},
		{name: "a key twice for different data", events: events{keyed(event(1), "k", 1), keyed(event(3), "k", 2)}, facts: facts{{}, {}}, code: bellwire.CodeConflict},

		{name: "stored by an earlier try", events: events{event(1)}, facts: facts{{Stored: stored}},
			want: rules.Admission{AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{answered}}}},
		{name: "stored wide event", events: events{wide(event(1), 3)}, facts: facts{{Stored: &rules.StoredEvent{CreatedAt: start, Deliveries: 3, Sequences: []int64{}}}},
			want: rules.Admission{AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{{ID: eventID(1), CreatedAt: start, Deliveries: 3, Deferred: true}}}}},
		{name: "stored by FanOut", events: events{event(1)}, facts: facts{{Stored: &rules.StoredEvent{CreatedAt: start, Deliveries: 1}}},
			want: rules.Admission{AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{{ID: eventID(1), CreatedAt: start, Deliveries: 1, Deferred: true}}}}},

		{name: "from the outbox", events: events{unmatched(event(1))}, facts: facts{{Unmatched: true}},
			want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1)}}}},
		{name: "not in the outbox any more", events: events{unmatched(event(1))}, code: bellwire.CodeNotFound},
		{name: "matched by another node", events: events{unmatched(event(1))}, facts: facts{{Stored: &rules.StoredEvent{CreatedAt: start, Deliveries: 2}}},
			want: rules.Admission{AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{{ID: eventID(1), Duplicate: true, Deliveries: 2}}}}},

		{name: "wide", events: events{wide(event(1), 3)},
			want: rules.Admission{Store: []int{0}, Deferred: 3, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{deferred(1, 3)}}}},
		{name: "for nobody", events: events{wide(event(1), 0)},
			want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{{ID: eventID(1)}}}}},
		{name: "ordered while others wait", waiting: 1, events: events{ordered(event(1)), event(2)}, facts: facts{{}, {}},
			want: rules.Admission{Store: []int{0, 1}, Deferred: 1, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{deferred(1, 1), toStore(2)}}}},
		{name: "ordered behind a wide one", events: events{ordered(event(1)), wide(event(2), 3), ordered(event(3))}, facts: facts{{}, {}, {}},
			want: rules.Admission{Store: []int{0, 1, 2}, Deferred: 4, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1), deferred(2, 3), deferred(3, 1)}}}},
		{name: "as many as may wait", most: 5, waiting: 2, events: events{wide(event(1), 3)},
			want: rules.Admission{Store: []int{0}, Deferred: 3, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{deferred(1, 3)}}}},
		{name: "too many would wait", most: 5, waiting: 3, events: events{wide(event(1), 3)}, code: bellwire.CodeRateLimited, want: rules.Admission{Late: true}},
		{name: "many, but none waits", most: 5, events: events{wide(event(1), 9)},
			want: rules.Admission{Store: []int{0}, Deferred: 9, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{deferred(1, 9)}}}},
		{name: "nothing more waits", most: 5, waiting: 9, events: events{event(1)},
			want: rules.Admission{Store: []int{0}, AppendResult: bellwire.AppendResult{Events: []bellwire.AppendedEvent{toStore(1)}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := &bellwire.Append{Events: tc.events, TenantRevision: tc.at[0], OperatorRevision: tc.at[1], MaxDeferred: tc.most}
			f := &rules.AppendFacts{TenantRevision: 7, OperatorRevision: 8, Deferred: tc.waiting, Events: tc.facts}
			if f.Events == nil {
				f.Events = make(facts, len(tc.events))
			}
			got := rules.Admit(a, f)
			if code := bellwire.CodeOf(got.Err); code != tc.code {
				t.Errorf("got %v, want the code %q", got.Err, tc.code)
			}
			got.Err = nil
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRepeated(t *testing.T) {
	t.Parallel()
	refusal := bellwire.AppendResult{Err: bellwire.Errorf(bellwire.CodeStale, "stale"), Stale: bellwire.Stale{Tenant: true}}
	stored := &rules.StoredEvent{CreatedAt: start, Deliveries: 1, Sequences: []int64{4}}
	answered := bellwire.AppendedEvent{ID: eventID(1), CreatedAt: start, Deliveries: 1, Sequences: []int64{4}}
	for _, tc := range []struct {
		name  string
		facts []rules.EventFacts
		want  []bellwire.AppendedEvent // nil: refused
	}{
		{"all stored", []rules.EventFacts{{Stored: stored}, {Known: &rules.KnownEvent{ID: eventID(9), Digest: [32]byte{1}, Deliveries: 2}}},
			[]bellwire.AppendedEvent{answered, {ID: eventID(9), Duplicate: true, Deliveries: 2}}},
		{"stored under its own key", []rules.EventFacts{{Stored: stored}, {Known: &rules.KnownEvent{ID: eventID(2), Digest: [32]byte{1}}, Stored: &rules.StoredEvent{CreatedAt: start, Deliveries: 1, Sequences: []int64{5}}}},
			[]bellwire.AppendedEvent{answered, {ID: eventID(2), CreatedAt: start, Deliveries: 1, Sequences: []int64{5}}}},
		{"one is not stored", []rules.EventFacts{{Stored: stored}, {}}, nil},
		{"the key names other data", []rules.EventFacts{{Stored: stored}, {Known: &rules.KnownEvent{ID: eventID(9), Digest: [32]byte{2}}}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := &bellwire.Append{Events: []*bellwire.NewEvent{event(1), keyed(event(2), "k", 1)}}
			got := rules.Repeated(a, &rules.AppendFacts{Events: tc.facts}, refusal)
			want := bellwire.AppendResult{Events: tc.want}
			if tc.want == nil {
				want = refusal
			}
			if diff := cmp.Diff(want.Events, got.Events); diff != "" || got.Err != want.Err || got.Stale != want.Stale {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Each event is either answered or stored. Of those with the same key one is stored at most. Once something waits, nothing with
// an order is stored at once.
func TestAdmissionProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "events")
		a := &bellwire.Append{MaxDeferred: rapid.IntRange(0, 10).Draw(t, "max waiting")}
		f := &rules.AppendFacts{Deferred: rapid.IntRange(0, 10).Draw(t, "waiting")}
		inDatabase := make(map[string]*rules.KnownEvent)
		for i := range n {
			e := event(i + 1)
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 1:
				ordered(e)
			case 2:
				wide(e, rapid.IntRange(0, 4).Draw(t, "recipients"))
			}
			var facts rules.EventFacts
			if rapid.Bool().Draw(t, "keyed") {
				key := rapid.SampledFrom([]string{"k", "l", "m"}).Draw(t, "key")
				keyed(e, key, byte(rapid.IntRange(1, 8).Draw(t, "digest")/8)) // most are the same
				if _, drawn := inDatabase[key]; !drawn {
					inDatabase[key] = nil
					if rapid.Bool().Draw(t, "known") {
						inDatabase[key] = &rules.KnownEvent{ID: eventID(99), Digest: e.Digest, Deliveries: 1}
					}
				}
				facts.Known = inDatabase[key]
			}
			if facts.Known == nil && rapid.IntRange(0, 4).Draw(t, "stored") == 4 {
				facts.Stored = &rules.StoredEvent{CreatedAt: start, Deliveries: e.Count()}
			}
			a.Events, f.Events = append(a.Events, e), append(f.Events, facts)
		}

		got := rules.Admit(a, f)
		if got.Err != nil {
			if got.Events != nil || got.Store != nil {
				t.Fatalf("it is refused, but %+v", got)
			}
			return
		}
		store := make(map[int]bool)
		for _, i := range got.Store {
			store[i] = true
		}
		firsts := make(map[string]bool)
		waiting, deferred := f.Deferred, 0
		for i, e := range a.Events {
			answer := got.Events[i]
			if !store[i] {
				if !answer.Duplicate && answer.CreatedAt == (time.Time{}) {
					t.Fatalf("event %d is neither stored nor answered: %+v", i, answer)
				}
				continue
			}
			if key := e.Event.IdempotencyKey; key != "" {
				if firsts[key] || inDatabase[key] != nil {
					t.Fatalf("event %d is stored under a key that is in use", i)
				}
				firsts[key] = true
			}
			if answer.ID != e.Event.ID || answer.Deliveries != e.Count() || answer.Duplicate {
				t.Fatalf("event %d is to be stored as %+v", i, answer)
			}
			if e.Ordered() && answer.Deferred != (waiting > 0) {
				t.Fatalf("event %d has an order; deferred is %t while %d wait", i, answer.Deferred, waiting)
			}
			if answer.Deferred {
				waiting += e.Count()
				deferred += e.Count()
			}
		}
		if got.Deferred != deferred {
			t.Fatalf("%d deliveries are deferred, and it says %d", deferred, got.Deferred)
		}
		if a.MaxDeferred > 0 && f.Deferred > 0 && deferred > 0 && waiting > a.MaxDeferred {
			t.Fatalf("%d deliveries wait, and %d may", waiting, a.MaxDeferred)
		}
	})
}
