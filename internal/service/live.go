package service

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/live"
)

// WatchLive begins a stream of the attempts that a filter selects, in one tenant, or in all for operators. The stream must be closed.
func (s *Service) WatchLive(ctx context.Context, c Caller, f live.Filter, last string) (*live.Stream, error) {
	err := authorize(c, Manage)
	if f.Tenant != "" {
		err = s.requireTenant(ctx, c, Read, f.Tenant)
	}
	if err != nil {
		return nil, err
	}
	if s.live == nil {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "this server has no live streams")
	}
	return s.live.Watch(f, c.Owner(), last)
}

// StillValid returns an error if the caller's key or session has ended since it was authenticated. It is no use of them.
func (s *Service) StillValid(ctx context.Context, c Caller) error {
	if !c.Session.IsZero() {
		session, err := s.store.Session(ctx, c.Session)
		if err != nil {
			return endedSession(err)
		}
		if !s.sessionLives(session, now()) {
			return errSessionEnded()
		}
		return nil
	}
	if c.Key.IsZero() {
		return nil
	}
	_, err := s.confirmed(ctx, nobody, func() (Caller, *bellwire.Key, error) {
		key, err := s.directory.Key(ctx, c.Key)
		switch {
		case err != nil:
			return c, nil, unknownKey(err)
		case !c.hasKey(key):
			return c, key, errUnauthenticated()
		case key.Expired(now()):
			return c, key, errExpired(key)
		}
		return c, key, nil
	})
	return err
}
