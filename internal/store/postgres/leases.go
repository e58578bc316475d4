package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// peer is what this process saw of a node: how often that has renewed its leases, and since when it has not.
type peer struct {
	renewals int64
	since    time.Time // when the count was first seen, by this process's monotonic clock
	seen     time.Time // when it was last seen
}

// lockLeases must be held by every transaction that changes leases, so that each sees what the others did.
const lockLeases = "leases"

const (
	sqlNodes  = "SELECT id, incarnation, renewals, leaving FROM bellwire.nodes"
	sqlShards = "SELECT shard, node, giver, epoch FROM bellwire.shards ORDER BY shard"
	sqlRenew  = `INSERT INTO bellwire.nodes (id, incarnation, renewals, locking) VALUES ($1, $2, 1, 2)
		ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, renewals = nodes.renewals + 1,
			leaving = nodes.leaving AND nodes.incarnation = excluded.incarnation`
	sqlForget = "DELETE FROM bellwire.nodes WHERE id = ANY($1)"
	// One that is locked is taken another time: whoever claims from it may have been stopped in the middle, and is not
	// to hold up renewals.
	sqlTakeShards = `UPDATE bellwire.shards SET node = $1, giver = NULL, epoch = epoch + 1
		WHERE shard IN (SELECT shard FROM bellwire.shards WHERE shard = ANY($2) FOR UPDATE SKIP LOCKED) RETURNING shard, epoch`
	sqlLeave      = "UPDATE bellwire.nodes SET leaving = leaving OR $3 WHERE id = $1 AND incarnation = $2"
	sqlGiveShards = "UPDATE bellwire.shards SET node = NULL, giver = node WHERE node = $1 AND shard = ANY($2)"
	sqlForgetOwn  = "DELETE FROM bellwire.nodes WHERE id = $1 AND incarnation = $2"
	sqlAbandon    = `UPDATE bellwire.shards SET node = NULL, giver = node
		WHERE shard IN (SELECT shard FROM bellwire.shards WHERE node = $1 AND shard = ANY($2) FOR UPDATE SKIP LOCKED)`
	sqlReleaseShards = "UPDATE bellwire.shards SET node = NULL, giver = node WHERE node = $1"
)

// RenewLeases keeps what the node holds and takes of what is free up to its share. What a dead node held is free, and
// what this name's process before this one held. Of what is more than its share the node is told, to hand it over.
func (s *Store) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	var leases *bellwire.Leases
	err := s.leasing(ctx, func(tx *tx) error {
		t, err := s.readLeases(tx)
		if err != nil {
			return err
		}
		anew := t.nodes[node].incarnation != s.instance
		if anew && s.known[node] && t.lives(node) {
			return bellwire.Errorf(bellwire.CodeConflict,
				"Another process serves as the node %q and has its shards. Give each node a name of its own with --node.", node)
		}
		if err := tx.exec(sqlRenew, node, s.instance); err != nil {
			return err
		}
		_, replaced := t.nodes[node]
		replaced = replaced && anew
		if anew {
			t.join(node, s.instance)
			s.held = [bellwire.Shards]int64{}
		}
		leases, err = s.share(tx, t, node, anew, replaced)
		return err
	})
	if bellwire.CodeOf(err) == bellwire.CodeConflict {
		s.owned.Store(new(bellwire.Leases))
	}
	if err != nil {
		return nil, err
	}
	s.known[node], s.held = true, leases.Epochs
	s.own(leases)
	return leases, nil
}

// own notes in which shards this process takes care of what is new. The others are told of what it stores for the rest.
func (s *Store) own(leases *bellwire.Leases) {
	owned := *leases
	for _, shard := range leases.Surplus {
		owned.Epochs[shard] = 0
	}
	s.owned.Store(&owned)
}

// leaseTable is who there is and who holds what, as one transaction sees it.
type leaseTable struct {
	nodes  map[string]leaseNode
	dead   []string
	shards [bellwire.Shards]leaseShard
}

type leaseNode struct {
	incarnation [16]byte
	leaving     bool
	held        int
}

type leaseShard struct {
	node  string // empty: nobody's
	epoch int64
	free  bellwire.Takeover // whose it was, and why it is not any more, where it is nobody's
}

func (s *Store) readLeases(tx *tx) (*leaseTable, error) {
	if err := tx.lock(lockLeases); err != nil {
		return nil, err
	}
	t := &leaseTable{nodes: make(map[string]leaseNode)}
	err := tx.each(func(row pgx.Rows) error {
		var (
			id       string
			renewals int64
			n        leaseNode
		)
		err := row.Scan(&id, &n.incarnation, &renewals, &n.leaving)
		t.nodes[id] = n
		if s.standsStill(id, renewals) {
			t.dead = append(t.dead, id)
		}
		return err
	}, sqlNodes)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(s.peers, func(id string, _ *peer) bool { _, known := t.nodes[id]; return !known })
	return t, tx.each(func(row pgx.Rows) error {
		var (
			shard       int
			node, giver *string
			epoch       int64
		)
		if err := row.Scan(&shard, &node, &giver, &epoch); err != nil {
			return err
		}
		t.shards[shard].epoch = epoch
		switch {
		case node == nil && giver == nil:
			t.shards[shard].free.Why = bellwire.TakeoverUnowned
			return nil
		case node == nil:
			t.shards[shard].free = bellwire.Takeover{From: *giver, Why: bellwire.TakeoverHanded}
			return nil
		case !t.lives(*node):
			t.shards[shard].free = bellwire.Takeover{From: *node, Why: bellwire.TakeoverExpired}
			return nil
		}
		t.shards[shard].node = *node
		n := t.nodes[*node]
		n.held++
		t.nodes[*node] = n
		return nil
	}, sqlShards)
}

// standsStill tells whether a node has died: whether its count has stood still for a term, while this process saw it
// again and again. Where it did not look for long, because the database or this process was away, it begins to watch
// anew: the others were away as well.
func (s *Store) standsStill(node string, renewals int64) bool {
	term, now := s.options.LeaseTerm, time.Now()
	p := s.peers[node]
	if p == nil || p.renewals != renewals || now.Sub(p.seen) > term/2 {
		p = &peer{renewals: renewals, since: now}
		s.peers[node] = p
	}
	p.seen = now
	return now.Sub(p.since) > term
}

func (t *leaseTable) lives(node string) bool {
	_, known := t.nodes[node]
	return known && !slices.Contains(t.dead, node)
}

// join makes a process known under a name.
func (t *leaseTable) join(node string, incarnation [16]byte) {
	t.nodes[node] = leaseNode{incarnation: incarnation}
	t.dead = slices.DeleteFunc(t.dead, func(id string) bool { return id == node })
}

// shareOf returns how many shards a node is to have: as many as the others, give or take one. Those who hold most keep
// one more, so that no shard moves without need.
func (t *leaseTable) shareOf(node string) int {
	var staying []string
	for id, n := range t.nodes {
		if t.lives(id) && !n.leaving {
			staying = append(staying, id)
		}
	}
	slices.SortFunc(staying, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.nodes[b].held, t.nodes[a].held), cmp.Compare(a, b))
	})
	place := slices.Index(staying, node)
	if place < 0 {
		return 0
	}
	share := bellwire.Shards / len(staying)
	if place < bellwire.Shards%len(staying) {
		share++
	}
	return share
}

// share decides what the node holds from here on, and takes what it gets. What is the node's in an epoch that this process
// does not know of is free: an earlier process of the name had it, or it was taken by a renewal that got no answer. In that
// epoch it must not be used again, since what was taken in it would never be free.
func (s *Store) share(tx *tx, t *leaseTable, node string, anew, replaced bool) (*bellwire.Leases, error) {
	leases := &bellwire.Leases{Term: s.options.LeaseTerm}
	var mine, free []int
	for shard, held := range t.shards {
		switch {
		case held.node == node && held.epoch == s.held[shard]:
			mine = append(mine, shard)
			leases.Epochs[shard] = held.epoch
		case held.node == node || held.node == "":
			free = append(free, shard)
		}
	}
	share := t.shareOf(node)
	leases.Surplus = mine[min(share, len(mine)):]
	if wanted := free[:min(max(share-len(mine), 0), len(free))]; len(wanted) > 0 {
		if err := t.take(tx, node, wanted, leases); err != nil {
			return nil, err
		}
	}
	if err := t.abandon(tx, node, leases); err != nil {
		return nil, err
	}
	if len(t.dead) > 0 {
		if err := tx.exec(sqlForget, t.dead); err != nil {
			return nil, err
		}
	}
	if !anew && len(t.dead) == 0 {
		return leases, nil
	}
	// The others' shares have changed. What a dead process stored last, it may have told nobody.
	return leases, s.notify(tx, message{Leases: true, Missed: len(t.dead) > 0 || replaced})
}

// abandon gives away what the node has in the table and not in its leases.
func (t *leaseTable) abandon(tx *tx, node string, leases *bellwire.Leases) error {
	var left []int
	for shard, held := range t.shards {
		if held.node == node && leases.Epochs[shard] == 0 {
			left = append(left, shard)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return tx.exec(sqlAbandon, node, left)
}

// take makes free shards the node's, each in a new epoch.
func (t *leaseTable) take(tx *tx, node string, shards []int, leases *bellwire.Leases) error {
	taken := make(map[bellwire.Takeover]int)
	defer func() {
		for of, shards := range taken {
			of.Shards = shards
			leases.Taken = append(leases.Taken, of)
		}
	}()
	return tx.each(func(row pgx.Rows) error {
		var (
			shard int
			epoch int64
		)
		if err := row.Scan(&shard, &epoch); err != nil {
			return err
		}
		leases.Epochs[shard] = epoch
		of := t.shards[shard].free
		if t.shards[shard].node == node {
			of = bellwire.Takeover{From: node, Why: bellwire.TakeoverRestarted}
		}
		taken[of]++
		return nil
	}, sqlTakeShards, node, shards)
}

// HandOver gives shards of the node away, and has others take them at once.
func (s *Store) HandOver(ctx context.Context, node string, shards []int, leaving bool) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	owned := *s.owned.Load()
	owned.Surplus = shards
	s.own(&owned) // before others have them, so that they are told of all that is stored from here on
	for _, shard := range shards {
		s.held[shard] = 0
	}
	return s.leasing(ctx, func(tx *tx) error {
		if err := tx.lock(lockLeases); err != nil {
			return err
		}
		known, err := tx.change(sqlLeave, node, s.instance, leaving)
		if err != nil || known == 0 {
			return err
		}
		if err := tx.exec(sqlGiveShards, node, shards); err != nil {
			return err
		}
		return s.notify(tx, message{Leases: true})
	})
}

// ReleaseLeases gives all shards of the node away and forgets it.
func (s *Store) ReleaseLeases(ctx context.Context, node string) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	err := s.leasing(ctx, func(tx *tx) error {
		if err := tx.lock(lockLeases); err != nil {
			return err
		}
		gone, err := tx.change(sqlForgetOwn, node, s.instance)
		if err != nil || gone == 0 {
			return err
		}
		if err := tx.exec(sqlReleaseShards, node); err != nil {
			return err
		}
		return s.notify(tx, message{Leases: true})
	})
	if err == nil && s.known[node] {
		delete(s.known, node)
		s.owned.Store(new(bellwire.Leases))
	}
	return err
}
