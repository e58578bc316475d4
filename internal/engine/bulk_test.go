package engine_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
)

// heldAppends is a store that keeps large appends waiting.
type heldAppends struct {
	bellwire.Store
	hold chan struct{} // closed: they go ahead
}

func (h *heldAppends) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	size := 0
	for _, a := range appends {
		for _, e := range a.Events {
			size += len(e.Event.Data)
		}
	}
	if size > limits.BulkFrom {
		<-h.hold
	}
	return h.Store.AppendEvents(ctx, appends)
}

// A publication with megabytes of data is being committed. Small ones are stored and delivered meanwhile.
func TestBulkDelaysNothingElse(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		held := &heldAppends{hold: make(chan struct{})}
		w.stop()
		w.wrap = func(s bellwire.Store) bellwire.Store { held.Store = s; return held }
		w.start()
		receivers := w.endpoints(1)
		ids := w.publish(1)
		w.expectAll(receivers, ids, false)
		large := append(append([]byte{'"'}, bytes.Repeat([]byte{'a'}, 600<<10)...), '"')
		var (
			publishing sync.WaitGroup
			receipts   []engine.Receipt
		)
		publishing.Go(func() {
			var err error
			receipts, err = w.engine.Publish(t.Context(), &engine.Publication{
				Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: large}, {Type: "ping", Data: large}},
			})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ids = append(ids, w.publish(3)...)
		w.expectAll(receivers, ids, false)
		if waiting := w.engine.Stats().Waiting; waiting != 0 {
			t.Errorf("%d publications wait", waiting)
		}
		close(held.hold)
		publishing.Wait()
		for _, r := range receipts {
			ids = append(ids, r.Event)
		}
		w.expectAll(receivers, ids, false)
	})
}
