package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
)

// peer is what this process saw of another node: how often that has renewed its leases, and since when it has not.
type peer struct {
	renewals int64
	since    time.Time // when the count was first seen, by this process's monotonic clock
	seen     time.Time // when it was last seen
}

const (
	sqlIncarnation = "SELECT incarnation FROM bellwire.nodes WHERE id = $1"
	sqlRenew       = `INSERT INTO bellwire.nodes (id, incarnation, renewals) VALUES ($1, $2, 1)
		ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, renewals = nodes.renewals + 1`
	sqlNodes         = "SELECT id, renewals FROM bellwire.nodes ORDER BY id"
	sqlForget        = "DELETE FROM bellwire.nodes WHERE id = ANY($1)"
	sqlShards        = "SELECT shard, node, epoch FROM bellwire.shards ORDER BY shard FOR UPDATE"
	sqlOwn           = "UPDATE bellwire.shards SET node = $1, epoch = epoch + 1 WHERE shard = ANY($2)"
	sqlGiveUp        = "UPDATE bellwire.shards SET node = NULL WHERE shard = ANY($1)"
	sqlReleaseShards = "UPDATE bellwire.shards SET node = NULL WHERE node = $1"
)

// RenewLeases keeps what the node holds, gives up what is more than its share, and takes of what is free up to its
// share. What a dead node held is free, and what this name's process before this one held. A process that another of
// the same name has taken the place of gets nothing.
func (s *Store) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	leases := &bellwire.Leases{Term: s.options.LeaseTerm}
	replaced := false
	err := s.write(ctx, func(tx *tx) error {
		leases.Epochs = [bellwire.Shards]int64{}
		if err := tx.exec("SELECT pg_advisory_xact_lock($1)", int64(lockLeases)); err != nil {
			return err
		}
		var incarnation [16]byte
		registered, err := found(tx.row(sqlIncarnation, node), &incarnation)
		if err != nil {
			return err
		}
		anew := !registered || incarnation != s.incarnation
		if replaced = anew && registered && s.known[node]; replaced {
			return nil
		}
		if err := tx.exec(sqlRenew, node, s.incarnation); err != nil {
			return err
		}
		return s.share(tx, node, anew, leases)
	})
	if err != nil {
		return nil, err
	}
	s.known[node] = true
	s.owned.Store(leases)
	return leases, nil
}

// share changes who holds which shards. anew: what the node seems to hold was held by a process before this one.
func (s *Store) share(tx *tx, node string, anew bool, leases *bellwire.Leases) error {
	living, dead, err := s.observe(tx, node)
	if err != nil {
		return err
	}
	var mine, free []int16
	epochs := make(map[int16]int64)
	err = tx.each(func(row pgx.Rows) error {
		var (
			shard int16
			owner *string
			epoch int64
		)
		if err := row.Scan(&shard, &owner, &epoch); err != nil {
			return err
		}
		epochs[shard] = epoch
		switch {
		case owner != nil && *owner == node && !anew:
			mine = append(mine, shard)
		case owner == nil || *owner == node || !slices.Contains(living, *owner):
			free = append(free, shard)
		}
		return nil
	}, sqlShards)
	if err != nil {
		return err
	}
	wanted := shareOf(node, living)
	if given := mine[min(wanted, len(mine)):]; len(given) > 0 {
		if err := tx.exec(sqlGiveUp, given); err != nil {
			return err
		}
		mine = mine[:wanted]
	}
	if taken := free[:min(wanted-len(mine), len(free))]; len(taken) > 0 {
		if err := tx.exec(sqlOwn, node, taken); err != nil {
			return err
		}
		for _, shard := range taken {
			epochs[shard]++
		}
		mine = append(mine, taken...)
	}
	for _, shard := range mine {
		leases.Epochs[shard] = epochs[shard]
	}
	if len(dead) == 0 {
		return nil
	}
	return tx.exec(sqlForget, dead)
}

// shareOf returns how many shards are a node's share.
func shareOf(node string, living []string) int {
	share := bellwire.Shards / len(living)
	if slices.Index(living, node) < bellwire.Shards%len(living) {
		share++
	}
	return share
}

// observe tells which nodes live, this one among them, and which have died: those whose count has stood still for a
// term, while this process saw it again and again. Where it did not look for long, because the database or this
// process was away, it begins to watch anew: the others were away as well.
func (s *Store) observe(tx *tx, node string) (living, dead []string, err error) {
	term, now := s.options.LeaseTerm, time.Now()
	err = tx.each(func(row pgx.Rows) error {
		var (
			id       string
			renewals int64
		)
		if err := row.Scan(&id, &renewals); err != nil {
			return err
		}
		p := s.peers[id]
		if p == nil || p.renewals != renewals || now.Sub(p.seen) > term/2 {
			p = &peer{renewals: renewals, since: now}
			s.peers[id] = p
		}
		p.seen = now
		if id == node || now.Sub(p.since) <= term {
			living = append(living, id)
		} else {
			dead = append(dead, id)
		}
		return nil
	}, sqlNodes)
	return living, dead, err
}

// ReleaseLeases gives all shards of the node away.
func (s *Store) ReleaseLeases(ctx context.Context, node string) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	err := s.write(ctx, func(tx *tx) error {
		if err := tx.exec("SELECT pg_advisory_xact_lock($1)", int64(lockLeases)); err != nil {
			return err
		}
		gone, err := tx.change("DELETE FROM bellwire.nodes WHERE id = $1 AND incarnation = $2", node, s.incarnation)
		if err != nil || gone == 0 {
			return err
		}
		return tx.exec(sqlReleaseShards, node)
	})
	if err == nil && s.known[node] {
		delete(s.known, node)
		s.owned.Store(new(bellwire.Leases))
	}
	return err
}
