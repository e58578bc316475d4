package api_test

import "testing"

// TestJobs counts, starts, steers and refuses jobs.
func TestJobs(t *testing.T) {
	const (
		of       = "/tenants/acme"
		replays  = of + "/replays"
		since    = `"since":"2020-01-01T00:00:00Z"`
		one      = of + "/jobs/{job}"
		endpoint = `"endpoint":"{ep}"`
	)
	run(t, []step{
		{name: "event", method: "POST", path: of + "/events", body: `{"type":"invoice.paid","data":{}}`, status: 202, save: "event=id"},
		{name: "endpoint", method: "POST", path: of + "/endpoints", body: `{"url":"https://example.com","events":["*"]}`, status: 201, save: "ep=id"},
		{name: "dry run", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"missing","dry_run":true}`, status: 200, want: `{"total":1}`},
		{name: "failed", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"dry_run":true}`, status: 200, want: `{"total":0}`},
		{name: "none filtered", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"all","filter":"type == 'invoice.sent'","dry_run":true}`, status: 200, want: `{"total":0}`},
		{name: "filtered count", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"all","types":["invoice.*"],"filter":"type == 'invoice.paid'","dry_run":true}`,
			status: 200, want: `{"total":1,"total_is_bound":false}`},
		{name: "not in the schema", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"missing","filter":"data.absent > 3","dry_run":true}`, status: 422, problem: "invalid filter"},
		{name: "not a filter", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"filter":"data.n >"}`, status: 422, problem: "invalid filter"},
		{name: "no job yet", method: "GET", path: of + "/jobs", status: 200, want: `{"data":[]}`},
		{name: "replay", method: "POST", path: replays, key: "tenant", body: `{` + endpoint + `,` + since + `,"status":"missing","rate":2.5}`, status: 202, save: "job=id",
			want: `{"tenant":"acme","kind":"replay","state":"running","total":1,"done":0,"skipped":0,"rate":2.5,"params":{"endpoint":"{ep}","status":"missing","types":[]},"error":""}`},
		{name: "get", method: "GET", path: one, key: "tenant-read", status: 200, want: `{"id":"{job}"}`},
		{name: "list", method: "GET", path: of + "/jobs", key: "tenant-read", status: 200, want: `{"data":[{"id":"{job}"}]}`},
		{name: "of all", method: "GET", path: "/jobs", status: 200, want: `{"data":[{"id":"{job}"}]}`},
		{name: "of all by a tenant", method: "GET", path: "/jobs", key: "tenant", status: 403, problem: "forbidden"},
		{name: "by a stranger", method: "GET", path: one, key: "other", status: 404, problem: "not_found"},
		{name: "pause", method: "POST", path: one + "/pause", key: "tenant", status: 200, want: `{"state":"paused"}`},
		{name: "by a reader", method: "POST", path: one + "/resume", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "resume", method: "POST", path: one + "/resume", status: 200, want: `{"state":"running"}`},
		{name: "rate", method: "PATCH", path: one, body: `{"rate":10}`, status: 200, want: `{"rate":10}`},
		{name: "rate of 0", method: "PATCH", path: one, body: `{"rate":0}`, status: 422, problem: "invalid rate"},
		{name: "no rate given", method: "PATCH", path: one, body: `{}`, status: 422, problem: "invalid rate"},
		{name: "no rate", method: "PATCH", path: one, body: `{"rate":null}`, status: 200, want: `{"rate":null}`},
		{name: "cancel", method: "POST", path: one + "/cancel", status: 200, want: `{"state":"canceled","finished_at":"*"}`},
		{name: "resume what has ended", method: "POST", path: one + "/resume", status: 409, problem: "conflict"},
		{name: "unknown job", method: "GET", path: of + "/jobs/job_00000000000000000000000000000001", status: 404, problem: "not_found"},

		{name: "nothing given", method: "POST", path: replays, body: `{}`, status: 422, problem: "invalid endpoint"},
		{name: "unknown endpoint", method: "POST", path: replays, body: `{"endpoint":"ep_x",` + since + `}`, status: 422, problem: "invalid endpoint"},
		{name: "no since", method: "POST", path: replays, body: `{` + endpoint + `}`, status: 422, problem: "invalid since"},
		{name: "since the future", method: "POST", path: replays, body: `{` + endpoint + `,"since":"2999-01-01T00:00:00Z"}`, status: 422, problem: "invalid since"},
		{name: "until before since", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"until":"2019-01-01T00:00:00Z"}`, status: 422, problem: "invalid until"},
		{name: "not a time", method: "POST", path: replays, body: `{` + endpoint + `,"since":"yesterday"}`, status: 422, problem: "invalid since"},
		{name: "not a type", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"types":["a b"]}`, status: 422, problem: "invalid types[0]"},
		{name: "not a status", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"pending"}`, status: 422, problem: "invalid status"},
		{name: "not a rate", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"rate":-1}`, status: 422, problem: "invalid rate"},
		{name: "unknown field", method: "POST", path: replays, body: `{"endpoints":"x"}`, status: 422, problem: "invalid endpoints"},
		{name: "retry all", method: "POST", path: of + "/deliveries/retry", status: 202, want: `{"kind":"retry","total":0,"params":{"endpoint":null,"status":"failed"}}`},
		{name: "retry what succeeded", method: "POST", path: of + "/deliveries/retry", body: `{"status":"succeeded"}`, status: 422, problem: "invalid status"},
		{name: "cancel all", method: "POST", path: of + "/deliveries/cancel", body: `{"dry_run":true}`, status: 200, want: `{"total":0}`},
		{name: "by event, dialect and outcome", method: "POST", path: of + "/deliveries/cancel", body: `{"event":"evt_00000000000000000000000000000001","dialect":"latin","outcome":"bad"}`, status: 422, problem: "invalid event"},
		{name: "the event of none", method: "POST", path: of + "/deliveries/cancel", body: `{"event":"evt_00000000000000000000000000000000"}`, status: 422, problem: "invalid event"},
		{name: "deliveries of a job", method: "GET", path: of + "/deliveries?job={job}", key: "tenant-read", status: 200, want: `{"data":[]}`},
		{name: "of a job and an endpoint", method: "GET", path: of + "/deliveries?job={job}&endpoint={ep}&status=pending", status: 200, want: `{"data":[]}`},
		{name: "of a job of all", method: "GET", path: "/deliveries?job={job}", status: 200, want: `{"data":[]}`},
		{name: "of an unknown job", method: "GET", path: "/deliveries?job=job_00000000000000000000000000000001", status: 200, want: `{"data":[]}`},
		{name: "of what is no job", method: "GET", path: of + "/deliveries?job=7", status: 422, problem: "invalid job"},
		{name: "list the event of none", method: "GET", path: of + "/deliveries?event=evt_00000000000000000000000000000000", status: 422, problem: "invalid event"},
		{name: "no dialect", method: "POST", path: of + "/deliveries/cancel", body: `{"dialect":"latin"}`, status: 422, problem: "invalid dialect"},
		{name: "no outcome", method: "POST", path: of + "/deliveries/retry", body: `{"outcome":"bad"}`, status: 422, problem: "invalid outcome"},
		{name: "no event", method: "POST", path: of + "/deliveries/retry", body: `{"event":"order-1"}`, status: 422, problem: "invalid event"},
		{name: "another's event", method: "POST", path: "/tenants/other/deliveries/retry", body: `{"event":"{event}"}`, status: 422, problem: "invalid event"},
		{name: "of nothing", method: "POST", path: of + "/deliveries/retry", body: `{"event":"{event}","dialect":"standard","outcome":"timeout"}`, status: 202,
			want: `{"total":0,"params":{"event":"{event}","dialect":"standard","outcome":"timeout"}}`},
		{name: "cancel what ended", method: "POST", path: of + "/deliveries/cancel", body: `{"status":"exhausted"}`, status: 422, problem: "invalid status"},
		{name: "disable", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"disabled"}`, status: 200},
		{name: "missed by a disabled one", method: "POST", path: of + "/events", body: `{"type":"invoice.paid","data":{}}`, status: 202},
		{name: "replay without a status", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"replay":"missed"}`, status: 422, problem: "invalid replay"},
		{name: "replay on disabling", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"disabled","replay":"missed"}`, status: 422, problem: "invalid replay"},
		{name: "replay of something else", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"enabled","replay":"all","timeout":"0s"}`, status: 422, problem: "invalid replay"},
		{name: "enable and replay by a reader", method: "PATCH", path: of + "/endpoints/{ep}", key: "tenant-read", body: `{"status":"enabled","replay":"missed"}`, status: 403, problem: "forbidden"},
		{name: "still disabled", method: "GET", path: of + "/endpoints/{ep}", status: 200, want: `{"status":"disabled"}`},
		{name: "what it has missed, by a reader", method: "GET", path: of + "/endpoints/{ep}/missed", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "what it has missed", method: "GET", path: of + "/endpoints/{ep}/missed", key: "tenant", status: 200, want: `{"total":1,"total_is_bound":false,"since":"*","stopped_at":"*"}`},
		{name: "enable and replay", method: "PATCH", path: of + "/endpoints/{ep}", key: "tenant", body: `{"status":"enabled","replay":"missed","description":"mended"}`, status: 200, save: "job=replay.id",
			want: `{"status":"enabled","description":"mended","replay":{"kind":"replay","state":"running","total":1,"params":{"endpoint":"{ep}","status":"missed","since":"*"}}}`},
		{name: "the job", method: "GET", path: one, status: 200, want: `{"id":"{job}","total":1,"deliveries":{"waiting":0,"succeeded":0,"exhausted":0,"canceled":0,"capped":false}}`},
		{name: "nothing missed", method: "GET", path: of + "/endpoints/{ep}/missed", status: 409, problem: "conflict"},
		{name: "enable and replay again", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"enabled","replay":"missed"}`, status: 409, problem: "conflict"},
		{name: "enable only", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"enabled"}`, status: 200, without: []string{"replay"}},
		{name: "new endpoint with a replay", method: "POST", path: of + "/endpoints", body: `{"url":"https://example.com","events":["*"],"replay":"missed"}`, status: 422, problem: "invalid replay"},
		{name: "missed", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"missed","dry_run":true}`, status: 200},
		{name: "disable again", method: "PATCH", path: of + "/endpoints/{ep}", body: `{"status":"disabled"}`, status: 200},
		{name: "count for a disabled one", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `,"status":"missing","dry_run":true}`, status: 200},
		{name: "replay to a disabled one", method: "POST", path: replays, body: `{` + endpoint + `,` + since + `}`, status: 409, problem: "conflict"},
	})
}

// TestBulkJobs counts, starts, steers and refuses jobs over all tenants.
func TestBulkJobs(t *testing.T) {
	const (
		since = `"since":"2020-01-01T00:00:00Z"`
		one   = "/bulk-jobs/{bulk}"
		jobs  = "/jobs?bulk_job={bulk}"
	)
	run(t, []step{
		{name: "event", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{}}`, status: 202},
		{name: "endpoint", method: "POST", path: "/tenants/acme/endpoints", body: `{"url":"https://example.com","events":["*"]}`, status: 201, save: "ep=id"},
		{name: "endpoint of another", method: "POST", path: "/tenants/other/endpoints", body: `{"url":"https://example.com","events":["*"]}`, status: 201},
		{name: "nothing to be done", method: "POST", path: "/deliveries/retry", body: `{` + since + `}`, status: 200, want: `{"total":0,"tenants":0,"total_is_bound":false}`},
		{name: "dry run", method: "POST", path: "/replays", body: `{` + since + `,"status":"missing","dry_run":true}`, status: 200, want: `{"total":1,"tenants":1,"total_is_bound":false}`},
		{name: "filtered", method: "POST", path: "/replays", body: `{` + since + `,"status":"missing","filter":"type == 'x'","dry_run":true}`, status: 200, want: `{"total":1,"total_is_bound":true}`},
		{name: "of another time", method: "POST", path: "/replays", body: `{` + since + `,"until":"2021-01-01T00:00:00Z","status":"missing","dry_run":true}`, status: 200, want: `{"total":0,"tenants":0}`},
		{name: "by a tenant", method: "POST", path: "/replays", key: "tenant", body: `{` + since + `}`, status: 403, problem: "forbidden"},
		{name: "no since", method: "POST", path: "/deliveries/retry", body: `{}`, status: 422, problem: "invalid since"},
		{name: "since the future", method: "POST", path: "/deliveries/retry", body: `{"since":"2999-01-01T00:00:00Z"}`, status: 422, problem: "invalid since"},
		{name: "not a status", method: "POST", path: "/deliveries/retry", body: `{` + since + `,"status":"missing"}`, status: 422, problem: "invalid status"},
		{name: "not a filter", method: "POST", path: "/deliveries/retry", body: `{` + since + `,"filter":"data.n >"}`, status: 422, problem: "invalid filter"},
		{name: "of one endpoint", method: "POST", path: "/replays", body: `{` + since + `,"endpoint":"{ep}"}`, status: 422, problem: "invalid endpoint"},
		{name: "start", method: "POST", path: "/replays", body: `{` + since + `,"status":"missing","rate":5}`, status: 202, save: "bulk=id",
			want: `{"kind":"replay","state":"running","tenants":1,"open":1,"total":1,"done":0,"rate":5,"params":{"status":"missing","endpoint":null},"finished_at":null}`},
		{name: "get", method: "GET", path: one, status: 200, want: `{"id":"{bulk}","tenants":1}`},
		{name: "get by a tenant", method: "GET", path: one, key: "tenant", status: 403, problem: "forbidden"},
		{name: "list", method: "GET", path: "/bulk-jobs", status: 200, want: `{"data":[{"id":"{bulk}","state":"running","tenants":1,"total":1}],"next_cursor":null}`},
		{name: "list by a tenant", method: "GET", path: "/bulk-jobs", key: "tenant", status: 403, problem: "forbidden"},
		{name: "find", method: "GET", path: "/ids/{bulk}", status: 200, want: `{"data":[{"kind":"bulk_job","tenant":null,"id":"{bulk}","path":"/api/v1/bulk-jobs/{bulk}"}]}`},
		{name: "find by a tenant", method: "GET", path: "/ids/{bulk}", key: "tenant", status: 404, problem: "not_found"},
		{name: "its jobs", method: "GET", path: jobs, status: 200, save: "job=data.0.id", want: `{"data":[{"tenant":"acme","bulk_job":"{bulk}","total":1}]}`},
		{name: "the tenant's job", method: "GET", path: "/tenants/acme/jobs/{job}", key: "tenant", status: 200, want: `{"bulk_job":"{bulk}"}`},
		{name: "jobs of none", method: "GET", path: "/jobs?bulk_job={job}", status: 200, want: `{"data":[]}`},
		{name: "jobs of nonsense", method: "GET", path: "/jobs?bulk_job=1", status: 422, problem: "invalid bulk_job"},
		{name: "pause", method: "POST", path: one + "/pause", status: 200, want: `{"state":"paused"}`},
		{name: "the job is paused", method: "GET", path: jobs, status: 200, want: `{"data":[{"state":"paused"}]}`},
		{name: "resume", method: "POST", path: one + "/resume", status: 200, want: `{"state":"running"}`},
		{name: "rate", method: "PATCH", path: one, body: `{"rate":10}`, status: 200, want: `{"rate":10}`},
		{name: "rate of 0", method: "PATCH", path: one, body: `{"rate":0}`, status: 422, problem: "invalid rate"},
		{name: "no rate", method: "PATCH", path: one, body: `{"rate":null}`, status: 200, want: `{"rate":null}`},
		{name: "cancel by a tenant", method: "POST", path: one + "/cancel", key: "tenant", status: 403, problem: "forbidden"},
		{name: "cancel", method: "POST", path: one + "/cancel", status: 200, want: `{"state":"canceled","open":0,"finished_at":"*"}`},
		{name: "cancel again", method: "POST", path: one + "/cancel", status: 409, problem: "conflict"},
		{name: "unknown", method: "GET", path: "/bulk-jobs/job_00000000000000000000000000000001", status: 404, problem: "not_found"},
		{name: "no id", method: "GET", path: "/bulk-jobs/7", status: 404, problem: "not_found"},
		{name: "a tenant's job", method: "GET", path: "/bulk-jobs/{job}", status: 404, problem: "not_found"},
		{name: "pause the tenant", method: "PATCH", path: "/tenants/acme", body: `{"status":"paused"}`, status: 200},
		{name: "of paused tenants", method: "POST", path: "/replays", body: `{` + since + `,"status":"missing"}`, status: 200, want: `{"total":0,"tenants":0}`},
	})
}
