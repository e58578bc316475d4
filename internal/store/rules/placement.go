package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Schedule is when an event may be sent.
type Schedule struct {
	DeliverAt time.Time // at the earliest; zero: at once
	ExpiresAt time.Time // zero: it does not expire
}

// ScheduleOf returns the schedule of an event.
func ScheduleOf(e *bellwire.Event) Schedule { return Schedule{e.DeliverAt, e.ExpiresAt} }

// Placement is where a new delivery on the schedule is stored.
type Placement struct {
	Delayed   bool // by its due time; else by its id
	Behind    bool // by its key, because an earlier delivery of that has not ended
	DueAt     time.Time
	NotBefore time.Time // zero: its schedule begins when it is stored
}

// PlacementOf returns where a delivery is stored that is made at the given time. behind reports whether an earlier delivery of its key
// has not ended.
func PlacementOf(s Schedule, at time.Time, behind bool) Placement {
	if s.DeliverAt.After(at) {
		return Placement{Delayed: true, DueAt: s.DeliverAt, NotBefore: s.DeliverAt}
	}
	return Placement{DueAt: at, Behind: behind}
}

// State returns the state of a delivery that is stored there.
func (p Placement) State() bellwire.DeliveryState {
	return bellwire.DeliveryState{Status: bellwire.DeliveryPending, Delayed: p.Delayed, Behind: p.Behind}
}

// KeyAt returns the number of an event's ordering key if a delivery that is made at the given time is in its order; else 0. A
// delivery that is to be made later is in no order.
func KeyAt(orderingKey string, ordering bellwire.Ordering, s Schedule, at time.Time) int64 {
	if ordering != bellwire.OrderingKey || s.DeliverAt.After(at) {
		return 0
	}
	return bellwire.HashOrderingKey(orderingKey)
}
