package engine_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What waits in memory of an event whose data was erased is not sent.
func TestErasedEventsAreNotSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		receiver := w.receiver("slow", answers(200))
		ep := w.endpoint("slow", func(ep *bellwire.Endpoint) { ep.RateLimit = 1 })
		ids := w.publish(4)
		w.pass(100 * time.Millisecond)
		erased, err := w.store.EraseEvent(t.Context(), "acme", ids[2], bellwire.Erasure{At: now()})
		must(t, err)
		for _, endpoint := range erased.Endpoints {
			w.engine.ForgetEvent(endpoint, ids[2])
		}
		w.pass(time.Minute)
		if got := len(receiver.got()); got != 3 {
			t.Errorf("%d requests, want 3", got)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 || got[bellwire.DeliveryCanceled] != 1 {
			t.Error("deliveries:", got)
		}
	})
}
