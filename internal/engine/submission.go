package engine

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// submission is a publication on its way to the store.
type submission struct {
	events  []bellwire.NewEvent
	drafts  []Draft              // of the events, whose versions the Checker sets; nil: it sets none
	targets [][]*bellwire.Target // the recipients of each event
	append  bellwire.Append
	bytes   int
	test    bool                 // a test: one attempt, outside the schedule
	span    *bellwire.Publishing // to be recorded; nil: it is not

	result bellwire.AppendResult
	done   chan struct{} // capacity 1
}

func (s *submission) deliveries() int {
	n := 0
	for _, t := range s.targets {
		n += len(t)
	}
	return n
}

// wide reports whether the deliveries are too many to be stored with their events.
func (s *submission) wide() bool { return s.deliveries() > limits.FanOutFrom }

// maxDeferred returns how many deliveries of the tenant may wait to be stored.
func (s *submission) maxDeferred() int {
	for _, targets := range s.targets {
		if len(targets) > 0 && targets[0].Limits != nil && targets[0].Limits.FanOut > 0 {
			return targets[0].Limits.FanOut
		}
	}
	return int(limits.FanOut.Default)
}

// recipientsKey is what events have in common that have the same list of recipients.
type recipientsKey struct {
	targets        **bellwire.Target // the first element
	delayed, keyed bool
}

// ordered reports whether an endpoint's delivery of an event is in the endpoint's order.
func ordered(t *bellwire.Target, e *bellwire.Event) bool {
	return (t.Endpoint.Ordering == bellwire.OrderingFIFO || keyed(t, e)) && !e.Delayed()
}

// keyed reports whether the order of an endpoint's delivery of an event, if it is in one, is that of the event's ordering key.
func keyed(t *bellwire.Target, e *bellwire.Event) bool {
	return t.Endpoint.Ordering == bellwire.OrderingKey && e.OrderingKey != ""
}

// recipients returns the recipients of an event of a wide submission.
func (s *submission) recipients(event int, lists map[recipientsKey]*bellwire.Recipients) *bellwire.Recipients {
	targets, e := s.targets[event], &s.events[event].Event
	if len(targets) == 0 {
		return nil
	}
	key := recipientsKey{&targets[0], e.Delayed(), e.OrderingKey != ""}
	list := lists[key]
	if list == nil || len(*list) != len(targets) {
		list = new(bellwire.Recipients)
		for _, t := range targets {
			*list = append(*list, bellwire.Recipient{Endpoint: t.Endpoint.ID, Ordered: ordered(t, e)})
		}
		lists[key] = list
	}
	return list
}

// tooWide refuses a batch with more deliveries than may ever wait.
func tooWide(deliveries, most int) error {
	return &bellwire.Error{
		Code: bellwire.CodeTooLarge, Field: "events",
		Message: fmt.Sprintf("would make %d deliveries, and at most %d may wait to be stored; send the batch in parts", deliveries, most),
	}
}

// newTask returns the task of a delivery, or nil if the delivery is stored free.
func newTask(e *lanes.Content, d *bellwire.NewDelivery) *lanes.Task {
	if d.Epoch == 0 {
		return nil
	}
	task := &lanes.Task{
		Content: e,
		Trigger: bellwire.TriggerSchedule,
		Delivery: bellwire.Delivery{
			ID: d.ID, Event: e.ID, EventType: e.Type, Tenant: e.Tenant, Endpoint: d.Endpoint,
			Status: bellwire.DeliveryPending, Epoch: d.Epoch, DueAt: e.CreatedAt, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
		},
	}
	if d.Keyed {
		task.Delivery.Key = bellwire.HashOrderingKey(e.OrderingKey)
	}
	return task
}
