package service

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxUses is the number of keys, and of sessions, whose uses are remembered until they are stored. The uses of others are not stored
// this time.
const maxUses = 10_000

// uses is when keys or sessions were last used on this node, until StoreUses stores it. So a request costs no write.
type uses[ID comparable] struct {
	mu   sync.RWMutex
	last map[ID]time.Time
}

// note remembers that something is being used. It is exact to usePrecision, so that most calls change nothing.
func (u *uses[ID]) note(id ID) {
	at := now()
	u.mu.RLock()
	last, known := u.last[id]
	u.mu.RUnlock()
	if known && at.Sub(last) < usePrecision {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = make(map[ID]time.Time)
	}
	if known || len(u.last) < maxUses {
		u.last[id] = at
	}
}

const usePrecision = time.Second

// take returns what is remembered, and forgets it.
func (u *uses[ID]) take() map[ID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = nil
	return taken
}

// restore adds uses again that could not be stored.
func (u *uses[ID]) restore(taken map[ID]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.Copy(taken, u.last)
	u.last = taken
}

// of returns when something was last used: the later of what is stored and what this node remembers.
func (u *uses[ID]) of(id ID, stored time.Time) time.Time {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return bellwire.Later(stored, u.last[id])
}

// store stores what is remembered.
func (u *uses[ID]) store(ctx context.Context, store func(context.Context, map[ID]time.Time) error) error {
	taken := u.take()
	if len(taken) == 0 {
		return nil
	}
	err := store(ctx, taken)
	if err != nil {
		u.restore(taken)
	}
	return err
}

// StoreUses stores when keys and sessions were last used on this node. It is to be called about once a minute.
func (s *Service) StoreUses(ctx context.Context) error {
	return errors.Join(s.keyUses.store(ctx, s.store.StoreKeyUses), s.sessionUses.store(ctx, s.store.StoreSessionUses))
}
