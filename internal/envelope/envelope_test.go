package envelope_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

func TestObjectRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`null`, `[]`, `[{}]`, `"{}"`, `1`, ` true `} {
		t.Run(data, func(t *testing.T) {
			if _, err := envelope.Object("azakaw", []byte(data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", data, err)
			}
		})
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

func TestWithout(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{}`:                  ``,
		`{"a":1}`:             `"a":1`,
		`{"Type":"T"}`:        ``,
		`{ "Type" : "T" }`:    ``,
		`{"Type":"T","a":1}`:  `"a":1`,
		`{"a":1, "Type":"T"}`: `"a":1`,
		"{\n \"a\": 1,\n \"Type\": \"T\",\n \"b\":{\"Type\":2} }": "\n \"a\": 1,\n \"b\":{\"Type\":2} ",
		`{"\u0054ype":"\u0054","a":[1]}`:                          `"a":[1]`,
		`{"Type":"T","Type":"T"}`:                                 ``,
		`{"type":"X"}`:                                            `"type":"X"`,
		`{"a":"Type"}`:                                            `"a":"Type"`,
	} {
		t.Run(data, func(t *testing.T) {
			inner, err := envelope.Object("x", []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			if rest, err := envelope.Without("x", inner, "Type", "T"); err != nil || string(rest) != want {
				t.Errorf("%s: %q, %v, want %q", data, rest, err, want)
			}
		})
	}
	for _, inner := range []string{`"Type":"t"`, `"Type":null`, `"Type":["T"]`, `"Type":"T","Type":"U"`, `"a":1,"Type":""`} {
		t.Run(inner, func(t *testing.T) {
			if _, err := envelope.Without("x", []byte(inner), "Type", "T"); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", inner, err)
			}
		})
	}
}

func TestAppendWith(t *testing.T) {
	t.Parallel()
	for array, want := range map[string]string{
		`[]`:                                 `[]`,
		`[ ]`:                                `[ ]`,
		`[{}]`:                               `[{"id":7}]`,
		`[ { } ]`:                            `[ {"id":7 } ]`,
		"[{\"a\":[1] },\n{\"a\":\"]\"}\t]":   "[{\"a\":[1],\"id\":7 },\n{\"a\":\"]\",\"id\":7}\t]",
		`[{"id": "x", "a":1}]`:               `[{"id": 7, "a":1}]`,
		`[{"\u0069d":null,"id":{"id":[]} }]`: `[{"\u0069d":7,"id":7 }]`,
		`[1, "{}" ,[{"id":1}],null]`:         `[1, "{}" ,[{"id":1}],null]`,
	} {
		t.Run(array, func(t *testing.T) {
			got := envelope.AppendElements(nil, []byte(array), func(dst, element []byte) []byte {
				return envelope.AppendWith(dst, element, "id", []byte("7"))
			})
			if string(got) != want {
				t.Errorf("%s became\n%s, want\n%s", array, got, want)
			}
		})
	}
}

// FuzzMembers holds the fields against those that a JSON library finds.
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
			t.Errorf("fields of %q are missing", data)
		}
		with := envelope.AppendWith(nil, bytes.TrimSpace(data), "id", []byte("7"))
		if !jsontext.Value(with).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
			t.Errorf("%q became %q", data, with)
		}
		if value, found := envelope.Find(with[1:len(with)-1], "id"); !found || string(value) != "7" {
			t.Errorf("%q became %q", data, with)
		}
	})
}
