package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	// sqlTenantsWith says of the next tenants whether they have a delivery between two ids with one of the statuses that are not 0.
	sqlTenantsWith = `SELECT t.id, EXISTS (SELECT FROM unnest($5::smallint[]) s (status)
			CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE tenant = t.n AND status = s.status AND id >= $3 AND id < $4 LIMIT 1) d
			WHERE s.status > 0)
		FROM (SELECT n, id FROM bellwire.tenants WHERE id > $1 AND deleted_at IS NULL AND NOT paused ORDER BY id LIMIT $2) t ORDER BY t.id`
	sqlCountBulkJobs = "SELECT count(*) FROM bellwire.jobs WHERE finished_at IS NULL AND bulk IS NOT NULL"
	sqlNextBulk      = "SELECT bulk FROM bellwire.jobs WHERE bulk < $1 ORDER BY bulk DESC LIMIT 1"
	sqlFirstOfBulk   = sqlJob + "WHERE j.bulk = $1 ORDER BY j.id LIMIT 1"
	sqlSumOfBulk     = `SELECT count(*), count(*) FILTER (WHERE finished_at IS NULL), count(*) FILTER (WHERE state = 'paused'),
			count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'canceled'),
			count(*) FILTER (WHERE waiting <> '' AND finished_at IS NULL), sum(total)::bigint, sum(done)::bigint, sum(skipped)::bigint,
			max(updated_at), max(finished_at)
		FROM bellwire.jobs WHERE bulk = $1`
	sqlOpenOfBulk = sqlJob + `WHERE j.bulk = $1 AND j.finished_at IS NULL AND ($2 <> '' AND j.state <> $2 OR $3 >= 0 AND j.rate <> $3)
		ORDER BY j.id LIMIT $4 FOR UPDATE OF j`
	// sqlInsertBulk adds the jobs of those tenants that still exist.
	sqlInsertBulk = `INSERT INTO bellwire.jobs (id, tenant, kind, state, params, total, done, skipped, rate, waiting, error, created_at,
			updated_at, steps, endpoint, event, bulk)
		SELECT w.id, t.n, $4, $5, $6, w.total, 0, 0, $7, '', '', $8, $8, 0, '', '00000000-0000-0000-0000-000000000000', $9
		FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (id, tenant, total)
		JOIN bellwire.tenants t ON t.id = w.tenant AND t.deleted_at IS NULL`
)

// TenantsWith returns the next tenants for which a bulk job may have something to do.
func (s *Store) TenantsWith(ctx context.Context, p *bellwire.JobParams, after string, limit int) (tenants []string, next string, err error) {
	first, end := bellwire.FirstID[bellwire.DeliveryKind](p.Since), bellwire.FirstID[bellwire.DeliveryKind](p.Until)
	statuses := codec.BulkStatuses(p)
	err = s.list(ctx, func(tx *tx) error {
		tenants, next = nil, ""
		var (
			id       string
			has      bool
			examined int
		)
		_, err := pgx.ForEachRow(tx.query(sqlTenantsWith, after, limit, [16]byte(first), [16]byte(end), statuses[:]), []any{&id, &has}, func() error {
			if examined++; has || p.Missing {
				tenants = append(tenants, id)
			}
			return nil
		})
		if examined == limit {
			next = id
		}
		return err
	})
	return tenants, next, err
}

// CreateBulkJob adds the jobs of a bulk job.
func (s *Store) CreateBulkJob(ctx context.Context, jobs []*bellwire.Job, most int) error {
	if len(jobs) == 0 {
		return nil
	}
	first := jobs[0]
	params, err := codec.JobParams(first)
	if err != nil {
		return err
	}
	ids, tenants, totals := make([][16]byte, len(jobs)), make([]string, len(jobs)), make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i], tenants[i], totals[i] = j.ID, j.Tenant, int64(j.Total)
	}
	return s.write(ctx, func(tx *tx) error {
		if err := tx.lock(lockJobs); err != nil {
			return err
		}
		var open int
		if err := tx.row(sqlCountBulkJobs).Scan(&open); err != nil {
			return err
		}
		if err := rules.RefuseBulkJob(open, len(jobs), most); err != nil {
			return err
		}
		return tx.exec(sqlInsertBulk, ids, tenants, totals, string(first.Kind), string(first.State), params, first.Rate, first.CreatedAt, [16]byte(first.Bulk))
	})
}

// BulkJob finds a bulk job.
func (s *Store) BulkJob(ctx context.Context, id bellwire.JobID) (*bellwire.BulkJob, error) {
	var b *bellwire.BulkJob
	err := s.list(ctx, func(tx *tx) (err error) {
		b, err = tx.bulkJob(id)
		return err
	})
	return b, err
}

// bulkJob reads a bulk job.
func (t *tx) bulkJob(id bellwire.JobID) (*bellwire.BulkJob, error) {
	first, _, err := scanJob(t.row(sqlFirstOfBulk, [16]byte(id)))
	if err != nil {
		return nil, orNotFound(err, "bulk job", id.String())
	}
	b := &bellwire.BulkJob{ID: id, Kind: first.Kind, Params: first.Params, Rate: first.Rate, CreatedAt: first.CreatedAt}
	var finished *time.Time
	err = t.row(sqlSumOfBulk, [16]byte(id)).Scan(&b.Tenants, &b.Open, &b.Paused, &b.Failed, &b.Canceled, &b.Waiting, &b.Total, &b.Done,
		&b.Skipped, &b.UpdatedAt, &finished)
	b.FinishedAt = orZero(finished)
	return b, err
}

// BulkJobs lists bulk jobs, newest first.
func (s *Store) BulkJobs(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	var list *bellwire.List[*bellwire.BulkJob]
	err = s.list(ctx, func(tx *tx) (err error) {
		list, err = rules.BulkJobs(page, before, tx.nextBulk, tx.bulkJob)
		return err
	})
	return list, err
}

// nextBulk returns the id of the newest bulk job before another one.
func (t *tx) nextBulk(before [16]byte) (id [16]byte, found bool, err error) {
	err = t.row(sqlNextBulk, before).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, false, nil
	}
	return id, err == nil, err
}

// ChangeBulkJob changes up to limit jobs of a bulk job that have not ended.
func (s *Store) ChangeBulkJob(ctx context.Context, id bellwire.JobID, c bellwire.JobChange, now time.Time, limit int) (changed int, err error) {
	err = s.write(ctx, func(tx *tx) error {
		open, err := pgx.CollectRows(tx.query(sqlOpenOfBulk, [16]byte(id), string(c.State), rules.RateOf(c), limit), func(row pgx.CollectableRow) (*bellwire.Job, error) {
			j, _, err := scanJob(row)
			return j, err
		})
		if err != nil {
			return err
		}
		for _, j := range open {
			if err := j.Apply(c, now); err != nil {
				return err
			}
			if err := tx.updateJob(j); err != nil {
				return err
			}
		}
		changed = len(open)
		return nil
	})
	return changed, err
}
