package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// jobRetryAfter is how long the caller of a refused job should wait.
const jobRetryAfter = 30 * time.Second

// RefuseJob refuses a job if too many have not ended.
func RefuseJob(bounds bellwire.JobBounds, ofTenant, inAll int) error {
	switch {
	case ofTenant >= bounds.OfTenant:
		return &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "the tenant has " + bellwire.Number(ofTenant) + " jobs that have not ended, which is the most it may have",
			Hint:       "Wait until one has ended, or cancel one.",
			RetryAfter: jobRetryAfter,
		}
	case inAll >= bounds.InAll:
		return &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "all tenants together have " + bellwire.Number(inAll) + " jobs that have not ended, which is the most there may be",
			Hint:       "Wait until some have ended.",
			RetryAfter: jobRetryAfter,
		}
	}
	return nil
}

// CannotRestart returns the error of a delivery that cannot be restarted; nil if it stays as it is because nothing was
// attempted yet.
func CannotRestart(id bellwire.DeliveryID, st *bellwire.DeliveryState, now time.Time) error {
	if bellwire.Expired(st.ExpiresAt, now) {
		return bellwire.RefuseExpired(id, st.ExpiresAt)
	}
	switch st.Status {
	case bellwire.DeliverySucceeded:
		return &bellwire.Error{
			Code:    bellwire.CodeConflict,
			Message: "delivery \"" + id.String() + "\" has succeeded, so its retry schedule cannot begin again",
			Hint:    `Retry it once, or replay it with the status "all".`,
		}
	case bellwire.DeliveryRetrying:
		return &bellwire.Error{
			Code:       bellwire.CodeConflict,
			Message:    "delivery \"" + id.String() + "\" is being attempted at this moment",
			Hint:       "Try again in a moment.",
			RetryAfter: time.Second,
		}
	}
	return nil
}

// RefuseBulkJob refuses a bulk job if too many jobs of bulk jobs would not have ended.
func RefuseBulkJob(open, added, most int) error {
	if open+added <= most {
		return nil
	}
	return &bellwire.Error{
		Code: bellwire.CodeRateLimited,
		Message: bellwire.Number(added) + " tenants have something to be done and " + bellwire.Number(open) +
			" jobs of other bulk jobs have not ended, which are more than " + bellwire.Number(most) + " together",
		Hint:       "Wait until other bulk jobs have ended, or choose a shorter time or fewer event types.",
		RetryAfter: jobRetryAfter,
	}
}

// RateOf returns the rate that a change sets; -1: none.
func RateOf(c bellwire.JobChange) float64 {
	if c.Rate == nil {
		return -1
	}
	return *c.Rate
}

// maxJobsOfPage is the number of jobs after which a page of bulk jobs ends. All of them are added up for it.
const maxJobsOfPage = 20_000

// BulkJobs returns a page of bulk jobs before an id, newest first. next returns the id of the newest bulk job before another one,
// and whether there is one; read reads a bulk job.
func BulkJobs(page bellwire.Page, before [16]byte, next func(before [16]byte) (id [16]byte, found bool, err error),
	read func(bellwire.JobID) (*bellwire.BulkJob, error),
) (*bellwire.List[*bellwire.BulkJob], error) {
	list := new(bellwire.List[*bellwire.BulkJob])
	for jobs := 0; ; {
		id, found, err := next(before)
		if err != nil || !found {
			return list, err
		}
		if len(list.Items) == page.Limit || jobs >= maxJobsOfPage {
			list.Next = bellwire.MakeCursor(before[:])
			return list, nil
		}
		b, err := read(id)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, b)
		jobs += b.Tenants
		before = id
	}
}
