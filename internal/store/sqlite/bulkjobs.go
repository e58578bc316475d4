package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	// sqlTenantsWith says of the next tenants whether they have a delivery between two ids with one of the statuses that are not 0.
	sqlTenantsWith = `SELECT id, EXISTS (SELECT 1 FROM deliveries WHERE tenant = t.n AND status > 0 AND status = ?5 AND id >= ?3 AND id < ?4)
			OR EXISTS (SELECT 1 FROM deliveries WHERE tenant = t.n AND status > 0 AND status = ?6 AND id >= ?3 AND id < ?4)
			OR EXISTS (SELECT 1 FROM deliveries WHERE tenant = t.n AND status > 0 AND status = ?7 AND id >= ?3 AND id < ?4)
		FROM tenants t WHERE id > ?1 AND deleted_at IS NULL AND paused = 0 ORDER BY id LIMIT +?2`
	sqlCountBulkJobs = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND bulk IS NOT NULL"
	sqlNextBulk      = "SELECT max(bulk) FROM jobs WHERE bulk < ?"
	sqlFirstOfBulk   = sqlJob + "WHERE j.bulk = ? ORDER BY j.id LIMIT 1"
	sqlSumOfBulk     = `SELECT count(*), sum(finished_at IS NULL), sum(state = 'paused'), sum(state = 'failed'), sum(state = 'canceled'),
			sum(waiting <> '' AND finished_at IS NULL), sum(total), sum(done), sum(skipped), max(updated_at), max(finished_at) FROM jobs WHERE bulk = ?`
	sqlOpenOfBulk = sqlJob + `WHERE j.bulk = ?1 AND j.finished_at IS NULL AND (?2 <> '' AND j.state <> ?2 OR ?3 >= 0 AND j.rate <> ?3)
		ORDER BY j.id LIMIT +?4`
)

// TenantsWith returns the next tenants for which a bulk job may have something to do.
func (s *Store) TenantsWith(ctx context.Context, p *bellwire.JobParams, after string, limit int) (tenants []string, next string, err error) {
	first, end := bellwire.FirstID[bellwire.DeliveryKind](p.Since), bellwire.FirstID[bellwire.DeliveryKind](p.Until)
	statuses := codec.BulkStatuses(p)
	err = s.list(ctx, func(c *db) error {
		tenants, next = nil, ""
		q := c.query(sqlTenantsWith).text(after).int(int64(limit)).blob(first[:]).blob(end[:])
		for _, status := range statuses {
			q.int(int64(status))
		}
		examined, last := 0, ""
		for ; q.next(); examined++ {
			last = q.getText()
			if has := q.getBool(); has || p.Missing {
				tenants = append(tenants, last)
			}
		}
		if examined == limit {
			next = last
		}
		return q.err
	})
	return tenants, next, err
}

// CreateBulkJob adds the jobs of a bulk job.
func (s *Store) CreateBulkJob(ctx context.Context, jobs []*bellwire.Job, most int) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]string, len(jobs))
	for i, j := range jobs {
		var err error
		if params[i], err = codec.JobParams(j); err != nil {
			return err
		}
	}
	return s.write(ctx, func(w *writer) error {
		open, _, err := w.query(sqlCountBulkJobs).scalar()
		if err != nil {
			return err
		}
		if err := rules.RefuseBulkJob(int(open), len(jobs), most); err != nil {
			return err
		}
		for i, j := range jobs {
			tenant, err := w.tenant(j.Tenant)
			if bellwire.CodeOf(err) == bellwire.CodeNotFound {
				continue // it was deleted meanwhile
			}
			if err != nil {
				return err
			}
			if err := w.storeJob(tenant.n, j, params[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// BulkJob finds a bulk job.
func (s *Store) BulkJob(ctx context.Context, id bellwire.JobID) (*bellwire.BulkJob, error) {
	var b *bellwire.BulkJob
	err := s.list(ctx, snapshot(func(c *db) (err error) {
		b, err = c.bulkJob(id)
		return err
	}))
	return b, err
}

// bulkJob reads a bulk job.
func (c *db) bulkJob(id bellwire.JobID) (*bellwire.BulkJob, error) {
	q := c.query(sqlFirstOfBulk).blob(id[:])
	found, err := q.one()
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, bellwire.NotFound("bulk job", id.String())
	}
	first, _, err := scanJob(q)
	if err := firstError(err, q.close()); err != nil {
		return nil, err
	}
	b := &bellwire.BulkJob{ID: id, Kind: first.Kind, Params: first.Params, Rate: first.Rate, CreatedAt: first.CreatedAt}
	q = c.query(sqlSumOfBulk).blob(id[:])
	if _, err := q.one(); err != nil {
		return nil, err
	}
	for _, n := range []*int{&b.Tenants, &b.Open, &b.Paused, &b.Failed, &b.Canceled, &b.Waiting, &b.Total, &b.Done, &b.Skipped} {
		*n = int(q.getInt())
	}
	b.UpdatedAt, b.FinishedAt = q.getTime(), q.getTimeOrZero()
	return b, q.close()
}

// BulkJobs lists bulk jobs, newest first.
func (s *Store) BulkJobs(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	var list *bellwire.List[*bellwire.BulkJob]
	err = s.list(ctx, snapshot(func(c *db) (err error) {
		list, err = rules.BulkJobs(page, before, c.nextBulk, c.bulkJob)
		return err
	}))
	return list, err
}

// nextBulk returns the id of the newest bulk job before another one.
func (c *db) nextBulk(before [16]byte) (id [16]byte, found bool, err error) {
	q := c.query(sqlNextBulk).blob(before[:])
	if _, err := q.one(); err != nil {
		return id, false, err
	}
	if found = !q.isNull(); found {
		q.getBytes(id[:])
	}
	return id, found, q.close()
}

// ChangeBulkJob changes up to limit jobs of a bulk job that have not ended.
func (s *Store) ChangeBulkJob(ctx context.Context, id bellwire.JobID, c bellwire.JobChange, now time.Time, limit int) (changed int, err error) {
	err = s.write(ctx, func(w *writer) error {
		changed = 0
		var open []*bellwire.Job
		q := w.query(sqlOpenOfBulk).blob(id[:]).text(string(c.State)).float(rules.RateOf(c)).int(int64(limit))
		for q.next() {
			j, _, err := scanJob(q)
			if err != nil {
				return firstError(err, q.close())
			}
			open = append(open, j)
		}
		if q.err != nil {
			return q.err
		}
		for _, j := range open {
			if err := j.Apply(c, now); err != nil {
				return err
			}
			if err := w.updateJob(j); err != nil {
				return err
			}
		}
		changed = len(open)
		return nil
	})
	return changed, err
}
