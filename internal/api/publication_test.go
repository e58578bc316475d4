package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestParsePublication(t *testing.T) {
	t.Parallel()
	occurred := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	tests := []struct {
		name, body string
		want       service.Draft
		code       bellwire.Code
		field      string
	}{
		{name: "type and data", body: `{"type":"a","data":{}}`, want: service.Draft{Type: "a", Data: []byte(`{}`)}},
		{name: "everything", body: `{"id":"k","occurred_at":"2026-01-31T13:30:00+01:00","data":1,"type":"a"}`,
			want: service.Draft{Type: "a", Data: []byte(`1`), IdempotencyKey: "k", OccurredAt: occurred}},
		{name: "a schedule", body: `{"type":"a","data":1,"deliver_at":"2026-01-31T12:30:00Z","expires_at":"2026-01-31T12:30:00Z"}`,
			want: service.Draft{Type: "a", Data: []byte(`1`), DeliverAt: occurred, ExpiresAt: occurred}},
		{name: "an ordering key", body: `{"type":"a","data":1,"ordering_key":"account-7"}`,
			want: service.Draft{Type: "a", Data: []byte(`1`), OrderingKey: "account-7"}},
		{name: "spaces in data stay, those around go", body: ` { "type" : "a" , "data" :  { "b" :  1 }  } ` + "\n",
			want: service.Draft{Type: "a", Data: []byte(`{ "b" :  1 }`)}},
		{name: "numbers and escapes stay", body: `{"type":"a","data":[1E400,1.0,-0,"\u00e9\/é\ud83d\ude00"]}`,
			want: service.Draft{Type: "a", Data: []byte(`[1E400,1.0,-0,"\u00e9\/é\ud83d\ude00"]`)}},
		{name: "half a surrogate in data", body: `{"type":"a","data":{"\ud83d":"\uDC00"}}`,
			want: service.Draft{Type: "a", Data: []byte(`{"\ud83d":"\uDC00"}`)}},
		{name: "null is data", body: `{"type":"a","data":null}`, want: service.Draft{Type: "a", Data: []byte(`null`)}},
		{name: "text is data", body: `{"type":"a","data":"x"}`, want: service.Draft{Type: "a", Data: []byte(`"x"`)}},
		{name: "names may be given twice in data", body: `{"type":"a","data":{"x":1,"x":2}}`,
			want: service.Draft{Type: "a", Data: []byte(`{"x":1,"x":2}`)}},
		{name: "names may be escaped", body: `{"ty\u0070e":"a","data":1}`, want: service.Draft{Type: "a", Data: []byte(`1`)}},
		{name: "texts may be escaped", body: `{"type":"\u0061","data":1,"id":"\"\ud83d\ude00"}`,
			want: service.Draft{Type: "a", Data: []byte(`1`), IdempotencyKey: `"😀`}},
		{name: "null is like nothing", body: `{"type":"a","data":1,"id":null,"occurred_at":null}`,
			want: service.Draft{Type: "a", Data: []byte(`1`)}},

		{name: "empty", body: ``, code: bellwire.CodeMalformed},
		{name: "broken", body: `{"type":"a","data":{`, code: bellwire.CodeMalformed},
		{name: "broken data", body: `{"type":"a","data":01}`, code: bellwire.CodeMalformed},
		{name: "something follows", body: `{"type":"a","data":1}x`, code: bellwire.CodeMalformed},
		{name: "a value follows", body: `{"type":"a","data":1} 2`, code: bellwire.CodeMalformed},
		{name: "invalid UTF-8 in data", body: "{\"type\":\"a\",\"data\":\"\xff\"}", code: bellwire.CodeMalformed},
		{name: "half a surrogate in type", body: `{"type":"\ud83d","data":1}`, code: bellwire.CodeMalformed},
		{name: "half a surrogate in a name", body: `{"type":"a","data":1,"\ud83d":1}`, code: bellwire.CodeMalformed},
		{name: "byte order mark", body: "\ufeff{}", code: bellwire.CodeMalformed},
		{name: "too deep", body: `{"type":"a","data":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, code: bellwire.CodeMalformed},
		{name: "not an object", body: `[]`, code: bellwire.CodeInvalid},
		{name: "a number", body: `7`, code: bellwire.CodeInvalid},
		{name: "no type", body: `{"data":1}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "no data", body: `{"type":"a"}`, code: bellwire.CodeInvalid, field: "data"},
		{name: "nothing", body: `{}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "empty type", body: `{"type":"","data":1}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "null type", body: `{"type":null,"data":1}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "number for type", body: `{"type":1,"data":1}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "empty id", body: `{"type":"a","data":1,"id":""}`, code: bellwire.CodeInvalid, field: "id"},
		{name: "number for id", body: `{"type":"a","data":1,"id":7}`, code: bellwire.CodeInvalid, field: "id"},
		{name: "bad time", body: `{"type":"a","data":1,"occurred_at":"yesterday"}`, code: bellwire.CodeInvalid, field: "occurred_at"},
		{name: "bad time of delivery", body: `{"type":"a","data":1,"deliver_at":"tomorrow"}`, code: bellwire.CodeInvalid, field: "deliver_at"},
		{name: "bad expiry", body: `{"type":"a","data":1,"expires_at":1}`, code: bellwire.CodeInvalid, field: "expires_at"},
		{name: "empty ordering key", body: `{"type":"a","data":1,"ordering_key":""}`, code: bellwire.CodeInvalid, field: "ordering_key"},
		{name: "ordering key twice", body: `{"type":"a","data":1,"ordering_key":"a","ordering_key":"a"}`, code: bellwire.CodeInvalid, field: "ordering_key"},
		{name: "unknown field", body: `{"type":"a","data":1,"payload":1}`, code: bellwire.CodeInvalid, field: "payload"},
		{name: "other case", body: `{"Type":"a","data":1}`, code: bellwire.CodeInvalid, field: "Type"},
		{name: "type twice", body: `{"type":"a","type":"a","data":1}`, code: bellwire.CodeInvalid, field: "type"},
		{name: "data twice", body: `{"type":"a","data":1,"data":1}`, code: bellwire.CodeInvalid, field: "data"},
		{name: "twice by an escape", body: `{"type":"a","data":1,"d\u0061ta":1}`, code: bellwire.CodeInvalid, field: "data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parsePublication([]byte(test.body))
			checkRefusal(t, err, test.code, test.field)
			if test.code == "" {
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestParseBatch(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		return `{"events":[` + strings.TrimSuffix(strings.Repeat(`{"type":"a","data":1},`, n), ",") + `]}`
	}
	tests := []struct {
		name, body string
		want       int
		code       bellwire.Code
		field      string
	}{
		{name: "one", body: many(1), want: 1},
		{name: "as many as fit", body: many(1000), want: 1000},
		{name: "one too many", body: many(1001), code: bellwire.CodeInvalid, field: "events"},
		{name: "none", body: many(0), code: bellwire.CodeInvalid, field: "events"},
		{name: "no events", body: `{}`, code: bellwire.CodeInvalid, field: "events"},
		{name: "null", body: `{"events":null}`, code: bellwire.CodeInvalid, field: "events"},
		{name: "unknown field", body: `{"events":[],"x":1}`, code: bellwire.CodeInvalid, field: "x"},
		{name: "twice", body: `{"events":[{"type":"a","data":1}],"events":[]}`, code: bellwire.CodeInvalid, field: "events"},
		{name: "not an object", body: `{"events":[{"type":"a","data":1},2]}`, code: bellwire.CodeInvalid, field: "events[1]"},
		{name: "fault in one", body: `{"events":[{"type":"a","data":1},{"type":"a"}]}`, code: bellwire.CodeInvalid, field: "events[1].data"},
		{name: "unknown in one", body: `{"events":[{"type":"a","data":1,"x":1}]}`, code: bellwire.CodeInvalid, field: "events[0].x"},
		{name: "a bare array", body: `[]`, code: bellwire.CodeInvalid},
		{name: "broken", body: `{"events":[{"type":"a","data":1},`, code: bellwire.CodeMalformed},
		{name: "something follows", body: many(1) + "]", code: bellwire.CodeMalformed},
		{name: "empty", body: "", code: bellwire.CodeMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseBatch([]byte(test.body))
			checkRefusal(t, err, test.code, test.field)
			if len(got) != test.want && test.code == "" {
				t.Errorf("%d events, want %d", len(got), test.want)
			}
		})
	}
}

func TestBatchDataIsNotPartOfTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(`{"events":[{"type":"a","data":{"x":1}}]}`)
	drafts, err := parseBatch(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got := string(drafts[0].Data); got != `{"x":1}` {
		t.Errorf("data changed with the body: %q", got)
	}
}

func checkRefusal(t *testing.T, err error, code bellwire.Code, field string) {
	t.Helper()
	if got := bellwire.CodeOf(err); got != code {
		t.Fatalf("code %q, want %q (%v)", got, code, err)
	}
	var known *bellwire.Error
	if errors.As(err, &known) && known.Field != field {
		t.Errorf("field %q, want %q", known.Field, field)
	}
}

var seeds = []string{
	`{"type":"a","data":{"b":[1.0,1E400,"\u00e9"]},"id":"k","occurred_at":"2026-01-31T12:30:00Z"}`,
	` {"data" : null , "type":"a"} `,
	`{"type":"a","data":{"x":1,"x":2}}`,
	`{"t\u0079pe":"\"","data":"\ud83d\ude00"}`,
	`{"type":"a","data":1}{}`,
	"{\"type\":\"\xff\",\"data\":1}",
	`{"data":1,"data":2}`,
	`{"type":"a","data":{"\ud83d":"\udc00\u0000"}}`,
	`[`, ``, `{"`, `null`,
}

// FuzzPublish: whatever the parser takes is valid JSON and found in the body as it is.
func FuzzPublish(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		draft, err := parsePublication(body)
		if err != nil {
			checkCode(t, err)
			return
		}
		checkDraft(t, body, draft)
	})
}

func FuzzBatch(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(`{"events":[` + seed + `]}`))
		f.Add([]byte(`{"events":[{"type":"a","data":1},` + seed + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		drafts, err := parseBatch(body)
		if err != nil {
			checkCode(t, err)
			return
		}
		if len(drafts) == 0 || len(drafts) > service.MaxBatchEvents {
			t.Errorf("%d events were taken", len(drafts))
		}
		for _, draft := range drafts {
			checkDraft(t, body, draft)
		}
	})
}

func checkDraft(t *testing.T, body []byte, draft service.Draft) {
	if !json.Valid(body) {
		t.Errorf("a body that is not JSON was taken: %q", body)
	}
	if !json.Valid(draft.Data) {
		t.Errorf("data is not JSON: %q", draft.Data)
	}
	if !bytes.Contains(body, draft.Data) {
		t.Errorf("data is not in the body: %q", draft.Data)
	}
	if draft.Type == "" {
		t.Error("an event without a type was taken")
	}
}

func checkCode(t *testing.T, err error) {
	if code := bellwire.CodeOf(err); code != bellwire.CodeMalformed && code != bellwire.CodeInvalid {
		t.Errorf("code %q: %v", code, err)
	}
}
