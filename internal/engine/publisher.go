package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// publisher matches events to endpoints and has them stored.
type publisher struct {
	directory Directory
	scheduler *lanes.Scheduler
	gate      *gate
	batcher   *batcher
	observer  bellwire.Observer
	bulk      *batcher     // of publications with much data, so that small ones do not wait for megabytes
	taken     atomic.Int64 // publications, tests included
}

// publish checks a submission's events, matches them and has them stored. The store refuses what was decided on a stale
// configuration; publish then reads the stale part again, decides again and repeats. What was read again holds even if it has
// changed once more: it was read after the events came, so they may count as published at that moment. So publish ends, however
// often the configuration changes.
//
// The Checker may also fill in the events. It may be nil.
func (p *publisher) publish(ctx context.Context, tenant string, s *submission, checks Checker) (err error) {
	var (
		stale     = bellwire.Stale{Tenant: true, Catalogue: true} // parts to be decided on now
		again     bellwire.Stale                                  // parts that were read again
		catalogue int64
		revision  int64
	)
	if s.span != nil {
		defer func() { s.span.Err = err }()
	}
	for {
		if stale.Catalogue && checks != nil {
			catalogue, err = checks.Check(ctx, again.Catalogue)
		}
		for i := range s.drafts {
			s.events[i].Event.Version = s.drafts[i].Version
		}
		if err == nil {
			revision, err = p.match(ctx, tenant, s)
		}
		if err == nil {
			s.append.TenantRevision, s.append.OperatorRevision = unless(again.Tenant, revision), unless(again.Catalogue, catalogue)
			if err = p.submit(ctx, s); bellwire.CodeOf(err) == bellwire.CodeStale {
				stale = s.result.Stale // else the batcher may still be about to write it
			}
		} else {
			stale = bellwire.Stale{Catalogue: true} // as Check reports if the code is CodeStale
		}
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			break
		}
		if news := stale.Tenant && !again.Tenant || stale.Catalogue && !again.Catalogue; !news {
			break
		}
		if stale.Tenant {
			again.Tenant = true
			p.directory.ForgetTenantAt(tenant, revision)
		}
		if stale.Catalogue {
			again.Catalogue = true
			p.directory.ForgetCatalogueAt(catalogue)
		}
		err = nil
	}
	if err == nil && again.Tenant {
		p.refreshChanged(ctx, s)
	}
	return err
}

// unless returns the revision that an append depends on: 0, which is any, for what was read again.
func unless(again bool, revision int64) int64 {
	if again {
		return 0
	}
	return revision
}

// match finds the recipients of the events, and returns the revision of the tenant's configuration.
func (p *publisher) match(ctx context.Context, tenant string, s *submission) (revision int64, err error) {
	subscriptions, revision, err := p.directory.Subscriptions(ctx, tenant)
	if err != nil {
		return 0, err
	}
	if err := subscriptions.Recipients(ctx, s.events, s.targets, p.observer); err != nil {
		return 0, err
	}
	s.append.MaxDeferred = s.maxDeferred()
	if n := s.deliveries(); n > s.append.MaxDeferred && !s.events[0].Unmatched { // else it is stored already
		return 0, tooWide(n, s.append.MaxDeferred)
	}
	return revision, nil
}

// refreshChanged refreshes those endpoints that were changed while events were stored for them: if an endpoint had no lane when
// it was changed, the change has reached no lane.
func (p *publisher) refreshChanged(ctx context.Context, s *submission) {
	seen := make(map[*bellwire.Target]bool)
	for _, targets := range s.targets {
		for _, t := range targets {
			if seen[t] {
				continue
			}
			seen[t] = true
			if now, err := p.directory.Target(ctx, t.Endpoint.ID); err != nil || now != t {
				p.scheduler.Refresh(t.Endpoint.ID)
			}
		}
	}
}

// waiting returns how many publications wait to be stored.
func (p *publisher) waiting() int { return p.batcher.length() + p.bulk.length() }

// submit has a submission stored, unless the engine is closing.
func (p *publisher) submit(ctx context.Context, s *submission) error {
	if err := p.gate.enter(); err != nil {
		return err
	}
	defer p.gate.leave()
	p.taken.Add(1)
	to := p.batcher
	if s.bytes > limits.BulkFrom {
		to = p.bulk
	}
	if s.span == nil {
		return to.submit(ctx, s)
	}
	s.span.Queued = time.Now()
	err := to.submit(ctx, s)
	s.span.Stored = time.Now()
	return err
}

// traced reports the span of a publication that has ended.
func (p *publisher) traced(published *Publication, s *submission) {
	if len(published.Events) == 1 {
		s.span.Type = published.Events[0].Type
		if s.span.Err == nil {
			s.span.Event = s.result.Events[0].ID
		}
	}
	s.span.Ended = time.Now()
	p.observer.Published(s.span)
}

// newEvent returns the event of a draft.
func newEvent(tenant string, d *Draft) bellwire.NewEvent {
	e := bellwire.NewEvent{Event: bellwire.Event{
		Tenant: tenant, Type: d.Type, Data: d.Data, IdempotencyKey: d.IdempotencyKey, OccurredAt: d.OccurredAt,
		DeliverAt: bellwire.StoredTime(d.DeliverAt), ExpiresAt: bellwire.StoredTime(d.ExpiresAt), OrderingKey: d.OrderingKey,
		Version: d.Version,
	}}
	if d.IdempotencyKey != "" {
		e.Digest = bellwire.Digest(d.Type, d.Data)
	}
	return e
}
