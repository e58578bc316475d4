package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of the claimer.
const (
	maxClaims  = 64  // endpoints asked about in one transaction
	maxClaimed = 512 // deliveries claimed in one transaction, unless there are many endpoints: publishers wait for it
	// laneClaimBytes are bytes of data that are claimed for an endpoint, also if it is one of many.
	laneClaimBytes = 64 << 10
	cancelChunk    = 500 // deliveries that one transaction ends without an attempt
	sweepEvery     = time.Minute
	claimerPause   = time.Second // after the store or the directory failed
)

// claimer takes what is due from the store into the lanes: retries, overflow, other nodes' publishes and
// what a dead node had in memory. The scheduler says which endpoints have something due; the claimer asks
// for a bounded number from each, so that a million deliveries of one endpoint hide nobody else's.
type claimer struct {
	engine *Engine
	wake   chan struct{} // capacity 1
}

// run claims until ctx ends.
func (c *claimer) run(ctx context.Context) {
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		for c.round(ctx) {
		}
	}
}

// round serves one group of endpoints, and tells whether there may be more.
func (c *claimer) round(ctx context.Context) bool {
	s := c.engine.scheduler
	lanes := s.claimable(time.Now(), maxClaims)
	if len(lanes) == 0 {
		return false
	}
	var ready []*lane
	for _, l := range lanes {
		if err := c.load(ctx, l); err != nil {
			c.engine.failed(ctx, "load an endpoint", err)
			s.claimFailed(l)
			continue
		}
		ready = append(ready, l)
	}
	if err := c.claim(ctx, ready); err != nil {
		c.engine.failed(ctx, "claim due deliveries", err)
	}
	return ctx.Err() == nil // those that could not be loaded hold up nobody behind them
}

func (c *claimer) claim(ctx context.Context, lanes []*lane) error {
	now := time.Now()
	lanes, claims := c.engine.scheduler.claims(now, lanes)
	if len(claims) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	results, err := c.engine.store.ClaimDue(ctx, c.engine.clock(), claims)
	if err != nil {
		c.engine.scheduler.unclaimed(lanes, claims)
		c.engine.scheduler.claimFailed(lanes...)
		return err
	}
	claimed := 0
	for i := range results {
		r := &results[i]
		claimed += len(r.Due) + len(r.Manual)
		r.Next = c.engine.clock.local(r.Next)
	}
	c.engine.observer.Claimed(claimed, time.Since(now))
	c.engine.scheduler.claimed(time.Now(), lanes, claims, results)
	return nil
}

// load makes sure that the lane knows its endpoint, and ends what is open where it gets nothing any more or its time is
// over.
func (c *claimer) load(ctx context.Context, l *lane) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	target, err := c.engine.directory.Target(ctx, l.endpoint)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		c.engine.scheduler.lost(l) // its tenant was deleted
		return nil
	}
	if err != nil {
		return err
	}
	if !c.engine.scheduler.loaded(l, target) {
		return c.expire(ctx, l, target.Endpoint)
	}
	reason := bellwire.ReasonEndpointDisabled
	switch {
	case target.Endpoint.Deleted:
		reason = bellwire.ReasonEndpointDeleted
	case target.Endpoint.StatusReason != "":
		reason = target.Endpoint.StatusReason
	}
	n, err := c.engine.store.CancelOpen(ctx, l.endpoint, reason, c.engine.clock.now(), cancelChunk)
	if bellwire.CodeOf(err) == bellwire.CodeStale {
		c.engine.directory.ForgetEndpoint(l.endpoint)
		c.engine.scheduler.refresh(l.endpoint) // it was enabled again a moment ago
		return nil
	}
	if err != nil {
		return err
	}
	c.engine.scheduler.canceled(l, n == cancelChunk)
	return nil
}

// expire ends deliveries that have waited for longer than max_elapsed, while the endpoint's breaker is open. While it is
// closed, an overdue delivery gets an attempt before it ends.
func (c *claimer) expire(ctx context.Context, l *lane, ep *bellwire.Endpoint) error {
	now := c.engine.clock.now()
	x, wanted := c.engine.scheduler.expiry(l, now)
	if !wanted {
		return nil
	}
	n, err := c.engine.store.ExpireOpen(ctx, now, x)
	if err != nil {
		return err
	}
	for range n {
		c.engine.observer.Ended(ep, bellwire.DeliveryExhausted, now.Sub(x.Before)) // at least
	}
	c.engine.scheduler.expired(l, n == x.Limit)
	return nil
}

// expiry returns which deliveries of the lane have run out of time, and reports whether there can be any.
func (s *scheduler) expiry(l *lane, now time.Time) (x bellwire.Expiry, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.overdue = false
	if !l.pauses() || !l.enabled() || l.target.Endpoint.Retry.MaxElapsed == 0 {
		return x, false
	}
	ep := l.target.Endpoint
	x = bellwire.Expiry{
		Endpoint: ep.ID, Epoch: s.owned().Epochs[l.shard], Reason: bellwire.ReasonTimeOver, Limit: cancelChunk,
		Before: now.Add(-time.Duration(ep.Retry.MaxElapsed)),
	}
	// Delivery.Since is the endpoint's last change, if that is later than all that is old.
	return x, !ep.UpdatedAt.After(x.Before)
}

// expired records whether the lane has more deliveries to end. If so, it is served again after the others.
func (s *scheduler) expired(l *lane, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.overdue = more
}

// claimable returns lanes that want something from the store, and marks them as being served. Tenants take turns.
func (s *scheduler) claimable(now time.Time, limit int) []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil
	}
	var lanes []*lane
	for len(lanes) < limit {
		ln := s.next(maintaining, claimingByHand)
		if ln == nil {
			break
		}
		l := ln.leave()
		s.requeue(ln)
		if s.lanes[l.endpoint] != l {
			continue
		}
		if k, ok := l.claims(now); !ok || k != ln.kind || l.account != ln.account {
			s.touch(l, now)
			continue
		}
		l.claiming = true
		l.reload = false // a change from here on sets it again
		lanes = append(lanes, l)
	}
	return lanes
}

// loaded gives a lane its endpoint, and tells whether that is one whose open deliveries are to be canceled.
func (s *scheduler) loaded(l *lane, t *bellwire.Target) (cancel bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adopt(l, t, time.Now())
	return l.ended() && !l.due.IsZero()
}

// canceled takes note that open deliveries of an ended endpoint were canceled.
func (s *scheduler) canceled(l *lane, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !more {
		l.due = time.Time{}
	}
}

// lost forgets a lane whose endpoint is not there any more.
func (s *scheduler) lost(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(l)
}

// claims says what to ask the store for, and reserves room in memory for it. It returns the lanes that it asks for; the
// others want nothing more, or their tenants have their share by now.
func (s *scheduler) claims(now time.Time, lanes []*lane) ([]*lane, []bellwire.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var (
		asking []*lane
		claims []bellwire.Claim
	)
	deliveries := max(laneFloor, maxClaimed/max(len(lanes), 1))
	bytes := max(laneClaimBytes, bellwire.MaxClaimBytes/max(len(lanes), 1))
	for _, l := range lanes {
		l.claiming = false
		if s.lanes[l.endpoint] != l {
			continue
		}
		k, wanting := l.claims(now)
		if _, blocked := s.lacks(&l.account.lines[k]); blocked || !wanting || k == maintaining {
			s.touch(l, now)
			continue
		}
		claim := s.claim(now, l, k.lowPriority(), deliveries, bytes)
		l.claiming = true
		asking, claims = append(asking, l), append(claims, claim)
		s.take(l.account, places, claim.Limit+claim.ManualLimit)
		s.take(l.account, byHand, claim.ManualLimit)
		s.take(l.account, memory, 2*claim.MaxBytes)
		if claim.ManualLimit > 0 {
			l.manual = false // what comes in from here on sets it again
		}
		if claim.Limit > 0 {
			l.due = time.Time{}
			l.next = 0 // until the store has answered, nothing goes past it
		}
	}
	return asking, claims
}

// claim returns how much of a lane's deliveries its tenant may have in memory now, up to so many and so many bytes.
func (s *scheduler) claim(now time.Time, l *lane, lowPriority bool, deliveries, bytes int) bellwire.Claim {
	a := l.account
	c := bellwire.Claim{
		Endpoint: l.endpoint, Epoch: s.owned().Epochs[l.shard], Ordered: l.ordered(),
		MaxBytes: max(s.room(a, memory, min(l.byteLimit(), 2*bytes), lowPriority)/2, 1),
	}
	if l.manual {
		c.ManualLimit = s.room(a, places, s.room(a, byHand, l.roomByHand(), false), false)
	}
	if want := min(l.wanted(now), deliveries); want > 0 {
		c.Limit = max(s.room(a, places, want+c.ManualLimit, lowPriority)-c.ManualLimit, 0)
	}
	return c
}

// unclaimed frees the room that claims has reserved.
func (s *scheduler) unclaimed(lanes []*lane, claims []bellwire.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range lanes {
		s.returnClaim(l.account, &claims[i])
	}
}

func (s *scheduler) returnClaim(a *account, c *bellwire.Claim) {
	s.give(a, places, c.Limit+c.ManualLimit)
	s.give(a, byHand, c.ManualLimit)
	s.give(a, memory, 2*c.MaxBytes)
}

// wanted returns how many deliveries of the schedule the lane can take from the store.
func (l *lane) wanted(now time.Time) int {
	switch {
	case !l.enabled() || now.Before(l.hold):
		return 0
	case l.pauses():
		if !l.idle() || now.Before(l.breaker.probeAt) {
			return 0
		}
		return 1
	case l.ordered() && !l.idle():
		return 0
	}
	return l.room()
}

// claimed puts what was claimed into the lanes.
func (s *scheduler) claimed(now time.Time, lanes []*lane, claims []bellwire.Claim, results []bellwire.ClaimResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range lanes {
		l.claiming = false
		if s.lanes[l.endpoint] == l { // otherwise the shard was lost meanwhile, and with it the epoch of what was claimed
			s.fill(l, &claims[i], &results[i])
			s.touch(l, now)
		}
		s.returnClaim(l.account, &claims[i])
	}
	s.dispatch(now)
}

func (s *scheduler) fill(l *lane, asked *bellwire.Claim, r *bellwire.ClaimResult) {
	if r.Skipped {
		l.manual = l.manual || asked.ManualLimit > 0
		if asked.Limit > 0 {
			l.due = sooner(l.due, time.Now())
		}
		return
	}
	var back []*job
	for _, c := range r.Manual {
		j := &job{lane: l, delivery: c.Delivery, trigger: bellwire.TriggerManual}
		if c.Event.Test {
			j.trigger = bellwire.TriggerTest
		}
		j.delivery.Epoch = asked.Epoch // the schedule may have it in another
		s.take(l.account, byHand, 1)
		s.bring(l, j, c.Event)
	}
	l.manual = l.manual || len(r.Manual) > 0 // there may be more of them
	for _, c := range r.Due {
		j := &job{lane: l, delivery: c.Delivery, trigger: bellwire.TriggerSchedule}
		if s.draining || !l.enabled() {
			back = append(back, j)
			continue
		}
		s.bring(l, j, c.Event)
	}
	s.giveBack(l, back)
	l.due = sooner(l.due, r.Next)
	if l.ordered() && asked.Ordered && asked.Limit > 0 && l.due.IsZero() && len(back) == 0 {
		l.next = r.NextSequence // the store has nothing more: the order goes on in memory
	}
}

// bring puts a delivery that was claimed into a lane.
func (s *scheduler) bring(l *lane, j *job, e *bellwire.Event) {
	j.event = s.contentOf(e)
	s.hold(l.account, j.event)
	s.enqueue(l, j)
}

// claimFailed has the store asked again later about lanes that it could not be asked about now.
func (s *scheduler) claimFailed(lanes ...*lane) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lanes {
		l.claiming, l.manual, l.reload = false, true, true
		l.due = sooner(l.due, now)
		l.quiet = now.Add(claimerPause)
		if s.lanes[l.endpoint] == l {
			s.touch(l, now)
		}
	}
}
