package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/match"
)

// JobInput says what a job is about. Zero fields are not given.
type JobInput struct {
	Kind     bellwire.JobKind
	Endpoint string
	Types    []string
	Since    time.Time
	Until    time.Time
	Status   string
	Filter   string
	Event    bellwire.EventID
	Dialect  string
	Outcome  bellwire.Outcome
	Rate     *float64
}

// JobCount is what a job would be about.
type JobCount struct {
	Total int
	Bound bool // there are at most as many, because filters could not be asked about all in time
}

// CountJob counts what a job would be about. It asks the filters about each event, if that does not take long.
func (s *Service) CountJob(ctx context.Context, c Caller, tenant string, in JobInput) (*JobCount, error) {
	ctx, end, err := s.beginRead(ctx, c, Redeliver, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	j, endpoints, err := s.planJob(ctx, tenant, in, true)
	if err != nil {
		return nil, err
	}
	return s.sift(ctx, j, endpoints)
}

// CreateJob counts what a job is about, and starts it.
func (s *Service) CreateJob(ctx context.Context, c Caller, tenant string, in JobInput) (*bellwire.Job, error) {
	j, err := s.planNewJob(ctx, c, tenant, in)
	if err != nil {
		return nil, err
	}
	bounds, err := s.jobBounds(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if err := s.store.CreateJob(s.audit(ctx, c, tenant, bellwire.AuditCreateJob, j.ID.String(), nil, fieldsOfNewJob(j)), j, bounds); err != nil {
		return nil, err
	}
	s.engine.WakeJobs()
	return j, nil
}

func (s *Service) jobBounds(ctx context.Context, tenant string) (bellwire.JobBounds, error) {
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return bellwire.JobBounds{}, err
	}
	return bellwire.JobBounds{OfTenant: held.Jobs, InAll: limits.JobsInAll, Kept: limits.JobsKept}, nil
}

// newJob returns a job about an endpoint of the tenant, or about all if endpoint is empty.
func newJob(tenant string, kind bellwire.JobKind, endpoint string) *bellwire.Job {
	at := now()
	return &bellwire.Job{
		ID: bellwire.NewID[bellwire.JobIDKind](at), Tenant: tenant, Kind: kind, State: bellwire.JobRunning, CreatedAt: at, UpdatedAt: at,
		// Times count to the millisecond, so that this is just after now.
		Params: bellwire.JobParams{Endpoint: endpoint, Until: at.Truncate(time.Millisecond).Add(time.Millisecond)},
	}
}

// newJobOf returns a job with the choices of the input that need no check.
func newJobOf(tenant string, in *JobInput) *bellwire.Job {
	j := newJob(tenant, in.Kind, in.Endpoint)
	p := &j.Params
	p.Types, p.Filter, p.Since, p.Event, p.Dialect, p.Outcome = in.Types, in.Filter, in.Since, in.Event, in.Dialect, in.Outcome
	return j
}

func (s *Service) planNewJob(ctx context.Context, c Caller, tenant string, in JobInput) (*bellwire.Job, error) {
	ctx, end, err := s.beginRead(ctx, c, Redeliver, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	j, _, err := s.planJob(ctx, tenant, in, false)
	return j, err
}

// planJob checks the input, and counts before any filter. dry says that the job will not be created.
func (s *Service) planJob(ctx context.Context, tenant string, in JobInput, dry bool) (*bellwire.Job, []*bellwire.Endpoint, error) {
	j := newJobOf(tenant, &in)
	endpoints, err := s.checkJob(ctx, j, &in, dry)
	if err != nil {
		return nil, nil, err
	}
	return j, endpoints, s.count(ctx, j, endpoints...)
}

// count adds what a job selects at endpoints to its total.
func (s *Service) count(ctx context.Context, j *bellwire.Job, endpoints ...*bellwire.Endpoint) error {
	for _, ep := range endpoints {
		patterns, err := match.Compile(ep.Events)
		if err != nil {
			return err
		}
		n, err := s.store.CountSelected(ctx, j.SelectionOf(ep.ID, patterns.Match))
		if err != nil {
			return err
		}
		j.Total += n
	}
	return nil
}

// Bounds on how long a count asks filters.
const (
	siftTime = time.Second
	siftPage = 200 // events
)

// sift counts what filters leave of a job that will not be created. The filter of a disabled endpoint is not in use, and not asked.
func (s *Service) sift(ctx context.Context, j *bellwire.Job, endpoints []*bellwire.Endpoint) (*JobCount, error) {
	filters := func(ep *bellwire.Endpoint) bool { return j.Params.Missing && ep.Filter != "" }
	disabled := func(ep *bellwire.Endpoint) bool { return filters(ep) && ep.Status == bellwire.EndpointDisabled }
	if j.Params.Filter == "" && j.Params.Outcome == "" && !slices.ContainsFunc(endpoints, filters) {
		return &JobCount{Total: j.Total}, nil
	}
	bound := &JobCount{Total: j.Total, Bound: true}
	if slices.ContainsFunc(endpoints, disabled) {
		return bound, nil
	}
	s.directory.ForgetTenant(j.Tenant) // another node may have changed an endpoint a moment ago
	t, err := s.directory.Tenant(ctx, j.Tenant)
	if err != nil {
		return nil, err
	}
	takes, err := t.JobFilter(j.Params.Filter)
	if err != nil {
		return nil, err
	}
	count, until := new(JobCount), time.Now().Add(siftTime)
	for _, ep := range endpoints {
		patterns, err := match.Compile(ep.Events)
		if err != nil {
			return nil, err
		}
		sieve := bellwire.Sieve{
			Filter: takes, Endpoint: ep, Missing: j.Params.Missing, Event: s.store.Event,
			Outcome: j.Params.Outcome, Attempts: s.store.LastAttempts, Observer: bellwire.NopObserver{},
		}
		selection := j.SelectionOf(ep.ID, patterns.Match)
		for more := true; more; {
			if time.Now().After(until) {
				return bound, nil
			}
			found, err := s.store.Select(ctx, selection, siftPage)
			if err != nil {
				return nil, err
			}
			if _, err := t.Sift(ctx, sieve, found); err != nil {
				return nil, err
			}
			count.Total += len(found.Items)
			selection.After, more = found.Last, found.More
		}
	}
	return count, nil
}

// checkJob refuses a job that makes no sense, and returns the endpoints that it is about.
func (s *Service) checkJob(ctx context.Context, j *bellwire.Job, in *JobInput, dry bool) ([]*bellwire.Endpoint, error) {
	p := &j.Params
	replay := j.Kind == bellwire.JobReplay
	var faults []error
	if replay && p.Endpoint == "" {
		faults = append(faults, bellwire.Invalid("endpoint", "is required"))
	}
	if replay && p.Since.IsZero() {
		faults = append(faults, bellwire.Invalid("since", "is required"))
	}
	faults = append(faults, s.checkJobInput(j, in)...)
	endpoints, err := s.endpointsOf(ctx, j, dry)
	if err == nil && !p.Event.IsZero() {
		err = s.checkJobEvent(ctx, j)
	}
	if bellwire.CodeOf(err) == bellwire.CodeInvalid {
		faults, err = append(faults, err), nil
	}
	if err == nil && p.Filter != "" {
		faults = append(faults, s.checkJobFilter(ctx, j, endpoints))
	}
	return endpoints, cmp.Or(bellwire.Join(faults...), err)
}

// checkJobInput takes the choices over that do not depend on a tenant, and returns what is wrong with them.
func (s *Service) checkJobInput(j *bellwire.Job, in *JobInput) (faults []error) {
	p := &j.Params
	if !in.Until.IsZero() && in.Until.Before(p.Until) {
		p.Until = in.Until
	}
	switch {
	case !in.Until.IsZero() && !in.Until.After(p.Since):
		faults = append(faults, bellwire.Invalid("until", "must be later than since"))
	case !p.Since.Before(p.Until):
		faults = append(faults, bellwire.Invalid("since", "must not be in the future"))
	}
	faults = append(faults, checkTypes(p.Types))
	if !p.Choose(j.Kind, in.Status) {
		faults = append(faults, bellwire.Invalid("status", "must be %s", bellwire.OneOf(bellwire.JobStatuses(j.Kind))))
	}
	if in.Rate != nil {
		faults = append(faults, checkJobRate(*in.Rate))
		j.Rate = *in.Rate
	}
	return append(faults, s.checkDialect(p.Dialect), checkOutcome(p.Outcome))
}

// checkJobEvent refuses an event that the tenant does not have.
func (s *Service) checkJobEvent(ctx context.Context, j *bellwire.Job) error {
	id := j.Params.Event
	tenant, err := s.store.TenantOf(ctx, bellwire.KindEvent, id)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound || err == nil && tenant != j.Tenant {
		return bellwire.Invalid("event", "%q is not an event of the tenant", id)
	}
	return err
}

// checkJobFilter refuses a filter as that of an endpoint, for the types that the job names or its endpoint subscribes to. A job
// for all types of all endpoints sees too many to ask for fields that all of them have.
func (s *Service) checkJobFilter(ctx context.Context, j *bellwire.Job, endpoints []*bellwire.Endpoint) error {
	p := &j.Params
	_, err := s.checkFilter(ctx, nil, j.Tenant, p.Filter, func(eventType string) bool {
		switch {
		case len(p.Types) > 0:
			return p.TakesType(eventType)
		case p.Endpoint != "":
			return slices.ContainsFunc(endpoints, func(ep *bellwire.Endpoint) bool { return matches(ep.Events, eventType) })
		}
		return false
	})
	return err
}

// checkTypes refuses patterns of event types that cannot be parsed. Types need not be in the catalogue: events outlive them.
func checkTypes(patterns []string) error {
	if len(patterns) > MaxPatterns {
		return bellwire.Invalid("types", "must have at most %d entries, but has %s", MaxPatterns, bellwire.Number(len(patterns)))
	}
	var faults []error
	for i, text := range patterns {
		if _, err := match.Parse(text); err != nil {
			faults = append(faults, inField(fmt.Sprintf("types[%d]", i), err))
		}
	}
	return bellwire.Join(faults...)
}

func checkJobRate(rate float64) error {
	if !(rate >= limits.MinJobRate && rate <= limits.MaxJobRate) {
		return bellwire.Invalid("rate", "must be between %s and %s deliveries per second", bellwire.Number(limits.MinJobRate), bellwire.Number(limits.MaxJobRate))
	}
	return nil
}

// endpointsOf returns the endpoints that a job is about. Nothing is sent to a disabled one, but what would be can be counted.
func (s *Service) endpointsOf(ctx context.Context, j *bellwire.Job, dry bool) ([]*bellwire.Endpoint, error) {
	sends := j.Kind != bellwire.JobCancel
	if j.Params.Endpoint == "" {
		_, all, err := s.store.TenantEndpoints(ctx, j.Tenant)
		return slices.DeleteFunc(all, func(ep *bellwire.Endpoint) bool {
			return !j.Params.TakesEndpoint(ep) || sends && ep.Status == bellwire.EndpointDisabled
		}), err
	}
	ep, err := s.store.Endpoint(ctx, j.Params.Endpoint)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound || err == nil && (ep.Tenant != j.Tenant || ep.Deleted) {
		return nil, bellwire.Invalid("endpoint", "%.128q is not an endpoint of the tenant", j.Params.Endpoint)
	}
	if err == nil && !j.Params.TakesEndpoint(ep) {
		return nil, bellwire.Invalid("dialect", "must be %q, which is that of the endpoint, or be left out", ep.Dialect)
	}
	if err == nil && sends && !dry {
		err = refuseDisabled(ep)
	}
	return []*bellwire.Endpoint{ep}, err
}

// maxJobCount is how many of a job's deliveries of each status are counted.
const maxJobCount = 10_000

// JobWithDeliveries is a job with what has become of the deliveries that it was the last one to do something to.
type JobWithDeliveries struct {
	*bellwire.Job
	Deliveries JobDeliveries
}

// JobDeliveries counts deliveries by status, each up to maxJobCount.
type JobDeliveries struct {
	Waiting, Succeeded, Exhausted, Canceled int
	Capped                                  bool // there are more of one of them
}

// Job returns a job.
func (s *Service) Job(ctx context.Context, c Caller, tenant string, id bellwire.JobID) (*JobWithDeliveries, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	j, err := s.store.Job(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	counts, err := s.store.CountJobDeliveries(ctx, id, maxJobCount+1)
	if err != nil {
		return nil, err
	}
	with := &JobWithDeliveries{Job: j}
	d := &with.Deliveries
	up := func(n int) int {
		d.Capped = d.Capped || n > maxJobCount
		return min(n, maxJobCount)
	}
	d.Waiting = up(counts[bellwire.DeliveryPending] + counts[bellwire.DeliveryRetrying])
	d.Succeeded, d.Exhausted, d.Canceled = up(counts[bellwire.DeliverySucceeded]), up(counts[bellwire.DeliveryExhausted]), up(counts[bellwire.DeliveryCanceled])
	return with, nil
}

// Jobs lists the jobs of a tenant, or of all tenants if f.Tenant is empty, which is for operators.
func (s *Service) Jobs(ctx context.Context, c Caller, f bellwire.JobsFilter, page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
	end := func() {}
	err := authorize(c, Manage)
	switch {
	case f.Tenant != "":
		ctx, end, err = s.beginRead(ctx, c, Read, f.Tenant)
	case err == nil:
		ctx, end, err = s.acquireRead(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	defer end()
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	return s.store.Jobs(ctx, f, fitted(ctx, page))
}

// ChangeJob pauses, resumes or cancels a job, or changes its rate; 0 means none. Its error has CodeConflict if the job has ended.
func (s *Service) ChangeJob(ctx context.Context, c Caller, tenant string, id bellwire.JobID, change bellwire.JobChange) (*bellwire.Job, error) {
	if err := s.requireTenant(ctx, c, Redeliver, tenant); err != nil {
		return nil, err
	}
	if change.Rate != nil && *change.Rate != 0 {
		if err := checkJobRate(*change.Rate); err != nil {
			return nil, err
		}
	}
	j, err := s.store.Job(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	before := fieldsOfJob(j)
	if err := j.Apply(change, now()); err != nil {
		return nil, err
	}
	ctx = s.audit(ctx, c, tenant, bellwire.AuditUpdateJob, id.String(), before, fieldsOfJob(j))
	if j, err = s.store.ChangeJob(ctx, tenant, id, change, now()); err != nil {
		return nil, err
	}
	s.engine.WakeJobs()
	return j, nil
}

// fieldsOfJob returns what the audit log shows of a job that changes.
func fieldsOfJob(j *bellwire.Job) map[string]any {
	return map[string]any{"state": j.State, "rate": j.Rate}
}

// fieldsOfNewJob returns what the audit log shows of a job that is created.
func fieldsOfNewJob(j *bellwire.Job) map[string]any {
	return map[string]any{"kind": j.Kind, "params": j.Params, "rate": j.Rate, "total": j.Total}
}
