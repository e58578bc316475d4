package service

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on what a bulk job looks at before it begins.
const (
	bulkCountTime  = 10 * time.Second // counting deliveries; the totals of jobs that are not counted grow on the way
	bulkSearched   = 1000             // tenants that are looked for at a time
	bulkCounted    = 20               // tenants that are counted at a time
	bulkJobChanged = 200              // jobs that are changed at a time
)

// BulkCount is what a bulk job would be about.
type BulkCount struct {
	JobCount
	Tenants int
}

// CountBulkJob counts what a bulk job would be about.
func (s *Service) CountBulkJob(ctx context.Context, c Caller, in JobInput) (*BulkCount, error) {
	plan, err := s.planBulkJob(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if !plan.counted {
		return nil, &bellwire.Error{
			Code:    bellwire.CodeUnavailable,
			Message: "the deliveries of so many tenants cannot be counted in " + bulkCountTime.String(),
			Hint:    "Choose a shorter time or fewer event types.",
		}
	}
	return plan.count(), nil
}

// CreateBulkJob starts a job of each tenant that has something to be done. It returns no job, but the count, if none has.
func (s *Service) CreateBulkJob(ctx context.Context, c Caller, in JobInput) (*bellwire.BulkJob, *BulkCount, error) {
	plan, err := s.planBulkJob(ctx, c, in)
	if err != nil {
		return nil, nil, err
	}
	if len(plan.jobs) == 0 {
		return nil, plan.count(), nil
	}
	id := plan.jobs[0].Bulk
	made := fieldsOfNewJob(plan.jobs[0])
	made["total"], made["tenants"] = plan.count().Total, len(plan.jobs)
	if err := s.store.CreateBulkJob(s.audit(ctx, c, "", bellwire.AuditCreateJob, id.String(), nil, made), plan.jobs, limits.BulkJobs); err != nil {
		return nil, nil, err
	}
	s.engine.WakeJobs()
	b, err := s.store.BulkJob(ctx, id)
	return b, nil, err
}

// bulkPlan is the jobs of a bulk job that is not created yet.
type bulkPlan struct {
	jobs    []*bellwire.Job
	counted bool // the totals of all are right
	bound   bool // a filter may leave some out
}

func (p *bulkPlan) count() *BulkCount {
	n := &BulkCount{JobCount: JobCount{Bound: p.bound}, Tenants: len(p.jobs)}
	for _, j := range p.jobs {
		n.Total += j.Total
	}
	return n
}

// planBulkJob checks the input, finds the tenants that have something to be done, and counts it as long as there is time.
func (s *Service) planBulkJob(ctx context.Context, c Caller, in JobInput) (*bulkPlan, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	model := newJobOf("", &in)
	if err := s.checkBulkJob(ctx, model, &in); err != nil {
		return nil, err
	}
	model.Bulk = model.ID
	plan := &bulkPlan{counted: true, bound: model.Params.Filter != "" || model.Params.Outcome != ""}
	until := time.Now().Add(bulkCountTime)
	for after := ""; ; {
		tenants, next, err := s.tenantsWith(ctx, c, model, after)
		if err != nil {
			return nil, err
		}
		for len(tenants) > 0 {
			some := tenants[:min(bulkCounted, len(tenants))]
			tenants = tenants[len(some):]
			if err := s.planTenants(ctx, c, plan, model, some, time.Now().Before(until)); err != nil {
				return nil, err
			}
		}
		if after = next; after == "" {
			return plan, nil
		}
	}
}

// checkBulkJob refuses a bulk job that makes no sense.
func (s *Service) checkBulkJob(ctx context.Context, model *bellwire.Job, in *JobInput) error {
	var faults []error
	if model.Params.Since.IsZero() {
		faults = append(faults, bellwire.Invalid("since", "is required"))
	}
	faults = append(faults, s.checkJobInput(model, in)...)
	if model.Params.Filter != "" {
		_, err := s.checkFilter(ctx, nil, "", model.Params.Filter, func(string) bool { return false })
		faults = append(faults, err)
	}
	return bellwire.Join(faults...)
}

func (s *Service) tenantsWith(ctx context.Context, c Caller, model *bellwire.Job, after string) (tenants []string, next string, err error) {
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, "", err
	}
	defer end()
	return s.store.TenantsWith(reading, &model.Params, after, bulkSearched)
}

// planTenants adds the jobs of some tenants. Those that were counted and have nothing to be done are left out.
func (s *Service) planTenants(ctx context.Context, c Caller, plan *bulkPlan, model *bellwire.Job, tenants []string, count bool) error {
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return err
	}
	defer end()
	for _, tenant := range tenants {
		j := *model
		j.ID, j.Tenant = bellwire.NewID[bellwire.JobIDKind](j.CreatedAt), tenant
		if count {
			endpoints, err := s.endpointsOf(reading, &j, false)
			if bellwire.CodeOf(err) == bellwire.CodeNotFound {
				continue // it was deleted meanwhile
			}
			if err != nil {
				return err
			}
			if err := s.count(reading, &j, endpoints...); err != nil {
				return err
			}
			for _, ep := range endpoints {
				plan.bound = plan.bound || j.Params.Missing && ep.Filter != ""
			}
			if j.Total == 0 {
				continue
			}
		}
		plan.counted = plan.counted && count
		if plan.jobs = append(plan.jobs, &j); len(plan.jobs) > limits.BulkJobs {
			return bellwire.Errorf(bellwire.CodeConflict, "more than %s tenants have something to be done; choose a shorter time or fewer event types",
				bellwire.Number(limits.BulkJobs))
		}
	}
	return nil
}

// BulkJob returns a bulk job.
func (s *Service) BulkJob(ctx context.Context, c Caller, id bellwire.JobID) (*bellwire.BulkJob, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.BulkJob(reading, id)
}

// BulkJobs lists bulk jobs, newest first. A page ends early, with a cursor, after bulk jobs that have many jobs.
func (s *Service) BulkJobs(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	reading, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.BulkJobs(reading, page)
}

// ChangeBulkJob pauses, resumes or cancels the jobs of a bulk job that have not ended, or changes their rate; 0 means none. Its
// error has CodeConflict if all have ended.
func (s *Service) ChangeBulkJob(ctx context.Context, c Caller, id bellwire.JobID, change bellwire.JobChange) (*bellwire.BulkJob, error) {
	b, err := s.BulkJob(ctx, c, id)
	if err != nil {
		return nil, err
	}
	if change.Rate != nil && *change.Rate != 0 {
		if err := checkJobRate(*change.Rate); err != nil {
			return nil, err
		}
	}
	if b.Ended() {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "bulk job %q is %s and cannot be changed", id, b.State())
	}
	before := &bellwire.Job{State: b.State(), Rate: b.Rate}
	after := *before
	if err := after.Apply(change, now()); err != nil {
		return nil, err
	}
	changing := s.audit(ctx, c, "", bellwire.AuditUpdateJob, id.String(), fieldsOfJob(before), fieldsOfJob(&after))
	for ; ; changing = ctx {
		changed, err := s.store.ChangeBulkJob(changing, id, change, now(), bulkJobChanged)
		if err != nil {
			return nil, err
		}
		s.engine.WakeJobs()
		if changed < bulkJobChanged {
			return s.BulkJob(ctx, c, id)
		}
	}
}
