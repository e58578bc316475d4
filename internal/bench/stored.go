package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/postgres"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// storedGroup is the number of deliveries stored in one transaction.
const storedGroup = 2000

// fill restarts the server, and stores finished deliveries to the same endpoints in between.
func (b *benchmark) fill(ctx context.Context) error {
	if err := b.stop(); err != nil {
		return err
	}
	store, err := b.openStore(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(b.fillStore(ctx, store), store.Close()); err != nil {
		return err
	}
	return b.start(ctx)
}

func (b *benchmark) openStore(ctx context.Context) (bellwire.Store, error) {
	if b.options.DatabaseURL != "" {
		return postgres.Open(ctx, b.options.DatabaseURL, postgres.Options{Timeout: time.Minute, LeaseTerm: runTimeout})
	}
	return sqlite.Open(ctx, b.file(), sqlite.Options{})
}

func (b *benchmark) fillStore(ctx context.Context, store bellwire.Store) (err error) {
	leases, err := store.RenewLeases(ctx, "bench")
	if err != nil {
		return err
	}
	f := &filler{benchmark: b, leases: leases, pad: b.pad(), began: time.Now().Add(-time.Hour), step: time.Microsecond}
	if b.options.Pages {
		f.began, f.step = time.Now().Add(-pagesSpan), pagesSpan/time.Duration(b.options.Stored)
	}
	defer func() { err = errors.Join(err, store.ReleaseLeases(ctx, "bench")) }()
	for first := 0; first < b.options.Stored; first += storedGroup {
		if err := f.store(ctx, store, first, min(first+storedGroup, b.options.Stored)); err != nil {
			return err
		}
	}
	return nil
}

// filler creates events and outcomes of their deliveries.
type filler struct {
	*benchmark
	leases *bellwire.Leases
	ids    bellwire.Sequence
	pad    []byte
	began  time.Time     // pretended time of the first publish
	step   time.Duration // to the next one
}

// store stores the events with the given numbers as delivered.
func (f *filler) store(ctx context.Context, store bellwire.Store, first, end int) error {
	appends, results := make([]*bellwire.Append, end-first), make([]*bellwire.Result, end-first)
	for i := range appends {
		appends[i], results[i] = f.delivered(first + i)
	}
	appended, err := store.AppendEvents(ctx, appends)
	if err != nil {
		return err
	}
	for _, a := range appended {
		if a.Err != nil {
			return a.Err
		}
	}
	recorded, err := store.RecordResults(ctx, results)
	if err != nil {
		return err
	}
	for _, r := range recorded {
		if !r.Moved {
			return fmt.Errorf("a stored delivery is %s instead of ended", r.Status)
		}
	}
	return nil
}

// delivered returns an event, and the success of its only delivery, as large as a real one.
func (f *filler) delivered(n int) (*bellwire.Append, *bellwire.Result) {
	at := f.began.Add(time.Duration(n) * f.step)
	endpoint := n % f.options.Endpoints
	event := bellwire.Event{
		ID: bellwire.Next[bellwire.EventKind](&f.ids, at), Tenant: tenantID(endpoint), Type: eventType, CreatedAt: at,
		Data: appendData(nil, n, at, f.pad),
	}
	delivery := bellwire.NewDelivery{
		ID: bellwire.DeliveryOf(event.ID, 0), Endpoint: f.benchmark.ids[endpoint], Epoch: f.leases.Epoch(f.benchmark.ids[endpoint]),
	}
	result := &bellwire.Result{
		Delivery: delivery.ID, Trigger: bellwire.TriggerSchedule, Epoch: delivery.Epoch, EndedAt: at, Endpoint: delivery.Endpoint,
		Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
		Attempt: &bellwire.Attempt{
			ID: bellwire.Next[bellwire.AttemptKind](&f.ids, at), Delivery: delivery.ID, Trigger: bellwire.TriggerSchedule,
			StartedAt: at, Outcome: bellwire.OutcomeOK, Timings: bellwire.Timings{FirstByte: time.Millisecond, Total: time.Millisecond},
			Request: bellwire.AttemptRequest{
				URL: fmt.Sprintf("%s/healthy/%d", f.receiver.url, endpoint), BodyBytes: f.options.Size, Headers: []bellwire.Header{
					{Name: "content-type", Value: "application/json"}, {Name: "webhook-id", Value: event.ID.String()},
					{Name: "webhook-timestamp", Value: "1790000000"},
					{Name: "webhook-signature", Value: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
				},
			},
			Response: &bellwire.AttemptResponse{
				Status: http.StatusNoContent, Headers: []bellwire.Header{{Name: "Date", Value: at.UTC().Format(http.TimeFormat)}},
			},
		},
	}
	if f.options.Pages && n%failedEvery == 0 {
		result.Transition = bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonRetriesSpent}
		result.Attempt.Outcome, result.Attempt.Response.Status = bellwire.OutcomeStatus, http.StatusInternalServerError
	}
	return &bellwire.Append{Events: []*bellwire.NewEvent{{Event: event, Deliveries: []bellwire.NewDelivery{delivery}}}}, result
}
