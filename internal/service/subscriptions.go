package service

import (
	"context"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/match"
)

// Subscription says how many endpoints subscribe to an event type.
type Subscription struct {
	EventType string
	Endpoints int // that are not disabled, of all tenants
}

// Subscriptions counts the endpoints that subscribe to each event type of the catalogue, whatever their filters say. It looks at the
// newest MaxSearched endpoints; capped says that there are more.
func (s *Service) Subscriptions(ctx context.Context, c Caller) (counted []Subscription, capped bool, err error) {
	if err := authorize(c, Manage); err != nil {
		return nil, false, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, false, err
	}
	defer end()
	catalogue, err := s.directory.Catalogue(reading)
	if err != nil {
		return nil, false, err
	}
	endpoints, err := s.store.Patterns(reading, bellwire.MaxSearched+1)
	if err != nil {
		return nil, false, err
	}
	if len(endpoints) > bellwire.MaxSearched {
		endpoints, capped = endpoints[:bellwire.MaxSearched], true
	}
	return countSubscriptions(catalogue.Names(), endpoints), capped, nil
}

// countSubscriptions counts the endpoints with a pattern that matches, for each of some sorted names.
func countSubscriptions(names []string, endpoints [][]string) []Subscription {
	counted := make([]Subscription, len(names))
	for i, name := range names {
		counted[i].EventType = name
	}
	last := make([]int, len(names)) // the last endpoint that was counted for a name, from 1
	for n, patterns := range endpoints {
		for _, text := range patterns {
			pattern, err := match.Parse(text)
			if err != nil {
				continue // it matches nothing
			}
			i, _ := slices.BinarySearch(names, strings.TrimSuffix(text, "*"))
			for ; i < len(names) && pattern.Matches(names[i]); i++ {
				if last[i] != n+1 {
					last[i] = n + 1
					counted[i].Endpoints++
				}
			}
		}
	}
	return counted
}
