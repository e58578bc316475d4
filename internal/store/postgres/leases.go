package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/postgres/lease"
)

// lockLeases is the lock that every transaction must hold to change leases, so that it sees what the others did.
const lockLeases = "leases"

const (
	sqlNodes  = "SELECT id, incarnation, renewals, leaving, address FROM bellwire.nodes"
	sqlShards = "SELECT shard, coalesce(node, ''), coalesce(giver, ''), epoch FROM bellwire.shards ORDER BY shard"
	sqlRenew  = `INSERT INTO bellwire.nodes (id, incarnation, renewals, locking, version, started_at, address, dialect_files, migrations, migrations_of)
		VALUES ($1, $2, 1, 2, nullif($3, ''), $4, $5, $6, $7, $2)
		ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, renewals = nodes.renewals + 1, version = excluded.version,
			started_at = excluded.started_at, address = excluded.address, dialect_files = excluded.dialect_files,
			migrations = excluded.migrations, migrations_of = excluded.migrations_of, leaving = nodes.leaving AND nodes.incarnation = excluded.incarnation`
	sqlMembers = `SELECT n.id, n.renewals, n.leaving, count(s.shard), coalesce(max(s.epoch), 0), coalesce(n.version, ''), n.started_at, n.dialect_files
		FROM bellwire.nodes n LEFT JOIN bellwire.shards s ON s.node = n.id GROUP BY n.id ORDER BY n.id LIMIT $1`
	sqlForget = "DELETE FROM bellwire.nodes WHERE id = ANY($1)"
	// A locked row is skipped and taken by a later renewal: the claim that locks it may belong to a node that was stopped
	// in the middle, and must not delay renewals.
	sqlTakeShards = `UPDATE bellwire.shards SET node = $1, giver = NULL, epoch = epoch + 1
		WHERE shard IN (SELECT shard FROM bellwire.shards WHERE shard = ANY($2) FOR UPDATE SKIP LOCKED) RETURNING shard, epoch`
	sqlGiveUnlocked = `UPDATE bellwire.shards SET node = NULL, giver = node
		WHERE shard IN (SELECT shard FROM bellwire.shards WHERE node = $1 AND shard = ANY($2) FOR UPDATE SKIP LOCKED)`
	sqlLeave      = "UPDATE bellwire.nodes SET leaving = leaving OR $3 WHERE id = $1 AND incarnation = $2"
	sqlGiveShards = "UPDATE bellwire.shards SET node = NULL, giver = node WHERE node = $1 AND shard = ANY($2)"
	sqlForgetOwn  = "DELETE FROM bellwire.nodes WHERE id = $1 AND incarnation = $2"
	sqlGiveAll    = "UPDATE bellwire.shards SET node = NULL, giver = node WHERE node = $1"
)

// RenewLeases renews the node's leases as lease.Table.Plan decides: the node keeps its shards, takes free ones up to its
// share, and learns which ones it must hand over. A build that is too old for the schema, because the node was taken for dead when
// that was changed, renews nothing, and so sends nothing.
func (s *Store) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	var leases *bellwire.Leases
	err := s.leasing(ctx, func(tx *tx) error {
		if err := tx.lock(lockLeases); err != nil {
			return err
		}
		if err := tx.usable(s.location); err != nil {
			return err
		}
		table, err := s.readLeases(tx)
		if err != nil {
			return err
		}
		plan := table.Plan(lease.Node{Name: node, Instance: s.instance, Held: s.held})
		if plan.Replaces && s.known[node] && table.Lives(node) {
			return bellwire.Errorf(bellwire.CodeConflict,
				"another process serves as the node %q and has its shards; give each node a name of its own with --node", node)
		}
		leases, err = s.renew(tx, node, table, plan)
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

// own sets the shards whose new deliveries this process claims. It notifies the owners of all others of what it stores.
func (s *Store) own(leases *bellwire.Leases) {
	owned := *leases
	for _, shard := range leases.ToRelease {
		owned.Epochs[shard] = 0
	}
	s.owned.Store(&owned)
}

// SetAddress sets where this process takes forwarded deliveries; other nodes learn it with the next renewal of its leases.
func (s *Store) SetAddress(address string) { s.address.Store(&address) }

// readLeases reads the nodes and the owners of the shards.
func (s *Store) readLeases(tx *tx) (*lease.Table, error) {
	table := &lease.Table{Nodes: make(map[string]lease.NodeState)}
	var (
		id       string
		n        lease.NodeState
		renewals int64
	)
	now := time.Now()
	_, err := pgx.ForEachRow(tx.query(sqlNodes), []any{&id, &n.Instance, &renewals, &n.Leaving, &n.Address}, func() error {
		n.Dead = s.peers.Observe(id, renewals, now, s.options.LeaseTerm)
		table.Nodes[id] = n
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.peers.Retain(table)
	var (
		shard int
		row   lease.Shard
	)
	_, err = pgx.ForEachRow(tx.query(sqlShards), []any{&shard, &row.Owner, &row.Giver, &row.Epoch}, func() error {
		table.Shards[shard] = row
		return nil
	})
	return table, err
}

// renew carries a plan out.
func (s *Store) renew(tx *tx, node string, table *lease.Table, plan lease.Plan) (*bellwire.Leases, error) {
	if err := tx.exec(sqlRenew, node, s.instance, s.options.Version, orNull(s.options.StartedAt), *s.address.Load(), s.options.DialectFiles, len(migrationFiles())); err != nil {
		return nil, err
	}
	leases := &bellwire.Leases{
		Nodes: plan.Nodes, Instance: s.instance, Peers: table.Peers(node), Term: s.options.LeaseTerm, Epochs: plan.Keep, ToRelease: plan.Surplus,
	}
	if err := takeShards(tx, node, table, plan.Take, leases); err != nil {
		return nil, err
	}
	if len(plan.Give) > 0 {
		if err := tx.exec(sqlGiveUnlocked, node, plan.Give); err != nil {
			return nil, err
		}
	}
	if len(plan.Forget) > 0 {
		if err := tx.exec(sqlForget, plan.Forget); err != nil {
			return nil, err
		}
	}
	died := len(plan.Forget) > 0 || plan.Replaces
	if !plan.Joins && !died {
		return leases, nil
	}
	// The others' shares have changed. A process that died may have stored something without notifying anybody.
	return leases, s.notify(tx, message{Leases: true, Missed: died})
}

// takeShards takes free shards, each in a new epoch, and adds them to the leases.
func takeShards(tx *tx, node string, table *lease.Table, shards []int, leases *bellwire.Leases) error {
	if len(shards) == 0 {
		return nil
	}
	taken := make(map[bellwire.Takeover]int)
	var (
		shard int
		epoch int64
	)
	_, err := pgx.ForEachRow(tx.query(sqlTakeShards, node, shards), []any{&shard, &epoch}, func() error {
		leases.Epochs[shard] = epoch
		taken[table.Origin(shard, node)]++
		return nil
	})
	for origin, count := range taken {
		origin.Shards = count
		leases.Acquired = append(leases.Acquired, origin)
	}
	return err
}

// HandOver gives shards of the node away, so that others take them at once.
func (s *Store) HandOver(ctx context.Context, node string, shards []int, leaving bool) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	owned := *s.owned.Load()
	owned.ToRelease = shards
	s.own(&owned) // before others own them, so that they are notified of whatever is stored from now on
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

// ReleaseLeases gives all shards of the node away and removes the node.
func (s *Store) ReleaseLeases(ctx context.Context, node string) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	err := s.leasing(ctx, func(tx *tx) error {
		if err := tx.lock(lockLeases); err != nil {
			return err
		}
		removed, err := tx.change(sqlForgetOwn, node, s.instance)
		if err != nil || removed == 0 {
			return err
		}
		if err := tx.exec(sqlGiveAll, node); err != nil {
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

// maxNodes is the maximum number of nodes that Nodes returns. Each live one owns a shard, except for a moment.
const maxNodes = 2 * bellwire.Shards

// Nodes returns the nodes of the database. Their ages are those that this process has observed.
func (s *Store) Nodes(ctx context.Context) ([]bellwire.Node, error) {
	var nodes []bellwire.Node
	err := s.list(ctx, func(tx *tx) error {
		nodes = nil
		n := bellwire.Node{Term: s.options.LeaseTerm}
		var (
			renewals int64
			started  *time.Time
		)
		into := []any{&n.Name, &renewals, &n.Leaving, &n.Shards, &n.Epoch, &n.Version, &started, &n.DialectFiles}
		_, err := pgx.ForEachRow(tx.query(sqlMembers, maxNodes), into, func() error {
			n.StartedAt = orZero(started)
			n.Age = s.peers.Age(n.Name, renewals, time.Now())
			nodes = append(nodes, n)
			return nil
		})
		return err
	})
	return nodes, err
}
