package service

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// VersionCount says how many endpoints get a version of an event type, of all tenants.
type VersionCount struct {
	Version   int
	Endpoints int // that subscribe to the type, by its name or a pattern
	Disabled  int // of Endpoints
}

// CountVersions counts the endpoints that get each version of an event type, whatever their filters say.
func (s *Service) CountVersions(ctx context.Context, c Caller, name string) ([]VersionCount, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	t, err := s.store.EventType(reading, name)
	if err != nil {
		return nil, err
	}
	readers, err := s.store.VersionReaders(reading, name)
	if err != nil {
		return nil, err
	}
	return countVersions(t, readers), nil
}

// countVersions adds up the readers of each version.
func countVersions(t *bellwire.EventType, readers []bellwire.VersionReaders) []VersionCount {
	counts := make([]VersionCount, t.Newest().Of())
	for i := range counts {
		counts[i].Version = i + 1
	}
	for _, r := range readers {
		of := &counts[t.VersionAt(r.At)-1]
		of.Endpoints += r.Endpoints
		of.Disabled += r.Disabled
	}
	return counts
}
