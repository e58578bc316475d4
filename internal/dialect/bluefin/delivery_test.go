package bluefin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/catalogue"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

// subscribe creates a webhook through the vendor's API, with short retries.
func subscribe(t *testing.T, w *dialecttest.World, rcv *dialecttest.Receiver, event string) (id string) {
	t.Helper()
	dialecttest.Run(t, w, []dialecttest.Step{{
		Name: "subscribe", Do: "POST " + webhooks, Body: `{"url":"` + rcv.URL + `/hook","event":"` + event + `"}`,
		Status: 201, Want: shown(rcv.URL+"/hook", event, "wbh_<id:hex32>"),
	}})
	id = "wbh_" + w.Vars["id"]
	_, err := w.Native(id, service.EndpointInput{Retry: &bellwire.RetryPolicy{Interval: bellwire.Duration(time.Millisecond), Count: 5}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// notified is a decoded notification.
type notified struct {
	ID, Wbhid, Event string
	Payload          struct{ UpdateID, URL string }
}

func read(t *testing.T, a *dialecttest.Arrival) (n notified) {
	t.Helper()
	if a.Method != "POST" || a.Target != "/hook" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", a.Method, a.Target, a.Header)
	}
	if err := json.Unmarshal(a.Body, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// records have a form that no encoder produces. recordsGot is the answer of the link: each record has the update's id.
const (
	records = `[ {"id":"auru_1","oldExpiry":"1230", "newExpiry":"\u0031235","recurringSchedules":[1.0,2E2]},` + "\n" +
		`{"status":"updated_card" },{"updateId": "aupres_of_the_platform","format":"pan"}, { } ]`
	recordsGot = `[ {"id":"auru_1","oldExpiry":"1230", "newExpiry":"\u0031235","recurringSchedules":[1.0,2E2],"updateId":"ID"},` + "\n" +
		`{"status":"updated_card","updateId":"ID" },{"updateId": "ID","format":"pan"}, {"updateId":"ID" } ]`
)

// A notification links to the records, which only authenticated callers get.
func TestThinNotification(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	rcv := dialecttest.NewReceiver(t)
	id := subscribe(t, w, rcv, accountUpdates)
	rcv.Answer(500, 404, 410)
	event := w.Publish(accountUpdates, ` {"updates" : `+records+` } `)
	first := rcv.Next()
	n := read(t, first)
	for range 3 {
		if again := rcv.Next(); string(again.Body) != string(first.Body) {
			t.Errorf("a retry sent %s", again.Body)
		}
	}
	delivery := w.Deliveries(event)[id]
	if delivery.Status != bellwire.DeliverySucceeded || len(delivery.Attempts) != 4 {
		t.Errorf("%s after %d attempts", delivery.Status, len(delivery.Attempts))
	}
	updateID := "aupres_" + strings.TrimPrefix(event.String(), "evt_")
	want := `{"id":"not_` + strings.TrimPrefix(delivery.ID.String(), "dlv_") + `","wbhid":"` + id + `","event":"ACCOUNT_UPDATER_BATCH_UPDATES",` +
		`"payload":{"updateId":"` + updateID + `","url":"` + publicURL + updates + updateID + `"}}`
	if string(first.Body) != want {
		t.Errorf("the notification is\n%s\nwant\n%s", first.Body, want)
	}
	path := strings.TrimPrefix(n.Payload.URL, publicURL)
	got := strings.NewReplacer("ID", updateID).Replace(recordsGot)
	inForeign := strings.Replace(path, account, foreign, 1)
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "the records", Do: "GET " + path, Status: 200, Want: got, WantHeader: []string{"Content-Type: application/json"}},
		{Name: "for a key that reads", Key: "tenant-read", Do: "GET " + path, Status: 200, Want: got},
		{Name: "for the operator", Key: "operator", Do: "GET " + path, Status: 200, Want: got},
		{Name: "for nobody", Key: "none", Do: "GET " + path, Status: 401, Want: unauthenticated},
		{Name: "for a stranger", Key: "other", Do: "GET " + path, Status: 404, Want: notFound(account)},
		{Name: "in the stranger's account", Key: "other", Do: "GET " + inForeign, Status: 404, Want: notFound(updateID)},
		{Name: "another update", Do: "GET " + updates + "aupres_" + strings.Repeat("a", 32), Status: 404, Want: notFound("aupres_" + strings.Repeat("a", 32))},
		{Name: "no hex", Do: "GET " + updates + "aupres_" + strings.Repeat("Z", 32), Status: 404, Want: notFound("aupres_" + strings.Repeat("Z", 32))},
		{Name: "no update's id", Do: "GET " + updates + "aupres_1", Status: 422, Want: invalidItem("updateId", `updateId must be aupres_ and 32 letters or digits`)},
		{Name: "an event's id", Do: "GET " + updates + event.String(), Status: 422, Want: invalidItem("updateId", `updateId must be aupres_ and 32 letters or digits`)},
	})
	if upper := "aupres_" + strings.ToUpper(strings.TrimPrefix(updateID, "aupres_")); upper != updateID {
		dialecttest.Run(t, w, []dialecttest.Step{{Name: "in capitals", Do: "GET " + updates + upper, Status: 404, Want: notFound(upper)}})
	}
}

// Events of other types have no update.
func TestUpdatesOfOtherEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.PutType(accountUpdates, service.EventTypeInput{Schema: []byte(`true`)}) // a platform that checks less
	for eventType, data := range map[string]string{batchSettlement: `{"updates":[]}`, accountUpdates: `{"updates":{}}`} {
		id := "aupres_" + strings.TrimPrefix(w.Publish(eventType, data).String(), "evt_")
		dialecttest.Run(t, w, []dialecttest.Step{{Name: eventType, Do: "GET " + updates + id, Status: 404, Want: notFound(id)}})
	}
	id := "aupres_" + strings.TrimPrefix(w.Publish(accountUpdates, `{"updates":[]}`).String(), "evt_")
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "none", Do: "GET " + updates + id, Status: 200, Want: `[]`}})
}

// Records that were erased are gone like those that are no longer stored.
func TestErasedUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	event := w.Publish(accountUpdates, `{"updates":`+records+`}`)
	if err := w.Service.EraseEvent(t.Context(), dialecttest.Admin, w.Tenant, event); err != nil {
		t.Fatal(err)
	}
	id := "aupres_" + strings.TrimPrefix(event.String(), "evt_")
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "erased", Do: "GET " + updates + id, Status: 404, Want: notFound(id)}})
}

// A platform that serves its updates itself publishes the payload.
func TestUpdateOfThePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	rcv := dialecttest.NewReceiver(t)
	id := subscribe(t, w, rcv, accountUpdates)
	const data = `{"updateId":"aupres_5249941f13564471b3be9f96a6d532c1", "url":"https://api.payconex.net/api/v4/accounts/120000000007/account-updater/updates/aupres_5249941f13564471b3be9f96a6d532c1"}`
	event := w.Publish(accountUpdates, data)
	if body := string(rcv.Next().Body); !strings.HasSuffix(body, `,"wbhid":"`+id+`","event":"ACCOUNT_UPDATER_BATCH_UPDATES","payload":`+data+`}`) {
		t.Errorf("the notification is %s", body)
	}
	own := "aupres_" + strings.TrimPrefix(event.String(), "evt_")
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "there is nothing to GET here", Do: "GET " + updates + own, Status: 404, Want: notFound(own)}})
}

// All webhooks of an event are notified, each with its own id, of the same update.
func TestOneNotificationForEachWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	rcv, quiet := dialecttest.NewReceiver(t), dialecttest.NewReceiver(t)
	ids := map[string]bool{subscribe(t, w, rcv, accountUpdates): true, subscribe(t, w, rcv, accountUpdates): true}
	subscribe(t, w, quiet, batchSettlement)
	event := w.Publish(accountUpdates, `{"updates":[]}`)
	one, two := read(t, rcv.Next()), read(t, rcv.Next())
	if one.ID == two.ID || one.Wbhid == two.Wbhid || !ids[one.Wbhid] || !ids[two.Wbhid] || one.Payload != two.Payload {
		t.Errorf("%+v\n%+v", one, two)
	}
	w.Deliveries(event)
	rcv.None()
	quiet.None()
}

func TestSettlementIsDeliveredAsPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	rcv := dialecttest.NewReceiver(t)
	id := subscribe(t, w, rcv, batchSettlement)
	const data = `{ "batchId":"\u0031", "total":1E400,"a":[ ] }`
	w.Publish(batchSettlement, data)
	if body := string(rcv.Next().Body); !strings.HasSuffix(body, `,"wbhid":"`+id+`","event":"PAYCONEX_BATCH_SETTLEMENT","payload":`+data+`}`) {
		t.Errorf("the notification is %s", body)
	}
}

// A delivery that the dialect cannot send ends at once, with the reason.
func TestDataOfTheWrongKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.PutType(accountUpdates, service.EventTypeInput{Schema: []byte(`true`)})
	rcv := dialecttest.NewReceiver(t)
	id := subscribe(t, w, rcv, accountUpdates)
	for _, data := range []string{`"text"`, `{"updates":1}`} {
		d := w.Deliveries(w.Publish(accountUpdates, data))[id]
		if d.Status != bellwire.DeliveryExhausted || len(d.Attempts) > 0 || !strings.Contains(d.Reason, "nothing was sent") {
			t.Errorf("%s: %s, %s, %+v", data, d.Status, d.Reason, d.Attempts)
		}
	}
	rcv.None()
}

// An endpoint that comes from another dialect keeps its id.
func TestMovedEndpointNotifies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	rcv := dialecttest.NewReceiver(t)
	ep, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, account, service.EndpointInput{
		URL: new(rcv.URL + "/hook"), Events: &[]string{accountUpdates},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Native(ep.ID, service.EndpointInput{Dialect: new("bluefin")}); err != nil {
		t.Fatal(err)
	}
	event := w.Publish(accountUpdates, `{"updates":[{}]}`)
	arrived := rcv.Next()
	verifier, err := receive.Bluefin(ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	d, err := verifier.Verify(arrived.Header, arrived.Body)
	if err != nil || d.Type != accountUpdates || !strings.HasPrefix(d.ID, "not_") {
		t.Errorf("%+v, %v", d, err)
	}
	for _, name := range []string{"Webhook-Id", "Webhook-Signature", "Authorization"} {
		if value := arrived.Header.Get(name); value != "" {
			t.Errorf("it has %s: %s", name, value)
		}
	}
	w.Deliveries(event)
}

// Every example of the catalogue can be delivered.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false) // holds every example against its schema
	file, err := catalogue.Parse(bluefin.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	rcv := dialecttest.NewReceiver(t)
	var names []string
	for _, et := range file.EventTypes {
		names = append(names, et.Name)
		id := subscribe(t, w, rcv, et.Name)
		event := w.Publish(et.Name, string(et.Example))
		if n := read(t, rcv.Next()); n.Wbhid != id || n.Event != et.Name {
			t.Errorf("%+v", n)
		}
		w.Deliveries(event)
	}
	if got := strings.Join(names, " "); got != accountUpdates+" "+batchSettlement || file.Dialect != bluefin.Name {
		t.Errorf("%s has %s", file.Dialect, got)
	}
}
