package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// Bounds of the claimer.
const (
	maxClaims   = 64  // endpoints asked about in one transaction
	cancelChunk = 500 // deliveries that one transaction ends without an attempt
)

// storePause is the pause of a background loop after the store or the directory failed.
const storePause = time.Second

// claimer claims what is due from the store into the lanes: retries, overflow, other nodes' publications, and what a dead node
// had in memory. The scheduler decides which endpoints have something due. The claimer asks for a bounded number from each, so
// that a million deliveries of one endpoint do not hide those of others.
type claimer struct {
	store     Store
	scheduler *lanes.Scheduler
	directory Directory
	observer  bellwire.Observer
	clock     clock
	wake      chan struct{} // capacity 1
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

// round serves one group of endpoints, and reports whether there may be more.
func (c *claimer) round(ctx context.Context) bool {
	claimants := c.scheduler.ReadyToClaim(time.Now(), maxClaims)
	if len(claimants) == 0 {
		return false
	}
	if err := c.prefetch(ctx, claimants); err != nil {
		reportStore(ctx, c.observer, "load endpoints", err) // perhaps because of one of them: they are loaded one by one
	}
	var ready []lanes.Claimant
	for _, claimant := range claimants {
		if err := c.load(ctx, claimant); err != nil {
			reportStore(ctx, c.observer, "load an endpoint", err)
			c.scheduler.Postpone(claimant)
			continue
		}
		ready = append(ready, claimant)
	}
	if err := c.claim(ctx, ready); err != nil {
		reportStore(ctx, c.observer, "claim due deliveries", err)
	}
	return ctx.Err() == nil // endpoints that could not be loaded do not hold up those behind them
}

func (c *claimer) claim(ctx context.Context, claimants []lanes.Claimant) error {
	now := time.Now()
	claims := c.scheduler.BeginClaims(now, claimants)
	if len(claims.Asked) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	results, err := c.store.ClaimDue(ctx, c.clock(), claims.Asked)
	if err != nil {
		c.scheduler.FailClaims(claims)
		return err
	}
	claimed := 0
	for i := range results {
		r := &results[i]
		claimed += len(r.Due) + len(r.Manual)
		r.Next = c.clock.local(r.Next)
	}
	c.observer.Claimed(claimed, time.Since(now))
	c.scheduler.EndClaims(time.Now(), claims, results)
	return nil
}

// prefetch reads the endpoints of all claimants together. One by one, those of a tenant with many new endpoints would hold up all
// others.
func (c *claimer) prefetch(ctx context.Context, claimants []lanes.Claimant) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	endpoints := make([]string, len(claimants))
	for i, claimant := range claimants {
		endpoints[i] = claimant.Endpoint()
	}
	return c.directory.Prefetch(ctx, endpoints)
}

// load gives the lane its endpoint. It ends open deliveries if the endpoint is disabled or deleted, or if their max_elapsed has
// passed.
func (c *claimer) load(ctx context.Context, claimant lanes.Claimant) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	target, err := c.directory.Target(ctx, claimant.Endpoint())
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		c.scheduler.ForgetMissing(claimant) // its tenant was deleted
		return nil
	}
	if err != nil {
		return err
	}
	if c.scheduler.Loaded(claimant, target) {
		return c.cancelOpen(ctx, claimant, target.Endpoint)
	}
	return c.exhaust(ctx, claimant, target.Endpoint)
}

// cancelOpen cancels the open deliveries of a disabled or deleted endpoint.
func (c *claimer) cancelOpen(ctx context.Context, claimant lanes.Claimant, ep *bellwire.Endpoint) error {
	reason := bellwire.ReasonDisabledFor(ep.StatusReason)
	if ep.Deleted {
		reason = bellwire.ReasonEndpointDeleted
	}
	n, err := c.store.CancelOpen(ctx, ep.ID, reason, c.clock.now(), cancelChunk)
	if bellwire.CodeOf(err) == bellwire.CodeStale {
		c.directory.ForgetEndpoint(ep.ID)
		c.scheduler.Refresh(ep.ID) // it was enabled again a moment ago
		return nil
	}
	if err != nil {
		return err
	}
	c.observer.Canceled(ep.Dialect, n, bellwire.CauseOf(ep))
	c.scheduler.Canceled(claimant, n == cancelChunk)
	return nil
}

// exhaust ends deliveries whose max_elapsed has passed, while the endpoint's breaker is open or the endpoint has asked for less load:
// see Scheduler.TooOld.
func (c *claimer) exhaust(ctx context.Context, claimant lanes.Claimant, ep *bellwire.Endpoint) error {
	now := c.clock.now()
	x, possible := c.scheduler.TooOld(claimant, now, cancelChunk)
	if !possible {
		return nil
	}
	n, err := c.store.ExhaustTooOld(ctx, now, x)
	if err != nil {
		return err
	}
	for range n {
		c.observer.Ended(ep, bellwire.DeliveryExhausted, now.Sub(x.Before), nil) // at least
	}
	if n > 0 {
		c.observer.TooOld(ep, n, x.Reason)
	}
	c.scheduler.EndedTooOld(claimant, n == x.Limit)
	return nil
}

// reportStore reports that the store failed, unless ctx has ended: then the failure is due to that.
func reportStore(ctx context.Context, observer bellwire.Observer, operation string, err error) {
	if ctx.Err() == nil {
		observer.StoreFailed(operation, err)
	}
}
