package api_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
)

// TestClientJobs calls what the client has for jobs, for endpoints and tenants under ids of one's own, and for erasing.
func TestClientJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, adminKey)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	tenant, err := c.PutTenant(ctx, client.Tenant{ID: "put", Name: "Put"})
	if must(t, tenant, err).ID != "put" || tenant.Name != "Put" {
		t.Errorf("%+v", tenant)
	}
	in := client.EndpointInput{URL: new("https://example.com/hooks"), Events: []string{"*"}}
	ep, err := c.PutEndpoint(ctx, "put", "ep_00000000000000000000000000000001", in)
	if must(t, ep, err).ID != "ep_00000000000000000000000000000001" {
		t.Errorf("%+v", ep)
	}
	event, err := c.Publish(ctx, "put", client.Publication{Type: "invoice.paid", Data: json.RawMessage(`{"total":1}`)})
	must(t, event, err)
	listed, err := c.Deliveries(ctx, "put", client.DeliveryFilter{}, client.Page{})
	id := must(t, listed, err).Data[0].ID

	selected := client.Selection{Endpoint: ep.ID, Filter: "data.total == 1", Event: event.ID, Dialect: "standard", Rate: 5}
	count, err := c.CountCancellations(ctx, "put", selected)
	if must(t, count, err).Total != 1 || count.TotalIsBound {
		t.Errorf("%+v", count)
	}
	cancel, err := c.CancelDeliveries(ctx, "put", selected)
	if must(t, cancel, err).Kind != client.JobCancel || cancel.Total != 1 || *cancel.Rate != 5 || *cancel.Params.Filter != selected.Filter || *cancel.Params.Event != event.ID || *cancel.Params.Dialect != "standard" {
		t.Errorf("%+v", cancel)
	}
	for _, step := range []struct {
		name  string
		call  func() (*client.Job, error)
		state client.JobState
		rate  float64
	}{
		{"pause", func() (*client.Job, error) { return c.PauseJob(ctx, "put", cancel.ID) }, client.JobPaused, 5},
		{"rate", func() (*client.Job, error) { return c.SetJobRate(ctx, "put", cancel.ID, 7) }, client.JobPaused, 7},
		{"resume", func() (*client.Job, error) { return c.ResumeJob(ctx, "put", cancel.ID) }, client.JobRunning, 7},
		{"look", func() (*client.Job, error) { return c.Job(ctx, "put", cancel.ID) }, client.JobRunning, 7},
		{"cancel", func() (*client.Job, error) { return c.CancelJob(ctx, "put", cancel.ID) }, client.JobCanceled, 7},
	} {
		j, err := step.call()
		if must(t, j, err).State != step.state || *j.Rate != step.rate || j.ID != cancel.ID {
			t.Errorf("%s: %+v", step.name, j)
		}
	}
	restarted, err := c.RestartDelivery(ctx, "put", id)
	if must(t, restarted, err).ID != id {
		t.Errorf("%+v", restarted)
	}
	canceled, err := c.CancelDelivery(ctx, "put", id)
	must(t, canceled, err)
	count, err = c.CountRetries(ctx, "put", client.Selection{})
	if must(t, count, err).Total != 1 {
		t.Errorf("%+v", count)
	}
	retry, err := c.RetryDeliveries(ctx, "put", client.Selection{Status: client.DeliveryCanceled})
	if must(t, retry, err).Kind != client.JobRetry || retry.Total != 1 {
		t.Errorf("%+v", retry)
	}
	if listed, err := c.Deliveries(ctx, "put", client.DeliveryFilter{Job: retry.ID}, client.Page{}); len(must(t, listed, err).Data) != 0 {
		t.Errorf("%+v", listed.Data)
	}
	all := client.BulkSelection{Since: time.Now().Add(-time.Hour)}
	sum, err := c.CountRetriesOfAllTenants(ctx, all)
	if must(t, sum, err).Total != 1 || sum.Tenants != 1 {
		t.Errorf("%+v", sum)
	}
	bulk, err := c.RetryAllTenants(ctx, all)
	if must(t, bulk, err).Kind != client.JobRetry || bulk.Total != 1 || bulk.Tenants != 1 || bulk.Open != 1 {
		t.Errorf("%+v", bulk)
	}
	parts, err := c.JobsOfBulkJob(ctx, bulk.ID, client.Page{})
	if len(must(t, parts, err).Data) != 1 || *parts.Data[0].BulkJob != bulk.ID {
		t.Errorf("%+v", parts)
	}
	if listed, err := c.BulkJobs(ctx, client.Page{}); len(must(t, listed, err).Data) != 1 || listed.Data[0].ID != bulk.ID || listed.Data[0].Total != 1 {
		t.Errorf("%+v", listed)
	}
	for _, step := range []struct {
		name  string
		call  func() (*client.BulkJob, error)
		state client.JobState
	}{
		{"pause", func() (*client.BulkJob, error) { return c.PauseBulkJob(ctx, bulk.ID) }, client.JobPaused},
		{"resume", func() (*client.BulkJob, error) { return c.ResumeBulkJob(ctx, bulk.ID) }, client.JobRunning},
		{"rate", func() (*client.BulkJob, error) { return c.SetBulkJobRate(ctx, bulk.ID, 7) }, client.JobRunning},
		{"cancel", func() (*client.BulkJob, error) { return c.CancelBulkJob(ctx, bulk.ID) }, client.JobCanceled},
		{"look", func() (*client.BulkJob, error) { return c.BulkJob(ctx, bulk.ID) }, client.JobCanceled},
	} {
		if b, err := step.call(); must(t, b, err).State != step.state || b.ID != bulk.ID {
			t.Errorf("%s: %+v", step.name, b)
		}
	}
	sum, err = c.CountReplayOfAllTenants(ctx, client.BulkSelection{Since: all.Since, Status: string(client.ReplayAll)})
	if must(t, sum, err).Total != 1 {
		t.Errorf("%+v", sum)
	}
	none, err := c.ReplayAllTenants(ctx, client.BulkSelection{Since: all.Since, Types: []string{"none"}})
	if must(t, none, err).ID != "" || none.Tenants != 0 {
		t.Errorf("%+v", none)
	}
	again := client.Replay{Endpoint: ep.ID, Since: time.Now().Add(-time.Hour), Types: []string{"invoice.*"}}
	count, err = c.CountReplay(ctx, "put", again)
	if must(t, count, err).Total != 1 {
		t.Errorf("%+v", count)
	}
	replay, err := c.Replay(ctx, "put", again)
	if must(t, replay, err).Kind != client.JobReplay || *replay.Params.Endpoint != ep.ID {
		t.Errorf("%+v", replay)
	}
	for name, list := range map[string]func() (*client.List[client.Job], error){
		"of the tenant": func() (*client.List[client.Job], error) { return c.Jobs(ctx, "put", client.Page{Limit: 1}) },
		"of all":        func() (*client.List[client.Job], error) { return c.AllJobs(ctx, client.Page{Limit: 1}) },
	} {
		jobs, err := list()
		if must(t, jobs, err); len(jobs.Data) != 1 || jobs.Data[0].ID != replay.ID || jobs.NextCursor == "" {
			t.Errorf("%s: %+v", name, jobs)
		}
	}
	var refusal *client.Error // this server's engine does not store the test
	if _, err := c.ProbeEndpoint(ctx, "put", ep.ID, "invoice.paid"); !errors.As(err, &refusal) || refusal.Code != client.CodeNotFound {
		t.Errorf("a probe: %v", err)
	}
	if err := c.EraseEvent(ctx, "put", event.ID); err != nil {
		t.Fatal(err)
	}
	erased, err := c.Event(ctx, "put", event.ID)
	if must(t, erased, err).Erased == nil || string(erased.Data) != "null" || erased.Erased.By.Role != client.RoleAdmin {
		t.Errorf("%+v", erased)
	}
}
