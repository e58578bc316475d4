package lemon

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// refusal checks that an error is the client's fault and can be written.
func refusal(t *testing.T, err error) {
	t.Helper()
	known := httpx.AsError(err)
	status := statuses.Of(known.Code)
	if status != 400 {
		t.Errorf("%v is answered %d", err, status)
	}
	if text := messageOf(status, known); strings.ToValidUTF8(text, "") != text || text == "" {
		t.Errorf("the message is %q", text)
	}
}

// FuzzSearch checks that a cursor decodes to the search it was made of, and that different cursors are different searches.
func FuzzSearch(f *testing.F) {
	for _, query := range []string{
		"", "type=account.created&sort=asc&limit=3", "since=2023-06-29T14:40:30.523373+00:00&context.account=cusa_1&context.order=%C3%BC",
		"cursor=eyJsaW1pdCI6MywiYWZ0ZXIiOiJ4In0", "cursor=e30", "limit=0", "a;b", "%ff=%ff", "context.sweep=" + strings.Repeat("x", 300), "since=0000-01-01T00:00:00%2B23:59",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		asked, err := readSearch(query)
		if err != nil {
			refusal(t, err)
			return
		}
		if asked.Limit < 1 || asked.Limit > maxLimit {
			t.Fatalf("%q: the limit is %d", query, asked.Limit)
		}
		asked.After = "AAAA"
		cursor, err := makeCursor(asked)
		if err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		again, err := readSearch("cursor=" + *cursor)
		if err != nil {
			t.Fatalf("%q: %s: %v", query, *cursor, err)
		}
		if diff := cmp.Diff(asked, again); diff != "" {
			t.Fatalf("%q:\n%s", query, diff)
		}
	})
}

// FuzzCursor checks that each cursor has one form.
func FuzzCursor(f *testing.F) {
	f.Add(`{"limit":3,"after":"x"}`)
	f.Add(`{"at":1,"id":"wbh_1","limit":1}`)
	f.Add(`{"limit":1,"after":"","since":"0000-01-01T00:00:00Z","context":{"b":"","a":""}}`)
	f.Fuzz(func(t *testing.T, plain string) {
		text := base64.RawURLEncoding.EncodeToString([]byte(plain))
		for _, place := range []any{new(search), new(webhookPlace)} {
			if err := readCursor(text, place); err != nil {
				refusal(t, err)
			} else if again, err := makeCursor(place); err != nil || *again != text {
				t.Fatalf("%q is read as %v", plain, place)
			}
		}
		if from, err := readWebhookPlace("cursor=" + text); err == nil && (from.Limit < 1 || from.Limit > maxLimit) {
			t.Fatalf("the limit is %d", from.Limit)
		}
	})
}

func FuzzWebhook(f *testing.F) {
	for _, body := range []string{
		`{"url":"https://example.com","events":["account.created"]}`, `{"events":[null]}`, `{"url":null}`, `[]`, `null`, ``, `{"url":"","url":""}`, "{\"\xff\":1}",
		`{"` + strings.Repeat("é", 200) + `":1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in webhookInput
		err := httpx.ParseJSON(body, &in)
		if err == nil {
			_, err = in.wanted()
		}
		if err != nil {
			refusal(t, inBody(err))
		}
	})
}

func FuzzAccount(f *testing.F) {
	for _, body := range []string{
		`{"customer":{"firstname":"Erika"},"accepted_agreements":[{"agreement_id":"a","accepted_at":"2023-06-29T14:39:29Z"}],"declaration_of_acting_on_own_account":true}`,
		`{"customer":{"id":"x"},"accepted_agreements":[{"agreement_id":"a","accepted_at":"9999-12-31T23:59:59-23:59"}],"declaration_of_acting_on_own_account":true,"metadata":{"a":"b"}}`,
		`{"customer":{ }}`, `{"customer":{"\u0069d":"\u0022"}}`, `{}`, ``, `{"accepted_agreements":[null]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in accountInput
		if err := httpx.ParseJSON(body, &in); err != nil {
			refusal(t, inBody(err))
			return
		}
		made, err := in.account(time.Unix(1, 0))
		if err != nil {
			refusal(t, inBody(err))
			return
		}
		if !made.Customer.IsValid() || len(made.Agreements) == 0 || bellwire.CheckText("", made.ID, 37) != nil {
			t.Fatalf("%s makes %+v", body, made)
		}
		if _, err := makeCursor(made); err != nil { // any JSON will do
			t.Fatalf("%s cannot be answered: %v", body, err)
		}
	})
}
