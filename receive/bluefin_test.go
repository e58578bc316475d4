package receive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/bellwire/bellwire/receive"
)

const (
	bluefinWebhook = "wbh_5249941f13564471b3be9f96a6d532c1"

	// The vendor's example, with its spaces.
	bluefinBody = `{
  "id"     : "not_5249941f13564471b3be9f96a6d532c1",
  "wbhid"  : "wbh_5249941f13564471b3be9f96a6d532c1",
  "event"  : "ACCOUNT_UPDATER_BATCH_UPDATES",
  "payload"  : {
      "updateId"  : "aupres_5249941f13564471b3be9f96a6d532c1",
      "url"    : "https://api.payconex.net/api/v4/accounts/{account}/account-updater/updates/{updateId}"
  }
}`
	bluefinPayload = `{
      "updateId"  : "aupres_5249941f13564471b3be9f96a6d532c1",
      "url"    : "https://api.payconex.net/api/v4/accounts/{account}/account-updater/updates/{updateId}"
  }`
)

// A receiver of thin notifications makes sure that a webhook of its own is named, and asks for the rest with its API key.
func ExampleBluefin() {
	verifier, err := receive.Bluefin("wbh_5249941f13564471b3be9f96a6d532c1")
	if err != nil {
		panic(err)
	}
	body := []byte(`{"id":"not_0198f2b4c1d27a3b8c4d5e6f70819204","wbhid":"wbh_5249941f13564471b3be9f96a6d532c1",` +
		`"event":"ACCOUNT_UPDATER_BATCH_UPDATES","payload":{"updateId":"aupres_0198f2b4c1d27a3b8c4d5e6f70819203",` +
		`"url":"https://hooks.example.test/api/v4/accounts/120000000007/account-updater/updates/aupres_0198f2b4c1d27a3b8c4d5e6f70819203"}}`)

	d, err := verifier.Verify(http.Header{}, body)
	if err != nil {
		panic(err)
	}
	var payload struct{ UpdateID, URL string }
	if err := json.Unmarshal(d.Data, &payload); err != nil {
		panic(err)
	}
	fmt.Println(d.ID, d.Type)
	fmt.Println(payload.URL) // GET it, signed with the API key
	// Output:
	// not_0198f2b4c1d27a3b8c4d5e6f70819204 ACCOUNT_UPDATER_BATCH_UPDATES
	// https://hooks.example.test/api/v4/accounts/120000000007/account-updater/updates/aupres_0198f2b4c1d27a3b8c4d5e6f70819203
}

func TestBluefin(t *testing.T) {
	t.Parallel()
	v, err := receive.Bluefin("wbh_other", bluefinWebhook)
	if err != nil {
		t.Fatal(err)
	}
	d, err := v.Verify(nil, []byte(bluefinBody))
	if err != nil {
		t.Fatal(err)
	}
	want := &receive.Delivery{
		ID: "not_5249941f13564471b3be9f96a6d532c1", Type: "ACCOUNT_UPDATER_BATCH_UPDATES", Data: json.RawMessage(bluefinPayload),
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, want %+v", d, want)
	}
}

func TestBluefinRefusals(t *testing.T) {
	t.Parallel()
	v, err := receive.Bluefin(bluefinWebhook)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]error{
		``:                      receive.ErrBody,
		`[]`:                    receive.ErrBody,
		`{}`:                    receive.ErrBody,
		bluefinBody + `x`:       receive.ErrBody,
		bluefinBody[:40]:        receive.ErrBody,
		`{"wbhid":"wbh_1"}`:     receive.ErrBody,
		`{"id":1,"wbhid":"w"}`:  receive.ErrBody,
		`{"id":"n","wbhid":"w"`: receive.ErrBody,
		`{"id":"n","wbhid":"` + bluefinWebhook + `","event":"E","payload":[]}`:               receive.ErrBody,
		`{"id":"n","wbhid":"` + bluefinWebhook + `","event":"","payload":{}}`:                receive.ErrBody,
		`{"id":"n","wbhid":"wbh_5249941f13564471b3be9f96a6d532c2","event":"E","payload":{}}`: receive.ErrSignature,
		`{"id":"n","wbhid":"wbh_","event":"E","payload":{}}`:                                 receive.ErrSignature,
	} {
		t.Run(fmt.Sprintf("%.60s", body), func(t *testing.T) {
			if d, err := v.Verify(nil, []byte(body)); !errors.Is(err, want) || d != nil {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
	for _, ids := range [][]string{nil, {""}, {bluefinWebhook, ""}} {
		if _, err := receive.Bluefin(ids...); err == nil {
			t.Errorf("a verifier of %q was made", ids)
		}
	}
}

// FuzzBluefin: every accepted body is a notification of the webhook, and its payload is a part of the body.
func FuzzBluefin(f *testing.F) {
	f.Add([]byte(bluefinBody))
	f.Add([]byte(`{"id":"n","wbhid":"` + bluefinWebhook + `","event":"E","payload":{"a":1E400}}`))
	f.Add([]byte(`{"ID":"n","wbhid":"x","wbhid":"` + bluefinWebhook + `","event":"\u0000","payload":{ }}`))
	v, err := receive.Bluefin(bluefinWebhook)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := v.Verify(nil, body)
		if err != nil {
			if !errors.Is(err, receive.ErrBody) && !errors.Is(err, receive.ErrSignature) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var all map[string]json.RawMessage
		if d.ID == "" || d.Type == "" || json.Unmarshal(d.Data, &all) != nil || !json.Valid(body) {
			t.Fatalf("%q was taken as %+v", body, d)
		}
	})
}
