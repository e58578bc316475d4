package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// resources are the arguments of a use case: a tenant, and one resource of each kind.
type resources struct {
	tenant   string
	key      bellwire.KeyID
	endpoint string
	event    bellwire.EventID
	delivery bellwire.DeliveryID
	job      bellwire.JobID
}

func (e *env) resources(tenant string) resources {
	e.t.Helper()
	e.tenant(tenant)
	key, _, err := e.CreateKey(e.t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		e.t.Fatal(err)
	}
	ep := e.endpoint(tenant)
	d := e.delivery(tenant, ep.ID)
	j, err := e.CreateJob(e.t.Context(), admin, tenant, service.JobInput{Kind: bellwire.JobCancel, Endpoint: e.endpoint(tenant).ID})
	if err != nil {
		e.t.Fatal(err)
	}
	return resources{tenant: tenant, key: key.ID, endpoint: ep.ID, event: d.Event, delivery: d.ID, job: j.ID}
}

type useCase struct {
	name  string
	roles string // who may: a(dmin), p(ublisher), t(enant), r(ead)
	wide  bool   // it is about no tenant
	call  func(e *env, c service.Caller, on resources) error
}

var draft = service.Draft{Type: "order.created", Data: []byte(`{}`)}

// useCases are all that a Service can be asked to do, with the roles of the public contract.
var useCases = []useCase{
	{"CreateTenant", "a", true, func(e *env, c service.Caller, on resources) error {
		_, err := e.CreateTenant(e.t.Context(), c, service.NewTenant{ID: on.tenant + "-more"})
		return err
	}},
	{"Tenants", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.Tenants(e.t.Context(), c, bellwire.Page{})
		return err
	}},
	{"Tenant", "a", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Tenant(e.t.Context(), c, on.tenant)
		return err
	}},
	{"UpdateTenant", "a", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.UpdateTenant(e.t.Context(), c, on.tenant, service.TenantChange{Name: new("Acme")})
		return err
	}},
	{"DeleteTenant", "a", false, func(e *env, c service.Caller, on resources) error {
		return e.DeleteTenant(e.t.Context(), c, on.tenant)
	}},
	{"TenantGoneBy", "a", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.TenantGoneBy(e.t.Context(), c, on.tenant)
		return err
	}},
	{"CreateKey of operator", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, _, err := e.CreateKey(e.t.Context(), c, "", service.NewKey{Role: bellwire.RolePublisher})
		return err
	}},
	{"Keys of operator", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.Keys(e.t.Context(), c, "", bellwire.Page{})
		return err
	}},
	{"CreateKey", "a", false, func(e *env, c service.Caller, on resources) error {
		_, _, err := e.CreateKey(e.t.Context(), c, on.tenant, service.NewKey{Role: bellwire.RoleTenant})
		return err
	}},
	{"Keys", "a", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Keys(e.t.Context(), c, on.tenant, bellwire.Page{})
		return err
	}},
	{"DeleteKey", "a", false, func(e *env, c service.Caller, on resources) error {
		return e.DeleteKey(e.t.Context(), c, on.tenant, on.key)
	}},
	{"PutEventType", "a", true, func(e *env, c service.Caller, on resources) error {
		_, _, err := e.PutEventType(e.t.Context(), c, "more."+on.tenant, service.EventTypeInput{})
		return err
	}},
	{"AddVersion", "a", true, func(e *env, c service.Caller, on resources) error {
		e.putType("more."+on.tenant, service.EventTypeInput{})
		_, err := e.AddVersion(e.t.Context(), c, "more."+on.tenant, service.NewVersion{Converter: "data"})
		return err
	}},
	{"PutConverter", "a", true, func(e *env, c service.Caller, on resources) error {
		e.putType("other."+on.tenant, service.EventTypeInput{})
		if _, err := e.AddVersion(e.t.Context(), admin, "other."+on.tenant, service.NewVersion{Converter: "data"}); err != nil {
			e.t.Fatal(err)
		}
		_, err := e.PutConverter(e.t.Context(), c, "other."+on.tenant, 1, "data")
		return err
	}},
	{"EndpointVersions", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.EndpointVersions(e.t.Context(), c, on.tenant, on.endpoint)
		return err
	}},
	{"PreviewVersions", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.PreviewVersions(e.t.Context(), c, on.tenant, on.endpoint, service.VersionTrial{Versions: map[string]int{"order.created": 1}})
		return err
	}},
	{"EventType", "aptr", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.EventType(e.t.Context(), c, "order.created")
		return err
	}},
	{"EventTypes", "aptr", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.EventTypes(e.t.Context(), c, bellwire.Page{})
		return err
	}},
	{"DeleteEventType", "a", true, func(e *env, c service.Caller, on resources) error {
		e.putType("gone."+on.tenant, service.EventTypeInput{})
		return e.DeleteEventType(e.t.Context(), c, "gone."+on.tenant)
	}},
	{"CreateEndpoint", "at", false, func(e *env, c service.Caller, on resources) error {
		_, _, err := e.CreateEndpoint(e.t.Context(), c, on.tenant, minimal())
		return err
	}},
	{"Endpoint", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Endpoint(e.t.Context(), c, on.tenant, on.endpoint)
		return err
	}},
	{"Endpoints", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Endpoints(e.t.Context(), c, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: on.tenant}}, bellwire.Page{})
		return err
	}},
	{"AllEndpoints", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.AllEndpoints(e.t.Context(), c, service.EndpointQuery{}, bellwire.Page{})
		return err
	}},
	{"UpdateEndpoint", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.UpdateEndpoint(e.t.Context(), c, on.tenant, on.endpoint, service.EndpointInput{Description: new("new")})
		return err
	}},
	{"DeleteEndpoint", "at", false, func(e *env, c service.Caller, on resources) error {
		return e.DeleteEndpoint(e.t.Context(), c, on.tenant, on.endpoint)
	}},
	{"EndpointHistory", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.EndpointHistory(e.t.Context(), c, on.tenant, on.endpoint, bellwire.Page{})
		return err
	}},
	{"EndpointSecret", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.EndpointSecret(e.t.Context(), c, on.tenant, on.endpoint)
		return err
	}},
	{"RotateSecret", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.RotateSecret(e.t.Context(), c, on.tenant, on.endpoint, nil)
		return err
	}},
	{"TestEndpoint", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.TestEndpoint(e.t.Context(), c, on.tenant, on.endpoint, "")
		return err
	}},
	{"ProbeEndpoint", "at", false, func(e *env, c service.Caller, on resources) error {
		before := len(e.engine.tests)
		_, err := e.ProbeEndpoint(e.t.Context(), c, on.tenant, on.endpoint, "")
		if len(e.engine.tests) > before {
			return nil // the fake engine has no delivery to wait for
		}
		return err
	}},
	{"Publish", "ap", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Publish(e.t.Context(), c, on.tenant, draft)
		return err
	}},
	{"PublishBatch", "ap", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.PublishBatch(e.t.Context(), c, on.tenant, []service.Draft{draft})
		return err
	}},
	{"Event", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Event(e.t.Context(), c, on.tenant, on.event)
		return err
	}},
	{"Explain", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, _, err := e.Explain(e.t.Context(), c, on.tenant, on.event, bellwire.Page{})
		return err
	}},
	{"Events", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Events(e.t.Context(), c, bellwire.EventFilter{Tenant: on.tenant}, bellwire.Page{})
		return err
	}},
	{"Delivery", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, _, err := e.Delivery(e.t.Context(), c, on.tenant, on.delivery)
		return err
	}},
	{"EventsByKey", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.EventsByKey(e.t.Context(), c, bellwire.EventFilter{Tenant: on.tenant}, "k")
		return err
	}},
	{"FindDeliveries", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.FindDeliveries(e.t.Context(), c, service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Tenant: on.tenant}}, bellwire.Page{})
		return err
	}},
	{"Subscriptions", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, _, err := e.Subscriptions(e.t.Context(), c)
		return err
	}},
	{"Backlog", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.Backlog(e.t.Context(), c)
		return err
	}},
	{"FindAllEvents", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.FindAllEvents(e.t.Context(), c, service.EventQuery{}, bellwire.Page{})
		return err
	}},
	{"FindAllDeliveries", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.FindAllDeliveries(e.t.Context(), c, service.DeliveryQuery{}, bellwire.Page{})
		return err
	}},
	{"FindID", "atr", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.FindID(e.t.Context(), c, "acme")
		if bellwire.CodeOf(err) == bellwire.CodeNotFound {
			return nil
		}
		return err
	}},
	{"Dialects", "atr", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.Dialects(c)
		return err
	}},
	{"BulkJobs", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.BulkJobs(e.t.Context(), c, bellwire.Page{})
		return err
	}},
	{"DeliveryBody", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.DeliveryBody(e.t.Context(), c, on.tenant, on.delivery, 0)
		return err
	}},
	{"WaitingFor", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.WaitingFor(e.t.Context(), c, &bellwire.Delivery{ID: on.delivery, Tenant: on.tenant, Endpoint: on.endpoint, Status: bellwire.DeliveryPending})
		return err
	}},
	{"Deliveries", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Deliveries(e.t.Context(), c, bellwire.DeliveryFilter{Tenant: on.tenant}, bellwire.Page{})
		return err
	}},
	{"RetryDelivery", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.RetryDelivery(e.t.Context(), c, on.tenant, on.delivery, false)
		return err
	}},
	{"CancelDelivery", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.CancelDelivery(e.t.Context(), c, on.tenant, on.delivery)
		return err
	}},
	{"CountJob", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.CountJob(e.t.Context(), c, on.tenant, service.JobInput{Kind: bellwire.JobRetry, Endpoint: on.endpoint})
		return err
	}},
	{"CreateJob", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.CreateJob(e.t.Context(), c, on.tenant, service.JobInput{Kind: bellwire.JobRetry, Endpoint: on.endpoint})
		return err
	}},
	{"Job", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Job(e.t.Context(), c, on.tenant, on.job)
		return err
	}},
	{"Jobs", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.Jobs(e.t.Context(), c, bellwire.JobsFilter{Tenant: on.tenant}, bellwire.Page{})
		return err
	}},
	{"Jobs of all", "a", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.Jobs(e.t.Context(), c, bellwire.JobsFilter{}, bellwire.Page{})
		return err
	}},
	{"ChangeJob", "at", false, func(e *env, c service.Caller, on resources) error {
		if _, err := e.ChangeJob(e.t.Context(), c, on.tenant, on.job, bellwire.JobChange{Rate: new(5.0)}); bellwire.CodeOf(err) != bellwire.CodeConflict {
			return err
		}
		return nil // the job has ended already
	}},
	{"FindEvents", "atr", false, func(e *env, c service.Caller, on resources) error {
		all := func(*bellwire.Event) bool { return true }
		_, err := e.FindEvents(e.t.Context(), c, bellwire.EventFilter{Tenant: on.tenant}, all, bellwire.Page{})
		return err
	}},
	{"Record", "atr", false, func(e *env, c service.Caller, on resources) error {
		return e.Record(e.t.Context(), c, service.AuditNote{Tenant: on.tenant})
	}},
	{"AuditLog", "a", true, func(e *env, c service.Caller, on resources) error {
		_, err := e.AuditLog(e.t.Context(), c, bellwire.AuditFilter{Tenant: on.tenant}, bellwire.Page{})
		return err
	}},
	{"DialectService.Create", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.ForDialect("standard").Create(e.t.Context(), c, on.tenant, minimal())
		return err
	}},
	{"DialectService.List", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.ForDialect("standard").List(e.t.Context(), c, on.tenant)
		return err
	}},
	{"DialectService.Get", "atr", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.ForDialect("standard").Get(e.t.Context(), c, on.tenant, on.endpoint)
		return err
	}},
	{"DialectService.Update", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.ForDialect("standard").Update(e.t.Context(), c, on.tenant, on.endpoint, func(*service.EndpointView) (service.EndpointInput, error) {
			return service.EndpointInput{Description: new("new")}, nil
		})
		return err
	}},
	{"DialectService.Delete", "at", false, func(e *env, c service.Caller, on resources) error {
		_, err := e.ForDialect("standard").Delete(e.t.Context(), c, on.tenant, on.endpoint, nil)
		return err
	}},
	{"DialectService.Types", "aptr", true, func(e *env, c service.Caller, _ resources) error {
		_, err := e.ForDialect("standard").Types(e.t.Context(), c, "")
		return err
	}},
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.tenant("other")
	callers := []struct {
		name   string
		letter string
		caller func(own string) service.Caller
		other  bool
	}{
		{"admin", "a", func(string) service.Caller { return admin }, false},
		{"publisher", "p", func(string) service.Caller { return service.Caller{Role: bellwire.RolePublisher} }, false},
		{"tenant", "t", func(own string) service.Caller { return service.Caller{Role: bellwire.RoleTenant, Tenant: own} }, false},
		{"tenant-read", "r", func(own string) service.Caller { return service.Caller{Role: bellwire.RoleTenantRead, Tenant: own} }, false},
		{"other tenant", "t", func(string) service.Caller { return service.Caller{Role: bellwire.RoleTenant, Tenant: "other"} }, true},
		{"other tenant-read", "r", func(string) service.Caller { return service.Caller{Role: bellwire.RoleTenantRead, Tenant: "other"} }, true},
		{"tenant key without tenant", "-", func(string) service.Caller { return service.Caller{Role: bellwire.RoleTenant} }, true},
		{"nobody", "-", func(string) service.Caller { return service.Caller{} }, false},
		{"unknown role", "-", func(own string) service.Caller { return service.Caller{Role: "root", Tenant: own} }, false},
	}
	for i, u := range useCases {
		for j, who := range callers {
			t.Run(u.name+"/"+who.name, func(t *testing.T) {
				on := e.resources(fmt.Sprintf("t%d-%d", i, j))
				c := who.caller(on.tenant)
				want := bellwire.CodeForbidden
				switch {
				case !c.Role.Valid():
					want = bellwire.CodeUnauthenticated
				case who.other && !u.wide:
					want = bellwire.CodeNotFound
				case strings.Contains(u.roles, who.letter):
					want = ""
				case who.letter == "-" && strings.Contains(u.roles, "t"): // about no tenant, so it does not matter
					want = ""
				}
				if err := u.call(e, c, on); bellwire.CodeOf(err) != want {
					t.Errorf("got %v, want the code %q", err, want)
				}
			})
		}
	}
}

// Ids of another tenant's objects are not found within a tenant, not even by an operator; and ids of no tenant are not
// found either.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	own, other := e.resources("own"), e.resources("other")
	mixed := other
	mixed.tenant = own.tenant
	needsID := map[string]bool{
		"DeleteKey": true, "Endpoint": true, "UpdateEndpoint": true, "DeleteEndpoint": true, "EndpointSecret": true,
		"RotateSecret": true, "TestEndpoint": true, "Event": true, "Delivery": true, "RetryDelivery": true, "CancelDelivery": true,
		"Job": true, "ChangeJob": true,
	}
	for _, u := range useCases {
		if u.wide || u.name == "TenantGoneBy" { // whose tenant is gone
			continue
		}
		if needsID[u.name] {
			for _, c := range []service.Caller{admin, {Role: bellwire.RoleTenant, Tenant: own.tenant}} {
				if !strings.Contains(u.roles, "t") && c.Role != bellwire.RoleAdmin {
					continue
				}
				if err := u.call(e, c, mixed); bellwire.CodeOf(err) != bellwire.CodeNotFound {
					t.Errorf("%s on another tenant's resource by %s: %v", u.name, c.Role, err)
				}
			}
		}
		nowhere := own
		nowhere.tenant = "nowhere"
		if err := u.call(e, admin, nowhere); bellwire.CodeOf(err) != bellwire.CodeNotFound {
			t.Errorf("%s in an unknown tenant: %v", u.name, err)
		}
	}
	for _, kind := range []bellwire.JobKind{bellwire.JobReplay, bellwire.JobRetry, bellwire.JobCancel} {
		_, err := e.CreateJob(t.Context(), service.Caller{Role: bellwire.RoleTenant, Tenant: own.tenant}, own.tenant,
			service.JobInput{Kind: kind, Endpoint: other.endpoint, Since: time.Now().Add(-time.Hour)})
		wantCode(t, err, bellwire.CodeInvalid, "endpoint")
	}
}
