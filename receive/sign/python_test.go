package sign_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/bellwire/bellwire/receive/sign"
)

// dumps returns Python's json.dumps(json.loads(text)) for each text.
func dumps(t *testing.T, texts []string) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs python3")
	}
	const script = `
import base64, json, sys
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
for line in sys.stdin:
    text = json.dumps(json.loads(base64.b64decode(line)))
    print(base64.b64encode(text.encode()).decode())
`
	var in bytes.Buffer
	for _, text := range texts {
		fmt.Fprintln(&in, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	python := exec.CommandContext(t.Context(), "python3", "-c", script)
	python.Stdin = &in
	out, err := python.Output()
	if err != nil {
		t.Fatalf("this test needs python3: %v", err)
	}
	var dumped []string
	for line := range strings.FieldsSeq(string(out)) {
		text, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		dumped = append(dumped, string(text))
	}
	if len(dumped) != len(texts) {
		t.Fatalf("Python wrote %d of %d texts", len(dumped), len(texts))
	}
	return dumped
}

// delicate are texts that JSON libraries decode or encode differently.
var delicate = []string{
	`null`, ` true `, `false`, `""`, `{}`, `[]`, ` { } `, ` [ ] `, `[[],{}]`, `{"a":[ ],"b":{ }}`,
	// ints
	`0`, `-0`, `7`, `-12`, `12345678901234567890123456789012345678901234567890`, `-9223372036854775809`, strings.Repeat("9", 4000),
	// floats
	`1.0`, `1.10`, `-0.0`, `0e0`, `-0E5`, `0.0000`, `1E5`, `1e5`, `1e+5`, `1.5e-7`, `1e15`, `1e16`, `1e17`, `9999999999999998.0`, `1e22`, `1e23`,
	`123456789012345678.0`, `0.0001`, `0.00001`, `0.00012345`, `9.999e-5`, `12345.678`, `3.14159265358979323846`, `0.1000000000000000055511151231257827`,
	`5e-324`, `2.5e-324`, `1e-400`, `-1e-400`, `2.2250738585072011e-308`, `1.7976931348623157e308`, `1.7976931348623159e308`, `1E400`, `-1E400`, `1e99999999999999999999`,
	`0e99999999999999999999`, `100000000000000000000000.5`, `4503599627370496.5`, `9007199254740993.0`, `1` + strings.Repeat("0", 400) + `.0`, `[1E400,-1E400,1.50]`,
	// strings
	`"a\/b/c"`, `"\"\\\b\f\n\r\t"`, `"\u0022\u005c\u002f\u0008\u000C\u000a\u000D\u0009"`, `"\u0000\u0001\u001f\u007f"`, "\"\x7f\"", `"\u0041\u00e9\u00E9"`,
	`"é Zoë ß"`, `"\u2028"`, "\"\u2028\u2029\ufeff\uffff\ufffd\"", `"😀"`, `"\ud83d\ude00"`, `"\uD83D\uDE00"`, `"𝄞\u0000"`, `"<script>&'"`,
	`"\ud800"`, `"\udc00"`, `"\ud800x"`, `"\ud800\ud800\udc00"`, `"\udc00\ud800"`, `"\ud83d\u0041"`, `"\ud800\\udc00"`, `"\ud83d😀"`,
	// objects
	`{"b":1,"a":2,"c":3}`, `{"":1}`, `{"a":1,"b":2,"a":3}`, `{"a":1,"\u0061":2}`, `{"é":1,"\u00e9":2}`, `{"a":{"x":1,"x":2},"b":[{"y":1,"z":2,"y":{"y":1,"y":[]}}],"a":null}`,
	`{"a":{"a":1},"b":{"a":1}}`, manyMembers(100, 100), manyMembers(100, 7), manyMembers(17, 16), "{\n\t\"a\" : [ 1 ,\r\n 2 ] , \"b\" : { \"c\" : \"d\" } }",
	strings.Repeat("[", 900) + strings.Repeat("]", 900), strings.Repeat(`{"a":[`, 400) + "1.50" + strings.Repeat("]}", 400),
}

// manyMembers returns an object with the given numbers of fields and of different names.
func manyMembers(members, names int) string {
	parts := make([]string, members)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"name %d":%d`, i%names, i)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestPythonWritesTheSame(t *testing.T) {
	t.Parallel()
	for i, want := range dumps(t, delicate) {
		if got := string(sign.AppendPython([]byte("x"), []byte(delicate[i]))); got != "x"+want {
			t.Errorf("%.200s becomes %.200s, and in Python %.200s", delicate[i], got[1:], want)
		}
	}
}

func TestPythonWritesTheSameOfAnything(t *testing.T) {
	t.Parallel()
	in := jsonWriter{random(t)}
	texts := make([]string, 500)
	for i := range texts {
		texts[i] = in.value(4)
	}
	for i, want := range dumps(t, texts) {
		if got := string(sign.AppendPython(nil, []byte(texts[i]))); got != want {
			t.Errorf("%s becomes %s, and in Python %s", texts[i], got, want)
		}
	}
}

// jsonWriter writes random JSON in all its forms, with few names so that some are repeated.
type jsonWriter struct{ *rand.Rand }

func (w jsonWriter) value(depth int) string {
	if depth == 0 || w.IntN(2) == 0 {
		return w.leaf()
	}
	gap := []string{"", "", " ", "\n\t"}[w.IntN(4)]
	parts := make([]string, w.IntN(6))
	array := w.IntN(2) == 0
	for i := range parts {
		parts[i] = w.value(depth - 1)
		if !array {
			parts[i] = w.text() + gap + ":" + gap + parts[i]
		}
	}
	inner := gap + strings.Join(parts, gap+","+gap) + gap
	if array {
		return "[" + inner + "]"
	}
	return "{" + inner + "}"
}

func (w jsonWriter) leaf() string {
	switch w.IntN(5) {
	case 0:
		return w.text()
	case 1:
		return w.number(30, 25, 999)
	case 2: // where Python changes from one notation to the other
		exponent := []string{"4", "5", "15", "16", "17", "-4", "-5", "-15", "-16", "-17"}[w.IntN(10)]
		return w.sign() + strconv.Itoa(1+w.IntN(9)) + "." + w.digits(14+w.IntN(5)) + "e" + exponent
	case 3:
		f := math.Float64frombits(w.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return "0"
		}
		return strconv.FormatFloat(f, 'g', 17, 64)
	}
	return []string{"null", "true", "false"}[w.IntN(3)]
}

func (w jsonWriter) text() string {
	fixed := []string{`"a"`, `"b"`, `"\u0061"`, `"é"`, `"\u00E9"`, `"\ud83d\ude00"`, `"\udead"`, `"\/\n"`}
	if w.IntN(2) == 0 {
		return fixed[w.IntN(len(fixed))]
	}
	runes := make([]rune, w.IntN(8))
	for i := range runes {
		runes[i] = []rune{rune(w.IntN(0x80)), rune(w.IntN(0x3000)), rune(w.IntN(unicode.MaxRune + 1))}[w.IntN(3)]
	}
	quoted, _ := json.Marshal(string(runes)) // a string always has a form in JSON
	return string(quoted)
}

// number writes a number with bounds on its digits before and after the point and on its exponent.
func (w jsonWriter) number(whole, fraction, exponent int) string {
	text := w.sign() + "0"
	if w.IntN(3) > 0 {
		text = w.sign() + strconv.Itoa(1+w.IntN(9)) + w.digits(w.IntN(whole+1))
	}
	if w.IntN(2) == 0 {
		text += "." + w.digits(1+w.IntN(fraction))
	}
	if w.IntN(2) == 0 {
		text += []string{"e", "E"}[w.IntN(2)] + []string{"", "+", "-"}[w.IntN(3)] + strconv.Itoa(w.IntN(exponent+1))
	}
	return text
}

func (w jsonWriter) sign() string { return []string{"", "-"}[w.IntN(2)] }

func (w jsonWriter) digits(n int) string {
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = '0' + byte(w.IntN(10))
	}
	return string(digits)
}

// AppendPythonJSON returns JSON with the same meaning, even if Python would change some numbers.
func TestPythonJSONKeepsNumbers(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`[1.50,1E5,-0.0,0e99999999999999999999,1e-7,-0]`:       `[1.5, 100000.0, -0.0, 0.0, 1e-07, 0]`,
		`[1E400,-1E400,1e-400,1e99999999999999999999]`:         `[1E400, -1E400, 1e-400, 1e99999999999999999999]`,
		`[3.14159265358979323846,9007199254740993.0,0.1]`:      `[3.14159265358979323846, 9007199254740993.0, 0.1]`,
		`{"a":1E400,"b":3.0,"a":1.10}`:                         `{"a": 1.1, "b": 3.0}`,
		`[100000000000000000000000.0,12345678901234567890.50]`: `[1e+23, 12345678901234567890.50]`,
	} {
		t.Run(fmt.Sprintf("%.60s", data), func(t *testing.T) {
			got := sign.AppendPythonJSON(nil, []byte(data))
			if string(got) != want {
				t.Errorf("%s becomes %s, want %s", data, got, want)
			}
		})
	}
	for _, data := range delicate {
		t.Run(fmt.Sprintf("%.60s", data), func(t *testing.T) {
			checkPythonJSON(t, data)
		})
	}
}

// checkPythonJSON checks the properties that hold for any JSON.
func checkPythonJSON(t *testing.T, data string) {
	t.Helper()
	got := sign.AppendPythonJSON(nil, []byte(data))
	if !json.Valid(got) {
		t.Fatalf("%q becomes %q", data, got)
	}
	if again := sign.AppendPythonJSON(nil, got); !bytes.Equal(again, got) {
		t.Fatalf("%q becomes %q, and that %q", data, got, again)
	}
	if direct, later := sign.AppendPython(nil, []byte(data)), sign.AppendPython(nil, got); !bytes.Equal(direct, later) {
		t.Fatalf("what is sent of %q, %q, is signed as %q and not %q", data, got, later, direct)
	}
	if i := slices.IndexFunc(got, func(c byte) bool { return c < ' ' || c > '~' }); i >= 0 {
		t.Fatalf("%q has the byte %x", got, got[i])
	}
	if !reflect.DeepEqual(decoded(t, data), decoded(t, string(got))) { // cmp.Diff takes for ever on deep arrays
		t.Fatalf("%q means another thing than %q", got, data)
	}
}

// decoded returns the value that Go decodes, with floats where they are finite.
func decoded(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return floats(v)
}

func floats(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		mantissa, _, _ := strings.Cut(strings.ToLower(v.String()), "e")
		if err != nil || f == 0 && strings.ContainsAny(mantissa, "123456789") { // no float: it stays as it is
			return v.String()
		}
		return f
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}

func FuzzPython(f *testing.F) {
	for _, data := range delicate {
		if len(data) < 200 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data string) {
		if json.Valid([]byte(data)) {
			checkPythonJSON(t, data)
		}
	})
}

// The vectors were computed with Python's hmac and json.
func TestBondVectors(t *testing.T) {
	t.Parallel()
	const (
		kyc     = "6cfb888092004fa439581941e2dda3911f2e3387ed5de1554f162bf5503fd437"
		updated = "c5351b9cf80cebeff14580eb52d0b674ff862dc9615ef6da02ca281b83bf859d"
	)
	m := sign.NewMAC([]byte("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"))
	for _, v := range []struct{ body, v1, v2 string }{
		{`{"event": "kyc.verification.success", "customer_id": "11111111-2222-4333-8444-555555555555", "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`, kyc, kyc},
		{`{"event":"kyc.verification.success","customer_id":"11111111-2222-4333-8444-555555555555","occurred_at":"2024-03-01T10:00:00.000000+00:00"}`, kyc,
			"4f7804963bab42ee3c9a74a89f68d0c2e8a4016e7468e51989b7a42836c858d7"},
		{`{"event": "customer.updated", "name": "Zo\u00eb"}`, updated, updated},
		{`{"event":"customer.updated","name":"Zoë"}`, updated, "3ba34a8bbc8fff73b6e97a8283ca436721d042e4865fc36b61f0d62270842764"},
	} {
		t.Run(v.body, func(t *testing.T) {
			if got := string(m.AppendBond([]byte("x"), 1709287200, []byte(v.body))); got != "xt=1709287200,v1="+v.v1+",v2="+v.v2 {
				t.Errorf("%s is signed %s", v.body, got)
			}
			v1, v2 := unhex(t, v.v1), unhex(t, v.v2)
			for _, changed := range []string{v.body, strings.Replace(v.body, "e", "f", 1), v.body + "x", ""} {
				good := changed == v.body
				if m.VerifyBondV1(v1, 1709287200, []byte(changed)) != good || m.VerifyBondV2(v2, 1709287200, []byte(changed)) != good {
					t.Errorf("%s is taken for %s, or is not", changed, v.body)
				}
			}
			if m.VerifyBondV1(v1, 1709287201, []byte(v.body)) || m.VerifyBondV2(v2[1:], 1709287200, []byte(v.body)) || m.VerifyBondV1(nil, 1709287200, []byte(v.body)) {
				t.Errorf("another time or a part of the signature is taken for %s", v.body)
			}
		})
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Repeated fields at every depth take linear time.
func TestPythonIsLinear(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":0,"a":`, 9000) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", 9000)
	if got, want := len(sign.AppendPython(nil, []byte(deep))), 9000*len(`{"a": }`)+1<<20+2; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	wide := manyMembers(100_000, 99_999)
	if got := sign.AppendPython(nil, []byte(wide)); !bytes.HasPrefix(got, []byte(`{"name 0": 99999, "name 1": 1, `)) {
		t.Errorf("%.60s", got)
	}
}

func BenchmarkBond(b *testing.B) {
	m := sign.NewMAC([]byte("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"))
	body, dst := []byte(`{"event": "`+strings.Repeat("x", 500)+`"}`), make([]byte, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		dst = m.AppendBond(dst[:0], 1709287200, body)
	}
}
