package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlJob = `SELECT j.id, t.id, j.kind, j.state, j.params, j.total, j.done, j.skipped, j.rate, j.waiting, j.error, j.created_at,
			j.updated_at, j.finished_at, j.steps, j.endpoint, j.event, j.bulk, t.deleted_at, j.acted_at
		FROM jobs j CROSS JOIN tenants t ON t.n = j.tenant `
	sqlJobsOfTenant = sqlJob + "WHERE j.tenant = " + theTenant + " AND j.id < ?2 ORDER BY j.id DESC LIMIT +?3"
	sqlJobs         = sqlJob + "WHERE j.id < ? ORDER BY j.id DESC LIMIT +?"
	sqlJobsOfBulk   = sqlJob + "WHERE j.bulk = ?2 AND j.id < ?3 AND (?1 = '' OR j.tenant = " + theTenant + ") ORDER BY j.id DESC LIMIT +?4"
	sqlOpenJobs     = sqlJob + "WHERE j.finished_at IS NULL ORDER BY j.tenant, j.id"
	sqlCountJobs    = "SELECT count(*), coalesce(sum(tenant = ?), 0) FROM jobs WHERE finished_at IS NULL AND bulk IS NULL"
	sqlInsertJob    = `INSERT INTO jobs (id, tenant, kind, state, params, total, done, skipped, rate, waiting, error, created_at, updated_at,
			steps, endpoint, event, bulk)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, '', '', ?, ?, 0, '', zeroblob(16), ?)`
	sqlUpdateJob = `UPDATE jobs SET state = ?, total = ?, done = ?, skipped = ?, rate = ?, waiting = ?, error = ?, updated_at = ?,
			finished_at = ?, steps = ?, endpoint = ?, event = ?, acted_at = ? WHERE id = ?`
	// sqlForgetJobs deletes the oldest of a tenant's ended jobs beyond a number.
	sqlForgetJobs = `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE tenant = ? AND finished_at IS NOT NULL AND bulk IS NULL
		ORDER BY id DESC LIMIT 100 OFFSET ?)`
	sqlPurgeJobs         = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at <= ? LIMIT +?)"
	sqlPurgeJobsOfTenant = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE tenant = ?1 LIMIT +?2)"
)

func scanJob(q *query) (*bellwire.Job, bellwire.JobID, error) {
	j := new(bellwire.Job)
	q.getBytes(j.ID[:])
	j.Tenant, j.Kind, j.State = q.getText(), bellwire.JobKind(q.getText()), bellwire.JobState(q.getText())
	err := codec.DecodeJobParams(q.getText(), j)
	j.Total, j.Done, j.Skipped, j.Rate = int(q.getInt()), int(q.getInt()), int(q.getInt()), q.getFloat()
	j.Waiting, j.Error = q.getText(), q.getText()
	j.CreatedAt, j.UpdatedAt, j.FinishedAt = q.getTime(), q.getTime(), q.getTimeOrZero()
	j.Steps, j.Cursor.Endpoint = int(q.getInt()), q.getText()
	q.getBytes(j.Cursor.Event[:])
	q.getBytes(j.Bulk[:]) // NULL leaves it zero
	j.TenantDeleted, j.ActedAt = q.getTimeOrZero(), q.getTimeOrZero()
	return j, j.ID, err
}

// CreateJob adds a job, unless too many have not ended.
func (s *Store) CreateJob(ctx context.Context, j *bellwire.Job, bounds bellwire.JobBounds) error {
	params, err := codec.JobParams(j)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error {
		tenant, err := w.tenant(j.Tenant)
		if err != nil {
			return err
		}
		if err := w.refuseJob(tenant.n, bounds); err != nil {
			return err
		}
		return w.insertJob(tenant.n, j, params, bounds)
	})
}

// refuseJob refuses a job of the tenant if too many have not ended.
func (w *writer) refuseJob(tenant int64, bounds bellwire.JobBounds) error {
	q := w.query(sqlCountJobs).int(tenant)
	if _, err := q.one(); err != nil {
		return err
	}
	inAll, ofTenant := int(q.getInt()), int(q.getInt())
	if err := q.close(); err != nil {
		return err
	}
	return rules.RefuseJob(bounds, ofTenant, inAll)
}

func (w *writer) insertJob(tenant int64, j *bellwire.Job, params string, bounds bellwire.JobBounds) error {
	if err := w.query(sqlForgetJobs).int(tenant).int(int64(bounds.Kept)).exec(); err != nil {
		return err
	}
	return w.storeJob(tenant, j, params)
}

func (w *writer) storeJob(tenant int64, j *bellwire.Job, params string) error {
	q := w.query(sqlInsertJob).blob(j.ID[:]).int(tenant).text(string(j.Kind)).text(string(j.State)).text(params).
		int(int64(j.Total)).float(j.Rate).time(j.CreatedAt).time(j.CreatedAt)
	if j.Bulk.IsZero() {
		return q.null().exec()
	}
	return q.blob(j.Bulk[:]).exec()
}

// UpdateEndpointWithJob changes an endpoint and adds a job.
func (s *Store) UpdateEndpointWithJob(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote, j *bellwire.Job, bounds bellwire.JobBounds) error {
	params, err := codec.JobParams(j)
	if err != nil {
		return err
	}
	return s.updateEndpoint(ctx, ep, note, companion{
		refuse: func(w *writer, tenant int64) error { return w.refuseJob(tenant, bounds) },
		store:  func(w *writer, tenant int64) error { return w.insertJob(tenant, j, params, bounds) },
	})
}

// job reads a job of any tenant; nil if it is not there.
func (c *db) job(id bellwire.JobID) (*bellwire.Job, error) {
	q := c.query(sqlJob + "WHERE j.id = ?").blob(id[:])
	if found, err := q.one(); !found {
		return nil, err
	}
	j, _, err := scanJob(q)
	return j, firstError(err, q.close())
}

// tenantJob reads a job of the tenant.
func (c *db) tenantJob(tenant string, id bellwire.JobID) (*bellwire.Job, error) {
	j, err := c.job(id)
	if err == nil && (j == nil || j.Tenant != tenant || !j.TenantDeleted.IsZero()) {
		return nil, bellwire.NotFound("job", id.String())
	}
	return j, err
}

// Job finds a job.
func (s *Store) Job(ctx context.Context, tenant string, id bellwire.JobID) (*bellwire.Job, error) {
	var j *bellwire.Job
	err := s.list(ctx, func(c *db) (err error) {
		j, err = c.tenantJob(tenant, id)
		return err
	})
	return j, err
}

// Jobs lists jobs, newest first.
func (s *Store) Jobs(ctx context.Context, f bellwire.JobsFilter, page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanJob, func(id bellwire.JobID) []byte { return id[:] }, rules.SizeOfJob)
	return list.read(ctx, s, func(c *db) *query {
		if !f.Bulk.IsZero() {
			return c.query(sqlJobsOfBulk).text(f.Tenant).blob(f.Bulk[:]).blob(before[:]).int(list.fetch())
		}
		if f.Tenant == "" {
			return c.query(sqlJobs).blob(before[:]).int(list.fetch())
		}
		return c.query(sqlJobsOfTenant).text(f.Tenant).blob(before[:]).int(list.fetch())
	})
}

// ChangeJob changes a job that has not ended.
func (s *Store) ChangeJob(ctx context.Context, tenant string, id bellwire.JobID, c bellwire.JobChange, now time.Time) (*bellwire.Job, error) {
	var j *bellwire.Job
	err := s.write(ctx, func(w *writer) (err error) {
		if j, err = w.tenantJob(tenant, id); err != nil {
			return err
		}
		if err := j.Apply(c, now); err != nil {
			return err
		}
		return w.updateJob(j)
	})
	if err != nil {
		return nil, err
	}
	return j, nil
}

func (w *writer) updateJob(j *bellwire.Job) error {
	err := w.query(sqlUpdateJob).text(string(j.State)).int(int64(j.Total)).int(int64(j.Done)).int(int64(j.Skipped)).float(j.Rate).
		text(j.Waiting).text(j.Error).time(j.UpdatedAt).timeOrNull(j.FinishedAt).int(int64(j.Steps)).text(j.Cursor.Endpoint).
		blob(j.Cursor.Event[:]).timeOrNull(j.ActedAt).blob(j.ID[:]).exec()
	if n := rules.JobNews(j); err == nil && n != nil {
		err = w.announce(n)
	}
	return err
}

// RunningJobs returns the running jobs. One process has all shards, or none.
func (s *Store) RunningJobs(ctx context.Context, leases *bellwire.Leases) ([]*bellwire.Job, error) {
	var jobs []*bellwire.Job
	if leases.Epochs[0] == 0 {
		return nil, nil
	}
	err := s.read(ctx, func(c *db) error {
		jobs = nil
		q := c.query(sqlOpenJobs)
		for q.next() {
			j, _, err := scanJob(q)
			if err != nil {
				return firstError(q.close(), err)
			}
			if j.State == bellwire.JobRunning {
				jobs = append(jobs, j)
			}
		}
		return q.err
	})
	return jobs, err
}

// AdvanceJob makes a step of a job.
func (s *Store) AdvanceJob(ctx context.Context, step *bellwire.JobStep) (*bellwire.JobProgress, error) {
	var progress *bellwire.JobProgress
	err := s.write(ctx, func(w *writer) (err error) {
		progress, err = w.advanceJob(step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return progress, nil
}

func (w *writer) advanceJob(step *bellwire.JobStep) (*bellwire.JobProgress, error) {
	j, err := w.job(step.Job.ID)
	if err != nil {
		return nil, err
	}
	if j == nil || j.State != bellwire.JobRunning || j.Steps != step.Job.Steps {
		return &bellwire.JobProgress{Job: j}, nil
	}
	st := &jobStep{JobStep: step, w: w, job: j}
	if len(step.Items) > 0 {
		if busy, err := st.prepare(); err != nil || busy {
			return &bellwire.JobProgress{Job: j, Busy: true}, err
		}
	}
	for _, item := range step.Items {
		if err := st.act(item); err != nil {
			return nil, err
		}
	}
	j.Advance(step, len(st.acted), len(step.Items)-len(st.acted))
	return &bellwire.JobProgress{Job: j, Made: true, Deliveries: st.acted}, w.updateJob(j)
}

// jobStep is a step that is being made.
type jobStep struct {
	*bellwire.JobStep
	w        *writer
	job      *bellwire.Job
	tenant   int64
	endpoint int64
	ordering bellwire.Ordering
	gone     bool // the endpoint is deleted
	acted    []bellwire.DeliveryID
}

const (
	sqlEndpointOfJob = "SELECT n, tenant, ordering, deleted_at IS NOT NULL FROM endpoints WHERE id = ?"
	sqlEventIsFanned = "SELECT " + isFanningOut + " FROM events e WHERE e.id = ?"
)

// prepare reads what all items have in common, and reports whether deliveries of one of them are still deferred to FanOut.
func (s *jobStep) prepare() (busy bool, err error) {
	q := s.w.query(sqlEndpointOfJob).text(s.Endpoint)
	found, err := q.one()
	if err != nil {
		return false, err
	}
	if !found {
		s.gone = true
		return false, nil
	}
	s.endpoint, s.tenant, s.ordering, s.gone = q.getInt(), q.getInt(), bellwire.Ordering(q.getText()), q.getBool()
	if err := q.close(); err != nil || !s.job.Params.Missing {
		return false, err
	}
	if deferred, err := s.w.deferred(s.tenant); err != nil || deferred == 0 {
		return false, err
	}
	for _, item := range s.Items {
		if item.Delivery.IsZero() {
			fanned, _, err := s.w.query(sqlEventIsFanned).blob(item.Event[:]).scalar()
			if err != nil || fanned != 0 {
				return fanned != 0, err
			}
		}
	}
	return false, nil
}

// act does what the job does to one item, unless there is nothing to do any more.
func (s *jobStep) act(item bellwire.JobItem) error {
	if s.gone && s.job.Kind != bellwire.JobCancel {
		return nil
	}
	if item.Delivery.IsZero() {
		return s.replayMissing(item.Event)
	}
	st, found, err := s.w.state(item.Delivery)
	if err != nil || !found || !s.job.Params.Takes(st.Status) {
		return err
	}
	if !s.job.TakesReplaced() {
		passed, _, err := s.w.query("SELECT passed_over FROM deliveries WHERE id = ?").blob(item.Delivery[:]).scalar()
		if err != nil || passed != 0 {
			return err
		}
	}
	switch s.job.Kind {
	case bellwire.JobCancel:
		s.acted = append(s.acted, item.Delivery)
		return firstError(
			s.w.endOpen(item.Delivery, bellwire.DeliveryCanceled, bellwire.ReasonCanceledOnRequest, s.Now),
			s.w.query("UPDATE deliveries SET job = ? WHERE id = ? AND replay = 0").blob(s.job.ID[:]).blob(item.Delivery[:]).exec(),
		)
	case bellwire.JobRetry:
		if erased, err := s.w.isErased(item.Event); err != nil || erased || !st.CanRestart(s.w.store.leases.epoch.Load(), s.Now) {
			return err
		}
		s.acted = append(s.acted, item.Delivery)
		return s.w.restart(item.Delivery, &st, s.job.ID[:], s.Now)
	}
	made, err := s.replay(item.Event)
	if err != nil || !made {
		return err
	}
	return s.w.query("UPDATE deliveries SET passed_over = 1 WHERE id = ?").blob(item.Delivery[:]).exec()
}

// replayMissing replays an event of which the endpoint has no delivery.
func (s *jobStep) replayMissing(event bellwire.EventID) error {
	has, err := s.w.hasDelivery(s.endpoint, event)
	if err == nil && !has {
		_, err = s.replay(event)
	}
	return err
}

// sqlHasDelivery finds deliveries of an event to an endpoint in the indexes of the endpoint, however many the event has.
var sqlHasDelivery = func() (statements []string) {
	for _, r := range everyStatus {
		statements = append(statements, "SELECT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = ?1 AND "+r+" AND id >= ?2 AND id <= ?3)")
	}
	return statements
}()

const (
	sqlLastNumber = "SELECT max(id) FROM deliveries WHERE id >= ? AND id < ?"
	sqlNumbers    = "SELECT id FROM deliveries WHERE id >= ? AND id < ? ORDER BY id"
	sqlReplay     = "UPDATE deliveries SET reason = ?, job = ?, replay = 1 WHERE id = ?"
)

// replay stores another delivery of an event, if the event is still there.
func (s *jobStep) replay(event bellwire.EventID) (made bool, err error) {
	q := s.w.query("SELECT n, deliveries, deliver_at, expires_at, ordering_key FROM events WHERE id = ? AND tenant = ? AND erased IS NULL").blob(event[:]).int(s.tenant)
	if found, err := q.one(); !found {
		return false, err
	}
	n, deliveries, schedule := q.getInt(), int(q.getInt()), rules.Schedule{DeliverAt: q.getTimeOrZero(), ExpiresAt: q.getTimeOrZero()}
	key := rules.KeyAt(q.getText(), s.ordering, schedule, s.Now)
	if err := q.close(); err != nil || bellwire.Expired(schedule.ExpiresAt, s.Now) {
		return false, err
	}
	number, found, err := s.freeNumber(event, deliveries)
	if err != nil || !found {
		return false, err
	}
	id := bellwire.DeliveryOf(event, number)
	numbered := s.ordering == bellwire.OrderingFIFO && !schedule.DeliverAt.After(s.Now)
	_, _, err = s.w.insertDelivery(&newDelivery{
		id: id, event: n, tenant: s.tenant, endpoint: s.endpoint, ordered: numbered || key != 0, key: key, at: s.Now, schedule: schedule,
	})
	if err != nil {
		return false, err
	}
	s.w.opened++
	s.acted = append(s.acted, id)
	return true, s.w.query(sqlReplay).text(bellwire.ReasonReplayed).blob(s.job.ID[:]).blob(id[:]).exec()
}

func (s *jobStep) freeNumber(event bellwire.EventID, deliveries int) (number int, found bool, err error) {
	first, end := bellwire.DeliveryOf(event, 0), bellwire.DeliveryOf(event, bellwire.MaxDeliveries-max(deliveries, 1))
	last := -1
	q := s.w.query(sqlLastNumber).blob(first[:]).blob(end[:])
	if _, err := q.one(); err != nil {
		return 0, false, err
	}
	if !q.isNull() {
		var id bellwire.DeliveryID
		q.getBytes(id[:])
		last = bellwire.NumberOf(id)
	}
	if err := q.close(); err != nil {
		return 0, false, err
	}
	return rules.FreeNumber(max(deliveries, 1), last, func() ([]int, error) {
		taken, err := ids(s.w.query(sqlNumbers).blob(first[:]).blob(end[:]))
		numbers := make([]int, len(taken))
		for i, id := range taken {
			numbers[i] = bellwire.NumberOf(id)
		}
		return numbers, err
	})
}

const sqlRestart = `UPDATE deliveries SET restarted_at = ?2, job = iif(replay, job, coalesce(?3, job)), sequence = iif(?4 > 0, ?4, sequence),
	ordering_key = ?5, place = ?6 WHERE id = ?1`

// restart begins the schedule of a delivery again. One that has ended and has a number gets the next one of its endpoint, because later
// ones have overtaken it. A job of nil leaves that of the delivery, and a replay keeps its own.
func (w *writer) restart(id bellwire.DeliveryID, st *deliveryRow, job []byte, now time.Time) error {
	ended := !st.Status.Open()
	if ended {
		w.opened++
	}
	again, err := w.positionAgain(st)
	if err != nil {
		return err
	}
	st.Restart(now)
	st.Behind = again.behind
	number := int64(0) // it keeps its own
	if ended {
		if number, _, err = w.query(sqlNextOfDelivery).blob(id[:]).scalar(); err != nil {
			return err
		}
	}
	if err := w.setState(id, &st.DeliveryState, now); err != nil {
		return err
	}
	q := w.query(sqlRestart).blob(id[:]).time(now).blob(job).int(number)
	if again.key == 0 {
		return q.null().null().exec()
	}
	return q.int(again.key).int(again.number).exec()
}

// sqlNextOfDelivery gives the next number of a delivery's endpoint, if the delivery has one.
const sqlNextOfDelivery = `UPDATE endpoints SET sequence = sequence + 1 WHERE n = (SELECT endpoint FROM deliveries WHERE id = ? AND sequence > 0)
	RETURNING sequence`

// RestartDelivery begins the schedule of a delivery again.
func (s *Store) RestartDelivery(ctx context.Context, tenant string, id bellwire.DeliveryID, now time.Time) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(w *writer) (err error) {
		if d, err = w.tenantDelivery(tenant, id); err != nil {
			return err
		}
		if err := w.refuseErased(d.Event); err != nil {
			return err
		}
		st, _, err := w.state(id)
		if err != nil {
			return err
		}
		if !st.CanRestart(s.leases.epoch.Load(), now) {
			return rules.CannotRestart(id, &st.DeliveryState, now)
		}
		if err := w.restart(id, &st, nil, now); err != nil {
			return err
		}
		d, err = w.delivery(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}
