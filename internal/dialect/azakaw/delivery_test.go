package azakaw_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

func message(data string) *bellwire.Message {
	return &bellwire.Message{Event: &bellwire.Event{Type: "RiskAssessmentCalculated", Data: []byte(data)}}
}

func TestBody(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{}`:                          `{"Type":"RiskAssessmentCalculated"}`,
		`{ }`:                         `{"Type":"RiskAssessmentCalculated"}`,
		`{"a":1E400,"b":"\u00e9"}`:    `{"Type":"RiskAssessmentCalculated","a":1E400,"b":"\u00e9"}`,
		" {\n \"z\": 1.0, \"a\": {}}": "{\"Type\":\"RiskAssessmentCalculated\",\n \"z\": 1.0, \"a\": {}}",
		`{"type":1}`:                  `{"Type":"RiskAssessmentCalculated","type":1}`,
		// What the vendor prints can be published whole: the field is the envelope's own.
		`{"Type":"RiskAssessmentCalculated","a":1.0}`:         `{"Type":"RiskAssessmentCalculated","a":1.0}`,
		`{"a":1.0, "\u0054ype": "RiskAssessmentCalculated" }`: `{"Type":"RiskAssessmentCalculated","a":1.0}`,
		`{"Type":"RiskAssessmentCalculated"}`:                 `{"Type":"RiskAssessmentCalculated"}`,
		`{"a":{"Type":"x"}}`:                                  `{"Type":"RiskAssessmentCalculated","a":{"Type":"x"}}`,
	} {
		t.Run(data, func(t *testing.T) {
			body, header := dialecttest.Render(t, azakaw.Dialect{}, &bellwire.Endpoint{}, &bellwire.Credentials{}, message(data))
			if string(body) != want {
				t.Errorf("%s: %s", data, body)
			}
			if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}}, header); diff != "" {
				t.Error(diff)
			}
		})
	}
	renderer, _ := azakaw.Dialect{}.Bind(nil, nil)
	for _, data := range []string{`null`, `[]`, `"x"`, `{"Type":"x"}`, `{"\u0054ype":"x"}`, `{"Type":"RiskAssessmentCalculated","Type":null}`} {
		t.Run(data, func(t *testing.T) {
			if _, err := renderer.AppendBody(nil, message(data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", data, err)
			}
		})
	}
}

// The seed's events arrive at the joined URL in the seed's form, with valid credentials.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{
		{Name: "with a key", Do: "POST /webhooks", Status: 201, Want: "<any>",
			Body: `{"webhookBaseUrl":"{url}/api/","webhookRelativePath":"/webhook/events","retryInterval":1,"authType":"ApiKey","authSettings":{"apiKey":"your-api-key"}}`},
		{Name: "inactive", Do: "POST /webhooks", Status: 201, Want: "<any>", Body: `{"webhookBaseUrl":"{url}","isActive":false}`},
	})
	verifier, err := receive.AzakawAPIKey("", "your-api-key")
	if err != nil {
		t.Fatal(err)
	}
	const data = `{"RiskAssessmentId": "12345", "SubmissionId": "67890", "Risk": "Low", "ClientRating": "Retail"}`
	receiver.Answer(500, 204)
	event := w.Publish("RiskAssessmentCalculated", data)
	first, second := receiver.Next(), receiver.Next()
	if first.Method != "POST" || first.Target != "/api/webhook/events" {
		t.Errorf("%s %s", first.Method, first.Target)
	}
	if want := `{"Type":"RiskAssessmentCalculated",` + data[1:]; string(first.Body) != want || string(second.Body) != want {
		t.Errorf("%s, then %s", first.Body, second.Body)
	}
	if pause := second.At.Sub(first.At); pause < 900*time.Millisecond {
		t.Errorf("the retry came after %s", pause)
	}
	d, err := verifier.Verify(first.Header, first.Body)
	if err != nil || d.Type != "RiskAssessmentCalculated" || string(d.Data) != data {
		t.Errorf("%+v, %v", d, err)
	}
	for _, ended := range w.Deliveries(event) {
		if ended.Status != bellwire.DeliverySucceeded || len(ended.Attempts) != 2 {
			t.Errorf("%+v", ended.Delivery)
		}
		for _, h := range ended.Attempts[0].Request.Headers {
			if strings.Contains(h.Value, "your-api-key") || h.Name == "x-api-key" && h.Value != bellwire.Redacted {
				t.Errorf("the attempt shows %s: %s", h.Name, h.Value)
			}
		}
	}
	receiver.None() // at the inactive one
}

func TestBasicDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Status: 201, Want: `<any>"id":"<id:uuid>"<any>`,
		Body: `{"webhookBaseUrl":"{url}","retryCount":0,"authType":"Basic","authSettings":{"username":"your-username","password":"your-password"}}`}})
	verifier, err := receive.AzakawBasic("your-username", "your-password")
	if err != nil {
		t.Fatal(err)
	}
	receiver.Answer(500)
	event := w.Publish("ProfileStatusUpdated", `{"RiskAssessmentId":"1","SubmissionId":"2","Status":"Approved","ApprovedBy":null}`)
	arrival := receiver.Next()
	if d, err := verifier.Verify(arrival.Header, arrival.Body); err != nil || d.Type != "ProfileStatusUpdated" {
		t.Errorf("%+v, %v", d, err)
	}
	// The vendor's sample, published unchanged.
	const printed = `{"Type":"RiskAssessmentCalculated","RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}`
	w.Publish("RiskAssessmentCalculated", printed)
	arrival = receiver.Next()
	if d, err := verifier.Verify(arrival.Header, arrival.Body); err != nil || string(arrival.Body) != printed ||
		string(d.Data) != `{"RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}` {
		t.Errorf("%s: %+v, %v", arrival.Body, d, err)
	}
	// A change of the URL keeps the credentials.
	dialecttest.Run(t, w, []step{{Name: "move", Do: "PUT /webhooks/{id}", Status: 200, Want: "<any>", Body: `{"webhookBaseUrl":"{url}/v2"}`}})
	w.Publish("RiskAssessmentCalculated", printed)
	arrival = receiver.Next()
	if _, err := verifier.Verify(arrival.Header, arrival.Body); err != nil || arrival.Target != "/v2" {
		t.Errorf("%s: %v", arrival.Target, err)
	}
	for _, ended := range w.Deliveries(event) {
		if ended.Status != bellwire.DeliveryExhausted || len(ended.Attempts) != 1 {
			t.Errorf("without retries there is one attempt: %+v", ended.Delivery)
		}
	}
}

// A delivery that the dialect cannot send ends at once, with the reason. Other endpoints get the event.
func TestUnsendableEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Status: 201, Want: "<any>", Body: `{"webhookBaseUrl":"{url}"}`}})
	if _, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"free"}, Dialect: new("standard"),
	}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Fatalf("the type is not in the catalogue: %v", err)
	}
	w.PutType("free", service.EventTypeInput{})
	if _, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"free"}, Dialect: new("standard"),
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ended := range w.Deliveries(w.Publish("free", `"text"`)) {
		got = append(got, string(ended.Status)+" "+ended.Reason)
	}
	slices.Sort(got)
	want := []string{"exhausted the event's data is not an object, as the dialect azakaw requires; nothing was sent", "succeeded "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	receiver.Next()
	receiver.None()
}

// The schemas refuse values that the seed does not list.
func TestSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, data := range []string{
		`{"RiskAssessmentId":"1","SubmissionId":"2","Risk":"Lowest","ClientRating":"Retail"}`,
		`{"RiskAssessmentId":"1","SubmissionId":"2","Risk":"Low","ClientRating":"NA"}`,
		`{"RiskAssessmentId":1,"SubmissionId":"2","Risk":"Low","ClientRating":"N/A"}`,
		`{"SubmissionId":"2","Risk":"Low","ClientRating":"N/A"}`,
		`{"Type":"x","RiskAssessmentId":"1","SubmissionId":"2","Risk":"Low","ClientRating":"N/A"}`,
	} {
		t.Run(data, func(t *testing.T) {
			_, err := w.Service.Publish(t.Context(), dialecttest.Admin, w.Tenant, service.Draft{Type: "RiskAssessmentCalculated", Data: []byte(data)})
			if bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", data, err)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	renderer, _ := azakaw.Dialect{}.Bind(nil, nil)
	for status, want := range map[int]bellwire.Verdict{
		200: bellwire.Acknowledged, 204: bellwire.Acknowledged, 299: bellwire.Acknowledged,
		199: bellwire.Failed, 301: bellwire.Failed, 410: bellwire.Failed, 500: bellwire.Failed,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			if got := renderer.Classify(status); got != want {
				t.Errorf("%d: %v", status, got)
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	renderer, _ := azakaw.Dialect{}.Bind(nil, nil)
	m := message(`{"RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"` + strings.Repeat("x", 400) + `"}`)
	for b.Loop() {
		body, err := renderer.AppendBody(make([]byte, 0, 1024), m)
		if err != nil {
			b.Fatal(err)
		}
		renderer.SetHeaders(http.Header{}, m, body)
	}
}
