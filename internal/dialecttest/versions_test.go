package dialecttest_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// versioned is a World with an endpoint that gets version 1 of order.paid, of which version 2 is the newest.
type versioned struct {
	*dialecttest.World
	t        *testing.T
	receiver *dialecttest.Receiver
	endpoint string
}

func newVersioned(t *testing.T, f front) *versioned {
	t.Helper()
	w := &versioned{World: dialecttest.New(t, f.config), t: t, receiver: dialecttest.NewReceiver(t)}
	w.PutType("order.paid", service.EventTypeInput{Group: "orders", Schema: []byte(`{"required": ["amount"], "properties": {"amount": {"type": "number"}}}`)})
	dialect := f.config.Dialect.Name()
	ep, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &w.receiver.URL, Events: &[]string{"order.paid"}, Dialect: &dialect,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.endpoint = ep.ID
	_, err = w.Service.AddVersion(t.Context(), dialecttest.Admin, "order.paid", service.NewVersion{
		Schema: []byte(`{"required": ["total"]}`), Converter: `{"amount": data.total}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// send publishes data of version 2, and returns the delivery and what came.
func (w *versioned) send(data string) (bellwire.DeliveryID, *dialecttest.Arrival) {
	w.t.Helper()
	event := w.Publish("order.paid", data)
	return w.Deliveries(event)[w.endpoint].ID, w.receiver.Next()
}

func (w *versioned) body(id bellwire.DeliveryID, attempt int) *service.RequestBody {
	w.t.Helper()
	body, err := w.Service.DeliveryBody(w.t.Context(), dialecttest.Admin, w.Tenant, id, attempt)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *versioned) change(in service.EndpointInput) {
	w.t.Helper()
	if _, err := w.Native(w.endpoint, in); err != nil {
		w.t.Fatal(err)
	}
}

func (w *versioned) convertBy(converter string) {
	w.t.Helper()
	if _, err := w.Service.PutConverter(w.t.Context(), dialecttest.Admin, "order.paid", 1, converter); err != nil {
		w.t.Fatal(err)
	}
}

// TestAttemptBodies asks for what an attempt has sent, while everything on which it depends changes.
func TestAttemptBodies(t *testing.T) {
	t.Parallel()
	for name, f := range fronts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVersioned(t, f)
			id, came := w.send(`{"total": 1.50}`)
			wantSame := func(after string) {
				t.Helper()
				got := w.body(id, 1)
				if !bytes.Equal(got.Body, came.Body) || !got.Sent.Same || got.Sent.Hash != sha256.Sum256(came.Body) || got.Sent.Reason != "" || got.Version != 1 {
					t.Errorf("after %s: %s (%+v) is shown, %s was sent", after, got.Body, got.Sent, came.Body)
				}
			}
			wantOther := func(after, reason string) {
				t.Helper()
				if got := w.body(id, 1); got.Sent.Same || !strings.Contains(got.Sent.Reason, reason) {
					t.Errorf("after %s: %+v, want %q", after, got.Sent, reason)
				}
			}
			wantSame("the delivery")
			if !bytes.Contains(came.Body, []byte("amount")) {
				t.Errorf("%s was sent", came.Body)
			}
			w.change(service.EndpointInput{Versions: map[string]int{"order.paid": 2}})
			wantSame("a move to version 2")
			if got := w.body(id, 0); got.Version != 2 || !bytes.Contains(got.Body, []byte("total")) || got.Sent != nil {
				t.Errorf("after a move %s (%+v) would be sent", got.Body, got)
			}
			w.convertBy(`{"amount": data.total, "currency": "EUR"}`)
			wantOther("a change of the converter", "its converters make other data now")
			w.convertBy(`data.without(["total"]).with({"amount": data.total})`)
			wantSame("another converter that makes the same")

			if f.config.Dialect.Name() != standard.Name {
				w.change(service.EndpointInput{Dialect: new(standard.Name)})
				if got := w.body(id, 1); !got.Sent.Same && !strings.Contains(got.Sent.Reason, "dialect was changed from "+f.config.Dialect.Name()+" to standard") {
					t.Errorf("after a change of the dialect: %+v", got.Sent)
				}
			}
			if _, err := w.Service.DeliveryBody(t.Context(), dialecttest.Admin, w.Tenant, id, 2); bellwire.CodeOf(err) != bellwire.CodeNotFound {
				t.Error("an attempt that does not exist:", err)
			}
			if err := w.Service.DeleteEventType(t.Context(), dialecttest.Admin, "order.paid"); err != nil {
				t.Fatal(err)
			}
			wantOther("the type was deleted", "the event type was deleted since")
		})
	}
}

// TestPreviewVersions moves an endpoint on trial.
func TestPreviewVersions(t *testing.T) {
	t.Parallel()
	w := newVersioned(t, fronts(t)["native"])
	try := func(limit int, versions map[string]int) []*service.VersionPreview {
		t.Helper()
		previews, err := w.Service.PreviewVersions(t.Context(), dialecttest.Admin, w.Tenant, w.endpoint, service.VersionTrial{Versions: versions, Limit: &limit})
		if err != nil {
			t.Fatal(err)
		}
		return previews
	}
	second := map[string]int{"order.paid": 2}
	if got := try(5, second); len(got) != 0 {
		t.Errorf("before any event there are %d previews", len(got))
	}
	w.PutType("order.sent", service.EventTypeInput{})
	w.change(service.EndpointInput{Events: &[]string{"order.*"}})
	w.Publish("order.sent", `{}`)
	w.receiver.Next()
	first, came := w.send(`{"total": 1.50}`)
	newest, _ := w.send(`{"total": "2"}`)
	got := try(5, second)
	if len(got) != 2 || got[0].Delivery.ID != newest || got[1].Delivery.ID != first {
		t.Fatalf("got %d previews", len(got))
	}
	one := got[1]
	if one.Before.Problem != "" || one.Before.Version != 1 || !bytes.Equal(one.Before.Body, came.Body) {
		t.Errorf("before: %s (%s), %s was sent", one.Before.Body, one.Before.Problem, came.Body)
	}
	if one.After.Problem != "" || one.After.Version != 2 || !bytes.HasSuffix(one.After.Body, []byte(`"data":{"total": 1.50}}`)) {
		t.Errorf("after: %s (%s)", one.After.Body, one.After.Problem)
	}
	if got := try(1, second); len(got) != 1 || got[0].Delivery.ID != newest {
		t.Errorf("the limit 1 gives %d previews", len(got))
	}
	// The way back: data that does not fit the schema, or that cannot be converted.
	w.change(service.EndpointInput{Versions: second})
	back := map[string]int{"order.paid": 1}
	const misfit = "the data does not fit the schema of version 1: data.amount"
	if got := try(5, back)[0]; !strings.HasPrefix(got.After.Problem, misfit) || got.After.Version != 1 {
		t.Errorf("after: %+v", got.After)
	}
	w.convertBy(`{"amount": data.count}`)
	const failed = `the data cannot be converted to version 1 of event type "order.paid": data.count does not exist`
	if got := try(5, back)[1]; got.After.Problem != failed || got.After.RequestBody != nil {
		t.Errorf("after: %+v", got.After)
	}
	if got := try(5, back)[1].Before; got.Problem == "" || got.RequestBody != nil {
		t.Errorf("before, with a converter that fails now: %+v", got)
	}
	for field, in := range map[string]service.VersionTrial{
		"versions": {}, "limit": {Versions: second, Limit: new(21)}, "versions.order.paid": {Versions: map[string]int{"order.paid": 3}},
	} {
		_, err := w.Service.PreviewVersions(t.Context(), dialecttest.Admin, w.Tenant, w.endpoint, in)
		if bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if ep, err := w.Service.EndpointVersions(t.Context(), dialecttest.Admin, w.Tenant, w.endpoint); err != nil || ep[0].Version != 2 {
		t.Errorf("the previews have moved the endpoint: %+v, %v", ep, err)
	}
	if err := w.Service.EraseEvent(t.Context(), dialecttest.Admin, w.Tenant, got[0].Delivery.Event); err != nil {
		t.Fatal(err)
	}
	if got := try(5, back); len(got) != 1 || got[0].Delivery.ID != first {
		t.Errorf("after an erasure there are %d previews", len(got))
	}
}

// TestPreviewOfEarlierEvents: nothing makes a later version of what was published before it was added.
func TestPreviewOfEarlierEvents(t *testing.T) {
	t.Parallel()
	w := newVersioned(t, fronts(t)["native"])
	w.send(`{"total": 1}`)
	if _, err := w.Service.AddVersion(t.Context(), dialecttest.Admin, "order.paid", service.NewVersion{Converter: `{"total": data}`}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Service.PreviewVersions(t.Context(), dialecttest.Admin, w.Tenant, w.endpoint, service.VersionTrial{Versions: map[string]int{"order.paid": 3}})
	if err != nil {
		t.Fatal(err)
	}
	if after := got[0].After; after.Version != 2 || !strings.Contains(after.Problem, "was published in version 2") {
		t.Errorf("after: %+v", after)
	}
}

// TestExplanationsSeeTheVersion: what is said of a filter is what it did, on the data that the endpoint got at that time.
func TestExplanationsSeeTheVersion(t *testing.T) {
	t.Parallel()
	w := newVersioned(t, fronts(t)["native"])
	skip := bellwire.OnErrorSkip
	w.change(service.EndpointInput{Filter: new("data.amount > 5"), OnError: &skip})
	small, broken := w.Publish("order.paid", `{"total": 4}`), w.Publish("order.paid", `{"total": "many"}`)
	large := w.Publish("order.paid", `{"total": 6}`)
	w.Deliveries(large)
	w.receiver.Next()
	w.receiver.None()
	wants := func(event bellwire.EventID, fate bellwire.Fate, reason string) {
		t.Helper()
		_, list, err := w.Service.Explain(t.Context(), dialecttest.Admin, w.Tenant, event, bellwire.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if x := list.Items[0]; x.Fate != fate || x.Reason != reason {
			t.Errorf("got %s: %q, want %s: %q", x.Fate, x.Reason, fate, reason)
		}
	}
	all := func() {
		t.Helper()
		wants(small, bellwire.FateFiltered, "the endpoint's filter did not match the event: data.amount > 5")
		wants(broken, bellwire.FateFiltered, "the endpoint's filter had no answer for the event, because > cannot be applied to a string and a number: data.amount > 5")
		wants(large, bellwire.FateDelivered, "")
	}
	all()
	tried := func(filter, endpoint string) *service.TriedFilter {
		t.Helper()
		result, err := w.Service.TryFilter(t.Context(), dialecttest.Admin, w.Tenant, service.FilterTrial{Filter: filter, Endpoint: endpoint})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if got := tried("data.amount > 5", w.endpoint); got.Matched != 1 || got.Unmatched != 1 || got.Errors != 1 {
		t.Errorf("a trial for the endpoint: %+v", got)
	}
	if got := tried("data.amount > 5", ""); got.Errors != 3 {
		t.Errorf("a trial on what was published: %+v", got)
	}
	w.change(service.EndpointInput{Filter: new("data.total > 5"), Versions: map[string]int{"order.paid": 2}})
	all()
	if got := tried("data.total > 5", w.endpoint); got.Matched != 1 || got.Unmatched != 1 || got.Errors != 1 {
		t.Errorf("a trial for the endpoint that was moved: %+v", got)
	}
	w.change(service.EndpointInput{Versions: map[string]int{"order.paid": 1}, Filter: new("")})
	w.convertBy(`{"amount": data.count}`)
	wants(small, bellwire.FateFiltered, "the endpoint's filter had no answer for the event, because the data cannot be converted to version 1 "+
		`of event type "order.paid": data.count does not exist: data.amount > 5`)
}
