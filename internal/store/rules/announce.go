package rules

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// News is something that has happened, of which an operational event tells.
type News struct {
	Type          string
	At            time.Time
	Endpoint      string           // its id; empty: it is about a job
	Health        *bellwire.Health // with OperationalFailing and OperationalRecovered
	Reason        string           // with OperationalDisabled
	By            *bellwire.Actor  // of a change
	Before, After json.RawMessage  // of a change
	// Delivery is exhausted. The store sets its Event and EventType.
	Delivery *bellwire.OperationalDelivery
	Job      *bellwire.Job
}

// IsAlert reports whether operators are told of the news by e-mail.
func (n *News) IsAlert() bool {
	switch n.Type {
	case bellwire.OperationalFailing, bellwire.OperationalRecovered, bellwire.OperationalDisabled:
		return true
	case bellwire.OperationalFinished:
		return n.Job.State == bellwire.JobFailed
	}
	return false
}

// HealthNews returns the news that an endpoint's health brings after a result, nil if there are none. before is its state before.
func HealthNews(r *bellwire.Result, before bellwire.HealthState, h *bellwire.Health) *News {
	n := &News{At: r.EndedAt, Endpoint: r.Endpoint}
	switch {
	case bellwire.IsOperational(r.EventType):
		return nil
	case before == bellwire.HealthHealthy && h.State == bellwire.HealthFailing:
		n.Type = bellwire.OperationalFailing
	case before != bellwire.HealthHealthy && h.State == bellwire.HealthHealthy:
		n.Type = bellwire.OperationalRecovered
	default:
		return nil
	}
	now := *h
	n.Health = &now
	return n
}

// DeliveryNews returns the news that a result brings about its delivery, whose state it has changed to st; nil if there are none.
func DeliveryNews(r *bellwire.Result, st *bellwire.DeliveryState) *News {
	if st.Status != bellwire.DeliveryExhausted || r.Trigger != bellwire.TriggerSchedule || bellwire.IsOperational(r.EventType) {
		return nil
	}
	n := ExpiryNews(r.Endpoint, r.Delivery, st.Reason, r.EndedAt)
	if a := r.Attempt; a != nil {
		n.Delivery.Error = a.Error
		if a.Response != nil {
			n.Delivery.Status = a.Response.Status
		}
	}
	return n
}

// ExpiryNews returns the news that a delivery is exhausted.
func ExpiryNews(endpoint string, id bellwire.DeliveryID, reason string, at time.Time) *News {
	return &News{
		Type: bellwire.OperationalExhausted, At: at, Endpoint: endpoint, Delivery: &bellwire.OperationalDelivery{ID: id, Reason: reason},
	}
}

// JobNews returns the news about a job, nil if it has not ended.
func JobNews(j *bellwire.Job) *News {
	if !j.State.Ended() {
		return nil
	}
	return &News{Type: bellwire.OperationalFinished, At: j.FinishedAt, Job: j}
}

// disabledByRequest is the reason where the request has given none.
const disabledByRequest = "disabled by a request"

// ChangeNews returns the news about a change of an endpoint that its history keeps. before and after are its standing; before is
// nil if there was none.
func ChangeNews(endpoint string, c *EndpointChange, before, after *bellwire.Standing) []*News {
	news := func(eventType string) *News {
		return &News{Type: eventType, At: c.At, Endpoint: endpoint, By: &c.Actor}
	}
	switch {
	case c.Quiet:
		return nil
	case c.Action == bellwire.ChangeCreated:
		return []*News{news(bellwire.OperationalCreated)}
	case c.Action == bellwire.ChangeDeleted:
		return []*News{news(bellwire.OperationalDeleted)}
	}
	var all []*News
	rotated, others := changedFields(c.After)
	if rotated {
		all = append(all, news(bellwire.OperationalRotated))
	}
	if rotated && !others {
		return all
	}
	n := news(bellwire.OperationalUpdated)
	n.Before, n.After = c.Before, c.After
	if after.Status == bellwire.EndpointDisabled && (before == nil || before.Status != bellwire.EndpointDisabled) {
		n.Type, n.Reason = bellwire.OperationalDisabled, disabledReason(c)
	}
	return append(all, n)
}

// changedFields reports whether the signing secret is among the fields of a change, and whether others are.
func changedFields(after json.RawMessage) (secret, others bool) {
	var fields map[string]json.RawMessage
	if len(after) == 0 || json.Unmarshal(after, &fields) != nil {
		return false, false
	}
	_, secret = fields["secret"]
	return secret, len(fields) > 1 || len(fields) == 1 && !secret
}

func disabledReason(c *EndpointChange) string {
	return cmp.Or(c.Actor.Reason, c.Reason, disabledByRequest)
}

// MaxListeners is how many endpoints of OperationsTenant a store looks at. If it has more, operational events of all types are
// kept.
const MaxListeners = 100

// Audience is who gets operational events about all tenants.
type Audience struct {
	Addresses []string   // the e-mail addresses that alerts are kept for, and that have fewer than bellwire.MaxAlerts
	Listeners [][]string // the patterns of the endpoints of OperationsTenant that are not disabled, at most MaxListeners
}

// Subject is what news are about.
type Subject struct {
	Tenant   string
	Own      bool               // Tenant.OperationalEvents
	Endpoint *bellwire.Endpoint // as it is now; nil: the news are about a job
}

// Gets returns the tenants that get the news.
func (a *Audience) Gets(n *News, s *Subject) (tenants []string) {
	if s.Tenant == bellwire.OperationsTenant {
		return nil
	}
	if a.listens(n.Type) {
		tenants = append(tenants, bellwire.OperationsTenant)
	}
	if s.Own {
		tenants = append(tenants, s.Tenant)
	}
	return tenants
}

// Mails returns the e-mail addresses that are told of the news.
func (a *Audience) Mails(n *News, s *Subject) (addresses []string) {
	if s.Tenant == bellwire.OperationsTenant || !n.IsAlert() {
		return nil
	}
	return a.Addresses
}

// listens reports whether an endpoint of OperationsTenant subscribes to the type.
func (a *Audience) listens(eventType string) bool {
	if len(a.Listeners) >= MaxListeners {
		return true
	}
	return slices.ContainsFunc(a.Listeners, func(patterns []string) bool {
		return (&bellwire.JobParams{Types: patterns}).TakesType(eventType) && len(patterns) > 0
	})
}

// KeptEvent is an operational event as a store keeps it.
type KeptEvent struct {
	bellwire.OperationalEvent
	Endpoint string
	Taken    bool
}

// Event returns the operational event that tells a tenant of the news.
func (n *News) Event(s *Subject, tenant string) (*KeptEvent, error) {
	data, err := n.Data(s, tenant)
	if err != nil {
		return nil, err
	}
	return &KeptEvent{Endpoint: n.Endpoint, OperationalEvent: bellwire.OperationalEvent{
		Key: rand.Text(), Tenant: tenant, Type: n.Type, At: n.At, Data: data,
	}}, nil
}

// AlertData returns the data of the alert, which is that of the operational event without the fields that changed.
func (n *News) AlertData(s *Subject) ([]byte, error) {
	alert := *n
	alert.Before, alert.After = nil, nil
	return alert.Data(s, bellwire.OperationsTenant)
}

// Data returns the data of the operational event. Only OperationsTenant is shown the keys of operators. Nothing in it is a secret.
func (n *News) Data(s *Subject, tenant string) ([]byte, error) {
	d := bellwire.OperationalData{At: n.At.UTC(), Tenant: s.Tenant, Reason: n.Reason}
	var hidden []string
	if ep := s.Endpoint; ep != nil {
		d.Endpoint = &bellwire.OperationalEndpoint{
			ID: ep.ID, Description: ep.Description, Dialect: ep.Dialect, Status: ep.Status, StatusReason: ep.StatusReason,
		}
		d.Endpoint.URL, hidden = bellwire.MaskURL(ep.URL)
	}
	if n.Health != nil {
		d.Health = healthOf(n.Health, hidden)
	}
	if a := n.By; a != nil {
		d.By = &bellwire.OperationalActor{Kind: a.Kind, RequestID: a.RequestID, Reason: a.Reason}
		if !a.Key.IsZero() && (tenant == bellwire.OperationsTenant || a.Role.OfTenant()) {
			d.By.Key = a.Key.String()
		}
		if a.Kind == "" {
			d.By.Kind = bellwire.ActorUnknown
		}
	}
	d.Before, d.After = maskFields(n.Before), maskFields(n.After)
	if n.Delivery != nil {
		one := *n.Delivery
		one.Error = bellwire.HideIn(one.Error, hidden)
		d.Count, d.Deliveries = 1, []bellwire.OperationalDelivery{one}
	}
	if j := n.Job; j != nil {
		d.Job = &bellwire.OperationalJob{
			ID: j.ID, Kind: j.Kind, State: j.State, Endpoint: j.Params.Endpoint, Total: j.Total, Done: j.Done, Skipped: j.Skipped,
			Error: j.Error, CreatedAt: j.CreatedAt.UTC(), FinishedAt: j.FinishedAt.UTC(),
		}
	}
	return json.Marshal(&d)
}

func healthOf(h *bellwire.Health, hidden []string) *bellwire.OperationalHealth {
	shown := bellwire.EndpointHealth{Health: *h}
	shown.LastError = bellwire.HideIn(h.LastError, hidden)
	if h.State == bellwire.HealthHealthy {
		shown.LastError = ""
	}
	return &bellwire.OperationalHealth{
		State: h.State, Since: h.Since.UTC(), Reason: shown.Reason(), Failures: h.Failures, LastError: shown.LastError,
		LastSuccessAt: timeOrNull(h.LastSuccessAt), LastFailureAt: timeOrNull(h.LastFailureAt),
	}
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// maskFields redacts what can be secret in the fields of a change. A history has no secrets but what is in the URL.
func maskFields(encoded json.RawMessage) json.RawMessage {
	var fields map[string]any
	if len(encoded) == 0 || json.Unmarshal(encoded, &fields) != nil {
		return nil
	}
	if url, ok := fields["url"].(string); ok {
		fields["url"], _ = bellwire.MaskURL(url)
	}
	if _, ok := fields["dialect_settings"]; ok {
		fields["dialect_settings"] = bellwire.Redacted
	}
	masked, _ := json.Marshal(fields) // what was decoded can be encoded
	return masked
}

// Bounds on an event that tells of several exhausted deliveries.
const (
	mostExhausted  = 250
	exhaustedBytes = 128 << 10
)

// sharing says which exhausted deliveries share events: those whose events have the same key, if there are more than few such events.
type sharing struct {
	few int
	key func(*exhaustedEvent) string
}

// sharings are tried one after the other: deliveries of one endpoint share events, then those of one tenant, then all. So a
// recipient gets as few events as there can be, whether one endpoint fails or many.
var sharings = []sharing{
	{10, func(e *exhaustedEvent) string { return e.endpoint }},
	{50, func(e *exhaustedEvent) string { return e.data.Tenant }},
	{50, func(*exhaustedEvent) string { return "" }},
}

// exhaustedEvent is an event of type OperationalExhausted that may still change.
type exhaustedEvent struct {
	*KeptEvent
	endpoint string // that all its deliveries are to; empty: they are to several
	data     bellwire.OperationalData
	bytes    int // about that of data
	changed  bool
}

// hasRoom reports whether the deliveries of another event fit into e.
func (e *exhaustedEvent) hasRoom(other *exhaustedEvent) bool {
	return len(e.data.Deliveries)+len(other.data.Deliveries) <= mostExhausted && e.bytes+other.bytes <= exhaustedBytes
}

// Share lets exhausted deliveries share events where many wait. It returns the events that remain, in their order, and the numbers of
// those whose deliveries are in others now. Those that were taken before do not change.
func Share(kept []*KeptEvent) (left []*KeptEvent, gone []int64, err error) {
	recipients := make(map[string][]*exhaustedEvent)
	for _, e := range kept {
		if e.Taken || e.Type != bellwire.OperationalExhausted {
			continue
		}
		exhausted := &exhaustedEvent{KeptEvent: e, endpoint: e.Endpoint, bytes: len(e.Data)}
		if err := json.Unmarshal(e.Data, &exhausted.data); err != nil {
			return nil, nil, err
		}
		recipients[e.Tenant] = append(recipients[e.Tenant], exhausted)
	}
	remains := make(map[int64]bool)
	for _, events := range recipients {
		for _, s := range sharings {
			events = s.apply(events)
		}
		for _, e := range events {
			remains[e.Number] = true
			if !e.changed {
				continue
			}
			if e.KeptEvent.Data, err = json.Marshal(&e.data); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, e := range kept {
		if e.Taken || e.Type != bellwire.OperationalExhausted || remains[e.Number] {
			left = append(left, e)
		} else {
			gone = append(gone, e.Number)
		}
	}
	return left, gone, nil
}

// apply returns the events that remain.
func (s *sharing) apply(events []*exhaustedEvent) (left []*exhaustedEvent) {
	alike := make(map[string]int)
	for _, e := range events {
		alike[s.key(e)]++
	}
	filling := make(map[string]*exhaustedEvent)
	for _, e := range events {
		key := s.key(e)
		first := filling[key]
		switch {
		case alike[key] <= s.few:
			left = append(left, e)
		case first == nil || !first.hasRoom(e):
			filling[key] = e
			left = append(left, e)
		default:
			first.take(e)
		}
	}
	return left
}

// take moves the deliveries of another event to e. Each names what they do not have in common.
func (e *exhaustedEvent) take(other *exhaustedEvent) {
	e.changed = true
	if e.endpoint != other.endpoint {
		e.nameEndpoints()
		other.nameEndpoints()
	}
	if e.data.Tenant != other.data.Tenant {
		e.nameTenants()
		other.nameTenants()
	}
	e.data.Deliveries = append(e.data.Deliveries, other.data.Deliveries...)
	e.data.Count = len(e.data.Deliveries)
	e.bytes += other.bytes
}

// nameEndpoints moves the endpoint to the deliveries, unless they have theirs already.
func (e *exhaustedEvent) nameEndpoints() {
	if e.endpoint == "" {
		return
	}
	for i := range e.data.Deliveries {
		e.data.Deliveries[i].Endpoint = e.endpoint
	}
	e.endpoint, e.data.Endpoint = "", nil
}

// nameTenants does so with the tenant.
func (e *exhaustedEvent) nameTenants() {
	if e.data.Tenant == "" {
		return
	}
	for i := range e.data.Deliveries {
		e.data.Deliveries[i].Tenant = e.data.Tenant
	}
	e.data.Tenant = ""
}

// MaxTakenBytes is the size of data from which TakeOperational returns no more.
const MaxTakenBytes = 4 << 20
