package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// WaitingFor returns what an open delivery waits for, nil if the delivery has ended. On every node the answer is true. The node
// that owns the endpoint knows more than others.
func (s *Service) WaitingFor(ctx context.Context, c Caller, d *bellwire.Delivery) (*bellwire.Wait, error) {
	if err := authorizeIn(c, Read, d.Tenant); err != nil || !d.Status.Open() {
		return nil, err
	}
	ctx, end, err := s.beginRead(ctx, c, Read, d.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	waits, err := s.waits(ctx, c, []*bellwire.Delivery{d})
	if err != nil {
		return nil, err
	}
	return waits[0], nil
}

// waits returns what each of some deliveries waits for, nil for those that have ended. It looks once at each endpoint for each
// trigger.
func (s *Service) waits(ctx context.Context, c Caller, deliveries []*bellwire.Delivery) ([]*bellwire.Wait, error) {
	before := make(map[string]int64)
	var behind []*bellwire.Delivery
	for _, d := range deliveries {
		if d.Status.Open() {
			before[d.Endpoint] = max(before[d.Endpoint], d.Sequence)
		}
		if d.Behind {
			behind = append(behind, d)
		}
	}
	waits := make([]*bellwire.Wait, len(deliveries))
	if len(before) == 0 {
		return waits, nil
	}
	holds, err := s.store.Holds(ctx, before)
	if err != nil {
		return nil, err
	}
	var first map[bellwire.DeliveryID]bellwire.DeliveryID
	if len(behind) > 0 {
		if first, err = s.store.FirstOfKeys(ctx, behind); err != nil {
			return nil, err
		}
	}
	type attempts struct {
		endpoint string
		trigger  bellwire.Trigger
	}
	facts := make(map[attempts]*waitFacts, len(before))
	for i, d := range deliveries {
		if !d.Status.Open() {
			continue
		}
		next := attempts{d.Endpoint, d.NextTrigger()}
		f := facts[next]
		if f == nil {
			f = &waitFacts{trigger: next.trigger, hold: holds[d.Endpoint], now: now()}
			if f.hold == nil { // purged meanwhile
				f.hold = &bellwire.Hold{Deleted: true}
			}
			f.reason, f.until = s.engine.Blocked(d.Endpoint, next.trigger)
			facts[next] = f
		}
		waits[i] = f.wait(d, first[d.ID])
		if c.Role.OfTenant() {
			waits[i].Node = "" // the operator's name for it
		}
	}
	return waits, nil
}

// waitFacts are all that decides what those open deliveries of an endpoint wait for whose next attempt has a trigger.
type waitFacts struct {
	trigger bellwire.Trigger
	hold    *bellwire.Hold
	reason  bellwire.WaitReason // what this node's engine answers for the endpoint and the trigger
	until   time.Time
	now     time.Time
}

// wait returns what a delivery waits for. ahead is the first open delivery of the key that it is behind, if it is.
func (f *waitFacts) wait(d *bellwire.Delivery, ahead bellwire.DeliveryID) *bellwire.Wait {
	switch {
	case f.hold.Deleted || f.hold.Status == bellwire.EndpointDisabled && !d.OpenTest():
		return &bellwire.Wait{Reason: bellwire.WaitEnding}
	case f.hold.TenantPaused:
		return &bellwire.Wait{Reason: bellwire.WaitTenantPaused}
	case f.trigger != bellwire.TriggerSchedule: // which passes a pause and the order
		return f.laneWait()
	case f.hold.Status == bellwire.EndpointPaused:
		return &bellwire.Wait{Reason: bellwire.WaitPaused}
	case !ahead.IsZero():
		return &bellwire.Wait{Reason: bellwire.WaitOrder, Behind: ahead}
	case !f.hold.Ahead.IsZero() && f.hold.Sequence < d.Sequence:
		return &bellwire.Wait{Reason: bellwire.WaitOrder, Behind: f.hold.Ahead}
	}
	wait := f.laneWait()
	if wait.Reason == bellwire.WaitOrder && d.Sequence > 0 { // none is before it in the order, so its own request is in flight
		wait.Reason = bellwire.WaitQueued
	}
	if d.DueAt.After(f.now) && !wait.Until.After(d.DueAt) {
		reason := bellwire.WaitRetry
		if d.NotBefore.Equal(d.DueAt) {
			reason = bellwire.WaitDeliverAt
		}
		return &bellwire.Wait{Reason: reason, Until: d.DueAt}
	}
	return wait
}

// laneWait returns what holds the endpoint back, as its owner says. Another node says what the owner has stored.
func (f *waitFacts) laneWait() *bellwire.Wait {
	if f.reason != bellwire.WaitOtherNode {
		return &bellwire.Wait{Reason: f.reason, Until: f.until}
	}
	switch {
	case f.hold.Node == "":
		return &bellwire.Wait{Reason: bellwire.WaitTakeover}
	case f.trigger != bellwire.TriggerSchedule || f.hold.HeldEpoch != f.hold.Epoch || !f.hold.HeldUntil.After(f.now):
		return &bellwire.Wait{Reason: bellwire.WaitOtherNode, Node: f.hold.Node}
	case f.hold.BreakerOpen:
		return &bellwire.Wait{Reason: bellwire.WaitBreaker, Until: f.hold.HeldUntil, Node: f.hold.Node}
	}
	return &bellwire.Wait{Reason: bellwire.WaitRest, Until: f.hold.HeldUntil, Node: f.hold.Node}
}
