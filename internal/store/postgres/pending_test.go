package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

func TestPendingCommits(t *testing.T) {
	t.Parallel()
	now := time.Now()
	id := bellwire.NewID[bellwire.DeliveryKind](now)
	claimed := bellwire.ClaimToken{Delivery: id, Epoch: 7}
	of := func(t bellwire.ClaimToken) []*bellwire.Append {
		return []*bellwire.Append{{Events: []*bellwire.NewEvent{{
			Deliveries: []bellwire.NewDelivery{{ID: t.Delivery, Epoch: t.Epoch, Manual: t.Manual}},
		}}}}
	}
	manual := bellwire.ClaimToken{Delivery: id, Epoch: 7, Manual: true}
	for _, c := range []struct {
		name    string
		do      func(*pendingCommits)
		at      time.Time
		claims  []bellwire.ClaimToken
		appends []bellwire.ClaimToken
		empty   bool
	}{
		{"Nothing", func(*pendingCommits) {}, now, nil, nil, true},
		{"AClaimIsReleasedAtOnce", func(p *pendingCommits) { p.addClaims([]bellwire.ClaimToken{claimed}) }, now, []bellwire.ClaimToken{claimed}, nil, false},
		{"AClaimDoesNotExpire", func(p *pendingCommits) { p.addClaims([]bellwire.ClaimToken{claimed}) }, now.Add(2 * commitWindow), []bellwire.ClaimToken{claimed}, nil, false},
		{"AClaimIsKeptOnce", func(p *pendingCommits) {
			p.addClaims([]bellwire.ClaimToken{claimed})
			p.addClaims([]bellwire.ClaimToken{claimed})
		}, now, []bellwire.ClaimToken{claimed}, nil, false},
		{"AnAppendMayBeRepeated", func(p *pendingCommits) { p.addAppends(of(claimed), now) }, now, nil, nil, false},
		{"AnAbandonedAppendIsReleased", func(p *pendingCommits) {
			p.addAppends(of(claimed), now)
			p.abandon([]bellwire.ClaimToken{claimed})
		}, now, nil, []bellwire.ClaimToken{claimed}, false},
		{"AnAbandonedTestIsReleased", func(p *pendingCommits) {
			p.addAppends(of(manual), now)
			p.abandon([]bellwire.ClaimToken{claimed, manual})
		}, now, nil, []bellwire.ClaimToken{manual}, false},
		{"AnAppendExpires", func(p *pendingCommits) {
			p.addAppends(of(claimed), now)
			p.abandon([]bellwire.ClaimToken{claimed})
		}, now.Add(commitWindow + 1), nil, nil, true},
		{"AnAnsweredAppendIsForgotten", func(p *pendingCommits) {
			p.addAppends(of(claimed), now)
			p.answered(of(claimed), []bellwire.AppendResult{{}})
			p.abandon([]bellwire.ClaimToken{claimed})
		}, now, nil, nil, true},
		{"ARefusedAppendIsNot", func(p *pendingCommits) {
			p.addAppends(of(claimed), now)
			p.answered(of(claimed), []bellwire.AppendResult{{Err: bellwire.NotFound("tenant", "acme")}})
			p.abandon([]bellwire.ClaimToken{claimed})
		}, now, nil, []bellwire.ClaimToken{claimed}, false},
		{"WhatIsResolvedIsForgotten", func(p *pendingCommits) {
			p.addClaims([]bellwire.ClaimToken{claimed})
			p.addAppends(of(manual), now)
			p.abandon([]bellwire.ClaimToken{manual})
			p.resolved([]bellwire.ClaimToken{claimed, manual})
		}, now, nil, nil, true},
		{"DeliveriesThatWereNotClaimedDoNotCount", func(p *pendingCommits) {
			p.addAppends(of(bellwire.ClaimToken{Delivery: id}), now)
		}, now, nil, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := new(pendingCommits)
			c.do(p)
			claims, appends := p.toRelease(c.at)
			if diff := cmp.Diff([][]bellwire.ClaimToken{c.claims, c.appends}, [][]bellwire.ClaimToken{claims, appends}, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("what is released (-want +got):\n%s", diff)
			}
			if p.empty() != c.empty {
				t.Errorf("it is empty: %t, want %t", !c.empty, c.empty)
			}
		})
	}
}

// A scan does not wait for a claim in progress, which may wait for locked rows longer than leases last.
func TestScanBesideClaimThatWaits(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{Timeout: time.Minute})
	leases := renew(t, s, "a")
	token := bellwire.ClaimToken{Delivery: bellwire.NewID[bellwire.DeliveryKind](time.Now()), Epoch: 1}
	s.pending.addAppends([]*bellwire.Append{{Events: []*bellwire.NewEvent{{Deliveries: []bellwire.NewDelivery{{ID: token.Delivery, Epoch: 1}}}}}}, time.Now())
	s.pending.abandon([]bellwire.ClaimToken{token})

	other := connect(t, s.url)
	run1(t, other, "BEGIN; SELECT FROM bellwire.shards FOR UPDATE")
	claimed, scanned := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{{Endpoint: "ep", Epoch: leases.Epoch("ep"), Limit: 1}})
		claimed <- err
	}()
	waitFor(t, func() bool {
		return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	})
	go func() {
		_, err := storetest.DueEndpoints(t.Context(), s, leases)
		scanned <- err
	}()
	select {
	case err := <-scanned:
		check(t, err)
	case <-time.After(patience):
		t.Error("the scan waits for the claim")
	}
	run1(t, other, "ROLLBACK")
	check(t, <-claimed)
}
