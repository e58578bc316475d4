package service

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxKeyUses is the number of keys whose uses are remembered until they are stored. The uses of others are not stored this time.
const maxKeyUses = 10_000

// keyUses is when keys were last used on this node, until StoreKeyUses stores it. So a request costs no write.
type keyUses struct {
	mu   sync.RWMutex
	last map[bellwire.KeyID]time.Time
}

// note remembers that a key is being used. It is exact to keyUsePrecision, so that most calls change nothing.
func (u *keyUses) note(id bellwire.KeyID) {
	at := now()
	u.mu.RLock()
	last, known := u.last[id]
	u.mu.RUnlock()
	if known && at.Sub(last) < keyUsePrecision {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = make(map[bellwire.KeyID]time.Time)
	}
	if known || len(u.last) < maxKeyUses {
		u.last[id] = at
	}
}

const keyUsePrecision = time.Second

// take returns what is remembered, and forgets it.
func (u *keyUses) take() map[bellwire.KeyID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = nil
	return taken
}

// giveBack remembers again what could not be stored.
func (u *keyUses) giveBack(taken map[bellwire.KeyID]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.Copy(taken, u.last)
	u.last = taken
}

// of returns when a key was last used: the later of what is stored and what this node remembers.
func (u *keyUses) of(k *bellwire.Key) time.Time {
	u.mu.RLock()
	defer u.mu.RUnlock()
	if at := u.last[k.ID]; at.After(k.LastUsedAt) {
		return at
	}
	return k.LastUsedAt
}

// StoreKeyUses stores when keys were last used on this node. It is to be called about once a minute.
func (s *Service) StoreKeyUses(ctx context.Context) error {
	uses := s.keyUses.take()
	if len(uses) == 0 {
		return nil
	}
	err := s.store.StoreKeyUses(ctx, uses)
	if err != nil {
		s.keyUses.giveBack(uses)
	}
	return err
}
