package service

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

// explaining is a service that can evaluate filters again.
var explaining = &Service{directory: new(directory.Directory)}

// TestExplanationsOfSingleEvents explains events by facts that the model of TestExplanationsFollowTheModel does not have.
func TestExplanationsOfSingleEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	created := bellwire.Change{Action: bellwire.ChangeCreated, At: at}
	standing := func(change func(*bellwire.Standing)) *bellwire.Standing {
		s := &bellwire.Standing{Status: bellwire.EndpointEnabled, Events: []string{"order.*"}, Since: at, By: bellwire.Actor{Kind: bellwire.ActorUnknown}}
		change(s)
		return s
	}
	same := func(*bellwire.Standing) {}
	disabled := func(s *bellwire.Standing) {
		s.Status, s.By = bellwire.EndpointDisabled, bellwire.Actor{Kind: bellwire.ActorBellwire, Reason: bellwire.ReasonEndpointGone}
	}
	byRequest := func(s *bellwire.Standing) {
		s.Status, s.By, s.Reason = bellwire.EndpointDisabled, bellwire.Actor{Kind: bellwire.ActorConfigured}, "it moves"
	}
	for name, c := range map[string]struct {
		event  bellwire.Explained
		at     bellwire.EndpointAt
		fate   bellwire.Fate
		reason string
	}{
		"filtered by one of its conditions": {event: bellwire.Explained{Event: &bellwire.Event{Type: "order.paid", Data: []byte(`{"total": 4}`)}},
			at:   bellwire.EndpointAt{Then: standing(func(s *bellwire.Standing) { s.Filter = "type == 'order.paid' && data.total > 5" })},
			fate: bellwire.FateFiltered, reason: "the endpoint's filter did not match the event: data.total > 5"},
		"skipped by a filter without an answer": {event: bellwire.Explained{Event: &bellwire.Event{Type: "order.paid", Data: []byte(`{}`)}},
			at:   bellwire.EndpointAt{Then: standing(func(s *bellwire.Standing) { s.Filter = "data.total > 5" })},
			fate: bellwire.FateFiltered, reason: "had no answer for the event, because data.total does not exist: data.total > 5"},
		"delivered by a filter without an answer": {event: bellwire.Explained{Event: &bellwire.Event{Type: "order.paid", Data: []byte(`{}`)}},
			at:   bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliverySucceeded}, Then: standing(func(s *bellwire.Standing) { s.Filter = "data.total > 5" })},
			fate: bellwire.FateDelivered, reason: "had no answer for the event, because data.total does not exist: data.total > 5"},
		"filtered in another way than now": {at: bellwire.EndpointAt{Then: standing(func(s *bellwire.Standing) { s.Filter = "type != 'x'" })},
			fate: bellwire.FateFiltered, reason: "the endpoint's filter did not match the event: type != 'x'"},
		"fanning out": {event: bellwire.Explained{FanningOut: true}, at: bellwire.EndpointAt{Then: standing(same)},
			fate: bellwire.FatePending, reason: "not stored yet"},
		"filtered while fanning out": {event: bellwire.Explained{FanningOut: true}, at: bellwire.EndpointAt{Then: standing(func(s *bellwire.Standing) { s.Filter = "true" })},
			fate: bellwire.FatePending, reason: "the endpoint's filter decides"},
		"waits to be matched": {event: bellwire.Explained{Unmatched: true}, at: bellwire.EndpointAt{Then: standing(same)},
			fate: bellwire.FatePending, reason: "waits to be matched"},
		"unfit": {event: bellwire.Explained{Event: &bellwire.Event{Type: "order.paid", Problem: "it does not fit"}}, at: bellwire.EndpointAt{Then: standing(same)},
			fate: bellwire.FateCanceled, reason: "it does not fit"},
		"a test of another": {event: bellwire.Explained{Event: &bellwire.Event{Type: "order.paid", Test: true}}, at: bellwire.EndpointAt{Then: standing(same)},
			fate: bellwire.FateNotSubscribed, reason: "a test of another endpoint"},
		"older than the history": {at: bellwire.EndpointAt{Begins: bellwire.Change{Action: bellwire.ChangeFound, At: at}},
			fate: bellwire.FateUnknown, reason: "begins at 2026-01-02T03:04:05Z"},
		"many patterns": {at: bellwire.EndpointAt{Then: standing(func(s *bellwire.Standing) { s.Events = []string{"a", "b", "c", "d", "e", "f", "g"} })},
			fate: bellwire.FateNotSubscribed, reason: "were a, b, c, d, e and 2 more, and"},
		"changed in between": {at: bellwire.EndpointAt{Then: standing(same)}, fate: bellwire.FateNotSubscribed, reason: "was changed while"},
		"disabled by Bellwire": {at: bellwire.EndpointAt{Then: standing(disabled)},
			fate: bellwire.FateDisabled, reason: "had been disabled at 2026-01-02T03:04:05Z by Bellwire (the endpoint answered 410 Gone and was disabled)"},
		"a test of a paused one": {event: bellwire.Explained{Event: &bellwire.Event{Test: true}},
			at:   bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliveryPending}, Now: standing(func(s *bellwire.Standing) { s.Status = bellwire.EndpointPaused })},
			fate: bellwire.FatePending},
		"a test of a disabled one": {event: bellwire.Explained{Event: &bellwire.Event{Test: true}},
			at:   bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliveryPending}, Now: standing(disabled)},
			fate: bellwire.FatePending},
		"about to be canceled": {at: bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliveryRetrying}, Now: standing(disabled)},
			fate: bellwire.FateRetrying, reason: "about to be canceled"},
		"behind another of its key": {
			at:   bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliveryPending, Behind: true}, Ahead: bellwire.DeliveryID{15: 1}},
			fate: bellwire.FatePending, reason: "behind " + bellwire.DeliveryID{15: 1}.String() + ", an earlier delivery with the same ordering_key"},
		"canceled as it was disabled for a reason": {
			at: bellwire.EndpointAt{
				Delivery: &bellwire.Delivery{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonDisabledFor("it moves"), UpdatedAt: at.Add(time.Hour)},
				Now:      standing(byRequest),
			},
			fate: bellwire.FateCanceled, reason: "the endpoint was disabled at 2026-01-02T03:04:05Z by an operator with the configured admin key: it moves",
		},
		"canceled before it was disabled": {
			at:   bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointDisabled}, Now: standing(disabled)},
			fate: bellwire.FateCanceled, reason: bellwire.ReasonEndpointDisabled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.event.Event == nil {
				c.event.Event = &bellwire.Event{Type: "order.paid"}
			}
			if c.at.Begins.Action == "" {
				c.at.Begins = created
			}
			if c.at.Now == nil {
				c.at.Now = standing(same)
			}
			got := explain(t.Context(), &c.event, &c.at, explaining.filtersAgain(c.event.Event))
			if got.Fate != c.fate || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %q, because %q; want %q, because %q", got.Fate, got.Reason, c.fate, c.reason)
			}
		})
	}
}

// No filter is evaluated again after the time of the read is over.
func TestFiltersAgainEndInTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	again := explaining.filtersAgain(&bellwire.Event{Type: "order.paid"})
	defer again.end()
	then := &bellwire.Standing{Filter: "type == 'card.blocked'"}
	if got := again.explain(ctx, then); got.Outcome != filter.Unmatched {
		t.Errorf("in time: %+v", got)
	}
	if cancel(); again.explain(ctx, then) != (filter.Explanation{}) {
		t.Error("a filter was evaluated again after its time")
	}
}

// What filters of the past cost to compile is bounded, too.
func TestFiltersAgainAreCompiledWithinTheirSteps(t *testing.T) {
	t.Parallel()
	again := explaining.filtersAgain(&bellwire.Event{Type: "order.paid"})
	defer again.end()
	compiled, most := 0, limits.ExplainSteps/(4000*limits.CompileSteps)
	for compiled < 2*most && again.explain(t.Context(), &bellwire.Standing{Filter: fmt.Sprintf("type == '%04000d'", compiled)}).Outcome != "" {
		compiled++
	}
	if compiled == 0 || compiled > most+1 {
		t.Errorf("%d filters were compiled, want %d at most", compiled, most+1)
	}
}

// TestWhatDeliveriesWaitFor asks what deliveries wait for, on the node that owns the endpoint and on another.
func TestWhatDeliveriesWaitFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	soon, later := now.Add(time.Minute), now.Add(time.Hour)
	ahead := bellwire.NewID[bellwire.DeliveryKind](now)
	due, retrying := &bellwire.Delivery{DueAt: now}, &bellwire.Delivery{DueAt: soon}
	paused := bellwire.Hold{Status: bellwire.EndpointPaused}
	test := &bellwire.Delivery{Status: bellwire.DeliveryPending}
	retry := &bellwire.Delivery{Status: bellwire.DeliveryRetrying, DueAt: soon, Requested: true}
	held := func(epoch, heldEpoch int64, breakerOpen bool) bellwire.Hold {
		return bellwire.Hold{Node: "b", Epoch: epoch, BreakerOpen: breakerOpen, HeldUntil: soon, HeldEpoch: heldEpoch}
	}
	for name, c := range map[string]struct {
		delivery *bellwire.Delivery // nil: due
		hold     bellwire.Hold
		reason   bellwire.WaitReason
		until    time.Time
		ahead    bellwire.DeliveryID // of the same key
		want     bellwire.Wait
	}{
		"behind another of its key":    {delivery: &bellwire.Delivery{DueAt: now, Behind: true}, reason: bellwire.WaitBreaker, ahead: ahead, want: bellwire.Wait{Reason: bellwire.WaitOrder, Behind: ahead}},
		"next":                         {reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitQueued}},
		"a retry":                      {delivery: retrying, reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitRetry, Until: soon}},
		"deliver_at":                   {delivery: &bellwire.Delivery{DueAt: later, NotBefore: later}, reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitDeliverAt, Until: later}},
		"a rate limit":                 {reason: bellwire.WaitRateLimit, until: soon, want: bellwire.Wait{Reason: bellwire.WaitRateLimit, Until: soon}},
		"a retry behind a longer rest": {delivery: retrying, reason: bellwire.WaitRest, until: later, want: bellwire.Wait{Reason: bellwire.WaitRest, Until: later}},
		"a retry beyond a rest":        {delivery: &bellwire.Delivery{DueAt: later}, reason: bellwire.WaitRest, until: soon, want: bellwire.Wait{Reason: bellwire.WaitRetry, Until: later}},
		"paused":                       {delivery: retrying, hold: paused, reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitPaused}},
		"a test of a paused one":       {delivery: test, hold: paused, reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitQueued}},
		"a test of a disabled one":     {delivery: test, hold: bellwire.Hold{Status: bellwire.EndpointDisabled}, reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitQueued}},
		"a manual retry":               {delivery: retry, reason: bellwire.WaitQueued, want: bellwire.Wait{Reason: bellwire.WaitQueued}},
		"a manual retry of an earlier": {delivery: retry, hold: bellwire.Hold{Ahead: ahead}, reason: bellwire.WaitShare, want: bellwire.Wait{Reason: bellwire.WaitShare}},
		"a test elsewhere": {delivery: test, hold: held(7, 7, true), reason: bellwire.WaitOtherNode,
			want: bellwire.Wait{Reason: bellwire.WaitOtherNode, Node: "b"}},
		"a paused tenant":             {delivery: retrying, hold: bellwire.Hold{Status: bellwire.EndpointPaused, TenantPaused: true}, want: bellwire.Wait{Reason: bellwire.WaitTenantPaused}},
		"a test of a paused tenant":   {delivery: test, hold: bellwire.Hold{TenantPaused: true}, want: bellwire.Wait{Reason: bellwire.WaitTenantPaused}},
		"deleted, of a paused tenant": {hold: bellwire.Hold{Deleted: true, TenantPaused: true}, want: bellwire.Wait{Reason: bellwire.WaitEnding}},
		"disabled":                    {hold: bellwire.Hold{Status: bellwire.EndpointDisabled}, want: bellwire.Wait{Reason: bellwire.WaitEnding}},
		"deleted":                     {hold: bellwire.Hold{Status: bellwire.EndpointPaused, Deleted: true}, want: bellwire.Wait{Reason: bellwire.WaitEnding}},
		"in order": {delivery: &bellwire.Delivery{DueAt: now, Sequence: 3}, hold: bellwire.Hold{Ahead: ahead, Sequence: 2}, reason: bellwire.WaitBreaker,
			want: bellwire.Wait{Reason: bellwire.WaitOrder, Behind: ahead}},
		"the first in order": {delivery: &bellwire.Delivery{DueAt: now, Sequence: 2}, hold: bellwire.Hold{Ahead: ahead, Sequence: 2}, reason: bellwire.WaitBreaker,
			want: bellwire.Wait{Reason: bellwire.WaitBreaker}},
		"the first in order, in flight": {delivery: &bellwire.Delivery{DueAt: now, Sequence: 2}, hold: bellwire.Hold{Ahead: ahead, Sequence: 2}, reason: bellwire.WaitOrder,
			want: bellwire.Wait{Reason: bellwire.WaitQueued}},
		"elsewhere":                         {hold: bellwire.Hold{Node: "b", Epoch: 7}, reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitOtherNode, Node: "b"}},
		"elsewhere, behind an open breaker": {hold: held(7, 7, true), reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitBreaker, Until: soon, Node: "b"}},
		"elsewhere, resting":                {hold: held(7, 7, false), reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitRest, Until: soon, Node: "b"}},
		"elsewhere, with a breaker of an earlier owner": {hold: held(8, 7, true), reason: bellwire.WaitOtherNode,
			want: bellwire.Wait{Reason: bellwire.WaitOtherNode, Node: "b"}},
		"nowhere":           {reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitTakeover}},
		"a retry elsewhere": {delivery: retrying, hold: bellwire.Hold{Node: "b"}, reason: bellwire.WaitOtherNode, want: bellwire.Wait{Reason: bellwire.WaitRetry, Until: soon}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.delivery == nil {
				c.delivery = due
			}
			f := waitFacts{trigger: c.delivery.NextTrigger(), hold: &c.hold, reason: c.reason, until: c.until, now: now}
			if got := *f.wait(c.delivery, c.ahead); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// An open delivery of a paused tenant waits for the tenant, unless it is about to be canceled.
func TestExplainPausedTenant(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	paused := &bellwire.Tenant{Paused: true, StatusReason: "it does not pay", StatusSince: at}
	const words = "the tenant was paused at 2026-01-02T03:04:05Z"
	for name, c := range map[string]struct {
		tenant *bellwire.Tenant
		status bellwire.DeliveryStatus
		now    bellwire.Standing
		fate   bellwire.Fate
		reason string
	}{
		"it waits":        {paused, bellwire.DeliveryRetrying, bellwire.Standing{}, bellwire.FatePaused, words + ": it does not pay"},
		"without a word":  {&bellwire.Tenant{Paused: true, StatusSince: at}, bellwire.DeliveryPending, bellwire.Standing{Status: bellwire.EndpointPaused}, bellwire.FatePaused, words},
		"resumed":         {&bellwire.Tenant{StatusSince: at}, bellwire.DeliveryPending, bellwire.Standing{}, bellwire.FatePending, ""},
		"it has ended":    {paused, bellwire.DeliverySucceeded, bellwire.Standing{}, bellwire.FateDelivered, ""},
		"about to cancel": {paused, bellwire.DeliveryPending, bellwire.Standing{Deleted: true}, bellwire.FatePending, ""},
		"disabled":        {paused, bellwire.DeliveryPending, bellwire.Standing{Status: bellwire.EndpointDisabled}, bellwire.FatePending, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &bellwire.Explanation{Fate: fates[c.status]}
			explainTenant(x, &bellwire.EndpointAt{Delivery: &bellwire.Delivery{Status: c.status, DueAt: at}, Now: &c.now}, c.tenant)
			if x.Fate != c.fate || x.Reason != c.reason {
				t.Errorf("%s, %q; want %s, %q", x.Fate, x.Reason, c.fate, c.reason)
			}
		})
	}
}
