package storetest

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var bulkJobTests = []test{
	{name: "BulkJobs/Life", run: bulkJobLife},
	{name: "BulkJobs/AreBounded", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		w.check(w.store.CreateBulkJob(w.ctx, w.bulkJob(t, other), 3))
		w.refused(w.store.CreateBulkJob(w.ctx, w.bulkJob(t, other), 3), bellwire.CodeRateLimited)
		w.equal("jobs after the refusal", len(w.jobs("")), 2)
		// They are beside the tenants' own jobs, and are not deleted to make room for those.
		bounds := bellwire.JobBounds{OfTenant: 1, InAll: 1, Kept: 0}
		bulk := w.jobs(t.ID)[0]
		_, err := w.store.ChangeJob(w.ctx, t.ID, bulk.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.now)
		w.check(err)
		w.check(w.store.CreateJob(w.ctx, w.newJob(t.ID, bellwire.JobCancel, bellwire.JobParams{Until: w.now}), bounds))
		w.equal("jobs of the tenant", len(w.jobs(t.ID)), 2)
		w.refused(w.store.CreateJob(w.ctx, w.newJob(other.ID, bellwire.JobCancel, bellwire.JobParams{Until: w.now}), bounds), bellwire.CodeRateLimited)
		w.check(w.store.CreateBulkJob(w.ctx, nil, 0))
	}},
	{name: "BulkJobs/AreListed", run: func(w *world) {
		one, two := w.tenant(), w.tenant()
		var want []*bellwire.BulkJob
		for _, tenants := range [][]*bellwire.Tenant{{one}, {one, two}, {two}} {
			jobs := w.bulkJob(tenants...)
			w.check(w.store.CreateBulkJob(w.ctx, jobs, 10))
			w.job(one.ID, bellwire.JobCancel, bellwire.JobParams{Until: w.now}) // is none
			b, err := w.store.BulkJob(w.ctx, jobs[0].Bulk)
			w.check(err)
			want = append(want, b)
			w.tick(time.Second)
		}
		slices.Reverse(want)
		for _, limit := range []int{1, 2, 3, 10} {
			w.equal("bulk jobs", pages(w, limit, func(page bellwire.Page) (*bellwire.List[*bellwire.BulkJob], error) {
				return w.store.BulkJobs(w.ctx, page)
			}), want)
		}
		_, err := w.store.BulkJobs(w.ctx, bellwire.Page{Limit: 1, After: "x"})
		w.refused(err, bellwire.CodeInvalid)
	}},
	{name: "BulkJobs/FindTenants", run: bulkTenants},
}

// bulkJob returns the jobs of a bulk job.
func (w *world) bulkJob(tenants ...*bellwire.Tenant) (jobs []*bellwire.Job) {
	id := bellwire.Next[bellwire.JobIDKind](w.ids, w.now)
	for i, t := range tenants {
		params := bellwire.JobParams{Since: w.now.Add(-time.Hour), Until: w.now}
		params.Choose(bellwire.JobRetry, "")
		j := w.newJob(t.ID, bellwire.JobRetry, params)
		j.Bulk, j.Total, j.Rate = id, i+1, 5
		jobs = append(jobs, j)
	}
	return jobs
}

func bulkJobLife(w *world) {
	tenants := []*bellwire.Tenant{w.tenant(), w.tenant(), w.tenant(), w.tenant()}
	gone := tenants[3]
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	jobs := w.bulkJob(tenants...)
	id := jobs[0].Bulk
	bulk := func() *bellwire.BulkJob {
		w.Helper()
		b, err := w.store.BulkJob(w.ctx, id)
		w.check(err)
		return b
	}
	_, err := w.store.BulkJob(w.ctx, id)
	w.refused(err, bellwire.CodeNotFound)
	w.check(w.store.CreateBulkJob(w.ctx, jobs, 10))
	w.check(w.store.CreateBulkJob(w.ctx, w.bulkJob(tenants[0]), 10))
	want := &bellwire.BulkJob{
		ID: id, Kind: bellwire.JobRetry, Params: jobs[0].Params, Rate: 5, Tenants: 3, Open: 3, Total: 6, CreatedAt: w.now, UpdatedAt: w.now,
	}
	w.equal("the bulk job", bulk(), want)
	w.equal("its state", bulk().State(), bellwire.JobRunning)

	for _, f := range []struct {
		bellwire.JobsFilter
		want []*bellwire.Job
	}{
		{bellwire.JobsFilter{Bulk: id}, []*bellwire.Job{jobs[2], jobs[1], jobs[0]}},
		{bellwire.JobsFilter{Bulk: id, Tenant: tenants[1].ID}, []*bellwire.Job{jobs[1]}},
		{bellwire.JobsFilter{Bulk: bellwire.JobID{1}}, nil},
	} {
		for _, limit := range []int{1, 10} {
			got := pages(w, limit, func(page bellwire.Page) (*bellwire.List[*bellwire.Job], error) {
				return w.store.Jobs(w.ctx, f.JobsFilter, page)
			})
			w.equal("its jobs", got, f.want)
		}
	}

	change := func(c bellwire.JobChange, limit, want int) {
		w.Helper()
		changed, err := w.store.ChangeBulkJob(w.ctx, id, c, w.tick(time.Second), limit)
		w.check(err)
		w.equal("how many were changed", changed, want)
	}
	pause, none := bellwire.JobChange{State: bellwire.JobPaused}, 0.0
	change(pause, 2, 2)
	w.equal("the state with two paused", bulk().State(), bellwire.JobRunning)
	change(pause, 2, 1)
	change(pause, 2, 0)
	w.equal("the state with all paused", bulk().State(), bellwire.JobPaused)
	change(bellwire.JobChange{Rate: &none}, 10, 3)
	change(bellwire.JobChange{Rate: &none}, 10, 0)
	w.equal("the rate", bulk().Rate, none)
	change(bellwire.JobChange{State: bellwire.JobRunning}, 10, 3)

	running := w.jobs(tenants[0].ID)
	first := running[slices.IndexFunc(running, func(j *bellwire.Job) bool { return j.Bulk == id })]
	w.advance(&bellwire.JobStep{Job: first, Skipped: 1, Ended: true, Now: w.now})
	w.advance(&bellwire.JobStep{Job: w.jobs(tenants[1].ID)[0], Waiting: "so", Now: w.now})
	b := bulk()
	w.equal("open, waiting, skipped", []int{b.Open, b.Waiting, b.Skipped}, []int{2, 1, 1})
	change(bellwire.JobChange{State: bellwire.JobCanceled}, 10, 2)
	b = bulk()
	w.equal("open, waiting, canceled", []int{b.Open, b.Waiting, b.Canceled}, []int{0, 0, 2})
	w.equal("the state in the end", []any{b.State(), b.Ended(), b.FinishedAt}, []any{bellwire.JobCanceled, true, w.now})
	w.equal("another bulk job", w.running()[0].Bulk == id, false)
}

// bulkTenants finds the tenants that have something to be done, in pages.
func bulkTenants(w *world) {
	var want []string
	var tenants []*bellwire.Tenant
	begin := w.now
	for range 4 {
		t := w.tenant()
		tenants = append(tenants, t)
		ep := w.endpoint(t)
		w.ended(ep, success)
		w.ended(ep, retryIn(time.Hour))
		w.tick(time.Second)
	}
	from := w.tick(time.Minute)
	for i, end := range []bellwire.Transition{spent, gone, success, spent} {
		w.ended(w.endpoint(tenants[i]), end)
	}
	waiting := w.tenant() // has something pending only
	w.publish(w.endpoint(waiting))
	until := w.tick(time.Minute)
	paused := w.reread(tenants[3])
	paused.Paused = true
	w.check(w.store.UpdateTenant(w.ctx, paused))
	late := w.tenant()
	w.ended(w.endpoint(late), spent)
	find := func(p bellwire.JobParams, limit int) (found []string) {
		for after := ""; ; {
			some, next, err := w.store.TenantsWith(w.ctx, &p, after, limit)
			w.check(err)
			found = append(found, some...)
			if after = next; next == "" {
				return found
			}
		}
	}
	choose := func(kind bellwire.JobKind, status string, since time.Time) bellwire.JobParams {
		p := bellwire.JobParams{Since: since, Until: until}
		p.Choose(kind, status)
		return p
	}
	ids := func(some ...*bellwire.Tenant) []string {
		want = nil
		for _, t := range some {
			want = append(want, t.ID)
		}
		slices.Sort(want)
		return want
	}
	for _, limit := range []int{1, 2, 100} {
		w.equal("failed", find(choose(bellwire.JobRetry, "", from), limit), ids(tenants[0], tenants[1]))
		w.equal("exhausted", find(choose(bellwire.JobRetry, "exhausted", from), limit), ids(tenants[0]))
		w.equal("retrying", find(choose(bellwire.JobRetry, "retrying", begin), limit), ids(tenants[:3]...))
		w.equal("retrying since", len(find(choose(bellwire.JobRetry, "retrying", from), limit)), 0)
		w.equal("all", find(choose(bellwire.JobReplay, bellwire.SelectAll, from), limit), ids(tenants[0], tenants[1], tenants[2], waiting, late))
	}
}
