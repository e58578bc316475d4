package live

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Attempt is an attempt as watchers see it.
type Attempt struct {
	ID        bellwire.AttemptID  `json:"id"`
	Tenant    string              `json:"tenant"`
	Endpoint  string              `json:"endpoint"`
	Delivery  bellwire.DeliveryID `json:"delivery"`
	Event     bellwire.EventID    `json:"event"`
	EventType string              `json:"event_type"`
	Dialect   string              `json:"dialect"`
	Number    int                 `json:"number"`
	Trigger   bellwire.Trigger    `json:"trigger"`
	Outcome   bellwire.Outcome    `json:"outcome"`
	Status    int                 `json:"status"` // 0: no response
	Duration  float64             `json:"duration_ms"`
	StartedAt time.Time           `json:"started_at"`
}

func attemptOf(a *bellwire.Attempt, ep *bellwire.Endpoint, d *bellwire.Delivery) Attempt {
	made := Attempt{
		ID: a.ID, Tenant: ep.Tenant, Endpoint: ep.ID, Delivery: a.Delivery, Event: d.Event, EventType: d.EventType, Dialect: ep.Dialect,
		Number: a.Number, Trigger: a.Trigger, Outcome: a.Outcome, Duration: float64(a.Timings.Total.Microseconds()) / 1000,
		StartedAt: a.StartedAt.UTC(),
	}
	if a.Response != nil {
		made.Status = a.Response.Status
	}
	return made
}

// item is an attempt, with its JSON once somebody needs it.
type item struct {
	Attempt
	encoded json.RawMessage
}

func (i *item) json() json.RawMessage {
	if i.encoded == nil {
		i.encoded, _ = json.Marshal(&i.Attempt) // fails for no attempt
	}
	return i.encoded
}

// Failed stands for all outcomes but ok in a Filter.
const Failed bellwire.Outcome = "failed"

// Filter selects attempts. Zero fields select all.
type Filter struct {
	Tenant   string           `json:"t,omitempty"`
	Endpoint string           `json:"e,omitempty"`
	Type     string           `json:"y,omitempty"` // exact, or a prefix and *
	Dialect  string           `json:"d,omitempty"`
	Outcome  bellwire.Outcome `json:"o,omitempty"` // or Failed
	Status   int              `json:"s,omitempty"` // of the response
}

// selects reports whether the filter selects an attempt.
func (f *Filter) selects(a *Attempt) bool {
	return (f.Tenant == "" || f.Tenant == a.Tenant) &&
		(f.Endpoint == "" || f.Endpoint == a.Endpoint) &&
		(f.Dialect == "" || f.Dialect == a.Dialect) &&
		(f.Status == 0 || f.Status == a.Status) &&
		(f.Outcome == "" || f.Outcome == a.Outcome || f.Outcome == Failed && a.Outcome != bellwire.OutcomeOK) &&
		f.selectsType(a.EventType)
}

func (f *Filter) selectsType(eventType string) bool {
	if prefix, ok := strings.CutSuffix(f.Type, "*"); ok {
		return strings.HasPrefix(eventType, prefix)
	}
	return f.Type == "" || f.Type == eventType
}

// Counters are the numbers of one second.
type Counters struct {
	Published *int `json:"published"` // by all tenants; nil in a tenant's stream
	Attempts  int  `json:"attempts"`
	Succeeded int  `json:"succeeded"`
	Failed    int  `json:"failed"`
}

// maxCountedTenants bounds the tenants of one second that are counted apart.
const maxCountedTenants = 5000

// tally counts one second.
type tally struct {
	Published int               `json:"p,omitempty"`
	Attempts  int               `json:"a,omitempty"`
	Succeeded int               `json:"s,omitempty"`
	Tenants   map[string][2]int `json:"t,omitempty"` // attempts, and those that succeeded
}

func (t *tally) count(a *Attempt) {
	succeeded := 0
	if a.Outcome == bellwire.OutcomeOK {
		succeeded = 1
	}
	t.Attempts++
	t.Succeeded += succeeded
	t.countTenant(a.Tenant, [2]int{1, succeeded})
}

func (t *tally) countTenant(tenant string, n [2]int) {
	of, known := t.Tenants[tenant]
	if !known && len(t.Tenants) >= maxCountedTenants {
		return
	}
	if t.Tenants == nil {
		t.Tenants = make(map[string][2]int)
	}
	t.Tenants[tenant] = [2]int{of[0] + n[0], of[1] + n[1]}
}

// add adds the numbers of another node. t must own its map.
func (t *tally) add(other tally) {
	t.Published += other.Published
	t.Attempts += other.Attempts
	t.Succeeded += other.Succeeded
	for tenant, n := range other.Tenants {
		t.countTenant(tenant, n)
	}
}

// of returns the numbers of a tenant, or of all if tenant is empty.
func (t *tally) of(tenant string) Counters {
	if tenant == "" {
		return Counters{Published: &t.Published, Attempts: t.Attempts, Succeeded: t.Succeeded, Failed: t.Attempts - t.Succeeded}
	}
	n := t.Tenants[tenant]
	return Counters{Attempts: n[0], Succeeded: n[1], Failed: n[0] - n[1]}
}
