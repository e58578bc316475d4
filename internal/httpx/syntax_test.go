package httpx_test

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

func TestSyntaxErrorsAreExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"missing value":        {`{"a":}`, `unexpected '}' in line 1, column 6`},
		"trailing comma":       {`{"a":1,}`, `unexpected ',' in line 1, column 7`},
		"name without quotes":  {`{a:1}`, `unexpected 'a' in line 1, column 2`},
		"number as a name":     {`{1:2}`, `unexpected '1' in line 1, column 2`},
		"missing colon":        {`{"a" 1}`, `unexpected '1' in line 1, column 6`},
		"missing comma":        {`{"a":1 "b":2}`, `unexpected '"' in line 1, column 8`},
		"single quote":         {`{"a":'x'}`, `unexpected ''' in line 1, column 6`},
		"wrong bracket":        {`{"a":[1}}`, `unexpected '}' in line 1, column 8`},
		"markup":               {`<html>`, `unexpected '<' in line 1, column 1`},
		"second value":         {`{"a":1} x`, `unexpected 'x' in line 1, column 9`},
		"unfinished":           {`{"a":`, `unexpected end in line 1, column 6`},
		"unfinished string":    {"{\n  \"a", `unexpected end in line 2, column 5`},
		"unfinished literal":   {"nul", `unexpected end in line 1, column 4`},
		"escape":               {`{"a":"\q"}`, `invalid escape sequence in line 1, column 7`},
		"surrogate":            {`{"a":"\ud800"}`, `invalid escape sequence in line 1, column 7`},
		"line break in a text": {"{\"a\":\"x\ny\"}", `unexpected control character U+000A in line 1, column 8`},
		"not UTF-8":            {"{\"a\":\"\xff\"}", `a byte that is not UTF-8 in line 1, column 7`},
		"later line":           {"{\r\n  \"a\": \"é\" x\r\n}", `unexpected 'x' in line 2, column 12`},
		"deep":                 {`{"a":` + strings.Repeat("[", 10_001), `more than 10,000 levels of arrays and objects in line 1, column 10005`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v struct {
				A any `json:"a"`
			}
			err := httpx.ParseJSON([]byte(c.body), &v)
			if got := httpx.AsError(err).Message; bellwire.CodeOf(err) != bellwire.CodeMalformed || got != "the body is not JSON: "+c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
