package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

func choosing(filter string, onError bellwire.OnError) func(*bellwire.Endpoint) {
	return func(ep *bellwire.Endpoint) { ep.Filter, ep.OnError = filter, onError }
}

// TestFiltersChooseEvents publishes through the API and inside the database.
func TestFiltersChooseEvents(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := withOutbox(w)
		all := w.endpoint("all")
		large := w.endpoint("large", choosing("data.n > 100", bellwire.OnErrorDeliver))
		careful := w.endpoint("careful", choosing("data.n > 100", bellwire.OnErrorSkip))
		small := w.endpoint("small", choosing("data.n <= 100", bellwire.OnErrorSkip), func(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingFIFO })
		for _, name := range []string{"all", "large", "careful", "small"} {
			w.receiver(name, answers(200))
		}
		data := []string{`{"n": 1}`, `{"n": 500}`, `{"n": "many"}`}
		for i, deliveries := range []int{2, 3, 2} {
			receipts, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte(data[i])}}})
			must(t, err)
			if got := receipts[0].Deliveries; got != deliveries {
				t.Errorf("%s has %d deliveries, want %d", data[i], got, deliveries)
			}
		}
		in.put(data...)
		w.pass(2 * time.Second)
		got := map[string]int{}
		for name, ep := range map[string]*bellwire.Endpoint{"all": all, "large": large, "careful": careful, "small": small} {
			got[name] = w.statuses(ep.ID)[bellwire.DeliverySucceeded]
		}
		if diff := cmp.Diff(map[string]int{"all": 6, "large": 4, "careful": 2, "small": 2}, got); diff != "" {
			t.Error(diff)
		}

		w.update(small.ID, choosing("", bellwire.OnErrorDeliver))
		receipts, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte(data[1])}}})
		must(t, err)
		if got := receipts[0].Deliveries; got != 4 {
			t.Errorf("%d deliveries after a filter was removed, want 4", got)
		}
	})
}
