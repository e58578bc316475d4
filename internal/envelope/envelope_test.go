package envelope_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

func TestObjectRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`null`, `[]`, `[{}]`, `"{}"`, `1`, ` true `} {
		if _, err := envelope.Object("azakaw", []byte(data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	inner, err := envelope.Object("x", []byte(" {\"a\\\"\" :\t[1, {\"b\":\"}\"}] ,\n\"\\u0062\":1E400,\"b\":2, \"\":\"\\\\\"} "))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{`a"`: `[1, {"b":"}"}]`, "b": "1E400", "": `"\\"`} {
		if got, found := envelope.Find(inner, name); !found || string(got) != want {
			t.Errorf("%q: %s, %v", name, got, found)
		}
	}
	if envelope.Has(inner, "c") {
		t.Error("there is no c")
	}
	if text, ok := envelope.Text([]byte(`"\u00e9"`)); !ok || text != "é" {
		t.Errorf("%q, %v", text, ok)
	}
	if _, ok := envelope.Text([]byte("1")); ok {
		t.Error("1 is no text")
	}
}

// FuzzMembers holds the members against those that a JSON library finds.
func FuzzMembers(f *testing.F) {
	for _, data := range []string{`{}`, `{ }`, `{"a":1}`, `{"a":{"b":[]},"c":"\\\""}`, "{\n\"a\" : -1.5e+3 ,\"a\":null}", `{"a":[1,{"x":"]"},2]}`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			return
		}
		inner, err := envelope.Object("x", data)
		if jsontext.Value(data).Kind() != '{' {
			if err == nil {
				t.Error("it is no object")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if _, err := dec.ReadToken(); err != nil {
			t.Fatal(err)
		}
		for name, value := range envelope.Members(inner) {
			for _, part := range [][]byte{name, value} {
				want, err := dec.ReadValue()
				if err != nil || !bytes.Equal(part, want) {
					t.Fatalf("%q in %q: want %q (%v)", part, data, want, err)
				}
			}
		}
		if dec.PeekKind() != '}' {
			t.Errorf("members of %q are missing", data)
		}
	})
}
