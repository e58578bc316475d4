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

// Place is where a new delivery on the schedule is stored.
type Place struct {
	Delayed   bool // by its due time; else by its id
	DueAt     time.Time
	NotBefore time.Time // zero: its schedule begins when it is stored
}

// PlaceOf returns where a delivery is stored that is made at the given time.
func PlaceOf(s Schedule, at time.Time) Place {
	if s.DeliverAt.After(at) {
		return Place{Delayed: true, DueAt: s.DeliverAt, NotBefore: s.DeliverAt}
	}
	return Place{DueAt: at}
}
