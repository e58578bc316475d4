package receive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/bellwire/bellwire/receive"
)

const akkuroBody = `{"meta":{"id":"0b0f7c2e-6d0e-4d3b-9a1e-2f7f1f5f9a10","eventName":"counterparty.merged",` +
	`"eventEndpointUri":"https://api.example.test/counterparty-management/events/counterparty.merged/endpoints/65e1a3c0fc423348d145db01",` +
	`"occurredOn":"2024-03-01T10:00:00.123Z"},"data":{"id":"4f7c1f5e-0000-4000-8000-000000000001"}}`

func ExampleAkkuro() {
	verifier, err := receive.Akkuro("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		panic(err)
	}
	header := http.Header{"X-Event-Token": {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}

	d, err := verifier.Verify(header, []byte(akkuroBody))
	if err != nil {
		panic(err)
	}
	fmt.Println(d.ID, d.Type, d.Timestamp, string(d.Data))
	// Output:
	// 0b0f7c2e-6d0e-4d3b-9a1e-2f7f1f5f9a10 counterparty.merged 2024-03-01 10:00:00.123 +0000 UTC {"id":"4f7c1f5e-0000-4000-8000-000000000001"}
}

func TestAkkuro(t *testing.T) {
	t.Parallel()
	verifier, err := receive.Akkuro("old", "new")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, header, value, body string
		want                      error
	}{
		{"old token", "X-Event-Token", "old", akkuroBody, nil},
		{"new token", "X-Event-Token", "new", akkuroBody, nil},
		{"token with a space", "X-Event-Token", "new ", akkuroBody, receive.ErrSignature},
		{"other token", "X-Event-Token", "other", akkuroBody, receive.ErrSignature},
		{"shorter token", "X-Event-Token", "ol", akkuroBody, receive.ErrSignature},
		{"empty token", "X-Event-Token", "", akkuroBody, receive.ErrHeader},
		{"other header", "Authorization", "new", akkuroBody, receive.ErrHeader},
		{"no data", "X-Event-Token", "new", `{"meta":{"id":"1","eventName":"T"}}`, receive.ErrBody},
		{"no id", "X-Event-Token", "new", `{"meta":{"eventName":"T"},"data":1}`, receive.ErrBody},
		{"no type", "X-Event-Token", "new", `{"meta":{"id":"1"},"data":1}`, receive.ErrBody},
		{"malformed time", "X-Event-Token", "new", `{"meta":{"id":"1","eventName":"T","occurredOn":"now"},"data":1}`, receive.ErrBody},
		{"text after the body", "X-Event-Token", "new", akkuroBody + "x", receive.ErrBody},
		{"array", "X-Event-Token", "new", `[]`, receive.ErrBody},
		{"empty body", "X-Event-Token", "new", ``, receive.ErrBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := verifier.Verify(http.Header{c.header: {c.value}}, []byte(c.body)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	for _, tokens := range [][]string{nil, {""}, {"good", ""}} {
		if _, err := receive.Akkuro(tokens...); err == nil {
			t.Errorf("a verifier of %q was made", tokens)
		}
	}
}

// Data is passed on byte for byte, whatever kind of value it is.
func TestAkkuroData(t *testing.T) {
	t.Parallel()
	verifier, err := receive.Akkuro("token")
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{`null`, `1E400`, `{ "a" : [1.0, "\u00e9"] }`, `"text"`} {
		t.Run(data, func(t *testing.T) {
			d, err := verifier.Verify(http.Header{"X-Event-Token": {"token"}}, []byte(`{"meta":{"id":"1","eventName":"T"},"data":`+data+`}`))
			if err != nil || string(d.Data) != data {
				t.Errorf("%s: %+v, %v", data, d, err)
			}
		})
	}
}

func FuzzAkkuro(f *testing.F) {
	f.Add([]byte(akkuroBody))
	f.Add([]byte(`{"meta":{"id":"1","eventName":"T"},"data":null}`))
	f.Add([]byte(`{"meta":null,"data":{}}`))
	verifier, err := receive.Akkuro("token")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := verifier.Verify(http.Header{"X-Event-Token": {"token"}}, body)
		if err != nil {
			if !errors.Is(err, receive.ErrBody) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if d.ID == "" || d.Type == "" || !json.Valid(d.Data) {
			t.Errorf("%q: %+v", body, d)
		}
	})
}
