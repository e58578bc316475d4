package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlJob = `SELECT j.id, t.id, j.kind, j.state, j.params, j.total, j.done, j.skipped, j.rate, j.waiting, j.error, j.created_at,
			j.updated_at, j.finished_at, j.steps, j.endpoint, j.event, j.bulk, t.deleted_at, j.acted_at
		FROM bellwire.jobs j JOIN bellwire.tenants t ON t.n = j.tenant `
	sqlJobByID      = sqlJob + "WHERE j.id = $1"
	sqlJobToChange  = sqlJobByID + " FOR UPDATE OF j"
	sqlJobsOfTenant = sqlJob + "WHERE j.tenant = " + theTenant + " AND j.id < $2 ORDER BY j.id DESC LIMIT $3"
	sqlJobs         = sqlJob + "WHERE j.id < $1 ORDER BY j.id DESC LIMIT $2"
	sqlJobsOfBulk   = sqlJob + "WHERE j.bulk = $2 AND j.id < $3 AND ($1 = '' OR j.tenant = " + theTenant + ") ORDER BY j.id DESC LIMIT $4"
	// The tenant's shard owns the job, as it owns what is deferred to FanOut.
	sqlRunningJobs = sqlJob + "WHERE j.finished_at IS NULL AND j.state = 'running' AND ($1::bigint[])[j.tenant % 256 + 1] > 0 ORDER BY j.tenant, j.id"
	sqlCountJobs   = "SELECT count(*), count(*) FILTER (WHERE tenant = $1) FROM bellwire.jobs WHERE finished_at IS NULL AND bulk IS NULL"
	sqlInsertJob   = `INSERT INTO bellwire.jobs (id, tenant, kind, state, params, total, done, skipped, rate, waiting, error, created_at,
			updated_at, steps, endpoint, event)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, '', '', $8, $8, 0, '', '00000000-0000-0000-0000-000000000000')`
	sqlUpdateJob = `UPDATE bellwire.jobs SET state = $2, total = $3, done = $4, skipped = $5, rate = $6, waiting = $7, error = $8, updated_at = $9,
			finished_at = $10, steps = $11, endpoint = $12, event = $13, acted_at = $14 WHERE id = $1`
	// sqlForgetJobs deletes the oldest of a tenant's ended jobs beyond a number.
	sqlForgetJobs = `DELETE FROM bellwire.jobs WHERE id IN (SELECT id FROM bellwire.jobs WHERE tenant = $1 AND finished_at IS NOT NULL AND bulk IS NULL
		ORDER BY id DESC LIMIT 100 OFFSET $2)`
	sqlPurgeJobs = `DELETE FROM bellwire.jobs WHERE id IN (SELECT id FROM bellwire.jobs WHERE finished_at <= $1 LIMIT $2)`
)

// lockJobs is the lock that a transaction must hold to create a job, so that their number is exact.
const lockJobs = "jobs"

func scanJob(row pgx.Row) (*bellwire.Job, bellwire.JobID, error) {
	var (
		j                        bellwire.Job
		params                   string
		bulk                     *[16]byte
		finished, deleted, acted *time.Time
	)
	err := row.Scan((*[16]byte)(&j.ID), &j.Tenant, &j.Kind, &j.State, &params, &j.Total, &j.Done, &j.Skipped, &j.Rate, &j.Waiting, &j.Error,
		&j.CreatedAt, &j.UpdatedAt, &finished, &j.Steps, &j.Cursor.Endpoint, (*[16]byte)(&j.Cursor.Event), &bulk, &deleted, &acted)
	if err != nil {
		return nil, j.ID, err
	}
	j.FinishedAt, j.TenantDeleted, j.ActedAt = orZero(finished), orZero(deleted), orZero(acted)
	if bulk != nil {
		j.Bulk = *bulk
	}
	return &j, j.ID, codec.DecodeJobParams(params, &j)
}

// CreateJob adds a job, unless too many have not ended.
func (s *Store) CreateJob(ctx context.Context, j *bellwire.Job, bounds bellwire.JobBounds) error {
	params, err := codec.JobParams(j)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) error { return tx.createJob(j, params, bounds) })
}

func (t *tx) createJob(j *bellwire.Job, params string, bounds bellwire.JobBounds) error {
	if err := t.lock(lockJobs); err != nil {
		return err
	}
	var tenant int64
	err := t.row("SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL FOR SHARE", j.Tenant).Scan(&tenant)
	if err != nil {
		return orNotFound(err, "tenant", j.Tenant)
	}
	var inAll, ofTenant int
	if err := t.row(sqlCountJobs, tenant).Scan(&inAll, &ofTenant); err != nil {
		return err
	}
	if err := rules.RefuseJob(bounds, ofTenant, inAll); err != nil {
		return err
	}
	if err := t.exec(sqlForgetJobs, tenant, bounds.Kept); err != nil {
		return err
	}
	return t.exec(sqlInsertJob, [16]byte(j.ID), tenant, string(j.Kind), string(j.State), params, j.Total, j.Rate, j.CreatedAt)
}

// UpdateEndpointWithJob changes an endpoint and adds a job. It takes the lock on jobs before the one on the tenant, as CreateJob
// does, so that the two cannot wait for each other.
func (s *Store) UpdateEndpointWithJob(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote, j *bellwire.Job, bounds bellwire.JobBounds) error {
	params, err := codec.JobParams(j)
	if err != nil {
		return err
	}
	encoded, err := codec.EncodeEndpoint(ep)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(tx *tx) (err error) {
		if err := tx.lock(lockJobs); err != nil {
			return err
		}
		if revision, err = s.updateEndpoint(tx, ep, note, encoded); err != nil {
			return err
		}
		return tx.createJob(j, params, bounds)
	})
	if err == nil {
		ep.Revision = revision
	}
	return err
}

// Job finds a job.
func (s *Store) Job(ctx context.Context, tenant string, id bellwire.JobID) (*bellwire.Job, error) {
	var j *bellwire.Job
	err := s.list(ctx, func(tx *tx) (err error) {
		j, err = tx.job(sqlJobByID, tenant, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return j, nil
}

// job reads a job of the tenant.
func (t *tx) job(sql, tenant string, id bellwire.JobID) (*bellwire.Job, error) {
	j, _, err := scanJob(t.row(sql, [16]byte(id)))
	if err != nil {
		return nil, orNotFound(err, "job", id.String())
	}
	if j.Tenant != tenant || !j.TenantDeleted.IsZero() {
		return nil, bellwire.NotFound("job", id.String())
	}
	return j, nil
}

// Jobs lists jobs, newest first.
func (s *Store) Jobs(ctx context.Context, f bellwire.JobsFilter, page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.Job, bellwire.JobID]{page, scanJob, idKey[bellwire.JobID], rules.SizeOfJob}
	if !f.Bulk.IsZero() {
		return list.read(ctx, s, sqlJobsOfBulk, f.Tenant, [16]byte(f.Bulk), before, list.fetch())
	}
	if f.Tenant == "" {
		return list.read(ctx, s, sqlJobs, before, list.fetch())
	}
	return list.read(ctx, s, sqlJobsOfTenant, f.Tenant, before, list.fetch())
}

// ChangeJob changes a job that has not ended.
func (s *Store) ChangeJob(ctx context.Context, tenant string, id bellwire.JobID, c bellwire.JobChange, now time.Time) (*bellwire.Job, error) {
	var j *bellwire.Job
	err := s.write(ctx, func(tx *tx) (err error) {
		if j, err = tx.job(sqlJobToChange, tenant, id); err != nil {
			return err
		}
		if err := j.Apply(c, now); err != nil {
			return err
		}
		return tx.updateJob(j)
	})
	if err != nil {
		return nil, err
	}
	return j, nil
}

func (t *tx) updateJob(j *bellwire.Job) error {
	err := t.exec(sqlUpdateJob, [16]byte(j.ID), string(j.State), j.Total, j.Done, j.Skipped, j.Rate, j.Waiting, j.Error, j.UpdatedAt,
		orNull(j.FinishedAt), j.Steps, j.Cursor.Endpoint, [16]byte(j.Cursor.Event), orNull(j.ActedAt))
	if n := rules.JobNews(j); err == nil && n != nil {
		err = t.announce(n)
	}
	return err
}

// RunningJobs returns the running jobs of tenants whose number falls into a shard that this node owns.
func (s *Store) RunningJobs(ctx context.Context, leases *bellwire.Leases) ([]*bellwire.Job, error) {
	var jobs []*bellwire.Job
	err := s.read(ctx, func(tx *tx) (err error) {
		jobs, err = pgx.CollectRows(tx.query(sqlRunningJobs, leases.Epochs[:]), func(row pgx.CollectableRow) (*bellwire.Job, error) {
			j, _, err := scanJob(row)
			return j, err
		})
		return err
	})
	return jobs, err
}

// AdvanceJob makes a step of a job.
func (s *Store) AdvanceJob(ctx context.Context, step *bellwire.JobStep) (*bellwire.JobProgress, error) {
	var progress *bellwire.JobProgress
	err := s.write(ctx, func(tx *tx) (err error) {
		st := &jobStep{JobStep: step, tx: tx}
		if progress, err = st.run(); err != nil || step.Job.Kind != bellwire.JobCancel {
			return err
		}
		return s.notifyCanceled(tx, step.Endpoint, progress.Deliveries)
	})
	if len(step.Items) > 0 && step.Job.Kind != bellwire.JobCancel { // also if the outcome of the commit is not known
		s.notifier.add(others([]string{step.Endpoint}, s.owned.Load()), false)
	}
	if err != nil {
		return nil, err
	}
	return progress, nil
}

// jobStep is a step that is being made.
type jobStep struct {
	*bellwire.JobStep
	tx       *tx
	job      *bellwire.Job
	tenant   int64
	endpoint int64
	ordering bellwire.Ordering
	gone     bool // the endpoint is deleted
	next     int64
	acted    []bellwire.DeliveryID
}

const (
	sqlHoldJob = "SELECT tenant FROM bellwire.jobs WHERE id = $1"
	// Steps of one tenant's jobs wait for each other, because two of them may give numbers to deliveries of one event.
	sqlHoldJobs      = "SELECT FROM bellwire.jobs WHERE tenant = $1 AND finished_at IS NULL ORDER BY id FOR UPDATE"
	sqlEndpointOfJob = "SELECT n, ordering, deleted_at IS NOT NULL FROM bellwire.endpoints WHERE id = $1 AND tenant = $2"
	sqlAnyFanned     = "SELECT EXISTS (SELECT FROM bellwire.fanouts WHERE tenant = $1 AND events && $2::uuid[])"
	sqlHoldEpoch     = "SELECT epoch FROM bellwire.shards WHERE shard = $1 FOR SHARE"
)

func (s *jobStep) run() (*bellwire.JobProgress, error) {
	err := s.tx.row(sqlHoldJob, [16]byte(s.Job.ID)).Scan(&s.tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return &bellwire.JobProgress{}, nil
	}
	if err != nil {
		return nil, err
	}
	living, err := s.tx.change(sqlHoldTenant, s.tenant)
	if err != nil {
		return nil, err
	}
	if err := s.tx.exec(sqlHoldJobs, s.tenant); err != nil {
		return nil, err
	}
	if s.job, _, err = scanJob(s.tx.row(sqlJobByID, [16]byte(s.Job.ID))); err != nil {
		return nil, orNotFound(err, "job", s.Job.ID.String())
	}
	if s.job.State != bellwire.JobRunning || s.job.Steps != s.Job.Steps || living == 0 && s.Error == "" {
		return &bellwire.JobProgress{Job: s.job}, nil
	}
	if len(s.Items) > 0 {
		if busy, err := s.act(); err != nil || busy {
			return &bellwire.JobProgress{Job: s.job, Busy: true}, err
		}
	}
	s.job.Advance(s.JobStep, len(s.acted), len(s.Items)-len(s.acted))
	return &bellwire.JobProgress{Job: s.job, Made: true, Deliveries: s.acted}, s.tx.updateJob(s.job)
}

// act does what the job does to the items, and reports whether deliveries of one of them are still deferred to FanOut.
func (s *jobStep) act() (busy bool, err error) {
	err = s.tx.row(sqlEndpointOfJob, s.Endpoint, s.tenant).Scan(&s.endpoint, (*string)(&s.ordering), &s.gone)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && s.gone && s.job.Kind != bellwire.JobCancel {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch s.job.Kind {
	case bellwire.JobReplay:
		return s.replay()
	case bellwire.JobRetry:
		return false, s.restart()
	}
	return false, s.cancel()
}

// sqlJobDeliveries reads and locks deliveries, each in its partition alone, in the order in which they are given.
const sqlJobDeliveries = `SELECT d.* FROM unnest($1::uuid[]) AS w (id)
	CROSS JOIN LATERAL (SELECT id, status, epoch, sequence, passed_over, expires_at, coalesce(ordering_key, 0), coalesce(place, 0)
		FROM bellwire.deliveries WHERE id = w.id FOR UPDATE) d`

// jobDelivery is a delivery that a job may do something to.
type jobDelivery struct {
	bellwire.DeliveryState
	id                   bellwire.DeliveryID
	sequence, key, place int64
}

// deliveries reads those of the items' deliveries that the job still selects.
func (s *jobStep) deliveries() ([]jobDelivery, error) {
	var ids [][16]byte
	for _, item := range s.Items {
		if !item.Delivery.IsZero() {
			ids = append(ids, item.Delivery)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	var (
		selected []jobDelivery
		d        jobDelivery
		status   int16
		passed   bool
		expires  *time.Time
	)
	_, err := pgx.ForEachRow(s.tx.query(sqlJobDeliveries, ids), []any{(*[16]byte)(&d.id), &status, &d.Epoch, &d.sequence, &passed, &expires, &d.key, &d.place}, func() error {
		d.ExpiresAt = orZero(expires)
		passed = passed && !s.job.TakesReplaced()
		if d.Status = codec.Status(status); !passed && s.job.Params.Takes(d.Status) {
			selected = append(selected, d)
		}
		return nil
	})
	return selected, err
}

func (s *jobStep) cancel() error {
	if err := s.tx.holdCounters(s.Endpoint); err != nil {
		return err
	}
	selected, err := s.deliveries()
	if err != nil || len(selected) == 0 {
		return err
	}
	var (
		ids  [][16]byte
		keys keySet
	)
	for _, d := range selected {
		ids, s.acted = append(ids, d.id), append(s.acted, d.id)
		keys.add(endpointKey{s.Endpoint, d.key})
	}
	if _, err = s.tx.endOpen(ids, bellwire.DeliveryCanceled, bellwire.ReasonCanceledOnRequest, s.Now); err != nil {
		return err
	}
	if err := s.tx.exec(sqlCanceledBy, ids, [16]byte(s.job.ID)); err != nil {
		return err
	}
	return s.tx.freeNext(&keys, s.Now)
}

// sqlCanceledBy notes the job that has canceled deliveries. A replay keeps its job.
const sqlCanceledBy = "UPDATE bellwire.deliveries d SET job = $2 FROM unnest($1::uuid[]) AS w (id) WHERE d.id = w.id AND NOT d.replay"

// sqlRestart begins the schedules of deliveries again, as DeliveryState.Restart does. What is delayed is in no order. A replay keeps its
// job. greatest ignores NULL.
const sqlRestart = `UPDATE bellwire.deliveries d SET status = CASE WHEN d.not_before > $3 THEN -1 ELSE w.status END, reason = '', retries = 0, epoch = 0,
		due_at = greatest($3, d.not_before), updated_at = $3, restarted_at = $3, sequence = w.sequence, ordering_key = w.key, place = w.place,
		job = CASE WHEN d.replay THEN d.job ELSE coalesce($4, d.job) END
	FROM unnest($1::uuid[], $2::bigint[], $5::smallint[], $6::bigint[], $7::bigint[]) AS w (id, sequence, status, key, place) WHERE d.id = w.id`

// restarted are the rows of deliveries that are restarted.
type restarted struct {
	ids     [][16]byte
	numbers []int64
	placed  placedColumns
}

// add adds a delivery. One that has ended goes to the end of the endpoint's order, or behind all of its key at an endpoint that is still
// ordered by key; an open one keeps its place. next returns the next number of the endpoint.
func (r *restarted) add(d *jobDelivery, endpoint string, ordering bellwire.Ordering, open openKeys, next func() int64) {
	number, key, place := int64(0), d.key, d.place
	behind := false
	switch {
	case d.sequence > 0 && d.Status.Open():
		number = d.sequence
	case d.sequence > 0 && ordering == bellwire.OrderingFIFO:
		number = next()
	case key != 0 && !d.Status.Open() && ordering != bellwire.OrderingKey:
		key = 0
	case key != 0 && !d.Status.Open():
		place, behind = next(), open.behind(endpointKey{endpoint, key})
	}
	r.ids, r.numbers = append(r.ids, d.id), append(r.numbers, number)
	r.placed.add(rules.Placement{Behind: behind}, time.Time{}, key, place)
}

// restartAll begins the retry schedules of deliveries again. If job is nil, each delivery keeps its job.
func (t *tx) restartAll(r *restarted, now time.Time, job any) error {
	if len(r.ids) == 0 {
		return nil
	}
	return t.exec(sqlRestart, r.ids, r.numbers, now, job, r.placed.statuses, r.placed.keys, r.placed.places)
}

func (s *jobStep) restart() error {
	var current int64
	if err := s.tx.row(sqlHoldEpoch, bellwire.ShardOf(s.Endpoint)).Scan(&current); err != nil {
		return err
	}
	if err := s.takeNumbers(); err != nil {
		return err
	}
	selected, err := s.deliveries()
	if err != nil {
		return err
	}
	erased, err := s.erased()
	if err != nil {
		return err
	}
	var keys keySet
	for _, d := range selected {
		keys.add(endpointKey{s.Endpoint, d.key})
	}
	open, err := s.tx.openKeys(&keys)
	if err != nil {
		return err
	}
	r := new(restarted)
	for _, d := range selected {
		if !erased[d.id] && d.CanRestart(current, s.Now) {
			r.add(&d, s.Endpoint, s.ordering, open, s.number)
			s.acted = append(s.acted, d.id)
		}
	}
	return s.tx.restartAll(r, s.Now, [16]byte(s.job.ID))
}

const sqlErasedOf = `SELECT e.id FROM unnest($2::uuid[]) AS w (id)
	CROSS JOIN LATERAL (SELECT id FROM bellwire.events WHERE tenant = $1 AND id = w.id AND erased IS NOT NULL LIMIT 1) e`

// erased returns the deliveries of events whose data was erased. None is erased meanwhile, because that holds the tenant's jobs.
func (s *jobStep) erased() (map[bellwire.DeliveryID]bool, error) {
	events := make([][16]byte, len(s.Items))
	for i, item := range s.Items {
		events[i] = item.Event
	}
	found, err := pgx.CollectRows(s.tx.query(sqlErasedOf, s.tenant, events), pgx.RowTo[[16]byte])
	erased := make(map[bellwire.DeliveryID]bool)
	for _, item := range s.Items {
		erased[item.Delivery] = slices.Contains(found, [16]byte(item.Event))
	}
	return erased, err
}

// takeNumbers takes as many numbers of an ordered endpoint as the step may need. Counters are locked before deliveries.
func (s *jobStep) takeNumbers() error {
	if !s.ordering.Ordered() {
		return nil
	}
	var last int64
	count := int64(len(s.Items))
	err := s.tx.row(sqlTakeNumbers, []int64{s.endpoint}, []int64{count}).Scan(&s.endpoint, &last)
	s.next = last - count
	return err
}

// number returns the next number of an ordered endpoint.
func (s *jobStep) number() int64 {
	s.next++
	return s.next
}

const (
	// sqlHasDelivery returns which of some events the endpoint has a delivery of. It looks in the index of the endpoint, however
	// many deliveries an event has.
	sqlHasDelivery = `SELECT w.event FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS w (event, first, last) WHERE EXISTS (
			SELECT FROM unnest('{-2,-1,0,1,2,3,4}'::smallint[]) s (status) CROSS JOIN unnest('{f,t}'::boolean[]) o (ordered)
			CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE status = s.status AND ordered = o.ordered AND endpoint = $1
				AND id BETWEEN w.first AND w.last LIMIT 1) d
		)`
	sqlEventsOfJob = `SELECT e.id, e.deliveries FROM unnest($2::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT id, deliveries FROM bellwire.events WHERE tenant = $1 AND id = w.id AND erased IS NULL LIMIT 1) e`
	sqlLastNumbers = `SELECT w.event, d.id FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w (event, first, before)
		CROSS JOIN LATERAL (SELECT id FROM bellwire.deliveries WHERE id >= w.first AND id < w.before ORDER BY id DESC LIMIT 1) d`
	sqlNumbers  = "SELECT id FROM bellwire.deliveries WHERE id >= $1 AND id < $2 ORDER BY id"
	sqlReplayed = `INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence, epoch, due_at,
			created_at, updated_at, job, replay, not_before, expires_at, ordering_key, place)
		SELECT id, event, $4, $5, coalesce(status, 0), $6, 0, 0, sequence, 0, coalesce(not_before, $7), $7, $7, $8, true, not_before, expires_at,
			ordering_key, place
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $9::smallint[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::bigint[])
			AS d (id, event, sequence, status, not_before, expires_at, ordering_key, place)`
	sqlPassOver = "UPDATE bellwire.deliveries d SET passed_over = true FROM unnest($1::uuid[]) AS w (id) WHERE d.id = w.id"
)

// replay stores further deliveries of the events that the job still selects.
func (s *jobStep) replay() (busy bool, err error) {
	var missing [][16]byte
	for _, item := range s.Items {
		if item.Delivery.IsZero() {
			missing = append(missing, item.Event)
		}
	}
	if len(missing) > 0 {
		if err := s.tx.row(sqlAnyFanned, s.tenant, missing).Scan(&busy); err != nil || busy {
			return busy, err
		}
	}
	if err := s.takeNumbers(); err != nil {
		return false, err
	}
	selected, err := s.deliveries()
	if err != nil {
		return false, err
	}
	has, err := s.tx.hasDelivery(s.endpoint, missing)
	if err != nil {
		return false, err
	}
	current := make(map[bellwire.DeliveryID]bool)
	for _, d := range selected {
		current[d.id] = true
	}
	var all [][16]byte
	for _, item := range s.Items {
		all = append(all, item.Event)
	}
	traits, err := s.tx.traits(s.tenant, all)
	if err != nil {
		return false, err
	}
	var (
		events   [][16]byte
		replaced []bellwire.JobItem
	)
	for _, item := range s.Items {
		switch {
		case bellwire.Expired(traits[item.Event].ExpiresAt, s.Now):
		case item.Delivery.IsZero() && !has[item.Event]:
			events = append(events, item.Event)
		case current[item.Delivery]:
			events, replaced = append(events, item.Event), append(replaced, item)
		}
	}
	if len(events) == 0 {
		return false, nil
	}
	stored, err := s.store(events, traits)
	if err != nil {
		return false, err
	}
	var old [][16]byte
	for _, item := range replaced {
		if stored[item.Event] {
			old = append(old, item.Delivery)
		}
	}
	return false, s.tx.exec(sqlPassOver, old)
}

// store stores a delivery of each event that is still there and has a free number, and returns these events.
func (s *jobStep) store(events [][16]byte, traits map[[16]byte]eventTraits) (map[[16]byte]bool, error) {
	free, err := s.tx.freeNumbers(s.tenant, events)
	if err != nil {
		return nil, err
	}
	keyOf := func(event [16]byte) endpointKey {
		of := traits[event]
		return endpointKey{s.Endpoint, rules.KeyAt(of.orderingKey, s.ordering, of.Schedule, s.Now)}
	}
	var keys keySet
	for _, event := range events {
		keys.add(keyOf(event))
	}
	open, err := s.tx.openKeys(&keys)
	if err != nil {
		return nil, err
	}
	var (
		ids, of [][16]byte
		numbers []int64
		placed  placedColumns
		stored  = make(map[[16]byte]bool, len(events))
	)
	for _, event := range events {
		number, found := free[event]
		if !found {
			continue
		}
		key := keyOf(event)
		place := rules.PlacementOf(traits[event].Schedule, s.Now, open.behind(key))
		inOrder, ofKey := int64(0), int64(0)
		switch {
		case key.key != 0:
			ofKey = s.number()
		case s.ordering == bellwire.OrderingFIFO && !place.Delayed:
			inOrder = s.number()
		}
		placed.add(place, traits[event].ExpiresAt, key.key, ofKey)
		id := bellwire.DeliveryOf(event, number)
		ids, of, numbers = append(ids, id), append(of, event), append(numbers, inOrder)
		s.acted = append(s.acted, id)
		stored[event] = true
	}
	return stored, s.tx.exec(sqlReplayed, ids, of, numbers, s.tenant, s.endpoint, bellwire.ReasonReplayed, s.Now, [16]byte(s.job.ID),
		placed.statuses, placed.notBefore, placed.expires, placed.keys, placed.places)
}

// hasDelivery returns the events of which the endpoint has a delivery.
func (t *tx) hasDelivery(endpoint int64, events [][16]byte) (map[bellwire.EventID]bool, error) {
	has := make(map[bellwire.EventID]bool)
	if len(events) == 0 {
		return has, nil
	}
	first, last := make([][16]byte, len(events)), make([][16]byte, len(events))
	for i, event := range events {
		a, b := bellwire.DeliveriesOf(event)
		first[i], last[i] = a, b
	}
	var event bellwire.EventID
	_, err := pgx.ForEachRow(t.query(sqlHasDelivery, endpoint, events, first, last), []any{(*[16]byte)(&event)}, func() error {
		has[event] = true
		return nil
	})
	return has, err
}

// freeNumbers returns a number for another delivery of each event that is still there.
func (t *tx) freeNumbers(tenant int64, events [][16]byte) (map[[16]byte]int, error) {
	var (
		found, first, end [][16]byte
		event             [16]byte
		deliveries        int
	)
	count, last := make(map[[16]byte]int), make(map[[16]byte]int)
	_, err := pgx.ForEachRow(t.query(sqlEventsOfJob, tenant, events), []any{&event, &deliveries}, func() error {
		count[event], last[event] = max(deliveries, 1), -1
		found, first = append(found, event), append(first, bellwire.DeliveryOf(event, 0))
		end = append(end, bellwire.DeliveryOf(event, bellwire.MaxDeliveries-max(deliveries, 1)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var id bellwire.DeliveryID
	_, err = pgx.ForEachRow(t.query(sqlLastNumbers, found, first, end), []any{&event, (*[16]byte)(&id)}, func() error {
		last[event] = bellwire.NumberOf(id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	free := make(map[[16]byte]int)
	for i, event := range found {
		number, ok, err := rules.FreeNumber(count[event], last[event], func() ([]int, error) { return t.numbersBetween(first[i], end[i]) })
		if err != nil {
			return nil, err
		}
		if ok {
			free[event] = number
		}
	}
	return free, nil
}

func (t *tx) numbersBetween(first, end [16]byte) ([]int, error) {
	return pgx.CollectRows(t.query(sqlNumbers, first, end), func(row pgx.CollectableRow) (int, error) {
		var id bellwire.DeliveryID
		err := row.Scan((*[16]byte)(&id))
		return bellwire.NumberOf(id), err
	})
}

const (
	sqlToRestart = `SELECT d.event, p.id, p.n, p.ordering FROM bellwire.deliveries d JOIN bellwire.endpoints p ON p.n = d.endpoint
		JOIN bellwire.tenants t ON t.n = d.tenant AND t.deleted_at IS NULL WHERE d.id = $1 AND t.id = $2`
	sqlStateToRestart = `SELECT status, epoch, sequence, expires_at, coalesce(ordering_key, 0), coalesce(place, 0)
		FROM bellwire.deliveries WHERE id = $1 FOR UPDATE`
)

// RestartDelivery begins the schedule of a delivery again.
func (s *Store) RestartDelivery(ctx context.Context, tenant string, id bellwire.DeliveryID, now time.Time) (*bellwire.Delivery, error) {
	var d *bellwire.Delivery
	err := s.write(ctx, func(tx *tx) (err error) {
		if err = tx.restart(tenant, id, now); err == nil {
			d, err = tx.delivery(tenant, id)
		}
		return err
	})
	if d != nil {
		s.notifier.add(others([]string{d.Endpoint}, s.owned.Load()), false)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (t *tx) restart(tenant string, id bellwire.DeliveryID, now time.Time) error {
	var (
		event               bellwire.EventID
		endpoint            string
		ordering            bellwire.Ordering
		n, current, counted int64
		status              int16
		d                   = &jobDelivery{id: id}
		expires             *time.Time
	)
	if err := t.row(sqlToRestart, [16]byte(id), tenant).Scan((*[16]byte)(&event), &endpoint, &n, (*string)(&ordering)); err != nil {
		return orNotFound(err, "delivery", id.String())
	}
	if err := t.refuseErased(tenant, event); err != nil {
		return err
	}
	if err := t.row(sqlHoldEpoch, bellwire.ShardOf(endpoint)).Scan(&current); err != nil {
		return err
	}
	if ordering.Ordered() {
		if err := t.row(sqlTakeNumbers, []int64{n}, []int64{1}).Scan(&n, &counted); err != nil {
			return err
		}
	}
	err := t.row(sqlStateToRestart, [16]byte(id)).Scan(&status, &d.Epoch, &d.sequence, &expires, &d.key, &d.place)
	if err != nil {
		return orNotFound(err, "delivery", id.String())
	}
	d.ExpiresAt = orZero(expires)
	if d.Status = codec.Status(status); !d.CanRestart(current, now) {
		return rules.CannotRestart(id, &d.DeliveryState, now)
	}
	var keys keySet
	keys.add(endpointKey{endpoint, d.key})
	open, err := t.openKeys(&keys)
	if err != nil {
		return err
	}
	r := new(restarted)
	r.add(d, endpoint, ordering, open, func() int64 { return counted })
	return t.restartAll(r, now, nil)
}
