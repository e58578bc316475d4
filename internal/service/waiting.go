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
	f := waitFacts{delivery: d, now: now()}
	if f.endpoint, err = s.store.Endpoint(ctx, d.Endpoint); err != nil {
		return nil, err
	}
	if f.hold, err = s.store.Hold(ctx, d.Endpoint, d.Sequence); err != nil {
		return nil, err
	}
	held, err := s.directory.Limits(ctx, d.Tenant)
	if err != nil {
		return nil, err
	}
	f.tenantPaused = held.Paused
	health, err := s.store.Health(ctx, []string{d.Endpoint}, 1)
	if err != nil {
		return nil, err
	}
	f.health = &health[0].Health
	f.reason, f.until = s.engine.Blocked(d.Endpoint)
	wait := f.wait()
	if c.Role.OfTenant() {
		wait.Node = "" // the operator's name for it
	}
	return wait, nil
}

// waitFacts are all that decides what an open delivery waits for.
type waitFacts struct {
	delivery *bellwire.Delivery
	endpoint *bellwire.Endpoint
	hold     *bellwire.Hold

	tenantPaused bool
	health       *bellwire.Health
	reason       bellwire.WaitReason // what this node's engine answers for the endpoint
	until        time.Time
	now          time.Time
}

func (f *waitFacts) wait() *bellwire.Wait {
	d := f.delivery
	manual := d.DueAt.IsZero() // a test, which passes a pause and the order
	switch {
	case f.endpoint.Deleted || f.endpoint.Status == bellwire.EndpointDisabled:
		return &bellwire.Wait{Reason: bellwire.WaitEnding}
	case f.tenantPaused:
		return &bellwire.Wait{Reason: bellwire.WaitTenantPaused}
	case manual:
		return f.laneWait()
	case f.endpoint.Status == bellwire.EndpointPaused:
		return &bellwire.Wait{Reason: bellwire.WaitPaused}
	case !f.hold.Ahead.IsZero():
		return &bellwire.Wait{Reason: bellwire.WaitOrder, Behind: f.hold.Ahead}
	}
	wait := f.laneWait()
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
	case f.health.Epoch != f.hold.Epoch || !f.health.HeldUntil.After(f.now):
		return &bellwire.Wait{Reason: bellwire.WaitOtherNode, Node: f.hold.Node}
	case f.health.BreakerOpen:
		return &bellwire.Wait{Reason: bellwire.WaitBreaker, Until: f.health.HeldUntil, Node: f.hold.Node}
	}
	return &bellwire.Wait{Reason: bellwire.WaitRest, Until: f.health.HeldUntil, Node: f.hold.Node}
}
