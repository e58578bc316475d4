package akkuro_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/dialecttest"
)

// seedHeader is the header of every call of the seed, except its credentials. curl adds the content type to --data.
var seedHeader = []string{"Accept: application/json;api-version=2024.1.0"}

var seedDataHeader = append(seedHeader, "Content-Type: application/x-www-form-urlencoded")

// seedID is the endpoint's id in the seed's calls, for which the test uses its own.
const seedID = "68906d98fc423348d145db33"

// The answers of the seed.
const (
	seedTypes      = `["counterparty.merged","counterparty_operational.consolidated","counterparty_master.consolidated"]`
	seedRegistered = `{"id":"689062a7fc423348d145db30","eventName":"counterparty.merged","createdOn":"2025-08-04T07:35:03.4828363Z",` +
		`"token":"aSTYanRlQ9HiCub5TNPVSZ5frY2htZnRShroZp5wJfM=","uri":"https://backend.yourbank.tld/webhooks?event=counterparty.merged"}`
	seedList = `[{"id":"66822967d03468cebc40c60a","eventName":"counterparty.merged","createdOn":"2024-07-01T03:58:31.427Z",` +
		`"token":"uUhvrPup1En9s1aLkgxtSB/kDDjWmba4TB+g/5w6LQc=","uri":"https://backend.yourbank.tld/webhooks?event=counterparty.merged"},` +
		`{"id":"66a323957e4155a7e5b1a4be","eventName":"counterparty.merged","createdOn":"2024-07-26T04:18:29.82Z",` +
		`"token":"bCvQKPwmALv9aNRHOh6D71MArgtFBBPUQtXl2uq1v64=","uri":"https://backend.mybank.tld/webhooks?event=counterparty.merged"}]`
	seedToken = `{"token":"string"}`
)

// TestSeed makes the calls of the seed in order, unchanged except for the method of the second, where the seed's text and its
// curl contradict each other. The answers have the seed's fields, in its order and forms.
func TestSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	call := func(do, body string, status int, want string) string {
		t.Helper()
		header := seedHeader
		if body != "" {
			header = seedDataHeader
		}
		dialecttest.Run(t, w, []step{{Name: "seed", Do: do, Header: header, Body: body, Status: status, Want: "<answer:any>"}})
		answer := w.Vars["answer"]
		if want == "" && answer != "" {
			t.Errorf("%s: %s", do, answer)
		}
		if want != "" {
			if diff := cmp.Diff(shape(t, want), shape(t, answer)); diff != "" {
				t.Errorf("%s:\n%s", do, diff)
			}
		}
		return answer
	}
	if got := call("GET /counterparty-management/events/event-types", "", 200, seedTypes); got != seedTypes {
		t.Errorf("the event types are %s", got)
	}
	made := call("POST /counterparty-management/events/counterparty.merged/endpoints",
		"{\n\"uri\": \"https://backend.yourbank.tld/webhooks?event=counterparty.merged\"\n}", 201, seedRegistered)
	other := call("POST /counterparty-management/events/counterparty.merged/endpoints",
		`{"uri":"https://backend.mybank.tld/webhooks?event=counterparty.merged"}`, 201, seedRegistered)
	var first, second struct{ ID, EventName, CreatedOn, Token, URI string }
	for text, into := range map[string]any{made: &first, other: &second} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	mine := strings.NewReplacer(seedID, first.ID)
	if first.EventName != "counterparty.merged" || first.URI != "https://backend.yourbank.tld/webhooks?event=counterparty.merged" {
		t.Errorf("registered: %+v", first)
	}
	got := call(mine.Replace("GET /counterparty-management/events/counterparty.merged/token/"+seedID), "", 200, seedToken)
	if got != `{"token":"`+first.Token+`"}` {
		t.Errorf("the token is %s, want %s", got, first.Token)
	}
	if got := call("GET /counterparty-management/events/counterparty.merged/endpoints", "", 200, seedList); got != "["+made+","+other+"]" {
		t.Errorf("the list is %s, want %s and %s", got, made, other)
	}
	call(mine.Replace("PUT /counterparty-management/events/counterparty.merged/endpoints/"+seedID),
		"{\n\"uri\": \"https://backend.tld/webhooks?event=counterparty.merged\"\n}", 204, "")
	moved := strings.Replace(made, "backend.yourbank.tld", "backend.tld", 1)
	if got := call("GET /counterparty-management/events/counterparty.merged/endpoints", "", 200, seedList); got != "["+moved+","+other+"]" {
		t.Errorf("the list is %s", got)
	}
	call(mine.Replace("DELETE /counterparty-management/events/counterparty.merged/endpoints/"+seedID), "", 204, "")
	if got := call("GET /counterparty-management/events/counterparty.merged/endpoints", "", 200, "["+seedRegistered+"]"); got != "["+other+"]" {
		t.Errorf("the list is %s", got)
	}
	call("GET /counterparty-management/events/counterparty.merged/example", "", 200, exampleBody)
	for _, text := range []string{made, other, seedRegistered} {
		checkID(t, text)
	}
}

// checkID checks that an id begins with the second of creation, and that a token has 32 bytes.
func checkID(t *testing.T, text string) {
	t.Helper()
	var e struct {
		ID        string
		CreatedOn time.Time
		Token     string
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(e.ID)
	if err != nil || len(raw) != 12 {
		t.Fatalf("the id is %s", e.ID)
	}
	second := int64(raw[0])<<24 | int64(raw[1])<<16 | int64(raw[2])<<8 | int64(raw[3])
	if second != e.CreatedOn.Unix() {
		t.Errorf("the id %s is of %s, not of %s", e.ID, time.Unix(second, 0).UTC(), e.CreatedOn)
	}
	if token, err := base64.StdEncoding.Strict().DecodeString(e.Token); err != nil || len(token) != 32 {
		t.Errorf("the token %s has %d bytes, %v", e.Token, len(token), err)
	}
}

// shapeForms are the forms of values in the seed. The first that matches counts.
var shapeForms = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"id", regexp.MustCompile(`^[0-9a-f]{24}$`)},
	{"uuid", regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)},
	// A fraction has no trailing zeros.
	{"time", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z$`)},
	{"time with three digits", regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)},
	{"token", regexp.MustCompile(`^([A-Za-z0-9+/]{43}=|string)$`)},
	{"url", regexp.MustCompile(`^https://`)},
	{"event", regexp.MustCompile(`^[a-z_]+\.[a-z]+$`)},
}

// shape returns the names, the kinds and the forms of the values of a JSON text, in order.
func shape(t *testing.T, text string) []string {
	t.Helper()
	var (
		found []string
		name  string
	)
	dec := jsontext.NewDecoder(strings.NewReader(text))
	for dec.PeekKind() != 0 {
		tok, err := dec.ReadToken()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		kind, length := dec.StackIndex(dec.StackDepth())
		switch {
		case tok.Kind() == '"' && kind == '{' && length%2 == 1:
			name = tok.String() + ": "
			continue
		case tok.Kind() == '"':
			form := "text"
			for _, f := range shapeForms {
				if f.pattern.MatchString(tok.String()) {
					form = f.name
					break
				}
			}
			found = append(found, name+form)
		default:
			found = append(found, name+tok.Kind().String())
		}
		name = ""
	}
	return found
}
