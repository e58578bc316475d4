package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// member is a node whose build cannot run on the schema that this build makes.
type member struct {
	name     string
	renewals int64
	version  string
}

// sqlOutdated returns the nodes whose builds contain fewer than $1 migrations. Of a build that does not say how many it contains, it is
// known that it runs on what has run, $2, and has at most 46. The row is read as JSON, because older schemas lack some columns.
const sqlOutdated = `SELECT id, renewals, coalesce(said->>'version', 'unknown') FROM bellwire.nodes, to_jsonb(nodes) said
	WHERE coalesce(CASE WHEN said->>'migrations_of' = said->>'incarnation' THEN (said->>'migrations')::int END, least($2, 46)) < $1 ORDER BY id`

// outdated reads the nodes that sqlOutdated returns, alive or not.
func outdated(rows pgx.Rows) (members []member, err error) {
	var m member
	_, err = pgx.ForEachRow(rows, []any{&m.name, &m.renewals, &m.version}, func() error {
		members = append(members, m)
		return nil
	})
	return members, err
}

// memberWatch observes nodes until it is known whether they live.
type memberWatch struct {
	store *Store
	first map[string]int64 // their renewals when they were first seen
}

// living returns those of the nodes that are not known to be dead. Its error has CodeConflict if one of them is known to live.
func (w *memberWatch) living(members []member) (alive []member, err error) {
	for _, m := range members {
		first, seen := w.first[m.name]
		if !seen {
			w.first[m.name] = m.renewals
		}
		dead := w.store.peers.Observe(m.name, m.renewals, time.Now(), w.store.options.LeaseTerm)
		if seen && m.renewals != first {
			return nil, w.store.outrun(m)
		}
		if !dead {
			alive = append(alive, m)
		}
	}
	return alive, nil
}

// outrun is the error of a start whose migrations would remove what a living node uses.
func (s *Store) outrun(m member) error {
	return &bellwire.Error{
		Code: bellwire.CodeConflict,
		Message: fmt.Sprintf("the schema of the database %s cannot be changed: the node %q (version %s) runs, and this version of Bellwire removes what that one uses",
			s.location, m.name, m.version),
		Hint: "Upgrade one release at a time: give all nodes the release before this one first (docs/upgrade.md).",
	}
}

// wait waits for a part of a lease's term.
func (w *memberWatch) wait(ctx context.Context) error {
	if !sleep(ctx, w.store.options.LeaseTerm/8) {
		return w.store.translate(ctx.Err())
	}
	return nil
}
