package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// modelEndpoint is what a model knows of an endpoint.
type modelEndpoint struct {
	id       string
	patterns []string
	status   bellwire.EndpointStatus
	deleted  bool
	set      bellwire.Actor // who chose the status, or deleted it
}

// modelDelivery is what a model knows of an event at an endpoint.
type modelDelivery struct {
	fate bellwire.Fate
	open bool
	by   bellwire.Actor
}

// explainModel holds the endpoints of a tenant and the events that were published to it.
type explainModel struct {
	*rapid.T
	e         *env
	tenant    string
	endpoints []*modelEndpoint
	events    []bellwire.EventID
	fates     map[bellwire.EventID]map[string]*modelDelivery
}

var modelPatterns = [][]string{{"order.created"}, {"order.*"}, {"*"}, {"card.blocked"}, {"card.*", "order.created"}, {"nothing*"}}

// modelMatches reports whether one of the patterns matches, in the simplest way.
func modelMatches(patterns []string, eventType string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, wild := strings.CutSuffix(p, "*")
		return p == eventType || wild && strings.HasPrefix(eventType, prefix)
	})
}

// caller draws an operator or a tenant's key, each with an id of its own.
func (m *explainModel) caller() service.Caller {
	c := service.Caller{Role: bellwire.RoleAdmin, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	if rapid.Bool().Draw(m.T, "by the tenant") {
		c.Role, c.Tenant = bellwire.RoleTenant, m.tenant
	}
	return c
}

func actorOf(c service.Caller) bellwire.Actor {
	return bellwire.Actor{Kind: bellwire.ActorKey, Key: c.Key, Role: c.Role}
}

func (m *explainModel) check(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *explainModel) living() (living []*modelEndpoint) {
	for _, ep := range m.endpoints {
		if !ep.deleted {
			living = append(living, ep)
		}
	}
	return living
}

func (m *explainModel) draw() *modelEndpoint {
	living := m.living()
	if len(living) == 0 {
		m.Skip("no endpoint is there")
	}
	return rapid.SampledFrom(living).Draw(m.T, "endpoint")
}

func (m *explainModel) create() {
	c := m.caller()
	patterns := rapid.SampledFrom(modelPatterns).Draw(m.T, "patterns")
	status := rapid.SampledFrom([]bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled}).Draw(m.T, "status")
	ep, _, err := m.e.CreateEndpoint(m.e.t.Context(), c, m.tenant, service.EndpointInput{URL: new("https://example.com/hooks"), Events: &patterns, Status: &status})
	m.check(err)
	m.endpoints = append(m.endpoints, &modelEndpoint{id: ep.ID, patterns: patterns, status: status, set: actorOf(c)})
}

// end ends the open deliveries of an endpoint.
func (m *explainModel) end(ep *modelEndpoint) {
	for _, at := range m.fates {
		if d := at[ep.id]; d != nil && d.open {
			*d = modelDelivery{fate: bellwire.FateCanceled, by: ep.set}
		}
	}
}

func (m *explainModel) setStatus() {
	ep, c := m.draw(), m.caller()
	status := rapid.SampledFrom([]bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled}).Draw(m.T, "status")
	_, err := m.e.UpdateEndpoint(m.e.t.Context(), c, m.tenant, ep.id, service.EndpointInput{Status: &status})
	m.check(err)
	if ep.status == status {
		return
	}
	ep.status, ep.set = status, actorOf(c)
	for _, at := range m.fates { // what was canceled is explained by a disabled endpoint only while it stays disabled
		if d := at[ep.id]; d != nil && d.fate == bellwire.FateCanceled {
			d.by = bellwire.Actor{}
		}
	}
	if status == bellwire.EndpointDisabled {
		m.end(ep)
	}
}

func (m *explainModel) setPatterns() {
	ep := m.draw()
	ep.patterns = rapid.SampledFrom(modelPatterns).Draw(m.T, "patterns")
	_, err := m.e.UpdateEndpoint(m.e.t.Context(), m.caller(), m.tenant, ep.id, service.EndpointInput{Events: &ep.patterns, Description: new("x")})
	m.check(err)
}

func (m *explainModel) delete() {
	ep, c := m.draw(), m.caller()
	m.check(m.e.DeleteEndpoint(m.e.t.Context(), c, m.tenant, ep.id))
	ep.deleted, ep.set = true, actorOf(c)
	for _, at := range m.fates {
		if d := at[ep.id]; d != nil && d.fate == bellwire.FateCanceled {
			d.by = bellwire.Actor{}
		}
	}
	m.end(ep)
}

func (m *explainModel) publish() {
	eventType := rapid.SampledFrom([]string{"order.created", "card.blocked"}).Draw(m.T, "type")
	r, err := m.e.Publish(m.e.t.Context(), admin, m.tenant, service.Draft{Type: eventType, Data: []byte(`{}`)})
	m.check(err)
	at := make(map[string]*modelDelivery)
	for _, ep := range m.endpoints {
		switch {
		case ep.deleted:
			at[ep.id] = &modelDelivery{fate: bellwire.FateDeleted, by: ep.set}
		case ep.status == bellwire.EndpointDisabled:
			at[ep.id] = &modelDelivery{fate: bellwire.FateDisabled, by: ep.set}
		case modelMatches(ep.patterns, eventType):
			at[ep.id] = &modelDelivery{fate: bellwire.FatePending, open: true}
		default:
			at[ep.id] = &modelDelivery{fate: bellwire.FateNotSubscribed}
		}
	}
	m.events, m.fates[r.Event] = append(m.events, r.Event), at
}

// deliver records a success of some delivery.
func (m *explainModel) deliver() {
	list, err := m.e.Deliveries(m.e.t.Context(), admin, bellwire.DeliveryFilter{Tenant: m.tenant}, bellwire.Page{})
	m.check(err)
	if len(list.Items) == 0 {
		m.Skip("nothing was published")
	}
	d := rapid.SampledFrom(list.Items).Draw(m.T, "delivery")
	at := time.Now()
	_, err = m.e.store.RecordResults(m.e.t.Context(), []*bellwire.Result{{
		Attempt:  &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](at), Delivery: d.ID, StartedAt: at, Outcome: bellwire.OutcomeOK},
		Delivery: d.ID, Trigger: bellwire.TriggerSchedule, EndedAt: at, Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
	}})
	m.check(err)
	m.fates[d.Event][d.Endpoint] = &modelDelivery{fate: bellwire.FateDelivered}
}

// gone records that an endpoint answered 410.
func (m *explainModel) gone() {
	known := m.draw()
	ep, err := m.e.store.Endpoint(m.e.t.Context(), known.id)
	m.check(err)
	if ep.Status != bellwire.EndpointEnabled {
		m.Skip("no request is made")
	}
	list, err := m.e.Deliveries(m.e.t.Context(), admin, bellwire.DeliveryFilter{Tenant: m.tenant, Endpoint: ep.ID}, bellwire.Page{Limit: 1})
	m.check(err)
	if len(list.Items) == 0 {
		m.Skip("nothing was published")
	}
	_, err = m.e.store.RecordResults(m.e.t.Context(), []*bellwire.Result{{
		Delivery: list.Items[0].ID, Trigger: bellwire.TriggerManual, EndedAt: time.Now(), Disable: true, Endpoint: ep.ID, EndpointRevision: ep.Revision,
	}})
	m.check(err)
	m.e.config.Directory.ForgetTenant(m.tenant)
	_, err = m.e.store.CancelOpen(m.e.t.Context(), ep.ID, bellwire.ReasonEndpointDisabled, time.Now(), 1000)
	m.check(err)
	known.status, known.set = bellwire.EndpointDisabled, bellwire.Actor{Kind: bellwire.ActorBellwire, Reason: bellwire.ReasonEndpointGone}
	for _, at := range m.fates {
		if d := at[ep.ID]; d != nil && d.fate == bellwire.FateCanceled {
			d.by = bellwire.Actor{}
		}
	}
	m.end(known)
}

// compare compares the explanation of each event with the model.
func (m *explainModel) compare() {
	for n, id := range m.events {
		got := make(map[string]string)
		for page := (bellwire.Page{Limit: 3}); ; {
			_, list, err := m.e.Explain(m.e.t.Context(), admin, m.tenant, id, page)
			m.check(err)
			for _, x := range list.Items {
				text := fmt.Sprint(x.Fate, " ", x.Delivery != nil)
				if x.By != nil && x.Fate != bellwire.FatePaused {
					text += fmt.Sprint(" ", *x.By)
					if x.Since.IsZero() || x.Reason == "" {
						m.Errorf("%+v has no time or no reason", x)
					}
				}
				got[x.Endpoint] = text
			}
			if page.After = list.Next; page.After == "" {
				break
			}
		}
		want := make(map[string]string)
		for _, ep := range m.endpoints {
			d := m.fates[id][ep.id]
			if d == nil {
				d = &modelDelivery{fate: bellwire.FateCreatedLater}
			}
			fate := d.fate
			if d.open && ep.status == bellwire.EndpointPaused {
				fate = bellwire.FatePaused
			}
			has := slices.Contains([]bellwire.Fate{bellwire.FatePending, bellwire.FatePaused, bellwire.FateCanceled, bellwire.FateDelivered}, fate)
			want[ep.id] = fmt.Sprint(fate, " ", has)
			if d.by != (bellwire.Actor{}) {
				want[ep.id] += fmt.Sprint(" ", d.by)
			}
		}
		for id, text := range want {
			if got[id] != text {
				m.Errorf("event %d at %s: got %q, want %q", n, id, got[id], text)
			}
		}
		if len(got) != len(want) {
			m.Errorf("event %d: %d endpoints are explained, want %d", n, len(got), len(want))
		}
	}
}

// TestExplanationsFollowTheModel changes endpoints at random, publishes in between, and compares what is said of each event at
// each endpoint with a model.
func TestExplanationsFollowTheModel(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("card.blocked", service.EventTypeInput{})
	tenants := 0
	rapid.Check(t, func(rt *rapid.T) {
		tenants++
		m := &explainModel{T: rt, e: e, tenant: e.limited(fmt.Sprint("t", tenants), map[string]float64{"change_rate": 0}), fates: make(map[bellwire.EventID]map[string]*modelDelivery)}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) { m.T = t; m.create() }, "status": func(t *rapid.T) { m.T = t; m.setStatus() },
			"patterns": func(t *rapid.T) { m.T = t; m.setPatterns() }, "delete": func(t *rapid.T) { m.T = t; m.delete() },
			"publish": func(t *rapid.T) { m.T = t; m.publish() }, "publish again": func(t *rapid.T) { m.T = t; m.publish() },
			"deliver": func(t *rapid.T) { m.T = t; m.deliver() }, "gone": func(t *rapid.T) { m.T = t; m.gone() },
		})
		m.T = rt
		m.compare()
	})
}
