package service

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// SortWaiting is the order of a list of endpoints by how many deliveries wait for each, the most first. It has only those for which
// some wait.
const SortWaiting = "waiting"

// maxRanked is how many endpoints a list by what waits has at most.
const maxRanked = 10_000

// ranking is the endpoints of all tenants by what waits for each. Many endpoints take long to count, so it is kept for a time that is
// long beside that.
type ranking struct {
	turn  chan struct{} // holds a token while the fields below are in use
	until time.Time
	most  []bellwire.Waiting
}

// How long a ranking is kept: at least for a moment, and so long that counting takes a small share of the time.
const (
	minRankingAge   = time.Second
	rankingAgeShare = 20
)

func newRanking() *ranking { return &ranking{turn: make(chan struct{}, 1)} }

// get returns the ranking. count makes a new one if the last one is too old.
func (r *ranking) get(ctx context.Context, count func(context.Context) ([]bellwire.Waiting, error)) ([]bellwire.Waiting, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, ctx.Err(), "the deliveries that wait could not be counted in time")
	}
	began := time.Now()
	if began.Before(r.until) {
		return r.most, nil
	}
	most, err := count(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	r.most, r.until = most, now.Add(max(rankingAgeShare*now.Sub(began), minRankingAge))
	return most, nil
}

// mostWaiting returns the endpoints of a tenant, or of all tenants if it is empty, by what waits for each.
func (s *Service) mostWaiting(ctx context.Context, tenant string) ([]bellwire.Waiting, error) {
	count := func(ctx context.Context) ([]bellwire.Waiting, error) {
		return s.store.MostWaiting(ctx, tenant, maxWaiting+1, maxRanked)
	}
	if tenant != "" {
		return count(ctx)
	}
	return s.ranking.get(ctx, count)
}

// readMostWaiting reads a page of the endpoints that f selects, by what waits for each. A page ends early, with a cursor, after many
// endpoints that f does not select.
func (s *Service) readMostWaiting(ctx context.Context, c Caller, f *EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	place := 0
	if page.After != "" {
		key, err := page.After.Key(8)
		if err != nil {
			return nil, err
		}
		place = int(binary.BigEndian.Uint64(key))
	}
	most, err := s.mostWaiting(ctx, f.Tenant)
	if err != nil {
		return nil, err
	}
	list := new(bellwire.List[*Endpoint])
	size := 0
	for searched := 0; searched < maxSearched && place < len(most) && len(list.Items) < page.Limit && size < page.MostBytes(); searched++ {
		ep, err := s.ranked(ctx, c, f, most[place])
		if err != nil {
			return nil, err
		}
		if place++; ep != nil {
			list.Items = append(list.Items, ep)
			size += configurationBytes(&ep.Endpoint)
		}
	}
	if place < len(most) {
		list.Next = bellwire.MakeCursor(binary.BigEndian.AppendUint64(nil, uint64(place)))
	}
	return list, nil
}

// ranked returns an endpoint with what waits for it as it was counted; nil: f does not select it, or it was deleted meanwhile.
func (s *Service) ranked(ctx context.Context, c Caller, f *EndpointQuery, w bellwire.Waiting) (*Endpoint, error) {
	ep, err := s.store.Endpoint(ctx, w.Endpoint)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return nil, nil
	}
	if err != nil || !f.selects(ep) {
		return nil, err
	}
	shown, err := s.shownWithHealth(ctx, c, 1, []*bellwire.Endpoint{ep})
	if err != nil || f.Health != "" && shown[0].Health.State != f.Health {
		return nil, err
	}
	health := shown[0].Health
	health.Waiting, health.WaitingCapped = min(w.Count, maxWaiting), w.Count > maxWaiting
	return shown[0], nil
}

// selects reports whether f selects an endpoint, whatever its health.
func (f *EndpointQuery) selects(ep *bellwire.Endpoint) bool {
	return !ep.Deleted && (f.Status == "" || f.Status == ep.Status) && (f.Dialect == "" || f.Dialect == ep.Dialect) &&
		(f.EventType == "" || matches(ep.Events, f.EventType))
}
