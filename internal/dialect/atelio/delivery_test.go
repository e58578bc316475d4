package atelio_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/catalogue"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/testenv"
	"github.com/bellwire/bellwire/receive"
)

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

// moment has nanoseconds, which the store does not keep, and another zone than UTC.
var moment = time.Date(2024, 3, 1, 11, 0, 0, 999, time.FixedZone("", 60*60))

func message(eventType, data string) *bellwire.Message {
	return &bellwire.Message{Event: &bellwire.Event{Type: eventType, Data: []byte(data), CreatedAt: moment}, SentAt: moment.Add(time.Second / 2)}
}

func credentials(secrets ...string) *bellwire.Credentials {
	c := &bellwire.Credentials{}
	for _, s := range secrets {
		c.Secrets = append(c.Secrets, bellwire.Secret{Value: s})
	}
	return c
}

func TestMessage(t *testing.T) {
	t.Parallel()
	const digest = "6cfb888092004fa439581941e2dda3911f2e3387ed5de1554f162bf5503fd437" // the vector of the vendor's facts
	body, header := dialecttest.Render(t, atelio.Dialect{}, &bellwire.Endpoint{}, credentials(secret, "whsec_older"),
		message("kyc.verification.success", ` { "customer_id":"11111111-2222-4333-8444-555555555555" } `))
	if want := `{"event": "kyc.verification.success", "customer_id": "11111111-2222-4333-8444-555555555555", "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`; string(body) != want {
		t.Errorf("the body is %s", body)
	}
	want := http.Header{"Content-Type": {"application/json"}, "Bond-Signature": {"t=1709287200,v1=" + digest + ",v2=" + digest}}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Error(diff)
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	renderer, err := atelio.Dialect{}.Bind(&bellwire.Endpoint{}, credentials(secret))
	if err != nil {
		t.Fatal(err)
	}
	const at = `"occurred_at": "2024-03-01T10:00:00.000000+00:00"}`
	for data, want := range map[string]string{
		`{}`:                       `{"event": "transactions", ` + at,
		` { } `:                    `{"event": "transactions", ` + at,
		`{"z":1,"a":[1.50,"é\/"]}`: `{"event": "transactions", "z": 1, "a": [1.5, "\u00e9/"], ` + at,
		`{"a":1E400}`:              `{"event": "transactions", "a": 1E400, ` + at,
		`{"a":1,"b":2,"a":3}`:      `{"event": "transactions", "a": 3, "b": 2, ` + at,
		`{"Event":1,"sent_time":"x","a":{"event":1,"occurred_at":2}}`: `{"event": "transactions", "Event": 1, "sent_time": "x", "a": {"event": 1, "occurred_at": 2}, ` + at,
		// What the vendor prints can be published whole: the field is the envelope's own.
		`{"event":"transactions","a":1}`:                                    `{"event": "transactions", "a": 1, ` + at,
		`{"a":1, "\u0065vent" : "transactions", "b":[]}`:                    `{"event": "transactions", "a": 1, "b": [], ` + at,
		`{"event":"transactions"}`:                                          `{"event": "transactions", ` + at,
		`{"event":"transactions","event":"transactions","occurred_at":"x"}`: `{"event": "transactions", "occurred_at": "x"}`,
		`{"occurred_at":"2020-01-01T00:00:00+00:00","a":1}`:                 `{"event": "transactions", "occurred_at": "2020-01-01T00:00:00+00:00", "a": 1}`,
		`{"\u006fccurred_at":null}`:                                         `{"event": "transactions", "occurred_at": null}`,
	} {
		t.Run(data, func(t *testing.T) {
			body, err := renderer.AppendBody([]byte("x"), message("transactions", data))
			if err != nil || string(body) != "x"+want {
				t.Errorf("%s: %s, %v", data, body, err)
			}
		})
	}
	for _, data := range []string{`null`, `[]`, `"x"`, `7`, `{"event":"x"}`, `{"a":1,"\u0065vent":null}`} {
		t.Run(data, func(t *testing.T) {
			if _, err := renderer.AppendBody(nil, message("transactions", data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", data, err)
			}
		})
	}
	late := message("transactions", `{}`)
	late.Event.OccurredAt = time.Date(2020, 1, 2, 3, 4, 5, 678901999, time.UTC)
	if body, err := renderer.AppendBody(nil, late); err != nil || string(body) != `{"event": "transactions", "occurred_at": "2020-01-02T03:04:05.678901+00:00"}` {
		t.Errorf("%s, %v", body, err)
	}
}

// verifyLikeTheVendor is the vendor's sample in Python. It verifies each line of signature and body.
const verifyLikeTheVendor = `
import base64, hashlib, hmac, json, sys
secret = sys.argv[1].encode("utf-8")
for line in sys.stdin:
    header, body = [base64.b64decode(x) for x in line.split()]
    parts = dict(part.split("=") for part in header.decode().split(","))
    text = json.dumps(json.loads(body))
    v1 = hmac.new(secret, (parts["t"] + "." + text).encode(), hashlib.sha256).hexdigest()
    v2 = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    print(hmac.compare_digest(v1, parts["v1"]), hmac.compare_digest(v2, parts["v2"]), text.encode() == body)
`

func TestPythonVerifies(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "Python")
	same := []string{
		`{}`, `{"a":-0.0,"b":-0,"c":1e22,"d":0.00001,"e":123456789012345678901234567890}`, `{"z":1.0,"a":1.10,"m":1E5}`,
		`{"a":"\ud800","b":"\ud83d\ude00","c":"😀é","d":"\u0041\/\u007f\u0000\n","e":"<&>\u2028"}`, `{"é":{"b":[],"a":{}}, "a" : [ null , true ] }`,
		`{"a":1,"b":{"c":1,"c":[2.50]},"a":3}`, `{"a":` + strings.Repeat("[", 800) + strings.Repeat("]", 800) + `}`,
	}
	others := []string{`{"a":1E400,"b":-1E400}`, `{"a":3.14159265358979323846}`, `{"a":1e-400}`, `{"a":9007199254740993.0}`}
	file, err := catalogue.Parse(atelio.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range file.EventTypes {
		same = append(same, string(e.Example))
	}
	var in strings.Builder
	for _, data := range slices.Concat(same, others) {
		body, header := dialecttest.Render(t, atelio.Dialect{}, &bellwire.Endpoint{}, credentials(secret), message("transactions", data))
		if !json.Valid(body) {
			t.Errorf("%s is no JSON", body)
		}
		fmt.Fprintln(&in, base64.StdEncoding.EncodeToString([]byte(header.Get("Bond-Signature"))), base64.StdEncoding.EncodeToString(body))
	}
	python := exec.CommandContext(t.Context(), "python3", "-c", verifyLikeTheVendor, secret)
	python.Stdin = strings.NewReader(in.String())
	out, err := python.Output()
	if err != nil {
		t.Fatalf("this test needs python3: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(same)+len(others) {
		t.Fatalf("%d answers for %d bodies", len(lines), len(same)+len(others))
	}
	for i, line := range lines {
		want, data := "True True True", ""
		if i < len(same) {
			data = same[i]
		} else {
			want, data = "True True False", others[i-len(same)] // the body says what Python could not
		}
		if line != want {
			t.Errorf("%.300s: v1, v2 and the form: %s, want %s", data, line, want)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	renderer, err := atelio.Dialect{}.Bind(&bellwire.Endpoint{}, credentials(secret))
	if err != nil {
		t.Fatal(err)
	}
	for status := 100; status < 600; status++ {
		want := bellwire.Failed
		if status == 200 || status == 201 {
			want = bellwire.Acknowledged
		}
		if got := renderer.Classify(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
	if _, err := (atelio.Dialect{}).Bind(&bellwire.Endpoint{}, credentials()); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("without a secret: %v", err)
	}
}

// There are eight retries with growing delays within three days.
func TestRetries(t *testing.T) {
	t.Parallel()
	policy := atelio.Dialect{}.Defaults().Retry
	var all time.Duration
	var minutes []int
	for retry := 1; ; retry++ {
		delay, more := policy.Delay(retry, 0.5)
		if !more {
			break
		}
		all += delay
		minutes = append(minutes, int(delay.Minutes()))
	}
	if diff := cmp.Diff([]int{1, 3, 9, 27, 81, 243, 729, 2187}, minutes); diff != "" || all > 72*time.Hour {
		t.Errorf("%s in %s", diff, all)
	}
}

// Only 200 and 201 acknowledge. All attempts have the same body, and each signs its own time.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver, other := dialecttest.NewReceiver(t), dialecttest.NewReceiver(t)
	w.Vars["url"], w.Vars["other"] = receiver.URL+"/in?a=b", other.URL
	dialecttest.Run(t, w, []step{
		{Name: "wildcard", Do: "POST /api/v0.1/webhooks", Body: `{"url":"{url}","events":["card*"]}`, Status: 200, Want: `<any>"id":"<id:uuid>"<any>"secret":"<secret:any>"<any>`},
		{Name: "disabled", Do: "POST /api/v0.1/webhooks", Body: `{"url":"{other}","events":["*"],"status":"STATUS_DISABLED"}`, Status: 200, Want: `<any>`},
		{Name: "another event", Do: "POST /api/v0.1/webhooks", Body: `{"url":"{other}","events":["credit*","card.status.lost"]}`, Status: 200, Want: `<any>`},
	})
	if _, err := w.Native(w.Vars["id"], service.EndpointInput{
		Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{1e6, 1e6, 1e6, 1e6}},
	}); err != nil {
		t.Fatal(err)
	}
	verifier, err := receive.Atelio(w.Vars["secret"])
	if err != nil {
		t.Fatal(err)
	}
	receiver.Answer(204, 202, 500, 201)
	event := w.Publish("card.created", `{"card":{"last_four":"4242","limit":1.50}}`)
	var bodies []string
	for range 4 {
		a := receiver.Next()
		d, err := verifier.Verify(a.Header, a.Body)
		if err != nil || d.Type != "card.created" || string(d.Data) != `{"card": {"last_four": "4242", "limit": 1.5}}` || time.Since(d.Timestamp) > time.Minute {
			t.Errorf("%+v, %v", d, err)
		}
		if a.Method != "POST" || a.Target != "/in?a=b" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", a.Method, a.Target, a.Header)
		}
		bodies = append(bodies, string(a.Body))
	}
	if len(slices.Compact(bodies)) != 1 {
		t.Errorf("the body is not the same on every attempt: %s", bodies)
	}
	ended := w.Deliveries(event)
	if d := ended[w.Vars["id"]]; len(ended) != 1 || d.Status != bellwire.DeliverySucceeded || len(d.Attempts) != 4 {
		t.Errorf("%+v", ended)
	}
	// The vendor's sample, published unchanged.
	const printed = `{"event": "card.created", "card": {"last_four": "4242"}, "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`
	w.Publish("card.created", printed)
	a := receiver.Next()
	d, err := verifier.Verify(a.Header, a.Body)
	if err != nil || string(a.Body) != printed || d.Type != "card.created" || string(d.Data) != `{"card": {"last_four": "4242"}}` {
		t.Errorf("%s: %+v, %v", a.Body, d, err)
	}
	receiver.None()
	other.None()
}

// Receivers treat deliveries with the same event and occurred_at as repeated. So each event has a unique time, in a batch and
// from concurrent publishers.
func TestNoTwoEventsLookLikeARepetition(t *testing.T) {
	t.Parallel()
	const batch, publishers, each = 50, 16, 5
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{
		{Name: "make", Do: "POST /api/v0.1/webhooks", Body: `{"url":"{url}","events":["card.created"]}`, Status: 200, Want: `<any>"secret":"<secret:any>"<any>`},
	})
	drafts := make([]service.Draft, batch)
	for i := range drafts {
		drafts[i] = service.Draft{Type: "card.created", Data: []byte("{}")}
	}
	one := drafts[0] // a batch sets the versions of its drafts
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for range each {
				if _, err := w.Service.Publish(t.Context(), dialecttest.Admin, w.Tenant, one); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if _, err := w.Service.PublishBatch(t.Context(), dialecttest.Admin, w.Tenant, drafts); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	bodies := map[string]bool{} // {"event": …, "occurred_at": …}
	for range batch + publishers*each {
		bodies[string(receiver.Next().Body)] = true
	}
	if len(bodies) != batch+publishers*each {
		t.Errorf("%d events look like %d", batch+publishers*each, len(bodies))
	}
}

// A delivery that the dialect cannot send ends at once, with the reason.
func TestUnsendableEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /api/v0.1/webhooks", Status: 200, Want: "<any>", Body: `{"url":"{url}","events":["*"]}`}})
	for data, want := range map[string]string{
		`[]`:                                  "the event's data is not an object, as the dialect atelio requires; nothing was sent",
		`{"event":1}`:                         `the dialect atelio sends the event's type as event, which the data must leave out or set to "transactions"; nothing was sent`,
		`{"a":1,"\u0065vent":"card.created"}`: `the dialect atelio sends the event's type as event, which the data must leave out or set to "transactions"; nothing was sent`,
	} {
		for _, ended := range w.Deliveries(w.Publish("transactions", data)) {
			if ended.Status != bellwire.DeliveryExhausted || ended.Reason != want {
				t.Errorf("%s: %s, %s", data, ended.Status, ended.Reason)
			}
		}
	}
	receiver.None()
}

// An endpoint of the native API moves to this dialect and delivers like a new one. It moves back with another secret.
func TestMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	made, first, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"kyc.*", "transactions"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Vars["id"], w.Vars["url"] = made.ID, receiver.URL
	dialecttest.Run(t, w, []step{
		{Name: "of another dialect", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several()},
		{Name: "and not changed here", Do: "PATCH /api/v0.1/webhooks/{id}", Body: seedPatch, Status: 404, Want: gone},
		{Name: "nor removed", Do: "DELETE /api/v0.1/webhooks/{id}", Status: 404, Want: gone},
	})
	moved, err := w.Native(made.ID, service.EndpointInput{Dialect: new(atelio.Name)})
	if err != nil || moved.Retry.Factor != 3 {
		t.Fatal(moved, err)
	}
	dialecttest.Run(t, w, []step{{Name: "shown", Do: "GET /api/v0.1/webhooks", Status: 200,
		Want: several(`{"id":"{id}","url":"{url}","description":"","events":["kyc.*","transactions"],"version":"0.1","secret":"whsec_<secret:base64>",` +
			`"status":"STATUS_ENABLED","created_time":"<micros>Z","updated_time":"<micros>Z"}`)}})
	if own := "whsec_" + w.Vars["secret"]; own == first.Secret || (atelio.Dialect{}).CheckSecret(own) != nil {
		t.Error("the secret is not one of the dialect's own form")
	}
	native, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"kyc.*"}, Dialect: new(atelio.Name), Secret: new(secret),
	})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := receive.Atelio("whsec_"+w.Vars["secret"], secret)
	if err != nil {
		t.Fatal(err)
	}
	event := w.Publish("kyc.verification.success", `{"customer_id":"c"}`)
	for range 2 {
		a := receiver.Next()
		if d, err := verifier.Verify(a.Header, a.Body); err != nil || d.Type != "kyc.verification.success" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	if ended := w.Deliveries(event); ended[made.ID] == nil || ended[native.ID] == nil {
		t.Errorf("%+v", ended)
	}
	// Back, and here again with settings that this dialect does not have.
	if _, err := w.Native(made.ID, service.EndpointInput{Dialect: new("standard"), Signing: new(bellwire.SigningBoth)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Native(made.ID, service.EndpointInput{Dialect: new(atelio.Name)}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("two signatures: %v", err)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	file, err := catalogue.Parse(atelio.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	// The vendor's table. Braces list alternatives.
	var want []string
	for _, family := range []string{
		"account.autopay.{changed,failed,processed,scheduled}", "account.history.{ready}", "account.statements.{generated,late_payment,ready}", "card.{created}",
		"card.status.{active,closed,inactive,reissue}", "card.wallet.{add,add_failure}",
		"commercial.credit_application.{created,submitted,under_review,approved,denied,resubmit_required,pending}",
		"credit.application.{created,submitted,approved,adverse_action,resubmit_required}", "customer.{updated}", "develop.api_key.{created}",
		"fraud_operations.freeze.{initiated,success,failed}", "fraud_operations.unfreeze.{initiated,success,failed}", "fraud_operations.close.{initiated,success,failed}",
		"kyb.verification.{error,initiated,rejected,warning}", "kyc.verification.{document_required,error,failure,reenter_information,success,timeout,under_review}",
		"portal.{data_export}", "{transactions}",
	} {
		prefix, names, _ := strings.Cut(family, "{")
		for name := range strings.SplitSeq(strings.TrimSuffix(names, "}"), ",") {
			want = append(want, prefix+name)
		}
	}
	var got []string
	for _, e := range file.EventTypes {
		got = append(got, e.Name)
		body, _ := dialecttest.Render(t, atelio.Dialect{}, &bellwire.Endpoint{}, credentials(secret), message(e.Name, string(e.Example)))
		if !strings.HasPrefix(string(body), `{"event": "`+e.Name+`", "`) || !strings.HasSuffix(string(body), `, "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`) {
			t.Errorf("%s", body)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 51 {
		t.Errorf("%d event types:\n%s", len(got), diff)
	}
}

func BenchmarkRender(b *testing.B) {
	for name, data := range map[string]string{
		"text":    `{"a":"` + strings.Repeat("x", 500) + `"}`,
		"members": `{"card":{"status":"Inactive","card_account_id":"2b3c4d5e-6f7a-4b8c-9d0e-1f2a3b4c5d6e","last_four":"4242","limit":1500,"tags":["a","b"]},"note":"` + strings.Repeat("x", 300) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			renderer, err := atelio.Dialect{}.Bind(&bellwire.Endpoint{}, credentials(secret))
			if err != nil {
				b.Fatal(err)
			}
			m, h, body := message("card.created", data), http.Header{}, []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				if body, err = renderer.AppendBody(body[:0], m); err != nil {
					b.Fatal(err)
				}
				renderer.SetHeaders(h, m, body)
			}
		})
	}
}
