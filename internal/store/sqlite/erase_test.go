package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestErasedDataIsOverwritten: once the server has stopped, the file does not contain the data of an event that was erased, nor what
// a receiver repeated of it.
func TestErasedDataIsOverwritten(t *testing.T) {
	t.Parallel()
	secret := []byte("4111-1111-1111-1111")
	path := filepath.Join(t.TempDir(), "bellwire.db")
	s, err := Open(t.Context(), path, Options{NoSync: true})
	check(t, err)
	at := bellwire.StoredTime(time.Now())
	tenant := &bellwire.Tenant{ID: "acme", CreatedAt: at, UpdatedAt: at}
	check(t, s.CreateTenant(t.Context(), tenant))
	ep := &bellwire.Endpoint{ID: "ep", Tenant: "acme", URL: "https://example.com/", Status: bellwire.EndpointEnabled, CreatedAt: at, UpdatedAt: at}
	check(t, s.CreateEndpoint(t.Context(), ep, bellwire.ChangeNote{}))
	leases, err := s.RenewLeases(t.Context(), "node")
	check(t, err)
	for _, size := range []int{1, 100_000} { // in a page, and in pages of its own
		id := bellwire.NewID[bellwire.EventKind](at)
		e := &bellwire.NewEvent{Event: bellwire.Event{ID: id, Tenant: "acme", Type: "a", Data: append(bytes.Repeat([]byte(" "), size), secret...), CreatedAt: at}}
		delivery := bellwire.DeliveryOf(id, 0)
		e.Deliveries = []bellwire.NewDelivery{{ID: delivery, Endpoint: "ep", Epoch: leases.Epoch("ep")}}
		results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
		check(t, err)
		check(t, results[0].Err)
		_, err = s.RecordResults(t.Context(), []*bellwire.Result{{
			Attempt: &bellwire.Attempt{
				ID: bellwire.NewID[bellwire.AttemptKind](at), Delivery: delivery, Trigger: bellwire.TriggerSchedule, StartedAt: at, Outcome: bellwire.OutcomeStatus,
				Response: &bellwire.AttemptResponse{Status: 400, Body: append([]byte("cannot be: "), secret...)},
			},
			Delivery: delivery, Endpoint: "ep", Epoch: leases.Epoch("ep"), EndedAt: at,
			Transition: bellwire.Transition{Status: bellwire.DeliveryExhausted},
		}})
		check(t, err)
		_, err = s.EraseEvent(t.Context(), "acme", id, bellwire.Erasure{At: at})
		check(t, err)
	}
	check(t, s.Close())
	file, err := os.ReadFile(path)
	check(t, err)
	if n := bytes.Count(file, secret); n > 0 {
		t.Errorf("the file has what was erased %d times", n)
	}
	if _, err := os.Stat(path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the write-ahead log is still there: %v", err)
	}
}
