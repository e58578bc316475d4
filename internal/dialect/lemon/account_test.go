package lemon_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/httpx"
)

// seedAccount is the body of the seed's second request, unchanged: with newlines around it, and an address without an @.
const seedAccount = `
{
"accepted_agreements": [
{
"accepted_at": "2023-06-29T14:39:29Z",
"agreement_id": "agr_9902271f791d413aad781763c61b9bb0"
},
{
"accepted_at": "2023-06-29T14:39:29Z",
"agreement_id": "agr_8ec894e1ec764a339e172292dff9aeff"
}
],
"declaration_of_acting_on_own_account": true,
"customer": {
"date_of_birth": "1964-08-13",
"email": "[email protected]",
"employment": {
"annual_salary": "gte_50k_lt_75k_eur",
"sector": "public_sector",
"status": "employed"
},
"firstname": "Erika",
"gender": "female",
"lastname": "Mustermann",
"marital_status": "married",
"nationalities": [
"DE"
],
"phone_number": "+49172997318",
"place_of_birth": {
"city": "Berlin",
"country": "DE"
},
"registered_address": {
"city": "Köln",
"country": "DE",
"line_1": "Heidestraße 17",
"postal_code": "51147"
},
"tax_residencies": [
{
"country": "DE",
"tax_identification_number": "123/456/78901"
}
]
}
}
`

// The seed's tutorial: register a webhook, create an account, see the event arrive, and find it in the list.
func TestTutorial(t *testing.T) {
	t.Parallel()
	w := dialecttest.New(t, config(true))
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	curl := []string{"Content-Type: application/json; charset=utf8", principal, justification}
	run(t, w, []step{
		{Name: "register", Do: "POST /v1/webhooks", Header: curl, Status: 201,
			Body: strings.Replace(seedRequest, "https://webhook.site", receiver.URL, 1),
			Want: `{"events":["account.created"],"id":"wbh_<number:hex32>","signature_secret":"<secret:hex64>","url":"{url}/48cf1291-4ab5-452b-9d07-17103ab8e768"}`},
		{Name: "trigger", Do: "POST /v1/accounts", Header: curl, Body: seedAccount, Status: 200,
			Want: `{"id":"cusa_<account:hex32>","cash_account":null,"customer":{"id":"pers_<person:hex32>","date_of_birth":"1964-08-13",` +
				`"email":"[email protected]","employment":{"annual_salary":"gte_50k_lt_75k_eur","sector":"public_sector","status":"employed"},` +
				`"firstname":"Erika","gender":"female","lastname":"Mustermann","marital_status":"married","nationalities":["DE"],` +
				`"phone_number":"+49172997318","place_of_birth":{"city":"Berlin","country":"DE"},"registered_address":{"city":"Köln",` +
				`"country":"DE","line_1":"Heidestraße 17","postal_code":"51147"},"tax_residencies":[{"country":"DE",` +
				`"tax_identification_number":"123/456/78901"}]},"declaration_of_acting_on_own_account":true,` +
				`"history":[{"status":"created","timestamp":"<micros>+00:00"}],"securities_account":null,"status":"created","metadata":{},` +
				`"agreements":[{"agreement":"agr_9902271f791d413aad781763c61b9bb0","accepted_at":"2023-06-29T14:39:29Z","person":"<any>"},` +
				`{"agreement":"agr_8ec894e1ec764a339e172292dff9aeff","accepted_at":"2023-06-29T14:39:29Z","person":"<agreed:any>"}]}`},
	}...)
	if w.Vars["agreed"] != "pers_"+w.Vars["person"] {
		t.Errorf("%s agreed, not %s", w.Vars["agreed"], w.Vars["person"])
	}
	arrival := receiver.Next()
	if arrival.Target != "/48cf1291-4ab5-452b-9d07-17103ab8e768" || !independently(w.Vars["secret"], arrival.Header.Get("LMG-Signature"), arrival.Body) {
		t.Errorf("%s %v", arrival.Target, arrival.Header)
	}
	if !shape.Match(arrival.Body) || !strings.HasSuffix(string(arrival.Body), `,"context":{"account":"cusa_`+w.Vars["account"]+`"}}`) {
		t.Errorf("%s", arrival.Body)
	}
	page := list(t, w, "tenant", query("context.account", "cusa_"+w.Vars["account"]))
	if len(page.Data) != 1 || string(page.Data[0]) != string(arrival.Body) {
		t.Errorf("%s is not what arrived, %s", page.Data, arrival.Body)
	}
}

// A customer that has an id keeps it.
func TestKnownCustomer(t *testing.T) {
	t.Parallel()
	run(t, dialecttest.New(t, config(true)), step{Name: "known", Do: "POST /v1/accounts", Status: 200,
		Body: `{"customer":{"type":"person","id":"le_1"},"accepted_agreements":[{"agreement_id":"a","accepted_at":"2023-06-29T14:39:29.5+02:00","legal_representative":"le_2"}],"declaration_of_acting_on_own_account":false,"metadata":{"origin_id":"x"}}`,
		Want: `{"id":"cusa_<any>","cash_account":null,"customer":{"type":"person","id":"le_1"},"declaration_of_acting_on_own_account":false,` +
			`"history":[{"status":"created","timestamp":"<micros>+00:00"}],"securities_account":null,"status":"created","metadata":{"origin_id":"x"},` +
			`"agreements":[{"agreement":"a","accepted_at":"2023-06-29T14:39:29.5+02:00","person":"le_1"}]}`})
}

func TestAccountsAreRefused(t *testing.T) {
	t.Parallel()
	w := dialecttest.New(t, config(true))
	compact := string(compacted(t, seedAccount))
	with := func(old, replacement string) string {
		changed := strings.Replace(compact, old, replacement, 1)
		if changed == compact {
			t.Fatalf("there is no %s", old)
		}
		return changed
	}
	for _, c := range []struct{ name, body, message string }{
		{"nothing", ``, `Error in 'body': the body is empty; it must be JSON`},
		{"broken", `{"customer":`, `Error in 'body': the body is not JSON: <any>`},
		{"no fields", `{}`, `Error in 'body.customer': Field required`},
		{"no agreements", `{"customer":{"a":1}}`, `Error in 'body.accepted_agreements': Field required`},
		{"no declaration", `{"customer":{"a":1},"accepted_agreements":[]}`, `Error in 'body.declaration_of_acting_on_own_account': Field required`},
		{"no agreement", `{"customer":{"a":1},"accepted_agreements":[],"declaration_of_acting_on_own_account":true}`, `Error in 'body.accepted_agreements': must have at least one entry`},
		{"declaration as text", with(`"declaration_of_acting_on_own_account":true`, `"declaration_of_acting_on_own_account":"true"`),
			`Error in 'body.declaration_of_acting_on_own_account': must be true or false`},
		{"time", with(`2023-06-29T14:39:29Z`, `2023`), `Error in 'body.accepted_agreements.0.accepted_at': <any>`},
		{"agreement without id", with(`,"agreement_id":"agr_8ec894e1ec764a339e172292dff9aeff"`, ``), `Error in 'body.accepted_agreements.1.agreement_id': Field required`},
		{"agreement without time", with(`"accepted_at":"2023-06-29T14:39:29Z",`, ``), `Error in 'body.accepted_agreements.0.accepted_at': Field required`},
		{"customer as text", `{"customer":"Erika","accepted_agreements":[{"agreement_id":"a","accepted_at":"2023-06-29T14:39:29Z"}],"declaration_of_acting_on_own_account":true}`,
			`Error in 'body.customer': must be an object with fields`},
		{"customer null", `{"customer":null}`, `Error in 'body.customer': must not be null`},
		{"time", with(`"accepted_at":"2023-06-29T14:39:29Z"`, `"accepted_at":"yesterday"`),
			`Error in 'body.accepted_agreements.0.accepted_at': must be a time such as 2006-01-02T15:04:05Z`},
		{"customer's id", with(`"customer":{`, `"customer":{"id":1,`), `Error in 'body.customer.id': must be a string`},
		{"unknown field", with(`{`, `{"x":1,`), `Error in 'body.x': is not a known field`},
		{"field twice", with(`"customer":{`, `"customer":{"email":"",`), `Error in 'body.customer.email': is given twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, w, step{Name: c.name, Do: "POST /v1/accounts", Body: c.body, Status: 400, Want: message(c.message)})
		})
	}
	run(t, w, []step{
		{Name: "who may only read", Key: "tenant-read", Do: "POST /v1/accounts", Body: seedAccount, Status: 403, Want: message("the API key does not permit this operation")},
		{Name: "too large", Do: "POST /v1/accounts", Body: strings.Repeat(" ", httpx.MaxSmallBody+1), Status: 413, Want: `{"message":"<any>"}`},
		{Name: "no route", Do: "GET /v1/accounts", Status: 405, WantHeader: []string{"Allow: POST"}, Want: message("method GET is not allowed for this path; use POST")},
		{Name: "nothing has happened", Do: "GET /v1/events", Status: 200, Want: `{"data":[],` + noMore},
	}...)
}

func compacted(t *testing.T, text string) []byte {
	t.Helper()
	var value json.RawMessage
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	short, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return short
}

// The sandbox needs its event type.
func TestSandboxWithoutCatalogue(t *testing.T) {
	t.Parallel()
	c := config(true)
	c.Catalogue = nil
	run(t, dialecttest.New(t, c), step{Name: "create", Do: "POST /v1/accounts", Body: seedAccount, Status: 422,
		Want: message("the sandbox does not have the event type account.created")})
}
