package service_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/service"
)

func TestPublish(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	e.endpoint(tenant)
	data := `{"amount": 1.0,  "x": "\u0041"}`
	got, err := e.Publish(t.Context(), admin, tenant, service.Draft{Type: "order.created", Data: []byte(data)})
	if err != nil || got.Deliveries != 1 || got.Duplicate {
		t.Fatalf("got %+v, %v", got, err)
	}
	ev, err := e.Event(t.Context(), admin, tenant, got.Event)
	if err != nil || string(ev.Data) != data {
		t.Errorf("stored %+v, %v", ev, err)
	}
}

func TestBadDrafts(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *service.Config) { c.MaxEventBytes = 1000 })
	e.putType("order.archived", service.EventTypeInput{Archived: true})
	tenant := e.tenant("acme")
	with := func(change func(*service.Draft)) service.Draft {
		d := service.Draft{Type: "order.created", Data: []byte(`{}`)}
		change(&d)
		return d
	}
	tests := []struct {
		name  string
		draft service.Draft
		code  bellwire.Code
		field string
	}{
		{"no type", with(func(d *service.Draft) { d.Type = "" }), bellwire.CodeInvalid, "type"},
		{"unknown type", with(func(d *service.Draft) { d.Type = "order.lost" }), bellwire.CodeInvalid, "type"},
		{"bad type", with(func(d *service.Draft) { d.Type = strings.Repeat("\xff", 500) }), bellwire.CodeInvalid, "type"},
		{"archived type", with(func(d *service.Draft) { d.Type = "order.archived" }), bellwire.CodeInvalid, "type"},
		{"no data", with(func(d *service.Draft) { d.Data = nil }), bellwire.CodeInvalid, "data"},
		{"large data", with(func(d *service.Draft) { d.Data = []byte(strings.Repeat(" ", 1000) + "1") }), bellwire.CodeTooLarge, "data"},
		{"data does not fit", with(func(d *service.Draft) { d.Data = []byte(`{"amount": "1"}`) }), bellwire.CodeInvalid, "data.amount"},
		{"exponent", with(func(d *service.Draft) { d.Data = []byte(`{"amount": 1E4000}`) }), bellwire.CodeInvalid, "data.amount"},
		{"long id", with(func(d *service.Draft) { d.IdempotencyKey = strings.Repeat("é", 129) }), bellwire.CodeInvalid, "id"},
		{"id with line", with(func(d *service.Draft) { d.IdempotencyKey = "a\nb" }), bellwire.CodeInvalid, "id"},
		{"long ordering key", with(func(d *service.Draft) { d.OrderingKey = strings.Repeat("é", 129) }), bellwire.CodeInvalid, "ordering_key"},
		{"ordering key with line", with(func(d *service.Draft) { d.OrderingKey = "a\nb" }), bellwire.CodeInvalid, "ordering_key"},
		{"id not UTF-8", with(func(d *service.Draft) { d.IdempotencyKey = "\xff" }), bellwire.CodeInvalid, "id"},
		{"too early", with(func(d *service.Draft) { d.OccurredAt = time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC) }), bellwire.CodeInvalid, "occurred_at"},
		{"too late", with(func(d *service.Draft) { d.OccurredAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), bellwire.CodeInvalid, "occurred_at"},
		{"much too far ahead", with(func(d *service.Draft) { d.DeliverAt = time.Now().Add(366 * 24 * time.Hour) }), bellwire.CodeInvalid, "deliver_at"},
		{"expired", with(func(d *service.Draft) { d.ExpiresAt = time.Now().Add(-time.Second) }), bellwire.CodeInvalid, "expires_at"},
		{"expires before it is delivered", with(func(d *service.Draft) {
			d.DeliverAt, d.ExpiresAt = time.Now().Add(2*time.Hour), time.Now().Add(time.Hour)
		}), bellwire.CodeInvalid, "expires_at"},
		{"expires very late", with(func(d *service.Draft) { d.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), bellwire.CodeInvalid, "expires_at"},
	}
	good := with(func(*service.Draft) {})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := e.Publish(t.Context(), admin, tenant, tt.draft)
			wantCode(t, err, tt.code, tt.field)
			_, err = e.PublishBatch(t.Context(), admin, tenant, []service.Draft{good, tt.draft})
			wantCode(t, err, tt.code, "events[1]."+tt.field)
		})
	}
	for _, n := range []int{0, 1001} {
		_, err := e.PublishBatch(t.Context(), admin, tenant, make([]service.Draft, n))
		wantCode(t, err, bellwire.CodeInvalid, "events")
	}
	list, err := e.Events(t.Context(), admin, bellwire.EventFilter{Tenant: tenant}, bellwire.Page{})
	if err != nil || len(list.Items) != 0 {
		t.Errorf("refused events were stored: %v, %v", list, err)
	}
	fits := with(func(d *service.Draft) {
		d.IdempotencyKey = strings.Repeat("é", 128)
		d.Data = []byte(strings.Repeat(" ", 998) + "{}")
	})
	if _, err := e.Publish(t.Context(), admin, tenant, fits); err != nil {
		t.Errorf("at the limits: %v", err)
	}
	_, err = e.Publish(t.Context(), admin, "nowhere", good)
	wantCode(t, err, bellwire.CodeNotFound, "")
}

// A publisher without an answer may repeat an accepted event, whatever happened to its type in the meantime.
func TestWhatWasAcceptedStaysAccepted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.tenant("acme")
	e.putType("card.created", service.EventTypeInput{})
	data := []byte(`{"n":1}`)
	first, err := e.Publish(t.Context(), admin, "acme", service.Draft{Type: "card.created", Data: data, IdempotencyKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	e.putType("card.created", service.EventTypeInput{Archived: true})
	again, err := e.Publish(t.Context(), admin, "acme", service.Draft{Type: "card.created", Data: data, IdempotencyKey: "k"})
	if err != nil || !again.Duplicate || again.Event != first.Event {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	for name, d := range map[string]service.Draft{
		"another id": {Type: "card.created", Data: data, IdempotencyKey: "l"},
		"no id":      {Type: "card.created", Data: data},
		"other data": {Type: "card.created", Data: []byte("2"), IdempotencyKey: "k"},
	} {
		_, err := e.Publish(t.Context(), admin, "acme", d)
		if bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBatchBytes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	e.putType("any", service.EventTypeInput{})
	data := []byte(strings.Repeat(" ", 1<<20-1) + "1")
	batch := make([]service.Draft, 17)
	for i := range batch {
		batch[i] = service.Draft{Type: "any", Data: data}
	}
	_, err := e.PublishBatch(t.Context(), admin, tenant, batch)
	wantCode(t, err, bellwire.CodeTooLarge, "events")
	receipts, err := e.PublishBatch(t.Context(), admin, tenant, batch[:16])
	if err != nil || len(receipts) != 16 {
		t.Errorf("got %d receipts, %v", len(receipts), err)
	}
}

// The catalogue that events are checked against is the one at the moment of their append.
func TestPublishOnStaleCatalogue(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	putBehind := func(schema string, archived bool) {
		// As another node would: past this node's directory.
		_, err := e.store.PutEventType(t.Context(), &bellwire.EventType{Name: "order.created", Schema: []byte(schema), Archived: archived, CreatedAt: time.Now()})
		if err != nil {
			t.Error(err)
		}
	}
	publish := func(data string) error {
		_, err := e.Publish(t.Context(), admin, tenant, service.Draft{Type: "order.created", Data: []byte(data)})
		return err
	}
	if err := publish(`{"amount": 1}`); err != nil {
		t.Fatal(err)
	}
	putBehind(`{"properties": {"amount": {"type": "string"}}}`, false)
	wantCode(t, publish(`{"amount": 1}`), bellwire.CodeInvalid, "data.amount")
	putBehind(`{"properties": {"amount": {"type": "number"}}}`, false)
	if err := publish(`{"amount": 1}`); err != nil {
		t.Errorf("refused for a schema that is gone: %v", err)
	}
	putBehind(`true`, true)
	wantCode(t, publish(`1`), bellwire.CodeInvalid, "type")
	putBehind(`true`, false)
	if err := publish(`1`); err != nil {
		t.Errorf("refused for an archive that it left: %v", err)
	}

	n := 0
	e.engine.before = func() { // faster than anyone can check
		n++
		putBehind(fmt.Sprintf(`{"maxProperties": %d}`, n+10), false)
	}
	if err := publish(`1`); err != nil || n != 2 {
		t.Errorf("while the catalogue changes all the time: %v, after %d attempts; want 2", err, n)
	}
}

// The store is asked once which event of a batch conflicts, and once whether data that does not match was accepted before.
func TestConflictsAreLookedUpTogether(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	batch := make([]service.Draft, 100)
	for i := range batch {
		batch[i] = service.Draft{Type: "order.created", Data: []byte(`{"amount": 1}`), IdempotencyKey: fmt.Sprint("k", i)}
	}
	if _, err := e.PublishBatch(t.Context(), admin, tenant, batch); err != nil {
		t.Fatal(err)
	}
	batch[98].Data = []byte(`{"amount": 2}`)
	_, err := e.PublishBatch(t.Context(), admin, tenant, batch)
	wantCode(t, err, bellwire.CodeConflict, "events[98].id")
	if n := e.store.digests.Swap(0); n != 1 {
		t.Errorf("a conflict asks for digests %d times", n)
	}
	archived := &bellwire.EventType{Name: "order.created", Archived: true, CreatedAt: time.Now()}
	if _, err := e.store.PutEventType(t.Context(), archived); err != nil {
		t.Fatal(err)
	}
	e.engine.directory.ForgetCatalogue()
	batch[98].Data = []byte(`{"amount": 1}`)
	if _, err := e.PublishBatch(t.Context(), admin, tenant, batch); err != nil {
		t.Error(err)
	}
	if n := e.store.digests.Load(); n != 1 {
		t.Errorf("a batch of an archived type asks for digests %d times", n)
	}
}

func TestTypeOfAnotherNodeIsFound(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	if _, err := e.Publish(t.Context(), admin, tenant, draft); err != nil {
		t.Fatal(err)
	}
	if _, err := e.store.PutEventType(t.Context(), &bellwire.EventType{Name: "order.new", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	in := minimal()
	in.Events = &[]string{"order.new"}
	if _, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in); err != nil {
		t.Error(err)
	}
	if _, err := e.store.PutEventType(t.Context(), &bellwire.EventType{Name: "order.newer", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Publish(t.Context(), admin, tenant, service.Draft{Type: "order.newer", Data: []byte("1")}); err != nil {
		t.Error(err)
	}
}

// takeAll is an engine that takes everything and keeps nothing.
type takeAll struct{ receipts []engine.Receipt }

func (e takeAll) Publish(ctx context.Context, p *engine.Publication) ([]engine.Receipt, error) {
	if _, err := p.Checks.Check(ctx, false); err != nil {
		return nil, err
	}
	return e.receipts, nil
}

func (takeAll) Test(context.Context, string, string, engine.Draft) (bellwire.EventID, bellwire.DeliveryID, error) {
	return bellwire.EventID{}, bellwire.DeliveryID{}, nil
}

func (takeAll) Refresh(string) {}

func (takeAll) Nodes() int { return 1 }

func (takeAll) LeaseAge() time.Duration { return 0 }

func (takeAll) Forget(string, bellwire.DeliveryID)         {}
func (takeAll) ForgetEvent(string, bellwire.EventID)       {}
func (takeAll) Canceled(string, int, bellwire.CancelCause) {}
func (takeAll) Blocked(string, bellwire.Trigger) (bellwire.WaitReason, time.Time) {
	return bellwire.WaitQueued, time.Time{}
}
func (takeAll) WakeJobs() {}
func (takeAll) Reach(context.Context, *url.URL) (*engine.Reached, error) {
	return &engine.Reached{Outcome: bellwire.OutcomeOK}, nil
}

// hotPath returns what happens for each event published, with a key of the operator's.
func hotPath(t testing.TB) (*env, func() error) {
	e := newEnv(t, func(c *service.Config) { c.Engine = takeAll{make([]engine.Receipt, 1)} })
	e.putType("any", service.EventTypeInput{})
	e.tenant("acme")
	secret := e.key("", bellwire.RolePublisher)
	d := service.Draft{Type: "any", Data: []byte(`{"amount": 1}`)}
	ctx := t.Context()
	return e, func() error {
		c, err := e.AuthenticatePublisher(ctx, secret)
		if err != nil {
			return err
		}
		_, err = e.Publish(ctx, c, "acme", d)
		return err
	}
}

func TestHotPath(t *testing.T) { // not parallel: it counts allocations
	e, publish := hotPath(t)
	for range 2 { // the first reads the catalogue after the key, which counts no more then
		if err := publish(); err != nil {
			t.Fatal(err)
		}
	}
	before := e.store.reads.Load()
	allocs := testing.AllocsPerRun(100, func() {
		if err := publish(); err != nil {
			t.Fatal(err)
		}
	})
	if n := e.store.reads.Load() - before; n != 0 {
		t.Errorf("%d reads of the store", n)
	}
	if allocs > 3 {
		t.Errorf("%v allocations, want at most 3", allocs)
	}
}

func BenchmarkPublish(b *testing.B) {
	_, publish := hotPath(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := publish(); err != nil {
			b.Fatal(err)
		}
	}
}

// An id stands for the type and the data. When the event was to be delivered is decided by the first publication, so a publisher
// that computes the times anew for each try gets one event; and a repetition is accepted after the event has expired.
func TestSameIDWithAnotherSchedule(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	draft := service.Draft{Type: "order.created", Data: []byte("{}"), IdempotencyKey: "k", DeliverAt: at, ExpiresAt: at.Add(time.Hour)}
	first, err := e.Publish(t.Context(), admin, tenant, draft)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []service.Draft{
		{DeliverAt: at.Add(time.Minute)}, {}, {ExpiresAt: time.Now().Add(-time.Minute)},
	} {
		other.Type, other.Data, other.IdempotencyKey = draft.Type, draft.Data, draft.IdempotencyKey
		again, err := e.Publish(t.Context(), admin, tenant, other)
		if err != nil || !again.Duplicate || again.Event != first.Event {
			t.Errorf("again: %+v, %v", again, err)
		}
	}
	stored, err := e.Event(t.Context(), admin, tenant, first.Event)
	if err != nil || !stored.DeliverAt.Equal(at) || !stored.ExpiresAt.Equal(at.Add(time.Hour)) {
		t.Errorf("stored: %+v, %v", stored, err)
	}
}

// A delayed delivery says when it is to be sent, and an expired one that it has expired, which no retry changes.
func TestScheduleIsExplained(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	e.endpoint(tenant)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	explain := func(d service.Draft) (*bellwire.Explanation, *bellwire.Delivery) {
		t.Helper()
		d.Type, d.Data = "order.created", []byte("{}")
		receipt, err := e.Publish(t.Context(), admin, tenant, d)
		if err != nil {
			t.Fatal(err)
		}
		if !d.ExpiresAt.IsZero() {
			if _, err := e.store.EndExpired(t.Context(), d.ExpiresAt, 10); err != nil {
				t.Fatal(err)
			}
		}
		_, found, err := e.Explain(t.Context(), admin, tenant, receipt.Event, bellwire.Page{})
		if err != nil {
			t.Fatal(err)
		}
		delivery, _, err := e.Delivery(t.Context(), admin, tenant, found.Items[0].Delivery.ID)
		if err != nil {
			t.Fatal(err)
		}
		return found.Items[0], delivery
	}
	x, d := explain(service.Draft{DeliverAt: at})
	if want := "the event is to be delivered at " + at.Format(time.RFC3339); x.Fate != bellwire.FatePending || x.Reason != want {
		t.Errorf("delayed: %s, %q, want %q", x.Fate, x.Reason, want)
	}
	if wait, err := e.WaitingFor(t.Context(), admin, d); err != nil || wait.Reason != bellwire.WaitDeliverAt || !wait.Until.Equal(at) {
		t.Errorf("it waits for %+v, %v", wait, err)
	}
	soon := time.Now().Add(50 * time.Millisecond).UTC().Truncate(time.Microsecond)
	x, d = explain(service.Draft{DeliverAt: soon.Add(-time.Microsecond), ExpiresAt: soon})
	if x.Fate != bellwire.FateCanceled || x.Reason != bellwire.ReasonExpired(soon) {
		t.Errorf("expired: %s, %q", x.Fate, x.Reason)
	}
	time.Sleep(time.Until(soon))
	for _, restart := range []bool{false, true} {
		_, err := e.RetryDelivery(t.Context(), admin, tenant, d.ID, restart)
		wantCode(t, err, bellwire.CodeConflict, "")
	}
}
