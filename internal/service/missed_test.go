package service_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// TestEnablingReplaysSinceItBroke checks since when events are replayed if an endpoint is enabled again.
func TestEnablingReplaysSinceItBroke(t *testing.T) {
	t.Parallel()
	status := func(s bellwire.EndpointStatus) func(*env, string) {
		return func(e *env, id string) { e.mustChange(id, service.EndpointInput{Status: &s}) }
	}
	fail := func(e *env, id string) { e.fail("acme", id, "it broke") }
	moved := func(e *env, id string) {
		e.mustChange(id, service.EndpointInput{URL: new("https://example.com/moved")})
	}
	gone := func(e *env, id string) { e.gone("acme", id) }
	failOld := func(e *env, id string) {
		acme, err := e.store.Tenant(e.t.Context(), "acme")
		if err != nil {
			e.t.Fatal(err)
		}
		// As the replay of an event that was accepted long ago, it begins now.
		event := bellwire.NewID[bellwire.EventKind](time.Now().Add(-20 * 24 * time.Hour))
		results, err := e.store.AppendEvents(e.t.Context(), []*bellwire.Append{{TenantRevision: acme.Revision, Events: []*bellwire.NewEvent{{
			Event:      bellwire.Event{ID: event, Tenant: "acme", Type: "order.created", Data: []byte(`{}`), CreatedAt: time.Now(), Deliveries: 1},
			Deliveries: []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(event, 0), Endpoint: id}},
		}}}})
		if err != nil || results[0].Err != nil {
			e.t.Fatal(err, results)
		}
		e.endOf(bellwire.DeliveryOf(event, 0), id, "it broke", bellwire.Transition{Status: bellwire.DeliveryExhausted})
	}
	for name, c := range map[string]struct {
		steps []func(*env, string)
		from  int           // the step since which events are replayed
		early time.Duration // how much earlier at most
	}{
		"disabled":                    {[]func(*env, string){status(bellwire.EndpointDisabled)}, 0, 0},
		"paused, then disabled":       {[]func(*env, string){status(bellwire.EndpointPaused), status(bellwire.EndpointDisabled)}, 0, 0},
		"disabled twice":              {[]func(*env, string){status(bellwire.EndpointDisabled), status(bellwire.EndpointEnabled), status(bellwire.EndpointPaused)}, 2, 0},
		"disabled and changed":        {[]func(*env, string){status(bellwire.EndpointDisabled), moved}, 0, 0},
		"failing":                     {[]func(*env, string){fail}, 0, bellwire.DefaultTimeout},
		"failing, an old event first": {[]func(*env, string){failOld}, 0, bellwire.DefaultTimeout},
		"failing, then disabled":      {[]func(*env, string){fail, status(bellwire.EndpointDisabled)}, 0, bellwire.DefaultTimeout},
		"disabled by Bellwire":        {[]func(*env, string){gone}, 0, bellwire.DefaultTimeout},
		"by Bellwire, then a new URL": {[]func(*env, string){gone, moved}, 0, bellwire.DefaultAutoDisableAfter},
		"by Bellwire, then not by it": {[]func(*env, string){gone, status(bellwire.EndpointPaused)}, 0, bellwire.DefaultTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			ep := e.endpointOf(e.tenant("acme"), time.Now().Add(-30*24*time.Hour))
			var began, ended time.Time
			for i, step := range c.steps {
				if i == c.from {
					began = time.Now()
				}
				step(e, ep.ID)
				if i == c.from {
					ended = time.Now()
				}
			}
			missed, err := e.CountMissed(t.Context(), admin, "acme", ep.ID)
			if err != nil {
				t.Fatal(err)
			}
			shown, err := e.Endpoint(t.Context(), admin, "acme", ep.ID)
			if err != nil {
				t.Fatal(err)
			}
			if on := shown.Status == bellwire.EndpointEnabled; on != missed.StoppedAt.IsZero() || missed.StoppedAt.After(time.Now()) {
				t.Errorf("it is %s, and was stopped at %s", shown.Status, missed.StoppedAt)
			}
			updated, err := e.UpdateEndpoint(t.Context(), admin, "acme", ep.ID, enabling())
			if err != nil {
				t.Fatal(err)
			}
			since := updated.Replay.Params.Since
			// Stored times are whole microseconds, and those in ids whole milliseconds.
			if from := began.Add(-c.early - time.Millisecond); since.Before(from) || since.After(ended.Add(-c.early)) {
				t.Errorf("since %s, want between %s and %s", since, from, ended.Add(-c.early))
			}
			job, err := e.Job(t.Context(), admin, "acme", updated.Replay.ID)
			if err != nil || job.Params.Status != bellwire.SelectMissed || !job.Params.Until.After(updated.UpdatedAt) {
				t.Errorf("the job is %+v, %v", job, err)
			}
		})
	}
}

// An endpoint has missed nothing before it was created.
func TestMissedSinceItWasCreated(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ep := e.endpoint(e.tenant("acme"))
	e.gone("acme", ep.ID)
	e.mustChange(ep.ID, service.EndpointInput{URL: new("https://example.com/moved")})
	missed, err := e.CountMissed(t.Context(), admin, "acme", ep.ID)
	if err != nil || !missed.Since.Equal(ep.CreatedAt) {
		t.Errorf("since %+v, %v, want %s", missed, err, ep.CreatedAt)
	}
}

// endpointOf creates an endpoint that was created at a time in another system.
func (e *env) endpointOf(tenant string, at time.Time) *service.Endpoint {
	e.t.Helper()
	in := minimal()
	in.Origins = &service.Origins{CreatedAt: at}
	ep, _, err := e.CreateEndpoint(e.t.Context(), admin, tenant, in)
	if err != nil {
		e.t.Fatal(err)
	}
	return ep
}

func enabling() service.EndpointInput {
	return service.EndpointInput{Status: new(bellwire.EndpointEnabled), Replay: bellwire.SelectMissed}
}

// TestEnablingWithoutRoomForTheReplay leaves the endpoint as it is.
func TestEnablingWithoutRoomForTheReplay(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ep := e.endpoint(e.tenant("acme"))
	for {
		_, err := e.CreateJob(t.Context(), admin, "acme", service.JobInput{Kind: bellwire.JobCancel})
		if err != nil {
			wantCode(t, err, bellwire.CodeRateLimited, "")
			break
		}
	}
	e.mustChange(ep.ID, service.EndpointInput{Status: new(bellwire.EndpointDisabled)})
	_, err := e.UpdateEndpoint(t.Context(), admin, "acme", ep.ID, enabling())
	wantCode(t, err, bellwire.CodeRateLimited, "")
	if got, err := e.Endpoint(t.Context(), admin, "acme", ep.ID); err != nil || got.Status != bellwire.EndpointDisabled {
		t.Errorf("the endpoint is %+v, %v", got, err)
	}
}

func (e *env) mustChange(id string, in service.EndpointInput) {
	e.t.Helper()
	if _, err := e.UpdateEndpoint(e.t.Context(), admin, "acme", id, in); err != nil {
		e.t.Fatal(err)
	}
}
