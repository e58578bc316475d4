package sqlite

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// leases records which node holds the shards: one node holds all of them, or none does.
type leases struct {
	mu     sync.Mutex
	holder string
	epoch  atomic.Int64
}

const sqlNextEpoch = "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value"

// RenewLeases gives the node all shards, for good, unless another node holds them. A node that has released them gets
// them in a new epoch.
func (s *Store) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	leased := new(bellwire.Leases)
	if s.leases.holder != "" && s.leases.holder != node {
		return leased, nil
	}
	// A node must not keep its leases while the database cannot be read.
	if err := s.read(ctx, func(*db) error { return nil }); err != nil {
		return nil, err
	}
	s.leases.holder = node
	for shard := range leased.Epochs {
		leased.Epochs[shard] = s.leases.epoch.Load()
	}
	return leased, nil
}

// HandOver does nothing, because no other node can take a shard.
func (s *Store) HandOver(context.Context, string, []int, bool) error { return nil }

// ReleaseLeases ends the epoch, so that deliveries that were claimed in it are free.
func (s *Store) ReleaseLeases(ctx context.Context, node string) error {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if s.leases.holder != node {
		return nil
	}
	var epoch int64
	err := s.write(ctx, func(w *writer) (err error) {
		epoch, _, err = w.query(sqlNextEpoch).scalar()
		return err
	})
	if err != nil {
		return err
	}
	s.leases.epoch.Store(epoch)
	s.leases.holder = ""
	return nil
}

// Nodes returns the node that holds the shards, if there is one.
func (s *Store) Nodes(context.Context) ([]bellwire.Node, error) {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	if s.leases.holder == "" {
		return nil, nil
	}
	return []bellwire.Node{{Name: s.leases.holder, Shards: bellwire.Shards, Epoch: s.leases.epoch.Load()}}, nil
}

// Watch returns nil at once: there is no other node.
func (s *Store) Watch(context.Context, func(bellwire.Notification)) error { return nil }

// RequestSearch does nothing: there is no other node.
func (s *Store) RequestSearch([]string) {}

// Tell does nothing: there is no other node.
func (s *Store) Tell(context.Context, []byte) error { return nil }
