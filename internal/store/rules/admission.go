// Package rules decides what stores do: what is appended, and what is claimed. Its functions are pure. A store loads the facts,
// asks, and writes what was decided. What an outcome does to a delivery is decided by bellwire.DeliveryState.
package rules

import (
	"strconv"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// AppendFacts are the facts about an append, all of one state of the database.
type AppendFacts struct {
	TenantRevision   int64
	OperatorRevision int64
	Deferred         int          // deliveries of the tenant that are deferred to FanOut already
	Events           []EventFacts // one for each event
}

// EventFacts are the facts about an event of an append.
type EventFacts struct {
	MissingEndpoint string       // a recipient of the event that is not an endpoint of the tenant; empty: none
	Known           *KnownEvent  // the event that has the same idempotency key; nil: none
	Stored          *StoredEvent // the event itself, if an earlier try of the append has stored it; nil: it has not, or the store did not look
	Unmatched       bool         // the outbox holds the event
}

// KnownEvent is an event with an idempotency key.
type KnownEvent struct {
	ID         bellwire.EventID
	Digest     [32]byte
	Deliveries int
}

// StoredEvent is an event that an earlier try of the same append has stored.
type StoredEvent struct {
	CreatedAt  time.Time
	Deliveries int
	Sequences  []int64 // of the deliveries that the append gives the event, in their order; nil: the stored ones have other ids
	Behind     []bool  // AppendedEvent.Behind of these
}

// Admission is the decision about an append.
type Admission struct {
	bellwire.AppendResult
	// Late reports that the refusal does not apply to an append that an earlier try has stored. The store must then look
	// for its events and call Repeated.
	Late bool
	// Store has the indexes of the events that are to be stored. In Events they have their id, the number of their deliveries,
	// and whether these are deferred to FanOut. All other events are answered.
	Store []int
	// Deferred is the number of deliveries that this append defers to FanOut.
	Deferred int
}

// Admit decides whether an append is accepted, and which of its events are stored. All of them are of one tenant.
func Admit(a *bellwire.Append, f *AppendFacts) Admission {
	tenant := a.Events[0].Event.Tenant
	if stale := staleOf(a, f); stale != (bellwire.Stale{}) {
		return Admission{AppendResult: bellwire.AppendResult{Err: staleAppend(tenant, stale), Stale: stale}, Late: true}
	}
	admitted := Admission{AppendResult: bellwire.AppendResult{Events: make([]bellwire.AppendedEvent, len(a.Events))}}
	var keys map[string]*bellwire.NewEvent // of this append
	for i, e := range a.Events {
		first, err := f.Events[i].check(e)
		if err != nil {
			return refuse(err)
		}
		if key := e.Event.IdempotencyKey; key != "" && f.Events[i].Known == nil && len(a.Events) > 1 {
			if same := keys[key]; same != nil {
				first = &KnownEvent{ID: same.Event.ID, Digest: same.Digest, Deliveries: same.Count()}
			} else {
				keys = put(keys, key, e)
			}
		}
		if first != nil && !bellwire.SameDigest(first.Digest, e.Digest) {
			return refuse(keyConflict(e.Event.IdempotencyKey))
		}
		admitted.answer(i, e, first, f)
	}
	if err := tooManyDeferred(a, f.Deferred, admitted.Deferred); err != nil {
		return Admission{AppendResult: bellwire.AppendResult{Err: err}, Late: true}
	}
	return admitted
}

// answer answers an event, or has it stored.
func (ad *Admission) answer(i int, e *bellwire.NewEvent, first *KnownEvent, f *AppendFacts) {
	switch stored := f.Events[i].Stored; {
	case first != nil:
		ad.Events[i] = first.duplicate()
	case stored != nil:
		ad.Events[i] = stored.Answer(e)
	default:
		deferred := IsDeferred(e, f.Deferred+ad.Deferred > 0)
		ad.Events[i] = bellwire.AppendedEvent{ID: e.Event.ID, Deliveries: e.Count(), Deferred: deferred}
		ad.Store = append(ad.Store, i)
		if deferred {
			ad.Deferred += e.Count()
		}
	}
}

func refuse(err error) Admission { return Admission{AppendResult: bellwire.AppendResult{Err: err}} }

func put(keys map[string]*bellwire.NewEvent, key string, e *bellwire.NewEvent) map[string]*bellwire.NewEvent {
	if keys == nil {
		keys = make(map[string]*bellwire.NewEvent)
	}
	keys[key] = e
	return keys
}

// check refuses an event that cannot be stored, and returns the other event that its idempotency key names, if there is one.
// If the key names the event itself, the append is repeated.
func (f *EventFacts) check(e *bellwire.NewEvent) (first *KnownEvent, err error) {
	switch {
	case f.MissingEndpoint != "":
		return nil, bellwire.NotFound("endpoint", f.MissingEndpoint)
	case e.Unmatched && !f.Unmatched && f.Stored == nil:
		return nil, bellwire.NotFound("unmatched event", e.Event.ID.String())
	case f.Known != nil && f.Known.ID != e.Event.ID:
		return f.Known, nil
	}
	return nil, nil
}

// Repeated returns the result of an append that was refused late: the stored events if earlier tries have stored all of them,
// and otherwise the refusal. The facts must include what is stored.
func Repeated(a *bellwire.Append, f *AppendFacts, refusal bellwire.AppendResult) bellwire.AppendResult {
	events := make([]bellwire.AppendedEvent, len(a.Events))
	for i, e := range a.Events {
		known, stored := f.Events[i].Known, f.Events[i].Stored
		switch {
		case known != nil && known.ID != e.Event.ID:
			if !bellwire.SameDigest(known.Digest, e.Digest) {
				return refusal
			}
			events[i] = known.duplicate()
		case stored == nil:
			return refusal
		default:
			events[i] = stored.Answer(e)
		}
	}
	return bellwire.AppendResult{Events: events}
}

func (k *KnownEvent) duplicate() bellwire.AppendedEvent {
	return bellwire.AppendedEvent{ID: k.ID, Duplicate: true, Deliveries: k.Deliveries}
}

// Answer returns the answer to an event that is stored already.
func (s *StoredEvent) Answer(e *bellwire.NewEvent) bellwire.AppendedEvent {
	answer := bellwire.AppendedEvent{ID: e.Event.ID, CreatedAt: s.CreatedAt, Deliveries: s.Deliveries}
	switch {
	case e.Recipients == nil && s.Sequences != nil:
		answer.Sequences, answer.Behind = s.Sequences, s.Behind
	case e.Recipients == nil && e.Unmatched: // another node has matched it, and made deliveries of its own
		return bellwire.AppendedEvent{ID: e.Event.ID, Duplicate: true, Deliveries: s.Deliveries}
	default: // FanOut gives deliveries ids of its own
		answer.Deferred = true
	}
	return answer
}

// staleOf returns the parts of the configuration that are not at the revisions that the append was decided on.
func staleOf(a *bellwire.Append, f *AppendFacts) bellwire.Stale {
	return bellwire.Stale{
		Tenant:    a.TenantRevision != 0 && a.TenantRevision != f.TenantRevision,
		Catalogue: a.OperatorRevision != 0 && a.OperatorRevision != f.OperatorRevision,
	}
}

func staleAppend(tenant string, stale bellwire.Stale) error {
	if stale.Tenant {
		return StaleVersion("tenant", tenant)
	}
	return bellwire.Errorf(bellwire.CodeStale, "the catalogue has changed since the events were checked against it")
}

// StaleVersion returns the error of a change that is based on an older version than the stored one.
func StaleVersion(kind, id string) error {
	return bellwire.Errorf(bellwire.CodeStale, "%s %q has changed since it was read; read it again and repeat", kind, id)
}

func keyConflict(key string) error {
	return &bellwire.Error{
		Code: bellwire.CodeConflict, Field: "id",
		Message: strconv.Quote(key) + " was used before, with another type or other data",
		Hint:    "Give this event an id of its own.",
	}
}
