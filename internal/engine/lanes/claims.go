package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds of a transaction that claims. Publishers wait for it.
const (
	maxClaimed     = 512      // deliveries, unless there are many endpoints
	laneClaimBytes = 64 << 10 // bytes of data that are claimed for an endpoint, even if it is one of many
)

// Claimant is a lane that waits to be loaded, or to get deliveries from the store.
type Claimant struct{ lane *lane }

// Endpoint returns the endpoint of the lane.
func (t Claimant) Endpoint() string { return t.lane.endpoint }

// ReadyToClaim returns lanes that need something from the store, which are with the claimer from now on. Tenants take turns. Each
// Claimant must be ended by one of BeginClaims, Postpone and ForgetMissing.
func (s *Scheduler) ReadyToClaim(now time.Time, limit int) []Claimant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil
	}
	var claimants []Claimant
	for len(claimants) < limit {
		q := s.next(waitToMaintain, waitToClaimManual)
		if q == nil {
			break
		}
		l := q.pop()
		s.requeue(q)
		if s.lanes[l.endpoint] != l {
			continue
		}
		if k, ok := l.claims(now); !ok || k != q.kind || l.account != q.account {
			s.reevaluate(l, now)
			continue
		}
		l.withClaimer = true
		l.reload = false // a later change sets it again
		claimants = append(claimants, Claimant{l})
	}
	return claimants
}

// Loaded gives a lane its endpoint, and reports whether the endpoint's open deliveries must be canceled.
func (s *Scheduler) Loaded(claimant Claimant, t *bellwire.Target) (cancel bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adopt(claimant.lane, t, time.Now())
	return claimant.lane.ended() && !claimant.lane.due.IsZero()
}

// Canceled records that open deliveries of an ended endpoint were canceled, and whether there are more.
func (s *Scheduler) Canceled(claimant Claimant, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !more {
		claimant.lane.due = time.Time{}
	}
}

// ForgetMissing forgets a lane whose endpoint no longer exists.
func (s *Scheduler) ForgetMissing(claimant Claimant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(claimant.lane)
}

// TooOld returns which deliveries of the lane are past max_elapsed, up to a limit, and reports whether there can be any.
// Unless the breaker is open or the endpoint has asked for less load there are none: an overdue delivery then gets an attempt before
// it ends.
func (s *Scheduler) TooOld(claimant Claimant, now time.Time, limit int) (x bellwire.TooOld, possible bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := claimant.lane
	l.tooOld = false
	if !l.pauses() && !l.putsOff() || !l.enabled() || l.target.Endpoint.Retry.MaxElapsed == 0 {
		return x, false
	}
	ep := l.target.Endpoint
	x = bellwire.TooOld{
		Endpoint: ep.ID, Epoch: s.Leases().Epochs[l.shard], Reason: bellwire.ReasonTimeOver, Limit: limit,
		Before: now.Add(-time.Duration(ep.Retry.MaxElapsed)),
	}
	// max_elapsed counts from the endpoint's last change if the event is older, so after a recent one, or a pause of the tenant,
	// nothing is past max_elapsed.
	return x, !l.target.Since().After(x.Before)
}

// EndedTooOld records whether the lane has more deliveries past max_elapsed. If so, it comes again after the others.
func (s *Scheduler) EndedTooOld(claimant Claimant, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claimant.lane.tooOld = more
}

// Postpone gives back lanes for which the store or the directory failed. They are claimants again after a pause.
func (s *Scheduler) Postpone(claimants ...Claimant) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range claimants {
		s.postpone(t.lane, now)
	}
}

func (s *Scheduler) postpone(l *lane, now time.Time) {
	l.withClaimer, l.manualDue, l.reload = false, true, true
	l.due = bellwire.Earlier(l.due, now)
	l.storeBackoffUntil = now.Add(storeBackoff)
	if s.lanes[l.endpoint] == l {
		s.reevaluate(l, now)
	}
}

// Claims holds what to ask the store for. Room in memory is reserved for the answers, until EndClaims or FailClaims.
type Claims struct {
	Asked []bellwire.Claim
	lanes []*lane // of Asked
}

// BeginClaims takes all claimants, and returns what to claim for those lanes that need deliveries and whose tenants may have more.
func (s *Scheduler) BeginClaims(now time.Time, claimants []Claimant) *Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims := new(Claims)
	deliveries := max(laneFloor, maxClaimed/max(len(claimants), 1))
	bytes := max(laneClaimBytes, bellwire.MaxClaimBytes/max(len(claimants), 1))
	for _, t := range claimants {
		l := t.lane
		l.withClaimer = false
		if s.lanes[l.endpoint] != l {
			continue
		}
		k, ok := l.claims(now)
		if _, lacking := s.lacks(&l.account.waitQueues[k]); lacking || !ok || k == waitToMaintain {
			s.reevaluate(l, now)
			continue
		}
		claim := s.claim(now, l, k.lowPriority(), deliveries, bytes)
		l.withClaimer = true
		claims.lanes, claims.Asked = append(claims.lanes, l), append(claims.Asked, claim)
		s.take(l.account, places, claim.Limit+claim.ManualLimit)
		s.take(l.account, manualDeliveries, claim.ManualLimit)
		s.take(l.account, memory, 2*claim.MaxBytes)
		if claim.ManualLimit > 0 {
			l.manualDue = false // a later one sets it again
		}
		if claim.Limit > 0 {
			l.searching, l.mustSearch = claim.Search, false
			l.due = time.Time{}
			l.nextSequence = 0 // nothing bypasses the store until it has answered
		}
	}
	return claims
}

// claim returns how much of a lane's deliveries its tenant may have in memory now, within bounds.
func (s *Scheduler) claim(now time.Time, l *lane, lowPriority bool, deliveries, bytes int) bellwire.Claim {
	a := l.account
	c := bellwire.Claim{
		Endpoint: l.endpoint, Epoch: s.Leases().Epochs[l.shard], Ordered: l.ordered(),
		MaxBytes: max(s.shared.room(a, memory, min(l.byteLimit(), 2*bytes), lowPriority)/2, 1),
	}
	if l.manualDue {
		c.ManualLimit = s.shared.room(a, places, s.shared.room(a, manualDeliveries, l.manualRoom(), false), false)
	}
	if want := min(l.claimLimit(now), deliveries); want > 0 {
		c.Limit = max(s.shared.room(a, places, want+c.ManualLimit, lowPriority)-c.ManualLimit, 0)
	}
	if c.Search = c.Limit > 0 && (l.mustSearch || l.ordered()); c.Search {
		c.Held = l.held()
	}
	return c
}

// EndClaims puts the deliveries that were claimed into the lanes.
func (s *Scheduler) EndClaims(now time.Time, claims *Claims, results []bellwire.ClaimResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range claims.lanes {
		l.withClaimer = false
		if s.lanes[l.endpoint] == l { // else the shard was lost, and with it the epoch of what was claimed
			searching := l.searching
			l.searching = false
			s.fill(l, now, &claims.Asked[i], &results[i])
			if searching {
				s.searched(l, now, &claims.Asked[i], &results[i])
			}
			s.reevaluate(l, now)
		}
		s.returnClaim(l.account, &claims.Asked[i])
	}
	s.dispatch(now)
}

// FailClaims frees the reserved room after the store failed. The lanes are claimants again after a pause.
func (s *Scheduler) FailClaims(claims *Claims) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range claims.lanes {
		s.returnClaim(l.account, &claims.Asked[i])
	}
	for _, l := range claims.lanes {
		if l.searching {
			l.searching, l.mustSearch, l.unsureUntil = false, true, now
			s.dropLate(l)
		}
		s.postpone(l, now)
	}
}

func (s *Scheduler) returnClaim(a *account, c *bellwire.Claim) {
	s.give(a, places, c.Limit+c.ManualLimit)
	s.give(a, manualDeliveries, c.ManualLimit)
	s.give(a, memory, 2*c.MaxBytes)
}

// fill puts the deliveries that a claim has found into a lane.
func (s *Scheduler) fill(l *lane, now time.Time, asked *bellwire.Claim, r *bellwire.ClaimResult) {
	if r.Skipped {
		l.manualDue = l.manualDue || asked.ManualLimit > 0
		if asked.Limit > 0 {
			l.due = bellwire.Earlier(l.due, now)
		}
		return
	}
	var back []*Task
	for _, c := range r.Manual {
		task := &Task{lane: l, Delivery: c.Delivery, Trigger: bellwire.TriggerManual}
		if c.Event.Test {
			task.Trigger = bellwire.TriggerTest
		}
		task.Delivery.Epoch = asked.Epoch // the schedule may have claimed it in another
		if l.tenantPaused() {
			back = append(back, task)
			continue
		}
		s.take(l.account, manualDeliveries, 1)
		s.bring(l, task, c.Event)
	}
	l.manualDue = l.manualDue || len(r.Manual) > 0 // there may be more
	for _, c := range r.Due {
		task := &Task{lane: l, Delivery: c.Delivery, Trigger: bellwire.TriggerSchedule}
		if s.draining || !l.enabled() {
			back = append(back, task)
			continue
		}
		s.bring(l, task, c.Event)
	}
	s.release(l, back)
	l.due = bellwire.Earlier(l.due, r.Next)
	if l.ordered() && asked.Ordered && asked.Limit > 0 && l.due.IsZero() && len(back) == 0 {
		l.nextSequence = r.NextSequence // the store has nothing more: the order continues in memory
	}
}

// bring puts a claimed delivery into a lane.
func (s *Scheduler) bring(l *lane, task *Task, e *bellwire.Event) {
	task.Content = s.contentOf(e)
	s.retainContent(l.account, task.Content)
	s.enqueue(l, task)
}
