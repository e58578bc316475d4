package bellwire

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"
)

// JobKind is what a job does to deliveries.
type JobKind string

// The kinds of jobs.
const (
	JobReplay JobKind = "replay" // makes new deliveries of events to one endpoint
	JobRetry  JobKind = "retry"  // begins the retry schedule of deliveries again
	JobCancel JobKind = "cancel" // ends open deliveries
)

// JobState is the stage that a job has reached.
type JobState string

// The states of a job. The last three are final.
const (
	JobRunning  JobState = "running"
	JobPaused   JobState = "paused"
	JobDone     JobState = "done"
	JobCanceled JobState = "canceled"
	JobFailed   JobState = "failed"
)

// Ended reports whether the job does nothing any more.
func (s JobState) Ended() bool { return s == JobDone || s == JobCanceled || s == JobFailed }

// Job is work on many deliveries of a tenant. The owner of the tenant's shard does it in steps.
type Job struct {
	ID      JobID
	Tenant  string
	Kind    JobKind
	State   JobState
	Params  JobParams
	Total   int     // deliveries or events that were selected when it was created
	Done    int     // of them, those that were replayed, retried or canceled
	Skipped int     // of them, those that a filter left out, or for which there was nothing to do any more
	Rate    float64 // deliveries per second; 0: as fast as there is room
	Waiting string  // what a running job waits for; empty: nothing
	Error   string  // why it failed

	CreatedAt  time.Time
	UpdatedAt  time.Time
	FinishedAt time.Time // zero until it has ended
	ActedAt    time.Time // of the last step that did something, from which the rate counts; zero: none did

	Bulk          JobID     // the bulk job that it is a part of; zero: none
	Steps         int       // steps made, which numbers the next one
	Cursor        JobCursor // after the last step
	TenantDeleted time.Time // when the tenant was deleted; zero: it was not
}

// JobParams are the choices of the job's creator.
type JobParams struct {
	Endpoint string           `json:"endpoint,omitempty"` // empty: all of the tenant's
	Types    []string         `json:"types,omitempty"`    // patterns, as endpoints have them; empty: all
	Since    time.Time        `json:"since,omitzero"`     // events accepted at or after, to the millisecond
	Until    time.Time        `json:"until,omitzero"`     // events accepted before
	Status   string           `json:"status,omitempty"`   // as the creator named what Statuses and Missing say; empty: not at all
	Statuses []DeliveryStatus `json:"statuses,omitempty"` // of the deliveries
	Missing  bool             `json:"missing,omitempty"`  // also events of which the endpoint has no delivery
	Filter   string           `json:"filter,omitempty"`   // a CEL expression; events that it does not take are skipped
	Event    EventID          `json:"event,omitzero"`     // zero: all
	Dialect  string           `json:"dialect,omitempty"`  // of the endpoints; empty: of any
	Outcome  Outcome          `json:"outcome,omitempty"`  // of the newest attempts; deliveries with another are skipped; empty: any
}

// The values of JobParams.Status that are not those of a delivery.
const (
	SelectFailed  = "failed"  // exhausted or canceled
	SelectMissing = "missing" // events that the endpoint gets, and of which it has no delivery
	SelectMissed  = "missed"  // both
	SelectAll     = "all"     // both, and what has succeeded
)

// Choose sets what the job selects by a status, or by the default of its kind if status is empty. It reports whether the kind
// has it.
func (p *JobParams) Choose(kind JobKind, status string) bool {
	p.Status = status
	ended := []DeliveryStatus{DeliveryExhausted, DeliveryCanceled}
	switch {
	case kind == JobCancel && status == "":
		p.Statuses = []DeliveryStatus{DeliveryPending, DeliveryRetrying}
	case kind != JobCancel && (status == "" || status == SelectFailed):
		p.Status, p.Statuses = SelectFailed, ended
	case kind == JobReplay && status == SelectMissing:
		p.Missing = true
	case kind == JobReplay && status == SelectMissed:
		p.Statuses, p.Missing = ended, true
	case kind == JobReplay && status == SelectAll:
		p.Statuses, p.Missing = append(ended, DeliverySucceeded), true
	case slices.Contains(JobStatuses(kind), status):
		p.Statuses = []DeliveryStatus{DeliveryStatus(status)}
	default:
		return false
	}
	return true
}

// JobStatuses lists the statuses by which jobs of a kind select.
func JobStatuses(kind JobKind) []string {
	switch kind {
	case JobReplay:
		return []string{SelectFailed, SelectMissing, SelectMissed, SelectAll}
	case JobRetry:
		return []string{SelectFailed, string(DeliveryExhausted), string(DeliveryCanceled), string(DeliveryRetrying)}
	}
	return []string{string(DeliveryPending), string(DeliveryRetrying)}
}

// JobCursor is how far a job has come: endpoint after endpoint by their ids, and event after event by theirs.
type JobCursor struct {
	Endpoint string
	Event    EventID // the last event that was examined
}

// TakesType reports whether the job is about events of a type.
func (p *JobParams) TakesType(eventType string) bool {
	return len(p.Types) == 0 || slices.ContainsFunc(p.Types, func(pattern string) bool {
		prefix, any := strings.CutSuffix(pattern, "*")
		return pattern == eventType || any && strings.HasPrefix(eventType, prefix)
	})
}

// TakesEndpoint reports whether the job is about an endpoint that the tenant has.
func (p *JobParams) TakesEndpoint(ep *Endpoint) bool {
	return (p.Endpoint == "" || p.Endpoint == ep.ID) && (p.Dialect == "" || p.Dialect == ep.Dialect)
}

// Takes reports whether the job is about deliveries with a status.
func (p *JobParams) Takes(status DeliveryStatus) bool { return slices.Contains(p.Statuses, status) }

// Selection is what a job does something to at one endpoint: events of which the current delivery has one of the job's
// statuses, or of which there is no delivery. An event's deliveries to an endpoint are its first one and one for each replay,
// of which the last is the current one. Tests of an endpoint are left out.
type Selection struct {
	Tenant   string
	Endpoint string
	After    EventID // events from before are left out, and the event itself
	Before   EventID // this event is left out, and those behind it
	Statuses []DeliveryStatus
	Missing  bool
	Replaced bool // also deliveries that are not the current ones
	// Type reports whether deliveries of an event type are selected; nil: of all types.
	Type func(eventType string) bool
	// MissingType reports the same for missing ones.
	MissingType func(eventType string) bool
}

// PassesOver reports whether a delivery is left out whatever its event is. passedOver says that it is a test's or not the current one.
func (s *Selection) PassesOver(passedOver, test bool) bool { return test || passedOver && !s.Replaced }

// Takes reports whether deliveries of an event type are selected.
func (s *Selection) Takes(eventType string) bool { return s.Type == nil || s.Type(eventType) }

// TakesReplaced reports whether the job also acts on deliveries that are not the current ones: they can be restarted, and are sent too.
func (j *Job) TakesReplaced() bool { return j.Kind == JobCancel }

// SelectionOf returns what the job selects at an endpoint. matches reports whether the endpoint gets events of a type.
func (j *Job) SelectionOf(endpoint string, matches func(eventType string) bool) *Selection {
	p := &j.Params
	s := &Selection{
		Tenant: j.Tenant, Endpoint: endpoint, Statuses: p.Statuses, Missing: p.Missing,
		Replaced: j.TakesReplaced(),
		After:    FirstID[EventKind](p.Since), Before: FirstID[EventKind](p.Until),
		MissingType: func(name string) bool { return p.TakesType(name) && matches(name) },
	}
	if len(p.Types) > 0 {
		s.Type = p.TakesType
	}
	if before, after := Around(p.Event); !p.Event.IsZero() {
		s.After, s.Before = laterID(s.After, before), earlierID(s.Before, after)
	}
	if j.Cursor.Endpoint == endpoint && !j.Cursor.Event.IsZero() {
		s.After = j.Cursor.Event
	}
	return s
}

func laterID(a, b EventID) EventID {
	if bytes.Compare(a[:], b[:]) < 0 {
		return b
	}
	return a
}

func earlierID(a, b EventID) EventID {
	if bytes.Compare(a[:], b[:]) > 0 {
		return b
	}
	return a
}

// Selected is a part of what a Selection selects, oldest first.
type Selected struct {
	Items []JobItem
	Last  EventID // events up to this one are examined
	More  bool    // there are events behind Last
}

// JobItem is an event that a job selects, with its current delivery to the endpoint.
type JobItem struct {
	Event    EventID
	Delivery DeliveryID // zero: there is none
}

// JobStep is a step of a job, at one endpoint.
type JobStep struct {
	Job      *Job
	Endpoint string
	Items    []JobItem
	Skipped  int       // of what was selected, beside what the store skips
	Cursor   JobCursor // after the step
	Ended    bool      // the job is done after it
	Again    bool      // the job begins again after it: there may be more, also at endpoints that it has left behind
	Error    string    // the job has failed, for this reason
	Waiting  string    // what the job waits for
	Now      time.Time
}

// JobProgress is what a step has done.
type JobProgress struct {
	Job        *Job         // after the step
	Made       bool         // the step was made; false: the job was changed or ended since, or another node has made it
	Deliveries []DeliveryID // that were stored, restarted or canceled
	Busy       bool         // nothing was done: deliveries of one of the events are still being stored
}

// JobChange is what callers change of a job.
type JobChange struct {
	State JobState // JobRunning, JobPaused or JobCanceled; empty: as it is
	Rate  *float64 // nil: as it is
}

// Apply makes the change. Its error has CodeConflict if the job has ended.
func (j *Job) Apply(c JobChange, now time.Time) error {
	if j.State.Ended() {
		return Errorf(CodeConflict, "job %q is %s and cannot be changed", j.ID, j.State)
	}
	if c.Rate != nil {
		j.Rate = *c.Rate
	}
	if c.State != "" && c.State != j.State {
		j.State, j.Waiting = c.State, ""
	}
	if j.State == JobCanceled {
		j.FinishedAt = now
	}
	j.UpdatedAt = now
	return nil
}

// Advance records a step that did something to some deliveries and nothing to skipped ones. If more was selected on the way
// than was counted at first, Total grows.
func (j *Job) Advance(s *JobStep, acted, skipped int) {
	j.Steps++
	j.Done += acted
	j.Skipped += skipped + s.Skipped
	j.Total = max(j.Total, j.Done+j.Skipped)
	j.Cursor, j.Waiting, j.UpdatedAt = s.Cursor, s.Waiting, s.Now
	if acted > 0 {
		j.ActedAt = s.Now
	}
	switch {
	case s.Error != "":
		j.State, j.Error, j.Waiting, j.FinishedAt = JobFailed, s.Error, "", s.Now
	case s.Again:
		j.Cursor, j.Skipped = JobCursor{}, 0 // what it leaves out is counted again
	case s.Ended:
		j.State, j.Waiting, j.FinishedAt = JobDone, "", s.Now
		j.Total = j.Done + j.Skipped
	}
}

// JobBounds bound the jobs that have not ended, and those that are kept.
type JobBounds struct {
	OfTenant int // not ended, without those of bulk jobs
	InAll    int // not ended, of all tenants, without those of bulk jobs
	Kept     int // ended, of a tenant, without those of bulk jobs
}

// JobsFilter selects jobs. Zero fields select all.
type JobsFilter struct {
	Tenant string
	Bulk   JobID // the bulk job that they are parts of
}

// JobRetention is how long Purge keeps jobs that have ended.
const JobRetention = 30 * 24 * time.Hour

// Jobs is the part of a Store that holds jobs. Lists are newest first.
type Jobs interface {
	// CreateJob adds a running job. CodeRateLimited: as many as the bounds allow have not ended. It deletes the oldest ended jobs
	// of the tenant beyond the bounds.
	CreateJob(ctx context.Context, j *Job, bounds JobBounds) error
	// UpdateEndpointWithJob changes an endpoint as UpdateEndpoint does and adds a job as CreateJob does, both or neither.
	UpdateEndpointWithJob(ctx context.Context, ep *Endpoint, note ChangeNote, j *Job, bounds JobBounds) error
	Job(ctx context.Context, tenant string, id JobID) (*Job, error)
	// Jobs lists jobs.
	Jobs(ctx context.Context, f JobsFilter, page Page) (*List[*Job], error)
	// ChangeJob changes a job as Job.Apply does, and returns it.
	ChangeJob(ctx context.Context, tenant string, id JobID, c JobChange, now time.Time) (*Job, error)

	// Deferred reports whether deliveries of events of a selection are deferred to FanOut, to whichever endpoint.
	Deferred(ctx context.Context, s *Selection) (bool, error)
	// CountSelected counts what a selection selects, from indexes alone.
	CountSelected(ctx context.Context, s *Selection) (int, error)
	// Select returns the next of what a selection selects, after examining up to about limit events.
	Select(ctx context.Context, s *Selection, limit int) (*Selected, error)
	// CountJobDeliveries counts the deliveries that a job was the last one to do something to, of each status up to a limit.
	CountJobDeliveries(ctx context.Context, id JobID, limit int) (map[DeliveryStatus]int, error)
	// CountWaiting counts the endpoint's pending deliveries, up to a limit.
	CountWaiting(ctx context.Context, endpoint string, limit int) (int, error)

	// RunningJobs returns the running jobs of tenants in the leased shards, those of deleted tenants too.
	RunningJobs(ctx context.Context, leases *Leases) ([]*Job, error)
	// AdvanceJob makes a step of a job, and moves its place, if the job is still running and at the same step. It looks at each
	// item again, and skips those that the job does not select any more: an event gets a delivery only if its current one has one
	// of the job's statuses, or if there is none and the job selects missing ones. New and restarted deliveries are free, and get
	// the next numbers of an ordered endpoint.
	AdvanceJob(ctx context.Context, s *JobStep) (*JobProgress, error)
	// RestartDelivery begins the retry schedule of a delivery again, as DeliveryState.Restart does. CodeConflict: it has succeeded, or
	// is being attempted at this moment. A delivery of which nothing was attempted yet stays as it is.
	RestartDelivery(ctx context.Context, tenant string, id DeliveryID, now time.Time) (*Delivery, error)
}
